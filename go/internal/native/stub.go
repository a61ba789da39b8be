//go:build !cgo || goat_nocore || !((linux || darwin) && (amd64 || arm64))

package native

// Run reports that there is no core.
func Run([]byte) ([]byte, Status, error) {
	return nil, StatusError, &Unavailable{Cause: missing}
}

// Version is empty: there is no core.
func Version() string { return "" }

// ABI is zero: there is no core.
func ABI() int { return 0 }

// Stamp is empty: there is no core.
func Stamp() string { return "" }
