package cli

import (
	"encoding/json"
	"io"
	"os"

	"github.com/goat-trace/goat/go"
)

// writeJSON writes a document as people and programs read it.
func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
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
