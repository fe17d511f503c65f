// Package sqltest runs the tests of adapters/sqlquery against real databases. It is
// a module of its own, so that no driver gets into the requirements of the library.
//
//	go test ./...
//
// PostgreSQL is started for the tests, on a free loopback port and in a temporary
// folder, if its programs are found by pg_config or in /usr/lib/postgresql; with
// RAMPGUARD_REQUIRE_POSTGRES=1 their absence is a failure. DuckDB, which needs cgo,
// and SQLite are part of the test program. ClickHouse is the longer command:
//
//	apt-get install clickhouse-server
//	RAMPGUARD_REQUIRE_CLICKHOUSE=1 go test -run ClickHouse -v ./...
//
// It starts two servers with a Distributed table over both, and kills one of them
// while it answers.
package sqltest
