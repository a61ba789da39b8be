package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// barHelper is what the helper may cost over a bare exec, in milliseconds.
const barHelper = 3.0

// calls is how many tool runs make one measurement of the helper.
const calls = 50

// helperCost measures the helper in front of a compiler that does nothing, for a
// package of the plan's module without points: what nearly every call is.
func (b *bench) helperCost(ctx context.Context) error {
	dir := filepath.Join(b.work, "helper")
	tool, err := program(ctx, dir, "package main\n\nfunc main() {}\n")
	if err != nil {
		return err
	}
	compiler := filepath.Join(dir, "compile")
	if err := os.Rename(tool, compiler); err != nil {
		return err
	}
	loop, err := program(ctx, filepath.Join(b.work, "loop"), loopSource)
	if err != nil {
		return err
	}
	s, err := b.hotCheckout(ctx)
	if err != nil {
		return err
	}
	plans := filepath.Join(b.work, "helper-plan")
	if _, err := measure(ctx, s.root, nil, b.goat, "--base="+s.base, "plan", "--out="+plans); err != nil {
		return err
	}
	entries, err := os.ReadDir(plans)
	if err != nil || len(entries) != 1 {
		return fmt.Errorf("goat plan --out left %d plans: %v", len(entries), err)
	}
	rest := []string{compiler, "-o", filepath.Join(dir, "x.a"), "-p", "example.com/hot/other", filepath.Join(dir, "main.go")}
	plan := "--plan=" + filepath.Join(plans, entries[0].Name())
	lines := map[string][]string{
		"bare":    rest,
		"through": append([]string{b.pass}, rest...),
		"goat":    append([]string{b.goat, "toolexec", plan}, rest...),
	}
	took := map[string]series{}
	for range b.pairs {
		for _, name := range []string{"bare", "through", "goat"} {
			line := append([]string{loop, fmt.Sprint(calls)}, lines[name]...)
			r, err := measure(ctx, s.root, []string{"TOOLEXEC_IMPORTPATH=example.com/hot/other"}, line...)
			if err != nil {
				return err
			}
			took[name] = append(took[name], r.cpu.Seconds()*1000/calls)
		}
	}
	fmt.Fprintf(b.out, "\n== the helper, per tool run\n")
	b.row("CPU ms: bare exec, pass-through", "ms", took["bare"], took["through"], 0)
	b.row("CPU ms: bare exec, goat", "ms", took["bare"], took["goat"], 0)
	over := took["goat"].median() - took["bare"].median()
	fmt.Fprintf(b.out, "%-34s %9.2f ms %s\n", "over a bare exec", over, verdict(over, barHelper))
	return nil
}

// loopSource runs a command line many times, so that its own start does not count.
const loopSource = `package main

import (
	"os"
	"os/exec"
	"strconv"
)

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	for i := 0; i < n; i++ {
		cmd := exec.Command(os.Args[2], os.Args[3:]...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			os.Exit(1)
		}
	}
}
`
