package promquery_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
)

const token = "tok-hunter2-0123456789"

// hijack ends the connection in the way that do says.
func hijack(t *testing.T, w http.ResponseWriter, do func(*net.TCPConn)) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	do(conn.(*net.TCPConn))
	conn.Close()
}

// TestFaults: each fault has its typed outcome within the deadline, in bounded
// memory, leaves nothing behind, and tells no secret.
func TestFaults(t *testing.T) {
	say := func(status int, body string, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	for _, tc := range []struct {
		name string
		do   func(t *testing.T) http.HandlerFunc
		want error
		slow bool // lasts until the deadline
	}{
		{"hang", func(*testing.T) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { _ = r.ParseForm(); <-r.Context().Done() }
		}, promquery.ErrTimeout, true},
		{"reset", func(t *testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				hijack(t, w, func(c *net.TCPConn) { _ = c.SetLinger(0) })
			}
		}, promquery.ErrUnavailable, false},
		{"closed without an answer", func(t *testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { hijack(t, w, func(*net.TCPConn) {}) }
		}, promquery.ErrUnavailable, false},
		{"reset in the body", func(t *testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				hijack(t, w, func(c *net.TCPConn) {
					fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\"")
					time.Sleep(5 * time.Millisecond)
					_ = c.SetLinger(0)
				})
			}
		}, promquery.ErrUnavailable, false},
		{"slow drip", func(*testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				for r.Context().Err() == nil {
					fmt.Fprint(w, " ")
					w.(http.Flusher).Flush()
					time.Sleep(10 * time.Millisecond)
				}
			}
		}, promquery.ErrTimeout, true},
		{"body cut short", func(*testing.T) http.HandlerFunc {
			return say(200, `{"status":"succ`, "Content-Length", "1000")
		}, promquery.ErrAnswer, false},
		{"truncated JSON", func(*testing.T) http.HandlerFunc { return say(200, `{"status":"success","data":{"resultType":"vec`) }, promquery.ErrAnswer, false},
		{"429", func(*testing.T) http.HandlerFunc { return say(429, "", "Retry-After", "0") }, promquery.ErrRateLimited, false},
		{"429 for an hour", func(*testing.T) http.HandlerFunc { return say(429, "", "Retry-After", "3600") }, promquery.ErrRateLimited, false},
		{"429 until a date", func(*testing.T) http.HandlerFunc {
			return say(429, "", "Date", "Sat, 31 Jan 2026 12:00:00 GMT", "Retry-After", "Sat, 31 Jan 2026 13:00:00 GMT")
		}, promquery.ErrRateLimited, false},
		{"429 beyond the deadline", func(*testing.T) http.HandlerFunc { return say(429, "", "Retry-After", "10") }, promquery.ErrRateLimited, false},
		{"503", func(*testing.T) http.HandlerFunc { return say(503, `{"status":"error","error":"query timed out"}`) }, promquery.ErrUnavailable, false},
		{"500 in HTML", func(*testing.T) http.HandlerFunc { return say(500, "<html>oops") }, promquery.ErrUnavailable, false},
		{"200 with HTML", func(*testing.T) http.HandlerFunc { return say(200, "\n<!doctype html><title>Sign in</title>") }, promquery.ErrAnswer, false},
		{"204", func(*testing.T) http.HandlerFunc { return say(204, "") }, promquery.ErrAnswer, false},
		{"301", func(*testing.T) http.HandlerFunc { return say(301, "", "Location", "http://127.0.0.1:1/") }, promquery.ErrRefused, false},
		{"400", func(*testing.T) http.HandlerFunc {
			return say(400, `{"status":"error","errorType":"bad_data","error":"parse error"}`)
		}, promquery.ErrRefused, false},
		{"422", func(*testing.T) http.HandlerFunc {
			return say(422, `{"status":"error","errorType":"422","error":"cannot execute"}`)
		}, promquery.ErrRefused, false},
		{"401", func(*testing.T) http.HandlerFunc { return say(401, "") }, promquery.ErrUnauthorized, false},
		{"403", func(*testing.T) http.HandlerFunc { return say(403, "") }, promquery.ErrUnauthorized, false},
		{"404", func(*testing.T) http.HandlerFunc { return say(404, "404 page not found") }, promquery.ErrRefused, false},
		{"wrong result type", func(*testing.T) http.HandlerFunc {
			return say(200, `{"status":"success","data":{"resultType":"string","result":[1,"x"]}}`)
		}, promquery.ErrResult, false},
		{"50 MB", func(*testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[`)
				block := strings.Repeat(num("1", "pod", "a")+",", 1000)
				for n := 0; n < 50<<20; n += len(block) {
					if _, err := io.WriteString(w, block); err != nil {
						return
					}
				}
			}
		}, promquery.ErrTooLarge, false},
		{"50 MB, compressed", func(t *testing.T) http.HandlerFunc {
			var mega bytes.Buffer // one of many members
			z := gzip.NewWriter(&mega)
			if _, err := z.Write(make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				for range 50 {
					if _, err := w.Write(mega.Bytes()); err != nil {
						return
					}
				}
			}
		}, promquery.ErrTooLarge, false},
		{"the credentials come back", func(*testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"status":"error","error":%q}`, strings.Repeat("x", 280)+r.Header.Get("Authorization"))
			}
		}, promquery.ErrRefused, false},
		{"the credentials come back in warnings", func(*testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"status":"success","warnings":[%q],"data":{"resultType":"vector","result":[]}}`, r.Header.Get("Authorization"))
			}
		}, promquery.ErrPartial, false},
		{"the credentials come back as numbers", func(*testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, vector(num(r.Header.Get("Authorization"))))
			}
		}, promquery.ErrAnswer, false},
		{"the credentials come back as type", func(*testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"status":"success","data":{"resultType":%q,"result":[]}}`, r.Header.Get("Authorization"))
			}
		}, promquery.ErrResult, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			deadline := 5 * time.Second
			if tc.slow {
				deadline = 300 * time.Millisecond
			}
			before := runtime.NumGoroutine()
			s := httptest.NewServer(tc.do(t))
			c := config(s.URL, ratioOf("errors"))
			c.Auth.Token, c.MaxBytes, c.Retries = token, 1<<20, 1
			p := provider(t, c)
			spec := specOf(t, c)
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			var m0, m1 runtime.MemStats
			runtime.ReadMemStats(&m0)
			start := time.Now()
			e, err := p.Collect(ctx, spec, promquery.Window{Start: begin}, now)
			took := time.Since(start)
			runtime.ReadMemStats(&m1)
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Faults) != 2 || len(e.Problems()) != 2 {
				t.Fatalf("faults %v", e.Faults)
			}
			for _, f := range e.Faults {
				if !errors.Is(f, tc.want) || !errors.Is(f, promquery.ErrProvider) || f.Metric != "errors" {
					t.Errorf("got %v, want %v", f, tc.want)
				}
				for _, secret := range []string{token, "hunter2", "Bearer tok", s.URL, "127.0.0.1"} {
					if text := fmt.Sprintf("%v %+v %#v", f, f, f.Err.Error()); strings.Contains(text, secret) {
						t.Errorf("%q is in %s", secret, text)
					}
				}
			}
			if took > deadline+2*time.Second || !tc.slow && took >= deadline {
				t.Errorf("took %v", took)
			}
			if grown := m1.TotalAlloc - m0.TotalAlloc; grown > 48<<20 { // four answers, the server of the test among it
				t.Errorf("%d MiB allocated", grown>>20)
			}
			v := verdict(t, harmless, e)
			if v.Decision != analysis.Pause || !strings.Contains(v.Reasons[0].Code, "provider_error") {
				t.Errorf("verdict %v: %+v", v.Decision, v.Reasons)
			}
			p.Close()
			s.CloseClientConnections()
			s.Close()
			settled(t, before)
		})
	}
}

func TestNobodyListens(t *testing.T) {
	e := collect(t, config("http://127.0.0.1:1", ratioOf("errors")))
	if len(e.Faults) != 2 || !errors.Is(e.Faults[0], promquery.ErrUnavailable) || !strings.Contains(e.Faults[0].Error(), "connection refused") {
		t.Errorf("faults %v", e.Faults)
	}
}

func TestCancelled(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = r.ParseForm(); <-r.Context().Done() }))
	defer s.Close()
	c := config(s.URL, ratioOf("errors"))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if e, err := provider(t, c).Collect(ctx, specOf(t, c), promquery.Window{Start: begin}, now); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", e, err)
	}
	gauge := promquery.Metric{Name: "queue", Kind: analysis.GaugeMetric, Value: "queue{{.Arm}}"}
	c = config(s.URL, gauge)
	if e, err := provider(t, c).Collect(ctx, specOf(t, c), promquery.Window{Start: begin}, now); !errors.Is(err, context.Canceled) {
		t.Errorf("a gauge: got %v, %v", e, err)
	}
}

// TestDeadlineOfACollection: it bounds all queries together.
func TestDeadlineOfACollection(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = r.ParseForm(); <-r.Context().Done() }))
	defer s.Close()
	c := config(s.URL, ratioOf("a"), ratioOf("b"), ratioOf("c"))
	c.Deadline, c.Retries = 100*time.Millisecond, 5
	start := time.Now()
	e := collect(t, c)
	if took := time.Since(start); took > time.Second || len(e.Faults) != 6 || !errors.Is(e.Faults[5], promquery.ErrTimeout) {
		t.Errorf("took %v: %v", took, e.Faults)
	}
}

// TestRetries: what may get better is tried again, as often as allowed.
func TestRetries(t *testing.T) {
	for _, tc := range []struct {
		name    string
		fail    func(w http.ResponseWriter, n int32)
		retries int
		asked   int32
		ok      bool
	}{
		{"503 twice", func(w http.ResponseWriter, n int32) {
			if n <= 2 {
				w.WriteHeader(503)
			}
		}, 2, 3, true},
		{"503 thrice", func(w http.ResponseWriter, n int32) {
			if n <= 3 {
				w.WriteHeader(503)
			}
		}, 2, 3, false},
		{"429 with a second to wait", func(w http.ResponseWriter, n int32) {
			if n == 1 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(429)
			}
		}, 1, 2, true},
		{"400", func(w http.ResponseWriter, _ int32) { w.WriteHeader(400) }, 5, 1, false},
		{"no POST", func(w http.ResponseWriter, n int32) {
			if n == 1 {
				w.WriteHeader(405)
			}
		}, -1, 2, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var n atomic.Int32
			var last atomic.Value
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				last.Store(r.Method + r.FormValue("query"))
				k := n.Add(1)
				tc.fail(w, k)
				fmt.Fprint(w, vector(num("1")))
			}))
			defer s.Close()
			c := config(s.URL, promquery.Metric{Name: "m", Kind: analysis.RateMetric, Events: "m" + perArm})
			c.Arms.Baseline, c.Retries, c.MaxAge = "", tc.retries, -1
			start := time.Now()
			e := collect(t, c)
			if n.Load() != tc.asked || (len(e.Faults) == 0) != tc.ok {
				t.Errorf("asked %d times, faults %v", n.Load(), e.Faults)
			}
			if strings.HasPrefix(tc.name, "429") && time.Since(start) < time.Second {
				t.Error("it did not wait as told")
			}
			if tc.name == "no POST" && last.Load() != "GETmcandidate[600s]" {
				t.Errorf("asked %v", last.Load())
			}
		})
	}
}
