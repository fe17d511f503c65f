// Command coverage measures by simulation what package drift claims: how often its
// tests reject without drift at nominal 5%, and how often each end of the default
// interval is on the wrong side of the true value (nominal 5% each).
//
//	go run ./drift/internal/coverage -reps 4000 -seed 1
//
// It prints one line per setting, the standard error being sqrt(rate(1-rate)/reps).
// The run with the default flags takes some minutes.
package main

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/summary"
)

func main() {
	reps := flag.Int("reps", 4000, "repetitions per setting")
	seed := flag.Uint64("seed", 1, "seed of the simulation")
	flag.Parse()
	if err := run(*reps, *seed); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(reps int, seed uint64) error {
	s := simulation{reps: reps, r: rand.New(rand.NewPCG(seed, 42))}
	fmt.Println("given equal cells, normal shift: metric, n, m, cells, shift, truth, P<0.05, Lo above truth, Hi below truth")
	for _, cells := range []int{5, 10, 20, 64} {
		for _, n := range [][2]int{{100, 100}, {300, 300}, {1000, 1000}, {10000, 500}} {
			if min(n[0], n[1]) < 5*cells {
				continue
			}
			for _, shift := range []float64{0, 0.1, 0.3, 0.5} {
				if err := s.counts(n[0], n[1], cells, shift); err != nil {
					return err
				}
			}
		}
	}
	fmt.Println("histograms, lognormal column: metric, n, m, 0, log shift, truth, P<0.05, Lo above truth, Hi below truth")
	for _, n := range [][2]int{{100, 100}, {300, 300}, {2000, 500}} {
		for _, shift := range []float64{0, 0.1, 0.3} {
			if err := s.histograms(n[0], n[1], shift); err != nil {
				return err
			}
		}
	}
	return nil
}

type simulation struct {
	reps int
	r    *rand.Rand
}

// tally counts what one metric does in one setting.
type tally struct{ rejected, above, below int }

func (t *tally) add(d drift.Divergence, truth float64) {
	if d.P < 0.05 {
		t.rejected++
	}
	if d.Interval.Lo > truth {
		t.above++
	}
	if d.Interval.Hi < truth {
		t.below++
	}
}

func (s *simulation) print(metric string, n, m, cells int, shift, truth float64, t tally) {
	k := float64(s.reps)
	fmt.Printf("%-14s %6d %6d %3d %5.2f %8.5f   %.4f %.4f %.4f\n", metric, n, m, cells, shift, truth,
		float64(t.rejected)/k, float64(t.above)/k, float64(t.below)/k)
}

var cellMetrics = []struct {
	name  string
	of    func(drift.Cells, drift.Options) (drift.Divergence, error)
	truth func(p, q float64) float64
	most  bool // the truth is the largest term, not the sum
}{
	{"PSI", drift.PSI, func(p, q float64) float64 { return (q - p) * math.Log(q/p) }, false},
	{"PSIEquivalent", drift.PSIEquivalent, func(p, q float64) float64 {
		h := (p + q) / 2
		return 4 * (p*math.Log(p/h) + q*math.Log(q/h))
	}, false},
	{"TotalVariation", drift.TotalVariation, func(p, q float64) float64 { return math.Abs(p-q) / 2 }, false},
	{"LInfinity", drift.LInfinity, func(p, q float64) float64 { return math.Abs(p - q) }, true},
}

func (s *simulation) counts(n, m, cells int, shift float64) error {
	p, q := shares(cells, 0), shares(cells, shift)
	tallies := make([]tally, len(cellMetrics))
	truth := make([]float64, len(cellMetrics))
	for k, metric := range cellMetrics {
		for i := range p {
			if term := metric.truth(p[i], q[i]); metric.most {
				truth[k] = max(truth[k], term)
			} else {
				truth[k] += term
			}
		}
	}
	for range s.reps {
		c, err := drift.Counts(s.multinomial(n, p), s.multinomial(m, q))
		if err != nil {
			return err
		}
		for k, metric := range cellMetrics {
			d, err := metric.of(c, drift.Options{})
			if err != nil {
				return err
			}
			tallies[k].add(d, truth[k])
		}
	}
	for k, metric := range cellMetrics {
		s.print(metric.name, n, m, cells, shift, truth[k], tallies[k])
	}
	return nil
}

// shares are those of N(shift,1) in the equal cells of N(0,1).
func shares(cells int, shift float64) []float64 {
	out := make([]float64, cells)
	last := 0.0
	for i := range out {
		next := 1.0
		if i < cells-1 {
			edge := math.Sqrt2 * math.Erfinv(2*float64(i+1)/float64(cells)-1)
			next = normalCDF(edge - shift)
		}
		out[i] = next - last
		last = next
	}
	return out
}

func normalCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

func (s *simulation) multinomial(n int, p []float64) []uint64 {
	out := make([]uint64, len(p))
	for range n {
		u := s.r.Float64()
		i := 0
		for ; i < len(p)-1 && u >= p[i]; i++ {
			u -= p[i]
		}
		out[i]++
	}
	return out
}

// histograms compares lognormal columns whose logs differ by shift. The truth of
// PSI over reference-quantile cells depends on the sample; it is that of 20 equal
// cells, the default.
func (s *simulation) histograms(n, m int, shift float64) error {
	const median = 100 // far from the atoms and the ends of the layout
	ks := 2*normalCDF(shift/2) - 1
	w1 := median * math.Exp(0.5) * math.Expm1(shift)
	var psi float64
	p, q := shares(20, 0), shares(20, shift)
	for i := range p {
		psi += (q[i] - p[i]) * math.Log(q[i]/p[i])
	}
	var a, b, c tally
	for range s.reps {
		x, y := s.lognormal(n, median, 0), s.lognormal(m, median, shift)
		cells, err := drift.Numeric(x, y, drift.Options{})
		if err != nil {
			return err
		}
		d, err := drift.PSI(cells, drift.Options{})
		if err != nil {
			return err
		}
		a.add(d, psi)
		if d, err = drift.KS(x, y, drift.Options{}); err != nil {
			return err
		}
		b.add(d, ks)
		t, err := drift.Wasserstein1(x, y, drift.Options{})
		if err != nil {
			return err
		}
		c.add(t.Divergence, w1)
	}
	s.print("PSI", n, m, 0, shift, psi, a)
	s.print("KS", n, m, 0, shift, ks, b)
	s.print("Wasserstein1", n, m, 0, shift, w1, c)
	return nil
}

func (s *simulation) lognormal(n int, median, shift float64) *summary.Histogram {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = median * math.Exp(s.r.NormFloat64()+shift)
	}
	h := new(summary.Histogram)
	h.AddSlice(xs)
	return h
}
