package sqltest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
)

// natives compares columns of less usual types with what they stand for. The types
// are, in order: float32, a decimal, a small integer, a date, a UUID, a timestamp with
// a time zone, an enumeration of "a" and "b".
func (s *server) natives(t *testing.T, prepare string, types [7]string) {
	t.Helper()
	names := []string{"single", "price", "small", "day", "uid", "served", "mood"}
	if prepare != "" {
		if _, err := s.db.Exec(prepare); err != nil {
			t.Fatal(err)
		}
	}
	create := "CREATE TABLE natives ("
	for i, name := range names {
		if i > 0 {
			create += ", "
		}
		create += name + " " + types[i]
	}
	for _, statement := range []string{create + ")", `INSERT INTO natives VALUES
		(0.1, 12.30, 7, '2025-11-20', '00112233-4455-6677-8899-AABBCCDDEEFF', '2025-11-20 12:00:00.123456+05:45', 'b'),
		(NULL, NULL, NULL, NULL, NULL, NULL, NULL),
		(-2.5, -0.07, -7, '1969-12-31', 'ffffffff-4455-6677-8899-aabbccddeeff', '1969-12-31 23:59:59.999999+00', 'a')`} {
		if _, err := s.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	x := sample{
		columns: []column{{"single", analysis.Float}, {"price", analysis.Float}, {"small", analysis.Int}, {"day", analysis.Time}, {"uid", analysis.String}, {"served", analysis.Time}, {"mood", analysis.String}},
		rows: [][]any{
			{float64(float32(0.1)), 12.30, int64(7), time.Date(2025, 11, 20, 0, 0, 0, 0, time.UTC), "00112233-4455-6677-8899-aabbccddeeff", time.Date(2025, 11, 20, 6, 15, 0, 123456e3, time.UTC), "b"},
			{nil, nil, nil, nil, nil, nil, nil},
			{-2.5, -0.07, int64(-7), time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), "ffffffff-4455-6677-8899-aabbccddeeff", time.Date(1969, 12, 31, 23, 59, 59, 999999e3, time.UTC), "a"},
		},
	}
	var columns []analysis.ColumnSpec
	for _, name := range names {
		columns = append(columns, analysis.ColumnSpec{Name: name, Sums: true})
	}
	spec, err := analysis.NewSpec(analysis.Binary, columns...)
	if err != nil {
		t.Fatal(err)
	}
	if spec, err = spec.WithSlices(analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "day"}}, Measures: []string{"price"}},
		analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "mood"}, {Name: "single"}, {Name: "price", Cuts: []float64{-0.07, 12.3}}}, Measures: []string{"small"}}); err != nil {
		t.Fatal(err)
	}
	s.check(t, "natives", &x, spec)
	unit, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "served", Role: analysis.Unit})
	if err != nil {
		t.Fatal(err)
	}
	s.check(t, "natives", &x, unit)
	// A column of a type that is not known, of which nothing was said.
	if s.types["mood"] == analysis.String {
		_, err := sqlquery.Collect(context.Background(), s.db, s.dialect, spec, sqlquery.Source{Table: "natives"}, sqlquery.Options{})
		if !errors.Is(err, sqlquery.ErrUnsupported) {
			t.Error(err)
		}
	}
}
