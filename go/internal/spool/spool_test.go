package spool_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		"half a table":                {good[:400], spool.ErrTruncated},
		"no records":                  {good[:records], spool.ErrTruncated},
		"half a record":               {good[:records+70], spool.ErrTruncated},
		"other record size":           {change(36, 64), spool.ErrDamaged},
		"impossible offset":           {change(40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), spool.ErrDamaged},
		"overlapping parts":           {change(72, 0), spool.ErrDamaged},
		"too many points":             {change(32, 0xff, 0xff, 0xff, 0xff), spool.ErrDamaged},
		"other points in the table":   {change(32, 2), spool.ErrDamaged},
		"a bit of the table":          {change(400, good[400]^1), spool.ErrDamaged},
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
	f, err := spool.Decode(data[:records+64])
	if !errors.Is(err, spool.ErrTruncated) || f == nil || !f.Points[1].Hit || f.Missing != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	// Whatever is cut off, the answer is an error and not a wrong file.
	for n := 0; n < len(data)-1; n++ {
		if f, err := spool.Decode(data[:n]); err == nil && f.Missing == 0 && n < records+96 {
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

func FuzzDecode(f *testing.F) {
	good, err := os.ReadFile(write(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:300])
	f.Add([]byte("\x89GOATSP\n\x01\x00\x00\x00"))
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
