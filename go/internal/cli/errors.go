package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/child"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/printable"
)

// Exit codes (goat help exit-codes).
const (
	exitDone         = 0
	exitNo           = 1
	exitUsage        = 2
	exitInconclusive = 3
	exitCouldNotLook = 4
	exitInterrupted  = 130
)

// exitStatus ends goat with a code after everything has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// exitCodes gives the code of every error class that is the user's to correct; all
// others mean that goat could not look.
var exitCodes = map[goat.Code]int{
	goat.CodeUsage:        exitUsage,
	goat.CodeBadRequest:   exitUsage,
	goat.CodeBadConfig:    exitUsage,
	goat.CodeUnknownRef:   exitUsage,
	goat.CodeNoGoMod:      exitUsage,
	goat.CodeBadMarks:     exitUsage,
	goat.CodePlanMismatch: exitUsage,
	goat.CodeCancelled:    exitInterrupted,
}

// usage is an error of the command line.
func usage(message, hint string) *goat.Error {
	return &goat.Error{Code: goat.CodeUsage, Message: message, Hint: hint}
}

// asGoatError gives every error a class, so that it can be rendered.
func asGoatError(err error) *goat.Error {
	var e *goat.Error
	known := errors.As(err, &e)
	if what, hint, ok := child.Unrunnable(err); ok {
		return unrunnable(e, what, hint)
	}
	if known {
		return e
	}
	var place *fs.PathError
	if errors.As(err, &place) && place.Op == "write" && place.Path == os.Stdout.Name() {
		errors.As(written(err), &e)
		return e
	}
	if errors.Is(err, context.Canceled) {
		return &goat.Error{Code: goat.CodeCancelled, Message: "stopped"}
	}
	return &goat.Error{Code: goat.CodeInternal, Message: err.Error()}
}

// unrunnable is an error that a file on PATH is behind which cannot be run: to type the
// command by hand, as the error may advise, helps nobody. e may be nil.
func unrunnable(e *goat.Error, what, hint string) *goat.Error {
	if e == nil {
		return &goat.Error{Code: goat.CodeToolchain, Message: what, Hint: hint}
	}
	said := *e
	said.Hint = hint
	said.Causes = slices.Clone(e.Causes)
	if last := len(said.Causes) - 1; last >= 0 {
		said.Causes[last] = what
	}
	return &said
}

// finish renders what a verb returned and gives the exit code.
func (a *app) finish(err error) int {
	var status exitStatus
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	}
	e := asGoatError(err)
	if a.format() == "json" {
		writeErrorJSON(a.stdout, e)
	}
	writeError(a.stderr, e)
	if code, known := exitCodes[e.Code]; known {
		return code
	}
	return exitCouldNotLook
}

// writeError says what happened and what to do, in one line each.
func writeError(w io.Writer, e *goat.Error) {
	line := "goat: " + e.Message
	if e.Path != "" && !names(e.Message, filepath.Base(e.Path)) {
		line += ": " + e.Path
	}
	for _, cause := range e.Causes {
		line += ": " + cause
	}
	fmt.Fprintln(w, printable.Text(strings.ReplaceAll(line, "\n", " ")))
	if e.Hint != "" {
		fmt.Fprintln(w, "hint: "+printable.Text(e.Hint))
	}
}

// names reports whether a message names a file. Names such as empty or dump are words of
// messages as well: they count only where such a message has its name.
func names(message, file string) bool {
	if strings.ContainsAny(file, "./_-0123456789") {
		return strings.Contains(message, file)
	}
	return strings.HasPrefix(message, file+" ") || strings.HasSuffix(message, " in "+file) || strings.Contains(message, `"`+file+`"`)
}

func writeErrorJSON(w io.Writer, e *goat.Error) {
	encoder := json.NewEncoder(printable.JSON(w))
	encoder.SetEscapeHTML(false)
	// A full or closed stdout leaves nothing better to do than the text on stderr.
	_ = encoder.Encode(map[string]any{"error": e})
}

// flagError says in goat's words what pflag found: the flag that was probably meant, or
// what kind of value a flag takes.
func flagError(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		if near := config.Nearest(unknown.GetSpecifiedName(), flagNames(cmd)); near != "" {
			hint = fmt.Sprintf("did you mean --%s?", near)
		}
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		what, example := kindOfValue(flag.Value.Type())
		return usage(fmt.Sprintf("--%s: %q is %s", flag.Name, invalid.GetValue(), what), example)
	}
	return usage(err.Error(), hint)
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	collect := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.Flags().VisitAll(collect)
	cmd.PersistentFlags().VisitAll(collect)
	cmd.InheritedFlags().VisitAll(collect)
	return names
}

// kindOfValue says of a bad value what it is not, and what to use instead.
func kindOfValue(kind string) (what, example string) {
	switch kind {
	case "bool":
		return "neither true nor false", "use 1 or 0"
	case "int":
		return "not a whole number", "use something like 4"
	case "duration":
		return "not a time to wait", "use something like 5s"
	}
	return "not a " + kind, "use a " + kind
}

// isFlagError recognises what pflag says of flags before the verb, which cobra does not
// hand to the function for flag errors.
func isFlagError(err error) bool {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	var syntax *pflag.InvalidSyntaxError
	return errors.As(err, &unknown) || errors.As(err, &invalid) || errors.As(err, &missing) || errors.As(err, &syntax)
}

// noVerb is the root's check of its arguments: whatever is left is not a verb.
func noVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "`goat help` lists the verbs"
	if near := config.Nearest(args[0], verbNames(cmd)); near != "" {
		hint = fmt.Sprintf("did you mean `goat %s`?", near)
	}
	return usage(fmt.Sprintf("unknown verb %q", args[0]), hint)
}

func verbNames(root *cobra.Command) []string {
	var names []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	return names
}

// noArgs refuses arguments of a verb that takes none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(fmt.Sprintf("%s takes no arguments, but got %q", cmd.CommandPath(), args[0]),
		fmt.Sprintf("`%s --help` shows how it is used", cmd.CommandPath()))
}
