//go:build with_server && !bare

package main

import (
	"os"

	goat_core "example.com/app/goat"
	goat_rt "example.com/app/goat/server"
)

func init() {
	goat_rt.Start(table(), onExit)
	if os.Getenv("TEST_TWICE") != "" {
		goat_rt.Start(second(), onExit)
	}
	verbs["ready"] = func(int) { goat_core.Ready() }
}
