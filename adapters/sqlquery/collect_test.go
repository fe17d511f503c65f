package sqlquery_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

func newSpec(t testing.TB, columns ...analysis.ColumnSpec) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary, columns...)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func collect(spec *analysis.Spec, d sqlquery.Dialect, o sqlquery.Options, replies ...reply) (*analysis.Snapshot, error) {
	db := (&fake{replies: replies}).open()
	defer db.Close()
	return sqlquery.Collect(context.Background(), db, d, spec, sqlquery.Source{Table: "log"}, o)
}

// TestAnswersOfDrivers gives the same answer in the types that drivers use.
func TestAnswersOfDrivers(t *testing.T) {
	spec := newSpec(t, analysis.ColumnSpec{Name: "a"}, analysis.ColumnSpec{Name: "id", Role: analysis.Unit}, analysis.ColumnSpec{Name: "x", Sums: true})
	var none *float64
	// Three values of one cell: 1, 1+2^-40 and 1+2^-39 have the offsets 0, 2^12 and 2^13.
	a, aa := int64(1<<12+1<<13), int64(1<<24+1<<26)
	number := func(convert func(int64) driver.Value, lo, hi driver.Value) []driver.Value {
		out := row(convert(9), convert(3), lo, hi, convert(a), convert(0), convert(0), convert(aa))
		for len(out) < 13 {
			out = append(out, convert(0))
		}
		return out
	}
	var want []byte
	for name, c := range map[string]struct {
		integer func(int64) driver.Value
		float   func(float64) driver.Value
		text    func(string) driver.Value
		null    driver.Value
	}{
		"plain":    {func(i int64) driver.Value { return i }, func(f float64) driver.Value { return f }, func(s string) driver.Value { return s }, nil},
		"bytes":    {func(i int64) driver.Value { return []byte(fmt.Sprint(i)) }, func(f float64) driver.Value { return []byte(fmt.Sprintf("%.17e", f)) }, func(s string) driver.Value { return []byte(s) }, nil},
		"pointers": {func(i int64) driver.Value { return &i }, func(f float64) driver.Value { return &f }, func(s string) driver.Value { return &s }, none},
		"wide":     {func(i int64) driver.Value { return big.NewInt(i) }, func(f float64) driver.Value { return f }, func(s string) driver.Value { return s }, nil},
		"unsigned": {func(i int64) driver.Value { return uint64(i) }, func(f float64) driver.Value { return f }, func(s string) driver.Value { return s }, nil},
		"floats":   {func(i int64) driver.Value { return float64(i) }, func(f float64) driver.Value { return f }, func(s string) driver.Value { return s }, nil},
		"texts":    {func(i int64) driver.Value { return fmt.Sprint(i) }, func(f float64) driver.Value { return fmt.Sprint(f) }, func(s string) driver.Value { return s }, nil},
	} {
		got, err := collect(spec, sqlquery.Trino, sqlquery.Options{}, table("a", "varchar(20)", "id", "bigint", "x", "double"),
			rows(row(c.integer(3))),
			rows(row(c.text("b"), c.integer(2)), row(c.null, c.integer(1))),
			rows(row(c.integer(3), c.integer(3), c.integer(1))),
			rows(row(c.integer(77), c.integer(3))),
			rows(number(c.integer, c.float(1), c.float(1+0x1p-39))),
			rows(row(c.integer(3))))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, err := got.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = b
		}
		if !bytes.Equal(b, want) {
			t.Errorf("%s: the snapshot differs", name)
		}
		shape, err := got.Column("x").Numeric.Moments()
		if mean := 1 + 0x1p-40; err != nil || shape.Mean != mean {
			t.Errorf("%s: mean %v, want %v (%v)", name, shape.Mean, mean, err)
		}
	}
}

// TestRowsOfCollector compares a whole answer with what a collector makes of the rows.
func TestRowsOfCollector(t *testing.T) {
	spec := newSpec(t, analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.5}}, analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock}, analysis.ColumnSpec{Name: "gone"})
	c := analysis.NewCollector(spec)
	if err := c.Add(&analysis.Batch{Rows: 6, Columns: []analysis.Column{
		{}, // gone
		{Type: analysis.Int, Ints: []int64{0, 1, 1, 2, 0, 0}, Valid: []bool{true, true, true, true, false, true}},
		{Type: analysis.Float, Floats: []float64{0.25, 0.75, 0.75, math.NaN(), -1, math.Copysign(0, -1)}},
		{Type: analysis.Time, Ints: []int64{5, 4, 3, 9, 1, 1}, Valid: []bool{true, true, true, true, false, false}},
	}}); err != nil {
		t.Fatal(err)
	}
	want, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	sums := func(vs ...driver.Value) []driver.Value {
		for len(vs) < 14 {
			vs = append(vs, int64(0))
		}
		return vs
	}
	got, err := collect(spec, sqlquery.ClickHouse, sqlquery.Options{}, table("score", "Nullable(Float64)", "label", "LowCardinality(Nullable(UInt8))", "ts", "DateTime"),
		rows(row(int64(6))),
		rows(sums(int64(1), int64(9), int64(1), 0.25, 0.25), sums(int64(2), int64(8), int64(2), 0.75, 0.75), sums(int64(3), int64(1), int64(1), 0.0, 0.0),
			sums(int64(0), int64(5), int64(1), -1.0, -1.0), sums(int64(1), int64(4), int64(1), math.Copysign(0, -1), math.Copysign(0, -1))),
		rows(row(int64(6), int64(4), int64(3), int64(9))),
		rows(row(int64(6))))
	if err != nil {
		t.Fatal(err)
	}
	a, err := got.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the snapshots differ")
	}
}

// TestImpossibleAnswers holds that no answer that cannot be makes a snapshot.
func TestImpossibleAnswers(t *testing.T) {
	one := newSpec(t, analysis.ColumnSpec{Name: "x", Cuts: []float64{1.5}})
	sums := newSpec(t, analysis.ColumnSpec{Name: "x", Sums: true})
	ids := newSpec(t, analysis.ColumnSpec{Name: "x", Role: analysis.Unit})
	group := func(vs ...driver.Value) reply { return rows(append(row(int64(9)), vs...)) }
	nine := func(n int64, lo, hi float64, digits ...int64) reply {
		vs := row(n, lo, hi)
		for i := range 9 {
			d := int64(0)
			if i < len(digits) {
				d = digits[i]
			}
			vs = append(vs, d)
		}
		return group(vs...)
	}
	for name, x := range map[string]struct {
		spec *analysis.Spec
		r    reply
		want error
	}{
		"two cells":              {one, group(int64(5), 1.0, 1.25), sqlquery.ErrInconsistent},
		"a cut between":          {one, group(int64(5), math.Nextafter(1.5, 0), 1.5), sqlquery.ErrInconsistent},
		"upside down":            {one, group(int64(5), 1.001, 1.0), sqlquery.ErrInconsistent},
		"one row of two values":  {one, group(int64(1), 1.0, 1.001), sqlquery.ErrInconsistent},
		"a class there is not":   {one, rows(row(int64(10), int64(5), 1.0, 1.0)), sqlquery.ErrInconsistent},
		"no number":              {one, rows(row(int64(-1), int64(5), 0.0, 0.0)), sqlquery.ErrInconsistent},
		"NaN in a cell":          {one, group(int64(5), math.NaN(), math.NaN()), sqlquery.ErrInconsistent},
		"infinity in a cell":     {one, group(int64(5), math.Inf(1), math.Inf(1)), sqlquery.ErrInconsistent},
		"less than no rows":      {one, group(int64(-5), 1.0, 1.0), sqlquery.ErrInconsistent},
		"half a row":             {one, group(0.5, 1.0, 1.0), sqlquery.ErrInconsistent},
		"rows that are a text":   {one, group("many", 1.0, 1.0), sqlquery.ErrInconsistent},
		"rows that are missing":  {one, group(nil, 1.0, 1.0), sqlquery.ErrInconsistent},
		"too few columns":        {one, group(int64(5), 1.0), sqlquery.ErrInconsistent},
		"a time for a number":    {one, group(int64(5), time.Time{}, 1.0), sqlquery.ErrInconsistent},
		"one row less":           {one, group(int64(4), 1.0, 1.0), sqlquery.ErrChanged},
		"no groups":              {one, rows(), sqlquery.ErrChanged},
		"billions in one group":  {one, group(int64(1)<<34, 1.0, 1.0), sqlquery.ErrInconsistent},
		"sums too small":         {sums, nine(5, 1+0x1p-40, 1+0x1p-39, 1), sqlquery.ErrInconsistent},
		"sums too large":         {sums, nine(5, 1, 1+0x1p-40, 0, 0, 1<<15), sqlquery.ErrInconsistent},
		"squares that cannot be": {sums, nine(5, 1, 1+0x1p-39, 1<<13, 0, 0, 1), sqlquery.ErrInconsistent},
		"a sum below nothing":    {sums, nine(5, 1, 1+0x1p-39, -1), sqlquery.ErrInconsistent},
		"values of large cells":  {sums, nine(5, 0x1p70, 0x1p70+0x1p66), sqlquery.ErrInconsistent},
		"more ids than rows":     {ids, rows(row(int64(5), int64(6), int64(6))), sqlquery.ErrInconsistent},
		"more different ids":     {ids, rows(row(int64(5), int64(4), int64(5))), sqlquery.ErrInconsistent},
		"ids of fewer rows":      {ids, rows(row(int64(4), int64(4), int64(4))), sqlquery.ErrChanged},
		"cut off":                {one, reply{rows: [][]driver.Value{row(int64(9), int64(5), 1.0, 1.0)}, broken: errors.New("connection reset")}, sqlquery.ErrProvider},
		"refused":                {one, reply{err: errors.New("permission denied for table log")}, sqlquery.ErrProvider},
	} {
		native := "FLOAT8"
		if x.spec == ids {
			native = "INT8"
		}
		snap, err := collect(x.spec, sqlquery.PostgreSQL, sqlquery.Options{}, table("x", native), rows(row(int64(5))), x.r)
		if !errors.Is(err, x.want) || !errors.Is(err, sqlquery.ErrProvider) || snap != nil {
			t.Errorf("%s: error %v, want %v", name, err, x.want)
		}
	}
}

// TestSampleOfIDs gives answers about ids of which a sample travels.
func TestSampleOfIDs(t *testing.T) {
	spec := newSpec(t, analysis.ColumnSpec{Name: "x", Role: analysis.Unit})
	const many = 1 << 20
	counts := rows(row(int64(many), int64(many), int64(many)))
	var low, all [][]driver.Value // ids with hashes in the lowest 12288 2^20ths, and whatever
	want := analysis.NewCollector(spec)
	xs := make([]int64, many)
	for i := range xs {
		xs[i] = int64(i) * 1_000_003
		if i < 20_000 {
			all = append(all, row(xs[i], int64(1)))
		}
		if sqlquery.Mix(uint64(xs[i]))>>32 <= 12288<<12 {
			low = append(low, row(xs[i], int64(1)))
		}
	}
	if err := want.Add(&analysis.Batch{Rows: many, Columns: []analysis.Column{{Type: analysis.Int, Ints: xs}}}); err != nil {
		t.Fatal(err)
	}
	rowSnap, err := want.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	got, err := collect(spec, sqlquery.PostgreSQL, sqlquery.Options{}, table("x", "INT8"), rows(row(int64(many))), counts, rows(low...))
	if err != nil {
		t.Fatal(err)
	}
	a, err := got.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b, err := rowSnap.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the snapshots differ")
	}
	for name, r := range map[string]reply{"ids beyond the bound": rows(all...), "too few": rows(low[:5000]...), "none": rows(), "twice as many": rows(append(low, low...)...), "no id": rows(row(nil, int64(1)))} {
		if _, err := collect(spec, sqlquery.PostgreSQL, sqlquery.Options{}, table("x", "INT8"), rows(row(int64(many))), counts, r); !errors.Is(err, sqlquery.ErrInconsistent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTypes(t *testing.T) {
	spec := newSpec(t, analysis.ColumnSpec{Name: "x"})
	for name, want := range map[string]analysis.Type{
		"FLOAT8": analysis.Float, "numeric": analysis.Float, "Nullable(Decimal(9, 2))": analysis.Float, "NUMBER": analysis.Float, "FIXED": analysis.Int,
		"INT4": analysis.Int, "HUGEINT": analysis.Int, "Nullable(UInt8)": analysis.Int, "BIGINT UNSIGNED": analysis.Int,
		"bool": analysis.Bool, "VARCHAR(20)": analysis.String, "LowCardinality(Nullable(String))": analysis.String, "ENUM('a','b')": analysis.String, "UUID": analysis.String,
		"TIMESTAMP WITH TIME ZONE": analysis.Time, "DateTime64(6)": analysis.Time, "DATE": analysis.Time,
	} {
		answers := map[analysis.Type]reply{
			analysis.Float: rows(row(int64(0), int64(1), nil, nil)), analysis.Int: rows(row(int64(0), int64(1), nil, nil)),
			analysis.Bool: rows(row(int64(0), int64(1))), analysis.String: rows(row(nil, int64(1))), analysis.Time: rows(row(int64(1), int64(0), nil, nil)),
		}
		s, err := collect(spec, sqlquery.DuckDB, sqlquery.Options{}, table("x", name), rows(row(int64(1))), answers[want])
		if err != nil || s.Columns[0].Type != want {
			t.Errorf("%s: %v (%v), want %v", name, s, err, want)
		}
	}
	if _, err := collect(spec, sqlquery.DuckDB, sqlquery.Options{}, table("x", "MAP(INT, INT)")); !errors.Is(err, sqlquery.ErrUnsupported) || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("a map: %v", err)
	}
	unit := newSpec(t, analysis.ColumnSpec{Name: "x", Role: analysis.Unit})
	if _, err := collect(unit, sqlquery.DuckDB, sqlquery.Options{}, table("x", "DOUBLE")); !errors.Is(err, sqlquery.ErrUnsupported) {
		t.Errorf("a unit with fractions: %v", err)
	}
	s, err := collect(spec, sqlquery.DuckDB, sqlquery.Options{}, table("y", "INT"), rows(row(int64(7))))
	if err != nil || s.Columns[0].AbsentRows != 7 {
		t.Errorf("no such column: %v, %v", s, err)
	}
	s, err = collect(spec, sqlquery.DuckDB, sqlquery.Options{}, table("x", "INT"), rows(row(int64(0))))
	if err != nil || s.RowCount != 0 || s.Columns[0].Type != analysis.Absent {
		t.Errorf("no rows: %v, %v", s, err)
	}
}

func TestTransactions(t *testing.T) {
	spec := newSpec(t)
	for d, want := range map[sqlquery.Dialect]string{
		sqlquery.PostgreSQL: "[{4 true}]", sqlquery.DuckDB: "[{0 false}]", sqlquery.SQLite: "[{0 true}]", sqlquery.ClickHouse: "[]", sqlquery.Trino: "[]",
	} {
		for _, without := range []bool{false, true} {
			f := &fake{replies: []reply{table("x", "INT"), rows(row(int64(1))), rows(row(int64(1)))}}
			if _, err := sqlquery.Collect(context.Background(), f.open(), d, spec, sqlquery.Source{Table: "log"}, sqlquery.Options{NoTransaction: without}); err != nil {
				t.Errorf("%v: %v", d, err)
			}
			if without {
				want = "[]"
			}
			if got := fmt.Sprint(f.begun); got != want {
				t.Errorf("%v: transactions %v, want %v", d, got, want)
			}
			if counts := len(f.asked) - 1; counts != map[bool]int{true: 2, false: 1}[want == "[]"] {
				t.Errorf("%v: the rows were counted %d times", d, counts)
			}
		}
	}
	if _, err := collect(spec, sqlquery.Trino, sqlquery.Options{}, table("x", "INT"), rows(row(int64(1))), rows(row(int64(2)))); !errors.Is(err, sqlquery.ErrChanged) {
		t.Errorf("one row more: %v", err)
	}
}

func TestHangs(t *testing.T) {
	spec := newSpec(t)
	begin := time.Now()
	_, err := collect(spec, sqlquery.Trino, sqlquery.Options{Timeout: 20 * time.Millisecond}, table("x", "INT"), reply{hangs: true})
	if !errors.Is(err, sqlquery.ErrProvider) || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
		t.Error(err)
	}
	// The connection may find out before the context does.
	_, err = collect(spec, sqlquery.Trino, sqlquery.Options{}, table("x", "INT"), reply{err: fmt.Errorf("read: %w", os.ErrDeadlineExceeded)})
	if !errors.Is(err, sqlquery.ErrProvider) || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	f := &fake{replies: []reply{{hangs: true}}}
	if _, err = sqlquery.Collect(ctx, f.open(), sqlquery.Trino, spec, sqlquery.Source{Table: "log"}, sqlquery.Options{}); !errors.Is(err, sqlquery.ErrProvider) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// sqlState is an error as drivers of PostgreSQL have it.
type sqlState struct{ error }

func (sqlState) SQLState() string { return "42501" }

func TestNoCredentials(t *testing.T) {
	for _, text := range []string{
		"dial postgres://admin:hunter2@db.example.com:5432/log?sslmode=disable: refused",
		"parse \"snowflake://hunter2@account/db\": invalid",
		"cannot connect: user=admin password=hunter2 host=db",
		`{"password": "hunter2", "host": "db"}`,
		"bad DSN admin:hunter2@tcp(db:3306)/log",
		"bad DSN admin:hun/ter2:hunter2@tcp(db:3306)/log",
		"PWD='hunter2 hunter2';Server=db",
		"401 for Authorization: Bearer hunter2",
		"api_key=hunter2&x=1",
		"access_token: hunter2",
		"client-secret = \"hunter2\"",
	} {
		f := &fake{refuses: sqlState{errors.New(text)}}
		_, err := sqlquery.Collect(context.Background(), f.open(), sqlquery.PostgreSQL, newSpec(t), sqlquery.Source{Table: "log"}, sqlquery.Options{})
		if !errors.Is(err, sqlquery.ErrProvider) || !strings.Contains(err.Error(), "SQLSTATE 42501") {
			t.Errorf("%s: %v", text, err)
		}
		if all := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(all, "hunter2") {
			t.Errorf("%s: %s", text, all)
		}
	}
}

func TestMisuse(t *testing.T) {
	spec := newSpec(t, analysis.ColumnSpec{Name: "x"})
	good := sqlquery.Source{Table: "log"}
	for name, x := range map[string]struct {
		d    sqlquery.Dialect
		src  sqlquery.Source
		o    sqlquery.Options
		want error
	}{
		"no dialect":      {0, good, sqlquery.Options{}, stats.ErrDomain},
		"no table":        {sqlquery.Trino, sqlquery.Source{}, sqlquery.Options{}, stats.ErrMismatch},
		"both":            {sqlquery.Trino, sqlquery.Source{Table: "a", Query: "SELECT 1"}, sqlquery.Options{}, stats.ErrMismatch},
		"two statements":  {sqlquery.Trino, sqlquery.Source{Query: "SELECT 1; DROP TABLE log"}, sqlquery.Options{}, stats.ErrDomain},
		"where with more": {sqlquery.Trino, sqlquery.Source{Table: "a", Where: "1=1; DROP TABLE log"}, sqlquery.Options{}, stats.ErrDomain},
		"empty part":      {sqlquery.Trino, sqlquery.Source{Table: "a..b"}, sqlquery.Options{}, stats.ErrDomain},
		"zero byte":       {sqlquery.Trino, sqlquery.Source{Table: "a\x00b"}, sqlquery.Options{}, stats.ErrDomain},
		"not UTF-8":       {sqlquery.Trino, sqlquery.Source{Table: "a", Arm: sqlquery.Arm{Column: "arm", Value: "\xff"}}, sqlquery.Options{}, stats.ErrDomain},
		"arm of bytes":    {sqlquery.Trino, sqlquery.Source{Table: "a", Arm: sqlquery.Arm{Column: "arm", Value: []byte("x")}}, sqlquery.Options{}, stats.ErrDomain},
		"arm of NaN":      {sqlquery.Trino, sqlquery.Source{Table: "a", Arm: sqlquery.Arm{Column: "arm", Value: math.NaN()}}, sqlquery.Options{}, stats.ErrDomain},
		"arm of nothing":  {sqlquery.Trino, sqlquery.Source{Table: "a", Arm: sqlquery.Arm{Value: "x"}}, sqlquery.Options{}, stats.ErrDomain},
		"other name":      {sqlquery.Trino, sqlquery.Source{Table: "a", Names: map[string]string{"z": "Z"}}, sqlquery.Options{}, stats.ErrMismatch},
		"other type":      {sqlquery.Trino, sqlquery.Source{Table: "a", Types: map[string]analysis.Type{"z": analysis.Int}}, sqlquery.Options{}, stats.ErrMismatch},
		"no such type":    {sqlquery.Trino, sqlquery.Source{Table: "a", Types: map[string]analysis.Type{"x": 99}}, sqlquery.Options{}, stats.ErrMismatch},
		"timeout":         {sqlquery.Trino, good, sqlquery.Options{Timeout: -1}, stats.ErrDomain},
		"groups":          {sqlquery.Trino, good, sqlquery.Options{MaxGroups: -1}, stats.ErrDomain},
	} {
		if _, err := sqlquery.Statements(x.d, spec, x.src, x.o); !errors.Is(err, x.want) {
			t.Errorf("%s: Statements: %v", name, err)
		}
		f := &fake{}
		if _, err := sqlquery.Collect(context.Background(), f.open(), x.d, spec, x.src, x.o); !errors.Is(err, x.want) || len(f.asked) > 0 {
			t.Errorf("%s: Collect: %v", name, err)
		}
	}
}
