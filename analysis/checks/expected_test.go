package checks_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/analysistest"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/labelfree"
)

// unlabelled is the log without labels from a row on.
func unlabelled(tab table, from int) table {
	n := len(tab["score"].([]float64))
	return with(tab, "label", maybe{tab["label"], draw(n, func(i int) bool { return i < from })})
}

// hesitant is a log whose scores are nearer to 1/2 than those of [scored], with
// labels as the scores say.
func hesitant(seed uint64, n int) table {
	r := random(seed)
	score, label := make([]float64, n), make([]bool, n)
	for i := range n {
		score[i] = 0.25 + r.Float64()/2
		label[i] = r.Float64() < score[i]
	}
	return table{"score": score, "label": label}
}

var accuracy = checks.Expected{Metric: labelfree.Accuracy, Column: "score", Threshold: 0.5}

// TestExpected: a candidate without labels, by the labels of the baseline.
func TestExpected(t *testing.T) {
	const n = 20000
	base := scored(1, n, 0)
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
		for _, m := range []labelfree.Metric{labelfree.Accuracy, labelfree.AUC} {
			c := accuracy
			c.Metric, c.Margin = m, 0.05
			p := policy(looks, c)
			code := "expected_" + m.String()
			for name, tc := range map[string]struct {
				cand table
				want analysis.Outcome
			}{
				"alike":    {unlabelled(scored(2, n, 0), 0), analysis.Pass},
				"hesitant": {unlabelled(hesitant(3, n), 0), analysis.Harm},
			} {
				f := only(t, run(t, p, base, tc.cand), code)
				is(t, f, tc.want)
				if !has(f, checks.WarnProxy) || !strings.Contains(f.Message, "Proxy, not measured") || !strings.Contains(f.Message, "cannot see a change in what the label means") {
					t.Errorf("%s: the finding does not say that it is a proxy: %s", name, f.Message)
				}
				if !strings.Contains(f.Message, "labelled rows of the baseline") {
					t.Errorf("%s: %s", name, f.Message)
				}
			}
		}
	}
	// More positive labels are worse, unless the policy says otherwise.
	more := checks.Expected{Metric: labelfree.PositiveRate, Column: "score"}
	is(t, only(t, run(t, policy(analysis.Once, more), base, unlabelled(hesitant(4, n), 0)), "expected_positive_rate"), analysis.Harm)
	more.Direction = stats.HigherIsBetter
	is(t, only(t, run(t, policy(analysis.Once, more), base, unlabelled(hesitant(4, n), 0)), "expected_positive_rate"), analysis.Pass)
}

// TestExpectedReadsTheCandidateByItsOwnLabels: scores that are squared mean other
// chances than those of the baseline, and the candidate's own labels say so.
func TestExpectedReadsTheCandidateByItsOwnLabels(t *testing.T) {
	const n = 20000
	base := hesitant(1, n)
	cand := hesitant(2, n)
	cand = with(cand, "score", draw(n, func(i int) float64 { s := cand["score"].([]float64)[i]; return s * s }))
	c := accuracy
	c.Threshold = 0.25 // 1/2 before the scores were squared
	p := policy(analysis.Once, c)
	f := only(t, run(t, p, unlabelled(base, 4000), unlabelled(cand, 4000)), "expected_accuracy")
	if !strings.Contains(f.Message, "by its own labelled rows") {
		t.Error(f.Message)
	}
	for _, d := range f.Details {
		if d.Name != "expected_candidate" {
			continue
		}
		// E max(s, 1-s) of s uniform on [1/4, 3/4] is 5/8.
		if math.Abs(float64(d.Value)-0.625) > 0.02 {
			t.Errorf("expected accuracy %v, want about 0.625", d.Value)
		}
	}
}

// TestExpectedNothing: too little to expect anything from.
func TestExpectedNothing(t *testing.T) {
	good := scored(1, 500, 0)
	bare := unlabelled(good, 0)
	p := policy(analysis.Once, accuracy)
	is(t, only(t, run(t, p, bare, bare), "no_labels"), analysis.NoData)
	is(t, only(t, run(t, p, bare, good), "no_labels"), analysis.NoData)
	is(t, only(t, run(t, p, table{"score": good["score"]}, good), "no_labels"), analysis.NoData)
	is(t, only(t, run(t, p, with(good, "label", repeat(true, 500)), good), "one_class"), analysis.Insufficient)
	is(t, only(t, run(t, p, good, with(good, "score", repeat(math.NaN(), 500))), "no_values"), analysis.NoData)
	is(t, only(t, run(t, p, good, scored(2, 20, 0)), "expected_accuracy"), analysis.Insufficient)
	for _, arms := range [][2]table{{nil, nil}, {good, nil}, {nil, good}} {
		is(t, only(t, run(t, p, arms[0], arms[1]), "no_data"), analysis.NoData)
	}
	precise := accuracy
	precise.Metric, precise.Threshold = labelfree.Precision, 1
	is(t, only(t, run(t, policy(analysis.Once, precise), good, bare), "no_value"), analysis.Inconclusive)
	alone := evidence(p, collect(t, p, good), collect(t, p, good))
	alone.Compared = analysis.Absolute
	fs, err := p.Checks[0].Check.Run(alone)
	if err != nil {
		t.Fatal(err)
	}
	is(t, only(t, fs, "no_baseline"), analysis.Invalid)
}

// TestExpectedOnFlights: the sound candidate without its labels is expected to do as
// it does, and the estimate is near what the labels say.
func TestExpectedOnFlights(t *testing.T) {
	p := policy(analysis.Once, checks.Expected{Metric: labelfree.Accuracy, Column: "score", Threshold: 0.25})
	p.Columns = analysis.Columns{Score: "score", Label: "label"}
	base, cand := flights(t, "baseline"), flights(t, "candidate")
	f := only(t, run(t, p, base, with(cand, "label", maybe{cand["label"].(maybe).values, repeat(false, rowsOf(t, cand))})), "expected_accuracy")
	is(t, f, analysis.Pass)
	right, n := 0, 0
	labels := cand["label"].(maybe)
	for i, s := range cand["score"].([]float64) {
		if labels.valid == nil || labels.valid[i] {
			n++
			if (s >= 0.25) == labels.values.([]bool)[i] {
				right++
			}
		}
	}
	for _, d := range f.Details {
		if d.Name == "expected_candidate" && math.Abs(float64(d.Value)-float64(right)/float64(n)) > 0.01 {
			t.Errorf("expected accuracy %v, the labels say %v", d.Value, float64(right)/float64(n))
		}
	}
}

const expectedPolicy = `version: 1
looks: once
columns: {score: score, label: label, unit: id}
split: {baseline: 0.5, candidate: 0.5}
checks:
  - {check: collapse, column: score}
  - {check: expected, metric: accuracy, margin: 2pp`

// TestExpectedDecidesNothingUnasked: what a proxy finds is a warning, unless the
// policy says more; and it passes for nothing but itself.
func TestExpectedDecidesNothingUnasked(t *testing.T) {
	base, cand := scored(1, 20000, 0), unlabelled(hesitant(3, 20000), 0)
	cand["id"], base["id"] = ids(0, 20000), ids(20000, 20000)
	for more, want := range map[string]analysis.Decision{
		"}": analysis.Continue, ", severity: pause}": analysis.Pause, ", severity: rollback}": analysis.Rollback,
	} {
		text := strings.Replace(expectedPolicy, "collapse, column: score", "srm", 1)
		p, err := analysis.LoadPolicy("policy.yaml", []byte(text+more), checks.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		v, err := analysis.Evaluate(p, collect(t, p, base), collect(t, p, cand), nil, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		if v.Decision != want {
			t.Errorf("expected%s: %v, want %v: %v", more, v.Decision, want, v.Reasons)
		}
		is(t, only(t, v.Findings, "expected_accuracy"), analysis.Harm)
	}
}

// TestExpectedConforms holds the checks of this file and of arrival_test.go to the
// rules for all checks; shards in any order give the same findings.
func TestExpectedConforms(t *testing.T) {
	base, cand := scored(1, 900, 0), unlabelled(scored(2, 900, 0.1), 300)
	for _, c := range []analysis.Check{accuracy, checks.Labels{MaxWeight: 10, MinMature: 600}} {
		p := policy(analysis.Continuous, c)
		analysistest.CheckConformance(t, c, evidence(p, collect(t, p, base), collect(t, p, cand)))
		half := func(tab table, k int) table {
			out := table{"score": tab["score"].([]float64)[450*k : 450*k+450]}
			if m, ok := tab["label"].(maybe); ok {
				out["label"] = maybe{m.values.([]bool)[450*k : 450*k+450], m.valid[450*k : 450*k+450]}
			} else {
				out["label"] = tab["label"].([]bool)[450*k : 450*k+450]
			}
			return out
		}
		merged := func(tab table) *analysis.Snapshot {
			s := collect(t, p, half(tab, 1))
			if err := s.Merge(collect(t, p, half(tab, 0))); err != nil {
				t.Fatal(err)
			}
			return s
		}
		one, err := c.Run(evidence(p, collect(t, p, base), collect(t, p, cand)))
		if err != nil {
			t.Fatal(err)
		}
		two, err := c.Run(evidence(p, merged(base), merged(cand)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(one, two, cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }),
			cmp.Comparer(func(a, b stats.Float) bool { return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b)) })); d != "" {
			t.Error(d)
		}
	}
}

// TestExpectedBuilds: entries of a policy, and what is wrong with some.
func TestExpectedBuilds(t *testing.T) {
	for entry, want := range map[string]analysis.Check{
		"{check: expected}": checks.Expected{Column: "score", Threshold: 0.9},
		"{check: expected, metric: f1, threshold: 0.3, margin: 1pp}":  checks.Expected{Metric: labelfree.F1, Column: "score", Threshold: 0.3, Margin: 0.01},
		"{check: expected, metric: auc}":                              checks.Expected{Metric: labelfree.AUC, Column: "score"},
		"{check: expected, metric: positive_rate, direction: higher}": checks.Expected{Metric: labelfree.PositiveRate, Column: "score", Direction: stats.HigherIsBetter},
		"{check: labels}": checks.Labels{},
		"{check: labels, margin: 3pp, max_weight: 10}":                         checks.Labels{Margin: 0.03, MaxWeight: 10, MinMature: 1000},
		"{check: labels, max_weight: 25, min_mature: 400, severity: rollback}": checks.Labels{MaxWeight: 25, MinMature: 400},
	} {
		p, err := load(entry)
		if err != nil {
			t.Error(err)
			continue
		}
		if d := cmp.Diff(want, p.Checks[0].Check); d != "" {
			t.Errorf("%s (-want +got):\n%s", entry, d)
		}
	}
	for entry, want := range map[string]string{
		"{check: expected, metric: log_loss}":             `unknown word "log_loss"`,
		"{check: expected, threshold: 2}":                 "2 is not between 0 and 1",
		"{check: expected, metric: auc, threshold: 0.5}":  "unknown key threshold",
		"{check: expected, direction: lower}":             "more accuracy is always better",
		"{check: expected, margin: 2x}":                   "2x is not a share",
		"{check: labels, max_weight: 101}":                "101 is not a percentage",
		"{check: labels, max_weight: 10, severity: warn}": "max_weight holds nothing back",
		"{check: labels, max_weight: 10, min_mature: 0}":  "0 labels are always there",
		"{check: labels, min_mature: 10}":                 "min_mature counts from max_weight on",
		"{check: labels, margin: 0}":                      "0 is not a share",
	} {
		if _, err := load(entry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
	const head = "version: 1\nmodel: {name: m, baseline: v1, candidate: v2}\nchecks:\n  - "
	for entry, want := range map[string]string{
		"{check: expected}\ncolumns: {label: l}":                             "expected needs the score column",
		"{check: expected}\ncolumns: {score: s}":                             "name the label under columns",
		"{check: expected}\ncolumns: {score: s, label: l}\ntask: regression": "expected is for a binary task",
		"{check: labels}\n": "there is no column of labels to watch",
	} {
		if _, err := analysis.LoadPolicy("policy.yaml", []byte(head+entry), checks.Builtin()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
}
