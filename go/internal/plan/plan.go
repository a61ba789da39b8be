// Package plan reads the plan directory that the core writes (docs/plan-format.md).
//
// The helper opens it once per tool run, so every function reads as little as it
// can: one small document per package, found by the hash of its import path.
package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/store"
)

// Format is the only format number that this goat reads.
const Format = 1

// ErrFormat is wrapped by the error for a plan that another goat wrote.
var ErrFormat = errors.New("plan of another goat: rebuild with the same goat")

// ErrDamaged is wrapped by the error for a document that is not what goat wrote.
var ErrDamaged = errors.New("damaged: its hash is not that of its text")

// Goat names the goat that wrote a plan.
type Goat struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// Base is the stable side of the comparison.
type Base struct {
	Ref    string `json:"ref"`
	Commit string `json:"commit"`
	Chosen string `json:"chosen"`
	// PassedOver is a later tag, of a pre-release, that was not taken.
	PassedOver string `json:"passedOver"`
}

// Release is the side that is built.
type Release struct {
	Ref         string `json:"ref"`
	Commit      string `json:"commit"`
	Dirty       bool   `json:"dirty"`
	ContentHash string `json:"contentHash"`
}

// App is what the running binary calls itself.
type App struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Module is a covered module; Dir is relative to the repository's root.
type Module struct {
	Path string `json:"path"`
	Dir  string `json:"dir"`
}

// PackageRef is a planned package as the index lists it.
type PackageRef struct {
	ImportPath string `json:"importPath"`
	Dir        string `json:"dir"`
	Name       string `json:"name"`
	Doc        string `json:"doc"`
	Marker     string `json:"marker"`
	Symbol     string `json:"symbol"`
	Counters   int    `json:"counters"`
	// Files are the points of each file, by its name.
	Files map[string]int `json:"files"`
}

// Main is a directory that holds a program.
type Main struct {
	ImportPath string   `json:"importPath"`
	Dir        string   `json:"dir"`
	Files      []string `json:"files"`
	Imports    []string `json:"imports"`
	// Hidden says that go's patterns pass over the directory.
	Hidden bool `json:"hidden,omitempty"`
}

// TestDir is a directory that holds test files. Internal and External are the
// package names of the two kinds of test files, empty where there is none.
type TestDir struct {
	ImportPath string `json:"importPath"`
	Dir        string `json:"dir"`
	Internal   string `json:"internal"`
	External   string `json:"external"`
	// Hidden says that go's patterns pass over the directory.
	Hidden bool `json:"hidden,omitempty"`
}

// OfMain reports whether the tests are those of a program, whose own hook is then in
// the test binary.
func (t TestDir) OfMain() bool {
	return t.Internal == "main" || t.Internal == "" && t.External == "main_test"
}

// Index is index.json: what the plan is of, and where its parts are.
type Index struct {
	Format      int          `json:"format"`
	Goat        Goat         `json:"goat"`
	PlanHash    string       `json:"planHash"`
	Module      string       `json:"module"`
	Modules     []Module     `json:"modules"`
	Base        Base         `json:"base"`
	Release     Release      `json:"release"`
	Precision   int          `json:"precision"`
	Granularity string       `json:"granularity"`
	App         App          `json:"app"`
	Points      int          `json:"points"`
	Marked      bool         `json:"marked"`
	RuntimePath string       `json:"runtimePath"`
	Packages    []PackageRef `json:"packages"`
	// Plain are the packages that have changed lines and no points.
	Plain []string  `json:"plain"`
	Mains []Main    `json:"mains"`
	Tests []TestDir `json:"tests"`
}

// Edit inserts Text before the original byte offset At. The other texts, where
// present, replace it in some builds.
type Edit struct {
	At   int    `json:"at"`
	Text string `json:"text"`
	// Exact is for builds in which only exact points are right.
	Exact string `json:"exact,omitempty"`
	// Free is for builds in which the inliner counts nothing for it.
	Free string `json:"free,omitempty"`
	// FreeExact is for builds of both kinds.
	FreeExact string `json:"freeExact,omitempty"`
}

// In is the text for a build in which only exact points are right, or the inliner
// counts nothing for the free ones, or both.
func (e *Edit) In(exact, free bool) string {
	switch {
	case exact && free && e.FreeExact != "":
		return e.FreeExact
	case free && e.Free != "":
		return e.Free
	case exact && e.Exact != "":
		return e.Exact
	}
	return e.Text
}

// File is one instrumented file of a package.
type File struct {
	Name  string `json:"name"`
	Hash  string `json:"hash"`
	Edits []Edit `json:"edits"`
}

// Generated is a whole Go file that goat adds to a package.
type Generated struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Point is one point of a package, in counter order.
type Point struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Form      string `json:"form"`
	File      string `json:"file"`
	Func      string `json:"func"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	EndColumn int    `json:"endColumn"`
}

// Package is p/<H16>.json: everything the helper needs for one package.
type Package struct {
	Format     int       `json:"format"`
	ImportPath string    `json:"importPath"`
	Dir        string    `json:"dir"`
	Name       string    `json:"name"`
	Marker     string    `json:"marker"`
	Symbol     string    `json:"symbol"`
	Counters   int       `json:"counters"`
	Free       string    `json:"free"`
	Files      []File    `json:"files"`
	Added      Generated `json:"added"`
	Stub       Generated `json:"stub"`
	Points     []Point   `json:"points"`
}

// File returns the instrumented file with the base name name, nil if there is none.
func (p *Package) File(name string) *File {
	for i := range p.Files {
		if p.Files[i].Name == name {
			return &p.Files[i]
		}
	}
	return nil
}

// hashOf is the hex SHA-256 of an import path; documents are named by its prefixes.
func hashOf(importPath string) string {
	sum := sha256.Sum256([]byte(importPath))
	return hex.EncodeToString(sum[:])
}

// DocName is the path, inside the plan directory, of a package's document.
func DocName(importPath string) string { return "p/" + hashOf(importPath)[:16] + ".json" }

// ShardName is the path, inside the plan directory, of the file hashes of a package.
func ShardName(importPath string) string { return "s/" + hashOf(importPath)[:2] + ".json" }

// HashBytes is the form in which the plan holds the hash of a file.
func HashBytes(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// SameHash compares two hashes of files; the prefix "sha256:" may be left out.
func SameHash(a, b string) bool { return bareHash(a) == bareHash(b) }

func bareHash(h string) string {
	if len(h) > 7 && h[:7] == "sha256:" {
		return h[7:]
	}
	return h
}

// ReadIndex reads index.json of the plan directory dir.
func ReadIndex(dir string) (*Index, error) {
	var index Index
	if err := read(dir, "index.json", &index); err != nil {
		return nil, err
	}
	return &index, nil
}

// ReadPackage reads the document of the package. The error is os.ErrNotExist
// for a package without points.
func ReadPackage(dir, importPath string) (*Package, error) {
	var doc Package
	err := read(dir, DocName(importPath), &doc)
	return doc.of(importPath, err)
}

// ReadEdits is [ReadPackage] without the points, which only the table at link needs: they
// are most of a document.
func ReadEdits(dir, importPath string) (*Package, error) {
	var doc struct {
		Package
		Points passed `json:"points"`
	}
	err := read(dir, DocName(importPath), &doc)
	return doc.of(importPath, err)
}

// passed is what is not decoded.
type passed struct{}

// UnmarshalJSON keeps nothing.
func (passed) UnmarshalJSON([]byte) error { return nil }

// of is the document if it could be read and is that of the package.
func (p *Package) of(importPath string, err error) (*Package, error) {
	if err != nil {
		return nil, err
	}
	if p.ImportPath != importPath {
		return nil, fmt.Errorf("%s: document of %s, not of %s", DocName(importPath), p.ImportPath, importPath)
	}
	return p, nil
}

// ReadHashes returns base name to hash of the package's Go files at the time of
// the plan; nil if the plan does not cover the package.
func ReadHashes(dir, importPath string) (map[string]string, error) {
	packages, err := ReadShard(dir, filepath.Base(ShardName(importPath)))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return packages[importPath], err
}

// ReadShard returns the hashes of all packages in one file of the directory s.
func ReadShard(dir, name string) (map[string]map[string]string, error) {
	var shard struct {
		Packages map[string]map[string]string `json:"packages"`
	}
	err := read(dir, "s/"+name, &shard)
	return shard.Packages, err
}

// read decodes one document after comparing its format number and its hash.
func read(dir, name string, into any) error {
	data, err := store.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	if err := Check(data, true); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", name, printable.Mismatch(err))
	}
	return nil
}

// sumHead is what stands before the hash of a document.
const sumHead = `{"format":1,"sum":"`

// Check tells a document of another format, and one that is not what was written; the
// hash may be missing in what is no file of a plan directory.
func Check(document []byte, sealed bool) error {
	// What has its hash has the format that stands before it, and is read once.
	rest, ok := bytes.CutPrefix(document, []byte(sumHead))
	if sum, rest, found := bytes.Cut(rest, []byte(`",`)); ok && found && store.Sum(slices.Concat(opening, rest)) == string(sum) {
		return nil
	}
	var head struct {
		Format int    `json:"format"`
		Sum    string `json:"sum"`
	}
	if err := json.Unmarshal(document, &head); err != nil {
		return printable.Mismatch(err)
	}
	if head.Format != Format {
		return fmt.Errorf("format %d: %w", head.Format, ErrFormat)
	}
	if !sealed && head.Sum == "" {
		return nil
	}
	return ErrDamaged
}

// opening is how a document begins before it has its hash.
var opening = []byte(`{"format":1,`)

// Seal puts its hash into a document.
func Seal(document []byte) []byte {
	rest, ok := bytes.CutPrefix(document, opening)
	if !ok {
		return document
	}
	return slices.Concat([]byte(sumHead+store.Sum(document)+`",`), rest)
}

// Exists reports whether dir holds a plan.
func Exists(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "index.json"))
	return err == nil && info.Mode().IsRegular()
}
