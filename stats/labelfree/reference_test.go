package labelfree_test

import (
	"testing"

	"github.com/rampguard/rampguard/stats/labelfree"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

var metrics = []labelfree.Metric{labelfree.Accuracy, labelfree.Precision, labelfree.Recall, labelfree.Specificity, labelfree.F1, labelfree.AUC, labelfree.PositiveRate}

func windows(t *testing.T, c statstest.Case) (*labelfree.Reference, *summary.Scores, float64) {
	t.Helper()
	levels, at := statstest.Floats(t, c.In, "levels"), statstest.Float(t, c.In, "threshold")
	s := grouped(t, levels, statstest.Uints(t, c.In, "neg"), statstest.Uints(t, c.In, "pos"), nil)
	return reference(t, s, labelfree.CalibrateAlways), grouped(t, levels, nil, nil, statstest.Uints(t, c.In, "current")), at
}

func TestExpectIsTheReference(t *testing.T) {
	for _, c := range statstest.Load(t, "labelfree").ByFunc(t, "Expect") {
		r, cur, at := windows(t, c)
		for _, m := range metrics {
			got, err := r.Expect(m, cur, at, labelfree.Options{})
			if err != nil {
				t.Fatal(err)
			}
			name := c.Name + " " + m.String()
			statstest.Near(t, name, got.Estimate.Point, statstest.Float(t, c.Want, m.String()), c.RTol, c.ATol)
			statstest.Near(t, name+" map", got.MapSE, statstest.Float(t, c.Want, "map_"+m.String()), 1e-5, 1e-9)
			// From 4000 draws, whose standard error is 1.1%, and the delta method.
			statstest.Near(t, name+" labels", got.LabelSE, statstest.Float(t, c.Want, "label_"+m.String()), 0.05, 1e-9)
			if m != labelfree.AUC && got.Hidden != 0 {
				t.Errorf("%s: %v hidden in cells of one value", name, got.Hidden)
			}
		}
	}
}

func TestConfidenceIsTheReference(t *testing.T) {
	ref := statstest.Load(t, "labelfree")
	for _, c := range ref.ByFunc(t, "Confidence") {
		r, cur, at := windows(t, ref.Cases[int(statstest.Float(t, c.In, "case"))])
		atc, err := r.Threshold(cur, at, labelfree.Options{})
		if err != nil {
			t.Fatal(err)
		}
		// Levels share their cell with no other; its middle stands for them, so that
		// ties of confidence on the two sides of the threshold are found by cells.
		statstest.Near(t, c.Name+" ATC", atc.Estimate.Point, statstest.Float(t, c.Want, "atc"), c.RTol, atc.Hidden)
		doc, err := r.Confidence(cur, at, labelfree.Options{})
		if err != nil {
			t.Fatal(err)
		}
		statstest.Near(t, c.Name+" DoC", doc.Estimate.Point, statstest.Float(t, c.Want, "doc"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" DoC map", doc.MapSE, statstest.Float(t, c.Want, "doc_map"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" DoC rows", doc.RowSE, statstest.Float(t, c.Want, "doc_row"), c.RTol, c.ATol)
	}
}

func TestLabelShiftIsTheReference(t *testing.T) {
	for _, c := range statstest.Load(t, "labelfree").ByFunc(t, "LabelShift") {
		var confusion [][]uint64
		statstest.Decode(t, c.In, "confusion", &confusion)
		got, err := labelfree.LabelShift(confusion, statstest.Uints(t, c.In, "predicted"), labelfree.Options{})
		if err != nil {
			t.Fatal(err)
		}
		share, se, weight := statstest.Floats(t, c.Want, "share"), statstest.Floats(t, c.Want, "se"), statstest.Floats(t, c.Want, "weight")
		for i := range share {
			statstest.Near(t, c.Name+" share", got.Share[i].Point, share[i], c.RTol, c.ATol)
			statstest.Near(t, c.Name+" error", (got.Share[i].Hi-got.Share[i].Lo)/2/1.959963984540054, se[i], 1e-5, 1e-9)
			statstest.Near(t, c.Name+" weight", got.Weight[i], weight[i], c.RTol, c.ATol)
		}
	}
}

func TestReweightIsTheReference(t *testing.T) {
	for _, c := range statstest.Load(t, "labelfree").ByFunc(t, "Reweight") {
		right, n, now := statstest.Uints(t, c.In, "right"), statstest.Uints(t, c.In, "n"), statstest.Uints(t, c.In, "current")
		var segments []labelfree.Segment
		for i := range n {
			segments = append(segments, labelfree.Segment{Right: right[i], N: n[i], Current: now[i]})
		}
		got, err := labelfree.Reweight(segments, labelfree.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]float64{"accuracy": got.Estimate.Point, "label": got.LabelSE, "map": got.MapSE, "row": got.RowSE} {
			statstest.Near(t, name, v, statstest.Float(t, c.Want, name), c.RTol, c.ATol)
		}
	}
}
