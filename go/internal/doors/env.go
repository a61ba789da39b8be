package doors

import (
	"context"
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

// env prints the shell lines after which plain go is instrumented. The user's own
// GOFLAGS are kept in front of goat's and, to be given back, in a variable.
func (d *door) env(ctx context.Context) (int, error) {
	sh, unset, err := d.envArgs()
	if err != nil {
		return 0, err
	}
	if unset {
		return 0, d.print(d.restored(sh))
	}
	d.Verb, d.Args = "env", nil
	if err := d.parse(); err != nil {
		return 0, err
	}
	if err := d.makePlan(ctx, d.args.Dir); err != nil {
		return 0, err
	}
	if why := d.nothing(); why != "" {
		d.say("%s", why)
		return 0, d.print(d.restored(sh))
	}
	flags, err := d.goflags()
	if err != nil {
		return 0, err
	}
	d.say("%s", d.summary())
	saved, _ := d.userEnviron().Lookup("GOFLAGS")
	lines := []string{sh.set(gocmd.SavedGoflags, saved), sh.set("GOFLAGS", flags)}
	if dir := d.Environ.Get(spoolVariable); dir != "" {
		lines = append(lines, sh.set(spoolVariable, dir))
	}
	if dir := d.modcache(d.userEnviron()); dir != "" {
		lines = append(lines, sh.set(modcacheVariable, dir))
	}
	// Tools work in many directories.
	if dir, err := d.timingsDir(); err == nil && dir != "" {
		lines = append(lines, sh.set(toolexec.TimingsVariable, dir))
	}
	return 0, d.print(lines)
}

// envArgs reads the verb's own flags.
func (d *door) envArgs() (sh shell, unset bool, err error) {
	name := "sh"
	for i := 0; i < len(d.Args); i++ {
		flag, value, hasValue := strings.Cut(strings.TrimLeft(d.Args[i], "-"), "=")
		switch {
		case flag == "unset" && !hasValue:
			unset = true
		case flag == "shell" && hasValue:
			name = value
		case flag == "shell" && i+1 < len(d.Args):
			i++
			name = d.Args[i]
		default:
			return sh, false, &goat.Error{Code: goat.CodeUsage, Message: "env: unknown argument " + d.Args[i], Hint: "goat help env"}
		}
	}
	sh, ok := shells[name]
	if !ok {
		return sh, false, &goat.Error{Code: goat.CodeUsage, Message: fmt.Sprintf("env: unknown shell %q", name), Hint: "sh, fish or powershell"}
	}
	return sh, unset, nil
}

// goflags is the GOFLAGS of the instrumented shell.
func (d *door) goflags() (string, error) {
	file, err := d.overlayFile()
	if err != nil {
		return "", err
	}
	tool, err := d.toolexec(file)
	if err != nil {
		return "", err
	}
	marks, err := d.markers(environmentLimit(), "")
	if err != nil {
		return "", err
	}
	words, err := gocmd.Split(d.userEnviron().Goflags())
	if err != nil {
		return "", err
	}
	words = append(words, "-toolexec="+tool, "-overlay="+file)
	for _, value := range marks {
		words = append(words, "-gcflags="+value)
	}
	text, err := gocmd.Join(words)
	if err != nil {
		return "", &goat.Error{Code: goat.CodeUsage, Message: "GOFLAGS: " + err.Error(), Hint: "use `goat build` instead"}
	}
	return text, nil
}

// restored are the lines that give the user's own GOFLAGS back.
func (d *door) restored(sh shell) []string {
	saved, ok := d.Environ.Lookup(gocmd.SavedGoflags)
	if !ok {
		return nil
	}
	lines := []string{sh.set("GOFLAGS", saved), sh.unset(gocmd.SavedGoflags)}
	if saved == "" {
		lines[0] = sh.unset("GOFLAGS")
	}
	if own, err := openCache(d.Environ); err == nil && d.Environ.Get(modcacheVariable) == own.modules() {
		lines = append(lines, sh.unset(modcacheVariable))
	}
	return lines
}

func (d *door) print(lines []string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(d.Streams.Out, line); err != nil {
			return err
		}
	}
	return nil
}

// shell writes assignments in one shell's language.
type shell struct {
	setFormat, unsetFormat string
	quote                  func(string) string
}

func (s shell) set(name, value string) string { return fmt.Sprintf(s.setFormat, name, s.quote(value)) }
func (s shell) unset(name string) string      { return fmt.Sprintf(s.unsetFormat, name) }

var shells = map[string]shell{
	"sh": {"export %s=%s", "unset %s", func(text string) string {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}},
	"fish": {"set -gx %s %s", "set -e %s", func(text string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
	}},
	"powershell": {"$env:%s = %s", "Remove-Item -ErrorAction Ignore Env:%s", func(text string) string {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}},
}
