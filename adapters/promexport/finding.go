package promexport

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/rampguard/rampguard/analysis"
)

// findingKey names a finding: stage, check, code, metric, column and slice.
type findingKey [6]string

func (k findingKey) slice() string { return k[5] }

// allRows is the slice of a finding about all rows; a slice has a "=" in its name.
const allRows = "all"

// driftKey names a measure of drift: stage, metric, column and slice.
type driftKey [4]string

// finding is what is exported of one.
type finding struct {
	key                           findingKey
	outcome, severity, required   string
	unit                          string
	estimate, lower, upper, limit float64 // NaN when there is none
	drift                         float64 // NaN when there is none
}

var outcomes = words(analysis.Inconclusive, analysis.Pass, analysis.Warn, analysis.Harm, analysis.Insufficient,
	analysis.NoData, analysis.ProviderError, analysis.Invalid, analysis.Muted)

// urgency orders outcomes, those to be seen first with the least number.
func urgency(o analysis.Outcome) int {
	i := slices.Index([]analysis.Outcome{analysis.Invalid, analysis.Harm, analysis.ProviderError, analysis.NoData,
		analysis.Insufficient, analysis.Inconclusive, analysis.Warn, analysis.Pass, analysis.Muted}, o)
	return i // an unknown one is -1, before all
}

func keyOf(f *analysis.Finding) findingKey {
	k := findingKey{f.Stage, f.Check, f.Code, f.Metric, f.Column, f.Slice.String()}
	for i := range k {
		k[i] = labelValue(k[i])
	}
	return k
}

// choose returns the findings that get series, the worst ones first, and how many do
// not. Of equal ones those that had series before keep them, so that series do not
// come and go.
func choose(all []analysis.Finding, before map[findingKey]bool, o Options) (chosen []finding, left uint64) {
	type candidate struct {
		f   *analysis.Finding
		key findingKey
	}
	order := make([]candidate, len(all))
	for i := range all {
		order[i] = candidate{&all[i], keyOf(&all[i])}
	}
	slices.SortStableFunc(order, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(urgency(a.f.Outcome), urgency(b.f.Outcome)),
			cmp.Compare(b.f.Severity, a.f.Severity),
			cmp.Compare(truth(b.f.Required), truth(a.f.Required)),
			cmp.Compare(truth(a.key.slice() != allRows), truth(b.key.slice() != allRows)),
			cmp.Compare(truth(before[b.key]), truth(before[a.key])),
		)
	})
	seen, parts := map[findingKey]bool{}, map[string]bool{}
	for _, c := range order {
		slice := c.key.slice()
		whole := slice == allRows || parts[slice]
		if len(chosen) == o.MaxFindings || seen[c.key] || !whole && len(parts) == o.MaxSlices {
			left++
			continue
		}
		seen[c.key] = true
		if slice != allRows {
			parts[slice] = true
		}
		chosen = append(chosen, distil(c.f, c.key))
	}
	return chosen, left
}

// driftCheck is the name of the check, and the code of its findings of columns.
const driftCheck = "drift"

func distil(f *analysis.Finding, key findingKey) finding {
	none := math.NaN()
	out := finding{key: key, outcome: f.Outcome.String(), severity: f.Severity.String(), required: strconv.FormatBool(f.Required),
		unit: labelValue(f.Unit), estimate: none, lower: none, upper: none, limit: float64(f.Limit), drift: none}
	if v := f.Estimate; !v.IsZero() {
		out.estimate = v.Point
		if v.Level > 0 {
			out.lower, out.upper = end(v.Lo), end(v.Hi)
		}
	}
	if f.Check == driftCheck && f.Code == driftCheck {
		for _, d := range f.Details {
			if d.Name == "value" {
				out.drift = float64(d.Value)
			}
		}
	}
	return out
}

// end is the end of an interval, NaN when it is open.
func end(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

func (f *finding) collect(s *sink, labels []string, drifts map[driftKey]bool) {
	labels = with(labels, f.key[:]...)
	s.put(findingOutcome, 1, with(labels, f.outcome, f.severity, f.required)...)
	numbers := with(labels, f.unit)
	s.put(findingEstimate, f.estimate, numbers...)
	s.put(findingLower, f.lower, numbers...)
	s.put(findingUpper, f.upper, numbers...)
	s.put(findingLimit, f.limit, numbers...)
	k := driftKey{f.key[0], f.key[3], f.key[4], f.key[5]}
	if !math.IsNaN(f.drift) && !drifts[k] {
		drifts[k] = true
		s.put(driftValue, f.drift, with(labels[:2], k[:]...)...)
	}
}
