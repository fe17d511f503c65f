package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// serveVariable makes the test binary the command "rampguard serve", so that tests
// can kill it.
const serveVariable = "RAMPGUARD_TEST_SERVE"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cmd := newServe(os.Stdout, os.Stderr)
	cmd.SetArgs(os.Args[1:])
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitError)
	}
	os.Exit(0)
}

const serveToken = "0123456789abcdef0123456789abcdef"

const servePolicy = `version: 1
model: {name: fraud, baseline: v7, candidate: v8}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, bounds: {rollback: 5%}}
`

// serveFolder makes a folder with a policy and tokens, and returns the flags that
// name them.
func serveFolder(t *testing.T) (dir string, args []string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"policies/fraud.yaml": servePolicy, "tokens": "# who may ask\n\ntester " + serveToken + "\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, []string{"--listen", "127.0.0.1:0", "--policy", filepath.Join(dir, "policies"), "--token-file", filepath.Join(dir, "tokens"), "--rate", "1e9", "--burst", "1000000000"}
}

// gateProcess is a gate in a process of its own.
type gateProcess struct {
	url  string
	cmd  *exec.Cmd
	done chan error

	mu  sync.Mutex
	log bytes.Buffer
}

// startServe starts a gate, which ends with the test at the latest.
func startServe(t *testing.T, args ...string) *gateProcess {
	t.Helper()
	s := &gateProcess{cmd: exec.Command(os.Args[0], args...), done: make(chan error, 1)}
	s.cmd.Env = append(os.Environ(), serveVariable+"=1")
	out, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var l struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &l) == nil && l.Msg == "listening" {
				address <- l.Address
			}
			s.mu.Lock()
			s.log.Write(append(lines.Bytes(), '\n'))
			s.mu.Unlock()
		}
		s.done <- s.cmd.Wait()
		close(s.done)
	}()
	select {
	case a := <-address:
		s.url = "http://" + a
	case err := <-s.done:
		t.Fatalf("%v\n%s", err, s.logged())
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not listen\n%s", s.logged())
	}
	return s
}

func (s *gateProcess) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// kill ends the process as a loss of power would end it for the process.
func (s *gateProcess) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// end asks the process to end and returns how it did.
func (s *gateProcess) end() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-s.done
}

// ask sends a request and returns the status and the body; the status is 0 when there
// is no whole answer.
func (s *gateProcess) ask(client *http.Client, method, path, body string) (int, string) {
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+serveToken)
	resp, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// serveLook is the body of a look at which the candidate has some errors in 10,000.
func serveLook(rollout, id string, errors int) string {
	return fmt.Sprintf(`{"rollout": %q, "policy": "fraud", "look": %q, "measurements": [
		{"arm": "baseline", "metric": "errors", "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z", "total": 100, "count": 10000},
		{"arm": "candidate", "metric": "errors", "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z", "total": %d, "count": 10000}]}`, rollout, id, errors)
}

// ledger is what clients know was accepted.
type ledger struct {
	mu       sync.Mutex
	accepted map[string]string // digest of the verdict by rollout and look
}

func ledgerKey(rollout, look string) string { return rollout + " " + look }

func (l *ledger) accept(rollout, look, verdict string) error {
	var v struct{ Record struct{ Digest string } }
	if err := json.Unmarshal([]byte(verdict), &v); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if have, twice := l.accepted[ledgerKey(rollout, look)]; twice && have != v.Record.Digest {
		return fmt.Errorf("rollout %s, look %s: first verdict %.12s, then %.12s", rollout, look, have, v.Record.Digest)
	}
	l.accepted[ledgerKey(rollout, look)] = v.Record.Digest
	return nil
}

// audit holds a store against the ledger: chains are unbroken, each look is there
// once, no accepted one is missing, and the last verdict of each rollout can be
// computed again. It returns the number of records.
func (l *ledger) audit(t *testing.T, store webhookgate.Store, rollouts []string) int {
	t.Helper()
	ctx := context.Background()
	seen, total := map[string]string{}, 0
	for _, rollout := range rollouts {
		all, err := store.Records(ctx, rollout, 1, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		var before *analysis.Verdict
		for i, s := range all {
			v, err := analysis.VerdictFromJSON(s.Record)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Verify(before); err != nil {
				t.Fatalf("rollout %s, record %d: %v", rollout, i+1, err)
			}
			key := ledgerKey(rollout, s.Look)
			if _, twice := seen[key]; twice || s.Number != i+1 || v.State.Looks != uint64(i+1) {
				t.Fatalf("rollout %s, record %d has number %d and is look %d; was it there before: %v", rollout, i+1, s.Number, v.State.Looks, twice)
			}
			seen[key], before = v.Record.Digest, v
		}
		total += len(all)
		if before == nil {
			continue
		}
		canonical, err := webhookgate.LoadPolicy(ctx, store, before.Record.PolicyDigest)
		if err != nil {
			t.Fatal(err)
		}
		p, err := analysis.LoadPolicy("stored", canonical, checks.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := analysis.Replay(before, p, func(digest string) (*analysis.Snapshot, error) {
			return webhookgate.LoadSnapshot(ctx, store, digest)
		}); err != nil {
			t.Errorf("rollout %s: %v", rollout, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, digest := range l.accepted {
		if seen[key] != digest {
			t.Errorf("look %s was accepted with verdict %.12s, the store has %.12q", key, digest, seen[key])
		}
	}
	return total
}
