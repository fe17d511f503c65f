package simulation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/simulation"
)

func TestWorkersDoNotMatter(t *testing.T) {
	p := load(t, small)
	s := simulation.Scenario{Traffic: served(), Harm: simulation.Harm{Column: "error", Factor: 4, After: 3 * time.Minute}, Noise: simulation.Noise{Rho: 0.5, Swing: 0.1}}
	var want simulation.Result
	for workers := range 3 {
		got, err := simulation.Run(context.Background(), p, s, simulation.Options{Rollouts: 6, Seed: 9, Workers: workers + 1, LookEvery: 2 * time.Minute, Horizon: 20 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if workers == 0 {
			want = got
		}
		if d := cmp.Diff(want, got, sameFloats); d != "" {
			t.Errorf("%d workers: -one +more\n%s", workers+1, d)
		}
	}
	if want.Alarms.N != 6 || want.RolledBack.N != 6 {
		t.Errorf("errors x4 were caught in %v, rolled back in %v", want.Alarms, want.RolledBack)
	}
	var text bytes.Buffer
	if err := want.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"The harm was caught in 6 of 6", "error times 4 after 3m0s", "guardrail mean", "canary"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the text does not say %q:\n%s", part, text.String())
		}
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var back simulation.Result
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, back, sameFloats); d != "" {
		t.Errorf("JSON loses something: %s", d)
	}
}

// TestSoundRolloutsAreCompleted goes through all stages, with outages on the way.
func TestSoundRolloutsAreCompleted(t *testing.T) {
	p := load(t, small)
	s := simulation.Scenario{Traffic: served(), Outages: []simulation.Outage{
		{Every: 10 * time.Minute, Lasts: 2 * time.Minute},
		{Source: "cpu", Every: 5 * time.Minute, Lasts: 2 * time.Minute, Silent: true},
	}}
	failed := 0
	var mu sync.Mutex
	r, err := simulation.Run(context.Background(), p, s, simulation.Options{Rollouts: 5, Seed: 2, Horizon: 2 * time.Hour,
		Observe: func(_ int, l analysis.Look, v analysis.Verdict) {
			mu.Lock()
			defer mu.Unlock()
			if len(l.Problems) > 0 {
				failed++
				if v.Decision == analysis.Continue {
					t.Error("a look at which every source failed continues")
				}
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Completed.N != 5 || r.Alarms.N != 0 {
		var text bytes.Buffer
		_ = r.WriteText(&text)
		t.Errorf("want 5 rollouts completed:\n%s", text.String())
	}
	if failed == 0 {
		t.Error("no outage was seen")
	}
}

// TestLooksOfThePolicy: a policy that looks once, or on a schedule, is not looked at
// more often.
func TestLooksOfThePolicy(t *testing.T) {
	for kind, want := range map[analysis.Looks]uint64{
		{Kind: analysis.Once}:                   1,
		{Kind: analysis.Scheduled, Schedule: 3}: 3,
	} {
		p := *load(t, small)
		p.Stages, p.SplitGiven, p.Looks = nil, true, kind
		r, err := simulation.Run(context.Background(), &p, simulation.Scenario{Traffic: served(), Harm: simulation.Harm{LogLoss: 0.1}},
			simulation.Options{Rollouts: 1, Horizon: 10 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if r.Looks > want {
			t.Errorf("%v: %d looks, want %d at most", kind, r.Looks, want)
		}
	}
}

func TestCancelledRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := simulation.Run(ctx, load(t, small), simulation.Scenario{Traffic: served()}, simulation.Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

// TestReplayOfSimulatedVerdicts records 200 verdicts and repeats each of them from
// its record and the evidence by digest, as it was stored: byte for byte.
func TestReplayOfSimulatedVerdicts(t *testing.T) {
	p := load(t, small)
	type recorded struct {
		verdict []byte
		before  []byte
	}
	var verdicts []recorded
	store := map[string][]byte{}
	latest := map[int][]byte{}
	observe := func(rollout int, l analysis.Look, v analysis.Verdict) { // of one worker
		for _, e := range l.Evidence {
			for _, s := range []*analysis.Snapshot{e.Baseline, e.Candidate} {
				if s == nil {
					continue
				}
				digest, err := s.Digest()
				if err != nil {
					t.Fatal(err)
				}
				if store[digest] != nil {
					continue
				}
				if store[digest], err = s.MarshalBinary(); err != nil {
					t.Fatal(err)
				}
			}
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, recorded{data, latest[rollout]})
		latest[rollout] = data
	}
	for _, s := range []simulation.Scenario{
		{Traffic: served(), Outages: []simulation.Outage{{Every: 5 * time.Minute, Lasts: 2 * time.Minute}}},
		{Traffic: served(), Harm: simulation.Harm{LogLoss: 0.05}},
	} {
		o := simulation.Options{Rollouts: 40, Seed: 11, Workers: 1, Horizon: 12 * time.Minute, Recorded: true, Observe: observe}
		for len(verdicts) < 100 || s.Harm.LogLoss > 0 && len(verdicts) < 200 {
			o.Rollouts = 5
			o.Seed++
			clear(latest)
			if _, err := simulation.Run(context.Background(), p, s, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	find := func(digest string) (*analysis.Snapshot, error) {
		data, ok := store[digest]
		if !ok {
			return nil, errors.New("it is not stored")
		}
		s := new(analysis.Snapshot)
		return s, s.UnmarshalBinary(data)
	}
	for i, r := range verdicts[:200] {
		v, err := analysis.VerdictFromJSON(r.verdict)
		if err != nil {
			t.Fatal(err)
		}
		var before *analysis.Verdict
		if r.before != nil {
			if before, err = analysis.VerdictFromJSON(r.before); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.Verify(before); err != nil {
			t.Fatalf("verdict %d: %v", i, err)
		}
		again, err := analysis.Replay(v, p, find)
		if err != nil {
			t.Fatalf("verdict %d: %v", i, err)
		}
		if data, err := json.Marshal(again); err != nil || !bytes.Equal(data, r.verdict) {
			t.Fatalf("verdict %d of 200 is not the same again: %v", i, err)
		}
	}
}
