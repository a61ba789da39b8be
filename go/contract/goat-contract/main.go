// Command goat-contract compares two versions of an interface for goat check. It is a
// program of its own because what it stands on asks for a newer Go than goat does.
//
// It reads one JSON request from standard input and writes one JSON answer
// (docs/contract-protocol.md). Exit code 0 also where the answer is an error; 2 when
// there was no request to answer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/goat-trace/goat/go/contract/goapi"
	"github.com/goat-trace/goat/go/contract/openapi"
	"github.com/goat-trace/goat/go/contract/promsource"
	"github.com/goat-trace/goat/go/contract/protocol"
)

// version is goat's; scripts/build links it.
var version = "0.1.0"

// largest is how long a request may be: the Go files of both sides of a large repository.
const largest = 512 << 20

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, in io.Reader, out, problems io.Writer) int {
	if len(args) == 1 && (args[0] == "--version" || args[0] == "version") {
		fmt.Fprintln(out, "goat-contract", version)
		return 0
	}
	if len(args) > 0 {
		fmt.Fprint(problems, usage)
		if args[0] == "--help" || args[0] == "-h" || args[0] == "help" {
			return 0
		}
		return 2
	}
	var request protocol.Request
	if err := json.NewDecoder(io.LimitReader(in, largest)).Decode(&request); err != nil {
		fmt.Fprintf(problems, "goat-contract: no request on standard input: %v\n%s", err, usage)
		return 2
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer(ctx, request)); err != nil {
		fmt.Fprintf(problems, "goat-contract: cannot write the answer: %v\n", err)
		return 2
	}
	return 0
}

const usage = `goat-contract is started by goat check: a JSON request on standard input, a JSON
answer on standard output (docs/contract-protocol.md of goat).
`

// answer answers one request; whatever goes wrong is part of the answer.
func answer(ctx context.Context, request protocol.Request) (said protocol.Answer) {
	said = protocol.Answer{Format: protocol.Format, Version: version, Findings: []protocol.Finding{}}
	defer func() {
		if r := recover(); r != nil {
			said.Error = &protocol.Error{File: request.Path, Message: fmt.Sprintf("goat-contract gave up: %v", r)}
		}
	}()
	if request.Format != protocol.Format {
		said.Error = &protocol.Error{
			Message: fmt.Sprintf("goat-contract %s speaks format %d, not %d", version, protocol.Format, request.Format),
			Hint:    "install goat and goat-contract of one version: make install",
		}
		return said
	}
	var err error
	said.Findings, said.Advice, said.Counts, err = operate(ctx, request)
	var problem *protocol.Error
	switch {
	case errors.As(err, &problem):
		said.Error = problem
	case err != nil:
		said.Error = &protocol.Error{Message: err.Error()}
	}
	if said.Findings == nil {
		said.Findings = []protocol.Finding{}
	}
	if request.Op == protocol.OpVersion {
		said.Ops = []string{protocol.OpVersion, protocol.OpOpenAPI, protocol.OpGoAPI, protocol.OpMetrics}
	}
	return said
}

func operate(ctx context.Context, request protocol.Request) (findings []protocol.Finding, advice string, counts *protocol.Counts, err error) {
	switch request.Op {
	case protocol.OpVersion:
	case protocol.OpOpenAPI:
		findings, err = openapi.Compare(request.Path, request.Base.Text, request.Release.Text)
	case protocol.OpGoAPI:
		findings, advice, err = goapi.Compare(ctx, request.Base.Dir, request.Release.Dir, request.Packages)
	case protocol.OpMetrics:
		counts = &protocol.Counts{}
		findings, *counts, err = promsource.Compare(request.Base.Files, request.Release.Files)
	default:
		err = &protocol.Error{Message: fmt.Sprintf("unknown operation %q", request.Op), Hint: "install goat and goat-contract of one version: make install"}
	}
	return findings, advice, counts, err
}
