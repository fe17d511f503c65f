package exposure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	exposure "github.com/rampguard/rampguard/adapters/openfeature"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

const policyFile = `
version: 1
model: {name: ranker, baseline: v7, candidate: v8}
columns: {unit: user}
split: {baseline: 0.5, candidate: 0.5}
checks:
  - {check: srm}
`

func policyOf(t testing.TB, text string) (*analysis.Policy, *analysis.Spec) {
	t.Helper()
	p, err := analysis.LoadPolicy("policy.yaml", []byte(text), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return p, spec
}

var ranker = exposure.Flag{Key: "ranker", Baseline: "v7", Candidate: "v8"}

// flag is a flag of the in-memory provider whose variant is chosen by the user.
func flag(choose func(user string) (variant string, reason sdk.Reason, err *sdk.ResolutionError)) map[string]memprovider.InMemoryFlag {
	evaluate := func(this memprovider.InMemoryFlag, flat sdk.FlattenedContext) (any, sdk.ProviderResolutionDetail) {
		user, _ := flat[sdk.TargetingKey].(string)
		variant, reason, err := choose(user)
		d := sdk.ProviderResolutionDetail{Variant: variant, Reason: reason}
		if err != nil {
			d.ResolutionError = *err
		}
		if v, ok := this.Variants[variant]; ok {
			return v, d
		}
		return "old", d
	}
	return map[string]memprovider.InMemoryFlag{
		"ranker": {Key: "ranker", State: memprovider.Enabled, Variants: map[string]any{"v7": "old", "v8": "new", "v9": "newest"}, ContextEvaluator: &evaluate},
		"plain":  {Key: "plain", State: memprovider.Enabled, DefaultVariant: "v7", Variants: map[string]any{"v7": "old"}},
	}
}

// client is a real client of the SDK with the hook.
func client(t testing.TB, hooks []sdk.Hook, flags map[string]memprovider.InMemoryFlag) *sdk.Client {
	t.Helper()
	if err := sdk.SetNamedProviderAndWait(t.Name(), memprovider.NewInMemoryProvider(flags)); err != nil {
		t.Fatal(err)
	}
	c := sdk.NewClient(t.Name())
	c.AddHooks(hooks...)
	return c
}

func hook(t testing.TB, spec *analysis.Spec, o exposure.Options) *exposure.Hook {
	t.Helper()
	h, err := exposure.NewHook(spec, []exposure.Flag{ranker}, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func exposures(t testing.TB, h *exposure.Hook) exposure.Exposures {
	t.Helper()
	e, err := h.Snapshot("ranker")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// mixed is a number that users who come one after another do not share.
func mixed(n int) uint64 {
	x := uint64(n) * 0x9e3779b97f4a7c15
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

func user(n int) sdk.EvaluationContext { return sdk.NewEvaluationContext(fmt.Sprint("user-", n), nil) }

func number(key string) int {
	var n int
	_, _ = fmt.Sscanf(key, "user-%d", &n)
	return n
}

// half assigns half of the users to the candidate.
func half(key string) (string, sdk.Reason, *sdk.ResolutionError) {
	if mixed(number(key))%2 == 0 {
		return "v8", sdk.SplitReason, nil
	}
	return "v7", sdk.SplitReason, nil
}

// A sound split passes; one in which a part of the candidate's users gets an error,
// and so the default, is found, though every single evaluation looks right.
func TestVerdictFindsTheMismatch(t *testing.T) {
	p, spec := policyOf(t, policyFile)
	for _, tt := range []struct {
		name     string
		lost     uint64 // per thousand of the candidate's users
		decision analysis.Decision
		outcome  analysis.Outcome
	}{{"sound", 0, analysis.Continue, analysis.Pass}, {"lost", 120, analysis.Pause, analysis.Invalid}} {
		t.Run(tt.name, func(t *testing.T) {
			h := hook(t, spec, exposure.Options{})
			c := client(t, []sdk.Hook{h}, flag(func(key string) (string, sdk.Reason, *sdk.ResolutionError) {
				variant, reason, _ := half(key)
				if variant == "v8" && mixed(number(key)+1e9)%1000 < tt.lost {
					err := sdk.NewGeneralResolutionError("the segment is not loaded")
					return "", sdk.ErrorReason, &err
				}
				return variant, reason, nil
			}))
			for n := range 6000 {
				for range 1 + n%3 { // users come back
					c.String(t.Context(), "ranker", "old", user(n))
				}
			}
			e := exposures(t, h)
			v, err := analysis.Evaluate(p, e.Baseline, e.Candidate, nil, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			f := v.Findings[0]
			if v.Decision != tt.decision || f.Check != "srm" || f.Outcome != tt.outcome {
				t.Errorf("%v; %s %v: %s", v.Decision, f.Check, f.Outcome, f.Message)
			}
			units := uint64(0)
			for _, s := range []*analysis.Snapshot{e.Baseline, e.Candidate} {
				n, exact := s.ByRole(analysis.Unit).Units.Count()
				if !exact {
					t.Error("fewer than 8192 users are counted exactly")
				}
				units += uint64(n)
			}
			// Nobody is missing: a user is in an arm, or all his evaluations failed.
			failed := map[int]bool{}
			for n := range 6000 {
				if mixed(n)%2 == 0 && mixed(n+1e9)%1000 < tt.lost {
					failed[n] = true
				}
			}
			if units+uint64(len(failed)) != 6000 || (e.Excluded.Failed() > 0) != (tt.lost > 0) || e.Excluded.Failed() != e.Excluded.Errors {
				t.Errorf("%d users in the arms and %d who failed, of 6000; excluded %+v", units, len(failed), e.Excluded)
			}
			if rows := e.Baseline.RowCount + e.Candidate.RowCount + e.Excluded.Failed(); rows != 12000 {
				t.Errorf("%d of 12000 evaluations are accounted for", rows)
			}
			if tt.lost > 0 && (f.N.Baseline+f.N.Candidate != units || f.N.Candidate >= f.N.Baseline) {
				t.Errorf("srm counts %+v, the units are %d", f.N, units)
			}
		})
	}
}

// A user who is given both variants has no arm.
func TestUserInBothArms(t *testing.T) {
	p, spec := policyOf(t, policyFile)
	h := hook(t, spec, exposure.Options{})
	turn := 0
	c := client(t, []sdk.Hook{h}, flag(func(string) (string, sdk.Reason, *sdk.ResolutionError) {
		turn++ // not by the user at all
		return []string{"v7", "v8"}[mixed(turn)%2], sdk.SplitReason, nil
	}))
	for n := range 8000 {
		c.String(t.Context(), "ranker", "old", user(n%2000))
	}
	e := exposures(t, h)
	v, err := analysis.Evaluate(p, e.Baseline, e.Candidate, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		if f.Code == "multiple_exposure" && f.Outcome == analysis.Invalid {
			return
		}
	}
	t.Errorf("nobody notices: %v", v.Reasons)
}

// What is no exposure is in no arm, and is counted by its reason.
func TestExcluded(t *testing.T) {
	_, spec := policyOf(t, policyFile)
	h := hook(t, spec, exposure.Options{})
	c := client(t, []sdk.Hook{h}, flag(func(key string) (string, sdk.Reason, *sdk.ResolutionError) {
		switch number(key) {
		case 1:
			return "v7", sdk.DefaultReason, nil
		case 2:
			return "v9", sdk.SplitReason, nil
		case 3:
			err := sdk.NewParseErrorResolutionError("half a rule")
			return "", sdk.ErrorReason, &err
		case 4:
			return "", sdk.SplitReason, nil
		}
		return "v8", sdk.TargetingMatchReason, nil
	}))
	for n := 1; n <= 6; n++ {
		c.String(t.Context(), "ranker", "old", user(n))
	}
	c.String(t.Context(), "ranker", "old", sdk.EvaluationContext{}) // no key
	c.Boolean(t.Context(), "ranker", false, user(7))                // another type
	c.String(t.Context(), "nowhere", "old", user(1))                // another flag
	c.String(t.Context(), "plain", "old", user(1))
	e := exposures(t, h)
	x := e.Excluded
	if e.Baseline.RowCount != 0 || e.Candidate.RowCount != 2 {
		t.Errorf("%d and %d rows, want 0 and 2", e.Baseline.RowCount, e.Candidate.RowCount)
	}
	if x.Default != 2 || x.Other != 1 || x.NoKey != 1 || x.Codes["PARSE_ERROR"] != 1 || x.Codes["TYPE_MISMATCH"] != 1 || x.Failed() != 2 || x.Errors != 2 {
		t.Errorf("%+v", x)
	}
	if _, err := h.Snapshot("plain"); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("a flag that is not counted: %v", err)
	}
}

// late is a hook of somebody else that fails after the variant is known.
type late struct{ sdk.UnimplementedHook }

func (late) After(context.Context, sdk.HookContext, sdk.InterfaceEvaluationDetails, sdk.HookHints) error {
	return errors.New("no")
}

// The caller gets the default then; the count of errors shows it.
func TestFaultOfAnotherHook(t *testing.T) {
	_, spec := policyOf(t, policyFile)
	h := hook(t, spec, exposure.Options{})
	c := client(t, []sdk.Hook{h, late{}}, flag(half))
	if got := c.String(t.Context(), "ranker", "fallback", user(1)); got != "fallback" {
		t.Fatalf("the caller got %q", got)
	}
	if e := exposures(t, h); e.Excluded.Errors != 1 || e.Excluded.Failed() != 0 {
		t.Errorf("%+v", e.Excluded)
	}
}

// Goroutines, shards and the moments at which somebody looks are no evidence: the
// snapshots are the same, byte for byte.
func TestConcurrentEvaluations(t *testing.T) {
	_, spec := policyOf(t, strings.Replace(policyFile, "unit: user", "unit: user, time: ts", 1))
	clock := func() time.Time { return time.Unix(1.7e9, 0) }
	const users = 4000
	run := func(t *testing.T, workers int) [2][]byte {
		h := hook(t, spec, exposure.Options{Now: clock})
		c := client(t, []sdk.Hook{h}, flag(half))
		var wg sync.WaitGroup
		var taken []exposure.Exposures
		for w := range workers {
			wg.Go(func() {
				for n := w; n < users; n += workers {
					c.String(context.Background(), "ranker", "old", user(n))
				}
			})
		}
		if workers > 1 {
			for range 3 {
				e, err := h.Take("ranker")
				if err != nil {
					t.Fatal(err)
				}
				taken = append(taken, e)
			}
		}
		wg.Wait()
		last, err := h.Take("ranker")
		if err != nil {
			t.Fatal(err)
		}
		var out [2][]byte
		for k := range out {
			var parts []*analysis.Snapshot
			for _, e := range append(taken, last) {
				parts = append(parts, []*analysis.Snapshot{e.Baseline, e.Candidate}[k])
			}
			s, err := analysis.MergeSnapshots(parts...)
			if err != nil {
				t.Fatal(err)
			}
			if out[k], err = s.MarshalBinary(); err != nil {
				t.Fatal(err)
			}
		}
		if e := exposures(t, h); e.Baseline.RowCount+e.Candidate.RowCount != 0 {
			t.Error("Take left rows behind")
		}
		return out
	}
	want, got := run(t, 1), run(t, 8)
	// And by hand, without a hook: each arm in one batch.
	var keys [2][]string
	for n := range users {
		variant, _, _ := half(fmt.Sprint("user-", n))
		k := 0
		if variant == "v8" {
			k = 1
		}
		keys[k] = append(keys[k], fmt.Sprint("user-", n))
	}
	for k := range keys {
		b := &analysis.Batch{Rows: len(keys[k]), Columns: make([]analysis.Column, 2)}
		unit, at := analysis.Column{Type: analysis.String, Dict: &analysis.Dict{Values: keys[k]}}, analysis.Column{Type: analysis.Time}
		for i := range keys[k] {
			unit.Codes, at.Ints = append(unit.Codes, int32(i)), append(at.Ints, clock().UnixMicro())
		}
		b.Columns[spec.ByRole(analysis.Unit)], b.Columns[spec.ByRole(analysis.Clock)] = unit, at
		c := analysis.NewCollector(spec)
		if err := c.Add(b); err != nil {
			t.Fatal(err)
		}
		s, err := c.Take()
		if err != nil {
			t.Fatal(err)
		}
		byHand, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want[k], byHand) || !bytes.Equal(got[k], byHand) {
			t.Errorf("arm %d: one worker %v, eight %v the same as by hand", k, bytes.Equal(want[k], byHand), bytes.Equal(got[k], byHand))
		}
	}
}

func TestNewHookRefuses(t *testing.T) {
	_, good := policyOf(t, policyFile)
	_, clock := policyOf(t, strings.Replace(policyFile, "unit: user", "unit: user, time: ts", 1))
	_, score := policyOf(t, strings.Replace(policyFile, "unit: user", "unit: user, score: s", 1))
	_, none := policyOf(t, strings.Replace(policyFile, "columns: {unit: user}\n", "", 1))
	for _, tt := range []struct {
		spec  *analysis.Spec
		flags []exposure.Flag
		want  string
	}{
		{none, nil, "no unit column"},
		{clock, nil, "Options.Now"},
		{score, nil, `the column "s"`},
		{good, []exposure.Flag{{Baseline: "a", Candidate: "b"}}, "without a key"},
		{good, []exposure.Flag{{Key: "f", Baseline: "a", Candidate: "a"}}, "one for each arm"},
		{good, []exposure.Flag{{Key: "f", Baseline: "a"}}, "one for each arm"},
		{good, []exposure.Flag{ranker, ranker}, "named twice"},
	} {
		if _, err := exposure.NewHook(tt.spec, tt.flags, exposure.Options{}); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}
