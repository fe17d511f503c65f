package leadtime

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// CostSample is what a model cost over a stretch of time, an hour or a day.
type CostSample struct {
	Model      string
	Cost       float64 // in the unit of your bill
	Inferences float64
}

// InferenceCost is the cost per inference of a model.
type InferenceCost struct {
	Model      string  `json:"model"`
	Cost       float64 `json:"cost"`       // sum
	Inferences float64 `json:"inferences"` // sum
	N          uint64  `json:"n"`          // stretches
	Bad        uint64  `json:"bad"`        // left out: negative, or no number
	// PerInference is Cost/Inferences; NaN without inferences. Its interval is that
	// of the delta method over stretches, and open with fewer than 2.
	PerInference stats.Interval  `json:"per_inference"`
	Method       string          `json:"method"`
	Warnings     []stats.Warning `json:"warnings,omitempty"`
}

// CostPerInference returns the cost per inference of each model as a ratio of
// sums: a quiet hour in which few inferences pay for the machine weighs as little
// as it is. The mean of hourly ratios would not, and depends on how time is cut.
//
// Assumptions, for the interval: independent stretches.
//
// Special cases are: a stretch with cost and no inferences counts in full;
// stretches with a negative or no number are left out and counted in Bad.
//
// Errors: [stats.ErrDomain] for a level outside (0,1); 0 means 0.95. Cost: linear.
//
// Reference: that of [stats.Ratio].
func CostPerInference(samples []CostSample, level float64) ([]InferenceCost, error) {
	const name = "CostPerInference"
	level = orLevel(level)
	if err := stats.CheckLevel(level); err != nil {
		return nil, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	sorted := slices.Clone(samples)
	slices.SortFunc(sorted, func(a, b CostSample) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.Inferences, b.Inferences))
	})
	var out []InferenceCost
	for len(sorted) > 0 {
		model := sorted[0].Model
		n := slices.IndexFunc(sorted, func(s CostSample) bool { return s.Model != model })
		if n < 0 {
			n = len(sorted)
		}
		c, err := costOf(model, sorted[:n], level)
		if err != nil {
			return nil, fmt.Errorf("leadtime: %s: model %q: %w", name, model, err)
		}
		out = append(out, c)
		sorted = sorted[n:]
	}
	return out, nil
}

func costOf(model string, samples []CostSample, level float64) (InferenceCost, error) {
	c := InferenceCost{Model: model, Method: "ratio of sums, delta method"}
	var num, den []float64
	for _, s := range samples {
		if !(s.Cost >= 0 && s.Inferences >= 0) || math.IsInf(s.Cost+s.Inferences, 1) {
			c.Bad++
			continue
		}
		num, den = append(num, s.Cost), append(den, s.Inferences)
		c.Cost += s.Cost
		c.Inferences += s.Inferences
	}
	c.N = uint64(len(num))
	c.PerInference = unknown(level)
	if c.Inferences == 0 {
		return c, nil
	}
	c.PerInference.Point = c.Cost / c.Inferences
	if c.N < 2 {
		return c, nil
	}
	m, err := stats.RatioMomentsOf(num, den)
	if err != nil {
		return c, err
	}
	r, err := stats.Ratio(m, level)
	if err != nil {
		return c, err
	}
	c.PerInference.Lo, c.PerInference.Hi, c.Warnings = r.Estimate.Lo, r.Estimate.Hi, r.Warnings
	return c, nil
}
