package diag

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
)

// TimingsSuffix ends the name of a log of a build.
const TimingsSuffix = ".timings"

// Timings makes arguments sources: a file is a build to show, a directory the history of
// builds. What else lies in a directory is passed over.
func Timings(names []string) ([]goat.HeatSource, error) {
	var sources []goat.HeatSource
	for _, name := range names {
		list, err := timingsOf(name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, list...)
	}
	return sources, nil
}

func timingsOf(name string) ([]goat.HeatSource, error) {
	unreadable := &goat.Error{Code: goat.CodeUnreadable, Message: "the timings cannot be read", Path: name}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, unreadable.Wrap(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		unreadable.Hint = "name a log, or a directory of logs: `goat build --timings=DIR` writes one"
		return nil, unreadable.Wrap(err)
	}
	if !info.IsDir() {
		return []goat.HeatSource{{Name: filepath.ToSlash(name), Path: path}}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, unreadable.Wrap(err)
	}
	var list []goat.HeatSource
	for _, entry := range entries {
		if entry.Type().IsRegular() && strings.HasSuffix(entry.Name(), TimingsSuffix) {
			list = append(list, goat.HeatSource{
				Name: filepath.ToSlash(filepath.Join(name, entry.Name())), Path: filepath.Join(path, entry.Name()), History: true,
			})
		}
	}
	if len(list) == 0 {
		return nil, &goat.Error{
			Code: goat.CodeNoTimings, Message: "no build was recorded in " + name, Path: name,
			Hint: "record one: `goat build --timings=" + name + "`",
		}
	}
	return list, nil
}
