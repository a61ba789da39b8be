package compat

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

// contractFormat is the number of the protocol (docs/contract-protocol.md).
const contractFormat = 1

// contractRequest is what goat-contract is asked.
type contractRequest struct {
	Format   int          `json:"format"`
	Op       string       `json:"op"`
	Path     string       `json:"path,omitempty"`
	Base     contractSide `json:"base"`
	Release  contractSide `json:"release"`
	Packages []string     `json:"packages,omitempty"`
}

type contractSide struct {
	Text string `json:"text,omitempty"`
	Dir  string `json:"dir,omitempty"`
}

// contractAnswer is what it answers.
type contractAnswer struct {
	Format   int       `json:"format"`
	Version  string    `json:"version"`
	Ops      []string  `json:"ops"`
	Findings []finding `json:"findings"`
	Advice   string    `json:"advice"`
	Error    *struct {
		Side    string `json:"side"`
		File    string `json:"file"`
		Line    int    `json:"line"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	} `json:"error"`
}

// longestAnswer bounds what goat-contract may print.
const longestAnswer = 64 << 20

var errNoContract = &goat.Error{
	Code: goat.CodeUsage, Message: "goat-contract is neither beside goat nor on PATH",
	Hint: "build it with Go 1.26 or newer: `make install` in goat's repository",
}

// contract finds the program: beside goat, then on PATH.
func (c *Check) contract() (string, error) {
	if c.Contract != "" {
		return c.Contract, nil
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
		return "", errNoContract
	}
	return found, nil
}

// ask has goat-contract compare something.
func (c *Check) ask(ctx context.Context, request *contractRequest) (*contractAnswer, error) {
	program, err := c.contract()
	if err != nil {
		return nil, err
	}
	request.Format = contractFormat
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
	var answer contractAnswer
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return nil, fmt.Errorf("%s does not answer as goat-contract does: %w", program, err)
	}
	if answer.Error != nil {
		return nil, answer.problem()
	}
	if answer.Format != contractFormat {
		return nil, &goat.Error{
			Code: goat.CodeUsage, Message: fmt.Sprintf("%s %s speaks format %d, not %d", program, answer.Version, answer.Format, contractFormat),
			Hint: "install goat and goat-contract of one version: make install",
		}
	}
	return &answer, nil
}

// problem is why goat-contract could not compare, with its place.
func (a *contractAnswer) problem() error {
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
