package route

import "testing"

// The intervals of R's qbinom: c(qbinom(a/2, n, p), qbinom(1-a/2, n, p)).
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		n           int
		share, sure float64
		least, most int
	}{
		{100, 0.1, 0.95, 5, 16},
		{100, 0.1, 0.99, 3, 18},
		{1000, 0.1, 0.99, 76, 125},
		{100, 0.5, 0.95, 40, 60},
		{20, 0.01, 0.99, 0, 2},
		{10, 0.5, 0.95, 2, 8},
	} {
		if least, most := interval(c.n, c.share, c.sure); least != c.least || most != c.most {
			t.Errorf("%d of %v, %v: %d to %d, want %d to %d", c.n, c.share, c.sure, least, most, c.least, c.most)
		}
	}
}

func TestEnoughTellsAShareFromNone(t *testing.T) {
	for _, share := range []float64{0.001, 0.01, 0.1, 0.5} {
		if least, _ := interval(enough(share, 0.99), share, 0.99); least == 0 {
			t.Errorf("%v: %d requests may all miss the canary", share, enough(share, 0.99))
		}
	}
}
