package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/contract/protocol"
)

func ask(t *testing.T, request string) protocol.Answer {
	t.Helper()
	var out, problems bytes.Buffer
	if code := run(context.Background(), nil, strings.NewReader(request), &out, &problems); code != 0 {
		t.Fatalf("exit %d: %s", code, problems.String())
	}
	var said protocol.Answer
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if said.Format != protocol.Format || said.Findings == nil {
		t.Errorf("format %d, findings %v", said.Format, said.Findings)
	}
	return said
}

func TestAnswers(t *testing.T) {
	if said := ask(t, `{"format":1,"op":"version"}`); said.Error != nil || len(said.Ops) != 4 {
		t.Errorf("version: %+v", said)
	}
	if said := ask(t, `{"format":9,"op":"version"}`); said.Error == nil || said.Error.Hint == "" {
		t.Errorf("another format: %+v", said)
	}
	if said := ask(t, `{"format":1,"op":"nothing"}`); said.Error == nil {
		t.Errorf("another operation: %+v", said)
	}
	const api = `"openapi: 3.0.3\ninfo: {title: a, version: \"1\"}\npaths: {}\n"`
	said := ask(t, `{"format":1,"op":"openapi","path":"a.yaml","base":{"text":`+api+`},"release":{"text":"["}}`)
	if said.Error == nil || said.Error.Side != "release" || said.Error.File != "a.yaml" {
		t.Errorf("a document that does not parse: %+v", said.Error)
	}
}

// TestFrozenDocuments: goat's side reads the same ones.
func TestFrozenDocuments(t *testing.T) {
	for name, into := range map[string]any{"request.json": &protocol.Request{}, "answer.json": &protocol.Answer{}} {
		text, err := os.ReadFile(filepath.Join("../../../testdata/contract", name))
		if err != nil {
			t.Fatal(err)
		}
		strict := json.NewDecoder(bytes.NewReader(text))
		strict.DisallowUnknownFields()
		if err := strict.Decode(into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := json.MarshalIndent(into, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if string(again)+"\n" != string(text) {
			t.Errorf("%s: written again it is\n%s", name, again)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		in   string
		code int
	}{
		{[]string{"--version"}, "", 0},
		{[]string{"--help"}, "", 0},
		{[]string{"openapi"}, "", 2},
		{nil, "", 2},
		{nil, "not json", 2},
	} {
		var out, problems bytes.Buffer
		if code := run(context.Background(), c.args, strings.NewReader(c.in), &out, &problems); code != c.code {
			t.Errorf("%v %q: exit %d, want %d", c.args, c.in, code, c.code)
		}
		if c.code == 2 && problems.Len() == 0 {
			t.Errorf("%v %q: nothing said", c.args, c.in)
		}
	}
}
