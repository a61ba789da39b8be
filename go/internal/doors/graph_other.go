//go:build !linux

package doors

import (
	"os"
	"path/filepath"
)

// graphFile is where go writes its action graph: among the temporary files, where its
// work directory is, too.
type graphFile struct{ path string }

func newGraphFile() (*graphFile, error) {
	dir, err := os.MkdirTemp("", "goat-graph")
	if err != nil {
		return nil, err
	}
	return &graphFile{path: filepath.Join(dir, "graph.json")}, nil
}

// read is what go has written last.
func (g *graphFile) read() []byte {
	if g == nil {
		return nil
	}
	text, err := os.ReadFile(g.path)
	if err != nil {
		return nil
	}
	return text
}

func (g *graphFile) close() { _ = os.RemoveAll(filepath.Dir(g.path)) }
