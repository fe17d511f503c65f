package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// server is a Prometheus of one service, of whose candidate so many of 20000
// requests have failed; below 0 it does not answer.
func server(t *testing.T) (config string, failed *atomic.Int64) {
	t.Helper()
	failed = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := failed.Load()
		if n < 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		q, at := r.FormValue("query"), r.FormValue("time")
		series := []string{fmt.Sprintf(`{"metric":{},"value":[%s,"20000"]}`, at)}
		switch {
		case strings.Contains(q, "_bucket"):
			series = nil
			for le, v := range map[string]int{"0.1": 12000, "0.5": 19900, "+Inf": 20000} {
				series = append(series, fmt.Sprintf(`{"metric":{"le":%q},"value":[%s,"%d"]}`, le, at, v))
			}
		case strings.Contains(q, "5.."):
			if strings.Contains(q, "v7") {
				n = 25
			}
			series = []string{fmt.Sprintf(`{"metric":{},"value":[%s,"%d"]}`, at, n)}
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, strings.Join(series, ","))
	}))
	t.Cleanup(s.Close)
	b, err := os.ReadFile("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "http://127.0.0.1:9090", s.URL, 1) + "retries: -1\n"
	config = filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config, failed
}

func TestOnce(t *testing.T) {
	for _, tc := range []struct {
		failed int64
		code   int
		text   string
	}{{30, 0, "CONTINUE"}, {2000, 1, "ROLL BACK"}, {-1, 75, "server not available"}} {
		config, failed := server(t)
		failed.Store(tc.failed)
		var sb strings.Builder
		code, err := run(t.Context(), []string{"--config", config, "--policy", "policy.yaml", "--since", "10m", "--once"}, &sb)
		if code != tc.code || err != nil || !strings.Contains(sb.String(), tc.text) {
			t.Errorf("%d failed: status %d, %v:\n%s", tc.failed, code, err, sb.String())
		}
	}
}

// TestGate: it waits while the server is away, and ends with the verdict.
func TestGate(t *testing.T) {
	config, failed := server(t)
	failed.Store(-1)
	time.AfterFunc(50*time.Millisecond, func() { failed.Store(2000) })
	var sb strings.Builder
	code, err := run(t.Context(), []string{"--config", config, "--policy", "policy.yaml", "--since", "10m", "--every", "10ms"}, &sb)
	if code != 1 || err != nil || !strings.Contains(sb.String(), "server not available") || !strings.Contains(sb.String(), "ROLL BACK") {
		t.Errorf("status %d, %v:\n%s", code, err, sb.String())
	}
	failed.Store(-1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if code, err := run(ctx, []string{"--config", config, "--policy", "policy.yaml", "--since", "10m", "--every", "1h"}, &sb); code != 75 || err != nil {
		t.Errorf("stopped: status %d, %v", code, err)
	}
}

func TestMistakes(t *testing.T) {
	for _, args := range [][]string{{"--nonsense"}, {}, {"--policy", "policy.yaml"}, {"--policy", "config.yaml", "--config", "config.yaml"}, {"--policy", "policy.yaml", "--config", "policy.yaml"}} {
		if code, err := run(t.Context(), args, new(strings.Builder)); code != 2 || err == nil {
			t.Errorf("%q: status %d, %v", args, code, err)
		}
	}
}
