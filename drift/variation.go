package drift

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/rampguard/rampguard/stats"
)

// TotalVariation returns the total variation distance,
//
//	TV = sum over cells of |p - q| / 2
//
// the share of rows that would have to change cell for the samples to agree: the
// number for people. It is between 0 and 1, and finite for any change.
//
// Without drift its mean is not 0 but
//
//	sqrt((1/n + 1/m)/(2 pi)) sum over cells of sqrt(h (1-h)),  h pooled share
//
// which Corrected takes off (too much of it where drift is large). P and Null95
// come from the gamma law with that mean and the variance of a sum of absolute
// values of normals, correlated as shares are; correlations of cells below 1% are
// left out. As the mean grows with the number of cells, use few: 8 to 20.
//
// Lo of Interval takes from Value the noise that the two samples can have at that
// level, by the same law with p and q in place of h: with drift it is seldom too
// high. Hi adds sqrt((1/n+1/m) log(1/a)/2) with a the tail probability: Value has
// an expectation of at least the true distance, and falls below that by more with
// probability at most a, in any sample size (McDiarmid's inequality).
//
// Special cases and errors are those of [PSI]. Cost: linear in the cells, and one
// arcsine for each pair of cells above 1%.
//
// Reference: McDiarmid (1989), in Surveys in Combinatorics, Cambridge.
func TotalVariation(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("TotalVariation", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 {
		p, q := v.shares(i)
		return math.Abs(p-q) / 2
	})
	d := v.divergence("total_variation", "total variation distance", terms)
	d.Value = min(1, total(terms))
	if d.Cells == 1 {
		return d, nil
	}
	pooled := v.terms(v.pooled)
	null := v.shareNoise(pooled, pooled)
	noise := v.shareNoise(v.terms(func(i int) float64 { return v.ref[i] / v.n }), v.terms(func(i int) float64 { return v.cur[i] / v.m }))
	if d.LogP, err = null.logTail(d.Value); err != nil {
		return Divergence{}, fmt.Errorf("drift: TotalVariation: %w", err)
	}
	d.P = math.Exp(d.LogP)
	at, err := null.upper(0.05)
	if err != nil {
		return Divergence{}, fmt.Errorf("drift: TotalVariation: %w", err)
	}
	d.Null95 = min(1, at)
	d.Corrected = max(0, d.Value-null.mean)
	d.Interval = stats.Interval{
		Point: d.Corrected,
		Hi:    min(1, d.Value+math.Sqrt(v.scale*-math.Log(v.o.tail())/2)),
		Level: v.o.Level,
	}
	if noise.mean > 0 { // else each side is in one cell, which shows no noise: keep that of the null
		if at, err = noise.upper(v.o.tail()); err != nil {
			return Divergence{}, fmt.Errorf("drift: TotalVariation: %w", err)
		}
	}
	d.Interval.Lo = max(0, d.Value-at)
	return d, nil
}

// shareNoise returns the law of half the sum of |noise| of the shares p and q of
// the two samples.
func (v comparison) shareNoise(p, q []float64) foldedLaw {
	var mean, variance float64
	sd := make([]float64, len(p))
	for i := range p {
		sd[i] = math.Sqrt(float64(p[i]*(1-p[i]))/v.n + float64(q[i]*(1-q[i]))/v.m)
		mean += absMean * sd[i] / 2
		variance += float64(sd[i]*sd[i]) * absCovariance(1) / 4
		if v.pooled(i) < 0.01 {
			continue
		}
		for j := range i {
			if w := sd[i] * sd[j]; w > 0 && v.pooled(j) >= 0.01 {
				r := (float64(p[i]*p[j])/v.n + float64(q[i]*q[j])/v.m) / w
				variance += w * absCovariance(r) / 2
			}
		}
	}
	return foldedLaw{mean: mean, shape: mean * mean / variance}
}

// LInfinity returns the largest change of one cell's share, max |p - q|: "the
// share of DE went from 40% to 31%". The first contribution is that cell.
//
// P is the smallest p-value of the cells' score tests of equal shares, times the
// number of cells (Bonferroni); Null95 is the largest over the cells of the
// normal bound at 0.05 over the number of cells. Interval comes from Newcombe
// intervals of all cells at once, by Bonferroni: Lo is the largest change that
// one of them proves, Hi the largest that one of them allows. It is conservative,
// unless the cells are many and small. Corrected is Value.
//
// Special cases, errors are those of [PSI]. Cost: linear in the cells.
func LInfinity(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("LInfinity", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 {
		p, q := v.shares(i)
		return math.Abs(p - q)
	})
	d := v.divergence("l_infinity", "largest change of a share", terms)
	if d.Cells == 1 {
		return d, nil
	}
	cells := float64(d.Cells)
	level := 1 - v.o.tail()/cells // either end of any cell's interval misses with probability tail
	d.Interval.Level = v.o.Level
	z := -mathext.NormalQuantile(0.025 / cells)
	for i, at := range v.at {
		d.Value = max(d.Value, terms[i])
		h := v.pooled(i)
		d.Null95 = max(d.Null95, min(1, z*math.Sqrt(h*(1-h)*v.scale)))
		x, y := v.cells.Cur[at], v.cells.Ref[at]
		diff, err := stats.Newcombe(x, d.CurN, y, d.RefN, level)
		if err != nil {
			return Divergence{}, fmt.Errorf("drift: LInfinity: %w", err)
		}
		d.Interval.Lo = max(d.Interval.Lo, diff.Estimate.Lo, -diff.Estimate.Hi)
		d.Interval.Hi = max(d.Interval.Hi, -diff.Estimate.Lo, diff.Estimate.Hi)
		test, err := stats.ScoreDifferenceTest(x, d.CurN, y, d.RefN, 0, stats.Different, stats.ScoreOptions{})
		if err != nil {
			return Divergence{}, fmt.Errorf("drift: LInfinity: %w", err)
		}
		d.LogP = min(d.LogP, test.LogP+math.Log(cells))
	}
	d.P = math.Exp(d.LogP)
	d.Corrected, d.Interval.Point = d.Value, d.Value
	return d, nil
}
