package sqltest

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	_ "modernc.org/sqlite"

	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
)

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// quoted is a name in double quotes.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// creates returns a function that makes tables with columns of the given types.
func creates(db *sql.DB, types map[analysis.Type]string, end string) func(*testing.T, string, []column) {
	return func(t *testing.T, table string, columns []column) {
		t.Helper()
		var parts []string
		for _, c := range columns {
			parts = append(parts, quoted(c.name)+" "+types[c.typ])
		}
		if _, err := db.Exec("CREATE TABLE " + table + " (" + strings.Join(parts, ", ") + ")" + end); err != nil {
			t.Fatal(err)
		}
	}
}

// inserts returns a function that inserts rows one by one, in one transaction.
func inserts(db *sql.DB, mark func(i int) string, convert func(any) any) func(*testing.T, string, []column, [][]any) {
	return func(t *testing.T, table string, columns []column, rows [][]any) {
		t.Helper()
		var names, marks []string
		for i, c := range columns {
			names, marks = append(names, quoted(c.name)), append(marks, mark(i))
		}
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		insert, err := tx.Prepare("INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")")
		if err != nil {
			t.Fatal(err)
		}
		values := make([]any, len(columns))
		for _, row := range rows {
			for i, v := range row {
				values[i] = convert(v)
			}
			if _, err := insert.Exec(values...); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

func question(int) string { return "?" }

func TestSQLite(t *testing.T) {
	db := open(t, "sqlite", filepath.Join(t.TempDir(), "log.db"))
	s := server{db: db, dialect: sqlquery.SQLite, noNaN: true,
		create: creates(db, map[analysis.Type]string{analysis.Float: "REAL", analysis.Int: "BIGINT", analysis.Bool: "BOOLEAN", analysis.String: "TEXT", analysis.Time: "DATETIME"}, ""),
		load: inserts(db, question, func(v any) any {
			if at, ok := v.(time.Time); ok {
				return at.Format("2006-01-02 15:04:05.000")
			}
			return v
		})}
	s.run(t)
}

func TestDuckDB(t *testing.T) {
	db := open(t, "duckdb", "")
	types := map[analysis.Type]string{analysis.Float: "DOUBLE", analysis.Int: "BIGINT", analysis.Bool: "BOOLEAN", analysis.String: "VARCHAR", analysis.Time: "TIMESTAMP"}
	s := server{db: db, dialect: sqlquery.DuckDB, create: creates(db, types, ""), load: inserts(db, question, func(v any) any { return v })}
	s.loadFlights = func(t *testing.T) { // by DuckDB's own reader of Parquet
		var parts []string
		for _, arm := range arms {
			parts = append(parts, "SELECT '"+arm+"' AS arm, * FROM read_parquet('"+flights+arm+".parquet')")
		}
		if _, err := db.Exec("CREATE TABLE flights AS " + strings.Join(parts, " UNION ALL ")); err != nil {
			t.Fatal(err)
		}
	}
	s.run(t)
	t.Run("natives", func(t *testing.T) {
		s.natives(t, "", [7]string{"FLOAT", "DECIMAL(18, 2)", "TINYINT", "DATE", "UUID", "TIMESTAMPTZ", "ENUM('b', 'a')"})
	})
}
