//go:build goat_nocore

package native

const missing = "-tags goat_nocore"
