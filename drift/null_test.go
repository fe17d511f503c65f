package drift_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/summary"
)

// A short form of internal/coverage: seeded, with limits that are several standard
// errors of the simulation away from what package drift claims.

// multinomial counts n draws from the shares p.
func multinomial(r *rand.Rand, n int, p []float64) []uint64 {
	out := make([]uint64, len(p))
	for range n {
		u := r.Float64()
		i := 0
		for ; i < len(p)-1 && u >= p[i]; i++ {
			u -= p[i]
		}
		out[i]++
	}
	return out
}

// decileShares are the shares of N(shift,1) in the deciles of N(0,1).
func decileShares(cells int, shift float64) []float64 {
	cdf := func(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }
	out := make([]float64, cells)
	last := 0.0
	for i := range out {
		next := 1.0
		if i < cells-1 {
			edge := math.Sqrt2 * math.Erfinv(2*float64(i+1)/float64(cells)-1)
			next = cdf(edge - shift)
		}
		out[i] = next - last
		last = next
	}
	return out
}

func TestNullRejection(t *testing.T) {
	const reps = 400
	checked := map[string]bool{"PSI": true, "PSIEquivalent": true, "ChiSquare": true, "TotalVariation": true}
	for _, c := range []struct{ n, m, cells int }{{300, 300, 10}, {2000, 200, 10}, {400, 1000, 20}, {100, 100, 5}} {
		r := rand.New(rand.NewPCG(uint64(c.n), uint64(c.m)))
		rejected := map[string]int{}
		for range reps {
			cells, err := drift.Counts(multinomial(r, c.n, decileShares(c.cells, 0)), multinomial(r, c.m, decileShares(c.cells, 0)))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range metrics {
				if !checked[m.name] {
					continue
				}
				d, err := m.of(cells, drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if d.P < 0.05 {
					rejected[m.name]++
				}
				if (d.P < 0.05) != (d.Value > d.Null95) && math.Abs(d.P-0.05) > 1e-9 {
					t.Errorf("%s: P %v, value %v, Null95 %v", m.name, d.P, d.Value, d.Null95)
				}
			}
		}
		for name := range checked {
			if rate := float64(rejected[name]) / reps; rate < 0.02 || rate > 0.09 {
				t.Errorf("%s, %d and %d rows, %d cells: rejects %.3f without drift, want about 0.05", name, c.n, c.m, c.cells, rate)
			}
		}
	}
}

func TestBoundCoverage(t *testing.T) {
	const reps = 400
	for _, c := range []struct {
		n, m  int
		shift float64
	}{{300, 300, 0.3}, {2000, 500, 0.15}, {1000, 1000, 0.45}} {
		p, q := decileShares(10, 0), decileShares(10, c.shift)
		truth := map[string]float64{}
		for i := range p {
			h := (p[i] + q[i]) / 2
			truth["PSI"] += (q[i] - p[i]) * math.Log(q[i]/p[i])
			truth["PSIEquivalent"] += 4 * (p[i]*math.Log(p[i]/h) + q[i]*math.Log(q[i]/h))
			truth["TotalVariation"] += math.Abs(p[i]-q[i]) / 2
			truth["LInfinity"] = max(truth["LInfinity"], math.Abs(p[i]-q[i]))
		}
		r := rand.New(rand.NewPCG(uint64(c.n), 5))
		above, below := map[string]int{}, map[string]int{}
		for range reps {
			cells, err := drift.Counts(multinomial(r, c.n, p), multinomial(r, c.m, q))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range metrics {
				want, ok := truth[m.name]
				if !ok {
					continue
				}
				d, err := m.of(cells, drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if d.Interval.Lo > want {
					above[m.name]++
				}
				if d.Interval.Hi < want {
					below[m.name]++
				}
			}
		}
		for name := range truth {
			lo, hi := float64(above[name])/reps, float64(below[name])/reps
			if lo > 0.09 || hi > 0.09 {
				t.Errorf("%s, %d and %d rows, shift %v: bounds miss %.3f and %.3f, want at most about 0.05", name, c.n, c.m, c.shift, lo, hi)
			}
		}
	}
}

// Cells taken from the quantiles of the reference itself do not spoil the tests,
// and neither do the histogram's own cells.
func TestNullRejectionOfHistograms(t *testing.T) {
	const reps = 300
	r := rand.New(rand.NewPCG(8, 8))
	draw := func(n int) *summary.Histogram {
		h := new(summary.Histogram)
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = math.Exp(r.NormFloat64())
		}
		h.AddSlice(xs)
		return h
	}
	rejected := map[string]int{}
	for range reps {
		x, y := draw(400), draw(300)
		cells, err := drift.Numeric(x, y, drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		psi, err := drift.PSI(cells, drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ks, err := drift.KS(x, y, drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w1, err := drift.Wasserstein1(x, y, drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, p := range map[string]float64{"PSI": psi.P, "KS": ks.P, "Wasserstein1": w1.P} {
			if p < 0.05 {
				rejected[name]++
			}
		}
		if ks.Interval.Lo > 0 || w1.Interval.Lo > 0 {
			rejected["lower bound"]++
		}
	}
	for name, k := range rejected {
		if rate := float64(k) / reps; rate > 0.095 {
			t.Errorf("%s: %.3f without drift, want at most about 0.05", name, rate)
		}
	}
	if rejected["PSI"] == 0 || rejected["KS"] == 0 || rejected["Wasserstein1"] == 0 {
		t.Errorf("a test never rejects: %v", rejected)
	}
}

func TestCollapseFalseAlarms(t *testing.T) {
	const reps = 150
	failed := map[string]int{}
	for i := range reps {
		r, err := drift.Collapse(scores(t, logistic(uint64(100+i), 1000, 1)...), scores(t, logistic(uint64(9000+i), 300, 1)...), drift.CollapseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Signals {
			if s.Outcome == drift.Fail || s.Outcome == drift.Warn {
				failed[s.Name]++
			}
		}
	}
	if len(failed) > 0 {
		t.Errorf("false alarms in %d comparisons without drift: %v", reps, failed)
	}
}
