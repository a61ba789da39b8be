//go:build cgo && !goat_nocore && !((linux || darwin) && (amd64 || arm64))

package native

import "runtime"

const missing = "there is none for " + runtime.GOOS + "/" + runtime.GOARCH
