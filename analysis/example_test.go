package analysis_test

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// errorRate is a check written outside of the library: it holds the candidate's
// share of failed requests against a bound.
type errorRate struct {
	Column string
	Bound  float64
}

func (c errorRate) Name() string { return "error_rate" }

func (c errorRate) Columns() []analysis.ColumnSpec {
	return []analysis.ColumnSpec{{Name: c.Column}}
}

func (c errorRate) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	f := analysis.NewFinding(c.Name(), "error_rate", "rate")
	f.Column, f.Limit, f.Unit = c.Column, stats.Float(c.Bound), "share"
	if ev.Candidate == nil || ev.Candidate.Column(c.Column).Boolean.Trials() == 0 {
		f.Outcome, f.Message = analysis.NoData, "The candidate has served nothing yet."
		return []analysis.Finding{f}, nil
	}
	p := &ev.Candidate.Column(c.Column).Boolean
	rate, err := stats.Wilson(p.True, p.Trials(), 0.9)
	if err != nil {
		return nil, err
	}
	f.Estimate, f.N.Candidate = rate, p.Trials()
	switch {
	case rate.Lo > c.Bound:
		f.Outcome = analysis.Harm
	case rate.Hi < c.Bound:
		f.Outcome = analysis.Pass
	}
	f.Message = fmt.Sprintf("%d of %d requests failed.", p.True, p.Trials())
	return []analysis.Finding{f}, nil
}

// served collects an arm of which every k-th request failed.
func served(spec *analysis.Spec, n, k int) *analysis.Snapshot {
	failed := make([]bool, n)
	for i := range failed {
		failed[i] = i%k == 0
	}
	c := analysis.NewCollector(spec)
	if err := c.Add(&analysis.Batch{Rows: n, Columns: []analysis.Column{{Type: analysis.Bool, Bools: failed}}}); err != nil {
		panic(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		panic(err)
	}
	return s
}

// The whole way from rows to a verdict, with a check of one's own.
func Example() {
	policy := &analysis.Policy{
		Version: 1,
		Model:   analysis.Model{Name: "fraud", Baseline: "v2.0", Candidate: "v2.1"},
		Budget:  analysis.Budget{Rollback: 0.05, Pause: 0.10, SRM: 0.001},
		Checks: []analysis.CheckEntry{
			{Check: errorRate{Column: "failed", Bound: 0.05}, Severity: analysis.SeverityRollback, Required: true},
		},
	}
	spec, err := policy.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := analysis.Evaluate(policy, served(spec, 5000, 100), served(spec, 5000, 10), nil, time.Time{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verdict.Headline())
	fmt.Println(verdict.Reasons[0].Text)
	fmt.Println("exit status", verdict.ExitCode())
	// Output:
	// ROLL BACK: fraud, v2.0 -> v2.1
	// 500 of 5000 requests failed.
	// exit status 1
}

func ExampleNewSpec() {
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.7, 0.95}},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "amount"},
	)
	fmt.Println(spec.Names(), err)
	fmt.Println(spec.ByRole(analysis.Score), spec.Index("amount"))
	// Output:
	// [amount label score] <nil>
	// 2 0
}

func ExampleNewCollector() {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "amount", Sums: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := analysis.NewCollector(spec)
	err = c.Add(&analysis.Batch{Rows: 4, Columns: []analysis.Column{{
		Type:   analysis.Float,
		Floats: []float64{10, 20, 0, 30},
		Valid:  []bool{true, true, false, true},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	snapshot, err := c.Snapshot()
	if err != nil {
		fmt.Println(err)
		return
	}
	amount := snapshot.Column("amount").Numeric
	moments, err := amount.Moments()
	fmt.Println(moments.N, "values,", amount.Excluded().Null, "missing, mean", moments.Mean, err)
	// Output:
	// 3 values, 1 missing, mean 20 <nil>
}

func ExampleMergeSnapshots() {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "failed"})
	if err != nil {
		fmt.Println(err)
		return
	}
	morning, evening := served(spec, 100, 10), served(spec, 300, 10)
	a, err := analysis.MergeSnapshots(morning, evening)
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := analysis.MergeSnapshots(evening, morning)
	if err != nil {
		fmt.Println(err)
		return
	}
	da, _ := a.Digest()
	db, _ := b.Digest()
	fmt.Println(a.RowCount, "rows; the order matters:", da != db)
	// Output:
	// 400 rows; the order matters: false
}

func ExampleNewFinding() {
	f := analysis.NewFinding("latency", "latency_p99", "quantile")
	fmt.Println(f.Outcome, f.Slice, f.Limit)
	// Output:
	// inconclusive all NaN
}

func ExampleDefaultTable() {
	for _, r := range analysis.DefaultTable() {
		if r.Outcome == analysis.NoData && r.Severity == analysis.SeverityRollback && r.Required {
			fmt.Println(r.Decision, r.Resume, r.Reason)
		}
	}
	// Output:
	// pause auto no_evidence
}

func ExamplePolicy_Decide() {
	policy := &analysis.Policy{Checks: []analysis.CheckEntry{
		{Check: errorRate{Column: "failed", Bound: 0.05}, Severity: analysis.SeverityRollback, Required: true},
	}}
	silence := policy.Decide(nil, nil, time.Time{})
	fmt.Println(silence.Decision, silence.Resume)
	fmt.Println(silence.Reasons[0].Text)
	// Output:
	// pause auto
	// The required check error_rate reported nothing.
}

func ExampleEvaluate() {
	policy := &analysis.Policy{Checks: []analysis.CheckEntry{
		{Check: errorRate{Column: "failed", Bound: 0.05}, Severity: analysis.SeverityRollback, Required: true},
	}}
	verdict, err := analysis.Evaluate(policy, nil, nil, nil, time.Time{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := json.Marshal(verdict.Reasons)
	fmt.Println(string(b), err)
	// Output:
	// [{"code":"no_evidence","check":"error_rate","metric":"rate","text":"The candidate has served nothing yet."}] <nil>
}

func ExampleVerdict_WriteText() {
	f := analysis.NewFinding("guardrail", "guardrail", "log_loss")
	f.Outcome, f.Severity, f.Required, f.Unit = analysis.Pass, analysis.SeverityRollback, true, "relative"
	f.Estimate = stats.Interval{Point: -0.031, Lo: -0.044, Hi: -0.018, Level: 0.9}
	f.Limit, f.N = 0.02, analysis.Counts{Baseline: 60185, Candidate: 59815}
	f.Message = "Log loss fell from 0.4012 to 0.3888."
	policy := &analysis.Policy{
		Model:  analysis.Model{Name: "fraud", Baseline: "v2.0", Candidate: "v2.1"},
		Checks: []analysis.CheckEntry{{Check: fakeCheck{name: "guardrail"}, Severity: analysis.SeverityRollback, Required: true}},
	}
	v := policy.Decide([]analysis.Finding{f}, nil, time.Time{})
	if err := v.WriteText(os.Stdout, analysis.TextOptions{Verbose: true}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// CONTINUE: fraud, v2.0 -> v2.1
	//
	// Why
	//   - Every required check shows no material harm.
	//
	// Findings
	//   [pass] guardrail log_loss
	//       Log loss fell from 0.4012 to 0.3888.
	//       estimate -3.1%, 90% interval -4.4% to -1.8%; limit 2%; n = 60,185 baseline, 59,815 candidate.
	//       It would no longer pass if the upper end of the interval reached 2%.
	//
	// Engine 0.3.0, policy none
}

func ExampleVerdict_WriteMarkdown() {
	f := analysis.NewFinding("guardrail", "guardrail", "log_loss")
	f.Outcome, f.Severity, f.Required, f.Unit = analysis.Harm, analysis.SeverityRollback, true, "relative"
	f.Estimate = stats.Interval{Point: 0.09, Lo: 0.06, Hi: 0.12, Level: 0.9}
	f.Limit, f.N = 0.02, analysis.Counts{Baseline: 60185, Candidate: 59815}
	f.Message = "Log loss rose by 9%."
	policy := &analysis.Policy{
		Checks: []analysis.CheckEntry{{Check: fakeCheck{name: "guardrail"}, Severity: analysis.SeverityRollback, Required: true}},
	}
	v := policy.Decide([]analysis.Finding{f}, nil, time.Time{})
	if err := v.WriteMarkdown(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ## ROLL BACK
	//
	// - **guardrail:** Log loss rose by 9%.
	//
	// | outcome | finding | estimate | interval | limit | n baseline | n candidate |
	// |---|---|---|---|---|---:|---:|
	// | harm/rollback | guardrail log\_loss | 9% | 6% to 12% (90%) | 2% | 60,185 | 59,815 |
	//
	// Engine 0.3.0, policy none
}

// The JSON form is for machines; it reads back.
func ExampleVerdict_MarshalJSON() {
	policy := &analysis.Policy{Checks: []analysis.CheckEntry{
		{Check: errorRate{Column: "failed", Bound: 0.05}, Severity: analysis.SeverityRollback, Required: true},
	}}
	b, err := json.Marshal(policy.Decide(nil, nil, time.Time{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	var v analysis.Verdict
	err = json.Unmarshal(b, &v)
	fmt.Println(v.Decision, v.Resume, v.CheckAfter, err)
	// Output:
	// pause auto 5m0s <nil>
}

// A controller keeps the state of a verdict for the next look: a rollback is not
// undone by data that came after the candidate was taken out.
func ExampleState() {
	check := errorRate{Column: "failed", Bound: 0.05}
	policy := &analysis.Policy{
		Budget: analysis.Budget{Rollback: 0.05, Pause: 0.10, SRM: 0.001},
		Checks: []analysis.CheckEntry{{Check: check, Severity: analysis.SeverityRollback, Required: true}},
	}
	spec, err := policy.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	var state *analysis.State
	for _, everyKthFails := range []int{100, 10, 100} {
		v, err := analysis.Evaluate(policy, served(spec, 5001, 100), served(spec, 5000, everyKthFails), state, time.Time{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("look", v.State.Looks, v.Decision, v.Reasons[0].Code)
		state = &v.State
	}
	// Output:
	// look 1 continue no_material_harm
	// look 2 rollback harm
	// look 3 rollback rollback_latched
}

// A snapshot is stored where the rows were and merged or judged elsewhere.
func ExampleSnapshot() {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "failed"})
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, err := served(spec, 100, 10).MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	var s analysis.Snapshot
	err = s.UnmarshalBinary(stored)
	fmt.Println(s.RowCount, s.Column("failed").Boolean.True, err)
	stored[40] ^= 1
	fmt.Println(s.UnmarshalBinary(stored) != nil)
	// Output:
	// 100 10 <nil>
	// true
}

// What a policy needs to be collected, whatever the source of the rows.
func ExamplePolicy_Spec() {
	policy := &analysis.Policy{
		Columns: analysis.Columns{Score: "score", Label: "label", Features: []string{"amount"}},
		Actions: analysis.ActionPolicy{Rules: []analysis.ActionRule{{Name: "block", AtLeast: 0.9}}},
	}
	spec, err := policy.Spec()
	fmt.Println(spec.Names(), spec.Columns[2].Cuts, err)
	// Output:
	// [amount label score] [0.9] <nil>
}
