package drift_test

import (
	"fmt"
	"log"
	"math"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/summary"
)

// column makes n scores of a model from evenly spaced quantiles of a logistic law.
func column(n int, shift float64) *summary.Histogram {
	layout, err := summary.NewLayout(summary.Probability)
	if err != nil {
		log.Fatal(err)
	}
	h := summary.NewHistogram(layout)
	for i := range n {
		u := (float64(i) + 0.5) / float64(n)
		h.Add(1 / (1 + math.Exp(-(math.Log(u/(1-u)) + shift))))
	}
	return h
}

// Scores of two weeks: has anything moved, how much, and where?
func Example() {
	reference, current := column(10000, 0), column(8000, 0.5)
	cells, err := drift.Numeric(reference, current, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	d, err := drift.PSIEquivalent(cells, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	moved, err := drift.Wasserstein1(reference, current, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cells.Method)
	fmt.Printf("PSI-equivalent %.3f to %.3f, noise alone %.4f\n", d.Interval.Lo, d.Interval.Hi, d.Null95)
	top := d.Top[0]
	fmt.Printf("most in %s: from %.1f%% to %.1f%% of the rows\n", top.Cell, 100*top.RefShare, 100*top.CurShare)
	fmt.Printf("scores moved by %.2f on average\n", moved.Value)
	switch {
	case d.Interval.Lo > 0.25:
		fmt.Println("fail")
	case d.Interval.Lo > 0.10:
		fmt.Println("warn")
	case d.Interval.Hi < 0.10:
		fmt.Println("pass")
	default:
		fmt.Println("more rows are needed")
	}
	// Output:
	// 20 reference-quantile cells, layout probability/9
	// PSI-equivalent 0.065 to 0.093, noise alone 0.0068
	// most in 0.95 and above: from 5.0% to 8.0% of the rows
	// scores moved by 0.08 on average
	// pass
}

func ExampleNumeric() {
	ref, cur := new(summary.Histogram), new(summary.Histogram)
	for i := range 1000 {
		ref.Add(float64(i % 100))
		cur.Add(float64(i%100) + 10)
	}
	ref.AddN(-1, 250) // a default for missing values
	cur.AddN(-1, 500)
	cur.Add(math.NaN())
	cells, err := drift.Numeric(ref, cur, drift.Options{Cells: 5})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cells.Method)
	for i, c := range cells.Info {
		fmt.Printf("%-13s %-9v %4d %4d\n", c.Name, c.Kind, cells.Ref[i], cells.Cur[i])
	}
	// Output:
	// 4 reference-quantile cells + 1 cell of frequent values + 1 cell of missing and outside values, layout loglinear/7
	// = -1          atom       250  500
	// -1 to 25      interval   250  150
	// 25 to 50      interval   250  250
	// 50 to 75      interval   250  250
	// 75 and above  interval   250  350
	// NaN           missing      0    1
}

func ExampleCategories() {
	ref, cur := new(summary.Categorical), new(summary.Categorical)
	ref.AddN("DE", 6000)
	ref.AddN("FR", 3990)
	ref.AddN("LU", 10)
	cur.AddN("DE", 2900)
	cur.AddN("FR", 2000)
	cur.AddN("XK", 100)
	cells, err := drift.Categories(ref, cur, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for i, c := range cells.Info {
		fmt.Printf("%s (%v): %d, %d\n", c.Name, c.Kind, cells.Ref[i], cells.Cur[i])
	}
	unseen, err := drift.Unseen(ref, cur, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("unseen before: %.1f%% of the rows, expected %.1f%%\n", 100*unseen.Cur.Point, 100*unseen.Expected)
	// Output:
	// DE (category): 6000, 2900
	// FR (category): 3990, 2000
	// XK (unseen): 0, 100
	// rare (LU) (other): 10, 0
	// unseen before: 2.0% of the rows, expected 0.0%
}

func ExampleBooleans() {
	cells, err := drift.Booleans(&summary.Proportion{True: 200, False: 800}, &summary.Proportion{True: 300, False: 700})
	if err != nil {
		log.Fatal(err)
	}
	d, err := drift.TotalVariation(cells, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f%% of the rows would have to change, P %.1g\n", 100*d.Value, d.P)
	// Output: 10% of the rows would have to change, P 9e-05
}

// The cells of another tool.
func ExampleCounts() {
	cells, err := drift.Counts([]uint64{500, 300, 200}, []uint64{450, 320, 230}, "low", "middle", "high")
	if err != nil {
		log.Fatal(err)
	}
	d, err := drift.PSI(cells, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Method)
	fmt.Printf("%.4f, of which noise %.4f on average\n", d.Value, d.Value-d.Corrected)
	// Output:
	// population stability index, half a count added to each cell, nats; 3 given cells
	// 0.0107, of which noise 0.0040 on average
}

func given() drift.Cells {
	cells, err := drift.Counts([]uint64{500, 300, 200}, []uint64{400, 350, 250}, "low", "middle", "high")
	if err != nil {
		log.Fatal(err)
	}
	return cells
}

func show(d drift.Divergence, err error) {
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %.4f in [%.4f, %.4f], noise %.4f, P %.1g, most from %s\n",
		d.Metric, d.Value, d.Interval.Lo, d.Interval.Hi, d.Null95, d.P, d.Top[0].Cell)
}

func ExamplePSI() {
	show(drift.PSI(given(), drift.Options{}))
	// Output: psi 0.0411 in [0.0151, 0.0739], noise 0.0120, P 3e-05, most from low
}

func ExamplePSIEquivalent() {
	show(drift.PSIEquivalent(given(), drift.Options{}))
	// Output: psi_equivalent 0.0411 in [0.0151, 0.0740], noise 0.0120, P 3e-05, most from low
}

// The two directions differ when a cell empties.
func ExampleKLRefCur() {
	cells, err := drift.Counts([]uint64{500, 500}, []uint64{900, 100}, "kept", "lost")
	if err != nil {
		log.Fatal(err)
	}
	show(drift.KLRefCur(cells, drift.Options{}))
	show(drift.KLCurRef(cells, drift.Options{}))
	// Output:
	// kl_ref_cur 0.5091 in [0.4375, 0.5860], noise 0.0038, P 1e-112, most from lost
	// kl_cur_ref 0.3672 in [0.3069, 0.4329], noise 0.0038, P 8e-82, most from lost
}

// One divergence, two scales.
func ExampleJSDivergenceNats() {
	show(drift.JSDivergenceNats(given(), drift.Options{}))
	show(drift.JSDistanceBase2(given(), drift.Options{}))
	// Output:
	// js_divergence_nats 0.0051 in [0.0019, 0.0092], noise 0.0015, P 3e-05, most from low
	// js_distance_base2 0.0861 in [0.0522, 0.1155], noise 0.0465, P 3e-05, most from low
}

func ExampleHellinger() {
	show(drift.Hellinger(given(), drift.Options{}))
	// Output: hellinger 0.0717 in [0.0435, 0.0962], noise 0.0387, P 3e-05, most from low
}

func ExampleTotalVariation() {
	show(drift.TotalVariation(given(), drift.Options{}))
	// Output: total_variation 0.1000 in [0.0507, 0.1547], noise 0.0494, P 0.0002, most from low
}

func ExampleLInfinity() {
	show(drift.LInfinity(given(), drift.Options{}))
	// Output: l_infinity 0.1000 in [0.0468, 0.1524], noise 0.0533, P 2e-05, most from low
}

func ExampleChiSquare() {
	show(drift.ChiSquare(given(), drift.Options{}))
	show(drift.G(given(), drift.Options{}))
	// Output:
	// chi_square 20.5128 in [7.5187, 36.9470], noise 5.9915, P 4e-05, most from low
	// g 20.5511 in [7.5428, 36.9993], noise 5.9915, P 3e-05, most from low
}

func ExampleKS() {
	d, err := drift.KS(column(1000, 0), column(1000, 0.5), drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f, P %.1g, %s\n", d.Value, d.P, d.Top[0].Cell)
	// Output: 0.125, P 3e-07, up to 0.5365
}

func ExampleWasserstein1() {
	w, err := drift.Wasserstein1(column(1000, 0), column(1000, 0.5), drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f, or %.2f standard deviations; numeric error at most %.1g\n", w.Value, w.Value/w.RefSD, w.Bound)
	// Output: 0.0826, or 0.29 standard deviations; numeric error at most 0
}

func ExampleMissing() {
	cells, err := drift.Booleans(&summary.Proportion{True: 990, False: 9000, Null: 10}, &summary.Proportion{True: 90, False: 880, Null: 30})
	if err != nil {
		log.Fatal(err)
	}
	r, err := drift.Missing(cells, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f%% after %.1f%%, an increase of %.1f to %.1f points\n",
		100*r.Cur.Point, 100*r.Ref.Point, 100*r.Increase.Lo, 100*r.Increase.Hi)
	// Output: 3.0% after 0.1%, an increase of 2.1 to 3.9 points
}

func ExampleUnseen() {
	ref, cur := new(summary.Categorical), new(summary.Categorical)
	ref.AddN("a", 900)
	ref.AddN("b", 99)
	ref.AddN("c", 1)
	cur.AddN("a", 480)
	cur.AddN("new", 20)
	r, err := drift.Unseen(ref, cur, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d of %d rows, at least %.1f%%, where %.1f%% is expected\n", r.CurX, r.CurN, 100*r.Cur.Lo, 100*r.Expected)
	// Output: 20 of 500 rows, at least 2.8%, where 0.1% is expected
}

func ExampleOutOfRange() {
	ref, cur := new(summary.Histogram), new(summary.Histogram)
	for i := range 1000 {
		ref.Add(float64(i))
		cur.Add(1.2 * float64(i))
	}
	r, err := drift.OutOfRange(ref, cur, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f%% where %.1f%% is expected\n", 100*r.Cur.Point, 100*r.Expected)
	// Output: 16.6% where 0.2% is expected
}

// A new model answers one half to most requests.
func ExampleCollapse() {
	ref, cur := column(10000, 0), column(4000, 0)
	cur.AddN(0.5, 6000)
	r, err := drift.Collapse(ref, cur, drift.CollapseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Outcome)
	for _, s := range r.Signals[:5] {
		fmt.Printf("%-10s %-4v %s, limit %.3g (%s)\n", s.Name, s.Outcome, s.Effect, s.Fail, s.LimitSource)
	}
	// Output:
	// fail
	// constant   ok   0, limit 0 (fact)
	// spike      fail 0.5997 [0.5786, 0.6203] (90%), limit 0.1 (default)
	// repetition fail 54.04 [52.58, 55.49] (90%), limit 3 (default)
	// variance   warn 0.4 [0.383, 0.4178] (90%), limit 4 (default)
	// spread     fail 0.0008135 [0, 0.001016] (90%), limit 0.333 (default)
}

// How many rows a canary needs before it can be passed or failed.
func ExampleRowsNeeded() {
	pass, err := drift.RowsNeeded(0.10, 0, 20, drift.RowsOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fail, err := drift.RowsNeeded(0.10, 0.25, 20, drift.RowsOptions{RefN: 1_000_000})
	if err != nil {
		log.Fatal(err)
	}
	now, err := drift.Detectable(180, 180, 10, drift.RowsOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d rows a side show that there is none, %d that there is; with 180 a side PSI below %.2f is invisible\n", pass, fail, now)
	// Output: 432 rows a side show that there is none, 227 that there is; with 180 a side PSI below 0.17 is invisible
}
