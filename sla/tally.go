package sla

import (
	"time"
)

// SliceCounts says what became of the slices of a window. Good, Bad, Missing, Idle
// and Excluded add up to Elapsed; with Ahead they are the whole window.
type SliceCounts struct {
	Elapsed  int `json:"elapsed"`  // ended by the end of what is judged
	Ahead    int `json:"ahead"`    // of a calendar period, not ended yet
	Good     int `json:"good"`     // reach SliceTarget; with RatioTimeslices those without a bad event
	Bad      int `json:"bad"`      // do not
	Missing  int `json:"missing"`  // without samples
	Idle     int `json:"idle"`     // with samples that say there were no events
	Excluded int `json:"excluded"` // without samples, touched by maintenance
}

// tally is what a window adds up to, in the unit of the method.
type tally struct {
	bad, total float64
	ratios     []float64 // of the judged slices; RatioTimeslices only
	events     Counts
	samples    int
	slices     SliceCounts
	noData     bool // too many slices are missing, or nothing was counted
}

func (t tally) errorRate() float64 { return t.bad / t.total }

// extent is a window in nanoseconds: judged is (from,to], of a period that ends at end.
type extent struct{ from, to, end int64 }

// period returns the window that ends with, or has in it, the last mature moment.
func (o Objective) period(asOf time.Time) (extent, error) {
	mature := asOf.Add(-o.Maturity)
	start, end, err := o.Window.Bounds(mature)
	if err != nil {
		return extent{}, err
	}
	x := extent{start.UnixNano(), mature.UnixNano(), end.UnixNano()}
	if o.Method == Occurrences {
		return x, nil
	}
	if o.Window.Unit == 0 {
		return o.trailing(mature, o.Window.Length), nil
	}
	if x.to < x.end {
		x.to -= (x.to - x.from) % int64(o.Slice)
	}
	return x, nil
}

// trailing returns the last d before the moment, for slices those that have ended.
func (o Objective) trailing(at time.Time, d time.Duration) extent {
	to := at.UnixNano()
	if o.Method != Occurrences {
		slice := int64(o.Slice)
		to -= ((to % slice) + slice) % slice
		d -= d % o.Slice
	}
	return extent{to - int64(d), to, to}
}

// tally adds up a window.
func (o Objective) tally(s series, x extent) tally {
	points := s.between(x.from, x.to)
	var t tally
	t.samples = len(points)
	if o.Method == Occurrences {
		for _, p := range points {
			t.bad += p.Total - p.Good
			t.events.Good += p.Good
			t.events.Total += p.Total
		}
		t.total = t.events.Total
		t.noData = t.total == 0
		return t
	}
	t.sliced(o, s, x, points)
	return t
}

// The states of a slice.
const (
	sliceMissing = iota
	sliceSeen
	sliceExcluded
)

func (t *tally) sliced(o Objective, s series, x extent, points []point) {
	slice := int64(o.Slice)
	count := func(from, to int64) int { return int((to - from + slice - 1) / slice) }
	t.slices.Elapsed = count(x.from, x.to)
	t.slices.Ahead = count(x.from, x.end) - t.slices.Elapsed
	seen := make([]uint8, t.slices.Elapsed)
	at := func(p point) int64 { return (p.at - x.from - 1) / slice }
	for len(points) > 0 {
		k, n := at(points[0]), 0
		var c Counts
		bad := 0.0
		for n < len(points) && at(points[n]) == k {
			c.Good += points[n].Good
			c.Total += points[n].Total
			bad += points[n].Total - points[n].Good
			n++
		}
		points = points[n:]
		seen[k] = sliceSeen
		t.events.Good += c.Good
		t.events.Total += c.Total
		t.judge(o, c, bad)
	}
	for _, b := range s.breaks {
		lo, hi := max(b.From.UnixNano(), x.from), min(b.To.UnixNano(), x.to)
		for k := (lo - x.from) / slice; lo < hi && k <= (hi-x.from-1)/slice; k++ {
			if seen[k] == sliceMissing {
				seen[k] = sliceExcluded
				t.slices.Excluded++
			}
		}
	}
	t.slices.Missing = t.slices.Elapsed - t.slices.Good - t.slices.Bad - t.slices.Idle - t.slices.Excluded
	t.settle(o)
}

// judge counts a slice with samples.
func (t *tally) judge(o Objective, c Counts, bad float64) {
	ratio := c.Good / c.Total
	switch {
	case c.Total == 0:
		t.slices.Idle++
		return
	case o.Method == Timeslices && ratio >= o.SliceTarget, o.Method == RatioTimeslices && bad == 0:
		t.slices.Good++
	default:
		t.slices.Bad++
	}
	if o.Method == RatioTimeslices {
		t.bad += bad / c.Total
		t.ratios = append(t.ratios, ratio)
	}
}

// settle applies the policy for missing slices.
func (t *tally) settle(o Objective) {
	if o.Method == Timeslices {
		t.bad = float64(t.slices.Bad)
	}
	judged := t.slices.Good + t.slices.Bad
	assume := func(n int, ratio float64) {
		judged += n
		t.bad += float64(float64(n) * (1 - ratio))
		if o.Method == RatioTimeslices {
			for range n {
				t.ratios = append(t.ratios, ratio)
			}
		}
	}
	switch o.Missing {
	case MissingBad:
		assume(t.slices.Missing, 0)
	case MissingGood:
		assume(t.slices.Missing+t.slices.Idle, 1)
	case MissingNoData:
		open := t.slices.Elapsed - t.slices.Excluded
		t.noData = open > 0 && float64(t.slices.Missing) > float64(o.MaxMissing*float64(open))
	}
	t.total = float64(judged)
	// Only MissingBad may speak about a window in which there was nothing at all.
	t.noData = t.noData || judged == 0 || t.samples == 0 && o.Missing != MissingBad
}
