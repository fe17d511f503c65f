package sqltest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
)

// sample is a small table, in the memory of the test and in the database.
type sample struct {
	columns []column
	rows    [][]any
}

// batch is the table as a collector takes it.
func (x *sample) batch(spec *analysis.Spec, noNaN bool) *analysis.Batch {
	b := &analysis.Batch{Rows: len(x.rows)}
	for _, c := range spec.Columns {
		at := -1
		for i := range x.columns {
			if x.columns[i].name == c.Name {
				at = i
			}
		}
		if at < 0 {
			b.Columns = append(b.Columns, analysis.Column{})
			continue
		}
		col := analysis.Column{Type: x.columns[at].typ, Dict: &analysis.Dict{}}
		for _, row := range x.rows {
			v := row[at]
			if f, ok := v.(float64); ok && math.IsNaN(f) && noNaN {
				v = nil
			}
			col.Valid = append(col.Valid, v != nil)
			switch col.Type {
			case analysis.Float:
				f, _ := v.(float64)
				col.Floats = append(col.Floats, f)
			case analysis.Int:
				n, _ := v.(int64)
				col.Ints = append(col.Ints, n)
			case analysis.Bool:
				f, _ := v.(bool)
				col.Bools = append(col.Bools, f)
			case analysis.String:
				text, _ := v.(string)
				col.Codes = append(col.Codes, int32(len(col.Dict.Values)))
				col.Dict.Values = append(col.Dict.Values, text)
			case analysis.Time:
				at, _ := v.(time.Time)
				col.Ints = append(col.Ints, at.UnixMicro())
			}
		}
		b.Columns = append(b.Columns, col)
	}
	return b
}

// check compares what a collector makes of the table with the push-down.
func (s *server) check(t *testing.T, table string, x *sample, spec *analysis.Spec) {
	t.Helper()
	c := analysis.NewCollector(spec)
	if err := c.Add(x.batch(spec, s.noNaN)); err != nil {
		t.Fatal(err)
	}
	want, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	got, err := sqlquery.Collect(ctx, s.db, s.dialect, spec, sqlquery.Source{Table: table, Types: s.typesOf(spec)}, sqlquery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
}

// specials are numbers at which counting goes wrong if anywhere.
func specials() []any {
	out := []any{nil, nil, math.NaN(), math.Inf(1), math.Inf(-1), 0.0, math.Copysign(0, -1), 1.0, -1.0, 0.5, 2.0, 1.5, 1e300, -1e300, 5e-324, -5e-324,
		math.MaxFloat64, -math.MaxFloat64, 0x1p-1022, 1 - 0x1p-53, 1 + 0x1p-52, 0x1p-32, 0x1p-33, 0x1p-64, 0x1p64, 1 - 0x1p-32, 1 - 0x1p-33, 1e-12, 0.1, 0.3, 0.7, 0.95}
	for _, x := range []float64{0.5, 1, 0.25, 0.75, 0x1p-32, 1 - 0x1p-32, 0x1p-64, 0x1p64, 1.0 / 2048, 3.0 / 512, 0.7, 0.1, 0.30000000000000004, 1 - 0x1p-10, 1 - 0x1p-11 - 0x1p-20} {
		for _, y := range []float64{x, math.Nextafter(x, 0), math.Nextafter(x, 2*x)} {
			out = append(out, y, -y)
		}
	}
	return out
}

func numberSpec(t *testing.T) *analysis.Spec {
	t.Helper()
	cuts := []float64{0.1, 0.30000000000000004, 0.7, 1 - 0x1p-11 - 0x1p-20}
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "p", Role: analysis.Score, Cuts: cuts},
		analysis.ColumnSpec{Name: "y", Role: analysis.Label},
		analysis.ColumnSpec{Name: "x", Sums: true, Cuts: append(cuts, -3, 1e6)},
		analysis.ColumnSpec{Name: "z"},
	)
	if err != nil {
		t.Fatal(err)
	}
	spec, err = spec.WithSlices(
		analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "x", Cuts: cuts}}, Measures: []string{"p", "z"}},
		analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "z"}}, Measures: []string{"x"}, Cap: 7})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

var numberColumns = []column{{"p", analysis.Float}, {"y", analysis.Int}, {"x", analysis.Float}, {"z", analysis.Float}}

// edges counts values at and next to the edges of cells, and those that are none.
func (s *server) edges(t *testing.T) {
	x := sample{columns: numberColumns}
	labels := []any{int64(0), int64(1), nil, int64(2)}
	for i, v := range specials() {
		for k := range 1 + i%4 {
			x.rows = append(x.rows, []any{v, labels[(i+k)%4], v, v})
		}
	}
	s.create(t, "edges", x.columns)
	s.load(t, "edges", x.columns, x.rows)
	s.check(t, "edges", &x, numberSpec(t))
}

// random counts many unlike values in few cells, so that sums matter.
func (s *server) random(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	x := sample{columns: numberColumns}
	for range 20_000 {
		p := r.Float64()
		switch r.IntN(5) {
		case 0:
			p = 0.9 + p/1000
		case 1:
			p = math.Exp(-30 * p)
		case 2:
			p = 1 - math.Exp(-30*p)
		}
		v := math.Exp(10*r.NormFloat64()) * float64(1-2*r.IntN(2))
		if r.IntN(2) == 0 {
			v = -5 + r.Float64()/50
		}
		var y any
		if l := r.IntN(4); l < 3 {
			y = int64(l)
		}
		x.rows = append(x.rows, []any{p, y, v, math.Round(100*v) / 100})
	}
	s.create(t, "random_values", x.columns)
	s.load(t, "random_values", x.columns, x.rows)
	s.check(t, "random_values", &x, numberSpec(t))
}

// kinds counts texts, flags, ids and times, with names that need quoting.
func (s *server) kinds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	x := sample{columns: []column{{"we\"ird ` name", analysis.String}, {"flag", analysis.Bool}, {"id", analysis.Int}, {"user", analysis.String}, {"at", analysis.Time}, {"label", analysis.Bool}, {"n", analysis.Int}}}
	names := []any{"a", "A", "a ", "", "null", `"q"`, "ä", "it's", `back\slash`, nil, "日本", "a\nb"}
	start := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)
	for i := range 5000 {
		var flag, id any = r.IntN(3) == 0, int64(r.IntN(500)) - 3
		if i%7 == 0 {
			flag = nil
		}
		if i%100 == 0 {
			id = nil
		}
		if i%3 == 0 {
			id = int64(math.MaxInt64) // often enough to be counted by doubling
		}
		x.rows = append(x.rows, []any{names[r.IntN(len(names))], flag, id, "u" + strings.Repeat("x", r.IntN(30)), start.Add(time.Duration(r.IntN(1e6)) * time.Second), i%2 == 0, int64(r.IntN(5))})
	}
	x.rows = append(x.rows, []any{nil, nil, nil, nil, nil, nil, nil})
	s.create(t, "kinds", x.columns)
	s.load(t, "kinds", x.columns, x.rows)
	for _, unit := range []string{"id", "user"} {
		spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: x.columns[0].name}, analysis.ColumnSpec{Name: "flag"}, analysis.ColumnSpec{Name: unit, Role: analysis.Unit},
			analysis.ColumnSpec{Name: "at", Role: analysis.Clock}, analysis.ColumnSpec{Name: "label", Role: analysis.Label}, analysis.ColumnSpec{Name: "n"})
		if err != nil {
			t.Fatal(err)
		}
		spec, err = spec.WithSlices(
			analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: x.columns[0].name}}, Measures: []string{"flag", "n"}},
			analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "flag"}, {Name: "n"}}, Measures: []string{"label"}, Cap: 4})
		if err != nil {
			t.Fatal(err)
		}
		s.check(t, "kinds", &x, spec)
	}
}

// timeout gives the database less time than it needs.
func (s *server) timeout(t *testing.T) {
	_, spec := policySpec(t)
	for name, try := range map[string]func() error{
		"statement": func() error {
			_, err := sqlquery.Collect(context.Background(), s.db, s.dialect, spec, sqlquery.Source{Table: "flights", Types: s.typesOf(spec)}, sqlquery.Options{Timeout: time.Nanosecond})
			return err
		},
		"context": func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 15*time.Millisecond)
			defer cancel()
			query := "SELECT a.* FROM flights AS a JOIN flights AS b ON a.origin = b.origin" // hundreds of millions of rows
			_, err := sqlquery.Collect(ctx, s.db, s.dialect, spec, sqlquery.Source{Query: query, Types: s.typesOf(spec)}, sqlquery.Options{})
			return err
		},
	} {
		begin := time.Now()
		err := try()
		if !errors.Is(err, sqlquery.ErrProvider) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

func (s *server) errors(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "origin"})
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		src  sqlquery.Source
		o    sqlquery.Options
		want error
	}{
		"no table":   {sqlquery.Source{Table: "no_such_table"}, sqlquery.Options{}, sqlquery.ErrProvider},
		"bad where":  {sqlquery.Source{Table: "flights", Where: "no_such_column = 1"}, sqlquery.Options{}, sqlquery.ErrProvider},
		"bad syntax": {sqlquery.Source{Query: "SELECT FROM WHERE"}, sqlquery.Options{}, sqlquery.ErrProvider},
		"too many":   {sqlquery.Source{Table: "flights"}, sqlquery.Options{MaxGroups: 10}, sqlquery.ErrTooMany},
	} {
		snap, err := sqlquery.Collect(context.Background(), s.db, s.dialect, spec, x.src, x.o)
		if !errors.Is(err, x.want) || !errors.Is(err, sqlquery.ErrProvider) || snap != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			t.Log(err)
		}
	}
	// The connection is good for more.
	if _, err := sqlquery.Collect(context.Background(), s.db, s.dialect, spec, sqlquery.Source{Table: "flights", Where: "1 = 0 -- none"}, sqlquery.Options{}); err != nil {
		t.Error(err)
	}
}

// injection gives arms that would end the literal they are in.
func (s *server) injection(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "v"})
	if err != nil {
		t.Fatal(err)
	}
	nasty := []string{`'`, `''`, `\`, `\'`, `' OR '1'='1`, `\' OR 1=1 -- `, `"`, "`", "a\nb", `$1`, `?`, `:x`, `%s`, `'; DROP TABLE arms`, `日本'`, `E'\x'`}
	x := sample{columns: []column{{"arm", analysis.String}, {"v", analysis.Int}}}
	for i, arm := range nasty {
		for range i + 1 {
			x.rows = append(x.rows, []any{arm, int64(i)})
		}
	}
	s.create(t, "arms", x.columns)
	s.load(t, "arms", x.columns, x.rows)
	for i, arm := range nasty {
		snap, err := sqlquery.Collect(context.Background(), s.db, s.dialect, spec, sqlquery.Source{Table: "arms", Arm: sqlquery.Arm{Column: "arm", Value: arm}}, sqlquery.Options{})
		if err != nil {
			t.Errorf("arm %q: %v", arm, err)
			continue
		}
		if snap.RowCount != uint64(i+1) || snap.Columns[0].Numeric.Min() != float64(i) || snap.Columns[0].Numeric.Max() != float64(i) {
			t.Errorf("arm %q: %d rows from %v to %v", arm, snap.RowCount, snap.Columns[0].Numeric.Min(), snap.Columns[0].Numeric.Max())
		}
	}
}
