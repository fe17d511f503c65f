package stats_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
)

func drawTrials(t *rapid.T, name string) (x, n uint64) {
	n = uint64(rapid.IntRange(1, 400).Draw(t, name+" trials"))
	return uint64(rapid.IntRange(0, int(n)).Draw(t, name+" successes")), n
}

func drawLevel(t *rapid.T) float64 {
	return rapid.SampledFrom([]float64{0.5, 0.8, 0.9, 0.95, 0.99, 0.9999}).Draw(t, "level")
}

// mirrored checks that b is a seen through the decreasing map f.
func mirrored(t *rapid.T, what string, a, b stats.Interval, f func(float64) float64) {
	t.Helper()
	sameUpTo(t, what+" point", b.Point, f(a.Point), 1e-9)
	sameUpTo(t, what+" lo", b.Lo, f(a.Hi), 1e-9)
	sameUpTo(t, what+" hi", b.Hi, f(a.Lo), 1e-9)
}

func ordered(t *rapid.T, what string, v stats.Interval, least, most float64) {
	t.Helper()
	if !(least <= v.Lo && v.Lo <= v.Point && v.Point <= v.Hi && v.Hi <= most) {
		t.Fatalf("%s = %v is not in order within [%v, %v]", what, v, least, most)
	}
}

// TestNonCentralLaws: tail and CDF add up to 1, the tail rises with the
// non-centrality, and the interval's ends are where it says.
func TestNonCentralLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		df := float64(rapid.IntRange(1, 200).Draw(t, "df"))
		ncp := rapid.Float64Range(0, 5000).Draw(t, "ncp")
		x := rapid.Float64Range(0, 8000).Draw(t, "x")
		tail := ok(stats.NonCentralChiSquareTail(x, df, ncp))(t)
		cdf := ok(stats.NonCentralChiSquareCDF(x, df, ncp))(t)
		inUnit(t, "tail", tail)
		inUnit(t, "cdf", cdf)
		sameUpTo(t, "tail + cdf", tail+cdf, 1, 1e-11)
		if more := ok(stats.NonCentralChiSquareTail(x, df, ncp+1))(t); more < tail*(1-1e-11) {
			t.Fatalf("tail falls from %v to %v as ncp rises", tail, more)
		}
		level := drawLevel(t)
		v := ok(stats.NonCentralityInterval(x, df, level))(t)
		if !(v.Lo >= 0 && v.Lo <= v.Hi) {
			t.Fatalf("interval %v", v)
		}
		if v.Lo > 1e-6 {
			sameUpTo(t, "tail at Lo", ok(stats.NonCentralChiSquareTail(x, df, v.Lo))(t), (1-level)/2, 1e-9)
		}
		if v.Hi > 1e-6 {
			sameUpTo(t, "cdf at Hi", ok(stats.NonCentralChiSquareCDF(x, df, v.Hi))(t), (1-level)/2, 1e-9)
		}
	})
}

// TestChiSquareLaws: quantile and tail are inverse, the tail falls, and P is the
// exponential of LogP.
func TestChiSquareLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		df := rapid.Float64Range(0.5, 2000).Draw(t, "df")
		p := math.Pow(10, -rapid.Float64Range(0, 300).Draw(t, "-log10 p"))
		x := ok(stats.ChiSquareQuantile(p, df))(t)
		sameUpTo(t, "log tail of quantile", ok(stats.LogChiSquareTail(x, df))(t), math.Log(p), 1e-11)
		sameUpTo(t, "tail", ok(stats.ChiSquareTail(x, df))(t), math.Exp(ok(stats.LogChiSquareTail(x, df))(t)), 1e-14)
		if ok(stats.LogChiSquareTail(x*1.01+0.01, df))(t) >= ok(stats.LogChiSquareTail(x, df))(t) && p < 1-1e-12 {
			t.Fatalf("tail does not fall at %v", x)
		}
	})
}

// TestTableLaws: chi-square tests do not look at the order of rows and columns, nor
// at empty columns, and G and Pearson agree on independence.
func TestTableLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.IntRange(1, 6).Draw(t, "columns")
		draw := rapid.SliceOfN(rapid.Uint64Range(0, 50), cols, cols)
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		a[0]++
		b[cols-1]++
		for _, opt := range []stats.ChiSquareOptions{{}, {LikelihoodRatio: true}} {
			r := ok(stats.Homogeneity(a, b, opt))(t)
			inUnit(t, "P", r.P)
			inUnit(t, "V", r.CramersV)
			if r.Statistic < 0 {
				t.Fatalf("statistic %v", r.Statistic)
			}
			other := ok(stats.Homogeneity(b, a, opt))(t)
			sameUpTo(t, "exchanged", other.Statistic, r.Statistic, 1e-12)
			ra, rb := slices.Clone(a), slices.Clone(b)
			slices.Reverse(ra)
			slices.Reverse(rb)
			padded := ok(stats.Homogeneity(append(ra, 0), append(rb, 0), opt))(t)
			sameUpTo(t, "reversed and padded", padded.Statistic, r.Statistic, 1e-12)
			if padded.DF != r.DF || padded.Dropped != r.Dropped+1 {
				t.Fatalf("padded DF %d, dropped %d; before %d, %d", padded.DF, padded.Dropped, r.DF, r.Dropped)
			}
			if same := ok(stats.Homogeneity(a, a, opt))(t); same.Statistic > 1e-9 || same.P < 1-1e-6 {
				t.Fatalf("a against itself: %v, P %v", same.Statistic, same.P)
			}
		}
	})
}

// TestProportionLaws: intervals hold their point, stay in [0,1], grow with the level
// and mirror when successes and failures are exchanged.
func TestProportionLaws(t *testing.T) {
	methods := map[string]func(x, n uint64, level float64) (stats.Interval, error){
		"Wilson": stats.Wilson, "ClopperPearson": stats.ClopperPearson, "Jeffreys": stats.Jeffreys,
	}
	for name, f := range methods {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				x, n := drawTrials(t, "")
				level := drawLevel(t)
				v := ok(f(x, n, level))(t)
				if name != "Jeffreys" { // whose ends may pass x/n at x = 1 and low levels
					ordered(t, name, v, 0, 1)
				}
				mirrored(t, name, v, ok(f(n-x, n, level))(t), func(p float64) float64 { return 1 - p })
				wide := ok(f(x, n, (1+level)/2))(t)
				if wide.Lo > v.Lo || wide.Hi < v.Hi {
					t.Fatalf("%v is not within %v", v, wide)
				}
			})
		})
	}
}

// TestTwoProportionLaws: differences change sign and ratios invert when the samples
// are exchanged, and the ends of the score interval are where the score test says.
func TestTwoProportionLaws(t *testing.T) {
	type method = func(x1, n1, x2, n2 uint64, level float64) (stats.ProportionComparison, error)
	score := func(o stats.ScoreOptions) method {
		return func(x1, n1, x2, n2 uint64, level float64) (stats.ProportionComparison, error) {
			return stats.ScoreDifference(x1, n1, x2, n2, level, o)
		}
	}
	for name, f := range map[string]method{
		"Newcombe": stats.Newcombe, "AgrestiCaffo": stats.AgrestiCaffo,
		"MN": score(stats.ScoreOptions{}), "Mee": score(stats.ScoreOptions{Mee: true}),
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				x1, n1 := drawTrials(t, "first")
				x2, n2 := drawTrials(t, "second")
				level := drawLevel(t)
				v := ok(f(x1, n1, x2, n2, level))(t).Estimate
				if name != "AgrestiCaffo" { // which is centred elsewhere
					ordered(t, name, v, -1-1e-12, 1+1e-12)
				}
				other := ok(f(x2, n2, x1, n1, level))(t).Estimate
				mirrored(t, name, v, other, func(d float64) float64 { return -d })
			})
		})
	}
	t.Run("score", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			x1, n1 := drawTrials(t, "first")
			x2, n2 := drawTrials(t, "second")
			o := stats.ScoreOptions{Mee: rapid.Bool().Draw(t, "mee")}
			v := ok(stats.ScoreDifference(x1, n1, x2, n2, 0.95, o))(t).Estimate
			for _, end := range []float64{v.Lo, v.Hi} {
				if math.Abs(end) < 0.999999 {
					p := ok(stats.ScoreDifferenceTest(x1, n1, x2, n2, end, stats.Different, o))(t).P
					sameUpTo(t, "P at the end", p, 0.05, 1e-7)
				}
			}
			if x1+x2 == 0 {
				return
			}
			r := ok(stats.ScoreRatio(x1, n1, x2, n2, 0.95, o))(t).Estimate
			ordered(t, "ratio", r, 0, math.Inf(1))
			inverse := ok(stats.ScoreRatio(x2, n2, x1, n1, 0.95, o))(t).Estimate
			if x1 > 0 && x2 > 0 {
				mirrored(t, "ratio", r, inverse, func(v float64) float64 { return 1 / v })
			}
			for _, end := range []float64{r.Lo, r.Hi} {
				if end > 0 && !math.IsInf(end, 1) {
					p := ok(stats.ScoreRatioTest(x1, n1, x2, n2, end, stats.Different, o))(t).P
					sameUpTo(t, "P at the end of the ratio", p, 0.05, 1e-7)
				}
			}
		})
	})
}

// TestExactLaws: one-sided p-values overlap in the observed outcome only, mid-p is
// smaller, and transposing or exchanging rows of a 2x2 table does what it should.
func TestExactLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.Uint64Range(0, 60)
		a, b, c, d := cell.Draw(t, "a"), cell.Draw(t, "b"), cell.Draw(t, "c"), cell.Draw(t, "d")
		if a+b+c+d == 0 {
			return
		}
		fisher := func(a, b, c, d uint64, alt stats.Alternative, mid bool) float64 {
			p := ok(stats.FisherExact(a, b, c, d, stats.ExactOptions{Alternative: alt, MidP: mid}))(t).P
			inUnit(t, "P", p)
			return p
		}
		both := fisher(a, b, c, d, stats.Different, false)
		less, greater := fisher(a, b, c, d, stats.Less, false), fisher(a, b, c, d, stats.Greater, false)
		if less+greater < 1-1e-12 || both < min(less, greater)-1e-12 {
			t.Fatalf("less %v, greater %v, different %v", less, greater, both)
		}
		sameUpTo(t, "transposed", fisher(a, c, b, d, stats.Different, false), both, 1e-11)
		sameUpTo(t, "rows exchanged", fisher(c, d, a, b, stats.Less, false), greater, 1e-11)
		if mid := fisher(a, b, c, d, stats.Different, true); mid > both {
			t.Fatalf("mid-p %v above p %v", mid, both)
		}
		midLess, midGreater := fisher(a, b, c, d, stats.Less, true), fisher(a, b, c, d, stats.Greater, true)
		if a+b > 0 && c+d > 0 && a+c > 0 && b+d > 0 {
			sameUpTo(t, "mid-p of both sides", midLess+midGreater, 1, 1e-11)
		}

		x, n := drawTrials(t, "binomial")
		p := rapid.Float64Range(0.001, 0.999).Draw(t, "p")
		up := ok(stats.BinomialTest(x, n, p, stats.ExactOptions{Alternative: stats.Greater}))(t).P
		mirror := ok(stats.BinomialTest(n-x, n, 1-p, stats.ExactOptions{Alternative: stats.Less}))(t).P
		sameUpTo(t, "failures", mirror, up, 1e-10)
		v := ok(stats.ClopperPearson(x, n, 0.9))(t)
		if v.Lo > 0 {
			sameUpTo(t, "tail at Lo", ok(stats.BinomialTest(x, n, v.Lo, stats.ExactOptions{Alternative: stats.Greater}))(t).P, 0.05, 1e-10)
		}
		if v.Hi < 1 {
			sameUpTo(t, "tail at Hi", ok(stats.BinomialTest(x, n, v.Hi, stats.ExactOptions{Alternative: stats.Less}))(t).P, 0.05, 1e-10)
		}
		twoCells := ok(stats.MultinomialExact([]uint64{x, n - x}, []float64{p, 1 - p}, stats.MultinomialOptions{}))(t).P
		sameUpTo(t, "two cells", twoCells, ok(stats.BinomialTest(x, n, p, stats.ExactOptions{}))(t).P, 1e-9)
	})
}

// TestPairedLaws: exchanging the two outcomes mirrors; a 2x2 table makes
// Stuart-Maxwell and Bowker McNemar's chi-square; classes may be renamed.
func TestPairedLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.Uint64Range(0, 40)
		b, c := cell.Draw(t, "b"), cell.Draw(t, "c")
		n := b + c + 1 + cell.Draw(t, "concordant")
		for m := stats.McNemarExact; m <= stats.McNemarCorrected; m++ {
			o := stats.McNemarOptions{Method: m}
			r := ok(stats.McNemar(b, c, o))(t)
			inUnit(t, "P", r.P)
			sameUpTo(t, "exchanged", ok(stats.McNemar(c, b, o))(t).P, r.P, 1e-12)
			up := ok(stats.McNemar(b, c, stats.McNemarOptions{Method: m, Alternative: stats.Greater}))(t).P
			down := ok(stats.McNemar(c, b, stats.McNemarOptions{Method: m, Alternative: stats.Less}))(t).P
			sameUpTo(t, "one-sided", down, up, 1e-12)
		}
		v := ok(stats.Tango(b, c, n, 0.95))(t).Estimate
		ordered(t, "Tango", v, -1, 1)
		mirrored(t, "Tango", v, ok(stats.Tango(c, b, n, 0.95))(t).Estimate, func(d float64) float64 { return -d })

		k := rapid.IntRange(2, 5).Draw(t, "classes")
		table := make([][]uint64, k)
		turned := make([][]uint64, k)  // transposed
		renamed := make([][]uint64, k) // classes in reverse
		for i := range table {
			table[i] = rapid.SliceOfN(rapid.Uint64Range(0, 9), k, k).Draw(t, "row")
			turned[i], renamed[i] = make([]uint64, k), make([]uint64, k)
		}
		table[0][0]++
		for i := range table {
			for j := range table {
				turned[j][i] = table[i][j]
				renamed[k-1-i][k-1-j] = table[i][j]
			}
		}
		for name, f := range map[string]func([][]uint64) (stats.ChiSquareResult, error){
			"StuartMaxwell": stats.StuartMaxwell, "Bowker": stats.Bowker,
		} {
			r := ok(f(table))(t)
			inUnit(t, name, r.P)
			for _, other := range [][][]uint64{turned, renamed} {
				s := ok(f(other))(t)
				sameUpTo(t, name, s.Statistic, r.Statistic, 1e-9)
				if s.DF != r.DF {
					t.Fatalf("%s: DF %d and %d", name, s.DF, r.DF)
				}
			}
			if b+c > 0 {
				two := ok(f([][]uint64{{3, b}, {c, 4}}))(t)
				chi := ok(stats.McNemar(b, c, stats.McNemarOptions{Method: stats.McNemarChiSquare}))(t)
				sameUpTo(t, name+" of a 2x2 table", two.Statistic, chi.Statistic, 1e-12)
				sameUpTo(t, name+" P of a 2x2 table", two.P, chi.P, 1e-12)
			}
		}
	})
}

// TestAUCLaws: the AUC is unchanged by increasing maps, complements when scores or
// labels are turned round, and from histograms is what it is from their units.
func TestAUCLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.IntRange(1, 8).Draw(t, "cells")
		draw := rapid.SliceOfN(rapid.Uint64Range(0, 5), cells, cells)
		neg, pos := draw.Draw(t, "neg"), draw.Draw(t, "pos")
		neg[0]++
		pos[cells-1]++
		var scores, up, down []float64
		var positive, swapped []bool
		add := func(cell int, n uint64, label bool) {
			for range n {
				scores = append(scores, float64(cell))
				up = append(up, math.Exp(float64(cell)))
				down = append(down, -float64(cell))
				positive = append(positive, label)
				swapped = append(swapped, !label)
			}
		}
		for i := range neg {
			add(i, pos[i], true)
			add(i, neg[i], false)
		}
		r := ok(stats.AUC(scores, positive, 0.95))(t)
		ordered(t, "AUC", r.Estimate, 0, 1)
		binned := ok(stats.AUCBinned(neg, pos, 0.95))(t)
		sameUpTo(t, "binned AUC", binned.Estimate.Point, r.Estimate.Point, 1e-13)
		sameUpTo(t, "binned lo", binned.Estimate.Lo, r.Estimate.Lo, 1e-7)
		if !math.IsInf(r.SE, 1) {
			sameUpTo(t, "binned SE", binned.SE, r.SE, 1e-7)
		}
		sameUpTo(t, "increasing map", ok(stats.AUC(up, positive, 0.95))(t).Estimate.Point, r.Estimate.Point, 1e-14)
		one := func(p float64) float64 { return 1 - p }
		mirrored(t, "scores reversed", r.Estimate, ok(stats.AUC(down, positive, 0.95))(t).Estimate, one)
		mirrored(t, "labels exchanged", r.Estimate, ok(stats.AUC(scores, swapped, 0.95))(t).Estimate, one)
		same := ok(stats.PairedAUC(scores, up, positive, 0.95))(t)
		if same.Statistic != 0 || same.P != 1 {
			t.Fatalf("equal ranks: z %v, P %v", same.Statistic, same.P)
		}
		c := ok(stats.PairedAUC(scores, down, positive, 0.95))(t)
		inUnit(t, "P", c.P)
		back := ok(stats.PairedAUC(down, scores, positive, 0.95))(t)
		mirrored(t, "exchanged", c.Estimate, back.Estimate, func(d float64) float64 { return -d })
	})
}

// TestMultipleLaws: the adjusted values keep the order of the p-values and of the
// methods, and do not look at the order of the input.
func TestMultipleLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 0, 20).Draw(t, "p")
		bonferroni := ok(stats.Bonferroni(p, nil))(t)
		holm := ok(stats.Holm(p))(t)
		bh := ok(stats.BenjaminiHochberg(p))(t)
		by := ok(stats.BenjaminiYekutieli(p))(t)
		reversed := slices.Clone(p)
		slices.Reverse(reversed)
		back := ok(stats.BenjaminiHochberg(reversed))(t)
		for i := range p {
			if !(p[i] <= bh[i]*(1+1e-12) && bh[i] <= by[i] && bh[i] <= holm[i]+1e-12 && holm[i] <= bonferroni[i]+1e-12 && bonferroni[i] <= 1) {
				t.Fatalf("p %v: BH %v, BY %v, Holm %v, Bonferroni %v", p[i], bh[i], by[i], holm[i], bonferroni[i])
			}
			sameUpTo(t, "reversed", back[len(p)-1-i], bh[i], 1e-14)
			for j := range p {
				if p[i] < p[j] && (holm[i] > holm[j] || bh[i] > bh[j]) {
					t.Fatalf("order of %v and %v is lost", p[i], p[j])
				}
			}
		}
	})
}

// TestPowerLaws: SampleSize finds the first size that is enough, and DetectableEffect
// the effect whose power is the asked one.
func TestPowerLaws(t *testing.T) {
	designs := map[string]stats.Design{
		"means":       stats.TwoMeans{SD: 2, Ratio: 3},
		"proportions": stats.TwoProportions{Base: 0.2},
		"one":         stats.OneProportion{Null: 0.4},
		"pairs":       stats.PairedProportions{Discordant: 0.3},
		"cells":       stats.CellShares{Cells: 4},
		"psi":         stats.PSIDesign{Cells: 10, Ratio: 2},
	}
	for name, d := range designs {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				effect := rapid.Float64Range(0.02, 0.25).Draw(t, "effect")
				target := rapid.SampledFrom([]float64{0.5, 0.8, 0.95}).Draw(t, "power")
				o := stats.PowerOptions{Alpha: rapid.SampledFrom([]float64{0.05, 0.001}).Draw(t, "alpha")}
				p := ok(stats.SampleSize(d, effect, target, o))(t)
				if p.Power < target || p.Power > 1 {
					t.Fatalf("power %v at %d, want %v", p.Power, p.N, target)
				}
				if p.N > 1 {
					if less := ok(stats.Power(d, effect, p.N-1, o))(t); less.Power >= target {
						t.Fatalf("power %v at %d already, want %v first at %d", less.Power, less.N, target, p.N)
					}
				}
				n := uint64(rapid.IntRange(2000, 100000).Draw(t, "n"))
				e := ok(stats.DetectableEffect(d, n, target, o))(t)
				sameUpTo(t, "power at the detectable effect", e.Power, target, 1e-9)
				sameUpTo(t, "power again", ok(stats.Power(d, e.Effect, n, o))(t).Power, target, 1e-9)
			})
		})
	}
}
