package webhookgate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/webhookgate"
)

// A known client that asks too often is held at the hooks that count each no as a
// failed check, and refused elsewhere; who is not known is refused everywhere.
func TestRateAtFlaggersHooks(t *testing.T) {
	g := newGate(t, func(o *webhookgate.Options) { o.Rate, o.Burst = 1e-9, 1 })
	g.send("GET", "/v1/rollouts/r", "")
	g.sendAs("nobody", "GET", "/v1/rollouts/r", "")
	for _, tt := range []struct {
		path           string
		known, unknown int
	}{
		{"/flagger/fraud/rollout", 200, 429},
		{"/flagger/fraud/pre-rollout", 200, 429},
		{"/flagger/fraud/confirm-rollout", 429, 429},
		{"/flagger/fraud/confirm-traffic-increase", 429, 429},
		{"/flagger/fraud/confirm-promotion", 429, 429},
		{"/flagger/fraud/rollback", 429, 429},
		{"/flagger/fraud/event", 429, 429},
		{"/argo/fraud/rollout", 429, 429},
		{"/v1/decide", 429, 429},
	} {
		for token, want := range map[string]int{secret: tt.known, "nobody": tt.unknown} {
			status, body := g.sendAs(token, "POST", tt.path, payload("Progressing", ""))
			if status != want || !strings.Contains(body, "too many requests") {
				t.Errorf("%s with token %.6s: %d %s, want %d", tt.path, token, status, body, want)
			}
		}
	}
}

// Large bodies wait for each other; those of the hosts wait for none.
func TestLargeBodiesTakeTurns(t *testing.T) {
	g := newGate(t, func(o *webhookgate.Options) { o.MaxBodies, o.Timeout = 1, 300*time.Millisecond })
	large := func(id string) string {
		return strings.TrimSuffix(look("r", id, goOn), "}") + strings.Repeat(" ", 70_000) + "}"
	}
	g.decide(t, large("1"))
	g.decide(t, large("2")) // the first has left its place
	reading, slow := make(chan struct{}), make(chan struct{})
	ended := make(chan int)
	go func() {
		r := httptest.NewRequest("POST", "/v1/decide", &slowBody{reading: reading, end: slow})
		r.ContentLength = -1
		r.Header.Set("Authorization", "Bearer "+secret)
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		ended <- w.Code
	}()
	<-reading
	if status, body := g.send("POST", "/v1/decide", large("3")); status != 503 || code(t, body) != "gate_busy" {
		t.Errorf("while another is read: %d %s", status, body)
	}
	g.decide(t, look("r", "4", goOn))
	if status, body := g.send("POST", "/flagger/fraud/rollout", payload("Progressing", "")); status != 200 || strings.Contains(body, "not known") {
		t.Errorf("a hook meanwhile: %d %s", status, body)
	}
	close(slow)
	if status := <-ended; status != 400 {
		t.Errorf("the slow one: %d", status)
	}
	g.decide(t, large("3"))
}

// slowBody says that it is read, and ends when it is told to.
type slowBody struct{ reading, end chan struct{} }

func (b *slowBody) Read([]byte) (int, error) {
	close(b.reading)
	<-b.end
	return 0, io.EOF
}

func TestMeasurementsOfOneLook(t *testing.T) {
	g := newGate(t, nil)
	of := func(starts ...time.Time) string {
		var b strings.Builder
		for i, start := range starts {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"arm": "baseline", "metric": "errors", "start": %q, "end": %q, "total": 1, "count": 100}`, start.Format(time.RFC3339Nano), start.Add(time.Millisecond).Format(time.RFC3339Nano))
		}
		return fmt.Sprintf(`{"rollout": "r", "policy": "fraud", "look": "%d", "measurements": [%s]}`, len(starts), &b)
	}
	many := make([]time.Time, 10_001)
	for i := range many {
		many[i] = began.Add(time.Duration(i-20_000) * time.Millisecond)
	}
	early := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC) // where nanoseconds since 1970 overflow
	for _, tt := range []struct {
		reason, body string
		status       int
		holds        string
	}{
		{"as many as may be", of(many[:10_000]...), 200, `"decision"`},
		{"one more", of(many...), 400, "10001 in one look, at most 10000"},
		{"the same time in another zone", of(began, began.In(time.FixedZone("CET", 3600))), 400, "measurements[0], too"},
		{"the last and the first", of(append(many[:3:3], many[0])...), 400, "measurements[3]: the window of errors of the baseline that begins at"},
		{"times that are far apart", of(began, early, early.Add(1<<62).Add(1<<62).Add(1<<62).Add(1<<62)), 200, `"decision"`},
	} {
		if status, body := g.send("POST", "/v1/decide", tt.body); status != tt.status || !strings.Contains(body, tt.holds) {
			t.Errorf("%s: %d %.300s, want %d and %q", tt.reason, status, body, tt.status, tt.holds)
		}
	}
}

// pinging counts how often it is asked.
type pinging struct {
	webhookgate.Store
	asked int
	err   error
}

func (p *pinging) Ping(context.Context) error {
	p.asked++
	return p.err
}

// Everybody may ask for the health, and the store is asked once a second.
func TestHealthIsAskedOnceASecond(t *testing.T) {
	p := new(pinging)
	g := newGate(t, func(o *webhookgate.Options) { p.Store, o.Store = o.Store, p })
	for i, tt := range []struct {
		wait   time.Duration
		err    error
		status int
		asked  int
	}{
		{0, nil, 200, 1}, {999 * time.Millisecond, errors.New("down"), 200, 1}, {time.Millisecond, errors.New("down"), 503, 2}, {999 * time.Millisecond, nil, 503, 2},
		{time.Millisecond, nil, 200, 3}, {-time.Hour, nil, 200, 4}, // the clock was set back
	} {
		g.clock.add(tt.wait)
		p.err = tt.err
		for range 100 {
			w := httptest.NewRecorder()
			g.ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
			if w.Code != tt.status {
				t.Fatalf("row %d: %d, want %d", i, w.Code, tt.status)
			}
		}
		if p.asked != tt.asked {
			t.Errorf("row %d: the store was asked %d times, want %d", i, p.asked, tt.asked)
		}
	}
}

// A panic is an error of one request, and its log says where it was.
func TestPanicIsContained(t *testing.T) {
	var seen []webhookgate.Access
	g := newGate(t, func(o *webhookgate.Options) {
		o.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("hunter2") })
		o.Served = func(a webhookgate.Access) { seen = append(seen, a) }
	})
	if status, body := g.send("GET", "/metrics", ""); status != 500 || code(t, body) != "internal" || strings.Contains(body, "hunter2") || strings.Contains(body, ".go") {
		t.Error(status, body)
	}
	if status, _ := g.send("GET", "/healthz", ""); status != 200 {
		t.Error(status)
	}
	if len(seen) != 2 || seen[0].Err == nil || !strings.Contains(seen[0].Err.Error(), "hunter2") || !strings.Contains(seen[0].Err.Error(), "bounds_test.go") {
		t.Errorf("the log: %+v", seen)
	}
}

// A store that loses or mixes up evidence is found out.
type careless struct {
	webhookgate.Store
	blob func(name string, data []byte, err error) ([]byte, error)
}

func (c *careless) Blob(ctx context.Context, name string) ([]byte, error) {
	data, err := c.Store.Blob(ctx, name)
	return c.blob(name, data, err)
}

func TestEvidenceThatIsNotInTheStore(t *testing.T) {
	staged := rules + "stages:\n  - {name: canary, weight: 50}\n  - {name: full, weight: 100}\n"
	at := func(stage string) string {
		return strings.Replace(look("r", stage, goOn), `"look"`, fmt.Sprintf(`"stage": %q, "look"`, stage), 1)
	}
	for _, tt := range []struct {
		reason string
		blob   func(name string, data []byte, err error) ([]byte, error)
		status int
		code   string
	}{
		{"lost", func(name string, _ []byte, _ error) ([]byte, error) {
			return nil, fmt.Errorf("%s: %w", name, webhookgate.ErrNotFound)
		}, 500, "internal"},
		{"cut short", func(_ string, data []byte, err error) ([]byte, error) { return data[:len(data)-1], err }, 500, "internal"},
		{"changed", func(_ string, data []byte, err error) ([]byte, error) {
			data = bytes.Clone(data)
			data[len(data)/2] ^= 1
			return data, err
		}, 500, "internal"},
		{"away", func(string, []byte, error) ([]byte, error) { return nil, errors.New("connection refused") }, 503, "store_unavailable"},
		{"late", func(string, []byte, error) ([]byte, error) { return nil, context.DeadlineExceeded }, 503, "timeout"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			var last webhookgate.Access
			g := newGate(t, func(o *webhookgate.Options) {
				o.Policies = webhookgate.Policies{"fraud": loadPolicy(t, staged)}
				o.Store = &careless{o.Store, tt.blob}
				o.Served = func(a webhookgate.Access) { last = a }
			})
			digest := g.decide(t, at("canary")).Record.Inputs[0].Digest
			if status, body := g.send("POST", "/v1/decide", at("full")); status != tt.status || code(t, body) != tt.code || strings.Contains(body, digest) {
				t.Errorf("%d %s, want %d %s", status, body, tt.status, tt.code)
			}
			if last.Err == nil || !strings.Contains(last.Err.Error(), "stage canary") || !strings.Contains(last.Err.Error(), digest) {
				t.Errorf("the log: %v", last.Err)
			}
		})
	}
}
