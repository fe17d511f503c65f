package checks_test

import (
	"math"
	"math/rand/v2"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats/labelfree"
)

// scoredRows are rows of which the first ones have a label, by the score.
func scoredRows(n, labelled int) func(*rand.Rand) map[string]any {
	return func(r *rand.Rand) map[string]any {
		score, label := make([]float64, n), make([]float64, n)
		for i := range n {
			score[i] = []float64{0.1, 0.3, 0.7, 0.9}[i%4]
			label[i] = math.NaN()
			if i < labelled {
				label[i] = 0
				if (i/4)%10 < int(10*score[i]) {
					label[i] = 1
				}
			}
		}
		return map[string]any{"score": score, "label": label}
	}
}

// None of the candidate's labels have come, so its accuracy is a guess from the
// scores, by what these meant in the baseline.
func ExampleExpected() {
	c := checks.Expected{Metric: labelfree.Accuracy, Column: "score", Threshold: 0.5}
	answer(c, analysis.Columns{Score: "score", Label: "label"}, scoredRows(20000, 20000), scoredRows(20000, 0))
	// Output:
	// expected_accuracy: pass
	// Accuracy is expected to be no worse than it may be: 80% (79.4% to 80.6%) for the candidate by labelled rows of the baseline, 80% for the baseline. Worse by 0 pp; the loss is between -0.92 pp and 0.92 pp, the limit is 2 pp. 20,000 against 20,000 scores. Proxy, not measured. It cannot see a change in what the label means: it takes for granted that a score stands for the same chance of a positive label as in the reference.
}

// A fifth of the candidate's rows have no label, while the baseline has all.
func ExampleLabels() {
	answer(checks.Labels{}, analysis.Columns{Score: "score", Label: "label"}, scoredRows(5000, 5000), scoredRows(5000, 4000))
	// Output:
	// label_arrival: harm
	// 100% of the 5,000 rows of the baseline that are old enough have a label; 80% of the 5,000 rows of the candidate that are old enough have a label. They differ by 20 pp, surely by more than 5 pp. The labels of one arm are late or lost, so metrics of labels do not compare like with like; wait for them, or find out where they are lost.
}
