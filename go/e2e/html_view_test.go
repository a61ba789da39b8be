package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go/internal/report"
)

var (
	pageRow      = regexp.MustCompile(`<p data-file="([^"]*)" data-(line|deleted-after)="(\d+)"(?: data-deleted-lines="\d+")? data-state="([a-z_]+)"(?: data-reason="([a-z_]+)")?>`)
	pageWhole    = regexp.MustCompile(`<p data-file="([^"]*)" data-whole="(\d+)" data-state="([a-z_]+)" data-reason="([a-z_]+)">`)
	pageDocument = regexp.MustCompile(`<script type="application/json" id="goat-report">([^<]*)</script>`)
)

// htmlView reads the rows that stand in the page before any script: each changed line,
// each deletion and each file as a whole has the state and the reason of the account, and
// the document in the page has the points of the report.
func htmlView(ts *testscript.TestScript, text string, base *report.Document) (got, want evidence) {
	got, want = evidence{}, evidence{}
	for _, m := range pageRow.FindAllStringSubmatch(text, -1) {
		got[html.UnescapeString(m[1])+" "+m[2]+" "+m[3]] = strings.TrimSpace(m[4] + " " + m[5])
	}
	for i := range base.Account {
		c := &base.Account[i]
		key := fmt.Sprintf("%s line %d", c.File, c.Line)
		if c.DeletedAfter != nil {
			key = fmt.Sprintf("%s deleted-after %d", c.File, *c.DeletedAfter)
		}
		want[key] = strings.TrimSpace(string(c.State) + " " + c.Reason)
	}
	for _, m := range pageWhole.FindAllStringSubmatch(text, -1) {
		got[html.UnescapeString(m[1])+" whole "+m[2]] = m[3] + " " + m[4]
	}
	for _, f := range base.Files {
		want[fmt.Sprintf("%s whole %d", f.File, f.Added)] = string(f.Class) + " " + f.Reason
	}
	inside := pageDocument.FindStringSubmatch(text)
	if inside == nil {
		ts.Fatalf("the page holds no document")
	}
	var document report.Document
	ts.Check(json.Unmarshal([]byte(inside[1]), &document))
	for _, d := range []struct {
		into evidence
		from *report.Document
	}{{got, &document}, {want, base}} {
		for i := range d.from.Points {
			p := &d.from.Points[i]
			d.into["point "+p.ID] = fmt.Sprint(p.Hit, p.FirstHit, p.FirstTraffic, p.HitInstances, p.Instances)
		}
	}
	return got, want
}
