package simulation

import (
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/stats"
)

// Scenario is the world in which a policy is tried. The zero value of all but
// Traffic is a world in which the candidate does no harm and nothing fails.
type Scenario struct {
	Traffic planning.Traffic
	Harm    Harm
	Noise   Noise
	Outages []Outage
	// LabelDelay is the time after which the label of a row arrives; 0 takes the
	// maturity of the policy, a negative one lets labels come at once. Labels that come
	// before the maturity of the policy count from then on only.
	LabelDelay time.Duration
}

// Harm is what the candidate does. The zero value is none.
type Harm struct {
	// Column, a column or a provider's metric, of which Factor multiplies the share
	// of yes, or every value.
	Column string
	Factor float64
	// LogLoss is the relative loss of log loss, 0.02 being 2% more: the scores stay
	// as they are and tell less about the labels.
	LogLoss float64
	// Collapse gives every row the same score.
	Collapse bool
	// Slice limits the harm to the rows with these values; nil means all rows.
	Slice map[string]string
	// After is the time from the start of the rollout until the harm begins.
	After time.Duration
}

// None reports whether the candidate does no harm.
func (h Harm) None() bool {
	return (h.Column == "" || h.Factor == 1) && h.LogLoss == 0 && !h.Collapse
}

// String names the harm.
func (h Harm) String() string {
	text := "no harm"
	switch {
	case h.None():
		return text
	case h.Collapse:
		text = "every score the same"
	case h.LogLoss != 0:
		text = fmt.Sprintf("log loss %+.3g%%", 100*h.LogLoss)
	default:
		text = fmt.Sprintf("%s times %g", h.Column, h.Factor)
	}
	for _, name := range sortedKeys(h.Slice) {
		text += fmt.Sprintf(" where %s=%s", name, h.Slice[name])
	}
	if h.After > 0 {
		text += " after " + h.After.String()
	}
	return text
}

// Noise is what moves without any harm.
type Noise struct {
	// Rho is the correlation of a gauge with itself a minute before, in each arm by
	// itself.
	Rho float64
	// Swing is the standard deviation of the logarithm of the share of yes of every
	// column, which moves in both arms together, with correlation Rho from minute to
	// minute.
	Swing float64
}

// Outage is a failure that comes and goes.
type Outage struct {
	// Source is the metric or column of which nothing comes; "" means all of them,
	// and then no rows either.
	Source string
	Every  time.Duration // the mean time until the next one
	Lasts  time.Duration
	// Silent outages leave a gap without an error: the source has nothing for a
	// window, and does not say that it failed.
	Silent bool
}

func (s *Scenario) validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("simulation: Scenario: %s: %w", fmt.Sprintf(format, args...), stats.ErrDomain)
	}
	h := s.Harm
	switch {
	case h.Column != "" && !(h.Factor >= 0) || math.IsInf(h.Factor, 0) || math.IsNaN(h.Factor):
		return bad("%s times %v", h.Column, h.Factor)
	case h.Factor != 0 && h.Column == "":
		return bad("factor %v of no column", h.Factor)
	case !(h.LogLoss >= 0) || math.IsInf(h.LogLoss, 0):
		return bad("log loss %v", h.LogLoss)
	case (h.Column != "" && h.LogLoss > 0) || h.Collapse && (h.Column != "" || h.LogLoss > 0):
		return bad("two harms at once")
	case h.After < 0:
		return bad("harm after %v", h.After)
	case !(s.Noise.Rho >= 0 && s.Noise.Rho < 1) || !(s.Noise.Swing >= 0) || math.IsInf(s.Noise.Swing, 0):
		return bad("noise with correlation %v and swing %v", s.Noise.Rho, s.Noise.Swing)
	}
	for _, o := range s.Outages {
		if o.Every <= 0 || o.Lasts <= 0 {
			return bad("an outage every %v that lasts %v", o.Every, o.Lasts)
		}
	}
	return s.Traffic.Validate()
}
