package checks

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/rampguard/rampguard/analysis"
)

// TestHarmKeepsItsErrorInRareEvents: the exact probability, by enumeration, that
// harm is proven where there is none, for a canary of 10% and of 1%. Newcombe's
// interval, right for a Pass, has several times its nominal error here.
func TestHarmKeepsItsErrorInRareEvents(t *testing.T) {
	for _, arms := range [][2]uint64{{9000, 1000}, {9900, 100}, {5000, 5000}} {
		for _, rate := range []float64{0.0005, 0.01} {
			for _, alpha := range []float64{0.05, 0.005, 1e-4} {
				var newcombe, strict float64
				pb, pc := distuv.Binomial{N: float64(arms[0]), P: rate}, distuv.Binomial{N: float64(arms[1]), P: rate}
				most := func(n uint64) uint64 {
					m := float64(n) * rate
					return min(n, uint64(m+8*math.Sqrt(m)+12))
				}
				for x := range most(arms[0]) {
					for y := range most(arms[1]) {
						p := pair{base: shareOf(x, arms[0], 1), cand: shareOf(y, arms[1], 1), r: ruler{kind: analysis.Once, looks: 1}}
						w := pb.Prob(float64(x)) * pc.Prob(float64(y))
						if w < 1e-12 {
							continue
						}
						if p.difference(alpha).lo > 0 {
							newcombe += w
						}
						if p.strict().difference(alpha).lo > 0 {
							strict += w
						}
					}
				}
				if strict > alpha {
					t.Errorf("%d against %d, rate %v: harm of nothing with probability %.3g at alpha %v", arms[0], arms[1], rate, strict, alpha)
				}
				if arms[1] == 100 && alpha == 1e-4 && newcombe < 10*alpha {
					t.Errorf("Newcombe's error of %.3g is harmless; use it", newcombe)
				}
			}
		}
	}
}

// TestSparseMeansUnderPeeking: a metric that rests on one row in a hundred, in a
// canary that has seen hardly any of them.
func TestSparseMeansUnderPeeking(t *testing.T) {
	const rollouts, alpha = 120, 0.05
	value := func(r *rand.Rand) float64 {
		if r.Float64() < 0.01 {
			return 100
		}
		return r.Float64()
	}
	for _, each := range []int{100, 10, 1} { // rows of the baseline for one of the candidate
		var above, below, judged int
		for seed := range uint64(rollouts) {
			r := rand.New(rand.NewPCG(seed, 21))
			var arms [2]struct{ n, sum, two, three float64 }
			add := func(arm int) {
				x, a := value(r), &arms[arm]
				a.n, a.sum, a.two, a.three = a.n+1, a.sum+x, a.two+x*x, a.three+x*x*x
			}
			of := func(arm int) measure {
				a := arms[arm]
				m := a.sum / a.n
				v := a.two/a.n - m*m
				return measure{kind: mean, value: m, n: uint64(a.n), variance: v * a.n / (a.n - 1), skew: (a.three/a.n - 3*m*a.two/a.n + 2*m*m*m) / math.Pow(v, 1.5)}
			}
			var up, down, any bool
			next := 50.0
			for i := 0; i < 20000; i++ {
				add(0)
				if i%each == 0 {
					add(1)
				}
				if arms[1].n < next {
					continue
				}
				next *= 1.4
				p := pair{base: of(0), cand: of(1), r: ruler{kind: analysis.Continuous, looks: 1, planned: 2000}}
				s := p.difference(alpha)
				up, down, any = up || s.lo > 0, down || s.hi < 0, any || !math.IsInf(s.hi, 1)
			}
			for hit, n := range map[*int]bool{&above: up, &below: down, &judged: any} {
				if n {
					*hit++
				}
			}
		}
		most := int(alpha*rollouts + 3*math.Sqrt(alpha*(1-alpha)*rollouts))
		if above > most || below > most {
			t.Errorf("1 of %d rows: %d and %d of %d rollouts missed, at most %d", each, above, below, rollouts, most)
		}
		if each == 1 && judged < rollouts {
			t.Errorf("arms of one size: %d of %d rollouts judged", judged, rollouts)
		}
	}
}

// TestQuantileRanksOfHugeSamples: at 1e9 values and more, the rank that bounds the
// median lies where the normal law has it.
func TestQuantileRanksOfHugeSamples(t *testing.T) {
	r := ruler{kind: analysis.Once, looks: 1}
	for _, n := range []uint64{1e4, 1e6, 1e9, 1e11} {
		for alpha, z := range map[float64]float64{0.05: 1.6449, 1e-6: 4.7534} {
			k, ok := last(n, n/2, func(k uint64) bool { return r.improbable(k, n, 0.5, alpha) })
			got := (float64(n)/2 - float64(k)) / math.Sqrt(float64(n)/4)
			if !ok || math.Abs(got-z) > 0.04 {
				t.Errorf("n %d, alpha %v: %v standard deviations below the median, want %v", n, alpha, got, z)
			}
		}
	}
}
