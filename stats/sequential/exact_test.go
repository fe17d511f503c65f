package sequential_test

import (
	"math"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/statstest"
)

// The tests of this file enumerate every outcome of small experiments and check
// the defining property of an e-value, E[exp(log E)] <= 1 under each null,
// without simulation and without trusting any formula.

// outcome is one possible result with its probability.
type outcome[T any] struct {
	value T
	prob  float64
}

// binomials lists the successes of independent binomial draws.
func binomials(n []uint64, p []float64) []outcome[[]uint64] {
	out := []outcome[[]uint64]{{prob: 1}}
	for i := range n {
		var next []outcome[[]uint64]
		for _, o := range out {
			c := 1.0
			for k := uint64(0); k <= n[i]; k++ {
				w := c * math.Pow(p[i], float64(k)) * math.Pow(1-p[i], float64(n[i]-k))
				next = append(next, outcome[[]uint64]{append(append([]uint64(nil), o.value...), k), o.prob * w})
				c = c * float64(n[i]-k) / float64(k+1)
			}
		}
		out = next
	}
	return out
}

// sequences lists all draws of n values from points with the given weights.
func sequences(n int, points, weights []float64) []outcome[[]float64] {
	out := []outcome[[]float64]{{prob: 1}}
	for range n {
		var next []outcome[[]float64]
		for _, o := range out {
			for i, x := range points {
				next = append(next, outcome[[]float64]{append(append([]float64(nil), o.value...), x), o.prob * weights[i]})
			}
		}
		out = next
	}
	return out
}

// expect checks E[e] against 1: at most, or equal when exact.
func expect[T any](t *testing.T, what string, all []outcome[T], exact bool, logE func(T) (float64, error)) {
	t.Helper()
	mass, mean := 0.0, 0.0
	for _, o := range all {
		l, err := logE(o.value)
		if err != nil {
			t.Fatalf("%s: %v: %v", what, o.value, err)
		}
		mass += o.prob
		mean += o.prob * math.Exp(l)
	}
	statstest.Near(t, what+": total probability", mass, 1, 1e-10, 0)
	if exact {
		statstest.Near(t, what+": mean e-value", mean, 1, 1e-9, 0)
	} else if mean > 1+1e-9 {
		t.Errorf("%s: mean e-value = %v, want at most 1", what, mean)
	}
}

func logE(r sequential.Result, err error) (float64, error) { return r.LogE, err }

func TestExactSRM(t *testing.T) {
	// Three arms as two nested binomials; two stages with other weights.
	w1, w2 := []float64{1, 1, 2}, []float64{3, 1}
	var all []outcome[[]uint64]
	for _, a := range binomials([]uint64{9}, []float64{0.25}) {
		for _, b := range binomials([]uint64{9 - a.value[0], 7}, []float64{1.0 / 3, 0.75}) {
			all = append(all, outcome[[]uint64]{[]uint64{a.value[0], b.value[0], b.value[1]}, a.prob * b.prob})
		}
	}
	expect(t, "SRM", all, true, func(x []uint64) (float64, error) {
		r, err := sequential.SRM([]sequential.ShareStage{
			{Weights: w1, Counts: []uint64{x[0], x[1], 9 - x[0] - x[1]}},
			{Weights: w2, Counts: []uint64{x[2], 7 - x[2]}},
		}, sequential.SRMOptions{Concentrations: []float64{1, 30}})
		return r.LogE, err
	})
}

func TestExactBinomMix(t *testing.T) {
	share, events := []float64{0.1, 0.4}, []uint64{8, 9}
	for _, tc := range []struct {
		alt    stats.Alternative
		nullRR float64
		rr     float64
		exact  bool
	}{
		{stats.Greater, 1, 1, true}, {stats.Greater, 1, 0.4, false}, {stats.Greater, 1.5, 1.5, true}, {stats.Greater, 1.5, 1.2, false},
		{stats.Less, 1, 1, true}, {stats.Less, 1, 3, false}, {stats.Less, 1.2, 1.2, true}, {stats.Different, 1, 1, true}, {stats.Different, 0.8, 0.8, true},
	} {
		p := make([]float64, len(share))
		for i, r := range share {
			p[i] = r * tc.rr / (r*tc.rr + 1 - r)
		}
		expect(t, "BinomMix "+tc.alt.String(), binomials(events, p), tc.exact, func(x []uint64) (float64, error) {
			return logE(sequential.BinomMix([]sequential.EventStage{
				{Share: share[0], Baseline: events[0] - x[0], Candidate: x[0]},
				{Share: share[1], Baseline: events[1] - x[1], Candidate: x[1]},
			}, sequential.BinomMixOptions{Alternative: tc.alt, NullRR: tc.nullRR}))
		})
	}
}

func TestExactTwoSample(t *testing.T) {
	// Given the cells of the units, their arms are independent of them.
	cells := []uint64{4, 3, 0, 6, 2}
	p := []float64{0.3, 0.3, 0.3, 0.3, 0.3}
	expect(t, "TwoSample", binomials(cells, p), true, func(x []uint64) (float64, error) {
		s := sequential.CellStage{Share: 0.3, Candidate: x}
		for i, n := range cells {
			s.Baseline = append(s.Baseline, n-x[i])
		}
		r, err := sequential.TwoSample([]sequential.CellStage{s}, sequential.TwoSampleOptions{})
		return r.LogE, err
	})
}

func TestExactBlock(t *testing.T) {
	n := []uint64{3, 2, 2, 4, 3, 1}
	for _, tc := range []struct {
		alt    stats.Alternative
		pa, pb float64
	}{
		{stats.Different, 0.2, 0.2}, {stats.Different, 0.9, 0.9}, {stats.Greater, 0.3, 0.3}, {stats.Greater, 0.6, 0.2},
		{stats.Greater, 0.31, 0.29}, {stats.Less, 0.5, 0.5}, {stats.Less, 0.4, 0.45}, {stats.Less, 0.01, 0.9},
	} {
		p := []float64{tc.pa, tc.pb, tc.pa, tc.pb, tc.pa, tc.pb}
		expect(t, "Block "+tc.alt.String(), binomials(n, p), false, func(y []uint64) (float64, error) {
			var looks []sequential.BlockLook
			for i := 0; i < len(y); i += 2 {
				looks = append(looks, sequential.BlockLook{NBaseline: n[i], YBaseline: y[i], NCandidate: n[i+1], YCandidate: y[i+1]})
			}
			return logE(sequential.Block(looks, sequential.BlockOptions{Alternative: tc.alt}))
		})
	}
}

func sumLook(x []float64) sequential.SumLook {
	s := sequential.SumLook{N: uint64(len(x))}
	for _, v := range x {
		s.Sum += v
		s.SumSq += v * v
	}
	return s
}

func TestExactBoundedMeans(t *testing.T) {
	points, weights := []float64{0, 0.25, 1}, []float64{0.5, 0.3, 0.2}
	const mean = 0.275
	all := sequences(7, points, weights)
	for _, tc := range []struct {
		alt  stats.Alternative
		null float64
	}{{stats.Greater, mean}, {stats.Greater, 0.5}, {stats.Less, mean}, {stats.Less, 0.1}, {stats.Different, mean}} {
		o := sequential.BoundedOptions{Null: tc.null, Alternative: tc.alt}
		expect(t, "Bernstein "+tc.alt.String(), all, false, func(x []float64) (float64, error) {
			return logE(sequential.Bernstein([]sequential.SumLook{sumLook(x[:2]), sumLook(x[2:3]), sumLook(x[3:])}, o))
		})
		expect(t, "Hedged "+tc.alt.String(), all, tc.null == mean, func(x []float64) (float64, error) {
			return logE(sequential.Hedged(x, o))
		})
	}
}

func TestExactBernsteinDiff(t *testing.T) {
	// Both arms have mean 0.4, with different spread.
	a := sequences(4, []float64{0.2, 0.6}, []float64{0.5, 0.5})
	b := sequences(5, []float64{0, 1}, []float64{0.6, 0.4})
	var all []outcome[[]float64]
	for _, x := range a {
		for _, y := range b {
			all = append(all, outcome[[]float64]{append(append([]float64(nil), x.value...), y.value...), x.prob * y.prob})
		}
	}
	for _, tc := range []struct {
		alt  stats.Alternative
		null float64
	}{{stats.Greater, 0}, {stats.Greater, 0.3}, {stats.Less, 0}, {stats.Less, -0.2}, {stats.Different, 0}} {
		expect(t, "BernsteinDiff "+tc.alt.String(), all, false, func(x []float64) (float64, error) {
			return logE(sequential.BernsteinDiff([]sequential.PairLook{
				{Baseline: sumLook(x[:3]), Candidate: sumLook(x[4:5])},
				{Baseline: sumLook(x[3:4]), Candidate: sumLook(x[5:])},
			}, sequential.BoundedOptions{Null: tc.null, Alternative: tc.alt}))
		})
	}
}

func TestExactBernoulli(t *testing.T) {
	for _, tc := range []struct {
		alt     stats.Alternative
		null, p float64
		exact   bool
	}{{stats.Different, 0.2, 0.2, true}, {stats.Greater, 0.2, 0.2, true}, {stats.Greater, 0.2, 0.05, false}, {stats.Less, 0.7, 0.7, true}, {stats.Less, 0.7, 0.9, false}} {
		expect(t, "Bernoulli "+tc.alt.String(), binomials([]uint64{25}, []float64{tc.p}), tc.exact, func(x []uint64) (float64, error) {
			return logE(sequential.Bernoulli(x[0], 25, sequential.BernoulliOptions{Null: tc.null, Alternative: tc.alt, Planned: 40}))
		})
	}
}

func TestExactQuantile(t *testing.T) {
	// Three cells as two nested binomials in each arm, of 6 and 5 units.
	arms := func(pa, pb [3]float64) []outcome[[]uint64] {
		var all []outcome[[]uint64]
		for _, first := range binomials([]uint64{6, 5}, []float64{pa[0], pb[0]}) {
			rest := []uint64{6 - first.value[0], 5 - first.value[1]}
			for _, second := range binomials(rest, []float64{pa[1] / (1 - pa[0]), pb[1] / (1 - pb[0])}) {
				all = append(all, outcome[[]uint64]{append(append([]uint64(nil), first.value...), second.value...), first.prob * second.prob})
			}
		}
		return all
	}
	for _, tc := range []struct {
		name   string
		alt    stats.Alternative
		pa, pb [3]float64
	}{
		{"equal medians inside a cell", stats.Different, [3]float64{0.3, 0.4, 0.3}, [3]float64{0.1, 0.5, 0.4}},
		{"equal medians at an edge", stats.Different, [3]float64{0.5, 0.3, 0.2}, [3]float64{0.5, 0.1, 0.4}},
		{"candidate below, no harm", stats.Greater, [3]float64{0.2, 0.3, 0.5}, [3]float64{0.6, 0.2, 0.2}},
		{"same cell, no harm", stats.Greater, [3]float64{0.4, 0.3, 0.3}, [3]float64{0.4, 0.3, 0.3}},
		{"candidate above", stats.Less, [3]float64{0.6, 0.2, 0.2}, [3]float64{0.2, 0.2, 0.6}},
	} {
		expect(t, "Quantile: "+tc.name, arms(tc.pa, tc.pb), false, func(x []uint64) (float64, error) {
			r, err := sequential.Quantile([]uint64{x[0], x[2], 6 - x[0] - x[2]}, []uint64{x[1], x[3], 5 - x[1] - x[3]}, 0.5,
				sequential.QuantileOptions{Alternative: tc.alt, Planned: 30})
			return r.LogE, err
		})
	}
}

// Detector steps are e-values, so the mean run length is at least 1/Alpha. With
// steps of e = 2 or 0 at even odds the CUSUM with Alpha = 1/8 alarms after three
// twos in a row: 14 steps on average.
func TestDetectorRunLength(t *testing.T) {
	type state struct {
		d    sequential.Detector
		prob float64
	}
	run := func(rule sequential.Rule) (mean float64) {
		live := []state{{sequential.Detector{Alpha: 0.125, Rule: rule}, 1}}
		for range 400 { // the rest has a negligible probability
			var next []state
			for _, s := range live {
				mean += s.prob
				for _, e := range []float64{math.Ln2, math.Inf(-1)} {
					d := s.d
					alarm, err := d.Observe(e)
					if err != nil {
						t.Fatal(err)
					}
					same := func(o state) bool { return o.d.LogM == d.LogM }
					if i := slices.IndexFunc(next, same); alarm {
						continue
					} else if i >= 0 {
						next[i].prob += s.prob / 2
					} else {
						next = append(next, state{d, s.prob / 2})
					}
				}
			}
			live = next
		}
		return mean
	}
	statstest.Near(t, "CUSUM average run length", run(sequential.CUSUM), 14, 1e-6, 0)
	if mean := run(sequential.ShiryaevRoberts); mean < 8 || mean > 14 {
		t.Errorf("Shiryaev-Roberts average run length = %v, want at least 1/Alpha = 8 and no more than CUSUM's 14", mean)
	}
}

// TestBernoulliHugeSamples: the interval closes in on the rate up to 1e14 trials.
func TestBernoulliHugeSamples(t *testing.T) {
	for n := uint64(1e9); n <= 1e14; n *= 10 {
		v, err := sequential.Bernoulli(n/10, n, sequential.BernoulliOptions{Level: 0.9999})
		if err != nil {
			t.Fatal(err)
		}
		if half := 10 * math.Sqrt(0.09/float64(n)); v.Estimate.Lo < 0.1-half || v.Estimate.Hi > 0.1+half || !(v.Estimate.Lo < 0.1 && v.Estimate.Hi > 0.1) {
			t.Errorf("n %d: %v", n, v.Estimate)
		}
	}
}
