//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// manyPackages is a module of n packages, all of them changed, in directories whose
// names are that long; the program uses a few of them.
func manyPackages(n, used, length int) *testCase {
	c := &testCase{header: map[string][]string{}, trees: map[string]map[string][]byte{"base": {}, "release": {}}}
	for tree, value := range map[string]int{"base": 1, "release": 2} {
		files := c.trees[tree]
		files["go.mod"] = []byte("module example.com/app\n\ngo 1.23\n")
		imports, sum := "", ""
		for i := range n {
			dir := longDir(i, length)
			files[dir+"/p.go"] = []byte(fmt.Sprintf("package p%d\n\n// F says it.\nfunc F() int {\n\treturn %d\n}\n", i, value))
			if i < used {
				imports += fmt.Sprintf("\t%q\n", "example.com/app/"+dir)
				sum += fmt.Sprintf(" + p%d.F()", i)
			}
		}
		files["main.go"] = []byte("package main\n\nimport (\n\t\"fmt\"\n\n" + imports + ")\n\nfunc main() { fmt.Println(0" + sum + ") }\n")
	}
	return c
}

// longDir is a directory whose path has about so many bytes.
func longDir(i, length int) string {
	dir := ""
	for len(dir) < length {
		dir += strings.Repeat("d", min(200, length-len(dir))) + "/"
	}
	return fmt.Sprintf("%sp%d", dir, i)
}

// TestManyPackages has so many packages with points that their markers pass the limits
// of a command line: 32 KB, where Windows ends, and 2 MB, where Linux does.
func TestManyPackages(t *testing.T) {
	for _, c := range []struct {
		name               string
		n, length, atLeast int
	}{
		{"1,000 packages", 1000, 4, 32 << 10},
		{"2 MB of import paths", 1000, 2200, 2 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			const used = 5
			s := look(t).newSession(t, manyPackages(c.n, used, c.length))
			s.env = append(s.env, "GOAT_BASE=main", "GOFLAGS=-buildvcs=false")
			d := s.plan()
			if len(d.Points) != c.n {
				t.Fatalf("%d points, want %d", len(d.Points), c.n)
			}
			if size := c.n * len("-gcflags=example.com/app/"+longDir(0, c.length)+"=-goatmark=0123456789abcdef"); size < c.atLeast {
				t.Fatalf("only %d bytes of markers", size)
			}
			before := s.run(s.root, "git", "status", "--porcelain")
			bin := filepath.Join(t.TempDir(), "app")
			log := filepath.Join(t.TempDir(), "log")
			s.env = append(s.env, "GOAT_TOOLEXEC_LOG="+log)
			s.run(s.dir, "goat", "build", "-o", bin, ".")
			s.allHit(bin, used)
			if text, err := os.ReadFile(log); err != nil || strings.Count(string(text), "compile example.com/app") != used+1 {
				t.Errorf("%v: compiled\n%s", err, text)
			}
			s.run(s.dir, "sh", "-c", `eval "$(`+s.goat()+` env)" && go build -ldflags=-s -o `+bin+` .`)
			s.allHit(bin, used)
			if after := s.run(s.root, "git", "status", "--porcelain"); after != before {
				t.Errorf("git status says %s", after)
			}
		})
	}
}

// allHit runs a program that has so many points, and none more.
func (s *session) allHit(program string, n int) {
	s.Helper()
	spool := s.TempDir()
	run := exec.Command(program)
	run.Env = append(s.env[:len(s.env):len(s.env)], "GOAT_SPOOL="+spool)
	if out, err := run.CombinedOutput(); err != nil {
		s.Fatalf("%v: %s", err, out)
	}
	said := s.run(s.dir, "goat", "report", spool)
	if !strings.HasSuffix(said, fmt.Sprintf("\n%d of %d points ran\n", n, n)) {
		s.Fatalf("the report ends with\n%s", said[max(0, len(said)-200):])
	}
}

// TestManyFiles has so many files in one package that their names alone pass the
// system's limit for a command line.
func TestManyFiles(t *testing.T) {
	const length = 2200
	c := manyPackages(1, 1, length)
	dir := longDir(0, length)
	for i := range 1100 {
		for _, tree := range c.trees {
			tree[fmt.Sprintf("%s/f%d.go", dir, i)] = []byte("package p0\n")
		}
	}
	s := look(t).newSession(t, c)
	s.env = append(s.env, "GOAT_BASE=main", "GOFLAGS=-buildvcs=false")
	bin := filepath.Join(t.TempDir(), "app")
	s.run(s.dir, "go", "build", "-o", bin, ".")
	s.run(s.dir, "goat", "build", "-o", bin, ".")
	s.allHit(bin, 1)
	s.run(s.dir, "go", "vet", "./...")
}
