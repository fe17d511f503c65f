package drift_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// logistic draws scores around 1/4 with a spread that a factor changes.
func logistic(seed uint64, n int, spread float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 11))
	out := make([]float64, n)
	for i := range out {
		out[i] = 1 / (1 + math.Exp(-(spread*r.NormFloat64() - 1)))
	}
	return out
}

func TestCollapse(t *testing.T) {
	const n = 4000
	ref := logistic(1, n, 1.2)
	cur := logistic(2, n, 1.2)
	with := func(some float64, share float64) []float64 {
		out := append([]float64(nil), cur...)
		for i := range int(share * n) {
			out[i] = some
		}
		return out
	}
	for _, c := range []struct {
		name    string
		cur     []float64
		outcome drift.Outcome
		signals map[string]drift.Outcome // of interest
	}{
		{"no change", cur, drift.OK, nil},
		{"61% exactly one half", with(0.5, 0.61), drift.Fail, map[string]drift.Outcome{"spike": drift.Fail, "repetition": drift.Fail, "constant": drift.OK}},
		{"5% exactly one half", with(0.5, 0.05), drift.OK, map[string]drift.Outcome{"spike": drift.OK}},
		{"10% exactly one half", with(0.5, 0.10), drift.Inconclusive, map[string]drift.Outcome{"spike": drift.Inconclusive}},
		{"one constant", repeat(0.5, n), drift.Fail, map[string]drift.Outcome{"constant": drift.Fail, "spike": drift.Fail, "spread": drift.Fail, "entropy": drift.Fail}},
		{"shrunk to a sixth", logistic(3, n, 0.2), drift.Fail, map[string]drift.Outcome{"variance": drift.Fail, "spread": drift.Fail}},
		{"blown up", logistic(4, n, 12), drift.Fail, map[string]drift.Outcome{"variance": drift.Fail, "saturation": drift.Fail}},
		{"saturated at one", with(1, 0.2), drift.Fail, map[string]drift.Outcome{"saturation": drift.Fail}},
		{"one infinity", with(math.Inf(1), 1.1/n), drift.Fail, map[string]drift.Outcome{"infinite": drift.Fail}},
		{"one score of 1.5", with(1.5, 1.1/n), drift.Fail, map[string]drift.Outcome{"out_of_range": drift.Fail}},
		{"1% NaN", with(math.NaN(), 0.01), drift.Fail, map[string]drift.Outcome{"missing": drift.Fail, "infinite": drift.OK}},
		{"all NaN", repeat(math.NaN(), n), drift.Fail, map[string]drift.Outcome{"missing": drift.Fail, "spike": drift.Inconclusive}},
	} {
		r, err := drift.Collapse(scores(t, ref...), scores(t, c.cur...), drift.CollapseOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Outcome != c.outcome {
			t.Errorf("%s: %v, want %v: %+v", c.name, r.Outcome, c.outcome, r.Signals)
		}
		for name, want := range c.signals {
			if s := signal(t, r, name); s.Outcome != want {
				t.Errorf("%s: %s is %v, want %v: %+v", c.name, name, s.Outcome, want, s)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCollapseSmallSamples(t *testing.T) {
	ref := logistic(1, 4000, 1.2)
	r, err := drift.Collapse(scores(t, ref...), scores(t, repeat(0.5, 29)...), drift.CollapseOptions{})
	if err != nil || r.Outcome != drift.Inconclusive {
		t.Errorf("29 equal scores: %v, %v, want inconclusive", r.Outcome, err)
	}
	r, err = drift.Collapse(scores(t, ref...), scores(t, repeat(0.5, 30)...), drift.CollapseOptions{})
	if err != nil || signal(t, r, "constant").Outcome != drift.Fail {
		t.Errorf("30 equal scores: %+v, %v, want constant to fail", r, err)
	}
	// Zeros in a column that is 99.9% zeros prove nothing.
	sparse := append(repeat(0, 9990), repeat(1, 10)...)
	r, err = drift.Collapse(histogram(sparse...), histogram(repeat(0, 100)...), drift.CollapseOptions{})
	if err != nil || signal(t, r, "constant").Outcome != drift.Inconclusive {
		t.Errorf("100 zeros of a sparse column: %+v, %v, want constant inconclusive", r, err)
	}
	// Entropy is shown, not judged.
	r, err = drift.Collapse(scores(t, ref...), scores(t, logistic(5, 300, 0.3)...), drift.CollapseOptions{})
	if s := signal(t, r, "entropy"); err != nil || !s.DisplayOnly || s.Effect.IsZero() || s.Outcome != drift.Inconclusive {
		t.Errorf("entropy of 300 scores: %+v, %v", s, err)
	}
}

func TestCollapseLimitsAndSources(t *testing.T) {
	ref, cur := logistic(1, 3000, 1.2), logistic(2, 3000, 1.0)
	r, err := drift.Collapse(scores(t, ref...), scores(t, cur...), drift.CollapseOptions{VarianceWarn: 1.1, VarianceFail: 1.2, Spike: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	v, s, e := signal(t, r, "variance"), signal(t, r, "spike"), signal(t, r, "entropy")
	if v.Outcome != drift.Fail || v.LimitSource != "option" || v.Warn != 1.1 || v.Fail != 1.2 {
		t.Errorf("variance with limit 1.2: %+v", v)
	}
	if s.Fail != 0.5 || s.LimitSource != "option" || e.Fail != 0.2 || e.LimitSource != "default" {
		t.Errorf("limits: %+v, %+v", s, e)
	}
	var names []string
	for _, s := range r.Signals {
		names = append(names, s.Name)
	}
	want := []string{"constant", "spike", "repetition", "variance", "spread", "saturation", "entropy", "missing", "infinite", "out_of_range"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("signals (-want +got):\n%s", diff)
	}
}

func TestCollapseOfOtherLayouts(t *testing.T) {
	// Without a range there is no saturation to speak of; with one there is.
	x, y := normals(1, 2000, 50, 10), append(normals(2, 1500, 50, 10), repeat(100, 500)...)
	r, err := drift.Collapse(histogram(x...), histogram(y...), drift.CollapseOptions{})
	if err != nil || len(r.Signals) != 8 {
		t.Fatalf("%d signals, %v, want 8", len(r.Signals), err)
	}
	r, err = drift.Collapse(histogram(x...), histogram(append(y, 120)...), drift.CollapseOptions{RangeLo: 0, RangeHi: 100})
	if err != nil || signal(t, r, "saturation").Outcome != drift.Fail || signal(t, r, "out_of_range").Outcome != drift.Fail {
		t.Errorf("range 0 to 100: %+v, %v", r, err)
	}
	at := []float64{20, 30, 40, 50, 60, 70, 80}
	r, err = drift.Collapse(edges(t, at, x...), edges(t, at, y...), drift.CollapseOptions{})
	if s := signal(t, r, "variance"); err != nil || s.Outcome != drift.Inconclusive || s.Note == "" {
		t.Errorf("variance of frozen edges: %+v, %v", s, err)
	}
}

func TestCollapseReferenceWithoutSpread(t *testing.T) {
	x := append(repeat(0.3, 990), logistic(1, 10, 1)...)
	r, err := drift.Collapse(scores(t, x...), scores(t, x...), drift.CollapseOptions{})
	if err != nil || r.Outcome == drift.Fail || r.Outcome == drift.Warn {
		t.Errorf("a spiky reference against itself: %+v, %v", r, err)
	}
	r, err = drift.Collapse(scores(t, repeat(0.3, 500)...), scores(t, repeat(0.3, 500)...), drift.CollapseOptions{})
	if err != nil || signal(t, r, "constant").Outcome != drift.OK || signal(t, r, "variance").Outcome != drift.OK {
		t.Errorf("a constant against itself: %+v, %v", r, err)
	}
}

func TestCollapseErrors(t *testing.T) {
	good := scores(t, 0.5)
	for _, c := range []struct {
		name     string
		ref, cur *summary.Histogram
		o        drift.CollapseOptions
		want     error
	}{
		{"empty", good, scores(t), drift.CollapseOptions{}, stats.ErrEmpty},
		{"layouts", good, histogram(1), drift.CollapseOptions{}, stats.ErrMismatch},
		{"spike", good, good, drift.CollapseOptions{Spike: 2}, stats.ErrDomain},
		{"repetition", good, good, drift.CollapseOptions{Repetition: 0.5}, stats.ErrDomain},
		{"variance", good, good, drift.CollapseOptions{VarianceWarn: 5}, stats.ErrDomain},
		{"range", good, good, drift.CollapseOptions{RangeLo: 1, RangeHi: 0.5}, stats.ErrDomain},
		{"NaN", good, good, drift.CollapseOptions{Entropy: math.NaN()}, stats.ErrDomain},
	} {
		if _, err := drift.Collapse(c.ref, c.cur, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
}

func TestRowsErrors(t *testing.T) {
	for name, f := range map[string]func() error{
		"one cell":            func() error { return second(drift.RowsNeeded(0.1, 0, 1, drift.RowsOptions{})) },
		"limit is truth":      func() error { return second(drift.RowsNeeded(0.1, 0.1, 10, drift.RowsOptions{})) },
		"no limit":            func() error { return second(drift.RowsNeeded(0, 0.1, 10, drift.RowsOptions{})) },
		"power":               func() error { return second(drift.RowsNeeded(0.1, 0, 10, drift.RowsOptions{Power: 1})) },
		"reference too small": func() error { return second(drift.RowsNeeded(0.1, 0, 10, drift.RowsOptions{RefN: 160})) },
		"detect, one cell":    func() error { return second(drift.Detectable(10, 10, 1, drift.RowsOptions{})) },
		"detect, level":       func() error { return second(drift.Detectable(10, 10, 5, drift.RowsOptions{Level: -1})) },
	} {
		if err := f(); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: error %v, want %v", name, err, stats.ErrDomain)
		}
	}
	if _, err := drift.Detectable(0, 10, 5, drift.RowsOptions{}); !errors.Is(err, stats.ErrEmpty) {
		t.Errorf("no rows: error %v, want %v", err, stats.ErrEmpty)
	}
}

// TestCollapseHeavyTails: a small sample of a score that is rarely high has a
// small variance by chance; that is no collapse. (With the kurtosis of each side
// for itself, 89 of 100 samples of 30 and 29 of 100 samples of 300 failed.)
func TestCollapseHeavyTails(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	sample := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = 0.02 * r.Float64()
			if r.Float64() < 0.005 {
				out[i] = 0.5 + r.Float64()/2
			}
		}
		return out
	}
	ref := scores(t, sample(20000)...)
	for _, n := range []int{30, 100, 300, 1000, 3000} {
		fails := 0
		for range 20 {
			rep, err := drift.Collapse(ref, scores(t, sample(n)...), drift.CollapseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if rep.Outcome == drift.Fail {
				fails++
			}
		}
		if fails > 2 {
			t.Errorf("%d of 20 samples of %d collapsed", fails, n)
		}
	}
}
