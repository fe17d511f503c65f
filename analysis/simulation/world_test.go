package simulation_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/analysis/simulation"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// last plays one rollout without a horizon of more than the given time and returns
// the evidence of its last look.
func last(t *testing.T, p *analysis.Policy, s simulation.Scenario, horizon time.Duration) analysis.Look {
	t.Helper()
	var out analysis.Look
	o := simulation.Options{Rollouts: 1, Seed: 5, Workers: 1, Horizon: horizon, LookEvery: horizon,
		Observe: func(_ int, l analysis.Look, _ analysis.Verdict) { out = l }}
	if _, err := simulation.Run(context.Background(), p, s, o); err != nil {
		t.Fatal(err)
	}
	return out
}

// within fails when got is more than five standard errors of a share from want.
func within(t *testing.T, what string, x, n uint64, want float64) {
	t.Helper()
	got := float64(x) / float64(n)
	if se := math.Sqrt(want * (1 - want) / float64(n)); math.Abs(got-want) > 5*se {
		t.Errorf("%s: %v of %d, want %v", what, got, n, want)
	}
}

func TestWorldIsAsTheTrafficSays(t *testing.T) {
	p := load(t, small)
	l := last(t, p, simulation.Scenario{Traffic: served()}, 10*time.Minute)
	e := l.Evidence[0]
	b, c := e.Baseline, e.Candidate
	within(t, "candidate's share", c.RowCount, b.RowCount+c.RowCount, 0.1)
	statstest.Near(t, "rows", float64(b.RowCount+c.RowCount), 600000, 0.01, 0)
	for arm, s := range map[string]*analysis.Snapshot{"baseline": b, "candidate": c} {
		failed := s.Column("error").Boolean
		within(t, arm+" errors", failed.True, failed.Trials(), 0.01)
		n, _ := s.Column("country").Category.N("IT")
		within(t, arm+" IT", n, s.RowCount, 0.1)
		labels := s.ByRole(analysis.Label).Boolean
		within(t, arm+" labels", labels.True, labels.Trials(), 0.3)
		within(t, arm+" without label", labels.Null, s.RowCount, 0.3) // of the last 3 of 10 minutes
		if young := s.ByRole(analysis.Label).ImmatureLabels; young != labels.Null || !s.MatureBefore.By(l.Now.Add(-3*time.Minute)) {
			t.Errorf("%s: %d labels are too young, cut at %v; want %d, 3 minutes before %v", arm, young, s.MatureBefore, labels.Null, l.Now)
		}
		m, err := s.ByRole(analysis.Score).Scores.All().Moments()
		if err != nil {
			t.Fatal(err)
		}
		statstest.Near(t, arm+" mean score", m.Mean, 0.3, 0.02, 0)
		q, err := s.Column("latency_ms").Numeric.Quantile(0.99)
		if err != nil {
			t.Fatal(err)
		}
		statstest.Near(t, arm+" p99", q.Value, 152.8, 0.15, 0)
		refunds := s.Metric("refunds")
		within(t, arm+" refunds", uint64(refunds.Total.Float64()), uint64(refunds.Count.Float64()), 0.05)
		basket := s.Metric("basket")
		statstest.Near(t, arm+" basket", basket.Total.Float64()/basket.Count.Float64(), 40, 0.02, 0)
		statstest.Near(t, arm+" tickets", s.Metric("tickets").Total.Float64()/s.Metric("tickets").Count.Float64(), 0.002, 0.3, 0)
		if got := s.Metric("queue_ms").Distribution.N(); got != s.RowCount {
			t.Errorf("%s: %d values in buckets, %d rows", arm, got, s.RowCount)
		}
		whole(t, arm, s)
	}
}

// whole makes sure that a snapshot is one that could have been collected: reading it
// back checks that its slices add up to its rows.
func whole(t *testing.T, what string, s *analysis.Snapshot) {
	t.Helper()
	data, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := new(analysis.Snapshot).UnmarshalBinary(data); err != nil {
		t.Errorf("%s: the snapshot does not read back: %v", what, err)
	}
}

func TestHarmIsWhereItWasPlanted(t *testing.T) {
	p := load(t, small)
	p.Labels.Maturity = 0
	at := func(h simulation.Harm) (b, c *analysis.Snapshot) {
		l := last(t, p, simulation.Scenario{Traffic: served(), Harm: h, LabelDelay: -1}, 4*time.Minute)
		whole(t, h.String(), l.Evidence[0].Candidate)
		return l.Evidence[0].Baseline, l.Evidence[0].Candidate
	}

	b, c := at(simulation.Harm{Column: "error", Factor: 3})
	within(t, "baseline", b.Column("error").Boolean.True, b.RowCount, 0.01)
	within(t, "errors x3", c.Column("error").Boolean.True, c.RowCount, 0.03)

	_, c = at(simulation.Harm{Column: "error", Factor: 3, Slice: map[string]string{"country": "DE", "device": "desk"}})
	within(t, "errors x3 in 18%", c.Column("error").Boolean.True, c.RowCount, 0.01*(1+2*0.18))

	b, c = at(simulation.Harm{Column: "latency_ms", Factor: 2})
	statstest.Near(t, "latency", c.Column("latency_ms").Numeric.Max()/b.Column("latency_ms").Numeric.Max(), 2, 1e-12, 0)

	_, c = at(simulation.Harm{Column: "basket", Factor: 0.5})
	statstest.Near(t, "basket", c.Metric("basket").Total.Float64()/c.Metric("basket").Count.Float64(), 20, 0.03, 0)

	b, c = at(simulation.Harm{LogLoss: 0.2})
	before, err := b.ByRole(analysis.Score).Scores.LogLoss()
	if err != nil {
		t.Fatal(err)
	}
	after, err := c.ByRole(analysis.Score).Scores.LogLoss()
	if err != nil {
		t.Fatal(err)
	}
	statstest.Near(t, "log loss", after.Mean/before.Mean, 1.2, 0.02, 0)

	_, c = at(simulation.Harm{Collapse: true})
	if s := c.ByRole(analysis.Score).Scores.All(); s.Min() != s.Max() {
		t.Errorf("collapsed scores lie between %v and %v", s.Min(), s.Max())
	}

	_, c = at(simulation.Harm{Column: "error", Factor: 3, After: 2 * time.Minute})
	within(t, "errors x3 half of the time", c.Column("error").Boolean.True, c.RowCount, 0.02)
}

// TestBaselineStandsForTraffic takes the world from what was collected before.
func TestBaselineStandsForTraffic(t *testing.T) {
	p := load(t, small)
	l := last(t, p, simulation.Scenario{Traffic: served(), LabelDelay: -1}, 5*time.Minute)
	seen := l.Evidence[0].Baseline
	l = last(t, p, simulation.Scenario{Traffic: planning.Traffic{Baseline: seen, Moments: served().Moments, BaseRates: map[string]float64{"refunds": 0.05, "tickets": 0.002}}}, 5*time.Minute)
	s := l.Evidence[0].Baseline
	statstest.Near(t, "errors", float64(s.Column("error").Boolean.True)/float64(s.RowCount), float64(seen.Column("error").Boolean.True)/float64(seen.RowCount), 0.1, 0)
	n, _ := s.Column("country").Category.N("FR")
	within(t, "FR", n, s.RowCount, 0.3)
	labels := s.ByRole(analysis.Label).Boolean
	within(t, "labels", labels.True, labels.Trials(), 0.3)
}

func TestScenariosThatCannotBe(t *testing.T) {
	p := load(t, small)
	silent := *p
	silent.Traffic = 0
	run := func(p *analysis.Policy, s simulation.Scenario, o simulation.Options) error {
		_, err := simulation.Run(context.Background(), p, s, o)
		return err
	}
	harm := func(h simulation.Harm) error {
		return run(p, simulation.Scenario{Traffic: served(), Harm: h}, simulation.Options{Rollouts: 1})
	}
	for name, err := range map[string]error{
		"no traffic":        run(&silent, simulation.Scenario{}, simulation.Options{}),
		"unknown column":    harm(simulation.Harm{Column: "nothing", Factor: 2}),
		"negative factor":   harm(simulation.Harm{Column: "error", Factor: -1}),
		"factor of nothing": harm(simulation.Harm{Factor: 2}),
		"two harms":         harm(simulation.Harm{Collapse: true, LogLoss: 0.1}),
		"log loss too bad":  harm(simulation.Harm{LogLoss: 5}),
		"gain":              harm(simulation.Harm{LogLoss: -0.1}),
		"unknown slice":     harm(simulation.Harm{Column: "error", Factor: 2, Slice: map[string]string{"country": "XX"}}),
		"correlation 1":     run(p, simulation.Scenario{Noise: simulation.Noise{Rho: 1}}, simulation.Options{}),
		"endless outage":    run(p, simulation.Scenario{Outages: []simulation.Outage{{Every: time.Hour}}}, simulation.Options{}),
		"bad share":         run(p, simulation.Scenario{Traffic: planning.Traffic{BaseRates: map[string]float64{"error": -1}}}, simulation.Options{}),
		"looks too often":   run(p, simulation.Scenario{}, simulation.Options{LookEvery: time.Second}),
	} {
		if !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v, want ErrDomain", name, err)
		}
	}
}
