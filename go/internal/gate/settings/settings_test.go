package settings_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate/settings"
)

type rule struct {
	Name string   `key:"name" help:"its name"`
	Max  *float64 `key:"max" help:"most"`
}

type probe struct {
	Name   string            `key:"name"`
	URL    string            `key:"url"`
	Header map[string]string `key:"header"`
}

func (p *probe) Validate() error {
	if p.URL == "" {
		return errors.New("url is missing")
	}
	return nil
}

type inner struct {
	Share *settings.Share `key:"share" help:"a share"`
	Count int             `key:"count" min:"1" max:"9"`
	Wait  time.Duration   `key:"wait" above:"0"`
	Word  string          `key:"word" oneof:"left,right"`
	Until *settings.Date  `key:"until"`
	Names []string        `key:"names"`
	On    bool            `key:"on"`
	Line  []string        `key:"line" words:""`
	Rules []rule          `key:"rules"`
}

func (i *inner) SetDefaults() { i.Count = 3 }

type root struct {
	Inner  *inner  `key:"inner" help:"the inner one"`
	Probes []probe `key:"probes" several:""`
}

func decode(t *testing.T, text string, env map[string]string, given ...settings.Given) (*root, *settings.Values, error) {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	var node *yaml.Node
	if len(document.Content) > 0 {
		node = document.Content[0]
	}
	values := &settings.Values{Getenv: func(name string) string { return env[name] }, Named: map[string]string{"env": "prod", "service": ""}}
	var r root
	node, err := settings.Override(node, &r, given)
	if err == nil {
		err = settings.Decode("dir/goat.yaml", node, &r, values)
	}
	return &r, values, err
}

func flag(path, text string) settings.Given {
	return settings.Given{Path: path, Text: text, From: "--" + path}
}

func TestEveryKindOfValue(t *testing.T) {
	r, _, err := decode(t, `
inner: {share: 80%, count: 5, wait: 1m, word: left, until: 2026-12-31, names: [a, b], on: yes, line: "a 'b c' '' d,e", rules: [{name: x, max: 0.5}]}
probes: {url: "http://${env}/$1/${1}", header: {X-A: b}}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	i := r.Inner
	if *i.Share != 0.8 || i.Count != 5 || i.Wait != time.Minute || i.Word != "left" || !i.On || !reflect.DeepEqual(i.Line, []string{"a", "b c", "", "d,e"}) || *i.Rules[0].Max != 0.5 ||
		!reflect.DeepEqual(i.Names, []string{"a", "b"}) || !i.Until.End.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", i)
	}
	if len(r.Probes) != 1 || r.Probes[0].URL != "http://prod/$1/${1}" || r.Probes[0].Header["X-A"] != "b" {
		t.Errorf("%+v", r.Probes)
	}
}

func TestDefaults(t *testing.T) {
	if r, _, err := decode(t, "inner: {on: true}", nil); err != nil || r.Inner.Count != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, _, err := decode(t, "", nil); err != nil || r.Inner != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestFlagsBeatTheFile(t *testing.T) {
	r, _, err := decode(t, "inner: {count: 5, rules: [{name: x, max: 1}, {name: y}]}\nprobes: [{name: a, url: u}, {name: b, url: v}]", nil,
		flag("check.inner.count", "7"), flag("check.inner.names", "a, b"), flag("check.inner.rules.x.max", "2"), flag("check.inner.rules.1.max", "3"),
		flag("check.inner.rules.z.max", "4"), flag("check.probes.b.header.X-Some.Dots", "h"), flag("check.inner.share", "0.25"))
	if err != nil {
		t.Fatal(err)
	}
	i := r.Inner
	if i.Count != 7 || len(i.Names) != 2 || *i.Rules[0].Max != 2 || *i.Rules[1].Max != 3 || i.Rules[2].Name != "z" || *i.Rules[2].Max != 4 || *i.Share != 0.25 {
		t.Errorf("%+v", i)
	}
	if r.Probes[1].Header["X-Some.Dots"] != "h" || r.Probes[1].URL != "v" {
		t.Errorf("%+v", r.Probes)
	}
	r, _, err = decode(t, "", nil, flag("check.probes.url", "u"), flag("check.inner.rules", "[{name: q, max: 1}]"))
	if err != nil || r.Probes[0].URL != "u" || r.Inner.Rules[0].Name != "q" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		yaml, flag, value, message, hint string
	}{
		{yaml: "inner:\n  cuont: 1", message: `goat.yaml:2: check.inner: unknown key "cuont"`, hint: `did you mean "count"?`},
		{yaml: "iner: {}", message: `goat.yaml:1: check: unknown key "iner"`, hint: `did you mean "inner"?`},
		{yaml: "inner: {count: 1, count: 2}", message: `goat.yaml:1: check.inner: key "count" stands twice`},
		{yaml: "inner: {count: many}", message: `goat.yaml:1: check.inner.count: must be a whole number, not "many"`},
		{yaml: "inner: {count: 10}", message: `goat.yaml:1: check.inner.count: 10 is too much: at most 9`},
		{yaml: "inner: {count: 0}", message: `goat.yaml:1: check.inner.count: 0 is too little: at least 1`},
		{yaml: "inner: {share: 1.01}", message: `goat.yaml:1: check.inner.share: must be a part of the whole such as 0.8 or 80%, not "1.01"`},
		{yaml: "inner: {share: NaN}", message: `goat.yaml:1: check.inner.share: must be a part of the whole such as 0.8 or 80%, not "NaN"`},
		{yaml: "inner: {rules: [{max: NaN}]}", message: `goat.yaml:1: check.inner.rules[0].max: must be a number, not "NaN"`},
		{yaml: "inner: {wait: -3s}", message: `goat.yaml:1: check.inner.wait: -3s lies in the past`},
		{yaml: "inner: {wait: 0s}", message: `goat.yaml:1: check.inner.wait: 0s is too little: it must be more than 0`},
		{yaml: "inner: {until: soon}", message: `goat.yaml:1: check.inner.until: must be a date such as 2026-12-31, not "soon"`},
		{yaml: "inner: {word: lefft}", message: `goat.yaml:1: check.inner.word: "lefft" is not one of left or right`, hint: `did you mean "left"?`},
		{yaml: "inner: [a]", message: `goat.yaml:1: check.inner: must be keys with values, not a list`},
		{yaml: "inner: {rules: {name: x}}", message: `goat.yaml:1: check.inner.rules: must be a list, not a mapping`},
		{yaml: "probes: {name: x}", message: `goat.yaml:1: check.probes: url is missing`},
		{yaml: "probes: [{url: u}, {}]", message: `goat.yaml:1: check.probes[1]: url is missing`},
		{yaml: "probes: {url: 'http://${SECRET_X}'}", message: `goat.yaml:1: check.probes.url: the environment variable SECRET_X is not set`},
		{yaml: "probes: {url: 'http://${service}'}", message: `goat.yaml:1: check.probes.url: ${service} stands there, and --service is not given`, hint: "give --service VALUE"},
		{flag: "check.inner.cuont", value: "1", message: `--check.inner.cuont: unknown key "cuont"`, hint: `did you mean "count"?`},
		{flag: "check.inner.count", value: "x", message: `--check.inner.count: must be a whole number, not "x"`},
		{flag: "check.inner.count.deep", value: "x", message: `--check.inner.count.deep: check.inner.count holds no keys`},
		{flag: "check.inner.rules", value: "[", message: `--check.inner.rules: "[" is not YAML: line 1: did not find expected node content`},
		{yaml: "probes: [{url: u}, {url: v}]", flag: "check.probes.url", value: "w", message: `--check.probes.url: there are 2 of them: name one, as in check.probes.NAME.url`},
	} {
		var given []settings.Given
		if c.flag != "" {
			given = append(given, flag(c.flag, c.value))
		}
		_, _, err := decode(t, c.yaml, nil, given...)
		var e *goat.Error
		if !errors.As(err, &e) || strings.ReplaceAll(e.Error(), "--check.inner.count: check.inner.count", "--check.inner.count") != c.message || c.hint != "" && e.Hint != c.hint || e.Hint == "" {
			t.Errorf("%s %s: got %v, want %s", c.yaml, c.flag, err, c.message)
		}
	}
}

func TestSecretsAreHidden(t *testing.T) {
	r, values, err := decode(t, "probes: {url: 'http://u:${PASSWORD}@h/${TINY}'}", map[string]string{"PASSWORD": "hunter22", "TINY": "v2"})
	if err != nil || r.Probes[0].URL != "http://u:hunter22@h/v2" {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := values.Hide("cannot reach http://u:hunter22@h/v2"); got != "cannot reach http://u:${PASSWORD}@h/v2" || !values.Secrets() {
		t.Errorf("got %s", got)
	}
	_, values, err = decode(t, "inner: {count: '${PASSWORD}'}", map[string]string{"PASSWORD": "hunter22"})
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("%v", err)
	}
	_ = values
}

func TestKeys(t *testing.T) {
	var paths []string
	for _, k := range settings.Keys(&root{}) {
		paths = append(paths, k.Path)
	}
	want := []string{
		"check.inner", "check.inner.share", "check.inner.count", "check.inner.wait", "check.inner.word", "check.inner.until", "check.inner.names", "check.inner.on", "check.inner.line",
		"check.inner.rules", "check.inner.rules[].name", "check.inner.rules[].max",
		"check.probes", "check.probes.name", "check.probes.url", "check.probes.header.<NAME>",
	}
	if !reflect.DeepEqual(paths, want) {
		t.Errorf("%q", paths)
	}
	if got := settings.Variable("check.inner.count"); got != "GOAT_CHECK_INNER_COUNT" {
		t.Errorf("got %s", got)
	}
}
