package analysis_test

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats/summary"
)

func ExampleNewPairSpec() {
	spec, err := analysis.NewPairSpec(analysis.PairSpec{
		Task: analysis.Binary, Baseline: "champion", Candidate: "challenger", Label: "fraud",
		BaselineCuts: []float64{0.9}, CandidateCuts: []float64{0.85},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(spec.Spec().Names())
	// Output: [challenger champion fraud]
}

// examplePairs are four requests that both models scored.
func examplePairs(spec *analysis.PairSpec) (*analysis.PairSnapshot, error) {
	c, err := analysis.NewPairCollector(spec)
	if err != nil {
		return nil, err
	}
	err = c.Add(&analysis.Batch{Rows: 4, Columns: []analysis.Column{ // in the order of spec.Spec()
		{Type: analysis.Float, Floats: []float64{0.97, 0.60, 0.10, 0.86}},
		{Type: analysis.Float, Floats: []float64{0.95, 0.91, 0.20, 0.40}},
		{Type: analysis.Bool, Bools: []bool{true, true, false, false}, Valid: []bool{true, true, true, false}},
	}})
	if err != nil {
		return nil, err
	}
	return c.Snapshot()
}

func ExampleNewPairCollector() {
	spec, err := analysis.NewPairSpec(analysis.PairSpec{Baseline: "champion", Candidate: "challenger", Label: "fraud", BaselineCuts: []float64{0.5}, CandidateCuts: []float64{0.5}})
	if err != nil {
		fmt.Println(err)
		return
	}
	pairs, err := examplePairs(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, _ := pairs.Grid.Decisions(0.5, 0.5, summary.Unlabelled)
	fmt.Println(pairs.RowCount, "pairs; without a label,", d.OnlyCandidate, "is above the threshold for the candidate only")
	// Output: 4 pairs; without a label, 1 is above the threshold for the candidate only
}

func ExampleMergePairSnapshots() {
	spec, err := analysis.NewPairSpec(analysis.PairSpec{Baseline: "champion", Candidate: "challenger", Label: "fraud"})
	if err != nil {
		fmt.Println(err)
		return
	}
	hour, err := examplePairs(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	day, err := analysis.MergePairSnapshots(hour, hour, hour)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(day.RowCount)
	// Output: 12
}

func ExampleReplayFrom() {
	policy, err := analysis.LoadPolicy("policy.yaml", []byte(`
version: 1
looks: once
columns: {label: fraud}
pairs: {baseline: champion, candidate: challenger}
checks: [{check: paired, metric: churn, margin: 40%, at: [0.5]}]
`), checks.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, err := policy.PairSpec()
	if err != nil {
		fmt.Println(err)
		return
	}
	pairs, err := examplePairs(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := policy.Evaluate(analysis.Look{
		Evidence: []analysis.StageEvidence{{Pairs: pairs}},
		Now:      time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	archive := analysis.Archive{Pairs: func(string) (*analysis.PairSnapshot, error) { return pairs, nil }}
	_, err = analysis.ReplayFrom(&verdict, policy, archive)
	fmt.Println(verdict.Findings[0].Outcome, err)
	// Output: insufficient <nil>
}
