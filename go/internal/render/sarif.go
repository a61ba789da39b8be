package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	sarifHome   = "https://github.com/goat-trace/goat"
	// sarifRoot is the usual name of the root that paths are relative to.
	sarifRoot = "%SRCROOT%"
)

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
	Properties sarifSum      `json:"properties"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	SemanticVersion string      `json:"semanticVersion,omitempty"`
	InformationURI  string      `json:"informationUri"`
	Rules           []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	ShortDescription sarifText `json:"shortDescription"`
	FullDescription  sarifText `json:"fullDescription"`
	HelpURI          string    `json:"helpUri"`
	Configuration    struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Properties   sarifPlace        `json:"properties"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact struct {
		URI     string `json:"uri"`
		URIBase string `json:"uriBaseId"`
	} `json:"artifactLocation"`
	Region sarifRegion `json:"region"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
	EndLine   int `json:"endLine"`
}

type sarifLogical struct {
	Name               string `json:"name"`
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// sarifPlace is what SARIF has no field for: the point, and the lines it vouches for.
type sarifPlace struct {
	Point string `json:"point"`
	Lines []int  `json:"lines"`
}

type sarifSum struct {
	Points       int `json:"points"`
	Hit          int `json:"hit"`
	Lines        int `json:"lines"`
	LinesReached int `json:"linesReached"`
}

// sarifKinds are the rules by the kind of point, in the order of the driver's list.
var sarifKinds = []struct {
	kind           goat.Kind
	id, name, what string
}{
	{goat.KindChange, "goat/change-not-run", "ChangeNotRun", "Changed code did not run"},
	{goat.KindDeletion, "goat/deletion-not-run", "DeletionNotRun", "A block that lost code did not run"},
	{goat.KindBranch, "goat/branch-not-run", "BranchNotRun", "A branch of a changed condition was not taken"},
	{goat.KindManual, "goat/manual-not-run", "ManualNotRun", "A point that was set by hand did not run"},
}

// SARIF is the report as SARIF 2.1.0: one result for each changed run that did not run.
// Its fingerprint is the point's id, which does not depend on where the code stands.
func SARIF(d *report.Document) ([]byte, error) {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "goat", SemanticVersion: d.Goat.Version, InformationURI: sarifHome}},
		ColumnKind: "utf16CodeUnits", Results: []sarifResult{},
		Properties: sarifSum{d.Summary.Points, d.Summary.Hit, d.Summary.Lines, d.Summary.LinesReached},
	}
	for _, k := range sarifKinds {
		rule := sarifRule{ID: k.id, Name: k.name, HelpURI: sarifHome + "/blob/main/docs/evidence.md"}
		rule.ShortDescription.Text = k.what
		rule.FullDescription.Text = k.what + " in any of the processes that the report was made of."
		rule.Configuration.Level = "warning"
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	for _, unhit := range Unhit(d) {
		run.Results = append(run.Results, sarifResultOf(&unhit))
	}
	text, err := json.MarshalIndent(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}, "", "  ")
	return append(text, '\n'), err
}

func sarifResultOf(r *Run) sarifResult {
	p, at := r.Point, 0
	for i := range sarifKinds {
		if sarifKinds[i].kind == p.Kind {
			at = i
		}
	}
	result := sarifResult{
		RuleID: sarifKinds[at].id, RuleIndex: at, Level: "warning",
		Message:      sarifText{sarifMessage(r, sarifKinds[at].what)},
		Fingerprints: map[string]string{"goatPoint/v1": p.ID},
		Properties:   sarifPlace{p.ID, append([]int{}, r.Lines...)},
	}
	var location sarifLocation
	location.Physical.Artifact.URI, location.Physical.Artifact.URIBase = pathURI(p.File), sarifRoot
	location.Physical.Region = sarifRegion{r.First(), r.Last()}
	if p.Func != "" {
		location.Logical = []sarifLogical{{p.Func, p.Package + "." + p.Func, "function"}}
	}
	result.Locations = []sarifLocation{location}
	return result
}

func sarifMessage(r *Run, what string) string {
	text := fmt.Sprintf("%s: %s", what, cmp.Or(r.Point.Func, "a package variable"))
	switch {
	case r.Degraded:
		text += " (its package was built without points)"
	case r.Phase != "":
		text += " (only in the phase " + r.Phase + ")"
	}
	return text
}

// pathURI is a slash path as a relative URI reference.
func pathURI(file string) string {
	parts := strings.Split(file, "/")
	for i := range parts {
		// PathEscape keeps ':', which in the first segment would end a scheme.
		parts[i] = strings.ReplaceAll(url.PathEscape(parts[i]), ":", "%3A")
	}
	return strings.Join(parts, "/")
}
