package spool

import (
	"fmt"
	"strconv"
	"strings"
)

func readIdentity(text string) Identity {
	values := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if key, quoted, ok := strings.Cut(line, "="); ok {
			values[key] = unquote(quoted)
		}
	}
	precision, _ := strconv.Atoi(values["precision"])
	return Identity{
		Goat: values["goat"], App: values["app"], Version: values["version"], Component: values["component"],
		Base: values["base"], BaseCommit: values["baseCommit"],
		Release: values["release"], ReleaseCommit: values["releaseCommit"], ContentHash: values["contentHash"],
		Dirty: values["dirty"] == "true", Plan: values["plan"], Granularity: values["granularity"],
		Mode: values["mode"], Module: values["module"], Precision: precision,
		GOOS: values["goos"], GOARCH: values["goarch"], GoVersion: values["goVersion"], Cgo: values["cgo"] == "true",
		Tags: strings.FieldsFunc(values["tags"], func(r rune) bool { return r == ',' }), Plain: strings.Fields(values["plain"]),
		Instance: values["instance"], Host: values["host"], Lane: values["lane"], window: values["window"],
	}
}

func unquote(text string) string {
	if value, err := strconv.Unquote(text); err == nil {
		return value
	}
	return text
}

// readTable reads the point table.
func (f *File) readTable(text string) error {
	path, open := "", false
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case line == "":
		case strings.HasPrefix(line, "+ "):
			path, open = unquote(line[2:]), true
		case strings.HasPrefix(line, "- "):
			f.Degraded = append(f.Degraded, unquote(line[2:]))
			open = false
		case !open:
			return fmt.Errorf("%w: a point without a package", ErrDamaged)
		default:
			point, err := readPoint(path, line)
			if err != nil {
				return err
			}
			f.Points = append(f.Points, point)
		}
	}
	return nil
}

func readPoint(path, line string) (Point, error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 10 {
		return Point{}, fmt.Errorf("%w: a point with %d fields", ErrDamaged, len(fields))
	}
	var numbers [4]int
	for i := range numbers {
		n, err := strconv.Atoi(fields[4+i])
		if err != nil {
			return Point{}, fmt.Errorf("%w: %q is not a position", ErrDamaged, fields[4+i])
		}
		numbers[i] = n
	}
	return Point{
		Package: path, ID: fields[0], Name: fields[1], Kind: fields[2], Form: fields[3],
		Line: numbers[0], Column: numbers[1], EndLine: numbers[2], EndColumn: numbers[3],
		File: unquote(fields[8]), Func: unquote(fields[9]),
	}, nil
}
