package doors

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// graphFile is where go writes its action graph: into memory. go fails where it cannot
// write the graph, and a full disk must not break a build that would have had room.
type graphFile struct {
	path string
	file *os.File
}

func newGraphFile() (*graphFile, error) {
	fd, err := unix.MemfdCreate("goat-graph", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	g := &graphFile{path: fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), file: os.NewFile(uintptr(fd), "goat-graph")}
	// Where /proc is not there, go could not open it either.
	if _, err := os.Stat(g.path); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
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

func (g *graphFile) close() { _ = g.file.Close() }
