//go:build cgo && !goat_nocore && (linux || darwin) && (amd64 || arm64)

package native

// Where the core's library is: scripts/core puts it there. In a released module it
// travels in a module of its own, and scripts/release writes this file anew.

// #cgo linux,amd64 LDFLAGS: -L${SRCDIR}/lib/linux_amd64
// #cgo linux,arm64 LDFLAGS: -L${SRCDIR}/lib/linux_arm64
// #cgo darwin,amd64 LDFLAGS: -L${SRCDIR}/lib/darwin_amd64
// #cgo darwin,arm64 LDFLAGS: -L${SRCDIR}/lib/darwin_arm64
// #cgo linux LDFLAGS: -lgoat -lutil -lrt -lpthread -lm -ldl
// #cgo darwin LDFLAGS: -lgoat -liconv -lSystem -lc -lm
import "C"
