package sequential_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/statstest"
	"pgregory.net/rapid"
)

var (
	anyCount = rapid.Uint64Range(0, 5000)
	anyShare = rapid.Float64Range(0.01, 0.99)
	anySide  = rapid.SampledFrom([]stats.Alternative{stats.Less, stats.Different, stats.Greater})
)

// fine fails the property on an error.
func fine(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func holds(t *rapid.T, what string, v stats.Interval) {
	t.Helper()
	if !(v.Lo <= v.Point && v.Point <= v.Hi) || v.Level <= 0 {
		t.Fatalf("%s = %v, want Lo <= Point <= Hi", what, v)
	}
}

func TestSRMLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 5).Draw(t, "arms")
		n := rapid.SliceOfN(anyCount, k, k).Draw(t, "counts")
		w := rapid.SliceOfN(rapid.Float64Range(0.05, 20), k, k).Draw(t, "weights")
		r, err := sequential.SRM([]sequential.ShareStage{{Weights: w, Counts: n}}, sequential.SRMOptions{})
		fine(t, err)
		for _, v := range r.Stages[0].Shares {
			holds(t, "share", v)
		}
		// The order of arms does not matter, nor does the unit of the weights.
		n2, w2 := slices.Clone(n), slices.Clone(w)
		slices.Reverse(n2)
		slices.Reverse(w2)
		for i := range w2 {
			w2[i] *= 4
		}
		r2, err := sequential.SRM([]sequential.ShareStage{{Weights: w2, Counts: n2}}, sequential.SRMOptions{})
		fine(t, err)
		if !statstest.IsNear(r2.LogE, r.LogE, 1e-9, 1e-9) {
			t.Fatalf("log E = %v with the arms reversed, %v before", r2.LogE, r.LogE)
		}
		// The intended share is outside a confidence sequence only if the test
		// rejects at that level; with two arms the converse holds too.
		rejects, outside := r.LogE >= sequential.Threshold(0.001)+1e-9, false
		for i, v := range r.Stages[0].Shares {
			outside = outside || !v.Contains(r.Stages[0].Expect[i])
		}
		if outside && r.LogE < sequential.Threshold(0.001)-1e-9 || k == 2 && rejects && !outside {
			t.Fatalf("log E = %v, shares %v, expected %v", r.LogE, r.Stages[0].Shares, r.Stages[0].Expect)
		}
	})
}

func TestMergeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyShare.Draw(t, "share")
		ev := func(name string) sequential.EventStage {
			return sequential.EventStage{Share: r, Baseline: anyCount.Draw(t, name), Candidate: anyCount.Draw(t, name)}
		}
		a, b := ev("a"), ev("b")
		ab, ba, id := a, b, sequential.EventStage{}
		fine(t, ab.Merge(&b))
		fine(t, ba.Merge(&a))
		fine(t, id.Merge(&a))
		fine(t, id.Merge(&sequential.EventStage{}))
		if ab != ba || id != a {
			t.Fatalf("%v and %v; identity %v of %v", ab, ba, id, a)
		}

		counts := rapid.SliceOfN(anyCount, 3, 3)
		sh := func(name string) *sequential.ShareStage {
			return &sequential.ShareStage{Weights: []float64{1, 2, 3}, Counts: counts.Draw(t, name)}
		}
		ce := func(name string) *sequential.CellStage {
			return &sequential.CellStage{Share: r, Baseline: counts.Draw(t, name), Candidate: counts.Draw(t, name)}
		}
		law(t, sh("a"), sh("b"), &sequential.ShareStage{}, (*sequential.ShareStage).Merge)
		law(t, ce("a"), ce("b"), &sequential.CellStage{}, (*sequential.CellStage).Merge)
	})
	for name, err := range map[string]error{
		"events": (&sequential.EventStage{Share: 0.5}).Merge(&sequential.EventStage{Share: 0.1}),
		"shares": (&sequential.ShareStage{Weights: []float64{1}, Counts: []uint64{1}}).Merge(&sequential.ShareStage{Weights: []float64{2}, Counts: []uint64{1}}),
		"cells":  (&sequential.CellStage{Share: 0.5, Baseline: []uint64{1}}).Merge(&sequential.CellStage{Share: 0.5}),
	} {
		wantErr(t, name, err, stats.ErrMismatch)
	}
}

// law checks identity, commutativity and that the argument is left alone.
func law[T any](t *rapid.T, a, b, zero *T, merge func(x, y *T) error) {
	t.Helper()
	clone := func(x *T) *T {
		c := new(T)
		fine(t, merge(c, x))
		return c
	}
	ab, ba, keep := clone(a), clone(b), clone(b)
	fine(t, merge(ab, b))
	fine(t, merge(ba, a))
	if d := cmp.Diff(ab, ba); d != "" {
		t.Fatalf("merging is not commutative:\n%s", d)
	}
	if d := cmp.Diff(b, keep); d != "" {
		t.Fatalf("merging changed its argument:\n%s", d)
	}
	fine(t, merge(ab, zero))
	if d := cmp.Diff(ab, ba); d != "" {
		t.Fatalf("the zero value is not the identity:\n%s", d)
	}
}

// The ends of every confidence sequence are the null values at which the test of
// the same data just rejects.
func TestDuality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.Float64Range(0.5, 0.999).Draw(t, "level")
		threshold := sequential.Threshold(1 - level)
		dual := func(what string, end float64, edge float64, run func(null float64) (sequential.Result, error)) {
			if end == edge || math.IsInf(end, 0) {
				return // an open end
			}
			r, err := run(end)
			fine(t, err)
			if !statstest.IsNear(r.LogE, threshold, 1e-6, 1e-6) {
				t.Fatalf("%s: log E = %v at the end %v of its interval, want %v", what, r.LogE, end, threshold)
			}
		}
		x, n := rapid.Uint64Range(0, 300).Draw(t, "x"), uint64(300)
		bern := func(alt stats.Alternative) func(float64) (sequential.Result, error) {
			return func(p float64) (sequential.Result, error) {
				return sequential.Bernoulli(x, n, sequential.BernoulliOptions{Null: p, Alternative: alt, Level: level})
			}
		}
		for _, alt := range []stats.Alternative{stats.Less, stats.Different, stats.Greater} {
			r, err := bern(alt)(0.5)
			fine(t, err)
			holds(t, "rate", r.Estimate)
			dual("Bernoulli", r.Estimate.Lo, 0, bern(alt))
			dual("Bernoulli", r.Estimate.Hi, 1, bern(alt))
		}

		stages := []sequential.EventStage{
			{Share: anyShare.Draw(t, "r1"), Baseline: anyCount.Draw(t, "a1"), Candidate: anyCount.Draw(t, "b1")},
			{Share: anyShare.Draw(t, "r2"), Baseline: anyCount.Draw(t, "a2"), Candidate: anyCount.Draw(t, "b2")},
		}
		mix := func(alt stats.Alternative) func(float64) (sequential.Result, error) {
			return func(rr float64) (sequential.Result, error) {
				return sequential.BinomMix(stages, sequential.BinomMixOptions{NullRR: rr, Alternative: alt, Level: level})
			}
		}
		up, err := mix(stats.Greater)(1)
		fine(t, err)
		down, err := mix(stats.Less)(1)
		fine(t, err)
		dual("BinomMix", up.Estimate.Lo, 0, mix(stats.Greater))
		dual("BinomMix", down.Estimate.Hi, math.Inf(1), mix(stats.Less))
		two, err := mix(stats.Different)(1)
		fine(t, err)
		holds(t, "relative risk", two.Estimate)

		d, se := rapid.Float64Range(-3, 3).Draw(t, "d"), rapid.Float64Range(0.01, 3).Draw(t, "se")
		norm := func(null float64) (sequential.Result, error) {
			return sequential.Normal(d, se, 700, 300, sequential.NormalOptions{Null: null, Level: level})
		}
		r, err := norm(0)
		fine(t, err)
		holds(t, "difference", r.Estimate)
		dual("Normal", r.Estimate.Lo, math.Inf(-1), norm)
		dual("Normal", r.Estimate.Hi, math.Inf(1), norm)
	})
}

func TestBoundedDuality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-2, 3), 1, 40)
		level := rapid.Float64Range(0.5, 0.99).Draw(t, "level")
		threshold := sequential.Threshold(1 - level)
		opt := func(alt stats.Alternative, null float64) sequential.BoundedOptions {
			return sequential.BoundedOptions{Min: -2, Max: 3, Null: null, Alternative: alt, Level: level}
		}
		x, y := values.Draw(t, "x"), values.Draw(t, "y")
		pairs := []sequential.PairLook{{Baseline: sumLook(x), Candidate: sumLook(y)}, {Baseline: sumLook(y), Candidate: sumLook(x)}}
		for name, m := range map[string]struct {
			lo, hi float64
			run    func(o sequential.BoundedOptions) (sequential.Result, error)
		}{
			"Hedged": {-2, 3, func(o sequential.BoundedOptions) (sequential.Result, error) { return sequential.Hedged(x, o) }},
			"Bernstein": {-2, 3, func(o sequential.BoundedOptions) (sequential.Result, error) {
				return sequential.Bernstein([]sequential.SumLook{sumLook(x), sumLook(y)}, o)
			}},
			"BernsteinDiff": {-5, 5, func(o sequential.BoundedOptions) (sequential.Result, error) {
				return sequential.BernsteinDiff(pairs, o)
			}},
		} {
			up, err := m.run(opt(stats.Greater, 0))
			fine(t, err)
			down, err := m.run(opt(stats.Less, 0))
			fine(t, err)
			for _, end := range []struct {
				at   float64
				alt  stats.Alternative
				open float64
			}{{up.Estimate.Lo, stats.Greater, m.lo}, {down.Estimate.Hi, stats.Less, m.hi}} {
				if end.at == end.open {
					continue
				}
				r, err := m.run(opt(end.alt, end.at))
				fine(t, err)
				if !statstest.IsNear(r.LogE, threshold, 1e-6, 1e-6) {
					t.Fatalf("%s %v: log E = %v at the end %v, want %v", name, end.alt, r.LogE, end.at, threshold)
				}
			}
		}
	})
}

// Exchanging the arms turns Greater into Less.
func TestSymmetry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alt := anySide.Draw(t, "side")
		same := func(what string, a, b float64) {
			t.Helper()
			if !statstest.IsNear(a, b, 1e-9, 1e-9) {
				t.Fatalf("%s = %v, exchanged %v", what, a, b)
			}
		}
		cells := rapid.SliceOfN(rapid.Uint64Range(1, 400), 6, 6)
		a, b := cells.Draw(t, "a"), cells.Draw(t, "b")

		r, share := anyShare.Draw(t, "share"), 0.0
		share = 1 - r
		e1, err := sequential.BinomMix([]sequential.EventStage{{Share: r, Baseline: a[0], Candidate: b[0]}}, sequential.BinomMixOptions{Alternative: alt})
		fine(t, err)
		e2, err := sequential.BinomMix([]sequential.EventStage{{Share: share, Baseline: b[0], Candidate: a[0]}}, sequential.BinomMixOptions{Alternative: -alt})
		fine(t, err)
		same("BinomMix", e1.LogE, e2.LogE)

		t1, err := sequential.TwoSample([]sequential.CellStage{{Share: r, Baseline: a, Candidate: b}}, sequential.TwoSampleOptions{})
		fine(t, err)
		t2, err := sequential.TwoSample([]sequential.CellStage{{Share: share, Baseline: b, Candidate: a}}, sequential.TwoSampleOptions{})
		fine(t, err)
		same("TwoSample", t1.LogE, t2.LogE)

		k1, err := sequential.KS(a, b, sequential.DKWOptions{})
		fine(t, err)
		k2, err := sequential.KS(b, a, sequential.DKWOptions{})
		fine(t, err)
		same("KS", k1.LogP, k2.LogP)
		holds(t, "KS distance", k1.Distance)

		q := rapid.Float64Range(0.05, 0.95).Draw(t, "q")
		q1, err := sequential.Quantile(a, b, q, sequential.QuantileOptions{Alternative: alt})
		fine(t, err)
		q2, err := sequential.Quantile(b, a, q, sequential.QuantileOptions{Alternative: -alt})
		fine(t, err)
		same("Quantile", q1.LogE, q2.LogE)
		if c := q1.Candidate; c.Lo > c.Cell || c.Cell > c.Hi {
			t.Fatalf("quantile in cell %d outside its range %d to %d", c.Cell, c.Lo, c.Hi)
		}

		n := b[1] + a[1]
		b1, err := sequential.Block([]sequential.BlockLook{{a[1], 0, b[1], b[1]}, {n, a[1], n, b[1]}}, sequential.BlockOptions{Alternative: alt})
		fine(t, err)
		b2, err := sequential.Block([]sequential.BlockLook{{b[1], b[1], a[1], 0}, {n, b[1], n, a[1]}}, sequential.BlockOptions{Alternative: -alt})
		fine(t, err)
		same("Block", b1.LogE, b2.LogE)
	})
}

// A stage without events, and events that are split over stages of the same
// share, change nothing.
func TestStageLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sequential.EventStage{Share: anyShare.Draw(t, "share"), Baseline: anyCount.Draw(t, "a"), Candidate: anyCount.Draw(t, "b")}
		part := sequential.EventStage{Share: s.Share, Baseline: s.Baseline / 3, Candidate: s.Candidate / 2}
		rest := sequential.EventStage{Share: s.Share, Baseline: s.Baseline - part.Baseline, Candidate: s.Candidate - part.Candidate}
		whole, err := sequential.BinomMix([]sequential.EventStage{s}, sequential.BinomMixOptions{})
		fine(t, err)
		split, err := sequential.BinomMix([]sequential.EventStage{part, {Share: 0.5}, rest}, sequential.BinomMixOptions{})
		fine(t, err)
		if !statstest.IsNear(split.LogE, whole.LogE, 1e-9, 1e-9) || split.NCandidate != whole.NCandidate {
			t.Fatalf("log E = %v in parts, %v as a whole", split.LogE, whole.LogE)
		}
	})
}

func TestPlanAgreesWithProcess(t *testing.T) {
	// At exactly the expected events of relative risk 2 the best grid point
	// reaches the threshold, so the process is close to it, from above.
	o := sequential.BinomMixOptions{Alternative: stats.Greater}
	seen := []sequential.EventStage{{Share: 0.1, Baseline: 90, Candidate: 12}}
	p := must[sequential.BinomPlan](t)(sequential.PlanBinomMix(seen, 0.5, 2, 0.001, o))
	more := sequential.EventStage{Share: 0.5, Baseline: uint64(p.Events - p.Candidate), Candidate: uint64(math.Ceil(p.Candidate))}
	r := must[sequential.Result](t)(sequential.BinomMix(append(seen, more), o))
	if gap := r.LogE - sequential.Threshold(0.001); gap < 0 || gap > 2 {
		t.Errorf("log E after the planned events exceeds the threshold by %v, want 0 to 2", gap)
	}
	done := must[sequential.BinomPlan](t)(sequential.PlanBinomMix(append(seen, more), 0.5, 2, 0.001, o))
	if done.Events != 0 {
		t.Errorf("events needed after the threshold = %v, want 0", done.Events)
	}
	never := must[sequential.BinomPlan](t)(sequential.PlanBinomMix(nil, 0.5, 0.9, 0.05, o))
	if !math.IsInf(never.Events, 1) {
		t.Errorf("events needed without harm = %v, want +Inf", never.Events)
	}
}

func TestGroupSequentialLaws(t *testing.T) {
	info := []float64{10, 25, 40, 41, 90}
	for s := sequential.OBrienFleming; s <= sequential.HwangShihDeCani; s++ {
		two := must[[]sequential.Boundary](t)(sequential.GroupSequential(info, sequential.GroupOptions{Alpha: 0.05, Spending: s}))
		one := must[[]sequential.Boundary](t)(sequential.GroupSequential(info, sequential.GroupOptions{Alpha: 0.025, Spending: s, Alternative: stats.Less}))
		spent := 0.0
		for i, b := range two {
			if b.Spent < spent || b.Z < 0 || b.Nominal > 0.05+1e-12 {
				t.Errorf("%v: look %d: %+v after %v spent", s, i, b, spent)
			}
			spent = b.Spent
			statstest.Near(t, s.String()+": one side of a two-sided design", one[i].Z, b.Z, 0, 1e-3)
		}
		statstest.Near(t, s.String()+": spent in the end", spent, 0.025, 1e-12, 0)
	}
	// One look is the fixed-sample test, and a look that stops short may spend
	// the rest.
	b := must[[]sequential.Boundary](t)(sequential.GroupSequential([]float64{50}, sequential.GroupOptions{Spending: sequential.Pocock, Planned: 100, Final: true}))
	statstest.Near(t, "one look", b[0].Z, 1.959963984540054, 1e-9, 0)
	// Nothing is spent after the planned information.
	b = must[[]sequential.Boundary](t)(sequential.GroupSequential([]float64{50, 100, 130}, sequential.GroupOptions{Spending: sequential.Pocock, Planned: 100}))
	if !math.IsInf(b[2].Z, 1) || b[2].Time != 1 {
		t.Errorf("look after the planned information = %+v, want an infinite boundary", b[2])
	}
}

func TestStateSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, err := sequential.NewBudget([]string{"errors", "latency"}, []string{"errors/eu", "errors/us"},
			sequential.BudgetOptions{Attempt: rapid.IntRange(0, 3).Draw(t, "attempt")})
		fine(t, err)
		names := []string{"errors", "latency", "errors/eu", "errors/us"}
		for i := range rapid.IntRange(0, 30).Draw(t, "looks") {
			if i%9 == 8 {
				h, err := b.Add(fmt.Sprint("added ", i))
				fine(t, err)
				names = append(names, h.Name)
			}
			_, err := b.Observe(rapid.SampledFrom(names).Draw(t, "name"), rapid.Float64Range(-50, 20).Draw(t, "log E"))
			fine(t, err)
		}
		sum := 0.0
		for _, h := range b.Hypotheses() {
			sum += h.Alpha
			if h.Crossed() != (h.P() <= b.Alpha()*(1+1e-12)) {
				t.Fatalf("%+v: crossed %v, adjusted p %v at alpha %v", h, h.Crossed(), h.P(), b.Alpha())
			}
		}
		if sum > b.Alpha()+1e-12 {
			t.Fatalf("the hypotheses share %v of alpha %v", sum, b.Alpha())
		}
		data, err := json.Marshal(b)
		fine(t, err)
		var back sequential.Budget
		fine(t, json.Unmarshal(data, &back))
		if d := cmp.Diff(b.Hypotheses(), back.Hypotheses()); d != "" {
			t.Fatalf("after JSON:\n%s", d)
		}
		if h, ok := back.Lookup("latency"); !ok || h.Name != "latency" {
			t.Fatalf("Lookup after JSON = %+v, %v", h, ok)
		}
	})
}

func TestDetectorJSON(t *testing.T) {
	steps := []float64{0.4, -1.5, 2, math.Inf(-1), 0.3}
	for _, rule := range []sequential.Rule{sequential.CUSUM, sequential.ShiryaevRoberts} {
		whole, kept := sequential.Detector{Alpha: 0.01, Rule: rule}, sequential.Detector{Alpha: 0.01, Rule: rule}
		for _, s := range steps {
			for _, d := range []*sequential.Detector{&whole, &kept} {
				if _, err := d.Observe(s); err != nil {
					t.Fatal(err)
				}
			}
			b, err := json.Marshal(kept)
			if err != nil {
				t.Fatal(err)
			}
			kept = sequential.Detector{}
			if err := json.Unmarshal(b, &kept); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(whole, kept); d != "" {
			t.Errorf("%v, stored after each step:\n%s", rule, d)
		}
		whole.Reset()
		if d := cmp.Diff(sequential.Detector{Alpha: 0.01, Rule: rule}, whole); d != "" {
			t.Errorf("%v after Reset:\n%s", rule, d)
		}
	}
}

func TestLedgerJSON(t *testing.T) {
	var l sequential.Ledger[sequential.BlockLook]
	if b, err := json.Marshal(l); err != nil || string(b) != "[]" {
		t.Errorf("empty ledger = %s, %v", b, err)
	}
	for _, look := range []sequential.BlockLook{{100, 5, 100, 9}, {100, 4, 100, 12}} {
		if err := l.Append(look); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, "impossible look", l.Append(sequential.BlockLook{NBaseline: 1, YBaseline: 2}), stats.ErrDomain)
	b, err := json.Marshal(&l)
	if err != nil {
		t.Fatal(err)
	}
	var back sequential.Ledger[sequential.BlockLook]
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(l.Looks(), back.Looks()); d != "" || back.Len() != 2 {
		t.Errorf("after JSON:\n%s", d)
	}
	back.Looks()[0].NBaseline = 0
	if back.Looks()[0].NBaseline != 100 {
		t.Error("Looks gives access to the ledger itself")
	}
	wantErr(t, "impossible JSON", json.Unmarshal([]byte(`[{"n_baseline":1,"y_baseline":2}]`), &back), stats.ErrDomain)
	var sums sequential.Ledger[sequential.SumLook]
	wantErr(t, "impossible sums", sums.Append(sequential.SumLook{N: 4, Sum: 4, SumSq: 1}), stats.ErrDomain)
	var pairs sequential.Ledger[sequential.PairLook]
	wantErr(t, "impossible pair", pairs.Append(sequential.PairLook{Candidate: sequential.SumLook{SumSq: 1}}), stats.ErrDomain)
}
