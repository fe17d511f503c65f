package compat_test

import (
	"fmt"

	"github.com/rampguard/rampguard/drift/compat"
)

// One pair of samples, one name, four numbers.
func Example() {
	ref := []float64{400, 300, 200, 100, 0}
	cur := []float64{380, 290, 210, 110, 10}
	frouros, _ := compat.FrourosPSI(ref, cur)
	evidently, _ := compat.EvidentlyPSI(ref, cur)
	deepchecks, _ := compat.DeepchecksPSI(ref, cur)
	deequ, _ := compat.DeequPSI(ref, cur)
	fmt.Printf("frouros %.3f, Evidently %.3f, deepchecks %.4f, deequ %v\n", frouros, evidently, deepchecks, deequ)
	// Output: frouros 7.041, Evidently 0.048, deepchecks 0.0028, deequ +Inf
}

func ExampleSciPyJensenShannon() {
	ref, cur := []float64{500, 300, 200}, []float64{400, 300, 300}
	evidently, _ := compat.SciPyJensenShannon(ref, cur, 0)
	nannyml, _ := compat.SciPyJensenShannon(ref, cur, 2)
	fmt.Printf("%.4f, and %.4f in base 2\n", evidently, nannyml)
	// Output: 0.0884, and 0.1062 in base 2
}

func ExampleSciPyEntropy() {
	d, _ := compat.SciPyEntropy([]float64{50, 30, 20}, []float64{70, 30, 0})
	fmt.Println(d)
	// Output: +Inf
}

func ExampleDeequEntropy() {
	h, _ := compat.DeequEntropy([]float64{3, 1})
	fmt.Printf("%.4f nats\n", h)
	// Output: 0.5623 nats
}

func ExampleGonumBhattacharyya() {
	d, _ := compat.GonumBhattacharyya([]float64{0.4, 0.6, 0}, []float64{0.2, 0.2, 0.6})
	fmt.Printf("%.4f\n", d)
	// Output: 0.4632
}

func ExampleGonumChiSquare() {
	d, _ := compat.GonumChiSquare([]float64{40, 60, 30, 45}, []float64{50, 50, 50, 50})
	fmt.Println(d)
	// Output: 12.5
}

func ExampleNannyMLJensenShannon() {
	ref := map[string]float64{"a": 2456, "b": 2485, "c": 2550, "d": 2509}
	cur := map[string]float64{"a": 213, "b": 287, "c": 247, "e": 253}
	js, _ := compat.NannyMLJensenShannon(ref, cur)
	h, _ := compat.NannyMLHellinger(ref, cur)
	fmt.Printf("Jensen-Shannon %.2f, Hellinger %.2f\n", js, h)
	// Output: Jensen-Shannon 0.50, Hellinger 0.50
}

func ExampleNannyMLThreshold() {
	lo, hi, _ := compat.NannyMLThreshold([]float64{0.11, 0.13, 0.12, 0.10, 0.14}, 3, 3, compat.Mean)
	fmt.Printf("alarm below %.3f or above %.3f\n", lo, hi)
	// Output: alarm below 0.078 or above 0.162
}

func ExampleNannyMLAccuracyError() {
	se, _ := compat.NannyMLAccuracyError(5098, 10000, 50)
	fmt.Printf("%.4f\n", se)
	// Output: 0.0707
}

func ExampleTFDVLInfinity() {
	ref := map[string]float64{"a": 11, "b": 20, "c": 25, "d": 10, "e": 10}
	cur := map[string]float64{"a": 10, "b": 20, "c": 25, "d": 10, "e": 5}
	plain, _ := compat.TFDVLInfinity(ref, cur)
	robust, _ := compat.DeequLInfinity(ref, cur, 0)
	fmt.Printf("%.4f, after the noise %v\n", plain, robust)
	// Output: 0.0602, after the noise 0
}

// Ten times the traffic, the same shares.
func ExampleTFDVNormalizedDifference() {
	d, _ := compat.TFDVNormalizedDifference(map[string]float64{"x": 1, "y": 5}, map[string]float64{"x": 10, "y": 50})
	fmt.Printf("%.2f\n", d)
	// Output: 0.68
}

// A column of NaN is as far from itself as can be.
func ExampleTFDVJensenShannon() {
	d, _ := compat.TFDVJensenShannon(compat.TFDVHistogram{NaN: 5}, compat.TFDVHistogram{NaN: 5})
	fmt.Println(d)
	// Output: 1
}

// The new category "g" is not seen.
func ExampleDeequChiSquare() {
	ref := map[string]float64{"a": 60, "b": 40}
	cur := map[string]float64{"a": 30, "b": 20, "g": 50}
	statistic, p, _ := compat.DeequChiSquare(ref, cur)
	fmt.Println(statistic, p)
	// Output: 0 1
}

func ExampleDeepchecksCramersV() {
	v, _ := compat.DeepchecksCramersV([]float64{2000, 8000}, []float64{4000, 6000})
	fmt.Printf("%.2f\n", v)
	// Output: 0.22
}

func ExampleDeepchecksEarthMover() {
	d, _ := compat.DeepchecksEarthMover([]float64{10, 10, 10}, []float64{0, 0}, 0.025)
	fmt.Println(d)
	// Output: 1
}

func ExampleScouterPSIThreshold() {
	chi, _ := compat.ScouterPSIThreshold(400, 10, 0.05)
	normal, _ := compat.ScouterPSINormalThreshold(400, 10, 0.05)
	fmt.Printf("%.4f, by the normal law %.4f\n", chi, normal)
	// Output: 0.0423, by the normal law 0.0399
}
