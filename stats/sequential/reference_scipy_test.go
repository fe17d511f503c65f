package sequential_test

import (
	"strconv"
	"testing"

	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestSciPyReference holds the closed forms and the error budgets against SciPy's
// distributions.
func TestSciPyReference(t *testing.T) {
	tests := map[string]func(c refCase){
		"MSPRT": func(c refCase) {
			e, err := sequential.MSPRT(c.num("mean"), uint64(c.num("n")), c.num("sigma2"), c.num("tau2"))
			c.ok(err)
			c.want("log_e", e)
		},
		"NormalBound":     refNormalBound,
		"NormalScale":     refNormalScale,
		"Normal":          refNormalFull,
		"NormalStages":    refNormalStages,
		"NormalReady":     refNormalReady,
		"PValue":          func(c refCase) { c.want("p", sequential.PValue(c.num("log_e"))) },
		"Threshold":       func(c refCase) { c.want("log", sequential.Threshold(c.num("alpha"))) },
		"Running.P":       refRunning,
		"NewBudget":       refBudget,
		"NewBudgets":      refBudgets,
		"Spending.Spend":  refSpend,
		"DirichletLogE":   refDirichlet,
		"Bernoulli":       refBernoulli,
		"BinomMix":        refBinomMixEvidence,
		"Block":           refBlock,
		"Bernstein":       refBernstein,
		"GroupSequential": refGroup,
	}
	for _, ref := range statstest.Load(t, "sequential_scipy").Cases {
		if ref.Func == "logScaledPhi" { // in TestLogScaledPhi
			continue
		}
		test, ok := tests[ref.Func]
		if !ok {
			t.Errorf("%s: no function %s", ref.Name, ref.Func)
			continue
		}
		t.Run(ref.Name, func(t *testing.T) { test(refCase{t, ref}) })
	}
}

func refNormalScale(c refCase) {
	r, err := sequential.NormalScale(c.num("planned"), c.num("alpha"), c.side())
	c.ok(err)
	c.want("scale", r)
	b, err := sequential.NormalBound(c.num("planned"), r, c.num("alpha"), c.side())
	c.ok(err)
	if least := statstest.Float(c.T, c.ref.Want, "least"); !(b >= least*(1-1e-9) && b <= 1.01*least) {
		c.Errorf("boundary %v at the planned clock, want at most 1%% above %v", b, least)
	}
}

func (c refCase) normalOptions() sequential.NormalOptions {
	o := sequential.NormalOptions{Null: c.num("null"), Alternative: c.side(), Level: c.num("level"), Planned: c.num("planned")}
	if _, ok := c.ref.In["design_alpha"]; ok {
		o.DesignAlpha = c.num("design_alpha")
	}
	return o
}

func (c refCase) result(r sequential.Result) {
	c.want("log_e", r.LogE)
	c.want("p", r.P())
	c.want("point", r.Estimate.Point)
	c.want("lo", r.Estimate.Lo)
	c.want("hi", r.Estimate.Hi)
}

func refNormalFull(c refCase) {
	r, err := sequential.Normal(c.num("estimate"), c.num("se"), uint64(c.num("n_baseline")), uint64(c.num("n_candidate")), c.normalOptions())
	c.ok(err)
	c.result(r)
}

func refNormalStages(c refCase) {
	var stages []sequential.DiffStage
	c.decode("stages", &stages)
	r, err := sequential.NormalStages(stages, c.normalOptions())
	c.ok(err)
	c.result(r)
}

func refNormalReady(c refCase) {
	n := c.uints("counts")
	if got, want := sequential.NormalReady(n[0], n[1], n[2], n[3]), statstest.Float(c.T, c.ref.Want, "ready") == 1; got != want {
		c.Errorf("NormalReady(%v) = %v, want %v", n, got, want)
	}
}

func refRunning(c refCase) {
	var r sequential.Running
	for _, e := range c.nums("path") {
		c.ok(r.Observe(e))
	}
	c.want("p", r.P())
	c.want("max", float64(r.Max))
}

// named gives n hypotheses names.
func named(prefix string, n uint64) []string {
	var out []string
	for i := range n {
		out = append(out, prefix+strconv.FormatUint(i, 10))
	}
	return out
}

func refBudget(c refCase) {
	parts := c.nums("parts")
	b, err := sequential.NewBudget(named("overall ", uint64(c.num("overall"))), named("slice ", uint64(c.num("slices"))),
		sequential.BudgetOptions{Alpha: c.num("alpha"), Attempt: int(c.num("attempt")), Overall: parts[0], Slices: parts[1]})
	c.ok(err)
	for _, name := range named("added ", uint64(c.num("additions"))) {
		_, err := b.Add(name)
		c.ok(err)
	}
	logE := c.nums("log_e")
	var weight, threshold, p, crossed []float64
	for i, h := range b.Hypotheses() {
		h, err := b.Observe(h.Name, logE[i])
		c.ok(err)
		weight, threshold, p = append(weight, h.Weight), append(threshold, h.Threshold), append(p, h.P())
		reached := 0.0
		if h.Crossed() {
			reached = 1
		}
		crossed = append(crossed, reached)
	}
	c.want("alpha", b.Alpha())
	c.wantList("weight", weight)
	c.wantList("threshold", threshold)
	c.wantList("p", p)
	c.wantList("crossed", crossed)
}

func refBudgets(c refCase) {
	n, a := c.uints("counts"), c.nums("alphas")
	b, err := sequential.NewBudgets(sequential.BudgetPlan{
		Rollback: named("a", n[0]), RollbackSlices: named("b", n[1]), RollbackAlpha: a[0],
		Pause: named("a", n[2]), PauseSlices: named("b", n[3]), PauseAlpha: a[1],
		SRM: named("a", n[4]), SRMSlices: named("b", n[5]), SRMAlpha: a[2],
		Attempt: int(c.num("attempt")),
	})
	c.ok(err)
	for kind, budget := range map[string]*sequential.Budget{"rollback": b.Rollback, "pause": b.Pause, "srm": b.SRM} {
		var alphas []float64
		if budget != nil {
			for _, h := range budget.Hypotheses() {
				alphas = append(alphas, h.Alpha)
			}
		}
		c.wantList(kind, alphas)
	}
}

func refSpend(c refCase) {
	var s sequential.Spending
	c.decode("spending", &s)
	spent, err := s.Spend(c.num("alpha"), c.num("t"), c.num("shape"))
	c.ok(err)
	c.want("spent", spent)
}

// refBinomMixEvidence is the evidence of [refBinomMix] alone.
func refBinomMixEvidence(c refCase) {
	var stages []sequential.EventStage
	share, a, b := c.nums("share"), c.uints("baseline"), c.uints("candidate")
	for i := range share {
		stages = append(stages, sequential.EventStage{Share: share[i], Baseline: a[i], Candidate: b[i]})
	}
	r, err := sequential.BinomMix(stages, sequential.BinomMixOptions{NullRR: c.num("null_rr"), Alternative: c.side()})
	c.ok(err)
	c.want("log_e", r.LogE)
}
