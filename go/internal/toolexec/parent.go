package toolexec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// parentKey names the process that started this one: the go command. Its number
// alone may be used again, so the time of its start is part of the key; where the
// system does not tell it, the current directory and the minute have to do.
func parentKey() string {
	pid := os.Getppid()
	born, ok := startTime(pid)
	if !ok {
		dir, _ := os.Getwd()
		born = dir + time.Now().Format("0601021504")
	}
	sum := sha256.Sum256([]byte(born))
	return fmt.Sprintf("%d-%s", pid, hex.EncodeToString(sum[:8]))
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
