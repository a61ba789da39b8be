package reload

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// event is something that happens to a configuration file. Play brings the file to the
// new content by its way.
type event struct {
	name, what string
	// mounted says that the file stands in a mounted ConfigMap: links to a directory
	// that is swapped as a whole.
	mounted bool
	play    func(ctx context.Context, f *file, content []byte) error
}

// events are played in this order.
var events = []event{
	{name: "write", what: "written in place", play: writeInPlace},
	{name: "truncate", what: "truncated, then written in two parts", play: writeInParts},
	{name: "rename", what: "replaced by a rename", play: replace},
	{name: "recreate", what: "removed, then created", play: recreate},
	{name: "swap", what: "..data swapped, as a ConfigMap is", mounted: true, play: swap},
	{name: "double-swap", what: "..data swapped twice within 100 ms", mounted: true, play: swapTwice},
	{name: "permission", what: "made unreadable, then readable with new content", play: loseRights},
	{name: "invalid", what: "replaced by invalid content"},
	{name: "identical", what: "replaced by the same content"},
	{name: "directory", what: "its directory replaced", play: replaceDirectory},
}

func eventNames() []string {
	names := make([]string, len(events))
	for i := range events {
		names[i] = events[i].name
	}
	return names
}

// file is the scratch copy.
type file struct {
	path  string
	count int // of directories behind ..data
}

// layOut writes the copy: plain, or as a ConfigMap is mounted.
func layOut(dir, name string, content []byte, mounted bool) (*file, error) {
	f := &file{path: filepath.Join(dir, name)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if !mounted {
		return f, os.WriteFile(f.path, content, 0o644)
	}
	if err := f.data(content); err != nil {
		return nil, err
	}
	return f, os.Symlink(filepath.Join("..data", name), f.path)
}

// data puts a new directory behind ..data, as the kubelet does.
func (f *file) data(content []byte) error {
	dir := filepath.Dir(f.path)
	f.count++
	target := "..goat_" + strconv.Itoa(f.count)
	if err := os.Mkdir(filepath.Join(dir, target), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, target, filepath.Base(f.path)), content, 0o644); err != nil {
		return err
	}
	link := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(target, link); err != nil {
		return err
	}
	if err := os.Rename(link, filepath.Join(dir, "..data")); err != nil {
		return err
	}
	if f.count > 1 {
		return os.RemoveAll(filepath.Join(dir, "..goat_"+strconv.Itoa(f.count-1)))
	}
	return nil
}

func writeInPlace(_ context.Context, f *file, content []byte) error {
	out, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = out.Write(content)
	return errors.Join(err, out.Truncate(int64(len(content))), out.Close())
}

func writeInParts(ctx context.Context, f *file, content []byte) error {
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	half := len(content) / 2
	pause(ctx, 30*time.Millisecond)
	_, err = out.Write(content[:half])
	pause(ctx, 30*time.Millisecond)
	_, more := out.Write(content[half:])
	return errors.Join(err, more, out.Close())
}

func replace(_ context.Context, f *file, content []byte) error {
	temp := f.path + ".tmp"
	if err := os.WriteFile(temp, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, f.path)
}

func recreate(ctx context.Context, f *file, content []byte) error {
	if err := os.Remove(f.path); err != nil {
		return err
	}
	pause(ctx, 50*time.Millisecond)
	return os.WriteFile(f.path, content, 0o644)
}

func swap(_ context.Context, f *file, content []byte) error { return f.data(content) }

func swapTwice(ctx context.Context, f *file, content []byte) error {
	before, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	if err := f.data(before); err != nil {
		return err
	}
	pause(ctx, 50*time.Millisecond)
	return f.data(content)
}

func loseRights(ctx context.Context, f *file, content []byte) error {
	if err := os.Chmod(f.path, 0); err != nil {
		return err
	}
	pause(ctx, 100*time.Millisecond)
	return errors.Join(os.Chmod(f.path, 0o644), replace(ctx, f, content))
}

func replaceDirectory(_ context.Context, f *file, content []byte) error {
	dir := filepath.Dir(f.path)
	if err := os.Rename(dir, dir+".old"); err != nil {
		return err
	}
	_, err := layOut(dir, filepath.Base(f.path), content, false)
	return errors.Join(err, os.RemoveAll(dir+".old"))
}
