package main

import (
	"os"

	"example.com/app/small"
	"example.com/app/svc"
)

// What runs while packages initialise.
func init() {
	if os.Getenv("TEST_INIT") != "" {
		svc.Do(7)
		small.Store(1)
	}
}
