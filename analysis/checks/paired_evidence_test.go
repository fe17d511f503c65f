package checks_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// Where actions.candidate says so, the candidate decides at its own thresholds: a
// request that both models score alike may then get another action.
func TestPairedCandidateThresholds(t *testing.T) {
	const own = "looks: once\ncolumns: {label: label}\nactions: {rules: [{name: block, at_least: 0.5}, {name: allow}], candidate: {rules: [{name: block, at_least: 0.2}, {name: allow}]}}\n"
	n := 1000
	scores, y := make([]float64, n), make([]bool, n)
	for i := range n {
		scores[i] = 0.3
		if y[i] = i < n/10; y[i] {
			scores[i] = 0.9
		}
	}
	tab := table{"champion_score": scores, "challenger_score": scores, "label": y}
	p := pairPolicy(t, own, "{check: paired, metric: churn, margin: 5%}")
	f := found(t, p, pairsOf(t, p, tab))[0]
	if d := detailsOf(f); f.Outcome != analysis.Harm || f.Estimate.Point != 0.9 || d["up"] != 900 || d["down"] != 0 {
		t.Errorf("churn: %v, %v: %s", f.Outcome, d, f.Message)
	}
	p = pairPolicy(t, own, "{check: paired, margin: 1pp}")
	f = found(t, p, pairsOf(t, p, tab))[0]
	if d := detailsOf(f); f.Outcome != analysis.Harm || d["regressions"] != 900 || d["fixes"] != 0 || !strings.Contains(f.Metric, "0.2 for the candidate") {
		t.Errorf("accuracy: %v, %v: %s", f.Outcome, d, f.Message)
	}
	p = pairPolicy(t, own, "{check: paired, metric: churn, margin: 5%, at: [0.5]}")
	if f = found(t, p, pairsOf(t, p, tab))[0]; f.Outcome != analysis.Pass {
		t.Errorf("churn at one threshold: %v: %s", f.Outcome, f.Message)
	}
}

// Labels that contradict each other are no missing labels.
func TestPairedLabelConflicts(t *testing.T) {
	p := pairPolicy(t, "looks: once\n"+halfHead, "{check: paired, margin: 1pp}")
	s := pairsOf(t, p, synthetic(10, 12, 2000, 100))
	s.LabelConflicts = 15
	if f := found(t, p, s)[0]; f.Outcome != analysis.Pass || !strings.Contains(f.Message, "85 more pairs have no label and do not count, and neither do 15 that have different labels in the two logs") {
		t.Errorf("%v: %s", f.Outcome, f.Message)
	}
	s.LabelConflicts = 50
	if f := found(t, p, s)[0]; f.Outcome != analysis.Invalid || f.Code != "label_conflicts" || !strings.Contains(f.Message, "50 pairs have different labels in the two logs, which is 2.41% of the 2,072") {
		t.Errorf("%v %s: %s", f.Outcome, f.Code, f.Message)
	}
}

// A column that the policy names and the log does not have is not waited for.
func TestPairedColumnAbsent(t *testing.T) {
	const head = "looks: once\ncolumns: {label: label, unit: id, time: ts}"
	full := func() table {
		tab := synthetic(10, 12, 2000, 0)
		ids := make([]int64, 2022)
		for i := range ids {
			ids[i] = int64(i)
		}
		tab["id"] = ids
		return tab
	}
	for _, tc := range []struct {
		name, metric, gone string
		want               analysis.Outcome
	}{
		{"label", "accuracy", "label", analysis.Invalid},
		{"label of auc", "auc", "label", analysis.Invalid},
		{"unit", "accuracy", "id", analysis.Invalid},
		{"unit of churn", "churn", "id", analysis.Invalid},
		{"label of churn", "churn", "label", analysis.Pass},
	} {
		entry := map[string]string{"churn": "{check: paired, metric: churn, margin: 5%}"}[tc.metric]
		if entry == "" {
			entry = "{check: paired, metric: " + tc.metric + ", margin: 1pp}"
		}
		p := pairPolicy(t, strings.Replace(head, ", time: ts", "", 1), entry)
		tab := full()
		delete(tab, tc.gone)
		f := found(t, p, pairsOf(t, p, tab))[0]
		if f.Outcome != tc.want || tc.want == analysis.Invalid && (f.Code != "column_absent" || !strings.Contains(f.Message, `no column "`+tc.gone+`"`)) {
			t.Errorf("%s: %v %s: %s", tc.name, f.Outcome, f.Code, f.Message)
		}
	}
	p := pairPolicy(t, head, "{check: paired, margin: 1pp}")
	if f := found(t, p, pairsOf(t, p, full()))[0]; f.Outcome != analysis.Invalid || !strings.Contains(f.Message, `no column "ts", which the policy names as columns.time`) {
		t.Errorf("time: %v: %s", f.Outcome, f.Message)
	}
}

// When ties within cells decide, nothing is promised of more pairs.
func TestPairedAUCThatCellsHide(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	n := 4000
	a, b, y := make([]float64, n), make([]float64, n), make([]bool, n)
	for i := range n {
		y[i] = r.Float64() < 0.4
		a[i] = 0.3 + r.Float64()*1e-5 // within one cell
		b[i] = a[i]
	}
	tab := table{"champion_score": a, "challenger_score": b, "label": y}
	p := pairPolicy(t, onceHead, "{check: paired, metric: auc, margin: 1pp}")
	f := found(t, p, pairsOf(t, p, tab))[0]
	if f.Outcome != analysis.Inconclusive || f.UnitsNeeded != 0 || !strings.Contains(f.Message, "More pairs would not settle it") {
		t.Errorf("%v, %d needed: %s", f.Outcome, f.UnitsNeeded, f.Message)
	}
	for i := range n { // real ties
		a[i], b[i] = 0.3, 0.3
	}
	a[0], b[0] = 0.7, 0.7
	f = found(t, p, pairsOf(t, p, tab))[0]
	if f.Outcome != analysis.Pass || detailsOf(f)["cells_hide"] != 0 || !f.Pairs {
		t.Errorf("%v: %s", f.Outcome, f.Message)
	}
}
