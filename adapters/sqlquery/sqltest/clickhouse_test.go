package sqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/adapters/sqlquery"
	"github.com/rampguard/rampguard/analysis"
)

const clickhouseConfig = `<yandex>
<logger><level>warning</level><log>%[1]s/log</log><errorlog>%[1]s/err</errorlog></logger>
<http_port>%[2]d</http_port><tcp_port>%[3]d</tcp_port><interserver_http_port>%[4]d</interserver_http_port>
<listen_host>%[5]s</listen_host><interserver_http_host>%[5]s</interserver_http_host>
<path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path><user_files_path>%[1]s/files/</user_files_path><format_schema_path>%[1]s/schemas/</format_schema_path>
<mark_cache_size>67108864</mark_cache_size><users_config>%[1]s/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database><timezone>Asia/Kathmandu</timezone>
<remote_servers><two_shards>
<shard><replica><host>127.0.0.1</host><port>%[6]d</port></replica></shard>
<shard><replica><host>127.0.0.2</host><port>%[7]d</port></replica></shard>
</two_shards></remote_servers>
</yandex>`

const clickhouseUsers = `<yandex><profiles><default><max_threads>2</max_threads></default></profiles>
<users><default><password></password><networks><ip>127.0.0.0/8</ip></networks><profile>default</profile><quota>default</quota></default></users>
<quotas><default></default></quotas></yandex>`

// clickhouse is a running server.
type clickhouse struct {
	server
	process *os.Process
	address string
}

// startClickHouse starts a server on a host of loopback. ports are the native ports
// of the two shards; own is that of this one.
func startClickHouse(t *testing.T, program, host string, own int, ports [2]int) *clickhouse {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf(clickhouseConfig, dir, freePort(t, host), own, freePort(t, host), host, ports[0], ports[1])
	for name, text := range map[string]string{"config.xml": config, "users.xml": clickhouseUsers} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(program, "--config-file="+filepath.Join(dir, "config.xml"))
	c.Dir = dir
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-done
	})
	db := open(t, "clickhouse", fmt.Sprintf("clickhouse://%s:%d/default?max_execution_time=300", host, own))
	db.SetMaxIdleConns(-1) // after an error, a connection of this driver to this old server is out of step
	for range 300 {
		if err := db.Ping(); err == nil {
			s := &clickhouse{process: c.Process, address: fmt.Sprintf("%s:%d", host, own), server: server{db: db, dialect: sqlquery.ClickHouse}}
			types := map[analysis.Type]string{analysis.Float: "Nullable(Float64)", analysis.Int: "Nullable(Int64)", analysis.Bool: "Nullable(UInt8)", analysis.String: "Nullable(String)", analysis.Time: "Nullable(DateTime)"}
			s.types = map[string]analysis.Type{"label": analysis.Bool, "flag": analysis.Bool}
			s.create = func(t *testing.T, table string, columns []column) {
				t.Helper()
				var parts []string
				for _, c := range columns {
					parts = append(parts, "`"+strings.ReplaceAll(c.name, "`", "\\`")+"` "+types[c.typ])
				}
				if _, err := db.Exec("CREATE TABLE " + table + " (" + strings.Join(parts, ", ") + ") ENGINE = MergeTree() ORDER BY tuple()"); err != nil {
					t.Fatal(err)
				}
			}
			loads := 0
			s.load = func(t *testing.T, into string, columns []column, rows [][]any) {
				t.Helper()
				// The driver does not find columns with odd names: they get others on the way.
				loads++
				table := fmt.Sprintf("load%d", loads)
				plain := make([]column, len(columns))
				var names []string
				for i, c := range columns {
					plain[i] = column{fmt.Sprintf("c%d", i), c.typ}
					names = append(names, plain[i].name)
				}
				s.create(t, table, plain)
				tx, err := db.Begin()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback() }()
				insert, err := tx.Prepare("INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")")
				if err != nil {
					t.Fatal(err)
				}
				values := make([]any, len(columns))
				for _, row := range rows {
					for i, v := range row {
						if b, ok := v.(bool); ok {
							v = map[bool]uint8{true: 1}[b]
						}
						values[i] = v
					}
					if _, err := insert.Exec(values...); err != nil {
						t.Fatal(err)
					}
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				if _, err := db.Exec("INSERT INTO " + into + " SELECT * FROM " + table); err != nil {
					t.Fatal(err)
				}
			}
			return s
		}
		select {
		case err := <-done:
			done <- err
			log, _ := os.ReadFile(filepath.Join(dir, "err"))
			t.Fatalf("clickhouse-server ended: %v\n%.2000s", err, log)
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("clickhouse-server does not answer")
	return nil
}

func TestClickHouse(t *testing.T) {
	const variable = "RAMPGUARD_REQUIRE_CLICKHOUSE"
	if os.Getenv(variable) != "1" {
		t.Skip("a longer test, for " + variable + "=1")
	}
	program, err := exec.LookPath("clickhouse-server")
	if err != nil {
		missing(t, variable, "clickhouse-server is not installed")
	}
	ports := [2]int{freePort(t, "127.0.0.1"), freePort(t, "127.0.0.2")}
	first := startClickHouse(t, program, "127.0.0.1", ports[0], ports)
	second := startClickHouse(t, program, "127.0.0.2", ports[1], ports)
	first.run(t)
	t.Run("same rows", func(t *testing.T) {
		spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		columns := []column{{"a", analysis.Int}}
		first.create(t, "growing", columns)
		first.load(t, "growing", columns, [][]any{{int64(1)}})
		asked := 0
		o := sqlquery.Options{Ran: func(sqlquery.Statement, int) {
			if asked++; asked == 2 { // after the last statement but the count
				first.load(t, "growing", columns, [][]any{{int64(5)}})
			}
		}}
		if _, err := sqlquery.Collect(context.Background(), first.db, first.dialect, spec, sqlquery.Source{Table: "growing"}, o); !errors.Is(err, sqlquery.ErrChanged) {
			t.Error(err)
		}
	})
	t.Run("distributed", func(t *testing.T) { distributed(t, first, second) })
}

// killAfter is when a shard is killed that takes two seconds for its statement.
const killAfter = time.Second

// distributed spreads the flights over two servers, and kills one of them.
func distributed(t *testing.T, first, second *clickhouse) {
	columns := flightColumns(t)
	first.create(t, "part", columns)
	second.create(t, "part", columns)
	rows := flightRows(t, "baseline", columns)
	first.load(t, "part", columns, rows[:20_000])
	second.load(t, "part", columns, rows[20_000:])
	first.create(t, "shape", columns)
	if _, err := first.db.Exec("CREATE TABLE everywhere AS shape ENGINE = Distributed(two_shards, default, part)"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	wide := wideSpec(t)
	want, err := parquetrows.Collect(ctx, wide, parquetrows.Options{}, flights+"baseline.parquet")
	if err != nil {
		t.Fatal(err)
	}
	src := sqlquery.Source{Table: "everywhere", Types: first.typesOf(wide)}
	got, err := sqlquery.Collect(ctx, first.db, first.dialect, wide, src, sqlquery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)

	// A shard dies while a statement runs: the source sleeps at each row, for two
	// seconds in all.
	slow := sqlquery.Source{Query: "SELECT * FROM everywhere WHERE sleepEachRow(0.00005) = 0", Types: src.Types}
	timer := time.AfterFunc(killAfter, func() { _ = second.process.Kill() })
	defer timer.Stop()
	begin := time.Now()
	snap, err := sqlquery.Collect(ctx, first.db, first.dialect, wide, slow, sqlquery.Options{Timeout: time.Minute})
	t.Logf("a shard killed in the middle of a statement, after %v: %v", time.Since(begin).Round(time.Millisecond), err)
	if !errors.Is(err, sqlquery.ErrProvider) || snap != nil {
		t.Fatalf("a shard was killed: %v", err)
	}
	if time.Since(begin) < killAfter || strings.Contains(err.Error(), "sleep") {
		t.Error("that has nothing to do with the shard")
	}

	// And it stays dead, even for a connection that asks to go on without it.
	snap, err = sqlquery.Collect(ctx, first.db, first.dialect, wide, src, sqlquery.Options{Timeout: time.Minute})
	t.Logf("a shard gone: %v", err)
	if !errors.Is(err, sqlquery.ErrProvider) || snap != nil {
		t.Errorf("a shard is gone: %v", err)
	}
	lax := open(t, "clickhouse", fmt.Sprintf("clickhouse://%s/default?skip_unavailable_shards=1", first.address))
	lax.SetMaxIdleConns(-1)
	n := 0
	for range 10 { // the first server has to notice first that its connections to the second are dead
		if err = lax.QueryRow("SELECT count() FROM everywhere").Scan(&n); err == nil {
			break
		}
	}
	if err != nil || n != 20_000 {
		t.Errorf("the control: %d rows, error %v", n, err)
	}
	if snap, err = sqlquery.Collect(ctx, lax, first.dialect, wide, src, sqlquery.Options{Timeout: time.Minute}); !errors.Is(err, sqlquery.ErrProvider) || snap != nil {
		t.Errorf("a shard is gone, and the connection would skip it: %v", err)
	}
}
