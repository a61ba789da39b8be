package toolexec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// parentKey names the process that started this one: the go command. Its number
// alone may be used again, so the time of its start is part of the key; where the
// system does not tell it, the current directory and the minute have to do.
func parentKey() string {
	pid := goCommand(os.Getppid())
	born, ok := startTime(pid)
	if !ok {
		dir, _ := os.Getwd()
		born = dir + time.Now().Format("0601021504")
	}
	sum := sha256.Sum256([]byte(born))
	return fmt.Sprintf("%d-%s", pid, hex.EncodeToString(sum[:8]))
}

// goCommand is the go command above a process: its parent, or further up where a
// wrapper of the user's stands between them.
func goCommand(parent int) int {
	pid := parent
	for range 8 {
		name, above := procName(pid)
		switch {
		case name == "go":
			return pid
		case above <= 1:
			return parent
		}
		pid = above
	}
	return parent
}

// procName reads the name and the parent of a process from /proc, where there is one.
func procName(pid int) (name string, parent int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	text := string(data)
	open, closed := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || closed < open {
		return "", 0
	}
	if fields := strings.Fields(text[closed+1:]); len(fields) > 1 {
		parent, _ = strconv.Atoi(fields[1])
	}
	return text[open+1 : closed], parent
}

// procStart reads the start time and the pid namespace from /proc.
func procStart(pid int) (string, bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	// The name, in parentheses, may hold anything.
	rest := string(data)[strings.LastIndexByte(string(data), ')')+1:]
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return "", false
	}
	space, _ := os.Readlink("/proc/self/ns/pid")
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return fields[19] + space + string(boot), true
}

// startTime is a text that differs for any two processes that have had the number.
func startTime(pid int) (string, bool) {
	switch runtime.GOOS {
	case "linux", "android", "netbsd":
		return procStart(pid)
	}
	return systemStart(pid)
}

// buildsPIE reports whether the go command above builds position-independent
// executables. Where its command line cannot be read, that is not known to be so.
func buildsPIE() bool {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", goCommand(os.Getppid())))
	return buildMode(append(strings.Fields(os.Getenv("GOFLAGS")), strings.Split(string(line), "\x00")...)) == "pie"
}

// buildMode is the last -buildmode among the words of a go command.
func buildMode(words []string) (mode string) {
	for i, word := range words {
		name, value, ok := strings.Cut(word, "=")
		switch {
		case name != "-buildmode" && name != "--buildmode":
		case ok:
			mode = value
		case i+1 < len(words):
			mode = words[i+1]
		}
	}
	return mode
}
