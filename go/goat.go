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
	"context"
	"encoding/json"

	"github.com/goat-trace/goat/go/internal/native"
)

// Format is the number of the documents that this package writes and reads.
const Format = 1

// Plan compares base and release and returns the points and the account. When ctx
// ends, the core stops at its next step and Plan returns an error that wraps ctx.Err().
func Plan(ctx context.Context, options Options) (*Result, error) {
	answer, err := plan(ctx, &options)
	if err != nil {
		return nil, err
	}
	return decodePlan(answer)
}

// PlanDocument plans as [Plan] does and returns the document alone ([Result.Document]):
// that of a large change is not decoded, only to be encoded again.
func PlanDocument(ctx context.Context, options Options) (json.RawMessage, error) {
	answer, err := plan(ctx, &options)
	if err != nil {
		return nil, err
	}
	if document := wholeResult(answer); document != nil && options.OutDir == "" {
		return document, nil
	}
	result, err := decodePlan(answer)
	if err != nil {
		return nil, err
	}
	return result.Document(), nil
}

func plan(ctx context.Context, options *Options) ([]byte, error) {
	request, err := planRequest(options)
	if err != nil {
		return nil, err
	}
	return runAbandoned(ctx, request, options.Progress)
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
