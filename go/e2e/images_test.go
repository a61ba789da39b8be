//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"
)

// yard is where images are built: buildah with a store of its own, bases made of this
// machine's files, no registry.
type yard struct {
	*testing.T
	machine
	dir string
}

func newYard(t *testing.T) *yard {
	t.Helper()
	if os.Getenv("GOAT_IMAGES") == "" {
		t.Skip("GOAT_IMAGES is not set (scripts/test images sets it)")
	}
	needRoot(t)
	y := &yard{T: t, machine: look(t), dir: t.TempDir()}
	open(t, y.dir)
	t.Cleanup(func() { y.buildah("rm", "--all") })
	y.base("golang", []string{"/bin/sh", "/bin/mkdir"}, nil)
	y.base("distroless", nil, map[string]string{"etc/passwd": "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n", "tmp/.keep": "", "dev/null": ""})
	y.base("kubectl", nil, nil, y.kubectl())
	y.goatImage()
	return y
}

func (y *yard) buildah(args ...string) string {
	y.Helper()
	out, err := y.try(args...)
	if err != nil {
		y.Fatalf("buildah %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(out)
}

// try keeps all that buildah makes in the yard's directory.
func (y *yard) try(args ...string) (string, error) {
	command := exec.Command("buildah", append([]string{"--storage-driver=vfs", "--root=" + y.dir + "/root", "--runroot=" + y.dir + "/run"}, args...)...)
	tmp := filepath.Join(y.dir, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return "", err
	}
	command.Env = append(os.Environ(), "TMPDIR="+tmp)
	out, err := command.CombinedOutput()
	return string(out), err
}

// base commits programs of this machine, with their libraries, files, and programs of the
// test's own as an image.
func (y *yard) base(name string, programs []string, files map[string]string, own ...string) {
	y.Helper()
	root := filepath.Join(y.dir, name)
	for _, folder := range []string{"tmp", "usr/local/bin", "usr/local/go"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			y.Fatal(err)
		}
	}
	put := func(path string, data []byte, mode os.FileMode) {
		target := filepath.Join(root, path)
		if err := errorsOf(os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, data, mode)); err != nil {
			y.Fatal(err)
		}
	}
	for _, program := range programs {
		out, err := exec.Command("ldd", program).Output()
		if err != nil {
			y.Fatal(err)
		}
		for _, word := range append(strings.Fields(string(out)), program) {
			if strings.HasPrefix(word, "/") {
				put(word, []byte(y.read(word)), 0o755)
			}
		}
	}
	for path, text := range files {
		put(path, []byte(text), 0o644)
	}
	for _, program := range own {
		put("bin/"+filepath.Base(program), []byte(y.read(program)), 0o755)
	}
	container := y.buildah("from", "scratch")
	y.buildah("add", "--quiet", container, root, "/")
	y.buildah("config", "--env=PATH=/usr/local/go/bin:/usr/local/bin:/bin", container)
	y.buildah("commit", "--quiet", "--format=docker", container, "localhost/"+name)
	y.buildah("rm", container)
}

func (y *yard) read(name string) string {
	y.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		y.Fatal(err)
	}
	return string(text)
}

// goatImage builds goat's own image of an archive as a release has it.
func (y *yard) goatImage() {
	y.Helper()
	folder := filepath.Join(y.dir, "release")
	script := `mkdir -p "$1/dist" && cd "$2" && for f in goat-contract LICENSE THIRD-PARTY-NOTICES; do echo "$f" >"$1/$f"; done
cp goat "$1/goat" && cd "$1" && tar -czf dist/goat_v0.1.0_linux_amd64.tar.gz goat goat-contract LICENSE THIRD-PARTY-NOTICES && rm goat`
	if out, err := exec.Command("sh", "-ec", script, "sh", folder, filepath.Dir(y.goat)).CombinedOutput(); err != nil {
		y.Fatalf("%v\n%s", err, out)
	}
	y.build("goat", "goat", folder)
}

// build is docker build of a file of examples/docker.
func (y *yard) build(image, file, context string, args ...string) string {
	y.Helper()
	all := []string{"bud", "--quiet=false", "--format=docker", "--isolation=chroot", "--pull-never", "--volume=" + goroot(y.T) + ":/usr/local/go:ro",
		"--build-arg=GO=localhost/golang", "--build-arg=GOAT=localhost/goat", "--file=" + filepath.Join(y.machine.root, "examples/docker", file+".Dockerfile"), "--tag=localhost/" + image}
	for _, arg := range args {
		all = append(all, "--build-arg="+arg)
	}
	return y.buildah(append(all, context)...)
}

func goroot(t *testing.T) string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// image is a root on disk, and what its configuration says.
type image struct {
	root   string
	config struct {
		User        string
		Env         []string
		Entrypoint  []string
		Volumes     map[string]any
		Healthcheck struct{ Test []string }
	}
}

func (y *yard) image(name string) image {
	y.Helper()
	var i image
	container := y.buildah("from", "--pull-never", "localhost/"+name)
	i.root = y.buildah("mount", container)
	var inspected struct {
		Docker struct {
			Config json.RawMessage `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(y.buildah("inspect", container)), &inspected); err != nil {
		y.Fatal(err)
	}
	if err := json.Unmarshal(inspected.Docker.Config, &i.config); err != nil {
		y.Fatal(err)
	}
	return i
}

// command runs in the image as a runtime would have it: its user, a root that nobody
// writes, its volume. The image's PATH is not this machine's.
func (i image) command(volume, at string, env []string, args ...string) *exec.Cmd {
	script := `mkdir -p "$1$3" && mount --bind "$1" "$1" && mount --bind "$2" "$1$3" && mount -o remount,ro,bind "$1" && { [ ! -e "$1/dev/null" ] || mount --bind /dev/null "$1/dev/null"; } && root=$1 user=$4 && shift 4 && PATH=$PATH:/usr/sbin:/sbin && exec chroot --userspec="$user" "$root" "$@"`
	command := exec.Command("unshare", append([]string{"--mount", "sh", "-ec", script, "sh", i.root, volume, at, i.config.User}, args...)...)
	command.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, append(i.config.Env, env...)...)
	return command
}

func TestImages(t *testing.T) {
	y := newYard(t)
	for _, c := range []struct{ file, base string }{
		{"with-git", "scratch"}, {"without-git", "localhost/distroless"},
	} {
		t.Run(c.file+" on "+filepath.Base(c.base), func(t *testing.T) {
			dir := shop(t)
			y := &yard{T: t, machine: y.machine, dir: y.dir}
			y.checkout(dir, c.file == "without-git")
			said := y.build("shop", c.file, dir, "BASE="+c.base, "AGAINST=v1")
			if !strings.Contains(said, "example.com/shop/cart") {
				t.Errorf("the first build compiled nothing of the shop:\n%s", said)
			}
			// The same sources in another directory, with other times: nothing is compiled.
			again := filepath.Join(t.TempDir(), "again")
			if out, err := exec.Command("cp", "-R", dir, again).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if said := y.build("shop", c.file, again, "BASE="+c.base, "AGAINST=v1"); strings.Contains(said, "example.com/shop") || strings.Contains(said, "\nruntime\n") {
				t.Errorf("the second build compiled:\n%s", said)
			}
			y.runs(y.image("shop"))
			if c.base != "scratch" {
				y.gate(y.image("shop"))
				y.composed(y.image("shop"))
			}
		})
	}
}

// checkout is the release; without .git where a build has none, after goat generate.
func (y *yard) checkout(dir string, generated bool) {
	y.Helper()
	script := "git checkout -q my-release"
	if generated {
		script += ` && "$GOAT" --base v1 generate && rm -rf .git`
	}
	command := exec.Command("sh", "-ec", script)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOAT="+y.goat, "GIT_CONFIG_GLOBAL=/dev/null", "GOFLAGS=-buildvcs=false", "GOAT_CACHE="+y.TempDir())
	if out, err := command.CombinedOutput(); err != nil {
		y.Fatalf("%v\n%s", err, out)
	}
}

// runs starts the image's program, asks its health check, kills it, and reads the volume
// with goat's image.
func (y *yard) runs(i image) {
	y.Helper()
	const at = "/var/run/goat"
	if i.config.User != "65532:65532" || i.config.Volumes[at] == nil || len(i.config.Healthcheck.Test) < 2 {
		y.Fatalf("the image is %+v", i.config)
	}
	volume := y.TempDir()
	open(y.T, volume)
	if err := os.Chown(volume, unprivileged, unprivileged); err != nil {
		y.Fatal(err)
	}
	app := i.command(volume, at, nil, append(i.config.Entrypoint, "-addr", "127.0.0.1:0")...)
	ended := y.serves(app, "127.0.0.1:57005")
	health := func() error {
		return i.command(volume, at, nil, i.config.Healthcheck.Test[1:]...).Run()
	}
	if err := health(); err != nil {
		y.Errorf("the health check of a program that is well: %v", err)
	}
	y.kill(app, ended)
	if err := health(); err == nil {
		y.Error("the health check of a program that is gone passes")
	}
	// goat itself, in its own image, as the same user.
	goat := y.image("goat")
	report := goat.command(volume, "/spool", nil, append(goat.config.Entrypoint, "report", "/spool")...)
	out, err := report.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\n1 of 19 points ran\n") {
		y.Errorf("goat's image reports %v\n%s", err, out)
	}
}

// serves starts a program and waits until its /healthz answers.
func (y *yard) serves(program *exec.Cmd, address string) (ended chan error) {
	y.Helper()
	var said strings.Builder
	program.Stderr = &said
	if err := program.Start(); err != nil {
		y.Fatal(err)
	}
	y.Cleanup(func() { _ = program.Process.Kill() })
	ended = make(chan error, 1)
	go func() { ended <- program.Wait() }()
	err := until(func() string {
		select {
		case err := <-ended:
			ended <- err
			return ""
		default:
		}
		response, err := http.Get("http://" + address + "/healthz")
		if err != nil {
			return err.Error()
		}
		_ = response.Body.Close()
		return ""
	})
	select {
	case err := <-ended:
		y.Fatalf("the program ended: %v\n%s", err, said.String())
	default:
	}
	if err != nil {
		y.Fatalf("nothing listens: %v\n%s", err, said.String())
	}
	return ended
}

func (y *yard) kill(program *exec.Cmd, ended chan error) {
	y.Helper()
	if err := program.Process.Signal(syscall.SIGKILL); err != nil {
		y.Fatal(err)
	}
	<-ended
}

// composed runs the program and a real Prometheus as compose.yaml has them, on one machine.
func (y *yard) composed(service image) {
	y.Helper()
	const at, token = "/var/run/goat", "0123456789abcdef0123456789abcdef"
	folder := filepath.Join(y.machine.root, "examples/docker")
	var file struct {
		Services map[string]struct {
			Command     []string
			Environment map[string]string
		}
	}
	if err := yaml.Unmarshal([]byte(y.read(filepath.Join(folder, "compose.yaml"))), &file); err != nil {
		y.Fatal(err)
	}
	shop := file.Services["shop"]
	env := []string{"GOAT_TOKEN=" + token}
	for name, value := range shop.Environment {
		if name != "GOAT_TOKEN" {
			env = append(env, name+"="+value)
		}
	}
	volume, dir := y.TempDir(), y.TempDir()
	open(y.T, volume)
	settings := strings.NewReplacer("shop:57005", "127.0.0.1:57005", "scrape_interval: 5s", "scrape_interval: 250ms").Replace(y.read(filepath.Join(folder, "prometheus.yml")))
	if err := errorsOf(os.Chown(volume, unprivileged, unprivileged),
		os.WriteFile(filepath.Join(dir, "goat.token"), []byte(token), 0o600),
		os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(settings), 0o600)); err != nil {
		y.Fatal(err)
	}
	app := service.command(volume, at, env, append(service.config.Entrypoint, shop.Command...)...)
	defer y.kill(app, y.serves(app, "127.0.0.1:57005"))
	url, stop, err := runPrometheus(needs(y.T, "prometheus"), dir)
	if err != nil {
		y.Fatal(err)
	}
	defer stop()
	for query, want := range map[string]string{`sum(up)`: "2", `count(goat_track_point_info)`: "19", `count(goat_build_info{lane="canary"})`: "1"} {
		eventually(y.T, query, func() string { return notYet(url, query, want) })
	}
}

// notYet says what a query gives other than the value; "" when it is that.
func notYet(server, query, want string) string {
	response, err := http.Get(server + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(text), `,"`+want+`"]`) {
		return fmt.Sprintf("%s instead of %s, %v", text, want, err)
	}
	return ""
}

// kubectl is one that knows a pod and forwards to this machine's own port.
func (y *yard) kubectl() string {
	y.Helper()
	dir := y.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "kubectl")
	const text = `package main

import (
	"fmt"
	"os"
)

func main() {
	if os.Args[1] == "get" {
		fmt.Println(` + "`" + `{"kind": "List", "items": [{"metadata": {"name": "one", "uid": "1"}, "status": {"phase": "Running"}}]}` + "`" + `)
		return
	}
	fmt.Println("Forwarding from 127.0.0.1:57005 -> 57005")
	select {}
}
`
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		y.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		y.Fatalf("%v\n%s", err, out)
	}
	return program
}

// gate runs the gate's image beside a program of the service: without rights, with nothing
// to write but /tmp, as the chart has it.
func (y *yard) gate(service image) {
	y.Helper()
	y.build("gate", "gate", y.TempDir(), "BASE=localhost/distroless", "KUBECTL=localhost/kubectl")
	gate, volume := y.image("gate"), y.TempDir()
	open(y.T, volume)
	if gate.config.User != "65532:65532" {
		y.Errorf("the gate runs as %q", gate.config.User)
	}
	if err := os.Chown(volume, unprivileged, unprivileged); err != nil {
		y.Fatal(err)
	}
	app := service.command(volume, "/var/run/goat", []string{"GOAT_STARTUP=0"}, append(service.config.Entrypoint, "-addr", "127.0.0.1:0")...)
	appEnded := y.serves(app, "127.0.0.1:57005")
	defer y.kill(app, appEnded)
	serve := gate.command(volume, "/tmp", nil, append(gate.config.Entrypoint, "--pods=app=shop", "--check.coverage.points=0")...)
	serveEnded := y.serves(serve, "127.0.0.1:8686")
	defer y.kill(serve, serveEnded)
	var verdict struct {
		Verdict  string
		Coverage struct{ Points int }
	}
	response, err := http.Get("http://127.0.0.1:8686/v1/verdict")
	if err != nil {
		y.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err := errorsOf(err, json.Unmarshal(text, &verdict)); err != nil || verdict.Verdict != "pass" || verdict.Coverage.Points != 19 {
		y.Errorf("the gate says %v\n%s", err, text)
	}
}
