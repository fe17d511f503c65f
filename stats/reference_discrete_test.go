package stats_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// args reads the input of a reference case about counts.
type args struct{ in }

func (a args) counts(key string) []uint64 { return statstest.Uints(a.t, a.m, key) }

func (a args) count(key string) (v uint64) { statstest.Decode(a.t, a.m, key, &v); return v }

func (a args) table() (v [][]uint64) { statstest.Decode(a.t, a.m, "table", &v); return v }

func (a args) labels() (v []bool) { statstest.Decode(a.t, a.m, "positive", &v); return v }

func (a args) two() (x1, n1, x2, n2 uint64) {
	return a.count("x1"), a.count("n1"), a.count("x2"), a.count("n2")
}

func (a args) score() stats.ScoreOptions { return stats.ScoreOptions{Mee: a.flag("mee")} }

func (a args) chi() stats.ChiSquareOptions {
	return stats.ChiSquareOptions{LikelihoodRatio: a.flag("lr"), Yates: a.flag("yates")}
}

func (a args) exact() stats.ExactOptions {
	return stats.ExactOptions{Alternative: a.alternative("alternative"), MidP: a.flag("midp")}
}

func (a args) design() stats.Design {
	switch w := a.text("design"); w {
	case "means":
		return stats.TwoMeans{SD: a.num("sd"), Ratio: a.num("ratio")}
	case "proportions":
		return stats.TwoProportions{Base: a.num("base"), Ratio: a.num("ratio")}
	case "one":
		return stats.OneProportion{Null: a.num("null")}
	case "pairs":
		return stats.PairedProportions{Discordant: a.num("discordant")}
	case "cells":
		return stats.CellShares{Cells: int(a.num("cells"))}
	case "psi":
		return stats.PSIDesign{Cells: int(a.num("cells")), Ratio: a.num("ratio"), Margin: a.num("margin")}
	default:
		a.t.Fatalf("design %q", w)
		return nil
	}
}

func (a args) plan() stats.PowerOptions {
	return stats.PowerOptions{Alpha: a.num("alpha"), Alternative: a.alternative("alternative")}
}

// answer is what one of our functions says, by the keys of the reference file.
type answer = map[string]any

func interval(v stats.Interval) answer {
	return answer{"lo": v.Lo, "hi": v.Hi, "point": v.Point, "level": v.Level}
}

func chiSquare(r stats.ChiSquareResult) answer {
	return answer{
		"statistic": r.Statistic, "df": float64(r.DF), "p": r.P, "logp": r.LogP,
		"minexpected": r.MinExpected, "v": r.CramersV,
	}
}

func comparison(c stats.AUCComparison) answer {
	return answer{
		"diff": c.Estimate.Point, "lo": c.Estimate.Lo, "hi": c.Estimate.Hi, "se": c.SE,
		"statistic": c.Statistic, "df": c.DF, "p": c.P, "logp": c.LogP,
	}
}

func area(r stats.AUCResult) answer {
	return answer{"auc": r.Estimate.Point, "lo": r.Estimate.Lo, "hi": r.Estimate.Hi, "se": r.SE, "resolved": r.Resolved}
}

func marginTest(r stats.MarginTest) answer {
	return answer{"z": r.Z, "logp": r.LogP, "bound": r.Bound}
}

func one(key string, v any, err error) (answer, error) { return answer{key: v}, err }

func ofInterval(v stats.Interval, err error) (answer, error) { return interval(v), err }

func ofProportions(r stats.ProportionComparison, err error) (answer, error) {
	return interval(r.Estimate), err
}

func ofChiSquare(r stats.ChiSquareResult, err error) (answer, error) { return chiSquare(r), err }

func ofExact(r stats.ExactResult, err error) (answer, error) {
	return answer{"p": r.P, "logp": r.LogP, "estimate": r.Estimate}, err
}

func ofScore(r stats.ScoreTest, err error) (answer, error) {
	return answer{"z": r.Z, "p": r.P, "logp": r.LogP}, err
}

func ofPlan(p stats.Plan, err error) (answer, error) {
	return answer{"power": p.Power, "effect": p.Effect, "n": float64(p.N)}, err
}

var discrete = map[string]func(args) (answer, error){
	"ChiSquareTail": func(a args) (answer, error) {
		p, err := stats.ChiSquareTail(a.num("x"), a.num("df"))
		return one("p", p, err)
	},
	"LogChiSquareTail": func(a args) (answer, error) {
		p, err := stats.LogChiSquareTail(a.num("x"), a.num("df"))
		return one("logp", p, err)
	},
	"ChiSquareQuantile": func(a args) (answer, error) {
		x, err := stats.ChiSquareQuantile(a.num("p"), a.num("df"))
		return one("x", x, err)
	},
	"LogNormalTail": func(a args) (answer, error) { return one("logp", stats.LogNormalTail(a.num("z")), nil) },
	"NonCentralChiSquareTail": func(a args) (answer, error) {
		p, err := stats.NonCentralChiSquareTail(a.num("x"), a.num("df"), a.num("ncp"))
		return one("p", p, err)
	},
	"NonCentralChiSquareCDF": func(a args) (answer, error) {
		p, err := stats.NonCentralChiSquareCDF(a.num("x"), a.num("df"), a.num("ncp"))
		return one("p", p, err)
	},
	"NonCentralityInterval": func(a args) (answer, error) {
		return ofInterval(stats.NonCentralityInterval(a.num("stat"), a.num("df"), a.num("level")))
	},
	"GoodnessOfFit": func(a args) (answer, error) {
		return ofChiSquare(stats.GoodnessOfFit(a.counts("observed"), a.list("weights"), a.chi()))
	},
	"ContingencyTable": func(a args) (answer, error) {
		return ofChiSquare(stats.ContingencyTable(a.table(), a.chi()))
	},
	"Wilson": func(a args) (answer, error) {
		return ofInterval(stats.Wilson(a.count("x"), a.count("n"), a.num("level")))
	},
	"ClopperPearson": func(a args) (answer, error) {
		return ofInterval(stats.ClopperPearson(a.count("x"), a.count("n"), a.num("level")))
	},
	"Jeffreys": func(a args) (answer, error) {
		return ofInterval(stats.Jeffreys(a.count("x"), a.count("n"), a.num("level")))
	},
	"Newcombe": func(a args) (answer, error) {
		x1, n1, x2, n2 := a.two()
		return ofProportions(stats.Newcombe(x1, n1, x2, n2, a.num("level")))
	},
	"AgrestiCaffo": func(a args) (answer, error) {
		x1, n1, x2, n2 := a.two()
		return ofProportions(stats.AgrestiCaffo(x1, n1, x2, n2, a.num("level")))
	},
	"RiskRatio": func(a args) (answer, error) {
		x1, n1, x2, n2 := a.two()
		return ofProportions(stats.RiskRatio(x1, n1, x2, n2, a.num("level")))
	},
	"ScoreDifference": func(a args) (answer, error) {
		x1, n1, x2, n2 := a.two()
		return ofProportions(stats.ScoreDifference(x1, n1, x2, n2, a.num("level"), a.score()))
	},
	"ScoreRatio": func(a args) (answer, error) {
		x1, n1, x2, n2 := a.two()
		return ofProportions(stats.ScoreRatio(x1, n1, x2, n2, a.num("level"), a.score()))
	},
	"ScoreDifferenceTest": func(a args) (answer, error) {
		x1, n1, x2, n2 := a.two()
		return ofScore(stats.ScoreDifferenceTest(x1, n1, x2, n2, a.num("null"), a.alternative("alternative"), a.score()))
	},
	"ScoreRatioTest": func(a args) (answer, error) {
		x1, n1, x2, n2 := a.two()
		return ofScore(stats.ScoreRatioTest(x1, n1, x2, n2, a.num("null"), a.alternative("alternative"), a.score()))
	},
	"PoissonRate": func(a args) (answer, error) {
		return ofInterval(stats.PoissonRate(a.count("events"), a.num("exposure"), a.num("level")))
	},
	"RateRatio": func(a args) (answer, error) {
		r, err := stats.RateRatio(a.count("x1"), a.num("t1"), a.count("x2"), a.num("t2"), a.num("level"))
		v := interval(r.Estimate)
		v["logp"] = r.LogP
		return v, err
	},
	"FisherExact": func(a args) (answer, error) {
		return ofExact(stats.FisherExact(a.count("a"), a.count("b"), a.count("c"), a.count("d"), a.exact()))
	},
	"ConditionalOddsRatio": func(a args) (answer, error) {
		return ofInterval(stats.ConditionalOddsRatio(a.count("a"), a.count("b"), a.count("c"), a.count("d"), a.num("level")))
	},
	"BinomialTest": func(a args) (answer, error) {
		return ofExact(stats.BinomialTest(a.count("x"), a.count("n"), a.num("p"), a.exact()))
	},
	"MultinomialExact": func(a args) (answer, error) {
		r, err := stats.MultinomialExact(a.counts("observed"), a.list("weights"), stats.MultinomialOptions{})
		return answer{"logp": r.LogP, "tables": float64(r.Tables)}, err
	},
	"McNemar": func(a args) (answer, error) {
		method := map[string]stats.McNemarMethod{
			"exact": stats.McNemarExact, "midp": stats.McNemarMidP,
			"chisquare": stats.McNemarChiSquare, "corrected": stats.McNemarCorrected,
		}[a.text("method")]
		r, err := stats.McNemar(a.count("b"), a.count("c"), stats.McNemarOptions{Method: method, Alternative: a.alternative("alternative")})
		return answer{"statistic": r.Statistic, "logp": r.LogP}, err
	},
	"Tango": func(a args) (answer, error) {
		r, err := stats.Tango(a.count("b"), a.count("c"), a.count("n"), a.num("level"))
		return interval(r.Estimate), err
	},
	"PairedT": func(a args) (answer, error) {
		r, err := stats.PairedT(a.list("x"), a.list("y"), stats.TOptions{})
		return answer{"t": r.T, "df": r.DF, "p": r.P, "lo": r.Difference.Lo, "hi": r.Difference.Hi}, err
	},
	"StuartMaxwell": func(a args) (answer, error) { return ofChiSquare(stats.StuartMaxwell(a.table())) },
	"Bowker":        func(a args) (answer, error) { return ofChiSquare(stats.Bowker(a.table())) },
	"AUC": func(a args) (answer, error) {
		r, err := stats.AUC(a.list("scores"), a.labels(), 0.95)
		return area(r), err
	},
	"AUCBinned": func(a args) (answer, error) {
		r, err := stats.AUCBinned(a.counts("neg"), a.counts("pos"), 0.95)
		return area(r), err
	},
	"PairedAUC": func(a args) (answer, error) {
		c, err := stats.PairedAUC(a.list("a"), a.list("b"), a.labels(), 0.95)
		return comparison(c), err
	},
	"CompareAUC": func(a args) (answer, error) {
		s, y, h := a.list("scores"), a.labels(), int(a.num("half"))
		first, err := stats.AUC(s[:h], y[:h], 0.95)
		if err != nil {
			return nil, err
		}
		second, err := stats.AUC(s[h:], y[h:], 0.95)
		if err != nil {
			return nil, err
		}
		c, err := stats.CompareAUC(first, second, 0.95)
		return comparison(c), err
	},
	"NonInferiority": func(a args) (answer, error) {
		d := stats.HigherIsBetter
		if a.text("direction") == "lower" {
			d = stats.LowerIsBetter
		}
		r, err := stats.NonInferiority(a.num("effect"), a.num("se"), a.num("margin"), d, a.num("alpha"))
		return marginTest(r), err
	},
	"Equivalence": func(a args) (answer, error) {
		r, err := stats.Equivalence(a.num("effect"), a.num("se"), a.num("margin"), a.num("alpha"))
		return marginTest(r), err
	},
	"Bonferroni": func(a args) (answer, error) {
		var w []float64
		if a.has("weights") {
			w = a.list("weights")
		}
		p, err := stats.Bonferroni(a.list("p"), w)
		return one("adjusted", p, err)
	},
	"Holm": func(a args) (answer, error) {
		p, err := stats.Holm(a.list("p"))
		return one("adjusted", p, err)
	},
	"BenjaminiHochberg": func(a args) (answer, error) {
		p, err := stats.BenjaminiHochberg(a.list("p"))
		return one("adjusted", p, err)
	},
	"BenjaminiYekutieli": func(a args) (answer, error) {
		p, err := stats.BenjaminiYekutieli(a.list("p"))
		return one("adjusted", p, err)
	},
	"Power": func(a args) (answer, error) {
		return ofPlan(stats.Power(a.design(), a.num("effect"), a.count("n"), a.plan()))
	},
	"SampleSize": func(a args) (answer, error) {
		return ofPlan(stats.SampleSize(a.design(), a.num("effect"), a.num("power"), a.plan()))
	},
	"DetectableEffect": func(a args) (answer, error) {
		return ofPlan(stats.DetectableEffect(a.design(), a.count("n"), a.num("power"), a.plan()))
	},
}

// TestDiscreteReference compares every function on counts with the numbers of
// SciPy, statsmodels and exact arithmetic, and with those of R.
func TestDiscreteReference(t *testing.T) {
	seen := map[string]int{}
	for _, file := range []string{"stats_discrete", "stats_discrete_r"} {
		for _, c := range statstest.Load(t, file).Cases {
			seen[c.Func]++
			f, ok := discrete[c.Func]
			if !ok {
				t.Errorf("%s: no function %s", c.Name, c.Func)
				continue
			}
			t.Run(c.Name, func(t *testing.T) {
				got, err := f(args{in{t, c.In}})
				if err != nil {
					t.Fatal(err)
				}
				for key := range c.Want {
					compare(t, key, got[key], c)
				}
			})
		}
	}
	for name := range discrete {
		if seen[name] < 5 {
			t.Errorf("%s has %d reference cases, want 5 or more", name, seen[name])
		}
	}
}

func compare(t *testing.T, key string, got any, c statstest.Case) {
	t.Helper()
	switch v := got.(type) {
	case float64:
		want := statstest.Float(t, c.Want, key)
		// A p-value below the smallest float64 is compared by its log.
		if !(v == 0 && math.Abs(want) < 1e-300) {
			statstest.Near(t, key, v, want, c.RTol, c.ATol)
		}
	case []float64:
		want := statstest.Floats(t, c.Want, key)
		if len(v) != len(want) {
			t.Fatalf("%s has %d values, want %d", key, len(v), len(want))
		}
		for i := range v {
			statstest.Near(t, key, v[i], want[i], c.RTol, c.ATol)
		}
	default:
		t.Fatalf("no answer %q", key)
	}
}
