package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render/text"
)

// writeJSON writes a document as people and programs read it.
func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(printable.JSON(w))
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return written(encoder.Encode(document))
}

// written gives a failure to write to stdout its class.
func written(err error) error {
	if err == nil {
		return nil
	}
	e := &goat.Error{Code: goat.CodeUnwritable, Message: "the output cannot be written"}
	return e.Wrap(err)
}

// tell writes one line of goat's own to stderr.
func (a *app) tell(format string, args ...any) {
	fmt.Fprintln(a.stderr, "goat: "+printable.Text(fmt.Sprintf(format, args...)))
}

// print writes a text to stdout.
func (a *app) print(text string) error {
	_, err := io.WriteString(a.stdout, text)
	return written(err)
}

// looksOf is how text shall look by the settings.
func (a *app) looksOf(settings *config.Settings) text.Looks {
	return text.Looks{Verbose: settings.Verbose, Quiet: settings.Quiet, Colour: a.colour(settings.NoColor)}
}

// colour decides on colour: a terminal, and nobody said no.
func (a *app) colour(unwanted bool) bool {
	return isTerminal(a.stdout) && !unwanted && a.getenv("TERM") != "dumb"
}

// isTerminal reports whether w is a terminal: a character device other than the null device.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
