// Package platforms checks the runtime for every platform that Go knows. It stands apart
// from the other walls because it takes minutes, and its pass is replayed as long as the
// runtime is the same.
package platforms
