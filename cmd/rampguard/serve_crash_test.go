package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/internal/pgtest"
)

func rolloutNames(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprint("rollout", i))
	}
	return out
}

func auditBolt(t *testing.T, l *ledger, path string, rollouts []string) int {
	t.Helper()
	s, err := gatestore.OpenBolt(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return l.audit(t, s, rollouts)
}

func auditPostgres(t *testing.T, l *ledger, dsn string, rollouts []string) int {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := gatestore.OpenPostgres(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	return l.audit(t, s, rollouts)
}

// No look that was accepted is lost while 200 clients post at once. The time is that
// of RAMPGUARD_SERVE_LOAD, such as 30s.
func TestServeUnderLoad(t *testing.T) {
	t.Parallel()
	lasts := 4 * time.Second
	if text := os.Getenv("RAMPGUARD_SERVE_LOAD"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	} else if testing.Short() {
		lasts = time.Second
	}
	dir, args := serveFolder(t)
	path := filepath.Join(dir, "gate.db")
	s := startServe(t, append(args, "--store", path)...)
	const clients = 200
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: 30 * time.Second}
	l, rollouts := ledger{accepted: map[string]string{}}, rolloutNames(50)
	end := time.Now().Add(lasts)
	var wg sync.WaitGroup
	var slowest [clients]time.Duration
	for c := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; time.Now().Before(end); i++ {
				rollout, id, began := rollouts[(c+i)%len(rollouts)], fmt.Sprintf("%d-%d", c, i), time.Now()
				status, body := s.ask(client, "POST", "/v1/decide", serveLook(rollout, id, 100))
				slowest[c] = max(slowest[c], time.Since(began))
				if status != http.StatusOK {
					t.Errorf("look %s: %d %.200s", id, status, body)
					return
				}
				if err := l.accept(rollout, id, body); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	if err := s.end(); err != nil {
		t.Errorf("the gate ended with %v", err)
	}
	n := auditBolt(t, &l, path, rollouts)
	worst := slowest[0]
	for _, d := range slowest {
		worst = max(worst, d)
	}
	t.Logf("%d clients for %v: %d looks accepted, %d stored, the slowest answer after %v", clients, lasts, len(l.accepted), n, worst)
	if n != len(l.accepted) || n < clients {
		t.Errorf("%d looks were accepted, %d are stored, want the same and at least %d", len(l.accepted), n, clients)
	}
}

// Killed at any moment, the gate comes back with every look that it had accepted, in
// chains that verify, and a look that is sent again counts once. The number of kills
// is RAMPGUARD_SERVE_KILLS.
func TestServeKilled(t *testing.T) {
	t.Parallel()
	dir, args := serveFolder(t)
	path := filepath.Join(dir, "gate.db")
	killed(t, killsOf(t, 8), append(args, "--store", path), func(l *ledger, rollouts []string) int { return auditBolt(t, l, path, rollouts) })
}

// The same on PostgreSQL.
func TestServeKilledOnPostgres(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Start(t)
	_, args := serveFolder(t)
	killed(t, killsOf(t, 4), append(args, "--store", dsn), func(l *ledger, rollouts []string) int { return auditPostgres(t, l, dsn, rollouts) })
}

func killsOf(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("RAMPGUARD_SERVE_KILLS")
	if text == "" {
		return usual
	}
	kills, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return kills
}

// killed starts and kills gates that clients post looks to. After each kill audit
// compares the store with what the clients know, and returns the number of records.
func killed(t *testing.T, kills int, args []string, audit func(*ledger, []string) int) {
	rng := rand.New(rand.NewPCG(20260131, 1))
	l, rollouts := ledger{accepted: map[string]string{}}, rolloutNames(4)
	const clients = 8
	next := [clients]int{} // looks that were accepted, by client
	unanswered := 0
	for kill := range kills {
		s := startServe(t, args...)
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: 10 * time.Second}
		var wg sync.WaitGroup
		for c := range clients {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for {
					rollout, id := rollouts[c%len(rollouts)], fmt.Sprintf("%d-%d", c, next[c])
					status, body := s.ask(client, "POST", "/v1/decide", serveLook(rollout, id, 100))
					if status == 0 {
						return // killed; the same look is sent to the next life
					}
					if status != http.StatusOK {
						t.Errorf("look %s: %d %.200s", id, status, body)
						return
					}
					if err := l.accept(rollout, id, body); err != nil {
						t.Error(err)
					}
					next[c]++
				}
			}()
		}
		time.Sleep(time.Duration(rng.Int64N(int64(250 * time.Millisecond))))
		s.kill()
		wg.Wait()
		client.CloseIdleConnections()
		n := audit(&l, rollouts)
		if t.Failed() {
			t.Fatalf("kill %d", kill+1)
		}
		if n > len(l.accepted)+clients {
			t.Fatalf("kill %d: %d stored, %d accepted: more than the %d on their way", kill+1, n, len(l.accepted), clients)
		}
		unanswered += n - len(l.accepted)
	}
	t.Logf("%d kills: %d looks accepted, %d times a look was stored that its client had no answer for", kills, len(l.accepted), unanswered)
	if len(l.accepted) < kills {
		t.Errorf("%d looks in %d lives", len(l.accepted), kills)
	}
}

// Two replicas on one PostgreSQL tell the same, and a look that is sent to both
// counts once.
func TestServeReplicas(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Start(t)
	_, args := serveFolder(t)
	args = append(args, "--store", dsn)
	replicas := []*gateProcess{startServe(t, args...), startServe(t, args...)}
	client := &http.Client{Timeout: 30 * time.Second}
	l, rollouts := ledger{accepted: map[string]string{}}, rolloutNames(3)
	var wg sync.WaitGroup
	for i := range 60 {
		for _, s := range replicas {
			wg.Add(1)
			go func() {
				defer wg.Done()
				rollout, id := rollouts[i%len(rollouts)], fmt.Sprint("look", i)
				status, body := s.ask(client, "POST", "/v1/decide", serveLook(rollout, id, []int{100, 500, 2000}[i%3]))
				if status != http.StatusOK {
					t.Errorf("look %s: %d %.200s", id, status, body)
					return
				}
				if err := l.accept(rollout, id, body); err != nil {
					t.Error(err) // the replicas gave different verdicts
				}
			}()
		}
	}
	wg.Wait()
	for _, rollout := range rollouts {
		for _, path := range []string{"/v1/rollouts/" + rollout, "/argo/fraud/" + rollout, "/v1/rollouts/" + rollout + "/records"} {
			_, a := replicas[0].ask(client, "GET", path, "")
			if _, b := replicas[1].ask(client, "GET", path, ""); a != b || len(a) < 100 {
				t.Errorf("%s: the replicas say\n%.300s\n%.300s", path, a, b)
			}
		}
	}
	if n := auditPostgres(t, &l, dsn, rollouts); n != 60 {
		t.Errorf("%d records, want 60", n)
	}
}
