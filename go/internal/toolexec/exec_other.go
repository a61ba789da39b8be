//go:build !unix

package toolexec

// replace runs the tool as a child: there is no exec to take this process's place.
func (h *helper) replace(line []string) (int, error) { return h.child(line) }
