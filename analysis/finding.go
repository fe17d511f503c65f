package analysis

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// SliceKey says which rows a finding is about: those with the given value in each
// of the named columns. The empty key is all rows.
type SliceKey map[string]string

// String formats the key as "country=DE device=phone", or "all".
func (k SliceKey) String() string {
	if len(k) == 0 {
		return "all"
	}
	parts := make([]string, 0, len(k))
	for _, name := range slices.Sorted(maps.Keys(k)) {
		parts = append(parts, name+"="+k[name])
	}
	return strings.Join(parts, " ")
}

// Counts is a number of each arm.
type Counts struct {
	Baseline  uint64 `json:"baseline"`
	Candidate uint64 `json:"candidate"`
}

// Detail is one more number behind a finding, for the report.
type Detail struct {
	Name  string      `json:"name"`
	Value stats.Float `json:"value"`
	Text  string      `json:"text,omitempty"` // what to show instead of the number, when set
}

// Finding is what one check found about one metric in one slice. A finding can
// be read alone: it carries the estimate with its interval, the limit it was
// compared with, the sizes of both arms, and a sentence for people.
type Finding struct {
	Check    string   `json:"check"`           // name of the check in the policy
	Code     string   `json:"code"`            // stable snake_case identifier of what was found
	Metric   string   `json:"metric"`          // what was measured
	Column   string   `json:"column"`          // on which column, or empty
	Slice    SliceKey `json:"slice"`           // in which rows
	Stage    string   `json:"stage,omitempty"` // in which stage, of a check that does not add stages up
	Outcome  Outcome  `json:"outcome"`
	Severity Severity `json:"severity"` // what Harm may do
	Required bool     `json:"required"` // whether the rollout waits for it

	// Estimate is the quantity that was judged, in the unit of Limit: for a
	// comparison of arms, how much worse the candidate is.
	Estimate stats.Interval `json:"estimate"`
	// Limit is the margin or bound that Estimate was held against; NaN when
	// there is none.
	Limit stats.Float `json:"limit"`
	Unit  string      `json:"unit,omitempty"` // of Estimate and Limit: "", "relative", "pp", "ratio", "nats", ...
	N     Counts      `json:"n"`

	Compared   BaselineKind `json:"compared_with"`       // what the candidate was compared with
	Hysteresis Hysteresis   `json:"hysteresis,omitzero"` // how breaches count when one proves nothing
	Window     time.Time    `json:"window,omitzero"`     // with Hysteresis: end of the window of the value

	Method    string      `json:"method,omitempty"` // of the estimate, its interval and the decision
	P         stats.Float `json:"p"`                // p-value for display; NaN when there is none
	LogE      stats.Float `json:"log_e"`            // log e-value for harm; NaN when there is none
	Alpha     float64     `json:"alpha,omitempty"`  // share of the error budget this finding may spend
	HarmBound stats.Float `json:"harm_bound"`       // harm is at least this much with error Alpha; NaN when unused

	UnitsNeeded uint64          `json:"units_needed,omitempty"` // about how many more units per arm, or pairs, would decide
	Pairs       bool            `json:"pairs,omitempty"`        // it is about pairs, not about the rows of two arms
	Untrusted   bool            `json:"untrusted,omitempty"`    // an Invalid finding makes this number unsafe
	Local       bool            `json:"local,omitempty"`        // Invalid, but only for what the check itself marked untrusted
	Details     []Detail        `json:"details,omitempty"`
	Warnings    []stats.Warning `json:"warnings,omitempty"`
	Message     string          `json:"message"`
}

// NewFinding returns an Inconclusive finding without numbers, every optional
// number set to "none".
func NewFinding(check, code, metric string) Finding {
	none := stats.Float(nan)
	return Finding{Check: check, Code: code, Metric: metric, Slice: SliceKey{}, Limit: none, P: none, LogE: none, HarmBound: none,
		Estimate: stats.Interval{Point: nan, Lo: nan, Hi: nan}}
}

// key orders findings: it names what a finding is about. Names and values come
// from the data, so they are quoted: no two keys are the same by accident.
func (f *Finding) key() string {
	b := make([]byte, 0, 96)
	add := func(part string) { b = strconv.AppendQuote(append(b, ' '), part) }
	for _, part := range []string{f.Check, f.Stage, f.Column, f.Metric} {
		add(part)
	}
	if len(f.Slice) > 0 {
		for _, name := range slices.Sorted(maps.Keys(f.Slice)) {
			add(name)
			add(f.Slice[name])
		}
	}
	add(f.Code)
	b[0] = '['
	return string(append(b, ']'))
}
