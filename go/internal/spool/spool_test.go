package spool_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/goatrt"
	"github.com/goat-trace/goat/go/internal/spool"
)

// write has the runtime make a spool file of two packages with three points and
// a degraded one, of which point 1 is hit. It returns the file's path.
func write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("GOAT_SPOOL", dir)
	var a, b [2]uint32
	var hookA, hookB func(*uint32)
	line := func(id, form string, n int) string {
		return fmt.Sprintf("%s\tTRACK_ID_%d\tchange\t%s\t%d\t2\t%d\t7\t%q\t%q\n", id, n, form, n, n+1, "svc/ä\t.go", "(*S).\"Do")
	}
	tracking := goatrt.Start([]goatrt.Entry{
		{Meta: "goat=\"0.1.0\"\napp=\"my app\"\nversion=\"1\\n2\"\nprecision=\"2\"\ndirty=\"true\"\nplan=\"0123456789abcdef\"\nmode=\"c-shared\"\nnew=\"later\"\n"},
		{Pkg: "example.com/svc", Acc: func() (*uint32, int, *func(*uint32)) { return &a[0], 2, &hookA }, Meta: line("p0", "exact", 1) + line("p1", "store", 2)},
		{Pkg: "example.com/gone"},
		{Pkg: "example.com/b", Acc: func() (*uint32, int, *func(*uint32)) { return &b[0], 1, &hookB }, Meta: strings.TrimSuffix(line("p2", "exact", 3), "\n")},
	}, nil)
	if !tracking {
		t.Fatal("Start tracks nothing")
	}
	hookA(&a[1])
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	return filepath.Join(dir, entries[0].Name())
}

func TestRead(t *testing.T) {
	path := write(t)
	f, err := spool.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	id := f.Identity
	if f.Path != path || f.Plan != "0123456789abcdef" || id.Goat != "0.1.0" || id.App != "my app" || id.Version != "1\n2" || id.Precision != 2 ||
		!id.Dirty || id.Plan != f.Plan || len(id.Instance) != 16 || f.PID != os.Getpid() || !f.Sealed.IsZero() || !f.Reset.IsZero() || f.Address != "" {
		t.Errorf("%+v", f)
	}
	if since := time.Since(f.Started); since < 0 || since > time.Minute {
		t.Errorf("started %v", f.Started)
	}
	if len(f.Points) != 3 || len(f.Degraded) != 1 || f.Degraded[0] != "example.com/gone" || f.Missing != 0 {
		t.Fatalf("%+v", f)
	}
	p := f.Points[1]
	if p.Package != "example.com/svc" || p.ID != "p1" || p.Name != "TRACK_ID_2" || p.Kind != "change" || p.Form != "store" || p.File != "svc/ä\t.go" ||
		p.Func != `(*S)."Do` || p.Line != 2 || p.Column != 2 || p.EndLine != 3 || p.EndColumn != 7 || !p.Hit || p.Phase != "init" && p.Phase != "startup" || p.First.IsZero() {
		t.Errorf("%+v", p)
	}
	if f.Points[0].Hit || f.Points[2].Hit || !f.Points[0].First.IsZero() || f.Points[2].Package != "example.com/b" {
		t.Errorf("%+v", f.Points)
	}
}

func TestReadRefuses(t *testing.T) {
	good, err := os.ReadFile(write(t))
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, bytes ...byte) []byte {
		data := append([]byte{}, good...)
		copy(data[at:], bytes)
		return data
	}
	records := int(binary.LittleEndian.Uint64(good[72:]))
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"empty":                       {nil, spool.ErrUnfinished},
		"no magic yet":                {change(0, make([]byte, 8)...), spool.ErrUnfinished},
		"text":                        {[]byte("mode: set\n"), spool.ErrNotSpool},
		"one byte of text":            {[]byte("m"), spool.ErrNotSpool},
		"half a magic":                {good[:5], spool.ErrTruncated},
		"half a header":               {good[:100], spool.ErrTruncated},
		"half a table":                {good[:700], spool.ErrTruncated},
		"no records":                  {good[:records], spool.ErrTruncated},
		"half a record":               {good[:records+70], spool.ErrTruncated},
		"other record size":           {change(36, 32), spool.ErrDamaged},
		"impossible offset":           {change(40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), spool.ErrDamaged},
		"overlapping parts":           {change(72, 0), spool.ErrDamaged},
		"too many points":             {change(32, 0xff, 0xff, 0xff, 0xff), spool.ErrDamaged},
		"other points in the table":   {change(32, 2), spool.ErrDamaged},
		"a bit of the table":          {change(700, good[700]^1), spool.ErrDamaged},
		"a bit of the plan hash":      {change(16, '1'), spool.ErrDamaged},
		"a phase that does not exist": {change(records, 1, 9), spool.ErrDamaged},
		"a hit that does not exist":   {change(records, 7, 1), spool.ErrDamaged},
	} {
		path := filepath.Join(t.TempDir(), "goat-x.spool")
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := spool.Read(path); !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	var other *spool.FormatError
	if _, err := spool.Decode(change(8, 7)); !errors.As(err, &other) || other.Got != 7 {
		t.Errorf("another format: %v", err)
	}
}

func TestTruncatedFileKeepsItsEvidence(t *testing.T) {
	data, err := os.ReadFile(write(t))
	if err != nil {
		t.Fatal(err)
	}
	records := int(binary.LittleEndian.Uint64(data[72:]))
	f, err := spool.Decode(data[:records+96])
	if !errors.Is(err, spool.ErrTruncated) || f == nil || !f.Points[1].Hit || f.Missing != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	// Whatever is cut off, the answer is an error and not a wrong file.
	for n := 0; n < len(data); n++ {
		if _, err := spool.Decode(data[:n]); err == nil {
			t.Fatalf("%d of %d bytes pass for a whole file", n, len(data))
		}
	}
}

func TestNotAFile(t *testing.T) {
	if _, err := spool.Read(t.TempDir()); !errors.Is(err, spool.ErrNotSpool) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := spool.Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := spool.ReadDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

func TestReadDir(t *testing.T) {
	first, second := write(t), write(t)
	dir := t.TempDir()
	for name, from := range map[string]string{"goat-z-1.spool": first, "goat-a-1.spool": second} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"goat-bad-1.spool", "other.spool", "goat-app.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	results, err := spool.ReadDir(dir)
	if err != nil || len(results) != 3 {
		t.Fatalf("%+v %v", results, err)
	}
	if !errors.Is(results[0].Err, spool.ErrNotSpool) || results[0].File != nil || filepath.Base(results[1].Path) != "goat-z-1.spool" || filepath.Base(results[2].Path) != "goat-a-1.spool" {
		t.Errorf("%+v", results)
	}
}

// Every bit of a file counts: what is changed either makes no difference or is said.
func TestAFlippedBitIsSaid(t *testing.T) {
	var counters [5]uint32
	var hook func(*uint32)
	dir := t.TempDir()
	t.Setenv("GOAT_SPOOL", dir)
	t.Setenv("GOAT_LANE", "gray")
	line := "id%d\tTRACK_ID_1\tchange\t%s\t1\t1\t1\t1\t\"a.go\"\t\"f\"\n"
	var end func()
	goatrt.Start([]goatrt.Entry{
		{Meta: "app=\"a\"\nplan=\"0123456789abcdef\"\nmode=\"c-shared\"\n"},
		{Pkg: "p", Acc: func() (*uint32, int, *func(*uint32)) { return &counters[0], len(counters), &hook },
			Meta: fmt.Sprintf(strings.Repeat(line, 5), 0, "exact", 1, "store", 2, "count", 3, "exact", 4, "exact")},
	}, func(f func()) { end = f })
	hook(&counters[0])
	goatrt.Reset()
	hook(&counters[0])
	hook(&counters[2])
	hook(&counters[2])
	goatrt.Ready()
	hook(&counters[0])
	counters[1] = 1
	end()
	data := onlyFile(t, dir)
	want, err := spool.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if p := want.Points[2]; p.Count != 2 || want.Identity.Lane != "gray" || want.Phase != "traffic" || want.Sealed.IsZero() || want.Reset.IsZero() {
		t.Fatalf("%+v", want)
	}
	silent := 0
	for bit := 0; bit < 8*len(data); bit++ {
		data[bit/8] ^= 1 << (bit % 8)
		got, err := spool.Decode(data)
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("bit %d of byte %d changes the answer in silence: %+v", bit%8, bit/8, got)
		}
		if err == nil {
			silent++
		}
		data[bit/8] ^= 1 << (bit % 8)
	}
	t.Logf("%d of %d bits mean nothing", silent, 8*len(data))
}

// A write that was cut in the middle is not believed.
func TestATornWriteIsSaid(t *testing.T) {
	data := onlyFile(t, filepath.Dir(write(t)))
	records := int(binary.LittleEndian.Uint64(data[72:]))
	whole := records + 48 // point 1, which is hit
	for k := 0; k < 3; k++ {
		slot := data[whole+16*k : whole+16*k+16]
		if slot[0] == 0 && slot[8] == 0 {
			continue
		}
		for n := 1; n < 16; n++ {
			torn := append([]byte{}, data...)
			for i := n; i < 16; i++ {
				torn[whole+16*k+i] = 0
			}
			// Bytes that are zero anyway: all of it was written, or nothing.
			if bytes.Equal(torn, data) || bytes.Equal(torn[whole+16*k:][:16], make([]byte, 16)) {
				continue
			}
			f, err := spool.Decode(torn)
			if !errors.Is(err, spool.ErrDamaged) || f.Points[1].Hit || f.Missing != 1 {
				t.Errorf("%d of 16 bytes: %+v, %v", n, f, err)
			}
		}
	}
}

func onlyFile(t *testing.T, dir string) []byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// formatOne is a file of format 1 with three points: one not hit, one hit in startup,
// one counted in traffic.
func formatOne() []byte {
	info := "app=\"a\"\nplan=\"0123456789abcdef\"\ninstance=\"i\"\n"
	table := "+ \"p\"\n" + strings.Repeat("id\tT\tchange\tcount\t1\t1\t1\t1\t\"a.go\"\t\"f\"\n", 3)
	records := (256 + len(info) + len(table) + 63) &^ 63
	data := make([]byte, records+3*32)
	le := binary.LittleEndian
	copy(data, "\x89GOATSP\n")
	copy(data[16:], "0123456789abcdef")
	le.PutUint32(data[8:], 1)
	le.PutUint32(data[12:], 256)
	le.PutUint32(data[32:], 3)
	le.PutUint32(data[36:], 32)
	for i, n := range []int{256, len(info), 256 + len(info), len(table), records, len(data), 1e15} {
		le.PutUint64(data[40+8*i:], uint64(n))
	}
	copy(data[256:], info+table)
	sum := fnv.New32a()
	sum.Write(data[8:100])
	sum.Write([]byte(info + table))
	le.PutUint32(data[100:], sum.Sum32())
	copy(data[136:], "\x03\x00a:1")
	for i, phase := range []byte{2, 3} {
		at := records + 32*(i+1)
		data[at], data[at+1] = 1, phase
		le.PutUint64(data[at+8:], uint64(1e15+i*1e9))
		le.PutUint64(data[at+16:], uint64(7*i))
	}
	return data
}

func TestFormatOneIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "goat-a-1.spool")
	if err := os.WriteFile(path, formatOne(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := spool.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	a, b := f.Points[1], f.Points[2]
	if f.Points[0].Hit || !a.Hit || a.Phase != "startup" || a.Firsts[1] != a.First || !a.Firsts[2].IsZero() ||
		b.Phase != "traffic" || b.Count != 7 || b.First.Sub(a.First) != time.Second || f.Phase != "" || f.Address != "a:1" {
		t.Errorf("%+v", f)
	}
}

// A file that is large and empty costs no memory.
func TestASparseFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "goat-a-1.spool")
	data := formatOne()
	binary.LittleEndian.PutUint64(data[64:], 800<<20)
	binary.LittleEndian.PutUint64(data[72:], 850<<20)
	binary.LittleEndian.PutUint64(data[80:], 900<<20)
	if err := errors.Join(os.WriteFile(path, data, 0o600), os.Truncate(path, 900<<20)); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := spool.Read(path); !errors.Is(err, spool.ErrDamaged) {
		t.Errorf("%v", err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes of memory", used)
	}
}

func FuzzDecode(f *testing.F) {
	good, err := os.ReadFile(write(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:300])
	f.Add([]byte("\x89GOATSP\n\x01\x00\x00\x00"))
	f.Add(formatOne())
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := spool.Decode(data)
		if file == nil && err == nil {
			t.Fatal("neither a file nor an error")
		}
		if err == nil && file.Missing != 0 {
			t.Fatalf("%d records missing without an error", file.Missing)
		}
	})
}
