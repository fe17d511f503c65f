package sqlquery

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Options say how to ask. The zero value is a good choice.
type Options struct {
	// Timeout bounds each statement; 0 leaves that to the context.
	Timeout time.Duration
	// MaxGroups bounds the rows of each answer, such as the names of a column;
	// 0 means 4194304.
	MaxGroups int
	// MaxUnits bounds the ids of the unit column that travel; 0 means 67108864.
	MaxUnits int
	// NoTransaction runs the statements without a transaction, as for connections
	// through a pool that forbids them. That the rows did not change meanwhile is then
	// checked by their number only.
	NoTransaction bool
	// Ran, when it is set, is called after each statement, with the number of groups
	// that travelled.
	Ran func(s Statement, groups int)
}

const (
	defaultMaxGroups = 1 << 22
	defaultMaxUnits  = 1 << 26
)

func (o *Options) check() error {
	if o.Timeout < 0 || o.MaxGroups < 0 || o.MaxUnits < 0 {
		return fmt.Errorf("sqlquery: Options{Timeout: %v, MaxGroups: %d, MaxUnits: %d}, want nothing below 0: %w", o.Timeout, o.MaxGroups, o.MaxUnits, stats.ErrDomain)
	}
	return nil
}

func (o *Options) maxGroups() int {
	if o.MaxGroups == 0 {
		return defaultMaxGroups
	}
	return o.MaxGroups
}

func (o *Options) maxUnits() int {
	if o.MaxUnits == 0 {
		return defaultMaxUnits
	}
	return o.MaxUnits
}

// Collect summarises the rows of the source in the database and returns what an
// [analysis.Collector] would make of them; the package comment says how, and where
// the two can differ.
//
// All statements read the same rows: on PostgreSQL in one transaction that is
// repeatable-read and read-only, on DuckDB and SQLite in one transaction, elsewhere,
// and with NoTransaction, by the number of rows that every statement saw, which must
// be the same from the first to the last; else the error wraps [ErrChanged].
//
// The result is all or nothing. An error of the database wraps [ErrProvider], and
// [context.DeadlineExceeded] or [context.Canceled] where that is the reason; its text
// is that of the driver without what looks like a credential. A column that the
// source does not have is Absent.
func Collect(ctx context.Context, db *sql.DB, d Dialect, spec *analysis.Spec, src Source, o Options) (*analysis.Snapshot, error) {
	p, err := newPlan(d, spec, src, o)
	if err != nil {
		return nil, err
	}
	r := &run{plan: p, db: db}
	if p.g.tx != nil && !o.NoTransaction {
		tx, err := db.BeginTx(ctx, p.g.tx)
		if err != nil {
			return nil, provider(ctx, "begin", err)
		}
		defer func() { _ = tx.Rollback() }() // nothing was written
		r.db = tx
	}
	return r.collect(ctx)
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// run is one Collect.
type run struct {
	*plan
	db   querier
	rows uint64 // that the first statement counted
	snap *analysis.Snapshot
}

func (r *run) collect(ctx context.Context) (*analysis.Snapshot, error) {
	if err := r.discover(ctx); err != nil {
		return nil, err
	}
	tasks := r.tasks()
	r.snap = analysis.NewSnapshot(r.spec)
	first := tasks[0]
	if err := r.ask(ctx, first, func(row *answer) error {
		r.rows = row.count()
		return nil
	}); err != nil {
		return nil, err
	}
	if r.rows == 0 {
		return r.snap, nil
	}
	r.snap.RowCount = r.rows
	r.absent()
	var last *slicing
	for i, t := range tasks {
		var err error
		switch {
		case i == 0, t.content == countContent: // done, and done with the next
		case t.content == idContent:
			err = r.ids(ctx, tasks[i-1], t, r.snap)
		case t.cross < 0:
			err = r.column(ctx, t, r.snap)
		case t.content == rowContent:
			if err = last.finish(r.snap); err == nil {
				last, err = r.slices(ctx, t)
			}
		default:
			err = r.inSlices(ctx, t, last)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := last.finish(r.snap); err != nil {
		return nil, err
	}
	return r.snap, r.recount(ctx, first)
}

// recount makes sure that the rows are as many as in the beginning.
func (r *run) recount(ctx context.Context, t *task) error {
	if r.g.tx != nil && !r.o.NoTransaction {
		return nil
	}
	return r.ask(ctx, t, func(row *answer) error { return r.same(t, row.count()) })
}

// same reports that a statement saw another number of rows than the first one.
func (r *run) same(t *task, n uint64) error {
	if n != r.rows {
		return fault(t.Purpose, ErrChanged, "%d rows, then %d", r.rows, n)
	}
	return nil
}

// discover finds the types of the columns.
func (r *run) discover(ctx context.Context) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	const where = "types of the columns"
	from := r.from
	query := "SELECT * FROM (SELECT * FROM " + from + ") AS rg_q WHERE 1 = 0 LIMIT 0"
	rows, err := r.db.QueryContext(ctx, query)
	if err != nil {
		return provider(ctx, where, err)
	}
	defer func() { _ = rows.Close() }() // what counts is rows.Err
	columns, err := rows.ColumnTypes()
	if err != nil {
		return provider(ctx, where, err)
	}
	have := map[string]*sql.ColumnType{}
	for _, c := range columns {
		have[c.Name()] = c
	}
	for rows.Next() {
		continue // there are none
	}
	if err := ended(ctx, rows); err != nil {
		return provider(ctx, where, err)
	}
	return r.resolve(have)
}

// ended reports why there are no more rows, if they are not all there were. A driver
// whose context has ended may stop as if it was done.
func ended(ctx context.Context, rows *sql.Rows) error {
	if err := rows.Err(); err != nil {
		return err
	}
	return ctx.Err()
}

func (r *run) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.o.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, r.o.Timeout)
}

// ask runs a statement and hands each row of the answer to use.
func (r *run) ask(ctx context.Context, t *task, use func(*answer) error) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	rows, err := r.db.QueryContext(ctx, t.SQL)
	if err != nil {
		return provider(ctx, t.Purpose, err)
	}
	defer func() { _ = rows.Close() }() // what counts is rows.Err
	columns, err := rows.Columns()
	if err != nil {
		return provider(ctx, t.Purpose, err)
	}
	row := newAnswer(len(columns))
	n := 0
	for rows.Next() {
		if n++; t.limit > 0 && n > t.limit {
			return fault(t.Purpose, ErrTooMany, "more than %d", t.limit)
		}
		if err := rows.Scan(row.into...); err != nil {
			return provider(ctx, t.Purpose, err)
		}
		row.at, row.err = 0, nil
		err := use(row)
		if row.err != nil {
			err = row.err
		}
		if err != nil {
			return wrong(t.Purpose, err)
		}
	}
	if err := ended(ctx, rows); err != nil {
		return provider(ctx, t.Purpose, err)
	}
	if n == 0 && t.limit == 0 {
		return fault(t.Purpose, ErrInconsistent, "no row")
	}
	if r.o.Ran != nil {
		r.o.Ran(t.Statement, n)
	}
	return nil
}
