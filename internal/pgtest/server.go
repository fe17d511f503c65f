package pgtest

import (
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
)

// require is the variable that makes it a failure, instead of a skip, when there is
// no PostgreSQL.
const require = "RAMPGUARD_REQUIRE_POSTGRES"

// Start starts a server on loopback that ends with the test, and returns where it is.
func Start(tb testing.TB) (dsn string) {
	tb.Helper()
	bin := programs(tb)
	dir, err := os.MkdirTemp("", "rampguard-pg-") // short, as the path of a socket has to be
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := identity(tb, dir)
	run := func(name string, args ...string) {
		tb.Helper()
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir, c.Env, c.SysProcAttr = dir, append(os.Environ(), "LC_ALL=C.UTF-8"), as
		if out, err := c.CombinedOutput(); err != nil {
			tb.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	data, port := filepath.Join(dir, "data"), freePort(tb)
	run("initdb", "-D", data, "-A", "trust", "-E", "UTF8", "-U", "postgres", "--no-sync")
	run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o",
		fmt.Sprintf("-c listen_addresses=127.0.0.1 -p %d -k %s -c fsync=off -c max_connections=200", port, dir), "start")
	tb.Cleanup(func() { run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop") })
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
}

// programs is the folder of initdb and pg_ctl.
func programs(tb testing.TB) string {
	tb.Helper()
	var folders []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	more, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is sound
	for _, folder := range append(folders, more...) {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder
		}
	}
	missing(tb, "PostgreSQL is not installed")
	return ""
}

// identity is whom the server runs as. It refuses to run as root: then it is the user
// postgres, who gets the folder.
func identity(tb testing.TB, dir string) *syscall.SysProcAttr {
	tb.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		missing(tb, "PostgreSQL does not run as root, and there is no user postgres")
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		tb.Fatal(err1, err2)
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		tb.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	return port
}

func missing(tb testing.TB, text string) {
	tb.Helper()
	if os.Getenv(require) == "1" {
		tb.Fatal(text + ", and " + require + "=1")
	}
	tb.Skip(text)
}
