// Package reload asks whether a program reloads its configuration as it claims: it starts
// the program on a scratch copy of its file and plays what happens to such files.
package reload

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/gate/ask"
)

// Settings are those of one program.
type Settings struct {
	Title    string        `key:"name" help:"name of this check, where there are several"`
	Command  []string      `key:"command" words:"" help:"program with its arguments, as a list or as a line; $file, or the file's path, becomes that of the scratch copy"`
	File     string        `key:"file" help:"configuration file; the program gets a copy, and this one is only read"`
	Observe  Observe       `key:"observe" help:"where a reload shows"`
	Old      string        `key:"old" help:"text in the file that is changed; otherwise the value that is observed, where it stands in the file, else a comment is added"`
	New      string        `key:"new" help:"what it is changed to; $n is a number that counts up"`
	Invalid  string        `key:"invalid" help:"content that the program must refuse (otherwise one that is neither JSON, YAML nor TOML)"`
	Ready    string        `key:"ready" help:"REGEXP of the line with which the program says that it is up; otherwise the first answer of url"`
	Within   time.Duration `key:"within" above:"0" help:"how soon a reload must show (5s)"`
	Quiet    time.Duration `key:"quiet" above:"0" help:"how long is waited for a reload that must not come (1s)"`
	Snapshot Snapshot      `key:"snapshot" help:"is what a running program has in memory what is on disk?"`
	Keys     Keys          `key:"keys" help:"how much of the configuration does the release change?"`
	Events   []string      `key:"events" help:"only these of: write, truncate, rename, recreate, swap, double-swap, permission, invalid, identical, directory"`
}

// Observe says where a reload shows.
type Observe struct {
	URL  string `key:"url" help:"address that answers with a version, a hash or the configuration"`
	Path string `key:"path" help:"path of the value in its JSON; otherwise the whole body"`
	Log  string `key:"log" help:"REGEXP of the line that the program writes at each reload, instead of url"`
}

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() {
	s.Within, s.Quiet, s.Keys.Max = 5*time.Second, time.Second, 20
}

// Plays tells whether a program is put through the events.
func (s *Settings) Plays() bool { return len(s.Command) > 0 }

// Validate refuses what cannot be played or compared.
func (s *Settings) Validate() error {
	if s.Snapshot.URL != "" {
		if err := ask.CheckURL(s.Snapshot.URL); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
		if s.Snapshot.File == "" && s.File == "" {
			return errors.New("snapshot: file is missing: what is on disk")
		}
		if _, err := ask.ParsePath(s.Snapshot.Path); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
	}
	if s.Plays() {
		return s.validateEvents()
	}
	switch {
	case s.Snapshot.URL == "" && s.Snapshot != Snapshot{}:
		return errors.New("snapshot: url is missing: what tells the configuration in memory")
	case s.Snapshot.URL == "" && len(s.Keys.Files) == 0:
		return errors.New("command is missing: the program that reads the file (or set snapshot.url, or keys.files)")
	case s.Observe != Observe{} || len(s.Events) > 0:
		return errors.New("command is missing: observe and events are about a program that is started")
	}
	return s.Keys.validate()
}

func (s *Settings) validateEvents() error {
	switch {
	case s.File == "":
		return errors.New("file is missing: the configuration that the program reloads")
	case (s.Observe.URL == "") == (s.Observe.Log == ""):
		return errors.New("observe needs one of url and log")
	case s.Observe.URL != "" && ask.CheckURL(s.Observe.URL) != nil:
		return fmt.Errorf("observe: %w", ask.CheckURL(s.Observe.URL))
	case (s.Old == "") != (s.New == ""):
		return errors.New("old and new belong together")
	case s.Within <= 0:
		return errors.New("within must be a time")
	case !slices.ContainsFunc(s.Command[1:], s.mentions):
		return fmt.Errorf("the command does not name the file: put $file where %s stands", filepath.Base(s.File))
	}
	for _, pattern := range []string{s.Observe.Log, s.Ready} {
		if _, err := regexp.Compile(pattern); err != nil {
			return err
		}
	}
	for _, name := range s.Events {
		if !slices.Contains(eventNames(), name) {
			return fmt.Errorf("events: %q is none of %s", name, strings.Join(eventNames(), ", "))
		}
	}
	if _, err := ask.ParsePath(s.Observe.Path); err != nil {
		return err
	}
	return s.Keys.validate()
}

func (s *Settings) mentions(argument string) bool {
	return strings.Contains(argument, "$file") || strings.Contains(argument, s.File)
}

// arguments are those of the command, on the scratch copy.
func (s *Settings) arguments(scratch string) []string {
	args := make([]string, len(s.Command))
	for i, argument := range s.Command {
		switch {
		case i == 0:
		case strings.Contains(argument, "$file"):
			argument = strings.ReplaceAll(argument, "$file", scratch)
		default:
			argument = strings.ReplaceAll(argument, s.File, scratch)
		}
		args[i] = argument
	}
	return args
}
