//go:build with_server

package main

import goat_rt "example.com/app/goat/server"

func init() { goat_rt.Start(table(), onExit) }
