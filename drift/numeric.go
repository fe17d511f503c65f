package drift

import (
	"fmt"
	"math"
	"strings"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// spikeP is the probability below which a value that is frequent in the current
// sample only is taken for a spike, not for chance.
const spikeP = 1e-6

// Numeric makes Cells of a numeric column.
//
// K cells hold about 1/K of the reference each. Their bounds are bounds of the
// histogram's own cells, the end cells are open, and K is Options.Cells or, if
// that is less, the number of values of the smaller sample divided by 20 (never
// below 2). Beside them, in this order of precedence:
//
//   - a histogram cell that holds 1/K of the reference stands alone; it is an
//     atom when all its values are one number. Repeated values so cannot break
//     the quantiles;
//   - so does one that holds 1/K of the current sample and stands out from the
//     reference by Fisher's exact test at 1e-6. At that size the choice, made
//     by looking at the current sample, leaves the null distribution of the
//     metrics as it is;
//   - what is left between such cells, where less than MinExpected values of the
//     smaller sample are expected, is put together as "other values";
//   - null, NaN, -Inf, +Inf and values outside the range of the layout have
//     cells of their own when they occur.
//
// So one wild value moves a metric by what one row is worth, a constant column is
// one atom, and a column of NaN equals itself.
//
// Bounds taken from the quantiles of the reference itself do not change the size
// of the tests. The warning coarse_layout tells that a cell of the layout holds
// more than 2/K of the reference and more than one number, as when all values
// are near 300: drift inside that cell is not seen.
//
// Errors: [stats.ErrMismatch] when the layouts differ, [stats.ErrEmpty] when a
// side has no rows at all, [stats.ErrDomain] for options out of range or more
// than 2^62 rows. Cost: linear in the populated cells of the histograms.
func Numeric(ref, cur *summary.Histogram, o Options) (Cells, error) {
	const fn = "Numeric"
	o, err := o.complete(fn)
	if err != nil {
		return Cells{}, err
	}
	if err := sameLayout(fn, ref, cur); err != nil {
		return Cells{}, err
	}
	b := binner{
		fine: align(ref.Cells(), cur.Cells()),
		refN: ref.N(), curN: cur.N(),
		refRows: float64(ref.Total()), curRows: float64(cur.Total()),
		o: o,
		k: max(2, min(uint64(o.Cells), min(ref.N(), cur.N())/rowsPerCell)),
	}
	if err := b.bin(); err != nil {
		return Cells{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	quantiles, atoms := len(b.out.Info)-b.alone, b.alone
	r, c := ref.Excluded(), cur.Excluded()
	b.out.addUsed(CellInfo{Name: "null", Kind: MissingCell}, r.Null, c.Null)
	b.out.addUsed(CellInfo{Name: "NaN", Kind: MissingCell}, r.NaN, c.NaN)
	b.out.addUsed(CellInfo{Name: "-Inf", Kind: OutsideCell}, r.NegInf, c.NegInf)
	b.out.addUsed(CellInfo{Name: "+Inf", Kind: OutsideCell}, r.PosInf, c.PosInf)
	b.out.addUsed(CellInfo{Name: "below the range", Kind: OutsideCell}, r.Below, c.Below)
	b.out.addUsed(CellInfo{Name: "above the range", Kind: OutsideCell}, r.Above, c.Above)

	parts := []string{plural(quantiles, "reference-quantile cell")}
	if atoms > 0 {
		parts = append(parts, plural(atoms, "cell")+" of frequent values")
	}
	if n := len(b.out.Info) - quantiles - atoms; n > 0 {
		parts = append(parts, plural(n, "cell")+" of missing and outside values")
	}
	b.out.Method = strings.Join(parts, " + ") + ", layout " + layoutID(ref, cur)
	return b.out.total(fn)
}

// sameLayout refuses histograms whose cells differ. A histogram that never met a
// number has no layout yet, and goes with any.
func sameLayout(fn string, ref, cur *summary.Histogram) error {
	r, c := ref.Layout(), cur.Layout()
	if r.Kind() != summary.Unset && c.Kind() != summary.Unset && r.ID() != c.ID() {
		return fmt.Errorf("drift: %s: layouts %s and %s: %w", fn, r.ID(), c.ID(), stats.ErrMismatch)
	}
	return nil
}

func layoutID(ref, cur *summary.Histogram) string {
	if ref.Layout().Kind() == summary.Unset {
		return cur.Layout().ID()
	}
	return ref.Layout().ID()
}

// fineCell is a cell of the layout that is populated on either side.
type fineCell struct {
	lo, hi   float64
	ref, cur *summary.Cell // an empty cell where the side has no value
}

// align pairs the populated cells of two histograms of one layout, in ascending
// order.
func align(ref, cur []summary.Cell) []fineCell {
	out := make([]fineCell, 0, len(ref)+len(cur))
	none := new(summary.Cell)
	for len(ref) > 0 || len(cur) > 0 {
		f := fineCell{ref: none, cur: none}
		inRef := len(cur) == 0 || len(ref) > 0 && !before(&cur[0], &ref[0])
		inCur := len(ref) == 0 || len(cur) > 0 && !before(&ref[0], &cur[0])
		if inRef {
			f.lo, f.hi, f.ref = ref[0].Lo, ref[0].Hi, &ref[0]
			ref = ref[1:]
		}
		if inCur {
			f.lo, f.hi, f.cur = cur[0].Lo, cur[0].Hi, &cur[0]
			cur = cur[1:]
		}
		out = append(out, f)
	}
	return out
}

func before(a, b *summary.Cell) bool {
	return a.Lo < b.Lo || a.Lo == b.Lo && a.Hi < b.Hi
}

// constant reports whether a side of a cell holds one number only, or nothing.
func constant(c *summary.Cell) bool { return c.Var == 0 }

// binner turns the cells of a layout into few cells of useful size.
type binner struct {
	fine             []fineCell
	refN, curN       uint64  // values in cells
	refRows, curRows float64 // all rows, missing ones too
	o                Options
	k                uint64 // quantile cells wanted
	alone            int    // cells made for frequent values
	out              Cells
}

// run is a stretch of fine cells that belong together.
type run struct {
	from, to int // fine[from:to]
	ref, cur uint64
	alone    bool // one fine cell, too frequent to be with others
	whole    bool // all that lies between two such cells
}

func (b *binner) bin() error {
	runs, err := b.runs()
	if err != nil {
		return err
	}
	var rest run
	scattered := 0
	for _, r := range runs {
		if b.small(r) {
			scattered++
		}
	}
	for i, r := range runs {
		lo, hi := math.Inf(-1), math.Inf(1)
		if i > 0 {
			lo = b.fine[r.from].lo
			if runs[i-1].alone {
				lo = b.fine[r.from-1].hi
			}
		}
		if i < len(runs)-1 {
			hi = b.fine[r.to].lo
		}
		switch {
		case r.alone:
			b.addAlone(b.fine[r.from])
		case scattered > 1 && b.small(r):
			rest.ref += r.ref
			rest.cur += r.cur
		default:
			b.out.add(CellInfo{Name: intervalName(lo, hi), Kind: IntervalCell, Lo: lo, Hi: hi}, r.ref, r.cur)
		}
	}
	b.out.addUsed(CellInfo{Name: "other values", Kind: OtherCell}, rest.ref, rest.cur)
	return nil
}

// runs cuts the fine cells into runs.
func (b *binner) runs() ([]run, error) {
	var out []run
	from := 0
	for i, f := range b.fine {
		alone, err := b.frequent(f)
		if err != nil {
			return nil, err
		}
		if alone {
			out = b.quantiles(out, from, i)
			out = append(out, run{from: i, to: i + 1, ref: f.ref.N, cur: f.cur.N, alone: true})
			from = i + 1
		}
	}
	return b.quantiles(out, from, len(b.fine)), nil
}

// frequent reports whether a fine cell stands alone.
func (b *binner) frequent(f fineCell) (bool, error) {
	share := func(x, n uint64) float64 { return float64(x) / max(1, float64(n)) }
	p, q := share(f.ref.N, b.refN), share(f.cur.N, b.curN)
	least := 1 / float64(b.k)
	switch {
	case p >= least:
		return true, nil
	case q < least || b.refN == 0:
		return false, nil
	}
	test, err := stats.FisherExact(f.cur.N, b.curN-f.cur.N, f.ref.N, b.refN-f.ref.N, stats.ExactOptions{Alternative: stats.Greater})
	return test.P < spikeP, err
}

// quantiles appends the runs of about equal reference mass into which
// fine[from:to] is cut: a fine cell goes where the middle of its mass lies.
func (b *binner) quantiles(out []run, from, to int) []run {
	if from == to {
		return out
	}
	mass := uint64(0)
	for _, f := range b.fine[from:to] {
		mass += f.ref.N
	}
	cells := 1.0
	if mass > 0 {
		cells = max(1, math.Round(float64(mass)/float64(b.refN)*float64(b.k)))
	}
	seen, last, first := 0.0, -1.0, len(out)
	for i := from; i < to; i++ {
		f := b.fine[i]
		at := 0.0
		if mass > 0 {
			at = math.Floor((seen + float64(f.ref.N)/2) / float64(mass) * cells)
			at = min(at, cells-1)
		}
		if at != last {
			out = append(out, run{from: i})
			last = at
		}
		r := &out[len(out)-1]
		r.to = i + 1
		r.ref += f.ref.N
		r.cur += f.cur.N
		seen += float64(f.ref.N)
	}
	out[first].whole = len(out) == first+1
	return out
}

// small reports whether a run between frequent cells is too small to be tested
// alone.
func (b *binner) small(r run) bool {
	return r.whole && expected(r.ref, r.cur, b.refRows, b.curRows) < b.o.MinExpected
}

// addAlone adds a frequent fine cell: an atom, two atoms when either side holds
// one number and they differ, or an interval.
func (b *binner) addAlone(f fineCell) {
	b.alone++
	atom := func(x float64, ref, cur uint64) {
		b.out.add(CellInfo{Name: fmt.Sprintf("= %.6g", x), Kind: AtomCell, Lo: x, Hi: x}, ref, cur)
	}
	switch {
	case !constant(f.ref) || !constant(f.cur):
		b.out.add(CellInfo{Name: intervalName(f.lo, f.hi), Kind: IntervalCell, Lo: f.lo, Hi: f.hi}, f.ref.N, f.cur.N)
		if share := float64(f.ref.N) / max(1, float64(b.refN)); !constant(f.ref) && share > 2/float64(b.k) {
			b.out.warn(WarnCoarseLayout, "%.3g%% of the reference lies in one cell of the layout, %s; drift inside it is not seen", 100*share, intervalName(f.lo, f.hi))
		}
	case f.cur.N == 0 || f.ref.N > 0 && f.ref.Mean == f.cur.Mean:
		atom(f.ref.Mean, f.ref.N, f.cur.N)
	case f.ref.N == 0:
		atom(f.cur.Mean, 0, f.cur.N)
	case f.ref.Mean < f.cur.Mean:
		atom(f.ref.Mean, f.ref.N, 0)
		atom(f.cur.Mean, 0, f.cur.N)
		b.alone++
	default:
		atom(f.cur.Mean, 0, f.cur.N)
		atom(f.ref.Mean, f.ref.N, 0)
		b.alone++
	}
}

func intervalName(lo, hi float64) string {
	switch {
	case math.IsInf(lo, -1) && math.IsInf(hi, 1):
		return "all values"
	case math.IsInf(lo, -1):
		return fmt.Sprintf("below %.4g", hi)
	case math.IsInf(hi, 1):
		return fmt.Sprintf("%.4g and above", lo)
	}
	return fmt.Sprintf("%.4g to %.4g", lo, hi)
}
