package diag

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/goat-trace/goat/go"
)

// kinds are the profiles of a live process, by the path below /debug/pprof/.
var kinds = map[string]string{
	"cpu": "profile", "heap": "heap", "goroutine": "goroutine", "mutex": "mutex", "block": "block", "leak": "goroutineleak",
}

// ProfileKinds are the profiles that a live process may be asked for.
var ProfileKinds = []string{"cpu", "heap", "goroutine", "mutex", "block", "leak"}

// Profiles makes arguments sources, each list for itself. Live processes are asked at the
// same time, so that their profiles are of the same moment; kind and seconds are for
// those whose address names no profile.
func (c *Collector) Profiles(ctx context.Context, kind string, seconds int, stdin io.Reader, lists ...[]string) ([][]goat.DumpSource, error) {
	if err := c.ready(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wait sync.WaitGroup
	all := make([][]goat.DumpSource, len(lists))
	var first error
	var once sync.Once
	for i, names := range lists {
		all[i] = make([]goat.DumpSource, len(names))
		for j, name := range names {
			wait.Add(1)
			go func() {
				defer wait.Done()
				s, err := c.profile(ctx, name, kind, seconds, stdin)
				if err != nil {
					once.Do(func() { first = err; cancel() })
				}
				all[i][j] = s
			}()
		}
	}
	wait.Wait()
	return all, first
}

func (c *Collector) profile(ctx context.Context, name, kind string, seconds int, stdin io.Reader) (goat.DumpSource, error) {
	if !IsLive(name) {
		return c.Source(ctx, name, stdin)
	}
	client, base, err := c.client(name)
	if err != nil {
		return goat.DumpSource{}, err
	}
	if !strings.Contains(base.Path, "/pprof/") && strings.Trim(base.Path, "/") == "" {
		base.Path = "/debug/pprof/" + kinds[kind]
		if kind == "cpu" {
			base.RawQuery = fmt.Sprintf("seconds=%d", seconds)
		}
	}
	// The process answers when its time is over.
	var asked int
	if _, err := fmt.Sscan(cmp.Or(base.Query().Get("seconds"), "0"), &asked); err == nil && asked > 0 {
		client.Timeout += time.Duration(asked) * time.Second
	}
	path, err := c.get(ctx, client, base, name)
	var known *goat.Error
	if errors.As(err, &known) && known.Code == goat.CodeCancelled {
		return goat.DumpSource{}, known
	}
	return goat.DumpSource{Name: name, Path: path}, err
}
