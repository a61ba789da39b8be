package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/report"
)

// reportFormats are the formats of a report.
var reportFormats = []string{"text", "json", "html", "markdown", "coverprofile", "cobertura", "sarif"}

// output is a file that gets the report in a format.
type output struct{ format, path string }

// outputs reads --output FORMAT=FILE.
func (a *app) outputs(given, formats []string) ([]output, error) {
	var all []output
	for _, value := range given {
		format, path, both := strings.Cut(value, "=")
		if !both || path == "" {
			return nil, usage(fmt.Sprintf("--output: %q is not FORMAT=FILE", value), "use something like --output markdown=report.md")
		}
		if err := config.OneOf(goat.CodeUsage, "--output", format, formats); err != nil {
			return nil, err
		}
		path, err := filepath.Abs(joinDir(a.directory(), path))
		if err != nil {
			return nil, written(err)
		}
		all = append(all, output{format, path})
	}
	return all, nil
}

// deliver writes the report to its files and to stdout. Every form is made before the
// first is written.
func (a *app) deliver(ctx context.Context, q *question, document *report.Document) error {
	files := make([][]byte, len(q.outputs))
	for i, o := range q.outputs {
		var err error
		// A file is no terminal: no colour, and the whole.
		if files[i], err = a.form(ctx, q, document, o.format, text.Looks{Verbose: q.looks.Verbose, Quiet: q.looks.Quiet}); err != nil {
			return err
		}
	}
	shown, err := a.form(ctx, q, document, q.format, q.looks)
	if err != nil {
		return err
	}
	for i, o := range q.outputs {
		if err := replaceFile(o.path, files[i]); err != nil {
			return err
		}
	}
	return a.print(string(shown))
}

// form is the report in one format.
func (a *app) form(ctx context.Context, q *question, document *report.Document, format string, looks text.Looks) ([]byte, error) {
	switch format {
	case "json":
		var b bytes.Buffer
		err := writeJSON(&b, q.show(document))
		return b.Bytes(), err
	case "html":
		return htmlForm(ctx, q.request, document)
	case "markdown":
		return render.Markdown(q.show(document), a.linker(ctx, q, document)), nil
	case "coverprofile":
		return render.Coverprofile(document), nil
	case "cobertura":
		return render.Cobertura(document)
	case "sarif":
		return render.SARIF(document)
	}
	return []byte(text.Report(q.show(document), looks)), nil
}

// linker links to the release's lines on the forge: the one that --link or the pipeline
// names, else the repository's origin. What is not committed has no address.
func (a *app) linker(ctx context.Context, q *question, document *report.Document) render.Linker {
	id := &document.Identity
	if id.Dirty {
		return nil
	}
	address := cmp.Or(q.link, a.getenv("CI_PROJECT_URL"))
	if server, name := a.getenv("GITHUB_SERVER_URL"), a.getenv("GITHUB_REPOSITORY"); address == "" && server != "" && name != "" {
		address = server + "/" + name
	}
	if address == "" {
		// Without a repository or a remote there are no links.
		origin, _ := gitIn(q.request.Dir).output(ctx, "remote", "get-url", "origin")
		address = browserURL(origin)
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return nil
	}
	return render.LinesAt(address, parsed.Host, id.Release.Commit)
}

// browserURL is the page of the repository that a remote names; "" where it has none.
func browserURL(remote string) string {
	if remote == "" {
		return ""
	}
	if !strings.Contains(remote, "://") {
		// git's short form of SSH: [user@]host:path.
		host, path, both := strings.Cut(remote, ":")
		if !both || strings.Contains(host, "/") {
			return ""
		}
		remote = "ssh://" + host + "/" + strings.TrimPrefix(path, "/")
	}
	parsed, err := url.Parse(remote)
	if err != nil || parsed.Host == "" || parsed.Scheme == "file" {
		return ""
	}
	host := parsed.Host
	if parsed.Scheme != "http" && parsed.Scheme != "https" {
		host = parsed.Hostname() // the port is git's or SSH's
	}
	page := url.URL{Scheme: "https", Host: host, Path: strings.TrimSuffix(strings.TrimSuffix(parsed.Path, "/"), ".git")}
	if parsed.Scheme == "http" {
		page.Scheme = "http"
	}
	return page.String()
}
