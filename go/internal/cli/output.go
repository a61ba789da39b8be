package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/term"

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

// writeDocument writes a document of the core as [writeJSON] would, with the core's own
// fields and order. It may be large: it is indented as it is, not decoded and encoded.
func writeDocument(w io.Writer, document json.RawMessage) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, document, "", "  "); err != nil {
		return err
	}
	indented.WriteByte('\n')
	_, err := printable.JSON(w).Write(indented.Bytes())
	return written(err)
}

// written gives a failure to write to stdout its class.
func written(err error) error {
	if err == nil {
		return nil
	}
	e := &goat.Error{Code: goat.CodeUnwritable, Message: "the output cannot be written", Hint: "make room, or send it elsewhere"}
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
	return text.Looks{Verbose: settings.Verbose, Quiet: settings.Quiet, Colour: a.colour(settings.NoColor), Width: a.width()}
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

// writeWhole writes a file all or not at all; without replace it never overwrites.
func writeWhole(target string, text []byte, replace bool) error {
	e := &goat.Error{Code: goat.CodeUnwritable, Message: filepath.Base(target) + " cannot be written", Path: target}
	e.Hint = "make room and the directory writable, or name another place"
	temp, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return e.Wrap(err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err == nil && replace {
		err = os.Rename(temp.Name(), target)
	} else if err == nil {
		err = os.Link(temp.Name(), target)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			// Some file systems have no hard links.
			err = os.Rename(temp.Name(), target)
		}
	}
	if err != nil {
		return e.Wrap(err)
	}
	return nil
}

// replaceFile gives a file new contents, all or not at all: where they cannot be written
// the old ones stay. A link stays a link; a pipe or a device is written into.
func replaceFile(path string, text []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return writeWhole(path, text, true)
	}
	e := &goat.Error{Code: goat.CodeUnwritable, Message: filepath.Base(path) + " cannot be written", Path: path}
	e.Hint = "name a file"
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return e.Wrap(err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return e.Wrap(err)
	}
	return nil
}

// width is that of the terminal on stdout, 0 without one. COLUMNS says otherwise.
func (a *app) width() int {
	if !isTerminal(a.stdout) {
		return 0
	}
	if n, err := strconv.Atoi(a.getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if file, ok := a.stdout.(*os.File); ok {
		if n, _, err := term.GetSize(int(file.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}
