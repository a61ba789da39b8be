package goat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/goat-trace/goat/go/internal/native"
	"github.com/goat-trace/goat/go/internal/self"
)

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
	envelope := struct {
		Result any `json:"result"`
	}{result}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		e := &Error{Code: CodeInternal, Message: "the core gave an answer that cannot be read"}
		e.Hint = "this is a defect of goat, please report it"
		return e.Wrap(err)
	}
	return nil
}

// wireOptions is Options as the core reads them; it refuses fields that it does not know.
type wireOptions struct {
	wireHead
	Goat        Identity     `json:"goat"`
	Dir         string       `json:"dir"`
	Base        string       `json:"base"`
	Release     string       `json:"release"`
	Range       Range        `json:"range"`
	Precision   Precision    `json:"precision"`
	Granularity Granularity  `json:"granularity"`
	Exact       bool         `json:"exact"`
	Config      Config       `json:"config"`
	Build       *Build       `json:"build"`
	Deps        []Dependency `json:"deps"`
	OutDir      string       `json:"outDir"`
	Brief       bool         `json:"brief"`
	MemoDir     string       `json:"memoDir"`
}

func planRequest(options *Options) (*wireOptions, error) {
	dir, err := absolute(options.Dir)
	if err != nil {
		return nil, err
	}
	out, memo := options.OutDir, options.MemoDir
	for _, dir := range []*string{&out, &memo} {
		if *dir == "" {
			continue
		}
		if *dir, err = absolute(*dir); err != nil {
			return nil, err
		}
	}
	return &wireOptions{
		wireHead: head("plan"), Goat: Identity{Version: self.Version(), Commit: self.Commit()}, Dir: dir, Base: options.Base, Release: options.Release,
		Range: orDefault(options.Range, RangeMergeBase), Precision: orDefault(options.Precision, PrecisionRenames),
		Granularity: orDefault(options.Granularity, GranularityPatch), Exact: options.Exact,
		Config: options.Config, Build: options.Build, Deps: options.Deps, OutDir: out,
		Brief: options.Brief, MemoDir: memo,
	}, nil
}

// absolute is a directory as the core takes it. JSON has no way to say a path that is not
// UTF-8, so such a one is refused rather than guessed.
func absolute(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	e := &Error{Code: CodeUnreadable, Message: "the directory has no absolute path", Path: dir}
	if err != nil {
		return "", e.Wrap(err)
	}
	if !utf8.ValidString(path) {
		e.Message, e.Path = fmt.Sprintf("the directory's path %q is not UTF-8", path), ""
		e.Hint = "move the repository to a path that is UTF-8"
		return "", e
	}
	return path, nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func decodePlan(answer []byte) (*Result, error) {
	result := &Result{}
	if err := decodeResult(answer, result); err != nil {
		return nil, err
	}
	if result.Format != Format {
		return nil, &Error{
			Code: CodePlanMismatch, Message: fmt.Sprintf("the core writes plans of format %d, not %d", result.Format, Format),
			Hint: "rebuild with the same goat: `make core`",
		}
	}
	result.answer = answer
	return result, nil
}

// wholeResult is the plan in an answer as the core begins and ends them; nil where it
// begins or ends another way, which is for [decodePlan] to understand or to refuse.
func wholeResult(answer []byte) json.RawMessage {
	head := fmt.Sprintf(`{"format":%d,`, Format)
	rest, framed := bytes.CutPrefix(answer, []byte(`{"result":`))
	result, ended := bytes.CutSuffix(rest, []byte("}"))
	if !framed || !ended || !bytes.HasPrefix(result, []byte(head)) {
		return nil
	}
	return result
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

// wireHead is what every request of a long operation begins with.
type wireHead struct {
	Format     int    `json:"format"`
	Op         string `json:"op"`
	ControlFd  int    `json:"controlFd"`
	ProgressFd int    `json:"progressFd"`
}

func head(op string) wireHead { return wireHead{Format: Format, Op: op, ControlFd: -1, ProgressFd: -1} }

func (h *wireHead) pipes() (control, progress *int) { return &h.ControlFd, &h.ProgressFd }

// list is never null on the wire: the core takes lists.
func list[T any](values []T) []T { return append([]T{}, values...) }

// runDocument runs a request, fills result with the answer, and returns the answer as the
// core wrote it.
func runDocument(ctx context.Context, request piped, result any) (json.RawMessage, error) {
	answer, err := runAbandoned(ctx, request, nil)
	if err != nil {
		return nil, err
	}
	var document json.RawMessage
	if err := decodeResult(answer, &document); err != nil {
		return nil, err
	}
	return document, decodeResult(answer, result)
}

// patience is how long a plan that was cancelled may take to stop. The core asks step by step
// whether to go on, but what it leaves to C, git's line differ above all, comes to its end first.
const patience = 500 * time.Millisecond

// runAbandoned is runControlled for a request that writes nothing once it was cancelled: it
// does not wait for longer than [patience], and leaves the core to come to its end alone.
func runAbandoned(ctx context.Context, request piped, progress func(Progress)) ([]byte, error) {
	type answer struct {
		text []byte
		err  error
	}
	if progress != nil {
		steps := &muted{to: progress}
		defer steps.mute()
		progress = steps.step
	}
	done := make(chan answer, 1)
	go func() {
		text, err := runControlled(ctx, request, progress)
		done <- answer{text, err}
	}()
	var late <-chan time.Time
	stopped := ctx.Done()
	for {
		select {
		case a := <-done:
			return a.text, a.err
		case <-stopped:
			stopped, late = nil, time.After(patience)
		case <-late:
			return nil, cancelled(ctx.Err())
		}
	}
}

// muted passes steps on until it is told to stop.
type muted struct {
	mu sync.Mutex
	to func(Progress)
}

func (m *muted) step(p Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.to != nil {
		m.to(p)
	}
}

func (m *muted) mute() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.to = nil
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
