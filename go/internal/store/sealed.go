package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
)

// Sum is the hash by which files of the cache are known to be what was written: 16 hex
// digits.
func Sum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Seal puts the hash of a text before it, on a line of its own.
func Seal(text []byte) []byte { return append([]byte(Sum(text)+"\n"), text...) }

// ReadSealed returns what Seal was given, nil for a file that is not whole.
func ReadSealed(name string) []byte {
	data, err := os.ReadFile(name)
	sum, text, found := bytes.Cut(data, []byte("\n"))
	if err != nil || !found || string(sum) != Sum(text) {
		return nil
	}
	return text
}
