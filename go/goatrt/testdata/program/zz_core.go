//go:build !with_server

package main

import goat_rt "example.com/app/goat"

func init() { goat_rt.Start(table(), onExit) }
