package gatestore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/lib/pq"

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/internal/pgtest"
	"github.com/rampguard/rampguard/stats"
)

var (
	_ webhookgate.Store = (*gatestore.Memory)(nil)
	_ webhookgate.Store = (*gatestore.Bolt)(nil)
	_ webhookgate.Store = (*gatestore.Postgres)(nil)
)

func TestMemory(t *testing.T) { conforms(t, gatestore.NewMemory(), nil) }

func TestBolt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.db")
	s := openBolt(t, path)
	conforms(t, s, func() webhookgate.Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openBolt(t, path)
		return s
	})
	if _, err := gatestore.OpenBolt(path, 10*time.Millisecond); err == nil {
		t.Error("two stores have one file")
	}
	if _, err := gatestore.OpenBolt(filepath.Join(path, "nowhere"), 0); err == nil {
		t.Error("a file is a folder")
	}
}

// An error says in which call it was found.
func TestBoltErrors(t *testing.T) {
	ctx := context.Background()
	done, cancel := context.WithCancel(ctx)
	cancel()
	open, closed := openBolt(t, filepath.Join(t.TempDir(), "a.db")), openBolt(t, filepath.Join(t.TempDir(), "b.db"))
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(*gatestore.Bolt, context.Context) error{
		"Load":    func(s *gatestore.Bolt, ctx context.Context) error { _, err := s.Load(ctx, "r", "a"); return err },
		"Append":  func(s *gatestore.Bolt, ctx context.Context) error { return s.Append(ctx, "r", entry(1, "a")) },
		"Records": func(s *gatestore.Bolt, ctx context.Context) error { _, err := s.Records(ctx, "r", 1, 1); return err },
		"Blob":    func(s *gatestore.Bolt, ctx context.Context) error { _, err := s.Blob(ctx, "x"); return err },
		"Bind":    func(s *gatestore.Bolt, ctx context.Context) error { _, err := s.Bind(ctx, "r", "ann"); return err },
		"Ping":    func(s *gatestore.Bolt, ctx context.Context) error { return s.Ping(ctx) },
	} {
		if err := call(open, done); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "gatestore: "+name+": ") {
			t.Errorf("%s after the caller has left: %v", name, err)
		}
		if err := call(closed, ctx); err == nil || !strings.HasPrefix(err.Error(), "gatestore: "+name+": ") {
			t.Errorf("%s of a file that is closed: %v", name, err)
		}
	}
}

func openBolt(t *testing.T, path string) *gatestore.Bolt {
	t.Helper()
	s, err := gatestore.OpenBolt(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestPostgres(t *testing.T) {
	dsn := pgtest.Start(t)
	open := func() *gatestore.Postgres {
		db, err := sql.Open("postgres", dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		s, err := gatestore.OpenPostgres(context.Background(), db)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var wg sync.WaitGroup
	for range 8 { // replicas that start at once
		wg.Add(1)
		go func() { defer wg.Done(); open() }()
	}
	wg.Wait()
	conforms(t, open(), func() webhookgate.Store { return open() })
}

func entry(number int, look string, blobs ...string) webhookgate.Entry {
	e := webhookgate.Entry{Stored: webhookgate.Stored{Number: number, Look: look, Request: "request of " + look, Record: []byte(`{"look": "` + look + `", "null": "\u0000"}`)}, Policy: "p"}
	for _, b := range blobs {
		e.Blobs = append(e.Blobs, webhookgate.Blob{Name: "snapshots/" + b, Data: []byte(b + "\x00\xff")})
	}
	return e
}

// conforms is what every store does. again opens the store a second time, where that
// is possible.
func conforms(t *testing.T, s webhookgate.Store, again func() webhookgate.Store) {
	ctx := context.Background()
	append1 := func(rollout string, e webhookgate.Entry, want error) {
		t.Helper()
		if err := s.Append(ctx, rollout, e); !errors.Is(err, want) {
			t.Errorf("look %s: %v, want %v", e.Look, err, want)
		}
	}
	load := func(rollout, look string, want webhookgate.Past) {
		t.Helper()
		if got, err := s.Load(ctx, rollout, look); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got))
		}
	}
	if err := s.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	load("r", "a", webhookgate.Past{})
	load("r", "", webhookgate.Past{})
	append1("r", entry(2, "b"), webhookgate.ErrConflict)
	load("r", "", webhookgate.Past{})
	append1("r", entry(1, "a", "x", "y"), nil)
	append1("r", entry(1, "b", "z"), webhookgate.ErrConflict)
	append1("r", entry(2, "a"), webhookgate.ErrConflict)
	append1("r", entry(3, "b"), webhookgate.ErrConflict)
	other := entry(2, "b")
	other.Policy = "q"
	append1("r", other, webhookgate.ErrConflict)
	append1("other", entry(1, "a", "x"), nil)
	append1("r", entry(2, "b", "y"), nil)
	for _, e := range []webhookgate.Entry{entry(0, "c"), entry(3, ""), {Stored: webhookgate.Stored{Number: 3, Look: "c", Record: []byte("{}")}}, {Stored: webhookgate.Stored{Number: 3, Look: "c"}, Policy: "p"}} {
		append1("r", e, stats.ErrDomain)
	}

	if owner, err := s.Bind(ctx, "r", "ann"); err != nil || owner != "ann" {
		t.Error(owner, err)
	}
	if owner, err := s.Bind(ctx, "r", "bob"); err != nil || owner != "ann" {
		t.Error(owner, err)
	}
	if owner, err := s.Bind(ctx, "never looked at", "bob"); err != nil || owner != "bob" {
		t.Error(owner, err)
	}
	stays := func() {
		t.Helper()
		a, b := entry(1, "a").Stored, entry(2, "b").Stored
		load("r", "", webhookgate.Past{Records: 2, Policy: "p", Owner: "ann", Last: b.Record})
		load("r", "a", webhookgate.Past{Records: 2, Policy: "p", Owner: "ann", Last: b.Record, Look: &a})
		mine, err := s.Load(ctx, "r", "a")
		if err != nil {
			t.Fatal(err)
		}
		mine.Look.Record[0], mine.Last[0] = 'x', 'x' // what was loaded is the caller's
		load("r", "a", webhookgate.Past{Records: 2, Policy: "p", Owner: "ann", Last: b.Record, Look: &a})
		load("r", "c", webhookgate.Past{Records: 2, Policy: "p", Owner: "ann", Last: b.Record})
		load("never looked at", "", webhookgate.Past{Owner: "bob"})
		for _, page := range []struct {
			from, limit int
			want        []webhookgate.Stored
		}{{1, 10, []webhookgate.Stored{a, b}}, {1, 1, []webhookgate.Stored{a}}, {2, 10, []webhookgate.Stored{b}}, {3, 10, nil}, {0, 1, []webhookgate.Stored{a}}} {
			if got, err := s.Records(ctx, "r", page.from, page.limit); err != nil || cmp.Diff(page.want, got) != "" {
				t.Errorf("from %d: %v\n%s", page.from, err, cmp.Diff(page.want, got))
			}
		}
		for name, known := range map[string]bool{"x": true, "y": true, "z": false} {
			got, err := s.Blob(ctx, "snapshots/"+name)
			if known && (err != nil || string(got) != name+"\x00\xff") || !known && !errors.Is(err, webhookgate.ErrNotFound) {
				t.Errorf("blob %s: %q, %v", name, got, err)
			}
		}
		if got, err := s.Records(ctx, "nobody", 1, 10); err != nil || got != nil {
			t.Error(got, err)
		}
	}
	stays()
	if again != nil {
		s = again()
		stays()
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Append(done, "r", entry(3, "c")); err == nil {
		t.Error("a look is stored after the caller has left")
	}
	compete(t, s)
}

// compete lets many append to one rollout: each number is taken once, and those that
// lose are told.
func compete(t *testing.T, s webhookgate.Store) {
	t.Helper()
	ctx := context.Background()
	const workers, looks = 8, 10
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < looks; {
				past, err := s.Load(ctx, "shared", "")
				if err != nil {
					t.Error(err)
					return
				}
				switch err := s.Append(ctx, "shared", entry(past.Records+1, fmt.Sprintf("%d-%d", w, i), "common", fmt.Sprint("of", w%3))); {
				case err == nil:
					i++
				case !errors.Is(err, webhookgate.ErrConflict):
					t.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
	all, err := s.Records(ctx, "shared", 1, 1000)
	if err != nil || len(all) != workers*looks {
		t.Fatalf("%d records, want %d: %v", len(all), workers*looks, err)
	}
	seen := map[string]bool{}
	for i, r := range all {
		if r.Number != i+1 || seen[r.Look] {
			t.Errorf("record %d has number %d and look %s, which was there before: %v", i+1, r.Number, r.Look, seen[r.Look])
		}
		seen[r.Look] = true
	}
}
