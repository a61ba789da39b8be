package slo

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
)

var variables = regexp.MustCompile(`\$(canary|stable|window)\b`)

// variable tells whether a query mentions one.
func variable(query, name string) bool {
	for _, found := range variables.FindAllStringSubmatch(query, -1) {
		if found[1] == name {
			return true
		}
	}
	return false
}

// fill puts the matchers of a side for $canary, those of the stable side for $stable, and
// the window. Matchers directly behind a name get their braces.
func (s *Settings) fill(query, canary string) string {
	var b strings.Builder
	end := 0
	for _, at := range variables.FindAllStringSubmatchIndex(query, -1) {
		b.WriteString(query[end:at[0]])
		end = at[1]
		value := seconds(s.Window)
		switch query[at[2]:at[3]] {
		case "canary":
			value = braced(query[:at[0]], canary)
		case "stable":
			value = braced(query[:at[0]], s.Stable)
		}
		b.WriteString(value)
	}
	return b.String() + query[end:]
}

func braced(before, value string) string {
	before = strings.TrimRight(before, " \t\n")
	if before != "" && (before[len(before)-1] == '{' || before[len(before)-1] == ',') {
		return value
	}
	return "{" + value + "}"
}

// seconds is a duration as PromQL has it; part of a second counts as a whole one.
func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(math.Ceil(d.Seconds()))) }

// selector is a range selector with $canary in it.
var selector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{([^{}]*\$canary\b[^{}]*)\}|\$canary\b)\s*\[`)

// failing are names and matchers that count less than all requests.
var (
	failing = regexp.MustCompile(`(?i)error|fail|panic|exception|reject|timeout`)
	chosen  = regexp.MustCompile(`\b(code|status|status_code|response_code|grpc_code|le|quantile|result|outcome)\s*[!=]`)
)

// traffic are queries that count the requests behind a query: the increase of its
// counters, as far as they count all requests. nil where none does.
func traffic(query string) []string {
	var queries []string
	seen := map[string]bool{}
	for _, found := range selector.FindAllStringSubmatch(query, -1) {
		name, inside := found[1], found[2]
		if inside == "" {
			inside = "$canary"
		}
		if failing.MatchString(name) || chosen.MatchString(inside) {
			continue
		}
		count := "sum(increase(%s{%s}[$window]))"
		switch base, suffix := split(name); suffix {
		case "total", "count":
		case "bucket", "sum":
			name = base + "_count"
		default:
			if !strings.Contains(query, "histogram_quantile") {
				continue // no counter
			}
			count = "histogram_count(sum(increase(%s{%s}[$window])))"
		}
		counting := fmt.Sprintf(count, name, inside)
		if !seen[counting] {
			queries = append(queries, counting)
		}
		seen[counting] = true
	}
	return queries
}

func split(name string) (base, suffix string) {
	at := strings.LastIndexByte(name, '_')
	if at < 0 {
		return name, ""
	}
	return name[:at], name[at+1:]
}
