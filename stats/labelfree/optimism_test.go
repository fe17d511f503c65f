package labelfree_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/labelfree"
)

// Of rows that all have labels, what is expected less what that is too high by is the
// metric itself.
func TestOptimismLeavesTheMetric(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	const threshold = 0.5
	right, flagged, hits, positive := 0.0, 0.0, 0.0, 0.0
	n := 300
	scores, labels := make([]float64, n), make([]bool, n)
	for i := range n {
		z := 1.5*r.NormFloat64() - 1
		scores[i] = math.Round(1000/(1+math.Exp(-2*z))) / 1000 // twice too sure
		labels[i] = r.Float64() < 1/(1+math.Exp(-z))
		above := scores[i] >= threshold
		if above == labels[i] {
			right++
		}
		if above {
			flagged++
		}
		if labels[i] {
			positive++
			if above {
				hits++
			}
		}
	}
	s := rows(t, scores, labels, threshold)
	ref := reference(t, s, labelfree.CalibrateAlways)
	for m, want := range map[labelfree.Metric]float64{
		labelfree.Accuracy: right / float64(n), labelfree.Precision: hits / flagged, labelfree.Recall: hits / positive, labelfree.PositiveRate: positive / float64(n),
	} {
		e, err := ref.Expect(m, s, threshold, labelfree.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := ref.Optimism(m, threshold)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Estimate.Point - o; math.Abs(got-want) > 0.002 { // a cell may straddle the threshold
			t.Errorf("%v: %v expected, %v too high, leaves %v, want %v", m, e.Estimate.Point, o, got, want)
		}
		if m == labelfree.Accuracy && !(o > 0.002) {
			t.Errorf("a map learned from the rows is too good by %v only", o)
		}
	}
	never := reference(t, s, labelfree.CalibrateNever)
	if o, err := never.Optimism(labelfree.Accuracy, threshold); o != 0 || err != nil {
		t.Errorf("scores as they are: %v, %v", o, err)
	}
	for _, bad := range []float64{-1, 2, math.NaN()} {
		if _, err := ref.Optimism(labelfree.Accuracy, bad); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("threshold %v: %v", bad, err)
		}
	}
	if _, err := ref.Optimism(labelfree.Metric(99), threshold); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("unknown metric: %v", err)
	}
}
