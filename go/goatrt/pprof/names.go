//go:build go1.21

package pprof

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// Names says how functions and files are called in what leaves the process.
type Names struct {
	key []byte
	// main is the import path of the program, whose functions are called main.F.
	main string
	// modules are the paths of the modules in the program.
	modules []string
	known   map[string]string
}

// NewNames hides what is not of the standard library behind hashes with key; without a key
// names stay as they are. The same key makes the same names in every process and build.
func NewNames(key, main string, modules []string) *Names {
	return &Names{key: []byte(key), main: main, modules: modules, known: map[string]string{}}
}

// Function is the name of a function.
func (n *Names) Function(name string) string {
	if len(n.key) == 0 || name == "" {
		return name
	}
	if known, ok := n.known[name]; ok {
		return known
	}
	hidden := n.hideFunction(name)
	n.known[name] = hidden
	return hidden
}

func (n *Names) hideFunction(name string) string {
	path, rest, whole := splitFunction(name)
	switch {
	case !whole:
		return n.hash(name)
	case n.isStandard(path):
		return name
	case path == "main":
		return path + "." + n.Declaration(rest)
	}
	return n.hash(path) + "." + n.Declaration(rest)
}

// Package is the import path of a package.
func (n *Names) Package(path string) string {
	if len(n.key) == 0 || n.isStandard(path) {
		return path
	}
	return n.hash(path)
}

// Declaration is a function as its package calls it: F, (*T).M, F.func1. Each word is a
// hash of its own, so that a closure still belongs to its function.
func (n *Names) Declaration(name string) string {
	if len(n.key) == 0 {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		end := strings.IndexAny(name, ".()*[]-")
		if end < 0 {
			end = len(name)
		}
		if word := name[:end]; isMade(word) {
			b.WriteString(word)
		} else {
			b.WriteString(n.hash(word))
		}
		if end == len(name) {
			break
		}
		if name[end] == '[' {
			b.WriteString("[...]")
			close := strings.LastIndexByte(name, ']')
			if close < end {
				break
			}
			name = name[close+1:]
			continue
		}
		b.WriteByte(name[end])
		name = name[end+1:]
	}
	return b.String()
}

// File is a source file: its package and its own name, wherever it lay when the program was
// built. function is one that is in it.
func (n *Names) File(file, function string) string {
	if file == "" {
		return ""
	}
	base := file[strings.LastIndexAny(file, `/\`)+1:]
	path, _, whole := splitFunction(function)
	if !whole {
		return n.base(base)
	}
	if path == "main" {
		if n.main == "" {
			return n.base(base)
		}
		path = n.main
	}
	if n.isStandard(path) {
		return path + "/" + base
	}
	return n.Package(path) + "/" + n.base(base)
}

func (n *Names) base(name string) string {
	if len(n.key) == 0 {
		return name
	}
	stem := strings.TrimSuffix(name, ".go")
	return n.hash(stem) + name[len(stem):]
}

// hash is a word that says nothing without the key.
func (n *Names) hash(text string) string {
	known, ok := n.known[text]
	if !ok {
		sum := hmac.New(sha256.New, n.key)
		_, _ = sum.Write([]byte(text))
		known = "h" + hex.EncodeToString(sum.Sum(nil)[:8])
		n.known[text] = known
	}
	return known
}

// isStandard tells packages of the Go distribution: everybody knows these.
func (n *Names) isStandard(path string) bool {
	for _, module := range n.modules {
		if path == module || strings.HasPrefix(path, module+"/") {
			return false
		}
	}
	return goatrt.HasStandardName(path)
}

// splitFunction takes a linker's name apart. What the compiler makes for types, and what C
// has, belongs to no package.
func splitFunction(name string) (path, rest string, ok bool) {
	path, rest = goatrt.SplitFunction(name)
	return path, rest, path != "" && !strings.ContainsAny(path, ": ()*")
}

// isMade tells a word that the compiler has put into a name, or that all programs have.
func isMade(word string) bool {
	switch word {
	case "", "init", "main", "glob", "fm":
		return true
	}
	stem := strings.TrimRight(word, "0123456789")
	switch stem {
	case "", "func", "deferwrap", "gowrap", "range":
		return stem != word || stem == ""
	}
	return false
}
