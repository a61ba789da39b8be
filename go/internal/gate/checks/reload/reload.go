package reload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/ask"
)

// Check is the question about one program.
type Check struct {
	Settings
	// Dir is where the program runs, and what the file's path is relative to.
	Dir string
	// Compare are the repository and its two versions.
	Compare goat.FilesOptions
}

// Name is config, with the name that it was given.
func (c *Check) Name() gate.Name {
	if c.Title == "" {
		return gate.Name{Check: "config", Name: "config"}
	}
	return gate.Name{Check: "config", Name: c.Title}
}

// chosen are the events that are played.
func (c *Check) chosen() []event {
	if len(c.Events) == 0 {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), func(e event) bool { return !slices.Contains(c.Events, e.name) })
}

// Explain says what is run and played.
func (c *Check) Explain() []string {
	var lines []string
	if c.Plays() {
		lines = append(lines, c.running())
		for _, e := range c.chosen() {
			lines = append(lines, "the file is "+e.what)
		}
	}
	if c.Snapshot.URL != "" {
		lines = append(lines, "GET "+ask.Shown(c.Snapshot.URL)+" is what stands in the file")
	}
	if len(c.Keys.Files) > 0 {
		lines = append(lines, fmt.Sprintf("at most %d keys of %s differ between base and release", c.Keys.Max, strings.Join(c.Keys.Files, " ")))
	}
	return lines
}

// running is the command on the scratch copy.
func (c *Check) running() string {
	return "run " + strings.Join(c.arguments("SCRATCH/"+filepath.Base(c.File)), " ")
}

// Look plays the events, and compares what is to be compared.
func (c *Check) Look(ctx context.Context) gate.Finding {
	var f gate.Finding
	if c.Plays() {
		f = c.playAll(ctx)
	}
	if c.Snapshot.URL != "" && f.Misconfigured == nil {
		c.snapshot(ctx, &f)
	}
	if len(c.Keys.Files) > 0 && f.Misconfigured == nil {
		c.keys(ctx, &f)
	}
	return f
}

// stage is one look: the program, its file, and the finding that grows.
type stage struct {
	*Check
	gate.Finding
	ctx     context.Context
	scratch string
	base    []byte // the file's content
	n       int    // of the newest content
	first   string // what was observed of the file's own content
	file    *file
	program *program
	layouts int
}

// playAll plays the events.
func (c *Check) playAll(ctx context.Context) gate.Finding {
	s := &stage{Check: c, ctx: ctx}
	path := c.inDir(c.File)
	var err error
	if s.base, err = os.ReadFile(path); err != nil {
		return gate.Finding{Misconfigured: fmt.Errorf("check.config.file: %w", err)}
	}
	if s.scratch, err = os.MkdirTemp("", "goat-config-"); err != nil {
		return gate.CouldNotLook(path, err)
	}
	defer os.RemoveAll(s.scratch)
	defer func() {
		if s.program != nil {
			s.program.kill()
		}
	}()
	for _, e := range c.chosen() {
		if err := s.play(&e); err != nil {
			var no errNoStart
			if errors.As(err, &no) {
				return gate.Finding{Misconfigured: fmt.Errorf("check.config.command: %w", err)}
			}
			s.Add(gate.Reason{Verdict: gate.Error, Message: e.name + ": " + err.Error(), Query: c.running()})
			return s.Finding
		}
	}
	s.leave()
	return s.Finding
}

// leave ends the program as an orchestrator does.
func (s *stage) leave() {
	if s.program == nil {
		return
	}
	if s.program.stop() {
		s.Add(gate.Reason{Verdict: gate.Pass, Message: "the program ignored SIGTERM for 2 s and was killed"})
	}
	s.program = nil
}

// ready gives the event a program that runs on a good file of its layout.
func (s *stage) ready(mounted bool) error {
	isMounted := s.file != nil && s.file.count > 0
	if s.program != nil && s.program.lives() && isMounted == mounted {
		return nil
	}
	s.leave()
	s.layouts++
	s.n = 0
	var err error
	if s.file, err = layOut(filepath.Join(s.scratch, strconv.Itoa(s.layouts)), filepath.Base(s.File), s.base, mounted); err != nil {
		return err
	}
	if s.program, err = start(s.ctx, &s.Settings, s.Dir, s.file.path); err == nil {
		s.first, err = s.program.value(s.ctx)
	}
	return err
}

// play plays one event and judges what the program makes of it.
func (s *stage) play(e *event) error {
	if e.name == "permission" && os.Geteuid() == 0 {
		s.Add(gate.Reason{Verdict: gate.Pass, Message: "permission: not played: root reads what nobody may"})
		return nil
	}
	if err := s.ready(e.mounted); err != nil {
		return err
	}
	before, err := s.program.value(s.ctx)
	if err != nil {
		return fmt.Errorf("what is observed cannot be read: %w", err)
	}
	switch e.name {
	case "invalid":
		err = s.invalid(e, before)
	case "identical":
		err = s.identical(e, before)
	default:
		err = s.change(e, before)
	}
	if err != nil {
		return err
	}
	return s.ctx.Err()
}

// change plays an event after which the new content must hold.
func (s *stage) change(e *event, before string) error {
	content, wanted := s.next()
	if err := e.play(s.ctx, s.file, content); err != nil {
		return err
	}
	took, now := s.await(before, wanted)
	r := gate.Reason{Verdict: gate.Pass, Message: e.name + ": reloaded after the file was " + e.what, Value: milliseconds(took), Threshold: milliseconds(s.Within), Unit: "ms", Query: e.name}
	if now == before {
		r.Verdict, r.Message, r.Value = gate.Fail, fmt.Sprintf("%s: no reload within %s after the file was %s", e.name, s.Within, e.what), nil
		if !s.program.lives() {
			r.Message = e.name + ": the program ended when the file was " + e.what
		}
	}
	s.Add(r)
	if r.Verdict == gate.Fail {
		s.aftermath(e)
	}
	return nil
}

// aftermath tells whether the program notices anything at all afterwards, and gives the
// next event a new one.
func (s *stage) aftermath(e *event) {
	if before, err := s.program.value(s.ctx); err == nil {
		content, wanted := s.next()
		if e.mounted {
			err = s.file.data(content)
		} else {
			err = replace(s.ctx, s.file, content)
		}
		if _, now := s.await(before, wanted); err == nil && now == before {
			s.Add(gate.Reason{Verdict: gate.Fail, Message: e.name + ": the watcher is dead afterwards: a further change is not noticed either", Query: e.name})
		}
	}
	s.program.kill()
	s.program, s.file = nil, nil
}

// invalid plays content that must be refused: the old one holds, and a good one after it
// is taken.
func (s *stage) invalid(e *event, before string) error {
	bad := []byte(s.Invalid)
	if len(bad) == 0 {
		bad = []byte("{{{ : ] [ = \x00\t- \"\n\t\tnot a configuration: [\n")
	}
	if err := replace(s.ctx, s.file, bad); err != nil {
		return err
	}
	now := s.settle(before)
	r := gate.Reason{Verdict: gate.Pass, Message: "invalid: the old configuration is kept while the file is invalid", Value: now, Threshold: before, Query: e.name}
	if now != before {
		r.Verdict, r.Message = gate.Fail, "invalid: the old configuration is not kept while the file is invalid"
		if !s.program.lives() {
			r.Message = "invalid: the program ended when the file became invalid"
		}
	}
	s.Add(r)
	if r.Verdict == gate.Fail {
		s.program.kill()
		s.program, s.file = nil, nil
		return nil
	}
	return s.change(&event{name: "invalid", what: "valid again", play: replace}, before)
}

// identical plays a change that is none.
func (s *stage) identical(e *event, before string) error {
	same, err := os.ReadFile(s.file.path)
	if err != nil {
		return err
	}
	if err := replace(s.ctx, s.file, same); err != nil {
		return err
	}
	now := s.settle(before)
	r := gate.Reason{Verdict: gate.Pass, Message: "identical: no reload when the content stays the same", Value: now, Threshold: before, Query: e.name}
	if now != before {
		r.Verdict, r.Message = gate.Fail, "identical: a reload although the content is the same"
	}
	s.Add(r)
	return nil
}

// settle is the value after the quiet time, or the first other one.
func (s *stage) settle(before string) string {
	limit := time.Now().Add(s.Quiet)
	for {
		now, err := s.program.value(s.ctx)
		if err != nil {
			// What ends stops answering first.
			s.program.await(s.ctx, endTime)
			now = "nothing: " + err.Error()
		}
		if now != before || time.Now().After(limit) || s.ctx.Err() != nil {
			return now
		}
		pause(s.ctx, step)
	}
}

// await waits until the value is that of the new content; it gives how long that took,
// and the last value. Values of half-written files, that come in between, are no reload.
func (s *stage) await(before, wanted string) (time.Duration, string) {
	begin := time.Now()
	for {
		now, err := s.program.value(s.ctx)
		if err == nil && now != before && (wanted == "" || now == wanted) {
			return time.Since(begin), now
		}
		if time.Since(begin) > s.Within || s.ctx.Err() != nil || !s.program.lives() {
			return time.Since(begin), before
		}
		pause(s.ctx, step)
	}
}

// next is a content that the program has not seen, and that differs in what is observed.
func (s *stage) next() (content []byte, wanted string) {
	s.n++
	n := strconv.Itoa(s.n)
	if s.Old != "" {
		return bytes.ReplaceAll(s.base, []byte(s.Old), []byte(strings.ReplaceAll(s.New, "$n", n))), ""
	}
	if at := s.stands(); at != nil {
		wanted = s.first + "-" + n
		if number, err := strconv.Atoi(s.first); err == nil {
			wanted = strconv.Itoa(number + s.n)
		}
		return slices.Concat(s.base[:at[0]], []byte(wanted), s.base[at[1]:]), wanted
	}
	plain := bytes.TrimRight(s.base, "\n")
	if len(plain) > 0 && (plain[0] == '{' || plain[0] == '[') {
		return append(slices.Clone(plain), strings.Repeat("\n", s.n+1)...), "" // JSON has no comments
	}
	return append(slices.Clone(plain), "\n# goat "+n+"\n"...), ""
}

// stands is where the value that was observed first stands in the file, if it stands there
// once; nil where it does not.
func (s *stage) stands() []int {
	if s.Observe.URL == "" || s.first == "" {
		return nil
	}
	found := regexp.MustCompile(`(^|[^\w.-])(`+regexp.QuoteMeta(s.first)+`)($|[^\w.-])`).FindAllSubmatchIndex(s.base, 2)
	if len(found) != 1 {
		return nil
	}
	return found[0][4:6]
}

func milliseconds(d time.Duration) float64 { return float64(d.Milliseconds()) }
