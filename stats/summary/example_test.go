package summary_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Two workers read halves of one column. Whichever half comes first, and however
// the rows are split, the merged state has the same bytes, so a verdict cannot
// depend on how the log was cut into files.
func Example() {
	latency := []float64{12.5, 9.75, 31, 12.5, 0, 18.25, 9.5, 45}
	var left, right summary.Histogram
	left.AddSlice(latency[:3])
	right.AddSlice(latency[3:])
	right.AddNull(2)

	var all, reversed summary.Histogram
	for _, shard := range []*summary.Histogram{&left, &right} {
		if err := all.Merge(shard); err != nil {
			log.Fatal(err)
		}
	}
	for _, shard := range []*summary.Histogram{&right, &left} {
		if err := reversed.Merge(shard); err != nil {
			log.Fatal(err)
		}
	}
	a, err := all.MarshalBinary()
	if err != nil {
		log.Fatal(err)
	}
	b, err := reversed.MarshalBinary()
	if err != nil {
		log.Fatal(err)
	}
	m, err := all.Moments()
	if err != nil {
		log.Fatal(err)
	}
	median, err := all.Quantile(0.5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("same bytes:", bytes.Equal(a, b))
	fmt.Println("values:", all.N(), "missing:", all.Excluded().Null)
	fmt.Println("mean:", m.Mean, "variance:", m.Variance)
	fmt.Println("median:", median.Value)
	// Output:
	// same bytes: true
	// values: 8 missing: 2
	// mean: 17.3125 variance: 202.72767857142858
	// median: 12.5
}

func ExampleNewLayout() {
	l, err := summary.NewLayout(summary.Probability)
	fmt.Println(l.ID(), err)
	_, err = summary.NewLayout(summary.FrozenEdges)
	fmt.Println(errors.Is(err, stats.ErrDomain))
	// Output:
	// probability/9 <nil>
	// true
}

// Frozen edges are for cells agreed upon beforehand, such as those of an existing
// monitor.
func ExampleNewEdges() {
	l, err := summary.NewEdges(18, 30, 50)
	if err != nil {
		log.Fatal(err)
	}
	h := summary.NewHistogram(l)
	h.AddSlice([]float64{17.9, 18, 64, 29, 30})
	for _, c := range h.Cells() {
		fmt.Printf("[%v, %v) %d\n", c.Lo, c.Hi, c.N)
	}
	// Output:
	// [-Inf, 18) 1
	// [18, 30) 2
	// [30, 50) 1
	// [50, +Inf) 1
}

func ExampleNewHistogram() {
	l, err := summary.NewLayout(summary.Probability)
	if err != nil {
		log.Fatal(err)
	}
	h := summary.NewHistogram(l)
	h.AddSlice([]float64{0.2, 0.9, 1, 1.5})
	fmt.Println(h.N(), h.Excluded().Above)
	// Output: 3 1
}

// A histogram refuses another layout, and stays as it was.
func ExampleHistogram_Merge() {
	scores, err := summary.NewLayout(summary.Probability)
	if err != nil {
		log.Fatal(err)
	}
	a, b := summary.NewHistogram(scores), new(summary.Histogram)
	a.Add(0.5)
	b.Add(0.5) // takes the LogLinear layout
	fmt.Println(a.Merge(b))
	fmt.Println(a.N())
	// Output:
	// summary: Histogram.Merge: layouts probability/9 and loglinear/7: arguments do not match
	// 1
}

func ExampleHistogram_Quantile() {
	var h summary.Histogram
	for i := 1; i <= 1000; i++ {
		h.Add(float64(i) / 10)
	}
	q, err := h.Quantile(0.95)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("about %.2f, certainly from %v to %v\n", q.Value, q.Lo, q.Hi)
	// Output: about 95.05, certainly from 95 to 95.5
}

func ExampleHistogram_CountBelow() {
	var h summary.Histogram
	h.AddSlice([]float64{1, 2, 2.001, 2.002, 3})
	fmt.Println(h.CountBelow(2))
	fmt.Println(h.CountBelow(2.0015))
	// Output:
	// 1 1
	// 1 4
}

// Mean and variance are correctly rounded, however far the values lie from zero.
func ExampleHistogram_Moments() {
	var h summary.Histogram
	h.AddSlice([]float64{1e9 + 1, 1e9 + 2, 1e9 + 3})
	m, err := h.Moments()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Mean, m.Variance)
	// Output: 1.000000002e+09 1
}

func ExampleHistogram_Cells() {
	var h summary.Histogram
	h.AddSlice([]float64{-2, 0, 1, 1.001})
	for _, c := range h.Cells() {
		fmt.Printf("%v to %v: %d, mean %v\n", c.Lo, c.Hi, c.N, c.Mean)
	}
	// Output:
	// -2.015625 to -2: 1, mean -2
	// 0 to 0: 1, mean 0
	// 1 to 1.0078125: 2, mean 1.0005
}

func ExampleNewScores() {
	s, err := summary.NewScores(0.5)
	if err != nil {
		log.Fatal(err)
	}
	err = s.AddSlice(
		[]float64{0.9, 0.4, 0.6, 0.1, 0.7},
		[]summary.Label{summary.Positive, summary.Positive, summary.Negative, summary.Negative, summary.Unlabelled},
	)
	if err != nil {
		log.Fatal(err)
	}
	tp, positives, _ := s.AtLeast(0.5, summary.Positive)
	fp, negatives, _ := s.AtLeast(0.5, summary.Negative)
	fmt.Printf("recall %d/%d, false alarms %d/%d\n", tp, positives, fp, negatives)
	// Output: recall 1/2, false alarms 1/2
}

func ExampleScores_Brier() {
	var s summary.Scores
	if err := s.AddSlice([]float64{0.75, 0.25}, []summary.Label{summary.Positive, summary.Positive}); err != nil {
		log.Fatal(err)
	}
	l, err := s.Brier()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(l.N, l.Mean)
	// Output: 2 0.3125
}

func ExampleScores_LogLoss() {
	var s summary.Scores
	if err := s.AddSlice([]float64{0.5, 0.25}, []summary.Label{summary.Positive, summary.Negative}); err != nil {
		log.Fatal(err)
	}
	l, err := s.LogLoss()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.6f\n", l.Mean)
	// Output: 0.490415
}

func ExampleScores_Reliability() {
	var s summary.Scores
	if err := s.AddSlice([]float64{0.5, 0.5, 1}, []summary.Label{summary.Positive, summary.Negative, summary.Positive}); err != nil {
		log.Fatal(err)
	}
	for _, b := range s.Reliability() {
		fmt.Println(b.Index, b.N, b.Positives, b.SumP)
	}
	// Output:
	// 1024 2 1 1
	// 2047 1 1 1
}

func ExampleNewCategorical() {
	c, err := summary.NewCategorical(2)
	if err != nil {
		log.Fatal(err)
	}
	c.AddN("android", 60)
	c.AddN("ios", 30)
	fmt.Println(c.Counts(), c.OtherTotal())
	c.AddN("web", 9) // one name too many: the one with the largest hash goes
	n, exact := c.Distinct()
	fmt.Println(len(c.Counts()), c.Total(), n >= 3, exact)
	// Output:
	// [{android 60} {ios 30}] 0
	// 2 99 true false
}

func ExampleDistinct() {
	var d summary.Distinct
	if err := d.AddInts([]int64{7, 7, 9}, nil); err != nil {
		log.Fatal(err)
	}
	n, exact := d.Count()
	fmt.Println(n, exact, d.Total())
	// Output: 2 true 3
}

// A unit must not be in two arms.
func ExampleDistinct_Shared() {
	var a, b summary.Distinct
	a.AddString("user 1", 3)
	a.AddString("user 2", 1)
	b.AddString("user 2", 5)
	fmt.Println(a.Shared(&b))
	// Output: 2 1 1
}

func ExampleProportion() {
	var p summary.Proportion
	if err := p.AddSlice([]bool{true, false, true, false}, []bool{true, true, true, false}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.True, "of", p.Trials(), "and", p.Null, "missing")
	// Output: 2 of 3 and 1 missing
}

func ExampleSum() {
	var s summary.Sum
	for _, x := range []float64{1e300, 1, -1e300} {
		s.Add(x)
	}
	fmt.Println(s.Float64())
	b, err := json.Marshal(&s)
	fmt.Println(string(b), err)
	// Output:
	// 1
	// {"n":3,"excluded":{},"sum":"0x1p+0"} <nil>
}

func ExampleMoments() {
	var m summary.Moments
	m.AddSlice([]float64{1, 1, 1, 5})
	s, err := m.Shape()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("mean %v, variance %v, skewness %.4f, kurtosis %.4f\n", s.Mean, s.Variance, s.Skewness, s.Kurtosis)
	// Output: mean 2, variance 4, skewness 1.1547, kurtosis 2.3333
}
