package drift

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// Divergence says how far the current sample is from the reference, how sure
// that is, and where the difference lies. Every field is finite.
//
// Compare the ends of Interval with a limit, never Value: Value is above 0
// without any drift, by an amount that shrinks with the samples.
type Divergence struct {
	Metric    string         // such as "psi"
	Value     float64        // the metric of the two samples
	Corrected float64        // Value less what chance adds to it, not below 0; Value where that is not known
	Null95    float64        // without drift, Value stays below this in 95 of 100 samples
	Interval  stats.Interval // for the two distributions; Point is Corrected. Zero when one cell holds everything
	P         float64        // probability, without drift, of a Value as large
	LogP      float64        // its log, finite also where P underflows
	Cells     int            // cells populated on either side
	RefN      uint64         // rows of the reference
	CurN      uint64         // rows of the current sample
	Method    string         // metric, estimator and cells
	Top       []Contribution // the cells that contribute most, largest first
	Warnings  []stats.Warning
}

// Contribution is the part of a cell in a divergence.
type Contribution struct {
	Cell     string   // its name
	Kind     CellKind // what it stands for
	RefShare float64  // share of the reference in it
	CurShare float64  // share of the current sample in it
	Value    float64  // its part of Divergence.Value; for square-root metrics, of what is under the root
}

// comparison is a pair of samples over the cells that at least one of them uses.
type comparison struct {
	cells    Cells
	o        Options
	at       []int     // indexes of the cells in use
	ref, cur []float64 // their counts
	n, m     float64   // rows
	scale    float64   // 1/n + 1/m
}

func newComparison(fn string, c Cells, o Options) (comparison, error) {
	o, err := o.complete(fn)
	if err != nil {
		return comparison{}, err
	}
	if err := c.check(fn); err != nil {
		return comparison{}, err
	}
	n, m := float64(c.RefN), float64(c.CurN)
	v := comparison{cells: c, o: o, n: n, m: m, scale: 1/n + 1/m}
	for i := range c.Ref {
		if c.Ref[i] > 0 || c.Cur[i] > 0 {
			v.at = append(v.at, i)
			v.ref = append(v.ref, float64(c.Ref[i]))
			v.cur = append(v.cur, float64(c.Cur[i]))
		}
	}
	return v, nil
}

// shares returns the shares of the i-th cell in use.
func (v comparison) shares(i int) (p, q float64) { return v.ref[i] / v.n, v.cur[i] / v.m }

// pooled is the share of both samples together in the i-th cell in use.
func (v comparison) pooled(i int) float64 { return (v.ref[i] + v.cur[i]) / (v.n + v.m) }

// smoothed returns the shares with half a count added to each cell.
func (v comparison) smoothed(i int) (p, q float64) {
	half := float64(0.5 * float64(len(v.at)))
	return (v.ref[i] + 0.5) / (v.n + half), (v.cur[i] + 0.5) / (v.m + half)
}

// terms evaluates f on every cell.
func (v comparison) terms(f func(i int) float64) []float64 {
	out := make([]float64, len(v.at))
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// divergence fills what all metrics share.
func (v comparison) divergence(metric, method string, terms []float64) Divergence {
	d := Divergence{
		Metric: metric, P: 1,
		Cells: len(v.at), RefN: v.cells.RefN, CurN: v.cells.CurN,
		Method:   method + "; " + v.cells.Method,
		Top:      v.top(terms),
		Warnings: slices.Clone(v.cells.Warnings),
	}
	if d.Cells == 1 {
		d.Warnings = append(d.Warnings, stats.Warning{Code: stats.WarnDegenerate,
			Message: fmt.Sprintf("one cell, %s, holds every row of both samples; there is nothing to compare", v.cells.Info[v.at[0]].Name)})
		return d
	}
	small, least := 0, math.Inf(1)
	for i := range v.at {
		e := v.pooled(i) * min(v.n, v.m)
		if least = min(least, e); e < 5 {
			small++
		}
	}
	if small > 0 {
		d.Warnings = append(d.Warnings, stats.Warning{Code: stats.WarnSmallExpected,
			Message: fmt.Sprintf("%d of %d cells have an expected count below 5 in the smaller sample (smallest %.3g); p and interval are approximate", small, d.Cells, least)})
	}
	return d
}

// top lists the largest terms.
func (v comparison) top(terms []float64) []Contribution {
	order := make([]int, len(terms))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(terms[b], terms[a]) })
	var out []Contribution
	for _, i := range order[:min(len(order), v.o.Top)] {
		if terms[i] <= 0 {
			break
		}
		p, q := v.shares(i)
		info := v.cells.Info[v.at[i]]
		out = append(out, Contribution{info.Name, info.Kind, p, q, terms[i]})
	}
	return out
}

// chiSquare completes a divergence whose sum of terms, over scale, is chi-square
// distributed with cells-1 degrees of freedom, and non-central with the true
// value over scale where there is drift. show turns the sum into the metric; it
// must rise. limit is the greatest possible sum.
func (v comparison) chiSquare(d Divergence, terms []float64, scale, limit float64, show func(float64) float64) (Divergence, error) {
	raw := min(total(terms), limit)
	d.Value = show(raw)
	df := float64(d.Cells - 1)
	if df == 0 {
		return d, nil
	}
	stat := raw / scale
	var err error
	if d.LogP, err = stats.LogChiSquareTail(stat, df); err != nil {
		return Divergence{}, fmt.Errorf("drift: %s: %w", d.Metric, err)
	}
	d.P = math.Exp(d.LogP)
	null, err := stats.ChiSquareQuantile(0.05, df)
	if err != nil {
		return Divergence{}, fmt.Errorf("drift: %s: %w", d.Metric, err)
	}
	d.Null95 = show(min(limit, null*scale))
	ncp, err := stats.NonCentralityInterval(stat, df, v.o.Level)
	if err != nil {
		return Divergence{}, fmt.Errorf("drift: %s: %w", d.Metric, err)
	}
	at := func(x float64) float64 { return show(min(limit, x*scale)) }
	d.Corrected = at(ncp.Point)
	d.Interval = stats.Interval{Point: d.Corrected, Lo: at(ncp.Lo), Hi: at(ncp.Hi), Level: v.o.Level}
	return d, nil
}

func total(terms []float64) float64 {
	s := 0.0
	for _, t := range terms {
		s += t
	}
	return s
}

func same(x float64) float64 { return x }

// logRatio is log(a/b) for positive a and b, exact also when they are close.
func logRatio(a, b float64) float64 {
	if d := (a - b) / (a + b); math.Abs(d) < 0.3 {
		return 2 * math.Atanh(d)
	}
	return math.Log(a / b)
}
