// Package config turns flags, environment variables and goat.yaml into one value
// that every verb works with. A flag beats the environment, which beats the file.
package config

import (
	"os"
	"path/filepath"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
)

// Settings are the answers to every question that flags, environment and goat.yaml
// can settle, checked and with defaults filled in.
type Settings struct {
	// Dir is where goat works: -C or the current directory, absolute.
	Dir string
	// Base is what to compare with; "" is the default base.
	Base string
	// Release is what runs; "" is the working tree.
	Release string
	// Range is "merge-base" or "direct".
	Range string
	// Precision is 1, 2 or 3.
	Precision int
	// Granularity is "line", "patch", "scope" or "func".
	Granularity string
	// ConfigPath is the goat.yaml that was read, absolute; "" if there is none.
	ConfigPath string
	// Format is the output format that was asked for; "" means text.
	Format string
	// Exact asks for the exact form of every point.
	Exact bool
	// Server is "auto", "on" or "off": whether the program gets the HTTP server.
	Server string
	// Deps tracks the changed code of the modules that the release upgrades, too.
	Deps bool
	// Timings is the directory for logs of what a build takes: "" for none, [OwnTimings] for
	// the one in goat's cache.
	Timings string
	// Panics has the program record its panics.
	Panics bool
	// Pprof has the program serve profiles of itself.
	Pprof bool
	// Verbose says more, Quiet says nothing but errors.
	Verbose, Quiet bool
	// NoColor forbids colour also on a terminal.
	NoColor bool
	// File is goat.yaml; zero when absent.
	File File
}

// OwnTimings stands for the directory of logs in goat's cache.
const OwnTimings = "cache"

// Options are the settings as package goat takes them.
func (s *Settings) Options() goat.Options {
	file := &s.File
	return goat.Options{
		Dir: s.Dir, Base: s.Base, Release: s.Release,
		Range: goat.Range(s.Range), Precision: goat.Precision(s.Precision),
		Granularity: goat.Granularity(s.Granularity), Exact: s.Exact,
		Config: goat.Config{
			AppName: file.AppName, AppVersion: file.AppVersion, Ignores: file.Ignores,
			GoatPackagePath: file.GoatPackagePath, GoatPackageName: file.GoatPackageName,
			GoatPackageAlias: file.GoatPackageAlias, SkipNestedModules: file.SkipNestedModules,
			DataType: goat.DataType(file.DataType), Workspace: workspace(),
		},
	}
}

// WorkingTree reports whether the release is spelled as the working tree. A name that
// happens to mean HEAD counts only for the core, which can look it up.
func (s *Settings) WorkingTree() bool {
	return s.Release == "" || s.Release == "." || s.Release == "HEAD"
}

// workspace is GOWORK as the core takes it.
func workspace() string {
	if value := gocmd.Environ(os.Environ()).Setting("GOWORK"); value != "" {
		return value
	}
	return "auto"
}

// ModuleRoot is the directory of the go.mod that rules dir, or "" if none does.
func ModuleRoot(dir string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && !info.IsDir() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}
