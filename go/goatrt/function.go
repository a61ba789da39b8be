//go:build go1.21

package goatrt

import (
	"strconv"
	"strings"
)

// Names of functions, for what is linked in on request only.

// SplitFunction cuts a function's name behind its package: the import path, its
// escapes undone, and what follows; without a package, all is what follows.
func SplitFunction(function string) (pkg, name string) {
	head := function
	if at := strings.IndexAny(head, "(["); at >= 0 {
		head = head[:at]
	}
	slash := strings.LastIndexByte(head, '/') + 1
	dot := strings.IndexByte(head[slash:], '.')
	if dot < 0 {
		return "", function
	}
	return unescape(function[:slash+dot]), function[slash+dot+1:]
}

// unescape takes %2e and its like out of a package's path.
func unescape(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if c, err := strconv.ParseUint(path[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// standards are the first elements of the standard library's paths.
const standards = " archive arena bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime simd slices sort strconv strings structs sync syscall testing text time type unicode unique unsafe uuid vendor weak "

// HasStandardName reports whether a package is called as one of the Go distribution.
func HasStandardName(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != "" && strings.Contains(standards, " "+first+" ")
}
