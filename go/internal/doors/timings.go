package doors

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

// timings is the log of this build (docs/heat.md). Whatever goes wrong with it, the build
// goes on.
type timings struct {
	file, run string
	graph     *graphFile
	started   time.Time
}

// timingsHeader says what the log is of.
type timingsHeader struct {
	Kind    string   `json:"t"`
	Goat    string   `json:"goat"`
	Format  int      `json:"format"`
	Run     string   `json:"run"`
	Start   int64    `json:"start"`
	Verb    string   `json:"verb"`
	Targets []string `json:"targets"`
	Flags   []string `json:"flags"`
	Module  string   `json:"module"`
	Commit  string   `json:"commit"`
	Dirty   bool     `json:"dirty"`
	Points  int      `json:"points"`
	GOOS    string   `json:"os"`
	GOARCH  string   `json:"arch"`
	// Workers is how many tools go runs at once, Runner the kind of machine.
	Workers int    `json:"workers"`
	Runner  string `json:"runner"`
}

// timingsEnd closes a log: what the kernel says that go and all of its children took.
type timingsEnd struct {
	Kind     string    `json:"t"`
	Run      string    `json:"run"`
	Exit     int       `json:"exit"`
	Wall     int64     `json:"wall"`
	User     int64     `json:"user"`
	Sys      int64     `json:"sys"`
	MaxRSS   int64     `json:"rss"`
	Children *[2]int64 `json:"children"`
}

// timingsGraph is go's action graph.
type timingsGraph struct {
	Kind    string        `json:"t"`
	Run     string        `json:"run"`
	Actions []graphAction `json:"actions"`
}

// graphAction is what is kept of an action: no command lines.
type graphAction struct {
	ID        int
	Mode      string
	Package   string        `json:",omitempty"`
	Deps      []int         `json:",omitempty"`
	Priority  int           `json:",omitempty"`
	Failed    bool          `json:",omitempty"`
	TimeReady string        `json:",omitempty"`
	TimeStart string        `json:",omitempty"`
	TimeDone  string        `json:",omitempty"`
	CmdReal   time.Duration `json:",omitempty"`
	CmdUser   time.Duration `json:",omitempty"`
	CmdSys    time.Duration `json:",omitempty"`
}

// openTimings begins the log, where one is asked for.
func (d *door) openTimings() {
	dir, err := d.timingsDir()
	if err == nil && dir != "" {
		err = os.MkdirAll(dir, 0o777)
	}
	if err != nil {
		d.say("no timings: %v; the build goes on", err)
	}
	if err != nil || dir == "" {
		return
	}
	var unique [4]byte
	_, _ = rand.Read(unique[:])
	t := &timings{started: time.Now()}
	t.run = fmt.Sprintf("%s-%d-%s", t.started.UTC().Format("20060102T150405Z"), os.Getpid(), hex.EncodeToString(unique[:]))
	t.file = filepath.Join(dir, t.run+toolexec.TimingsSuffix)
	if err := t.append(d.timingsHeader(t)); err != nil {
		_ = os.Remove(t.file) // what holds no whole header is no log
		d.say("no timings: %v; the build goes on", err)
		return
	}
	d.timings = t
}

// timingsDir is where logs are kept; "" where none is asked for.
func (d *door) timingsDir() (string, error) {
	dir := d.Settings.Timings
	switch {
	case dir == "":
		return "", nil
	case dir == config.OwnTimings:
		c, err := openCache(d.Environ)
		return filepath.Join(c.dir, "timings"), err
	case filepath.IsAbs(dir):
		return dir, nil
	}
	return filepath.Join(d.Settings.Dir, dir), nil
}

func (d *door) timingsHeader(t *timings) timingsHeader {
	h := timingsHeader{
		Kind: "build", Goat: "timings", Format: 1, Run: t.run, Start: t.started.UnixNano(), Verb: d.Verb,
		Targets: []string{}, Flags: []string{}, Workers: runtime.NumCPU(), Runner: d.runner(),
	}
	h.GOOS, h.GOARCH = d.userEnviron().Target()
	if d.index != nil {
		h.Module, h.Commit, h.Dirty, h.Points = d.index.Module, d.index.Release.Commit, d.index.Release.Dirty, d.index.Points
	}
	if d.args == nil {
		return h
	}
	h.Targets = append(h.Targets, d.args.Packages...)
	if len(h.Targets) == 0 {
		h.Targets = append(h.Targets, ".")
	}
	h.Flags = append(h.Flags, costly(d.args)...)
	if n, err := strconv.Atoi(d.args.Value("p")); err == nil && n > 0 {
		h.Workers = n
	}
	return h
}

// costly are the flags that make a build cost something else.
func costly(args *gocmd.Args) []string {
	var flags []string
	for _, name := range []string{"a", "race", "msan", "asan", "cover", "coverpkg", "coverprofile", "covermode", "trimpath", "tags", "buildmode", "ldflags", "pgo", "p"} {
		if value := args.Value(name); args.Has(name) && value != "false" {
			switch name {
			case "coverprofile":
				name, value = "cover", ""
			case "ldflags":
				// What -X puts in may be a secret, or of this very commit.
				value = ""
			}
			flags = append(flags, "-"+strings.TrimSuffix(name+"="+value, "="))
		}
	}
	for _, value := range args.Gcflags {
		flags = append(flags, "-gcflags="+value)
	}
	slices.Sort(flags)
	return slices.Compact(flags)
}

// runner is the kind of this machine: builds of one kind are compared with each other.
func (d *door) runner() string {
	if name := d.Environ.Get("GOAT_RUNNER"); name != "" {
		return name
	}
	return fmt.Sprintf("%s/%s %d cpus", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// append adds a line, all at once.
func (t *timings) append(line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(t.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(append(append([]byte("\n"), text...), '\n'))
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// timed runs go with its log.
func (d *door) timed(run func(args []string, used *gocmd.Usage) (int, error), args []string) (int, error) {
	t := d.timings
	if d.args == nil || !d.args.Has("debug-actiongraph") {
		var err error
		if t.graph, err = newGraphFile(); err == nil {
			defer t.graph.close()
			args = slices.Insert(slices.Clone(args), behindDir(args), "-debug-actiongraph="+t.graph.path)
		}
	}
	var used gocmd.Usage
	code, err := run(args, &used)
	d.closeTimings(code, &used)
	return code, err
}

// behindDir is where in a go command line flags may stand: behind the verb and its -C.
func behindDir(args []string) int {
	switch {
	case len(args) > 2 && (args[1] == "-C" || args[1] == "--C"):
		return 3
	case len(args) > 1 && (strings.HasPrefix(args[1], "-C=") || strings.HasPrefix(args[1], "--C=")):
		return 2
	}
	return 1
}

// closeTimings adds go's own account, and the kernel's.
func (d *door) closeTimings(code int, used *gocmd.Usage) {
	t := d.timings
	text := t.graph.read()
	if t.graph == nil && d.args != nil {
		text, _ = os.ReadFile(d.absolute(d.args.Value("debug-actiongraph")))
	}
	graph := timingsGraph{Kind: "graph", Run: t.run}
	var err error
	if len(text) > 0 && json.Unmarshal(text, &graph.Actions) == nil {
		err = t.append(graph)
	}
	end := timingsEnd{
		Kind: "end", Run: t.run, Exit: code, Wall: used.Wall.Nanoseconds(), User: used.User.Microseconds(),
		Sys: used.Sys.Microseconds(), MaxRSS: used.MaxRSS,
	}
	if used.ChildrenKnown {
		end.Children = &[2]int64{used.ChildrenUser.Microseconds(), used.ChildrenSys.Microseconds()}
	}
	if written := t.append(end); err == nil {
		err = written
	}
	if err != nil {
		d.say("the timings of this build are not whole: %v", err)
		return
	}
	d.say("timings in %s (`goat heat %[1]s`)", t.file)
}

// measuring are the flags with which go runs its tools through a helper that only
// measures, for a build in which goat has nothing else to do.
func (d *door) measuring(args []string) ([]string, error) {
	flags := d.args
	if flags == nil {
		var err error
		if flags, err = gocmd.Parse(d.Verb, d.Settings.Dir, nil, d.userEnviron().Goflags()); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(args, func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return strings.HasPrefix(arg, "-") && name == "toolexec"
	}) {
		return nil, fmt.Errorf("-toolexec is on the command line already")
	}
	words := []string{d.Executable, "toolexec", "--measure=" + d.timings.file}
	tool, err := behindOurs(words, flags.Toolexec, d.Executable)
	if err != nil {
		return nil, err
	}
	return slices.Insert(slices.Clone(args), behindDir(args), "-toolexec="+tool), nil
}
