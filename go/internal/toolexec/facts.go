package toolexec

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// buildFacts is what decides which files a build takes.
type buildFacts struct {
	goos, goarch, tags, cgo, version string
}

// readFacts takes them from what go has the linker put into the program for `go version
// -m`, which is there in every build mode.
func readFacts(cfg []byte) buildFacts {
	f := buildFacts{version: os.Getenv("GOVERSION")}
	var tags []string
	if info := buildInfo(cfg); info != nil {
		for _, s := range info.Settings {
			switch s.Key {
			case "GOOS":
				f.goos = s.Value
			case "GOARCH":
				f.goarch = s.Value
			case "CGO_ENABLED":
				f.cgo = strconv.FormatBool(s.Value == "1")
			case "-tags":
				tags = append(tags, strings.Split(s.Value, ",")...)
			case "-race", "-msan", "-asan":
				tags = append(tags, s.Key[1:])
			}
		}
	}
	f.tags = strings.Join(tags, ",")
	return f
}

// buildInfo is the information in an importcfg; nil where go gives none.
func buildInfo(cfg []byte) *debug.BuildInfo {
	for _, line := range strings.Split(string(cfg), "\n") {
		quoted, ok := strings.CutPrefix(line, "modinfo ")
		if !ok {
			continue
		}
		const mark = 16 // bytes before and after the text by which a program is searched for it
		text, err := strconv.Unquote(quoted)
		if err != nil || len(text) < 2*mark {
			return nil
		}
		info, err := debug.ParseBuildInfo(text[mark : len(text)-mark])
		if err != nil {
			return nil
		}
		return info
	}
	return nil
}

// pairs are the facts in the program's identity; none where go does not say them all.
func (f *buildFacts) pairs() []string {
	if f.goos == "" || f.goarch == "" || f.cgo == "" {
		return nil
	}
	return []string{"goos", f.goos, "goarch", f.goarch, "tags", f.tags, "cgo", f.cgo, "goVersion", f.version}
}
