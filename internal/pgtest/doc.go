// Package pgtest starts a PostgreSQL of its own for a test.
package pgtest
