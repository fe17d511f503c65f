package gatestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/rampguard/rampguard/adapters/webhookgate"
)

// Postgres is a store in PostgreSQL, which several processes may use at once.
type Postgres struct{ db *sql.DB }

// setupLock is the key of the advisory lock under which the tables are made.
const setupLock = 0x72616d7067617465

const tables = `
CREATE TABLE IF NOT EXISTS rampguard_rollout (
	rollout text PRIMARY KEY,
	policy  text   NOT NULL,
	looks   bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS rampguard_record (
	rollout text   NOT NULL REFERENCES rampguard_rollout,
	number  bigint NOT NULL,
	look    text   NOT NULL,
	request text   NOT NULL,
	record  bytea  NOT NULL,
	PRIMARY KEY (rollout, number),
	UNIQUE (rollout, look)
);
CREATE TABLE IF NOT EXISTS rampguard_blob (
	name text  PRIMARY KEY,
	data bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS rampguard_owner (
	rollout text PRIMARY KEY,
	owner   text NOT NULL
);`

// OpenPostgres makes the tables that are not there and returns the store. The caller
// closes db.
//
// Errors: those of the database.
func OpenPostgres(ctx context.Context, db *sql.DB) (*Postgres, error) {
	p := &Postgres{db}
	err := p.transaction(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(setupLock)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, tables)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gatestore: OpenPostgres: %w", err)
	}
	return p, nil
}

func (p *Postgres) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Load implements [webhookgate.Store].
func (p *Postgres) Load(ctx context.Context, rollout, look string) (webhookgate.Past, error) {
	var past webhookgate.Past
	var owner sql.NullString
	var number sql.NullInt64
	var request sql.NullString
	var record []byte
	// One statement sees one state of the tables.
	err := p.db.QueryRowContext(ctx, `
		SELECT coalesce(r.policy, ''), coalesce(r.looks, 0), l.record, o.owner, q.number, q.request, q.record
		FROM (SELECT $1::text AS rollout) AS asked
		LEFT JOIN rampguard_rollout AS r ON r.rollout = asked.rollout
		LEFT JOIN rampguard_record  AS l ON l.rollout = r.rollout AND l.number = r.looks
		LEFT JOIN rampguard_record  AS q ON q.rollout = r.rollout AND q.look = $2 AND $2 <> ''
		LEFT JOIN rampguard_owner   AS o ON o.rollout = asked.rollout`, rollout, look).
		Scan(&past.Policy, &past.Records, &past.Last, &owner, &number, &request, &record)
	if err != nil {
		return webhookgate.Past{}, fmt.Errorf("gatestore: Load: %w", err)
	}
	past.Owner = owner.String
	if number.Valid {
		past.Look = &webhookgate.Stored{Number: int(number.Int64), Look: look, Request: request.String, Record: record}
	}
	return past, nil
}

// Append implements [webhookgate.Store]. The row of the rollout is locked meanwhile.
func (p *Postgres) Append(ctx context.Context, rollout string, e webhookgate.Entry) error {
	if err := check(rollout, &e); err != nil {
		return err
	}
	err := p.transaction(ctx, func(tx *sql.Tx) error { return appendRow(ctx, tx, rollout, &e) })
	var state interface{ SQLState() string }
	switch {
	case errors.Is(err, webhookgate.ErrConflict):
		return err
	case errors.As(err, &state) && contested(state.SQLState()):
		return fmt.Errorf("gatestore: Append: %w: %w", webhookgate.ErrConflict, err)
	case err != nil:
		return fmt.Errorf("gatestore: Append: %w", err)
	}
	return nil
}

// contested reports whether a state is that of a transaction that lost against
// another one: serialization failure, deadlock, unique violation.
func contested(state string) bool { return state == "40001" || state == "40P01" || state == "23505" }

func appendRow(ctx context.Context, tx *sql.Tx, rollout string, e *webhookgate.Entry) error {
	for _, b := range e.Blobs { // in the order of their names, so that no two wait for each other
		if _, err := tx.ExecContext(ctx, "INSERT INTO rampguard_blob (name, data) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", b.Name, b.Data); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO rampguard_rollout (rollout, policy, looks) VALUES ($1, $2, 0) ON CONFLICT (rollout) DO NOTHING", rollout, e.Policy); err != nil {
		return err
	}
	var policy string
	var looks int
	if err := tx.QueryRowContext(ctx, "SELECT policy, looks FROM rampguard_rollout WHERE rollout = $1 FOR UPDATE", rollout).Scan(&policy, &looks); err != nil {
		return err
	}
	var known bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM rampguard_record WHERE rollout = $1 AND look = $2)", rollout, e.Look).Scan(&known); err != nil {
		return err
	}
	if err := conflict(rollout, e, looks, policy, known); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO rampguard_record (rollout, number, look, request, record) VALUES ($1, $2, $3, $4, $5)",
		rollout, e.Number, e.Look, e.Request, e.Record); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE rampguard_rollout SET looks = $2 WHERE rollout = $1", rollout, e.Number)
	return err
}

// Records implements [webhookgate.Store].
func (p *Postgres) Records(ctx context.Context, rollout string, from, limit int) (out []webhookgate.Stored, err error) {
	rows, err := p.db.QueryContext(ctx, "SELECT number, look, request, record FROM rampguard_record WHERE rollout = $1 AND number >= $2 ORDER BY number LIMIT $3", rollout, from, limit)
	if err != nil {
		return nil, fmt.Errorf("gatestore: Records: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s webhookgate.Stored
		if err := rows.Scan(&s.Number, &s.Look, &s.Request, &s.Record); err != nil {
			return nil, fmt.Errorf("gatestore: Records: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Blob implements [webhookgate.Store].
func (p *Postgres) Blob(ctx context.Context, name string) ([]byte, error) {
	var b []byte
	err := p.db.QueryRowContext(ctx, "SELECT data FROM rampguard_blob WHERE name = $1", name).Scan(&b)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, missing(name)
	case err != nil:
		return nil, fmt.Errorf("gatestore: Blob: %w", err)
	}
	return b, nil
}

// Bind implements [webhookgate.Store].
func (p *Postgres) Bind(ctx context.Context, rollout, owner string) (string, error) {
	var have string
	err := p.transaction(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO rampguard_owner (rollout, owner) VALUES ($1, $2) ON CONFLICT (rollout) DO NOTHING", rollout, owner); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT owner FROM rampguard_owner WHERE rollout = $1", rollout).Scan(&have)
	})
	if err != nil {
		return "", fmt.Errorf("gatestore: Bind: %w", err)
	}
	return have, nil
}

// Ping implements [webhookgate.Store].
func (p *Postgres) Ping(ctx context.Context) error { return p.db.PingContext(ctx) }
