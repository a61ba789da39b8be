//go:build !race

package goatrt

import "testing"

func TestHitAllocatesNothing(t *testing.T) {
	counters := make([]uint32, 200)
	c := begin(t, counters, "exact")
	k := 0
	allocations := testing.AllocsPerRun(100, func() {
		hit(&counters[k])
		k++
	})
	if allocations != 0 {
		t.Errorf("%v allocations per hit", allocations)
	}
	for i := 0; i < k; i++ {
		if c.records[record(i, phaseNow())].Load()&spooledFlag == 0 {
			t.Errorf("hit %d is not in the file", i)
		}
	}
}
