package sla

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Objective says what level is promised, over which window, and how it is counted.
// The zero values of all but Name, Target and Window are defaults.
type Objective struct {
	Name   string
	Target float64 // share of good, in (0,1]
	Window Window
	Method Method

	Slice       time.Duration // of Timeslices and RatioTimeslices
	SliceTarget float64       // share of good from which on a slice is good, in (0,1]; Timeslices only
	Missing     MissingPolicy // what a slice without samples counts as
	MaxMissing  float64       // share of missing slices that MissingNoData tolerates

	// MinEvents, MinBad and TailAlpha keep alerts quiet on little traffic: unless the
	// long window has as many events, as many bad ones, and, when TailAlpha is
	// above 0, a probability of at most TailAlpha of so many bad ones at the rate that
	// the alert tolerates, the alert is suppressed. With slices, slices are counted.
	MinEvents float64
	MinBad    float64
	TailAlpha float64

	Exclude       []Exclusion    // maintenance
	Maturity      time.Duration  // age from which on a sample is complete; younger ones wait
	ExpectedTotal float64        // events expected in a calendar period; 0 goes by the pace so far
	AtRisk        float64        // share left from which on the state is AtRisk; 0 is 0.25
	Interval      IntervalMethod // for the level
	Level         float64        // of that interval; 0 is 0.95
}

// Exclusion is time that does not count, open at From and closed at To, and why.
type Exclusion struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason"`
}

func (x Exclusion) contains(t time.Time) bool { return x.From.Before(t) && !x.To.Before(t) }

func (x Exclusion) check() error {
	switch {
	case !inRange(x.From) || !inRange(x.To) || !x.From.Before(x.To):
		return fmt.Errorf("from %s to %s: %w", x.From.Format(time.RFC3339), x.To.Format(time.RFC3339), stats.ErrDomain)
	case x.Reason == "":
		return fmt.Errorf("from %s without a reason: %w", x.From.Format(time.RFC3339), stats.ErrDomain)
	}
	return nil
}

// maxSlices bounds the memory that slices take; a year of 10 s has 3.2 million.
const maxSlices = 1 << 22

// Validate returns what is wrong with the objective, naming the field; the error
// wraps [stats.ErrDomain].
func (o Objective) Validate() error {
	if err := o.invalid(); err != nil {
		return fmt.Errorf("sla: objective %q: %w", o.Name, err)
	}
	return nil
}

func (o Objective) invalid() error {
	if !(o.Target > 0 && o.Target <= 1) {
		return fmt.Errorf("target %v is not in (0,1]: %w", o.Target, stats.ErrDomain)
	}
	if err := o.Window.check(); err != nil {
		return err
	}
	switch {
	case !known(methodWords, o.Method):
		return fmt.Errorf("method %d: %w", int8(o.Method), stats.ErrDomain)
	case !known(missingWords, o.Missing):
		return fmt.Errorf("missing policy %d: %w", int8(o.Missing), stats.ErrDomain)
	case !known(intervalWords, o.Interval):
		return fmt.Errorf("interval method %d: %w", int8(o.Interval), stats.ErrDomain)
	case o.Maturity < 0 || o.Maturity > maxWindow:
		return fmt.Errorf("maturity %s: %w", o.Maturity, stats.ErrDomain)
	}
	if err := o.invalidSlices(); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		value float64
		limit float64
	}{
		{"MinEvents", o.MinEvents, maxCount}, {"MinBad", o.MinBad, maxCount}, {"ExpectedTotal", o.ExpectedTotal, maxCount},
		{"TailAlpha", o.TailAlpha, 1}, {"MaxMissing", o.MaxMissing, 1}, {"AtRisk", o.AtRisk, 1},
	} {
		if !(f.value >= 0 && f.value <= f.limit) {
			return fmt.Errorf("%s %v is not from 0 to %v: %w", f.name, f.value, f.limit, stats.ErrDomain)
		}
	}
	if o.Level != 0 {
		if err := stats.CheckLevel(o.Level); err != nil {
			return fmt.Errorf("level: %w", err)
		}
	}
	for i, x := range o.Exclude {
		if err := x.check(); err != nil {
			return fmt.Errorf("exclusion %d %w", i, err)
		}
	}
	return nil
}

func (o Objective) invalidSlices() error {
	if o.Method == Occurrences {
		if o.Slice != 0 || o.SliceTarget != 0 || o.Missing != MissingIgnore {
			return fmt.Errorf("slice, slice target or missing policy for %s, which has no slices: %w", o.Method, stats.ErrDomain)
		}
		return nil
	}
	longest := o.Window.Length
	if o.Window.Unit != 0 {
		longest = time.Duration(31*o.Window.months()+o.Window.days()) * 24 * time.Hour
	}
	switch {
	case o.Slice <= 0 || o.Slice > longest:
		return fmt.Errorf("slice of %s is not above 0 and within the window: %w", o.Slice, stats.ErrDomain)
	case longest/o.Slice > maxSlices:
		return fmt.Errorf("slice of %s gives more than %d slices a window: %w", o.Slice, maxSlices, stats.ErrDomain)
	case o.Window.Length%o.Slice != 0:
		return fmt.Errorf("slice of %s does not divide the window of %s: %w", o.Slice, o.Window.Length, stats.ErrDomain)
	case o.Method == Timeslices && !(o.SliceTarget > 0 && o.SliceTarget <= 1):
		return fmt.Errorf("slice target %v is not in (0,1]: %w", o.SliceTarget, stats.ErrDomain)
	case o.Method == RatioTimeslices && o.SliceTarget != 0:
		return fmt.Errorf("slice target %v for %s: %w", o.SliceTarget, o.Method, stats.ErrDomain)
	}
	return nil
}

func (o Objective) level() float64 {
	if o.Level == 0 {
		return 0.95
	}
	return o.Level
}

func (o Objective) atRisk() float64 {
	if o.AtRisk == 0 {
		return 0.25
	}
	return o.AtRisk
}

// unit names what the method counts.
func (o Objective) unit() string {
	if o.Method == Occurrences {
		return "events"
	}
	return "slices"
}

// errorBudget is 1 - target in decimals, rounded once.
func errorBudget(target float64) float64 {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(target, 'g', -1, 64))
	if !ok {
		return math.NaN()
	}
	b, _ := r.Sub(big.NewRat(1, 1), r).Float64()
	return b
}

// MaxBurn is the greatest burn rate that an objective can have, 1/(1-target): all
// events are bad. An alert with a factor of that size or above never fires.
//
// Special cases: +Inf for target 1; NaN outside (0,1].
func MaxBurn(target float64) float64 {
	if !(target > 0 && target <= 1) {
		return math.NaN()
	}
	return 1 / errorBudget(target)
}

// Allowance is the time that may be bad in a window, (1-target) x window, rounded to
// the nanosecond: 43m12s of 30 days at 0.999. Since months differ, so do their
// allowances; a window is a duration.
//
// Special cases: 0 for a target outside (0,1].
func Allowance(target float64, window time.Duration) time.Duration {
	if !(target > 0 && target <= 1) {
		return 0
	}
	return time.Duration(math.Round(float64(errorBudget(target) * float64(window))))
}

// TimeToExhaustion is how long the rest of a budget lasts at a burn rate,
// window x remaining / burn, and whether it ends at all within a hundred years.
//
// Special cases: 0 for nothing left.
func TimeToExhaustion(window time.Duration, remaining, burn float64) (time.Duration, bool) {
	if remaining <= 0 {
		return 0, true
	}
	d := float64(float64(window)*remaining) / burn
	if !(burn > 0 && d < float64(100*366*24*time.Hour)) {
		return 0, false
	}
	return time.Duration(math.Round(d)), true
}

// sortedExclusions returns the exclusions by time.
func sortedExclusions(xs []Exclusion) []Exclusion {
	xs = slices.Clone(xs)
	slices.SortFunc(xs, func(a, b Exclusion) int {
		if c := a.From.Compare(b.From); c != 0 {
			return c
		}
		if c := a.To.Compare(b.To); c != 0 {
			return c
		}
		return strings.Compare(a.Reason, b.Reason)
	})
	return xs
}
