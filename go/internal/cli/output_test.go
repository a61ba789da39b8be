package cli

import (
	"bytes"
	"encoding/json"
	"testing"
)

// A document of the core looks as encoding/json would write it.
func TestWriteDocumentIndentsAsTheEncoderDoes(t *testing.T) {
	for _, document := range []string{
		`{}`, `[]`, `null`, `"a"`, `-1.5e3`, `{"a":{}}`, `[[],{},[[]]]`, `{"":""}`,
		`{"a":[1,2,{"b":null,"c":[true,false]}],"d":"e"}`,
		`{"a{[":"b]}\"\\","c:,":"\\\\","d":"\u202e\n<&>"}`,
		"{\"a\":\"\u202e\u0085\x7f\u2028 \U000e0001 ü\",\"\x7f\":[]}",
	} {
		var want, got bytes.Buffer
		if err := writeJSON(&want, json.RawMessage(document)); err != nil {
			t.Fatal(err)
		}
		if err := writeDocument(&got, []byte(document)); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("%s is written as\n%s\nnot as\n%s", document, got.String(), want.String())
		}
	}
	for _, broken := range []string{``, `"`, `"\`, `}`, `]]]`, `{`, `["`} {
		var got bytes.Buffer
		if err := writeDocument(&got, []byte(broken)); err == nil || got.Len() > 0 {
			t.Errorf("%s is written as %s", broken, got.String())
		}
	}
}
