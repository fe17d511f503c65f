package labeldelay

import (
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/stats"
	"gonum.org/v1/gonum/mathext"
)

func normalZ(level float64) float64 { return -mathext.NormalQuantile((1 - level) / 2) }

// Maturity is an age from which on labels are taken to be there.
type Maturity struct {
	Age   time.Duration          // rounded up, to be written into a policy
	Exact stats.SurvivalQuantile // in seconds, of all labels
	Share float64                // of the labels that arrive at all, which are there by then
	All   float64                // of all rows, which have a label by then
	// Warnings: "small_sample" when the end of the interval is not reached and Age
	// is the estimate, not its upper end; "rising" when labels still come at the
	// greatest ages.
	Warnings []stats.Warning
}

// WarnRising says that the share of labels still rises at the end of what was seen.
const WarnRising = "rising"

// Maturity returns the age by which the share of the labels that arrive within End
// has arrived, at the upper end of its interval, rounded up to two digits of
// minutes, hours or days.
//
// Errors: [stats.ErrDomain] unless 0 < share < 1; [stats.ErrEmpty] when no label has
// arrived. Cost: one pass.
func (c Curve) Maturity(share float64) (Maturity, error) {
	if !(share > 0 && share < 1) {
		return Maturity{}, fmt.Errorf("labeldelay: Maturity: share %v is not in (0,1): %w", share, stats.ErrDomain)
	}
	all := float64(share * c.Arrived.Point)
	if c.Events == 0 || !(all > 0) {
		return Maturity{}, fmt.Errorf("labeldelay: Maturity: no label has arrived: %w", stats.ErrEmpty)
	}
	q, err := c.Quantile(all)
	if err != nil {
		return Maturity{}, fmt.Errorf("labeldelay: Maturity: %w", err)
	}
	m := Maturity{Exact: q, Share: share, All: all}
	at := q.Estimate.Hi
	if !q.HiReached {
		at = q.Estimate.Point
		m.Warnings = append(m.Warnings, stats.Warning{Code: stats.WarnSmallSample, Message: "the upper end of the age is not known from these rows, so that the estimate itself is proposed"})
	}
	if c.Late > 0.01 {
		m.Warnings = append(m.Warnings, stats.Warning{Code: WarnRising, Message: fmt.Sprintf("%.2g%% of the labels came in the last tenth of the time that was watched; more may come later, so look again with older rows", 100*c.Late)})
	}
	m.Age = roundUp(at)
	return m, nil
}

// roundUp brings seconds to two digits of a unit that a person would take, and
// beyond all durations to the longest.
func roundUp(seconds float64) time.Duration {
	unit := time.Minute
	switch {
	case seconds > 48*3600:
		unit = 24 * time.Hour
	case seconds > 2*3600:
		unit = time.Hour
	}
	n := math.Ceil(seconds / unit.Seconds() * (1 - 1e-12))
	if n > 100 {
		step := math.Pow(10, math.Floor(math.Log10(n))-1)
		n = math.Ceil(n/step) * step
	}
	if n*unit.Seconds() > 200*365*24*3600 {
		return math.MaxInt64
	}
	return time.Duration(max(n, 1)) * unit
}
