package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/goat-trace/goat/go/internal/lab/pair"
)

// subject is a program, in two versions.
type subject struct {
	module, base, release string
	// program is the main package, relative to the module.
	program string
	// edit is a file of a linked package, to be edited between builds.
	edit string
	// without are parts that cost more than they tell here.
	without []string
	// slow is measured only where it is named, and built from nothing only once for each
	// variant, unmeasured.
	slow bool
}

// onlyInlining is for what is no program, or takes too long to build many times.
var onlyInlining = []string{"builds", "timings", "plan", "size"}

// smallest is the subject of the smoke test.
var smallest = subject{module: "github.com/BurntSushi/toml", base: "v1.4.0", release: "v1.5.0", program: "./cmd/tomlv", edit: "decode.go"}

// subjects are real programs. The second links no net/http; the others are there for
// their many points, or for being large.
var subjects = []subject{
	{module: "github.com/prometheus/pushgateway", base: "v1.9.0", release: "v1.11.1", program: ".", edit: "handler/push.go"},
	{module: "mvdan.cc/sh/v3", base: "v3.11.0", release: "v3.12.0", program: "./cmd/shfmt", edit: "syntax/walk.go"},
	{module: "github.com/caddyserver/caddy/v2", base: "v2.10.0", release: "v2.10.2", program: "./cmd/caddy", edit: "modules/caddyhttp/server.go", without: []string{"builds", "timings"}},
	{module: "go.etcd.io/etcd/server/v3", base: "v3.6.0", release: "v3.7.0", program: ".", edit: "etcdserver/server.go", without: []string{"timings"}, slow: true},
	{module: "github.com/gin-gonic/gin", base: "v1.3.0", release: "v1.10.0", without: onlyInlining},
}

// choose takes the subjects with these modules; all but the slow ones where none is named.
func choose(all []subject, names []string) ([]subject, error) {
	if len(names) == 0 {
		slow := func(s subject) bool { return s.slow }
		return slices.DeleteFunc(slices.Clone(all), slow), nil
	}
	var chosen []subject
	for _, name := range names {
		i := slices.IndexFunc(all, func(s subject) bool { return s.module == name })
		if i < 0 {
			return nil, fmt.Errorf("no subject %s", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// checkout is a subject as a repository with two commits.
type checkout struct {
	subject
	root   string
	path   string // module path
	points int
	edited []byte // the file to edit, as it was
}

func (b *bench) checkout(ctx context.Context, s subject) (*checkout, error) {
	c := &checkout{subject: s, root: filepath.Join(b.work, "src"), path: s.module}
	if err := pair.Make(ctx, c.root, s.module, s.base, s.release); err != nil {
		return nil, err
	}
	// What the builds need is fetched here, so that none of them waits for it.
	get := exec.CommandContext(ctx, "go", "mod", "download")
	get.Dir = c.root
	if out, err := get.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go mod download: %w: %s", err, out)
	}
	plan := exec.CommandContext(ctx, b.goat, "--base="+s.base, "plan", "--format=json")
	plan.Dir, plan.Env = c.root, append(os.Environ(), "GOAT_CACHE="+b.cache("plans"))
	plan.Stderr = os.Stderr
	text, err := plan.Output()
	if err != nil {
		return nil, fmt.Errorf("goat plan: %w", err)
	}
	var doc struct {
		Summary struct{ Points int }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	c.points = doc.Summary.Points
	if s.edit != "" {
		c.edited, err = os.ReadFile(c.editPath())
	}
	return c, err
}

func (c *checkout) editPath() string { return filepath.Join(c.root, filepath.FromSlash(c.edit)) }

// cache is a directory below the work directory that [clearCaches] empties.
func (b *bench) cache(name string) string { return filepath.Join(b.work, "cache", name) }

func clearCaches(work string) error { return os.RemoveAll(filepath.Join(work, "cache")) }
