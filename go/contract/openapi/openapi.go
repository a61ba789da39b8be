// Package openapi finds what changed between two versions of an OpenAPI document, with
// oasdiff's checks under ids of goat's own.
package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"

	"github.com/goat-trace/goat/go/contract/protocol"
)

// Compare gives the differences of a document, the breaking ones first.
func Compare(path, base, release string) ([]protocol.Finding, error) {
	before, err := read(path, base, "base")
	if err != nil {
		return nil, err
	}
	after, err := read(path, release, "release")
	if err != nil {
		return nil, err
	}
	report, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), before, after)
	if err != nil {
		return nil, &protocol.Error{File: path, Message: "cannot compare: " + err.Error()}
	}
	config := checker.NewConfig(checker.GetAllChecks())
	changes := checker.CheckBackwardCompatibilityUntilLevel(config, report, sources, checker.INFO)
	words := checker.NewDefaultLocalizer()
	findings := make([]protocol.Finding, 0, len(changes))
	for _, change := range changes {
		findings = append(findings, finding(path, change, words))
	}
	slices.SortStableFunc(findings, func(a, b protocol.Finding) int {
		return cmp.Or(
			cmp.Compare(rank(a.Severity), rank(b.Severity)),
			cmp.Compare(a.Place.Line, b.Place.Line),
			strings.Compare(a.Subject, b.Subject),
			strings.Compare(a.ID, b.ID),
			strings.Compare(a.Message, b.Message),
		)
	})
	return findings, nil
}

// errExternal is a reference that leaves the document: neither files nor the network
// are read for a document that somebody else wrote.
var errExternal = errors.New("a $ref leaves the document")

// read parses one side.
func read(path, text, side string) (*load.SpecInfo, error) {
	if strings.TrimSpace(text) == "" {
		return nil, &protocol.Error{Side: side, File: path, Message: "the document is empty"}
	}
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	loader.IsExternalRefsAllowed = false
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		return nil, fmt.Errorf("%w: %s", errExternal, location)
	}
	spec, err := load.NewSpecInfoFromData(loader, []byte(text), path)
	if err != nil {
		return nil, refused(path, text, side, err)
	}
	if spec.Spec.OpenAPI == "" || spec.Spec.Paths == nil && spec.Spec.Webhooks == nil && spec.Spec.Components == nil {
		hint := "name a document with the key openapi: 3.x"
		if swagger.MatchString(text) {
			hint = "it is Swagger 2.0: convert it to OpenAPI 3 first"
		}
		return nil, &protocol.Error{Side: side, File: path, Message: "not an OpenAPI 3 document", Hint: hint}
	}
	return spec, nil
}

// refused says why a side cannot be read, with its line where the parser knows it.
func refused(path, text, side string, err error) *protocol.Error {
	said := &protocol.Error{Side: side, File: path, Message: oneLine(err.Error())}
	if errors.Is(err, errExternal) {
		said.Line = lineOfExternal(text)
		said.Hint = "bundle the document into one file; references that leave it are not followed"
	} else {
		said.Line = lineIn(err.Error())
	}
	return said
}

var (
	lineWord = regexp.MustCompile(`\bline (\d+)`)
	swagger  = regexp.MustCompile(`(?m)^\s*"?swagger"?\s*:`)
	external = regexp.MustCompile(`["']?\$ref["']?\s*:\s*["']?[^#"'\s]`)
)

func lineIn(message string) int {
	if match := lineWord.FindStringSubmatch(message); match != nil {
		n, _ := strconv.Atoi(match[1])
		return n
	}
	return 0
}

func lineOfExternal(text string) int {
	at := external.FindStringIndex(text)
	if at == nil {
		return 0
	}
	return 1 + strings.Count(text[:at[0]], "\n")
}

func finding(path string, change checker.Change, words checker.Localizer) protocol.Finding {
	place := protocol.Place{File: path}
	if at := change.GetRevisionSource(); at != nil && at.Line > 0 {
		place.Line = at.Line
	} else if at := change.GetBaseSource(); at != nil && at.Line > 0 {
		place.Line, place.Base = at.Line, true
	}
	subject := strings.TrimSpace(change.GetOperation() + " " + change.GetPath())
	if subject == "" {
		subject = change.GetSection()
	}
	return protocol.Finding{
		ID: ID(change.GetId()), Rule: change.GetId(), Severity: severity(change.GetLevel()),
		Subject: subject, Message: oneLine(change.GetUncolorizedText(words)), Place: place,
	}
}

func severity(level checker.Level) string {
	switch level {
	case checker.ERR:
		return protocol.Breaking
	case checker.WARN:
		return protocol.Warning
	}
	return protocol.Info
}

func rank(severity string) int {
	return slices.Index([]string{protocol.Breaking, protocol.Warning, protocol.Info}, severity)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
