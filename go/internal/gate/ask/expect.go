package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Expect is what an answer must be like. A value is taken literally; /.../ is a regular
// expression; <5, <=5, >5 and >=5 compare numbers; * is anything that is there.
type Expect struct {
	Status int               `key:"status" help:"status of the answer" min:"100" max:"599"`
	Header map[string]string `key:"header" help:"value of a response header"`
	Body   string            `key:"body" help:"text that the body contains, or /REGEXP/"`
	JSON   map[string]string `key:"json" help:"value at a path of the JSON body, as status.db or items[0].name"`
}

// Validate compiles what is to be compiled.
func (e *Expect) Validate() error {
	for _, value := range e.all() {
		if pattern, is := regular(value); is {
			if _, err := regexp.Compile(pattern); err != nil {
				return fmt.Errorf("%s: %w", value, err)
			}
		}
	}
	for path := range e.JSON {
		if _, err := ParsePath(path); err != nil {
			return err
		}
	}
	return nil
}

func (e *Expect) all() []string {
	all := []string{e.Body}
	for _, value := range e.Header {
		all = append(all, value)
	}
	for _, value := range e.JSON {
		all = append(all, value)
	}
	return all
}

// Empty tells whether nothing is expected.
func (e *Expect) Empty() bool {
	return e == nil || e.Status == 0 && !e.Tells()
}

// Tells tells whether the expectation can tell one server from another: by more than the
// status.
func (e *Expect) Tells() bool {
	return e != nil && (len(e.Header) > 0 || e.Body != "" || len(e.JSON) > 0)
}

// Part is one expectation, held against an answer.
type Part struct {
	What string // header X-Version
	Want string
	Got  string // "" where there is none
	OK   bool
}

func (p *Part) String() string {
	switch {
	case p.OK:
		return fmt.Sprintf("%s is %s", p.What, quoted(p.Got))
	case p.Got == "":
		return fmt.Sprintf("%s is missing, expected %s", p.What, quoted(p.Want))
	}
	return fmt.Sprintf("%s is %s, expected %s", p.What, quoted(p.Got), quoted(p.Want))
}

func quoted(text string) string {
	if _, err := strconv.Atoi(text); err == nil {
		return text
	}
	const most = 120
	if len(text) > most {
		for text = text[:most]; !utf8.ValidString(text); text = text[:len(text)-1] {
		}
		text += "…"
	}
	return strconv.Quote(text)
}

// Against holds the expectation against an answer, part by part.
func (e *Expect) Against(a *Answer) []Part {
	var parts []Part
	if e.Status != 0 {
		parts = append(parts, Part{"status", strconv.Itoa(e.Status), StatusText(a), a.Status == e.Status})
	}
	for _, name := range sorted(e.Header) {
		got := strings.Join(a.Header.Values(name), ", ")
		parts = append(parts, Part{"header " + name, e.Header[name], got, agrees(e.Header[name], got)})
	}
	if e.Body != "" {
		pattern, is := regular(e.Body)
		ok := strings.Contains(string(a.Body), e.Body)
		if is {
			ok, _ = regexp.Match(pattern, a.Body)
		}
		parts = append(parts, Part{"body", e.Body, string(a.Body), ok})
	}
	return append(parts, e.againstJSON(a)...)
}

func (e *Expect) againstJSON(a *Answer) []Part {
	if len(e.JSON) == 0 {
		return nil
	}
	var document any
	err := json.Unmarshal(a.Body, &document)
	var parts []Part
	for _, name := range sorted(e.JSON) {
		part := Part{What: name, Want: e.JSON[name]}
		if err != nil {
			part.What, part.Got = name+" of a body that is no JSON", string(a.Body)
		} else if path, bad := ParsePath(name); bad == nil {
			values := path.Find(document)
			for _, value := range values {
				part.Got = Word(value)
				if part.OK = agrees(part.Want, part.Got); !part.OK {
					break
				}
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// StatusText is the status, and where a redirect leads.
func StatusText(a *Answer) string {
	if to := a.Header.Get("Location"); a.Status >= 300 && a.Status < 400 && to != "" {
		return fmt.Sprintf("%d to %s, which is not followed", a.Status, to)
	}
	return strconv.Itoa(a.Status)
}

// Matches tells whether all parts agree, and names the first that does not.
func (e *Expect) Matches(a *Answer) (bool, string) {
	if e.Status == 0 && a.Status >= 300 {
		return false, "status is " + StatusText(a)
	}
	for _, part := range e.Against(a) {
		if !part.OK {
			return false, part.String()
		}
	}
	return true, ""
}

// Words says what is expected.
func (e *Expect) Words() string {
	var parts []string
	if e.Status != 0 {
		parts = append(parts, "status "+strconv.Itoa(e.Status))
	}
	for _, name := range sorted(e.Header) {
		parts = append(parts, fmt.Sprintf("header %s %s", http.CanonicalHeaderKey(name), quoted(e.Header[name])))
	}
	if e.Body != "" {
		parts = append(parts, "body "+quoted(e.Body))
	}
	for _, name := range sorted(e.JSON) {
		parts = append(parts, name+" "+quoted(e.JSON[name]))
	}
	return strings.Join(parts, ", ")
}

func sorted(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func regular(value string) (string, bool) {
	if len(value) > 2 && value[0] == '/' && value[len(value)-1] == '/' {
		return value[1 : len(value)-1], true
	}
	return "", false
}

// agrees holds a value against what is wanted.
func agrees(want, got string) bool {
	if pattern, is := regular(want); is {
		ok, err := regexp.MatchString(pattern, got)
		return ok && err == nil
	}
	if want == "*" {
		return got != ""
	}
	if ok, err := compares(want, got); err == nil {
		return ok
	}
	return want == got
}

var errNoComparison = errors.New("no comparison")

func compares(want, got string) (bool, error) {
	for _, operator := range []string{"<=", ">=", "<", ">"} {
		limit, is := strings.CutPrefix(want, operator)
		if !is {
			continue
		}
		bound, err := strconv.ParseFloat(strings.TrimSpace(limit), 64)
		if err != nil {
			return false, errNoComparison
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(got), 64)
		if err != nil {
			return false, nil
		}
		switch operator {
		case "<=":
			return value <= bound, nil
		case ">=":
			return value >= bound, nil
		case "<":
			return value < bound, nil
		}
		return value > bound, nil
	}
	return false, errNoComparison
}
