package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/store"
)

// ModulePath is the path in a go.mod's module directive.
func ModulePath(text string) string {
	if found := directives(text, "module"); len(found) > 0 {
		return found[0]
	}
	return ""
}

// ModuleDir is the module to plan for a go command that is run in dir: the one
// around dir, else the first of the workspace around dir. It is empty where there is
// neither. gowork is the go command's variable of that name.
func ModuleDir(dir, gowork string) string {
	if file := above(dir, "go.mod"); file != "" {
		return filepath.Dir(file)
	}
	work := gowork
	if work == "" || work == "auto" {
		work = above(dir, "go.work")
	}
	for _, module := range workspace(work) {
		if above(module, "go.mod") == filepath.Join(module, "go.mod") {
			return module
		}
	}
	return ""
}

// MainModules are the directories of the modules that a go command in dir works in, as
// it spells them: those of the workspace, where there is one, else the one around dir.
func MainModules(dir, gowork string) []string {
	work := gowork
	if work == "" || work == "auto" {
		work = above(dir, "go.work")
	}
	if work != "" && work != "off" {
		return workspace(work)
	}
	if file := above(dir, "go.mod"); file != "" {
		return []string{filepath.Dir(file)}
	}
	return nil
}

// workspace are the module directories of a go.work file.
func workspace(work string) []string {
	text, err := store.ReadFile(work)
	if err != nil {
		return nil
	}
	var modules []string
	for _, used := range directives(string(text), "use") {
		module := filepath.FromSlash(used)
		if !filepath.IsAbs(module) {
			module = filepath.Join(filepath.Dir(work), module)
		}
		modules = append(modules, module)
	}
	return modules
}

// Irregular is what stands for a file that tells go which modules there are, and is a pipe,
// a device or larger than memory: go would wait for it or read it without end. It is empty where there is none.
func Irregular(dir, gowork string) string {
	files := []string{nearest(dir, "go.mod")}
	if gowork == "" || gowork == "auto" {
		gowork = nearest(dir, "go.work")
	}
	if gowork != "" && gowork != "off" {
		files = append(files, gowork, filepath.Join(filepath.Dir(gowork), "vendor", "modules.txt"))
	}
	modules := MainModules(dir, gowork)
	if files[0] != "" {
		modules = append(modules, filepath.Dir(files[0]))
	}
	for _, module := range modules {
		for _, name := range []string{"go.mod", "go.sum", "vendor/modules.txt"} {
			files = append(files, filepath.Join(module, name))
		}
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.IsDir() || info.Mode().IsRegular() && info.Size() <= store.Largest {
			continue
		}
		if real, err := filepath.EvalSymlinks(file); err != nil || real != os.DevNull {
			return file
		}
	}
	return ""
}

// nearest finds what go takes for the file of a name in dir or above it: all but a
// directory.
func nearest(dir, name string) string {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		file := filepath.Join(at, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}

// above finds the nearest regular file of a name in dir or above it.
func above(dir, name string) string {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		file := filepath.Join(at, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}

// Tools are the packages that the go.mod in a module's directory names as tools.
func Tools(module string) []string {
	text, err := store.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return nil
	}
	return directives(string(text), "tool")
}

// directives are the first words of a go.mod's or go.work's directives of a name.
func directives(text, name string) []string {
	var found []string
	each(text, name, func(words []string) { found = append(found, words[0]) })
	return found
}

// each calls take with the words of every directive of a name.
func each(text, name string, take func(words []string)) {
	block := ""
	for _, line := range strings.Split(text, "\n") {
		words := tokens(line)
		switch {
		case len(words) == 0:
		case block != "" && words[0] == ")":
			block = ""
		case block == name:
			take(words)
		case block != "":
		case len(words) > 1 && words[1] == "(":
			block = words[0]
		case words[0] == name && len(words) > 1:
			take(words[1:])
		}
	}
}

// tokens are the words of a line as go reads go.mod and go.work: quotes hold blanks,
// a comment ends the line, and parentheses are words of their own.
func tokens(line string) []string {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t\r")
		if line == "" || strings.HasPrefix(line, "//") {
			return words
		}
		word, rest := line, ""
		switch c := line[0]; {
		case c == '"' || c == '`':
			word, rest, _ = strings.Cut(line[1:], line[:1])
		case c == '(' || c == ')':
			word, rest = line[:1], line[1:]
		default:
			end := strings.IndexAny(line, " \t\r()")
			if comment := strings.Index(line, "//"); comment >= 0 && (end < 0 || comment < end) {
				end = comment
			}
			if end >= 0 {
				word, rest = line[:end], line[end:]
			}
		}
		words, line = append(words, word), rest
	}
}

// ModuleFiles are the files that say which modules a go command in dir works in and what
// takes the place of others: go.work and the go.mod of each main module, with their sums.
func ModuleFiles(dir, gowork string) []string {
	var files []string
	work := gowork
	if work == "" || work == "auto" {
		work = above(dir, "go.work")
	}
	if work != "" && work != "off" {
		files = append(files, work, work+".sum")
	}
	for _, module := range MainModules(dir, gowork) {
		files = append(files, filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum"))
	}
	return files
}

// Replaced are the directories that a go.mod or go.work file puts in a module's place.
func Replaced(file string) []string { return ReplacedIn(file, filepath.Dir(file)) }

// ReplacedIn is [Replaced] for a file whose paths are relative to dir.
func ReplacedIn(file, dir string) []string {
	text, err := store.ReadFile(file)
	if err != nil {
		return nil
	}
	var found []string
	each(string(text), "replace", func(words []string) {
		arrow := slices.Index(words, "=>")
		if arrow < 0 || len(words) != arrow+2 {
			return // a version stands behind a module's path
		}
		target := filepath.FromSlash(words[arrow+1])
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		found = append(found, target)
	})
	return found
}
