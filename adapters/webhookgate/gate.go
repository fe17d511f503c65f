package webhookgate

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Gate is the handler that hosts ask and evidence is posted to; see the package
// comment for its routes. It is safe for use by several goroutines.
type Gate struct {
	o       Options
	mux     *http.ServeMux
	locks   locks
	rate    buckets
	unmoved unmoved
	bodies  chan struct{} // a place for each large body in flight
	pinged  pinged
}

// New makes a gate.
//
// Errors: [stats.ErrDomain] without a store, policies, a clock or a way to tell who
// asks, for a token that is too short, and for a negative bound.
func New(o Options) (*Gate, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gate{o: o, mux: http.NewServeMux(), rate: buckets{rate: o.Rate, burst: float64(o.Burst)}, bodies: make(chan struct{}, o.MaxBodies)}
	for route, h := range map[string]handler{
		"POST /v1/decide":                    (*Gate).postDecide,
		"GET /v1/rollouts/{rollout}":         (*Gate).getRollout,
		"GET /v1/rollouts/{rollout}/records": (*Gate).getRecords,
		flaggerRoute:                         (*Gate).flagger,
		"GET /argo/{policy}/{rollout}":       (*Gate).argo,
		"POST /argo/{policy}/{rollout}":      (*Gate).argo,
		"GET /kayenta/canaryConfig":          (*Gate).kayentaConfigs,
		"POST /kayenta/canary/{policy}":      (*Gate).kayentaStart,
		"GET /kayenta/canary/{execution}":    (*Gate).kayentaPoll,
		"POST /kayenta/judge":                (*Gate).kayentaJudge,
		"GET /metrics":                       (*Gate).metrics,
		"GET " + healthPath:                  (*Gate).health,
	} {
		g.mux.Handle(route, boundHandler{g, h})
	}
	return g, nil
}

const (
	healthPath   = "/healthz"
	flaggerRoute = "POST /flagger/{policy}/{hook}"
)

// Server returns a server for the gate with bounds on slow and idle clients. The
// caller gives it an address and, for HTTPS, a TLSConfig, and ends it with Shutdown.
func (g *Gate) Server() *http.Server {
	return &http.Server{Handler: g, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: g.o.Timeout + 5*time.Second,
		WriteTimeout: 2*g.o.Timeout + 10*time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
}

// handler answers a request. An error that it returns is written as JSON.
type handler func(*Gate, *request, http.ResponseWriter) error

// boundHandler gives a handler the request that [Gate.ServeHTTP] made.
type boundHandler struct {
	g *Gate
	h handler
}

type requestKey struct{}

func (b boundHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, ok := r.Context().Value(requestKey{}).(*request)
	if !ok {
		return // the mux is not reachable from outside
	}
	req.Request = r
	if err := b.h(b.g, req, w); err != nil {
		b.g.fail(req, w, err)
	}
}

// request is one request with what is noted of it on the way.
type request struct {
	*http.Request
	access Access
	known  bool            // who asks
	scope  []string        // policies that the client may ask about; nil is all
	bodies chan<- struct{} // of the gate
	large  int             // places in bodies that it holds
}

// may checks that a policy is one of the client's.
func (r *request) may(policy string) error {
	if r.scope == nil || slices.Contains(r.scope, policy) {
		return nil
	}
	return &fault{http.StatusForbidden, codeScope, fmt.Sprintf("this client may not use policy %q", policy), nil}
}

// ServeHTTP implements [http.Handler].
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := g.o.Now()
	ctx, cancel := context.WithTimeout(r.Context(), g.o.Timeout)
	defer cancel()
	h, route := g.mux.Handler(r)
	req := &request{Request: r, access: Access{Method: r.Method, Route: route}, bodies: g.bodies}
	out := &statusWriter{ResponseWriter: w}
	defer func() {
		if p := recover(); p != nil {
			g.fail(req, out, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
		for range req.large {
			<-g.bodies
		}
		if g.o.Served != nil {
			req.access.Status, req.access.Took = out.status, g.o.Now().Sub(began)
			g.o.Served(req.access)
		}
	}()
	r.Body = http.MaxBytesReader(w, r.Body, g.o.MaxBody)
	if err := g.admit(req); err != nil {
		g.refuse(req, out, err)
		return
	}
	if _, known := h.(boundHandler); !known {
		g.fail(req, out, noRoute(h, r))
		return
	}
	g.mux.ServeHTTP(out, r.WithContext(context.WithValue(ctx, requestKey{}, req)))
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// pinged is what the store said last.
type pinged struct {
	mu  sync.Mutex
	at  time.Time // zero before the first time
	err error
}

// pingEvery is how long the answer of the store is good for: everybody may ask for
// the health of the gate, and must not be able to keep the store busy.
const pingEvery = time.Second

func (g *Gate) ping(ctx context.Context) error {
	p := &g.pinged
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := g.o.Now().Sub(p.at); !p.at.IsZero() && age >= 0 && age < pingEvery {
		return p.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.o.Timeout) // who asked may leave; the answer is for all
	defer cancel()
	p.err = g.o.Store.Ping(ctx)
	p.at = g.o.Now()
	return p.err
}

// health says whether the store can be used.
func (g *Gate) health(r *request, w http.ResponseWriter) error {
	if err := g.ping(r.Context()); err != nil {
		return storeFault(err)
	}
	_, err := io.WriteString(w, "ok\n")
	return lost(err)
}

func (g *Gate) metrics(r *request, w http.ResponseWriter) error {
	if g.o.Metrics == nil {
		return &fault{http.StatusNotFound, codeNotFound, "this gate has no metrics", nil}
	}
	g.o.Metrics.ServeHTTP(w, r.Request)
	return nil
}
