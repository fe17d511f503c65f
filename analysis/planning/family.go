package planning

import (
	"math"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

// slices plans a guardrail in each slice, with the part of the error that the check
// gives it.
func (b *builder) slices(e *analysis.CheckEntry, c *checks.Slices, alpha, pause float64) {
	g := c.Guardrail
	if g.MinUnits == 0 {
		g.MinUnits = 500
	}
	if g.Planned == 0 {
		g.Planned = 2 * g.MinUnits
	}
	crosses := c.Slices()
	if crosses == nil {
		crosses = b.p.DeclaredSlices()
	}
	for i := range crosses {
		cross := &crosses[i]
		list := b.slicesOf(e, cross, c.Values)
		m := float64(len(list))
		part := 1 / m
		if c.Values == nil && b.p.Looks.Kind == analysis.Continuous {
			part = 0.5/(m*(m+1)) + 0.5/float64(cross.Limit())
		}
		part /= float64(len(crosses))
		for _, s := range list {
			seen := b.t.Baseline
			if seen != nil {
				if of := seen.Slice(cross, s.values); of != nil {
					seen = of
				}
			}
			b.guardrail(e, &g, seen, cross.Key(s.values), s.share, alpha*part, pause*part)
		}
	}
}

// sliceShare is one slice with its share of the rows.
type sliceShare struct {
	values []string
	share  float64
}

// slicesOf lists the slices of a cross: the combinations of the values whose shares
// are known, as if columns were independent, or those of the baseline.
func (b *builder) slicesOf(e *analysis.CheckEntry, cross *analysis.SliceSpec, only [][]string) []sliceShare {
	if base := b.t.Baseline; base != nil && base.RowCount > 0 {
		if table := base.SliceTable(cross); table != nil {
			var out []sliceShare
			for _, v := range table.Values() {
				if n, ok := table.Rows(v); ok && listed(only, v) {
					out = append(out, sliceShare{v, float64(n) / float64(base.RowCount)})
				}
			}
			return out
		}
	}
	out := []sliceShare{{share: 1}}
	for _, col := range cross.Columns {
		given := b.t.Shares[col.Name]
		if len(given) == 0 {
			b.never(e, "", nil, "the shares of the values of %s are not known; give them, or a baseline", col.Name)
			return nil
		}
		sum := 0.0
		for _, v := range sortedNames(given) {
			sum += given[v]
		}
		var next []sliceShare
		for _, s := range out {
			for _, v := range sortedNames(given) {
				values := append(append([]string{}, s.values...), v)
				next = append(next, sliceShare{values, s.share * given[v] / sum})
			}
		}
		out = next
	}
	kept := out[:0]
	for _, s := range out {
		if listed(only, s.values) {
			kept = append(kept, s)
		}
	}
	return kept
}

// listed reports whether a slice is among those that the policy names, if it names
// any; their values may be in another order of the columns.
func listed(only [][]string, values []string) bool {
	if only == nil {
		return true
	}
	for _, v := range only {
		if sameSet(v, values) {
			return true
		}
	}
	return false
}

func sameSet(a, b []string) bool {
	left := strings.Join(a, "\x00") + "\x00"
	for _, v := range b {
		cut := strings.Replace(left, v+"\x00", "", 1)
		if cut == left {
			return false
		}
		left = cut
	}
	return left == ""
}

// split plans the test of the split: the smallest relative deviation of the
// candidate's share that it finds.
func (b *builder) split(e *analysis.CheckEntry, c *checks.SRM, alpha float64) {
	if !(alpha > 0) {
		b.never(e, "candidate_share", nil, "its error budget is 0")
		return
	}
	floor := c.Floor
	if floor == 0 {
		floor = 0.005
	}
	out := Limit{Check: e.Check.Name(), Code: "srm", Metric: "candidate_share", Severity: analysis.SeverityPause, Required: e.Required,
		Limit: analysis.Quantity{Value: floor, Unit: analysis.Relative}.String(), Unit: "relative", Alpha: alpha, Harm: 2 * floor}
	for i, s := range b.r.Stages {
		d := Detectable{}
		found := func(i int, seconds, power, deviation float64) bool {
			return splitLogE(b.upTo(i, seconds, 1), deviation, power) >= sequential.Threshold(alpha)
		}
		for _, power := range b.o.Powers {
			d.Smallest = append(d.Smallest, stats.Float(smallestDeviation(floor, func(x float64) bool { return found(i, s.Seconds, power, x) })))
			d.Detect = append(d.Detect, stats.Float(timeTo(func(sec float64) bool { return found(i, sec, power, out.Harm) })))
			d.Pass = append(d.Pass, stats.Float(timeTo(func(sec float64) bool { return found(i, sec, power, 1) })))
		}
		out.Stages = append(out.Stages, d)
	}
	if t := b.perSecond[0]; t.b+t.c > 0 {
		out.Base = t.c / (t.b + t.c)
	}
	b.r.Limits = append(b.r.Limits, out)
}

// smallestDeviation bisects for the smallest deviation from the floor up that is
// found; +Inf when an arm without units is not.
func smallestDeviation(floor float64, found func(float64) bool) float64 {
	switch {
	case found(floor):
		return floor
	case !found(1):
		return math.Inf(1)
	}
	lo, hi := floor, 1.0
	for range 50 {
		if mid := (lo + hi) / 2; found(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// splitLogE is the evidence against the split when the candidate lacks a part of its
// units, at counts that are that small with the probability power at least.
func splitLogE(ts []traffic, deviation, power float64) float64 {
	var stages []sequential.ShareStage
	for _, t := range ts {
		if t.weight() == 0 {
			continue
		}
		share := t.share * (1 - deviation)
		n := t.b + t.c
		c := float64(n*share) + float64(normalQuantile(power)*math.Sqrt(n*share*(1-share)))
		c = math.Min(math.Max(0, c), n*t.share)
		stages = append(stages, sequential.ShareStage{Weights: []float64{1 - t.share, t.share}, Counts: []uint64{uint64(math.Round(n - c)), uint64(math.Round(c))}})
	}
	if len(stages) == 0 {
		return 0
	}
	r, err := sequential.SRM(stages, sequential.SRMOptions{})
	if err != nil {
		return 0
	}
	return r.LogE
}
