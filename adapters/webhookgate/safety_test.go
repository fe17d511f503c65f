package webhookgate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/stats"
)

func TestWhoIsLetIn(t *testing.T) {
	g := newGate(t, func(o *webhookgate.Options) {
		o.Tokens = append(o.Tokens, webhookgate.Token{Name: "second", Secret: "another-token-of-length"})
	})
	for _, tt := range []struct {
		reason string
		sign   func(*http.Request)
		want   int
	}{
		{"nothing", func(*http.Request) {}, 401},
		{"a bearer", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }, 404},
		{"the second", func(r *http.Request) { r.Header.Set("Authorization", "bearer another-token-of-length") }, 404},
		{"the password of a URL", func(r *http.Request) { r.SetBasicAuth("flagger", secret) }, 404},
		{"a start of it", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret[:10]) }, 401},
		{"nothing after bearer", func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, 401},
		{"another kind", func(r *http.Request) { r.Header.Set("Authorization", "Digest "+secret) }, 401},
		{"a name instead of a password", func(r *http.Request) { r.SetBasicAuth(secret, "") }, 401},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			r, w := httptest.NewRequest("GET", "/v1/rollouts/r", nil), httptest.NewRecorder()
			tt.sign(r)
			g.ServeHTTP(w, r)
			if w.Code != tt.want || strings.Contains(w.Body.String(), secret) {
				t.Errorf("%d %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
	for _, path := range []string{"/v1/decide", "/flagger/fraud/rollback", "/kayenta/judge"} {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader("{}")))
		if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	if w.Code != 200 {
		t.Errorf("health: %d", w.Code)
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	o := webhookgate.Options{Tokens: []webhookgate.Token{{Name: "a", Secret: secret}}}
	j, err := json.Marshal(o.Tokens)
	if all := fmt.Sprintf("%v %+v %#v %s", o.Tokens, o.Tokens, o.Tokens, j); err != nil || strings.Contains(all, secret) {
		t.Error(err, all)
	}
}

func TestRate(t *testing.T) {
	g := newGate(t, func(o *webhookgate.Options) { o.Rate, o.Burst = 1, 3 })
	count := func() (let, refused int) {
		for range 10 {
			if status, _ := g.send("GET", "/v1/rollouts/r", ""); status == http.StatusTooManyRequests {
				refused++
			} else {
				let++
			}
		}
		return let, refused
	}
	if let, _ := count(); let != 3 {
		t.Errorf("%d of the first 10 were let in, want 3", let)
	}
	g.clock.add(2 * time.Second)
	if let, _ := count(); let != 2 {
		t.Errorf("%d were let in after two seconds, want 2", let)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "/v1/rollouts/r", nil)) // who is not known has a bucket of his own
	if w.Code != http.StatusUnauthorized {
		t.Error(w.Code)
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	for reason, change := range map[string]func(*webhookgate.Options){
		"no store":               func(o *webhookgate.Options) { o.Store = nil },
		"no policies":            func(o *webhookgate.Options) { o.Policies = nil },
		"no clock":               func(o *webhookgate.Options) { o.Now = nil },
		"nobody let in":          func(o *webhookgate.Options) { o.Tokens = nil },
		"a short token":          func(o *webhookgate.Options) { o.Tokens[0].Secret = "123" },
		"a token twice":          func(o *webhookgate.Options) { o.Tokens = append(o.Tokens, o.Tokens[0]) },
		"a negative bound":       func(o *webhookgate.Options) { o.MaxBody = -1 },
		"negative places":        func(o *webhookgate.Options) { o.MaxBodies = -1 },
		"a policy no path":       func(o *webhookgate.Options) { o.Policies = webhookgate.Policies{"a/b": loadPolicy(t, rules)} },
		"a policy without rules": func(o *webhookgate.Options) { o.Policies = webhookgate.Policies{"a": {}} },
	} {
		o := webhookgate.Options{Store: gatestore.NewMemory(), Policies: webhookgate.Policies{}, Now: time.Now, Tokens: []webhookgate.Token{{Name: "a", Secret: secret}}}
		change(&o)
		if _, err := webhookgate.New(o); !errors.Is(err, stats.ErrDomain) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// A client that sends half a request is cut off, and others are served meanwhile.
func TestSlowClient(t *testing.T) {
	g := newGate(t, nil)
	srv := g.Server()
	srv.ReadHeaderTimeout, srv.ReadTimeout = 200*time.Millisecond, 300*time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	defer srv.Close()
	for _, half := range []string{"POST /v1/decide HTTP/1.1\r\nHost: x\r\n", "POST /v1/decide HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + secret + "\r\nContent-Length: 1000\r\n\r\n{\"rollout\""} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, half); err != nil {
			t.Fatal(err)
		}
		if resp, err := http.Get("http://" + l.Addr().String() + "/healthz"); err != nil || resp.StatusCode != 200 {
			t.Error(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		answer, err := io.ReadAll(conn)
		if err != nil || strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			t.Errorf("%v %s", err, answer)
		}
	}
}
