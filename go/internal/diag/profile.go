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
	"github.com/goat-trace/goat/go/goatrt/pprof"
)

// kinds are the profiles of a live process, by the path below /debug/pprof/.
var kinds = map[string]string{
	"cpu": "profile", "heap": "heap", "goroutine": "goroutine", "mutex": "mutex", "block": "block", "leak": "goroutineleak",
}

// ProfileKinds are the profiles that a live process may be asked for.
var ProfileKinds = []string{"cpu", "heap", "goroutine", "mutex", "block", "leak"}

// Wanted is the profile that a live process is asked for whose address names none.
type Wanted struct {
	Kind    string
	Seconds int
	// Given says that the seconds are more than a default: other profiles than that of CPU
	// time are measured for as long, too, where they can be.
	Given bool
}

// query is what the address asks for besides the kind.
func (w Wanted) query() string {
	switch w.Kind {
	case "cpu":
	case "heap", "mutex", "block":
		if !w.Given {
			return ""
		}
	default:
		return ""
	}
	return fmt.Sprintf("seconds=%d", w.Seconds)
}

// Profiles makes arguments sources, each list for itself. Live processes are asked at the
// same time, so that their profiles are of the same moment.
func (c *Collector) Profiles(ctx context.Context, wanted Wanted, stdin io.Reader, lists ...[]string) ([][]goat.DumpSource, error) {
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
				s, err := c.profile(ctx, name, wanted, stdin)
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

// Hashed adds to functions the names that they have in what a program tells whose
// GOAT_PPROF_KEY is this one.
func Hashed(functions []goat.ChangedFunction, key string) []goat.ChangedFunction {
	if key == "" {
		return functions
	}
	all := functions
	for _, f := range functions {
		names := pprof.NewNames(key, f.Package, []string{f.Package})
		hidden := f
		hidden.Package, hidden.Func = names.Package(f.Package), names.Declaration(f.Func)
		hidden.File = names.File(f.File, "main."+f.Func)
		all = append(all, hidden)
	}
	return all
}

func (c *Collector) profile(ctx context.Context, name string, wanted Wanted, stdin io.Reader) (goat.DumpSource, error) {
	if !IsLive(name) {
		return c.Source(ctx, name, stdin)
	}
	client, base, err := c.client(name)
	if err != nil {
		return goat.DumpSource{}, err
	}
	if !strings.Contains(base.Path, "/pprof/") && strings.Trim(base.Path, "/") == "" {
		base.Path, base.RawQuery = "/debug/pprof/"+kinds[wanted.Kind], wanted.query()
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
