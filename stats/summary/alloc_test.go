package summary_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/summary"
)

// Adding to a summary that has seen such values, and merging two of them, must
// not allocate.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	xs := hardFloats()
	ls := make([]summary.Label, len(xs))
	is := make([]int64, len(xs))
	bs := make([]bool, len(xs))
	for i := range xs {
		ls[i] = summary.Label(i % 3)
		is[i] = int64(i)
	}
	check := func(name string, do func()) {
		do() // the first time may
		if n := testing.AllocsPerRun(20, do); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	layouts := append(openLayouts(t), open{"edges", edges(t, -1, 0, 0.25, 1), math.Inf(-1), math.Inf(1)})
	for _, o := range layouts {
		h, other := histogram(o.layout, xs...), histogram(o.layout, xs...)
		check("Histogram.AddSlice, "+o.name, func() { h.AddSlice(xs) })
		check("Histogram.Add, "+o.name, func() { h.Add(0.3) })
		check("Histogram.AddN, "+o.name, func() { h.AddN(0.3, 5) })
		check("Histogram.Merge, "+o.name, func() { must(h.Merge(other)) })
	}
	s, err := summary.NewScores(0.5)
	must(err)
	check("Scores.AddSlice", func() { must(s.AddSlice(xs, ls)) })
	check("Scores.AddUnlabelled", func() { s.AddUnlabelled(xs) })
	other, err := summary.NewScores(0.5)
	must(err)
	must(other.AddSlice(xs, ls))
	check("Scores.Merge", func() { must(s.Merge(other)) })

	var c, c2 summary.Categorical
	check("Categorical.AddN", func() { c.AddN("name", 3) })
	c2.AddN("name", 3)
	check("Categorical.Merge", func() { must(c.Merge(&c2)) })
	var d, d2 summary.Distinct
	check("Distinct.AddInts", func() { must(d.AddInts(is, nil)) })
	check("Distinct.AddString", func() { d.AddString("a longer id than fits a register", 1) })
	must(d2.AddInts(is, nil))
	check("Distinct.Merge", func() { must(d.Merge(&d2)) })
	var p, p2 summary.Proportion
	check("Proportion.AddSlice", func() { must(p.AddSlice(bs, bs)) })
	check("Proportion.Merge", func() { must(p.Merge(&p2)) })
	var sum, sum2 summary.Sum
	check("Sum.Add", func() { sum.Add(0.1); sum.AddN(0.1, 7) })
	check("Sum.Merge", func() { must(sum.Merge(&sum2)) })
	var m, m2 summary.Moments
	check("Moments.AddSlice", func() { m.AddSlice(xs) })
	check("Moments.Merge", func() { must(m.Merge(&m2)) })
}
