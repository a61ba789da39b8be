//go:build linux

package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
	y.base("distroless", nil, map[string]string{"etc/passwd": "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n", "tmp/.keep": ""})
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

// base commits programs of this machine, with their libraries, and files as an image.
func (y *yard) base(name string, programs []string, files map[string]string) {
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
// writes, its volume.
func (i image) command(volume, at string, env []string, args ...string) *exec.Cmd {
	script := `mkdir -p "$1$3" && mount --bind "$1" "$1" && mount --bind "$2" "$1$3" && mount -o remount,ro,bind "$1" && root=$1 user=$4 && shift 4 && exec chroot --userspec="$user" "$root" "$@"`
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
	var said strings.Builder
	app.Stderr = &said
	if err := app.Start(); err != nil {
		y.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Wait() }()
	deadline := time.After(time.Minute)
	for {
		if response, err := http.Get("http://127.0.0.1:57005/healthz"); err == nil {
			_ = response.Body.Close()
			break
		}
		select {
		case err := <-ended:
			y.Fatalf("the program ended: %v\n%s", err, said.String())
		case <-deadline:
			y.Fatalf("nothing listens\n%s", said.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	health := func() error {
		return i.command(volume, at, nil, i.config.Healthcheck.Test[1:]...).Run()
	}
	if err := health(); err != nil {
		y.Errorf("the health check of a program that is well: %v", err)
	}
	if err := app.Process.Signal(syscall.SIGKILL); err != nil {
		y.Fatal(err)
	}
	<-ended
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
