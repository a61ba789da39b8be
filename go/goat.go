// Package goat finds the code that a change touched and says where a track point
// must stand, so that a running program can tell which of the change really ran.
//
// [Plan] compares two git revisions of a Go module and returns the points and the
// account of every changed line; [Instrument] writes a plan's points into one source
// file; [Inspect] shows how goat sees a file. The work is done by the Rust core,
// linked in with cgo; a program built without it gets errors of [CodeCoreMissing].
//
// All functions may be called from any goroutine at once. The package keeps no
// global state.
package goat

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/goat-trace/goat/go/internal/native"
)

// Format is the number of the documents that this package writes and reads.
const Format = 1

// Plan compares base and release and returns the points and the account. When ctx
// ends, the core stops at its next step and Plan returns an error that wraps ctx.Err().
func Plan(ctx context.Context, options Options) (*Result, error) {
	request, err := planRequest(&options)
	if err != nil {
		return nil, err
	}
	answer, err := runControlled(ctx, request, options.Progress)
	if err != nil {
		return nil, err
	}
	return decodePlan(answer)
}

// InstrumentRequest is one file and its part of a plan.
type InstrumentRequest struct {
	// Source is the original file.
	Source []byte
	// File is its base name, as it stands in Package.
	File string
	// Package is the document p/<H16>.json of the plan directory.
	Package json.RawMessage
	// Exact uses the exact form of every edit, as -race builds need it.
	Exact bool
}

// Instrument returns the source with its points written in. Lines and columns of the
// original stay what they were for the compiler, and nothing but the points is added.
func Instrument(ctx context.Context, request InstrumentRequest) ([]byte, error) {
	if err := checkText(request.Source); err != nil {
		return nil, err
	}
	var result struct {
		Source string `json:"source"`
	}
	err := call(ctx, map[string]any{
		"format": Format, "op": "instrument", "source": string(request.Source),
		"package": request.Package, "file": request.File, "exact": request.Exact,
	}, &result)
	if err != nil {
		return nil, err
	}
	return []byte(result.Source), nil
}

// VersionInfo names the core that is linked in.
type VersionInfo struct {
	Version    string `json:"version"`
	Commit     string `json:"commit"`
	ABI        int    `json:"abi"`
	PlanFormat int    `json:"planFormat"`
	// Stamp is the hash of the core's library.
	Stamp string `json:"stamp,omitempty"`
}

// Version asks the core what it is.
func Version(ctx context.Context) (*VersionInfo, error) {
	var info VersionInfo
	if err := call(ctx, map[string]any{"format": Format, "op": "version"}, &info); err != nil {
		return nil, err
	}
	info.Stamp = native.Stamp()
	return &info, nil
}

// HasCore reports whether the Rust core is linked into this program.
func HasCore() bool { return native.ABI() != 0 }

// call runs a short operation: ctx is looked at before it starts.
func call(ctx context.Context, request map[string]any, result any) error {
	if err := ctx.Err(); err != nil {
		return cancelled(err)
	}
	encoded, err := json.Marshal(request)
	if err != nil {
		return (&Error{Code: CodeBadRequest, Message: "the request cannot be written as JSON"}).Wrap(err)
	}
	answer, err := runCore(encoded)
	if err != nil {
		return err
	}
	return decodeResult(answer, result)
}

func cancelled(err error) *Error {
	return &Error{Code: CodeCancelled, Message: "stopped before the work was done", err: err}
}

// runCore returns the core's answer to a request, or its error.
func runCore(request []byte) ([]byte, error) {
	answer, status, err := native.Run(request)
	if err != nil {
		return nil, asError(err)
	}
	if status != native.StatusOK {
		return nil, decodeError(answer, status)
	}
	return answer, nil
}

func decodeResult(answer []byte, result any) error {
	var envelope struct {
		Result json.RawMessage `json:"result"`
	}
	err := json.Unmarshal(answer, &envelope)
	if err == nil {
		err = json.Unmarshal(envelope.Result, result)
	}
	if err != nil {
		e := &Error{Code: CodeInternal, Message: "the core gave an answer that cannot be read"}
		e.Hint = "this is a defect of goat, please report it"
		return e.Wrap(err)
	}
	return nil
}

// wireOptions is Options as the core reads them; it refuses fields that it does not know.
type wireOptions struct {
	Format      int         `json:"format"`
	Op          string      `json:"op"`
	Dir         string      `json:"dir"`
	Base        string      `json:"base"`
	Release     string      `json:"release"`
	Range       Range       `json:"range"`
	Precision   Precision   `json:"precision"`
	Granularity Granularity `json:"granularity"`
	Exact       bool        `json:"exact"`
	Config      Config      `json:"config"`
	Build       *Build      `json:"build"`
	OutDir      string      `json:"outDir"`
	ControlFd   int         `json:"controlFd"`
	ProgressFd  int         `json:"progressFd"`
}

func (o *wireOptions) pipes() (control, progress *int) { return &o.ControlFd, &o.ProgressFd }

func planRequest(options *Options) (*wireOptions, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, (&Error{Code: CodeUnreadable, Message: "the directory has no absolute path", Path: options.Dir}).Wrap(err)
	}
	return &wireOptions{
		Format: Format, Op: "plan", Dir: dir, Base: options.Base, Release: options.Release,
		Range: orDefault(options.Range, RangeMergeBase), Precision: orDefault(options.Precision, PrecisionRenames),
		Granularity: orDefault(options.Granularity, GranularityPatch), Exact: options.Exact,
		Config: options.Config, Build: options.Build, OutDir: options.OutDir, ControlFd: -1, ProgressFd: -1,
	}, nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func decodePlan(answer []byte) (*Result, error) {
	var envelope struct {
		Result json.RawMessage `json:"result"`
	}
	result := &Result{}
	if err := decodeResult(answer, result); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return nil, asError(err)
	}
	raw, err := withoutFields(envelope.Result, "planDir")
	if err != nil {
		return nil, asError(err)
	}
	result.raw = raw
	return result, nil
}

// withoutFields removes top-level fields and keeps the order of the others.
func withoutFields(object json.RawMessage, names ...string) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteByte('{')
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		if contains(names, key) {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func contains(names []string, key json.Token) bool {
	for _, name := range names {
		if key == name {
			return true
		}
	}
	return false
}

// piped is a request that names the pipes of a long operation.
type piped interface {
	pipes() (control, progress *int)
}

// runControlled runs a long operation: a pipe whose closing tells the core to stop,
// and one on which it writes its progress.
func runControlled(ctx context.Context, request piped, progress func(Progress)) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, cancelled(err)
	}
	control, stop, err := os.Pipe()
	if err != nil {
		return nil, asError(err)
	}
	defer control.Close()
	release := context.AfterFunc(ctx, func() { stop.Close() })
	defer func() {
		release()
		stop.Close()
	}()
	controlFd, progressFd := request.pipes()
	*controlFd, *progressFd = int(control.Fd()), -1
	if progress != nil {
		finish, fd, err := listen(progress)
		if err != nil {
			return nil, asError(err)
		}
		*progressFd = fd
		defer finish()
	}
	encoded, err := json.Marshal(request)
	if err != nil {
		return nil, (&Error{Code: CodeBadRequest, Message: "the options cannot be written as JSON"}).Wrap(err)
	}
	answer, err := runCore(encoded)
	if ctxErr := ctx.Err(); err != nil && ctxErr != nil {
		return nil, cancelled(ctxErr)
	}
	return answer, err
}

// listen reads progress lines from a pipe until its writing end is closed by finish.
func listen(progress func(Progress)) (finish func(), fd int, err error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, -1, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		decoder := json.NewDecoder(reader)
		for {
			var step Progress
			if decoder.Decode(&step) != nil {
				_, _ = io.Copy(io.Discard, reader)
				return
			}
			progress(step)
		}
	}()
	finish = func() {
		writer.Close()
		<-done
		reader.Close()
	}
	return finish, int(writer.Fd()), nil
}
