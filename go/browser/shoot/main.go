// Command shoot makes pictures of pages: shoot [flags] URL FILE.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/goat-trace/goat/go/browser"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "shoot:", err)
		os.Exit(1)
	}
}

func run() error {
	width, height := flag.Int("width", 1280, "width of the window"), flag.Int("height", 860, "height of the window")
	scheme, script := flag.String("scheme", "light", "light or dark"), flag.String("do", "", "a script to run before the picture")
	scale := flag.Float64("scale", 1, "device pixels per pixel")
	flag.Parse()
	if flag.NArg() != 2 {
		return errors.New("usage: shoot [flags] URL FILE")
	}
	if browser.Find() == "" {
		return errors.New("no Chromium here: scripts/tools --install")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := browser.Start(ctx, *width, *height, func(text string) { fmt.Fprintln(os.Stderr, "shoot:", text) })
	defer cancel()
	ctx, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	var picture []byte
	if *script == "" {
		*script = "0"
	}
	err := chromedp.Run(ctx,
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: *scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}),
		emulation.SetDeviceMetricsOverride(int64(*width), int64(*height), *scale, false),
		chromedp.Navigate(flag.Arg(0)),
		chromedp.WaitReady("html[data-drawn]", chromedp.ByQuery),
		chromedp.Evaluate(*script, nil),
		chromedp.Sleep(300*time.Millisecond),
		chromedp.CaptureScreenshot(&picture),
	)
	if err != nil {
		return err
	}
	if picture, err = shrink(picture); err != nil {
		return err
	}
	return os.WriteFile(flag.Arg(1), picture, 0o644)
}
