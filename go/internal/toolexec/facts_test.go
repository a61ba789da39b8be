package toolexec

import (
	"fmt"
	"strings"
	"testing"
)

func TestReadFacts(t *testing.T) {
	t.Setenv("GOVERSION", "go1.26.8")
	mark := strings.Repeat("\xf9", 16)
	line := func(settings ...string) []byte {
		text := "path\texample.com/a\nmod\texample.com/a\t(devel)\t\n"
		for _, s := range settings {
			text += "build\t" + s + "\n"
		}
		return fmt.Appendf(nil, "# example.com/a\npackagefile fmt=/f.a\nmodinfo %q\n", mark+text+mark)
	}
	for _, c := range []struct {
		cfg  []byte
		want string
	}{
		{line("-tags=a,b", "-race=true", "CGO_ENABLED=1", "GOARCH=arm64", "GOOS=linux"), "goos linux goarch arm64 tags a,b,race cgo true goVersion go1.26.8"},
		{line("CGO_ENABLED=0", "GOARCH=amd64", "GOOS=windows"), "goos windows goarch amd64 tags  cgo false goVersion go1.26.8"},
		{line("GOARCH=amd64", "GOOS=windows"), ""},
		{[]byte("packagefile fmt=/f.a\n"), ""},
		{[]byte("modinfo \"short\"\n"), ""},
		{[]byte("modinfo unquoted\n"), ""},
		{fmt.Appendf(nil, "modinfo %q\n", mark+"no information\tat all"+mark), ""},
	} {
		facts := readFacts(c.cfg)
		if got := strings.Join(facts.pairs(), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.cfg, got, c.want)
		}
	}
}
