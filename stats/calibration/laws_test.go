package calibration_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/statstest"
)

// row is a scored and labelled row.
type row struct {
	p float64
	y bool
}

// anyScore draws plain scores, ties, ends, and scores very near 0 or 1.
func anyScore() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64Range(0, 1),
		rapid.SampledFrom([]float64{0, 0.1, 0.25, 0.5, 0.9, 1}),
		rapid.Map(rapid.Float64Range(-60, 0), math.Exp2),
		rapid.Map(rapid.Float64Range(-50, -1), func(e float64) float64 { return 1 - math.Exp2(e) }),
	)
}

func anyRows(least, most int) *rapid.Generator[[]row] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
		return row{anyScore().Draw(t, "p"), rapid.Bool().Draw(t, "y")}
	}), least, most)
}

func columns(rs []row) (p []float64, y []bool) {
	for _, r := range rs {
		p, y = append(p, r.p), append(y, r.y)
	}
	return p, y
}

func anyBinning() *rapid.Generator[calibration.Binning] {
	return rapid.Custom(func(t *rapid.T) calibration.Binning {
		return calibration.Binning{
			Method: calibration.BinMethod(rapid.IntRange(0, 2).Draw(t, "method")),
			Bins:   rapid.SampledFrom([]int{0, 1, 2, 7, 16, 1000}).Draw(t, "bins"),
		}
	})
}

// everything is what this package says of some data; errors are part of it.
func everything(d calibration.Data, b calibration.Binning) []any {
	type answer struct {
		V   any
		Err string
	}
	var out []any
	put := func(v any, err error) {
		a := answer{V: v}
		if err != nil {
			a.Err = err.Error()
		}
		out = append(out, a)
	}
	s := d.Sums()
	put(s, nil)
	ratio, err := calibration.ObservedExpected(s, 0.95)
	put(ratio, err)
	z, err := calibration.Spiegelhalter(s)
	put(z, err)
	score, err := calibration.ScoreTest(s, 0.95)
	put(score, err)
	for _, f := range []func(calibration.Data, float64) (calibration.LossResult, error){calibration.Brier, calibration.LogLoss} {
		loss, err := f(d, 0.95)
		put(loss, err)
	}
	binnedErr, err := calibration.ECE(d, b)
	put(binnedErr, err)
	sweep, err := calibration.Sweep(d)
	put(sweep, err)
	debiased, err := calibration.DebiasedError(d, b, 0.95)
	put(debiased, err)
	murphy, err := calibration.Murphy(d, b)
	put(murphy, err)
	hl, err := calibration.HosmerLemeshow(d, calibration.HosmerLemeshowOptions{Binning: b})
	put(hl, err)
	cox, err := calibration.Cox(d, 0.95)
	put(cox, err)
	for _, rule := range []calibration.Rule{calibration.Quadratic, calibration.Logarithmic} {
		corp, err := calibration.CORP(d, rule)
		put(corp, err)
		test, err := calibration.MCBTest(d, calibration.ResampleOptions{Rule: rule, Replicates: 20, Seed: 3})
		put(test, err)
	}
	ici, err := calibration.ICI(d)
	put(ici, err)
	cut, err := calibration.AtCut(d, 0.5, calibration.CutOptions{})
	put(cut, err)
	diff, err := calibration.CompareMCB(d, d, calibration.ResampleOptions{Replicates: 20})
	put(diff, err)
	return out
}

func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := anyRows(1, 30).Draw(t, "rows")
		b := anyBinning().Draw(t, "binning")
		shuffled := rapid.Permutation(rs).Draw(t, "shuffled")
		for _, from := range []func([]float64, []bool) calibration.Data{
			func(p []float64, y []bool) calibration.Data {
				return must[calibration.Data](t)(calibration.FromRows(p, y))
			},
			func(p []float64, y []bool) calibration.Data { return binned(t, p, y) },
		} {
			p, y := columns(rs)
			q, z := columns(shuffled)
			before := slices.Clone(p)
			got, want := everything(from(q, z), b), everything(from(p, y), b)
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Fatalf("shuffled rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, p); diff != "" {
				t.Fatalf("the argument was changed:\n%s", diff)
			}
		}
	})
}

func TestSumsMerge(t *testing.T) {
	near := cmpopts.EquateApprox(1e-12, 1e-12)
	rapid.Check(t, func(t *rapid.T) {
		rs := anyRows(2, 40).Draw(t, "rows")
		at := rapid.IntRange(1, len(rs)-1).Draw(t, "split")
		sums := func(rs []row) calibration.Sums {
			p, y := columns(rs)
			return must[calibration.Data](t)(calibration.FromRows(p, y)).Sums()
		}
		a, b, all := sums(rs[:at]), sums(rs[at:]), sums(rs)
		ab, ba, withEmpty := a, b, all
		ab.Merge(b)
		ba.Merge(a)
		withEmpty.Merge(calibration.Sums{})
		if ab != ba {
			t.Fatalf("merge does not commute: %+v and %+v", ab, ba)
		}
		if withEmpty != all {
			t.Fatalf("the zero Sums is not neutral: %+v and %+v", withEmpty, all)
		}
		if diff := cmp.Diff(all, ab, near); diff != "" {
			t.Fatalf("merged parts (-whole +merged):\n%s", diff)
		}
	})
}

func TestBetweenSplitsRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, y := columns(anyRows(1, 40).Draw(t, "rows"))
		cut := rapid.Float64Range(0, 1).Draw(t, "cut")
		for _, d := range []calibration.Data{must[calibration.Data](t)(calibration.FromRows(p, y)), binned(t, p, y)} {
			parts := d.Between(0, cut).Sums()
			parts.Merge(d.Between(cut, 1).Sums())
			if cut == 1 { // then no row is above
				parts = d.Between(0, 1).Sums()
			}
			if diff := cmp.Diff(d.Sums(), parts, cmpopts.EquateApprox(1e-12, 1e-12)); diff != "" {
				t.Fatalf("below and above %v (-whole +parts):\n%s", cut, diff)
			}
		}
	})
}

func TestDecompositionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, y := columns(anyRows(1, 60).Draw(t, "rows"))
		b := anyBinning().Draw(t, "binning")
		for _, d := range []calibration.Data{must[calibration.Data](t)(calibration.FromRows(p, y)), binned(t, p, y)} {
			for _, rule := range []calibration.Rule{calibration.Quadratic, calibration.Logarithmic} {
				r := must[calibration.CORPResult](t)(calibration.CORP(d, rule))
				if r.MCB < 0 || r.DSC < 0 || r.UNC < 0 {
					t.Fatalf("negative term: %+v", r)
				}
				agree(t, "MCB-DSC+UNC", r.MCB-r.DSC+r.UNC, r.Score, 1e-12, 1e-14)
				loss := calibration.Brier
				if rule == calibration.Logarithmic {
					loss = calibration.LogLoss
				}
				whole := must[calibration.LossResult](t)(loss(d, 0.95))
				agree(t, "score and what cells hide", r.Score+r.Within, whole.Mean.Point, 1e-12, 1e-14)
				last := -1.0
				for _, s := range r.Steps {
					if s.Rate <= last {
						t.Fatalf("steps do not rise: %+v", r.Steps)
					}
					last = s.Rate
				}
			}
			m := must[calibration.MurphyResult](t)(calibration.Murphy(d, b))
			for name, x := range map[string]calibration.MurphyTerms{"plain": m.Plain, "corrected": m.Corrected} {
				agree(t, name, x.Reliability-x.Resolution+x.Uncertainty+m.WithinVariance-2*m.WithinCovariance, m.Brier, 1e-12, 1e-13)
			}
		}
	})
}

func TestBoundsOfErrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, y := columns(anyRows(1, 60).Draw(t, "rows"))
		b := anyBinning().Draw(t, "binning")
		d := must[calibration.Data](t)(calibration.FromRows(p, y))
		const slack = 1e-12
		r := must[calibration.BinnedResult](t)(calibration.ECE(d, b))
		if !(0 <= r.ECE && r.ECE <= r.RMS+slack && r.RMS <= r.MCE+slack && r.MCE <= 1 && r.ACE <= r.MCE+slack) {
			t.Fatalf("errors out of order: %+v", r)
		}
		if !(r.NullECE >= 0 && r.Null95 >= 0 && finite(r.NullECE, r.Null95)) {
			t.Fatalf("null levels: %+v", r)
		}
		large := math.Abs(total(p)-count(y)) / float64(len(p)) // in the large
		one := must[calibration.BinnedResult](t)(calibration.ECE(d, calibration.Binning{Bins: 1}))
		agree(t, "one bin", one.ECE, large, 1e-12, slack)
		if r.ECE < large-slack {
			t.Fatalf("ECE %v below that of one bin, %v", r.ECE, large)
		}
		ici := must[calibration.IndexResult](t)(calibration.ICI(d))
		if !(0 <= ici.E50 && ici.E50 <= ici.E90 && ici.E90 <= ici.Emax && ici.Emax <= 1 && ici.ICI <= ici.Emax+slack) {
			t.Fatalf("indices out of order: %+v", ici)
		}
		if debiased, err := calibration.DebiasedError(d, b, 0.95); err == nil {
			v := debiased.Squared
			if !(v.Point <= r.RMS*r.RMS+slack && 0 <= v.Lo && v.Lo <= v.Hi && debiased.P >= 0 && debiased.P <= 1 && finite(debiased.SE)) {
				t.Fatalf("debiased: %+v, RMS %v", debiased, r.RMS)
			}
			if v.Lo > v.Point+slack && v.Point > 0 {
				t.Fatalf("interval %v above a positive point", v)
			}
		}
	})
}

func total(p []float64) (sum float64) {
	for _, x := range p {
		sum += x
	}
	return sum
}

func count(y []bool) (sum float64) {
	for _, v := range y {
		if v {
			sum++
		}
	}
	return sum
}

// TestMirror: with labels and scores turned round, symmetric quantities stay.
func TestMirror(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			return row{float64(rapid.IntRange(0, 64).Draw(t, "p")) / 64, rapid.Bool().Draw(t, "y")}
		}), 1, 40).Draw(t, "rows")
		p, y := columns(rs)
		q, z := slices.Clone(p), slices.Clone(y)
		for i := range q {
			q[i], z[i] = 1-q[i], !z[i]
		}
		a := must[calibration.Data](t)(calibration.FromRows(p, y))
		b := must[calibration.Data](t)(calibration.FromRows(q, z))
		for _, rule := range []calibration.Rule{calibration.Quadratic, calibration.Logarithmic} {
			x := must[calibration.CORPResult](t)(calibration.CORP(a, rule))
			m := must[calibration.CORPResult](t)(calibration.CORP(b, rule))
			for name, v := range map[string][2]float64{"score": {x.Score, m.Score}, "MCB": {x.MCB, m.MCB}, "DSC": {x.DSC, m.DSC}, "UNC": {x.UNC, m.UNC}} {
				agree(t, name, v[1], v[0], 1e-11, 1e-13)
			}
		}
		cox, err := calibration.Cox(a, 0.95)
		mirror, err2 := calibration.Cox(b, 0.95)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("Cox: %v and %v", err, err2)
		}
		if err == nil {
			agree(t, "slope", mirror.Slope.Point, cox.Slope.Point, 1e-6, 1e-6)
			agree(t, "intercept", mirror.Intercept.Point, -cox.Intercept.Point, 1e-6, 1e-6)
		}
		s1, e1 := calibration.Spiegelhalter(a.Sums())
		s2, e2 := calibration.Spiegelhalter(b.Sums())
		if e1 == nil && e2 == nil && finite(s1.Z) {
			agree(t, "Z", s2.Z, s1.Z, 1e-9, 1e-9)
		}
	})
}

// TestIsotonicLaws: the fit rises, keeps the mean, and is not beaten by any other
// rising sequence that lies on the way to it.
func TestIsotonicLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1, 30).Draw(t, "y")
		w := rapid.SliceOfN(rapid.Float64Range(0.1, 5), len(y), len(y)).Draw(t, "w")
		fit := must[[]float64](t)(calibration.Isotonic(y, w))
		if !slices.IsSorted(fit) {
			t.Fatalf("fit %v does not rise", fit)
		}
		again := must[[]float64](t)(calibration.Isotonic(fit, w))
		var before, after, sizes, cost, other float64
		sorted := rapid.SliceOfN(rapid.Float64Range(-5, 5), len(y), len(y)).Draw(t, "other")
		slices.Sort(sorted)
		for i := range y {
			before, after, sizes = before+w[i]*y[i], after+w[i]*fit[i], sizes+w[i]*math.Abs(y[i])
			cost += w[i] * (y[i] - fit[i]) * (y[i] - fit[i])
			other += w[i] * (y[i] - sorted[i]) * (y[i] - sorted[i])
			agree(t, "fit of the fit", again[i], fit[i], 1e-12, 1e-12)
		}
		agree(t, "sum", after, before, 0, 1e-13*sizes+1e-13)
		if cost > other+1e-9 {
			t.Fatalf("fit costs %v, %v costs %v", cost, sorted, other)
		}
	})
}

// agree is statstest.Near for a rapid check.
func agree(t *rapid.T, what string, got, want, rtol, atol float64) {
	if !statstest.IsNear(got, want, rtol, atol) {
		t.Fatalf("%s = %.17g, want %.17g", what, got, want)
	}
}
