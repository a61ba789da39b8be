package report

// LaneSplit holds the lanes against each other: which points ran in the gray lanes
// (processes with a GOAT_LANE) alone, in the stable one alone, and in both. The lists are
// ids of points, in the document's order; a point that ran in neither is in none.
type LaneSplit struct {
	OnlyGray   []string `json:"onlyGray"`
	OnlyStable []string `json:"onlyStable"`
	Both       []string `json:"both"`
}

// splitLanes gives the section on lanes; nil where all processes are of one kind.
func (d *Document) splitLanes() *LaneSplit {
	gray, stable := false, false
	for i := range d.Instances {
		if d.Instances[i].Reachable {
			gray = gray || LaneName(d.Instances[i].Lane) != StableLane
			stable = stable || LaneName(d.Instances[i].Lane) == StableLane
		}
	}
	if !gray || !stable {
		return nil
	}
	split := &LaneSplit{OnlyGray: []string{}, OnlyStable: []string{}, Both: []string{}}
	for i := range d.Points {
		p := &d.Points[i]
		gray, stable := false, false
		for j := range p.Lanes {
			if p.Lanes[j].HitInstances == 0 {
				continue
			}
			if LaneName(p.Lanes[j].Lane) == StableLane {
				stable = true
			} else {
				gray = true
			}
		}
		switch {
		case gray && stable:
			split.Both = append(split.Both, p.ID)
		case gray:
			split.OnlyGray = append(split.OnlyGray, p.ID)
		case stable:
			split.OnlyStable = append(split.OnlyStable, p.ID)
		}
	}
	return split
}
