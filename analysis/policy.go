package analysis

import (
	"time"
)

// Policy says what a rollout must show. Load one from a file with [LoadPolicy];
// the zero Policy has no checks and never continues.
type Policy struct {
	Version int
	Model   Model
	Task    Task
	Looks   Looks
	Columns Columns
	Range   *[2]float64 // score_range; nil means [0,1] for a binary task, none otherwise
	Actions ActionPolicy
	Labels  Labels
	Slices  []SliceSpec // declared slices: columns, and crosses of columns
	Pairs   Pairs       // scores of both models in one log
	Split   Split
	// SplitGiven tells that Split holds at all stages; else the weight of a stage
	// is its split. See [Policy.SplitOf].
	SplitGiven bool
	Budget     Budget
	Exposure   Exposure
	Deadlines  Deadlines // of checks without deadlines of their own
	Traffic    float64   // expected units a second of all arms; 0 when not known
	Checks     []CheckEntry
	Stages     []Stage

	// Table replaces the decision table; nil means that of [DefaultTable]. It is for
	// controllers, and no part of the file.
	Table DecisionTable

	// Digest is the SHA-256, in hex, of the policy in canonical form: the same
	// policy in YAML and in JSON, with defaults written out or not, has the
	// same digest.
	Digest string
	// Warnings are what the loader thinks worth saying about a valid policy.
	Warnings []string
}

// Model names what is rolled out over what.
type Model struct {
	Name      string `json:"name"`
	Baseline  string `json:"baseline"`
	Candidate string `json:"candidate"`
}

// Looks says how often the evidence is looked at, which decides the tests that
// are allowed.
type Looks struct {
	Kind     LooksKind
	Schedule int // number of planned looks, for Scheduled
}

// LooksKind is continuous, once or scheduled.
type LooksKind int8

// The kinds of looking.
const (
	Continuous LooksKind = iota // any time, as often as one likes: anytime-valid tests only
	Once                        // one look at a finished log: fixed-sample tests allowed
	Scheduled                   // a number of looks fixed beforehand
)

// Columns gives columns their roles; an empty name means that the log has no
// such column.
type Columns struct {
	Score, Label, Time, Unit, Action string
	Features                         []string
	Derived                          []DerivedSpec // computed from others
	// Prediction is the class that a multiclass model has chosen, and Classes are its
	// probabilities, of which the largest is chosen where there is no Prediction.
	Prediction    string
	Classes       []ClassColumn
	PolicyVersion string // the version of the thresholds that served the row
}

// ActionPolicy is the versioned threshold policy that turns scores into actions.
// The first rule whose AtLeast a score reaches wins.
type ActionPolicy struct {
	Version string
	Rules   []ActionRule
	// Candidate are the thresholds that serve the candidate, with the same actions
	// in the same order; nil when it is served by those of the baseline.
	Candidate *ActionPolicy
}

// ActionRule is one action. AtLeast is -Inf for the rule that takes the rest.
type ActionRule struct {
	Name         string
	AtLeast      float64
	Irreversible bool
}

// Labels says how labels arrive.
type Labels struct {
	Maturity time.Duration // how long until a label can be relied on; see [Policy.MatureBefore]
}

// Split is the expected share of units of each arm.
type Split struct {
	Baseline, Candidate float64
}

// Budget bounds the errors of a whole rollout.
type Budget struct {
	Rollback float64 // probability that a harmless candidate is ever rolled back
	Pause    float64 // probability that it is ever paused for harm
	SRM      float64 // probability that a sound split is ever called broken
}

// Exposure is the least traffic that a Continue may rest on.
type Exposure struct {
	MinUnits    uint64
	MinDuration time.Duration
}

// Stage is one step of the rollout.
type Stage struct {
	Name     string
	Weight   float64       // percent of the traffic that the candidate gets
	Duration time.Duration // the least time that the stage lasts
	MinUnits uint64        // the least units of each arm, beside those of the policy's exposure
}

// CheckEntry is a check with what the policy says about it.
type CheckEntry struct {
	Check    Check
	Severity Severity
	Required bool
	Muted    bool
	// AutoResume lets a pause for its harm, or for its invalid data, end by itself
	// when a later look no longer finds them. Else a person has to accept it.
	AutoResume bool
	Baseline   BaselineKind // what the candidate is compared with
	Weight     float64      // share of the error budget against the other checks; 0 means 1
	Deadlines
	Line int // in the policy file
}

// Spec returns what has to be collected for the policy: the columns with a role,
// the features, the derived columns, the columns of the slices, and what the checks ask for. Columns
// that do not fit together are an error, as in [NewSpec].
func (p *Policy) Spec() (*Spec, error) {
	var cs []ColumnSpec
	for _, c := range []ColumnSpec{
		{Name: p.Columns.Score, Role: Score},
		{Name: p.Columns.Label, Role: Label},
		{Name: p.Columns.Time, Role: Clock},
		{Name: p.Columns.Unit, Role: Unit},
		{Name: p.Columns.Action, Role: Action},
		{Name: p.Columns.Prediction},
	} {
		if c.Name == "" {
			continue
		}
		if c.Role == Score {
			c.Cuts = p.Actions.cuts()
		}
		cs = append(cs, c)
	}
	if p.Columns.PolicyVersion != "" {
		cs = append(cs, ColumnSpec{Name: p.Columns.PolicyVersion})
	}
	for _, f := range p.Columns.Features {
		cs = append(cs, ColumnSpec{Name: f})
	}
	for _, e := range p.Checks {
		cs = append(cs, e.Check.Columns()...)
	}
	all := Spec{Task: p.Task, Columns: cs, Derived: p.derived(), Slices: p.sliceSpecs(), Discover: p.discoverSpecs()}
	for _, e := range p.Checks {
		if u, ok := e.Check.(MetricUser); ok {
			all.Metrics = append(all.Metrics, u.Metrics()...)
		}
	}
	return all.canonical()
}
