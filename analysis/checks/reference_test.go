package checks_test

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// logs gives the arms of a log of the reference file under a policy.
type logs struct {
	ref   statstest.Reference
	cache map[string]*analysis.Snapshot
}

func newLogs(t *testing.T) *logs {
	return &logs{ref: statstest.Load(t, "checks"), cache: map[string]*analysis.Snapshot{}}
}

// arms reads both arms of the log: seeded rows of the reference file, or flights.
func (l *logs) arms(t *testing.T, p *analysis.Policy, log string) (b, c *analysis.Snapshot) {
	t.Helper()
	if log == "seeded" {
		return l.arm(t, p, "seeded", "baseline"), l.arm(t, p, "seeded", "candidate")
	}
	return l.arm(t, p, "flights", "baseline"), l.arm(t, p, "flights", log)
}

func (l *logs) arm(t *testing.T, p *analysis.Policy, source, name string) *analysis.Snapshot {
	t.Helper()
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	key := spec.Fingerprint() + source + name
	if s := l.cache[key]; s != nil {
		return s
	}
	var s *analysis.Snapshot
	if source == "seeded" {
		s = collect(t, p, l.rows(t, name))
	} else {
		path := filepath.Join(statstest.Root(t), "testdata", "flights", name+".parquet")
		if s, err = parquetrows.Collect(context.Background(), spec, parquetrows.Options{}, path); err != nil {
			t.Fatal(err)
		}
	}
	l.cache[key] = s
	return s
}

// rows reads the seeded rows of an arm.
func (l *logs) rows(t *testing.T, arm string) table {
	t.Helper()
	for _, c := range l.ref.ByFunc(t, "rows") {
		if c.Name != arm {
			continue
		}
		var labels []any
		var hours []int64
		var actions []string
		statstest.Decode(t, c.In, "label", &labels)
		statstest.Decode(t, c.In, "action", &actions)
		for _, h := range statstest.Floats(t, c.In, "hour") {
			hours = append(hours, int64(h))
		}
		return table{
			"score": statstest.Floats(t, c.In, "score"), "distance": statstest.Floats(t, c.In, "distance"), "hour": hours, "action": actions,
			"label": maybe{
				draw(len(labels), func(i int) bool { return labels[i] == 1.0 }),
				draw(len(labels), func(i int) bool { return labels[i] != "" }),
			},
		}
	}
	t.Fatalf("no rows of %s", arm)
	return nil
}

// referencePolicy is the policy of the reference logs for one check.
func referencePolicy(c analysis.Check) *analysis.Policy {
	p := policy(analysis.Once, c)
	p.Columns = analysis.Columns{Score: "score", Label: "label", Action: "action", Features: []string{"distance", "hour"}}
	return p
}

func text(t *testing.T, m map[string]json.RawMessage, key string) string {
	t.Helper()
	var s string
	if _, ok := m[key]; ok {
		statstest.Decode(t, m, key, &s)
	}
	return s
}

func float(t *testing.T, m map[string]json.RawMessage, key string) float64 {
	t.Helper()
	if _, ok := m[key]; !ok {
		return 0
	}
	return statstest.Float(t, m, key)
}

// findingOf runs the check on a log and returns the finding with the code.
func (l *logs) findingOf(t *testing.T, c analysis.Check, log, code string) analysis.Finding {
	t.Helper()
	p := referencePolicy(c)
	b, cand := l.arms(t, p, log)
	fs, err := c.Run(evidence(p, b, cand))
	if err != nil {
		t.Fatal(err)
	}
	sound(t, fs)
	return only(t, fs, code)
}

func detailOf(t *testing.T, f analysis.Finding, name string) float64 {
	t.Helper()
	for _, d := range f.Details {
		if d.Name == name {
			return float64(d.Value)
		}
	}
	t.Fatalf("no detail %s in %+v", name, f.Details)
	return 0
}

// TestGuardrailReference compares values and intervals with scikit-learn,
// statsmodels and SciPy on the raw rows.
func TestGuardrailReference(t *testing.T) {
	l := newLogs(t)
	for _, c := range l.ref.ByFunc(t, "guardrail") {
		t.Run(c.Name, func(t *testing.T) {
			g := checks.Guardrail{Metric: checks.Metric(text(t, c.In, "metric")), Column: text(t, c.In, "column"), Threshold: float(t, c.In, "threshold"), Direction: stats.LowerIsBetter}
			if float(t, c.In, "higher") == 1 {
				g.Direction = stats.HigherIsBetter
			}
			switch g.Metric {
			case checks.LabelRate:
				g.Column = "label"
			case checks.Mean, checks.Rate:
			default:
				g.Column = "score"
			}
			log := text(t, c.In, "log")
			near := func(what string, got, want float64) {
				t.Helper()
				statstest.Near(t, what, got, want, c.RTol, c.ATol)
			}
			want := func(key string) float64 { return statstest.Float(t, c.Want, key) }

			g.Margin = plain(0.01)
			f := l.findingOf(t, g, log, "margin")
			near("baseline", detailOf(t, f, "baseline"), want("baseline"))
			near("candidate", detailOf(t, f, "candidate"), want("candidate"))
			near("n", float64(f.N.Baseline), want("n_baseline"))
			near("n", float64(f.N.Candidate), want("n_candidate"))
			worse := func(lo, hi float64) (float64, float64) {
				if g.Direction == stats.HigherIsBetter {
					return -hi, -lo
				}
				return lo, hi
			}
			lo, hi := worse(want("lo"), want("hi"))
			near("lo", f.Estimate.Lo, lo)
			near("hi", f.Estimate.Hi, hi)

			g.Margin = relative(0.02)
			f = l.findingOf(t, g, log, "margin")
			lo, hi = worse(want("ratio_lo")-1, want("ratio_hi")-1)
			near("relative lo", f.Estimate.Lo, lo)
			near("relative hi", f.Estimate.Hi, hi)

			g.Margin = nil
			g.Bounds = checks.Limits{Rollback: plain(want("baseline"))}
			f = l.findingOf(t, g, log, "rollback_bound")
			lo, hi = want("alone_lo"), want("alone_hi")
			if g.Direction == stats.HigherIsBetter {
				lo, hi = want("baseline")-hi, want("baseline")-lo
			}
			near("alone lo", f.Estimate.Lo, lo)
			near("alone hi", f.Estimate.Hi, hi)
		})
	}
}

// TestAUCStatesWhatCellsHide: the exact AUC of the raw scores lies within the
// resolution that the interval allows for, which is far below its width.
func TestAUCStatesWhatCellsHide(t *testing.T) {
	l := newLogs(t)
	for _, c := range l.ref.ByFunc(t, "guardrail") {
		if !strings.HasSuffix(c.Name, " auc") {
			continue
		}
		g := checks.Guardrail{Metric: checks.AUC, Column: "score", Margin: points(0.02)}
		f := l.findingOf(t, g, text(t, c.In, "log"), "margin")
		for _, arm := range []string{"baseline", "candidate"} {
			statstest.Near(t, c.Name+" "+arm, detailOf(t, f, arm), statstest.Float(t, c.Want, arm), 0, 1e-4)
		}
		lo, hi := -statstest.Float(t, c.Want, "hi"), -statstest.Float(t, c.Want, "lo")
		if f.Estimate.Lo > lo || f.Estimate.Hi < hi {
			t.Errorf("%s: interval %v does not cover that of the raw scores, %v to %v", c.Name, f.Estimate, lo, hi)
		}
	}
}

// TestQuantileReference: the exact quantile, and the exact order statistics, lie
// in the cells that the check names.
func TestQuantileReference(t *testing.T) {
	l := newLogs(t)
	for _, c := range l.ref.ByFunc(t, "quantile") {
		t.Run(c.Name, func(t *testing.T) {
			g := checks.Guardrail{Metric: checks.Quantile, Column: text(t, c.In, "column"), Q: float(t, c.In, "q"), Direction: stats.LowerIsBetter,
				Margin: plain(1), Bounds: checks.Limits{Rollback: plain(1e9)}}
			f := l.findingOf(t, g, text(t, c.In, "log"), "margin")
			for _, arm := range []string{"baseline", "candidate"} {
				statstest.Near(t, arm, detailOf(t, f, arm), statstest.Float(t, c.Want, arm), c.RTol, c.ATol)
			}
			f = l.findingOf(t, g, text(t, c.In, "log"), "rollback_bound")
			lo, hi := statstest.Float(t, c.Want, "alone_lo"), statstest.Float(t, c.Want, "alone_hi")
			if f.Estimate.Lo > lo || f.Estimate.Hi < hi {
				t.Errorf("interval %v does not cover the order statistics %v and %v", f.Estimate, lo, hi)
			}
			statstest.Near(t, "lo", f.Estimate.Lo, lo, c.RTol, c.ATol)
			statstest.Near(t, "hi", f.Estimate.Hi, hi, c.RTol, c.ATol)
		})
	}
}

// TestDriftReference: the measures of drift on the raw rows.
func TestDriftReference(t *testing.T) {
	l := newLogs(t)
	for _, c := range l.ref.ByFunc(t, "drift") {
		t.Run(c.Name, func(t *testing.T) {
			d := checks.Drift{Column: text(t, c.In, "column"), Metric: checks.DriftMetric(text(t, c.In, "metric"))}
			f := l.findingOf(t, d, text(t, c.In, "log"), "drift")
			statstest.Near(t, "value", detailOf(t, f, "value"), statstest.Float(t, c.Want, "value"), c.RTol, c.ATol)
		})
	}
}

// TestActionsReference: shares, the Newcombe interval of their difference, and
// the total variation.
func TestActionsReference(t *testing.T) {
	l := newLogs(t)
	for _, c := range l.ref.ByFunc(t, "actions") {
		p := referencePolicy(checks.Actions{})
		b, cand := l.arms(t, p, text(t, c.In, "log"))
		fs, err := p.Checks[0].Check.Run(evidence(p, b, cand))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			if f.Metric != text(t, c.In, "action") {
				continue
			}
			near := func(what string, got float64) {
				t.Helper()
				statstest.Near(t, c.Name+" "+what, got, statstest.Float(t, c.Want, what), c.RTol, c.ATol)
			}
			near("baseline", detailOf(t, f, "baseline"))
			near("candidate", detailOf(t, f, "candidate"))
			near("tv", detailOf(t, f, "total_variation"))
			near("lo", f.Estimate.Lo)
			near("hi", f.Estimate.Hi)
		}
	}
}

// TestSRMReference: the share and Pearson's p-value.
func TestSRMReference(t *testing.T) {
	l := newLogs(t)
	for _, c := range l.ref.ByFunc(t, "srm") {
		f := l.findingOf(t, checks.SRM{}, c.Name, "srm")
		statstest.Near(t, c.Name+" share", f.Estimate.Point, statstest.Float(t, c.Want, "share"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" p", float64(f.P), statstest.Float(t, c.Want, "p"), c.RTol, c.ATol)
		if math.IsNaN(float64(f.LogE)) {
			t.Error("no e-value")
		}
	}
}

// TestFlights: what the real logs must say. The candidate is sound; the broken
// one has lost early flights, and labels.
func TestFlights(t *testing.T) {
	l := newLogs(t)
	is(t, l.findingOf(t, checks.SRM{}, "candidate", "srm"), analysis.Pass)
	f := l.findingOf(t, checks.SRM{}, "candidate_broken", "srm")
	is(t, f, analysis.Invalid)
	if !strings.Contains(f.Message, "too little of hour=6 (41.2%) and hour=5 (41%); without them it has 49.8%, which fits") {
		t.Error(f.Message)
	}
	loss := checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.05)}
	is(t, l.findingOf(t, loss, "candidate", "margin"), analysis.Pass)
	is(t, l.findingOf(t, loss, "candidate_broken", "margin"), analysis.Harm)
	is(t, l.findingOf(t, loss, "candidate_broken", "label_coverage"), analysis.Invalid)
	is(t, l.findingOf(t, checks.Collapse{}, "candidate", "collapse"), analysis.Pass)
	is(t, l.findingOf(t, checks.Collapse{}, "candidate_broken", "collapse_variance"), analysis.Harm)
	is(t, l.findingOf(t, checks.Schema{}, "candidate", "schema"), analysis.Pass)
	is(t, l.findingOf(t, checks.Drift{Column: "distance"}, "candidate", "drift"), analysis.Pass)
	is(t, l.findingOf(t, checks.Drift{Column: "score"}, "candidate_broken", "drift"), analysis.Harm)
}
