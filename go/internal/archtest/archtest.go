// Package archtest holds the walls of the Go half as tests: who may import whom,
// and what must not stand in any file. ARCHITECTURE.md draws them; this enforces.
package archtest
