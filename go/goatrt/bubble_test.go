//go:build go1.25

package goatrt

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWallClockInABubble(t *testing.T) {
	outside := wallMicros()
	synctest.Test(t, func(*testing.T) {
		if time.Now().Year() != 2000 {
			t.Skip("this Go's bubbles have the real time")
		}
		if inside := wallMicros(); inside < outside || inside > outside+600e6 {
			t.Errorf("%d inside the bubble, %d outside", inside, outside)
		}
	})
}
