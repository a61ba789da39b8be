package printable_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/printable"
)

var texts = map[string]string{
	"plain, ä 中文 \\ \"quoted\"": "plain, ä 中文 \\ \"quoted\"",
	"a\nb\rc\td":                `a\nb\rc\td`,
	"\x1b[2J\x1b]0;x\a":         `\x1b[2J\x1b]0;x\a`,
	"\u009b31m\u0085\x7f":       `\u009b31m\u0085\x7f`,
	"\u202egnp.exe\u2066\u200f": `\u202egnp.exe\u2066\u200f`,
	"\u2028\u2029\ufeff\u00a0":  `\u2028\u2029\ufeff\u00a0`,
	"cut \xc3 and \xff":         `cut \xc3 and \xff`,
	"\ufffd stays":              "\ufffd stays",
	"'":                         "'",
	"می\u200cخواهم":             "می\u200cخواهم",
	"\U000e0001tag":             `\U000e0001tag`,
}

func TestText(t *testing.T) {
	for text, want := range texts {
		if got := printable.Text(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	for text := range texts {
		var out bytes.Buffer
		if err := json.NewEncoder(printable.JSON(&out)).Encode(map[string]string{text: text}); err != nil {
			t.Fatal(err)
		}
		if line := strings.TrimSuffix(out.String(), "\n"); printable.Text(line) != line {
			t.Errorf("%q: %q", text, line)
		}
		var back map[string]string
		want := strings.ToValidUTF8(strings.ReplaceAll(text, "\xc3 and", "\ufffd and"), "\ufffd")
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back[want] != want {
			t.Errorf("%q comes back as %q, %v", text, back, err)
		}
	}
}

type inner struct {
	Name   string
	hidden string
}

type document struct {
	List    []inner
	Map     map[string]*inner
	Pointer *string
	Nothing *inner
	Empty   []string
	When    time.Time
	Kind    reflect.Kind
}

func TestCopy(t *testing.T) {
	bad, good := "a\x1bb", `a\x1bb`
	now := time.Now()
	d := document{
		List: []inner{{bad, bad}}, Map: map[string]*inner{bad: {Name: bad}},
		Pointer: &bad, When: now, Kind: reflect.Map,
	}
	got := printable.Copy(&d)
	want := &document{
		List: []inner{{good, bad}}, Map: map[string]*inner{good: {Name: good}},
		Pointer: &good, When: now, Kind: reflect.Map,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if d.List[0].Name != bad || *d.Pointer != bad || d.Map[bad].Name != bad {
		t.Errorf("the original has changed: %+v", d)
	}
}

type embedded struct {
	Inner struct{ List []int } `json:"inner"`
}

// What is wrong with a document is said without a name of a type of ours or of Go's.
func TestMismatch(t *testing.T) {
	type document struct {
		embedded
		Format int               `json:"format"`
		Names  map[string]string `json:"names"`
		When   *time.Time        `json:"when"`
		Share  float64           `json:"share"`
		On     bool              `json:"on"`
	}
	for text, want := range map[string]string{
		`{"format":"1"}`:           `"format" must be a whole number, not a text`,
		`{"format":1.5}`:           `"format" must be a whole number, not 1.5`,
		`{"names":[1]}`:            `"names" must be an object, not a list`,
		`{"names":{"a":true}}`:     `"names" must be a text, not true or false`,
		`{"share":{}}`:             `"share" must be a number, not an object`,
		`{"on":2}`:                 `"on" must be true or false, not a number`,
		`{"when":"yesterday"}`:     `"yesterday" is no time such as `,
		`{"inner":{"List":["x"]}}`: `List" must be a whole number, not a text`,
		`[]`:                       `the document must be an object, not a list`,
		`{`:                        `unexpected end of JSON input`,
	} {
		var d document
		err := printable.Mismatch(json.Unmarshal([]byte(text), &d))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", text, err, want)
		}
	}
}
