package drift

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Rate compares the share of rows of some kind in the two samples.
type Rate struct {
	Name     string         // "missing", "unseen" or "out_of_range"
	Ref, Cur stats.Interval // the shares, with Wilson's intervals
	Increase stats.Interval // current minus reference, with Newcombe's interval
	Expected float64        // the share that the current sample would have without drift
	P, LogP  float64        // score test of equal shares, two-sided
	RefX     uint64         // rows of that kind in the reference
	CurX     uint64         // rows of that kind in the current sample
	RefN     uint64         // rows of the reference
	CurN     uint64         // rows of the current sample
	Method   string
	Warnings []stats.Warning
}

// Missing compares the share of null and NaN. Expected is the reference's share.
//
// Errors: those of [PSI]. Cost: linear in the cells.
func Missing(c Cells, o Options) (Rate, error) {
	const fn = "Missing"
	o, err := o.complete(fn)
	if err != nil {
		return Rate{}, err
	}
	if err := c.check(fn); err != nil {
		return Rate{}, err
	}
	var x, y uint64
	for i, info := range c.Info {
		if info.Kind == MissingCell {
			x, y = x+c.Ref[i], y+c.Cur[i]
		}
	}
	r, err := newRate(fn, "missing", x, c.RefN, y, c.CurN, o)
	r.Expected = r.Ref.Point
	return r, err
}

// Unseen measures the share of current rows whose name the reference does not
// have at all. Null is not a name; it counts among the rows.
//
// Ref is 0 by construction, so Increase and P compare with a reference in which
// none of these names ever occurred. That is the right question for a column of
// few names, where a new one is a fact. In a column of many names every sample
// brings new ones: Expected is the share to be expected without drift, by Good
// and Turing the share of reference rows whose name occurs once. Compare Cur with
// it.
//
// With more names than the cap of the summaries, names are compared that both
// sides know, and the warning other_category states how many rows that leaves
// out of the count.
//
// Errors: [stats.ErrMismatch] when the caps differ, [stats.ErrEmpty] when a side
// has no rows, [stats.ErrDomain] for options out of range. Cost: as [Categories].
//
// Reference: Good (1953), Biometrika 40.
func Unseen(ref, cur *summary.Categorical, o Options) (Rate, error) {
	const fn = "Unseen"
	o, err := o.complete(fn)
	if err != nil {
		return Rate{}, err
	}
	both, sides, err := oneCap(ref, cur)
	if err != nil {
		return Rate{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	var once, unseen, unnamed uint64
	for _, e := range both.Counts() {
		switch sides[0].named[e.Name] {
		case 0:
			unseen += sides[1].named[e.Name]
		case 1:
			once++
		}
	}
	for i := range sides[1].other {
		unnamed += sides[1].other[i]
	}
	n, m := ref.Total()+ref.Null(), cur.Total()+cur.Null()
	r, err := newRate(fn, "unseen", 0, n, unseen, m, o)
	if err != nil {
		return Rate{}, err
	}
	r.Expected = float64(once) / float64(n)
	if unnamed > 0 {
		r.Warnings = append(r.Warnings, stats.Warning{Code: stats.WarnOther,
			Message: fmt.Sprintf("%d of %d current rows hold names beyond the cap of %d and are not counted", unnamed, m, both.Cap())})
	}
	return r, nil
}

// OutOfRange measures the share of current values below the smallest or above
// the largest value of the reference; infinite values, and those outside the
// range of the layout, count as out of range when they are infinite or outside.
// Missing values are left out of both numbers.
//
// In the reference only the infinite and outside values count. Expected is what
// the current sample would have without drift: their share, and 2/(n+1) for n
// finite reference values, the chance that one more is a new extreme.
//
// A cell of the layout may hold values on either side of an extreme of the
// reference: CurX counts those that certainly are outside, and the warning binned
// tells how many more may be.
//
// Errors: [stats.ErrMismatch] when the layouts differ, [stats.ErrEmpty] when a
// side has no value that is not missing, [stats.ErrDomain] for options out of
// range. Cost: linear in the populated cells.
func OutOfRange(ref, cur *summary.Histogram, o Options) (Rate, error) {
	const fn = "OutOfRange"
	o, err := o.complete(fn)
	if err != nil {
		return Rate{}, err
	}
	if err := sameLayout(fn, ref, cur); err != nil {
		return Rate{}, err
	}
	x, y := outside(ref), outside(cur)
	least, most := uint64(0), uint64(0)
	if ref.N() > 0 && cur.N() > 0 {
		cells := cur.Cells()
		for i := range cells {
			a, b := beyond(&cells[i], ref.Min(), ref.Max(), cur.Min(), cur.Max())
			least, most = least+a, most+b
		}
	}
	n, m := ref.N()+x, cur.N()+y
	r, err := newRate(fn, "out_of_range", x, n, y+least, m, o)
	if err != nil {
		return Rate{}, err
	}
	r.Expected = r.Ref.Point + 2/(float64(ref.N())+1)
	if most > least {
		r.Warnings = append(r.Warnings, stats.Warning{Code: stats.WarnBinned,
			Message: fmt.Sprintf("%d values certainly lie outside; %d more share a cell with an extreme of the reference", least, most-least)})
	}
	return r, nil
}

// outside counts the values that are infinite or outside the layout.
func outside(h *summary.Histogram) uint64 {
	e := h.Excluded()
	return e.PosInf + e.NegInf + e.Below + e.Above
}

// beyond returns how many values of a cell are certainly, and may be, outside
// [lo, hi], when all values of its sample are in [from, to].
func beyond(c *summary.Cell, lo, hi, from, to float64) (least, most uint64) {
	if c.Var == 0 {
		if c.Mean < lo || c.Mean > hi {
			return c.N, c.N
		}
		return 0, 0
	}
	a, b := max(c.Lo, from), min(c.Hi, to)
	switch {
	case b < lo || a > hi:
		return c.N, c.N
	case a >= lo && b <= hi:
		return 0, 0
	}
	return 0, c.N
}

func newRate(fn, name string, x, n, y, m uint64, o Options) (Rate, error) {
	r := Rate{
		Name: name, RefX: x, CurX: y, RefN: n, CurN: m,
		Method: "Wilson intervals, Newcombe's for the increase",
	}
	var err error
	if r.Ref, err = stats.Wilson(x, n, o.Level); err != nil {
		return Rate{}, fmt.Errorf("drift: %s: reference: %w", fn, err)
	}
	if r.Cur, err = stats.Wilson(y, m, o.Level); err != nil {
		return Rate{}, fmt.Errorf("drift: %s: current sample: %w", fn, err)
	}
	diff, err := stats.Newcombe(y, m, x, n, o.Level)
	if err != nil {
		return Rate{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	test, err := stats.ScoreDifferenceTest(y, m, x, n, 0, stats.Different, stats.ScoreOptions{})
	if err != nil {
		return Rate{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	r.Increase, r.P, r.LogP = diff.Estimate, test.P, test.LogP
	return r, nil
}
