package store

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	// lockPoll is how often a waiting goat looks.
	lockPoll = 20 * time.Millisecond
	// lockPatience is after how long it says what it waits for.
	lockPatience = time.Second
)

// Lock waits for the lock file, until ctx is done, and returns how to give it back. The
// file is for this user alone: whoever can open a file can hold it. After a second it
// says on out, once, who holds it; out may be nil.
func Lock(ctx context.Context, name string, out io.Writer) (unlock func(), err error) {
	said := time.Now().Add(lockPatience)
	for {
		unlock, err := tryLock(name)
		if err != nil || unlock != nil {
			return unlock, err
		}
		if out != nil && time.Now().After(said) {
			fmt.Fprintf(out, "goat: waiting for %s, which holds the lock %s\n", holder(name), name)
			out = nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// holder is who holds a lock, as far as the file tells.
func holder(name string) string {
	text, err := os.ReadFile(name)
	if pid := strings.TrimSpace(string(text)); err == nil && pid != "" && len(pid) < 12 && strings.Trim(pid, "0123456789") == "" {
		return "process " + pid
	}
	return "another goat"
}
