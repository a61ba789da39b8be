package panics

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

//go:noinline
func gopanicStand(v any, typ string, goid uint64, ends bool) { tellStand(v, typ, goid, 0, ends) }

//go:noinline
func tellStand(v any, typ string, goid uint64, path uintptr, ends bool) {
	Hook(v, typ, goid, 1, 0, path, 0, 2, ends)
}

//go:noinline
func thrower(v any, typ string, goid uint64) { gopanicStand(v, typ, goid, false) }

func forget() {
	clear(slots[:])
	clear(said[:])
	clear(ways[:])
	lost.Store(0)
}

// The same key is made of crash texts (rust/diag); it must not change within a version.
func TestKeyIsThatOfCrashTexts(t *testing.T) {
	if got := keyOf("runtime.plainError", frame{"main.write", "/src/app/main.go", 15}); got != "p17d7dqvt785ae4" {
		t.Errorf("key %s", got)
	}
}

func TestAStormIsCountedAndAllocatesNothing(t *testing.T) {
	forget()
	const each, goroutines = 20000, 8
	thrower("x", "string", 1)
	if n := testing.AllocsPerRun(1000, func() { thrower("x", "string", 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	forget()
	var all sync.WaitGroup
	for g := uint64(1); g <= goroutines; g++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < each; i++ {
				thrower("x", "string", g)
			}
		}()
	}
	all.Wait()
	var n uint64
	for i := range slots {
		n += met(&slots[i])
	}
	if n+lost.Load() != each*goroutines || lost.Load() > 0 {
		t.Errorf("%d counted, %d lost, of %d", n, lost.Load(), each*goroutines)
	}
}

// met is how often a panic is on record.
func met(s *slot) uint64 {
	counts, _ := s.counted()
	return counts[0] + counts[1] + counts[2]
}

// A path is counted where it was learnt, also by many at once, and without the time for each.
func TestAPathIsCountedWhereItWasLearnt(t *testing.T) {
	forget()
	defer forget()
	var places [2]*slot
	for i := range places {
		pcs := []uintptr{here() + uintptr(i)}
		s, again := record("a", "string", 1, 0, 0, pcs)
		if _, repeated := record("a", "string", 1, 0, 0, pcs); again || !repeated {
			t.Fatal("a panic that was not met is known, or one that was is not")
		}
		places[i] = s
	}
	if Seen(0, 0) || Seen(7, 0) {
		t.Fatal("a path is known that nobody has learnt")
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for path := uintptr(1); path <= 2*most; path++ {
				s := places[path%2]
				learn(path<<12, uint32(g), s)
				if !Seen(path<<12, uint32(g)) {
					s.counts[goatrt.PhaseNumber()].Add(1)
				}
			}
		}()
	}
	all.Wait()
	for i, s := range places {
		if n := met(s); n != 2+8*most {
			t.Errorf("%d: %d counted of %d", i, n, 2+8*most)
		}
	}
}

func TestTheTimeIsReadOnceInATurn(t *testing.T) {
	forget()
	defer forget()
	s, _ := record("a", "string", 1, 0, 0, []uintptr{here()})
	learn(1<<12, 5, s)
	s.last.Store(1)
	ways[s.way.Load()-1].last.Store(2)
	if _, last := s.counted(); !Seen(1<<12, 5) || last != 2 {
		t.Errorf("last %d: read again in the same turn", last)
	}
	Seen(1<<12, 6)
	if _, last := s.counted(); last == 2 {
		t.Error("not read in the next turn")
	}
}

// What has no pointers the collector does not look through.
func TestTablesHaveNoPointers(t *testing.T) {
	for _, table := range []any{slot{}, way{}} {
		if at := pointerIn(reflect.TypeOf(table)); at != "" {
			t.Errorf("%T: %s", table, at)
		}
	}
}

func pointerIn(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Array:
		return pointerIn(t.Elem())
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			if at := pointerIn(t.Field(i).Type); at != "" {
				return t.Field(i).Name + "." + at
			}
		}
	case reflect.Bool, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
	default:
		return t.String()
	}
	return ""
}

// The last panic of a process is told a second time, from the same place.
func TestTheOneThatEndsTheProcessIsMarked(t *testing.T) {
	forget()
	thrower("y", "string", 1)
	for _, ends := range []bool{false, true} {
		gopanicStand("x", "string", 1, ends)
	}
	ended := map[string]string{}
	for _, p := range snapshot() {
		ended[p.message] += p.recovered(p.last)
		if p.count() != 1 {
			t.Errorf("%s: %d times", p.message, p.count())
		}
	}
	if ended["x"] != "no" || ended["y"] != "unknown" {
		t.Errorf("%v", ended)
	}
	forget()
}

func TestMoreThanThereIsRoomForIsLostAndNoMore(t *testing.T) {
	forget()
	for i := 0; i < 3*most; i++ {
		record("x", "string", 1, 0, 0, []uintptr{here() + uintptr(i)})
	}
	var kept uint64
	for i := range slots {
		kept += uint64(slots[i].ready.Load())
	}
	if kept > most || kept+lost.Load() != 3*most {
		t.Errorf("%d kept, %d lost", kept, lost.Load())
	}
	forget()
}

func TestAPanicOfOurOwnDoesNotComeBack(t *testing.T) {
	forget()
	at := enter(7)
	if at < 0 || enter(7) != -1 {
		t.Fatal("a goroutine comes in twice")
	}
	if other := enter(8); other < 0 || other == at {
		t.Error("another goroutine is kept out")
	} else {
		leave(other)
	}
	leave(at)
	if at = enter(7); at < 0 {
		t.Error("it does not come in again")
	}
	leave(at)
}

type stubborn struct{}

func (stubborn) Error() string { panic("never to be called") }

func TestNoCodeOfTheProgramsRuns(t *testing.T) {
	for _, c := range []struct {
		v         any
		typ, want string
	}{
		{"text", "string", "text"}, {errors.New("e"), "*errors.errorString", "e"}, {stubborn{}, "panics.stubborn", ""},
		{42, "int", "42"}, {strings.Repeat("x", 300), "string", strings.Repeat("x", longest)},
	} {
		if got := messageOf(c.v, c.typ); got != c.want {
			t.Errorf("%T: %q", c.v, got)
		}
	}
}

func TestPlaces(t *testing.T) {
	r := &rules{module: "example.com/app"}
	at := func(function, file string, line int) frame { return frame{function, file, line} }
	std := at("encoding/json.(*decodeState).object", "/usr/local/go/src/encoding/json/decode.go", 7)
	dep := at("github.com/x/y.F", "/m/github.com/x/y@v1.2.3/f.go", 3)
	own := at("example.com/app/svc.(*S).Do.func1", "/src/svc/a.go", 12)
	odd := at("runtime.mapassign_faststr", "/usr/local/go/src/internal/runtime/maps/runtime_faststr.go", 265)
	if got := r.place([]frame{odd, std, dep, own}); got != own {
		t.Error(got)
	}
	if got := r.place([]frame{std, dep}); got != dep {
		t.Error(got)
	}
	if got := r.place([]frame{odd, std}); got != std {
		t.Error(got)
	}
	if got := declaration("(*S).Do.func1"); got != "(*S).Do" {
		t.Error(got)
	}
}

func BenchmarkHookDepth20(b *testing.B) { deep(20, b) }

//go:noinline
func deep(n int, b *testing.B) int {
	if n > 0 {
		return deep(n-1, b) + 1
	}
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		thrower("x", "string", 1)
	}
	return 0
}
