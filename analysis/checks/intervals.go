package checks

import (
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"gonum.org/v1/gonum/mathext"
)

// defaultPlanned is the number of units of both arms at which an anytime-valid
// interval is made tightest when the policy says nothing.
const defaultPlanned = 10000

// exactShare is the part of an error probability that the exact method gets when
// it runs beside a normal approximation. The better of two bounds that spend
// (1-s)a and s*a is a bound of error a, by the union of the two errors.
const exactShare = 0.2

// ruler turns an error probability into a distance in standard errors, for the
// way in which the policy looks at the evidence.
type ruler struct {
	kind    analysis.LooksKind
	looks   float64 // scheduled looks; 1 otherwise
	planned float64 // units of both arms
	// strict is for proving harm, at errors of which a budget leaves little: it
	// takes methods that keep those, even if they are wider.
	strict bool
}

// newRuler reads how often the policy looks. Without a policy it takes the safe
// side: continuous looks.
func newRuler(p *analysis.Policy, planned uint64) ruler {
	r := ruler{looks: 1, planned: defaultPlanned}
	if p != nil {
		r.kind = p.Looks.Kind
		if p.Exposure.MinUnits > 0 {
			r.planned = 2 * float64(p.Exposure.MinUnits)
		}
		if r.kind == analysis.Scheduled {
			r.looks = math.Max(1, float64(p.Looks.Schedule))
		}
	}
	if planned > 0 {
		r.planned = float64(planned)
	}
	return r
}

// anytime reports whether bounds have to hold at every look.
func (r ruler) anytime() bool { return r.kind == analysis.Continuous }

// method names the construction, for [analysis.Finding.Method].
func (r ruler) method() string {
	switch r.kind {
	case analysis.Once:
		return "fixed sample"
	case analysis.Scheduled:
		return "fixed sample, Bonferroni over " + count(uint64(r.looks)) + " looks"
	default:
		return "anytime-valid"
	}
}

// z is the number of standard errors that an estimate from n units may be off,
// on one side, with probability alpha: at this look, or at any look. df are the
// degrees of freedom of the standard error; they matter for a single look only.
func (r ruler) z(alpha, n, df float64) float64 {
	if !(alpha > 0) || !(n > 0) {
		return math.Inf(1)
	}
	if alpha >= 0.5 {
		return 0
	}
	if !r.anytime() {
		t, err := stats.StudentTQuantile(alpha/r.looks, df)
		if err != nil || df < 1 { // a standard error of which nothing is known
			return math.Inf(1)
		}
		return t
	}
	scale, err := sequential.NormalScale(r.planned, 0.05, stats.Greater)
	if err != nil {
		return math.Inf(1)
	}
	bound, err := sequential.NormalBound(n, scale, alpha, stats.Greater)
	if err != nil {
		return math.Inf(1)
	}
	return bound / math.Sqrt(n)
}

// nominal is the error that a method for a single look has to be given, so that
// its bounds are as wide as those of [ruler.z]: for an estimate that is nearly
// normal they then hold at all looks, too.
func (r ruler) nominal(alpha, n float64) float64 {
	if !r.anytime() {
		return alpha / r.looks
	}
	return math.Exp(stats.LogNormalTail(r.z(alpha, n, math.Inf(1))))
}

// levelFor is the coverage of a two-sided interval with that error at each end,
// and false when the error is 0, or too small for the arithmetic of levels.
func (r ruler) levelFor(alpha, n float64) (float64, bool) {
	a := r.nominal(alpha, n)
	if !(a > 1e-13) {
		return 0, false
	}
	return 1 - 2*math.Min(a, 0.4), true
}

// single is the ruler for one arm alone, which sees half of the units.
func (r ruler) single() ruler {
	r.planned /= 2
	return r
}

// span holds two one-sided bounds.
type span struct{ lo, hi float64 }

// unknown says nothing.
var unknown = span{math.Inf(-1), math.Inf(1)}

// meet is the better of two bounds on each side.
func (s span) meet(o span) span { return span{math.Max(s.lo, o.lo), math.Min(s.hi, o.hi)} }

// join is the wider of two bounds on each side.
func (s span) join(o span) span { return span{math.Min(s.lo, o.lo), math.Max(s.hi, o.hi)} }

// widen moves both ends out by what the cells of a histogram may hide.
func (s span) widen(by float64) span { return span{s.lo - by, s.hi + by} }

// moverDifference is the interval of c - b from the intervals of the two: each
// end is as far from the difference as the root of the sum of squares of the
// distances of the two ends that push it there (Zou and Donner 2008). With
// symmetric intervals it is the normal interval of a difference, with Wilson's
// it is Newcombe's.
func moverDifference(b, c float64, bs, cs span) span {
	return span{
		lo: c - b - math.Hypot(c-cs.lo, bs.hi-b),
		hi: c - b + math.Hypot(cs.hi-c, b-bs.lo),
	}
}

// moverRatio is the interval of c/b for b > 0 by the same principle (Donner and
// Zou 2012); with symmetric intervals it is Fieller's. positive says that
// neither value can be negative, so that an interval of b that reaches 0 still
// leaves a lower end.
func moverRatio(b, c float64, bs, cs span, positive bool) span {
	out := unknown
	if positive {
		bs.lo, cs.lo = math.Max(bs.lo, 0), math.Max(cs.lo, 0)
		out.lo = 0
	}
	if math.IsInf(bs.hi, 1) || (bs.lo <= 0 && !positive) {
		return out
	}
	// The ends are the roots (bc -+ s)/d of quadratics, s^2 = (bc)^2 - d e. The
	// smaller root is taken from the product of the two where bc > 0, so that
	// nothing cancels and d may be 0.
	bc := float64(b * c)
	lowB, highB := bs.hi, bs.lo
	if c < 0 {
		lowB, highB = bs.lo, bs.hi
	}
	d := float64(lowB * (2*b - lowB))
	e := float64(cs.lo * (2*c - cs.lo))
	s := math.Sqrt(math.Max(0, float64(bc*bc)-float64(d*e)))
	switch {
	case math.IsInf(cs.lo, -1):
	case bc >= 0 && bc+s > 0:
		out.lo = math.Max(out.lo, e/(bc+s))
	case d > 0:
		out.lo = math.Max(out.lo, (bc-s)/d)
	}
	d = float64(highB * (2*b - highB))
	e = float64(cs.hi * (2*c - cs.hi))
	if d > 0 && !math.IsInf(cs.hi, 1) {
		out.hi = (bc + math.Sqrt(math.Max(0, float64(bc*bc)-float64(d*e)))) / d
	}
	return out
}

// unionDifference is the interval of c - b from intervals that hold together.
func unionDifference(bs, cs span) span { return span{cs.lo - bs.hi, cs.hi - bs.lo} }

// unionRatio is the interval of c/b for b > 0 from intervals that hold together.
func unionRatio(bs, cs span, positive bool) span {
	out := unknown
	if positive {
		bs.lo, cs.lo = math.Max(bs.lo, 0), math.Max(cs.lo, 0)
		out.lo = 0
	}
	if bs.lo > 0 {
		out.hi = math.Max(cs.hi/bs.lo, cs.hi/bs.hi)
		out.lo = math.Max(out.lo, math.Min(cs.lo/bs.lo, cs.lo/bs.hi))
	} else if positive && bs.hi > 0 && !math.IsInf(bs.hi, 1) {
		out.lo = cs.lo / bs.hi
	}
	return out
}

// unitsNeeded estimates how many more units per arm an undecided quantity needs:
// the width of its interval, with a normal's worth of power of 80% added, has to
// shrink to its distance from the limit, and shrinks like 1/sqrt(n). 0 when that
// cannot be said.
func unitsNeeded(n uint64, point, limit, end, alpha float64) uint64 {
	width, gap := math.Abs(end-point), math.Abs(limit-point)
	z := -mathext.NormalQuantile(math.Min(math.Max(alpha, 1e-300), 0.4))
	f := float64(width * (1 + 0.8416/z) / gap)
	f *= f
	more := float64(n) * (f - 1)
	if !(more > 0) || more > 1e15 || n == 0 {
		return 0
	}
	return roundUp(more)
}

// roundUp rounds to two digits, since a forecast has no more.
func roundUp(x float64) uint64 {
	if x <= 100 {
		return uint64(math.Ceil(math.Max(0, x)))
	}
	step := math.Pow(10, math.Floor(math.Log10(x))-1)
	return uint64(math.Ceil(x/step) * step)
}
