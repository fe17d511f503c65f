package leadtime

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Band is a class of durations: those from the edge of the band before it up to
// its own.
type Band struct {
	Name string
	Edge time.Duration // upper edge; not used in the last band, which is open
	// Inclusive says that a duration equal to Edge is in this band and not in
	// the next.
	Inclusive bool
}

// BandSet is a list of bands, best first.
type BandSet []Band

const day = 24 * time.Hour

// ModelBands returns the bands for the lead time of a model: excellent below a
// day, good up to 3 days, needs_improvement up to 7 days, problematic beyond. A
// lead time of 3 or 7 days to the nanosecond is in the better band, by the
// inclusive rule that an SLA has too.
func ModelBands() BandSet {
	return BandSet{
		{Name: "excellent", Edge: day},
		{Name: "good", Edge: 3 * day, Inclusive: true},
		{Name: "needs_improvement", Edge: 7 * day, Inclusive: true},
		{Name: "problematic"},
	}
}

// DORA2021 returns the bands for the lead time of a software change of the 2021
// report: elite below an hour, high below a week, medium below 180 days, low
// from there.
func DORA2021() BandSet {
	return BandSet{
		{Name: "elite", Edge: time.Hour},
		{Name: "high", Edge: 7 * day},
		{Name: "medium", Edge: 180 * day},
		{Name: "low"},
	}
}

// DORA2023 returns the bands for the lead time of a software change of the 2023
// report: elite below a day, high below a week, medium below 30 days, low from
// there.
func DORA2023() BandSet {
	return BandSet{
		{Name: "elite", Edge: day},
		{Name: "high", Edge: 7 * day},
		{Name: "medium", Edge: 30 * day},
		{Name: "low"},
	}
}

// DORARecovery returns the bands for the time to restore service, which are the
// same in the 2021 and 2023 reports: elite below an hour, high below a day,
// medium below a week, low from there.
func DORARecovery() BandSet {
	return BandSet{
		{Name: "elite", Edge: time.Hour},
		{Name: "high", Edge: day},
		{Name: "medium", Edge: 7 * day},
		{Name: "low"},
	}
}

// Of returns the name of the band that holds d. A set without bands gives "".
func (s BandSet) Of(d time.Duration) string {
	if len(s) == 0 {
		return ""
	}
	return s[s.index(d)].Name
}

func (s BandSet) index(d time.Duration) int {
	last := len(s) - 1
	for i, b := range s[:last] {
		if d < b.Edge || d == b.Edge && b.Inclusive {
			return i
		}
	}
	return last
}

// Validate returns an error that wraps [stats.ErrDomain] unless every band has a
// name of its own and the edges are positive and rise.
func (s BandSet) Validate() error {
	seen := map[string]bool{}
	for i, b := range s {
		if b.Name == "" || seen[b.Name] {
			return fmt.Errorf("leadtime: BandSet: band %d has the name %q: %w", i, b.Name, stats.ErrDomain)
		}
		seen[b.Name] = true
		if i == len(s)-1 {
			break
		}
		if b.Edge <= 0 || i > 0 && b.Edge <= s[i-1].Edge {
			return fmt.Errorf("leadtime: BandSet: edge %v of band %q does not rise: %w", b.Edge, b.Name, stats.ErrDomain)
		}
	}
	return nil
}

// BandCount is how many durations are in a band.
type BandCount struct {
	Band     string  `json:"band"`
	N        uint64  `json:"n"`
	Share    float64 `json:"share"`     // of the completed; 0 when there are none
	InFlight uint64  `json:"in_flight"` // whose age has come this far: they end here or in a later band
}

// count returns the bands of completed durations and of ages in flight.
func (s BandSet) count(done, ages []time.Duration) []BandCount {
	out := make([]BandCount, len(s))
	for i, b := range s {
		out[i].Band = b.Name
	}
	if len(s) == 0 {
		return out
	}
	for _, d := range done {
		out[s.index(d)].N++
	}
	for _, d := range ages {
		out[s.index(d)].InFlight++
	}
	for i := range out {
		if len(done) > 0 {
			out[i].Share = float64(out[i].N) / float64(len(done))
		}
	}
	return out
}
