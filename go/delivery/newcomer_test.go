//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newcomer is a machine with git, curl, a C compiler and Go, and nothing else: a Debian of
// its own (GOAT_NEWCOMER names its root, scripts/newcomer makes it), this machine's Go, and
// the release for download.
type newcomer struct {
	*testing.T
	root, dir string
	// cache is a build cache that is seen and not changed; an empty folder is a new machine's.
	cache string
	// goroot is another Go than this machine's.
	goroot string
}

func newNewcomer(t *testing.T, dir string) *newcomer {
	t.Helper()
	root := os.Getenv("GOAT_NEWCOMER")
	if root == "" {
		t.Skip("GOAT_NEWCOMER names no root (scripts/test newcomer makes one)")
	}
	return &newcomer{T: t, root: root, dir: dir, cache: t.TempDir()}
}

// result is what a session in the machine came to.
type result struct {
	out    string
	failed bool
	// seconds by the clock, and of CPU.
	seconds, cpu float64
}

// session runs commands in the machine as its user, who has an empty home; prepare runs
// before as root. Everything that it writes is gone afterwards: the root is an overlay's.
func (n *newcomer) session(prepare, commands string) result {
	n.Helper()
	goroot := n.goroot
	if goroot == "" {
		goroot = strings.TrimSpace(string(run1(n.T, "go", "env", "GOROOT")))
	}
	modules := filepath.Join(strings.TrimSpace(string(run1(n.T, "go", "env", "GOMODCACHE"))), "cache", "download")
	const script = `
mount -t tmpfs none "$1"
mkdir "$1/up" "$1/work" "$1/root" "$1/objects" "$1/scratch"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/up,workdir=$1/work" "$1/root"
cd "$1/root"
mkdir -p usr/local/go release modules objects
mount -t overlay overlay -o "lowerdir=$8,upperdir=$1/objects,workdir=$1/scratch" objects
mount --bind "$3" usr/local/go
mount --bind "$4" release
mount --bind "$5" modules
mount --bind /proc proc
mount --bind /dev dev
chroot . useradd --create-home new
find objects -maxdepth 1 -type d -exec chmod a+rwx {} +
chroot . /bin/bash -euc "$6"
exec chroot --userspec=new . /usr/bin/env -i HOME=/home/new PATH=/home/new/go/bin:/usr/local/go/bin:/usr/bin:/bin \
	GOCACHE=/objects GOTOOLCHAIN=local GOPROXY=file:///release/proxy,file:///modules GONOSUMDB='*' GOFLAGS=-modcacherw \
	GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=n@example.com GIT_COMMITTER_NAME=n GIT_COMMITTER_EMAIL=n@example.com \
	/bin/bash -euc "cd; $7"
`
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Minute)
	defer stop()
	command := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script, "sh", n.TempDir(), n.root, goroot, n.dir, modules, prepare+"\ntrue", commands, n.cache)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	began := time.Now()
	err := command.Run()
	r := result{out: out.String(), failed: err != nil, seconds: time.Since(began).Seconds()}
	if state := command.ProcessState; state != nil {
		r.cpu = (state.UserTime() + state.SystemTime()).Seconds()
	}
	return r
}

// firstReport is what a newcomer types once goat is there.
const firstReport = `
git init -q -b main shop
cd shop
printf 'module example.com/shop\n\ngo 1.23\n' > go.mod
printf 'package main\n\nfunc main() {\n\tprintln("stable")\n}\n' > main.go
git add .
git commit -qm stable
git checkout -qb release
printf 'package main\n\nfunc main() {\n\tprintln("release")\n}\n' > main.go
goat build -o canary .
GOAT_SPOOL=spool ./canary
goat report spool
`

// TestNewcomer: from nothing to the first report, by each way of installing.
func TestNewcomer(t *testing.T) {
	dir, version := delivered(t)
	n := newNewcomer(t, dir)
	archive := "goat_" + version + "_linux_amd64.tar.gz"
	for name, way := range map[string]struct{ prepare, install string }{
		"go install": {install: "go install " + mainModule + "/cmd/goat@" + version},
		"archive": {install: "curl -fsSO file:///release/" + archive + "\ncurl -fsSO file:///release/SHA256SUMS\n" +
			"sha256sum --check --ignore-missing --quiet SHA256SUMS\nmkdir -p go/bin\ntar -xzf " + archive + " -C go/bin goat"},
		"deb": {prepare: "dpkg --install /release/goat_*_amd64.deb"},
		// Debian's rpm knows of no package that it did not install itself.
		"rpm": {prepare: "rpm --install --nodeps /release/goat-*.x86_64.rpm"},
	} {
		t.Run(name, func(t *testing.T) {
			commands := len(strings.Split(strings.TrimSpace(way.prepare+way.install), "\n"))
			r := n.session(way.prepare, way.install+firstReport)
			if r.failed || !strings.Contains(r.out, "1 of 1 points ran") {
				t.Fatalf("there is no report:\n%s", r.out)
			}
			t.Logf("%s: %d commands to install, %.0f s with build and first report, %.0f s of CPU", name, commands, r.seconds, r.cpu)
		})
	}
}

// TestNewcomerInTrouble: each says in a line what is wrong, and leaves nothing half done.
func TestNewcomerInTrouble(t *testing.T) {
	dir, version := delivered(t)
	n := newNewcomer(t, dir)
	// Here nobody counts seconds: what this machine compiled of the standard library will do.
	n.cache = strings.TrimSpace(string(run1(t, "go", "env", "GOCACHE")))
	install := "go install " + mainModule + "/cmd/goat@" + version
	gone := "\ntest ! -e go/bin/goat"
	for name, c := range map[string]struct {
		goroot, prepare, commands string
		says                      []string
	}{
		"no C compiler": {
			prepare:  "rm -f /usr/bin/gcc* /usr/bin/cc /usr/bin/x86_64-linux-gnu-gcc*",
			commands: install + "\ngoat version\n! goat -C / plan",
			says:     []string{"without its core", "hint: "},
		},
		"another platform": {
			commands: "GOARCH=arm64 " + install + "\ntest -x go/bin/linux_arm64/goat",
		},
		"old Go": {
			goroot:   oldGo(t),
			prepare:  "cp -R /usr/local/go /old && chmod -R a+rX /old && chmod a+x /old/bin/* /old/pkg/tool/*/*",
			commands: "export PATH=/old/bin:$PATH\n! " + install + gone,
			says:     []string{"requires go >= 1.23"},
		},
		"wrong checksum": {
			commands: "mkdir tool\ncd tool\nprintf 'module example.com/tool\\n\\ngo 1.23\\n' > go.mod\n" +
				"go get " + mainModule + "@" + version + "\ngo clean -modcache\n" +
				"sed -i 's#^\\(" + libraryModule + " " + version + " h1:\\).*#\\1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=#' go.sum\n" +
				"! go mod download " + libraryModule + "\ntest ! -e ../go/pkg/mod/" + libraryModule + "@" + version,
			says: []string{"checksum mismatch"},
		},
		"no proxy": {
			commands: "! GOPROXY=off " + install + gone,
			says:     []string{"module lookup disabled by GOPROXY=off"},
		},
		"read-only GOPATH": {
			commands: "mkdir go\nchmod 0555 go\n! " + install + gone,
			says:     []string{"permission denied"},
		},
		"half a package": {
			prepare: "head -c 1000000 /release/goat_*_amd64.deb > /half.deb\n! dpkg --install /half.deb\ntest ! -e /usr/bin/goat\n" +
				"! dpkg --status goat | grep -q '^Status: install ok installed'\ndpkg --install /release/goat_*_amd64.deb",
			commands: "goat version",
			says:     []string{"unexpected end of file"},
		},
		"half an archive": {
			commands: "head -c 1000000 /release/goat_" + version + "_linux_amd64.tar.gz > goat_" + version + "_linux_amd64.tar.gz\ncp /release/SHA256SUMS .\n" +
				"! sha256sum --check --ignore-missing --quiet SHA256SUMS",
			says: []string{"FAILED"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := *n
			n.goroot = c.goroot
			r := n.session(c.prepare, c.commands)
			if r.failed {
				t.Fatalf("it ended otherwise:\n%s", r.out)
			}
			for _, text := range c.says {
				if !strings.Contains(r.out, text) {
					t.Errorf("nothing says %q in\n%s", text, r.out)
				}
			}
		})
	}
}

// oldGo is the last Go that is too old.
func oldGo(t *testing.T) string {
	t.Helper()
	var module struct{ Dir string }
	if err := json.Unmarshal(run1(t, "go", "mod", "download", "-json", "golang.org/toolchain@v0.0.1-go1.22.12.linux-amd64"), &module); err != nil {
		t.Fatal(err)
	}
	return module.Dir
}
