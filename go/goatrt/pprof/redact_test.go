package pprof

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
)

const secret = "s3cr3t"

// testRules allow nothing but the label open.
func testRules(key string) *rules {
	names := NewNames(key, "example.com/shop/cmd/shop", []string{"example.com/shop", "plain/local"})
	return &rules{names: names, app: "shop", keys: map[string]bool{"open": true}}
}

func gunzip(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// planted is a profile with a secret wherever one can be.
func planted() []byte {
	texts := []string{"", "samples", "count", "key-" + secret, secret, "open", "public", "/home/" + secret + "/app",
		secret + "build", "example.com/shop/cart.(*Cart).Add", "/home/" + secret + "/src/cart/cart.go", "bytes",
		"main.main", "/root/" + secret + "/main.go", "runtime.main", "/usr/" + secret + "/go/src/runtime/proc.go", "/lib/" + secret + ".so"}
	var b buffer
	message := func(field uint64, parts ...uint64) {
		var in buffer
		for i := 0; i < len(parts); i += 2 {
			in.number(parts[i], parts[i+1])
		}
		b.message(field, in)
	}
	message(1, 1, 1, 2, 2)
	var s buffer
	s.packed(1, []uint64{1, 2, 3})
	s.packed(2, []uint64{7})
	for _, l := range [][4]uint64{{3, 4, 0, 0}, {5, 6, 0, 0}, {11, 0, 512, 11}, {11, 4, 0, 0}, {3, 0, 9, 4}} {
		var in buffer
		for i, n := range l {
			in.number(uint64(i+1), n)
		}
		s.message(3, in)
	}
	s.text(9, secret) // a field of a Go to come
	b.message(2, s)
	message(3, 1, 1, 2, 4096, 3, 8192, 5, 7, 6, 8)
	message(3, 1, 2, 2, 9999, 3, 19999, 5, 16)
	for id, function := range []uint64{1, 2, 3} {
		var in, line buffer
		line.number(1, function)
		line.number(2, 10+function)
		in.number(1, uint64(id+1))
		in.number(2, 1)
		in.number(3, 4096+function)
		in.message(4, line)
		b.message(4, in)
	}
	message(5, 1, 1, 2, 9, 3, 9, 4, 10)
	message(5, 1, 2, 2, 12, 3, 12, 4, 13)
	message(5, 1, 3, 2, 14, 3, 14, 4, 15)
	for _, text := range texts {
		b.text(6, text)
	}
	b.number(7, 4)  // drop_frames
	b.number(13, 4) // comment
	b.number(15, 4) // doc_url
	b.number(14, 1)
	b.text(99, secret)
	return b
}

func TestSecurityNoPlantedSecretLeavesTheProcess(t *testing.T) {
	p, err := decode(planted())
	if err != nil {
		t.Fatal(err)
	}
	testRules("").redact(p)
	out := p.encode()
	if bytes.Contains(out, []byte(secret)) {
		t.Errorf("the secret is in %q", out)
	}
	again, err := decode(out)
	if err != nil {
		t.Fatal(err)
	}
	if s := again.samples[0]; len(s.labels) != 2 || s.labels[0].text != "public" || s.labels[1].number != 512 || s.values[0] != 7 {
		t.Errorf("%+v", s)
	}
	var got []string
	for _, f := range again.functions {
		got = append(got, f.name+" "+f.file)
	}
	want := "example.com/shop/cart.(*Cart).Add example.com/shop/cart/cart.go|main.main example.com/shop/cmd/shop/main.go|runtime.main runtime/proc.go"
	if strings.Join(got, "|") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, "|"), want)
	}
	if m := again.mappings; m[0].file != "shop" || m[0].build != "" || m[1].file != "" || m[0].numbers != [4]uint64{1, 4096, 8192, 0} {
		t.Errorf("%+v", m)
	}
	if l := again.locations[0]; l.address != 4097 || l.lines[0] != [3]uint64{1, 11, 0} {
		t.Errorf("%+v", l)
	}
}

// The runtime's own profiles of this test, which has its arguments, its paths and labels.
func TestSecurityRealProfilesTellNoSecret(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	hidden := []string{secret, here, os.Args[0]}
	hold := make(chan struct{})
	defer close(hold)
	started := make(chan struct{})
	labels := pprof.Labels("tenant", secret, "open", "public", secret, "x")
	go pprof.Do(context.Background(), labels, func(context.Context) { close(started); <-hold })
	<-started
	r := testRules("")
	for _, q := range []request{
		{kind: "goroutine"}, {kind: "goroutine", debug: 1}, {kind: "goroutine", debug: 2, full: true},
		{kind: "heap"}, {kind: "allocs"}, {kind: "mutex", seconds: 1}, {kind: "block", seconds: 1},
	} {
		q := q
		a := r.collect(context.Background(), &q)
		if a.status != 200 {
			t.Fatalf("%+v: %+v", q, a)
		}
		text := a.body
		if !a.text {
			text = gunzip(t, a.body)
		}
		for _, word := range hidden {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%+v tells %q:\n%s", q, word, text)
			}
		}
		if q.kind == "goroutine" && (!bytes.Contains(text, []byte("goatrt/pprof.TestSecurity")) || !bytes.Contains(text, []byte("goatrt/pprof/redact_test.go"))) {
			t.Errorf("%+v tells nothing:\n%s", q, text)
		}
		if q.kind == "goroutine" && q.debug < 2 && !bytes.Contains(text, []byte("public")) {
			t.Errorf("%+v: the label that may be told is gone:\n%s", q, text)
		}
	}
}

func TestTextIsPutTogetherOfWhatIsKnown(t *testing.T) {
	r := testRules("")
	for _, c := range []struct{ of, in, want string }{
		{"counted", "goroutine profile: total 2\n2 @ 0x1 0x2\n# labels: {\"a\\\"b\":\"" + secret + "\", \"open\":\"x y\"}\n#\t0x43\tmain.f.func1+0x1d\t\t/home/" + secret + "/a b.go:12\n\n",
			"goroutine profile: total 2\n2 @ 0x1 0x2\n# labels: {\"open\":\"x y\"}\n#\t0x43\tmain.f.func1+0x1d\t\texample.com/shop/cmd/shop/a b.go:12\n"},
		{"counted", "1 @ 0x1 " + secret + "\n# " + secret + "\n" + secret + "\n# labels: {\"a\":\"b\"}\n", "\n"},
		{"traces", "goroutine 7 [chan receive, 5 minutes, locked to thread]:\nexample.com/shop/cart.(*Cart).Add(0xc000012, {0x1, 0x2}, ...)\n\t/home/" + secret + "/cart.go:9 +0x1d\n" +
			"...12 frames elided...\nmain.main()\n\tC:/Users/" + secret + "/main.go:3 +0x2\ncreated by main.start in goroutine 1\n\t/x/main.go:4 +0x3\n",
			"goroutine 7 [chan receive, 5 minutes, locked to thread]:\nexample.com/shop/cart.(*Cart).Add(...)\n\texample.com/shop/cart/cart.go:9 +0x1d\n" +
				"...12 frames elided...\nmain.main(...)\n\texample.com/shop/cmd/shop/main.go:3 +0x2\ncreated by main.start in goroutine 1\n\texample.com/shop/cmd/shop/main.go:4 +0x3\n"},
		// Labels of Go 1.27, with all that could be taken for something else.
		{"traces", "goroutine 7 [select (leaked)] {\"tenant\": \"]: " + secret + "\"}:\ngoroutine 8 [select {tenant: " + secret + "}]:\n" + secret + " (x)\n\t/" + secret + ".go:3\npanic: " + secret + "\n",
			"goroutine 7 [select (leaked)]:\ngoroutine 8 [select]:\n"},
	} {
		f := r.counted
		if c.of == "traces" {
			f = r.traces
		}
		if got := f(c.in); got != c.want {
			t.Errorf("%s of %q\n%q, want\n%q", c.of, c.in, got, c.want)
		}
	}
}

func TestHashedNamesAreTheSameEverywhere(t *testing.T) {
	r, other, again := testRules("k1"), testRules("k2"), testRules("k1")
	names := r.names
	full := names.Function("example.com/shop/cart.(*Cart).Add.func1.2")
	for _, word := range []string{"shop", "cart", "Cart", "Add"} {
		if strings.Contains(full, word) {
			t.Errorf("%s tells %s", full, word)
		}
	}
	if want := names.Package("example.com/shop/cart") + "." + names.Declaration("(*Cart).Add") + ".func1.2"; full != want {
		t.Errorf("%s, want %s", full, want)
	}
	if full != again.names.Function("example.com/shop/cart.(*Cart).Add.func1.2") || full == other.names.Function("example.com/shop/cart.(*Cart).Add.func1.2") {
		t.Error("a name depends on something else than the key")
	}
	for name, want := range map[string]string{
		"runtime.main": "runtime.main", "net/http.(*conn).serve": "net/http.(*conn).serve",
		"main.main": "main.main", "main.init.0": "main.init.0",
		"gopkg.in/yaml%2ev3.F[...]": names.Package("gopkg.in/yaml.v3") + "." + names.Declaration("F") + "[...]",
		"plain/local.F":             names.Package("plain/local") + "." + names.Declaration("F"),
		"main.F[go.shape.secret]":   "main." + names.Declaration("F") + "[...]",
		"c_function":                names.hash("c_function"),
	} {
		if got := names.Function(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	file := names.File("/src/cart/cart.go", "example.com/shop/cart.F")
	if file != names.Package("example.com/shop/cart")+"/"+names.hash("cart")+".go" {
		t.Error(file)
	}
	if file := names.File("/x/"+secret+"/proc.go", "runtime.main"); file != "runtime/proc.go" {
		t.Error(file)
	}
}

func TestWhatIsNoProfileIsSaid(t *testing.T) {
	whole := planted()
	for _, raw := range [][]byte{nil, []byte("x"), whole[:len(whole)/2], bytes.Repeat([]byte{0xff}, 64), {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}} {
		if _, err := decode(raw); err == nil {
			t.Errorf("%q is a profile", raw)
		}
	}
	if p, err := decode(whole); err != nil || len(p.samples) != 1 {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(planted())
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if p, err := decode(raw); err == nil {
			testRules("k").redact(p)
			_, _ = decode(p.encode())
		}
	})
}

func TestDifferenceOfTwoProfiles(t *testing.T) {
	before, now := &profile{time: 10}, &profile{time: 40}
	old := []location{{id: 1, address: 100}, {id: 2, address: 200}}
	before.locations, now.locations = old, []location{{id: 1, address: 200}, {id: 2, address: 100}, {id: 3, address: 300}}
	before.samples = []sample{{locations: []uint64{1, 2}, values: []uint64{2, 20}}, {locations: []uint64{2}, values: []uint64{1, 1}}}
	now.samples = []sample{{locations: []uint64{2, 1}, values: []uint64{5, 70}}, {locations: []uint64{1}, values: []uint64{1, 1}}, {locations: []uint64{3}, values: []uint64{4, 4}}}
	now.less(before)
	if len(now.samples) != 2 || now.samples[0].values[0] != 3 || now.samples[0].values[1] != 50 || now.samples[1].values[1] != 4 || now.duration != 30 {
		t.Errorf("%+v", now)
	}
}

func TestNothingOfOurOwnIsMeasured(t *testing.T) {
	if !strings.HasSuffix(ourPackage(), "/goatrt/pprof.") {
		t.Errorf("this package is called %s", ourPackage())
	}
	p := &profile{
		functions: []function{{id: 1, name: "goat/rt/pprof.pause"}, {id: 2, name: "main.f"}},
		locations: []location{{id: 1, lines: [][3]uint64{{2, 1, 0}, {1, 1, 0}}}, {id: 2, lines: [][3]uint64{{2, 1, 0}}}},
		samples:   []sample{{locations: []uint64{2, 1}}, {locations: []uint64{2}}},
	}
	if p.drop("goat/rt/pprof."); len(p.samples) != 1 || len(p.samples[0].locations) != 1 {
		t.Errorf("%+v", p.samples)
	}
}

func TestRatesAreAsTheyWereFound(t *testing.T) {
	undo := measureMutexes()
	if undo == nil || runtime.SetMutexProfileFraction(-1) != mutexRate {
		t.Fatal("mutexes are not measured")
	}
	undo()
	runtime.SetMutexProfileFraction(3)
	if measureMutexes() != nil || runtime.SetMutexProfileFraction(-1) != 3 {
		t.Error("the program's own rate is not kept")
	}
	runtime.SetMutexProfileFraction(0)
	for i := 0; i < 2; i++ {
		if undo = measureBlocking(); undo == nil {
			t.Fatal("waits are not measured")
		}
		if measureBlocking() != nil {
			t.Error("measured waits are not noticed")
		}
		undo()
	}
	runtime.SetBlockProfileRate(1000)
	if measureBlocking() != nil {
		t.Error("the program's own rate is not noticed")
	}
	runtime.SetBlockProfileRate(0)
}
