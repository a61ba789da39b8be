package goat

import "context"

// Required is a module that the base required.
type Required struct {
	// Path is the module path, as packages import it.
	Path    string `json:"path"`
	Version string `json:"version"`
	// NewPath and NewVersion are what took its place by replace; NewVersion is empty
	// for a directory.
	NewPath    string `json:"newPath"`
	NewVersion string `json:"newVersion"`
}

// BaseRequirements is what the base's go.mod files say, for finding the modules that
// the release upgrades ([Options].Deps).
type BaseRequirements struct {
	// Commit is the base's.
	Commit string `json:"commit"`
	// Modules are sorted by path; of a workspace whose modules do not agree, one path
	// stands several times.
	Modules []Required `json:"modules"`
	// Sums are the base's go.sum files.
	Sums string `json:"sums"`
}

// Requirements reads what the base of a plan required.
func Requirements(ctx context.Context, options Options) (*BaseRequirements, error) {
	request, err := planRequest(&options)
	if err != nil {
		return nil, err
	}
	request.Op = "requirements"
	answer, err := runAbandoned(ctx, request, nil)
	if err != nil {
		return nil, err
	}
	result := &BaseRequirements{}
	if err := decodeResult(answer, result); err != nil {
		return nil, err
	}
	return result, nil
}
