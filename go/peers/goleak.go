//go:build goleak

package main

import "github.com/goat-trace/goat/go/peers/goleak"

// goleak's parser is internal to it: scripts/peers puts a copy beside this file.
func init() {
	peers = append(peers, peer{"goleak's parser", func(_ string, text []byte) (int, int, error) {
		found, err := goleak.ParseAll(text)
		return len(found), 0, err
	}})
}
