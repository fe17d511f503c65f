package analysis_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// stagedPolicy has two stages and one check.
func stagedPolicy() *analysis.Policy {
	return &analysis.Policy{
		Version: 1, Digest: "d1ce",
		Model:  analysis.Model{Name: "fraud", Baseline: "v2.0", Candidate: "v2.1"},
		Budget: analysis.Budget{Rollback: 0.05, Pause: 0.10, SRM: 0.001},
		Stages: []analysis.Stage{{Name: "canary", Weight: 10, MinUnits: 1000}, {Name: "full", Weight: 100}},
		Checks: []analysis.CheckEntry{
			{Check: errorRate{Column: "failed", Bound: 0.05}, Severity: analysis.SeverityRollback, Required: true},
		},
	}
}

// A rollout in stages: each verdict hands its state to the next look.
func ExamplePolicy_Evaluate() {
	policy := stagedPolicy()
	spec, err := policy.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)
	var state *analysis.State
	for _, n := range []int{500, 2000} {
		v, err := policy.Evaluate(analysis.Look{
			Stage:    "canary",
			Evidence: []analysis.StageEvidence{{Stage: "canary", Baseline: served(spec, 9*n, 100), Candidate: served(spec, n, 100)}},
			State:    state,
			Now:      now,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v %s, %v %q\n", v.Decision, v.Reasons[0].Code, v.Step, v.Next)
		state, now = &v.State, now.Add(10*time.Minute)
	}
	// Output:
	// pause minimum_exposure, stay ""
	// continue no_material_harm, advance "full"
}

// A person accepts what a check has found, for as long as it is known to be wrong.
func ExampleOverride() {
	policy := stagedPolicy()
	f := analysis.NewFinding("error_rate", "error_rate", "rate")
	f.Outcome, f.Severity, f.Message = analysis.Harm, analysis.SeverityPause, "10% of requests failed."
	now := time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)
	v, err := policy.Evaluate(analysis.Look{Given: []analysis.Finding{f}, Now: now, Overrides: []analysis.Override{
		{Action: analysis.OverrideAccept, Check: "error_rate", Who: "ann", Why: "the meter is broken"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range v.Reasons {
		if r.Code == analysis.ReasonRefused {
			fmt.Println(r.Text)
		}
	}
	// Output:
	// The override accept error_rate (ann: the meter is broken; without an end) does not count: it has no end.
}

// A provider brings sums over a window; what it does not bring is not zero.
func ExampleNewSnapshot() {
	spec, err := (&analysis.Spec{}).WithMetrics(analysis.MetricSpec{Name: "errors", Kind: analysis.RatioMetric})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := analysis.NewSnapshot(spec)
	start := time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)
	requests := 1200.0
	for _, m := range []analysis.Measurement{
		{Metric: "errors", Count: &requests}, // no series of errors yet: none in 1,200 requests
		{Metric: "errors"},                   // nothing at all: a window without data
	} {
		m.Start, m.End = start, start.Add(time.Minute)
		if err := s.AddMeasurement(m); err != nil {
			fmt.Println(err)
			return
		}
		start = m.End
	}
	m := s.Metric("errors")
	fmt.Println(m.Total.Float64(), "of", m.Count.Float64(), "in", m.Window.N, "window,", m.Missing, "missing")
	// Output:
	// 0 of 1200 in 1 window, 1 missing
}

func ExampleParseRate() {
	perSecond, err := analysis.ParseRate("1200/min")
	fmt.Println(perSecond, err)
	// Output:
	// 20 <nil>
}

// A stored verdict is checked, computed again, and compared byte for byte.
func ExampleReplay() {
	policy := stagedPolicy()
	spec, err := policy.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	baseline, candidate := served(spec, 9000, 100), served(spec, 1000, 100)
	evidence := map[string]*analysis.Snapshot{}
	for _, s := range []*analysis.Snapshot{baseline, candidate} {
		digest, err := s.Digest()
		if err != nil {
			fmt.Println(err)
			return
		}
		evidence[digest] = s
	}
	v, err := policy.Evaluate(analysis.Look{Stage: "canary", Now: time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC),
		Evidence: []analysis.StageEvidence{{Stage: "canary", Baseline: baseline, Candidate: candidate}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, err := json.Marshal(v)
	if err != nil {
		fmt.Println(err)
		return
	}
	record, err := analysis.VerdictFromJSON(stored)
	if err != nil {
		fmt.Println(err)
		return
	}
	find := func(digest string) (*analysis.Snapshot, error) { return evidence[digest], nil }
	again, err := analysis.Replay(record, policy, find)
	fmt.Println(again.Decision, err)

	changed := strings.Replace(string(stored), `"decision":"continue"`, `"decision":"rollback"`, 1)
	_, err = analysis.VerdictFromJSON([]byte(changed))
	fmt.Println(errors.Is(err, analysis.ErrTampered))
	// Output:
	// continue <nil>
	// true
}

// Evidence for two policies, of which one decides and the other is tried.
func ExampleUnionSpec() {
	trial := stagedPolicy()
	trial.Checks[0].Check = errorRate{Column: "timed_out", Bound: 0.01}
	spec, err := analysis.UnionSpec(stagedPolicy(), trial)
	fmt.Println(spec.Names(), err)
	// Output:
	// [failed timed_out] <nil>
}
