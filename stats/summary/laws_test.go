package summary_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// hardFloats are the values most likely to be put into a wrong place.
func hardFloats() []float64 {
	xs := []float64{
		math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1),
		math.SmallestNonzeroFloat64, 0x1p-1022, 0x1p-1022 - 0x1p-1074, 0x1p-1030,
		math.MaxFloat64, 0x1p1023, 1e300, 1e-300,
		0x1p64, 0x1p-64, 0x1p-32, 0x1p-52, 0x1p-53,
		1, 0.5, 0.25, 0.75, 0.125, 0.1, 0.3, 2, 1.5, 3,
		1 - 0x1p-32, 1 - 0x1p-33, 1 - 0x1p-52, 1 - 0x1p-53, 1 - 5*0x1p-53,
		129.0 / 128, 1 - 0x1p-20*(1+3.0/512), 0x1p-20 * (1 + 3.0/512), 0x1p-40 * (1 + 3.0/8), 0x1p70 * (1 + 3.0/8),
		1.0 / 2048, 1023.0 / 2048, 1025.0 / 2048, 2047.0 / 2048,
	}
	for _, x := range slices.Clone(xs) {
		xs = append(xs, math.Nextafter(x, math.Inf(1)), math.Nextafter(x, math.Inf(-1)))
	}
	for _, x := range slices.Clone(xs) {
		xs = append(xs, -x)
	}
	return xs
}

// anyFloat draws hard values, values from everywhere, and values so close
// together that they share cells.
func anyFloat() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.SampledFrom(hardFloats()),
		rapid.Float64(),
		rapid.Float64Range(0, 1),
		rapid.Map(rapid.IntRange(0, 2048), func(i int) float64 { return float64(i) / 2048 }),
		rapid.Map(rapid.Uint64Range(0, 1<<12), func(u uint64) float64 {
			return math.Float64frombits(math.Float64bits(0.3) + u<<30)
		}),
	)
}

// inParts draws some shards of values.
func inParts[V any](g *rapid.Generator[V]) *rapid.Generator[[][]V] {
	return rapid.SliceOfN(rapid.SliceOfN(g, 0, 10), 1, 3)
}

func checkLaws[T, V any, P statstest.Accumulator[T]](t *testing.T, g *rapid.Generator[V], l statstest.Laws[T, V]) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		statstest.CheckLaws[T, V, P](t, l, inParts(g).Draw(t, "parts")...)
	})
}

func layout(t testing.TB, k summary.Kind) summary.Layout {
	t.Helper()
	l, err := summary.NewLayout(k)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func edges(t testing.TB, es ...float64) summary.Layout {
	t.Helper()
	l, err := summary.NewEdges(es...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestHistogramLaws(t *testing.T) {
	frozen := edges(t, -1e300, -1, -0.5, 0, 0x1p-1074, 0.5, math.Nextafter(0.5, 1), 1, 1e300)
	cases := []struct {
		name  string
		empty func() *summary.Histogram
		other summary.Layout // the zero Layout where there is nothing to refuse
	}{
		{"zero", func() *summary.Histogram { return new(summary.Histogram) }, summary.Layout{}},
		{"loglinear", func() *summary.Histogram { return summary.NewHistogram(layout(t, summary.LogLinear)) }, frozen},
		{"tally", func() *summary.Histogram { return summary.NewHistogram(layout(t, summary.Tally)) }, layout(t, summary.LogLinear)},
		{"probability", func() *summary.Histogram { return summary.NewHistogram(layout(t, summary.Probability)) }, layout(t, summary.LogLinear)},
		{"edges", func() *summary.Histogram { return summary.NewHistogram(frozen) }, edges(t, 0.5)},
	}
	type value struct {
		x float64
		n uint64 // 0 stands for a missing value
	}
	add := func(h *summary.Histogram, v value) {
		switch v.n {
		case 0:
			h.AddNull(2)
		case 1:
			h.Add(v.x)
		default:
			h.AddN(v.x, v.n)
		}
	}
	// bulk adds the same values with as few calls of AddSlice as there can be.
	bulk := func(h *summary.Histogram, vs []value) {
		var xs []float64
		for _, v := range vs {
			if v.n == 0 {
				h.AddNull(2)
				continue
			}
			if v.n > 100 {
				h.AddN(v.x, v.n-100)
				v.n = 100
			}
			xs = append(xs, slices.Repeat([]float64{v.x}, int(v.n))...)
		}
		h.AddSlice(xs)
	}
	g := rapid.Custom(func(t *rapid.T) value {
		n := rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Just(uint64(1)), rapid.Uint64Range(1, 1<<40)).Draw(t, "n")
		return value{anyFloat().Draw(t, "x"), n}
	})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			laws := statstest.Laws[summary.Histogram, value]{New: c.empty, Add: add, Bulk: bulk}
			if c.other.Kind() != summary.Unset {
				laws.Other = func() *summary.Histogram { return summary.NewHistogram(c.other) }
			}
			checkLaws(t, g, laws)
		})
	}
}

func TestScoresLaws(t *testing.T) {
	type row struct {
		score float64
		label summary.Label
		how   int
	}
	g := rapid.Custom(func(t *rapid.T) row {
		return row{
			anyFloat().Draw(t, "score"),
			summary.Label(rapid.Uint8Range(0, 4).Draw(t, "label")),
			rapid.IntRange(0, 5).Draw(t, "how"),
		}
	})
	add := func(s *summary.Scores, r row) {
		switch r.how {
		case 0:
			s.AddNull(1, r.label)
		case 1:
			s.AddUnlabelled([]float64{r.score})
		default:
			if err := s.AddSlice([]float64{r.score}, []summary.Label{r.label}); err != nil {
				panic(err)
			}
		}
	}
	bulk := func(s *summary.Scores, rs []row) {
		var scores []float64
		var ls []summary.Label
		for _, r := range rs {
			if r.how < 2 {
				add(s, r)
				continue
			}
			scores, ls = append(scores, r.score), append(ls, r.label)
		}
		s.AddUnlabelled(nil)
		s.AddNull(0, summary.Positive)
		if err := s.AddSlice(scores, ls); err != nil {
			panic(err)
		}
	}
	with := func(cuts ...float64) func() *summary.Scores {
		return func() *summary.Scores {
			s, err := summary.NewScores(cuts...)
			if err != nil {
				panic(err)
			}
			return s
		}
	}
	for _, cuts := range [][]float64{nil, {0.5}, {0, 0.3, 0.5, 0.75, 1}} {
		t.Run(fmt.Sprint(cuts), func(t *testing.T) {
			checkLaws(t, g, statstest.Laws[summary.Scores, row]{New: with(cuts...), Add: add, Bulk: bulk, Other: with(0.25)})
		})
	}
}

func TestCategoricalLaws(t *testing.T) {
	type entry struct {
		name string
		n    uint64
	}
	g := rapid.Custom(func(t *rapid.T) entry {
		name := rapid.OneOf(
			rapid.Map(rapid.IntRange(0, 40), func(i int) string { return fmt.Sprint(i) }),
			rapid.StringN(0, 3, -1),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 2), func(b []byte) string { return string(b) }), // not always UTF-8
		).Draw(t, "name")
		return entry{name, rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64Range(0, 1<<40)).Draw(t, "n")}
	})
	add := func(c *summary.Categorical, e entry) {
		if e.n == 0 {
			c.AddNull(1)
			return
		}
		c.AddN(e.name, e.n)
	}
	with := func(limit int) func() *summary.Categorical {
		return func() *summary.Categorical {
			c, err := summary.NewCategorical(limit)
			if err != nil {
				panic(err)
			}
			return c
		}
	}
	for _, limit := range []int{0, 1, 2, 3, 8, summary.DefaultCap} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			checkLaws(t, g, statstest.Laws[summary.Categorical, entry]{New: with(limit), Add: add, Other: with(5)})
		})
	}
}

func TestDistinctLaws(t *testing.T) {
	type id struct {
		i int64
		s string
		n uint64
	}
	add := func(d *summary.Distinct, v id) {
		switch {
		case v.n == 0:
			d.AddNull(1)
		case v.s != "":
			d.AddString(v.s, v.n)
		default:
			if err := d.AddInts([]int64{v.i}, nil); err != nil {
				panic(err)
			}
		}
	}
	laws := statstest.Laws[summary.Distinct, id]{New: func() *summary.Distinct { return new(summary.Distinct) }, Add: add}
	t.Run("few", func(t *testing.T) {
		g := rapid.Custom(func(t *rapid.T) id {
			return id{
				rapid.OneOf(rapid.Int64Range(0, 9), rapid.Int64()).Draw(t, "i"),
				rapid.StringN(0, 2, -1).Draw(t, "s"),
				rapid.Uint64Range(0, 3).Draw(t, "n"),
			}
		})
		checkLaws(t, g, laws)
	})
	// More ids than the sample holds, in parts that overlap and of which some
	// are full and some are not.
	t.Run("many", func(t *testing.T) {
		span := func(from, to int64) []id {
			var ids []id
			for i := from; i < to; i++ {
				ids = append(ids, id{i: i, n: 1})
			}
			return ids
		}
		statstest.CheckLaws(t, laws, span(0, 20000), span(15000, 18000), span(0, 8193), nil)
		statstest.CheckLaws(t, laws, span(0, 5000), span(4000, 8192)) // just full
		statstest.CheckLaws(t, laws, span(0, 5000), span(4000, 8193))
	})
}

func TestProportionLaws(t *testing.T) {
	add := func(p *summary.Proportion, v int) {
		if err := p.AddSlice([]bool{v == 1}, []bool{v < 2}); err != nil {
			panic(err)
		}
		p.Add(v == 1)
	}
	checkLaws(t, rapid.IntRange(0, 2), statstest.Laws[summary.Proportion, int]{New: func() *summary.Proportion { return new(summary.Proportion) }, Add: add})
}

func TestSumLaws(t *testing.T) {
	type value struct {
		x float64
		n uint64
	}
	g := rapid.Custom(func(t *rapid.T) value {
		return value{anyFloat().Draw(t, "x"), rapid.OneOf(rapid.Just(uint64(1)), rapid.Uint64Range(0, 1<<50)).Draw(t, "n")}
	})
	checkLaws(t, g, statstest.Laws[summary.Sum, value]{
		New: func() *summary.Sum { return new(summary.Sum) },
		Add: func(s *summary.Sum, v value) {
			if v.n == 1 {
				s.Add(v.x)
				return
			}
			s.AddN(v.x, v.n)
		},
	})
}

func TestMomentsLaws(t *testing.T) {
	type value struct {
		x    float64
		null bool
	}
	g := rapid.Custom(func(t *rapid.T) value {
		return value{anyFloat().Draw(t, "x"), rapid.IntRange(0, 9).Draw(t, "null") == 0}
	})
	checkLaws(t, g, statstest.Laws[summary.Moments, value]{
		New: func() *summary.Moments { return new(summary.Moments) },
		Add: func(m *summary.Moments, v value) {
			if v.null {
				m.AddNull(1)
				return
			}
			m.Add(v.x)
		},
	})
}
