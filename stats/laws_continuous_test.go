package stats_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// drawSample draws whole or quarter numbers, so that ties are common and sums
// and shifts are exact.
func drawSample(t *rapid.T, name string, least int) []float64 {
	v := rapid.SliceOfN(rapid.IntRange(-40, 40), least, 30).Draw(t, name)
	out := make([]float64, len(v))
	for i := range v {
		out[i] = float64(v[i]) / 4
	}
	return out
}

func mapped(v []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = f(v[i])
	}
	return out
}

func ok[T any](v T, err error) func(t *rapid.T) T {
	return func(t *rapid.T) T {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func sameUpTo(t *rapid.T, what string, got, want, rtol float64) {
	if !statstest.IsNear(got, want, rtol, rtol) {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}

func inUnit(t *rapid.T, what string, p float64) {
	if !(p >= 0 && p <= 1) {
		t.Fatalf("%s = %v is not in [0,1]", what, p)
	}
}

// TestTwoSampleLaws: every two-sample test keeps its arguments, does not look at
// their order, gives the same p-value for the arms exchanged, and, being a rank
// test, for increasing transformations.
func TestTwoSampleLaws(t *testing.T) {
	tests := map[string]func(x, y []float64) (stat, p float64, err error){
		"KolmogorovSmirnov": func(x, y []float64) (float64, float64, error) {
			r, err := stats.KolmogorovSmirnov(x, y, stats.KSOptions{})
			return r.D, r.P, err
		},
		"CramerVonMises": func(x, y []float64) (float64, float64, error) {
			r, err := stats.CramerVonMises(x, y)
			return r.Statistic, r.P, err
		},
		"AndersonDarling": func(x, y []float64) (float64, float64, error) {
			r, err := stats.AndersonDarling(x, y)
			return r.Statistic, r.P, err
		},
		"MannWhitney": func(x, y []float64) (float64, float64, error) {
			r, err := stats.MannWhitney(x, y, stats.MannWhitneyOptions{})
			return math.Abs(r.Superiority.Point - 0.5), r.P, err
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				x, y := drawSample(t, "x", 2), drawSample(t, "y", 2)
				x0, y0 := slices.Clone(x), slices.Clone(y)
				stat, p, err := test(x, y)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(x, x0) || !slices.Equal(y, y0) {
					t.Fatal("an argument was changed")
				}
				inUnit(t, "P", p)
				for what, args := range map[string][2][]float64{
					"exchanged":   {y, x},
					"reordered":   {rapid.Permutation(x).Draw(t, "px"), rapid.Permutation(y).Draw(t, "py")},
					"transformed": {mapped(x, math.Exp), mapped(y, math.Exp)},
				} {
					s, q, err := test(args[0], args[1])
					if err != nil {
						t.Fatal(err)
					}
					sameUpTo(t, what+" statistic", s, stat, 1e-12)
					sameUpTo(t, what+" P", q, p, 1e-9)
				}
				if _, same, err := test(x, x); err != nil || same < 0.99 {
					t.Fatalf("P of a sample against itself = %v (%v)", same, err)
				}
			})
		})
	}
}

func TestKSLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawSample(t, "x", 1), drawSample(t, "y", 1)
		two := ok(stats.KolmogorovSmirnov(x, y, stats.KSOptions{}))(t)
		less := ok(stats.KolmogorovSmirnov(x, y, stats.KSOptions{Alternative: stats.Less}))(t)
		greater := ok(stats.KolmogorovSmirnov(x, y, stats.KSOptions{Alternative: stats.Greater}))(t)
		if two.D != max(less.D, greater.D) {
			t.Fatalf("D = %v, one-sided %v and %v", two.D, less.D, greater.D)
		}
		if least := min(less.P, greater.P); two.P < least-1e-12 || two.P > 2*least+1e-12 {
			t.Fatalf("P = %v, one-sided %v and %v", two.P, less.P, greater.P)
		}
		// Cells of three quarters lose no more than Missed.
		ref, cur := make([]uint64, 40), make([]uint64, 40)
		for _, v := range x {
			ref[int(math.Floor((v+10)/0.75))]++
		}
		for _, v := range y {
			cur[int(math.Floor((v+10)/0.75))]++
		}
		b := ok(stats.KSBinned(ref, cur))(t)
		if b.D > two.D+1e-12 || two.D > b.D+b.Missed+1e-12 || b.P < two.P-1e-12 {
			t.Fatalf("binned D %v + %v, P %v; raw D %v, P %v", b.D, b.Missed, b.P, two.D, two.P)
		}
		if largest := max(float64(slices.Max(ref))/float64(len(x)), float64(slices.Max(cur))/float64(len(y))); b.Missed > largest+1e-12 {
			t.Fatalf("missed %v is above the largest cell %v", b.Missed, largest)
		}
	})
}

func TestKSTailLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.Uint64Range(1, 400).Draw(t, "n"), rapid.Uint64Range(1, 400).Draw(t, "m")
		d := rapid.Float64Range(0, 1).Draw(t, "d")
		e := rapid.Float64Range(d, 1).Draw(t, "e")
		for _, exact := range []bool{true, false} {
			p, logp, err := stats.KSTail(d, n, m, exact)
			q, logq, err2 := stats.KSTail(e, n, m, exact)
			r, _, err3 := stats.KSTail(d, m, n, exact)
			if err != nil || err2 != nil || err3 != nil {
				t.Fatal(err, err2, err3)
			}
			inUnit(t, "p", p)
			if logq > logp+1e-12 || q > p+1e-12 {
				t.Fatalf("exact %v: p(%v) = %v below p(%v) = %v", exact, d, p, e, q)
			}
			sameUpTo(t, "exchanged sizes", r, p, 1e-10)
		}
	})
}

func TestMannWhitneyLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawSample(t, "x", 1), drawSample(t, "y", 1)
		a := ok(stats.MannWhitney(x, y, stats.MannWhitneyOptions{}))(t)
		b := ok(stats.MannWhitney(y, x, stats.MannWhitneyOptions{}))(t)
		if a.U+b.U != float64(len(x)*len(y)) {
			t.Fatalf("U = %v and %v of %d pairs", a.U, b.U, len(x)*len(y))
		}
		s := a.Superiority
		if !(0 <= s.Lo && s.Lo <= s.Point && s.Point <= s.Hi && s.Hi <= 1) || s.Width() == 0 {
			t.Fatalf("superiority %v", s)
		}
		sameUpTo(t, "mirrored end", 1-b.Superiority.Hi, s.Lo, 1e-9)
		// A shift of x is a null of that size.
		c := ok(stats.MannWhitney(mapped(x, func(v float64) float64 { return v + 2 }), y, stats.MannWhitneyOptions{Null: 2}))(t)
		if c.P != a.P || c.U != a.U {
			t.Fatalf("shifted: U %v, P %v, want %v, %v", c.U, c.P, a.U, a.P)
		}
	})
}

func TestHodgesLehmannLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawSample(t, "x", 1), drawSample(t, "y", 1)
		m := rapid.SampledFrom([]stats.ShiftMethod{stats.ShiftAuto, stats.ShiftExact, stats.ShiftNormal}).Draw(t, "method")
		a := ok(stats.HodgesLehmann(x, y, stats.ShiftOptions{Method: m}))(t)
		b := ok(stats.HodgesLehmann(mapped(x, func(v float64) float64 { return v + 8 }), y, stats.ShiftOptions{Method: m}))(t)
		if !(a.Shift.Lo <= a.Shift.Point+1e-9 && a.Shift.Point <= a.Shift.Hi+1e-9) || a.Achieved < 0.95-1e-12 {
			t.Fatalf("%v: %v, achieved %v", m, a.Shift, a.Achieved)
		}
		sameUpTo(t, "shifted point", b.Shift.Point, a.Shift.Point+8, 1e-9)
		sameUpTo(t, "shifted lo", b.Shift.Lo, a.Shift.Lo+8, 1e-9)
		sameUpTo(t, "shifted hi", b.Shift.Hi, a.Shift.Hi+8, 1e-9)
	})
}

func TestTLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawSample(t, "x", 2), drawSample(t, "y", 2)
		mx, my := ok(stats.MomentsOf(x))(t), ok(stats.MomentsOf(y))(t)
		two := ok(stats.WelchT(mx, my, stats.TOptions{}))(t)
		less := ok(stats.WelchT(mx, my, stats.TOptions{Alternative: stats.Less}))(t)
		greater := ok(stats.WelchT(mx, my, stats.TOptions{Alternative: stats.Greater}))(t)
		inUnit(t, "P", two.P)
		sameUpTo(t, "sum of one-sided P", less.P+greater.P, 1, 1e-12)
		if two.SE > 0 {
			sameUpTo(t, "P", two.P, 2*min(less.P, greater.P), 1e-12)
			if two.Difference.Contains(0) != (two.P >= 0.05) && math.Abs(two.P-0.05) > 1e-9 {
				t.Fatalf("P = %v with interval %v", two.P, two.Difference)
			}
		}
		// The delta method with denominators of 1 is the same test.
		unit := func(m stats.Moments) stats.RatioMoments {
			return stats.RatioMoments{Units: m.N, MeanNum: m.Mean, MeanDen: 1, VarNum: m.Variance}
		}
		r := ok(stats.RatioDifference(unit(mx), unit(my), stats.TOptions{}))(t)
		sameUpTo(t, "ratio P", r.P, two.P, 1e-9)
		sameUpTo(t, "ratio lo", r.Difference.Lo, two.Difference.Lo, 1e-9)
	})
}

func TestDistanceLaws(t *testing.T) {
	for name, f := range map[string]func(x, y stats.Points) (stats.Distance, error){
		"Wasserstein": stats.Wasserstein, "EnergyDistance": stats.EnergyDistance,
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				d := func(x, y []float64) float64 {
					return ok(f(stats.Points{Values: x}, stats.Points{Values: y}))(t).Value
				}
				x, y, z := drawSample(t, "x", 1), drawSample(t, "y", 1), drawSample(t, "z", 1)
				if d(x, x) != 0 || d(x, y) < 0 {
					t.Fatalf("d(x,x) = %v, d(x,y) = %v", d(x, x), d(x, y))
				}
				sameUpTo(t, "d(y,x)", d(y, x), d(x, y), 1e-12)
				if d(x, z) > d(x, y)+d(y, z)+1e-9 {
					t.Fatalf("d(x,z) = %v > %v + %v", d(x, z), d(x, y), d(y, z))
				}
				doubled := stats.Points{Values: x, Weights: mapped(x, func(float64) float64 { return 2 })}
				sameUpTo(t, "weights of 2", ok(f(doubled, stats.Points{Values: y}))(t).Value, d(x, y), 1e-12)
				if name == "Wasserstein" {
					sameUpTo(t, "moved by 3", d(x, mapped(x, func(v float64) float64 { return v + 3 })), 3, 1e-12)
				}
			})
		})
	}
}

func TestQuantileLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := drawSample(t, "x", 1)
		typ := stats.QuantileType(rapid.IntRange(1, 9).Draw(t, "type"))
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		q := rapid.Float64Range(p, 1).Draw(t, "q")
		v := ok(stats.Quantiles(x, []float64{0, p, q, 1}, typ))(t)
		if v[0] != slices.Min(x) || v[3] != slices.Max(x) || v[1] > v[2]+1e-12 || v[1] < v[0] || v[2] > v[3] {
			t.Fatalf("type %d: %v", typ, v)
		}
		exact := ok(stats.Quantile(x, q, stats.QuantileOptions{Type: typ}))(t)
		short := ok(stats.Quantile(x, q, stats.QuantileOptions{Type: typ, Nyblom: true}))(t)
		if exact.Achieved < 0.95-1e-9 || exact.Estimate.Lo > exact.Estimate.Hi ||
			short.Estimate.Lo < exact.Estimate.Lo || short.Estimate.Hi > exact.Estimate.Hi {
			t.Fatalf("exact %v (%v), Nyblom %v", exact.Estimate, exact.Achieved, short.Estimate)
		}
	})
}

func drawObservations(t *rapid.T, name string) []stats.Observation {
	type pair struct {
		Time  int
		Event bool
	}
	v := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) pair {
		return pair{rapid.IntRange(0, 20).Draw(t, "time"), rapid.Bool().Draw(t, "event")}
	}), 1, 30).Draw(t, name)
	out := make([]stats.Observation, len(v))
	for i := range v {
		out[i] = stats.Observation{Time: float64(v[i].Time), Event: v[i].Event}
	}
	return out
}

func TestKaplanMeierLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		obs := drawObservations(t, "obs")
		band := stats.SurvivalBand(rapid.IntRange(0, 2).Draw(t, "band"))
		k := ok(stats.KaplanMeier(obs, stats.SurvivalOptions{Band: band}))(t)
		last := 1.0
		for _, p := range k.Points {
			s := p.Survival
			if !(0 <= s.Lo && s.Lo <= s.Point && s.Point <= s.Hi && s.Hi <= 1) || s.Point > last || math.IsNaN(p.SE) {
				t.Fatalf("point %+v after %v", p, last)
			}
			last = s.Point
		}
		again := ok(stats.KaplanMeier(rapid.Permutation(obs).Draw(t, "order"), stats.SurvivalOptions{Band: band}))(t)
		if d := cmp.Diff(k, again); d != "" {
			t.Fatal(d)
		}
		q := rapid.Float64Range(0.01, 0.99).Draw(t, "q")
		a := ok(k.Quantile(q))(t)
		e := a.Estimate
		if !(e.Lo <= e.Point && e.Point <= e.Hi) || math.IsInf(e.Lo, 0) || a.Reached == math.IsInf(e.Point, 1) {
			t.Fatalf("quantile %v: %+v", q, a)
		}
		// One more item in flight, older than all, never shortens the estimate.
		more := append(slices.Clone(obs), stats.Observation{Time: 21})
		b := ok(ok(stats.KaplanMeier(more, stats.SurvivalOptions{Band: band}))(t).Quantile(q))(t)
		if b.Estimate.Point < e.Point {
			t.Fatalf("quantile %v fell from %v to %v with an item in flight", q, e.Point, b.Estimate.Point)
		}
		// With everything finished the curve is one minus the distribution function.
		var done []float64
		for i := range obs {
			obs[i].Event = true
			done = append(done, obs[i].Time)
		}
		c := ok(stats.KaplanMeier(obs, stats.SurvivalOptions{}))(t)
		for _, p := range c.Points {
			n := 0
			for _, v := range done {
				if v > p.Time {
					n++
				}
			}
			sameUpTo(t, "survival", p.Survival.Point, float64(n)/float64(len(done)), 1e-12)
		}
		if m := ok(stats.Quantiles(done, []float64{0.5}, stats.Type2))(t)[0]; c.Events > 0 {
			sameUpTo(t, "median", ok(c.Quantile(0.5))(t).Estimate.Point, m, 1e-12)
		}
		if c.End > 0 {
			mean := ok(stats.MomentsOf(done))(t).Mean
			sameUpTo(t, "restricted mean", ok(c.RestrictedMean(c.End))(t).Estimate.Point, mean, 1e-12)
		}
	})
}

func TestLogRankLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawObservations(t, "a"), drawObservations(t, "b"), drawObservations(t, "c")
		r, s := ok(stats.LogRank(a, b, c))(t), ok(stats.LogRank(c, a, b))(t)
		inUnit(t, "P", r.P)
		sameUpTo(t, "reordered chi-square", s.ChiSquare, r.ChiSquare, 1e-8)
		o, e := 0.0, 0.0
		for g := range r.Observed {
			o, e = o+float64(r.Observed[g]), e+r.Expected[g]
		}
		sameUpTo(t, "sum of expected", e, o, 1e-9)
		if same := ok(stats.LogRank(a, a))(t); same.ChiSquare > 1e-9 {
			t.Fatalf("a group against itself: %+v", same)
		}
	})
}

func TestTrendLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawSample(t, "v", 2)
		r := ok(stats.MannKendall(nil, v, stats.TrendOptions{}))(t)
		slow := int64(0)
		for i := range v {
			for j := range i {
				if v[i] > v[j] {
					slow++
				} else if v[i] < v[j] {
					slow--
				}
			}
		}
		if r.S != slow || math.Abs(r.Tau) > 1+1e-12 {
			t.Fatalf("S = %d, want %d; tau %v", r.S, slow, r.Tau)
		}
		inUnit(t, "P", r.P)
		down := ok(stats.MannKendall(nil, mapped(v, func(f float64) float64 { return -f }), stats.TrendOptions{}))(t)
		if down.S != -r.S {
			t.Fatalf("mirrored S = %d, want %d", down.S, -r.S)
		}
		sameUpTo(t, "mirrored P", down.P, r.P, 1e-12)
		a := ok(stats.TheilSen(nil, v, 0.9))(t)
		i := 0.0
		b := ok(stats.TheilSen(nil, mapped(v, func(f float64) float64 { i++; return f + 2*i }), 0.9))(t)
		sameUpTo(t, "tilted slope", b.Slope.Point, a.Slope.Point+2, 1e-9)
		if !(a.Slope.Lo <= a.Slope.Point && a.Slope.Point <= a.Slope.Hi) {
			t.Fatalf("slope %v", a.Slope)
		}
	})
}

func TestBootstrapLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := stats.BootstrapOptions{Replicates: 20, Seed: rapid.Uint64().Draw(t, "seed")}
		v := rapid.SliceOfN(rapid.IntRange(-9, 9), 1, 25).Draw(t, "v")
		cut := rapid.IntRange(0, len(v)).Draw(t, "cut")
		whole, left, right := ok(stats.NewBootstrap(o))(t), ok(stats.NewBootstrap(o))(t), ok(stats.NewBootstrap(o))(t)
		for i, f := range v {
			unit := string(rune('a' + i))
			whole.Add(unit, float64(f), 1)
			if i < cut {
				left.Add(unit, float64(f), 1)
			} else {
				right.Add(unit, float64(f), 1)
			}
		}
		state := func(b *stats.Bootstrap) string {
			s, err := json.Marshal(b)
			if err != nil {
				t.Fatal(err)
			}
			return string(s)
		}
		before := state(right)
		var merged stats.Bootstrap // the zero value is the identity
		for _, b := range []*stats.Bootstrap{{}, right, {}, left} {
			if err := merged.Merge(b); err != nil {
				t.Fatal(err)
			}
		}
		if state(&merged) != state(whole) {
			t.Fatalf("merged %s\nwhole  %s", state(&merged), state(whole))
		}
		if state(right) != before {
			t.Fatal("Merge changed its argument")
		}
		var back stats.Bootstrap
		if err := json.Unmarshal([]byte(state(whole)), &back); err != nil || state(&back) != state(whole) {
			t.Fatalf("state did not survive JSON: %v", err)
		}
	})
}
