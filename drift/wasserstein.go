package drift

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Transport is a Wasserstein distance with its numeric error and its size in
// standard deviations.
type Transport struct {
	Divergence
	Bound   float64        // the distance of the raw values is within [Value, Value+Bound]; Value ± Bound for frozen edges
	RefSD   float64        // standard deviation of the reference
	InRefSD stats.Interval // Interval in units of RefSD; zero when RefSD is 0
}

// Wasserstein1 returns the first Wasserstein (earth mover's) distance of a
// numeric column, in the column's own unit:
//
//	W1 = integral of |F(x) - G(x)| dx
//
// the mean distance by which values have to move for the samples to agree:
// "scores moved by .04 on average".
//
// Between cells F - G is constant; inside a cell its integral follows exactly
// from the cell's mean on both sides. Value is the sum of the absolute integrals
// of the cells, so it is exact but for cells in which F - G changes sign, and
// Bound adds up what those can hide. Frozen edges keep no means: values are taken
// to lie in the middle of their cell, and Bound is as wide as that implies.
//
// Without drift Value is not 0 but the integral of a Gaussian process with
// variance F(1-F)(1/n+1/m); its mean (which Corrected takes off) and variance are
// exact for large samples, and P and Null95 come from the gamma law with both.
// Lo of Interval takes from Value the noise of that kind at the given level, Hi
// adds the normal bound on the mean shift, z sqrt(var/n + var/m), and Bound: both
// are conservative. There are no contributions.
//
// RefN and CurN count the finite values; infinite ones, which are infinitely far,
// and those outside the range of the layout are left out with the warning
// excluded_values, as are null and NaN.
//
// Special cases: one and the same constant on both sides gives 0, P 1 and the
// warning degenerate, without Interval.
//
// Errors: [stats.ErrMismatch] when the layouts differ, [stats.ErrEmpty] when a
// side has no finite value, [stats.ErrDomain] for options out of range or values
// whose range overflows. Cost: linear in the populated cells, and 2000 arcsines.
//
// References: Vallender (1974), Theory of Probability and its Applications 18.
// del Barrio, Gine and Matran (1999), Annals of Probability 27.
func Wasserstein1(ref, cur *summary.Histogram, o Options) (Transport, error) {
	const fn = "Wasserstein1"
	o, err := o.complete(fn)
	if err != nil {
		return Transport{}, err
	}
	if err := sameLayout(fn, ref, cur); err != nil {
		return Transport{}, err
	}
	if ref.N() == 0 || cur.N() == 0 {
		return Transport{}, fmt.Errorf("drift: %s: %d and %d finite values: %w", fn, ref.N(), cur.N(), stats.ErrEmpty)
	}
	w := newMover(ref, cur)
	t := Transport{Divergence: Divergence{
		Metric: "wasserstein1", P: 1,
		Cells: len(w.fine), RefN: ref.N(), CurN: cur.N(),
		Method: "first Wasserstein distance; cells of layout " + layoutID(ref, cur),
	}}
	r, c := ref.Excluded(), cur.Excluded()
	t.Warnings = unordered(r.Total(), c.Total(), "missing, infinite or outside the range")
	w.measure()
	t.Value, t.Bound, t.RefSD = w.value, w.bound, w.refSD
	t.Corrected = t.Value
	if t.Bound > 0 {
		t.Warnings = append(t.Warnings, stats.Warning{Code: stats.WarnBinned,
			Message: fmt.Sprintf("computed from cells: within %.3g of the distance of the raw values", t.Bound)})
	}
	null := w.noise(func(_, _, h float64) float64 { return h * (1 - h) * (1/w.n + 1/w.m) })
	if null.mean == 0 {
		t.Warnings = append(t.Warnings, stats.Warning{Code: stats.WarnDegenerate,
			Message: fmt.Sprintf("every value on both sides is %.6g", w.min)})
		return t, nil
	}
	t.Corrected = max(0, t.Value-null.mean)
	if t.LogP, err = null.logTail(t.Value); err == nil {
		t.P = math.Exp(t.LogP)
		t.Null95, err = null.upper(0.05)
	}
	if err == nil {
		t.Interval, err = w.interval(t, o)
	}
	if err != nil {
		return Transport{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	if sum := t.Value + t.Bound + t.RefSD + t.Null95 + t.Interval.Hi; math.IsInf(sum, 0) || math.IsNaN(sum) {
		return Transport{}, fmt.Errorf("drift: %s: values from %v to %v: the range overflows: %w", fn, w.min, w.max, stats.ErrDomain)
	}
	if t.RefSD > 0 {
		v := t.Interval
		t.InRefSD = stats.Interval{Point: v.Point / t.RefSD, Lo: v.Lo / t.RefSD, Hi: v.Hi / t.RefSD, Level: v.Level}
	}
	return t, nil
}

func (w *mover) interval(t Transport, o Options) (stats.Interval, error) {
	law := w.noise(func(f, g, _ float64) float64 { return float64(f*(1-f))/w.n + float64(g*(1-g))/w.m })
	noise := 0.0
	if law.mean > 0 {
		var err error
		if noise, err = law.upper(o.tail()); err != nil {
			return stats.Interval{}, err
		}
	}
	z := -mathext.NormalQuantile(o.tail())
	v := stats.Interval{Point: t.Corrected, Level: o.Level}
	v.Lo = max(0, t.Value-noise)
	if !w.means {
		v.Lo = max(0, v.Lo-t.Bound)
	}
	v.Hi = t.Value + t.Bound + float64(z*math.Hypot(w.refSD/math.Sqrt(w.n), w.curSD/math.Sqrt(w.m)))
	return v, nil
}

// mover computes the distance between two histograms.
type mover struct {
	fine         []fineCell
	means        bool    // the cells know their means
	min, max     float64 // of both sides
	n, m         float64
	value, bound float64
	refSD, curSD float64
	pieces       []piece
}

// piece is a stretch of the line with the distribution functions there.
type piece struct{ length, f, g float64 }

func newMover(ref, cur *summary.Histogram) *mover {
	w := &mover{
		fine:  align(ref.Cells(), cur.Cells()),
		means: ref.Layout().Kind() != summary.FrozenEdges,
		min:   math.Min(ref.Min(), cur.Min()), max: math.Max(ref.Max(), cur.Max()),
		n: float64(ref.N()), m: float64(cur.N()),
	}
	for i := range w.fine {
		c := &w.fine[i]
		c.lo, c.hi = math.Max(c.lo, w.min), math.Min(c.hi, w.max)
		if !w.means {
			c.ref, c.cur = centred(c, c.ref.N), centred(c, c.cur.N)
		}
	}
	return w
}

// centred is a cell with its n values in the middle.
func centred(c *fineCell, n uint64) *summary.Cell {
	return &summary.Cell{Lo: c.lo, Hi: c.hi, N: n, Mean: c.lo + (c.hi-c.lo)/2}
}

// measure walks over the cells from the left.
func (w *mover) measure() {
	var i, j uint64 // values passed
	at := w.min
	for _, c := range w.fine {
		f, g := float64(i)/w.n, float64(j)/w.m
		if gap := c.lo - at; gap > 0 {
			w.value += float64(math.Abs(f-g) * gap)
			w.pieces = append(w.pieces, piece{gap, f, g})
		}
		i, j = i+c.ref.N, j+c.cur.N
		p, q := float64(c.ref.N)/w.n, float64(c.cur.N)/w.m
		width := c.hi - c.lo
		value, hidden := w.inside(c, f-g, p, q)
		w.value += value
		w.bound += hidden
		if width > 0 {
			w.pieces = append(w.pieces, piece{width, (f + float64(i)/w.n) / 2, (g + float64(j)/w.m) / 2})
		}
		at = c.hi
	}
	w.refSD = w.sd(func(c *fineCell) *summary.Cell { return c.ref }, w.n)
	w.curSD = w.sd(func(c *fineCell) *summary.Cell { return c.cur }, w.m)
}

// inside returns the integral of |F - G| over a cell with shares p and q, where
// F - G is d at the lower end, and how much the cell may hide. With all values of
// a side at their mean, F - G is a step up of p and a step down of q.
func (w *mover) inside(c fineCell, d, p, q float64) (value, hidden float64) {
	width := c.hi - c.lo
	a, b, first := c.ref.Mean, c.cur.Mean, p
	if p == 0 {
		a = b
	}
	if q == 0 {
		b = a
	}
	if a > b {
		a, b, first = b, a, -q
	}
	steps := float64(math.Abs(d)*(a-c.lo)) + float64(math.Abs(d+first)*(b-a)) + float64(math.Abs(d+p-q)*(c.hi-b))
	if constant(c.ref) && constant(c.cur) {
		if !w.means {
			hidden = (p + q) * width / 2
		}
		return steps, hidden
	}
	value = float64(d * width)
	if p > 0 {
		value += float64(p * (c.hi - c.ref.Mean))
	}
	if q > 0 {
		value -= float64(q * (c.hi - c.cur.Mean))
	}
	value = math.Abs(value)
	if up, down := d+p, q-d; up > 0 && down > 0 {
		spread := max(0, steps-value) + float64(p*math.Sqrt(c.ref.Var)) + float64(q*math.Sqrt(c.cur.Var))
		hidden = min(2*width*up*down/(up+down), spread)
	}
	return value, hidden
}

// sd is the standard deviation of one side, from the means and variances of its
// cells; in units of the range, so that squares do not overflow before they must.
func (w *mover) sd(side func(*fineCell) *summary.Cell, n float64) float64 {
	unit := w.max - w.min
	if unit == 0 {
		return 0
	}
	mean, square := 0.0, 0.0
	for i := range w.fine {
		c := side(&w.fine[i])
		if c.N > 0 {
			mean += float64(float64(c.N) / n * ((c.Mean - w.min) / unit))
		}
	}
	for i := range w.fine {
		if c := side(&w.fine[i]); c.N > 0 {
			d := (c.Mean-w.min)/unit - mean
			square += float64(float64(c.N) / n * (float64(d*d) + c.Var/unit/unit))
		}
	}
	return unit * math.Sqrt(square)
}

// noiseGroups is the number of stretches on which the noise is evaluated.
const noiseGroups = 64

// noise returns the law of the integral of |N(x)| dx, where N is a Gaussian
// process with the given variance at distribution functions f and g, h pooled, and
// the correlation of a Brownian bridge at h. It is zero where there is no noise.
func (w *mover) noise(variance func(f, g, h float64) float64) foldedLaw {
	type group struct{ mass, moment float64 } // mass as a fraction
	all := 0.0
	sds := make([]float64, len(w.pieces))
	pooled := func(p piece) float64 { return (float64(p.f*w.n) + float64(p.g*w.m)) / (w.n + w.m) }
	for i, p := range w.pieces {
		sds[i] = math.Sqrt(max(0, variance(p.f, p.g, pooled(p)))) * p.length
		all += sds[i]
	}
	if all == 0 {
		return foldedLaw{}
	}
	var groups []group
	seen, last := 0.0, -1
	for i, p := range w.pieces {
		if sds[i] == 0 {
			continue
		}
		share := sds[i] / all
		at := min(noiseGroups-1, int((seen+share/2)*noiseGroups))
		if at != last {
			groups = append(groups, group{})
			last = at
		}
		g := &groups[len(groups)-1]
		g.mass += share
		g.moment += float64(share * pooled(p))
		seen += share
	}
	spread := 0.0
	for i, a := range groups {
		spread += float64(a.mass * a.mass * absCovariance(1))
		s := a.moment / a.mass
		for _, b := range groups[i+1:] {
			t := b.moment / b.mass
			spread += 2 * float64(a.mass*b.mass*absCovariance(math.Sqrt(s*(1-t)/(t*(1-s)))))
		}
	}
	return foldedLaw{mean: absMean * all, shape: absMean * absMean / spread}
}
