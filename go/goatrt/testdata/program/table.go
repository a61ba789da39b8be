package main

import (
	"fmt"
	"os"
	"strings"
	_ "unsafe"

	"example.com/app/small"
	"example.com/app/svc"
)

type entry = struct {
	Pkg  string
	Acc  func() (*uint32, int, *func(*uint32))
	Meta string
}

// table is what the helper makes at link time.
func table() []entry {
	switch os.Getenv("TEST_TABLE") {
	case "nil":
		return nil
	case "empty":
		return []entry{}
	case "exact":
		return []entry{identity(), {Pkg: "example.com/app/svc", Acc: svc.Acc, Meta: points("svc", "exact", svc.Points)}}
	case "odd":
		return []entry{identity(),
			{Pkg: "example.com/app/panics", Acc: func() (*uint32, int, *func(*uint32)) { panic("odd") }, Meta: "a"},
			{Pkg: "example.com/app/nil", Acc: func() (*uint32, int, *func(*uint32)) { return nil, 3, nil }, Meta: "a\nb\nc\n"},
			{Pkg: "example.com/app/huge", Acc: func() (*uint32, int, *func(*uint32)) { c, _, f := svc.Acc(); return c, 1 << 30, f }, Meta: "a\n"},
			{Pkg: "example.com/app/negative", Acc: func() (*uint32, int, *func(*uint32)) { c, _, f := svc.Acc(); return c, -1, f }},
			{Pkg: "example.com/app/lines", Acc: svc.Acc, Meta: "one line\n"},
		}
	}
	return []entry{identity(),
		{Pkg: "example.com/app/svc", Acc: svc.Acc, Meta: points("svc", "exact", svc.Points)},
		{Pkg: "example.com/app/small", Acc: small.Acc, Meta: points("small", "store", 2) + points("smallcount", "count", 2)},
		{Pkg: "example.com/app/gone"},
	}
}

func identity() entry {
	mode := os.Getenv("TEST_MODE")
	if mode == "" {
		mode = "exe"
	}
	return entry{Meta: fmt.Sprintf("goat=%q\napp=%q\nversion=%q\ncomponent=%q\nbase=%q\nplan=%q\ngranularity=%q\nprecision=%q\nmode=%q\nmodule=%q\n",
		"0.1.0", "app", `1.0"0`, "example.com/app", "main", "0123456789abcdef", "patch", "2", mode, "example.com/app")}
}

// second is the table of a plugin that shares a package with its host.
func second() []entry {
	id := identity()
	id.Meta = strings.Replace(id.Meta, `component="example.com/app"`, `component="example.com/app/plugin"`, 1)
	id.Meta = strings.Replace(id.Meta, `mode="exe"`, `mode="plugin"`, 1)
	return []entry{id, {Pkg: "example.com/app/small", Acc: small.Acc, Meta: points("small", "store", 2) + points("smallcount", "count", 2)}}
}

func points(name, form string, n int) string {
	var b strings.Builder
	for i := 0; i < n; i++ {
		fmt.Fprintf(&b, "%s%04d\tTRACK_ID_%d\tchange\t%s\t%d\t2\t%d\t9\t%q\t%q\n", name, i, i+1, form, i+10, i+11, name+"/a.go", "(*T).Do")
	}
	return b.String()
}

//go:linkname addExitHook internal/runtime/exithook.Add
func addExitHook(struct {
	F            func()
	RunOnFailure bool
})

func onExit(f func()) {
	addExitHook(struct {
		F            func()
		RunOnFailure bool
	}{f, true})
}
