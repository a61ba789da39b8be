package toolexec

// bareRun is a run without --plan.
type bareRun struct {
	generated bool
}

func (b *bareRun) refuse(args []string) error                              { return nil }
func (b *bareRun) refusal(what string) error                               { return nil }
func (b *bareRun) addHook(c *compilation, path string) (bool, error)       { return false, nil }
func (b *bareRun) completeLink(l *linking, cfg string) error               { return nil }
func (h *helper) prepareBare(name string) (done bool, code int, err error) { return false, 0, nil }
