package checks

import (
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/gate/checks/compat"
	"github.com/goat-trace/goat/go/internal/gate/checks/reload"
)

// TestSlowChecksHaveTime: what takes long has more time, unless somebody says how much.
func TestSlowChecksHaveTime(t *testing.T) {
	for _, c := range []struct {
		settings     Settings
		timeout, try time.Duration
	}{
		{Settings{}, lookTime, tryTime},
		{Settings{Compat: &compat.Settings{Modules: true}}, lookTime, tryTime},
		{Settings{Compat: &compat.Settings{API: []string{"./..."}}}, slowTime, slowTime},
		{Settings{Config: []reload.Settings{{Command: []string{"x"}}}}, slowTime, slowTime},
		{Settings{Config: []reload.Settings{{Command: []string{"x"}}}, Timeout: time.Minute}, time.Minute, time.Minute},
		{Settings{Config: []reload.Settings{{Command: []string{"x"}}}, Try: time.Second}, slowTime, time.Second},
	} {
		if o := c.settings.Options(); o.Timeout != c.timeout || o.Try != c.try {
			t.Errorf("%+v: %s and %s, want %s and %s", c.settings, o.Timeout, o.Try, c.timeout, c.try)
		}
	}
}
