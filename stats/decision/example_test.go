package decision_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/rampguard/rampguard/stats/decision"
	"github.com/rampguard/rampguard/stats/summary"
)

// hist counts scores in the cells of probabilities.
func hist(scores []float64) *summary.Histogram {
	l, err := summary.NewLayout(summary.Probability)
	if err != nil {
		return &summary.Histogram{}
	}
	h := summary.NewHistogram(l)
	h.AddSlice(scores)
	return h
}

// model makes scores; a higher power makes smaller ones.
func model(seed uint64, n, power int) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
		for range power {
			out[i] *= r.Float64()
		}
	}
	return out
}

func ExampleAtLeast() {
	share, err := decision.AtLeast(hist(model(1, 10000, 2)), 0.3)
	fmt.Printf("%.4f, certainly between %.4f and %.4f, %v\n", share.Value, share.Lo, share.Hi, err)
	// Output: 0.3394, certainly between 0.3392 and 0.3396, <nil>
}

func ExampleMix() {
	mix, err := decision.Mix(hist([]float64{0.1, 0.3, 0.5, 0.7, 0.9}), []float64{0.8, 0.4})
	fmt.Printf("%.1f %.1f %.1f %v\n", mix[0].Value, mix[1].Value, mix[2].Value, err)
	// Output: 0.2 0.4 0.4 <nil>
}

func ExampleSensitivity() {
	s, err := decision.Sensitivity(hist(model(1, 10000, 2)), 0.5, 0.0625)
	fmt.Printf("%.1f%% at the cut, %.1f%% below it, %.1f%% above: %.0f%% of the volume, %v\n",
		100*s.At.Value, 100*s.Lower.Value, 100*s.Higher.Value, 100*s.Relative, err)
	// Output: 15.5% at the cut, 20.3% below it, 11.6% above: 28% of the volume, <nil>
}

// A new model under new cuts blocks more. Units went to the two at random, so the
// populations are the same and the scores of both arms at both lists of cuts do.
func ExampleSplitShift() {
	var m decision.Mixes
	m[0][0][0] = []float64{0.10, 0.90} // block, allow
	m[0][1][0] = []float64{0.20, 0.80}
	m[1][0][1] = []float64{0.15, 0.85}
	m[1][1][1] = []float64{0.30, 0.70}
	s, err := decision.SplitShift(m, decision.ShiftOptions{SamePopulation: true})
	fmt.Printf("block %+.3f: model %+.3f, policy %+.3f; %d orders, %v\n", s.Total[0], s.Model.Mean[0], s.Policy.Mean[0], s.Orders, err)
	// Output: block +0.200: model +0.075, policy +0.125; 6 orders, <nil>
}

func ExampleCutAt() {
	c, err := decision.CutAt(hist([]float64{0.2, 0.4, 0.4, 0.4, 0.8}), 0.3)
	fmt.Println(c.At, c.Rate.Value, c.Tied, c.Below, c.Above, err)
	// Output: 0.8 0.2 true 0.2 0.8 <nil>
}

func ExampleEqualRates() {
	old, scores := model(1, 10000, 2), hist(model(2, 9000, 3))
	blocked := uint64(0)
	for _, s := range old {
		if s >= 0.5 {
			blocked++
		}
	}
	rs, err := decision.EqualRates([]uint64{blocked}, uint64(len(old)), scores, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := rs[0]
	fmt.Printf("%.2f%% at or above 0.5 become %.2f%% at or above %v\n", 100*r.Want, 100*r.Rate.Value, r.At)
	fmt.Printf("difference %.4f [%.4f, %.4f], standard error %.4f\n", r.Difference.Estimate.Point+0, r.Difference.Estimate.Lo, r.Difference.Estimate.Hi, r.Difference.SE)
	// Output:
	// 15.49% at or above 0.5 become 15.49% at or above 0.2511
	// difference 0.0000 [-0.0105, 0.0104], standard error 0.0053
}

func ExampleEqualBadRate() {
	r := rand.New(rand.NewPCG(3, 1))
	var bad, good []float64
	for _, s := range model(4, 5000, 2) {
		if r.Float64() < s {
			bad = append(bad, s)
		} else {
			good = append(good, s)
		}
	}
	c, err := decision.EqualBadRate(0.15, hist(bad), hist(good), 0)
	fmt.Printf("let through below %v: %d of %d bad, %.4f, %v\n", c.At, c.Bad, c.Known, c.Rate.Point, err)
	// Output: let through below 0.408203125: 581 of 3877 bad, 0.1499, <nil>
}

func ExampleRateDifference() {
	d, err := decision.RateDifference(1000, 50000, 110, 5000, 0)
	fmt.Printf("%.4f, SE %.5f, %s, %v\n", d.Estimate.Point, d.SE, d.Method, err)
	// Output: 0.0020, SE 0.00209, unpaired, Newcombe hybrid score difference, <nil>
}

func ExamplePairedRateDifference() {
	d, err := decision.PairedRateDifference(150, 250, 50000, 0)
	fmt.Printf("%.4f, SE %.5f, %s, %v\n", d.Estimate.Point, d.SE, d.Method, err)
	// Output: 0.0020, SE 0.00040, paired, Tango score, <nil>
}
