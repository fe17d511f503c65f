package sequential_test

import (
	"encoding/json"
	"fmt"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

// A rollout is watched after every hour. Errors are counted per stage, the
// evidence is carried from stage to stage, and a budget says when it suffices.
func Example() {
	budget, err := sequential.NewBudget(
		[]string{"errors", "timeouts"},
		[]string{"errors/mobile", "errors/desktop"},
		sequential.BudgetOptions{Alpha: 0.05})
	if err != nil {
		panic(err)
	}
	// The candidate gets 1%, then 10% of the traffic and has three times the
	// errors of the baseline.
	looks := [][]sequential.EventStage{
		{{Share: 0.01, Baseline: 99, Candidate: 2}},
		{{Share: 0.01, Baseline: 201, Candidate: 6}},
		{{Share: 0.01, Baseline: 201, Candidate: 6}, {Share: 0.10, Baseline: 92, Candidate: 29}},
	}
	for hour, stages := range looks {
		r, err := sequential.BinomMix(stages, sequential.BinomMixOptions{Alternative: stats.Greater})
		if err != nil {
			panic(err)
		}
		h, err := budget.Observe("errors", r.LogE)
		if err != nil {
			panic(err)
		}
		fmt.Printf("hour %d: log E %.2f of %.2f, relative risk %v, roll back: %v\n", hour+1, r.LogE, h.Threshold, r.Estimate, h.Crossed())
	}
	// Output:
	// hour 1: log E 0.14 of 4.38, relative risk 2 [0, +Inf] (95%), roll back: false
	// hour 2: log E 1.62 of 4.38, relative risk 2.955 [0.6693, +Inf] (95%), roll back: false
	// hour 3: log E 10.54 of 4.38, relative risk 2.861 [1.591, +Inf] (95%), roll back: true
}

func ExampleSRM() {
	r, err := sequential.SRM([]sequential.ShareStage{
		{Weights: []float64{99, 1}, Counts: []uint64{98900, 1100}},
		{Weights: []float64{90, 10}, Counts: []uint64{180400, 19600}},
	}, sequential.SRMOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.2f, threshold %.2f, material %v\n", r.LogE, sequential.Threshold(0.001), r.Material())
	fmt.Println("candidate's share now", r.Stages[1].Shares[1])
	// Output:
	// log E 4.17, threshold 6.91, material true
	// candidate's share now 0.098 [0.09513, 0.1009] (99.9%)
}

func ExampleDirichletLogE() {
	logE, err := sequential.DirichletLogE([]uint64{20, 17, 9}, []float64{0.4, 0.4, 0.2}, []float64{1, 1, 1})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.4f\n", logE)
	// Output: -2.9506
}

func ExampleNormal() {
	// Rates of 2.0% and 2.6% in 10,000 units each.
	r, err := sequential.Normal(0.006, 0.00211953, 10000, 10000, sequential.NormalOptions{Alternative: stats.Greater, Planned: 20000})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.3f, difference %v\n", r.LogE, r.Estimate)
	// Output: log E 3.153, difference 0.006 [0.0001096, +Inf] (95%)
}

func ExampleNormalStages() {
	// The base rate halved when the ramp went on. Pooled, the candidate looks
	// better; within each stage it is worse.
	r, err := sequential.NormalStages([]sequential.DiffStage{
		{Diff: 0.0028, Variance: 2.267e-6, NBaseline: 990000, NCandidate: 10000},
		{Diff: 0.0020, Variance: 4.352e-8, NBaseline: 500000, NCandidate: 500000},
	}, sequential.NormalOptions{Planned: 2e6})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.2f, difference %v\n", r.LogE, r.Estimate)
	// Output: log E 3.34, difference 0.0024 [9.259e-05, 0.004707] (95%)
}

func ExampleNormalScale() {
	r, err := sequential.NormalScale(5000, 0.05, stats.Different)
	if err != nil {
		panic(err)
	}
	fmt.Printf("R %.1f, rho^2 %.6f\n", r, 1/r)
	// Output: R 630.0, rho^2 0.001587
}

func ExampleNormalBound() {
	scale, err := sequential.NormalScale(100, 0.05, stats.Greater)
	if err != nil {
		panic(err)
	}
	b, err := sequential.NormalBound(100, scale, 0.05, stats.Greater)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.5f\n", b)
	// Output: 27.66071
}

func ExampleMSPRT() {
	logE, err := sequential.MSPRT(0.1, 1000, 2, 0.01)
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.4f, p %.4f\n", logE, sequential.PValue(logE))
	// Output: log E 1.1875, p 0.3050
}

func ExampleNormalReady() {
	fmt.Println(sequential.NormalReady(99000, 1000, 60, 3), sequential.NormalReady(99000, 1000, 60, 7))
	// Output: false true
}

func ExampleBinomMix() {
	// Margin 10%: Less proves that the candidate is not materially worse.
	r, err := sequential.BinomMix([]sequential.EventStage{{Share: 0.5, Baseline: 9000, Candidate: 9020}},
		sequential.BinomMixOptions{Alternative: stats.Less, NullRR: 1.10})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.1f, relative risk %v\n", r.LogE, r.Estimate)
	// Output: log E 17.6, relative risk 1.002 [0, 1.063] (95%)
}

func ExamplePlanBinomMix() {
	p, err := sequential.PlanBinomMix(nil, 0.5, 2, 0.05, sequential.BinomMixOptions{Alternative: stats.Greater})
	if err != nil {
		panic(err)
	}
	fmt.Printf("about %.0f events, %.0f of them in the candidate\n", p.Events, p.Candidate)
	// Output: about 87 events, 58 of them in the candidate
}

func ExampleBlock() {
	var ledger sequential.Ledger[sequential.BlockLook]
	for _, look := range []sequential.BlockLook{{100, 5, 100, 9}, {100, 4, 100, 12}, {200, 9, 200, 22}} {
		if err := ledger.Append(look); err != nil {
			panic(err)
		}
	}
	r, err := sequential.Block(ledger.Looks(), sequential.BlockOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.4f, difference %.4f\n", r.LogE, r.Estimate.Point)
	// Output: log E 4.8008, difference 0.0625
}

func ExampleLedger() {
	var ledger sequential.Ledger[sequential.SumLook]
	if err := ledger.Append(sequential.SumLook{N: 3, Sum: 1.5, SumSq: 1.25}); err != nil {
		panic(err)
	}
	fmt.Println(ledger.Append(sequential.SumLook{N: 3, Sum: 30, SumSq: 1}))
	b, err := json.Marshal(ledger)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(b))
	// Output:
	// sequential: Ledger.Append: look 1: sum 30 of 3 values is too large for the sum of squares 1: argument outside its domain
	// [{"n":3,"sum":1.5,"sumsq":1.25}]
}

func ExampleBernstein() {
	r, err := sequential.Bernstein([]sequential.SumLook{{1000, 120, 40}, {1000, 160, 55}, {2000, 330, 115}},
		sequential.BoundedOptions{Null: 0.1, Alternative: stats.Greater})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.3f, mean %v\n", r.LogE, r.Estimate)
	// Output: log E 18.253, mean 0.1525 [0.1445, 1] (95%)
}

func ExampleBernsteinDiff() {
	// Mean losses of 0.10 and 0.14, a tenth of the units in the candidate.
	var looks []sequential.PairLook
	for range 20 {
		looks = append(looks, sequential.PairLook{
			Baseline:  sequential.SumLook{N: 900, Sum: 90, SumSq: 18},
			Candidate: sequential.SumLook{N: 100, Sum: 14, SumSq: 4},
		})
	}
	r, err := sequential.BernsteinDiff(looks, sequential.BoundedOptions{Alternative: stats.Greater})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.2f, difference %v\n", r.LogE, r.Estimate)
	// Output: log E 15.87, difference 0.04 [0.02891, 1] (95%)
}

func ExampleHedged() {
	r, err := sequential.Hedged([]float64{1, 0, 1, 1, 1, 0, 1, 1, 1, 1}, sequential.BoundedOptions{Null: 0.3, Alternative: stats.Greater})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.4f, mean %v\n", r.LogE, r.Estimate)
	// Output: log E 4.6280, mean 0.8 [0.4067, 1] (95%)
}

func ExampleBernoulli() {
	r, err := sequential.Bernoulli(700, 1000, sequential.BernoulliOptions{Planned: 100})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Estimate)
	// Output: 0.7 [0.6516, 0.7459] (95%)
}

func ExampleDKWRadius() {
	for _, n := range []uint64{10_000, 1_000_000} {
		r, err := sequential.DKWRadius(n, sequential.DKWOptions{})
		if err != nil {
			panic(err)
		}
		fmt.Printf("%.4f\n", r)
	}
	// Output:
	// 0.0275
	// 0.0028
}

func ExampleKS() {
	r, err := sequential.KS([]uint64{50000, 30000, 20000}, []uint64{4000, 3500, 2500}, sequential.DKWOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("distance %v at the end of cell %d, p %.3g\n", r.Distance, r.Cell, r.P)
	// Output: distance 0.1 [0.0629, 0.1371] (95%) at the end of cell 0, p 1.72e-44
}

func ExampleQuantile() {
	// Latency in cells up to 50, 100, 200, 400 ms and above.
	r, err := sequential.Quantile([]uint64{5000, 4000, 700, 250, 50}, []uint64{4800, 3700, 800, 450, 250}, 0.95,
		sequential.QuantileOptions{Alternative: stats.Greater})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.1f, the 0.95 quantile moved from cell %d to cell %d\n", r.LogE, r.Baseline.Cell, r.Candidate.Cell)
	// Output: log E 30.1, the 0.95 quantile moved from cell 2 to cell 3
}

func ExampleTwoSample() {
	r, err := sequential.TwoSample([]sequential.CellStage{
		{Share: 0.10, Baseline: []uint64{900, 880, 910, 905}, Candidate: []uint64{95, 100, 101, 99}},
		{Share: 0.50, Baseline: []uint64{500, 510, 490, 500}, Candidate: []uint64{505, 495, 500, 700}},
	}, sequential.TwoSampleOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log E %.2f, cells %.1f\n", r.LogE, r.Cells)
	// Output: log E 5.91, cells [-1.7 -1.7 -1.7 9.3]
}

func ExampleGroupSequential() {
	bs, err := sequential.GroupSequential([]float64{1, 2, 3, 4, 5},
		sequential.GroupOptions{Alpha: 0.025, Alternative: stats.Greater, Spending: sequential.OBrienFleming})
	if err != nil {
		panic(err)
	}
	for _, b := range bs {
		fmt.Printf("%.1f: z %.3f, spent %.5f\n", b.Time, b.Z, b.Spent)
	}
	// Output:
	// 0.2: z 4.877, spent 0.00000
	// 0.4: z 3.357, spent 0.00039
	// 0.6: z 2.680, spent 0.00381
	// 0.8: z 2.290, spent 0.01221
	// 1.0: z 2.031, spent 0.02500
}

func ExampleSpending_Spend() {
	a, err := sequential.Pocock.Spend(0.025, 0.5, 0)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%v spends %.4f of 0.025 by half time\n", sequential.Pocock, a)
	// Output: pocock spends 0.0155 of 0.025 by half time
}

func ExampleDetector() {
	// Each day 1000 units; the error rate doubles on day 6.
	d := sequential.Detector{Alpha: 0.01}
	for day, errors := range []uint64{9, 11, 10, 8, 12, 24, 23, 26} {
		r, err := sequential.Bernoulli(errors, 1000, sequential.BernoulliOptions{Null: 0.012, Alternative: stats.Greater, Planned: 1000})
		if err != nil {
			panic(err)
		}
		alarm, err := d.Observe(r.LogE)
		if err != nil {
			panic(err)
		}
		if alarm {
			fmt.Printf("alarm on day %d, change after day %d, log M %.2f\n", day+1, d.Start, d.LogM)
		}
	}
	// Output:
	// alarm on day 7, change after day 5, log M 6.89
	// alarm on day 8, change after day 5, log M 11.94
}

func ExampleRunning() {
	var run sequential.Running
	for _, logE := range []float64{0.4, 3.2, 1.1} {
		if err := run.Observe(logE); err != nil {
			panic(err)
		}
	}
	fmt.Printf("p %.4f since look %d of %d\n", run.P(), run.MaxAt, run.Looks)
	// Output: p 0.0408 since look 2 of 3
}

func ExamplePValue() {
	fmt.Printf("%.3g %.3g\n", sequential.PValue(690), sequential.PValue(-2))
	// Output: 2.17e-300 1
}

func ExampleThreshold() {
	fmt.Printf("%.2f\n", sequential.Threshold(0.05/8))
	// Output: 5.08
}

func ExampleNewBudget() {
	overall := []string{"m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"}
	var slices []string
	for _, m := range overall {
		for s := range 6 {
			slices = append(slices, fmt.Sprintf("%s/slice %d", m, s))
		}
	}
	b, err := sequential.NewBudget(overall, slices, sequential.BudgetOptions{})
	if err != nil {
		panic(err)
	}
	first, _ := b.Lookup("m1")
	slice, _ := b.Lookup("m1/slice 0")
	added, err := b.Add("new metric")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f %.2f %.2f\n", first.Threshold, slice.Threshold, added.Threshold)
	// Output: 5.77 7.78 5.80
}

func ExampleNewBudgets() {
	b, err := sequential.NewBudgets(sequential.BudgetPlan{
		Rollback: []string{"errors"}, Pause: []string{"errors", "latency"}, SRM: []string{"srm"}, SRMSlices: []string{"srm/mobile"},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(b.Rollback.Alpha(), b.Pause.Alpha(), b.SRM.Alpha())
	// Output: 0.05 0.1 0.001
}
