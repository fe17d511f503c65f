package decision_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/decision"
	"github.com/rampguard/rampguard/stats/summary"
)

// scoresGen draws scores with and without ties, and with scores at 0 and 1.
func scoresGen() *rapid.Generator[[]float64] {
	one := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0.1, 0.25, 0.5, 1}))
	return rapid.SliceOfN(one, 1, 60)
}

func atLeast(scores []float64, cut float64) float64 {
	n := 0
	for _, s := range scores {
		if s >= cut {
			n++
		}
	}
	return float64(n) / float64(len(scores))
}

// TestRateBounds: the bounds hold the share that the scores themselves give.
func TestRateBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, cut := scoresGen().Draw(t, "scores"), rapid.Float64Range(-0.1, 1.1).Draw(t, "cut")
		l, err := decision.AtLeast(hist(scores), cut)
		if err != nil {
			t.Fatal(err)
		}
		if x := atLeast(scores, cut); !(l.Lo <= x && x <= l.Hi && l.Lo <= l.Value && l.Value <= l.Hi) {
			t.Errorf("%v is not in %+v", x, l)
		}
	})
}

// TestCutBounds: the realised rate is within its bounds, and the neighbours
// enclose the rate that was asked for and can be had.
func TestCutBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores, rate := scoresGen().Draw(t, "scores"), rapid.Float64Range(0, 1).Draw(t, "rate")
		c, err := decision.CutAt(hist(scores), rate)
		if err != nil {
			t.Fatal(err)
		}
		x := atLeast(scores, c.At)
		const eps = 1e-12
		if !(c.Rate.Lo-eps <= x && x <= c.Rate.Hi+eps) {
			t.Errorf("rate %v at %v is not in %+v", x, c.At, c.Rate)
		}
		if c.Below > rate+eps || c.Above < rate-eps || x < c.Below-eps || x > c.Above+eps {
			t.Errorf("asked for %v, got %v between %v and %v", rate, x, c.Below, c.Above)
		}
		if c.Tied && min(math.Abs(x-c.Below), math.Abs(x-c.Above)) > eps {
			t.Errorf("tied, but %v is neither %v nor %v", x, c.Below, c.Above)
		}
	})
}

// TestSameModel: a model remapped onto itself keeps its rates.
func TestSameModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := scoresGen().Draw(t, "scores")
		at := rapid.SampledFrom(scores).Draw(t, "cut")
		x := uint64(math.Round(atLeast(scores, at) * float64(len(scores))))
		rs, err := decision.EqualRates([]uint64{x}, uint64(len(scores)), hist(scores), 0)
		if err != nil {
			t.Fatal(err)
		}
		if r := rs[0]; math.Abs(r.Rate.Value-r.Want) > 0.5/float64(len(scores))+1e-9 || !r.Difference.Estimate.Contains(0) {
			t.Errorf("%+v", r)
		}
	})
}

// TestPartsAddUp: the parts add up to the shift, each order within Lo and Hi, and a
// cause that changes nothing has none.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mix := func(label string) []float64 {
			x, y := rapid.Float64Range(0, 1).Draw(t, label), rapid.Float64Range(0, 1).Draw(t, label)
			return []float64{min(x, y), math.Abs(x - y), 1 - max(x, y)}
		}
		var m decision.Mixes
		for i := range 2 {
			for j := range 2 {
				if m[i][j][0] = mix("mix"); rapid.Bool().Draw(t, "population") {
					m[i][j][1] = mix("mix")
				} else {
					m[i][j][1] = m[i][j][0]
				}
			}
		}
		idle := rapid.Bool().Draw(t, "same policy")
		if idle {
			for i := range 2 {
				m[i][1] = m[i][0]
			}
		}
		s, err := decision.SplitShift(m, decision.ShiftOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for a, total := range s.Total {
			if sum := s.Model.Mean[a] + s.Policy.Mean[a] + s.Population.Mean[a]; math.Abs(sum-total) > 1e-12 {
				t.Errorf("parts add up to %v of %v", sum, total)
			}
			for _, p := range []decision.Part{s.Model, s.Policy, s.Population} {
				if p.Mean[a] < p.Lo[a]-1e-12 || p.Mean[a] > p.Hi[a]+1e-12 {
					t.Errorf("mean %v outside [%v, %v]", p.Mean[a], p.Lo[a], p.Hi[a])
				}
			}
			if idle && (s.Policy.Lo[a] != 0 || s.Policy.Hi[a] != 0) {
				t.Errorf("a policy that is the same adds %+v", s.Policy)
			}
		}
	})
}

// TestSamePopulation: two random arms need no shadow scores, and without them the
// causes cannot be told apart.
func TestSamePopulation(t *testing.T) {
	var m decision.Mixes
	m[0][0][0], m[0][1][0] = []float64{0.1, 0.9}, []float64{0.2, 0.8}
	m[1][0][1], m[1][1][1] = []float64{0.15, 0.85}, []float64{0.3, 0.7}
	if _, err := decision.SplitShift(m, decision.ShiftOptions{}); !errors.Is(err, stats.ErrEmpty) {
		t.Errorf("without shadow scores: %v", err)
	}
	s, err := decision.SplitShift(m, decision.ShiftOptions{SamePopulation: true})
	if err != nil {
		t.Fatal(err)
	}
	// By hand: model .05 or .10, policy .10 or .15, whichever goes first.
	want := [][]float64{{0.075, 0.05, 0.1}, {0.125, 0.1, 0.15}, {0, 0, 0}}
	for i, p := range []decision.Part{s.Model, s.Policy, s.Population} {
		for j, got := range []float64{p.Mean[0], p.Lo[0], p.Hi[0]} {
			if math.Abs(got-want[i][j]) > 1e-12 {
				t.Errorf("part %d: %v, want %v", i, got, want[i][j])
			}
		}
	}
	if s.Shadow != nil || math.Abs(s.Variation-0.2) > 1e-12 {
		t.Errorf("%+v", s)
	}
}

// TestCollision: two cuts of the old model that fall on one score of the new one.
func TestCollision(t *testing.T) {
	rs, err := decision.EqualRates([]uint64{40, 60}, 100, hist(slices.Repeat([]float64{0.5}, 100)), 0)
	if err != nil {
		t.Fatal(err)
	}
	if !rs[0].Tied || !rs[1].Tied || rs[0].At <= 0.5 || rs[1].At != 0.5 {
		t.Errorf("%+v", rs)
	}
	rs, err = decision.EqualRates([]uint64{60, 70}, 100, hist(slices.Repeat([]float64{0.5}, 100)), 0)
	if err != nil || len(rs[1].Warnings) != 2 {
		t.Errorf("%+v, %v", rs, err)
	}
}

// TestNegative: other layouts than that of probabilities, whose cells of negative
// values hold their upper end.
func TestNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(-100, 100), 1, 40).Draw(t, "scores")
		h := &summary.Histogram{}
		h.AddSlice(xs)
		cut := rapid.OneOf(rapid.SampledFrom(xs), rapid.SampledFrom([]float64{-64, -1, 0, 32})).Draw(t, "cut")
		l, err := decision.AtLeast(h, cut)
		if x := atLeast(xs, cut); err != nil || !(l.Lo <= x && x <= l.Hi) {
			t.Errorf("%v is not in %+v, %v", x, l, err)
		}
		c, err := decision.CutAt(h, rapid.Float64Range(0, 1).Draw(t, "rate"))
		if x := atLeast(xs, c.At); err != nil || !(c.Rate.Lo <= x && x <= c.Rate.Hi) {
			t.Errorf("%v is not in %+v, %v", x, c.Rate, err)
		}
	})
}

func TestSensitivity(t *testing.T) {
	h := hist([]float64{0.1, 0.2, 0.2, 0.4, 0.6, 0.6, 0.8, 0.9})
	got, err := decision.Sensitivity(h, 0.5, 0.25)
	if err != nil {
		t.Fatal(err)
	}
	if got.At.Value != 0.5 || got.Lower.Value != 0.625 || got.Higher.Value != 0.25 || got.Relative != 0.375 {
		t.Errorf("%+v", got)
	}
	if got, err = decision.Sensitivity(h, 0.95, 0.01); err != nil || got.Relative != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestErrors(t *testing.T) {
	some, none := hist([]float64{0.1, 0.9}), hist(nil)
	var m decision.Mixes
	m[0][0][0], m[1][1][1] = []float64{1}, []float64{0.5, 0.5}
	bad := m
	bad[1][1][1] = []float64{0.5}
	edges, err := summary.NewEdges(0.5)
	if err != nil {
		t.Fatal(err)
	}
	other := summary.NewHistogram(edges)
	other.Add(0.3)
	nan := math.NaN()
	for name, tc := range map[string]struct {
		err  func() error
		want error
	}{
		"no scores":          {func() error { _, err := decision.AtLeast(none, 0.5); return err }, stats.ErrEmpty},
		"nil":                {func() error { _, err := decision.Mix(nil, nil); return err }, stats.ErrEmpty},
		"cut NaN":            {func() error { _, err := decision.AtLeast(some, nan); return err }, stats.ErrDomain},
		"rising cuts":        {func() error { _, err := decision.Mix(some, []float64{0.1, 0.5}); return err }, stats.ErrDomain},
		"no step":            {func() error { _, err := decision.Sensitivity(some, 0.5, 0); return err }, stats.ErrDomain},
		"no sensitivity":     {func() error { _, err := decision.Sensitivity(none, 0.5, 0.1); return err }, stats.ErrEmpty},
		"rate":               {func() error { _, err := decision.CutAt(some, 1.5); return err }, stats.ErrDomain},
		"no cut":             {func() error { _, err := decision.CutAt(none, 0.5); return err }, stats.ErrEmpty},
		"count":              {func() error { _, err := decision.EqualRates([]uint64{3}, 2, some, 0); return err }, stats.ErrDomain},
		"falling counts":     {func() error { _, err := decision.EqualRates([]uint64{2, 1}, 2, some, 0); return err }, stats.ErrDomain},
		"no old scores":      {func() error { _, err := decision.EqualRates([]uint64{0}, 0, some, 0); return err }, stats.ErrEmpty},
		"no new scores":      {func() error { _, err := decision.EqualRates([]uint64{0}, 1, none, 0); return err }, stats.ErrEmpty},
		"level":              {func() error { _, err := decision.EqualRates([]uint64{1}, 2, some, 2); return err }, stats.ErrDomain},
		"no labels":          {func() error { _, err := decision.EqualBadRate(0.5, none, none, 0); return err }, stats.ErrEmpty},
		"bad rate":           {func() error { _, err := decision.EqualBadRate(nan, some, some, 0); return err }, stats.ErrDomain},
		"bad rate too low":   {func() error { _, err := decision.EqualBadRate(0, some, none, 0); return err }, stats.ErrDomain},
		"bad rate, layouts":  {func() error { _, err := decision.EqualBadRate(0.5, some, other, 0); return err }, stats.ErrMismatch},
		"bad rate, level":    {func() error { _, err := decision.EqualBadRate(0.5, some, some, 7); return err }, stats.ErrDomain},
		"shift of nothing":   {func() error { _, err := decision.SplitShift(decision.Mixes{}, decision.ShiftOptions{}); return err }, stats.ErrEmpty},
		"shift of two sizes": {func() error { _, err := decision.SplitShift(m, decision.ShiftOptions{}); return err }, stats.ErrMismatch},
		"shift of no mix":    {func() error { _, err := decision.SplitShift(bad, decision.ShiftOptions{}); return err }, stats.ErrDomain},
		"no rows":            {func() error { _, err := decision.RateDifference(0, 0, 1, 1, 0); return err }, stats.ErrEmpty},
		"no pairs":           {func() error { _, err := decision.PairedRateDifference(0, 0, 0, 0); return err }, stats.ErrEmpty},
	} {
		if err := tc.err(); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// TestMergedShards: shards in any order give the same remap.
func TestMergedShards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := scoresGen().Draw(t, "scores")
		k := rapid.IntRange(0, len(scores)).Draw(t, "at")
		a, b := hist(scores[k:]), hist(scores[:k])
		if err := a.Merge(b); err != nil {
			t.Fatal(err)
		}
		x, err1 := decision.EqualRates([]uint64{1, 2}, 4, a, 0)
		y, err2 := decision.EqualRates([]uint64{1, 2}, 4, hist(scores), 0)
		if d := cmp.Diff(x, y); d != "" || err1 != nil || err2 != nil {
			t.Errorf("%v %v %s", err1, err2, d)
		}
	})
}
