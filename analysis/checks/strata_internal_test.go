package checks

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// rampShares are the stages of the simulated ramps, each of ten looks, in which
// the base rate moves by the factors of rampRates.
var (
	rampShares = []float64{0.01, 0.1, 0.5}
	rampRates  = []float64{1, 2, 4}
)

func rampEvidence(stages int) *analysis.Evidence {
	ev := &analysis.Evidence{Stage: "s", Policy: &analysis.Policy{Stages: []analysis.Stage{{Name: "s"}}}}
	ev.Strata = make([]analysis.Stratum, stages)
	return ev
}

// simulateRamp draws the events of a ramp with the given units a stage and tells
// look after every look, with the evidence so far.
func simulateRamp(seed uint64, units int, rateOf func(stage int, candidate bool) float64, look func(arms []armPair) bool) {
	src := rand.NewPCG(seed, 77)
	var arms []armPair
	for s, share := range rampShares {
		arms = append(arms, armPair{base: shareOf(0, 0, 1), cand: shareOf(0, 0, 1), split: analysis.Split{Baseline: 1 - share, Candidate: share}})
		a := &arms[s]
		for range 10 {
			n := float64(units) / 10
			nc := distuv.Binomial{N: n, P: share, Src: src}.Rand()
			xb := distuv.Binomial{N: n - nc, P: rateOf(s, false), Src: src}.Rand()
			xc := distuv.Binomial{N: nc, P: rateOf(s, true), Src: src}.Rand()
			a.base = shareOf(a.base.x+uint64(xb), a.base.n+uint64(n-nc), 1)
			a.cand = shareOf(a.cand.x+uint64(xc), a.cand.n+uint64(nc), 1)
			a.okBase, a.okCand = a.base.n > 0, a.cand.n > 0
			if look(arms) {
				return
			}
		}
	}
}

// TestFalseAlarmsUnderRamps: with shares and base rates moving and a look after
// every tenth of a stage, bounds miss a candidate that is as good as the baseline
// no more often than they may.
func TestFalseAlarmsUnderRamps(t *testing.T) {
	const rollouts, alpha = 150, 0.05
	for _, base := range []float64{0.001, 0.02, 0.2} {
		var above, below, ratioAbove, ratioBelow int
		for seed := range uint64(rollouts) {
			var hit [4]bool
			simulateRamp(seed, 20000, func(s int, _ bool) float64 { return base * rampRates[s] }, func(arms []armPair) bool {
				p, ok := newPair(rampEvidence(len(arms)), ruler{looks: 1, planned: 2000}, arms)
				if !ok {
					return false
				}
				d := p.difference(alpha)
				hit[0], hit[1] = hit[0] || d.lo > 0, hit[1] || d.hi < 0
				if p.base.value > 0 {
					r := p.ratio(alpha)
					hit[2], hit[3] = hit[2] || r.lo > 1, hit[3] || r.hi < 1
				}
				return false
			})
			for k, n := range []*int{&above, &below, &ratioAbove, &ratioBelow} {
				if hit[k] {
					*n++
				}
			}
		}
		most := int(alpha*rollouts + 3*math.Sqrt(alpha*(1-alpha)*rollouts))
		if max(above, below, ratioAbove, ratioBelow) > most {
			t.Errorf("rate %v: difference %d and %d, ratio %d and %d of %d rollouts missed, at most %d", base, above, below, ratioAbove, ratioBelow, rollouts, most)
		}
		t.Logf("rate %v: difference %d and %d, ratio %d and %d of %d", base, above, below, ratioAbove, ratioBelow, rollouts)
	}
}

// TestDoubledErrorRate: a doubling of an error rate of 0.1% is found in a ramp of
// 600,000 units, by margins of either kind and by a ratio, at a tenth of the
// rollback budget, when the ramp was planned for.
func TestDoubledErrorRate(t *testing.T) {
	const rollouts, alpha = 60, 0.05 / 10
	q := func(v float64, u analysis.QuantityUnit) *analysis.Quantity {
		return &analysis.Quantity{Value: v, Unit: u}
	}
	for name, g := range map[string]Guardrail{
		"relative margin": {Margin: q(0.2, analysis.Relative)},
		"absolute margin": {Margin: q(0.0002, analysis.Plain)},
		"ratio":           {Relative: Limits{Rollback: q(1.2, analysis.Ratio)}},
	} {
		g.Metric, g.Column, g.Direction = Rate, "error", stats.LowerIsBetter
		found, units := 0, 0.0
		for seed := range uint64(rollouts) {
			simulateRamp(seed, 200_000, func(_ int, candidate bool) float64 {
				if candidate {
					return 0.002
				}
				return 0.001
			}, func(arms []armPair) bool {
				p, ok := newPair(rampEvidence(len(arms)), ruler{looks: 1, planned: 140_000}, arms)
				if !ok {
					return false
				}
				f := g.judge(look{alpha: alpha, noHarm: 0.05}, p, g.limits()[0])
				if f.Outcome != analysis.Harm {
					return false
				}
				found++
				units += float64(f.N.Baseline + f.N.Candidate)
				return true
			})
		}
		if found < rollouts*95/100 {
			t.Errorf("%s: found in %d of %d rollouts", name, found, rollouts)
		}
		t.Logf("%s: found in %d of %d rollouts, after %.0f units", name, found, rollouts, units/float64(found))
	}
}

// TestStandardise holds estimates and variances against statsmodels and NumPy.
func TestStandardise(t *testing.T) {
	ref := statstest.Load(t, "checks")
	for _, c := range ref.ByFunc(t, "mantelHaenszel") {
		t.Run(c.Name, func(t *testing.T) {
			f := func(key string) []float64 { return statstest.Floats(t, c.In, key) }
			var arms []armPair
			for i := range f("xb") {
				arms = append(arms, armPair{base: shareOf(uint64(f("xb")[i]), uint64(f("nb")[i]), 1), cand: shareOf(uint64(f("xc")[i]), uint64(f("nc")[i]), 1), okBase: true, okCand: true})
			}
			p, _ := newPair(rampEvidence(len(arms)), ruler{looks: 1, planned: 2000}, arms)
			near := func(what string, got float64) {
				t.Helper()
				statstest.Near(t, what, got, statstest.Float(t, c.Want, what), c.RTol, c.ATol)
			}
			near("difference", p.cand.value-p.base.value)
			near("variance", p.cand.squaredError()+p.base.squaredError())
			near("risk_ratio", p.cand.value/p.base.value)
			near("clock", p.clock)
		})
	}
	for _, c := range ref.ByFunc(t, "standardisedMeans") {
		t.Run(c.Name, func(t *testing.T) {
			f := func(key string) []float64 { return statstest.Floats(t, c.In, key) }
			var arms []armPair
			of := func(m, v, n float64) measure { return measure{kind: mean, value: m, variance: v, n: uint64(n)} }
			for i := range f("mb") {
				arms = append(arms, armPair{base: of(f("mb")[i], f("vb")[i], f("nb")[i]), cand: of(f("mc")[i], f("vc")[i], f("nc")[i]), okBase: true, okCand: true})
			}
			p, _ := newPair(rampEvidence(len(arms)), ruler{looks: 1, planned: 2000}, arms)
			near := func(what string, got float64) {
				t.Helper()
				statstest.Near(t, what, got, statstest.Float(t, c.Want, what), c.RTol, c.ATol)
			}
			near("difference", p.cand.value-p.base.value)
			near("variance", p.cand.squaredError()+p.base.squaredError())
			near("skewness", p.skewOfDifference())
			near("pooled_mean", p.whole.value)
			near("pooled_variance", p.whole.variance)
		})
	}
}

// TestPoissonReference holds the gamma mixture against mpmath.
func TestPoissonReference(t *testing.T) {
	for _, c := range statstest.Load(t, "checks").ByFunc(t, "poissonMixture") {
		f := func(key string) float64 { return statstest.Float(t, c.In, key) }
		alt := stats.Alternative(f("alternative"))
		statstest.Near(t, c.Name+" log_e", poissonLogE(f("x"), f("mu"), f("shape"), alt), statstest.Float(t, c.Want, "log_e"), c.RTol, c.ATol)
		s := poissonSequence(f("x"), f("shape"), f("alpha"))
		end := s.lo
		if alt == stats.Less {
			end = s.hi
		}
		statstest.Near(t, c.Name+" end", end, statstest.Float(t, c.Want, "end"), 1e-8, 1e-9)
	}
}

// TestPoissonUnderPeeking: an exact sequence looked at after every event misses
// the rate no more often than it may.
func TestPoissonUnderPeeking(t *testing.T) {
	const rollouts, alpha = 400, 0.05
	r := rand.New(rand.NewPCG(3, 5))
	shape := poissonShape(20)
	var above, below int
	for range rollouts {
		at, hit := 0.0, [2]bool{}
		for x := 1.0; x <= 300; x++ {
			before := at + r.ExpFloat64() // the x-th event; just before it there were x-1
			hit[1] = hit[1] || poissonLogE(x-1, before, shape, stats.Less) >= math.Log(1/alpha)
			at = before
			hit[0] = hit[0] || poissonLogE(x, at, shape, stats.Greater) >= math.Log(1/alpha)
		}
		if hit[0] {
			above++
		}
		if hit[1] {
			below++
		}
	}
	most := int(alpha*rollouts + 3*math.Sqrt(alpha*(1-alpha)*rollouts))
	if above > most || below > most || above+below == 0 {
		t.Errorf("missed %d above and %d below of %d, at most %d", above, below, rollouts, most)
	}
}

// TestLeastUnits agrees with the test that it foresees.
func TestLeastUnits(t *testing.T) {
	for _, w := range [][]float64{{0.5, 0.5}, {0.9, 0.1}, {0.01, 0.99}, {1, 2}} {
		for _, alpha := range []float64{0.05, 0.001, 1e-6} {
			s := splitStage{weights: w}
			least, _ := leastUnits([]splitStage{s}, 0, alpha)
			fails := func(n uint64) bool {
				for _, units := range []analysis.Counts{{Baseline: n}, {Candidate: n}} {
					s.n = units
					r, err := SRM{}.mixture([]splitStage{s}, alpha)
					if err != nil || r.LogE < math.Log(1/alpha) {
						return false
					}
				}
				return true
			}
			if !fails(least) || fails(least-1) {
				t.Errorf("split %v, alpha %v: %d units", w, alpha, least)
			}
		}
	}
	if least, _ := leastUnits([]splitStage{{weights: []float64{1, 1}}}, 0, 0); least != 0 {
		t.Errorf("%d units prove a mismatch without a budget", least)
	}
}

// TestRatesReference holds one look at rates against SciPy and statsmodels.
func TestRatesReference(t *testing.T) {
	for _, c := range statstest.Load(t, "checks").ByFunc(t, "rates") {
		f := func(key string) float64 { return statstest.Float(t, c.In, key) }
		of := func(x, exposure float64) measure {
			return measure{kind: rate, x: uint64(x), exposure: exposure, value: x / exposure, positive: true}
		}
		once := ruler{kind: analysis.Once, looks: 1}
		p := pair{base: of(f("xb"), f("tb")), cand: of(f("xc"), f("tc")), r: once}
		near := func(what string, got float64) {
			t.Helper()
			statstest.Near(t, c.Name+" "+what, got, statstest.Float(t, c.Want, what), c.RTol, c.ATol)
		}
		r, alone := p.ratio(0.05), p.cand.alone(once, 0.05)
		near("ratio_lo", r.lo)
		near("ratio_hi", r.hi)
		near("alone_lo", alone.lo)
		near("alone_hi", alone.hi)
	}
}
