package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-plugin"
)

// The programs under test, built by TestMain.
var serveBinary, pluginBinary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "argogate-e2e")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		defer plugin.CleanupClients()
		serveBinary, pluginBinary = filepath.Join(dir, "rampguard"), filepath.Join(dir, "rampguard-argo")
		for _, b := range [][]string{{"../../..", serveBinary, "./cmd/rampguard"}, {"..", pluginBinary, "./cmd/rampguard-argo"}} {
			if out, err := exec.Command("go", "build", "-C", b[0], "-buildvcs=false", "-o", b[1], b[2]).CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
				return 1
			}
		}
		return m.Run()
	}())
}

const (
	token  = "0123456789abcdef-e2e"
	policy = `version: 1
model: {name: fraud, baseline: v7, candidate: v8}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, bounds: {rollback: 5%}}
`
)

// process is a program in the background that ends with the test.
type process struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	log bytes.Buffer
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// spawn starts a program and hands each line that it writes to seen.
func spawn(t *testing.T, dir string, env []string, seen func(string), name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...)}
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), env...)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if seen != nil {
				seen(lines.Text())
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		_ = r.Close()
		<-ended
		if t.Failed() {
			text := p.logged()
			if len(text) > 12_000 {
				text = text[len(text)-12_000:]
			}
			t.Logf("%s wrote:\n%s", filepath.Base(name), text)
		}
	})
	return p
}

// gate is a "rampguard serve" of its own.
type gate struct {
	*process
	url string
	ids int
	mu  sync.Mutex
}

func startGate(t *testing.T) *gate {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"fraud.yaml": policy, "other.yaml": policy, "tokens": "tester " + token + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := make(chan string, 1)
	g := &gate{}
	g.process = spawn(t, dir, nil, func(line string) {
		var l struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "listening" {
			address <- l.Address
		}
	}, serveBinary, "serve", "--listen", "127.0.0.1:0", "--policy", "fraud.yaml", "--policy", "other.yaml", "--store", "gate.db",
		"--token-file", "tokens", "--override-by", "tester", "--rate", "1000", "--burst", "1000")
	select {
	case a := <-address:
		g.url = "http://" + a
	case <-time.After(20 * time.Second):
		t.Fatal("the gate does not listen")
	}
	return g
}

// The evidence that leads to each verdict: errors of the candidate in 10,000, where
// the baseline has 100.
var evidence = map[string]int{"continue": 100, "pause": 500, "manual": 100, "rollback": 2000}

// look posts evidence about a rollout and returns the decision.
func (g *gate) look(t *testing.T, rollout, outcome string) string {
	t.Helper()
	g.mu.Lock()
	g.ids++
	id := g.ids
	g.mu.Unlock()
	overrides := ""
	if outcome == "manual" {
		overrides = `, "overrides": [{"action": "pause", "who": "ann", "why": "holiday"}]`
	}
	body := fmt.Sprintf(`{"rollout": %q, "policy": "fraud", "look": "look-%d", "measurements": [
		{"arm": "baseline", "metric": "errors", "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z", "total": 100, "count": 10000},
		{"arm": "candidate", "metric": "errors", "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z", "total": %d, "count": 10000}]%s}`,
		rollout, id, evidence[outcome], overrides)
	r, err := http.NewRequest(http.MethodPost, g.url+"/v1/decide", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s %v", resp.StatusCode, text, err)
	}
	var v struct {
		Decision string `json:"decision"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v.Decision
}

// until waits for something to be so.
func until(t *testing.T, what string, limit time.Duration, so func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if so() {
			return
		}
	}
	t.Fatalf("after %s still not: %s", limit, what)
}

type rawMessage = json.RawMessage

// manifests is the folder of what is shipped.
var manifests = func() string {
	path, err := filepath.Abs("../manifests")
	if err != nil {
		panic(err)
	}
	return path
}()

// replaceAll replaces texts, given as old and new in turn.
func replaceAll(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }
