// Package contract asks the program goat-contract, which knows interfaces that goat itself
// does not: two versions of one go in, what differs comes out (docs/contract-protocol.md).
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/child"
)

// format is the number of the protocol.
const format = 1

// Request is what goat-contract is asked.
type Request struct {
	Format   int      `json:"format"`
	Op       string   `json:"op"`
	Path     string   `json:"path,omitempty"`
	Base     Side     `json:"base"`
	Release  Side     `json:"release"`
	Packages []string `json:"packages,omitempty"`
}

// Side is one of the two versions: a text, a directory, or texts by their paths.
type Side struct {
	Text  string            `json:"text,omitempty"`
	Dir   string            `json:"dir,omitempty"`
	Files map[string]string `json:"files,omitempty"`
}

// Answer is what it answers.
type Answer struct {
	Format   int       `json:"format"`
	Version  string    `json:"version"`
	Ops      []string  `json:"ops"`
	Findings []Finding `json:"findings"`
	Advice   string    `json:"advice"`
	// Counts say how much was looked at, where that is told.
	Counts Counts `json:"counts"`
	Error  *struct {
		Side    string `json:"side"`
		File    string `json:"file"`
		Line    int    `json:"line"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	} `json:"error"`
}

// Counts are how much of the metrics in sources was seen.
type Counts struct {
	Metrics int `json:"metrics"`
	Uses    int `json:"uses"`
	Open    int `json:"open"`
	Broken  int `json:"broken"`
}

// longestAnswer bounds what goat-contract may print.
const longestAnswer = 64 << 20

var errNone = &goat.Error{
	Code: goat.CodeUsage, Message: "goat-contract is neither beside goat nor on PATH",
	Hint: "build it with Go 1.26 or newer: `make install` in goat's repository",
}

// find finds the program: beside goat, then on PATH.
func find(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	name := "goat-contract"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", errNone
	}
	return found, nil
}

// Ask has goat-contract compare something; program is empty for the one beside goat or on
// PATH.
func Ask(ctx context.Context, program string, request *Request) (*Answer, error) {
	program, err := find(program)
	if err != nil {
		return nil, err
	}
	request.Format = format
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	cmd := child.Command(ctx, program)
	out, complaint := &bytes.Buffer{}, child.NewLimited(4<<10)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &bounded{out, longestAnswer}, complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("goat-contract: %w", ctx.Err())
		}
		return nil, fmt.Errorf("%s: %s", program, child.Said(complaint.String(), err))
	}
	var answer Answer
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return nil, fmt.Errorf("%s does not answer as goat-contract does: %w", program, err)
	}
	if answer.Error != nil {
		return nil, answer.problem()
	}
	if answer.Format != format {
		return nil, &goat.Error{
			Code: goat.CodeUsage, Message: fmt.Sprintf("%s %s speaks format %d, not %d", program, answer.Version, answer.Format, format),
			Hint: "install goat and goat-contract of one version: make install",
		}
	}
	return &answer, nil
}

// problem is why goat-contract could not compare, with its place.
func (a *Answer) problem() error {
	e := a.Error
	message := e.Message
	if e.File != "" {
		place := e.File
		if e.Line > 0 {
			place += fmt.Sprintf(":%d", e.Line)
		}
		message = place + ": " + message
	}
	if e.Side != "" {
		message += " (in the " + e.Side + ")"
	}
	return &goat.Error{Code: goat.CodeUnreadable, Message: message, Hint: e.Hint}
}

var errTooLarge = errors.New("the answer is too large")

// bounded refuses what is too much rather than cutting it.
type bounded struct {
	to   *bytes.Buffer
	left int
}

func (b *bounded) Write(data []byte) (int, error) {
	if b.left -= len(data); b.left < 0 {
		return 0, errTooLarge
	}
	return b.to.Write(data)
}

// Sides names the two versions, for the query of a reason.
func Sides(files *goat.Files) string {
	release := short(files.Release.Commit)
	if files.Release.WorkTree {
		release = "working tree at " + release
	}
	return fmt.Sprintf("%s (%s) against %s", files.Base.Ref, short(files.Base.Commit), release)
}

func short(commit string) string { return commit[:min(12, len(commit))] }
