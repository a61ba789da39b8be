package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

// part is something that others wrote and that is in what is delivered.
type part struct {
	// language is go or rust; the purl says which registry.
	language, name, version, license, dir string
}

func (p *part) purl() string {
	if p.language == "go" {
		return "pkg:golang/" + p.name + "@" + p.version
	}
	return "pkg:cargo/" + p.name + "@" + p.version
}

// inventory is what is linked: the modules that the binaries name, the crates below the
// library, and the two standard libraries.
func (r *release) inventory() ([]part, error) {
	var parts []part
	seen := map[string]bool{}
	add := func(p part) {
		if !seen[p.purl()] {
			seen[p.purl()] = true
			parts = append(parts, p)
		}
	}
	for _, binary := range []string{r.binary, r.contract} {
		if binary == "" {
			continue
		}
		found, err := modulesOf(binary)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			add(p)
		}
	}
	crates, err := cratesOf(r.crates)
	if err != nil {
		return nil, err
	}
	for _, p := range crates {
		add(p)
	}
	sort.Slice(parts, func(i, j int) bool { return parts[i].purl() < parts[j].purl() })
	return parts, nil
}

func modulesOf(binary string) ([]part, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	parts := []part{{
		language: "go", name: "std", version: strings.TrimPrefix(info.GoVersion, "go"), license: "BSD-3-Clause",
		dir: strings.TrimSpace(string(root)),
	}}
	for _, dep := range info.Deps {
		out, err := exec.Command("go", "mod", "download", "-json", dep.Path+"@"+dep.Version).Output()
		if err != nil {
			return nil, fmt.Errorf("go mod download %s@%s: %w", dep.Path, dep.Version, err)
		}
		var at struct{ Dir string }
		if err := json.Unmarshal(out, &at); err != nil {
			return nil, err
		}
		p := part{language: "go", name: dep.Path, version: dep.Version, dir: at.Dir}
		p.license = licenseOf(at.Dir)
		parts = append(parts, p)
	}
	return parts, nil
}

// cratesOf reads cargo metadata: what the library depends on for linux/amd64, without
// what only builds or tests it.
func cratesOf(file string) ([]part, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var meta struct {
		Packages []struct {
			ID, Name, Version, License string
			Source                     *string
			Manifest                   string `json:"manifest_path"`
		}
		Resolve struct {
			Nodes []struct {
				ID   string
				Deps []struct {
					Pkg   string
					Kinds []struct{ Kind *string } `json:"dep_kinds"`
				}
			}
		}
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	below := map[string][]string{}
	for _, node := range meta.Resolve.Nodes {
		for _, dep := range node.Deps {
			for _, kind := range dep.Kinds {
				if kind.Kind == nil {
					below[node.ID] = append(below[node.ID], dep.Pkg)
					break
				}
			}
		}
	}
	linked := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		if !linked[id] {
			linked[id] = true
			for _, dep := range below[id] {
				visit(dep)
			}
		}
	}
	for _, p := range meta.Packages {
		if p.Name == "goat-capi" && p.Source == nil {
			visit(p.ID)
		}
	}
	if len(linked) == 0 {
		return nil, errors.New("cargo metadata does not name goat-capi")
	}
	parts := []part{{language: "rust", name: "std", version: rustVersion(), license: "MIT OR Apache-2.0"}}
	for _, p := range meta.Packages {
		if linked[p.ID] && p.Source != nil {
			parts = append(parts, part{
				language: "rust", name: p.Name, version: p.Version, license: strings.ReplaceAll(p.License, "/", " OR "),
				dir: filepath.Dir(p.Manifest),
			})
		}
	}
	return parts, nil
}

func rustVersion() string {
	out, err := exec.Command("rustc", "--version").Output()
	if fields := strings.Fields(string(out)); err == nil && len(fields) > 1 {
		return fields[1]
	}
	return ""
}

var (
	licenseName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense|copyright)([-_.].*)?$`)
	// Sources are no texts of a licence, whatever their name.
	sourceName = regexp.MustCompile(`(?i)\.(go|rs|c|h|py|json)$`)
)

// licenseFiles are the texts that go with a part: its own, and those of what it brings
// along (libgit2, PCRE, zlib).
func licenseFiles(dir string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		depth := strings.Count(strings.TrimPrefix(path, dir), string(filepath.Separator))
		if entry.IsDir() {
			if name := entry.Name(); depth > 3 || name == "testdata" || name == "tests" || path == filepath.Join(dir, "src") && isGoRoot(dir) {
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() && licenseName.MatchString(entry.Name()) && !sourceName.MatchString(entry.Name()) {
			found = append(found, path)
		}
		return nil
	})
	sort.Strings(found)
	return found, err
}

func isGoRoot(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "src", "runtime"))
	return err == nil
}

// licenseOf names the licence of a module by the words that its text must have.
func licenseOf(dir string) string {
	names, _ := licenseFiles(dir)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil || filepath.Dir(name) != dir {
			continue
		}
		flat := strings.Join(strings.Fields(string(text)), " ")
		switch {
		case strings.Contains(flat, "Apache License") && strings.Contains(flat, "Version 2.0"):
			return "Apache-2.0"
		case strings.Contains(flat, "Mozilla Public License Version 2.0"), strings.Contains(flat, "Mozilla Public License, version 2.0"):
			return "MPL-2.0"
		case strings.Contains(flat, "Redistribution and use in source and binary forms") && strings.Contains(flat, "Neither the name"):
			return "BSD-3-Clause"
		case strings.Contains(flat, "Redistribution and use in source and binary forms"):
			return "BSD-2-Clause"
		case strings.Contains(flat, "Permission is hereby granted, free of charge"):
			return "MIT"
		case strings.Contains(flat, "Permission to use, copy, modify, and/or distribute"):
			return "ISC"
		}
	}
	return ""
}

// notices is one text with the licences of everything that others wrote. A text that
// several parts share stands once.
func notices(parts []part) ([]byte, error) {
	owners := map[string][]string{}
	var order []string
	for i := range parts {
		p := &parts[i]
		names, err := licenseFiles(p.dir)
		if err != nil {
			return nil, err
		}
		owner := fmt.Sprintf("%s %s (%s)", p.name, p.version, p.license)
		if len(names) == 0 {
			text := "The licence is " + p.license + "; its text does not come with the sources.\n"
			names = nil
			if owners[text] == nil {
				order = append(order, text)
			}
			owners[text] = append(owners[text], owner)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			key := strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")) + "\n"
			if owners[key] == nil {
				order = append(order, key)
			}
			owners[key] = append(owners[key], owner+" "+filepath.ToSlash(strings.TrimPrefix(name, p.dir+string(filepath.Separator))))
		}
	}
	var out bytes.Buffer
	out.WriteString("goat contains the following work of others.\n")
	for _, text := range order {
		fmt.Fprintf(&out, "\n%s\n\n%s\n\n%s", strings.Repeat("=", 80), strings.Join(owners[text], "\n"), text)
	}
	return out.Bytes(), nil
}
