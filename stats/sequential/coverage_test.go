package sequential_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

// TestCoverageUnderContinuousLooking runs confidence sequences over 30 looks and
// counts the runs in which the truth is ever outside. At level 0.95 that may
// happen in 5% of runs; the test allows what a binomial of that rate exceeds once
// in a thousand.
func TestCoverageUnderContinuousLooking(t *testing.T) {
	const runs, looks, units, level = 200, 30, 500, 0.95
	most := 0
	for b := (distuv.Binomial{N: runs, P: 1 - level}); 1-b.CDF(float64(most)) > 1e-3; most++ {
	}
	for _, rate := range []float64{0.0005, 0.005, 0.05, 0.5} {
		for _, share := range []float64{0.5, 0.1} { // the candidate's
			missed := map[string]int{}
			for run := range runs {
				r := rand.New(rand.NewPCG(uint64(run), math.Float64bits(rate*share)))
				for name := range missedIn(t, r, rate, share, looks, units, level) {
					missed[name]++
				}
			}
			for name, n := range missed {
				if n > most {
					t.Errorf("rate %v, share %v: %s misses the truth in %d of %d runs, at most %d are due", rate, share, name, n, runs, most)
				}
			}
		}
	}
}

// missedIn follows one rollout without effect and returns the methods whose
// sequence ever left out the truth.
func missedIn(t *testing.T, r *rand.Rand, rate, share float64, looks, units int, level float64) map[string]bool {
	t.Helper()
	missed := map[string]bool{}
	check := func(name string, v stats.Interval, err error, truth float64) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v.Level > 0 && !v.Contains(truth) {
			missed[name] = true
		}
	}
	var n, x [2]uint64 // baseline, candidate
	draw := func(n uint64, p float64) uint64 {
		if n == 0 {
			return 0
		}
		return uint64(distuv.Binomial{N: float64(n), P: p, Src: r}.Rand())
	}
	for range looks {
		candidates := draw(uint64(units), share)
		for arm, k := range [2]uint64{uint64(units) - candidates, candidates} {
			n[arm] += k
			x[arm] += draw(k, rate)
		}
		one, err := sequential.Bernoulli(x[0]+x[1], n[0]+n[1], sequential.BernoulliOptions{Level: level})
		check("Bernoulli", one.Estimate, err, rate)
		mix, err := sequential.BinomMix([]sequential.EventStage{{Share: share, Baseline: x[0], Candidate: x[1]}}, sequential.BinomMixOptions{Level: level})
		check("BinomMix", mix.Estimate, err, 1)
		split, err := sequential.SRM([]sequential.ShareStage{{Weights: []float64{1 - share, share}, Counts: n[:]}}, sequential.SRMOptions{Level: level})
		if err != nil {
			t.Fatal(err)
		}
		check("SRM", split.Stages[0].Shares[1], nil, share)
		if !sequential.NormalReady(n[0], n[1], x[0], x[1]) {
			continue
		}
		p0, p1 := float64(x[0])/float64(n[0]), float64(x[1])/float64(n[1])
		se := math.Sqrt(p0*(1-p0)/float64(n[0]) + p1*(1-p1)/float64(n[1]))
		normal, err := sequential.Normal(p1-p0, se, n[0], n[1], sequential.NormalOptions{Level: level})
		check("Normal", normal.Estimate, err, 0)
	}
	return missed
}
