package exposure

import (
	"context"
	"fmt"
	"hash/maphash"
	"runtime"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Flag says which variants of a flag are the arms of a rollout.
type Flag struct {
	Key       string // of the flag
	Baseline  string // name of the variant that is the old model
	Candidate string // name of the variant that is the new one
}

// Options of [NewHook]. The zero value has no clock.
type Options struct {
	// Now is the time of an evaluation. It is needed when the spec has a column with
	// the time, and unused otherwise.
	Now func() time.Time
}

// Hook counts exposures. Add it to a client or to an invocation, not to both: it would
// count twice. It is safe for concurrent use.
type Hook struct {
	openfeature.UnimplementedHook
	now   func() time.Time
	seed  maphash.Seed // chooses the shard of a key, on which no result depends
	flags map[string]*counter
}

var _ openfeature.Hook = (*Hook)(nil)

// NewHook returns a hook that counts the given flags, as evidence with the spec of the
// policy that will judge it; see [analysis.Policy.Spec].
//
// The spec must have a unit column, which is the targeting key, and may have a column
// with the time; a hook brings nothing else, so that anything else in the spec is an
// error wrapping [stats.ErrMismatch]. So are a time without a clock, a flag without a
// key or with fewer than two variants, and a flag that is named twice.
func NewHook(spec *analysis.Spec, flags []Flag, o Options) (*Hook, error) {
	if err := bringable(spec, o); err != nil {
		return nil, err
	}
	h := &Hook{now: o.Now, seed: maphash.MakeSeed(), flags: map[string]*counter{}}
	shards := 1
	for shards < 4*runtime.GOMAXPROCS(0) && shards < 16 {
		shards *= 2
	}
	for _, f := range flags {
		switch {
		case f.Key == "":
			return nil, fmt.Errorf("exposure: NewHook: a flag without a key: %w", stats.ErrMismatch)
		case f.Baseline == "" || f.Candidate == "" || f.Baseline == f.Candidate:
			return nil, fmt.Errorf("exposure: NewHook: flag %q has the variants %q and %q; name one for each arm: %w", f.Key, f.Baseline, f.Candidate, stats.ErrMismatch)
		case h.flags[f.Key] != nil:
			return nil, fmt.Errorf("exposure: NewHook: flag %q is named twice: %w", f.Key, stats.ErrMismatch)
		}
		h.flags[f.Key] = newCounter(spec, f, shards)
	}
	return h, nil
}

// bringable refuses a spec that asks for more than a flag can tell.
func bringable(spec *analysis.Spec, o Options) error {
	if spec.ByRole(analysis.Unit) < 0 {
		return fmt.Errorf("exposure: NewHook: the spec has no unit column; add columns: {unit: NAME} to the policy: %w", stats.ErrMismatch)
	}
	for _, c := range spec.Columns {
		switch {
		case c.Role == analysis.Clock && o.Now == nil:
			return fmt.Errorf("exposure: NewHook: the spec has the time %q; set Options.Now: %w", c.Name, stats.ErrMismatch)
		case c.Role != analysis.Unit && c.Role != analysis.Clock:
			return fmt.Errorf("exposure: NewHook: a flag knows nothing of the column %q; use a policy of its own for the split: %w", c.Name, stats.ErrMismatch)
		}
	}
	if len(spec.Derived)+len(spec.Metrics)+len(spec.Slices)+len(spec.Discover) > 0 {
		return fmt.Errorf("exposure: NewHook: the spec asks for derived columns, metrics or slices, of which a flag knows nothing: %w", stats.ErrMismatch)
	}
	return nil
}

// Finally counts an evaluation; the SDK calls it. It implements [openfeature.Hook].
func (h *Hook) Finally(_ context.Context, c openfeature.HookContext, d openfeature.InterfaceEvaluationDetails, _ openfeature.HookHints) {
	n := h.flags[c.FlagKey()]
	if n == nil {
		return
	}
	key := c.EvaluationContext().TargetingKey()
	s := &n.shards[maphash.String(h.seed, key)%uint64(len(n.shards))]
	at := int64(0)
	if h.now != nil {
		at = h.now().UnixMicro()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case d.ErrorCode != "":
		if s.excluded.Codes == nil {
			s.excluded.Codes = map[string]uint64{}
		}
		s.excluded.Codes[string(d.ErrorCode)]++
	case d.Variant == "" || d.Reason == openfeature.DefaultReason || d.Reason == openfeature.DisabledReason || d.Reason == openfeature.ErrorReason:
		s.excluded.Default++
	case d.Variant != n.flag.Baseline && d.Variant != n.flag.Candidate:
		s.excluded.Other++
	case key == "":
		s.excluded.NoKey++
	case d.Variant == n.flag.Candidate:
		s.arms[1].add(key, at)
	default:
		s.arms[0].add(key, at)
	}
}

// Error counts an evaluation that failed; the SDK calls it. It implements
// [openfeature.Hook].
func (h *Hook) Error(_ context.Context, c openfeature.HookContext, _ error, _ openfeature.HookHints) {
	if n := h.flags[c.FlagKey()]; n != nil {
		s := &n.shards[0]
		s.mu.Lock()
		s.excluded.Errors++
		s.mu.Unlock()
	}
}
