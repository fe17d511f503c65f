package labelfree_test

import (
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/rampguard/rampguard/stats/labelfree"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// grouped is a summary of counts by score and label.
func grouped(t testing.TB, levels []float64, neg, pos, unlabelled []uint64, cuts ...float64) *summary.Scores {
	t.Helper()
	s, err := summary.NewScores(cuts...)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range levels {
		for l, n := range map[summary.Label][]uint64{summary.Negative: neg, summary.Positive: pos, summary.Unlabelled: unlabelled} {
			if n != nil {
				s.AddN(p, l, n[i])
			}
		}
	}
	return s
}

// rows is a summary of scores with labels.
func rows(t testing.TB, scores []float64, positive []bool, cuts ...float64) *summary.Scores {
	t.Helper()
	s, err := summary.NewScores(cuts...)
	if err != nil {
		t.Fatal(err)
	}
	labels := make([]summary.Label, len(scores))
	for i, y := range positive {
		labels[i] = summary.Negative
		if y {
			labels[i] = summary.Positive
		}
	}
	if err := s.AddSlice(scores, labels); err != nil {
		t.Fatal(err)
	}
	return s
}

// bare is a summary of scores without labels.
func bare(t testing.TB, scores []float64, cuts ...float64) *summary.Scores {
	t.Helper()
	return rows(t, scores, nil, cuts...)
}

// reference learns from a summary.
func reference(t testing.TB, s *summary.Scores, c labelfree.Calibration) *labelfree.Reference {
	t.Helper()
	r, err := labelfree.NewReference(s, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// flight is a row of the real log.
type flight struct {
	TS    int64   `parquet:"ts"`
	Score float64 `parquet:"score"`
	Label *bool   `parquet:"label"`
}

// flights are the labelled rows of a real log, in the order of the log.
func flights(t testing.TB, name string) (scores []float64, labels []bool) {
	t.Helper()
	log, err := parquet.ReadFile[flight](filepath.Join(statstest.Root(t), "testdata", "flights", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range log {
		if f.Label != nil {
			scores, labels = append(scores, f.Score), append(labels, *f.Label)
		}
	}
	return scores, labels
}
