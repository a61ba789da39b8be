package goat

import (
	"context"
	"unicode/utf8"
)

// Span is a half-open range of a file.
type Span struct {
	Start Position `json:"start"`
	End   Position `json:"end"`
}

// Function is a function declaration, method or function literal.
type Function struct {
	// Name is F, (*T).M or T.M; a literal has the name of the declaration around it.
	Name string `json:"name"`
	Span Span   `json:"span"`
	// Literal says that it is a function literal.
	Literal bool `json:"literal"`
	// Nosplit says that a directive such as //go:nosplit forbids points.
	Nosplit bool `json:"nosplit"`
	// Body is an index into FileSyntax.Blocks; nil for a function without a body.
	Body *int `json:"body"`
}

// Block is a statement list: a body, a branch, a clause.
type Block struct {
	// Function is an index into FileSyntax.Functions.
	Function int `json:"function"`
	// Kind is body, then, else, elseif, loop, case, comm or bare.
	Kind string `json:"kind"`
	Span Span   `json:"span"`
	// Statements are indexes into FileSyntax.Statements.
	Statements []int `json:"statements"`
}

// Statement is one statement of a block.
type Statement struct {
	// Block is an index into FileSyntax.Blocks.
	Block int    `json:"block"`
	Kind  string `json:"kind"`
	Span  Span   `json:"span"`
	// Blocks are the statement lists inside it, Literals the function literals.
	Blocks   []int `json:"blocks"`
	Literals []int `json:"literals"`
}

// SyntaxError is a part of a file that does not parse. The rest is read all the same.
type SyntaxError struct {
	At   Position `json:"at"`
	Span Span     `json:"span"`
}

// FileSyntax is a Go file as goat sees it.
type FileSyntax struct {
	Package    string        `json:"package"`
	Imports    []string      `json:"imports"`
	Functions  []Function    `json:"functions"`
	Blocks     []Block       `json:"blocks"`
	Statements []Statement   `json:"statements"`
	Errors     []SyntaxError `json:"errors"`
}

// Inspect reads one Go file. A file that does not parse is no error: its damaged parts
// stand in FileSyntax.Errors.
func Inspect(ctx context.Context, source []byte) (*FileSyntax, error) {
	if err := checkText(source); err != nil {
		return nil, err
	}
	file := &FileSyntax{}
	request := map[string]any{"format": Format, "op": "inspect", "source": string(source)}
	if err := call(ctx, request, file); err != nil {
		return nil, err
	}
	return file, nil
}

// checkText refuses what JSON would change in silence.
func checkText(source []byte) error {
	if utf8.Valid(source) {
		return nil
	}
	return &Error{
		Code: CodeBadRequest, Message: "the source is not UTF-8, so it is not Go",
		Hint: "convert the file to UTF-8",
	}
}
