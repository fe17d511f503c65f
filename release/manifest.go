package release

import (
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// Manifest is the contract of a model artifact. Fields that the file leaves out
// are zero; the gate contract lists them. Load one with [Load].
type Manifest struct {
	Name    string // of the model
	Version string
	Owner   string
	Risk    Risk
	Labels  map[string]string

	Training   Training
	Features   FeatureSchema
	Output     Output
	Image      string // of the runtime
	Digest     string // of the image
	Evaluation Evaluation
	Gates      Gates
	Serving    Serving
	Rollback   Target
	Thresholds string // version of the thresholds that turn scores into decisions
	Approvals  []Approval

	// Source is the SHA-256, in hex, of the file.
	Source string
}

// Risk says how much harm the decisions of a model can do.
type Risk int8

// The risks. A model whose risk nobody has stated is held to the rules of a high one.
const (
	RiskUnknown Risk = iota
	RiskLow
	RiskHigh
)

// String returns the word used in files and reports.
func (r Risk) String() string {
	switch r {
	case RiskLow:
		return "low"
	case RiskHigh:
		return "high"
	case RiskUnknown:
	}
	return "unknown"
}

// Training names the snapshot of the data that the model was trained on.
type Training struct {
	ID, Digest   string
	Since, Until time.Time // the window, whose end does not belong to it
}

// FeatureSchema is the list of features that a model takes.
type FeatureSchema struct {
	Version string
	List    []Feature
}

// Feature is one input of a model.
type Feature struct {
	Name     string
	Type     analysis.Type
	Nullable bool
	Min, Max *float64      // nil where there is no bound
	MaxAge   time.Duration // how old a value may be when it is used; 0 where that does not matter
}

// Output is what a model answers.
type Output struct {
	Task    analysis.Task
	HasTask bool
	Range   *[2]float64 // of the score; nil means [0,1] for a binary task, none otherwise
	Classes []string
	Actions []string
}

// Evaluation is what was measured before the release.
type Evaluation struct {
	Report  string // path or address of the report
	Metrics []Metric
}

// Metric is one number of an evaluation.
type Metric struct {
	Name     string
	Slice    string // such as country=DE; empty means all rows
	Value    float64
	N        uint64      // rows that it rests on
	Interval *[2]float64 // nil when it was not computed
}

// Gates are the bounds that the evaluation has to keep.
type Gates struct {
	Primary    *Bound
	Guardrails []Bound
	Slices     []Bound
}

// Bound is what a metric has to be: at least Limit, or at most.
type Bound struct {
	Metric string
	Slice  string
	Limit  float64
	AtMost bool
}

// Serving is what the model needs to be served, and what was measured.
type Serving struct {
	Limits, Measured Resources
}

// Resources are figures of serving; nil where one is not stated.
type Resources struct {
	P99       *float64 // latency that 99% of the requests stay below, in milliseconds
	MemoryMiB *float64
	QPS       *float64 // requests a second: needed, or reached
}

// Target is the version to which a rollback goes.
type Target struct {
	Version        string
	KnownGoodSince time.Time
	Features       FeatureSchema // what it takes
}

// Approval says who has agreed to a release.
type Approval struct {
	Who, Why    string
	At, Expires time.Time // Expires is zero for an approval that does not expire
}
