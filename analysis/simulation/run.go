package simulation

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Options says how often a policy is tried, and how it is looked at.
type Options struct {
	Rollouts int    // 0 means 200
	Seed     uint64 // of the generators; each rollout has a stream of its own
	// LookEvery is the time from look to look of a policy that looks continuously; 0
	// means a minute, which is also the least.
	LookEvery time.Duration
	// Horizon is when a rollout is given up that has come to no end; 0 means four
	// times the durations of the stages, or a day when none has one.
	Horizon time.Duration
	Workers int // 0 means one for each processor
	// Recorded asks for verdicts with a record that can be replayed.
	Recorded bool
	// Observe is told of every look, those of one rollout in order, but from several
	// goroutines. The evidence of the look grows afterwards: what is to be kept has to
	// be copied.
	Observe func(rollout int, l analysis.Look, v analysis.Verdict)
}

// Run tries the policy on simulated rollouts. In each of them traffic comes by the
// minute, every look gives a verdict, and what the verdict says is done: on
// "advance" the next stage begins, a rollback and a pause that waits for a person
// end the rollout, any other pause goes on collecting in the same stage.
//
// The result depends on the policy, the scenario, the seed and the looks, not on
// the number of workers. Progress of a run that is cancelled is lost.
//
// Errors: [stats.ErrDomain] for a scenario that cannot be, or that the policy does
// not see, and for traffic that nobody names; those of [analysis.Policy.Evaluate];
// that of the context. Cost: some 0.1 ms a minute of a rollout, and what the policy
// takes for a look, which is more.
func Run(ctx context.Context, p *analysis.Policy, s Scenario, o Options) (Result, error) {
	w, err := newWorld(p, s)
	if err != nil {
		return Result{}, err
	}
	if err := o.setDefaults(p); err != nil {
		return Result{}, err
	}
	all := make([]played, o.Rollouts)
	errs := make([]error, o.Workers)
	var next atomic.Int64
	var wait sync.WaitGroup
	for k := range o.Workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for errs[k] == nil {
				i := int(next.Add(1)) - 1
				if i >= o.Rollouts {
					return
				}
				if errs[k] = ctx.Err(); errs[k] == nil {
					all[i], errs[k] = newPlayer(w, &o, i).play(i)
				}
				if errs[k] != nil {
					next.Store(int64(o.Rollouts)) // the others stop, too
				}
			}
		}()
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return Result{}, err
	}
	return w.result(&o, all)
}

func (o *Options) setDefaults(p *analysis.Policy) error {
	if o.Rollouts < 0 || o.Workers < 0 || o.LookEvery < 0 || o.Horizon < 0 || o.LookEvery > 0 && o.LookEvery < time.Minute {
		return fmt.Errorf("simulation: Options: %d rollouts, %d workers, a look every %v up to %v: %w", o.Rollouts, o.Workers, o.LookEvery, o.Horizon, stats.ErrDomain)
	}
	if o.Rollouts == 0 {
		o.Rollouts = 200
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.LookEvery == 0 {
		o.LookEvery = time.Minute
	}
	if o.Horizon == 0 {
		for _, s := range p.Stages {
			o.Horizon += 4 * max(s.Duration, p.Exposure.MinDuration)
		}
		if o.Horizon == 0 {
			o.Horizon = 24 * time.Hour
		}
	}
	return nil
}
