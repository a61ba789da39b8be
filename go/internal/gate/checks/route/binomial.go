package route

import "math"

// interval holds the counts that n requests have with probability sure, each of them
// going to the canary with probability share: the central interval of the binomial
// distribution, with no more than half of what is left on either side.
func interval(n int, share, sure float64) (least, most int) {
	tail := (1 - sure) / 2
	sum, k := probability(n, 0, share), 0
	for sum <= tail && k < n {
		k++
		sum += probability(n, k, share)
	}
	least = k
	sum, k = probability(n, n, share), n
	for sum <= tail && k > 0 {
		k--
		sum += probability(n, k, share)
	}
	return least, k
}

func probability(n, k int, share float64) float64 {
	nf, kf := float64(n), float64(k)
	chosen := lgamma(nf+1) - lgamma(kf+1) - lgamma(nf-kf+1)
	return math.Exp(chosen + kf*math.Log(share) + (nf-kf)*math.Log1p(-share))
}

func lgamma(x float64) float64 {
	value, _ := math.Lgamma(x)
	return value
}

// enough is how many requests tell a share from none: so many that with probability sure
// the canary gets one of them; at least 100, for an interval that means something.
func enough(share, sure float64) int {
	n := math.Log((1-sure)/2) / math.Log1p(-share)
	return max(100, int(math.Ceil(n))+1)
}
