package sqltest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

const (
	flights = "../../../testdata/flights/"
	timeout = 5 * time.Minute
)

var arms = []string{"baseline", "candidate", "candidate_broken"}

// server is a database under test.
type server struct {
	db      *sql.DB
	dialect sqlquery.Dialect
	noNaN   bool                     // stores NaN as NULL
	types   map[string]analysis.Type // of columns that the database has no type for
	// create makes a table from columns of a name and a type, and load fills it.
	create func(t *testing.T, table string, columns []column)
	load   func(t *testing.T, table string, columns []column, rows [][]any)
	// loadFlights, when it is set, makes the table of flights on a way of its own.
	loadFlights func(t *testing.T)
}

type column struct {
	name string
	typ  analysis.Type
}

// run is everything that holds for every database.
func (s *server) run(t *testing.T) {
	t.Run("flights", s.flights)
	t.Run("edges", s.edges)
	t.Run("random", s.random)
	t.Run("types", s.kinds)
	t.Run("timeout", s.timeout)
	t.Run("errors", s.errors)
	t.Run("injection", s.injection)
}

func policySpec(t *testing.T) (*analysis.Policy, *analysis.Spec) {
	t.Helper()
	data, err := os.ReadFile(flights + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := analysis.LoadPolicy("policy.yaml", data, checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	spec, err := policy.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return policy, spec
}

// wideSpec asks for everything that a spec can ask for.
func wideSpec(t *testing.T) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.15, 0.25}},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock},
		analysis.ColumnSpec{Name: "request_id", Role: analysis.Unit},
		analysis.ColumnSpec{Name: "action", Role: analysis.Action},
		analysis.ColumnSpec{Name: "distance", Sums: true, Cuts: []float64{500, 1000.5}},
		analysis.ColumnSpec{Name: "hour", Cuts: []float64{7}},
		analysis.ColumnSpec{Name: "no_such_column"},
	)
	if err != nil {
		t.Fatal(err)
	}
	cross := func(limit int, measures []string, columns ...analysis.SliceColumn) analysis.SliceSpec {
		return analysis.SliceSpec{Columns: columns, Measures: measures, Cap: limit}
	}
	spec, err = spec.WithSlices(
		cross(5, []string{"score", "distance", "action"}, analysis.SliceColumn{Name: "origin"}),
		cross(0, []string{"score", "hour", "request_id"}, analysis.SliceColumn{Name: "distance", Cuts: []float64{200, 1000.5}}, analysis.SliceColumn{Name: "action"}),
		cross(3, []string{"label"}, analysis.SliceColumn{Name: "dow"}, analysis.SliceColumn{Name: "label"}, analysis.SliceColumn{Name: "no_such_column"}),
		analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "destination"}}, Values: [][]string{{"JFK"}, {"nowhere"}}, Measures: []string{"label", "no_such_column"}, Cap: 2},
	)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// same holds two snapshots against each other, byte for byte.
func same(t *testing.T, got, want *analysis.Snapshot) {
	t.Helper()
	a, err := got.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a, b) {
		return
	}
	diff := cmp.Diff(tree(t, want), tree(t, got))
	if len(diff) > 6000 {
		diff = diff[:6000] + "\n..."
	}
	t.Errorf("the snapshots differ (- rows, + database):\n%s", diff)
}

func tree(t *testing.T, s *analysis.Snapshot) (out any) {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// flightColumns are the columns of the flight logs.
func flightColumns(t *testing.T) []column {
	t.Helper()
	columns, err := parquetrows.Schema(flights + "baseline.parquet")
	if err != nil {
		t.Fatal(err)
	}
	out := []column{{"arm", analysis.String}}
	for _, c := range columns {
		out = append(out, column{c.Name, c.Type})
	}
	return out
}

// flightRows reads the flights of an arm.
func flightRows(t *testing.T, arm string, columns []column) [][]any {
	t.Helper()
	var specs []analysis.ColumnSpec
	for _, c := range columns[1:] {
		specs = append(specs, analysis.ColumnSpec{Name: c.name})
	}
	spec, err := analysis.NewSpec(analysis.Binary, specs...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := parquetrows.Open(flights+arm+".parquet", spec, parquetrows.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rows [][]any
	var b analysis.Batch
	for err = r.Next(&b); err == nil; err = r.Next(&b) {
		for i := range b.Rows {
			row := []any{arm}
			for _, c := range columns[1:] {
				row = append(row, value(&b.Columns[spec.Index(c.name)], i))
			}
			rows = append(rows, row)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return rows
}

// value is the value of a column in a row, for a driver.
func value(c *analysis.Column, i int) any {
	if c.Valid != nil && !c.Valid[i] {
		return nil
	}
	switch c.Type {
	case analysis.Float:
		return c.Floats[i]
	case analysis.Int:
		return c.Ints[i]
	case analysis.Bool:
		return c.Bools[i]
	case analysis.String:
		return c.Dict.Values[c.Codes[i]]
	case analysis.Time:
		return time.UnixMicro(c.Ints[i]).UTC()
	}
	return nil
}

// flights compares the push-down with the rows of the Parquet files, and what a
// policy makes of both.
func (s *server) flights(t *testing.T) {
	if s.loadFlights != nil {
		s.loadFlights(t)
	} else {
		columns := flightColumns(t)
		s.create(t, "flights", columns)
		for _, arm := range arms {
			s.load(t, "flights", columns, flightRows(t, arm, columns))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	policy, spec := policySpec(t)
	wide := wideSpec(t)
	got, want := map[string]*analysis.Snapshot{}, map[string]*analysis.Snapshot{}
	for _, arm := range arms {
		for name, spec := range map[string]*analysis.Spec{"policy": spec, "wide": wide} {
			if name == "wide" && arm == "baseline" {
				continue // the other two have all that it has
			}
			begin, groups := time.Now(), 0
			o := sqlquery.Options{Ran: func(_ sqlquery.Statement, n int) { groups += n }}
			snap, err := sqlquery.Collect(ctx, s.db, s.dialect, spec, sqlquery.Source{Table: "flights", Arm: sqlquery.Arm{Column: "arm", Value: arm}, Types: s.typesOf(spec)}, o)
			if err != nil {
				t.Fatalf("%s, %s: %v", arm, name, err)
			}
			t.Logf("%s, spec of the %s: %d rows, %d groups travelled, %v", arm, name, snap.RowCount, groups, time.Since(begin).Round(time.Millisecond))
			rows, err := parquetrows.Collect(ctx, spec, parquetrows.Options{}, flights+arm+".parquet")
			if err != nil {
				t.Fatal(err)
			}
			same(t, snap, rows)
			if name == "policy" {
				got[arm], want[arm] = snap, rows
			}
		}
	}
	for _, candidate := range arms[1:] {
		now := time.Date(2001, 5, 1, 0, 0, 0, 0, time.UTC)
		a, err := analysis.Evaluate(policy, got[arms[0]], got[candidate], nil, now)
		if err != nil {
			t.Fatal(err)
		}
		b, err := analysis.Evaluate(policy, want[arms[0]], want[candidate], nil, now)
		if err != nil {
			t.Fatal(err)
		}
		x, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		y, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s: the verdicts differ", candidate)
		}
		t.Log(candidate + ": " + a.Headline())
	}
}

func (s *server) typesOf(spec *analysis.Spec) map[string]analysis.Type {
	out := map[string]analysis.Type{}
	for name, typ := range s.types {
		if spec.Index(name) >= 0 {
			out[name] = typ
		}
	}
	return out
}
