package promexport_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rampguard/rampguard/adapters/promexport"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
)

var update = flag.Bool("update", false, "rewrite the expected exposition")

func TestExposition(t *testing.T) {
	const path = "testdata/exposition.txt"
	got := text(t, full(t))
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got, -update rewrites it):\n%s", path, d)
	}
}

func TestNamesAndUnits(t *testing.T) {
	for _, e := range []*promexport.Exporter{promexport.New(promexport.Options{}), full(t)} {
		problems, err := testutil.CollectAndLint(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestEverythingDescribedIsExposed(t *testing.T) {
	exposition := text(t, full(t))
	for name := range families(t) {
		if !strings.Contains(exposition, "# TYPE "+name+" ") {
			t.Errorf("%s is described, and not exposed by an exporter that was told everything", name)
		}
	}
}

func TestCardinalityIsBounded(t *testing.T) {
	const slices = 10_000
	e := promexport.New(promexport.Options{MaxFindings: 100, MaxSlices: 20})
	v := verdict()
	v.Findings = append(v.Findings, sliced("slices", analysis.Harm, slices)...)
	srm := analysis.NewFinding("srm", "traffic_leak", "candidate_share")
	srm.Outcome = analysis.Invalid
	v.Findings = append(v.Findings, srm)
	for i := range 3 {
		v.Record.Digest = fmt.Sprint(i)
		e.Observe("fraud-eu", v, at(time.Duration(i)*time.Minute))
	}
	got := text(t, e)
	// Six findings about all rows or of their own slice, and harm in 19 or 20 slices more.
	shown := len(series(got, "rampguard_finding_outcome"))
	if shown < 20 || shown > 26 {
		t.Errorf("%d findings have series", shown)
	}
	wantSeries(t, got, 1, "rampguard_finding_outcome", `outcome="invalid"`, `code="traffic_leak"`)
	wantSeries(t, got, 1, "rampguard_finding_outcome", `outcome="pass"`, `check="srm"`)
	wantSeries(t, got, 1, "rampguard_findings", `outcome="harm"`, "} 10001")
	wantSeries(t, got, 1, "rampguard_findings_omitted_total", fmt.Sprintf("} %d", 3*(slices+6-shown)))
	if n := strings.Count(got, "\n"); n > 400 {
		t.Errorf("the exposition has %d lines", n)
	}

	// Without slices it is the number of findings that is bounded.
	v = verdict()
	for i := range slices {
		f := finding("drift", "drift", "psi", analysis.Pass, stats.Interval{Point: 0.1, Lo: 0, Hi: 1, Level: 0.9}, 0.2)
		f.Column = fmt.Sprint("c", i)
		v.Findings = append(v.Findings, f)
	}
	e.Observe("fraud-us", v, start)
	wantSeries(t, text(t, e), 100, "rampguard_finding_outcome", `rollout="fraud-us"`)
}

func TestSeriesStayWithTheirFindings(t *testing.T) {
	e := promexport.New(promexport.Options{MaxSlices: 3})
	shown := func(findings []analysis.Finding, when time.Duration) string {
		v := verdict()
		v.Findings = findings
		e.Observe("r", v, at(when))
		return strings.Join(series(text(t, e), "rampguard_finding_outcome"), "\n")
	}
	all := sliced("slices", analysis.Inconclusive, 10)
	first := shown(all[5:8], 0)
	if again := shown(all, time.Minute); again != first {
		t.Errorf("other findings took the series:\n%s\nnot\n%s", again, first)
	}
	all[9].Outcome = analysis.Harm
	if got := shown(all, 2*time.Minute); !strings.Contains(got, "shop=00009") || strings.Count(got, "\n") != 2 {
		t.Errorf("harm has no series:\n%s", got)
	}
}

func TestRolloutsAreBounded(t *testing.T) {
	e := promexport.New(promexport.Options{MaxRollouts: 5})
	for i := range 20 {
		e.Observe(fmt.Sprint("r", i), verdict(), at(time.Duration(i)*time.Second))
	}
	got := text(t, e)
	wantSeries(t, got, 5, "rampguard_last_look_timestamp_seconds")
	wantSeries(t, got, 1, "rampguard_last_look_timestamp_seconds", `rollout="r19"`)
	wantSeries(t, got, 0, "rampguard_last_look_timestamp_seconds", `rollout="r14"`)
	wantSeries(t, got, 1, "rampguard_groups_omitted_total", `kind="rollout"`, "} 15")
}

func TestGroupsAreBounded(t *testing.T) {
	e := promexport.New(promexport.Options{MaxGroups: 4})
	for i := range 10 {
		name := fmt.Sprint("m", i)
		fs := flights()
		for j := range fs {
			fs[j].Key.Model = name
			for k := range fs[j].Segments {
				fs[j].Segments[k].Stage += name
			}
		}
		e.ObserveLeadTime(name, fs, start)
		e.ObserveSLO(sla.Evaluation{Objective: name, AsOf: start})
		e.ObserveGate(name, sla.GateDecision{At: start})
	}
	got := text(t, e)
	wantSeries(t, got, 4, "model_deployment_lead_time_seconds_count")
	wantSeries(t, got, 4, "model_deployment_stage_seconds_count")
	wantSeries(t, got, 4, "model_deployment_log_timestamp_seconds")
	wantSeries(t, got, 4, "slo_evaluation_timestamp_seconds")
	wantSeries(t, got, 4, "promotion_gate_timestamp_seconds")
	for _, kind := range []string{"lead_time", "stage", "log", "objective", "gate"} {
		if len(series(got, "rampguard_groups_omitted_total", `kind="`+kind+`"`, "} 0")) > 0 {
			t.Errorf("nothing of kind %s was counted as left out", kind)
		}
	}
}

func TestUnknownHasNoSeries(t *testing.T) {
	got := text(t, full(t))
	if strings.Contains(got, "NaN") {
		t.Error("there is a NaN in the exposition")
	}
	wantSeries(t, got, 0, "rampguard_finding_upper", `metric="errors"`) // open
	wantSeries(t, got, 1, "rampguard_finding_lower", `metric="errors"`)
	wantSeries(t, got, 0, "rampguard_finding_lower", `check="srm"`) // no interval
	wantSeries(t, got, 1, "rampguard_finding_estimate", `check="srm"`)
	for _, name := range []string{"estimate", "lower", "upper", "limit"} {
		wantSeries(t, got, 0, "rampguard_finding_"+name, `check="label_coverage"`)
	}
	wantSeries(t, got, 1, "rampguard_finding_outcome", `check="label_coverage"`, `outcome="no_data"`)

	e := promexport.New(promexport.Options{})
	nan := stats.Float(math.NaN())
	e.ObserveSLO(sla.Evaluation{Objective: "empty", AsOf: start, Budget: sla.BudgetStatus{Target: 0.9, Remaining: nan},
		Alerts: []sla.AlertResult{{Alert: sla.Alert{Name: "fast", Long: time.Hour, Short: time.Minute}, Long: sla.Burn{NoData: true, Rate: nan}, Short: sla.Burn{NoData: true, Rate: nan}}}})
	e.ObserveSLO(sla.Evaluation{Objective: "strict", AsOf: start, Budget: sla.BudgetStatus{State: sla.Exhausted, Target: 1, Remaining: stats.Float(math.Inf(-1))},
		Alerts: []sla.AlertResult{{Alert: sla.Alert{Name: "fast", Long: time.Hour, Short: time.Hour}, Firing: true, Long: sla.Burn{Rate: stats.Float(math.Inf(1))}, Short: sla.Burn{Rate: stats.Float(math.Inf(1))}}}})
	got = text(t, e)
	wantSeries(t, got, 0, "slo_error_budget_remaining_ratio", "empty")
	wantSeries(t, got, 0, "slo_burn_rate", "empty")
	wantSeries(t, got, 1, "slo_error_budget_state", "empty", `state="no_data"`, "} 1")
	wantSeries(t, got, 1, "slo_error_budget_remaining_ratio", "strict", "} -Inf")
	wantSeries(t, got, 1, "slo_burn_rate", "strict", "} +Inf")

	e = promexport.New(promexport.Options{})
	e.Observe("zero", &analysis.Verdict{}, time.Time{})
	e.Observe("nil", nil, start)
	got = text(t, e)
	wantSeries(t, got, 1, "rampguard_verdict", `decision="pause"`, "} 1")
	wantSeries(t, got, 0, "rampguard_last_look_timestamp_seconds")
	wantSeries(t, got, 0, "rampguard_stage_start_timestamp_seconds")
	wantSeries(t, got, 0, "rampguard_verdict", "nil")
}

func TestStale(t *testing.T) {
	now := start
	e := promexport.New(promexport.Options{MaxAge: time.Hour, Now: func() time.Time { return now }, SLA: 72 * time.Hour})
	e.Observe("fraud-eu", verdict(), start)
	e.ObserveLeadTime("registry", flights(), start)
	v := evaluation(t)
	e.ObserveSLO(v)
	e.ObserveGate("fraud", sla.Gate(sla.GatePolicy{}, sla.GateState{}, sla.GateRequest{}, start, v))
	gone := []string{"rampguard_verdict", "rampguard_verdict_info", "rampguard_manual_pause", "rampguard_finding_outcome", "rampguard_findings",
		"rampguard_error_budget_alpha", "model_deployment_in_flight", "model_deployment_in_flight_age_seconds", "slo_burn_rate", "slo_alert_firing", "slo_error_budget_state", "promotion_gate_state"}
	stays := []string{"rampguard_last_look_timestamp_seconds", "rampguard_check_after_seconds", "rampguard_rollout_finished", "rampguard_looks_total", "rampguard_verdicts_total",
		"model_deployment_lead_time_seconds_count", "model_deployment_log_timestamp_seconds", "slo_evaluation_timestamp_seconds", "promotion_gate_timestamp_seconds"}
	now = at(time.Hour)
	got := text(t, e)
	for _, name := range append(gone, stays...) {
		if len(series(got, name)) == 0 {
			t.Errorf("%s is absent at the edge of its age", name)
		}
	}
	now = at(time.Hour + time.Second)
	got = text(t, e)
	for _, name := range gone {
		wantSeries(t, got, 0, name)
	}
	for _, name := range stays {
		if len(series(got, name)) == 0 {
			t.Errorf("%s is absent when stale", name)
		}
	}
	e.Observe("fraud-eu", verdict(), now)
	if len(series(text(t, e), "rampguard_verdict")) != 3 {
		t.Error("a new verdict did not come back")
	}
}

func TestOrderAndRepeats(t *testing.T) {
	e := promexport.New(promexport.Options{})
	v := verdict()
	e.Observe("r", v, at(time.Hour))
	e.Observe("r", v, at(2*time.Hour)) // the same record
	late := verdict()
	late.Decision, late.Record.Digest = analysis.Rollback, "d0"
	e.Observe("r", late, at(time.Minute)) // from before
	got := text(t, e)
	wantSeries(t, got, 1, "rampguard_verdicts_total", `decision="pause"`, "} 1")
	wantSeries(t, got, 1, "rampguard_verdicts_total", `decision="rollback"`, "} 0")
	wantSeries(t, got, 1, "rampguard_verdict", `decision="rollback"`, "} 0")
	late.Step = analysis.Done
	e.Observe("r", late, at(3*time.Hour))
	got = text(t, e)
	wantSeries(t, got, 1, "rampguard_verdicts_total", `decision="rollback"`, "} 1")
	wantSeries(t, got, 1, "rampguard_rollout_finished", "} 1")
	e.Forget("r")
	wantSeries(t, text(t, e), 0, "rampguard_verdicts_total")
}

func TestBudgetsOverAttempts(t *testing.T) {
	e := promexport.New(promexport.Options{})
	spent := func(attempt int, alpha float64, when time.Duration) float64 {
		v := verdict()
		v.State.Attempt = attempt
		v.Record.AlphaSpent = []analysis.Spending{{Budget: "rollback", Of: 0.1, Alpha: alpha}}
		e.Observe("r", v, at(when))
		var x float64
		line := series(text(t, e), "rampguard_error_budget_spent_ratio")[0]
		if _, err := fmt.Sscan(line[strings.LastIndex(line, " ")+1:], &x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	given := func(a float64) float64 { return 6 / (math.Pi * math.Pi * a * a) }
	for i, step := range []struct {
		attempt     int
		alpha, want float64
	}{
		{2, 0.01, given(1) + 0.1},            // the first was not seen
		{2, 0.005, given(1) + 0.1},           // a look with fewer findings
		{2, 0.012, given(1) + 0.12},          // and one with more
		{3, 0.002, given(1) + 0.14},          // what the second spent stays
		{5, 0, given(1) + 0.14 + given(4)},   // the fourth was not seen
		{1, 0.05, 0.5},                       // the state was lost
		{math.MaxInt - 1, 0, 0.5 + 0.392013}, // a damaged state does not hang the scrape
	} {
		if got := spent(step.attempt, step.alpha, time.Duration(i)*time.Minute); math.Abs(got-step.want) > 1e-3 {
			t.Errorf("step %d: spent %v, want %v", i, got, step.want)
		}
	}
}

func TestStrangeLabels(t *testing.T) {
	e := promexport.New(promexport.Options{})
	for i, name := range []string{"", "a\xffb", "a\xfeb", "new\nline \"quoted\" \\", strings.Repeat("é", 500), strings.Repeat("é", 501), "all"} {
		v := verdict()
		v.Model = analysis.Model{Name: name, Baseline: name, Candidate: name}
		v.Stage, v.Record.Engine, v.Record.PolicyDigest = name, name, name
		f := finding(name, name, name, analysis.Harm, stats.Interval{Point: 1}, 1)
		f.Column, f.Unit, f.Slice = name, name, analysis.SliceKey{name: name}
		v.Findings = append(v.Findings, f, f) // and twice
		v.Record.AlphaSpent = append(v.Record.AlphaSpent, analysis.Spending{Budget: name, Of: 1, Alpha: 1}, analysis.Spending{Budget: name, Of: 0})
		v.Decision = analysis.Decision(int8(i))
		e.Observe(name, v, at(time.Duration(i)*time.Second))
		e.ObserveSLO(sla.Evaluation{Objective: name, Model: name, AsOf: start, Alerts: []sla.AlertResult{{Alert: sla.Alert{Name: name}}, {Alert: sla.Alert{Name: name}}}})
		e.ObserveGate(name, sla.GateDecision{At: start})
		fs := flights()
		for j := range fs {
			fs[j].Key.Model, fs[j].Track = name, leadtime.Track(name)
		}
		e.ObserveLeadTime(name, fs, start)
	}
	got := text(t, e) // the registry refuses duplicates and broken text
	wantSeries(t, got, 6, "rampguard_last_look_timestamp_seconds")
	for line := range strings.Lines(got) {
		if len(line) > 2500 {
			t.Errorf("a line of %d bytes: %.100s", len(line), line)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	e := promexport.New(promexport.Options{MaxRollouts: 3, MaxAge: time.Minute})
	v := evaluation(t)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				when := at(time.Duration(i) * time.Second)
				e.Observe(fmt.Sprint("r", (w+i)%5), verdict(), when)
				e.ObserveLeadTime(fmt.Sprint("log", w), flights(), when)
				e.ObserveSLO(v)
				e.ObserveGate("fraud", sla.GateDecision{At: when})
				if i%10 == 9 {
					e.Forget(fmt.Sprint("r", w))
					e.ForgetLeadTime("log0")
					e.ForgetSLO("fraud", "scored in time")
					e.ForgetGate("fraud")
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				if _, err := testutil.CollectAndLint(e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
