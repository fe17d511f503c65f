package checks

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

// sliceFamily are the slices of one cross that are judged together.
type sliceFamily struct {
	cross   *analysis.SliceSpec
	members []*member
	named   bool // the policy lists the slices
	steps   bool // Holm's method may be used
	seen    float64
	full    bool // there are more slices than are kept
	cap     int
	left    analysis.Counts // rows in no slice
	rows    analysis.Counts // of all slices
}

// member is one slice.
type member struct {
	values   []string
	strata   []analysis.Stratum // with the rows of the slice only
	n        analysis.Counts
	waited   bool   // the rollout waits for it
	lacks    string // which arm has no rows of it
	findings []analysis.Finding
}

func (m *member) harmed() bool {
	return slices.ContainsFunc(m.findings, func(f analysis.Finding) bool { return f.Outcome == analysis.Harm })
}

func (fam *sliceFamily) harmed() int {
	n := 0
	for _, m := range fam.members {
		if m.harmed() {
			n++
		}
	}
	return n
}

// family lists the slices of a cross, in ascending order of their values.
func (c Slices) family(ev *analysis.Evidence, cross *analysis.SliceSpec) (*sliceFamily, *problem) {
	fam := &sliceFamily{cross: cross, named: c.Values != nil}
	strata := strataOf(ev)
	var tables []*analysis.SliceTable
	for _, s := range strata {
		for _, arm := range []*analysis.Snapshot{s.Baseline, s.Candidate} {
			if arm == nil {
				continue
			}
			t := arm.SliceTable(cross)
			if t == nil {
				return nil, &problem{"no_slices", analysis.Invalid, fmt.Sprintf("Slices of %s were not counted when the log was read; collect it again with this policy.", list(cross.Names(), 8))}
			}
			tables = append(tables, t)
			fam.cross = t.Spec()
		}
	}
	fam.cap = fam.cross.Limit()
	values := c.listed(fam.cross)
	if !fam.named {
		values = fam.occurring(tables)
	}
	for _, v := range values {
		fam.members = append(fam.members, c.member(ev, strata, fam, v))
	}
	fam.count(strata)
	if p := ev.Policy; p != nil && p.Looks.Kind != analysis.Continuous {
		fam.steps = true
	}
	for _, m := range fam.members {
		c.waitFor(ev, fam, m)
	}
	return fam, nil
}

// listed are the Values in the order of the columns of the cross.
func (c Slices) listed(cross *analysis.SliceSpec) [][]string {
	var out [][]string
	for _, v := range c.Values {
		sorted := make([]string, len(v))
		for i, name := range cross.Names() {
			sorted[i] = v[slices.IndexFunc(c.Of, func(col analysis.SliceColumn) bool { return col.Name == name })]
		}
		out = append(out, sorted)
	}
	slices.SortFunc(out, slices.Compare)
	return slices.CompactFunc(out, slices.Equal)
}

// occurring are the slices whose rows are known in every table, and notes how
// many slices there are, or at least may be.
func (fam *sliceFamily) occurring(tables []*analysis.SliceTable) [][]string {
	var all [][]string
	for _, t := range tables {
		all = append(all, t.Values()...)
		if n, exact := t.Distinct(); !exact {
			fam.full = true
			fam.seen += math.Ceil(n * (1 + 3/math.Sqrt(float64(fam.cap)))) // surely no fewer
		} else {
			fam.seen += n
		}
	}
	slices.SortFunc(all, slices.Compare)
	all = slices.CompactFunc(all, slices.Equal)
	if !fam.full {
		fam.seen = float64(len(all))
	}
	return slices.DeleteFunc(all, func(v []string) bool {
		return slices.ContainsFunc(tables, func(t *analysis.SliceTable) bool {
			_, known := t.Rows(v)
			return !known
		})
	})
}

// member picks the rows of one slice from all stages.
func (c Slices) member(ev *analysis.Evidence, strata []analysis.Stratum, fam *sliceFamily, v []string) *member {
	m := &member{values: v}
	pick := func(s *analysis.Snapshot, n *uint64) *analysis.Snapshot {
		if s == nil {
			return nil
		}
		out := s.Slice(fam.cross, v)
		if out != nil {
			*n += out.RowCount
		}
		return out
	}
	for _, s := range strata {
		one := s
		one.Baseline, one.Candidate = pick(s.Baseline, &m.n.Baseline), pick(s.Candidate, &m.n.Candidate)
		m.strata = append(m.strata, one)
	}
	noBase := m.n.Baseline == 0 && ev.Compared != analysis.Absolute
	switch {
	case noBase && m.n.Candidate == 0:
		m.lacks = "neither arm has any rows"
	case noBase:
		m.lacks = fmt.Sprintf("the baseline has no rows, the candidate %s", count(m.n.Candidate))
	case m.n.Candidate == 0:
		m.lacks = fmt.Sprintf("the candidate has no rows, the baseline %s", count(m.n.Baseline))
	}
	return m
}

// count adds up the rows in slices and those in none.
func (fam *sliceFamily) count(strata []analysis.Stratum) {
	in := analysis.Counts{}
	for _, m := range fam.members {
		in.Baseline += m.n.Baseline
		in.Candidate += m.n.Candidate
	}
	for _, s := range strata {
		if s.Baseline != nil {
			fam.rows.Baseline += s.Baseline.RowCount
		}
		if s.Candidate != nil {
			fam.rows.Candidate += s.Candidate.RowCount
		}
	}
	fam.left = analysis.Counts{Baseline: fam.rows.Baseline - in.Baseline, Candidate: fam.rows.Candidate - in.Candidate}
}

// waitFor decides whether the rollout waits for a slice.
func (c Slices) waitFor(ev *analysis.Evidence, fam *sliceFamily, m *member) {
	least := float64(c.Guardrail.MinUnits)
	b, n := float64(m.n.Baseline), float64(m.n.Candidate)
	if ev.Compared == analysis.Absolute {
		m.waited = n >= least
	} else {
		ratio := float64(fam.rows.Candidate) / math.Max(1, float64(fam.rows.Baseline))
		b, n = math.Max(b, n/ratio), math.Max(n, b*ratio) // what the other arm lets expect
		m.waited = math.Min(b, n) >= least
	}
	m.waited = m.waited || c.Wait || fam.named
}

// share is the part of the error of its cross that a slice may spend.
func (fam *sliceFamily) share() float64 {
	m := math.Max(1, float64(len(fam.members)))
	if fam.named || fam.steps {
		return 1 / m
	}
	seen := math.Max(1, fam.seen)
	out := 0.5 / (seen * (seen + 1))
	if !fam.full && seen <= float64(fam.cap) {
		out += 0.5 / float64(fam.cap)
	}
	return out
}

// unitsNeeded is how many rows the largest slice lacks.
func (fam *sliceFamily) unitsNeeded(least uint64) uint64 {
	most := uint64(0)
	for _, m := range fam.members {
		most = max(most, min(m.n.Baseline, m.n.Candidate))
	}
	return max(1, least-min(least, most))
}

// WarnSmallSlices and WarnSlicesLeft are the codes of what a check of slices did
// not judge.
const (
	WarnSmallSlices = "slices_small"    // slices with too few rows
	WarnSlicesLeft  = "slices_left_out" // rows in none of the slices that are kept
)

// warn says what was not judged.
func (fam *sliceFamily) warn(f *analysis.Finding, small []*member, least uint64) {
	if len(small) > 0 {
		slices.SortStableFunc(small, func(a, b *member) int {
			return -compareCounts(a.n, b.n)
		})
		names := make([]string, len(small))
		for i, m := range small {
			names[i] = fmt.Sprintf("%v (%s, %s)", fam.cross.Key(m.values), count(m.n.Baseline), count(m.n.Candidate))
		}
		warn(f, WarnSmallSlices, fmt.Sprintf("Slices with fewer than %s rows in an arm, which show no harm but are not waited for: %s.", count(least), list(names, 5)))
	}
	if fam.full && !fam.named {
		share := float64(fam.left.Baseline+fam.left.Candidate) / math.Max(1, float64(fam.rows.Baseline+fam.rows.Candidate))
		warn(f, WarnSlicesLeft, fmt.Sprintf("There are more slices than the %d that are kept: %s of all rows are in none. Name the slices that matter in values, put numbers into buckets, or raise the cap.", fam.cap, percent(share)))
	}
}

func compareCounts(a, b analysis.Counts) int {
	x, y := a.Baseline+a.Candidate, b.Baseline+b.Candidate
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
