package checks

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

// Run implements [analysis.Check].
func (c PairedSlices) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	c.MinUnits = cmp.Or(c.MinUnits, defaultSliceUnits)
	if err := c.validate(); err != nil {
		return nil, err
	}
	f := c.finding()
	all, p := c.gather(ev)
	switch {
	case p != nil:
	case len(all.Slices) == 0:
		p = noData("no_slices", "The policy declares no slices that pairs can be told apart by.")
	}
	if p != nil {
		p.put(&f)
		return []analysis.Finding{f}, nil
	}
	var out []analysis.Finding
	for i := range all.Slices {
		out = append(out, c.family(ev, all, &all.Slices[i])...)
	}
	return out, nil
}

// family judges the slices of one cross. Those that are too small are judged too,
// because they may show harm, but are not waited for.
func (c PairedSlices) family(ev *analysis.Evidence, all *analysis.PairSnapshot, t *analysis.PairTable) []analysis.Finding {
	cross := t.Spec()
	values := t.Values()
	fam := sliceFamily{cross: cross, members: make([]*member, len(values)), cap: cross.Limit(), seen: float64(len(values)), full: t.Other() != nil}
	if p := ev.Policy; p != nil && p.Looks.Kind != analysis.Continuous {
		fam.steps = true
	}
	if fam.full {
		fam.seen = float64(2 * len(values)) // there are more; how many is not known
	}
	share := fam.share() / float64(len(all.Slices))
	var out []analysis.Finding
	var small []string
	for _, v := range values {
		sum := t.Slice(v)
		key := cross.Key(v)
		waited := sum.RowCount >= c.MinUnits
		if !waited {
			small = append(small, fmt.Sprintf("%v (%s)", key, count(sum.RowCount)))
		}
		l := newPairLook(c.Paired, ev, all, share)
		l.slice = true
		for _, f := range c.judge(l, sum) {
			f.Slice = key
			f.Message = fmt.Sprintf("In %v: %s", key, f.Message)
			if waited || f.Outcome == analysis.Harm {
				out = append(out, f)
			}
		}
	}
	if len(out) == 0 {
		f := c.finding()
		f.Outcome, f.N = analysis.Insufficient, analysis.Counts{Baseline: all.RowCount, Candidate: all.RowCount}
		f.Message = fmt.Sprintf("No slice of %s has %s pairs yet, of %s in all; the largest ones count from then on.", list(cross.Names(), 8), count(c.MinUnits), count(all.RowCount))
		out = append(out, f)
	}
	first := &out[0]
	if len(small) > 0 {
		slices.Sort(small)
		warn(first, WarnSmallSlices, fmt.Sprintf("Slices with fewer than %s pairs, which show no harm but are not waited for: %s.", count(c.MinUnits), list(small, 5)))
	}
	if fam.full {
		warn(first, WarnSlicesLeft, fmt.Sprintf("There are more slices than the %d that are kept: %s of %s pairs are in none. Put numbers into buckets, or raise the cap; of a cross of pairs as many are kept as fit into 100 MiB.", fam.cap, count(t.Other().RowCount), count(all.RowCount)))
	}
	return out
}
