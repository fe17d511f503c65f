package sequential_test

import (
	"testing"

	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestExtremesReference holds single units, 1e12 units, ties and log E beyond 700
// against R.
func TestExtremesReference(t *testing.T) {
	tests := map[string]func(c refCase){
		"DirichletLogE":   refDirichlet,
		"SRM":             refSRM,
		"Bernoulli":       refBernoulli,
		"Quantile":        refQuantile,
		"BinomMix":        refBinomMixEvidence,
		"PlanBinomMix":    refPlan,
		"TwoSample":       refTwoSample,
		"DKWRadius":       refDKW,
		"KS":              refKS,
		"Hedged":          refHedged,
		"BernsteinDiff":   refBernsteinDiff,
		"Bernstein":       refBernstein,
		"NormalStages":    refStagesEvidence,
		"GroupSequential": refGroup,
	}
	for _, ref := range statstest.Load(t, "sequential_extremes").Cases {
		t.Run(ref.Name, func(t *testing.T) {
			test, ok := tests[ref.Func]
			if !ok {
				t.Fatalf("no function %s", ref.Func)
			}
			test(refCase{t, ref})
		})
	}
}

// refStagesEvidence is the evidence of [refNormalStages] alone.
func refStagesEvidence(c refCase) {
	var stages []sequential.DiffStage
	c.decode("stages", &stages)
	r, err := sequential.NormalStages(stages, c.normalOptions())
	c.ok(err)
	c.want("log_e", r.LogE)
}
