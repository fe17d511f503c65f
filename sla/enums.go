package sla

import (
	"fmt"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// Method says what is counted against the budget.
type Method int8

// The methods, as OpenSLO names them.
const (
	Occurrences     Method = iota // events: bad ones of all
	Timeslices                    // slices of time: those below SliceTarget of all
	RatioTimeslices               // the mean over slices of their ratio of good events
)

// MissingPolicy says what a slice without any sample counts as, those before the
// first sample of a new service too. A slice whose
// samples say that there were no events is idle: good under MissingGood, left out
// otherwise.
type MissingPolicy int8

// The policies for missing slices.
const (
	MissingIgnore MissingPolicy = iota // as neither, reported
	MissingBad                         // as bad
	MissingGood                        // as good
	MissingNoData                      // more of them than MaxMissing give no answer
)

// State is the state of an error budget. The zero value is NoData.
type State int8

// The states.
const (
	NoData    State = iota // nothing to judge
	OK                     // budget left
	AtRisk                 // little left, or gone before the period ends at the present pace
	Exhausted              // nothing left
)

// Severity says whom an alert calls. The zero value is the severe one.
type Severity int8

// The severities.
const (
	Page   Severity = iota // somebody now
	Ticket                 // somebody this week
)

// Decision is what the gate says about an action. The zero value is Halt, and the
// worst of several decisions is their minimum.
type Decision int8

// The decisions.
const (
	Halt  Decision = iota // not now
	Warn                  // go on, and look at the reasons
	Allow                 // go on
)

// Action is what the gate is asked about. The zero value is the one that can be
// halted.
type Action int8

// The actions.
const (
	Promote  Action = iota // more traffic for a new version
	FastFix                // a fix on the fast track
	Rollback               // back to the version before
)

// NoDataPolicy says what the gate makes of an objective without data.
type NoDataPolicy int8

// The policies for no data.
const (
	NoDataHolds  NoDataPolicy = iota // halts promotions
	NoDataWarns                      // warns
	NoDataAllows                     // is no reason
)

// IntervalMethod names an interval for a proportion.
type IntervalMethod int8

// The interval methods; see the functions of the same names in package stats.
const (
	Wilson IntervalMethod = iota
	ClopperPearson
	Jeffreys
)

// CompositeMode says how objectives are joined.
type CompositeMode int8

// The modes.
const (
	WorstOf  CompositeMode = iota // the worst state and the least budget
	Serial                        // independent parts that are all needed: levels multiply
	Parallel                      // independent parts of which one is enough: shares of bad multiply
)

var (
	methodWords    = []string{"occurrences", "timeslices", "ratio_timeslices"}
	missingWords   = []string{"ignore", "bad", "good", "no_data"}
	stateWords     = []string{"no_data", "ok", "at_risk", "exhausted"}
	severityWords  = []string{"page", "ticket"}
	decisionWords  = []string{"halt", "warn", "allow"}
	actionWords    = []string{"promote", "fast_fix", "rollback"}
	noDataWords    = []string{"hold", "warn", "allow"}
	intervalWords  = []string{"wilson", "clopper_pearson", "jeffreys"}
	compositeWords = []string{"worst_of", "serial", "parallel"}
	unitWords      = []string{"rolling", "day", "week", "month", "quarter", "year"}
)

// String returns the lower-case word used in files and reports.
func (m Method) String() string { return word(methodWords, m) }

// String returns the lower-case word used in files and reports.
func (m MissingPolicy) String() string { return word(missingWords, m) }

// String returns the lower-case word used in files and reports.
func (s State) String() string { return word(stateWords, s) }

// String returns the lower-case word used in files and reports.
func (s Severity) String() string { return word(severityWords, s) }

// String returns the lower-case word used in files and reports.
func (d Decision) String() string { return word(decisionWords, d) }

// String returns the lower-case word used in files and reports.
func (a Action) String() string { return word(actionWords, a) }

// String returns the lower-case word used in files and reports.
func (n NoDataPolicy) String() string { return word(noDataWords, n) }

// String returns the lower-case word used in files and reports.
func (m IntervalMethod) String() string { return word(intervalWords, m) }

// String returns the lower-case word used in files and reports.
func (m CompositeMode) String() string { return word(compositeWords, m) }

// String returns the lower-case word used in files and reports.
func (u Unit) String() string { return word(unitWords, u) }

// MarshalText implements [encoding.TextMarshaler].
func (m Method) MarshalText() ([]byte, error) { return marshalWord(methodWords, m, "method") }

// MarshalText implements [encoding.TextMarshaler].
func (m MissingPolicy) MarshalText() ([]byte, error) {
	return marshalWord(missingWords, m, "missing policy")
}

// MarshalText implements [encoding.TextMarshaler].
func (s State) MarshalText() ([]byte, error) { return marshalWord(stateWords, s, "state") }

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return marshalWord(severityWords, s, "severity") }

// MarshalText implements [encoding.TextMarshaler].
func (d Decision) MarshalText() ([]byte, error) { return marshalWord(decisionWords, d, "decision") }

// MarshalText implements [encoding.TextMarshaler].
func (a Action) MarshalText() ([]byte, error) { return marshalWord(actionWords, a, "action") }

// MarshalText implements [encoding.TextMarshaler].
func (n NoDataPolicy) MarshalText() ([]byte, error) {
	return marshalWord(noDataWords, n, "no-data policy")
}

// MarshalText implements [encoding.TextMarshaler].
func (m IntervalMethod) MarshalText() ([]byte, error) {
	return marshalWord(intervalWords, m, "interval method")
}

// MarshalText implements [encoding.TextMarshaler].
func (m CompositeMode) MarshalText() ([]byte, error) {
	return marshalWord(compositeWords, m, "composite mode")
}

// MarshalText implements [encoding.TextMarshaler].
func (u Unit) MarshalText() ([]byte, error) { return marshalWord(unitWords, u, "unit") }

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (m *Method) UnmarshalText(b []byte) error { return unmarshalWord(methodWords, m, b, "method") }

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (m *MissingPolicy) UnmarshalText(b []byte) error {
	return unmarshalWord(missingWords, m, b, "missing policy")
}

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (s *State) UnmarshalText(b []byte) error { return unmarshalWord(stateWords, s, b, "state") }

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (s *Severity) UnmarshalText(b []byte) error {
	return unmarshalWord(severityWords, s, b, "severity")
}

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error,
// never a decision.
func (d *Decision) UnmarshalText(b []byte) error {
	return unmarshalWord(decisionWords, d, b, "decision")
}

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (a *Action) UnmarshalText(b []byte) error { return unmarshalWord(actionWords, a, b, "action") }

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (n *NoDataPolicy) UnmarshalText(b []byte) error {
	return unmarshalWord(noDataWords, n, b, "no-data policy")
}

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (m *IntervalMethod) UnmarshalText(b []byte) error {
	return unmarshalWord(intervalWords, m, b, "interval method")
}

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (m *CompositeMode) UnmarshalText(b []byte) error {
	return unmarshalWord(compositeWords, m, b, "composite mode")
}

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an error.
func (u *Unit) UnmarshalText(b []byte) error { return unmarshalWord(unitWords, u, b, "unit") }

func known[T ~int8](words []string, v T) bool { return v >= 0 && int(v) < len(words) }

func word[T ~int8](words []string, v T) string {
	if known(words, v) {
		return words[v]
	}
	return fmt.Sprintf("unknown(%d)", int8(v))
}

func marshalWord[T ~int8](words []string, v T, what string) ([]byte, error) {
	if !known(words, v) {
		return nil, fmt.Errorf("sla: %s %d has no name: %w", what, int8(v), stats.ErrDomain)
	}
	return []byte(words[v]), nil
}

func unmarshalWord[T ~int8](words []string, v *T, b []byte, what string) error {
	for i, w := range words {
		if w == string(b) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("sla: %s %q is not one of %s: %w", what, b, strings.Join(words, ", "), stats.ErrDomain)
}
