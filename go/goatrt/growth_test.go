package goatrt_test

import (
	"os"
	"testing"
)

// TestGrowth holds the runtime to what it may add to a program.
func TestGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("builds four programs")
	}
	for _, c := range []struct {
		name, without, with string
		most                int64
	}{
		{"spool only", "bare", "", 300 << 10},
		{"server, where net/http is linked", "bare,client", "with_server,client", 1 << 20},
		{"profiles, where there is the server", "with_server,client", "with_server,with_pprof,client", 700 << 10},
	} {
		growth := size(t, build(t, c.with)) - size(t, build(t, c.without))
		t.Logf("%s: %d bytes", c.name, growth)
		if growth > c.most {
			t.Errorf("%s: the program grew by %d bytes, more than %d", c.name, growth, c.most)
		}
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
