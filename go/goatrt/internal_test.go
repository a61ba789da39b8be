package goatrt

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// testTable is a table of n points of a form, over counters of the test's own.
func testTable(counters []uint32, form string) []Entry {
	var hook func(*uint32)
	line := "id\tTRACK_ID_1\tchange\t" + form + "\t1\t1\t1\t1\t\"a.go\"\t\"f\"\n"
	return []Entry{
		{Meta: "app=\"app\"\nmode=\"c-shared\"\n"},
		{Pkg: "p", Acc: func() (*uint32, int, *func(*uint32)) { return &counters[0], len(counters), &hook }, Meta: strings.Repeat(line, len(counters))},
	}
}

// begin starts tracking counters and returns their component.
func begin(t *testing.T, counters []uint32, form string) *Component {
	t.Helper()
	t.Setenv("GOAT_SPOOL", t.TempDir())
	if !Start(testTable(counters, form), nil) {
		t.Fatal("Start tracks nothing")
	}
	components := current().components
	return components[len(components)-1]
}

func TestHitOfAStrangerIsNothing(t *testing.T) {
	counters := make([]uint32, 3)
	begin(t, counters, "exact")
	var other [1]uint32
	hit(&other[0])
	hit(nil)
}

func TestFirstHitWins(t *testing.T) {
	counters := make([]uint32, 500)
	c := begin(t, counters, "exact")
	seen := make([][8]uint64, len(counters))
	var group sync.WaitGroup
	for g := 0; g < 8; g++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range counters {
				hit(&counters[i])
				record := c.records[record(i, phaseNow())].Load()
				if record&spooledFlag == 0 {
					t.Errorf("point %d: the hook returned before the record was in the file", i)
				}
				seen[i][g] = record
			}
		}()
	}
	group.Wait()
	for i := range seen {
		for g := range seen[i] {
			if seen[i][g] != seen[i][0] {
				t.Fatalf("point %d: two first hits, %v", i, seen[i])
			}
		}
	}
}

func TestCountsSaturate(t *testing.T) {
	s := newStripes(1)
	for k := range s.rows {
		s.rows[k][0].Store(^uint32(0) - 1)
	}
	for i := 0; i < 5; i++ {
		s.add(0)
	}
	if sum := s.sum(0); sum < stripeCount*uint64(^uint32(0)-1)+1 || sum > stripeCount*uint64(^uint32(0)) {
		t.Errorf("sum %d", sum)
	}
	for k := range s.rows {
		if v := s.rows[k][0].Load(); v < ^uint32(0)-1 {
			t.Errorf("stripe %d wrapped to %d", k, v)
		}
	}
}

func TestNewComponentWithoutIdentity(t *testing.T) {
	for _, table := range [][]Entry{{{}}, {{Pkg: "p", Meta: "app=\"a\""}}} {
		if newComponent(table) != nil {
			t.Errorf("%v is taken for a table", table)
		}
	}
}

func TestSpoolName(t *testing.T) {
	for app, want := range map[string]string{
		"app": "app", "a.b_c-d+1": "a.b_c-d+1", "": "_811c9dc5",
	} {
		if got := fileApp(app); got != want {
			t.Errorf("fileApp(%q) = %q, want %q", app, got, want)
		}
	}
	for _, app := range []string{"../../etc", "a/b", "a b", "ä", strings.Repeat("x", 300), "a\x00b", "con:"} {
		name := spoolName(app, "0123456789abcdef")
		if strings.ContainsAny(name, "/\\: \x00") || len(name) > 128 || !isSpoolOf(name, app) {
			t.Errorf("%q gives %q", app, name)
		}
	}
	if fileApp("a/b") == fileApp("a_b") || fileApp("a/b") == fileApp("a b") {
		t.Error("two apps share their file names")
	}
	for name, want := range map[string]bool{
		"goat-app-0123456789abcdef.spool": true, "goat-app-sdk-0123456789abcdef.spool": false,
		"goat-app-0123456789ABCDEF.spool": false, "goat-app-.spool": false, "goat-app-0123456789abcdef.spool~": false,
	} {
		if isSpoolOf(name, "app") != want {
			t.Errorf("isSpoolOf(%q) is %v", name, !want)
		}
	}
}

func TestSortedSpans(t *testing.T) {
	var spans []span
	for i := 0; i < 1000; i++ {
		low := uintptr(i*7919%1000) * 100
		spans = append(spans, span{low: low, high: low + 40, first: int(low)})
	}
	r := &registry{spans: sortedSpans(spans)}
	for address := uintptr(0); address < 100000; address += 4 {
		found := r.find(address)
		if inside := address%100 < 40; len(found) == 1 != inside || inside && found[0].low != address/100*100 {
			t.Fatalf("find(%d) = %v", address, found)
		}
	}
}

func TestWallClock(t *testing.T) {
	before := time.Now().Add(-time.Second).UnixMicro()
	if now := wallMicros(); now < before || now > before+10e6 {
		t.Errorf("wallMicros %d, time.Now %d", now, before)
	}
}

func TestRandomHex(t *testing.T) {
	seen := map[string]bool{}
	for i := 0; i < 1000; i++ {
		text := randomHex()
		if len(text) != randomChars || seen[text] {
			t.Fatalf("%q again, or too short", text)
		}
		seen[text] = true
	}
}

func BenchmarkExactHit(b *testing.B) {
	_ = os.Setenv("GOAT_SPOOL", b.TempDir())
	defer os.Unsetenv("GOAT_SPOOL")
	counters := make([]uint32, b.N+1)
	Start(testTable(counters, "exact"), nil)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		hit(&counters[i])
	}
}

func BenchmarkCount(b *testing.B) {
	_ = os.Setenv("GOAT_SPOOL", b.TempDir())
	defer os.Unsetenv("GOAT_SPOOL")
	counters := make([]uint32, 1)
	Start(testTable(counters, "count"), nil)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			hit(&counters[0])
		}
	})
}
