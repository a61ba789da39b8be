package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	// barLarge is what a huge function may cost over plain go, barLargeCover over
	// `go build -cover`: the greater of the two counts.
	barLarge, barLargeCover = 2.0, 1.2
)

// shapes are functions of many blocks, all of them new.
var shapes = []struct {
	name  string
	count int
	body  func(n int) string
}{
	{"blocks", 1_500, func(n int) string {
		return repeat(n, "\tif in[%[1]d%%len(in)] > %[1]d%%250 {\n\t\tn += %[1]d\n\t}\n")
	}},
	{"goto", 1_500, func(n int) string {
		text := "\ti := 0\n\tgoto s0\n"
		for i := range n {
			text += fmt.Sprintf("s%d:\n\tif i >= len(in) {\n\t\treturn n\n\t}\n\tn += %d\n\ti++\n\tif in[i-1] > %d {\n\t\tgoto s%d\n\t}\n\tgoto s%d\n", i, i, i%250, (i*7+3)%n, (i*13+5)%n)
		}
		return text
	}},
	{"if", 5_000, func(n int) string {
		return repeat(n, "\tif in[%[1]d%%len(in)] > 7 {\n\t\tn += %[1]d\n\t}\n")
	}},
	{"else if", 1_500, func(n int) string {
		return "\tif len(in) == 0 {\n\t\tn++\n\t}" + repeat(n, " else if in[%[1]d%%len(in)] == %[1]d%%250 {\n\t\tn += %[1]d\n\t}") + "\n"
	}},
	{"case", 6_000, func(n int) string {
		return "\tswitch len(in) {\n" + repeat(n, "\tcase %[1]d:\n\t\tn += %[1]d\n") + "\t}\n"
	}},
}

// repeat writes a text once for each number below n.
func repeat(n int, format string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, format, i)
	}
	return text.String()
}

// largeSource is a program whose one function is huge; round makes it new.
func largeSource(body string, round int) string {
	return fmt.Sprintf("package main\n\nfunc run(in []byte) int {\n\tn := %d\n%s\treturn n\n}\n\nfunc main() { println(run([]byte(\"hello\"))) }\n", round, body)
}

// largeFunctions measures the build of an edit of a huge function, every block of which
// has changed. What a first build compiles once, goat's runtime among it, comes before.
func (b *bench) largeFunctions(ctx context.Context) error {
	root := filepath.Join(b.work, "large")
	files := map[string]string{"go.mod": "module example.com/large\n\ngo 1.23\n", "main.go": "package main\n\nfunc main() {}\n"}
	if err := b.repository(ctx, root, files, nil); err != nil {
		return err
	}
	s := &checkout{subject: subject{module: "example.com/large", base: "v1"}, root: root}
	used := []variant{b.variants[0], b.variants[1], b.variants[3]}
	fmt.Fprintf(b.out, "\n== one huge function, CPU s of a build: plain, goat\n")
	for _, shape := range shapes {
		body, took := shape.body(shape.count), map[string]series{}
		// Round 0 fills the caches.
		for round := range b.pairs + 1 {
			if err := os.WriteFile(filepath.Join(root, "main.go"), []byte(largeSource(body, round)), 0o666); err != nil {
				return err
			}
			for _, v := range used {
				r, err := b.build(ctx, s, v, b.cache("large"), "-o", filepath.Join(b.work, "out"), ".")
				if err != nil && v.name == used[2].name && ctx.Err() == nil {
					// cmd/cover gives up on deep nests that the compiler takes.
					continue
				}
				if err != nil {
					return err
				}
				if round > 0 {
					took[v.name] = append(took[v.name], r.cpu.Seconds())
				}
			}
		}
		plain, goat := took[used[0].name], took[used[1].name]
		bar, peer := barLarge, "-cover cannot build it"
		if covered := took[used[2].name]; len(covered) == len(plain) {
			cover := ratios(plain, covered).median()
			bar, peer = max(barLarge, barLargeCover*cover), fmt.Sprintf("-cover %.2fx", cover)
		}
		b.row(fmt.Sprintf("%d × %s (%s)", shape.count, shape.name, peer), "s", plain, goat, bar)
	}
	return nil
}
