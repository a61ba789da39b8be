package page

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

var marks = regexp.MustCompile("[\x01-\x06\x0e]")

// Colours add marks, in pairs within a line, and change nothing else.
func TestColour(t *testing.T) {
	for _, text := range []string{
		"package a\n\nfunc F() string { return \"x\" + `raw\n\tline two\n` /* over\n two lines */ }\n",
		"package a\r\n// crlf\r\nvar s = `a\r\nb`\r\nvar n = 1 // end\r\n",
		"not go at all \x00 \x01 \x0e \xff \"unclosed\n'\n`never closed\nto the end",
		"", "\n", "x", "// 价格 🐐\nvar é = len(\"é\")",
	} {
		lines, plain := colour([]byte(text)), splitLines([]byte(text))
		if len(lines) != len(plain) {
			t.Errorf("%q: %d lines, want %d", text, len(lines), len(plain))
			continue
		}
		for i := range lines {
			if got, want := marks.ReplaceAllString(lines[i], ""), visible(plain[i]); got != want {
				t.Errorf("%q: line %d is %q, want %q", text, i+1, got, want)
			}
			open := false
			for _, mark := range marks.FindAllString(lines[i], -1) {
				if open == (mark != "\x0e") {
					t.Errorf("%q: line %d: marks do not pair: %q", text, i+1, lines[i])
				}
				open = mark != "\x0e"
			}
		}
	}
}

func TestColourKinds(t *testing.T) {
	got := colour([]byte("func F(n int) { g(n, 1, \"s\") } // c"))[0]
	want := "\x01func\x0e \x05F\x0e(n \x06int\x0e) { \x05g\x0e(n, \x031\x0e, \x02\"s\"\x0e) } \x04// c\x0e"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzColour(f *testing.F) {
	f.Add([]byte("package a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, plain := colour(text), splitLines(text)
		for i := range lines {
			if marks.ReplaceAllString(lines[i], "") != visible(plain[i]) {
				t.Fatalf("line %d of %q", i+1, text)
			}
		}
	})
}

func written(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPage(t *testing.T) {
	p := &Page{
		Title: "a <b>", Report: []byte(`{"a":"</script><!--","b":"` + "\u2028" + `"}`),
		Files: []File{{
			Path: `a"<.go`, Text: []byte("one <b>\ntwo\n"), Old: []Old{{After: 1, Lines: []string{"gone &"}}},
			Rows: []Row{{Line: 1, State: "none"}, {DeletedAfter: 1, Deleted: 1, State: "traffic"}, {Line: 2, State: "not_executable", Reason: "brace"}},
		}, {Path: "b.go", NoText: "why <not>", Rows: []Row{{Whole: 40, State: "untracked", Reason: "generated"}}}},
	}
	text := written(t, p)
	for _, part := range []string{
		`<title>a &lt;b&gt;</title>`,
		`<p data-file="a&#34;&lt;.go" data-line="1" data-state="none">one &lt;b&gt;<p `,
		`data-deleted-after="1" data-deleted-lines="1" data-state="traffic">gone &amp;<p `,
		`data-line="2" data-state="not_executable" data-reason="brace">two</div>`,
		`data-file="b.go" data-whole="40" data-state="untracked" data-reason="generated"></div>`,
		`why &lt;not&gt;`, `id="goat-report">{"a":"\u003c/script>\u003c!--","b":"\u2028"}</script>`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	if strings.Count(text, "</script>") != 3 {
		t.Errorf("%d scripts end", strings.Count(text, "</script>"))
	}
	if strings.Contains(text, "data-events") || !strings.Contains(text, "connect-src &#39;none&#39;") {
		t.Error("a page that is a file connects")
	}
	p.Events = "/events?since=1.1"
	if live := written(t, p); !strings.Contains(live, `data-events="/events?since=1.1"`) || !strings.Contains(live, "connect-src &#39;self&#39;") {
		t.Error("a live page does not connect")
	}
}

// The page is small, names nothing that lies elsewhere, and its policy allows its own
// style and script alone.
func TestNothingFromElsewhere(t *testing.T) {
	text := written(t, &Page{Title: "x", Report: []byte("{}")})
	addresses := regexp.MustCompile(`(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s"'<]*`).FindAllString(text, -1)
	for _, address := range addresses {
		if address != "http://www.w3.org/2000/svg" {
			t.Errorf("the page names %s", address)
		}
	}
	for _, banned := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style=\"", " onclick="} {
		if strings.Contains(text, banned) {
			t.Errorf("the page uses %s", banned)
		}
	}
	for _, part := range []string{style, script} {
		if !strings.Contains(text, part) || !strings.Contains(policy(false), digest(part)) {
			t.Error("the policy's digest is not that of what stands in the page")
		}
	}
	if len(text) > 90<<10 {
		t.Errorf("an empty page has %d bytes", len(text))
	}
}

func TestPack(t *testing.T) {
	p := &Page{Files: []File{{Text: []byte("func\n"), Old: []Old{{After: 0, Lines: []string{"a", "b"}}}}, {NoText: "gone"}}}
	text, err := p.pack()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var list []packed
	if err := json.NewDecoder(z).Decode(&list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Text != "\x01func\x0e" || !list[0].Have || list[1].Have || list[0].Old[1] != "a\nb" {
		t.Errorf("%+v", list)
	}
	if text, err := (&Page{Files: []File{{NoText: "gone"}}}).pack(); text != "" || err != nil {
		t.Errorf("%q %v", text, err)
	}
}

// Both languages have the same words.
func TestWords(t *testing.T) {
	text := read("js/words.js")
	en, zh, ok := strings.Cut(text, "\n  zh: {")
	if !ok {
		t.Fatal("no Chinese words")
	}
	zh, _, _ = strings.Cut(zh, "\n};")
	_, en, _ = strings.Cut(en, "en: {")
	key := regexp.MustCompile(`(?:^|[{,])\s*('[^']*'|[\w/?\[\]]+): ?['{]`)
	keys := func(text string) (list []string) {
		for _, m := range key.FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
		return list
	}
	if a, b := strings.Join(keys(en), " "), strings.Join(keys(zh), " "); a != b {
		t.Errorf("English has\n%s\nChinese has\n%s", a, b)
	}
}
