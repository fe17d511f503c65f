package checks_test

import (
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// ranked are pairs of which both models tell the classes apart, except that the
// candidate puts some positives last.
func ranked(pos, neg, last int) table {
	var a, b []float64
	var y []bool
	for i := range pos + neg {
		x, z := 0.1+0.2*float64(i%10)/10, 0.1+0.2*float64(i%7)/7
		if i < pos {
			x, z = 0.9, 0.9
		}
		if i < last {
			z = 0.01
		}
		a, b, y = append(a, x), append(b, z), append(y, i < pos)
	}
	return table{"champion_score": a, "challenger_score": b, "label": y}
}

// A difference of AUC that does not vary is no proof that it is small: a loss of 7% of
// the positives goes unseen in 20 of them every fourth time, and one of 2% in 60.
func TestPairedAUCWithoutVariation(t *testing.T) {
	for _, tt := range []struct {
		pos, last int
		margin    string
		want      analysis.Outcome
		text      string
	}{
		{20, 0, "2pp", analysis.Insufficient, "30 more positive pairs are needed, which is about 780 more pairs at the present share"},
		{60, 0, "2pp", analysis.Inconclusive, "more would settle it. Of those about 810 have to be positive"},
		{60, 0, "6pp", analysis.Pass, "limit 0.06"}, // 1-0.05^(1/60) is 4.9%
		{60, 20, "2pp", analysis.Harm, "limit 0.02"},
	} {
		p := pairPolicy(t, onceHead, "{check: paired, metric: auc, margin: "+tt.margin+"}")
		f := found(t, p, pairsOf(t, p, ranked(tt.pos, 500, tt.last)))[0]
		if f.Outcome != tt.want || !strings.Contains(f.Message, tt.text) {
			t.Errorf("%+v: %v: %s", tt, f.Outcome, f.Message)
		}
		if tt.want == analysis.Insufficient && f.UnitsNeeded != 780 {
			t.Errorf("%d more pairs", f.UnitsNeeded)
		}
	}
}

// Rare large errors that are not seen, or hardly, are no proof either.
func TestPairedAbsErrorNeedsAShape(t *testing.T) {
	errors := func(n, large, jitter int) table {
		a, b := make([]float64, n), make([]float64, n)
		for i := range n {
			if i < large {
				b[i] = 100
			} else if jitter > 0 {
				b[i] = float64(i%jitter) / 10
			}
		}
		return table{"champion_score": a, "challenger_score": b, "label": make([]float64, n)}
	}
	for _, tt := range []struct {
		name string
		tab  table
		want analysis.Outcome
		code string
		text string
	}{
		{"few", errors(300, 0, 0), analysis.Insufficient, "abs_error_rise", "200 more"},
		{"nothing varies", errors(600, 0, 0), analysis.Inconclusive, "no_variation", "differ by the same 0"},
		{"two of 600", errors(600, 2, 0), analysis.Inconclusive, "abs_error_rise", "rests on few large differences; it has bounds from about 13,000"},
		{"small ones", errors(600, 0, 3), analysis.Pass, "abs_error_rise", "limit 0.5"},
		{"many large ones", errors(600, 200, 0), analysis.Harm, "abs_error_rise", "limit 0.5"},
	} {
		p := pairPolicy(t, "looks: once\ntask: regression\ncolumns: {label: label}", "{check: paired, metric: abs_error, margin: 0.5}")
		f := found(t, p, pairsOf(t, p, tt.tab))[0]
		if f.Outcome != tt.want || f.Code != tt.code || !strings.Contains(f.Message, tt.text) {
			t.Errorf("%s: %s %v: %s", tt.name, f.Code, f.Outcome, f.Message)
		}
	}
}
