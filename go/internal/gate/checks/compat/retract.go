package compat

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// retracted names the requirements of the release that their authors took back, as far
// as the newest go.mod in the module cache knows: nothing is downloaded for it.
func (c *Check) retracted(name string, base, release *modfile.File) []finding {
	if c.ModCache == "" {
		return nil
	}
	was := requirements(base)
	var found []finding
	for path, now := range requirements(release) {
		why, retracted := c.takenBack(path, now.version)
		if !retracted {
			continue
		}
		one := finding{ID: "modules.retracted", Severity: breaking, Subject: path, Message: now.version + " was retracted"}
		if why != "" {
			one.Message += ": " + why
		}
		if was[path].version == now.version {
			one.Severity = warning
			one.Message += " (the base requires it, too)"
		}
		one.Place.File, one.Place.Line = name, now.line
		found = append(found, one)
	}
	return found
}

// takenBack looks a version up in the newest go.mod of its module.
func (c *Check) takenBack(path, version string) (why string, retracted bool) {
	escaped, err := module.EscapePath(path)
	if err != nil {
		return "", false
	}
	dir := filepath.Join(c.ModCache, "cache", "download", filepath.FromSlash(escaped), "@v")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false
	}
	newest := ""
	for _, entry := range entries {
		plain, isMod := strings.CutSuffix(entry.Name(), ".mod")
		known, err := module.UnescapeVersion(plain)
		if isMod && err == nil && semver.Prerelease(known) == "" && semver.Compare(known, newest) > 0 {
			newest = known
		}
	}
	escapedVersion, err := module.EscapeVersion(newest)
	if newest == "" || err != nil {
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(dir, escapedVersion+".mod"))
	if err != nil {
		return "", false
	}
	file, err := modfile.ParseLax(escapedVersion+".mod", text, nil)
	if err != nil {
		return "", false
	}
	for _, r := range file.Retract {
		if semver.Compare(r.Low, version) <= 0 && semver.Compare(version, r.High) <= 0 {
			return strings.Join(strings.Fields(r.Rationale), " "), true
		}
	}
	return "", false
}
