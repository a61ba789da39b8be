package platforms

import (
	"go/ast"
	gobuild "go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlatforms type-checks the runtime for every platform of this Go, from source, so
// that nothing of the standard library is compiled for it. The server differs by
// operating system only.
func TestPlatforms(t *testing.T) {
	if testing.Short() {
		t.Skip("checks the runtime some fifty times")
	}
	out, err := exec.Command("go", "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	saved := gobuild.Default
	t.Cleanup(func() { gobuild.Default = saved })
	seen, tags := map[string]bool{}, map[string][]string{}
	for _, platform := range strings.Fields(string(out)) {
		system, arch, _ := strings.Cut(platform, "/")
		gobuild.Default.GOOS, gobuild.Default.GOARCH, gobuild.Default.CgoEnabled = system, arch, false
		gobuild.Default.ToolTags = toolTags(t, tags, arch)
		set := token.NewFileSet()
		std := importer.ForCompiler(set, "source", nil)
		core := checkTypes(t, set, "../../../goatrt", "github.com/goat-trace/goat/go/goatrt", std)
		if core == nil || seen[system] {
			continue
		}
		seen[system] = true
		server := checkTypes(t, set, "../../../goatrt/server", "github.com/goat-trace/goat/go/goatrt/server", with{std, core})
		if server != nil {
			checkTypes(t, set, "../../../goatrt/pprof", "github.com/goat-trace/goat/go/goatrt/pprof", with{with{std, core}, server})
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d systems: %s", len(seen), out)
	}
}

// toolTags are the build tags that the toolchain sets for an architecture.
func toolTags(t *testing.T, known map[string][]string, arch string) []string {
	t.Helper()
	if known[arch] == nil {
		cmd := exec.Command("go", "list", "-f", `{{join context.ToolTags " "}}`, "unsafe")
		cmd.Env = append(os.Environ(), "GOOS="+gobuild.Default.GOOS, "GOARCH="+arch)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		known[arch] = strings.Fields(string(out))
	}
	return known[arch]
}

// with also knows one package that has been checked.
type with struct {
	types.Importer
	known *types.Package
}

func (w with) Import(path string) (*types.Package, error) {
	if path == w.known.Path() {
		return w.known, nil
	}
	return w.Importer.Import(path)
}

func checkTypes(t *testing.T, set *token.FileSet, dir, path string, imports types.Importer) *types.Package {
	t.Helper()
	platform := gobuild.Default.GOOS + "/" + gobuild.Default.GOARCH
	found, err := gobuild.Default.ImportDir(dir, 0)
	if err != nil {
		t.Errorf("%s: %v", platform, err)
		return nil
	}
	var files []*ast.File
	for _, name := range found.GoFiles {
		file, err := parser.ParseFile(set, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	config := types.Config{Importer: imports, Sizes: types.SizesFor("gc", gobuild.Default.GOARCH), GoVersion: "go1.21"}
	checked, err := config.Check(path, set, files, nil)
	if err != nil {
		t.Errorf("%s: %v", platform, err)
		return nil
	}
	return checked
}
