package page

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// packed is a file's text for the script: the release's lines with marks, and the
// base's lines that are gone. It is kept apart from the rows, and compressed, because
// most of it is never looked at.
type packed struct {
	Text string `json:"t"`
	Old  []any  `json:"o,omitempty"`
	Have bool   `json:"h"`
}

// pack is base64 of gzip of the files' texts, in their order; "" when there is none.
func (p *Page) pack() (string, error) {
	list := make([]packed, len(p.Files))
	any := false
	for i := range p.Files {
		f := &p.Files[i]
		if f.Text == nil {
			f.packOld(&list[i])
			any = any || list[i].Old != nil
			continue
		}
		any = true
		list[i].Have, list[i].Text = true, strings.Join(colour(f.Text), "\n")
		f.packOld(&list[i])
	}
	if !any {
		return "", nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	encoder := json.NewEncoder(z)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(list); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func (f *File) packOld(into *packed) {
	for i := range f.Old {
		old := strings.Join(f.Old[i].Lines, "\n")
		into.Old = append(into.Old, f.Old[i].After, strings.Join(colour([]byte(old)), "\n"))
	}
}
