package labelfree_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/labelfree"
	"github.com/rampguard/rampguard/stats/summary"
	"pgregory.net/rapid"
)

// realised is the metric that the labels give.
func realised(m labelfree.Metric, scores []float64, labels []bool, threshold float64) float64 {
	var tp, fp, fn, tn float64
	for i, s := range scores {
		switch up := s >= threshold; {
		case up && labels[i]:
			tp++
		case up:
			fp++
		case labels[i]:
			fn++
		default:
			tn++
		}
	}
	switch m {
	case labelfree.Accuracy:
		return (tp + tn) / (tp + fp + fn + tn)
	case labelfree.Precision:
		return tp / (tp + fp)
	case labelfree.Recall:
		return tp / (tp + fn)
	case labelfree.Specificity:
		return tn / (tn + fp)
	case labelfree.F1:
		return 2 * tp / (2*tp + fp + fn)
	case labelfree.PositiveRate:
		return (tp + fn) / (tp + fp + fn + tn)
	case labelfree.AUC:
	}
	r, err := stats.AUC(scores, labels, 0.95)
	if err != nil {
		return math.NaN()
	}
	return r.Estimate.Point
}

// TestIntervalsHoldTheTruth: where calibration carries over, the interval holds the
// value that the labels give in about its share of the windows, although they come
// from other scores than the reference.
func TestIntervalsHoldTheTruth(t *testing.T) {
	const windows = 300
	r := rand.New(rand.NewPCG(3, 1))
	draw := func(n int, power float64) (s []float64, y []bool) {
		for range n {
			x := math.Pow(r.Float64(), power)
			s, y = append(s, x), append(y, r.Float64() < 0.15+0.7*x*x) // not calibrated
		}
		return s, y
	}
	held := map[labelfree.Metric]int{}
	for range windows {
		s, y := draw(1500, 1.5)
		ref := reference(t, rows(t, s, y), labelfree.CalibrateIfBetter)
		s, y = draw(1000, 0.8)
		for _, m := range metrics {
			got, err := ref.Expect(m, bare(t, s, 0.4), 0.4, labelfree.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Estimate.Contains(realised(m, s, y, 0.4)) {
				held[m]++
			}
		}
	}
	for _, m := range metrics {
		// 95% within four standard errors of 300 windows, from below.
		if share := float64(held[m]) / windows; share < 0.90 {
			t.Errorf("the 95%% interval of the %v holds the truth in %.1f%% of the windows", m, 100*share)
		}
	}
}

// TestFlights: the model's own log, first half of the rows as reference, the
// rest as windows.
func TestFlights(t *testing.T) {
	for _, name := range []string{"baseline.parquet", "candidate.parquet"} {
		scores, labels := flights(t, name)
		half := len(scores) / 2
		// Rows by turns, so that the two halves are of the same days.
		var s [2][]float64
		var y [2][]bool
		for i := range scores {
			s[i%2], y[i%2] = append(s[i%2], scores[i]), append(y[i%2], labels[i])
		}
		ref := reference(t, rows(t, s[0], y[0]), labelfree.CalibrateIfBetter)
		const size = 3000
		held, all := map[labelfree.Metric]int{}, 0
		for from := 0; from+size <= half; from += size {
			// Windows by turns as well: days differ in what a score means.
			var ws []float64
			var wy []bool
			for i := from / size; i < len(s[1]); i += half / size {
				ws, wy = append(ws, s[1][i]), append(wy, y[1][i])
			}
			all++
			for _, m := range metrics {
				got, err := ref.Expect(m, bare(t, ws, 0.25), 0.25, labelfree.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if got.Estimate.Contains(realised(m, ws, wy, 0.25)) {
					held[m]++
				}
			}
		}
		for _, m := range metrics {
			if missed := all - held[m]; missed > 3 { // 9 windows; more than 3 has probability below 0.1%
				t.Errorf("%s: the interval of the %v misses %d of %d windows", name, m, missed, all)
			}
		}
	}
}

// TestBlindToLabels: a change of what labels mean leaves the estimate where it is,
// and the result says so.
func TestBlindToLabels(t *testing.T) {
	scores, labels := flights(t, "baseline.parquet")
	ref := reference(t, rows(t, scores, labels), labelfree.CalibrateIfBetter)
	flipped := make([]bool, len(labels))
	for i := range labels {
		flipped[i] = !labels[i]
	}
	a, err := ref.Expect(labelfree.Accuracy, rows(t, scores, labels), 0.25, labelfree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ref.Expect(labelfree.Accuracy, rows(t, scores, flipped), 0.25, labelfree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, b, cmp.Comparer(func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })); d != "" {
		t.Error(d)
	}
	if !strings.Contains(a.String(), "cannot see a change in what the label means") {
		t.Error(a)
	}
}

// TestMapOnlyIfBetter: calibrated scores stay, crooked ones are straightened.
func TestMapOnlyIfBetter(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	taken := 0
	for range 40 {
		var s []float64
		var y []bool
		for range 800 {
			x := r.Float64()
			s, y = append(s, x), append(y, r.Float64() < x)
		}
		if yes, _ := reference(t, rows(t, s, y), labelfree.CalibrateIfBetter).Calibrated(); yes {
			taken++
		}
		for i := range s {
			s[i] *= s[i]
		}
		if yes, gain := reference(t, rows(t, s, y), labelfree.CalibrateIfBetter).Calibrated(); !yes {
			t.Errorf("squared scores are used as they are: gain %v", gain)
		}
		if yes, _ := reference(t, rows(t, s, y), labelfree.CalibrateNever).Calibrated(); yes {
			t.Error("the map is used although it was not to be")
		}
	}
	if taken > 20 { // even odds at most; see NewReference
		t.Errorf("the map replaced calibrated scores in %d of 40 samples", taken)
	}
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(2, 60).Draw(rt, "n")
		score := rapid.Custom(func(t *rapid.T) float64 {
			return rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0.5, 1})).Draw(t, "score")
		})
		s := rapid.SliceOfN(score, n, n).Draw(rt, "reference")
		y := rapid.SliceOfN(rapid.Bool(), n, n).Draw(rt, "labels")
		y[0], y[1] = true, false
		cur := rapid.SliceOfN(score, 1, 60).Draw(rt, "current")
		at := rapid.OneOf(rapid.Float64Range(0.01, 0.99), rapid.SampledFrom(cur)).Draw(rt, "threshold")
		at = min(0.99, max(0.01, at))

		ref := reference(t, rows(t, s, y), labelfree.CalibrateAlways)
		before := 0.0
		for x := 0.0; x <= 1; x += 1.0 / 64 {
			p := ref.At(x)
			if p < before-1e-12 || p > 1+1e-12 {
				rt.Fatalf("the map falls to %v at %v", p, x)
			}
			before = p
		}
		// The shards of a window in the other order are the same window.
		cut := rapid.IntRange(0, len(cur)).Draw(rt, "cut")
		merged := bare(t, cur[cut:], at)
		if err := merged.Merge(bare(t, cur[:cut], at)); err != nil {
			rt.Fatal(err)
		}
		for _, m := range metrics {
			got, err := ref.Expect(m, bare(t, cur, at), at, labelfree.Options{})
			if errors.Is(err, stats.ErrEmpty) {
				continue
			} else if err != nil {
				rt.Fatal(err)
			}
			same, err := ref.Expect(m, merged, at, labelfree.Options{})
			if err != nil || same.Estimate != got.Estimate || same.LabelSE != got.LabelSE || same.MapSE != got.MapSE {
				rt.Fatalf("%v: %v and %v (%v)", m, got, same, err)
			}
			e := got.Estimate
			if !(0 <= e.Lo && e.Lo <= e.Point && e.Point <= e.Hi && e.Hi <= 1) || math.IsNaN(got.SE()) {
				rt.Fatalf("%v: %v", m, got)
			}
			// A threshold that was not counted moves the value by Hidden at most.
			loose, err := ref.Expect(m, bare(t, cur), at, labelfree.Options{})
			if err == nil && m != labelfree.AUC && math.Abs(loose.Estimate.Point-e.Point) > loose.Hidden+1e-9 {
				rt.Fatalf("%v at an uncounted threshold: %v and %v, hidden %v", m, loose.Estimate, e, loose.Hidden)
			}
		}
		// On the reference itself the confidence of its rows is its accuracy.
		for _, f := range []func(*summary.Scores, float64, labelfree.Options) (labelfree.Result, error){ref.Threshold, ref.Confidence} {
			got, err := f(bare(t, s, at), at, labelfree.Options{})
			if err != nil {
				rt.Fatal(err)
			}
			if want := realised(labelfree.Accuracy, s, y, at); math.Abs(got.Estimate.Point-want) > got.Hidden+2.0/2048+1e-9 {
				straddle := 0
				for _, x := range s {
					if math.Abs(x-at) < 1.0/1024 && x != at {
						straddle++
					}
				}
				if straddle == 0 {
					rt.Fatalf("%s on its own reference: %v, accuracy %v", got.Method, got, want)
				}
			}
		}
	})
}

func TestDegenerate(t *testing.T) {
	good := rows(t, []float64{0.2, 0.3, 0.7, 0.8}, []bool{false, true, false, true})
	ref := reference(t, good, labelfree.CalibrateIfBetter)
	expect := func(m labelfree.Metric, s *summary.Scores, at, level float64) error {
		_, err := ref.Expect(m, s, at, labelfree.Options{Level: level})
		return err
	}
	_, noLabels := labelfree.NewReference(bare(t, []float64{0.5}), labelfree.CalibrateIfBetter)
	_, nothing := labelfree.NewReference(&summary.Scores{}, labelfree.CalibrateIfBetter)
	_, oneClass := labelfree.NewReference(rows(t, []float64{0.5}, []bool{true}), labelfree.CalibrateIfBetter)
	_, unknown := labelfree.NewReference(good, 7)
	_, noScores := ref.Threshold(&summary.Scores{}, 0.5, labelfree.Options{})
	_, edge := ref.Confidence(good, 1, labelfree.Options{})
	_, level := ref.Confidence(good, 0.5, labelfree.Options{Level: 2})
	shift := func(c [][]uint64, p []uint64, o labelfree.Options) error {
		_, err := labelfree.LabelShift(c, p, o)
		return err
	}
	reweight := func(o labelfree.Options, s ...labelfree.Segment) error {
		_, err := labelfree.Reweight(s, o)
		return err
	}
	square := [][]uint64{{8, 2}, {2, 8}}
	for name, c := range map[string]struct{ err, want error }{
		"reference without labels":   {noLabels, stats.ErrEmpty},
		"empty reference":            {nothing, stats.ErrEmpty},
		"reference of one class":     {oneClass, stats.ErrDomain},
		"unknown calibration":        {unknown, stats.ErrDomain},
		"no current scores":          {expect(labelfree.Accuracy, &summary.Scores{}, 0.5, 0), stats.ErrEmpty},
		"scores that are none":       {expect(labelfree.Accuracy, bare(t, []float64{math.NaN(), 2}), 0.5, 0), stats.ErrEmpty},
		"nothing predicted positive": {expect(labelfree.Precision, good, 0.9, 0), stats.ErrEmpty},
		"threshold NaN":              {expect(labelfree.Accuracy, good, math.NaN(), 0), stats.ErrDomain},
		"threshold 2":                {expect(labelfree.Recall, good, 2, 0), stats.ErrDomain},
		"unknown metric":             {expect(labelfree.PositiveRate+1, good, 0.5, 0), stats.ErrDomain},
		"level 1":                    {expect(labelfree.AUC, good, 0.5, 1), stats.ErrDomain},
		"ATC without scores":         {noScores, stats.ErrEmpty},
		"DoC at threshold 1":         {edge, stats.ErrDomain},
		"DoC at level 2":             {level, stats.ErrDomain},
		"shift without classes":      {shift(nil, nil, labelfree.Options{}), stats.ErrEmpty},
		"shift of one class":         {shift([][]uint64{{3}}, []uint64{3}, labelfree.Options{}), stats.ErrDomain},
		"shift of two sizes":         {shift(square, []uint64{1}, labelfree.Options{}), stats.ErrMismatch},
		"shift, not square":          {shift([][]uint64{{1, 2}, {3}}, []uint64{1, 2}, labelfree.Options{}), stats.ErrMismatch},
		"shift without rows":         {shift(square, []uint64{0, 0}, labelfree.Options{}), stats.ErrEmpty},
		"shift without a class":      {shift([][]uint64{{1, 0}, {3, 0}}, []uint64{1, 2}, labelfree.Options{}), stats.ErrEmpty},
		"shift of blind predictions": {shift([][]uint64{{5, 5}, {5, 5}}, []uint64{1, 2}, labelfree.Options{}), stats.ErrDomain},
		"shift at level -1":          {shift(square, []uint64{1, 2}, labelfree.Options{Level: -1}), stats.ErrDomain},
		"no segments":                {reweight(labelfree.Options{}), stats.ErrEmpty},
		"segments without labels":    {reweight(labelfree.Options{}, labelfree.Segment{Current: 3}), stats.ErrEmpty},
		"more right rows than rows":  {reweight(labelfree.Options{}, labelfree.Segment{Right: 3, N: 2, Current: 3}), stats.ErrDomain},
		"segments at level NaN":      {reweight(labelfree.Options{Level: math.NaN()}, labelfree.Segment{Right: 1, N: 2, Current: 3}), stats.ErrDomain},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	// A mix that cannot be is brought back and marked.
	s, err := labelfree.LabelShift(square, []uint64{10, 0}, labelfree.Options{})
	if err != nil || s.Share[0].Point != 1 || s.Share[1].Point != 0 || len(s.Warnings) != 2 || s.Warnings[0].Code != stats.WarnClipped {
		t.Errorf("%+v, %v", s, err)
	}
	// Rows of a segment without labels may all be right or all be wrong.
	r, err := labelfree.Reweight([]labelfree.Segment{{Right: 80, N: 100, Current: 50}, {Current: 50}}, labelfree.Options{})
	if err != nil || math.Abs(r.Hidden-0.25) > 1e-12 || r.Estimate.Lo > 0.4 || r.Estimate.Hi < 0.9 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := labelfree.Metric(99).String(); got != "Metric(99)" {
		t.Error(got)
	}
	if p := ref.At(math.NaN()); !math.IsNaN(p) {
		t.Error(p)
	}
}
