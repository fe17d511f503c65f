package checks_test

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// brought is a snapshot with one window of a provider's metric.
func brought(spec *analysis.Spec, m analysis.Measurement) *analysis.Snapshot {
	m.Metric = spec.Metrics[0].Name
	m.Start = time.Date(2025, 11, 3, 12, 0, 0, 0, time.UTC)
	m.End = m.Start.Add(time.Minute)
	s := analysis.NewSnapshot(spec)
	if err := s.AddMeasurement(m); err != nil {
		fmt.Println(err)
	}
	return s
}

// some makes the optional numbers of a measurement.
func some(x float64) *float64 { return &x }

// The base rate of errors doubles while the candidate gets more of the traffic.
// Pooled, it had 1.8% errors where the baseline had 1.4%; within the stages there
// is no difference.
func ExampleGuardrail_stages() {
	g := checks.Guardrail{Metric: checks.Ratio, Of: "errors", Direction: stats.LowerIsBetter, Margin: &analysis.Quantity{Value: 0.3, Unit: analysis.Relative}}
	p := &analysis.Policy{
		Checks: []analysis.CheckEntry{{Check: g, Severity: analysis.SeverityRollback, Required: true}},
		Stages: []analysis.Stage{{Name: "canary", Weight: 10}, {Name: "half", Weight: 50}},
	}
	spec, err := p.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	stage := func(name string, xb, nb, xc, nc float64) analysis.Stratum {
		return analysis.Stratum{Stage: name, Split: p.SplitOf(name),
			Baseline:  brought(spec, analysis.Measurement{Total: &xb, Count: &nb}),
			Candidate: brought(spec, analysis.Measurement{Total: &xc, Count: &nc})}
	}
	strata := []analysis.Stratum{stage("canary", 900, 90000, 100, 10000), stage("half", 1000, 50000, 1000, 50000)}
	findings, err := g.Run(&analysis.Evidence{Stage: "half", Split: p.SplitOf("half"), Baseline: strata[1].Baseline, Candidate: strata[1].Candidate,
		Strata: strata, Policy: p, Alpha: 0.05, NoHarmAlpha: analysis.NoHarmAlpha})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Printf("%s: %v\n%s\n", f.Code, f.Outcome, f.Message)
	}
	// Output:
	// margin: pass
	// ratio of errors went from 1.74% to 1.74%: 0% worse, at worst 13.5% worse. The limit is 30%. 140,000 against 60,000 units.
}

// One value says little, so the rule of the finding says how many have to agree.
func ExampleGauge() {
	g := checks.Gauge{Of: "queue_length", Direction: stats.LowerIsBetter, Bounds: checks.Limits{Pause: &analysis.Quantity{Value: 100}}}
	spec, err := (&analysis.Spec{}).WithMetrics(g.Metrics()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	findings, err := g.Run(&analysis.Evidence{Candidate: brought(spec, analysis.Measurement{Total: some(120)})})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Printf("%s: %v\n%s\n%d of %d\n", f.Code, f.Outcome, f.Message, f.Hysteresis.K, f.Hysteresis.Of)
	}
	// Output:
	// pause_bound: harm
	// queue_length of the candidate is 120; the limit is 100.
	// 3 of 5
}
