//go:build go1.21

package server

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var errTaken = errors.New("address already in use")

// listenUnix listens on a socket that only the user can open. The socket is
// made in a private directory and then renamed, so that there is no moment at
// which others could connect, and a stale one gives way without a gap. Of two
// processes that find the same stale one, the second finds the first.
func listenUnix(path string) (l net.Listener, closer func(), err error) {
	if path == "" || strings.HasPrefix(path, "@") {
		return nil, nil, errors.New("a path is needed: an abstract socket is open to everyone")
	}
	defer lockDir(filepath.Dir(path))()
	if err := checkStale(path); err != nil {
		return nil, nil, err
	}
	private, err := os.MkdirTemp(filepath.Dir(path), ".g")
	if err != nil {
		return nil, nil, err
	}
	made := filepath.Join(private, "s")
	defer func() {
		_ = os.Remove(made) // os.RemoveAll would be 10 kB of every program
		_ = os.Remove(private)
	}()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, nil, err
	}
	if keeper, ok := net.Listener(listener).(interface{ SetUnlinkOnClose(bool) }); ok {
		keeper.SetUnlinkOnClose(false) // its name is about to change
	}
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		_ = listener.Close()
		return nil, nil, err
	}
	return listener, removeOwn(path), nil
}

// checkStale lets only a socket that nobody listens on be replaced.
func checkStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeSocket == 0 {
		return errors.New("the file exists and is not a socket")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close()
		return errTaken
	}
	if !refused(err) {
		return err
	}
	return nil
}

// removeOwn removes the socket at exit, unless another process has replaced it.
func removeOwn(path string) func() {
	own, err := os.Lstat(path)
	if err != nil {
		return func() {}
	}
	return func() {
		if now, err := os.Lstat(path); err == nil && os.SameFile(own, now) {
			_ = os.Remove(path)
		}
	}
}
