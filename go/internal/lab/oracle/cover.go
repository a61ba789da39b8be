package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// block is one block of a Go cover profile, as offsets into its file.
type block struct {
	from, to int
	ran      bool
}

// tally is what one comparison with cmd/cover found.
type tally struct {
	tracked  int            // tracked lines of the change
	compared int            // lines that lie in a cover block and were compared
	leftOut  map[string]int // lines in a cover block that were not, by reason
	noBlock  int            // lines of which no token lies in a cover block
	stricter int            // cover: the block ran; goat: this statement was not reached
	ran      int
	passed   int // lines of statements that a goto leads to, past cover's counter
	revived  int // points of code that became code without being added

	units, unitsRan int // basic blocks or functions that were compared as a whole
	uncounted       int // those of which cover counts nothing
}

// coverOracle runs the module's own tests once, with cover and goat in the
// same binaries, and compares line by line which changed lines ran.
func (s *session) coverOracle(ctx context.Context) error {
	for _, granularity := range strings.Split(s.options.granularity, ",") {
		doc, err := s.plan(ctx, "2", granularity)
		if err != nil {
			return err
		}
		profile, spool, crashed, err := s.test(ctx, granularity)
		if err != nil {
			return err
		}
		hits, children, err := readHits(spool, crashed)
		if err != nil {
			return err
		}
		if s.options.inject && !exchange(doc, hits) {
			return errors.New("--inject needs a point that was hit and one that was not")
		}
		t, err := s.compareCover(doc, granularity, profile, hits)
		if err != nil {
			return err
		}
		s.printTally(granularity, t, doc, children, len(crashed))
	}
	return nil
}

// test runs go test through goat; failing tests do not matter, both sides see
// the same execution. Only where a test binary crashed cover has lost its
// counters: those packages are returned.
func (s *session) test(ctx context.Context, granularity string) (profile []byte, spool string, crashed map[string]bool, err error) {
	spool, err = os.MkdirTemp(filepath.Dir(s.tree), "spool-")
	if err != nil {
		return nil, "", nil, err
	}
	file := filepath.Join(spool, "cover.out")
	args := []string{"test", "--base=" + s.options.base, "--granularity=" + granularity, "-covermode=set",
		"-coverpkg=./...", "-coverprofile=" + file}
	args = append(args, strings.Fields(s.options.testArgs)...)
	args = append(args, strings.Fields(s.options.packages)...)
	out, runErr := output(ctx, s.dir, []string{"GOAT_SPOOL=" + spool, "GOAT_SPOOL_KEEP=100000"}, s.options.goat, args...)
	profile, err = os.ReadFile(file)
	if err != nil {
		return nil, "", nil, fmt.Errorf("no cover profile: %w", runErr)
	}
	return profile, spool, crashedPackages(string(out)), nil
}

// crashedPackages reads go test's output: a test binary that ends in an orderly
// way prints its coverage before the package's last line, failed or not.
func crashedPackages(out string) map[string]bool {
	crashed := map[string]bool{}
	covered := false
	for _, line := range strings.Split(out, "\n") {
		covered = covered || strings.Contains(line, "coverage:")
		rest, failed := strings.CutPrefix(line, "FAIL\t")
		if failed && !covered {
			name, _, _ := strings.Cut(rest, "\t")
			crashed[name] = true
		}
		if failed || strings.HasPrefix(line, "ok  \t") {
			covered = false
		}
	}
	return crashed
}

// exchange moves evidence on purpose: the first hit point's hit goes to the
// first point that was not hit. It returns false where there are no two such points.
func exchange(doc *document, hits map[string]bool) bool {
	hit, missed := "", ""
	for _, p := range doc.Points {
		if p.Kind != "change" {
			continue
		}
		if hits[p.ID] && hit == "" {
			hit = p.ID
		}
		if !hits[p.ID] && missed == "" {
			missed = p.ID
		}
	}
	if hit == "" || missed == "" {
		return false
	}
	delete(hits, hit)
	hits[missed] = true
	return true
}

// compareCover compares every tracked line and every point; with granularity func, of which
// a line's points say only that its function was entered, the points alone.
func (s *session) compareCover(doc *document, granularity string, profile []byte, hits map[string]bool) (*tally, error) {
	lines, _, _ := doc.lines()
	points := map[string]point{}
	for _, p := range doc.Points {
		points[p.ID] = p
	}
	sources := map[string]*source{}
	for f := range lines {
		if src, err := parseSource(filepath.Join(s.tree, filepath.FromSlash(f))); err == nil {
			sources[f] = src
		}
	}
	blocks, err := s.readProfile(profile, doc.Module, sources)
	if err != nil {
		return nil, err
	}
	t := &tally{leftOut: map[string]int{}}
	if granularity == "scope" || granularity == "func" {
		s.compareUnits(t, granularity, doc, sources, blocks, hits)
	}
	if granularity == "func" {
		return t, nil
	}
	files := make([]string, 0, len(lines))
	for f := range lines {
		files = append(files, f)
	}
	sort.Strings(files)
	for _, f := range files {
		numbers := make([]int, 0, len(lines[f]))
		for n := range lines[f] {
			numbers = append(numbers, n)
		}
		sort.Ints(numbers)
		for _, n := range numbers {
			s.compareLine(t, lines[f][n], sources[f], blocks[f], points, hits)
		}
	}
	s.compareRest(t, doc, sources, blocks, hits)
	return t, nil
}

// compareUnits compares the basic blocks (scope) or functions (func) that hold a change: such
// a point was hit if cover says that some code of its region ran, the region's function
// literals apart, and only then.
func (s *session) compareUnits(t *tally, granularity string, doc *document, sources map[string]*source, blocks map[string][]block, hits map[string]bool) {
	for _, p := range doc.Points {
		src := sources[p.File]
		if src == nil || p.Kind != "change" {
			continue
		}
		from, to := src.at(p.Start.Line, p.Start.Column), src.at(p.End.Line, p.End.Column)
		ran, counted := regionRan(src, blocks[p.File], from, to)
		if !counted || src.passes(from) || src.posts[from] {
			t.uncounted++
			continue
		}
		t.units++
		if ran {
			t.unitsRan++
		}
		if hits[p.ID] != ran {
			s.disagree("%s:%d: goat says %t of the %s that begins here, cover %t", p.File, p.Start.Line, hits[p.ID], granularity, ran)
		}
	}
}

// regionRan tells whether cover says that some code of a region ran, and whether it has a
// counter there at all.
func regionRan(src *source, blocks []block, from, to int) (ran, counted bool) {
	for at := from; at >= 0 && at < to; at++ {
		if end, ok := src.literals[at]; ok && at > from && end <= to {
			at = end - 1
			continue
		}
		if !src.executable[at] {
			continue
		}
		if b, ok := blockAt(blocks, at); ok {
			counted, ran = true, ran || b.ran
		}
	}
	return ran, counted
}

// compareRest compares the points that vouch for no line of the account: those of lines
// that became code without being added.
func (s *session) compareRest(t *tally, doc *document, sources map[string]*source, blocks map[string][]block, hits map[string]bool) {
	known := map[string]bool{}
	for _, a := range doc.Account {
		for _, id := range a.Points {
			known[id] = known[id] || a.DeletedAfter == nil
		}
	}
	for _, p := range doc.Points {
		src := sources[p.File]
		if known[p.ID] || p.Kind != "change" || src == nil {
			continue
		}
		at := src.at(p.Start.Line, p.Start.Column)
		b, ok := blockAt(blocks[p.File], at)
		if !ok || src.passes(at) {
			continue
		}
		t.revived++
		if hits[p.ID] != b.ran && (hits[p.ID] || !src.startsBetween(b.from, at)) {
			s.disagree("%s:%d: goat says %t of the point %s, cover %t", p.File, p.Start.Line, hits[p.ID], p.ID, b.ran)
		}
	}
}

// readProfile returns the blocks of the changed files. A block that several
// test binaries report ran if it ran in one of them.
func (s *session) readProfile(profile []byte, module string, sources map[string]*source) (map[string][]block, error) {
	prefix, err := filepath.Rel(s.tree, s.dir)
	if err != nil {
		return nil, err
	}
	merged := map[string]map[block]bool{}
	scanner := bufio.NewScanner(bytes.NewReader(profile))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		name, rest, ok := cutLast(scanner.Text(), ":")
		if !ok || strings.HasPrefix(scanner.Text(), "mode:") {
			continue
		}
		file := path.Join(filepath.ToSlash(prefix), strings.TrimPrefix(strings.TrimPrefix(name, module), "/"))
		src := sources[file]
		if src == nil {
			continue
		}
		b, err := parseBlock(rest, src)
		if err != nil {
			return nil, err
		}
		key := block{from: b.from, to: b.to}
		if merged[file] == nil {
			merged[file] = map[block]bool{}
		}
		merged[file][key] = merged[file][key] || b.ran
	}
	blocks := map[string][]block{}
	for file, set := range merged {
		for b, ran := range set {
			blocks[file] = append(blocks[file], block{b.from, b.to, ran})
		}
		sort.Slice(blocks[file], func(i, j int) bool { return blocks[file][i].from < blocks[file][j].from })
	}
	return blocks, scanner.Err()
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// parseBlock reads "12.3,14.5 2 1".
func parseBlock(text string, src *source) (block, error) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == ',' || r == ' ' })
	if len(fields) != 6 {
		return block{}, fmt.Errorf("unreadable cover block %q", text)
	}
	var n [6]int
	for i, f := range fields {
		v, err := strconv.Atoi(f)
		if err != nil {
			return block{}, fmt.Errorf("unreadable cover block %q", text)
		}
		n[i] = v
	}
	return block{from: src.at(n[0], n[1]), to: src.at(n[2], n[3]), ran: n[5] > 0}, nil
}

// blockAt returns the innermost block around an offset.
func blockAt(blocks []block, offset int) (block, bool) {
	best, found := block{}, false
	for _, b := range blocks {
		if b.from <= offset && offset < b.to && (!found || b.from >= best.from) {
			best, found = b, true
		}
	}
	return best, found
}

// share says how many of some pieces ran.
type share int

const (
	none share = iota
	some
	all
)

func (x share) String() string { return [...]string{"none", "some", "all"}[x] }

func shareOf(ran, of int) share {
	switch ran {
	case 0:
		return none
	case of:
		return all
	}
	return some
}

func (s *session) compareLine(t *tally, a accountLine, src *source, blocks []block, points map[string]point, hits map[string]bool) {
	if a.Class != "tracked" {
		s.leaveOut(t, a, src, blocks)
		return
	}
	t.tracked++
	where := fmt.Sprintf("%s:%d", a.File, a.Line)
	cover, seen := coverShare(a.Line, src, blocks)
	if len(seen) == 0 {
		t.noBlock++
		if s.options.verbose {
			fmt.Fprintf(s.out, "no block  %s\n", where)
		}
		return
	}
	for _, id := range a.Points {
		if p := points[id]; src.passes(src.at(p.Start.Line, p.Start.Column)) {
			t.passed++
			return
		}
	}
	t.compared++
	a.Points = counted(a, src, blocks, seen, points)
	n := 0
	for _, id := range a.Points {
		if hits[id] {
			n++
		}
	}
	goat := shareOf(n, len(a.Points))
	if goat != none {
		t.ran++
	}
	switch {
	case goat == cover:
	case goat > cover:
		s.disagree("%s: goat says %s of the line ran, cover %s (points %v)", where, goat, cover, a.Points)
	case s.stricter(a, src, blocks, points, hits):
		t.stricter++
	default:
		s.disagree("%s: goat says %s of the line ran, cover %s (points %v)", where, goat, cover, a.Points)
	}
}

// leaveOut counts a changed line that lies in a cover block and is not tracked.
func (s *session) leaveOut(t *tally, a accountLine, src *source, blocks []block) {
	if src == nil || !src.runs(a.Line) {
		return
	}
	if _, seen := coverShare(a.Line, src, blocks); len(seen) > 0 {
		t.leftOut[a.Reason]++
		if s.options.verbose {
			fmt.Fprintf(s.out, "left out  %s:%d %s\n", a.File, a.Line, a.Reason)
		}
	}
}

// coverShare tells how many of the cover blocks that the line's own tokens lie
// in ran, and which blocks these are.
func coverShare(line int, src *source, blocks []block) (share, map[block]bool) {
	if src == nil {
		return none, nil
	}
	seen := map[block]bool{}
	ran := 0
	for _, at := range src.tokens[line] {
		if !src.executable[at] {
			continue
		}
		b, ok := blockAt(blocks, at)
		if !ok || seen[b] {
			continue
		}
		seen[b] = true
		if b.ran {
			ran++
		}
	}
	return shareOf(ran, len(seen)), seen
}

// stricter tells whether every point of the line that was not hit stands after
// an earlier statement of a block that ran: cover vouches only for the block's
// entry, goat for the place itself.
func (s *session) stricter(a accountLine, src *source, blocks []block, points map[string]point, hits map[string]bool) bool {
	for _, id := range a.Points {
		if hits[id] {
			continue
		}
		p, ok := points[id]
		if !ok {
			return false
		}
		at := src.at(p.Start.Line, p.Start.Column)
		b, ok := blockAt(blocks, at)
		if !ok || (b.ran && !src.startsBetween(b.from, at)) {
			return false
		}
	}
	return true
}

// counted are the points of a line for which cover has a counter on it. It has none for
// a case expression, which goat's point at the entry of the clause's list stands for:
// that is compared where the list is.
func counted(a accountLine, src *source, blocks []block, seen map[block]bool, points map[string]point) []string {
	var out []string
	for _, id := range a.Points {
		at := src.at(points[id].Start.Line, points[id].Start.Column)
		start, colon, ok := src.header(a.Line)
		if b, found := blockAt(blocks, at); ok && at < start && !(found && seen[b]) {
			continue // What runs on the way into the statement.
		}
		if _, clause := src.clauses[at]; ok && (clause || at > colon) {
			i := sort.Search(len(blocks), func(i int) bool { return blocks[i].from >= colon })
			if i == len(blocks) || !seen[blocks[i]] {
				continue
			}
		}
		out = append(out, id)
	}
	if len(out) == 0 {
		return a.Points
	}
	return out
}

// printTally prints one row. Lines whose tokens did not change are no change of
// code: they are counted, and not among the changed lines that were left out.
func (s *session) printTally(granularity string, t *tally, doc *document, children, crashed int) {
	left := 0
	reasons := make([]string, 0, len(t.leftOut))
	for r, n := range t.leftOut {
		if r != "format" {
			left += n
		}
		reasons = append(reasons, fmt.Sprintf("%s %d", r, n))
	}
	sort.Strings(reasons)
	percent := 0.0
	if t.compared+left > 0 {
		percent = 100 * float64(left) / float64(t.compared+left)
	}
	fmt.Fprintf(s.out, "cover  granularity %s: %d points, %d tracked lines, %d compared (%d ran), %d in no cover block, %d behind a goto, %d stricter, %d points beyond them, %d as a whole (%d ran, %d without a counter), left out %d = %.1f %% (%s), ignored: %d child processes, %d crashed test binaries\n",
		granularity, len(doc.Points), t.tracked, t.compared, t.ran, t.noBlock, t.passed, t.stricter, t.revived, t.units, t.unitsRan, t.uncounted, left, percent, strings.Join(reasons, ", "), children, crashed)
	if percent > 2 {
		s.disagree("granularity %s: more than 2 %% of the changed lines in a cover block are left out", granularity)
	}
}
