package sqlquery_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
)

// reply is what the fake database answers to one statement.
type reply struct {
	columns []string
	types   []string // database types, of the statement that asks for them
	rows    [][]driver.Value
	err     error // in place of an answer
	broken  error // after the rows
	hangs   bool  // until the context ends
}

// fake is a database that answers statements in the order of its replies.
type fake struct {
	replies []reply
	asked   []string
	begun   []driver.TxOptions
	refuses error // of a connection
}

func (f *fake) open() *sql.DB { return sql.OpenDB(f) }

// The methods of the driver.

func (f *fake) Connect(context.Context) (driver.Conn, error) {
	if f.refuses != nil {
		return nil, f.refuses
	}
	return fakeConn{f}, nil
}
func (f *fake) Driver() driver.Driver { return nil }

type fakeConn struct{ *fake }

func (c fakeConn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (c fakeConn) Close() error                        { return nil }
func (c fakeConn) Begin() (driver.Tx, error)           { return nil, errors.ErrUnsupported }
func (c fakeConn) Commit() error                       { return nil }
func (c fakeConn) Rollback() error                     { return nil }

func (c fakeConn) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.begun = append(c.begun, o)
	return c, nil
}

func (c fakeConn) QueryContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	c.asked = append(c.asked, query)
	if len(c.asked) > len(c.replies) {
		return nil, fmt.Errorf("statement %d was not expected: %s", len(c.asked), query)
	}
	r := c.replies[len(c.asked)-1]
	if r.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if r.err != nil {
		return nil, r.err
	}
	if r.columns == nil && len(r.rows) > 0 {
		r.columns = slices.Repeat([]string{"c"}, len(r.rows[0]))
	}
	return &fakeRows{reply: r}, nil
}

type fakeRows struct {
	reply
	at int
}

func (r *fakeRows) Columns() []string { return r.columns }
func (r *fakeRows) Close() error      { return nil }

func (r *fakeRows) Next(into []driver.Value) error {
	if r.at >= len(r.rows) {
		if r.broken != nil {
			return r.broken
		}
		return io.EOF
	}
	copy(into, r.rows[r.at])
	r.at++
	return nil
}

func (r *fakeRows) ColumnTypeDatabaseTypeName(i int) string {
	if i < len(r.types) {
		return r.types[i]
	}
	return ""
}

func (r *fakeRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	switch r.ColumnTypeDatabaseTypeName(i) {
	case "FIXED":
		return 38, 0, true
	case "NUMBER":
		return 10, 2, true
	}
	return 0, 0, false
}

// table is the reply to the question for types.
func table(nameAndType ...string) reply {
	var r reply
	for i := 0; i < len(nameAndType); i += 2 {
		r.columns, r.types = append(r.columns, nameAndType[i]), append(r.types, nameAndType[i+1])
	}
	return r
}

// rows is a reply of rows.
func rows(rs ...[]driver.Value) reply { return reply{rows: rs} }

func row(vs ...driver.Value) []driver.Value { return vs }
