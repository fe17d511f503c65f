package mlflowevents_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/mlflowevents"
)

// hijack ends the connection in the way that do says.
func hijack(t *testing.T, w http.ResponseWriter, do func(*net.TCPConn)) {
	t.Helper()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	do(conn.(*net.TCPConn))
	conn.Close()
}

func TestFaults(t *testing.T) {
	const deadline = 400 * time.Millisecond
	for _, c := range []struct {
		name  string
		fault func(t *testing.T, w http.ResponseWriter, r *http.Request)
		want  error
		slow  bool // lasts until the deadline
	}{
		{"hang", func(_ *testing.T, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, mlflowevents.ErrTimeout, true},
		{"reset", func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			hijack(t, w, func(c *net.TCPConn) { _ = c.SetLinger(0) })
		}, mlflowevents.ErrUnavailable, false},
		{"closed without an answer", func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			hijack(t, w, func(*net.TCPConn) {})
		}, mlflowevents.ErrUnavailable, false},
		{"reset in the body", func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			hijack(t, w, func(c *net.TCPConn) {
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"registered")
				time.Sleep(5 * time.Millisecond)
				_ = c.SetLinger(0)
			})
		}, mlflowevents.ErrUnavailable, false},
		{"slow drip", func(_ *testing.T, w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				fmt.Fprint(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}, mlflowevents.ErrTimeout, true},
		{"body cut short", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"registered_models":[{"na`)
		}, mlflowevents.ErrAnswer, false},
		{"JSON cut short", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"registered_models":[{"name":"m"`)
		}, mlflowevents.ErrAnswer, false},
		{"429", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
		}, mlflowevents.ErrRateLimited, false},
		{"429 beyond the deadline", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(429)
		}, mlflowevents.ErrRateLimited, true},
		{"503", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(503)
			fmt.Fprint(w, `{"error_code":"TEMPORARILY_UNAVAILABLE","message":"later"}`)
		}, mlflowevents.ErrUnavailable, false},
		{"200 with HTML", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "\n<!doctype html><title>Sign in</title>")
		}, mlflowevents.ErrAnswer, false},
		{"empty", func(*testing.T, http.ResponseWriter, *http.Request) {}, mlflowevents.ErrAnswer, false},
		{"null", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "null") }, mlflowevents.ErrAnswer, false},
		{"204", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, mlflowevents.ErrAnswer, false},
		{"wrong types", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"registered_models":[{"name":7}]}`)
		}, mlflowevents.ErrAnswer, false},
		{"huge", func(_ *testing.T, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"registered_models":[`)
			block := strings.Repeat(`{"name":"m"},`, 1000)
			for r.Context().Err() == nil {
				if _, err := fmt.Fprint(w, block); err != nil {
					return
				}
			}
		}, mlflowevents.ErrTooLarge, false},
		{"error in HTML", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			fmt.Fprint(w, "<html>")
		}, mlflowevents.ErrRefused, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			f, s := newFake(t)
			f.fault = func(w http.ResponseWriter, r *http.Request) bool { c.fault(t, w, r); return true }
			cl := client(t, s.URL, mlflowevents.ClientOptions{MaxBody: 1 << 20})
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			var m0, m1 runtime.MemStats
			runtime.ReadMemStats(&m0)
			begin := time.Now()
			got, err := cl.RegisteredModels(ctx, "")
			took := time.Since(begin)
			runtime.ReadMemStats(&m1)
			var e *mlflowevents.Error
			if !errors.Is(err, c.want) || !errors.As(err, &e) || !strings.Contains(err.Error(), "/api/2.0/mlflow/registered-models/search") {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if len(got.Items) != 0 {
				t.Errorf("%d items with an error", len(got.Items))
			}
			if took > deadline+300*time.Millisecond || !c.slow && took >= deadline {
				t.Errorf("took %v", took)
			}
			if n := m1.TotalAlloc - m0.TotalAlloc; n > 64<<20 {
				t.Errorf("allocated %d MiB", n>>20)
			}
			if strings.Contains(err.Error(), s.Listener.Addr().String()+"/") {
				t.Errorf("the URL is in %v", err)
			}
			cl.Close()
			s.CloseClientConnections()
			s.Close()
			for range 100 {
				if runtime.NumGoroutine() <= before {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
			t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		})
	}
}

// TestHangIsBoundedWithoutDeadline: the timeout of an attempt holds on its own.
func TestHangIsBoundedWithoutDeadline(t *testing.T) {
	f, s := newFake(t)
	f.fault = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	c := client(t, s.URL, mlflowevents.ClientOptions{Timeout: 30 * time.Millisecond, MaxRetries: 2})
	begin := time.Now()
	_, err := c.RegisteredModels(t.Context(), "")
	if took := time.Since(begin); !errors.Is(err, mlflowevents.ErrTimeout) || took > time.Second || len(f.seen()) != 3 {
		t.Errorf("%v after %v and %d calls", err, took, len(f.seen()))
	}
	s.CloseClientConnections()
}
