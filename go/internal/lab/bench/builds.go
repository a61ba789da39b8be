package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The bars of a goat build against a plain one.
const (
	barCold, barEdit, barNoop, barMemory = 1.05, 1.10, 1.10, 1.10
	barServer, barSmall                  = 1_000_000, 300_000
)

// steps of a round, in their order. The first build that changes nothing is not
// measured: goat's own answers about files that are only seconds old are not kept.
var steps = []struct {
	name string
	bar  float64
	edit bool
}{{name: "cold build", bar: barCold}, {}, {name: "no-op build", bar: barNoop}, {name: "one-file edit", bar: barEdit, edit: true}}

// builds measures the builds of all variants, each with caches of its own, which a slow
// subject keeps from round to round.
func (b *bench) builds(ctx context.Context, s *checkout) error {
	cpu := map[string]series{}
	memory := map[string]series{}
	for round := range b.pairs {
		fmt.Fprintf(os.Stderr, "builds: round %d of %d\n", round+1, b.pairs)
		for turn := range b.variants {
			number := (turn + round) % len(b.variants)
			v := b.variants[number]
			cache := b.cache("builds" + strconv.Itoa(number))
			if err := os.WriteFile(s.editPath(), s.edited, 0o666); err != nil {
				return err
			}
			for i, step := range steps {
				if step.edit {
					if err := s.touch(round); err != nil {
						return err
					}
				}
				r, err := b.build(ctx, s, v, cache, "-o", filepath.Join(b.work, "out"), s.program)
				if err != nil {
					return err
				}
				key := step.name + v.name
				cpu[key] = append(cpu[key], r.cpu.Seconds())
				if i == 0 {
					memory[v.name] = append(memory[v.name], float64(r.rss)/1e6)
				}
			}
			if s.slow {
				continue
			}
			if err := errors.Join(os.RemoveAll(cache), os.RemoveAll(cache+"-goat")); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(b.out, "%-34s %9s %9s\n", "CPU s, median", "plain", "other")
	for i, step := range steps {
		if step.name == "" || s.slow && i == 0 {
			continue
		}
		for _, v := range b.variants[1:] {
			b.row(step.name+": "+v.name, "s", cpu[step.name+"plain"], cpu[step.name+v.name], onlyGoat(v, step.bar))
		}
	}
	for _, v := range b.variants[1:] {
		if s.slow {
			break
		}
		b.row("largest process: "+v.name, "MB", memory["plain"], memory[v.name], onlyGoat(v, barMemory))
	}
	return nil
}

func onlyGoat(v variant, bar float64) float64 {
	if v.name != "goat" {
		return 0
	}
	return bar
}

// touch adds code that is linked, other code in each round, without a change of what the
// package exports.
func (s *checkout) touch(round int) error {
	text := append([]byte(nil), s.edited...)
	text = fmt.Appendf(text, "\nvar benchEdit int\n\nfunc init() { benchEdit = %d }\n", round+1)
	return os.WriteFile(s.editPath(), text, 0o666)
}

// binaries compares the binaries, and counts the packages that goat compiles where a
// plain build went before it.
func (b *bench) binaries(ctx context.Context, s *checkout) error {
	cache, log := b.cache("shared"), filepath.Join(b.work, "toolexec.log")
	size := map[string]int64{}
	for _, v := range b.variants[:2] {
		out := filepath.Join(b.work, "out")
		line := append(v.command(s), "-o", out, s.program)
		env := []string{"GOCACHE=" + cache, "GOAT_CACHE=" + cache + "-goat", "GOAT_TOOLEXEC_LOG=" + log}
		if _, err := measure(ctx, s.root, env, line...); err != nil {
			return err
		}
		info, err := os.Stat(out)
		if err != nil {
			return err
		}
		size[v.name] = info.Size()
	}
	list := exec.CommandContext(ctx, "go", "list", "-deps", s.program)
	list.Dir = s.root
	deps, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list -deps: %w", err)
	}
	bar, kind := int64(barSmall), "without net/http"
	if strings.Contains("\n"+string(deps), "\nnet/http\n") {
		bar, kind = barServer, "with net/http"
	}
	grown := size["goat"] - size["plain"]
	if grown > bar {
		b.missed = append(b.missed, fmt.Sprintf("%s grows by %d bytes", s.module, grown))
	}
	fmt.Fprintf(b.out, "%-34s %9d %9d B   +%d B %s%s\n", "binary", size["plain"], size["goat"], grown, kind, verdict(float64(grown), float64(bar)))
	text, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	std, all := countCompiles(string(text))
	word := "ok"
	if std > 0 {
		word = "MISSED"
		b.missed = append(b.missed, fmt.Sprintf("%d standard packages compiled for %s", std, s.module))
	}
	fmt.Fprintf(b.out, "%-34s %9d %9d     after a plain build: all, std  %s, at most 0\n", "packages compiled", all, std, word)
	return os.Remove(log)
}

// planning compares goat plan with git's own diff of the same commits.
func (b *bench) planning(ctx context.Context, s *checkout) error {
	var git, goat series
	for range b.pairs {
		r, err := measure(ctx, s.root, nil, "git", "-c", "diff.algorithm=myers", "diff", "--no-ext-diff", "-U0", "-M50%", s.base, "HEAD")
		if err != nil {
			return err
		}
		git = append(git, r.cpu.Seconds())
		r, err = measure(ctx, s.root, []string{"GOAT_CACHE=" + b.cache("plans")}, b.goat, "--base="+s.base, "plan", "--format=json")
		if err != nil {
			return err
		}
		goat = append(goat, r.cpu.Seconds())
		if err := os.RemoveAll(b.cache("plans")); err != nil {
			return err
		}
	}
	b.row("git diff: goat plan", "s", git, goat, 0)
	return nil
}

// countCompiles reads the helper's log: compiler runs for a package of the standard
// library, and all.
func countCompiles(log string) (std, all int) {
	for _, line := range strings.Split(log, "\n") {
		path, ok := strings.CutPrefix(line, "compile ")
		if !ok || strings.HasPrefix(path, "-V") {
			continue
		}
		all++
		if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") && first != "command-line-arguments" {
			std++
		}
	}
	return std, all
}
