package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// Rule says how a [Detector] forgets the past. The zero value is CUSUM.
type Rule int8

// The detector rules. e_t is the e-value of step t given the past.
const (
	CUSUM           Rule = 0 // M_t = max(M_{t-1}, 1) e_t: follows the most likely start of the change
	ShiryaevRoberts Rule = 1 // M_t = (M_{t-1} + 1) e_t: sums over all starts, and reaches any level no later
)

// String returns "cusum" or "shiryaev_roberts".
func (r Rule) String() string {
	switch r {
	case CUSUM:
		return "cusum"
	case ShiryaevRoberts:
		return "shiryaev_roberts"
	}
	return fmt.Sprintf("Rule(%d)", int8(r))
}

// MarshalText implements [encoding.TextMarshaler]; an unknown value is an error
// that wraps [stats.ErrDomain].
func (r Rule) MarshalText() ([]byte, error) {
	if r != CUSUM && r != ShiryaevRoberts {
		return nil, fmt.Errorf("sequential: %v: %w", r, stats.ErrDomain)
	}
	return []byte(r.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown name is an
// error that wraps [stats.ErrDomain].
func (r *Rule) UnmarshalText(text []byte) error {
	for _, v := range []Rule{CUSUM, ShiryaevRoberts} {
		if v.String() == string(text) {
			*r = v
			return nil
		}
	}
	return fmt.Errorf("sequential: Rule: unknown name %q: %w", text, stats.ErrDomain)
}

// Detector watches an endless stream for a change, where an e-process would be
// worn down by a long good past. It is fed with the growth of an e-process, step
// by step, and alarms when M_t >= 1/Alpha. While nothing changes the average
// number of steps up to the first alarm is at least 1/Alpha, for both rules and
// any dependence between steps. A step is whatever is fed at once: state the run
// length in looks, windows or units accordingly.
//
// The zero value with Alpha set is ready. A Detector is plain data: it marshals
// as JSON and continues after reading.
type Detector struct {
	Alpha float64     `json:"alpha"` // 1/Alpha is the guaranteed average run length, in (0,1)
	Rule  Rule        `json:"rule"`
	LogM  stats.Float `json:"log_m"` // log M after the latest step; not read before the first
	Steps uint64      `json:"steps"` // since the start or the latest Reset
	Start uint64      `json:"start"` // CUSUM: the step after which the change is most likely to have begun
}

// Observe feeds log e of one step, with E[e] <= 1 given the past while nothing
// has changed: the growth of log E since the step before in [SRM], [BinomMix],
// [Block], [Bernstein], [BernsteinDiff], [Hedged], [Bernoulli] or [TwoSample].
// A minimum over e-values, as in [Quantile], has no such steps. It reports
// whether the alarm level is reached. After an alarm call Reset or go on; the
// detector does neither by itself.
//
// Errors: [stats.ErrDomain] for a NaN or +Inf step, or an Alpha outside (0,1);
// the detector is left as it was.
//
// Reference: Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework
// for sequential change detection", New England Journal of Statistics in Data
// Science 2 (2024).
func (d *Detector) Observe(logStep float64) (alarm bool, err error) {
	if math.IsNaN(logStep) || math.IsInf(logStep, 1) || stats.CheckLevel(d.Alpha) != nil || d.Rule < CUSUM || d.Rule > ShiryaevRoberts {
		return false, fmt.Errorf("sequential: Detector.Observe: step %v, alpha %v, rule %d: %w", logStep, d.Alpha, d.Rule, stats.ErrDomain)
	}
	past := math.Inf(-1)
	if d.Steps > 0 {
		past = float64(d.LogM)
	}
	switch {
	case d.Rule == ShiryaevRoberts:
		past = logSumExp([]float64{past, 0})
	case past < 0:
		past = 0
		d.Start = d.Steps
	}
	d.Steps++
	d.LogM = stats.Float(past + logStep)
	return float64(d.LogM) >= Threshold(d.Alpha), nil
}

// Reset forgets all steps, as after an alarm that was dealt with.
func (d *Detector) Reset() { *d = Detector{Alpha: d.Alpha, Rule: d.Rule} }
