package render

import (
	"encoding/xml"
	"fmt"
	"path"
	"strconv"
	"time"

	"github.com/goat-trace/goat/go/internal/report"
)

const coberturaHead = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
`

type coberturaRates struct {
	LineRate   string `xml:"line-rate,attr"`
	BranchRate string `xml:"branch-rate,attr"`
	Complexity string `xml:"complexity,attr"`
}

type cobertura struct {
	XMLName xml.Name `xml:"coverage"`
	coberturaRates
	LinesCovered    int                `xml:"lines-covered,attr"`
	LinesValid      int                `xml:"lines-valid,attr"`
	BranchesCovered int                `xml:"branches-covered,attr"`
	BranchesValid   int                `xml:"branches-valid,attr"`
	Version         string             `xml:"version,attr"`
	Timestamp       int64              `xml:"timestamp,attr"`
	Sources         []string           `xml:"sources>source"`
	Packages        []coberturaPackage `xml:"packages>package"`
}

type coberturaPackage struct {
	Name string `xml:"name,attr"`
	coberturaRates
	Classes []coberturaClass `xml:"classes>class"`
	// covered and valid are lines.
	covered, valid int
}

type coberturaClass struct {
	Name     string `xml:"name,attr"`
	Filename string `xml:"filename,attr"`
	coberturaRates
	Methods struct{}        `xml:"methods"`
	Lines   []coberturaLine `xml:"lines>line"`
	covered int
}

type coberturaLine struct {
	Number int    `xml:"number,attr"`
	Hits   int    `xml:"hits,attr"`
	Branch string `xml:"branch,attr"`
	// Condition says how many of several points ran; such a line is hit when all did.
	Condition string `xml:"condition-coverage,attr,omitempty"`
}

// Cobertura is the XML of Cobertura (coverage-04.dtd), a class for each file, with paths
// relative to the repository. A line is hit when all of its points ran.
func Cobertura(d *report.Document) ([]byte, error) {
	hit := map[string]bool{}
	for i := range d.Points {
		hit[d.Points[i].ID] = d.Points[i].Hit
	}
	c := cobertura{Version: "goat " + d.Goat.Version, Timestamp: newest(d), Sources: []string{"."}}
	packages := map[string]int{}
	names := importNames(d)
	for _, line := range Lines(d) {
		name := path.Dir(names[line.File])
		at, known := packages[name]
		if !known {
			at = len(c.Packages)
			packages[name] = at
			c.Packages = append(c.Packages, coberturaPackage{Name: name})
		}
		c.Packages[at].add(&line, hit)
	}
	for i := range c.Packages {
		p := &c.Packages[i]
		for j := range p.Classes {
			p.Classes[j].coberturaRates = rates(p.Classes[j].covered, len(p.Classes[j].Lines))
		}
		p.coberturaRates = rates(p.covered, p.valid)
		c.LinesCovered += p.covered
		c.LinesValid += p.valid
	}
	c.coberturaRates = rates(c.LinesCovered, c.LinesValid)
	text, err := xml.MarshalIndent(&c, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(coberturaHead), append(text, '\n')...), nil
}

// add appends a line; lines come file by file.
func (p *coberturaPackage) add(line *report.Line, hit map[string]bool) {
	if n := len(p.Classes); n == 0 || p.Classes[n-1].Filename != line.File {
		p.Classes = append(p.Classes, coberturaClass{Name: path.Base(line.File), Filename: line.File})
	}
	class := &p.Classes[len(p.Classes)-1]
	l := coberturaLine{Number: line.Line, Branch: "false"}
	if line.Reached == "all" {
		l.Hits = 1
		class.covered++
		p.covered++
	}
	if n := len(line.Points); n > 1 {
		ran := 0
		for _, id := range line.Points {
			if hit[id] {
				ran++
			}
		}
		l.Branch, l.Condition = "true", fmt.Sprintf("%d%% (%d/%d)", ran*100/n, ran, n)
	}
	p.valid++
	class.Lines = append(class.Lines, l)
}

func rates(covered, valid int) coberturaRates {
	rate := 1.0
	if valid > 0 {
		rate = float64(covered) / float64(valid)
	}
	return coberturaRates{LineRate: strconv.FormatFloat(rate, 'g', 6, 64), BranchRate: "0", Complexity: "0"}
}

// newest is the last moment that the report tells of, in milliseconds: a document has no
// other clock.
func newest(d *report.Document) int64 {
	last := int64(0)
	note := func(t *time.Time) {
		if t != nil {
			last = max(last, t.UnixMilli())
		}
	}
	for i := range d.Instances {
		note(d.Instances[i].Started)
	}
	for i := range d.Points {
		note(d.Points[i].FirstHit)
		note(d.Points[i].LastHit)
	}
	return last
}
