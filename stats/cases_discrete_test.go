package stats_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// golden is one case of testdata/cases with its inputs and expectations.
type golden struct {
	t        *testing.T
	in, want args
	raw      goldenCase
}

// tolerance returns the tolerance of a wanted key, which the file gives for all
// keys or for each.
func (g golden) tolerance(key string) (rtol, atol float64) {
	type tol struct{ Rel, Abs float64 }
	var all tol
	statstest.Decode(g.t, g.raw, "tolerance", &all)
	if all == (tol{}) {
		var by map[string]tol
		statstest.Decode(g.t, g.raw, "tolerance", &by)
		all = by[key]
	}
	return all.Rel, all.Abs
}

// near compares numbers with the list, or the number, under key.
func (g golden) near(key string, got ...float64) {
	g.t.Helper()
	want := []float64{0}
	if len(got) == 1 {
		want[0] = g.want.num(key)
	} else {
		want = g.want.list(key)
	}
	if len(got) != len(want) {
		g.t.Fatalf("%s: %d numbers, want %d", key, len(got), len(want))
	}
	rtol, atol := g.tolerance(key)
	for i := range got {
		statstest.Near(g.t, key, got[i], want[i], rtol, atol)
	}
}

func (g golden) wants(key string) bool { return g.want.has(key) }

func (g golden) interval(key string, v stats.Interval) { g.t.Helper(); g.near(key, v.Lo, v.Hi) }

var inferenceCases = map[string]func(golden){
	"srm-chi2-bucketeer":   checkSRM,
	"srm-chi2-posthog":     checkSRM,
	"srm-chi2-kohavi":      checkSRM,
	"srm-chi2-mintmetrics": checkSRM,
	"srm-min-n":            checkCritical,
	"prop2-newcombe-1":     checkTwoProportions,
	"prop2-newcombe-2":     checkTwoProportions,
	"prop2-newcombe-3":     checkTwoProportions,
	"prop2-propcis":        checkTwoProportions,
	"mcnemar-exact":        checkMcNemarExact,
	"mcnemar-chi2":         checkMcNemarChiSquare,
	"stuart-maxwell-3x3":   checkSymmetry,
	"stuart-maxwell-4x4":   checkSymmetry,
	"c-policy-matrix":      checkSymmetry,
	"c-swapset":            checkSwapSet,
	"bowker-5x5":           checkBowkerZeros,
	"delong-asah":          checkASAH,
	"c-delong-small":       checkDeLongSmall,
	"c-tango":              checkTango,
	"mt-bh1995":            checkBH1995,
	"mt-bh-tilestats":      checkBH1995,
	"c-holm-by":            checkHolmBY,
	"c-ebh":                checkEBH,
}

// TestInferenceCasesDiscrete runs the published and the hand-computed examples.
func TestInferenceCasesDiscrete(t *testing.T) {
	cases, _ := goldenCases(t, "inference_cases.json")
	done := 0
	for _, c := range cases {
		check := inferenceCases[c.text(t, "id")]
		if check == nil {
			continue
		}
		done++
		t.Run(c.text(t, "id"), func(t *testing.T) {
			check(golden{t, args{c.sub(t, "inputs")}, args{c.sub(t, "expected")}, c})
		})
	}
	if done != len(inferenceCases) {
		t.Errorf("%d of %d cases found", done, len(inferenceCases))
	}
}

func checkSRM(g golden) {
	o := g.in.counts("observed")
	r := must(stats.GoodnessOfFit(o, g.in.list("weights"), stats.ChiSquareOptions{}))(g.t)
	if g.wants("chi2") {
		g.near("chi2", r.Statistic)
	}
	for _, key := range []string{"p", "p_exact"} {
		if g.wants(key) {
			g.near(key, r.P)
			g.near(key, math.Exp(r.LogP))
		}
	}
}

func checkCritical(g golden) {
	var got []float64
	for _, alpha := range g.in.list("alpha") {
		got = append(got, must(stats.ChiSquareQuantile(alpha, 1))(g.t))
	}
	g.near("critical", got...)
	// The smallest n at which all units in one arm of two is a failure.
	n := uint64(1)
	for must(stats.GoodnessOfFit([]uint64{n, 0}, []float64{1, 1}, stats.ChiSquareOptions{}))(g.t).P > 0.0005 {
		n++
	}
	if want := g.want.count("min_n_total_50_50_able_to_fail_at_0.0005"); n != want {
		g.t.Errorf("smallest n = %d, want %d", n, want)
	}
}

func checkTwoProportions(g golden) {
	x1, n1, x2, n2 := g.in.two()
	newcombe := must(stats.Newcombe(x1, n1, x2, n2, 0.95))(g.t).Estimate
	caffo := must(stats.AgrestiCaffo(x1, n1, x2, n2, 0.95))(g.t).Estimate
	mn := must(stats.ScoreDifference(x1, n1, x2, n2, 0.95, stats.ScoreOptions{}))(g.t).Estimate
	mee := must(stats.ScoreDifference(x1, n1, x2, n2, 0.95, stats.ScoreOptions{Mee: true}))(g.t).Estimate
	got := map[string]stats.Interval{
		"newcombe_hybrid_score": newcombe, "newcombe_diff": newcombe,
		"agresti_caffo": caffo, "agresti_caffo_diff": caffo,
		"miettinen_nurminen": mn, "miettinen_nurminen_diff": mn,
		"mee":           mee,
		"koopman_ratio": must(stats.ScoreRatio(x1, n1, x2, n2, 0.95, stats.ScoreOptions{Mee: true}))(g.t).Estimate,
	}
	if x1 > 0 && x2 > 0 {
		got["katz_log_ratio"] = must(stats.RiskRatio(x1, n1, x2, n2, 0.95))(g.t).Estimate
	}
	for key, v := range got {
		if g.wants(key) {
			g.interval(key, v)
		}
	}
}

func (g golden) pairs() (out [][2]uint64) { statstest.Decode(g.t, g.in.m, "b_c", &out); return out }

func checkMcNemarExact(g golden) {
	var got []float64
	for _, v := range g.pairs() {
		got = append(got, must(stats.McNemar(v[0], v[1], stats.McNemarOptions{}))(g.t).P)
	}
	g.near("p", got...)
}

func checkMcNemarChiSquare(g golden) {
	for key, m := range map[string]stats.McNemarMethod{"cc": stats.McNemarCorrected, "plain": stats.McNemarChiSquare} {
		var want [][2]float64
		statstest.Decode(g.t, g.want.m, key, &want)
		rtol, atol := g.tolerance(key)
		for i, v := range g.pairs() {
			r := must(stats.McNemar(v[0], v[1], stats.McNemarOptions{Method: m}))(g.t)
			statstest.Near(g.t, key, r.Statistic, want[i][0], rtol, atol)
			statstest.Near(g.t, key+" p", r.P, want[i][1], rtol, atol)
		}
	}
}

func checkSymmetry(g golden) {
	table := g.in.table()
	sm := must(stats.StuartMaxwell(table))(g.t)
	b := must(stats.Bowker(table))(g.t)
	for key, v := range map[string]float64{
		"stuart_maxwell": sm.Statistic, "df": float64(sm.DF), "stuart_maxwell_p": sm.P,
		"bowker": b.Statistic, "bowker_df": float64(b.DF), "bowker_p": b.P,
	} {
		if g.wants(key) {
			g.near(key, v)
		}
	}
}

// The published 5x5 table has a pair of classes without a disagreement, which we
// leave out of the degrees of freedom: 9 against 10. The statistic is the same, and
// so is the p-value with 10; the table plus one has no such pair.
func checkBowkerZeros(g golden) {
	table := g.in.table()
	r := must(stats.Bowker(table))(g.t)
	g.near("statistic", r.Statistic)
	if r.DF != 9 || r.Dropped != 1 {
		g.t.Errorf("DF, Dropped = %d, %d, want 9, 1", r.DF, r.Dropped)
	}
	g.near("p", must(stats.ChiSquareTail(r.Statistic, 10))(g.t))
	for i := range table {
		for j := range table[i] {
			table[i][j]++
		}
	}
	r = must(stats.Bowker(table))(g.t)
	g.near("statistic_plus_one", r.Statistic)
	g.near("p_plus_one", r.P)
	g.near("df", float64(r.DF))
}

func checkASAH(g golden) {
	var y []uint64
	statstest.Decode(g.t, g.in.m, "y", &y)
	positive := make([]bool, len(y))
	for i := range y {
		positive[i] = y[i] == 1
	}
	scores := map[string][]float64{}
	auc := map[string]stats.AUCResult{}
	rtol, atol := g.tolerance("auc")
	area := g.want.sub("auc")
	for _, key := range []string{"wfns", "s100b", "ndka"} {
		scores[key] = g.in.list(key)
		auc[key] = must(stats.AUC(scores[key], positive, 0.95))(g.t)
		statstest.Near(g.t, "AUC "+key, auc[key].Estimate.Point, area.num(key), rtol, atol)
	}
	for _, pair := range [][2]string{{"wfns", "s100b"}, {"wfns", "ndka"}, {"ndka", "s100b"}} {
		want := g.want.sub(pair[0] + "_vs_" + pair[1])
		c := must(stats.PairedAUC(scores[pair[0]], scores[pair[1]], positive, 0.95))(g.t)
		ci := want.list("ci_diff")
		statstest.Near(g.t, "z", c.Statistic, want.num("z"), rtol, atol)
		statstest.Near(g.t, "p", c.P, want.num("p"), rtol, atol)
		statstest.Near(g.t, "lo", c.Estimate.Lo, ci[0], rtol, atol)
		statstest.Near(g.t, "hi", c.Estimate.Hi, ci[1], rtol, atol)
	}
	want := g.want.sub("wfns_vs_s100b")
	c := must(stats.CompareAUC(auc["wfns"], auc["s100b"], 0.95))(g.t)
	statstest.Near(g.t, "unpaired D", c.Statistic, want.num("unpaired_D"), rtol, atol)
	// As independent samples the two would have 113 units each, as here.
	statstest.Near(g.t, "unpaired p", c.P, want.num("unpaired_p"), rtol, atol)
	same := must(stats.PairedAUC(scores["wfns"], scores["wfns"], positive, 0.95))(g.t)
	if same.Statistic != 0 || same.P != 1 {
		g.t.Errorf("identical curves: z %v, p %v, want 0, 1", same.Statistic, same.P)
	}
}

func (a args) sub(key string) args {
	out := args{in{t: a.t}}
	statstest.Decode(a.t, a.m, key, &out.m)
	return out
}

func checkDeLongSmall(g golden) {
	var y []uint64
	statstest.Decode(g.t, g.in.m, "y", &y)
	positive := make([]bool, len(y))
	for i := range y {
		positive[i] = y[i] == 1
	}
	c := must(stats.PairedAUC(g.in.list("a"), g.in.list("b"), positive, 0.95))(g.t)
	g.near("auc", c.A.Estimate.Point, c.B.Estimate.Point)
	g.near("se_diff", c.SE)
	g.near("z", c.Statistic)
	g.near("p", c.P)
	var cov [][]float64
	statstest.Decode(g.t, g.want.m, "cov", &cov)
	rtol, atol := g.tolerance("cov")
	statstest.Near(g.t, "var a", c.A.SE*c.A.SE, cov[0][0], rtol, atol)
	statstest.Near(g.t, "var b", c.B.SE*c.B.SE, cov[1][1], rtol, atol)
}

func checkTango(g golden) {
	r := must(stats.Tango(g.in.count("b"), g.in.count("c"), g.in.count("n"), 0.95))(g.t)
	g.interval("ci95", r.Estimate)
}

func checkBH1995(g golden) {
	p := g.in.list("p")
	adjusted := must(stats.BenjaminiHochberg(p))(g.t)
	g.near("bh_adjusted", adjusted...)
	if !g.wants("bh_rejects") {
		return
	}
	count := func(v []float64) (n uint64) {
		for _, x := range v {
			if x <= g.in.num("alpha") {
				n++
			}
		}
		return n
	}
	got := []uint64{count(must(stats.Bonferroni(p, nil))(g.t)), count(adjusted)}
	if diff := cmp.Diff([]uint64{g.want.count("bonferroni_rejects"), g.want.count("bh_rejects")}, got); diff != "" {
		g.t.Errorf("rejections (-want +got):\n%s", diff)
	}
}

func checkHolmBY(g golden) {
	cases, _ := goldenCases(g.t, "inference_cases.json")
	for _, c := range cases {
		if c.text(g.t, "id") == g.in.text("ref") {
			p := c.sub(g.t, "inputs").list("p")
			g.near("holm", must(stats.Holm(p))(g.t)...)
			g.near("by", must(stats.BenjaminiYekutieli(p))(g.t)...)
			return
		}
	}
	g.t.Errorf("no case %q", g.in.text("ref"))
}

func checkEBH(g golden) {
	var logE []float64
	for _, e := range g.in.list("e") {
		logE = append(logE, math.Log(e))
	}
	want := g.want.counts("rejections")
	for i, alpha := range g.in.list("alpha") {
		var n uint64
		for _, r := range must(stats.EBH(logE, alpha))(g.t) {
			if r {
				n++
			}
		}
		if n != want[i] {
			g.t.Errorf("alpha %v: %d rejections, want %d", alpha, n, want[i])
		}
	}
}

// driftKinds are the kinds of drift cases that are about counts. They return the
// numbers to compare with the case's expectation.
var driftKinds = map[string]func(a args) []float64{
	"psi_threshold_chi2": func(a args) []float64 {
		q := must(stats.ChiSquareQuantile(a.num("alpha"), a.num("bins")-1))(a.t)
		return []float64{q * (1/a.num("curN") + 1/a.refN())}
	},
	"chi2_contingency": func(a args) []float64 {
		r := must(stats.Homogeneity(a.counts("ref"), a.counts("cur"), stats.ChiSquareOptions{}))(a.t)
		return []float64{r.Statistic, r.P}
	},
	"benjamini_hochberg_any": func(a args) []float64 {
		p := make([]float64, int(a.num("count")))
		for i := range p {
			p[i] = a.num("pConstant")
		}
		for _, v := range must(stats.BenjaminiHochberg(p))(a.t) {
			if v < a.num("q") { // strict, as the source compares
				return []float64{1}
			}
		}
		return []float64{0}
	},
	"chi2_gof_p": func(a args) []float64 {
		return []float64{must(stats.GoodnessOfFit(a.counts("cur"), a.list("ref"), stats.ChiSquareOptions{}))(a.t).P}
	},
	"g_test_gof_p": func(a args) []float64 {
		return []float64{must(stats.GoodnessOfFit(a.counts("cur"), a.list("ref"), stats.ChiSquareOptions{LikelihoodRatio: true}))(a.t).P}
	},
	"fisher_exact_2x2": func(a args) []float64 {
		v := a.table()
		return []float64{must(stats.FisherExact(v[0][0], v[0][1], v[1][0], v[1][1], stats.ExactOptions{}))(a.t).P}
	},
	"chi2_statistic": func(a args) []float64 {
		return []float64{plainChiSquare(a)}
	},
}

// refN is the reference size, which may be the string "Inf".
func (a args) refN() float64 {
	if string(a.m["refN"]) == `"Inf"` {
		return math.Inf(1)
	}
	return a.num("refN")
}

// plainChiSquare is sum (O-E)^2/E without scaling E to the total of O, as the
// sources have it. With totals N and M it is X2 N/M + (N-M)^2/M, X2 being ours.
func plainChiSquare(a args) float64 {
	o, e := a.counts("observed"), a.list("expected")
	r := must(stats.GoodnessOfFit(o, e, stats.ChiSquareOptions{}))(a.t)
	var n, m float64
	for i := range o {
		n += float64(o[i])
		m += e[i]
	}
	return r.Statistic*n/m + (n-m)*(n-m)/m
}

// TestDriftCasesDiscrete runs the drift examples that are about counts.
func TestDriftCasesDiscrete(t *testing.T) {
	cases, _ := goldenCases(t, "drift_cases.json")
	seen := map[string]int{}
	for _, c := range cases {
		kind := c.text(t, "kind")
		f := driftKinds[kind]
		if f == nil {
			continue
		}
		seen[kind]++
		t.Run(c.text(t, "id"), func(t *testing.T) {
			got := f(args{c.sub(t, "inputs")})
			var want []float64
			switch string(c["expected"]) {
			case "true":
				want = []float64{1}
			case "false":
				want = []float64{0}
			default:
				if len(got) > 1 {
					want = statstest.Floats(t, c, "expected")
				} else {
					want = []float64{statstest.Float(t, c, "expected")}
				}
			}
			tol := statstest.Float(t, c, "tolerance")
			for i := range got {
				statstest.Near(t, kind, got[i], want[i], 0, tol)
			}
		})
	}
	for kind := range driftKinds {
		if seen[kind] == 0 {
			t.Errorf("no case of kind %s", kind)
		}
	}
}
