package checks

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/summary"
)

// maxValues is the number of distinct values up to which a column is split by
// value.
const maxValues = 200

// valueCounts is how often a value of a column is in each arm.
type valueCounts struct {
	name string
	n    analysis.Counts
}

// values splits a column by value, if it has few. Names that a summary did not
// keep, and missing values, count as one value each.
func values(b, c *analysis.ColumnSummary) ([]valueCounts, bool) {
	by := map[string]*analysis.Counts{}
	at := func(name string) *analysis.Counts {
		if name == "" {
			name = `""`
		}
		if by[name] == nil {
			by[name] = &analysis.Counts{}
		}
		return by[name]
	}
	collect := func(col *analysis.ColumnSummary, add func(name string, n uint64)) bool {
		null := col.Boolean.Null + col.Category.Null()
		switch {
		case col.Category.Total() > 0:
			for _, e := range col.Category.Counts() {
				add(e.Name, e.N)
			}
			if n := col.Category.OtherTotal(); n > 0 {
				add("other values", n)
			}
		case col.Boolean.Trials() > 0:
			add("true", col.Boolean.True)
			add("false", col.Boolean.False)
		case col.Histogram() != nil:
			h := col.Histogram()
			cells := h.Cells()
			if len(cells) > maxValues || slices.ContainsFunc(cells, func(c summary.Cell) bool { return c.Var != 0 }) {
				return false
			}
			for _, e := range cells {
				add(number(e.Mean), e.N)
			}
			null += h.Excluded().Null + h.Excluded().NaN
		}
		if null > 0 {
			add("null", null)
		}
		return true
	}
	okB := collect(b, func(name string, n uint64) { at(name).Baseline += n })
	okC := collect(c, func(name string, n uint64) { at(name).Candidate += n })
	if !okB || !okC || len(by) == 0 || len(by) > maxValues {
		return nil, false
	}
	out := make([]valueCounts, 0, len(by))
	for name, n := range by {
		out = append(out, valueCounts{name, *n})
	}
	slices.SortFunc(out, func(a, b valueCounts) int { return cmp.Compare(a.name, b.name) })
	return out, true
}

// cause is a set of values of one column whose split is off.
type cause struct {
	column  string
	values  []valueCounts // those that are off, worst first
	logE    []float64     // their evidence
	rest    float64       // evidence of a mismatch among all other rows
	restN   analysis.Counts
	restOff float64 // candidate's share of the other rows
}

// findCause names the values that best explain a mismatch, and gives the numbers.
func findCause(ev analysis.Stratum, weights []float64, alpha float64, c SRM) (string, []analysis.Detail) {
	const none = "No feature with few values shows where: test the counts at each step from assignment to this log."
	if empty(ev.Baseline) || empty(ev.Candidate) {
		return none, nil
	}
	split := map[string][]valueCounts{}
	var columns []string
	tests := 0
	for i := range ev.Baseline.Columns {
		col := &ev.Baseline.Columns[i]
		if col.Role != analysis.Feature {
			continue
		}
		other := ev.Candidate.Column(col.Name)
		if other == nil {
			continue
		}
		if vs, ok := values(col, other); ok && len(vs) > 1 {
			columns, split[col.Name] = append(columns, col.Name), vs
			tests += len(vs)
		}
	}
	var causes []cause
	for _, name := range columns {
		if k, ok := c.explain(name, split[name], weights, alpha/float64(tests)); ok {
			causes = append(causes, k)
		}
	}
	if len(causes) == 0 {
		return none, nil
	}
	best := slices.MinFunc(causes, func(a, b cause) int {
		return cmp.Or(cmp.Compare(a.rest, b.rest), cmp.Compare(len(a.values), len(b.values)), cmp.Compare(a.column, b.column))
	})
	return best.text(len(split[best.column]), alpha, weights), best.details()
}

// explain finds the values of a column whose own split is off.
func (c SRM) explain(column string, vs []valueCounts, weights []float64, alpha float64) (cause, bool) {
	k := cause{column: column}
	type hit struct {
		v    valueCounts
		logE float64
	}
	var hits []hit
	for _, v := range vs {
		r, err := c.mixture([]splitStage{{unitCounts: unitCounts{n: v.n}, weights: weights}}, 0)
		if err == nil && r.LogE >= sequential.Threshold(alpha) {
			hits = append(hits, hit{v, r.LogE})
			continue
		}
		k.restN.Baseline += v.n.Baseline
		k.restN.Candidate += v.n.Candidate
	}
	if len(hits) == 0 {
		return k, false
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.logE, a.logE) })
	for _, h := range hits {
		k.values, k.logE = append(k.values, h.v), append(k.logE, h.logE)
	}
	if r, err := c.mixture([]splitStage{{unitCounts: unitCounts{n: k.restN}, weights: weights}}, 0); err == nil {
		k.rest = r.LogE
	}
	k.restOff = share(k.restN)
	return k, true
}

// share is the candidate's share of units.
func share(n analysis.Counts) float64 {
	return float64(n.Candidate) / math.Max(1, float64(n.Baseline)+float64(n.Candidate))
}

func (k cause) text(all int, alpha float64, weights []float64) string {
	want := weights[1] / (weights[0] + weights[1])
	var fewer, more []string
	for _, v := range k.values {
		name := fmt.Sprintf("%s=%s (%s)", k.column, v.name, percent(share(v.n)))
		if share(v.n) < want {
			fewer = append(fewer, name)
		} else {
			more = append(more, name)
		}
	}
	text := "The candidate"
	if len(fewer) > 0 {
		text += " gets too little of " + list(fewer, 4)
	}
	if len(more) > 0 {
		if len(fewer) > 0 {
			text += " and"
		}
		text += " gets too much of " + list(more, 4)
	}
	switch {
	case len(k.values) == all:
		return text + ": every value of " + k.column + " is off, so look at assignment and weights."
	case k.rest < sequential.Threshold(alpha):
		return fmt.Sprintf("%s; without them it has %s, which fits: look for what loses or diverts these.", text, percent(k.restOff))
	}
	return fmt.Sprintf("%s, but without them it still has %s: this is a part of the cause only.", text, percent(k.restOff))
}

func (k cause) details() []analysis.Detail {
	var out []analysis.Detail
	for i, v := range k.values {
		if i == 10 {
			break
		}
		out = append(out, analysis.Detail{
			Name:  "share of the candidate in " + k.column + "=" + v.name,
			Value: stats.Float(share(v.n)),
			Text:  fmt.Sprintf("%s (%s; e-value %s)", percent(share(v.n)), counts(v.n.Baseline, v.n.Candidate, "rows"), eValue(k.logE[i])),
		})
	}
	return append(out, analysis.Detail{Name: "share of the candidate in the rest", Value: stats.Float(k.restOff),
		Text: fmt.Sprintf("%s (%s; e-value %s)", percent(k.restOff), counts(k.restN.Baseline, k.restN.Candidate, "rows"), eValue(k.rest))})
}
