//go:build go1.21

package pprof

import (
	"strconv"
	"strings"
)

// A dump of goroutines as text is put together anew from what is known of each line; a
// line of any other form is left out.

// counted is the text of debug=1: stacks with their number.
func (r *rules) counted(text string) string {
	var b strings.Builder
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "goroutine profile: total ") && isNumber(line[25:]), line == "":
		case strings.HasPrefix(line, "goroutineleak profile: total ") && isNumber(line[29:]):
		case strings.HasPrefix(line, "# labels: "):
			if line = r.labelLine(line[10:]); line == "" {
				continue
			}
		case strings.HasPrefix(line, "#\t0x"):
			if line = r.frameLine(line); line == "" {
				continue
			}
		case !isStackLine(line):
			continue
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// isStackLine tells `3 @ 0x43a9ee 0x4069cd`.
func isStackLine(line string) bool {
	count, pcs, ok := strings.Cut(line, " @")
	return ok && isNumber(count) && strings.Trim(pcs, " 0123456789abcdefx") == ""
}

// frameLine is `#	0x4069cd	main.f+0x1d	/path/x.go:12`, columns filled up with tabs.
func (r *rules) frameLine(line string) string {
	var columns []string
	for _, column := range strings.Split(line, "\t") {
		if column != "" {
			columns = append(columns, column)
		}
	}
	if len(columns) != 4 || strings.Trim(columns[1], "x0123456789abcdef") != "" {
		return ""
	}
	function, offset := columns[2], ""
	if i := strings.LastIndex(function, "+0x"); i >= 0 {
		function, offset = function[:i], function[i:]
	}
	place := r.place(columns[3], function)
	if place == "" {
		return ""
	}
	return "#\t" + columns[1] + "\t" + r.names.Function(function) + offset + "\t\t" + place
}

// place is `/path/x.go:12`.
func (r *rules) place(text, function string) string {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 || !isNumber(text[colon+1:]) {
		return ""
	}
	return r.names.File(text[:colon], function) + text[colon:]
}

// labelLine keeps of `{"key":"value", "other":"one"}` what may be told.
func (r *rules) labelLine(text string) string {
	var kept []string
	text = strings.TrimPrefix(text, "{")
	for {
		key, rest, ok := quoted(text)
		if !ok || !strings.HasPrefix(rest, ":") {
			break
		}
		value, rest, ok := quoted(rest[1:])
		if !ok {
			break
		}
		if r.keys[key] {
			kept = append(kept, strconv.Quote(key)+":"+strconv.Quote(value))
		}
		text = strings.TrimPrefix(rest, ", ")
	}
	if len(kept) == 0 {
		return ""
	}
	return "# labels: {" + strings.Join(kept, ", ") + "}"
}

func quoted(text string) (value, rest string, ok bool) {
	prefix, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", text, false
	}
	value, err = strconv.Unquote(prefix)
	return value, text[len(prefix):], err == nil
}

// traces is the text of debug=2: each goroutine for itself.
func (r *rules) traces(text string) string {
	var b strings.Builder
	function := ""
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "\t") {
			if line = r.traceFile(line, function); line == "" {
				continue
			}
		} else if line != "" {
			if line, function = r.traceLine(line); line == "" {
				continue
			}
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// unavailable stands in place of the stack of a goroutine that runs.
const unavailable = "\tgoroutine running on other thread; stack unavailable"

// traceFile is `	/path/x.go:12 +0x1d`.
func (r *rules) traceFile(line, function string) string {
	if line == unavailable {
		return line
	}
	place, offset, _ := strings.Cut(line[1:], " +0x")
	if place = r.place(place, function); function == "" || place == "" {
		return ""
	}
	if offset == "" || strings.Trim(offset, "0123456789abcdef") != "" {
		return "\t" + place
	}
	return "\t" + place + " +0x" + offset
}

// traceLine is a head, a call, or who started the goroutine; function is what the next
// line is about.
func (r *rules) traceLine(line string) (kept, function string) {
	switch {
	case strings.HasPrefix(line, "goroutine "):
		return headLine(line), ""
	case strings.HasPrefix(line, "..."):
		count := strings.TrimSuffix(line[3:], " frames elided...")
		if line == "...additional frames elided..." || isNumber(count) {
			return line, ""
		}
		return "", ""
	case strings.HasPrefix(line, "[originating from goroutine ") && strings.HasSuffix(line, "]:"):
		if !isNumber(line[28 : len(line)-2]) {
			return "", ""
		}
		return line, ""
	case strings.HasPrefix(line, "created by "):
		name, by, ok := strings.Cut(line[11:], " in goroutine ")
		if ok && isNumber(by) {
			by = " in goroutine " + by
		} else {
			by = ""
		}
		return "created by " + r.names.Function(name) + by, name
	}
	// The arguments are words of memory.
	end := strings.LastIndexByte(line, '(')
	if end <= 0 || line[len(line)-1] != ')' || strings.IndexByte(line[:end], ' ') >= 0 {
		return "", ""
	}
	name := line[:end]
	return r.names.Function(name) + "(...)", name
}

// headLine is `goroutine 7 [chan receive, 5 minutes]:`; from Go 1.27 on labels may follow
// the state.
func headLine(line string) string {
	number, rest, ok := strings.Cut(line[10:], " [")
	if !ok || !isNumber(number) {
		return ""
	}
	end := strings.IndexByte(rest, ']')
	if end < 0 {
		return ""
	}
	state := rest[:end]
	// Where labels stand inside the brackets.
	if at := strings.IndexAny(state, "{\""); at >= 0 {
		state = strings.TrimRight(state[:at], " ,")
	}
	return "goroutine " + number + " [" + state + "]:"
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
