package toolexec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// TimingsSuffix ends the name of the log of one build (docs/heat.md).
const TimingsSuffix = ".timings"

// TimingsVariable names the directory of the logs for builds that no verb of goat runs.
const TimingsVariable = "GOAT_TIMINGS"

// longestRecord is how long a line of the log may be: what is appended at once and is
// shorter than a pipe's atomic write is whole on every system.
const longestRecord = 4000

// record is one process of a tool, a line of the log. On the helper's short way Go is never
// started and the core writes the line (rust/core/src/helper/record.rs), and a goat without
// the core writes all of them here: testdata/timings holds both writers to the same bytes.
type record struct {
	Kind  string `json:"t"`
	Run   string `json:"run"`
	PID   int    `json:"pid"`
	Start int64  `json:"start"`
	Wall  int64  `json:"wall"`
	// User and Sys are microseconds, MaxRSS is bytes; what a tool has waited for is in it.
	User   int64  `json:"user"`
	Sys    int64  `json:"sys"`
	MaxRSS int64  `json:"rss"`
	Tool   string `json:"tool"`
	Pkg    string `json:"pkg,omitempty"`
	// Variant is what go calls the package besides: the test or the program that it is for.
	Variant string `json:"var,omitempty"`
	GOOS    string `json:"os"`
	GOARCH  string `json:"arch"`
	Go      string `json:"go,omitempty"`
	Exit    int    `json:"exit"`
	// Version says that go only asked for the tool's version.
	Version bool `json:"v,omitempty"`
	// Own says that the tool ran for goat itself, Points that the package has points.
	Own    bool `json:"own,omitempty"`
	Points bool `json:"points,omitempty"`
	// Self is what the helper has used since its last record, user and system.
	Self   [2]int64 `json:"self"`
	Out    int64    `json:"out,omitempty"`
	Lines  int64    `json:"lines,omitempty"`
	Funcs  int64    `json:"funcs,omitempty"`
	Phases []phase  `json:"phases,omitempty"`
}

// phase is one phase of a tool under the tool's own name, in nanoseconds.
type phase struct {
	name string
	took int64
}

// MarshalJSON writes a phase as a pair.
func (p phase) MarshalJSON() ([]byte, error) { return json.Marshal([]any{p.name, p.took}) }

// timingsFile is the log for a build that no verb of goat runs: one per go command. Where
// the directory is relative it is taken from where go works; tools work elsewhere.
func timingsFile() string {
	dir := os.Getenv(TimingsVariable)
	if dir == "" {
		return ""
	}
	if !filepath.IsAbs(dir) {
		at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", goCommand(os.Getppid())))
		if err != nil {
			return ""
		}
		dir = filepath.Join(at, dir)
	}
	if os.MkdirAll(dir, 0o777) != nil {
		return ""
	}
	return filepath.Join(dir, parentKey()+TimingsSuffix)
}

// measured runs cmd, whose words after the first `at` are the tool's arguments, and notes
// what it took. A log that cannot be written is no reason to break a build, nor to print
// a word: go keeps what tools print.
func (h *helper) measured(cmd *exec.Cmd, at int, own bool) error {
	if h.timings == "" {
		return cmd.Run()
	}
	probe := h.probe(cmd, at)
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	r := h.newRecord(cmd, cmd.Args[at:], own)
	r.Start, r.Wall = start.UnixNano(), wall.Nanoseconds()
	if written := probe.finish(r); written != nil && err == nil {
		err = written
	}
	h.append(r)
	return err
}

func (h *helper) newRecord(cmd *exec.Cmd, args []string, own bool) *record {
	r := &record{Kind: "tool", Tool: toolName(h.tool), Own: own, Points: h.pointed, Exit: -1}
	r.Run = strings.TrimSuffix(filepath.Base(h.timings), TimingsSuffix)
	if own {
		r.Tool = toolName(cmd.Args[0])
	}
	pkg := os.Getenv("TOOLEXEC_IMPORTPATH")
	r.Pkg, r.Variant, _ = strings.Cut(pkg, " ")
	r.Variant = strings.Trim(r.Variant, "[]")
	r.GOOS, r.GOARCH = os.Getenv("GOOS"), os.Getenv("GOARCH")
	if r.GOOS == "" {
		r.GOOS = runtime.GOOS
	}
	if r.GOARCH == "" {
		r.GOARCH = runtime.GOARCH
	}
	r.Go = goVersion(h.tool)
	r.Version = len(args) > 0 && asksVersion(args)
	if s := cmd.ProcessState; s != nil {
		r.PID, r.Exit = s.Pid(), s.ExitCode()
		r.User, r.Sys = s.UserTime().Microseconds(), s.SystemTime().Microseconds()
		r.MaxRSS = maxRSS(s)
	}
	user, sys := selfTimes()
	r.Self = [2]int64{user - h.spent[0], sys - h.spent[1]}
	h.spent = [2]int64{user, sys}
	if out := get(args, "o"); out != "" && !r.Version {
		if info, err := os.Stat(out); err == nil && info.Mode().IsRegular() {
			r.Out = info.Size()
		}
	}
	return r
}

// goVersion is what the GOROOT of a tool says of itself, which costs no process.
func goVersion(tool string) string {
	root := filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(tool))))
	text, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}

// append adds one line to the log in one write.
func (h *helper) append(r *record) {
	line, err := r.line()
	if err != nil {
		return
	}
	file, err := os.OpenFile(h.timings, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return
	}
	_, _ = file.Write(line)
	_ = file.Close()
}

// line begins with a line break: behind a line that a full disk has cut, it is whole all
// the same.
func (r *record) line() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	b.WriteByte('\n')
	err := encoder.Encode(r)
	if err == nil && b.Len() > longestRecord+len("\n\n") {
		r.Phases = nil
		b.Truncate(1)
		err = encoder.Encode(r)
	}
	return b.Bytes(), err
}

// probe makes a tool say how long its phases took. That is asked for behind go's back,
// so that it is in no cache key, and leaves no byte in what the tool writes.
type probe struct {
	tool string
	// report is where the compiler's report comes out.
	report, into *os.File
	// printed is what the linker prints, its report among it; rest takes the other lines.
	printed *bytes.Buffer
	rest    io.Writer
}

// probe adds to cmd what the tool needs. Behind a wrapper of the user's, which may close
// what it does not know, it adds nothing; nor where the user has asked for a report.
func (h *helper) probe(cmd *exec.Cmd, at int) *probe {
	p := &probe{tool: toolName(cmd.Args[0])}
	args := cmd.Args[at:]
	if at != 1 || len(args) < 2 || asksVersion(args) {
		return p
	}
	switch {
	case p.tool == "compile" && !given(args, "bench") && get(args, "o") != "" && reports():
		report, into, err := os.Pipe()
		if err != nil {
			return p
		}
		p.report, p.into = report, into
		cmd.ExtraFiles = []*os.File{into}
		cmd.Args = append([]string{cmd.Args[0], "-bench=/dev/fd/3"}, args...)
	case p.tool == "link" && !given(args, "benchmark") && !given(args, "benchmarkprofile"):
		p.printed, p.rest = &bytes.Buffer{}, cmd.Stdout
		cmd.Stdout = p.printed
		cmd.Args = append([]string{cmd.Args[0], "-benchmark=cpu"}, args...)
	}
	return p
}

func asksVersion(args []string) bool {
	return strings.HasPrefix(args[0], "-V") || args[0] == "-###"
}

// given reports whether a flag with a value stands among the arguments.
func given(args []string, name string) bool {
	_, _, at := value(args, name)
	return at >= 0
}

// reports says whether a process can open a descriptor of its own by its name.
func reports() bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return false
	}
	_, err := os.Stat("/dev/fd/0")
	return err == nil
}

// finish takes the report into the record, and hands on what else was printed.
func (p *probe) finish(r *record) error {
	if p.report != nil {
		_ = p.into.Close()
		_ = p.report.SetReadDeadline(time.Now().Add(time.Second))
		text, _ := io.ReadAll(io.LimitReader(p.report, 64<<10))
		_ = p.report.Close()
		r.takeCompiler(string(text))
	}
	if p.printed == nil {
		return nil
	}
	for _, line := range bytes.SplitAfter(p.printed.Bytes(), []byte("\n")) {
		if !r.takeLinker(string(line)) && len(line) > 0 {
			if _, err := p.rest.Write(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeCompiler reads the compiler's report: lines such as
// `BenchmarkCompile:fmt:fe:parse  1  204832179 ns/op  12.81 %  3552 lines  17341 lines/s`.
func (r *record) takeCompiler(text string) {
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) < 4 || words[3] != "ns/op" || !strings.HasPrefix(words[0], "BenchmarkCompile:") {
			continue
		}
		took, err := strconv.ParseInt(words[2], 10, 64)
		parts := strings.Split(words[0], ":")
		if err != nil || len(parts) < 4 {
			continue // the total is the sum of the others
		}
		name := strings.Join(parts[len(parts)-2:], ":")
		if strings.HasSuffix(name, ":subtotal") || strings.HasSuffix(name, ":total") {
			continue
		}
		r.Phases = append(r.Phases, phase{name, took})
		r.count(words[4:])
	}
}

// count takes the pairs of a figure and its unit behind a phase.
func (r *record) count(words []string) {
	for i := 0; i+1 < len(words); i += 2 {
		n, err := strconv.ParseInt(words[i], 10, 64)
		switch {
		case err != nil:
		case words[i+1] == "lines":
			r.Lines += n
		case words[i+1] == "funcs":
			r.Funcs += n
		}
	}
}

// takeLinker reads one line of the linker's report, such as
// `BenchmarkLoadlib 1 198443681 ns/op  15477200 B/op …`, and says whether it was one.
func (r *record) takeLinker(line string) bool {
	words := strings.Fields(line)
	if len(words) < 4 || words[3] != "ns/op" || words[1] != "1" || !strings.HasPrefix(words[0], "Benchmark") {
		return false
	}
	took, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil {
		return false
	}
	// What takes nothing is no phase to look at, and the line has its limit.
	if name := strings.TrimPrefix(words[0], "Benchmark"); name != "TotalTime" && took >= 100_000 {
		r.Phases = append(r.Phases, phase{name, took})
	}
	return true
}
