package goat

import (
	"context"
)

// RuntimeImportPath stands in [InPlaceOptions.Runtime] for the import path that the
// runtime gets once its place in the module is known.
const RuntimeImportPath = "goat.invalid/goatrt"

// InPlaceOptions are a plan's options and what the sources need to live with it.
type InPlaceOptions struct {
	Options
	// Mains are the programs that start the runtime.
	Mains []Main
	// Runtime is the source of the runtime by path, see [RuntimeImportPath].
	Runtime map[string]string
	// Server links the HTTP server into the mains.
	Server bool
}

// Main is a program to track, as the go command sees it.
type Main struct {
	ImportPath string `json:"importPath"`
	// Dir is absolute.
	Dir string `json:"dir"`
	// Name is that of the package clause.
	Name string `json:"name"`
	// Deps are the import paths of what it links from the repository.
	Deps []string `json:"deps"`
}

// InPlaceResult says what became of the tree.
type InPlaceResult struct {
	// Points is how many points the tree holds; 0 after Clean.
	Points int `json:"points"`
	// Dropped is how many blocks Patch took out because no code of the change is
	// there any more.
	Dropped int `json:"dropped"`
	// PlanHash names the plan that the points are from.
	PlanHash string `json:"planHash"`
	// Files were written, sorted.
	Files []InPlaceFile `json:"files"`
	// Kept is text that goat did not write and therefore left.
	Kept []KeptText `json:"kept"`
	// Left are blocks that Clean could not take out exactly, because the code beside
	// them was changed: their files and what goat generated stay as they are.
	Left []KeptText `json:"left,omitempty"`
	// Warnings are the plan's.
	Warnings []Warning `json:"warnings"`
}

// InPlaceFile is one file of the tree.
type InPlaceFile struct {
	Path string `json:"path"`
	// Action is "marked", "restored", "written" or "removed".
	Action string `json:"action"`
}

// KeptText is a line inside a goat block, or a generated file, that somebody edited.
type KeptText struct {
	Path string `json:"path"`
	// Line is 0 for a whole file.
	Line int    `json:"line"`
	Text string `json:"text"`
}

// Track writes the points of the plan into the sources, all of them or none.
func Track(ctx context.Context, options InPlaceOptions) (*InPlaceResult, error) {
	return runInPlace(ctx, "track", &options)
}

// Patch does what the +goat marks in the sources ask for and numbers the points anew.
func Patch(ctx context.Context, options InPlaceOptions) (*InPlaceResult, error) {
	return runInPlace(ctx, "patch", &options)
}

// Recover undoes what a killed Track, Patch or Clean left half done in dir's
// repository, and names the files that somebody has changed since. Verbs that plan or
// write call it first; it costs nothing where nothing is left. progress, which may be
// nil, hears whom it waits for.
func Recover(ctx context.Context, dir string, progress func(Progress)) (left []string, err error) {
	dir, err = absolute(dir)
	if err != nil {
		return nil, err
	}
	answer, err := runControlled(ctx, &recoverRequest{wireHead: head("recover"), Dir: dir}, progress)
	if err != nil {
		return nil, err
	}
	var result struct{ Left []string }
	err = decodeResult(answer, &result)
	return result.Left, err
}

type recoverRequest struct {
	wireHead
	Dir string `json:"dir"`
}

// Clean takes everything that goat wrote out of the sources; with check it only says
// what that would be.
func Clean(ctx context.Context, dir string, check bool) (*InPlaceResult, error) {
	dir, err := absolute(dir)
	if err != nil {
		return nil, err
	}
	request := &cleanRequest{wireHead: head("clean"), Dir: dir, Check: check}
	return decodeInPlace(runControlled(ctx, request, nil))
}

type cleanRequest struct {
	wireHead
	Dir   string `json:"dir"`
	Check bool   `json:"check"`
}

type inPlaceRequest struct {
	wireHead
	Plan    *wireOptions      `json:"plan"`
	Mains   []Main            `json:"mains"`
	Runtime map[string]string `json:"runtime"`
	Server  bool              `json:"server"`
}

func runInPlace(ctx context.Context, op string, options *InPlaceOptions) (*InPlaceResult, error) {
	plan, err := planRequest(&options.Options)
	if err != nil {
		return nil, err
	}
	request := &inPlaceRequest{
		wireHead: head(op), Plan: plan, Mains: append([]Main{}, options.Mains...), Runtime: options.Runtime,
		Server: options.Server,
	}
	return decodeInPlace(runControlled(ctx, request, options.Progress))
}

func decodeInPlace(answer []byte, err error) (*InPlaceResult, error) {
	if err != nil {
		return nil, err
	}
	result := &InPlaceResult{}
	if err := decodeResult(answer, result); err != nil {
		return nil, err
	}
	return result, nil
}
