package sequential

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// BudgetOptions configures [NewBudget]. All of it is frozen with the plan.
type BudgetOptions struct {
	// Alpha is the probability, over the whole rollout, of ever acting on a
	// hypothesis that is true; in (0,1), default 0.05.
	Alpha float64
	// Attempt is 0 when the candidate will not be replaced during the rollout.
	// When it may be (a hot-fix restarts every process), number the attempts 1,
	// 2, 3, ...: attempt a gets 6/(pi^2 a^2) of Alpha, which sums to Alpha over
	// all of them.
	Attempt int
	// Overall and Slices are the parts of Alpha for the hypotheses on whole arms
	// and on declared slices; defaults 0.5 and 0.4. The rest is the reserve for
	// hypotheses added later. A part without hypotheses goes to the other one.
	Overall, Slices float64
}

// Hypothesis is one null hypothesis with its share of a [Budget] and its
// evidence so far.
type Hypothesis struct {
	Name      string      `json:"name"`
	Weight    float64     `json:"weight"`               // share of the budget
	Alpha     float64     `json:"alpha"`                // Weight times the alpha of the attempt
	Threshold float64     `json:"threshold"`            // log(1/Alpha), for the running maximum of log E
	Added     int         `json:"added,omitempty"`      // 0 when declared, j for the j-th later addition
	CrossedAt uint64      `json:"crossed_at,omitempty"` // look at which the threshold was first reached; 0 for never
	Evidence  Running     `json:"evidence"`
	Gap       stats.Float `json:"gap"` // log E still missing, 0 once crossed
}

// Crossed reports whether the threshold has ever been reached. A crossing does
// not un-cross.
func (h Hypothesis) Crossed() bool { return h.CrossedAt > 0 }

// P is the always-valid p-value adjusted for the whole budget: min(1,
// exp(-Max)/Weight). The hypothesis has crossed when P is at most the alpha of
// the attempt.
func (h Hypothesis) P() float64 {
	return math.Min(1, math.Exp(-float64(h.Evidence.Max)-math.Log(h.Weight)))
}

// Budget is one error budget for a whole rollout: metrics x slices x looks x
// stages. The probability that any true hypothesis ever crosses its threshold is
// at most alpha, by Ville's inequality for each process and the union bound over
// the weights: no correction for the number or the time of looks, for
// dependence between hypotheses, or for the order of evaluation is needed.
//
// Feed each hypothesis with log E of its own process, or with -log of an
// always-valid p-value. Keep one Budget for each kind of action, since their
// costs differ; see [NewBudgets].
//
// A Budget marshals as JSON and continues after reading. It is not safe for
// concurrent use.
type Budget struct {
	s     budgetState
	index map[string]int // name to place in s.Hypotheses
}

type budgetState struct {
	Alpha      float64      `json:"alpha"` // of the attempt
	Attempt    int          `json:"attempt"`
	Reserve    float64      `json:"reserve"` // weight kept for additions, spent or not
	Additions  int          `json:"additions"`
	Hypotheses []Hypothesis `json:"hypotheses"`
}

// NewBudget divides a budget over hypotheses on the whole arms (equal weights)
// and on slices (equal weights): with 8 metrics and 6 slices that is 8 overall
// and 48 slice hypotheses, thresholds E = 320 and 2400 at alpha 0.05.
//
// Errors: [stats.ErrEmpty] without hypotheses, [stats.ErrMismatch] for a name
// given twice, [stats.ErrDomain] for impossible options.
func NewBudget(overall, slices []string, o BudgetOptions) (*Budget, error) {
	o.Alpha = defaultTo(o.Alpha, 0.05)
	o.Overall = defaultTo(o.Overall, 0.5)
	o.Slices = defaultTo(o.Slices, 0.4)
	declared := o.Overall + o.Slices
	if stats.CheckLevel(o.Alpha) != nil || o.Attempt < 0 || !(o.Overall > 0) || !(o.Slices > 0) || !(declared <= 1+1e-12) {
		return nil, fmt.Errorf("sequential: NewBudget: alpha %v, attempt %d, overall %v, slices %v: %w", o.Alpha, o.Attempt, o.Overall, o.Slices, stats.ErrDomain)
	}
	if len(overall)+len(slices) == 0 {
		return nil, fmt.Errorf("sequential: NewBudget: no hypotheses: %w", stats.ErrEmpty)
	}
	b := &Budget{s: budgetState{Alpha: o.Alpha, Attempt: o.Attempt, Reserve: math.Max(0, 1-declared)}, index: make(map[string]int)}
	if o.Attempt > 0 {
		b.s.Alpha *= seriesShare(o.Attempt)
	}
	switch {
	case len(slices) == 0:
		o.Overall = declared
	case len(overall) == 0:
		o.Slices = declared
	}
	for _, part := range []struct {
		names  []string
		weight float64
	}{{overall, o.Overall}, {slices, o.Slices}} {
		for _, name := range part.names {
			if err := b.append(name, part.weight/float64(len(part.names)), 0); err != nil {
				return nil, fmt.Errorf("sequential: NewBudget: %w", err)
			}
		}
	}
	return b, nil
}

// seriesShare is 6/(pi^2 j^2), which sums to 1 over j = 1, 2, 3, ...
func seriesShare(j int) float64 {
	return 6 / (math.Pi * math.Pi * float64(j) * float64(j))
}

func (b *Budget) append(name string, weight float64, added int) error {
	if _, ok := b.index[name]; ok {
		return fmt.Errorf("hypothesis %q twice: %w", name, stats.ErrMismatch)
	}
	h := Hypothesis{Name: name, Weight: weight, Alpha: weight * b.s.Alpha, Added: added}
	h.Threshold = Threshold(h.Alpha)
	h.Gap = stats.Float(h.Threshold)
	b.index[name] = len(b.s.Hypotheses)
	b.s.Hypotheses = append(b.s.Hypotheses, h)
	return nil
}

// Alpha is the budget of this attempt.
func (b *Budget) Alpha() float64 { return b.s.Alpha }

// Add takes a hypothesis into the budget after the start. The j-th addition gets
// 6/(pi^2 j^2) of the reserve. Its process must start now: data seen before the
// addition must not enter it.
//
// Errors: [stats.ErrMismatch] for a name that exists, [stats.ErrEmpty] when the
// budget was made without a reserve.
func (b *Budget) Add(name string) (Hypothesis, error) {
	if !(b.s.Reserve > 0) {
		return Hypothesis{}, fmt.Errorf("sequential: Budget.Add: %q: no reserve: %w", name, stats.ErrEmpty)
	}
	j := b.s.Additions + 1
	if err := b.append(name, b.s.Reserve*seriesShare(j), j); err != nil {
		return Hypothesis{}, fmt.Errorf("sequential: Budget.Add: %w", err)
	}
	b.s.Additions = j
	return b.s.Hypotheses[len(b.s.Hypotheses)-1], nil
}

// Observe records one look at a hypothesis and returns its state. logE is the
// present log E of its process.
//
// Errors: [stats.ErrMismatch] for an unknown name, [stats.ErrDomain] for NaN.
func (b *Budget) Observe(name string, logE float64) (Hypothesis, error) {
	i, ok := b.index[name]
	if !ok {
		return Hypothesis{}, fmt.Errorf("sequential: Budget.Observe: no hypothesis %q: %w", name, stats.ErrMismatch)
	}
	h := &b.s.Hypotheses[i]
	if err := h.Evidence.Observe(logE); err != nil {
		return Hypothesis{}, fmt.Errorf("sequential: Budget.Observe: %q: %w", name, err)
	}
	h.Gap = stats.Float(math.Max(0, h.Threshold-float64(h.Evidence.Max)))
	if h.CrossedAt == 0 && float64(h.Evidence.Max) >= h.Threshold {
		h.CrossedAt = h.Evidence.Looks
	}
	return *h, nil
}

// Lookup returns the state of a hypothesis.
func (b *Budget) Lookup(name string) (Hypothesis, bool) {
	if i, ok := b.index[name]; ok {
		return b.s.Hypotheses[i], true
	}
	return Hypothesis{}, false
}

// Hypotheses returns a copy of all hypotheses: overall, slices, additions.
func (b *Budget) Hypotheses() []Hypothesis { return slices.Clone(b.s.Hypotheses) }

// Crossed returns the hypotheses that have reached their threshold.
func (b *Budget) Crossed() []Hypothesis {
	var out []Hypothesis
	for _, h := range b.s.Hypotheses {
		if h.Crossed() {
			out = append(out, h)
		}
	}
	return out
}

// MarshalJSON implements [json.Marshaler].
func (b Budget) MarshalJSON() ([]byte, error) { return json.Marshal(b.s) }

// UnmarshalJSON implements [json.Unmarshaler]. State that no Budget can reach is
// an error that wraps [stats.ErrDomain] or [stats.ErrMismatch]: weights beyond
// 1, a threshold that does not follow from its weight, a repeated name, a
// crossing without the evidence for it.
func (b *Budget) UnmarshalJSON(data []byte) error {
	var s budgetState
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if err := s.validate(); err != nil {
		return fmt.Errorf("sequential: Budget: %w", err)
	}
	b.s, b.index = s, make(map[string]int, len(s.Hypotheses))
	for i, h := range s.Hypotheses {
		b.index[h.Name] = i
	}
	return nil
}

func (s budgetState) validate() error {
	if stats.CheckLevel(s.Alpha) != nil || s.Attempt < 0 || s.Additions < 0 || !(s.Reserve >= 0 && s.Reserve < 1) {
		return fmt.Errorf("alpha %v, attempt %d, reserve %v: %w", s.Alpha, s.Attempt, s.Reserve, stats.ErrDomain)
	}
	// Logarithms may differ in the last bits between platforms.
	close := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(math.Abs(a)+math.Abs(b)) }
	seen := make(map[string]bool)
	declared, added := 0.0, 0
	for _, h := range s.Hypotheses {
		if seen[h.Name] {
			return fmt.Errorf("hypothesis %q twice: %w", h.Name, stats.ErrMismatch)
		}
		seen[h.Name] = true
		want := h.Weight
		if h.Added == 0 {
			declared += h.Weight
		} else {
			added++
			want = s.Reserve * seriesShare(h.Added)
		}
		e := h.Evidence
		gap := math.Max(0, h.Threshold-float64(e.Max))
		if !(h.Weight > 0) || !close(h.Weight, want) || h.Added > 0 && h.Added != added ||
			!close(h.Alpha, h.Weight*s.Alpha) || !close(h.Threshold, Threshold(h.Alpha)) || !close(float64(h.Gap), gap) ||
			math.IsNaN(float64(e.Max)) || math.IsNaN(float64(e.LogE)) || e.Max < 0 || e.MaxAt > e.Looks || e.Looks > 0 && e.LogE > e.Max ||
			h.CrossedAt > e.Looks || h.Crossed() != (float64(e.Max) >= h.Threshold) {
			return fmt.Errorf("hypothesis %q is not in a reachable state: %w", h.Name, stats.ErrDomain)
		}
	}
	if declared+s.Reserve > 1+1e-9 || added != s.Additions {
		return fmt.Errorf("weights %v and reserve %v, %d of %d additions: %w", declared, s.Reserve, added, s.Additions, stats.ErrDomain)
	}
	return nil
}

// Budgets are the three budgets of a rollout. They are separate because a false
// rollback, a false pause and a false mismatch cost differently: a warning does
// not eat what protects against a rollback.
type Budgets struct {
	Rollback *Budget `json:"rollback"` // 0.05: ever rolled back without material harm
	Pause    *Budget `json:"pause"`    // 0.10: ever paused by a warning without cause
	SRM      *Budget `json:"srm"`      // 0.001: ever stopped for a sample ratio that is right
}

// BudgetPlan says what [NewBudgets] shares out. A kind without hypotheses has no
// budget.
type BudgetPlan struct {
	Rollback, RollbackSlices []string
	Pause, PauseSlices       []string
	SRM, SRMSlices           []string
	// Alphas of the three budgets; defaults 0.05, 0.10 and 0.001.
	RollbackAlpha, PauseAlpha, SRMAlpha float64
	// Attempt is that of [BudgetOptions], the same for all three.
	Attempt int
}

// NewBudgets makes the budgets of a rollout, each divided as [NewBudget] does by
// default: half on whole arms, 0.4 on slices, 0.1 in reserve. Errors are those
// of NewBudget, and [stats.ErrEmpty] when the plan holds no hypothesis at all.
func NewBudgets(p BudgetPlan) (Budgets, error) {
	var b Budgets
	for _, kind := range []struct {
		name            string
		into            **Budget
		overall, slices []string
		alpha, standard float64
	}{
		{"rollback", &b.Rollback, p.Rollback, p.RollbackSlices, p.RollbackAlpha, 0.05},
		{"pause", &b.Pause, p.Pause, p.PauseSlices, p.PauseAlpha, 0.10},
		{"srm", &b.SRM, p.SRM, p.SRMSlices, p.SRMAlpha, 0.001},
	} {
		if len(kind.overall)+len(kind.slices) == 0 {
			continue
		}
		made, err := NewBudget(kind.overall, kind.slices, BudgetOptions{Alpha: defaultTo(kind.alpha, kind.standard), Attempt: p.Attempt})
		if err != nil {
			return Budgets{}, fmt.Errorf("sequential: NewBudgets: %s: %w", kind.name, err)
		}
		*kind.into = made
	}
	if b.Rollback == nil && b.Pause == nil && b.SRM == nil {
		return b, fmt.Errorf("sequential: NewBudgets: no hypotheses: %w", stats.ErrEmpty)
	}
	return b, nil
}
