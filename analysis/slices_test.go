package analysis_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// trip is a row of a log with columns to slice by. A nil pointer is missing.
type trip struct {
	country, device *string
	amount          *float64
	stars           *int64
	ok              *bool
	score           *float64
	label           *bool
}

var (
	byCountry = analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "country"}}}
	byDevice  = analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "device"}}}
	byAmount  = analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "amount", Cuts: []float64{100, 10}}}}
	byStars   = analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "stars"}}}
	byAll     = analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "stars"}, {Name: "country"}, {Name: "device"}, {Name: "ok"}}}
)

func tripSpec(t testing.TB, crosses ...analysis.SliceSpec) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.5}},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "amount", Cuts: []float64{50}, Sums: true},
		analysis.ColumnSpec{Name: "ok"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range crosses {
		crosses[i].Measures = []string{"score", "amount", "ok"}
	}
	if spec, err = spec.WithSlices(crosses...); err != nil {
		t.Fatal(err)
	}
	return spec
}

// trips makes rows, of which some values are missing.
func trips(seed uint64, n, countries int) []trip {
	r := rand.New(rand.NewPCG(seed, 5))
	out := make([]trip, n)
	maybe := func() bool { return r.Float64() < 0.9 }
	for i := range out {
		row := &out[i]
		if maybe() {
			s := fmt.Sprint("c", r.IntN(countries))
			row.country = &s
		}
		if s := []string{"phone", "null", `"desk"`, "\xff"}[r.IntN(4)]; maybe() {
			row.device = &s
		}
		if x := []float64{math.NaN(), math.Inf(1), 10, math.Exp(6 * r.Float64())}[min(3, r.IntN(20))]; maybe() {
			row.amount = &x
		}
		if x := r.Int64N(3); maybe() {
			row.stars = &x
		}
		if x := r.Float64() < 0.5; maybe() {
			row.ok = &x
		}
		if x := 0.25 + r.Float64()/2; maybe() {
			row.score = &x
		}
		if x := r.Float64() < 0.3; maybe() {
			row.label = &x
		}
	}
	return out
}

// tripBatch lays rows out; the dictionary is in the order in which names come.
func tripBatch(spec *analysis.Spec, rows []trip) *analysis.Batch {
	b := &analysis.Batch{Rows: len(rows)}
	for _, c := range spec.Columns {
		col := analysis.Column{Valid: make([]bool, len(rows))}
		at := map[string]int32{}
		name := func(i int, s *string) {
			if col.Type, col.Valid[i] = analysis.String, s != nil; col.Dict == nil {
				col.Dict = &analysis.Dict{}
			}
			code := int32(-7) // of a missing value: anything
			if s != nil {
				var ok bool
				if code, ok = at[*s]; !ok {
					code = int32(len(at))
					at[*s] = code
					col.Dict.Values = append(col.Dict.Values, *s)
				}
			}
			col.Codes = append(col.Codes, code)
		}
		for i, r := range rows {
			switch c.Name {
			case "country":
				name(i, r.country)
			case "device":
				name(i, r.device)
			case "amount":
				col.Type, col.Valid[i], col.Floats = analysis.Float, r.amount != nil, append(col.Floats, or(r.amount))
			case "stars":
				col.Type, col.Valid[i], col.Ints = analysis.Int, r.stars != nil, append(col.Ints, or(r.stars))
			case "score":
				col.Type, col.Valid[i], col.Floats = analysis.Float, r.score != nil, append(col.Floats, or(r.score))
			case "ok":
				col.Type, col.Valid[i], col.Bools = analysis.Bool, r.ok != nil, append(col.Bools, or(r.ok))
			case "label":
				col.Type, col.Valid[i], col.Bools = analysis.Bool, r.label != nil, append(col.Bools, or(r.label))
			}
		}
		b.Columns = append(b.Columns, col)
	}
	return b
}

func or[T any](p *T) (x T) {
	if p != nil {
		x = *p
	}
	return x
}

func collectTrips(t testing.TB, spec *analysis.Spec, parts ...[]trip) *analysis.Snapshot {
	t.Helper()
	c := analysis.NewCollector(spec)
	for _, rows := range parts {
		if err := c.Add(tripBatch(spec, rows)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// capped declares crosses of all kinds, with fewer slices kept than there are.
func capped() []analysis.SliceSpec {
	few, all := byCountry, byAll
	few.Cap, few.Values = 4, [][]string{{"c1"}, {"null"}, {"nowhere"}}
	all.Cap = 7
	return []analysis.SliceSpec{few, byDevice, byAmount, byStars, all}
}

// Splitting, ordering, sharding and the order of dictionaries do not show in the
// bytes, even when there are more slices than are kept.
func TestSlicesDoNotDependOnTheCut(t *testing.T) {
	spec := tripSpec(t, capped()...)
	all := trips(1, 300, 30)
	want := bytesOf(t, collectTrips(t, spec, all))
	rapid.Check(t, func(rt *rapid.T) {
		rows := slices.Clone(all)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		var snaps []*analysis.Snapshot
		for len(rows) > 0 {
			k := min(len(rows), rapid.IntRange(1, 200).Draw(rt, "rows"))
			half := rapid.IntRange(0, k).Draw(rt, "half")
			snaps = append(snaps, collectTrips(t, spec, rows[:half], rows[half:k]))
			rows = rows[k:]
		}
		got, err := analysis.MergeSnapshots(snaps...)
		if err != nil {
			rt.Fatal(err)
		}
		if bytesOf(t, got) != want {
			rt.Fatal("the slices depend on how the rows came")
		}
	})
}

func (r trip) in(v []string) bool {
	text := func(s *string) string {
		switch {
		case s == nil:
			return "null"
		case *s == "null", *s == `"desk"`, *s == "\xff":
			return map[string]string{"null": `"null"`, `"desk"`: `"\"desk\""`, "\xff": `"\xff"`}[*s]
		}
		return *s
	}
	stars, ok := "null", "null"
	if r.stars != nil {
		stars = fmt.Sprint(*r.stars)
	}
	if r.ok != nil {
		ok = fmt.Sprint(*r.ok)
	}
	return slices.Equal(v, []string{text(r.country), text(r.device), ok, stars})
}

// A slice holds what a log of its rows alone holds.
func TestSliceIsALogOfItsRows(t *testing.T) {
	spec, rows := tripSpec(t, capped()...), trips(2, 1000, 3)
	s := collectTrips(t, spec, rows)
	table := s.SliceTable(&spec.Slices[slices.IndexFunc(spec.Slices, func(c analysis.SliceSpec) bool { return len(c.Columns) == 4 })])
	if n := len(table.Values()); n != 7 {
		t.Fatalf("%d slices are kept, the cap is 7", n)
	}
	rest := slices.Clone(rows)
	for _, v := range table.Values() {
		var mine []trip
		for _, r := range rows {
			if r.in(v) {
				mine = append(mine, r)
			}
		}
		rest = slices.DeleteFunc(rest, func(r trip) bool { return r.in(v) })
		sameColumns(t, fmt.Sprint(v), s.Slice(table.Spec(), v), collectTrips(t, spec, mine))
		if n, known := table.Rows(v); !known || n != uint64(len(mine)) {
			t.Errorf("%q has %d rows, want %d", v, n, len(mine))
		}
	}
	sameColumns(t, "other", table.Other(), collectTrips(t, spec, rest))
	if n, exact := table.Distinct(); exact || n < 8 {
		t.Errorf("%v slices, exact %v", n, exact)
	}
}

func sameColumns(t *testing.T, name string, got, want *analysis.Snapshot) {
	t.Helper()
	if got.RowCount != want.RowCount {
		t.Errorf("%s: %d rows, want %d", name, got.RowCount, want.RowCount)
	}
	for i := range got.Columns {
		g, w := &got.Columns[i], want.Column(got.Columns[i].Name)
		for _, pair := range [][2]any{{&g.Scores, &w.Scores}, {&g.Numeric, &w.Numeric}, {&g.Cuts, &w.Cuts}, {&g.Boolean, &w.Boolean}, {g.Type, w.Type}} {
			a, err1 := json.Marshal(pair[0])
			b, err2 := json.Marshal(pair[1])
			if string(a) != string(b) || err1 != nil || err2 != nil {
				t.Errorf("%s: column %s: %T differs: %s, want %s", name, g.Name, pair[0], a, b)
			}
		}
	}
}

// Each kind of column names its slices; a missing value and NaN are "null".
func TestSliceValues(t *testing.T) {
	spec, rows := tripSpec(t, byCountry, byDevice, byAmount, byStars), trips(3, 1000, 2)
	s := collectTrips(t, spec, rows)
	for _, tt := range []struct {
		cross analysis.SliceSpec
		want  []string
	}{
		{byCountry, []string{"c0", "c1", "null"}},
		{byDevice, []string{`"\"desk\""`, `"\xff"`, `"null"`, "null", "phone"}},
		{analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "amount", Cuts: []float64{10, 100}}}}, []string{"<10", ">=100", "[10,100)", "null"}},
		{byStars, []string{"0", "1", "2", "null"}},
	} {
		table := s.SliceTable(&tt.cross)
		var got []string
		rows := uint64(0)
		for _, v := range table.Values() {
			got = append(got, v...)
			n, _ := table.Rows(v)
			rows += n
		}
		if d := cmp.Diff(tt.want, got); d != "" || rows != s.RowCount {
			t.Errorf("%v: %d rows of %d, values (-want +got):\n%s", tt.cross.Names(), rows, s.RowCount, d)
		}
	}
	missing := uint64(0)
	for _, r := range rows {
		if r.amount == nil || math.IsNaN(*r.amount) {
			missing++
		}
	}
	if got, _ := s.SliceTable(&spec.Slices[0]).Rows([]string{"null"}); got != missing {
		t.Errorf("%d rows without an amount, want %d", got, missing)
	}
}

// A number is the same value whether a file stores it as an integer or a float,
// and an absent column is missing everywhere.
func TestSliceTypes(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Regression)
	if err != nil {
		t.Fatal(err)
	}
	if spec, err = spec.WithSlices(byStars); err != nil {
		t.Fatal(err)
	}
	values := func(c analysis.Column) [][]string {
		col := analysis.NewCollector(spec)
		if err := col.Add(&analysis.Batch{Rows: 3, Columns: []analysis.Column{c}}); err != nil {
			t.Fatal(err)
		}
		s, err := col.Take()
		if err != nil {
			t.Fatal(err)
		}
		return s.Slices[0].Values()
	}
	want := [][]string{{"-2"}, {"0"}, {"3"}}
	for _, c := range []analysis.Column{
		{Type: analysis.Int, Ints: []int64{3, -2, 0}},
		{Type: analysis.Float, Floats: []float64{3, -2, math.Copysign(0, -1)}},
		{Type: analysis.Time, Ints: []int64{3, -2, 0}},
		{Type: analysis.String, Codes: []int32{0, 1, 2}, Dict: &analysis.Dict{Values: []string{"3", "-2", "0"}}},
	} {
		if d := cmp.Diff(want, values(c)); d != "" {
			t.Errorf("%v: %s", c.Type, d)
		}
	}
	if d := cmp.Diff([][]string{{"null"}}, values(analysis.Column{})); d != "" {
		t.Error(d)
	}
}

func TestSlicesReadBack(t *testing.T) {
	s := collectTrips(t, tripSpec(t, capped()...), trips(4, 400, 30))
	var b analysis.Snapshot
	if err := b.UnmarshalBinary([]byte(bytesOf(t, s))); err != nil {
		t.Fatal(err)
	}
	if bytesOf(t, &b) != bytesOf(t, s) {
		t.Error("binary form does not read back")
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var j analysis.Snapshot
	if err := json.Unmarshal(text, &j); err != nil {
		t.Fatal(err)
	}
	if bytesOf(t, &j) != bytesOf(t, s) {
		t.Error("JSON form does not read back")
	}
	if err := j.Merge(&b); err != nil {
		t.Fatal(err)
	}
	if err := s.Merge(s); err != nil || bytesOf(t, &j) != bytesOf(t, s) {
		t.Errorf("twice the slices are not twice the slices: %v", err)
	}
}

// What cannot have been collected is refused, whatever the checksum says.
func TestDamagedSlices(t *testing.T) {
	good, err := json.Marshal(collectTrips(t, tripSpec(t, byCountry), trips(5, 50, 2)))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"values":["c0"]`, `"values":["c1"]`},
		{`"values":["c0"]`, `"values":["c0","c0"]`},
		{`"values":["c0"]`, `"values":[]`},
		{`"slices":[{"slices":[`, `"slices":[{"bound":77,"slices":[`},
		{`"slices":[{"slices":[`, `"slices":[{"other":{"rows":3,"columns":[]},"slices":[`},
		{`"rows":50`, `"rows":51`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		var s analysis.Snapshot
		if err := json.Unmarshal([]byte(bad), &s); bad == string(good) || !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%v: error %v", change, err)
		}
	}
}

func TestWithSlicesRefuses(t *testing.T) {
	spec := tripSpec(t)
	plain := func(names ...string) (c analysis.SliceSpec) {
		for _, n := range names {
			c.Columns = append(c.Columns, analysis.SliceColumn{Name: n})
		}
		return c
	}
	withCap, cut, value, measure := plain("a"), plain("a"), plain("a", "b"), plain("a")
	withCap.Cap = 1025
	cut.Columns[0].Cuts = []float64{math.NaN()}
	value.Values = [][]string{{"x"}}
	measure.Measures = []string{"nowhere"}
	for _, c := range []analysis.SliceSpec{plain(), plain(""), plain("a", "a"), withCap, cut, value, measure} {
		if _, err := spec.WithSlices(c); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%+v: error %v", c, err)
		}
	}
	// The same cross in another order, with more to keep, is one cross.
	a, b := plain("y", "x"), plain("x", "y")
	a.Values, b.Values, b.Cap = [][]string{{"2", "1"}}, [][]string{{"1", "2"}, {"0", "0"}}, 100
	got, err := spec.WithSlices(a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []analysis.SliceSpec{{Columns: b.Columns, Values: [][]string{{"0", "0"}, {"1", "2"}}, Cap: 100}}
	if d := cmp.Diff(want, got.Slices); d != "" {
		t.Error(d)
	}
}

func ExampleSpec_WithSlices() {
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score}, analysis.ColumnSpec{Name: "label", Role: analysis.Label})
	if err != nil {
		log.Fatal(err)
	}
	cross := analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "amount", Cuts: []float64{10, 100}}}, Measures: []string{"score"}}
	if spec, err = spec.WithSlices(cross); err != nil {
		log.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	b := analysis.Batch{Rows: 4, Columns: []analysis.Column{
		{Type: analysis.Float, Floats: []float64{5, 250, 7, 0}, Valid: []bool{true, true, true, false}},
		{Type: analysis.Bool, Bools: []bool{true, false, false, true}},
		{Type: analysis.Float, Floats: []float64{0.9, 0.2, 0.1, 0.5}},
	}}
	if err := c.Add(&b); err != nil {
		log.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range s.SliceTable(&cross).Values() {
		slice := s.Slice(&cross, v)
		brier, err := slice.Column("score").Scores.Brier()
		fmt.Printf("%v: %d rows, Brier score %.3f %v\n", cross.Key(v), slice.RowCount, brier.Mean, err)
	}
	// Output:
	// amount=<10: 2 rows, Brier score 0.010 <nil>
	// amount=>=100: 1 rows, Brier score 0.040 <nil>
	// amount=null: 1 rows, Brier score 0.250 <nil>
}

func ExampleSpec_Parts() {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "amount"},
		analysis.ColumnSpec{Name: "score", Role: analysis.Score}, analysis.ColumnSpec{Name: "label", Role: analysis.Label})
	if err != nil {
		log.Fatal(err)
	}
	if spec, err = spec.WithSlices(analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "country"}}, Measures: []string{"score"}}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(spec.Names(), spec.Parts())
	// Output: [amount country label score] [[0] [1 2 3]]
}
