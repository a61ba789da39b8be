//go:build cgo && !goat_nocore

package goat_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/goat-trace/goat/go"
)

// repository makes a module with a tag v1 and a change after it.
func repository() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "goat-example-")
	if err != nil {
		log.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	git := func(args ...string) {
		args = append([]string{"-c", "user.name=example", "-c", "user.email=example@example.com"}, args...)
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			log.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write("go.mod", "module example.com/shop\n\ngo 1.23\n")
	write("price.go", "package shop\n\nfunc Price(n int) int {\n\treturn 5 * n\n}\n")
	git("init", "--quiet", "--initial-branch=main")
	git("add", ".")
	git("commit", "--quiet", "--message=one")
	git("tag", "v1")
	write("price.go", "package shop\n\nfunc Price(n int) int {\n\tif n > 10 {\n\t\treturn 4 * n\n\t}\n\treturn 5 * n\n}\n")
	return dir, func() { _ = os.RemoveAll(dir) }
}

func ExamplePlan() {
	dir, remove := repository()
	defer remove()
	plan, err := goat.Plan(context.Background(), goat.Options{Dir: dir, Base: "v1"})
	if err != nil {
		log.Fatal(err)
	}
	for _, point := range plan.Points {
		fmt.Printf("%s:%d %s\n", point.File, point.Start.Line, point.Func)
	}
	s := plan.Summary
	fmt.Printf("%d added lines: %d tracked, %d not executable\n", s.AddedLines, s.Tracked, s.NotExecutable)
	// Output:
	// price.go:4 Price
	// price.go:5 Price
	// 3 added lines: 2 tracked, 1 not executable
}

func ExampleError() {
	dir, remove := repository()
	defer remove()
	_, err := goat.Plan(context.Background(), goat.Options{Dir: dir, Base: "v9"})
	if errors.Is(err, &goat.Error{Code: goat.CodeUnknownRef}) {
		fmt.Println("no such base")
	}
	var e *goat.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code)
	}
	// Output:
	// no such base
	// unknown_ref
}

func ExampleInspect() {
	source := []byte("package shop\n\nfunc (c *Cart) Add(n int) { c.n += n }\n")
	file, err := goat.Inspect(context.Background(), source)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range file.Functions {
		fmt.Printf("%s, line %d, %d statement\n", f.Name, f.Span.Start.Line, len(file.Blocks[*f.Body].Statements))
	}
	// Output:
	// (*Cart).Add, line 3, 1 statement
}

func ExampleInstrument() {
	dir, remove := repository()
	defer remove()
	out, err := os.MkdirTemp("", "goat-plans-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(out)
	ctx := context.Background()
	plan, err := goat.Plan(ctx, goat.Options{Dir: dir, Base: "v1", OutDir: out})
	if err != nil {
		log.Fatal(err)
	}
	documents, err := filepath.Glob(filepath.Join(plan.PlanDir, "p", "*.json"))
	if err != nil {
		log.Fatal(err)
	}
	document, err := os.ReadFile(documents[0])
	if err != nil {
		log.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(dir, "price.go"))
	if err != nil {
		log.Fatal(err)
	}
	instrumented, err := goat.Instrument(ctx, goat.InstrumentRequest{Source: source, File: "price.go", Package: document})
	if err != nil {
		log.Fatal(err)
	}
	count := func(text []byte) (lines int) {
		for _, b := range text {
			if b == '\n' {
				lines++
			}
		}
		return lines
	}
	fmt.Println(len(instrumented) > len(source), count(instrumented) == count(source))
	// Output:
	// true true
}

func ExampleVersion() {
	info, err := goat.Version(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.ABI, info.PlanFormat)
	// Output:
	// 1 1
}
