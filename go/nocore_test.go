//go:build !cgo || goat_nocore

package goat_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go"
)

func TestWithoutCore(t *testing.T) {
	ctx := context.Background()
	_, planErr := goat.Plan(ctx, goat.Options{Dir: t.TempDir()})
	_, inspectErr := goat.Inspect(ctx, []byte("package a\n"))
	_, versionErr := goat.Version(ctx)
	for _, err := range []error{planErr, inspectErr, versionErr} {
		var e *goat.Error
		if !errors.As(err, &e) || e.Code != goat.CodeCoreMissing {
			t.Errorf("got %v", err)
			continue
		}
		if !strings.Contains(e.Message, "CGO_ENABLED=0") && !strings.Contains(e.Message, "goat_nocore") {
			t.Errorf("%q does not name the cause", e.Message)
		}
		if e.Hint == "" {
			t.Error("no hint")
		}
	}
	if goat.HasCore() {
		t.Error("HasCore")
	}
}
