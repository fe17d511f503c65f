package webhookgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// task is a look to be made at a rollout.
type task struct {
	policy, rollout, stage string
	id, request            string // of the look and of what asked for it; empty for a look of the gate itself
	client                 string
	now                    time.Time     // of the caller; zero is the clock
	fresh                  time.Duration // a verdict that is not older is as good as a look
	// look fills in the evidence of the present stage and what came with it.
	look func(ctx context.Context, l *analysis.Look, p Policy) error
}

// answer is a verdict that is stored.
type answer struct {
	verdict  *analysis.Verdict
	record   []byte
	replayed bool
}

// maxTries bounds how often a look is made anew because another gate was faster.
const maxTries = 50

// decide makes a look and stores it, exactly once for each id.
func (g *Gate) decide(ctx context.Context, t task) (answer, error) {
	p, ok := g.o.Policies.Policy(t.policy)
	if !ok {
		return answer{}, unknownPolicy(t.policy)
	}
	release, err := g.locks.acquire(ctx, t.rollout)
	if err != nil {
		return answer{}, storeFault(err)
	}
	defer release()
	for range maxTries {
		past, err := g.o.Store.Load(ctx, t.rollout, t.id)
		if err != nil {
			return answer{}, storeFault(err)
		}
		a, done, err := g.recorded(&t, &past, p)
		if done || err != nil {
			return a, err
		}
		a, err = g.evaluate(ctx, &t, &past, a.verdict, p)
		if errors.Is(err, ErrConflict) {
			continue
		}
		return a, err
	}
	return answer{}, &fault{http.StatusServiceUnavailable, codeContested, "others look at the rollout at the same time; send the same request again", nil}
}

// recorded returns the last verdict, and whether it, or that of the same look,
// answers the task.
func (g *Gate) recorded(t *task, past *Past, p Policy) (a answer, done bool, err error) {
	if past.Look != nil {
		if past.Look.Request != t.request || past.Policy != t.policy {
			return a, false, &fault{http.StatusConflict, codeReused, fmt.Sprintf("look %q of the rollout was another request; give each look an id of its own", t.id), nil}
		}
		v, err := readVerdict(past.Look.Record)
		return answer{v, past.Look.Record, true}, true, err
	}
	if past.Last == nil {
		return a, false, nil
	}
	v, err := readVerdict(past.Last)
	if err != nil {
		return a, false, err
	}
	if err := belongs(past, v, t.policy, p); err != nil {
		return a, false, err
	}
	a = answer{v, past.Last, false}
	return a, t.fresh > 0 && g.o.Now().Sub(decidedAt(v)) <= t.fresh && v.Stage == t.stage, nil
}

// belongs checks that a rollout is judged by the policy.
func belongs(past *Past, v *analysis.Verdict, name string, p Policy) error {
	if past.Policy == name && v.Model.Name == p.Rules.Model.Name {
		return nil
	}
	return &fault{http.StatusConflict, codePolicy, fmt.Sprintf("the rollout is one of model %q under policy %q, and this is policy %q for model %q; name another rollout", v.Model.Name, past.Policy, name, p.Rules.Model.Name), nil}
}

// evaluate makes the look after the last one and stores it.
func (g *Gate) evaluate(ctx context.Context, t *task, past *Past, last *analysis.Verdict, p Policy) (answer, error) {
	l := analysis.Look{Stage: t.stage, Now: t.now, Shadows: p.Shadows}
	if l.Now.IsZero() {
		l.Now = g.o.Now()
	}
	if last != nil {
		l.State = &last.State
		if at := decidedAt(last); l.Now.Before(at) {
			if !t.now.IsZero() {
				return answer{}, &fault{http.StatusConflict, codeOrder, fmt.Sprintf("now is %s, and the last look was at %s", t.now.Format(time.RFC3339), at.Format(time.RFC3339)), nil}
			}
			l.Now = at // the clock of another gate is ahead
		}
	}
	if err := t.look(ctx, &l, p); err != nil {
		return answer{}, err
	}
	if err := g.remember(ctx, &l, last, p); err != nil {
		return answer{}, err
	}
	v, err := p.Rules.Evaluate(l)
	switch {
	case err != nil && unusable(err):
		return answer{}, evidenceFault(err)
	case err != nil:
		return answer{}, err
	}
	if err := v.Verify(last); err != nil {
		return answer{}, err
	}
	record, err := json.Marshal(v)
	if err != nil {
		return answer{}, err
	}
	e := Entry{Stored: Stored{Number: past.Records + 1, Look: t.id, Request: t.request, Record: record}, Policy: t.policy}
	if e.Look == "" {
		e.Look = fmt.Sprintf("gate:%d", e.Number)
	}
	if e.Blobs, err = blobs(&l, p); err != nil {
		return answer{}, err
	}
	switch err := g.o.Store.Append(ctx, t.rollout, e); {
	case errors.Is(err, ErrConflict):
		return answer{}, err
	case err != nil:
		return answer{}, storeFault(err)
	}
	if g.o.Decided != nil {
		g.o.Decided(Decision{Rollout: t.rollout, Policy: t.policy, Look: e.Look, Number: e.Number, Client: t.client, At: l.Now, Verdict: &v, Record: record})
	}
	return answer{&v, record, false}, nil
}

// decidedAt is the time of a recorded look.
func decidedAt(v *analysis.Verdict) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, v.Record.DecidedAt) // each look of a gate has one
	return at
}

func unknownPolicy(name string) error {
	return &fault{http.StatusNotFound, codeNotFound, fmt.Sprintf("there is no policy %q", name), nil}
}
