package leadtime

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// WarnMixedTracks is the warning code of a [StageReport] over several tracks.
const WarnMixedTracks = "mixed_tracks"

// StageSummary is what a stage took over many flights; times are sums, in hours.
// See [StageTime] for what they mean.
type StageSummary struct {
	Stage     string   `json:"stage"`
	Exclusive float64  `json:"exclusive"`
	Wait      float64  `json:"wait"`
	Retry     float64  `json:"retry"`
	Raw       float64  `json:"raw"`
	Failed    float64  `json:"failed"`
	Attempts  int      `json:"attempts"`
	Failures  int      `json:"failures"`
	Flights   int      `json:"flights"` // in which it ran
	Retried   int      `json:"retried"` // of them with more than one attempt
	Longest   int      `json:"longest"` // of them in which it took the most time
	Share     float64  `json:"share"`   // (Exclusive + Wait + Retry) / Total of the report
	Mean      float64  `json:"mean"`    // the same sum a flight, over all flights: means add up, medians do not
	P50       Quantile `json:"p50"`     // of its time where it ran
	P90       Quantile `json:"p90"`
}

// StageReport says where the lead time of many flights went, in hours. Total is
// Unattributed and the Exclusive, Wait and Retry of every stage. The sums are
// kept in nanoseconds and rounded once.
type StageReport struct {
	Flights      int            `json:"flights"` // served; the others are left out
	Total        float64        `json:"total"`
	Stages       []StageSummary `json:"stages"` // in stage order
	Unattributed float64        `json:"unattributed"`
	// Coverage is the share of Total in which a stage ran; 0 when Total is 0.
	Coverage float64 `json:"coverage"`
	// Bottleneck is the stage with the largest Share, or "" without stages.
	Bottleneck      string          `json:"bottleneck"`
	BottleneckShare float64         `json:"bottleneck_share"`
	Unstaged        int             `json:"unstaged"` // flights in which no stage ran
	Sharing         Sharing         `json:"sharing"`
	Warnings        []stats.Warning `json:"warnings,omitempty"`
}

// Breakdown divides the lead time of the served flights among stages, with the
// rules of [Attribute], and adds it up.
//
// The bottleneck is the stage that owns the largest part of all the time, its
// queue and retries included; Longest counts the flights in which a stage came
// first, which a single slow release does not change. Quantiles are over the
// flights in which the stage ran: a missing stage is not one that took no time.
//
// Give it the flights of one group. Over several tracks the result carries the
// warning "mixed_tracks".
//
// Special cases are: no served flight gives a report with Flights 0 and no
// stages; a total of 0 gives shares of 0.
//
// Errors: [stats.ErrDomain] for options out of range. Cost: that of [Attribute]
// for each flight, and sorting.
func Breakdown(flights []Flight, o BreakdownOptions) (StageReport, error) {
	const name = "leadtime: Breakdown"
	if o.Sharing != EqualSplit && o.Sharing != Priority {
		return StageReport{}, fmt.Errorf("%s: %v: %w", name, o.Sharing, stats.ErrDomain)
	}
	est := estimateOptions{level: orLevel(o.Level), typ: cmp.Or(o.Type, stats.Type7)}
	if err := stats.CheckLevel(est.level); err != nil {
		return StageReport{}, fmt.Errorf("%s: %w", name, err)
	}
	if est.typ < stats.Type1 || est.typ > stats.Type9 {
		return StageReport{}, fmt.Errorf("%s: quantile type %d: %w", name, est.typ, stats.ErrDomain)
	}
	r := StageReport{Sharing: o.Sharing}
	var s sweep
	var total, unattributed, covered tally
	stages := map[string]*stageTally{}
	tracks := map[Track]bool{}
	for i := range flights {
		if flights[i].State != Served {
			continue
		}
		a := s.attribute(&flights[i], o)
		tracks[flights[i].Track] = true
		r.Flights++
		total.add(a.Total)
		unattributed.add(a.Unattributed)
		if len(a.Stages) == 0 {
			r.Unstaged++
		}
		longest := a.Longest()
		for _, t := range a.Stages {
			covered.add(t.Exclusive)
			q := stages[t.Stage]
			if q == nil {
				q = &stageTally{}
				q.Stage = t.Stage
				stages[t.Stage] = q
			}
			q.add(t, t.Stage == longest)
		}
	}
	r.Total, r.Unattributed = total.hours(), unattributed.hours()
	if r.Total > 0 {
		r.Coverage = covered.hours() / r.Total
	}
	for _, stage := range slices.SortedFunc(maps.Keys(stages), func(x, y string) int { return compareStages(o.Order, x, y) }) {
		q, err := stages[stage].summary(r, est)
		if err != nil {
			return StageReport{}, fmt.Errorf("%s: stage %s: %w", name, stage, err)
		}
		if r.Bottleneck == "" || q.Share > r.BottleneckShare {
			r.Bottleneck, r.BottleneckShare = q.Stage, q.Share
		}
		r.Stages = append(r.Stages, q)
	}
	if len(tracks) > 1 {
		r.Warnings = append(r.Warnings, stats.Warning{Code: WarnMixedTracks,
			Message: fmt.Sprintf("flights of %d tracks are added up: a fast track skips stages that the standard one waits for", len(tracks))})
	}
	return r, nil
}

// stageTally is a summary in the making.
type stageTally struct {
	StageSummary
	exclusive, wait, retry, raw, failed, all tally
	each                                     []float64 // hours where it ran
}

func (q *stageTally) add(t StageTime, longest bool) {
	q.exclusive.add(t.Exclusive)
	q.wait.add(t.Wait)
	q.retry.add(t.Retry)
	q.raw.add(t.Raw)
	q.failed.add(t.Failed)
	q.all.add(t.Total())
	q.each = append(q.each, t.Total().Hours())
	q.Attempts += t.Attempts
	q.Failures += t.Failures
	q.Flights++
	if t.Attempts > 1 {
		q.Retried++
	}
	if longest {
		q.Longest++
	}
}

func (q *stageTally) summary(r StageReport, o estimateOptions) (StageSummary, error) {
	out := q.StageSummary
	out.Exclusive, out.Wait, out.Retry = q.exclusive.hours(), q.wait.hours(), q.retry.hours()
	out.Raw, out.Failed = q.raw.hours(), q.failed.hours()
	out.Mean = q.all.hours() / float64(r.Flights)
	if r.Total > 0 {
		out.Share = q.all.hours() / r.Total
	}
	var err error
	if out.P50, err = plainQuantile(q.each, 0.5, o); err != nil {
		return out, err
	}
	out.P90, err = plainQuantile(q.each, 0.9, o)
	return out, err
}

// tally is an exact sum of durations; a Duration holds no more than 292 years of
// them.
type tally struct{ seconds, nanos int64 }

func (t *tally) add(d time.Duration) {
	t.nanos += int64(d % time.Second)
	t.seconds += int64(d/time.Second) + t.nanos/int64(time.Second)
	t.nanos %= int64(time.Second)
}

func (t tally) hours() float64 {
	return float64(t.seconds)/3600 + float64(t.nanos)/float64(time.Hour)
}
