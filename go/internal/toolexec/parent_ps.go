//go:build !windows

package toolexec

import (
	"os/exec"
	"strconv"
	"strings"
)

// systemStart asks ps, which every Unix has.
func systemStart(pid int) (string, bool) {
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	text := strings.TrimSpace(string(out))
	return text, err == nil && text != ""
}
