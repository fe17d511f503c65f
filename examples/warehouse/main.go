// Command warehouse judges a rollout by logs that stay in a database: the database
// groups the rows, and only cells travel. The database here is SQLite, made in memory
// from the flight logs of the repository so that the example runs by itself; with
// another driver and dialect it is PostgreSQL, DuckDB or ClickHouse.
//
//	cd examples/warehouse && go run .
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	_ "modernc.org/sqlite"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

const flights = "../../testdata/flights/"

func main() {
	db, err := warehouse(context.Background())
	if err == nil {
		defer db.Close()
		err = judge(context.Background(), db, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "warehouse:", err)
		os.Exit(2)
	}
}

// judge compares each candidate in the table with the baseline.
func judge(ctx context.Context, db *sql.DB, out io.Writer) error {
	data, err := os.ReadFile(flights + "policy.yaml")
	if err != nil {
		return err
	}
	policy, err := analysis.LoadPolicy("policy.yaml", data, checks.Builtin())
	if err != nil {
		return err
	}
	spec, err := policy.Spec()
	if err != nil {
		return err
	}
	arms := map[string]*analysis.Snapshot{}
	for _, arm := range []string{"baseline", "candidate", "candidate_broken"} {
		groups := 0
		o := sqlquery.Options{
			Timeout: time.Minute,
			Ran:     func(_ sqlquery.Statement, n int) { groups += n },
		}
		src := sqlquery.Source{Table: "predictions", Arm: sqlquery.Arm{Column: "arm", Value: arm}}
		if arms[arm], err = sqlquery.Collect(ctx, db, sqlquery.SQLite, spec, src, o); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %d rows in the database, %d groups travelled\n", arm, arms[arm].RowCount, groups)
	}
	for _, candidate := range []string{"candidate", "candidate_broken"} {
		verdict, err := analysis.Evaluate(policy, arms["baseline"], arms[candidate], nil, time.Now())
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s\n", candidate, verdict.Headline())
	}
	return nil
}

// warehouse makes the database, with all arms in one table.
func warehouse(ctx context.Context) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:warehouse?mode=memory&cache=shared")
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func fill(ctx context.Context, db *sql.DB) error {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "action"}, analysis.ColumnSpec{Name: "distance"}, analysis.ColumnSpec{Name: "dow"},
		analysis.ColumnSpec{Name: "hour"}, analysis.ColumnSpec{Name: "label"}, analysis.ColumnSpec{Name: "origin"}, analysis.ColumnSpec{Name: "request_id"},
		analysis.ColumnSpec{Name: "score"}, analysis.ColumnSpec{Name: "ts"})
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect after Commit
	if _, err := tx.ExecContext(ctx, `CREATE TABLE predictions (arm TEXT, action TEXT, distance INTEGER, dow INTEGER, hour INTEGER,
		label BOOLEAN, origin TEXT, request_id INTEGER, score REAL, ts TIMESTAMP)`); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for _, arm := range []string{"baseline", "candidate", "candidate_broken"} {
		if err := copyLog(ctx, insert, arm, spec); err != nil {
			return fmt.Errorf("%s: %w", arm, err)
		}
	}
	return tx.Commit()
}

// copyLog inserts the rows of a Parquet file.
func copyLog(ctx context.Context, insert *sql.Stmt, arm string, spec *analysis.Spec) error {
	r, err := parquetrows.Open(flights+arm+".parquet", spec, parquetrows.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	var b analysis.Batch
	for {
		err := r.Next(&b)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.Rows {
			row := []any{arm}
			for k := range b.Columns {
				row = append(row, value(&b.Columns[k], i))
			}
			if _, err := insert.ExecContext(ctx, row...); err != nil {
				return err
			}
		}
	}
}

func value(c *analysis.Column, i int) any {
	if c.Valid != nil && !c.Valid[i] {
		return nil
	}
	switch c.Type {
	case analysis.Float:
		return c.Floats[i]
	case analysis.Int, analysis.Time: // times as microseconds
		return c.Ints[i]
	case analysis.Bool:
		return c.Bools[i]
	case analysis.String:
		return c.Dict.Values[c.Codes[i]]
	case analysis.Absent:
	}
	return nil
}
