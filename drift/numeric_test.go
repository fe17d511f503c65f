package drift_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

func normals(seed uint64, n int, mean, sd float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 7))
	out := make([]float64, n)
	for i := range out {
		out[i] = mean + sd*r.NormFloat64()
	}
	return out
}

// Every cell holds the values between its bounds, and the reference is spread
// evenly over the quantile cells.
func TestNumericCountsWhatItSays(t *testing.T) {
	x, y := normals(1, 5000, 0, 1), normals(2, 3000, 0.2, 1.2)
	c, err := drift.Numeric(histogram(x...), histogram(y...), drift.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Info) != 20 || !strings.HasPrefix(c.Method, "20 reference-quantile cells, layout loglinear") {
		t.Fatalf("%d cells, %q", len(c.Info), c.Method)
	}
	count := func(xs []float64, i drift.CellInfo) (n uint64) {
		for _, v := range xs {
			if i.Lo <= v && v < i.Hi {
				n++
			}
		}
		return n
	}
	for k, info := range c.Info {
		if got, want := c.Ref[k], count(x, info); got != want {
			t.Errorf("%s: %d of the reference, want %d", info.Name, got, want)
		}
		if got, want := c.Cur[k], count(y, info); got != want {
			t.Errorf("%s: %d of the current sample, want %d", info.Name, got, want)
		}
		if share := float64(c.Ref[k]) / 5000; math.Abs(share-0.05) > 0.01 {
			t.Errorf("%s: share %v of the reference, want about 0.05", info.Name, share)
		}
		if k > 0 && info.Lo != c.Info[k-1].Hi {
			t.Errorf("gap before %s", info.Name)
		}
	}
	if !math.IsInf(c.Info[0].Lo, -1) || !math.IsInf(c.Info[19].Hi, 1) {
		t.Errorf("end cells are not open: %v, %v", c.Info[0], c.Info[19])
	}
}

func TestNumericFewerCellsForSmallSamples(t *testing.T) {
	for _, c := range []struct{ n, m, want int }{{100, 10000, 5}, {10000, 200, 10}, {30, 30, 2}, {400, 400, 20}} {
		cells, err := drift.Numeric(histogram(normals(3, c.n, 0, 1)...), histogram(normals(4, c.m, 0, 1)...), drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(cells.Info) != c.want {
			t.Errorf("%d and %d rows: %d cells, want %d", c.n, c.m, len(cells.Info), c.want)
		}
	}
}

func TestNumericCells(t *testing.T) {
	inf := math.Inf(1)
	half := append(repeat(0, 500), normals(5, 500, 10, 1)...)
	for _, c := range []struct {
		name     string
		ref, cur *summary.Histogram
		want     []string // name:ref:cur of the cells
	}{
		{"constant on both sides", histogram(repeat(3, 50)...), histogram(repeat(3, 70)...), []string{"= 3 50 70"}},
		{"constants that differ", histogram(repeat(3, 50)...), histogram(repeat(4, 70)...), []string{"= 3 50 0", "= 4 0 70"}},
		{"constants in one cell of the layout", histogram(repeat(3, 50)...), histogram(repeat(3.001, 70)...), []string{"= 3 50 0", "= 3.001 0 70"}},
		{"likewise, falling", histogram(repeat(3.001, 50)...), histogram(repeat(3, 70)...), []string{"= 3 0 70", "= 3.001 50 0"}},
		{"all NaN", histogram(repeat(math.NaN(), 9)...), histogram(repeat(math.NaN(), 8)...), []string{"NaN 9 8"}},
		{"only infinite", histogram(inf, inf, -inf), histogram(inf, -inf), []string{"-Inf 1 1", "+Inf 2 1"}},
		{"current is all NaN", histogram(1, 2, 3, 4), histogram(repeat(math.NaN(), 4)...), []string{"below 3 2 0", "3 and above 2 0", "NaN 0 4"}},
		{"reference is all NaN", histogram(repeat(math.NaN(), 4)...), histogram(1, 2, 3), []string{"all values 0 3", "NaN 4 0"}},
		{"two atoms and little else", histogram(append(repeat(1, 400), append(repeat(9, 400), 0.5, 5, 12)...)...),
			histogram(append(repeat(1, 390), append(repeat(9, 410), 5)...)...), []string{"= 1 400 390", "= 9 400 410", "other values 3 1"}},
		{"a spike in the current sample", histogram(half...), histogram(append(repeat(0.5, 300), half...)...),
			[]string{"= 0 500 500", "= 0.5 0 300"}},
		{"frozen edges", edges(t, []float64{0, 1}, append(repeat(-1, 10), append(repeat(0.5, 30), repeat(2, 12)...)...)...),
			edges(t, []float64{0, 1}, append(repeat(-1, 20), append(repeat(0.5, 30), repeat(3, 5)...)...)...),
			[]string{"below 0 10 20", "0 to 1 30 30", "1 and above 12 5"}},
		{"outside the range", scores(t, 0.5, 2), scores(t, 0.5, -1), []string{"= 0.5 1 1", "below the range 0 1", "above the range 1 0"}},
	} {
		cells, err := drift.Numeric(c.ref, c.cur, drift.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := cellList(cells)
		if len(got) > len(c.want) {
			got = got[:len(c.want)]
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func cellList(c drift.Cells) []string {
	var out []string
	for i, info := range c.Info {
		out = append(out, strings.Join([]string{info.Name, itoa(c.Ref[i]), itoa(c.Cur[i])}, " "))
	}
	return out
}

func TestNumericCoarseLayout(t *testing.T) {
	c, err := drift.Numeric(histogram(normals(6, 1000, 300, 0.3)...), histogram(normals(7, 1000, 300, 0.3)...), drift.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) == 0 || c.Warnings[0].Code != drift.WarnCoarseLayout {
		t.Errorf("values in %d cells give warnings %v, want %s", len(c.Info), c.Warnings, drift.WarnCoarseLayout)
	}
}

func TestConstructorErrors(t *testing.T) {
	good := histogram(1, 2)
	names := new(summary.Categorical)
	names.AddN("a", 1)
	small, _ := summary.NewCategorical(2)
	small.AddN("a", 1)
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"empty current", second(drift.Numeric(good, histogram(), drift.Options{})), stats.ErrEmpty},
		{"empty reference", second(drift.Numeric(histogram(), good, drift.Options{})), stats.ErrEmpty},
		{"layouts", second(drift.Numeric(good, scores(t, 0.5), drift.Options{})), stats.ErrMismatch},
		{"edges", second(drift.Numeric(edges(t, []float64{1}, 1), edges(t, []float64{2}, 1), drift.Options{})), stats.ErrMismatch},
		{"cells", second(drift.Numeric(good, good, drift.Options{Cells: 1})), stats.ErrDomain},
		{"level", second(drift.Numeric(good, good, drift.Options{Level: 1})), stats.ErrDomain},
		{"top", second(drift.Numeric(good, good, drift.Options{Top: -1})), stats.ErrDomain},
		{"min expected", second(drift.Numeric(good, good, drift.Options{MinExpected: math.NaN()})), stats.ErrDomain},
		{"no names", second(drift.Categories(names, new(summary.Categorical), drift.Options{})), stats.ErrEmpty},
		{"caps", second(drift.Categories(names, small, drift.Options{})), stats.ErrMismatch},
		{"category options", second(drift.Categories(names, names, drift.Options{Cells: -1})), stats.ErrDomain},
		{"no booleans", second(drift.Booleans(&summary.Proportion{True: 1}, &summary.Proportion{})), stats.ErrEmpty},
		{"lengths", second(drift.Counts([]uint64{1}, []uint64{1, 2})), stats.ErrMismatch},
		{"names", second(drift.Counts([]uint64{1}, []uint64{1}, "a", "b")), stats.ErrMismatch},
		{"no counts", second(drift.Counts([]uint64{0, 0}, []uint64{1, 2})), stats.ErrEmpty},
		{"no cells", second(drift.Counts(nil, nil)), stats.ErrEmpty},
		{"overflow", second(drift.Counts([]uint64{math.MaxUint64, 2}, []uint64{1, 2})), stats.ErrDomain},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestMetricErrors(t *testing.T) {
	good, err := drift.Counts([]uint64{1, 2}, []uint64{3, 4})
	if err != nil {
		t.Fatal(err)
	}
	short, wrong := good, good
	short.Cur = short.Cur[:1]
	wrong.RefN = 7
	for _, m := range metrics {
		for _, c := range []struct {
			name  string
			cells drift.Cells
			o     drift.Options
			want  error
		}{
			{"zero Cells", drift.Cells{}, drift.Options{}, stats.ErrEmpty},
			{"slices of different length", short, drift.Options{}, stats.ErrMismatch},
			{"totals that do not fit", wrong, drift.Options{}, stats.ErrMismatch},
			{"level", good, drift.Options{Level: 2}, stats.ErrDomain},
		} {
			if _, err := m.of(c.cells, c.o); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: error %v, want %v", m.name, c.name, err, c.want)
			}
		}
	}
}
