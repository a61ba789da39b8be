package reload

import (
	"context"
	"crypto/md5"  //nolint:gosec // what programs show, not what protects them
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/ask"
	"github.com/goat-trace/goat/go/internal/gate/flat"
)

// Snapshot compares what a running program has in memory with the file on disk.
type Snapshot struct {
	URL  string `key:"url" help:"address that answers with the hash of the configuration in memory, or with the configuration as JSON"`
	Path string `key:"path" help:"path of the hash, or of the configuration, in its JSON; otherwise the whole body"`
	File string `key:"file" help:"the file on disk; otherwise file"`
}

// observed is what an address answers, at a path of its JSON.
func observed(ctx context.Context, address, at string) (string, error) {
	answer, err := ask.Do(ctx, &ask.Request{URL: address})
	switch {
	case err != nil:
		return "", err
	case answer.Status != http.StatusOK:
		return "", fmt.Errorf("status %s", ask.StatusText(answer))
	case at == "":
		return strings.TrimSpace(string(answer.Body)), nil
	}
	var document any
	if err := json.Unmarshal(answer.Body, &document); err != nil {
		return "", errors.New("the answer is no JSON")
	}
	path, err := ask.ParsePath(at)
	if err != nil {
		return "", err
	}
	for _, found := range path.Find(document) {
		switch found.(type) {
		case map[string]any, []any:
			text, err := json.Marshal(found)
			return string(text), err
		}
		return ask.Word(found), nil
	}
	return "", fmt.Errorf("nothing stands at %s of the answer", at)
}

// snapshot judges whether memory and disk agree.
func (c *Check) snapshot(ctx context.Context, f *gate.Finding) {
	name := c.Snapshot.File
	if name == "" {
		name = c.File
	}
	text, err := os.ReadFile(c.inDir(name))
	if err != nil {
		f.Misconfigured = fmt.Errorf("check.config.snapshot.file: %w", err)
		return
	}
	memory, err := observed(ctx, c.Snapshot.URL, c.Snapshot.Path)
	r := gate.Reason{Query: "GET " + ask.Shown(c.Snapshot.URL), Place: &gate.Place{File: name}}
	switch {
	case err != nil:
		r.Verdict, r.Message = gate.Error, "snapshot: "+err.Error()
	case strings.HasPrefix(memory, "{") || strings.HasPrefix(memory, "["):
		sameKeys(&r, name, string(text), memory)
	default:
		sameHash(&r, text, memory)
	}
	f.Add(r)
}

func (c *Check) inDir(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir, name)
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f]+$`)

// digests of a text by the length of their hexadecimal form.
func digests(text []byte) map[int]struct{ name, sum string } {
	one, two, three, four := md5.Sum(text), sha1.Sum(text), sha256.Sum256(text), sha512.Sum512(text) //nolint:gosec // as above
	all := map[int]struct{ name, sum string }{}
	for name, sum := range map[string][]byte{"md5": one[:], "sha1": two[:], "sha256": three[:], "sha512": four[:]} {
		all[2*len(sum)] = struct{ name, sum string }{name, hex.EncodeToString(sum)}
	}
	return all
}

// sameHash holds a hash, whose length says which it is, against the file's.
func sameHash(r *gate.Reason, text []byte, memory string) {
	sum := strings.ToLower(memory)
	if _, bare, prefixed := strings.Cut(sum, ":"); prefixed {
		sum = bare
	}
	if raw, err := base64.StdEncoding.DecodeString(memory); err == nil && !hexadecimal.MatchString(sum) {
		sum = hex.EncodeToString(raw)
	}
	disk, known := digests(text)[len(sum)]
	r.Value, r.Threshold, r.Unit = sum, disk.sum, disk.name
	switch {
	case !known || !hexadecimal.MatchString(sum):
		r.Verdict, r.Message = gate.Error, "snapshot: the answer is neither a hash (md5, sha1, sha256 or sha512) nor JSON"
		r.Value, r.Threshold = nil, nil
	case sum == disk.sum:
		r.Verdict, r.Message = gate.Pass, "snapshot: what is in memory is what is on disk"
	default:
		r.Verdict, r.Message = gate.Fail, "snapshot: what is in memory is not what is on disk"
	}
}

// sameKeys holds the configuration that a program shows against the file's keys. Keys that
// only the program has are defaults; case does not count, as in viper.
func sameKeys(r *gate.Reason, name, text, memory string) {
	disk, err := flat.Read(name, text)
	if err != nil {
		r.Verdict, r.Message = gate.Fail, "snapshot: the file does not parse: "+err.Error()
		return
	}
	has, err := flat.Read("memory.json", memory)
	if err != nil {
		r.Verdict, r.Message = gate.Error, "snapshot: the answer does not parse: "+err.Error()
		return
	}
	var differ []string
	for _, change := range flat.Diff(lower(disk), lower(has)) {
		if change.Kind != "added" {
			differ = append(differ, change.Key)
		}
	}
	r.Verdict, r.Value, r.Threshold, r.Unit = gate.Pass, len(differ), 0, "keys"
	r.Message = fmt.Sprintf("snapshot: the %d keys of the file are in memory as they are on disk", len(disk))
	if len(differ) > 0 {
		r.Verdict, r.Message = gate.Fail, "snapshot: not in memory as on disk: "+listed(differ)
	}
}

func lower(keys flat.Keys) flat.Keys {
	small := flat.Keys{}
	for key, value := range keys {
		small[strings.ToLower(key)] = value
	}
	return small
}

// most is how many names a message has.
const most = 20

func listed(names []string) string {
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
