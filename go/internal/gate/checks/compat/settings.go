// Package compat asks whether the release breaks those who use the base: its OpenAPI
// documents and .proto files, the exported API of its Go packages, its module
// requirements, and what two binaries were really built of. Both sides come from git;
// nothing is checked out, and nothing is downloaded.
package compat

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/gate/settings"
)

// Settings are those of the check.
type Settings struct {
	Base            string   `key:"base" help:"what the release must be compatible with, a ref; otherwise the base that goat plan takes"`
	OpenAPI         []string `key:"openapi" help:"OpenAPI 3 documents, paths from the repository's root, with globs"`
	Protobuf        []string `key:"protobuf" help:"directories of .proto files, from the repository's root, as import paths begin there: proto, services/*/proto, or etcd/api=api where import paths have something in front"`
	ProtobufImports []string `key:"protobufImports" help:"further directories of the repository in which .proto files are imported from"`
	ProtobufAbsent  []string `key:"protobufAbsent" help:"imports that are not in the repository, with globs: google/api/*.proto, gogoproto/**; their types count by name"`
	Rules           []string `key:"rules" help:"rules of protobuf, by the names that buf gives them: the groups FILE, PACKAGE, WIRE_JSON, WIRE, CSR, and single rules (FILE)"`
	API             []string `key:"api" help:"Go packages that others import, as ./pkg/..., from the repository's root"`
	Modules         bool     `key:"modules" help:"whether the requirements of go.mod are compared"`
	Binary          Binary   `key:"binary" help:"two binaries: what they were built of is compared"`
	Level           string   `key:"level" oneof:"breaking,warning" help:"which findings fail (breaking)"`
	Ignore          []Ignore `key:"ignore" help:"findings that are meant"`
}

// Binary names the binaries that run.
type Binary struct {
	Old string `key:"old" help:"the stable binary"`
	New string `key:"new" help:"the binary of the release"`
}

// Ignore is a finding that is meant. What is empty matches everything.
type Ignore struct {
	ID    string        `key:"id" help:"id of the finding, with globs: api.object.*; of protobuf also the rule: FIELD_SAME_NAME"`
	Place string        `key:"place" help:"file or subject of the finding, with globs"`
	Why   string        `key:"why" help:"why it may be, which reports repeat"`
	Until settings.Date `key:"until" help:"the last day on which that holds"`
}

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() { s.Level, s.Rules = breaking, []string{"FILE"} }

// Validate refuses what cannot be compared.
func (s *Settings) Validate() error {
	switch {
	case (s.Binary.Old == "") != (s.Binary.New == ""):
		return errors.New("binary needs both old and new")
	case len(s.OpenAPI)+len(s.Protobuf)+len(s.API) == 0 && !s.Modules && s.Binary.New == "":
		return errors.New("nothing is compared: set openapi, protobuf, api, modules or binary")
	}
	for i, name := range s.OpenAPI {
		clean := path.Clean(strings.TrimPrefix(name, "./"))
		if path.IsAbs(name) || clean == ".." || strings.HasPrefix(clean, "../") {
			return fmt.Errorf("openapi: %s is not below the repository's root", name)
		}
		s.OpenAPI[i] = clean
	}
	for _, root := range append(append([]string(nil), s.Protobuf...), s.ProtobufImports...) {
		if dir := directory(root); path.IsAbs(dir) || dir == ".." || strings.HasPrefix(dir, "../") {
			return fmt.Errorf("protobuf: %s is not below the repository's root", root)
		}
	}
	if len(s.Protobuf) > 0 && len(s.Rules) == 0 {
		return errors.New("rules: name a group of rules, as FILE or WIRE_JSON")
	}
	if at := slices.IndexFunc(s.API, func(p string) bool { return strings.HasPrefix(p, "-") || strings.HasPrefix(p, "../") }); at >= 0 {
		return fmt.Errorf("api: %s is no package below the repository's root; write ./pkg/... for all below pkg", s.API[at])
	}
	for _, i := range s.Ignore {
		if i.ID == "" && i.Place == "" {
			return errors.New("ignore: an entry without id and place would ignore everything")
		}
		if i.Why == "" {
			return fmt.Errorf("ignore: say why %s may be", strings.TrimSpace(i.ID+" "+i.Place))
		}
	}
	return nil
}
