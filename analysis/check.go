package analysis

import "math"

var nan = math.NaN()

// Check looks at the evidence and reports what it found. Implementations are
// values: the same evidence always gives the same findings, whatever the clock,
// the machine or the order of calls. Bad or missing data is a finding with the
// outcome Invalid, NoData or Insufficient; an error means that the check was
// misused, and the verdict treats it as Invalid.
type Check interface {
	// Name is the check's name in policies and findings, such as "drift".
	Name() string
	// Columns lists what the check needs to be collected.
	Columns() []ColumnSpec
	// Run reports at least one finding.
	Run(ev *Evidence) ([]Finding, error)
}

// Builder makes a check from its entry in a policy. It reads its settings from
// p, which reports unknown and malformed ones with their place in the file.
type Builder func(p *Params) (Check, error)

// Registry maps the names that a policy may use to the checks they stand for.
type Registry map[string]Builder
