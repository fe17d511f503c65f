package leadtime

// The words of the enumerations of reports, in the order of their constants.
var (
	cohortWords    = []string{"by_completion", "by_signoff"}
	estimatorWords = []string{"auto", "plain", "kaplan_meier"}
	policyWords    = []string{"overdue_in_flight", "completed_only", "kaplan_meier"}
)

// String returns the lower-case word used in files and reports.
func (c Cohort) String() string { return word(cohortWords, c) }

// MarshalText implements [encoding.TextMarshaler].
func (c Cohort) MarshalText() ([]byte, error) { return marshalWord(cohortWords, c) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *Cohort) UnmarshalText(b []byte) error { return unmarshalWord(cohortWords, c, "cohort", b) }

// String returns the lower-case word used in files and reports.
func (e Estimator) String() string { return word(estimatorWords, e) }

// MarshalText implements [encoding.TextMarshaler].
func (e Estimator) MarshalText() ([]byte, error) { return marshalWord(estimatorWords, e) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (e *Estimator) UnmarshalText(b []byte) error {
	return unmarshalWord(estimatorWords, e, "estimator", b)
}

// String returns the lower-case word used in files and reports.
func (p InFlightPolicy) String() string { return word(policyWords, p) }

// MarshalText implements [encoding.TextMarshaler].
func (p InFlightPolicy) MarshalText() ([]byte, error) { return marshalWord(policyWords, p) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *InFlightPolicy) UnmarshalText(b []byte) error {
	return unmarshalWord(policyWords, p, "policy for releases in flight", b)
}

var directionWords = []string{"none", "improving", "worsening"}

// String returns the lower-case word used in files and reports.
func (d TrendDirection) String() string { return word(directionWords, d) }

// MarshalText implements [encoding.TextMarshaler].
func (d TrendDirection) MarshalText() ([]byte, error) { return marshalWord(directionWords, d) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *TrendDirection) UnmarshalText(b []byte) error {
	return unmarshalWord(directionWords, d, "trend", b)
}
