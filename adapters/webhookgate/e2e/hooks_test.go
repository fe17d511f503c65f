package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
)

// asked is a request of Flagger's controller, with the answer that it got.
type asked struct {
	hook, canary, phase, checksum string
	status                        int
	text                          string
	look                          int // the look that was posted before it, for the first request after it
	payload                       json.RawMessage
}

// hooks stands between the controller and the gate, and notes what it sees.
type hooks struct {
	mu      sync.Mutex
	all     []asked
	pending map[string]int // looks that no request has followed on, by canary
}

// sentKey is that of the body of a request in its context.
type sentKey struct{}

// serve passes requests on to the gate.
func (h *hooks) serve(t *testing.T) {
	h.pending = map[string]int{}
	gate, err := url.Parse("http://127.0.0.1:" + gatePort)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(gate)
	proxy.ModifyResponse = func(r *http.Response) error {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		sent, _ := r.Request.Context().Value(sentKey{}).([]byte)
		h.note(path.Base(r.Request.URL.Path), sent, r.StatusCode, string(b))
		return nil
	}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	serveHTTP(t, hooksPort, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sentKey{}, b)))
	}))
}

func (h *hooks) note(hook string, sent []byte, status int, text string) {
	var p struct{ Name, Phase, Checksum string }
	if json.Unmarshal(sent, &p) != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a := asked{hook: hook, canary: p.Name, phase: p.Phase, checksum: p.Checksum, status: status, text: strings.TrimSpace(text), payload: sent}
	a.look = h.pending[p.Name]
	delete(h.pending, p.Name)
	h.all = append(h.all, a)
}

// posted notes a look at a canary.
func (h *hooks) posted(canary string, look int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pending[canary] = look
}

// of returns the requests for a canary so far, of one hook if it is named.
func (h *hooks) of(canary, hook string) []asked {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []asked
	for _, a := range h.all {
		if a.canary == canary && (hook == "" || a.hook == hook) {
			out = append(out, a)
		}
	}
	return out
}

// count counts the requests of a hook with a status.
func (h *hooks) count(canary, hook string, status int) int {
	n := 0
	for _, a := range h.of(canary, hook) {
		if a.status == status {
			n++
		}
	}
	return n
}
