// Package browser drives a real Chromium for the tests of the evidence page and for the
// pictures of it. It is a module of its own, so that goat's depends on none of this.
package browser

import (
	"context"
	"os"
	"os/exec"
	"strings"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// names under which systems install it.
var names = []string{"chromium", "chromium-browser", "google-chrome", "chrome"}

// Find is the browser: GOAT_CHROMIUM, else the first on PATH; "" when there is none.
func Find() string {
	if path := os.Getenv("GOAT_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Start starts a browser with an empty profile that talks to nobody on its own. Each
// complaint of a page (an exception, a console error, a broken policy) goes to complain.
func Start(ctx context.Context, width, height int, complain func(string)) (context.Context, context.CancelFunc) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(Find()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("lang", "en-US"),
	)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	Listen(ctx, complain)
	return ctx, func() { cancel(); stop() }
}

// Listen reports the complaints of a tab.
func Listen(ctx context.Context, complain func(string)) {
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complain(e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				var words []string
				for _, arg := range e.Args {
					words = append(words, string(arg.Value)+arg.Description)
				}
				complain("console: " + strings.Join(words, " "))
			}
		}
	})
}
