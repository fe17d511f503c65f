package leadtime

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// WarnClockStart is the warning code of [Lint]: most sign-offs fall on the end of
// training or on registration.
const WarnClockStart = "clock_starts_at_training"

// sameStamp is how far apart two copies of one stamp may be rounded.
const sameStamp = time.Second

// Lint looks for signs that the numbers of flights do not measure what they say.
//
// clock_starts_at_training: of the flights that have a stamp for the end of their
// training run, or for their creation in the registry, more than half have a
// sign-off within a second of it. A sign-off is a decision that takes time to come to;
// such stamps are copies, and the clock then starts too early or tells nothing of
// the approval.
//
// Special cases are: no flights, or none with those stamps, give no warnings.
// Cost: one pass.
func Lint(flights []Flight) []stats.Warning {
	var w []stats.Warning
	for _, src := range []struct {
		name  string
		stamp func(*Flight) time.Time
	}{
		{"the end of the training run", func(f *Flight) time.Time { return f.RunEnded }},
		{"creation in the registry", func(f *Flight) time.Time { return f.Registered }},
	} {
		n, equal := 0, 0
		for i := range flights {
			f := &flights[i]
			if t := src.stamp(f); !t.IsZero() {
				n++
				if f.FirstSignOff.Sub(t).Abs() <= sameStamp {
					equal++
				}
			}
		}
		if 2*equal > n {
			w = append(w, stats.Warning{Code: WarnClockStart,
				Message: fmt.Sprintf("%d of %d sign-offs fall on %s: the lead time clock starts at a sign-off by people", equal, n, src.name)})
		}
	}
	return w
}
