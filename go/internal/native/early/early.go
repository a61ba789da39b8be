//go:build cgo && !goat_nocore && linux && (linux || darwin) && (amd64 || arm64)

// Package early runs the helper's short way before Go has started: for most of the
// tools that a build runs, goat toolexec is then no more than an exec. Only the goat
// command imports it, for it looks at the arguments of the process.
package early

import "C"

// It names the core's library to the linker.
import _ "github.com/goat-trace/goat/go/internal/native"
