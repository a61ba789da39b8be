package doors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go/internal/config"
)

// servers says which programs get the runtime with the HTTP server: with auto those
// that link net/http anyway. Go is asked only where no answer is cached for the same
// sources and flags.
func (d *door) servers(ctx context.Context) (map[string]bool, error) {
	servers := map[string]bool{}
	switch d.Settings.Server {
	case "off":
	case "on":
		for _, m := range d.index.Mains {
			servers[m.ImportPath] = true
		}
	default:
		var err error
		if servers, err = d.linkers(ctx); err != nil {
			return nil, err
		}
	}
	d.spoolOnly = len(servers) == 0
	return servers, nil
}

// linkers returns the programs that link net/http, from the cache or from go.
func (d *door) linkers(ctx context.Context) (map[string]bool, error) {
	key, err := d.graphKey()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(d.cache.dir, "links", key+".json")
	var known map[string]bool
	if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &known) == nil {
		touch(path)
		return known, nil
	}
	known, complete := d.askLinkers(ctx)
	if data, err := json.Marshal(known); err == nil && complete {
		// Without the cache the next build asks again.
		_ = writeAtomic(path, data)
	}
	return known, ctx.Err()
}

// askLinkers asks go. What go cannot answer gets no server; the build itself will
// say what is wrong.
func (d *door) askLinkers(ctx context.Context) (map[string]bool, bool) {
	const format = `{{.ImportPath}}{{range .Deps}}{{if eq . "net/http"}} net/http{{end}}{{end}}`
	args := append([]string{"list", "-e", "-f", format}, d.args.Module()...)
	if d.args.Overlay != "" {
		args = append(args, "-overlay="+d.args.Overlay)
	}
	for _, m := range d.index.Mains {
		args = append(args, m.ImportPath)
	}
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, false
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = d.args.Dir, d.userEnviron()
	out, err := cmd.Output()
	known := map[string]bool{}
	for _, line := range strings.Split(string(out), "\n") {
		if name, ok := strings.CutSuffix(line, " net/http"); ok {
			known[name] = true
		}
	}
	return known, err == nil
}

// graphKey hashes what decides the import graph: the covered modules' sources (the
// plan holds their hashes), the module files, the flags and the target.
func (d *door) graphKey() (string, error) {
	sum := sha256.New()
	shards, err := filepath.Glob(filepath.Join(d.dir, "s", "*.json"))
	if err != nil {
		return "", err
	}
	sort.Strings(shards)
	for _, shard := range shards {
		data, err := os.ReadFile(shard)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%d\n%s", len(data), data)
	}
	module := config.ModuleRoot(d.args.Dir)
	for _, name := range []string{"go.mod", "go.sum", "go.work", "../go.work", "vendor/modules.txt"} {
		data, _ := os.ReadFile(filepath.Join(module, name))
		fmt.Fprintf(sum, "%s %d\n%s", name, len(data), data)
	}
	fmt.Fprintln(sum, d.args.Dir, d.args.Module(), d.args.Overlay, d.goStamp())
	for _, name := range []string{"GOOS", "GOARCH", "CGO_ENABLED", "GOFLAGS", "GOEXPERIMENT", "GOWORK", "GOTOOLCHAIN"} {
		fmt.Fprintln(sum, name, d.userEnviron().Setting(name))
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// goStamp tells one go command from another.
func (d *door) goStamp() string {
	path, err := exec.LookPath("go")
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return path
	}
	return fmt.Sprint(path, info.Size(), info.ModTime().UnixNano())
}
