package diag

import (
	"context"
	"os"
	"strings"
	"testing"
)

// endless is a process that does not stop answering.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

// Of an answer no more is kept than may be, and no more is read.
func TestAnswersAreBounded(t *testing.T) {
	c := &Collector{dir: t.TempDir()}
	const most = 1 << 20
	var from endless
	if _, err := c.keep(context.Background(), &from, most); err == nil || err.Error() != "it goes on after 1 MiB" {
		t.Errorf("%v", err)
	}
	if from.read > 2*most {
		t.Errorf("%d bytes were read", from.read)
	}
	path, err := c.keep(context.Background(), strings.NewReader(strings.Repeat("x", most)), most)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != most {
		t.Errorf("%v, %v", info, err)
	}
}
