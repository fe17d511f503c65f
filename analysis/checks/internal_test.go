package checks

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// TestFalseAlarmsUnderPeeking: with a look after every step and no difference, a
// proportion's anytime-valid bounds may miss the truth in 5 of 100 rollouts, on
// either side; the fixed-sample ones miss it far more often.
func TestFalseAlarmsUnderPeeking(t *testing.T) {
	const rollouts, alpha = 120, 0.05
	steps := []int{5, 10, 20, 40, 80, 160, 240, 320, 480, 640, 960, 1280, 1920, 2560, 3840, 5120, 7680, 10240}
	for _, rate := range []float64{0.002, 0.02, 0.3} {
		misses := map[analysis.LooksKind]int{}
		ratios := 0
		for seed := range uint64(rollouts) {
			r := rand.New(rand.NewPCG(seed, uint64(1e6*rate)))
			var x, n [2]uint64
			missed := map[analysis.LooksKind]bool{}
			ratioMissed := false
			for _, to := range steps {
				for ; n[0] < uint64(to); n[0]++ {
					for arm := range x {
						if r.Float64() < rate {
							x[arm]++
						}
					}
				}
				n[1] = n[0]
				for _, k := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
					p := pair{base: shareOf(x[0], n[0], 1), cand: shareOf(x[1], n[1], 1), r: ruler{kind: k, looks: 1, planned: defaultPlanned}}
					s := p.difference(alpha)
					missed[k] = missed[k] || s.lo > 0
					if k == analysis.Continuous && p.base.value > 0 {
						ratioMissed = ratioMissed || p.ratio(alpha).lo > 1
					}
				}
			}
			for k, m := range missed {
				if m {
					misses[k]++
				}
			}
			if ratioMissed {
				ratios++
			}
		}
		// The bound of 5% plus three standard errors of the simulation.
		most := int(alpha*rollouts + 3*math.Sqrt(alpha*(1-alpha)*rollouts))
		if misses[analysis.Continuous] > most || ratios > most {
			t.Errorf("rate %v: %d and %d of %d rollouts missed, at most %d", rate, misses[analysis.Continuous], ratios, rollouts, most)
		}
		t.Logf("rate %v: anytime %d, ratio %d, fixed sample %d of %d", rate, misses[analysis.Continuous], ratios, misses[analysis.Once], rollouts)
	}
}

// TestDriftUnderPeeking: at a drift of exactly the limit, a look after every step
// proves it to be above, or below, in at most 5 of 100 rollouts each.
func TestDriftUnderPeeking(t *testing.T) {
	const rollouts, alpha, cells, limit = 120, 0.05, 10, 0.1
	base := slices.Repeat([]float64{1.0 / cells}, cells)
	tilted := func(a float64) []float64 {
		q, sum := make([]float64, cells), 0.0
		for i := range q {
			q[i] = math.Exp(a * float64(i) / cells)
			sum += q[i]
		}
		for i := range q {
			q[i] /= sum
		}
		return q
	}
	equivalent := func(q []float64) float64 { // 8 times the Jensen-Shannon divergence
		s := 0.0
		for i, p := range base {
			h := (p + q[i]) / 2
			s += 4 * (p*math.Log(p/h) + q[i]*math.Log(q[i]/h))
		}
		return s
	}
	lo, hi := 0.0, 5.0
	for range 60 {
		if mid := (lo + hi) / 2; equivalent(tilted(mid)) < limit {
			lo = mid
		} else {
			hi = mid
		}
	}
	other := tilted(lo)
	pick := func(r *rand.Rand, p []float64) int {
		u := r.Float64()
		for i, w := range p {
			if u -= w; u < 0 {
				return i
			}
		}
		return cells - 1
	}
	misses := map[analysis.LooksKind][2]int{}
	for seed := range uint64(rollouts) {
		r := rand.New(rand.NewPCG(seed, 3))
		a, b := make([]uint64, cells), make([]uint64, cells)
		missed := map[analysis.LooksKind][2]bool{}
		n := 0
		for _, to := range []int{40, 80, 160, 320, 640, 900, 1280, 1800, 2560, 3600, 5120} {
			for ; n < to; n++ {
				a[pick(r, base)]++
				b[pick(r, other)]++
			}
			c, err := drift.Counts(a, b)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
				level, ok := ruler{kind: k, looks: 1, planned: 1000}.levelFor(alpha, float64(2*n))
				if !ok {
					continue
				}
				d, err := drift.PSIEquivalent(c, drift.Options{Level: level})
				if err != nil {
					t.Fatal(err)
				}
				m := missed[k]
				missed[k] = [2]bool{m[0] || d.Interval.Lo > limit, m[1] || d.Interval.Hi < limit}
			}
		}
		for k, m := range missed {
			n := misses[k]
			for i := range n {
				if m[i] {
					n[i]++
				}
			}
			misses[k] = n
		}
	}
	most := int(alpha*rollouts + 3*math.Sqrt(alpha*(1-alpha)*rollouts))
	if m := misses[analysis.Continuous]; m[0] > most || m[1] > most {
		t.Errorf("%v of %d rollouts missed, at most %d", m, rollouts, most)
	}
	t.Logf("anytime %v, single look %v of %d", misses[analysis.Continuous], misses[analysis.Once], rollouts)
}

// TestFixedCoverage: a single look misses about as often as it says.
func TestFixedCoverage(t *testing.T) {
	const samples, alpha, n = 4000, 0.05, 400
	r := rand.New(rand.NewPCG(5, 6))
	var above, below, ratioAbove, ratioBelow int
	for range samples {
		var x, y uint64
		for range n {
			if r.Float64() < 0.06 {
				x++
			}
			if r.Float64() < 0.06 {
				y++
			}
		}
		p := pair{base: shareOf(x, n, 1), cand: shareOf(y, n, 1), r: ruler{kind: analysis.Once, looks: 1}}
		d, q := p.difference(alpha), p.ratio(alpha)
		if d.lo > 0 {
			above++
		}
		if d.hi < 0 {
			below++
		}
		if q.lo > 1 {
			ratioAbove++
		}
		if q.hi < 1 {
			ratioBelow++
		}
	}
	for name, k := range map[string]int{"difference above": above, "difference below": below, "ratio above": ratioAbove, "ratio below": ratioBelow} {
		if share := float64(k) / samples; share < 0.03 || share > 0.065 {
			t.Errorf("%s: missed in %.1f%% of the samples, want about 5%%", name, 100*share)
		}
	}
}

// TestQuantileCoverage: the order statistics miss at most as often as they say.
func TestQuantileCoverage(t *testing.T) {
	const samples, alpha = 600, 0.05
	r := rand.New(rand.NewPCG(7, 8))
	for _, q := range []float64{0.5, 0.95} {
		truth := -math.Log(1 - q) // of the exponential
		above, below := 0, 0
		for range samples {
			var m measure
			h := histogramOf(300, r.ExpFloat64)
			m.kind, m.q, m.n, m.cells, m.least, m.most = quantile, q, 300, h.Cells(), h.Min(), h.Max()
			s := m.order(ruler{kind: analysis.Once, looks: 1}, alpha)
			if s.lo > truth {
				above++
			}
			if s.hi < truth {
				below++
			}
		}
		most := int(alpha*samples + 3*math.Sqrt(alpha*(1-alpha)*samples))
		if above > most || below > most || above+below < samples/200 {
			t.Errorf("q %v: missed %d above and %d below of %d, at most %d", q, above, below, samples, most)
		}
	}
}

// TestFixedRuler holds the width at a single look against Student's t in mpmath.
func TestFixedRuler(t *testing.T) {
	once := ruler{kind: analysis.Once, looks: 1}
	for _, c := range statstest.Load(t, "checks").ByFunc(t, "studentQuantile") {
		alpha, df := statstest.Float(t, c.In, "alpha"), statstest.Float(t, c.In, "df")
		statstest.Near(t, c.Name, once.z(alpha, 1, df), statstest.Float(t, c.Want, "t"), 1e-13, c.ATol)
	}
	if once.z(0.5, 1, 3) != 0 || !math.IsInf(once.z(0.05, 1, 0), 1) {
		t.Error("half the mass is above 0; without degrees of freedom nothing is known")
	}
}

// TestMover against independent implementations in NumPy.
func TestMover(t *testing.T) {
	for _, c := range statstest.Load(t, "checks").ByFunc(t, "moverRatio") {
		f := func(key string) float64 { return statstest.Float(t, c.In, key) }
		got := moverRatio(f("b"), f("c"), span{f("b_lo"), f("b_hi")}, span{f("c_lo"), f("c_hi")}, f("positive") == 1)
		statstest.Near(t, c.Name+" lo", got.lo, statstest.Float(t, c.Want, "lo"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" hi", got.hi, statstest.Float(t, c.Want, "hi"), c.RTol, c.ATol)
	}
}

// TestBoundsNeverCross: whatever the arms, the bounds are in order, and a smaller
// error gives wider ones.
func TestBoundsNeverCross(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		n, m := 1+r.Uint64N(3000), 1+r.Uint64N(3000)
		p := pair{base: shareOf(r.Uint64N(n+1), n, 1+2*r.Float64()), cand: shareOf(r.Uint64N(m+1), m, 1)}
		for _, k := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
			p.r = ruler{kind: k, looks: 1, planned: 1000}
			for name, f := range map[string]func(float64) span{"difference": p.difference, "ratio": p.ratio, "alone": func(a float64) span { return p.cand.alone(p.r, a) }} {
				if name == "ratio" && p.base.value == 0 {
					continue
				}
				wide, narrow := f(0.001), f(0.1)
				if !(wide.lo <= narrow.lo && narrow.hi <= wide.hi && narrow.lo <= narrow.hi) {
					t.Errorf("%s of %d/%d and %d/%d, looks %v: %v at 0.001, %v at 0.1", name, p.base.x, p.base.n, p.cand.x, p.cand.n, k, wide, narrow)
				}
			}
		}
	}
}

// TestFormats: numbers as people write them.
func TestFormats(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{number(0), "0"}, {number(0.3512), "0.3512"}, {number(12.3456), "12.35"}, {number(1234.5), "1234"}, {number(0.00001234), "1.234e-05"},
		{number(100), "100"}, {number(-0.5), "-0.5"}, {number(1e-300), "1e-300"}, {number(math.Inf(1)), "+Inf"}, {number(math.NaN()), "NaN"}, {number(5e20), "5e+20"},
		{percent(0), "0%"}, {percent(1), "100%"}, {percent(0.123456), "12.3%"}, {percent(0.0123), "1.23%"}, {percent(0.00012), "0.012%"}, {percent(-0.5), "-50%"},
		{quantity(0.05, "pp"), "5 pp"}, {quantity(2, "ratio"), "2x"}, {quantity(0.1, "nats"), "0.1 nats"}, {quantity(0.1, ""), "0.1"}, {quantity(0.1, "share"), "10%"},
		{count(0), "0"}, {count(999), "999"}, {count(12400), "12,400"}, {count(1234567), "1,234,567"},
		{list(nil, 3), "none"}, {list([]string{"a"}, 3), "a"}, {list([]string{"a", "b", "c"}, 3), "a, b and c"}, {list([]string{"a", "b", "c"}, 2), "a, b and 1 more"},
		{eValue(0), "1"}, {eValue(500), "10^217"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func histogramOf(n int, f func() float64) *summary.Histogram {
	var h summary.Histogram
	for range n {
		h.Add(f())
	}
	return &h
}
