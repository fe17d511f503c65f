package planning

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Traffic says what is expected to be served. What is left out is taken from
// Baseline, when there is one.
type Traffic struct {
	// PerSecond is the number of units of all arms a second; 0 takes that of the
	// policy.
	PerSecond float64
	// BaseRates are shares of yes, by the name of a column or of a provider's
	// metric, or of accuracy, positive_rate and label_rate. Of a count rate they are
	// events per unit of exposure.
	BaseRates map[string]float64
	// Moments are means and standard deviations of one row, by the name of a column
	// or of a provider's metric, or of log_loss, brier and mean_score.
	Moments map[string]Moments
	// Shares are the shares of the values of a column by which slices are told
	// apart.
	Shares map[string]map[string]float64
	// Baseline is what was collected of the baseline before.
	Baseline *analysis.Snapshot
}

// Moments are the mean and the standard deviation of the value of a row.
type Moments struct {
	Mean, SD float64
}

// Rate is the number of units a second under the policy.
func (t *Traffic) Rate(p *analysis.Policy) float64 {
	if t.PerSecond > 0 {
		return t.PerSecond
	}
	return p.Traffic
}

// Validate reports numbers that cannot be: a rate that is not positive or not
// finite, a share outside [0,1], a standard deviation below 0. The errors wrap
// [stats.ErrDomain].
func (t *Traffic) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("planning: Traffic: %s: %w", fmt.Sprintf(format, args...), stats.ErrDomain)
	}
	if t.PerSecond < 0 || math.IsNaN(t.PerSecond) || math.IsInf(t.PerSecond, 0) {
		return bad("%v units a second", t.PerSecond)
	}
	for _, name := range sortedNames(t.BaseRates) {
		if v := t.BaseRates[name]; !(v >= 0) || math.IsInf(v, 0) {
			return bad("base rate %v of %s", v, name)
		}
	}
	for _, name := range sortedNames(t.Moments) {
		if m := t.Moments[name]; !(m.SD >= 0) || math.IsInf(m.SD, 0) || math.IsNaN(m.Mean) || math.IsInf(m.Mean, 0) {
			return bad("mean %v and standard deviation %v of %s", m.Mean, m.SD, name)
		}
	}
	for _, name := range sortedNames(t.Shares) {
		sum := 0.0
		for _, value := range sortedNames(t.Shares[name]) {
			w := t.Shares[name][value]
			if !(w >= 0) || math.IsInf(w, 0) {
				return bad("share %v of %s=%s", w, name, value)
			}
			sum += w
		}
		if !(sum > 0) {
			return bad("the shares of %s sum to %v", name, sum)
		}
	}
	return nil
}
