package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/follow"
	"github.com/goat-trace/goat/go/internal/report/source"
	"github.com/goat-trace/goat/go/internal/ui"
)

const uiLong = `Ui serves the evidence page of a report, live: what a hit changes shows in the open page
within a second or two. The sources are those of goat report; they may come and go while
it runs, and the evidence of a process that has ended stays.

Panics on record stand beside the points; --dump FILE or URL puts the goroutines of that
moment there, too.

It prints an address with a token of this run, and opens it in the browser where there is
a desktop. The page shows source code, so only who has the token sees it, only this
machine reaches it, and no other page in the browser can read from it. --addr on another
address lets other machines in: over plain http, so that the network can read along.

Ctrl-C ends it. One file to keep or to send: goat report --format html > page.html`

const uiExample = `  goat ui
  goat ui http://10.0.0.7:57005 /var/run/goat
  goat ui --addr 127.0.0.1:8080 --no-open`

type uiFlags struct {
	sourceFlags
	besideFlags
	addr   string
	noOpen bool
}

func (a *app) newUI() *cobra.Command {
	var f uiFlags
	cmd := &cobra.Command{
		Use:     "ui [URL or SPOOL]...",
		GroupID: groupLook,
		Short:   "Serve the report as a live page",
		Long:    uiLong,
		Example: uiExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runUI(cmd, args, &f)
		},
	}
	f.sourceFlags.add(cmd)
	f.besideFlags.add(cmd)
	cmd.Flags().DurationVar(&f.timeout, "timeout", requestTimeout, "the `DURATION` that one request may take")
	cmd.Flags().StringVar(&f.addr, "addr", "127.0.0.1:0", "listen on `HOST:PORT`; port 0 takes a free one")
	cmd.Flags().BoolVar(&f.noOpen, "no-open", false, "do not open the browser")
	return cmd
}

func (a *app) runUI(cmd *cobra.Command, names []string, f *uiFlags) error {
	live, err := a.live(cmd, names, &f.sourceFlags)
	if err != nil {
		return err
	}
	defer live.end()
	end, err := a.collect(cmd.Context(), &f.besideFlags, &live.request)
	if err != nil {
		return err
	}
	defer end()
	server, err := ui.Listen(cmd.Context(), f.addr, drawPage(live.request))
	if err != nil {
		e := &goat.Error{Code: goat.CodeNetwork, Message: "ui cannot listen on " + f.addr, Hint: "--addr HOST:PORT names another address; port 0 takes a free one"}
		return e.Wrap(err)
	}
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	first, fed := make(chan struct{}), make(chan error, 1)
	go func() {
		fed <- feed(ctx, server, live.request, first)
		stop()
	}()
	select {
	case <-first:
		a.sayWhere(ctx, server, f, live.looks.Quiet)
	case err := <-fed:
		return errors.Join(err, server.Close())
	}
	served := server.Run(ctx)
	stop()
	if err := <-fed; !errors.Is(err, context.Canceled) {
		return err
	}
	return served
}

// feed shows each new state of the report, until the context ends.
func feed(ctx context.Context, server *ui.Server, request source.Request, first chan struct{}) error {
	shown := false
	return follow.Run(ctx, request, follow.Every, func(s *follow.State) error {
		if !shown && s.Document.Outcome() == report.Nothing {
			return noSource(s.Document)
		}
		if err := server.Show(s.Document); err != nil {
			return err
		}
		if !shown {
			shown = true
			close(first)
		}
		return nil
	})
}

// sayWhere prints the address, which is the one line on stdout, and opens it.
func (a *app) sayWhere(ctx context.Context, server *ui.Server, f *uiFlags, quiet bool) {
	fmt.Fprintln(a.stdout, server.URL())
	if !server.Loopback() && !quiet {
		fmt.Fprintf(a.stderr, "goat: --addr %s: other machines reach this page; whoever has the address sees the source code, and it travels unencrypted\n", f.addr)
	}
	if f.noOpen || !isTerminal(a.stdout) {
		return
	}
	if open := a.opener(); open != nil {
		// Whether a browser opens is no matter: the address stands there.
		_ = exec.CommandContext(ctx, open[0], append(open[1:], server.URL())...).Start()
	}
}

// opener is the command that opens an address on this desktop; nil without one.
func (a *app) opener() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	if a.getenv("DISPLAY") == "" && a.getenv("WAYLAND_DISPLAY") == "" {
		return nil
	}
	return []string{"xdg-open"}
}
