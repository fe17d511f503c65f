package summary_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// scored is one labelled row.
type scored struct {
	p     float64
	label summary.Label
}

func anyScored() *rapid.Generator[[]scored] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) scored {
		return scored{anyFloat().Draw(t, "p"), summary.Label(rapid.Uint8Range(0, 2).Draw(t, "label"))}
	}), 0, 20)
}

func scores(t interface{ Fatalf(string, ...any) }, rows []scored, cuts ...float64) *summary.Scores {
	s, err := summary.NewScores(cuts...)
	if err != nil {
		t.Fatalf("NewScores(%v): %v", cuts, err)
	}
	var ps []float64
	var ls []summary.Label
	for _, r := range rows {
		ps, ls = append(ps, r.p), append(ls, r.label)
	}
	if err := s.AddSlice(ps, ls); err != nil {
		t.Fatalf("AddSlice: %v", err)
	}
	return s
}

// usable are the labelled rows with a score in [0,1].
func usable(rows []scored) []scored {
	var out []scored
	for _, r := range rows {
		if r.label != summary.Unlabelled && r.p >= 0 && r.p <= 1 {
			out = append(out, scored{r.p + 0, r.label})
		}
	}
	return out
}

func wrongEnd(r scored) float64 { // distance from it
	if r.label == summary.Positive {
		return r.p
	}
	return 1 - r.p
}

func TestLossesAgainstRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := anyScored().Draw(t, "rows")
		s := scores(t, rows)
		var logs, squares []float64
		for _, r := range usable(rows) {
			u := wrongEnd(r)
			l := -math.Log(max(u, 0x1p-52))
			if r.label == summary.Negative && r.p < 0.5 {
				l = -math.Log1p(-r.p) // 1-p would round
			}
			logs = append(logs, l)
			d := r.p
			if r.label == summary.Positive {
				d = 1 - r.p
			}
			squares = append(squares, d*d)
		}
		for name, c := range map[string]struct {
			loss func() (summary.Loss, error)
			rows []float64
		}{"log loss": {s.LogLoss, logs}, "Brier": {s.Brier, squares}} {
			got, err := c.loss()
			if len(c.rows) == 0 {
				if !errors.Is(err, stats.ErrEmpty) {
					t.Fatalf("%s without labels: error %v, want one wrapping %v", name, err, stats.ErrEmpty)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			n, mean, variance, _, _ := exactShape(c.rows)
			if got.N != uint64(n) {
				t.Fatalf("%s of %d rows, want %d", name, got.N, n)
			}
			if !statstest.IsNear(got.Mean, mean, 2e-15, got.Bound) {
				t.Fatalf("%s = %v, want %v within %v", name, got.Mean, mean, got.Bound)
			}
			if !(got.Bound < 0.03) {
				t.Fatalf("%s: bound %v", name, got.Bound)
			}
			if n > 1 {
				tolerance := 1e-7
				if got.Bound > 1e-9 { // scores next to the wrong end
					tolerance = 0.02
				}
				if !statstest.IsNear(got.Variance, variance, 1e-9, tolerance*(variance+mean*mean)) {
					t.Fatalf("variance of %s = %v, want %v", name, got.Variance, variance)
				}
			}
		}
	})
}

// Brier scores follow from exact sums: correctly rounded, for scores next to the
// right end too, where 1-p would lose its digits in a cell mean.
func TestBrierIsCorrectlyRounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var rows []scored
	var squares []float64
	for range 50 {
		v := math.Ldexp(float64(r.IntN(1<<13)), -53) // 1-v and its square are exact
		rows = append(rows, scored{1 - v, summary.Positive})
		squares = append(squares, v*v)
	}
	got, err := scores(t, rows).Brier()
	if err != nil {
		t.Fatal(err)
	}
	_, want, variance, _, _ := exactShape(squares)
	if got.Mean != want {
		t.Errorf("Brier = %v, want %v", got.Mean, want)
	}
	statstest.Near(t, "variance", got.Variance, variance, 0.01, 0) // cells are 1/8 octave wide here
}

func TestLossSpecialCases(t *testing.T) {
	nan := math.NaN()
	tiny := 36.04365338911715 // -log(2^-52)
	cases := []struct {
		name       string
		rows       []scored
		log, brier summary.Loss
	}{
		{"one perfect", []scored{{1, summary.Positive}}, summary.Loss{N: 1, Variance: nan}, summary.Loss{N: 1, Variance: nan}},
		{"both perfect", []scored{{1, summary.Positive}, {0, summary.Negative}}, summary.Loss{N: 2}, summary.Loss{N: 2}},
		{"both wrong", []scored{{0, summary.Positive}, {1, summary.Negative}}, summary.Loss{N: 2, Mean: tiny}, summary.Loss{N: 2, Mean: 1}},
		{"constant", []scored{{0.5, summary.Positive}, {0.5, summary.Negative}, {0.5, summary.Negative}}, summary.Loss{N: 3, Mean: math.Ln2}, summary.Loss{N: 3, Mean: 0.25}},
	}
	for _, c := range cases {
		s := scores(t, c.rows)
		for name, l := range map[string]struct {
			f    func() (summary.Loss, error)
			want summary.Loss
		}{"log loss": {s.LogLoss, c.log}, "Brier": {s.Brier, c.brier}} {
			got, err := l.f()
			if err != nil {
				t.Fatal(err)
			}
			opts := cmp.Options{cmpopts.IgnoreFields(summary.Loss{}, "Bound"), cmpopts.EquateApprox(1e-15, 1e-30), cmpopts.EquateNaNs()}
			if d := cmp.Diff(l.want, got, opts); d != "" {
				t.Errorf("%s: %s (-want +got):\n%s", c.name, name, d)
			}
		}
	}
}

func TestReliabilityEqualsDirectBinning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := anyScored().Draw(t, "rows")
		want := map[int][2]uint64{}
		sums := map[int][3][]float64{}
		for _, r := range usable(rows) {
			i := min(int(r.p*2048), 2047)
			w, s := want[i], sums[i]
			w[0]++
			s[0], s[1] = append(s[0], r.p), append(s[1], r.p*r.p)
			if r.label == summary.Positive {
				w[1]++
				s[2] = append(s[2], r.p)
			}
			want[i], sums[i] = w, s
		}
		prev := -1
		for _, b := range scores(t, rows).Reliability() {
			if w := want[b.Index]; b.Index <= prev || b.N != w[0] || b.Positives != w[1] {
				t.Fatalf("bin %+v, want n and positives %v", b, w)
			}
			prev = b.Index
			for k, got := range []float64{b.SumP, b.SumP2, b.SumPY} {
				if w := exactSum(sums[b.Index][k]); !statstest.IsNear(got, w, 1e-14, 1e-320) {
					t.Fatalf("bin %+v: sum %d is %v, want %v", b, k, got, w)
				}
			}
			delete(want, b.Index)
		}
		if len(want) > 0 {
			t.Fatalf("bins missing: %v", want)
		}
	})
}

func TestAtLeast(t *testing.T) {
	cuts := []float64{0, 0.3, 0.5, 1}
	rapid.Check(t, func(t *rapid.T) {
		rows := anyScored().Draw(t, "rows")
		s := scores(t, rows, cuts...)
		for _, cut := range cuts {
			for l := summary.Unlabelled; l <= summary.Positive; l++ {
				var above, of uint64
				for _, r := range rows {
					if r.label != l || math.IsNaN(r.p) || math.IsInf(r.p, 0) {
						continue
					}
					of++
					if r.p >= cut {
						above++
					}
				}
				a, o, ok := s.AtLeast(cut, l)
				if a != above || o != of || !ok {
					t.Fatalf("AtLeast(%v, %v) = %d, %d, %v, want %d of %d", cut, l, a, o, ok, above, of)
				}
			}
		}
		if _, _, ok := s.AtLeast(0.4, summary.Positive); ok {
			t.Fatalf("AtLeast(0.4) without such a cut")
		}
	})
}

func TestScoresAccounting(t *testing.T) {
	s, err := summary.NewScores(0.5)
	if err != nil {
		t.Fatal(err)
	}
	if s.Total() != 0 || s.All().N() != 0 || len(s.Reliability()) != 0 {
		t.Errorf("an empty Scores holds %d rows", s.Total())
	}
	if err := s.AddSlice([]float64{0.1}, nil); !errors.Is(err, stats.ErrMismatch) || s.Total() != 0 {
		t.Errorf("lengths 1 and 0: error %v, want one wrapping %v; %d rows", err, stats.ErrMismatch, s.Total())
	}
	if err := s.AddSlice([]float64{0.1, 0.9, math.NaN(), 2}, []summary.Label{summary.Negative, summary.Positive, summary.Positive, 77}); err != nil {
		t.Fatal(err)
	}
	s.AddNull(3, summary.Negative)
	s.AddUnlabelled([]float64{0.4})
	want := summary.Excluded{Null: 3, NaN: 1, Above: 1}
	if d := cmp.Diff(want, s.All().Excluded()); d != "" || s.Total() != 8 || s.All().N() != 3 {
		t.Errorf("total %d, N %d, excluded (-want +got):\n%s", s.Total(), s.All().N(), d)
	}
	if n := s.By(summary.Unlabelled).N(); n != 1 {
		t.Errorf("%d unlabelled scores in cells, want 1", n)
	}
	if _, err := summary.NewScores(0.5, 0.5); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("equal cuts: error %v, want one wrapping %v", err, stats.ErrDomain)
	}
}

// Rows in blocks, and one by one, make the same state.
func TestScoresInBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	hard := hardFloats()
	ps := make([]float64, 9000)
	ls := make([]summary.Label, len(ps))
	for i := range ps {
		ps[i] = r.Float64()
		if r.IntN(4) == 0 {
			ps[i] = hard[r.IntN(len(hard))]
		}
		ls[i] = summary.Label(r.IntN(5))
	}
	whole, single := scores(t, nil, 0.5), scores(t, nil, 0.5)
	if err := whole.AddSlice(ps, ls); err != nil {
		t.Fatal(err)
	}
	for i := range ps {
		if err := single.AddSlice(ps[i:i+1], ls[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if text(t, whole) != text(t, single) || whole.Total() != uint64(len(ps)) {
		t.Errorf("%d rows in blocks differ from %d rows one by one", whole.Total(), single.Total())
	}
}
