package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeBill is the bill of materials in CycloneDX. Its serial number follows from the
// commit and the version, so that the same release has the same one.
func (r *release) writeBill(parts []part) error {
	bom := cdx.NewBOM()
	sum := sha256.Sum256([]byte(r.version + "\x00" + r.commit))
	// RFC 9562: version 8, variant 10.
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	bom.SerialNumber = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	binary, err := os.ReadFile(r.binary)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(binary)
	self := cdx.Component{
		BOMRef: "goat", Type: cdx.ComponentTypeApplication, Name: "goat", Version: strings.TrimPrefix(r.version, "v"),
		PackageURL: "pkg:golang/" + mainModule + "@" + r.version, Licenses: licensed("Apache-2.0"),
		Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(hash[:])}},
	}
	bom.Metadata = &cdx.Metadata{Timestamp: r.time.Format(time.RFC3339), Component: &self}
	components := make([]cdx.Component, 0, len(parts))
	refs := make([]string, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		components = append(components, cdx.Component{
			BOMRef: p.purl(), Type: cdx.ComponentTypeLibrary, Name: p.name, Version: p.version,
			PackageURL: p.purl(), Licenses: licensed(p.license),
		})
		refs = append(refs, p.purl())
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: "goat", Dependencies: &refs}}
	var out bytes.Buffer
	encoder := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	if err := encoder.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return err
	}
	return r.write("sbom.cdx.json", out.Bytes())
}

func licensed(expression string) *cdx.Licenses {
	switch {
	case expression == "":
		return nil
	case strings.Contains(expression, " "):
		return &cdx.Licenses{{Expression: expression}}
	}
	return &cdx.Licenses{{License: &cdx.License{ID: expression}}}
}

// writeSums is SHA256SUMS, as sha256sum --check reads it.
func (r *release) writeSums() error {
	var lines []string
	err := filepath.WalkDir(r.out, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(r.out, path)
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(text), filepath.ToSlash(name)))
		return err
	})
	if err != nil {
		return err
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i][66:] < lines[j][66:] })
	return r.write("SHA256SUMS", []byte(strings.Join(lines, "")))
}
