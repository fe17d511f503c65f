// Command controller is a small rollout controller: a reverse proxy in front of two
// models that splits users between them, sees every answer go by, asks the library
// once a minute, and does what the verdict says.
//
//	go run ./examples/controller
//	go run ./examples/controller -policy examples/controller/policy.yaml -baseline http://v7:8080 -candidate http://v8:8080 \
//	  -outcomes http://crm:8080/complaints -listen :8080 -admin localhost:8081 -state rollout.json
//
// The first plays four rollouts of made-up models by a clock of its own. The second is
// for real. A model answers {"score": 0.3, "ms": 12}, for the user in the header
// X-User. GET /status on the admin address explains the last verdict; POST /override
// takes what a person has decided, as JSON. Keep that address to those who may.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

//go:embed policy.yaml
var examplePolicy []byte

var arms = [2]string{"baseline", "candidate"}

// row is what is kept of one answer until it is counted.
type row struct {
	user, at       int64
	score, latency float64
	scored, failed bool
}

// shard counts rows. An arm has several, so that requests do not wait for each other.
type shard struct {
	mu        sync.Mutex
	rows      []row
	collector *analysis.Collector
}

// arm is the evidence of one arm in one stage.
type arm struct {
	shards [8]shard
	sum    *analysis.Snapshot // of what has left the shards
}

// stage is the evidence of one stage.
type stage struct {
	name string
	fed  time.Time // the outcomes are known up to here
	arms [2]arm
}

// outcomes asks another system how many of the users that an arm served in a window
// of time have complained.
type outcomes func(ctx context.Context, arm string, from, to time.Time) (complaints, users float64, err error)

type controller struct {
	policy  *analysis.Policy
	spec    *analysis.Spec
	now     func() time.Time
	outcome outcomes
	path    string // of the stored rollout; empty for none
	models  [2]*url.URL

	looking sync.Mutex // one look at a time
	stages  []*stage
	state   *analysis.State

	mu        sync.RWMutex // for what requests read and people change
	present   *stage       // nil when the rollout is over
	weight    float64      // the candidate's percentage of the users
	overrides []analysis.Override
	verdict   *analysis.Verdict
	fault     error // why the last look gave no verdict
}

// newController begins a rollout, or goes on with the one that is stored at path.
func newController(policyName string, policy []byte, models [2]*url.URL, o outcomes, path string, now func() time.Time) (*controller, error) {
	p, err := analysis.LoadPolicy(policyName, policy, checks.Builtin())
	if err != nil {
		return nil, err
	}
	spec, err := p.Spec()
	if err != nil {
		return nil, err
	}
	for _, name := range spec.Names() {
		if _, err := column(name, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", policyName, err)
		}
	}
	if len(p.Stages) == 0 {
		return nil, fmt.Errorf("%s: a controller needs stages", policyName)
	}
	c := &controller{policy: p, spec: spec, now: now, outcome: o, path: path, models: models}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("-state %s: %w", path, err)
	}
	if c.stages == nil {
		c.enter(p.Stages[0].Name)
	}
	return c, nil
}

// newStage makes the collectors of a stage.
func (c *controller) newStage(name string, from time.Time) *stage {
	s := &stage{name: name, fed: from}
	for i := range s.arms {
		s.arms[i].sum = analysis.NewSnapshot(c.spec)
		for k := range s.arms[i].shards {
			s.arms[i].shards[k].collector = analysis.NewCollector(c.spec)
		}
	}
	return s
}

// enter begins a stage.
func (c *controller) enter(name string) {
	s := c.newStage(name, c.now())
	c.stages = append(c.stages, s)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.present = s
	for _, p := range c.policy.Stages {
		if p.Name == name {
			c.weight = p.Weight
		}
	}
}

// finish ends the rollout: the candidate gets all users, or none.
func (c *controller) finish(weight float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.present, c.weight = nil, weight
}

// trip is where a request goes and where its answer is counted.
type trip struct {
	stage *stage
	arm   int
	user  [sha256.Size]byte
}

type tripKey struct{}

// route chooses the arm by a hash of the user, so that a user stays with an arm, and
// those of a small share are among those of a larger one. The name of the candidate
// is hashed along: another rollout divides the users in another way.
func (c *controller) route(user string) *trip {
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := &trip{stage: c.present, user: sha256.Sum256([]byte(c.policy.Model.Candidate + "\x00" + user))}
	place := float64(binary.BigEndian.Uint64(t.user[:])>>11) / (1 << 53)
	switch {
	case user == "":
		t.stage = nil // nobody to assign: the old model answers, and it is no evidence
	case 100*place < c.weight:
		t.arm = 1
	}
	return t
}

// proxy is the handler for users.
func (c *controller) proxy() http.Handler {
	p := &httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, ResponseHeaderTimeout: 10 * time.Second},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(c.models[r.In.Context().Value(tripKey{}).(*trip).arm])
			r.SetXForwarded()
			r.Out.Header.Del("Accept-Encoding") // the transport unpacks what it asks for by itself
		},
		ModifyResponse: func(r *http.Response) error {
			return c.seen(r.Request.Context().Value(tripKey{}).(*trip), r)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			// A user who has left says nothing about the model.
			if r.Context().Err() == nil {
				c.count(r.Context().Value(tripKey{}).(*trip), row{failed: true})
			}
			http.Error(w, "the model does not answer", http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tripKey{}, c.route(r.Header.Get("X-User")))))
	})
}

// seen counts an answer on its way to the user.
func (c *controller) seen(t *trip, r *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return err // the error handler counts it
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	var answer struct {
		Score *float64
		Ms    float64
	}
	one := row{failed: r.StatusCode >= 500}
	if json.Unmarshal(body, &answer) == nil {
		one.latency = answer.Ms
		if answer.Score != nil {
			one.score, one.scored = *answer.Score, true
		}
	}
	c.count(t, one)
	return nil
}

// count puts a row into the evidence.
func (c *controller) count(t *trip, one row) {
	if t.stage == nil {
		return
	}
	one.user, one.at = int64(binary.BigEndian.Uint64(t.user[8:])), c.now().UnixMicro()
	s := &t.stage.arms[t.arm].shards[t.user[16]%8]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, one)
	if len(s.rows) >= 256 {
		s.flush(c.spec)
	}
}

// flush hands the rows to the collector, which remembers a fault until Take.
func (s *shard) flush(spec *analysis.Spec) {
	b := &analysis.Batch{Rows: len(s.rows)}
	for _, name := range spec.Names() {
		col, _ := column(name, s.rows) // the names were checked at the start
		b.Columns = append(b.Columns, col)
	}
	_ = s.collector.Add(b)
	s.rows = s.rows[:0]
}

// column makes one column of rows. A model that fails has neither score nor latency.
func column(name string, rows []row) (analysis.Column, error) {
	col := analysis.Column{}
	switch name {
	case "user":
		col.Type, col.Ints = analysis.Int, make([]int64, len(rows))
		for i, r := range rows {
			col.Ints[i] = r.user
		}
	case "ts":
		col.Type, col.Ints = analysis.Time, make([]int64, len(rows))
		for i, r := range rows {
			col.Ints[i] = r.at
		}
	case "failed":
		col.Type, col.Bools = analysis.Bool, make([]bool, len(rows))
		for i, r := range rows {
			col.Bools[i] = r.failed
		}
	case "score", "latency_ms":
		col.Type, col.Floats, col.Valid = analysis.Float, make([]float64, len(rows)), make([]bool, len(rows))
		for i, r := range rows {
			col.Floats[i], col.Valid[i] = r.latency, !r.failed
			if name == "score" {
				col.Floats[i], col.Valid[i] = r.score, r.scored
			}
		}
	default:
		return col, fmt.Errorf("this controller has no column %q; it has failed, latency_ms, score, ts and user", name)
	}
	return col, nil
}

// gather moves what the shards have into the sum of the arm.
func (a *arm) gather(spec *analysis.Spec) error {
	parts := []*analysis.Snapshot{a.sum}
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		s.flush(spec)
		part, err := s.collector.Take()
		s.mu.Unlock()
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	sum, err := analysis.MergeSnapshots(parts...)
	if err == nil {
		a.sum = sum
	}
	return err
}

// feed asks for the outcomes since the last time that both arms were answered for:
// after an outage the window is longer, and nothing is lost.
func (c *controller) feed(ctx context.Context, s *stage, now time.Time) []analysis.SourceProblem {
	var ms [2]analysis.Measurement
	for i, name := range arms {
		complaints, users, err := c.outcome(ctx, name, s.fed, now)
		if err != nil {
			return []analysis.SourceProblem{{Name: "complaints", Text: err.Error()}}
		}
		ms[i] = analysis.Measurement{Metric: "complaints", Start: s.fed, End: now, Total: &complaints, Count: &users}
	}
	for i := range ms {
		if err := s.arms[i].sum.AddMeasurement(ms[i]); err != nil {
			return []analysis.SourceProblem{{Name: "complaints", Text: err.Error()}}
		}
	}
	s.fed = now
	return nil
}

// look asks for a verdict and acts on it. Whatever goes wrong, the weight stays.
func (c *controller) look(ctx context.Context) (*analysis.Verdict, error) {
	c.looking.Lock()
	defer c.looking.Unlock()
	c.mu.RLock()
	present, people, last := c.present, c.overrides, c.verdict
	c.mu.RUnlock()
	if present == nil {
		return last, nil // the rollout is over
	}
	v, err := c.judge(ctx, present, people)
	c.mu.Lock()
	c.fault = err
	if err == nil {
		c.verdict, c.state = v, &v.State
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	switch {
	case v.Decision == analysis.Rollback:
		c.finish(0)
	case v.Step == analysis.Advance:
		c.enter(v.Next)
	case v.Step == analysis.Done:
		c.finish(100)
	}
	// On a pause the weight stays as it is.
	if err := c.store(); err != nil {
		return v, fmt.Errorf("the verdict holds, but the rollout was not stored, and a restart would forget it: %w", err)
	}
	return v, nil
}

func (c *controller) judge(ctx context.Context, present *stage, people []analysis.Override) (*analysis.Verdict, error) {
	now := c.now()
	l := analysis.Look{Stage: present.name, Overrides: people, State: c.state, Now: now}
	for _, s := range c.stages {
		for i := range s.arms {
			if err := s.arms[i].gather(c.spec); err != nil {
				return nil, err
			}
		}
	}
	l.Problems = c.feed(ctx, present, now)
	for _, s := range c.stages {
		l.Evidence = append(l.Evidence, analysis.StageEvidence{Stage: s.name, Baseline: s.arms[0].sum, Candidate: s.arms[1].sum})
	}
	v, err := c.policy.Evaluate(l)
	return &v, err
}

// admin is the handler for people.
func (c *controller) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_ = c.status(w) // whoever asked has left
	})
	mux.HandleFunc("POST /override", func(w http.ResponseWriter, r *http.Request) {
		var o analysis.Override
		dec := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		c.overrides = append(c.overrides[:len(c.overrides):len(c.overrides)], o)
		c.mu.Unlock()
		w.WriteHeader(http.StatusAccepted) // the next look says whether it counts
	})
	return mux
}

// status writes where the rollout is, and why.
func (c *controller) status(w io.Writer) error {
	c.mu.RLock()
	present, weight, v, fault := c.present, c.weight, c.verdict, c.fault
	c.mu.RUnlock()
	where := "The rollout is over."
	if present != nil {
		where = "The rollout is in stage " + present.name + "."
	}
	if _, err := fmt.Fprintf(w, "%s The candidate gets %v%% of the users.\n", where, weight); err != nil {
		return err
	}
	if fault != nil {
		if _, err := fmt.Fprintf(w, "The last look gave no verdict, and the weight stays: %v\n", fault); err != nil {
			return err
		}
	}
	if v == nil {
		_, err := fmt.Fprintln(w, "Nothing has been looked at yet.")
		return err
	}
	return v.WriteText(w, analysis.TextOptions{})
}

func main() {
	policy := flag.String("policy", "", "policy file; without -baseline the one of the example")
	models := [2]*string{flag.String("baseline", "", "URL of the old model"), flag.String("candidate", "", "URL of the new one")}
	feed := flag.String("outcomes", "", "URL that answers {\"complaints\": 3, \"users\": 200} for arm, from and to")
	listen, admin := flag.String("listen", ":8080", "address for users"), flag.String("admin", "localhost:8081", "address for people")
	state := flag.String("state", "", "file that keeps the rollout")
	every := flag.Duration("every", time.Minute, "time between looks")
	flag.Parse()
	var err error
	if *models[0] == "" {
		err = demo(os.Stdout)
	} else {
		err = serve(*policy, models, *feed, *state, *listen, *admin, *every)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "controller:", err)
		os.Exit(2)
	}
}
