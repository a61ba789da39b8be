// Package e2e runs the real goat against the real go and git: each script in
// testdata/script is a user's session. `scripts/build` makes the goat it runs.
package e2e
