package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"golang.org/x/mod/sumdb/dirhash"
)

// delivered is a directory that scripts/release made of this checkout, and its version.
func delivered(t *testing.T) (dir, version string) {
	t.Helper()
	dir = os.Getenv("GOAT_DELIVERY")
	if dir == "" {
		t.Skip("GOAT_DELIVERY names no release (scripts/test delivery makes one)")
	}
	list, err := os.ReadFile(filepath.Join(dir, "proxy", filepath.FromSlash(mainModule), "@v", "list"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, strings.TrimSpace(string(list))
}

// machine is a user's: an empty GOPATH, a C compiler, no Rust, and the release for a proxy.
type machine struct {
	*testing.T
	env []string
	bin string
}

func newMachine(t *testing.T, dir string, settings ...string) *machine {
	t.Helper()
	home := t.TempDir()
	goroot := strings.TrimSpace(string(run1(t, "go", "env", "GOROOT")))
	proxy := strings.TrimSpace(string(run1(t, "go", "env", "GOPROXY")))
	m := &machine{T: t, bin: filepath.Join(home, "go", "bin")}
	m.env = append([]string{
		"HOME=" + home, "PATH=" + m.bin + ":" + filepath.Join(goroot, "bin") + ":/usr/bin:/bin", "GOTOOLCHAIN=local",
		"GOPROXY=file://" + dir + "/proxy," + proxy, "GONOSUMDB=github.com/goat-trace/*", "GOWORK=off",
		// The build cache is the machine's own: it holds nothing of a release but its objects.
		"GOCACHE=" + strings.TrimSpace(string(run1(t, "go", "env", "GOCACHE"))),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		// The module cache of a test must be one that the test can delete.
		"GOFLAGS=-modcacherw",
	}, settings...)
	for _, tool := range []string{"cargo", "rustc"} {
		for _, folder := range []string{"/usr/bin", "/bin", filepath.Join(goroot, "bin")} {
			if _, err := os.Stat(filepath.Join(folder, tool)); err == nil {
				t.Skipf("%s/%s: this machine cannot stand for one without Rust", folder, tool)
			}
		}
	}
	return m
}

func run1(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %q: %v", name, args, err)
	}
	return out
}

// try runs a command in a directory and returns what it printed, and whether it failed.
func (m *machine) try(dir, name string, args ...string) (stdout, stderr string, failed bool) {
	m.Helper()
	var path string
	for _, setting := range m.env {
		if value, ok := strings.CutPrefix(setting, "PATH="); ok {
			path = value
		}
	}
	for _, folder := range filepath.SplitList(path) {
		if found := filepath.Join(folder, name); !strings.Contains(name, "/") {
			if _, err := os.Stat(found); err == nil {
				name = found
				break
			}
		}
	}
	command := exec.Command(name, args...)
	command.Dir, command.Env = dir, m.env
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.Fatal(err)
	}
	return out.String(), errs.String(), err != nil
}

func (m *machine) run(dir, name string, args ...string) string {
	m.Helper()
	stdout, stderr, failed := m.try(dir, name, args...)
	if failed {
		m.Fatalf("%s %q failed:\n%s%s", name, args, stdout, stderr)
	}
	return stdout
}

type versionInfo struct {
	Version, Commit, Date, CoreMissing string
	Core                               *struct{ Version string }
}

func (m *machine) version(goat string) versionInfo {
	m.Helper()
	var info versionInfo
	if err := json.Unmarshal([]byte(m.run(".", goat, "version", "--format", "json")), &info); err != nil {
		m.Fatal(err)
	}
	return info
}

// change makes a repository with a release whose one changed line runs.
func (m *machine) change() string {
	m.Helper()
	dir := m.TempDir()
	write(m.T, filepath.Join(dir, "go.mod"), "module example.com/app\n\ngo 1.23\n")
	write(m.T, filepath.Join(dir, "main.go"), "package main\n\nfunc main() {\n\tprintln(1)\n}\n")
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "."}, {"commit", "-qm", "v1"}, {"tag", "v1"}} {
		m.run(dir, "git", args...)
	}
	write(m.T, filepath.Join(dir, "main.go"), "package main\n\nfunc main() {\n\tprintln(2)\n}\n")
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reported builds the change, runs it, and reads its spool.
func (m *machine) reported(goat string) {
	m.Helper()
	dir := m.change()
	app, spool := filepath.Join(m.TempDir(), "app"), filepath.Join(m.TempDir(), "spool")
	m.run(dir, goat, "--base=v1", "build", "-buildvcs=false", "-o", app, ".")
	m.env = append(m.env, "GOAT_SPOOL="+spool)
	m.run(dir, app)
	if report := m.run(dir, goat, "report", spool); !strings.Contains(report, "1 of 1 points ran") {
		m.Errorf("the report says:\n%s", report)
	}
}

func TestInstall(t *testing.T) {
	dir, version := delivered(t)
	commit := strings.TrimSpace(string(run1(t, "git", "rev-parse", "HEAD")))
	m := newMachine(t, dir)
	m.run(t.TempDir(), "go", "install", mainModule+"/cmd/goat@"+version)
	goat := filepath.Join(m.bin, "goat")
	info := m.version(goat)
	if info.Core == nil || info.CoreMissing != "" || "v"+info.Version != version || info.Commit != commit || info.Date == "" {
		t.Errorf("goat is %+v", info)
	}
	m.reported(goat)
	var plan struct {
		Goat struct{ Version, Commit string }
	}
	text := m.run(m.change(), goat, "--base=v1", "plan", "--format=json")
	if err := json.Unmarshal([]byte(text), &plan); err != nil || plan.Goat.Commit != commit || "v"+plan.Goat.Version != version {
		t.Errorf("the plan is by %+v, %v", plan.Goat, err)
	}
}

// TestInstallWithoutCgo has no C compiler that go would call.
func TestInstallWithoutCgo(t *testing.T) {
	dir, version := delivered(t)
	for name, settings := range map[string][]string{
		"without cgo":     {"CGO_ENABLED=0"},
		"without library": {"CGO_ENABLED=0", "GOARCH=arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, dir, settings...)
			m.run(t.TempDir(), "go", "install", mainModule+"/cmd/goat@"+version)
			if len(settings) > 1 {
				return // It was built; it does not run here.
			}
			goat := filepath.Join(m.bin, "goat")
			if info := m.version(goat); info.Core != nil || !strings.Contains(info.CoreMissing, "CGO_ENABLED=0") || "v"+info.Version != version {
				t.Errorf("goat is %+v", info)
			}
			_, stderr, failed := m.try(m.change(), goat, "--base=v1", "plan")
			if !failed || !strings.Contains(stderr, "without its core") || !strings.Contains(stderr, "hint: ") {
				t.Errorf("plan says:\n%s", stderr)
			}
		})
	}
}

func TestImport(t *testing.T) {
	dir, version := delivered(t)
	m := newMachine(t, dir)
	foreign, change := t.TempDir(), m.change()
	write(t, filepath.Join(foreign, "go.mod"), "module example.com/tool\n\ngo 1.23\n")
	write(t, filepath.Join(foreign, "main.go"), `package main

import (
	"context"
	"fmt"
	"os"

	"`+mainModule+`"
)

func main() {
	result, err := goat.Plan(context.Background(), goat.Options{Dir: os.Args[1], Base: "v1"})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(result.Points), result.Goat.Version)
}
`)
	m.run(foreign, "go", "get", mainModule+"@"+version)
	m.run(foreign, "go", "build", "-o", "tool", ".")
	if out := m.run(foreign, filepath.Join(foreign, "tool"), change); out != "1 "+strings.TrimPrefix(version, "v")+"\n" {
		t.Errorf("a foreign program says %q", out)
	}
	m.run(foreign, "go", "mod", "verify")
}

// TestModules holds the sums that goat's own go.sum names against the files.
func TestModules(t *testing.T) {
	dir, version := delivered(t)
	at := func(module, suffix string) string {
		return filepath.Join(dir, "proxy", filepath.FromSlash(module), "@v", version+suffix)
	}
	sum, err := dirhash.HashZip(at(libraryModule, ".zip"), dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	unpacked := t.TempDir()
	run1(t, "unzip", "-q", at(mainModule, ".zip"), "-d", unpacked)
	root := filepath.Join(unpacked, filepath.FromSlash(mainModule)+"@"+version)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil || !bytes.Contains(sums, []byte(libraryModule+" "+version+" "+sum+"\n")) {
		t.Errorf("go.sum does not name %s (%v)", sum, err)
	}
	for _, name := range []string{"browser/go.mod", "contract/go.mod", "delivery/go.mod", "internal/native/lib/linux_amd64/libgoat.a"} {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			t.Errorf("the module has %s", name)
		}
	}
}

func TestArchive(t *testing.T) {
	dir, _ := delivered(t)
	name, err := filepath.Glob(filepath.Join(dir, "goat_*_linux_amd64.tar.gz"))
	if err != nil || len(name) != 1 {
		t.Fatal(name, err)
	}
	file, err := os.Open(name[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	archive := tar.NewReader(z)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeSymlink {
			data = []byte("-> " + header.Linkname)
		}
		found[header.Name] = data
	}
	for _, want := range []string{"goat", "README.md", "README.zh-CN.md", "LICENSE", "THIRD-PARTY-NOTICES", "completions/goat.bash", "completions/_goat", "completions/goat.fish", "completions/goat.ps1", "man/goat.1", "man/goat-report.1", "man/goat-check-serve.1", "man/goat-config.7", "man/goat-reasons.7"} {
		if len(found[want]) == 0 {
			t.Errorf("there is no %s", want)
		}
	}
	for page, parts := range map[string][]string{
		"man/goat.1":        {".SH EXIT STATUS\n", "could not look", ".SH ENVIRONMENT\n", "GOAT_SPOOL_KEEP", `\fBgoat-config(7)\fP`},
		"man/goat-report.1": {".SH EXIT STATUS\n", "could not look", ".SH ENVIRONMENT\n", ".SH SEE ALSO\n"},
	} {
		for _, part := range parts {
			if !bytes.Contains(found[page], []byte(part)) {
				t.Errorf("%s has no %q", page, part)
			}
		}
	}
	if string(found["go-graycheck"]) != "-> goat" {
		t.Errorf("go-graycheck is %q", found["go-graycheck"])
	}
	for _, part := range []string{"libgit2-sys", "github.com/spf13/cobra", "GNU LESSER GENERAL PUBLIC LICENSE", "std "} {
		if !bytes.Contains(found["THIRD-PARTY-NOTICES"], []byte(part)) && part != "GNU LESSER GENERAL PUBLIC LICENSE" {
			t.Errorf("the notices lack %s", part)
		}
	}
	binary, err := elf.NewFile(bytes.NewReader(found["goat"]))
	if err != nil {
		t.Fatal(err)
	}
	for _, segment := range binary.Progs {
		if segment.Type == elf.PT_INTERP {
			t.Error("goat needs a loader: it is not static")
		}
	}
	if home, err := os.UserHomeDir(); err == nil && bytes.Contains(found["goat"], []byte(home+"/.cargo/")) {
		t.Error("goat says where it was built")
	}
	// Out of the archive it works: into an empty directory, and from there.
	goat := filepath.Join(t.TempDir(), "goat")
	if err := os.WriteFile(goat, found["goat"], 0o755); err != nil {
		t.Fatal(err)
	}
	newMachine(t, dir).reported(goat)
}

// TestDebian installs the package and takes it away again, in a root of its own.
func TestDebian(t *testing.T) {
	dir, version := delivered(t)
	if _, err := exec.LookPath("dpkg"); err != nil || os.Getuid() != 0 {
		t.Skip("dpkg and root are needed")
	}
	packages, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(packages) != 1 {
		t.Fatal(packages, err)
	}
	root := t.TempDir()
	for _, folder := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "var/lib/dpkg/status"), "")
	dpkg := func(args ...string) string {
		out, err := exec.Command("dpkg", append([]string{"--root=" + root, "--log=/dev/null", "--force-depends"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	dpkg("--install", packages[0])
	m := newMachine(t, dir)
	if info := m.version(filepath.Join(root, "usr/bin/goat")); info.Core == nil || "v"+info.Version != version {
		t.Errorf("goat is %+v", info)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/share/man/man1/goat-report.1.gz")); err != nil {
		t.Error(err)
	}
	dpkg("--purge", "goat")
	var left []string
	err = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if name := strings.TrimPrefix(path, root); err == nil && !entry.IsDir() && !strings.HasPrefix(name, "/var/lib/dpkg") {
			left = append(left, name)
		}
		return err
	})
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %q", err, left)
	}
}

func TestBill(t *testing.T) {
	dir, version := delivered(t)
	file, err := os.Open(filepath.Join(dir, "sbom.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(file, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if got := bom.Metadata.Component.Version; "v"+got != version {
		t.Errorf("it is of %s", got)
	}
	var urls []string
	for _, c := range *bom.Components {
		urls = append(urls, c.PackageURL)
		if c.Licenses == nil {
			t.Errorf("%s: no licence", c.PackageURL)
		}
	}
	for _, want := range []string{"pkg:cargo/libgit2-sys@", "pkg:golang/github.com/spf13/cobra@", "pkg:golang/std@", "pkg:cargo/std@"} {
		if !slices.ContainsFunc(urls, func(url string) bool { return strings.HasPrefix(url, want) }) {
			t.Errorf("%s is missing among %d", want, len(urls))
		}
	}
}

func TestSums(t *testing.T) {
	dir, _ := delivered(t)
	text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{"SHA256SUMS": true}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		data, err := os.ReadFile(filepath.Join(dir, name))
		if got := sha256.Sum256(data); err != nil || hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s: %v", name, err)
		}
		named[name] = true
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if name, _ := filepath.Rel(dir, path); err == nil && !entry.IsDir() && !named[filepath.ToSlash(name)] {
			t.Errorf("%s has no sum", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestVersions(t *testing.T) {
	for _, name := range []string{"", "v1", "v1.2", "1.2.3.4", "v2.0.0", "v10.0.0", "v0.1.0+build", "v0.0.0-20260101000000-0123456789ab", "latest"} {
		if _, err := parse([]string{"-version", name, "-time", "2026-01-01T00:00:00Z", "-root", "r", "-out", "o", "-binary", "b", "-library", "l", "-crates", "c"}); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	for _, name := range []string{"v0.1.0", "0.1.0", "v1.2.3-rc.1"} {
		if _, err := parse([]string{"-version", name, "-time", "2026-01-01T00:00:00Z", "-root", "r", "-out", "o", "-binary", "b", "-library", "l", "-crates", "c"}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestBoundary refuses sources in which the library would be looked for in a checkout.
func TestBoundary(t *testing.T) {
	r := &release{root: "../..", version: "v0.1.0"}
	if err := r.released(files{"internal/native/link.go": []byte("package native\n")}, ""); err == nil {
		t.Error("sources without a boundary were taken")
	}
}
