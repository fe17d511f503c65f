package sla

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Counts are good events of all events. They need not be whole: what a monitoring
// system derives from counters is not.
type Counts struct {
	Good  float64 `json:"good"`
	Total float64 `json:"total"`
}

// Sample is what was counted up to a moment. Samples of several sources, such as
// regions or replicas, add up.
type Sample struct {
	At     time.Time
	Source string // whose count it is; a source has one sample a moment
	Line   int    // where it was read, for reports; 0 is nowhere
	Counts
}

// Reasons for which a sample is left out.
const (
	ReasonNoTime      = "no_time"            // the zero time
	ReasonTimeRange   = "time_out_of_range"  // outside the years 1700 to 2200
	ReasonNaN         = "nan"                // a count is not a number
	ReasonInfinite    = "infinite"           // a count is infinite
	ReasonNegative    = "negative"           // a count is below 0
	ReasonTooLarge    = "too_large"          // a count is above 2^53
	ReasonGoodAbove   = "good_above_total"   // more good events than events, by more than rounding
	ReasonDuplicate   = "duplicate"          // same moment, source and counts as another
	ReasonConflicting = "conflicting_counts" // same moment and source as another that counts worse
)

// Excluded is a sample that was left out because it cannot be right.
type Excluded struct {
	Index  int         `json:"index"` // in the slice of samples
	Line   int         `json:"line,omitempty"`
	At     time.Time   `json:"at"`
	Source string      `json:"source,omitempty"`
	Good   stats.Float `json:"good"`
	Total  stats.Float `json:"total"`
	Reason string      `json:"reason"`
}

// String names the sample and the reason.
func (x Excluded) String() string {
	where := fmt.Sprintf("sample %d", x.Index)
	if x.Line > 0 {
		where = fmt.Sprintf("line %d", x.Line)
	}
	if x.Source != "" {
		where += " of " + x.Source
	}
	return fmt.Sprintf("%s: %s: %v good of %v at %s", where, x.Reason, x.Good, x.Total, x.At.Format(time.RFC3339))
}

// rounding is how much more good than total counts as equal: series that are summed
// apart differ in their last digits.
const rounding = 1e-9

// maxCount is the largest count: every whole number up to it is a float64.
const maxCount = 1 << 53

// point is a sample that can be right.
type point struct {
	at    int64 // nanoseconds since 1970
	index int
	Counts
}

// series is the samples in order of time, those under maintenance apart.
type series struct {
	points   []point
	masked   []maskedPoint
	excluded []Excluded
	breaks   []Exclusion // by time
}

type maskedPoint struct {
	point
	exclusion int
}

// fault returns why the sample cannot be right, or "".
func (s Sample) fault() string {
	switch {
	case s.At.IsZero():
		return ReasonNoTime
	case !inRange(s.At):
		return ReasonTimeRange
	case math.IsNaN(s.Good) || math.IsNaN(s.Total):
		return ReasonNaN
	case math.IsInf(s.Good, 0) || math.IsInf(s.Total, 0):
		return ReasonInfinite
	case s.Good < 0 || s.Total < 0:
		return ReasonNegative
	case s.Good > maxCount || s.Total > maxCount:
		return ReasonTooLarge
	case s.Good > float64(s.Total*(1+rounding)):
		return ReasonGoodAbove
	}
	return ""
}

func (s Sample) excluded(index int, reason string) Excluded {
	return Excluded{index, s.Line, s.At.Round(0).UTC(), s.Source, stats.Float(s.Good), stats.Float(s.Total), reason}
}

// newSeries sorts and checks the samples: once over them, and a sort when they are
// not in order of time already.
func newSeries(samples []Sample, breaks []Exclusion) series {
	s := series{points: make([]point, 0, len(samples)), breaks: sortedExclusions(breaks)}
	for i := range samples {
		if reason := samples[i].fault(); reason != "" {
			s.excluded = append(s.excluded, samples[i].excluded(i, reason))
			continue
		}
		c := samples[i].Counts
		s.points = append(s.points, point{samples[i].At.UnixNano(), i, Counts{min(c.Good, c.Total), c.Total}})
	}
	// Of several samples of one source and moment the one that counts worst is first,
	// whatever their order was.
	order := func(a, b point) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		if c := strings.Compare(samples[a.index].Source, samples[b.index].Source); c != 0 {
			return c
		}
		if c := cmp.Compare(b.Total-b.Good, a.Total-a.Good); c != 0 {
			return c
		}
		if c := cmp.Compare(b.Total, a.Total); c != 0 {
			return c
		}
		return cmp.Compare(a.index, b.index)
	}
	if !slices.IsSortedFunc(s.points, order) {
		slices.SortFunc(s.points, order)
	}
	s.dropDuplicates(samples)
	s.mask()
	slices.SortFunc(s.excluded, func(a, b Excluded) int { return cmp.Compare(a.Index, b.Index) })
	return s
}

func (s *series) dropDuplicates(samples []Sample) {
	kept := s.points[:0]
	for _, p := range s.points {
		if n := len(kept); n > 0 && kept[n-1].at == p.at && samples[kept[n-1].index].Source == samples[p.index].Source {
			reason := ReasonConflicting
			if kept[n-1].Counts == p.Counts {
				reason = ReasonDuplicate
			}
			s.excluded = append(s.excluded, samples[p.index].excluded(p.index, reason))
			continue
		}
		kept = append(kept, p)
	}
	s.points = kept
}

// mask moves the points under maintenance away; one that is in several exclusions
// belongs to the first.
func (s *series) mask() {
	if len(s.breaks) == 0 {
		return
	}
	kept := s.points[:0]
	for _, p := range s.points {
		t := time.Unix(0, p.at)
		if i := slices.IndexFunc(s.breaks, func(x Exclusion) bool { return x.contains(t) }); i >= 0 {
			s.masked = append(s.masked, maskedPoint{p, i})
			continue
		}
		kept = append(kept, p)
	}
	s.points = kept
}

// between returns the points with from < at <= to.
func between[P any](points []P, at func(P) int64, from, to int64) []P {
	after := func(t int64) int {
		i, _ := slices.BinarySearchFunc(points, t, func(p P, t int64) int {
			if at(p) <= t {
				return -1
			}
			return 1
		})
		return i
	}
	lo := after(from)
	return points[lo:max(lo, after(to))]
}

func (p point) when() int64 { return p.at }

func (s series) between(from, to int64) []point { return between(s.points, point.when, from, to) }

// rest returns how much of (from,to] is not maintenance.
func (s series) rest(from, to int64) int64 {
	rest, covered := to-from, from
	for _, x := range s.breaks {
		lo, hi := max(x.From.UnixNano(), covered), min(x.To.UnixNano(), to)
		if lo < hi {
			rest -= hi - lo
			covered = hi
		}
	}
	return rest
}

// ExclusionAudit is one exclusion and what happened in it, within the window.
type ExclusionAudit struct {
	Exclusion
	Minutes float64 `json:"minutes"` // of the exclusion that lie in the window
	Samples int     `json:"samples"` // left out for it
	Counts
}

// audit returns the exclusions that touch (from,to].
func (s series) audit(from, to int64) []ExclusionAudit {
	all := make([]ExclusionAudit, len(s.breaks))
	for i, x := range s.breaks {
		all[i].Exclusion = Exclusion{x.From.Round(0).UTC(), x.To.Round(0).UTC(), x.Reason}
		all[i].Minutes = max(0, time.Duration(min(to, x.To.UnixNano())-max(from, x.From.UnixNano())).Minutes())
	}
	when := func(p maskedPoint) int64 { return p.at }
	for _, p := range between(s.masked, when, from, to) {
		a := &all[p.exclusion]
		a.Samples++
		a.Good += p.Good
		a.Total += p.Total
	}
	return slices.DeleteFunc(all, func(a ExclusionAudit) bool { return a.Minutes == 0 && a.Samples == 0 })
}
