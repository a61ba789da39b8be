// Command delivery makes what a release consists of from what was built already: modules
// for a file GOPROXY, an archive, packages, a bill of materials, and their sums. The same
// commit gives the same bytes. scripts/release builds and calls it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// release is what every part needs to know.
type release struct {
	// name is the version as it was asked for, version with its v in front.
	name, version string
	commit        string
	time          time.Time
	// root is the checkout, out the directory that receives everything.
	root, out string
	// library is the core as one object, binary goat, contract goat-contract (empty: not built).
	library, binary, contract string
	// crates is the output of cargo metadata.
	crates string
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "goat: "+err.Error())
		os.Exit(1)
	}
}

func run(args []string) error {
	r, err := parse(args)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	bill, err := r.inventory()
	if err != nil {
		return err
	}
	notices, err := notices(bill)
	if err != nil {
		return err
	}
	if err := r.write("THIRD-PARTY-NOTICES", notices); err != nil {
		return err
	}
	if err := r.writeModules(notices); err != nil {
		return err
	}
	files, err := r.payload(notices)
	if err != nil {
		return err
	}
	if err := r.writeArchive(files); err != nil {
		return err
	}
	if err := r.writePackages(files); err != nil {
		return err
	}
	if err := r.writeBill(bill); err != nil {
		return err
	}
	return r.writeSums()
}

func parse(args []string) (*release, error) {
	r := &release{}
	flags := flag.NewFlagSet("delivery", flag.ContinueOnError)
	var when string
	for _, f := range []struct {
		name, usage string
		to          *string
	}{
		{"version", "version of the release", &r.name},
		{"commit", "commit that it is made from", &r.commit},
		{"time", "the commit's time, RFC 3339", &when},
		{"root", "checkout of that commit", &r.root},
		{"library", "the core as a library of one object", &r.library},
		{"binary", "goat", &r.binary},
		{"contract", "goat-contract; empty where it was not built", &r.contract},
		{"crates", "output of cargo metadata", &r.crates},
		{"out", "directory to fill", &r.out},
	} {
		flags.StringVar(f.to, f.name, "", f.usage)
	}
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	r.version = "v" + strings.TrimPrefix(r.name, "v")
	if semver.Canonical(r.version) != r.version || semver.Build(r.version) != "" {
		return nil, fmt.Errorf("%q is no version: vMAJOR.MINOR.PATCH, with -PRERELEASE behind it if need be", r.name)
	}
	if semver.Major(r.version) > "v1" || len(semver.Major(r.version)) > 2 {
		return nil, fmt.Errorf("%s: from v2 on the module's path would have to end in /%s", r.version, semver.Major(r.version))
	}
	if module.IsPseudoVersion(r.version) {
		return nil, fmt.Errorf("%s is a version that go makes up for a commit, and is never released", r.version)
	}
	var err error
	if r.time, err = time.Parse(time.RFC3339, when); err != nil {
		return nil, err
	}
	r.time = r.time.UTC()
	if r.root == "" || r.out == "" || r.binary == "" || r.library == "" || r.crates == "" {
		return nil, errors.New("a flag is missing")
	}
	return r, nil
}

// write puts a file into the release.
func (r *release) write(name string, content []byte) error {
	path := filepath.Join(r.out, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
