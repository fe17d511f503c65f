package analysistest_test

import (
	"fmt"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// recorder is a test that keeps its failures.
type recorder struct{ failures []string }

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...) }

func (r *recorder) text() string { return strings.Join(r.failures, "\n") }

// errorRate is a check written outside of the library: it holds the candidate's
// share of failed requests against a bound.
type errorRate struct{ Bound float64 }

func (c errorRate) Name() string { return "error_rate" }

func (c errorRate) Columns() []analysis.ColumnSpec { return []analysis.ColumnSpec{{Name: "failed"}} }

func (c errorRate) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	f := analysis.NewFinding(c.Name(), "error_rate", "rate")
	f.Limit, f.Unit, f.Alpha = stats.Float(c.Bound), "share", ev.Alpha
	if ev.Candidate == nil || ev.Candidate.Column("failed").Boolean.Trials() == 0 {
		f.Outcome, f.Message = analysis.NoData, "The candidate has served nothing yet."
		return []analysis.Finding{f}, nil
	}
	p := &ev.Candidate.Column("failed").Boolean
	rate, err := stats.ClopperPearson(p.True, p.Trials(), 0.95)
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

// gatePolicy asks for fewer than 5% failed requests.
func gatePolicy() *analysis.Policy {
	return &analysis.Policy{
		Version: 1,
		Model:   analysis.Model{Name: "fraud", Baseline: "v2.0", Candidate: "v2.1"},
		Budget:  analysis.Budget{Rollback: 0.05, Pause: 0.10, SRM: 0.001},
		Checks: []analysis.CheckEntry{
			{Check: errorRate{Bound: 0.05}, Severity: analysis.SeverityRollback, Required: true},
		},
	}
}

// served collects an arm of n requests of which every k-th failed.
func served(p *analysis.Policy, n, k int) *analysis.Snapshot {
	spec, err := p.Spec()
	if err != nil {
		panic(err)
	}
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
