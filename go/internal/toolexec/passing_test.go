package toolexec

import "testing"

func TestPassing(t *testing.T) {
	for out, want := range map[string]bool{
		"compile: writing output: write $WORK/b001/_pkg_.a: no space left on device\n":   true,
		"fatal error: runtime: out of memory\n":                                          true,
		"fork/exec /usr/local/go/pkg/tool/linux_amd64/compile: cannot allocate memory\n": true,
		"./a.go:3:2: undefined: goat_c_x\n":                                              false,
		"<unknown line number>: internal compiler error: unexpected\n":                   false,
		"": false,
	} {
		if got := passing([]byte(out)); got != want {
			t.Errorf("%q: %v", out, got)
		}
	}
}
