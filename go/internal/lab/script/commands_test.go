package script

import "testing"

// testscript looks among its own commands first: one of ours with such a name is never
// run, and `stop` would end a script in the middle as passed.
func TestNoCommandHasANameOfTestscriptsOwn(t *testing.T) {
	for _, name := range []string{
		"cat", "cd", "chmod", "cmp", "cmpenv", "cp", "env", "exec", "exists", "grep", "kill", "mkdir", "mv", "rm", "skip",
		"stderr", "stdin", "stdout", "stop", "symlink", "ttyin", "ttyout", "unix2dos", "unquote", "wait",
	} {
		if Commands[name] != nil {
			t.Errorf("%s is testscript's", name)
		}
	}
}
