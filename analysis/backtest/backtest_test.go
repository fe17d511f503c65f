package backtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/backtest"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const policyText = `
version: 1
model: {name: ranker}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, margin: 1pp, severity: rollback}
`

const staged = policyText + `
stages:
  - {name: canary, weight: 10}
  - {name: half, weight: 50}
`

func load(t testing.TB, text string) *analysis.Policy {
	t.Helper()
	p, err := analysis.LoadPolicy("policy.yaml", []byte(text), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hour is an hour with so many requests of both arms, of which so many failed.
func hour(spec *analysis.Spec, i int, n, baseline, candidate float64) (backtest.Hour, error) {
	h := backtest.Hour{Start: start.Add(time.Duration(i) * time.Hour), Baseline: analysis.NewSnapshot(spec), Candidate: analysis.NewSnapshot(spec)}
	m := analysis.Measurement{Metric: "errors", Start: h.Start, End: h.Start.Add(time.Hour), Total: &baseline, Count: &n}
	if err := h.Baseline.AddMeasurement(m); err != nil {
		return h, err
	}
	m.Total = &candidate
	return h, h.Candidate.AddMeasurement(m)
}

// stored are hours of 1000 requests of each arm with 1% of errors, and in the
// candidate from an hour on as many as given.
func stored(p *analysis.Policy, n, bad int, failed float64) ([]backtest.Hour, error) {
	spec, err := p.Spec()
	if err != nil {
		return nil, err
	}
	var out []backtest.Hour
	for i := range n {
		x := 10.0
		if i >= bad {
			x = failed
		}
		h, err := hour(spec, i, 1000, 10, x)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func hours(t testing.TB, p *analysis.Policy, n, bad int, failed float64) []backtest.Hour {
	t.Helper()
	out, err := stored(p, n, bad, failed)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func run(t testing.TB, p *analysis.Policy, hs []backtest.Hour) backtest.Report {
	t.Helper()
	r, err := backtest.Run(p, hs, backtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRollbackIsFoundAndLatches(t *testing.T) {
	p := load(t, policyText)
	r := run(t, p, hours(t, p, 24, 12, 120))
	if r.RolledBack == nil || r.Paused == nil || r.Done != nil {
		t.Fatalf("rolled back %v, paused %v, done %v", r.RolledBack, r.Paused, r.Done)
	}
	if !r.RolledBack.After(start.Add(12*time.Hour)) || r.RolledBack.After(start.Add(16*time.Hour)) || !r.RolledBack.Equal(*r.Harm) {
		t.Errorf("rolled back at %v, harm at %v; the errors rose at 12:00", r.RolledBack, r.Harm)
	}
	if last := r.Looks[23]; last.Decision != analysis.Rollback || last.Rows != (analysis.Counts{}) {
		t.Errorf("the last look is %+v, want a rollback on metrics alone", last)
	}
	if r.Continues+r.Pauses+r.Rollbacks != 24 {
		t.Errorf("%d + %d + %d decisions in 24 looks", r.Continues, r.Pauses, r.Rollbacks)
	}
}

// TestVerdictsLeadThroughStages: hours without a stage follow the verdicts.
func TestVerdictsLeadThroughStages(t *testing.T) {
	p := load(t, staged)
	r := run(t, p, hours(t, p, 24, 24, 0))
	if r.RolledBack != nil || r.Done == nil {
		t.Fatalf("rolled back %v, done %v", r.RolledBack, r.Done)
	}
	advanced := slices.IndexFunc(r.Looks, func(l backtest.Look) bool { return l.Step == analysis.Advance })
	if advanced < 1 || r.Looks[advanced].Stage != "canary" || r.Looks[advanced+1].Stage != "half" {
		t.Errorf("the stages are passed at look %d: %+v", advanced, r.Looks)
	}
}

func TestStagesOfHoursAreKept(t *testing.T) {
	p := load(t, staged)
	hs := hours(t, p, 6, 6, 0)
	for i := range hs {
		hs[i].Stage = "canary"
		if i >= 3 {
			hs[i].Stage = "half"
		}
	}
	r := run(t, p, hs)
	for i, l := range r.Looks {
		if l.Stage != hs[i].Stage {
			t.Errorf("look %d is in stage %q, want %q", i, l.Stage, hs[i].Stage)
		}
	}
}

// TestOrderAndReuse: hours come in any order, and the snapshots stay as they were.
func TestOrderAndReuse(t *testing.T) {
	p := load(t, staged)
	hs := hours(t, p, 12, 6, 80)
	want := run(t, p, hs)
	back := slices.Clone(hs)
	slices.Reverse(back)
	if d := cmp.Diff(want, run(t, p, back)); d != "" {
		t.Errorf("the order of the hours matters, or a replay changes them: %s", d)
	}
}

func TestGapsAreNoData(t *testing.T) {
	p := load(t, policyText)
	hs := hours(t, p, 3, 3, 0)
	hs[0].Baseline, hs[0].Candidate = nil, nil
	r := run(t, p, hs)
	if l := r.Looks[0]; l.Decision != analysis.Pause || l.Reason.Code != analysis.ReasonNoEvidence {
		t.Errorf("an hour without data: %+v", l)
	}
}

func TestHoursThatDoNotFit(t *testing.T) {
	p := load(t, staged)
	hs := hours(t, p, 3, 3, 0)
	change := func(f func(hs []backtest.Hour)) []backtest.Hour {
		out := slices.Clone(hs)
		f(out)
		return out
	}
	other := load(t, "version: 1\nchecks:\n  - {check: guardrail, metric: ratio, of: other, direction: lower, margin: 1pp}\n")
	foreign := hours(t, load(t, "version: 1\nchecks:\n  - {check: guardrail, metric: count_rate, of: errors, direction: lower, relative: {pause: 2x}}\n"), 1, 1, 0)
	for name, c := range map[string]struct {
		hours []backtest.Hour
		o     backtest.Options
		p     *analysis.Policy
		want  error
	}{
		"none":         {want: stats.ErrEmpty},
		"twice":        {hours: change(func(hs []backtest.Hour) { hs[1].Start = hs[0].Start }), want: stats.ErrMismatch},
		"some stages":  {hours: change(func(hs []backtest.Hour) { hs[1].Stage = "half" }), want: stats.ErrMismatch},
		"no stage":     {hours: change(func(hs []backtest.Hour) { hs[0].Stage, hs[1].Stage, hs[2].Stage = "x", "x", "x" }), want: stats.ErrMismatch},
		"back":         {hours: change(func(hs []backtest.Hour) { hs[0].Stage, hs[1].Stage, hs[2].Stage = "half", "canary", "half" }), want: stats.ErrMismatch},
		"length":       {hours: hs, o: backtest.Options{Length: -1}, want: stats.ErrDomain},
		"other policy": {hours: hs, p: other, want: stats.ErrMismatch},
		"two specs":    {hours: change(func(hs []backtest.Hour) { hs[1].Candidate = foreign[0].Candidate }), want: stats.ErrMismatch},
	} {
		if c.p == nil {
			c.p = p
		}
		if _, err := backtest.Run(c.p, c.hours, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestReportForms(t *testing.T) {
	p := load(t, staged)
	r := run(t, p, hours(t, p, 24, 12, 100))
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back backtest.Report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Errorf("JSON loses something: %s", d)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"24 looks:", "rollback         2026-03-01T", "At the end: "} {
		if !bytes.Contains(text.Bytes(), []byte(part)) {
			t.Errorf("the text does not say %q:\n%s", part, text.String())
		}
	}
}
