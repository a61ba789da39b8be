package render

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/printable"
)

// The JUnit form that CI servers read: one suite, one case per check.
type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *junitMessage `xml:"skipped"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit is the verdict as a JUnit document. What is inconclusive is skipped, unless
// --inconclusive takes it for a failure.
func JUnit(d *gate.Document) ([]byte, error) {
	d = printable.Copy(d)
	s := junitSuite{Name: "goat check", Tests: len(d.Checks), Timestamp: d.GeneratedAt.Format("2006-01-02T15:04:05")}
	longest := int64(0)
	for i := range d.Checks {
		r := &d.Checks[i]
		longest = max(longest, r.DurationMS)
		c := junitCase{Name: CheckName(r), Class: "goat." + r.Check, Time: seconds(r.DurationMS), Out: reasonLines(r)}
		message := &junitMessage{Text: reasonLines(r)}
		if telling := Telling(r); len(telling) > 0 {
			message.Message = ReasonText(&telling[0])
		}
		switch {
		case r.Verdict == gate.Pass:
		case r.Verdict == gate.Error:
			c.Error = message
			s.Errors++
		case r.Verdict == gate.Fail || d.Inconclusive == gate.AsFail:
			c.Failure = message
			s.Failures++
		case d.Inconclusive == gate.Keep:
			c.Skipped = &junitMessage{Message: "inconclusive: " + message.Message}
			s.Skipped++
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = seconds(longest) // the checks ran side by side
	text, err := xml.MarshalIndent(junitSuites{Suite: s}, "", "  ")
	return append([]byte(xml.Header), append(text, '\n')...), err
}

func seconds(ms int64) string { return fmt.Sprintf("%.3f", float64(ms)/1000) }

func reasonLines(r *gate.Result) string {
	var b strings.Builder
	for i := range r.Reasons {
		fmt.Fprintf(&b, "%s: %s\n", r.Reasons[i].Verdict, ReasonText(&r.Reasons[i]))
		if q := r.Reasons[i].Query; q != "" {
			fmt.Fprintf(&b, "  asked: %s\n", q)
		}
	}
	return b.String()
}
