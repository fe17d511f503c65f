package leadtime

import (
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// WindowSpec says which windows [Rolling] looks at. The zero value is the last 8
// calendar quarters in UTC, the running one among them.
type WindowSpec struct {
	// Months is the length of a window and Step the distance of one to the next,
	// in whole calendar months. Months 0 means 3, Step 0 means Months. A year is a
	// multiple of Step, so windows begin on the first of January, and every Step
	// months on: 3 and 3 are calendar quarters, 3 and 1 the rolling quarter of
	// each month.
	Months, Step int
	// Days, when positive, asks for windows of so many calendar days that end at
	// AsOf, and before that every StepDays (0 means Days).
	Days, StepDays int
	Count          int            // number of windows; 0 means 8
	Location       *time.Location // of midnight; nil means UTC
}

// Point is one window of a series.
type Point struct {
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`   // first instant outside
	Partial bool      `json:"partial"` // the observation stopped before Until
	Groups  []Group   `json:"groups"`  // as in Report, with n, in flight and intervals
	Outside uint64    `json:"outside"`
	// Excluded are the flights of the window that are no lead times.
	Excluded []ExcludedFlight `json:"excluded,omitempty"`
}

// Headline is the standard track of the headline environment, over all models.
func (p Point) Headline() Group { return headline(p.Groups) }

// Rolling summarises flights window by window, oldest first. The last window is
// the one that holds AsOf, or ends there when windows are counted in days.
//
// A window of months begins at midnight on the first of a month, so that stepping
// has no short month to fall over: a month before 31 March is February, not 3
// March. Overlapping windows share flights: they are a picture, and no sample
// for a test. [Trend] tests the flights themselves.
//
// Options apply to every window, but for Since and Until.
//
// Errors: [stats.ErrDomain] for negative numbers, more than 10000 windows, a Step
// that does not divide 12 (or is no multiple of it), and options that [Summarize]
// refuses. Cost: that of Summarize per window.
func Rolling(flights []Flight, w WindowSpec, o Options) ([]Point, error) {
	const name = "Rolling"
	windows, err := w.windows(flights, &o)
	if err != nil {
		return nil, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	out := make([]Point, 0, len(windows))
	for _, v := range windows {
		o.Since, o.Until = v[0], v[1]
		r, err := Summarize(flights, o)
		if err != nil {
			return nil, fmt.Errorf("leadtime: %s: window from %v: %w", name, v[0], err)
		}
		out = append(out, Point{
			Since: r.Since, Until: r.Until, Partial: r.AsOf.Add(time.Nanosecond).Before(r.Until),
			Groups: r.Groups, Outside: r.Outside, Excluded: r.Excluded,
		})
	}
	return out, nil
}

func (w WindowSpec) windows(flights []Flight, o *Options) ([][2]time.Time, error) {
	if w.Months < 0 || w.Step < 0 || w.Days < 0 || w.StepDays < 0 || w.Count < 0 || w.Count > 10000 {
		return nil, fmt.Errorf("window %+v: %w", w, stats.ErrDomain)
	}
	if w.Months == 0 {
		w.Months = 3
	}
	if w.Step == 0 {
		w.Step = w.Months
	}
	if w.StepDays == 0 {
		w.StepDays = w.Days
	}
	if w.Count == 0 {
		w.Count = 8
	}
	if w.Location == nil {
		w.Location = time.UTC
	}
	if w.Days == 0 && 12%w.Step != 0 && w.Step%12 != 0 {
		return nil, fmt.Errorf("a step of %d months meets no year: %w", w.Step, stats.ErrDomain)
	}
	o.Since, o.Until = time.Time{}, time.Time{}
	ready, err := o.ready(flights)
	if err != nil {
		return nil, err
	}
	o.AsOf = ready.AsOf
	if o.AsOf.IsZero() {
		return nil, nil // no flights and no date to look at
	}
	asOf := o.AsOf.In(w.Location)
	out := make([][2]time.Time, 0, w.Count)
	for i := range w.Count {
		if w.Days > 0 {
			// A flight served at AsOf itself is in the last window, so that Until is
			// the nanosecond after.
			until := asOf.AddDate(0, 0, -i*w.StepDays)
			out = append(out, [2]time.Time{until.AddDate(0, 0, -w.Days).Add(time.Nanosecond), until.Add(time.Nanosecond)})
			continue
		}
		m := 12*asOf.Year() + int(asOf.Month()) - 1
		end := (m/w.Step+1)*w.Step - i*w.Step // the first month after the window
		out = append(out, [2]time.Time{w.first(end - w.Months), w.first(end)})
	}
	slices.Reverse(out)
	return out, nil
}

// first is midnight on the first of a month, counted from the year 0.
func (w WindowSpec) first(month int) time.Time {
	return time.Date(0, time.Month(1+month), 1, 0, 0, 0, 0, w.Location)
}
