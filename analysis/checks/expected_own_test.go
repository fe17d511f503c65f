package checks_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// A candidate that is read by its own labels, of which all have come, is expected to be
// as good as those say, and no better: the map has learned their noise, too.
func TestExpectedByOwnLabelsIsNotTooGood(t *testing.T) {
	p, err := analysis.LoadPolicy("p.yaml", []byte("version: 1\nlooks: once\ncolumns: {score: score, label: label}\nchecks:\n  - {check: expected, metric: accuracy, margin: 2pp}\n"), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	r := random(3)
	log := func(n int) (tab table, accuracy float64) {
		score, label := make([]float64, n), make([]bool, n)
		for i := range n {
			z := 1.5*r.NormFloat64() - 1
			score[i], label[i] = 1/(1+math.Exp(-2*z)), r.Float64() < 1/(1+math.Exp(-z)) // twice too sure
			if (score[i] >= 0.5) == label[i] {
				accuracy += 1 / float64(n)
			}
		}
		return table{"score": score, "label": label}, accuracy
	}
	base, wantBase := log(20000)
	cand, wantCand := log(600)
	f := only(t, run(t, p, base, cand), "expected_accuracy")
	d := detailsOf(f)
	if math.Abs(d["expected_baseline"]-wantBase) > 0.001 || math.Abs(d["expected_candidate"]-wantCand) > 0.001 {
		t.Errorf("expected %v and %v, by the labels %v and %v", d["expected_baseline"], d["expected_candidate"], wantBase, wantCand)
	}
	if want := wantBase - wantCand; math.Abs(f.Estimate.Point-want) > 0.002 {
		t.Errorf("loss %v, want %v", f.Estimate.Point, want)
	}
}
