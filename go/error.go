package goat

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"

	"github.com/goat-trace/goat/go/internal/native"
)

// Code is the class of an [Error], a snake_case word that programs can rely on.
type Code string

// The codes. Those up to CodeInternal come from the core, the others from Go.
const (
	CodeBadRequest            Code = "bad_request"
	CodeBadConfig             Code = "bad_config"
	CodeNotARepository        Code = "not_a_repository"
	CodeUnknownRef            Code = "unknown_ref"
	CodeMissingObjects        Code = "missing_objects"
	CodeDubiousOwnership      Code = "dubious_ownership"
	CodeUnsupportedRepository Code = "unsupported_repository"
	CodeGit                   Code = "git"
	CodeNoGoMod               Code = "no_go_mod"
	CodeUnreadable            Code = "unreadable"
	CodeUnwritable            Code = "unwritable"
	CodeBadMarks              Code = "bad_marks"
	CodePlanMismatch          Code = "plan_mismatch"
	CodeCancelled             Code = "cancelled"
	CodeInternal              Code = "internal"
	// CodeNoDump is a source that holds no goroutine, crash, race or goroutine profile.
	CodeNoDump Code = "no_dump"
	// CodeNoProfile is a source that is no profile of pprof, or none of the kind of the others.
	CodeNoProfile Code = "no_profile"
	// CodeNoTimings is a source that holds no log of a build.
	CodeNoTimings Code = "no_timings"

	// CodeCoreMissing says that this program was built without the Rust core.
	CodeCoreMissing Code = "core_missing"
	// CodeUsage is a wrong flag, argument or environment variable.
	CodeUsage Code = "usage"
	// CodeToolchain is a go command that is missing or failed.
	CodeToolchain Code = "toolchain"
	// CodeNetwork is a source that did not answer.
	CodeNetwork Code = "network"
	// CodeStalePlan is a source file that changed after the plan was made.
	CodeStalePlan Code = "stale_plan"
)

// Error is every error of this package: what happened, where, and what to do.
// Get at it with [errors.As].
type Error struct {
	// Code is the class.
	Code Code `json:"code"`
	// Message says what happened, in one sentence.
	Message string `json:"message"`
	// Hint says what to do, a command where one helps; it may be empty.
	Hint string `json:"hint"`
	// Path is the file or directory concerned; it may be empty.
	Path string `json:"path"`
	// Causes are underlying messages, outermost first.
	Causes []string `json:"causes,omitempty"`

	err error
}

// Error returns the message with its causes, without the hint.
func (e *Error) Error() string {
	if len(e.Causes) == 0 {
		return e.Message
	}
	return e.Message + ": " + strings.Join(e.Causes, ": ")
}

// Unwrap returns the Go error underneath, such as [context.Canceled], if there is one.
func (e *Error) Unwrap() error { return e.err }

// Wrap returns a copy of e with err underneath: its text is the last cause and
// [errors.Is] finds it.
func (e *Error) Wrap(err error) *Error {
	if err == nil {
		return e
	}
	text := err.Error()
	var place *fs.PathError
	if errors.As(err, &place) && place.Path == e.Path {
		text = place.Err.Error() // the path is named already
	}
	wrapped := *e
	wrapped.Causes = append(append([]string(nil), e.Causes...), text)
	wrapped.err = err
	return &wrapped
}

// Is reports whether target is an Error of the same code without a message, so that
// errors.Is(err, &goat.Error{Code: goat.CodeUnknownRef}) asks for the class.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Message == "" && t.Code == e.Code
}

func coreMissing(err error) *Error {
	e := &Error{Code: CodeCoreMissing, Message: err.Error(), err: err}
	e.Hint = "use a goat built with the core: `make install` in goat's repository (needs a C compiler and Rust)"
	return e
}

// decodeError reads the error of an answer. An answer that is not what the
// contract says is an internal error, never a silent success.
func decodeError(answer []byte, status native.Status) *Error {
	var envelope struct {
		Error *Error `json:"error"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil || envelope.Error == nil {
		e := &Error{Code: CodeInternal, Message: "the core gave an answer that is not an error document"}
		e.Hint = "this is a defect of goat, please report it"
		return e.Wrap(err)
	}
	if status == native.StatusPanic && envelope.Error.Hint == "" {
		envelope.Error.Hint = "this is a defect of goat, please report it"
	}
	return envelope.Error
}

// asError returns err as an *Error; the class of an unknown one is internal.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var unavailable *native.Unavailable
	if errors.As(err, &unavailable) {
		return coreMissing(err)
	}
	return &Error{Code: CodeInternal, Message: err.Error(), err: err}
}
