package stats_test

import (
	"errors"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// truths is the sample under key as yes and no.
func (a args) truths(key string) []bool {
	var out []bool
	for _, v := range a.sample(key) {
		out = append(out, v == 1)
	}
	return out
}

// subjects are the groups of runs of [time, event, group, times].
func (a args) subjects() [][]stats.Observation {
	var rows [][4]float64
	statstest.Decode(a.t, a.m, "subjects", &rows)
	groups := make([][]stats.Observation, 2)
	for _, r := range rows {
		for range int(r[3]) {
			groups[int(r[2])] = append(groups[int(r[2])], stats.Observation{Time: r[0], Event: r[1] == 1})
		}
	}
	return groups
}

// adjusted checks p-values that come as runs: every one of a run is the same.
func adjusted(a args, want []float64, f func([]float64) ([]float64, error)) (answer, error) {
	got, err := f(a.sample("p"))
	if err != nil || len(got) != len(want) {
		a.t.Fatalf("%d adjusted p-values, want %d: %v", len(got), len(want), err)
	}
	for i, v := range got {
		statstest.Near(a.t, "adjusted", v, want[i], 1e-12, 0)
	}
	return answer{}, nil
}

// margins are the histograms of both scores over their own cells.
func margins(cells []stats.PairedCell) (a, b stats.ScoreCells) {
	for _, s := range []*stats.ScoreCells{&a, &b} {
		*s = stats.ScoreCells{Negatives: make([]uint64, 4), Positives: make([]uint64, 4), Single: []bool{true, true, true, true}}
	}
	for _, c := range cells {
		a.Negatives[c.A] += c.Negatives
		a.Positives[c.A] += c.Positives
		b.Negatives[c.B] += c.Negatives
		b.Positives[c.B] += c.Positives
	}
	return a, b
}

// extremes adds to the table of [TestDiscreteReference] what comes as runs.
var extremes = map[string]func(a args, want args) (answer, error){
	"AUC": func(a, _ args) (answer, error) {
		r, err := stats.AUC(a.sample("scores"), a.truths("positive"), 0.95)
		return area(r), err
	},
	"PairedAUC": func(a, _ args) (answer, error) {
		r, err := stats.PairedAUC(a.sample("a"), a.sample("b"), a.truths("positive"), 0.95)
		return comparison(r), err
	},
	"PairedAUCBinned": func(a, _ args) (answer, error) {
		cells := cellsOf(a.t, statstest.Case{In: a.m})
		r, err := stats.PairedAUCBinned(cells, 0.95)
		// The margins of the cells themselves, one score each, say the same.
		first, second := margins(cells)
		m := must(stats.PairedAUCMargins(cells, first, second, 0.95))(a.t)
		statstest.Near(a.t, "SE by margins", m.SE, r.SE, 1e-9, 0)
		statstest.Near(a.t, "log p by margins", m.LogP, r.LogP, 1e-9, 1e-12)
		return answer{"auc_a": r.A.Estimate.Point, "auc_b": r.B.Estimate.Point, "difference": r.Estimate.Point, "se": r.SE, "logp": r.LogP}, err
	},
	"CompareAUC": func(a, _ args) (answer, error) {
		s, y, h := a.sample("scores"), a.truths("positive"), int(a.num("half"))
		first := must(stats.AUC(s[:h], y[:h], 0.95))(a.t)
		second := must(stats.AUC(s[h:], y[h:], 0.95))(a.t)
		r, err := stats.CompareAUC(first, second, 0.95)
		return comparison(r), err
	},
	"Holm": func(a, want args) (answer, error) { return adjusted(a, want.sample("adjusted"), stats.Holm) },
	"Bonferroni": func(a, want args) (answer, error) {
		return adjusted(a, want.sample("adjusted"), func(p []float64) ([]float64, error) { return stats.Bonferroni(p, nil) })
	},
	"BenjaminiHochberg": func(a, want args) (answer, error) {
		return adjusted(a, want.sample("adjusted"), stats.BenjaminiHochberg)
	},
	"BenjaminiYekutieli": func(a, want args) (answer, error) {
		return adjusted(a, want.sample("adjusted"), stats.BenjaminiYekutieli)
	},
	"PairedT": func(a, _ args) (answer, error) {
		r, err := stats.PairedT(a.sample("x"), a.sample("y"), stats.TOptions{})
		return answer{"t": r.T, "df": r.DF, "lo": r.Difference.Lo, "hi": r.Difference.Hi, "logp": r.LogP}, err
	},
	"TheilSen": func(a, _ args) (answer, error) {
		r, err := stats.TheilSen(a.list("t"), a.list("v"), a.num("level"))
		return answer{"slope": r.Slope.Point}, err
	},
	"HodgesLehmann": func(a, _ args) (answer, error) {
		r, err := stats.HodgesLehmann(a.sample("x"), a.sample("y"), stats.ShiftOptions{})
		return answer{"point": r.Shift.Point}, err
	},
	"LogRank": func(a, _ args) (answer, error) {
		r, err := stats.LogRank(a.subjects()...)
		return answer{"chisq": r.ChiSquare, "df": float64(r.DF), "logp": r.LogP}, err
	},
	"KaplanMeier": func(a, _ args) (answer, error) {
		g := a.subjects()
		k, err := stats.KaplanMeier(append(g[0], g[1]...), stats.SurvivalOptions{})
		var time, surv, se, lo, hi []float64
		for _, p := range k.Points {
			time, surv, se = append(time, p.Time), append(surv, p.Survival.Point), append(se, p.SE)
			lo, hi = append(lo, p.Survival.Lo), append(hi, p.Survival.Hi)
		}
		return answer{"t": time, "surv": surv, "se": se, "lo": lo, "hi": hi}, err
	},
}

// TestExtremesReference holds ties, single units, samples of 1e5 rows and 1e9 counts,
// and p-values below 1e-300, against R.
func TestExtremesReference(t *testing.T) {
	for _, c := range statstest.Load(t, "stats_extremes").Cases {
		t.Run(c.Name, func(t *testing.T) {
			a := args{in{t, c.In}}
			var got answer
			var err error
			if f, ok := extremes[c.Func]; ok {
				got, err = f(a, args{in{t, c.Want}})
			} else if f, ok := discrete[c.Func]; ok {
				got, err = f(a)
			} else {
				t.Fatalf("no function %s", c.Func)
			}
			if err != nil {
				t.Fatal(err)
			}
			for key := range c.Want {
				if key != "adjusted_runs" {
					compare(t, key, got[key], c)
				}
			}
		})
	}
}

func TestPairedAUCMarginsErrors(t *testing.T) {
	cells := []stats.PairedCell{{A: 0, B: 1, Negatives: 3, Positives: 1}, {A: 1, B: 0, Negatives: 2, Positives: 4}}
	a, b := margins(cells)
	if _, err := stats.PairedAUCMargins(cells, a, b, 1); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("level 1: %v, want %v", err, stats.ErrDomain)
	}
	a.Positives[1]++
	if _, err := stats.PairedAUCMargins(cells, a, b, 0.95); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("a positive too many: %v, want %v", err, stats.ErrMismatch)
	}
}
