package doors

import "testing"

func TestFileConstraint(t *testing.T) {
	for _, c := range []struct{ base, text, want string }{
		{"main.go", "package main\n", ""},
		{"main_windows.go", "package main\n", "windows"},
		{"main_linux_arm64_test.go", "package main\n", "linux && arm64"},
		{"linux.go", "package main\n", ""},
		{"linux_x.go", "package main\n", ""},
		{"a.go", "// Copyright\n\n//go:build a && !b\n\npackage main\n", "a && !b"},
		{"a_arm.go", "//go:build a || b\n\npackage main\n", "arm && (a || b)"},
		{"a.go", "// +build a,b c\n// +build !d\n\npackage main\n", "((a && b) || c) && !d"},
		{"a.go", "package main\n\n//go:build a\n", ""},
		{"a.go", "package main\n\nimport \"C\"\n", "cgo"},
		{"a.go", "package main\n\nconst x = `\"C\"`\n", ""},
		{"a.go", "//go:build (((\n\npackage main\n", ""},
	} {
		got := ""
		if expr := fileConstraint(c.base, []byte(c.text)); expr != nil {
			got = expr.String()
		}
		if got != c.want {
			t.Errorf("%s, %q: %q, want %q", c.base, c.text, got, c.want)
		}
	}
}
