package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // the formats
	nfpmfiles "github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm" // the formats
)

// item is a file of the archive, and where a package puts it.
type item struct {
	name, installed string
	data            []byte
	mode            os.FileMode
	// target makes it a symbolic link.
	target string
}

// payload is everything that a user gets, in the archive as in the packages.
func (r *release) payload(notices []byte) ([]item, error) {
	var items []item
	add := func(name, installed string, data []byte) {
		items = append(items, item{name: name, installed: installed, data: data, mode: 0o644})
	}
	for _, binary := range []struct{ name, path string }{{"goat", r.binary}, {"goat-contract", r.contract}} {
		if binary.path == "" {
			continue
		}
		data, err := os.ReadFile(binary.path)
		if err != nil {
			return nil, err
		}
		items = append(items, item{name: binary.name, installed: "/usr/bin/" + binary.name, data: data, mode: 0o755})
	}
	items = append(items, item{name: "go-graycheck", installed: "/usr/bin/go-graycheck", target: "goat"})
	for _, name := range []string{"README.md", "README.zh-CN.md", "CHANGELOG.md", "LICENSE"} {
		data, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return nil, err
		}
		add(name, "/usr/share/doc/goat/"+name, data)
	}
	add("THIRD-PARTY-NOTICES", "/usr/share/doc/goat/THIRD-PARTY-NOTICES", notices)
	if err := r.completions(add); err != nil {
		return nil, err
	}
	if err := r.manual(add); err != nil {
		return nil, err
	}
	sort.Slice(items, func(i, j int) bool { return items[i].name < items[j].name })
	return items, nil
}

// completions come from the command itself.
func (r *release) completions(add func(name, installed string, data []byte)) error {
	for shell, installed := range map[string][2]string{
		"bash":       {"goat.bash", "/usr/share/bash-completion/completions/goat"},
		"zsh":        {"_goat", "/usr/share/zsh/vendor-completions/_goat"},
		"fish":       {"goat.fish", "/usr/share/fish/vendor_completions.d/goat.fish"},
		"powershell": {"goat.ps1", "/usr/share/goat/completions/goat.ps1"},
	} {
		text, err := exec.Command(r.binary, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("goat completion %s: %w", shell, err)
		}
		add("completions/"+installed[0], installed[1], text)
	}
	return nil
}

// gzipped names no file and no time: both would differ from run to run.
func (r *release) gzipped(data []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeArchive is the tar.gz for those who unpack it themselves.
func (r *release) writeArchive(items []item) error {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, it := range items {
		if path.Ext(it.name) == ".gz" {
			continue
		}
		header := &tar.Header{
			Name: it.name, Size: int64(len(it.data)), Mode: int64(it.mode), ModTime: r.time,
			Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
		}
		if it.target != "" {
			header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, it.target, 0o777
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(it.data); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	packed, err := r.gzipped(out.Bytes())
	if err != nil {
		return err
	}
	return r.write("goat_"+r.name+"_linux_amd64.tar.gz", packed)
}

// writePackages makes the .deb and the .rpm.
func (r *release) writePackages(items []item) error {
	dir, err := os.MkdirTemp("", "goat-package-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var contents nfpmfiles.Contents
	for i, it := range items {
		if it.installed == "" {
			continue
		}
		info := &nfpmfiles.ContentFileInfo{Mode: it.mode, MTime: r.time, Owner: "root", Group: "root"}
		c := &nfpmfiles.Content{Destination: it.installed, Type: nfpmfiles.TypeFile, FileInfo: info}
		if it.target != "" {
			c.Source, c.Type = it.target, nfpmfiles.TypeSymlink
			info.Mode = 0o777
		} else {
			c.Source = filepath.Join(dir, fmt.Sprint(i))
			if err := os.WriteFile(c.Source, it.data, 0o644); err != nil {
				return err
			}
		}
		contents = append(contents, c)
	}
	for _, format := range []string{"deb", "rpm"} {
		packager, err := nfpm.Get(format)
		if err != nil {
			return err
		}
		info := nfpm.WithDefaults(&nfpm.Info{
			Name: "goat", Arch: "amd64", Platform: "linux", Version: r.version, VersionSchema: "semver",
			Section: "devel", Priority: "optional", Maintainer: "The goat authors <https://github.com/goat-trace/goat>",
			Description: "Tells which code of a change really ran in a gray release.\nA program built with goat reports live which of the changed Go code was reached.",
			Homepage:    "https://github.com/goat-trace/goat", License: "Apache-2.0", MTime: r.time,
			Overridables: nfpm.Overridables{
				// goat calls both, but `goat report` and `goat check` need neither.
				Recommends: []string{"git"},
				Contents:   contents,
				RPM:        nfpm.RPM{BuildHost: "goat", Compression: "gzip:9", Group: "Development/Tools", Summary: "Tells which code of a change really ran in a gray release"},
			},
		})
		if err := nfpm.PrepareForPackager(info, format); err != nil {
			return err
		}
		var out bytes.Buffer
		if err := packager.Package(info, &out); err != nil {
			return fmt.Errorf("%s: %w", format, err)
		}
		if err := r.write(packager.ConventionalFileName(info), out.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
