package analysis_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// foundSpec asks for the discovery of slices over the columns of trips.
func foundSpec(t testing.TB, ds ...analysis.DiscoverSpec) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "id", Role: analysis.Unit})
	if err != nil {
		t.Fatal(err)
	}
	if spec, err = spec.WithDiscover(ds...); err != nil {
		t.Fatal(err)
	}
	return spec
}

func columnsOf(names ...string) (out []analysis.SliceColumn) {
	for _, n := range names {
		out = append(out, analysis.SliceColumn{Name: n})
	}
	return out
}

// foundBatch is tripBatch with ids, which say where the rows are in all.
func foundBatch(spec *analysis.Spec, rows []trip, ids []int64) *analysis.Batch {
	b := tripBatch(spec, rows)
	b.Columns[spec.Index("id")] = analysis.Column{Type: analysis.Int, Ints: ids}
	return b
}

func collectFound(t testing.TB, spec *analysis.Spec, rows []trip, ids []int64) *analysis.Snapshot {
	t.Helper()
	c := analysis.NewCollector(spec)
	if err := c.Add(foundBatch(spec, rows, ids)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Take()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var discoveries = []analysis.DiscoverSpec{
	{Columns: columnsOf("country", "device", "ok")},
	{Columns: columnsOf("stars", "amount"), Error: analysis.BrierError, Cap: 40},
	{Columns: columnsOf("country"), Error: analysis.ThresholdError, Threshold: 0.5, Values: 7},
	{Columns: []analysis.SliceColumn{{Name: "amount", Cuts: []float64{10, 100}}}, Error: analysis.ColumnError, Column: "stars"},
}

// Splitting, ordering, sharding and the order of dictionaries do not show in the
// bytes, even when there is more than is kept; and both forms read back.
func TestDiscoverDoesNotDependOnTheCut(t *testing.T) {
	spec := foundSpec(t, discoveries...)
	all := trips(1, 300, 30)
	ids := make([]int64, len(all))
	for i := range ids {
		ids[i] = int64(i)
	}
	want := collectFound(t, spec, all, ids)
	for _, d := range spec.Discover {
		if _, got := want.DiscoverTable(&d).Left(); (got < 1) != (d.Cap+d.Values > 0) {
			t.Errorf("the table of %+v keeps %v of the units", d.Columns, got)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1)).Perm(len(all))
		var snaps []*analysis.Snapshot
		for len(order) > 0 {
			k := rapid.IntRange(1, len(order)).Draw(rt, "rows")
			var rows []trip
			var some []int64
			for _, i := range order[:k] {
				rows, some = append(rows, all[i]), append(some, ids[i])
			}
			order = order[k:]
			snaps = append(snaps, collectFound(t, spec, rows, some))
		}
		got, err := analysis.MergeSnapshots(snaps...)
		if err != nil {
			rt.Fatal(err)
		}
		if bytesOf(t, got) != bytesOf(t, want) {
			rt.Fatal("the tables depend on how the rows came")
		}
	})
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var a, b analysis.Snapshot
	if err := errors.Join(a.UnmarshalBinary([]byte(bytesOf(t, want))), b.UnmarshalJSON(text)); err != nil {
		t.Fatal(err)
	}
	if bytesOf(t, &a) != bytesOf(t, want) || bytesOf(t, &b) != bytesOf(t, want) {
		t.Error("a form does not read back")
	}
}

// The sums are those of a loop over the rows.
func TestDiscoverIsALoopOverTheRows(t *testing.T) {
	spec, rows := foundSpec(t, discoveries...), trips(2, 500, 3)
	ids := make([]int64, len(rows))
	for i := range ids {
		ids[i] = int64(i / 2)
	}
	s := collectFound(t, spec, rows, ids)
	for _, tt := range []struct {
		d   analysis.DiscoverSpec
		err func(r trip) (float64, bool)
	}{
		{discoveries[0], func(r trip) (float64, bool) {
			if r.score == nil || r.label == nil {
				return 0, false
			}
			if *r.label {
				return -math.Log(*r.score), true
			}
			return -math.Log(1 - *r.score), true
		}},
		{discoveries[3], func(r trip) (float64, bool) { return float64(or(r.stars)), r.stars != nil }},
	} {
		table := s.DiscoverTable(&tt.d)
		want, n, null := [2]float64{}, uint64(0), uint64(0)
		for i, r := range rows {
			x, ok := tt.err(r)
			if !ok {
				null++
				continue
			}
			n++
			want[summary.HashUnit(ids[i])&1] += x
		}
		got := [2]float64{}
		for _, c := range table.Cells() {
			got[c.Half] += c.Sums.Sum()
		}
		statstest.Near(t, "first half", got[0], want[0], 1e-8, 0)
		statstest.Near(t, "other half", got[1], want[1], 1e-8, 0)
		if table.Kept() != n || table.Null() != null {
			t.Errorf("%v: %d rows and %d without, want %d and %d", tt.d.Error, table.Kept(), table.Null(), n, null)
		}
	}
}

// Every value has a name that says which numbers it stands for.
func TestDiscoverValues(t *testing.T) {
	d := analysis.DiscoverSpec{Columns: columnsOf("x"), Error: analysis.ColumnError, Column: "e"}
	values := func(c analysis.Column, n int) []string {
		spec := foundSpec(t, d)
		b := &analysis.Batch{Rows: n}
		for _, name := range spec.Names() {
			switch name {
			case "x":
				b.Columns = append(b.Columns, c)
			case "e":
				b.Columns = append(b.Columns, analysis.Column{Type: analysis.Float, Floats: make([]float64, n)})
			case "id":
				b.Columns = append(b.Columns, analysis.Column{Type: analysis.Int, Ints: make([]int64, n)})
			default:
				b.Columns = append(b.Columns, analysis.Column{})
			}
		}
		col := analysis.NewCollector(spec)
		if err := col.Add(b); err != nil {
			t.Fatal(err)
		}
		s, err := col.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		table := s.DiscoverTable(&d)
		var out []string
		for _, cell := range table.Cells() {
			out = append(out, analysis.CellValue(table.Values(0), cell.Codes[0]))
		}
		slices.Sort(out)
		return out
	}
	inf := math.Inf(1)
	for _, tt := range []struct {
		c    analysis.Column
		want []string
	}{
		{analysis.Column{Type: analysis.Float, Floats: []float64{0, math.Copysign(0, -1), 0.5, 0.75, 1, -1, -3, math.NaN(), inf, -inf, math.MaxFloat64, 5e-324}},
			[]string{"(-2,-1]", "(-4,-2]", "+Inf", "-Inf", "0", "[0.5,1)", "[1,2)", "[5e-324,1e-323)", "[8.98846567431158e+307,+Inf)", "null"}},
		{analysis.Column{Type: analysis.Int, Ints: []int64{0, 255, -255, 256, 511, 512, -256, math.MinInt64, math.MaxInt64}},
			[]string{"(-1.8446744073709552e+19,-9.223372036854776e+18]", "(-512,-256]", "-255", "0", "255", "[256,512)", "[4.611686018427388e+18,9.223372036854776e+18)", "[512,1024)"}},
		{analysis.Column{Type: analysis.Bool, Bools: []bool{true, false}}, []string{"false", "true"}},
		{analysis.Column{Type: analysis.String, Codes: []int32{0, 1}, Dict: &analysis.Dict{Values: []string{"null", "b"}}, Valid: []bool{true, true}}, []string{`"null"`, "b"}},
	} {
		n := max(len(tt.c.Floats), len(tt.c.Ints), len(tt.c.Bools), len(tt.c.Codes))
		if d := cmp.Diff(tt.want, values(tt.c, n)); d != "" {
			t.Errorf("%v: %s", tt.c.Type, d)
		}
	}
}

// Labels that do not count yet give no error.
func TestDiscoverWaitsForLabels(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "score", Role: analysis.Score}, analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "id", Role: analysis.Unit}, analysis.ColumnSpec{Name: "time", Role: analysis.Clock})
	if err != nil {
		t.Fatal(err)
	}
	d := analysis.DiscoverSpec{Columns: columnsOf("country")}
	if spec, err = spec.WithDiscover(d); err != nil {
		t.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	if err := c.MatureBefore(time.UnixMicro(100)); err != nil {
		t.Fatal(err)
	}
	b := analysis.Batch{Rows: 3, Columns: []analysis.Column{
		{Type: analysis.String, Codes: []int32{0, 0, 0}, Dict: &analysis.Dict{Values: []string{"x"}}},
		{Type: analysis.Int, Ints: []int64{1, 2, 3}}, {Type: analysis.Bool, Bools: []bool{true, false, true}},
		{Type: analysis.Float, Floats: []float64{0.5, 0.5, 0.5}}, {Type: analysis.Time, Ints: []int64{99, 100, 200}}}}
	if err := c.Add(&b); err != nil {
		t.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if table := s.DiscoverTable(&d); table.Kept() != 1 || table.Null() != 2 {
		t.Errorf("%d rows count and %d do not", table.Kept(), table.Null())
	}
}

func TestWithDiscoverRefuses(t *testing.T) {
	spec := foundSpec(t)
	regression, err := analysis.NewSpec(analysis.Regression, spec.Columns...)
	if err != nil {
		t.Fatal(err)
	}
	noUnit, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "score", Role: analysis.Score}, analysis.ColumnSpec{Name: "label", Role: analysis.Label})
	if err != nil {
		t.Fatal(err)
	}
	x := columnsOf("x")
	for _, tt := range []struct {
		spec *analysis.Spec
		d    analysis.DiscoverSpec
	}{
		{noUnit, analysis.DiscoverSpec{Columns: x}}, {regression, analysis.DiscoverSpec{Columns: x}},
		{spec, analysis.DiscoverSpec{}}, {spec, analysis.DiscoverSpec{Columns: columnsOf("x", "x")}},
		{spec, analysis.DiscoverSpec{Columns: x, Error: analysis.ColumnError}}, {spec, analysis.DiscoverSpec{Columns: x, Column: "y"}},
		{spec, analysis.DiscoverSpec{Columns: x, Threshold: 0.5}}, {spec, analysis.DiscoverSpec{Columns: x, Error: analysis.ThresholdError, Threshold: math.NaN()}},
		{spec, analysis.DiscoverSpec{Columns: x, Cap: -1}}, {spec, analysis.DiscoverSpec{Columns: x, Error: 99}},
	} {
		if _, err := tt.spec.WithDiscover(tt.d); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%+v: %v", tt.d, err)
		}
	}
	got, err := spec.WithDiscover(analysis.DiscoverSpec{Columns: columnsOf("y", "x"), Cap: 10}, analysis.DiscoverSpec{Columns: columnsOf("x", "y")})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]analysis.DiscoverSpec{{Columns: columnsOf("x", "y")}}, got.Discover); d != "" {
		t.Error(d)
	}
}

func ExampleSpec_WithDiscover() {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "score", Role: analysis.Score},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label}, analysis.ColumnSpec{Name: "user", Role: analysis.Unit})
	if err != nil {
		log.Fatal(err)
	}
	spec, err = spec.WithDiscover(analysis.DiscoverSpec{Columns: []analysis.SliceColumn{{Name: "country"}, {Name: "amount"}}, Error: analysis.BrierError})
	fmt.Println(spec.Names(), spec.Discover[0].Error, err)
	// Output: [amount country label score user] brier <nil>
}

func ExampleCellValue() {
	t, err := summary.NewCrossTable(1, summary.CrossOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Add([]uint32{t.Code(0, "DE")}, summary.HashUnit(7), 0.5); err != nil {
		log.Fatal(err)
	}
	fmt.Println(analysis.CellValue(t.Values(0), 1), analysis.CellValue(t.Values(0), 0))
	// Output: DE null
}
