package sqlquery_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
)

var update = flag.Bool("update", false, "write the golden files anew")

var dialects = []sqlquery.Dialect{sqlquery.PostgreSQL, sqlquery.DuckDB, sqlquery.ClickHouse, sqlquery.SQLite, sqlquery.Trino, sqlquery.BigQuery, sqlquery.Snowflake, sqlquery.Spark}

// goldenSpec asks for each kind of statement.
func goldenSpec(t *testing.T) (*analysis.Spec, sqlquery.Source) {
	t.Helper()
	spec := newSpec(t,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.1, 0.95}},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock},
		analysis.ColumnSpec{Name: "request_id", Role: analysis.Unit},
		analysis.ColumnSpec{Name: "country"}, analysis.ColumnSpec{Name: "new user"}, analysis.ColumnSpec{Name: "amount"})
	spec, err := spec.WithSlices(analysis.SliceSpec{Measures: []string{"label"}, Columns: []analysis.SliceColumn{
		{Name: "amount", Cuts: []float64{10, 99.99}}, {Name: "country"}, {Name: "new user"}}})
	if err != nil {
		t.Fatal(err)
	}
	return spec, sqlquery.Source{
		Table: "warehouse.predictions", Where: "day = '2025-11-20'", Arm: sqlquery.Arm{Column: "arm", Value: `o'neill\`},
		Names: map[string]string{"country": `land"` + "`"},
		Types: map[string]analysis.Type{"score": analysis.Float, "label": analysis.Bool, "ts": analysis.Time, "request_id": analysis.String,
			"country": analysis.String, "new user": analysis.Bool, "amount": analysis.Float},
	}
}

// TestGolden holds the statements of each dialect. Their octaves, which take most of
// the text, are checked in TestArithmetic.
func TestGolden(t *testing.T) {
	spec, src := goldenSpec(t)
	for _, d := range dialects {
		statements, err := sqlquery.Statements(d, spec, src, sqlquery.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, s := range statements {
			fmt.Fprintf(&b, "-- %s\n%s;\n\n", s.Purpose, octaves.ReplaceAllString(s.SQL, "<octaves> AS rg_s"))
		}
		path := filepath.Join("testdata", "golden", d.String()+".sql")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", d, diff)
		}
	}
}

var octaves = regexp.MustCompile(`CASE WHEN rg_z < [^\n]* END AS rg_s`)

// TestReadOnly holds that statements select and do nothing else.
func TestReadOnly(t *testing.T) {
	spec, src := goldenSpec(t)
	words := regexp.MustCompile(`(?i)\b(insert|update|delete|drop|create|alter|truncate|grant|merge|copy|call|into|pragma|attach)\b`)
	for _, d := range dialects {
		statements, err := sqlquery.Statements(d, spec, src, sqlquery.Options{MaxGroups: 99, MaxUnits: 999})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range statements {
			if !strings.HasPrefix(s.SQL, "SELECT ") || strings.Contains(s.SQL, ";") || words.MatchString(s.SQL) {
				t.Errorf("%v, %s: %s", d, s.Purpose, s.SQL)
			}
			if !strings.Contains(s.SQL, "day = '2025-11-20'") {
				t.Errorf("%v, %s: all rows are read", d, s.Purpose)
			}
			limit := "LIMIT 100"
			if strings.Contains(s.Purpose, "request_id") {
				limit = "LIMIT 1000"
			}
			if i > 0 && s.Purpose != `column "ts"` && !strings.Contains(s.SQL, limit) {
				t.Errorf("%v, %s: no %s", d, s.Purpose, limit)
			}
		}
	}
}

// TestNumbersAreFloats holds that every number that is compared with a value of the
// log is written so that the database takes it for a float64, not for a decimal.
func TestNumbersAreFloats(t *testing.T) {
	spec, src := goldenSpec(t)
	decimals := regexp.MustCompile(`[ (-]\d+\.\d+(\)| |$)`)
	for _, d := range dialects {
		if d == sqlquery.SQLite {
			continue // which has no decimals, and gets integers of 53 bits
		}
		statements, err := sqlquery.Statements(d, spec, src, sqlquery.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			if bad := decimals.FindString(s.SQL); bad != "" {
				t.Errorf("%v, %s: %q", d, s.Purpose, bad)
			}
		}
	}
}
