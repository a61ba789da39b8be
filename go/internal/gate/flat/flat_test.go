package flat_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/gate/flat"
)

// The same settings in each format are the same keys.
func TestFormats(t *testing.T) {
	want := flat.Keys{"server.port": "8080", "server.tls": "true", "server.names[0]": "a", "server.names[1]": "b"}
	for name, text := range map[string]string{
		"app.yaml":     "# a comment\nserver:\n  tls: true\n  port: 8080\n  names: [a, b]\n",
		"app.yml":      "x: &x {port: 8080, tls: true, names: [a, b]}\nserver: *x\n",
		"app.json":     `{"server": {"names": ["a", "b"], "port": 8080, "tls": true}}`,
		"APP.TOML":     "[server]\nport = 8080\ntls = true\nnames = [\"a\", \"b\"]\n",
		"a.properties": "server.port=8080\nserver.tls = true\n! no\nserver.names[0]: a\nserver.names[1] b\n",
	} {
		keys, err := flat.Read(name, text)
		maps.DeleteFunc(keys, func(key, _ string) bool { return strings.HasPrefix(key, "x.") })
		if err != nil || !maps.Equal(keys, want) {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
	for name, text := range map[string]string{"app.env": "A=1\nexport B='x y' # why\n", ".env": "A=1\nB=\"x y\"\n", ".env.prod": "B=x y\nA=1\n"} {
		keys, err := flat.Read(name, text)
		if err != nil || !maps.Equal(keys, flat.Keys{"A": "1", "B": "x y"}) || !flat.Known(name) {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
}

func TestOddities(t *testing.T) {
	for text, want := range map[string]flat.Keys{
		"":                          {},
		"a:\nb: {}\nc: []\n":        {"a": "null", "b": "{}", "c": "[]"},
		"a.b: 1\na: {b: 2}\n":       {`"a.b"`: "1", "a.b": "2"},
		"a: 1\n---\na: 2\n":         {"a": "1", "document 2: a": "2"},
		"1: x\ntrue: y\n":           {"1": "x", "true": "y"},
		"- a\n- {b: 12345678901}\n": {"[0]": "a", "[1].b": "12345678901"},
	} {
		if keys, err := flat.Read("f.yaml", text); err != nil || !maps.Equal(keys, want) {
			t.Errorf("%q: %v, %v", text, keys, err)
		}
	}
	if keys, err := flat.Read("f.json", `{"n": 12345678901234567890}`); err != nil || keys["n"] != "12345678901234567890" {
		t.Error(keys, err)
	}
	if keys, err := flat.Read("f.properties", "a = ${b}\n"); err != nil || keys["a"] != "${b}" {
		t.Error(keys, err)
	}
}

func TestWhatDoesNotParse(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"f.yaml": {"a: [1\nb: 2\n", "line "},
		"f.json": {"{\n\"a\": 1,\n}", "line 3"},
		"f.toml": {"a = 1\nb = \n", "line 2"},
		"f.xml":  {"<a/>", "is none of .yaml"},
	} {
		if _, err := flat.Read(name, c.text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiff(t *testing.T) {
	changes := flat.Diff(flat.Keys{"a": "1", "b": "secret", "c": "3"}, flat.Keys{"a": "1", "b": "other", "d": "4"})
	if !slices.Equal(changes, []flat.Change{{Key: "b", Kind: "changed"}, {Key: "c", Kind: "removed"}, {Key: "d", Kind: "added"}}) {
		t.Error(changes)
	}
}
