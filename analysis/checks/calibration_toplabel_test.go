package checks_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// TestCalibrationOfTheTopLabel: of a multiclass task the probability of the predicted
// class is held against how often that class is right.
func TestCalibrationOfTheTopLabel(t *testing.T) {
	const file = `version: 1
task: multiclass
looks: once
columns: {label: y, classes: {cat: p_cat, cow: p_cow, dog: p_dog}}
slices: [y]
checks:
  - {check: calibration, severity: pause}
`
	p, err := analysis.LoadPolicy("p.yaml", []byte(file), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	log := func(bend float64) table {
		const n = 40000
		ps, y := [3][]float64{make([]float64, n), make([]float64, n), make([]float64, n)}, make([]string, n)
		for i := range y {
			var p, said [3]float64
			sum, all := 0.0, 0.0
			for k := range p {
				p[k] = rng.ExpFloat64()
				sum += p[k]
			}
			u := rng.Float64() * sum
			for k, name := range []string{"cat", "cow", "dog"} {
				if u < p[k] && u >= 0 {
					y[i] = name
				}
				u -= p[k]
				said[k] = math.Pow(p[k]/sum, bend)
				all += said[k]
			}
			for k := range ps {
				ps[k][i] = said[k] / all
			}
		}
		return table{"y": y, "p_cat": ps[0], "p_cow": ps[1], "p_dog": ps[2]}
	}
	base, sound, bold := collect(t, p, log(1)), collect(t, p, log(1)), collect(t, p, log(1.6))
	for _, c := range []struct {
		cand *analysis.Snapshot
		want analysis.Outcome
	}{{sound, analysis.Pass}, {bold, analysis.Harm}} {
		fs, err := p.Checks[0].Check.Run(evidence(p, base, c.cand))
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{"calibration_ratio", "calibration_error", "calibration_mcb"} {
			is(t, only(t, fs, code), c.want)
		}
	}
}
