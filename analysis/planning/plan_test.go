package planning_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

const rollout = `
version: 1
traffic: 60000/min
columns: {score: score, label: label}
exposure: {min_units: 1000}
checks:
  - {check: srm}
  - {check: guardrail, metric: rate, column: error, direction: lower, bounds: {pause: 3%}, relative: {rollback: 2x}}
  - {check: guardrail, metric: log_loss, margin: 5%}
  - {check: guardrail, metric: accuracy, margin: 1pp}
  - {check: guardrail, metric: auc, margin: 1pp, severity: pause}
  - {check: guardrail, metric: quantile, column: latency_ms, q: 0.99, direction: lower, relative: {pause: 1.5x}}
  - {check: guardrail, metric: count_rate, of: tickets, direction: lower, relative: {pause: 2x}}
stages:
  - {name: canary, weight: 1, duration: 30m}
  - {name: tenth, weight: 10, duration: 30m}
  - {name: half, weight: 50, duration: 30m}
`

func served() planning.Traffic {
	return planning.Traffic{
		BaseRates: map[string]float64{"error": 0.01, "accuracy": 0.9, "auc": 0.85, "label": 0.2, "tickets": 0.001},
		Moments:   map[string]planning.Moments{"log_loss": {Mean: 0.3, SD: 0.5}, "latency_ms": {Mean: 50, SD: 30}},
	}
}

// TestMoreTrafficSeesMore: what is detected shrinks, and times get no longer, from
// stage to stage, with the traffic, and with less power asked for.
func TestMoreTrafficSeesMore(t *testing.T) {
	p := load(t, rollout)
	r := plan(t, p, served(), planning.Options{})
	twice := served()
	twice.PerSecond = 2 * p.Traffic
	more := plan(t, p, twice, planning.Options{})
	if len(r.Limits) != 8 || len(r.Never) != 0 {
		t.Fatalf("%d limits, never %v; want 8 and none", len(r.Limits), r.Never)
	}
	for i, l := range r.Limits {
		for k, d := range l.Stages {
			for j := range r.Powers {
				at, other := float64(d.Smallest[j]), float64(more.Limits[i].Stages[k].Smallest[j])
				if other > at*(1+1e-9) {
					t.Errorf("%s %s, %s: %v at twice the traffic, %v before", l.Metric, l.Code, r.Stages[k].Name, other, at)
				}
				if k > 0 && at > float64(l.Stages[k-1].Smallest[j])*(1+1e-9) {
					t.Errorf("%s %s: %v in %s, %v before", l.Metric, l.Code, at, r.Stages[k].Name, l.Stages[k-1].Smallest[j])
				}
				if j > 0 && (at < float64(d.Smallest[0]) || d.Detect[j] < d.Detect[0] || d.Pass[j] < d.Pass[0]) {
					t.Errorf("%s %s, %s: more power needs less: %+v", l.Metric, l.Code, r.Stages[k].Name, d)
				}
			}
		}
	}
}

// TestPlanAgreesWithItself: a stage that lasts as long as it takes to prove the harm
// has that harm as its smallest regression.
func TestPlanAgreesWithItself(t *testing.T) {
	p := load(t, rollout)
	r := plan(t, p, served(), planning.Options{})
	for _, l := range r.Limits {
		if l.Check == "srm" {
			continue
		}
		sec := float64(l.Stages[0].Detect[0])
		longer := *p
		longer.Stages = append([]analysis.Stage{}, p.Stages...)
		longer.Stages[0].Duration = 0
		tr := served()
		tr.PerSecond = p.Traffic
		longer.Stages[0].Duration = 1e9 * 60
		tr.PerSecond *= sec / 60 // the same units in a minute
		again := plan(t, &longer, tr, planning.Options{})
		for _, o := range again.Limits {
			if o.Code == l.Code && o.Metric == l.Metric {
				statstest.Near(t, l.Metric+" "+l.Code, float64(o.Stages[0].Smallest[0]), l.Harm, 1e-3, 0)
			}
		}
	}
}

func TestBudget(t *testing.T) {
	p := load(t, rollout)
	first := plan(t, p, served(), planning.Options{})
	share := 6 / (math.Pi * math.Pi)
	statstest.Near(t, "rollback", first.Risk.Rollback, 0.05*0.9*share, 1e-12, 0)
	statstest.Near(t, "pause", first.Risk.Pause, 0.10*0.9*share, 1e-12, 0)
	statstest.Near(t, "srm", first.Risk.SRM, 0.001*share, 1e-12, 0)
	second := plan(t, p, served(), planning.Options{Attempt: 2})
	statstest.Near(t, "second attempt", second.Risk.Rollback, first.Risk.Rollback/4, 1e-12, 0)
	sum := 0.0
	for _, l := range first.Limits {
		if l.Severity == analysis.SeverityRollback && l.Check == "guardrail" {
			sum += l.Alpha
		}
	}
	if sum > first.Risk.Rollback {
		t.Errorf("limits that roll back spend %v of %v", sum, first.Risk.Rollback)
	}
}

func TestNever(t *testing.T) {
	p := load(t, `
version: 1
traffic: 600/min
checks:
  - {check: guardrail, metric: mean, column: latency_ms, direction: lower, margin: 0}
  - {check: guardrail, metric: rate, column: error, direction: lower, bounds: {rollback: 1%}}
  - {check: guardrail, metric: rate, column: never, direction: lower, relative: {rollback: 2x}}
  - {check: guardrail, metric: rate, column: often, direction: lower, margin: 60pp}
  - {check: guardrail, metric: mean, column: unknown, direction: lower, margin: 1}
  - {check: guardrail, metric: mean, column: old, direction: lower, margin: 1, baseline: reference}
  - {check: gauge, of: cpu, direction: lower, bounds: {pause: 0.9}}
  - {check: schema}
stages:
  - {name: open, weight: 10}
  - {name: all, weight: 100, duration: 10m}
`)
	tr := planning.Traffic{
		BaseRates: map[string]float64{"error": 0.02, "never": 0, "often": 0.5},
		Moments:   map[string]planning.Moments{"latency_ms": {Mean: 50, SD: 20}, "old": {Mean: 1, SD: 1}},
	}
	r := plan(t, p, tr, planning.Options{})
	all := ""
	for _, n := range r.Never {
		all += n.Metric + ": " + n.Why + "\n"
	}
	all += strings.Join(r.Warnings, "\n")
	for _, want := range []string{
		"a candidate just as good is",
		"the baseline itself is beyond the limit",
		"a relative limit of a baseline of 0",
		"no candidate can be beyond the limit",
		"nothing is known of unknown; give its base rate, or its mean and standard deviation",
		"a baseline of its own, reference",
		"gauge cpu counts windows",
		"check schema is not planned",
		"stage open has no duration",
		"in stage all one arm gets all the traffic",
		"never ends for a sound candidate",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the plan does not say %q:\n%s", want, all)
		}
	}
}

func TestSlicesArePlanned(t *testing.T) {
	text := `
version: 1
traffic: 60000/min
slices: [country, [country, device]]
checks:
  - {check: guardrail, metric: rate, column: error, direction: lower, relative: {pause: 2x}}
  - {check: slices, slice: [country], %s metric: rate, column: error, direction: lower, relative: {pause: 2x}}
stages: [{name: half, weight: 50, duration: 1h}]
`
	tr := planning.Traffic{BaseRates: map[string]float64{"error": 0.01}, Shares: map[string]map[string]float64{"country": {"DE": 9, "FR": 1}, "device": {"x": 1}}}
	named := plan(t, load(t, strings.Replace(text, "%s", "values: [DE, FR],", 1)), tr, planning.Options{})
	any := plan(t, load(t, strings.Replace(text, "%s", "", 1)), tr, planning.Options{})
	if len(named.Limits) != 3 || len(any.Limits) != 3 {
		t.Fatalf("%d and %d limits, want 3", len(named.Limits), len(any.Limits))
	}
	de, fr := named.Limits[1], named.Limits[2]
	if de.Slice["country"] != "DE" || fr.Slice["country"] != "FR" || de.Stages[0].Smallest[0] >= fr.Stages[0].Smallest[0] {
		t.Errorf("a slice of 90%% sees less than one of 10%%: %+v, %+v", de, fr)
	}
	// 1/2 of the share of the check for each of two named slices; else 1/12 + 1/128.
	statstest.Near(t, "error of slices that occur", any.Limits[1].Alpha, de.Alpha*2*(1.0/12+1.0/128), 1e-12, 0)
	unknown := plan(t, load(t, strings.Replace(text, "%s", "", 1)), planning.Traffic{BaseRates: tr.BaseRates}, planning.Options{})
	if len(unknown.Never) != 1 || !strings.Contains(unknown.Never[0].Why, "shares of the values of country") {
		t.Errorf("slices without shares: %+v", unknown.Never)
	}
}

func TestJSONKeepsThePlan(t *testing.T) {
	r := plan(t, load(t, rollout), served(), planning.Options{})
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back planning.Report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Errorf("JSON loses something: %s", d)
	}
	again, err := json.Marshal(plan(t, load(t, rollout), served(), planning.Options{}))
	if err != nil || string(again) != string(data) {
		t.Errorf("the same plan gives other bytes: %v", err)
	}
}

func TestTrafficThatCannotBe(t *testing.T) {
	p := load(t, rollout)
	silent := *p
	silent.Traffic = 0
	for name, f := range map[string]func() (planning.Report, error){
		"no traffic": func() (planning.Report, error) { return planning.Plan(&silent, planning.Traffic{}, planning.Options{}) },
		"negative": func() (planning.Report, error) {
			return planning.Plan(p, planning.Traffic{PerSecond: -1}, planning.Options{})
		},
		"rate": func() (planning.Report, error) {
			return planning.Plan(p, planning.Traffic{BaseRates: map[string]float64{"error": math.NaN()}}, planning.Options{})
		},
		"deviation": func() (planning.Report, error) {
			return planning.Plan(p, planning.Traffic{Moments: map[string]planning.Moments{"x": {SD: -1}}}, planning.Options{})
		},
		"share": func() (planning.Report, error) {
			return planning.Plan(p, planning.Traffic{Shares: map[string]map[string]float64{"x": {"a": -1}}}, planning.Options{})
		},
		"no shares": func() (planning.Report, error) {
			return planning.Plan(p, planning.Traffic{Shares: map[string]map[string]float64{"x": {"a": 0}}}, planning.Options{})
		},
		"power": func() (planning.Report, error) {
			return planning.Plan(p, planning.Traffic{}, planning.Options{Powers: []float64{1}})
		},
		"no power": func() (planning.Report, error) {
			return planning.Plan(p, planning.Traffic{}, planning.Options{Powers: []float64{}})
		},
		"falling power": func() (planning.Report, error) {
			return planning.Plan(p, planning.Traffic{}, planning.Options{Powers: []float64{0.9, 0.8}})
		},
	} {
		if _, err := f(); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v, want ErrDomain", name, err)
		}
	}
}
