package config

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
)

// Flags are goat's own flags as they were typed, by name without dashes; a flag that
// was not given has no entry.
type Flags map[string]string

// Names of goat's own flags.
const (
	FlagBase        = "base"
	FlagRelease     = "release"
	FlagRange       = "range"
	FlagPrecision   = "precision"
	FlagGranularity = "granularity"
	FlagConfig      = "config"
	FlagFormat      = "format"
	FlagExact       = "exact"
	FlagServer      = "server"
	FlagDeps        = "deps"
	FlagTimings     = "timings"
	FlagPanics      = "panics"
	FlagPprof       = "pprof"
	FlagVerbose     = "verbose"
	FlagQuiet       = "quiet"
	FlagNoColor     = "no-color"
)

// EnvName is the environment variable of a flag: GOAT_NO_COLOR for no-color.
func EnvName(flag string) string {
	return "GOAT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// value is one setting as given, with the name of what gave it.
type value struct{ text, what string }

// resolver looks settings up in flags, then in the environment.
type resolver struct {
	flags  Flags
	getenv func(string) string
}

// given returns a setting's value, or nil if neither a flag nor a variable sets it.
func (r *resolver) given(flag string) *value {
	if text, ok := r.flags[flag]; ok {
		return &value{text, "--" + flag}
	}
	name := EnvName(flag)
	if text := r.getenv(name); text != "" {
		return &value{text, name}
	}
	return nil
}

func (r *resolver) text(flag, fallback string) string {
	if v := r.given(flag); v != nil {
		return v.text
	}
	return fallback
}

func (r *resolver) word(flag, fallback string, legal []string) (string, error) {
	v := r.given(flag)
	if v == nil {
		return fallback, nil
	}
	return v.text, OneOf(goat.CodeUsage, v.what, v.text, legal)
}

func (r *resolver) boolean(flag string, fallback bool) (bool, error) {
	v := r.given(flag)
	if v == nil {
		return fallback, nil
	}
	return ParseBool(v.what, v.text)
}

// Resolve reads goat.yaml and settles every setting for the directory dir (relative
// ones are taken from the current directory; "" is the current directory).
func Resolve(dir string, flags Flags, getenv func(string) string) (*Settings, error) {
	absolute, err := WorkDir(dir)
	if err != nil {
		return nil, err
	}
	r := &resolver{flags, getenv}
	s := &Settings{Dir: absolute, Format: r.text(FlagFormat, "")}
	if err := s.load(r); err != nil {
		return nil, err
	}
	s.Base = r.text(FlagBase, s.File.base())
	s.Release = r.text(FlagRelease, s.File.NewBranch)
	s.Timings = r.text(FlagTimings, "")
	for _, step := range []func(*resolver) error{s.words, s.precision, s.switches} {
		if err := step(r); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// WorkDir is dir as an absolute path; it must be a directory.
func WorkDir(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	e := &goat.Error{
		Code: goat.CodeUsage, Message: "-C " + dir + " is not a directory", Path: absolute,
		Hint: "give -C a directory of a Go module",
	}
	if err != nil {
		return "", e.Wrap(err)
	}
	if dir == "" {
		return absolute, nil
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return "", e.Wrap(err)
	}
	if !info.IsDir() {
		return "", e
	}
	return absolute, nil
}

// load reads goat.yaml from where it was named, else from where it is found.
func (s *Settings) load(r *resolver) error {
	path := ""
	if named := r.given(FlagConfig); named == nil {
		path = Find(s.Dir)
	} else if path = named.text; !filepath.IsAbs(path) {
		path = filepath.Join(s.Dir, path)
	}
	if path == "" {
		return nil
	}
	file, err := Load(path)
	if err != nil {
		return err
	}
	s.ConfigPath, s.File = path, *file
	return nil
}

func (s *Settings) words(r *resolver) (err error) {
	if s.Range, err = r.word(FlagRange, "merge-base", Ranges); err != nil {
		return err
	}
	if s.Server, err = r.word(FlagServer, "auto", Servers); err != nil {
		return err
	}
	granularity := s.File.Granularity
	if granularity == "" {
		granularity = "patch"
	}
	s.Granularity, err = r.word(FlagGranularity, granularity, Granularities)
	return err
}

func (s *Settings) precision(r *resolver) (err error) {
	if s.Precision = s.File.DiffPrecision; s.Precision == 0 {
		s.Precision = int(goat.PrecisionRenames)
	}
	if v := r.given(FlagPrecision); v != nil {
		s.Precision, err = parsePrecision(v.what, v.text)
	}
	return err
}

func (s *Settings) switches(r *resolver) (err error) {
	for _, w := range []struct {
		flag     string
		target   *bool
		fallback bool
	}{
		{FlagExact, &s.Exact, false},
		{FlagDeps, &s.Deps, false},
		{FlagPanics, &s.Panics, false},
		{FlagPprof, &s.Pprof, false},
		{FlagVerbose, &s.Verbose, s.File.Verbose},
		{FlagQuiet, &s.Quiet, false},
		{FlagNoColor, &s.NoColor, r.getenv("NO_COLOR") != ""},
	} {
		if *w.target, err = r.boolean(w.flag, w.fallback); err != nil {
			return err
		}
	}
	return nil
}
