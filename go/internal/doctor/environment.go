package doctor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// environment looks at the variables of which the build and the instrumented program
// take notice.
func (p *patient) environment() {
	env := p.Door.Environ
	var notes []string
	if env.Get("GOAT_OFF") == "1" {
		notes = append(notes, "GOAT_OFF=1: instrumented programs do nothing")
	}
	if env.Get("GOAT_STALE") == "skip" {
		notes = append(notes, "GOAT_STALE=skip: files that changed since the plan are built plain, without a word")
	}
	if _, bad := badDuration(env.Get("GOAT_STARTUP")); bad {
		notes = append(notes, "GOAT_STARTUP="+env.Get("GOAT_STARTUP")+" is no time, so it is 5s")
	}
	for _, note := range notes {
		name, _, _ := strings.Cut(note, "=")
		p.add("environment", Warn, note, "unset "+name)
	}
	if value := env.Get("GOAT_PPROF"); value != "" && value != "0" && value != "false" && env.Get("GOAT_TOKEN") == "" {
		p.add("environment", Warn, "GOAT_PPROF="+value+" without a GOAT_TOKEN: programs built with --pprof serve no profiles", "set GOAT_TOKEN, too")
	}
	p.spool()
	p.server()
}

func badDuration(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	return d, err != nil
}

// spool looks at the directory that instrumented programs write to. The runtime makes
// its last element.
func (p *patient) spool() {
	dir := p.Door.Environ.Get("GOAT_SPOOL")
	if dir == "" {
		p.add("spool", OK, "off (GOAT_SPOOL is not set)", "")
		return
	}
	made := false
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		if err := os.Mkdir(dir, 0o777); err != nil {
			p.add("spool", Fail, "GOAT_SPOOL cannot be made: "+err.Error(), "set GOAT_SPOOL to a directory that can be written")
			return
		}
		made = true
	}
	err := writable(dir)
	if made {
		_ = os.Remove(dir)
	}
	if err != nil {
		p.add("spool", Fail, "GOAT_SPOOL cannot be written: "+err.Error(), "set GOAT_SPOOL to a directory that can be written")
		return
	}
	if !filepath.IsAbs(dir) {
		// goat takes it from here, another start of the program from elsewhere.
		p.add("spool", OK, dir+" (relative: from where goat, or the program, is started)", "")
		return
	}
	p.add("spool", OK, dir, "")
}

// server looks whether the port is free that an instrumented program of this moment
// would take.
func (p *patient) server() {
	network, address, err := p.address()
	switch {
	case err != nil:
		p.add("server", Fail, err.Error(), "GOAT_ADDR is host:port, unix:/path or off")
		return
	case address == "off":
		p.add("server", OK, "off", "")
		return
	case network == "unix":
		p.socket(address)
		return
	}
	listener, err := net.Listen(network, address)
	if err == nil {
		_ = listener.Close()
		p.add("server", OK, address+" is free", "")
		return
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		p.add("server", Warn, address+" is taken: "+besides, "GOAT_PORT=0 takes a free one; `goat report http://"+address+"` asks who is there")
		return
	}
	p.add("server", Fail, "programs cannot listen: "+err.Error(), "set GOAT_ADDR=host:port to an address of this machine")
}

// besides is what becomes of a program whose address is taken.
const besides = "a program that starts now takes a place beside it if a goat program of yours has it, else goes on without its server"

// socket looks at the place of a Unix socket: the runtime replaces a stale socket and
// nothing else.
func (p *patient) socket(path string) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		p.add("server", OK, path, "")
	case err != nil:
		p.add("server", Fail, err.Error(), "set GOAT_ADDR=unix:/path to a place that can be written")
	case info.Mode()&os.ModeSocket == 0:
		p.add("server", Fail, path+" is there and no socket", "set GOAT_ADDR=unix:/path to another place")
	default:
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = conn.Close()
			p.add("server", Warn, path+" is taken: "+besides, "set GOAT_ADDR=unix:/path to another place")
			return
		}
		p.add("server", OK, path+" (a stale socket, which will be replaced)", "")
	}
}

// address is where the runtime listens (docs/runtime.md).
func (p *patient) address() (network, address string, err error) {
	env := p.Door.Environ
	addr := env.Get("GOAT_ADDR")
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return "unix", path, nil
	}
	if addr == "off" || env.Get("GOAT_OFF") == "1" {
		return "", "off", nil
	}
	if addr == "" {
		host, port := env.Get("GOAT_METRICS_IP"), env.Get("GOAT_PORT")
		if host == "" {
			host = "127.0.0.1"
		}
		if port == "" {
			port = "57005"
		}
		addr = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", "", fmt.Errorf("GOAT_ADDR: %w", err)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", "", fmt.Errorf("%q is no port", port)
	}
	return "tcp", addr, nil
}
