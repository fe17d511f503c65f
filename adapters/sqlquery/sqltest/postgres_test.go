package sqltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
)

// missing skips the test, or fails it where the variable asks for that.
func missing(t *testing.T, variable, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	if os.Getenv(variable) == "1" {
		t.Fatal(text + ", and " + variable + "=1")
	}
	t.Skip(text)
}

// freePort is a port on loopback that nobody listens on.
func freePort(t *testing.T, host string) int {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// postgresPrograms is the folder of initdb and pg_ctl.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	var folders []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	more, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, folder := range append(folders, more...) {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder
		}
	}
	missing(t, "RAMPGUARD_REQUIRE_POSTGRES", "PostgreSQL is not installed")
	return ""
}

// startPostgres starts a server that ends with the test. The server refuses to run as
// root: then it runs as the user postgres.
func startPostgres(t *testing.T) (dsn string) {
	t.Helper()
	bin := postgresPrograms(t)
	dir, err := os.MkdirTemp("", "rampguard-pg-") // short, as the path of a socket has to be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := func(*exec.Cmd) {}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			missing(t, "RAMPGUARD_REQUIRE_POSTGRES", "PostgreSQL does not run as root, and there is no user postgres")
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		as = func(c *exec.Cmd) {
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		}
	}
	program := func(name string, args ...string) {
		t.Helper()
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir, c.Env = dir, append(os.Environ(), "LC_ALL=C.UTF-8")
		as(c)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	data, port := filepath.Join(dir, "data"), freePort(t, "127.0.0.1")
	program("initdb", "-D", data, "-A", "trust", "-E", "UTF8", "-U", "postgres", "--no-sync")
	program("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o",
		fmt.Sprintf("-c listen_addresses=127.0.0.1 -p %d -k %s -c fsync=off -c timezone=Asia/Kathmandu", port, dir), "start")
	t.Cleanup(func() { program("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop") })
	return fmt.Sprintf("postgres://postgres:hunter2@127.0.0.1:%d/postgres?sslmode=disable", port)
}

func TestPostgreSQL(t *testing.T) {
	dsn := startPostgres(t)
	db := open(t, "pgx", dsn)
	types := map[analysis.Type]string{analysis.Float: "float8", analysis.Int: "bigint", analysis.Bool: "boolean", analysis.String: "text", analysis.Time: "timestamp"}
	s := server{db: db, dialect: sqlquery.PostgreSQL, create: creates(db, types, ""),
		load: func(t *testing.T, table string, columns []column, rows [][]any) {
			t.Helper()
			conn, err := db.Conn(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			var names []string
			for _, c := range columns {
				names = append(names, c.name)
			}
			if err := conn.Raw(func(raw any) error {
				_, err := raw.(*stdlib.Conn).Conn().CopyFrom(context.Background(), pgx.Identifier{table}, names, pgx.CopyFromRows(rows))
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}}
	s.run(t)

	s.types = map[string]analysis.Type{"mood": analysis.String} // an enumeration has a type of its own
	t.Run("natives", func(t *testing.T) {
		s.natives(t, "CREATE TYPE mood AS ENUM ('b', 'a')", [7]string{"float4", "numeric", "smallint", "date", "uuid", "timestamptz", "mood"})
	})
	t.Run("read only", func(t *testing.T) {
		spec, err := analysis.NewSpec(analysis.Binary)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("CREATE TABLE log (x int); CREATE FUNCTION writes() RETURNS int LANGUAGE SQL AS 'INSERT INTO log VALUES (1) RETURNING x'"); err != nil {
			t.Fatal(err)
		}
		_, err = sqlquery.Collect(context.Background(), db, sqlquery.PostgreSQL, spec, sqlquery.Source{Query: "SELECT writes() AS x"}, sqlquery.Options{})
		if !errors.Is(err, sqlquery.ErrProvider) || !strings.Contains(err.Error(), "read-only transaction") {
			t.Error(err)
		}
	})
	t.Run("same rows", func(t *testing.T) { s.sameRows(t) })
	t.Run("no server", func(t *testing.T) {
		spec, err := analysis.NewSpec(analysis.Binary)
		if err != nil {
			t.Fatal(err)
		}
		for _, dsn := range []string{
			fmt.Sprintf("postgres://admin:hunter2@127.0.0.1:%d/log?sslmode=disable", freePort(t, "127.0.0.1")),
			fmt.Sprintf("host=127.0.0.1 port=%d user=admin password=hunter2 sslmode=disable", freePort(t, "127.0.0.1")),
			strings.Replace(dsn, "/postgres?", "/nowhere?", 1),
		} {
			_, err = sqlquery.Collect(context.Background(), open(t, "pgx", dsn), sqlquery.PostgreSQL, spec, sqlquery.Source{Table: "log"}, sqlquery.Options{Timeout: 5 * time.Second})
			if !errors.Is(err, sqlquery.ErrProvider) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2") {
				t.Error(err)
			}
		}
	})
}

// sameRows writes to a table while it is read: in a transaction that is not seen, and
// without one it is an error.
func (s *server) sameRows(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "a"}, analysis.ColumnSpec{Name: "b"})
	if err != nil {
		t.Fatal(err)
	}
	columns := []column{{"a", analysis.Int}, {"b", analysis.Int}}
	s.create(t, "growing", columns)
	s.load(t, "growing", columns, [][]any{{int64(1), int64(2)}, {int64(3), int64(4)}})
	for _, without := range []bool{false, true} {
		asked := 0
		o := sqlquery.Options{NoTransaction: without, Ran: func(sqlquery.Statement, int) {
			if asked++; asked == 2 {
				s.load(t, "growing", columns, [][]any{{int64(5), int64(6)}})
			}
		}}
		snap, err := sqlquery.Collect(context.Background(), s.db, s.dialect, spec, sqlquery.Source{Table: "growing"}, o)
		switch {
		case without && !errors.Is(err, sqlquery.ErrChanged):
			t.Errorf("without a transaction: %v", err)
		case !without && (err != nil || snap.RowCount != 2 || snap.Columns[1].Numeric.N() != 2):
			t.Errorf("in a transaction: %v", err)
		}
	}
}
