//go:build client

package main

import "net/http"

func init() {
	verbs["get"] = func(int) { _, _ = http.Get("http://127.0.0.1:1/") }
}
