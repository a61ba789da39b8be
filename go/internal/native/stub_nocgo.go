//go:build !cgo && !goat_nocore

package native

const missing = "CGO_ENABLED=0"
