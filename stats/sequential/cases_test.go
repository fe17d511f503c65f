package sequential_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestGoldenDirichlet(t *testing.T) {
	all := goldens(t, "inference_cases.json")
	for _, id := range []string{"srm-dm-unit-5", "srm-dm-batch-4"} {
		c := all[id]
		var rows [][]uint64
		var theta, prior, m1, m0 []float64
		c.in(t, "rows", &rows)
		c.in(t, "theta0", &theta)
		c.in(t, "dirichlet_alpha", &prior)
		c.want(t, "log_marginal_M1_cumulative", &m1)
		c.want(t, "log_marginal_M0_cumulative", &m0)
		sum := make([]uint64, len(theta))
		for look, row := range rows {
			for i, n := range row {
				sum[i] += n
			}
			got := must[float64](t)(sequential.DirichletLogE(sum, theta, prior))
			statstest.Near(t, id, got, m1[look]-m0[look], 1e-9, 1e-12)
		}
	}
	c := all["srm-dm-regression-default-k"]
	var rows [][]uint64
	var theta []float64
	var k, wantP, wantBF, wantPost float64
	c.in(t, "rows", &rows)
	c.in(t, "theta0", &theta)
	c.in(t, "concentration", &k)
	c.want(t, "sequential_p_value_final", &wantP)
	c.want(t, "bayes_factor_final", &wantBF)
	c.want(t, "posterior_probability_final_prior_odds_1", &wantPost)
	stage := sequential.ShareStage{Weights: theta, Counts: make([]uint64, len(theta))}
	var run sequential.Running
	for _, row := range rows {
		if err := stage.Merge(&sequential.ShareStage{Weights: theta, Counts: row}); err != nil {
			t.Fatal(err)
		}
		r := must[sequential.SRMResult](t)(sequential.SRM([]sequential.ShareStage{stage}, sequential.SRMOptions{Concentrations: []float64{k}}))
		if err := run.Observe(r.LogE); err != nil {
			t.Fatal(err)
		}
	}
	statstest.Near(t, "always-valid p", run.P(), wantP, 1e-9, 0)
	statstest.Near(t, "Bayes factor", math.Exp(float64(run.LogE)), wantBF, 1e-9, 0)
	statstest.Near(t, "posterior", math.Exp(float64(run.LogE))/(1+math.Exp(float64(run.LogE))), wantPost, 1e-9, 0)
}

func TestGoldenSRM(t *testing.T) {
	all := goldens(t, "inference_cases.json")
	c := all["c-srm-k-sweep"]
	var counts [][]uint64
	var ks []float64
	var want [][]float64
	c.in(t, "counts", &counts)
	c.in(t, "k", &ks)
	c.want(t, "log_bf", &want)
	for i, n := range counts {
		for j, k := range ks {
			r := must[sequential.SRMResult](t)(sequential.SRM([]sequential.ShareStage{{Weights: []float64{1, 1}, Counts: n}},
				sequential.SRMOptions{Concentrations: []float64{k}}))
			statstest.Near(t, "log BF", r.LogE, want[i][j], 0, 1e-5)
		}
	}
	c = all["c-srm-cs"]
	var rows [][]json.RawMessage
	var ends [][]float64
	c.in(t, "cases", &rows)
	c.want(t, "intervals", &ends)
	for i, row := range rows {
		var n []uint64
		var theta []float64
		var k, alpha float64
		for j, v := range []any{&n, &theta, &k, &alpha} {
			if err := json.Unmarshal(row[j], v); err != nil {
				t.Fatal(err)
			}
		}
		r := must[sequential.SRMResult](t)(sequential.SRM([]sequential.ShareStage{{Weights: theta, Counts: n}},
			sequential.SRMOptions{Concentrations: []float64{k}, Level: 1 - alpha}))
		got := r.Stages[0].Shares[0]
		check(t, "share", []float64{got.Lo, got.Hi}, ends[i], 1e-8)
	}
}

func TestGoldenNormal(t *testing.T) {
	all := goldens(t, "inference_cases.json")
	c := all["c-asymp"]
	var pA, pB, n, plan float64
	c.in(t, "pA", &pA)
	c.in(t, "pB", &pB)
	c.in(t, "n_per_arm", &n)
	c.in(t, "N_star", &plan)
	se := math.Sqrt(pA*(1-pA)/n + pB*(1-pB)/n)
	var wantSE float64
	c.want(t, "se", &wantSE)
	statstest.Near(t, "se", se, wantSE, 1e-9, 0)
	for _, tc := range []struct {
		key string
		o   sequential.NormalOptions
	}{
		{"two_sided", sequential.NormalOptions{Planned: plan}},
		{"one_sided", sequential.NormalOptions{Planned: plan, Alternative: stats.Greater}},
		{"one_sided_margin_.002", sequential.NormalOptions{Planned: plan, Alternative: stats.Greater, Null: 0.002}},
	} {
		var want map[string]float64
		c.want(t, tc.key, &want)
		r := must[sequential.Result](t)(sequential.Normal(pB-pA, se, uint64(n), uint64(n), tc.o))
		statstest.Near(t, tc.key+" log E", r.LogE, want["log_e"], 1e-9, 0)
		if hw, ok := want["half_width"]; ok {
			statstest.Near(t, tc.key+" half-width", r.Estimate.Point-r.Estimate.Lo, hw, 1e-9, 0)
		}
	}
	c = all["c-msprt"]
	var rows [][]float64
	var lr []float64
	c.in(t, "cases", &rows)
	c.want(t, "lr", &lr)
	for i, r := range rows {
		got := must[float64](t)(sequential.MSPRT(r[0], uint64(r[1]), r[2], r[3]))
		statstest.Near(t, "mSPRT", math.Exp(got), lr[i], 1e-9, 0)
	}
	// A unit-information Bayes factor on a t statistic is the same mixture with
	// R = 1/r^2 and z = t.
	c = all["seq-betabin-bf-golden"]
	var tt, neff, bf float64
	c.in(t, "t", &tt)
	c.in(t, "n_eff", &neff)
	c.want(t, "bayes_factor", &bf)
	r := must[sequential.Result](t)(sequential.Normal(tt, 1, uint64(neff), 0, sequential.NormalOptions{Scale: 1}))
	statstest.Near(t, "unit-information Bayes factor", math.Exp(r.LogE), bf, 1e-9, 0)
}

// arm is a sample given by its sums, as in the GrowthBook cases.
type arm struct {
	Sum        float64 `json:"sum"`
	SumSquares float64 `json:"sum_squares"`
	N          uint64  `json:"n"`
}

func (a arm) meanVar(binary bool) (mean, variance float64) {
	n := float64(a.N)
	mean = a.Sum / n
	if binary {
		return mean, mean * (1 - mean)
	}
	return mean, (a.SumSquares - a.Sum*a.Sum/n) / (n - 1)
}

func TestGoldenGrowthBook(t *testing.T) {
	all := goldens(t, "inference_cases.json")
	load := func(c golden, relative, binary bool) (d, se float64, n [2]uint64) {
		var a, b arm
		c.in(t, "control", &a)
		c.in(t, "treatment", &b)
		ma, va := a.meanVar(binary)
		mb, vb := b.meanVar(binary)
		va, vb = va/float64(a.N), vb/float64(b.N)
		if relative {
			return (mb - ma) / ma, math.Sqrt(vb/(ma*ma) + va*mb*mb/math.Pow(ma, 4)), [2]uint64{a.N, b.N}
		}
		return mb - ma, math.Sqrt(va + vb), [2]uint64{a.N, b.N}
	}
	for _, id := range []string{"seq-asympcs-gb-1", "seq-asympcs-gb-prop"} {
		c := all[id]
		var plan, est, se float64
		var ci []float64
		c.in(t, "N_star", &plan)
		c.want(t, "estimate", &est)
		c.want(t, "se", &se)
		c.want(t, "ci", &ci)
		d, s, n := load(c, true, id == "seq-asympcs-gb-prop")
		r := must[sequential.Result](t)(sequential.Normal(d, s, n[0], n[1], sequential.NormalOptions{Planned: plan}))
		check(t, id, []float64{d, s, r.Estimate.Lo, r.Estimate.Hi}, []float64{est, se, ci[0], ci[1]}, 1e-5)
	}
	for _, id := range []string{"seq-asympcs-gb-onesided-rel", "seq-asympcs-gb-onesided-abs"} {
		c := all[id]
		var lo, hi float64
		c.want(t, "lower_greater", &lo)
		c.want(t, "upper_lesser", &hi)
		d, s, n := load(c, id == "seq-asympcs-gb-onesided-rel", false)
		up := must[sequential.Result](t)(sequential.Normal(d, s, n[0], n[1], sequential.NormalOptions{Alternative: stats.Greater}))
		down := must[sequential.Result](t)(sequential.Normal(d, s, n[0], n[1], sequential.NormalOptions{Alternative: stats.Less}))
		check(t, id, []float64{up.Estimate.Lo, down.Estimate.Hi}, []float64{lo, hi}, 1e-5)
	}
}

func TestGoldenSimpson(t *testing.T) {
	c := goldens(t, "inference_cases.json")["simpson-ramp"]
	var stages []map[string][]float64
	var diff, se float64
	c.in(t, "stages", &stages)
	c.want(t, "stratified_diff_weight_by_stage_n", &diff)
	c.want(t, "stratified_se", &se)
	var in []sequential.DiffStage
	var v, n float64
	for _, s := range stages {
		a, b := s["control"], s["treatment"]
		pa, pb := a[0]/a[1], b[0]/b[1]
		d := sequential.DiffStage{Diff: pb - pa, Variance: pa*(1-pa)/a[1] + pb*(1-pb)/b[1], NBaseline: uint64(a[1]), NCandidate: uint64(b[1])}
		in = append(in, d)
		v += (a[1] + b[1]) * (a[1] + b[1]) * d.Variance
		n += a[1] + b[1]
	}
	r := must[sequential.Result](t)(sequential.NormalStages(in, sequential.NormalOptions{Planned: v}))
	check(t, "stratified", []float64{r.Estimate.Point, math.Sqrt(v) / n}, []float64{diff, se}, 1e-12)
}

func TestGoldenNormalBound(t *testing.T) {
	all := goldens(t, "inference_cases.json")
	for id, alt := range map[string]stats.Alternative{"seq-normalmix-2s": stats.Different, "seq-normalmix-1s": stats.Greater} {
		c := all[id]
		var s, v, opt, a float64
		var want map[string]float64
		c.in(t, "s", &s)
		c.in(t, "v", &v)
		c.in(t, "v_opt", &opt)
		c.in(t, "alpha", &a)
		c.want(t, "", &want)
		scale := must[float64](t)(sequential.NormalScale(opt, a, alt))
		if rho, ok := want["best_rho"]; ok {
			statstest.Near(t, "rho", scale, rho, 0, 1e-5)
		}
		b := must[float64](t)(sequential.NormalBound(v, scale, a, alt))
		statstest.Near(t, id+" bound", b, want["bound"], 0, 1e-5)
		stage := sequential.DiffStage{Diff: s, Variance: v, NCandidate: 1}
		r := must[sequential.Result](t)(sequential.NormalStages([]sequential.DiffStage{stage}, sequential.NormalOptions{Scale: scale, Alternative: alt}))
		statstest.Near(t, id+" log mixture", r.LogE, want["log_mixture"], 0, 1e-5)
	}
	c := goldens(t, "drift_cases.json")["normalmix-confseq-01"]
	var v, opt, a, want float64
	c.in(t, "v", &v)
	c.in(t, "vOpt", &opt)
	c.in(t, "alphaOpt", &a)
	c.want(t, "", &want)
	scale := must[float64](t)(sequential.NormalScale(opt, a, stats.Different))
	statstest.Near(t, c.ID, must[float64](t)(sequential.NormalBound(v, scale, a, stats.Different)), want, 0, 1e-5)
}

func eventStages(t *testing.T, c golden) []sequential.EventStage {
	t.Helper()
	var in []struct {
		Rho     float64 `json:"rho"`
		Treat   uint64  `json:"treat_events"`
		Control uint64  `json:"control_events"`
	}
	c.in(t, "stages", &in)
	var out []sequential.EventStage
	for _, s := range in {
		out = append(out, sequential.EventStage{Share: s.Rho, Baseline: s.Control, Candidate: s.Treat})
	}
	return out
}

func TestGoldenBinomMix(t *testing.T) {
	all := goldens(t, "inference_cases.json")
	c := all["c-binommix-ramp"]
	stages := eventStages(t, c)
	var grid, lr []float64
	var logE, margin float64
	c.in(t, "rr_grid", &grid)
	c.want(t, "log_lr", &lr)
	c.want(t, "log_e", &logE)
	c.want(t, "log_e_noninferior_rr_1.10", &margin)
	run := func(stages []sequential.EventStage, o sequential.BinomMixOptions) float64 {
		o.Alternative = stats.Greater
		return must[sequential.Result](t)(sequential.BinomMix(stages, o)).LogE
	}
	for i, g := range grid {
		statstest.Near(t, "log LR", run(stages, sequential.BinomMixOptions{Grid: []float64{g}}), lr[i], 0, 1e-6)
	}
	statstest.Near(t, "log E", run(stages, sequential.BinomMixOptions{}), logE, 0, 1e-9)
	statstest.Near(t, "log E, margin", run(stages, sequential.BinomMixOptions{NullRR: 1.1}), margin, 0, 1e-9)

	c = all["c-binommix-60-50"]
	c.want(t, "log_e", &logE)
	statstest.Near(t, c.ID, run(eventStages(t, c), sequential.BinomMixOptions{}), logE, 0, 1e-9)

	c = all["c-mcnemar-e"]
	var up, down uint64
	var bf float64
	c.in(t, "regressions", &up)
	c.in(t, "fixes", &down)
	c.want(t, "log_e_grid", &logE)
	c.want(t, "log_bf_dirichlet_k10", &bf)
	statstest.Near(t, c.ID, run([]sequential.EventStage{{Share: 0.5, Baseline: down, Candidate: up}}, sequential.BinomMixOptions{}), logE, 0, 1e-9)
	got := must[float64](t)(sequential.DirichletLogE([]uint64{up, down}, []float64{0.5, 0.5}, []float64{5, 5}))
	statstest.Near(t, c.ID, got, bf, 0, 1e-9)
}

// The arm of the next event, seen through the planning formula: at relative risk
// e^(2.0-1.5) the candidate gets the given share of the events.
func TestGoldenPoissonTheta(t *testing.T) {
	c := goldens(t, "inference_cases.json")["srm-poisson-theta"]
	var rho, delta, theta []float64
	c.in(t, "rho", &rho)
	c.in(t, "delta", &delta)
	c.want(t, "theta", &theta)
	p := must[sequential.BinomPlan](t)(sequential.PlanBinomMix(nil, rho[1], math.Exp(delta[1]-delta[0]), 0.05, sequential.BinomMixOptions{}))
	statstest.Near(t, "theta", p.Candidate/p.Events, theta[1], 0, 0.01)
}

func TestGoldenBlock(t *testing.T) {
	c := goldens(t, "inference_cases.json")["c-tlg"]
	for in, out := range map[string]string{"looks": "log_e", "looks_unequal": "log_e_unequal"} {
		var rows [][]uint64
		var want []float64
		c.in(t, in, &rows)
		c.want(t, out, &want)
		var looks []sequential.BlockLook
		for i, r := range rows {
			looks = append(looks, sequential.BlockLook{NBaseline: r[0], YBaseline: r[1], NCandidate: r[2], YCandidate: r[3]})
			got := must[sequential.Result](t)(sequential.Block(looks, sequential.BlockOptions{}))
			statstest.Near(t, out, got.LogE, want[i], 0, 1e-9)
		}
	}
}

func TestGoldenBernstein(t *testing.T) {
	c := goldens(t, "inference_cases.json")["c-prplEB"]
	var rows [][]float64
	var m, alpha float64
	var logE, lower []float64
	c.in(t, "blocks", &rows)
	c.in(t, "m", &m)
	c.in(t, "alpha", &alpha)
	c.want(t, "log_e", &logE)
	c.want(t, "lower", &lower)
	var looks []sequential.SumLook
	for i, r := range rows {
		looks = append(looks, sequential.SumLook{N: uint64(r[0]), Sum: r[1], SumSq: r[2]})
		got := must[sequential.Result](t)(sequential.Bernstein(looks, sequential.BoundedOptions{Null: m, Alternative: stats.Greater, Level: 1 - alpha}))
		check(t, c.ID, []float64{got.LogE, got.Estimate.Lo}, []float64{logE[i], lower[i]}, 1e-6)
	}
}

func TestGoldenHedged(t *testing.T) {
	c := goldens(t, "inference_cases.json")["c-hedged"]
	var in []struct {
		X []float64
		M float64
	}
	var up, down []float64
	c.in(t, "cases", &in)
	c.want(t, "K_plus", &up)
	c.want(t, "K_minus", &down)
	for i, k := range in {
		for alt, want := range map[stats.Alternative]float64{stats.Greater: up[i], stats.Less: down[i], stats.Different: (up[i] + down[i]) / 2} {
			got := must[sequential.Result](t)(sequential.Hedged(k.X, sequential.BoundedOptions{Null: k.M, Alternative: alt}))
			statstest.Near(t, c.ID, math.Exp(got.LogE), want, 1e-9, 0)
		}
	}
}

func TestGoldenBernoulli(t *testing.T) {
	all := goldens(t, "inference_cases.json")
	var rows, ends [][]float64
	c := all["seq-bernoulli-cs"]
	c.in(t, "cases", &rows)
	c.want(t, "intervals", &ends)
	interval := func(r []float64) []float64 {
		v := must[sequential.Result](t)(sequential.Bernoulli(uint64(r[0]), uint64(r[1]), sequential.BernoulliOptions{Level: 1 - r[2], Planned: r[3]})).Estimate
		return []float64{v.Lo, v.Hi}
	}
	for i, r := range rows {
		check(t, c.ID, interval(r), ends[i], 1e-5)
	}
	drift := goldens(t, "drift_cases.json")
	for _, id := range []string{"bernoulli-cs-confseq-01", "bernoulli-cs-confseq-02", "bernoulli-cs-confseq-03", "bernoulli-cs-confseq-04", "bernoulli-cs-confseq-05"} {
		var x, n, alpha, opt float64
		var want []float64
		c := drift[id]
		c.in(t, "successes", &x)
		c.in(t, "trials", &n)
		c.in(t, "alpha", &alpha)
		c.in(t, "tOpt", &opt)
		c.want(t, "", &want)
		check(t, id, interval([]float64{x, n, alpha, opt}), want, 1e-5)
	}
	// The beta-binomial mixtures at S = 10, V = 100 with steps -g and h: g + h = 1
	// makes them 135 successes in 625 trials against the rate g.
	for id, alt := range map[string]stats.Alternative{"seq-betabin-2s": stats.Different, "seq-betabin-1s": stats.Greater} {
		c := all[id]
		var s, v, opt, g, h, want float64
		c.in(t, "s", &s)
		c.in(t, "v", &v)
		c.in(t, "v_opt", &opt)
		c.in(t, "g", &g)
		c.in(t, "h", &h)
		c.want(t, "log_mixture", &want)
		n := math.Round(v / (g * h))
		r := must[sequential.Result](t)(sequential.Bernoulli(uint64(math.Round(s+n*g)), uint64(n),
			sequential.BernoulliOptions{Null: g, Alternative: alt, Planned: opt / (g * h)}))
		statstest.Near(t, id, r.LogE, want, 0, 1e-5)
	}
}

func TestGoldenDKW(t *testing.T) {
	for file, id := range map[string]string{"inference_cases.json": "seq-lil-cdf", "drift_cases.json": "lil-confseq-01"} {
		c := goldens(t, file)[id]
		var n uint64
		var alpha, from, slope, want float64
		c.in(t, "t", &n)
		c.in(t, "alpha", &alpha)
		c.in(t, "A", &slope)
		if id == "seq-lil-cdf" {
			c.in(t, "t_min", &from)
			c.want(t, "bound", &want)
		} else {
			c.in(t, "tMin", &from)
			c.want(t, "", &want)
		}
		got := must[float64](t)(sequential.DKWRadius(n, sequential.DKWOptions{Level: 1 - alpha, From: from, Slope: slope}))
		statstest.Near(t, id, got, want, 0, 1e-5)
	}
}

func TestGoldenQuantile(t *testing.T) {
	p := func(q float64, offset int, planned float64) float64 {
		a, b := make([]uint64, 1200), make([]uint64, 1200)
		for i := range 1000 {
			a[i]++
			b[i+offset]++
		}
		r := must[sequential.QuantileResult](t)(sequential.Quantile(a, b, q, sequential.QuantileOptions{Planned: planned}))
		return sequential.PValue(r.LogE)
	}
	c := goldens(t, "inference_cases.json")["seq-quantile-ab"]
	var rows [][]float64
	var want []float64
	c.in(t, "quantile_offset", &rows)
	c.want(t, "p", &want)
	for i, r := range rows {
		statstest.Near(t, c.ID, p(r[0], int(r[1]), 100), want[i], 0, 1e-5)
	}
	drift := goldens(t, "drift_cases.json")
	for _, id := range []string{"quantile-ab-confseq-01", "quantile-ab-confseq-02", "quantile-ab-confseq-03", "quantile-ab-confseq-04"} {
		c := drift[id]
		var q, opt, want float64
		var offset int
		c.in(t, "quantile", &q)
		c.in(t, "bOffset", &offset)
		c.in(t, "tOpt", &opt)
		c.want(t, "", &want)
		statstest.Near(t, id, p(q, offset, opt), want, 0, 1e-5)
	}
}

func TestGoldenGroupSequential(t *testing.T) {
	all := goldens(t, "inference_cases.json")
	for id, o := range map[string]sequential.GroupOptions{
		"seq-gst-ldof5":     {Spending: sequential.OBrienFleming},
		"seq-gst-ldpocock5": {Spending: sequential.Pocock},
		"seq-gst-hsd3":      {Spending: sequential.HwangShihDeCani},
	} {
		c := all[id]
		var info, want []float64
		c.in(t, "t", &info)
		c.in(t, "alpha_one_sided", &o.Alpha)
		c.want(t, "z", &want)
		if id == "seq-gst-hsd3" {
			c.in(t, "gamma", &o.Shape)
		}
		o.Alternative = stats.Greater
		for i, b := range must[[]sequential.Boundary](t)(sequential.GroupSequential(info, o)) {
			statstest.Near(t, id, b.Z, want[i], 0, 1e-3)
		}
	}
	c := all["seq-gst-power-spotify"]
	var n, nominal, z []float64
	var alpha float64
	c.in(t, "n_total", &n)
	c.in(t, "alpha", &alpha)
	c.want(t, "nominal_alpha", &nominal)
	c.want(t, "z", &z)
	for i, b := range must[[]sequential.Boundary](t)(sequential.GroupSequential(n, sequential.GroupOptions{Alpha: alpha, Spending: sequential.Power})) {
		check(t, c.ID, []float64{b.Nominal, b.Z}, []float64{nominal[i], z[i]}, 1e-4)
	}
}
