//go:build go1.21

package pprof

import "strings"

// rules say what leaves the process.
type rules struct {
	names *Names
	// app takes the place of the program's own path.
	app string
	// keys are the labels that may be told.
	keys map[string]bool
}

// redact takes out of a profile what is not known to be harmless: labels that nobody has
// allowed, and where things lie on the machines that built and run the program. Comments
// and the like are not even read.
func (r *rules) redact(p *profile) {
	for i := range p.samples {
		p.samples[i].labels = r.labels(p.samples[i].labels)
	}
	for i := range p.mappings {
		m := &p.mappings[i]
		m.file = r.mapped(i, m.file)
		if strings.Trim(m.build, "0123456789abcdef") != "" {
			m.build = ""
		}
	}
	for i := range p.functions {
		f := &p.functions[i]
		f.file = r.names.File(f.file, f.name)
		f.name, f.system = r.names.Function(f.name), r.names.Function(f.system)
	}
}

func (r *rules) labels(all []label) []label {
	var kept []label
	for _, l := range all {
		// The size of a block of memory is the runtime's own.
		size := l.key == "bytes" && l.text == ""
		if size || r.keys[l.key] {
			kept = append(kept, l)
		}
	}
	return kept
}

// mapped is the name of a mapping: of the program, of what the kernel puts there, or none.
func (r *rules) mapped(i int, file string) string {
	switch {
	case i == 0:
		return r.app
	case strings.HasPrefix(file, "[v"):
		switch file {
		case "[vdso]", "[vsyscall]", "[vvar]":
			return file
		}
	}
	return ""
}
