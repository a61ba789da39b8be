package render

import (
	"fmt"
	"strings"
	"time"
)

// Amount is a value with its unit as people read it.
func Amount(value int64, unit string) string {
	switch unit {
	case "nanoseconds":
		d := time.Duration(value)
		switch size := d.Abs(); {
		case size >= time.Minute:
			d = d.Round(time.Second)
		case size >= time.Second:
			d = d.Round(10 * time.Millisecond)
		case size >= time.Millisecond:
			d = d.Round(10 * time.Microsecond)
		}
		return d.String()
	case "bytes":
		return sized(float64(value))
	case "count", "":
		return fmt.Sprint(value)
	}
	return fmt.Sprintf("%d %s", value, unit)
}

func sized(value float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	at := 0
	for ; (value >= 1024 || value <= -1024) && at < len(units)-1; at++ {
		value /= 1024
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + units[at]
}

// Percent is a part of the whole; of nothing there is none.
func Percent(share *float64) string {
	if share == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*(*share))
}
