package server

import (
	"encoding/json"
	goatrt "github.com/goat-trace/goat/go/goatrt"
	"math/rand"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	texts := []string{"", `"`, `\`, "a\nb\tc\x00\x7f", "ä€😀", "\u2028\u2029", "</script>&", "\xff\xfe", "a\xc3", "\xed\xa0\x80", "\ufffd", "\u009b31m\u202e\u2066\u200f\u0085"}
	for i := 0; i < 2000; i++ {
		raw := make([]byte, random.Intn(12))
		random.Read(raw)
		texts = append(texts, string(raw))
	}
	for _, text := range texts {
		quoted := goatrt.Quote(nil, text)
		var back string
		if err := json.Unmarshal(quoted, &back); err != nil {
			t.Fatalf("%q becomes %s: %v", text, quoted, err)
		}
		var want string
		encoded, _ := json.Marshal(text)
		_ = json.Unmarshal(encoded, &want)
		if back != want {
			t.Errorf("%q comes back as %q, want %q", text, back, want)
		}
		if strings.ContainsAny(string(quoted), "<>&\u2028\u2029\x7f\u009b\u202e\u2066\u200f\u0085") {
			t.Errorf("%q becomes %s", text, quoted)
		}
	}
}

func TestDocumentOfAnySize(t *testing.T) {
	w := httptest.NewRecorder()
	j := begin(w, 200)
	j.open('{').key("list").open('[')
	for i := 0; i < 20000; i++ {
		j.open('{').key("n").number(int64(i)).key("none").strOrNull("").key("when").moment(0).key("f").float(0.25).key("b").boolean(true).close('}')
	}
	j.close(']').key("empty").open('[').close(']').key("strings").strs([]string{"a", "b"}).close('}').flush()
	var back struct {
		List []struct {
			N    int
			None *string
			F    float64
			B    bool
		}
		Empty   []int
		Strings []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.List) != 20000 || back.List[19999].N != 19999 || back.List[0].None != nil || back.List[7].F != 0.25 || len(back.Empty) != 0 || len(back.Strings) != 2 {
		t.Errorf("%d items, the last %+v", len(back.List), back.List[len(back.List)-1])
	}
	if cap(j.buf) > 2*chunk {
		t.Errorf("the buffer has grown to %d", cap(j.buf))
	}
}
