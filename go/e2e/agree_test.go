package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go/internal/report"
)

// evidence is what one view of a run says: of each tracked line whether all of its
// points ran, or, of a view that has no lines, of each point whether it ran and when.
type evidence map[string]string

// views read a report in one format. Who adds a format, or another way to see a run, adds
// it here. base is the JSON report, for names that a format lacks; a view may leave out
// what it cannot show, and is held to the rest by the function that it returns.
var views = map[string]func(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence){
	"report.xml":   coberturaView,
	"report.cov":   coverprofileView,
	"report.sarif": sarifView,
	"report.md":    markdownView,
	"report.html":  htmlView,
	"report.txt":   textView,
	"track.json":   trackView,
	// The same processes as Prometheus saw them; single lanes, and the text by lane.
	"prometheus.json": documentView,
	"gray.json":       laneView("gray"),
	"stable.json":     laneView("stable"),
	"lanes.txt":       lanesTextView,
}

// agree FILE...: the views of one run, by name of file, hold the same evidence as
// report.json, line by line.
func cmdAgree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: agree file...")
	}
	base := &report.Document{}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("report.json")), base))
	if base.Lines == nil || len(base.Points) == 0 {
		ts.Fatalf("report.json holds no evidence")
	}
	summed(ts, base)
	for _, name := range args {
		view := views[path.Base(name)]
		if view == nil {
			ts.Fatalf("nothing reads %s: add it to the views", name)
		}
		got, want := view(ts, ts.ReadFile(name), base)
		if len(want) == 0 || !maps.Equal(got, want) {
			ts.Fatalf("%s disagrees with report.json:\n%s", name, differences(got, want))
		}
	}
}

func differences(got, want evidence) string {
	var all []string
	for place, state := range want {
		if got[place] != state {
			all = append(all, fmt.Sprintf("%s is %q, not %q", place, got[place], state))
		}
	}
	for place := range got {
		if _, known := want[place]; !known {
			all = append(all, place+" is not in report.json")
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// summed holds the document's sums against its own lines.
func summed(ts *testscript.TestScript, d *report.Document) {
	var code, variables, reached int
	for i := range d.Account {
		c := &d.Account[i]
		switch {
		case c.DeletedAfter != nil || c.State == report.StateNotExecutable || c.State == report.StateUntracked:
		case c.Initialiser:
			variables++
		default:
			code++
		}
	}
	for _, l := range linesOf(d) {
		if l == "ran" {
			reached++
		}
	}
	s := &d.Summary
	c := s.Changed
	if code != c.Code.Lines || variables != c.Initialisers.Lines || code+variables != s.Lines || reached != s.LinesReached ||
		s.Lines != len(d.Lines) || c.Lines != s.Lines+c.NotExecutable+c.Untracked || s.Points != len(d.Points) {
		ts.Fatalf("the sums of report.json do not add up: %+v %+v, counted %d %d %d", s, c, code, variables, reached)
	}
}

func place(file string, line int) string { return file + ":" + strconv.Itoa(line) }

// linesOf is what report.json says of lines.
func linesOf(d *report.Document) evidence {
	all := evidence{}
	for i := range d.Lines {
		all[place(d.Lines[i].File, d.Lines[i].Line)] = ranIf(d.Lines[i].Reached == "all")
	}
	return all
}

func ranIf(ran bool) string {
	if ran {
		return "ran"
	}
	return "not"
}

func coberturaView(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	var document struct {
		Classes []struct {
			File  string `xml:"filename,attr"`
			Lines []struct {
				Number int `xml:"number,attr"`
				Hits   int `xml:"hits,attr"`
			} `xml:"lines>line"`
		} `xml:"packages>package>classes>class"`
	}
	ts.Check(xml.Unmarshal([]byte(text), &document))
	got = evidence{}
	for _, class := range document.Classes {
		for _, line := range class.Lines {
			got[place(class.File, line.Number)] = ranIf(line.Hits > 0)
		}
	}
	return got, linesOf(base)
}

var block = regexp.MustCompile(`^(.+):(\d+)\.1,(\d+)\.1 (\d+) ([01])$`)

func coverprofileView(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	files := map[string]string{}
	for i := range base.Points {
		p := &base.Points[i]
		files[p.Package+"/"+path.Base(p.File)] = p.File
	}
	rows := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if rows[0] != "mode: set" {
		ts.Fatalf("not a profile: %q", rows[0])
	}
	got = evidence{}
	for _, row := range rows[1:] {
		match := block.FindStringSubmatch(row)
		if match == nil || files[match[1]] == "" {
			ts.Fatalf("not a block of the report: %q", row)
		}
		first, _ := strconv.Atoi(match[2])
		end, _ := strconv.Atoi(match[3])
		if match[4] != strconv.Itoa(end-first) {
			ts.Fatalf("%q counts other than its lines", row)
		}
		for line := first; line < end; line++ {
			got[place(files[match[1]], line)] = ranIf(match[5] == "1")
		}
	}
	return got, linesOf(base)
}

// unreached are the lines that report.json calls not reached as a whole, by place.
func unreached(d *report.Document) evidence {
	all := linesOf(d)
	maps.DeleteFunc(all, func(_, state string) bool { return state == "ran" })
	return all
}

// within marks the tracked lines of a region that did not run.
func within(d *report.Document, got evidence, file string, first, last int) {
	tracked := linesOf(d)
	for line := first; line <= last; line++ {
		if _, known := tracked[place(file, line)]; known {
			got[place(file, line)] = "not"
		}
	}
}

func sarifView(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	var document struct {
		Version string
		Runs    []struct {
			Results []struct {
				RuleID              string `json:"ruleId"`
				PartialFingerprints map[string]string
				Locations           []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, EndLine int }
					}
				}
			}
		}
	}
	ts.Check(json.Unmarshal([]byte(text), &document))
	files := map[string]string{}
	for i := range base.Points {
		files[base.Points[i].ID] = base.Points[i].File
	}
	got, want = evidence{}, unreached(base)
	for _, r := range document.Runs[0].Results {
		id := r.PartialFingerprints["goatPoint/v1"]
		where := r.Locations[0].PhysicalLocation
		if unescaped(ts, where.ArtifactLocation.URI) != files[id] {
			ts.Fatalf("%s: %q is not %q", id, where.ArtifactLocation.URI, files[id])
		}
		got["point "+id] = "not"
		if r.RuleID == "goat/change-not-run" {
			within(base, got, files[id], where.Region.StartLine, where.Region.EndLine)
		}
	}
	for i := range base.Points {
		if !base.Points[i].Hit {
			want["point "+base.Points[i].ID] = "not"
		}
	}
	return got, want
}

var listed = regexp.MustCompile("^- \\[?`+ ?(.+?):(\\d+)(?:-(\\d+))? ?`+(?:\\]\\(\\S+\\))? `(.*)`( branch| deletion| manual)?")

func markdownView(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	_, text, _ = strings.Cut(text, "#### Did not run: ")
	text, _, _ = strings.Cut(text, "<summary>Ran only before traffic")
	text, _, _ = strings.Cut(text, "<summary>Changed, but not tracked")
	got = evidence{}
	places := 0
	for _, row := range strings.Split(text, "\n") {
		match := listed.FindStringSubmatch(row)
		if match == nil {
			if strings.HasPrefix(row, "- ") {
				ts.Fatalf("not a place: %q", row)
			}
			continue
		}
		places++
		first, _ := strconv.Atoi(match[2])
		last, err := strconv.Atoi(match[3])
		if err != nil {
			last = first
		}
		if match[5] == "" {
			within(base, got, match[1], first, last)
		}
	}
	want = unreached(base)
	want["places"] = strconv.Itoa(base.Summary.Points - base.Summary.Hit)
	got["places"] = strconv.Itoa(places)
	return got, want
}

var row = regexp.MustCompile(`^(\S.*:\d+(?:-\d+)?) {2,}(.+?) {2,}(no(?:, \w+)?|init|startup|traffic)(?: {2,}.*)?$`)

// textView reads the table of points; several at one place are told apart by their count.
func textView(_ *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	got, want = evidence{}, evidence{}
	for _, line := range strings.Split(text, "\n") {
		if match := row.FindStringSubmatch(line); match != nil {
			count(got, match[1]+" "+match[2]+" "+match[3])
		}
	}
	for i := range base.Points {
		p := &base.Points[i]
		where := fmt.Sprintf("%s:%d", p.File, p.Start.Line)
		if p.End.Line > p.Start.Line {
			where += fmt.Sprintf("-%d", p.End.Line)
		}
		name := p.Func
		if name == "" {
			name = "(package)"
		}
		if p.Kind != "change" {
			name += " [" + string(p.Kind) + "]"
		}
		count(want, where+" "+name+" "+phaseOf(p.Hit, p.Phase))
	}
	got["sum"] = text[strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\n')+1:]
	want["sum"] = fmt.Sprintf("%d of %d points ran\n", base.Summary.Hit, base.Summary.Points)
	return got, want
}

func count(e evidence, key string) {
	n, _ := strconv.Atoi(e[key])
	e[key] = strconv.Itoa(n + 1)
}

func phaseOf(hit bool, phase *string) string {
	if !hit || phase == nil {
		return "no"
	}
	return *phase
}

func trackView(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	var document struct {
		Results []struct {
			Metrics struct {
				Items []struct {
					Point string
					Count int
					Phase *string
				}
			}
		}
	}
	// What http leaves begins with the status.
	ts.Check(json.Unmarshal([]byte(text[strings.IndexByte(text, '{'):]), &document))
	got, want = evidence{}, evidence{}
	for _, component := range document.Results {
		for _, item := range component.Metrics.Items {
			got[item.Point] = phaseOf(item.Count > 0, item.Phase)
		}
	}
	for i := range base.Points {
		p := &base.Points[i]
		want[p.ID] = phaseOf(p.Hit, p.Phase)
	}
	return got, want
}

// documentView holds a report by way of Prometheus against the first one: points with their
// phases and lanes, and every line of the account.
func documentView(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	d := &report.Document{}
	ts.Check(json.Unmarshal([]byte(text), d))
	if d.Identity != base.Identity {
		ts.Fatalf("it is about %+v, not %+v", d.Identity, base.Identity)
	}
	got, want = documentEvidence(d), documentEvidence(base)
	// Metrics do not tell which packages without a point were built: in such a file a line
	// that cannot run is just that.
	for i := range base.Account {
		c := &base.Account[i]
		if c.Planned != "" && got[accounted(c)] == string(report.StateNotExecutable)+" "+c.Planned {
			want[accounted(c)] = got[accounted(c)]
		}
	}
	return got, want
}

// accounted names a line of the account.
func accounted(c *report.Change) string {
	after := -1
	if c.DeletedAfter != nil {
		after = *c.DeletedAfter
	}
	return fmt.Sprintf("account %s:%d:%d", c.File, c.Line, after)
}

func documentEvidence(d *report.Document) evidence {
	all := linesOf(d)
	for i := range d.Points {
		p := &d.Points[i]
		all["point "+p.ID] = fmt.Sprintf("%s, %d of %d", phaseOf(p.Hit, p.Phase), p.HitInstances, p.Instances)
	}
	for i := range d.Account {
		c := &d.Account[i]
		all[accounted(c)] = string(c.State) + " " + c.Reason
	}
	if d.Lanes != nil {
		all["lanes"] = fmt.Sprint(*d.Lanes)
	}
	return all
}

// laneView holds a report of one lane against the lanes of the whole.
func laneView(lane string) func(*testscript.TestScript, string, *report.Document) (got, want evidence) {
	return func(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
		d := &report.Document{}
		ts.Check(json.Unmarshal([]byte(text), d))
		if base.Lanes == nil {
			ts.Fatalf("report.json has no lanes")
		}
		alone := base.Lanes.OnlyGray
		if lane == "stable" {
			alone = base.Lanes.OnlyStable
		}
		got, want = evidence{}, evidence{}
		for i := range d.Points {
			got[d.Points[i].ID] = ranIf(d.Points[i].Hit)
		}
		for i := range base.Points {
			id := base.Points[i].ID
			want[id] = ranIf(slices.Contains(alone, id) || slices.Contains(base.Lanes.Both, id))
		}
		return got, want
	}
}

var split = regexp.MustCompile(`(?m)^ran (only in the gray lane|only in the stable lane|in both) +(\d+) points?`)

// lanesTextView reads how many points ran in which lanes.
func lanesTextView(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	if base.Lanes == nil {
		ts.Fatalf("report.json has no lanes")
	}
	got = evidence{}
	for _, match := range split.FindAllStringSubmatch(text, -1) {
		got[match[1]] = match[2]
	}
	return got, evidence{
		"only in the gray lane":   strconv.Itoa(len(base.Lanes.OnlyGray)),
		"only in the stable lane": strconv.Itoa(len(base.Lanes.OnlyStable)),
		"in both":                 strconv.Itoa(len(base.Lanes.Both)),
	}
}

// unescaped is the path that a relative URI means.
func unescaped(ts *testscript.TestScript, uri string) string {
	text, err := url.PathUnescape(uri)
	ts.Check(err)
	return text
}

// consume DIR BASE: the reports in DIR are what the programs take that people read them
// with, and diff-cover counts what goat counts.
func cmdConsume(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: consume dir base")
	}
	tools := consumers(ts)
	if tools == nil {
		return
	}
	here, dir := ts.MkAbs("."), ts.MkAbs(args[0])
	root := ts.Getenv("ROOT")
	ts.Check(ts.Exec(tools.python, filepath.Join(root, "go", "e2e", "testdata", "consume.py"),
		filepath.Join(dir, "report.json"), filepath.Join(dir, "report.xml"), filepath.Join(root, "go", "e2e", "testdata", "coverage-04.dtd"),
		filepath.Join(dir, "report.sarif")))
	percent := filepath.Join(dir, "diff-cover.json")
	ts.Check(ts.Exec(tools.diffCover, filepath.Join(dir, "report.xml"), "--compare-branch="+args[1], "--format", "json:"+percent, "--quiet"))
	var judged struct {
		Lines   int     `json:"total_num_lines"`
		Missing int     `json:"total_num_violations"`
		Percent float64 `json:"total_percent_covered"`
	}
	text, err := os.ReadFile(percent)
	ts.Check(err)
	ts.Check(json.Unmarshal(text, &judged))
	base := &report.Document{}
	text, err = os.ReadFile(filepath.Join(dir, "report.json"))
	ts.Check(err)
	ts.Check(json.Unmarshal(text, base))
	if s := base.Summary; judged.Lines != s.Lines || judged.Missing != s.Lines-s.LinesReached {
		ts.Fatalf("in %s diff-cover counts %d lines and %d missing, goat %d of %d reached", here, judged.Lines, judged.Missing, s.LinesReached, s.Lines)
	}
}
