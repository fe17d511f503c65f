package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// OverrideAction is what a person has decided.
type OverrideAction int8

// The actions of overrides. The zero value asks for nothing.
const (
	OverrideNone     OverrideAction = iota
	OverrideAccept                  // do not act on the findings of one check; they are reported all the same
	OverrideContinue                // continue whatever the findings say
	OverridePause                   // pause until the override is taken back
	OverrideRollback                // roll back, for good
)

var overrideWords = map[OverrideAction]string{OverrideNone: "none", OverrideAccept: "accept", OverrideContinue: "continue", OverridePause: "pause", OverrideRollback: "rollback"}

// String returns the word used in files and reports.
func (a OverrideAction) String() string { return word(overrideWords, a) }

// MarshalText implements [encoding.TextMarshaler].
func (a OverrideAction) MarshalText() ([]byte, error) {
	return marshalWord(overrideWords, a, "override")
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *OverrideAction) UnmarshalText(b []byte) error {
	return unmarshalWord(overrideWords, a, b, "override")
}

// Override is a decision of a person, which the record keeps with the name, the
// reason and the scope. One that softens a verdict (accept, continue) must have
// an end; one without it, without a name or without a reason is refused, and the
// verdict says so. To pause or to roll back nobody has to give an end. At a look
// without a time none of those that soften counts.
type Override struct {
	Action OverrideAction `json:"action"`
	// Check, and Metric if given, are the scope of accept; a check is required.
	Check   string    `json:"check,omitempty"`
	Metric  string    `json:"metric,omitempty"`
	Who     string    `json:"who"`
	Why     string    `json:"why"`
	Expires time.Time `json:"expires,omitzero"` // the zero time is no end
}

// String is the override in one line.
func (o *Override) String() string {
	what := o.Action.String()
	if o.Check != "" {
		what += " " + o.Check
	}
	if o.Metric != "" {
		what += " " + o.Metric
	}
	end := "without an end"
	if !o.Expires.IsZero() {
		end = "until " + o.Expires.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%s (%s: %s; %s)", what, o.Who, o.Why, end)
}

// refused says why an override does not count, or nothing.
func (o *Override) refused(now time.Time) string {
	softens := o.Action == OverrideAccept || o.Action == OverrideContinue
	switch {
	case strings.TrimSpace(o.Who) == "":
		return "it names nobody"
	case strings.TrimSpace(o.Why) == "":
		return "it gives no reason"
	case softens && o.Expires.IsZero():
		return "it has no end"
	case softens && now.IsZero():
		return "without the time of the look nobody can tell whether it has ended"
	case !o.Expires.IsZero() && !now.IsZero() && !now.Before(o.Expires):
		return "it has ended"
	case o.Action == OverrideAccept && o.Check == "":
		return "it does not say which check it accepts"
	case o.Action <= OverrideNone || overrideWords[o.Action] == "":
		return "it asks for nothing that is known"
	}
	return ""
}

// covers reports whether an accept speaks of the finding.
func (o *Override) covers(check, metric string) bool {
	return o.Action == OverrideAccept && o.Check == check && (o.Metric == "" || o.Metric == metric)
}

// overrides are those of a look, sorted, with what was refused.
type overrides struct {
	valid   []Override
	refused []Reason
}

// sortOverrides puts the overrides of a look in one order, whatever order they
// came in, and sets apart those that do not count.
func sortOverrides(all []Override, now time.Time) overrides {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Override) int {
		return cmp.Or(cmp.Compare(b.Action, a.Action), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Metric, b.Metric),
			cmp.Compare(a.Who, b.Who), cmp.Compare(a.Why, b.Why), a.Expires.Compare(b.Expires))
	})
	var out overrides
	for _, o := range all {
		if why := o.refused(now); why != "" {
			out.refused = append(out.refused, Reason{Code: ReasonRefused, Check: o.Check, Text: fmt.Sprintf("The override %s does not count: %s.", o.String(), why)})
			continue
		}
		out.valid = append(out.valid, o)
	}
	return out
}

// first returns the first valid override with the action, or nil.
func (o *overrides) first(a OverrideAction) *Override {
	if i := slices.IndexFunc(o.valid, func(v Override) bool { return v.Action == a }); i >= 0 {
		return &o.valid[i]
	}
	return nil
}

// accepts returns the override that accepts a finding, or nil.
func (o *overrides) accepts(check, metric string) *Override {
	if i := slices.IndexFunc(o.valid, func(v Override) bool { return v.covers(check, metric) }); i >= 0 {
		return &o.valid[i]
	}
	return nil
}
