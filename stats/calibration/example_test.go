package calibration_test

import (
	"fmt"
	"log"

	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/summary"
)

// tenths returns rows with scores 0.1, 0.5 and 0.9, of which 9 of 50, 15 of 30 and
// 14 of 20 are positive: right in the large, and over-confident.
func tenths() (scores []float64, positive []bool) {
	for _, l := range []struct {
		score float64
		n, k  int
	}{{0.1, 50, 9}, {0.5, 30, 15}, {0.9, 20, 14}} {
		for i := range l.n {
			scores = append(scores, l.score)
			positive = append(positive, i < l.k)
		}
	}
	return scores, positive
}

func tenthsData() calibration.Data {
	d, err := calibration.FromRows(tenths())
	if err != nil {
		log.Fatal(err)
	}
	return d
}

// The scores of a rollout come as a summary; a model with the right number of
// positive labels overall can still be over-confident.
func Example() {
	scores, positive := tenths()
	labels := make([]summary.Label, len(scores))
	for i, y := range positive {
		labels[i] = summary.Negative
		if y {
			labels[i] = summary.Positive
		}
	}
	var log summary.Scores
	if err := log.AddSlice(scores, labels); err != nil {
		fmt.Println(err)
		return
	}
	d, err := calibration.FromScores(&log)
	if err != nil {
		fmt.Println(err)
		return
	}
	sums := d.Sums()
	ratio, _ := calibration.ObservedExpected(sums, 0.95)
	test, _ := calibration.ScoreTest(sums, 0.95)
	size, _ := calibration.DebiasedError(d, calibration.Binning{Method: calibration.EqualWidth, Bins: 16}, 0.95)
	fmt.Printf("O/E %v, p = %.2f\n", ratio.Ratio, ratio.P)
	fmt.Printf("slope %v, p = %.4f\n", test.Slope, test.P)
	fmt.Printf("squared error %v, %v\n", size.Squared, size.Binning)
	// Output:
	// O/E 1 [0.7494, 1.27] (95%), p = 1.00
	// slope 0.3692 [-0.002121, 0.7405] (95%), p = 0.0039
	// squared error 0.00466 [0, 0.03205] (95%), width/16
}

func ExampleFromRows() {
	d, err := calibration.FromRows([]float64{0.2, 0.9, 0.2}, []bool{false, true, true})
	fmt.Println(d.N(), d.Sums().Y, err)
	_, err = calibration.FromRows([]float64{1.2}, []bool{true})
	fmt.Println(err)
	// Output:
	// 3 2 <nil>
	// calibration: FromRows: score 0 is 1.2: argument outside its domain
}

func ExampleFromScores() {
	var s summary.Scores
	if err := s.AddSlice([]float64{0.2, 0.9, 0.4}, []summary.Label{summary.Negative, summary.Positive, summary.Unlabelled}); err != nil {
		fmt.Println(err)
		return
	}
	d, err := calibration.FromScores(&s)
	fmt.Println(d.N(), err) // unlabelled scores are ignored
	// Output:
	// 2 <nil>
}

func ExampleData_Between() {
	d := tenthsData()
	r, err := calibration.ObservedExpected(d.Between(0.8, 1).Sums(), 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d of %d, expected %.0f: O/E %v\n", r.Observed, r.N, r.Expected, r.Ratio)
	// Output:
	// 14 of 20, expected 18: O/E 0.7778 [0.508, 0.979] (95%)
}

func ExampleSums_Merge() {
	d := tenthsData()
	total := d.Between(0, 0.3).Sums() // shards, hours or slices
	total.Merge(d.Between(0.3, 1).Sums())
	fmt.Println(total.N, total.Y)
	// Output:
	// 100 38
}

func ExampleObservedExpected() {
	d, err := calibration.FromRows([]float64{0.05, 0.1, 0.2, 0.3, 0.6}, []bool{false, false, true, false, true})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := calibration.ObservedExpected(d.Sums(), 0.95)
	fmt.Printf("%v, z = %.3f, p = %.3f, %v\n", r.Ratio, r.Z, r.P, err)
	fmt.Println(r.Warnings[0].Code)
	// Output:
	// 1.6 [0.211, 3.413] (95%), z = 0.867, p = 0.386, <nil>
	// small_sample
}

func ExampleSpiegelhalter() {
	r, err := calibration.Spiegelhalter(tenthsData().Sums())
	fmt.Printf("Z = %.3f, p = %.4f, %v\n", r.Z, r.P, err)
	// Output:
	// Z = 3.187, p = 0.0014, <nil>
}

func ExampleScoreTest() {
	r, err := calibration.ScoreTest(tenthsData().Sums(), 0.95)
	fmt.Printf("chi-square %.3f, p = %.4f, %v\n", r.ChiSq, r.P, err)
	fmt.Printf("intercept %.3f, slope %.3f\n", r.Intercept.Point, r.Slope.Point)
	// Output:
	// chi-square 11.089, p = 0.0039, <nil>
	// intercept -0.271, slope 0.369
}

func ExampleCox() {
	r, err := calibration.Cox(tenthsData(), 0.95)
	fmt.Printf("slope %v, %v\n", r.Slope, err)
	fmt.Printf("U %.3f, p = %.4f\n", r.U, r.P)

	separated, _ := calibration.FromRows([]float64{0.1, 0.2, 0.7}, []bool{false, false, true})
	_, err = calibration.Cox(separated, 0.95)
	fmt.Println(err)
	// Output:
	// slope 0.5572 [0.287, 0.8274] (95%), <nil>
	// U 8.602, p = 0.0136
	// calibration: Cox: a threshold on the score separates the labels: no convergence
}

func ExampleBrier() {
	r, err := calibration.Brier(tenthsData(), 0.95)
	fmt.Println(r.Mean, err)
	// Output:
	// 0.202 [0.1475, 0.2565] (95%) <nil>
}

func ExampleLogLoss() {
	r, err := calibration.LogLoss(tenthsData(), 0.95)
	fmt.Println(r.Mean, err)
	// Output:
	// 0.6113 [0.4623, 0.7602] (95%) <nil>
}

func ExampleReliability() {
	bins, err := calibration.Reliability(tenthsData(), calibration.Binning{Method: calibration.EqualWidth, Bins: 4})
	for _, b := range bins {
		fmt.Printf("[%.2f, %.2f) n = %d, score %.2f, rate %.2f\n", b.Lo, b.Hi, b.N, b.Score, b.Rate)
	}
	fmt.Println(err)
	// Output:
	// [0.00, 0.25) n = 50, score 0.10, rate 0.18
	// [0.50, 0.75) n = 30, score 0.50, rate 0.50
	// [0.75, 1.00) n = 20, score 0.90, rate 0.70
	// <nil>
}

func ExampleECE() {
	r, err := calibration.ECE(tenthsData(), calibration.Binning{Method: calibration.Distinct})
	fmt.Printf("ECE %.3f, MCE %.3f over %v bins, %v\n", r.ECE, r.MCE, r.Binning, err)
	fmt.Printf("a calibrated model shows %.3f, up to %.3f\n", r.NullECE, r.Null95)
	// Output:
	// ECE 0.080, MCE 0.200 over distinct bins, <nil>
	// a calibrated model shows 0.049, up to 0.091
}

func ExampleSweep() {
	r, err := calibration.Sweep(tenthsData())
	fmt.Printf("ECE %.3f over %v bins, %v\n", r.ECE, r.Binning, err)
	// Output:
	// ECE 0.080 over mass/3 bins, <nil>
}

func ExampleDebiasedError() {
	r, err := calibration.DebiasedError(tenthsData(), calibration.Binning{Method: calibration.Distinct}, 0.95)
	fmt.Printf("%v, p = %.4f, %v\n", r.Squared, r.P, err)
	// Output:
	// 0.00466 [0, 0.03205] (95%), p = 0.1131, <nil>
}

func ExampleMurphy() {
	r, err := calibration.Murphy(tenthsData(), calibration.Binning{Method: calibration.Distinct})
	fmt.Printf("%.4f = %.4f - %.4f + %.4f, %v\n", r.Brier, r.Plain.Reliability, r.Plain.Resolution, r.Plain.Uncertainty, err)
	fmt.Printf("without bias %.4f\n", r.Corrected.Reliability)
	// Output:
	// 0.2020 = 0.0112 - 0.0448 + 0.2356, <nil>
	// without bias 0.0049
}

func ExampleHosmerLemeshow() {
	r, err := calibration.HosmerLemeshow(tenthsData(), calibration.HosmerLemeshowOptions{
		Binning: calibration.Binning{Method: calibration.Distinct},
	})
	fmt.Printf("%.3f on %v degrees of freedom, p = %.4f, %v\n", r.ChiSq, r.DF, r.P, err)
	// Output:
	// 12.444 on 3 degrees of freedom, p = 0.0060, <nil>
}

func ExampleIsotonic() {
	fit, err := calibration.Isotonic([]float64{1, 3, 2, 2, 5}, nil)
	fmt.Println(fit, err)
	// Output:
	// [1 2.3333333333333335 2.3333333333333335 2.3333333333333335 5] <nil>
}

func ExampleCORP() {
	d, err := calibration.FromRows([]float64{0.4, 0.3, 0.2, 0.1, 0.5, 0.9}, []bool{false, false, false, true, true, true})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := calibration.CORP(d, calibration.Quadratic)
	fmt.Printf("%.4f = %.4f - %.4f + %.4f, %v\n", r.Score, r.MCB, r.DSC, r.UNC, err)
	for _, s := range r.Steps {
		fmt.Printf("[%v, %v] %v\n", s.Lo, s.Hi, s.Rate)
	}
	// Output:
	// 0.2267 = 0.1017 - 0.1250 + 0.2500, <nil>
	// [0.1, 0.4] 0.25
	// [0.5, 0.9] 1
}

func ExampleMCBTest() {
	r, err := calibration.MCBTest(tenthsData(), calibration.ResampleOptions{Seed: 1})
	fmt.Printf("MCB %.4f, %.4f by noise alone, p = %.3f, %v\n", r.MCB, r.NullMCB, r.P, err)
	// Output:
	// MCB 0.0112, 0.0042 by noise alone, p = 0.067, <nil>
}

func ExampleICI() {
	r, err := calibration.ICI(tenthsData())
	fmt.Printf("ICI %.2f, E50 %.2f, E90 %.2f, Emax %.2f, %v\n", r.ICI, r.E50, r.E90, r.Emax, err)
	// Output:
	// ICI 0.08, E50 0.08, E90 0.20, Emax 0.20, <nil>
}

func ExampleAtCut() {
	r, err := calibration.AtCut(tenthsData(), 0.8, calibration.CutOptions{})
	fmt.Printf("%d rows act, scores from %v to %v: O/E %v, %v\n", r.Above, r.Lo, r.Hi, r.InBand.Ratio, err)
	// Output:
	// 20 rows act, scores from 0.9 to 0.9: O/E 0.7778 [0.508, 0.979] (95%), <nil>
}

// halved returns the rows of tenths with scores halved, as a model that is too low.
func halved() calibration.Data {
	scores, positive := tenths()
	for i := range scores {
		scores[i] /= 2
	}
	d, err := calibration.FromRows(scores, positive)
	if err != nil {
		log.Fatal(err)
	}
	return d
}

func ExampleCompareRatio() {
	candidate, err := calibration.ObservedExpected(halved().Sums(), 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	baseline, err := calibration.ObservedExpected(tenthsData().Sums(), 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := calibration.CompareRatio(candidate, baseline, 0.95)
	fmt.Printf("log O/E %v, p = %.5f, %v\n", r.Estimate, r.P, err)
	// Output:
	// log O/E 0.6931 [0.3653, 1.021] (95%), p = 0.00003, <nil>
}

func ExampleCompareLoss() {
	candidate, err := calibration.Brier(halved(), 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	baseline, err := calibration.Brier(tenthsData(), 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := calibration.CompareLoss(candidate, baseline, 0.95)
	fmt.Printf("%v, p = %.2f, %v\n", r.Estimate, r.P, err)
	// Output:
	// 0.0285 [-0.05027, 0.1073] (95%), p = 0.48, <nil>
}

func ExampleCompareMCB() {
	r, err := calibration.CompareMCB(halved(), tenthsData(), calibration.ResampleOptions{Seed: 1})
	fmt.Printf("%v, %v\n", r.Estimate, err)
	// Output:
	// 0.0281 [-0.01579, 0.07199] (95%), <nil>
}
