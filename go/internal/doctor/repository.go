package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/child"
	"github.com/goat-trace/goat/go/internal/doors"
)

// git looks at the git command and at what kind of repository this is. The core reads
// repositories itself; go asks git for the version that it writes into binaries.
func (p *patient) git(ctx context.Context) {
	version, err := p.gitSays(ctx, "--version")
	if errors.Is(err, exec.ErrNotFound) {
		p.add("git", Warn, "git is not on PATH: go writes no version into the binary, and goat's refs are not completed", "install git")
		return
	}
	if what, hint, broken := child.Unrunnable(err); broken {
		p.add("git", Warn, what, hint)
		return
	}
	if err != nil {
		p.add("git", Warn, "git does not run: "+said(err), "type `git --version` to see it")
		return
	}
	p.add("git", OK, strings.TrimPrefix(version, "git version "), "")
	if _, err := p.gitSays(ctx, "rev-parse", "--git-dir"); err != nil {
		return // base says what is wrong
	}
	var kinds, hints []string
	if shallow, _ := p.gitSays(ctx, "rev-parse", "--is-shallow-repository"); shallow == "true" {
		kinds, hints = append(kinds, "shallow"), append(hints, "`git fetch --unshallow` gets the history that is missing")
	}
	if promisors, _ := p.gitSays(ctx, "config", "--get-regexp", `^remote\..*\.promisor$`); strings.HasSuffix(promisors, " true") {
		kinds, hints = append(kinds, "partial"), append(hints, "`git fetch --refetch --no-filter` gets the objects that are missing")
	}
	if refs, _ := p.gitSays(ctx, "config", "extensions.refstorage"); refs != "" && refs != "files" {
		kinds, hints = append(kinds, "refs in "+refs), append(hints, "`git refs migrate --ref-format=files` writes them as files")
	}
	if sparse, _ := p.gitSays(ctx, "config", "--bool", "core.sparseCheckout"); sparse == "true" {
		kinds = append(kinds, "sparse checkout")
	}
	switch {
	case len(kinds) == 0:
		p.add("repository", OK, "whole", "")
	case len(hints) == 0:
		p.add("repository", OK, strings.Join(kinds, ", "), "")
	default:
		p.add("repository", Warn, strings.Join(kinds, ", "), strings.Join(hints, "; "))
	}
}

func (p *patient) gitSays(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = p.Door.Settings.Dir
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// base says what the release is compared with and what has come of it.
func (p *patient) base() {
	x := p.exam
	switch {
	case errors.Is(x.PlanError, errCore):
		p.add("base", p.needed(), "not looked for: this goat has no core", "use a goat with the core: `make install` in goat's repository")
		return
	case x.PlanError != nil:
		name := "base"
		var e *goat.Error
		if errors.As(x.PlanError, &e) && (e.Code == goat.CodeNotARepository || e.Code == goat.CodeDubiousOwnership || e.Code == goat.CodeUnsupportedRepository) {
			name = "repository"
		}
		p.fail(name, p.needed(), x.PlanError)
		return
	}
	b := x.Result.Base
	text := strings.TrimSpace(b.Ref + " " + short(b.Commit))
	if b.Commit == "" {
		text = b.Ref + ": everything is new"
	}
	if b.Why != "" {
		text += ": " + b.Why
	}
	p.add("base", OK, text, "")
	if x.Build == doors.ModeMarked {
		p.add("points", OK, pointsInBuild(x), "")
		return
	}
	status := OK
	if x.Build == doors.ModeNone {
		status = Warn
	}
	p.add("points", status, x.Why, "")
}

func short(commit string) string {
	if len(commit) > 12 {
		return commit[:12]
	}
	return commit
}

// marks looks for a change of the sources that a kill left half done. Only verbs that
// plan or write undo it.
func (p *patient) marks(ctx context.Context) {
	var places []string
	if dir, err := p.gitSays(ctx, "rev-parse", "--absolute-git-dir"); err == nil {
		places = append(places, filepath.Join(dir, "goat"))
	}
	places = append(places, filepath.Join(p.exam.Args.Dir, ".goat", "inplace"))
	for _, place := range places {
		if _, err := os.Lstat(filepath.Join(place, "journal")); err == nil {
			p.add("marks", Fail, "goat track, patch or clean was stopped half-way: "+filepath.Join(place, "journal"), "`goat plan` puts the files back as they were; `goat clean` then takes the marks out")
			return
		}
	}
	if p.exam.Build == doors.ModeInPlace {
		p.add("marks", OK, "the points are in the sources (goat track)", "")
	}
}

// pointsInBuild are the numbers that `goat build` and `goat plan` say, too.
func pointsInBuild(x *doors.Examination) string {
	text := fmt.Sprintf("%d, packages: %d", x.Points, x.PointPackages)
	if x.Rest != "" {
		text += "; " + x.Rest
	}
	return text
}
