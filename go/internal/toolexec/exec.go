package toolexec

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// command is the command line that runs the real tool, through the user's own
// -toolexec where there is one.
func (h *helper) command(args []string) []string {
	return append(append(append([]string(nil), h.next...), h.tool), args...)
}

// pass runs the tool exactly as the go command asked.
func (h *helper) pass() (int, error) {
	return h.exec(h.raw)
}

// exec runs the tool with other arguments. The response file that a long list
// needs goes into the object directory, which the go command removes.
func (h *helper) exec(args []string) (int, error) {
	args, err := h.fit(args)
	if err != nil {
		return 0, err
	}
	if h.timings != "" {
		return h.child(h.command(args))
	}
	return h.replace(h.command(args))
}

func (h *helper) fit(args []string) ([]string, error) {
	out := get(args, "o")
	if out == "" {
		if out = get(args, "objdir"); out != "" {
			out = filepath.Join(out, "x")
		}
	}
	if out == "" {
		return args, nil
	}
	return shorten(h.tool, filepath.Dir(out), args)
}

// capture runs the tool as a child and returns its exit code (-1 if a signal
// ended it) and what it printed.
func (h *helper) capture(args []string) (int, []byte, error) {
	args, err := h.fit(args)
	if err != nil {
		return 0, nil, err
	}
	return h.captureLine(h.command(args), nil)
}

// captureLine runs a command line of the real tool; env nil means our own environment.
func (h *helper) captureLine(line, env []string) (int, []byte, error) {
	return h.captured(line, env, len(h.next)+1, false)
}

// captured runs a command line whose tool's arguments begin at a place; own says that it
// is for goat itself.
func (h *helper) captured(line, env []string, at int, own bool) (int, []byte, error) {
	var out bytes.Buffer
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &out, env
	defer tie(cmd)()
	err := h.measured(cmd, at, own)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), out.Bytes(), nil
	}
	return 0, out.Bytes(), err
}

// child runs a command line of the real tool as a child with our own input and output.
func (h *helper) child(line []string) (int, error) {
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	defer tie(cmd)()
	err := h.measured(cmd, len(h.next)+1, false)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}
