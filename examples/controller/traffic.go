package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// model is a made-up model behind HTTP. What it answers depends on the user alone, so
// that a rollout can be played again.
type model struct {
	version string
	failing float64 // share of the requests that it fails
	ms      float64 // its mean latency
	now     func() time.Time

	mu     sync.Mutex
	served map[time.Time][2]float64 // complaints and users
}

// chance is a number in [0, 1) that belongs to a user and a question.
func chance(user, question string) float64 {
	sum := sha256.Sum256([]byte(question + "\x00" + user))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user := r.Header.Get("X-User")
	m.mu.Lock()
	at, n := m.now(), m.served[m.now()]
	n[1]++
	if chance(user, "complains") < 0.02 {
		n[0]++
	}
	m.served[at] = n
	m.mu.Unlock()
	if chance(user, "fails "+m.version) < m.failing {
		http.Error(w, "out of memory", http.StatusInternalServerError)
		return
	}
	score := 1 / (1 + math.Exp(4*chance(user, "score")-2))
	_ = json.NewEncoder(w).Encode(map[string]float64{"score": score, "ms": m.ms * (0.6 + 0.8*chance(user, "ms"))}) // the user has left
}

// outcomes are the complaints of those that the model has served in a window.
func (m *model) outcomes(from, to time.Time) (complaints, users float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, n := range m.served {
		if !at.Before(from) && at.Before(to) {
			complaints, users = complaints+n[0], users+n[1]
		}
	}
	return complaints, users
}

// world is a rollout with all that is around it: two models, users who come through
// the proxy, people at the admin address, and a clock that is moved by hand.
type world struct {
	*controller
	models       [2]*model
	outage       atomic.Bool // of the system that knows the outcomes
	clock        atomic.Int64
	front, back  string // the addresses for users and for people
	users, begun int
	client       *http.Client
	close        []func()
}

// newWorld starts everything on this machine.
func newWorld(candidate *model, state string) (*world, error) {
	w := &world{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	w.clock.Store(time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC).Unix())
	w.models = [2]*model{{version: "v7", failing: 0.01, ms: 20}, candidate}
	var urls [2]*url.URL
	for i, m := range w.models {
		m.now, m.served = w.time, map[time.Time][2]float64{}
		address, err := w.listen(m)
		if err != nil {
			return w, err
		}
		if urls[i], err = url.Parse(address); err != nil {
			return w, err
		}
	}
	ask := func(_ context.Context, arm string, from, to time.Time) (complaints, users float64, err error) {
		if w.outage.Load() {
			return 0, 0, errors.New("the system that knows the complaints does not answer")
		}
		i := 0
		if arm == arms[1] {
			i = 1
		}
		complaints, users = w.models[i].outcomes(from, to)
		return complaints, users, nil
	}
	var err error
	if w.controller, err = newController("policy.yaml", examplePolicy, urls, ask, state, w.time); err != nil {
		return w, err
	}
	if w.front, err = w.listen(w.proxy()); err != nil {
		return w, err
	}
	w.back, err = w.listen(w.admin())
	return w, err
}

func (w *world) time() time.Time { return time.Unix(w.clock.Load(), 0).UTC() }

// listen serves on a free port and returns the address.
func (w *world) listen(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }() // ends with Close
	w.close = append(w.close, func() { _ = s.Close() })
	return "http://" + l.Addr().String(), nil
}

func (w *world) Close() {
	w.client.CloseIdleConnections()
	for _, f := range w.close {
		f()
	}
}

// minute lets users come for a minute of the world's clock, then looks. It returns
// what happened, in one line.
func (w *world) minute(users int) (string, error) {
	next := make(chan int)
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() {
			var first error
			for n := range next {
				first = errors.Join(first, w.visit(fmt.Sprintf("user-%d", n)))
			}
			errs <- first
		}()
	}
	for range users {
		w.users++
		next <- w.users
	}
	close(next)
	var err error
	for range cap(errs) {
		err = errors.Join(err, <-errs)
	}
	if err != nil {
		return "", err
	}
	w.clock.Add(60)
	w.begun++
	v, err := w.look(context.Background())
	if err != nil {
		return "", err
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	why := v.Reasons[0].Code
	if v.Resume.String() == "manual" && v.Decision.String() == "pause" {
		why += ", manual"
	}
	return fmt.Sprintf("%s %v (%s), the candidate gets %v%%", v.Stage, v.Decision, why, w.weight), nil
}

// visit is one request of a user.
func (w *world) visit(user string) error {
	r, err := http.NewRequest(http.MethodGet, w.front+"/rank", nil)
	if err != nil {
		return err
	}
	r.Header.Set("X-User", user)
	resp, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // was read as far as it matters
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// accept is a person who sends a decision to the admin address.
func (w *world) accept(check, metric, why string) error {
	body, err := json.Marshal(map[string]any{"action": "accept", "check": check, "metric": metric, "who": "ann", "why": why, "expires": w.time().Add(24 * time.Hour)})
	if err != nil {
		return err
	}
	resp, err := w.client.Post(w.back+"/override", "application/json", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // was read as far as it matters
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the decision was refused: %s", resp.Status)
	}
	return nil
}

// act is one rollout of the demo.
type act struct {
	title   string
	failing float64                    // share of the requests that the candidate fails
	ms      float64                    // its mean latency
	events  map[int]func(*world) error // before the minute of their number
}

func acts() []act {
	outage := func(on bool) func(*world) error {
		return func(w *world) error { w.outage.Store(on); return nil }
	}
	return []act{
		{"A sound candidate.", 0.01, 20, nil},
		{"A sound candidate; from minute 3 to 8 nobody knows the complaints.", 0.01, 20, map[int]func(*world) error{3: outage(true), 9: outage(false)}},
		{"A candidate that is slower by a third; in minute 10 a person accepts that.", 0.01, 26, map[int]func(*world) error{10: func(w *world) error {
			return w.accept("guardrail", "mean", "v8 is a larger model, agreed in REL-7")
		}}},
		{"A candidate that fails one request in five.", 0.20, 20, nil},
	}
}

// play plays an act until the rollout is over, and writes each change.
func (a act) play(out io.Writer, w *world) error {
	last := ""
	for n := 1; n <= 40 && !w.over(); n++ {
		if event := a.events[n]; event != nil {
			if err := event(w); err != nil {
				return err
			}
		}
		line, err := w.minute(500)
		if err != nil {
			return err
		}
		if line != last {
			if _, err := fmt.Fprintf(out, "  minute %2d: %s\n", w.begun, line); err != nil {
				return err
			}
		}
		last = line
	}
	return nil
}

func (w *world) over() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.present == nil
}

// demo plays all acts.
func demo(out io.Writer) error {
	for _, a := range acts() {
		if _, err := fmt.Fprintln(out, a.title); err != nil {
			return err
		}
		w, err := newWorld(&model{version: "v8", failing: a.failing, ms: a.ms}, "")
		if err == nil {
			err = a.play(out, w)
		}
		w.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
