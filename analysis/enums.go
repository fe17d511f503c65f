package analysis

import (
	"fmt"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// Decision is what a rollout controller is told to do. Its zero value is the
// safe middle, and the worst of several decisions is their maximum.
type Decision int8

// The decisions, best first.
const (
	Continue Decision = -1 // every required check shows no material harm
	Pause    Decision = 0  // hold the traffic where it is
	Rollback Decision = 1  // take the candidate out
)

// Outcome is what one check found about one metric. Its zero value,
// Inconclusive, is never a pass.
type Outcome int8

// The outcomes.
const (
	Inconclusive  Outcome = iota // the evidence fits both harm and no harm
	Pass                         // evidence of no material harm
	Warn                         // a shift worth a look that is not harm
	Harm                         // evidence of harm beyond the margin
	Insufficient                 // fewer units or events than the check needs
	NoData                       // nothing to look at: no rows, no labels, no values
	ProviderError                // the source of the data failed
	Invalid                      // the data cannot be trusted: broken split, schema or range
	Muted                        // computed, but the policy says not to act on it
)

// Severity says what a Harm finding may do.
type Severity int8

// The severities, mildest first.
const (
	Info             Severity = iota // reported only
	SeverityWarn                     // reported as a warning; pauses when the check is required
	SeverityPause                    // harm pauses the rollout until a person looks
	SeverityRollback                 // harm rolls back
)

// Resume says who ends a pause.
type Resume int8

// Who resumes.
const (
	Auto   Resume = iota // the next look may continue by itself
	Manual               // a person has to look
)

// Task is the kind of model.
type Task int8

// The tasks.
const (
	Binary     Task = iota // score is the probability of the positive class
	Multiclass             // score is not used; the label names the class
	Regression             // score is the prediction
)

var (
	decisionWords = map[Decision]string{Continue: "continue", Pause: "pause", Rollback: "rollback"}
	outcomeWords  = map[Outcome]string{Inconclusive: "inconclusive", Pass: "pass", Warn: "warn", Harm: "harm",
		Insufficient: "insufficient", NoData: "no_data", ProviderError: "provider_error", Invalid: "invalid", Muted: "muted"}
	severityWords = map[Severity]string{Info: "info", SeverityWarn: "warn", SeverityPause: "pause", SeverityRollback: "rollback"}
	resumeWords   = map[Resume]string{Auto: "auto", Manual: "manual"}
	taskWords     = map[Task]string{Binary: "binary", Multiclass: "multiclass", Regression: "regression"}
)

// String returns the lower-case word used in files and reports.
func (d Decision) String() string { return word(decisionWords, d) }

// String returns the lower-case word used in files and reports.
func (o Outcome) String() string { return word(outcomeWords, o) }

// String returns the lower-case word used in files and reports.
func (s Severity) String() string { return word(severityWords, s) }

// String returns the lower-case word used in files and reports.
func (r Resume) String() string { return word(resumeWords, r) }

// String returns the lower-case word used in files and reports.
func (t Task) String() string { return word(taskWords, t) }

// MarshalText implements [encoding.TextMarshaler].
func (d Decision) MarshalText() ([]byte, error) { return marshalWord(decisionWords, d, "decision") }

// MarshalText implements [encoding.TextMarshaler].
func (o Outcome) MarshalText() ([]byte, error) { return marshalWord(outcomeWords, o, "outcome") }

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return marshalWord(severityWords, s, "severity") }

// MarshalText implements [encoding.TextMarshaler].
func (r Resume) MarshalText() ([]byte, error) { return marshalWord(resumeWords, r, "resume") }

// MarshalText implements [encoding.TextMarshaler].
func (t Task) MarshalText() ([]byte, error) { return marshalWord(taskWords, t, "task") }

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an
// error, never a decision.
func (d *Decision) UnmarshalText(b []byte) error {
	return unmarshalWord(decisionWords, d, b, "decision")
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *Outcome) UnmarshalText(b []byte) error { return unmarshalWord(outcomeWords, o, b, "outcome") }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Severity) UnmarshalText(b []byte) error {
	return unmarshalWord(severityWords, s, b, "severity")
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Resume) UnmarshalText(b []byte) error { return unmarshalWord(resumeWords, r, b, "resume") }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Task) UnmarshalText(b []byte) error { return unmarshalWord(taskWords, t, b, "task") }

func word[T ~int8](words map[T]string, v T) string {
	if w, ok := words[v]; ok {
		return w
	}
	return fmt.Sprintf("unknown(%d)", int8(v))
}

func marshalWord[T ~int8](words map[T]string, v T, what string) ([]byte, error) {
	w, ok := words[v]
	if !ok {
		return nil, fmt.Errorf("analysis: %s %d has no name: %w", what, int8(v), stats.ErrDomain)
	}
	return []byte(w), nil
}

func unmarshalWord[T ~int8](words map[T]string, v *T, b []byte, what string) error {
	var known []string
	for i := T(-1); i < 16; i++ {
		w, ok := words[i]
		if !ok {
			continue
		}
		if w == string(b) {
			*v = i
			return nil
		}
		known = append(known, w)
	}
	return fmt.Errorf("analysis: unknown %s %q (known: %s): %w", what, b, strings.Join(known, ", "), stats.ErrDomain)
}
