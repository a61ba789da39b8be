package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	fleetInstances = 200
	fleetPackages  = 50
	fleetFunctions = 100 // in a package, one point each
	// barFleetWall and barFleetMemory are what one report over all of them may take.
	barFleetWall   = 10.0
	barFleetMemory = 500.0
)

// fleetReport measures one report over many live instances of one program. One of them is
// real; the others give its answers under ids of their own, from this process, whose work
// is not counted in the CPU.
func (b *bench) fleetReport(ctx context.Context) error {
	c := &checkout{subject: subject{module: "example.com/fleet", base: "v1", program: "."}, root: filepath.Join(b.work, "fleet"), path: "example.com/fleet"}
	if err := b.repository(ctx, c.root, fleetFiles(1), fleetFiles(2)); err != nil {
		return err
	}
	binary, cache := filepath.Join(b.work, "fleet-goat"), b.cache("fleet")
	if _, err := b.build(ctx, c, variantGoat, cache, "-o", binary, c.program); err != nil {
		return err
	}
	answers, err := answersOf(ctx, binary)
	if err != nil {
		return err
	}
	server := httptest.NewServer(answers)
	defer server.Close()
	line := []string{b.goat, "report"}
	for i := range fleetInstances {
		line = append(line, fmt.Sprintf("%s/%d", server.URL, i))
	}
	var wall, cpu, memory series
	for range b.pairs {
		r, err := measure(ctx, c.root, []string{"GOAT_CACHE=" + cache + "-goat"}, line...)
		if err != nil {
			return err
		}
		wall, cpu, memory = append(wall, r.wall.Seconds()), append(cpu, r.cpu.Seconds()), append(memory, float64(r.rss)/1e6)
	}
	fmt.Fprintf(b.out, "\n== a report over %d instances of %d points, %.0f MB of answers\n", fleetInstances, fleetPackages*fleetFunctions,
		float64(fleetInstances*len(answers.track))/1e6)
	fmt.Fprintf(b.out, "%-34s %9.2f s  %s\n", "time", wall.median(), verdict(wall.median(), barFleetWall))
	fmt.Fprintf(b.out, "%-34s %9.2f s\n", "CPU", cpu.median())
	fmt.Fprintf(b.out, "%-34s %9.0f MB %s\n", "memory", memory.median(), verdict(memory.median(), barFleetMemory))
	if memory.median() > barFleetMemory {
		b.missed = append(b.missed, fmt.Sprintf("a report over %d instances holds %.0f MB", fleetInstances, memory.median()))
	}
	return nil
}

// fleetFiles is a program whose every function differs between the releases.
func fleetFiles(release int) map[string]string {
	files := map[string]string{"go.mod": "module example.com/fleet\n\ngo 1.23\n"}
	var imports, calls strings.Builder
	for p := range fleetPackages {
		var text strings.Builder
		fmt.Fprintf(&text, "package p%d\n\nvar All = []func(int) int{", p)
		for f := range fleetFunctions {
			fmt.Fprintf(&text, "F%d, ", f)
		}
		text.WriteString("}\n")
		for f := range fleetFunctions {
			fmt.Fprintf(&text, "\nfunc F%d(x int) int {\n\treturn x + %d\n}\n", f, release*1000+f)
		}
		files[fmt.Sprintf("p%d/p.go", p)] = text.String()
		fmt.Fprintf(&imports, "\t\"example.com/fleet/p%d\"\n", p)
		fmt.Fprintf(&calls, "\trun(p%d.All)\n", p)
	}
	files["main.go"] = "package main\n\nimport (\n\t\"net/http\"\n\n" + imports.String() + ")\n\nfunc run(all []func(int) int) {\n" +
		"\tfor i, f := range all {\n\t\tif i%10 != 0 {\n\t\t\tf(i)\n\t\t}\n\t}\n}\n\nfunc main() {\n" + calls.String() +
		"\t_ = http.ErrAbortHandler\n\tselect {}\n}\n"
	return files
}

// answers are those of one process, given for many.
type answers struct {
	instance       string
	version, track []byte
}

// ServeHTTP answers /N/version and /N/track.
func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	text := a.track
	if what == "version" {
		text = bytes.ReplaceAll(a.version, []byte(a.instance), []byte(a.instance+"-"+number))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

const listening = "goat: listening on "

// answersOf starts the program and asks it.
func answersOf(ctx context.Context, binary string) (*answers, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = append(os.Environ(), "GOAT_ADDR=127.0.0.1:0", "GOAT_STARTUP=0")
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if _, address, found := strings.Cut(lines.Text(), listening); found {
			return ask(ctx, "http://"+strings.Fields(address)[0])
		}
	}
	return nil, errors.New("the program of the fleet tells no address")
}

func ask(ctx context.Context, url string) (*answers, error) {
	a := &answers{}
	for path, into := range map[string]*[]byte{"/version": &a.version, "/track": &a.track} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, http.NoBody)
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		*into, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	_, rest, _ := strings.Cut(string(a.version), `"instance":"`)
	a.instance, _, _ = strings.Cut(rest, `"`)
	if a.instance == "" {
		return nil, errors.New("the program of the fleet names no instance")
	}
	return a, nil
}
