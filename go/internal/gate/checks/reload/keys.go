package reload

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/flat"
)

// Keys bounds how much of the configuration a release may change at once.
type Keys struct {
	Files  []string `key:"files" help:"configuration files from the repository's root, with globs; .yaml, .yml, .json, .toml, .properties, .env"`
	Max    int      `key:"max" min:"0" help:"most keys that may differ between base and release (20)"`
	Base   string   `key:"base" help:"ref that is compared with; otherwise the base that goat plan takes"`
	Ignore []string `key:"ignore" help:"keys that do not count, with globs: image.tag, *.replicas"`
}

func (k *Keys) validate() error {
	for _, pattern := range k.Ignore {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("keys.ignore: %q is no glob", pattern)
		}
	}
	if len(k.Files) == 0 && (k.Base != "" || len(k.Ignore) > 0) {
		return errors.New("keys: files is missing")
	}
	return nil
}

// counted is what was found in all files.
type counted struct {
	kinds map[string]int
	names []string
}

// keys counts the keys that differ. It names them and never their values.
func (c *Check) keys(ctx context.Context, f *gate.Finding) {
	options := c.Compare
	options.Patterns = c.Keys.Files
	if c.Keys.Base != "" {
		options.Base = c.Keys.Base
	}
	both, err := goat.ReadFiles(ctx, options)
	if err != nil {
		f.Add(gate.Reason{Verdict: gate.Error, Message: "keys: " + err.Error(), Query: "goat plan"})
		return
	}
	if len(both.Files) == 0 {
		f.Misconfigured = fmt.Errorf("check.config.keys.files: no file matches %q", c.Keys.Files)
		return
	}
	all := counted{kinds: map[string]int{}}
	for i := range both.Files {
		c.count(&both.Files[i], &all, f)
	}
	if f.Misconfigured == nil {
		f.Add(c.judge(both, &all))
	}
}

// count adds the keys of one file.
func (c *Check) count(pair *goat.FilePair, all *counted, f *gate.Finding) {
	if !flat.Known(pair.Path) {
		f.Misconfigured = fmt.Errorf("check.config.keys.files: %s is none of %s", pair.Path, flat.Formats)
		return
	}
	place := &gate.Place{File: pair.Path}
	if pair.Problem != "" {
		f.Add(gate.Reason{Verdict: gate.Error, Message: "keys: " + pair.Path + ": " + pair.Problem, Place: place})
		return
	}
	after, err := read(pair.Path, pair.Release)
	if err != nil {
		f.Add(gate.Reason{Verdict: gate.Fail, Message: "keys: " + pair.Path + " does not parse: " + err.Error(), Place: place})
		return
	}
	before, err := read(pair.Path, pair.Base)
	if err != nil {
		f.Add(gate.Reason{Verdict: gate.Inconclusive, Message: "keys: " + pair.Path + " of the base does not parse: " + err.Error(), Place: place})
		return
	}
	for _, change := range flat.Diff(before, after) {
		if !c.Keys.ignores(change.Key) {
			all.kinds[change.Kind]++
			all.names = append(all.names, pair.Path+": "+change.Key)
		}
	}
}

func read(name string, text *string) (flat.Keys, error) {
	if text == nil {
		return nil, nil
	}
	return flat.Read(name, *text)
}

func (k *Keys) ignores(key string) bool {
	return slices.ContainsFunc(k.Ignore, func(pattern string) bool {
		matches, _ := path.Match(pattern, key)
		return matches
	})
}

func (c *Check) judge(both *goat.Files, all *counted) gate.Reason {
	r := gate.Reason{
		Verdict: gate.Pass, Value: len(all.names), Threshold: c.Keys.Max, Unit: "keys",
		Query:   both.Base.Ref + ".." + both.Release.Ref,
		Message: fmt.Sprintf("keys: %d changed, %d added, %d removed since %s", all.kinds["changed"], all.kinds["added"], all.kinds["removed"], both.Base.Ref),
	}
	if len(all.names) > c.Keys.Max {
		r.Verdict = gate.Fail
	}
	if len(all.names) > 0 {
		r.Message += ": " + listed(all.names)
	}
	return r
}
