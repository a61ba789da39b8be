//go:build go1.21

package server

import (
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// version says what this process is. The first component's fields stand at the
// top; a plugin's stand under components.
func (h *handler) version(w http.ResponseWriter, _ *http.Request) {
	all := goatrt.Components()
	j := begin(w, http.StatusOK)
	j.open('{')
	if len(all) > 0 {
		writeIdentity(j, all[0])
	}
	j.key("address").str(goatrt.Address()).key("pid").number(int64(os.Getpid())).key("phase").str(goatrt.Phase())
	h.writeSiblings(j)
	j.key("components").open('[')
	for _, c := range all {
		j.open('{').key("id").number(int64(c.ID()))
		writeIdentity(j, c)
		j.close('}')
	}
	j.close(']').close('}').flush()
}

// writeSiblings lists the processes that were started with the same address.
func (h *handler) writeSiblings(j *document) {
	j.key("siblings").open('[')
	for _, s := range h.family.list() {
		j.open('{').key("address").str(s.address).key("instance").str(s.instance)
		j.key("pid").number(int64(s.pid)).key("planHash").str(s.plan).close('}')
	}
	j.close(']')
}

func writeIdentity(j *document, c *goatrt.Component) {
	id := c.Identity()
	file, state := c.Spool()
	j.key("goat").str(id.Goat).key("app").str(id.App).key("version").str(id.Version)
	j.key("component").str(id.Component).key("module").str(id.Module).key("mode").str(id.Mode)
	j.key("base").str(id.Base).key("baseCommit").str(id.BaseCommit)
	j.key("release").str(id.Release).key("releaseCommit").str(id.ReleaseCommit)
	j.key("dirty").boolean(id.Dirty == "true").key("contentHash").str(id.ContentHash)
	j.key("planHash").str(id.Plan).key("granularity").str(id.Granularity).key("precision")
	if n, err := strconv.Atoi(id.Precision); err == nil {
		j.number(int64(n))
	} else {
		j.raw("null")
	}
	writeBuild(j, id)
	j.key("instance").str(id.Instance).key("started").moment(c.Started())
	j.key("lane").str(id.Lane).key("window").str(c.Window().String())
	j.key("points").number(int64(c.Len())).key("degraded").strs(c.Degraded())
	j.key("spool").open('{').key("path").strOrNull(file).key("state").str(state).close('}')
}

// writeBuild says what decided which files are in the program.
func writeBuild(j *document, id *goatrt.Identity) {
	j.key("build")
	if id.GOOS == "" {
		j.raw("null")
		return
	}
	j.open('{').key("goos").str(id.GOOS).key("goarch").str(id.GOARCH)
	j.key("tags").strs(strings.FieldsFunc(id.Tags, func(r rune) bool { return r == ',' }))
	j.key("cgo").boolean(id.Cgo == "true").key("goVersion").str(id.GoVersion).close('}')
	j.key("plain").strs(strings.Fields(id.Plain))
}

// coverprofile answers in the text form of `go tool cover`. A file is named as
// there: import path of its package, slash, base name.
func (h *handler) coverprofile(w http.ResponseWriter, _ *http.Request) {
	plain(w, "text/plain; charset=utf-8")
	buf := append(make([]byte, 0, chunk+1024), "mode: set\n"...)
	for _, c := range goatrt.Components() {
		for i, p := range c.Points() {
			buf = appendRegion(buf, &p, c.Hit(i).Count > 0)
			if len(buf) > chunk {
				_, _ = w.Write(buf)
				buf = buf[:0]
			}
		}
	}
	_, _ = w.Write(buf)
}

// appendRegion appends file:line.column,line.column statements count.
func appendRegion(buf []byte, p *goatrt.Point, hit bool) []byte {
	buf = append(append(append(buf, p.Package...), '/'), path.Base(p.File)...)
	buf = strconv.AppendInt(append(buf, ':'), int64(p.Line), 10)
	buf = strconv.AppendInt(append(buf, '.'), int64(p.Column), 10)
	buf = strconv.AppendInt(append(buf, ','), int64(p.EndLine), 10)
	buf = strconv.AppendInt(append(buf, '.'), int64(p.EndColumn), 10)
	if hit {
		return append(buf, " 1 1\n"...)
	}
	return append(buf, " 1 0\n"...)
}
