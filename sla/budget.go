package sla

import (
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Warning codes of this package.
const (
	WarnFractional   = "fractional_counts" // the interval is for the nearest whole numbers
	WarnShortHistory = "short_history"     // the samples cover less than nine tenths of the window
	WarnMissing      = "missing_slices"    // slices without samples
	WarnDependent    = "dependent_slices"  // slices are taken as independent, and seldom are
	WarnClamped      = "factor_clamped"    // an alert that could never fire was given a lower factor
	WarnBeyond       = "beyond_expected"   // more events than ExpectedTotal
)

// Outside counts samples that are in order but not in the window.
type Outside struct {
	Before  int `json:"before"`  // at its start or earlier
	Waiting int `json:"waiting"` // after what is judged: not mature, or in a slice that has not ended
	Future  int `json:"future"`  // after the moment of judgement
}

// BudgetStatus is an error budget at a moment.
//
// Good, Bad and Total are in Unit, events or slices; with RatioTimeslices Bad is the
// sum of the bad shares. Consumed is the share of the whole window's budget that is
// spent, 1 being all of it. For a rolling window ToDate and Projected are the same.
// For a calendar period Consumed is of the budget that the whole period will have,
// ToDate of the budget that has been earned so far, and Projected is what Consumed
// will be at the end if the rest goes as it has gone so far.
type BudgetStatus struct {
	Objective string    `json:"objective"`
	Method    Method    `json:"method"`
	Window    string    `json:"window"`
	AsOf      time.Time `json:"as_of"`
	From      time.Time `json:"from"` // what is judged starts after it
	To        time.Time `json:"to"`   // and ends with it
	End       time.Time `json:"end"`  // of the calendar period; To for a rolling window

	State  State          `json:"state"`
	Met    bool           `json:"met"`    // the level is at Target or above
	Target float64        `json:"target"` // promised share of good
	Budget float64        `json:"budget"` // 1 - Target
	SLI    stats.Interval `json:"sli"`    // the level; zero without data
	SLIBy  string         `json:"sli_by"` // the interval's method

	Unit       string      `json:"unit"`
	Good       float64     `json:"good"`
	Bad        float64     `json:"bad"`
	Total      float64     `json:"total"`
	AllowedBad float64     `json:"allowed_bad"` // in the whole window
	Consumed   stats.Float `json:"consumed"`
	Remaining  stats.Float `json:"remaining"` // 1 - Consumed, below 0 when overspent
	Clamped    float64     `json:"clamped"`   // Remaining within [0,1]; 0 without data
	ToDate     stats.Float `json:"to_date"`
	Projected  stats.Float `json:"projected"`

	// The budget as time: the whole window's, less maintenance, were every minute alike.
	AllowedMinutes float64     `json:"allowed_minutes"`
	SpentMinutes   stats.Float `json:"spent_minutes"`
	LeftMinutes    stats.Float `json:"left_minutes"`

	Events      Counts           `json:"events"`  // in the window, whatever Unit is
	Samples     int              `json:"samples"` // in the window
	Slices      SliceCounts      `json:"slices"`
	Outside     Outside          `json:"outside"`
	Maintenance []ExclusionAudit `json:"maintenance,omitempty"`
	Excluded    []Excluded       `json:"excluded,omitempty"` // samples that cannot be right, of all given
	Warnings    []stats.Warning  `json:"warnings,omitempty"`
}

// Budget returns how much of its error budget an objective has spent at a moment.
//
// With bad and N in the unit of the method, allowed = B N over the whole window and
// consumed = bad/allowed. Sums come first and the ratio last: traffic weighs. A
// rolling window has the N that it has seen. A calendar period knows its slices in
// advance; its events are ExpectedTotal, or those so far carried on at their pace.
// Maintenance is in neither.
//
// State is Exhausted when Remaining is 0 or below; AtRisk when it is at most AtRisk
// or when Projected is above 1; NoData without events.
//
// Special cases: target 1 has no budget, so that one bad event gives consumed +Inf;
// without data Consumed and what follows from it are NaN.
// Errors: [stats.ErrDomain] for an objective that is not valid or a moment outside the
// years 1700 to 2200. Bad samples are no error; see Excluded.
// Cost: linear in the samples if they are in order of time, a sort otherwise, and
// linear in the slices; 32 bytes a sample.
//
// References: OpenSLO v1, budgetingMethod; The Site Reliability Workbook, chapter 2.
func Budget(o Objective, samples []Sample, asOf time.Time) (BudgetStatus, error) {
	if err := o.Validate(); err != nil {
		return BudgetStatus{}, err
	}
	return o.budget(newSeries(samples, o.Exclude), asOf)
}

func (o Objective) budget(s series, asOf time.Time) (BudgetStatus, error) {
	if !inRange(asOf) {
		return BudgetStatus{}, fmt.Errorf("sla: Budget: %q as of %s: %w", o.Name, asOf, stats.ErrDomain)
	}
	x, err := o.period(asOf)
	if err != nil {
		return BudgetStatus{}, err
	}
	t := o.tally(s, x)
	b := BudgetStatus{
		Objective: o.Name, Method: o.Method, Window: o.Window.String(),
		AsOf: asOf.Round(0).UTC(), From: moment(x.from), To: moment(x.to), End: moment(x.end),
		Target: o.Target, Budget: errorBudget(o.Target),
		Unit: o.unit(), Good: max(0, t.total-t.bad), Bad: t.bad, Total: t.total,
		Events: t.events, Samples: t.samples, Slices: t.slices,
		Outside:     s.outside(x, asOf.UnixNano()),
		Maintenance: s.audit(x.from, x.to), Excluded: s.excluded,
	}
	whole := float64(s.rest(x.from, x.end))
	b.AllowedMinutes = float64(b.Budget * time.Duration(whole).Minutes())
	if t.noData || len(s.points) == 0 {
		nan := stats.Float(math.NaN())
		b.Consumed, b.Remaining, b.ToDate, b.Projected, b.SpentMinutes, b.LeftMinutes = nan, nan, nan, nan, nan, nan
		b.warn(o, s, x)
		return b, nil
	}
	if err := b.level(o, t); err != nil {
		return BudgetStatus{}, err
	}
	n := o.wholeTotal(s, x, t)
	b.AllowedBad = float64(b.Budget * n)
	b.Consumed = share(t.bad, b.AllowedBad)
	b.Remaining = 1 - b.Consumed
	b.Clamped = min(1, max(0, float64(b.Remaining)))
	b.ToDate = share(t.bad, float64(b.Budget*t.total))
	b.Projected = share(t.bad+float64(t.errorRate()*(n-t.total)), b.AllowedBad)
	if n == t.total {
		b.Projected = b.Consumed
	}
	b.SpentMinutes = stats.Float(float64(t.bad / n * time.Duration(whole).Minutes()))
	b.LeftMinutes = stats.Float(b.AllowedMinutes) - b.SpentMinutes
	b.Met = t.bad <= float64(b.Budget*t.total)
	switch {
	case b.Remaining <= 0 && (b.Budget > 0 || t.bad > 0):
		b.State = Exhausted
	case float64(b.Remaining) <= o.atRisk() || b.Projected > 1:
		b.State = AtRisk
	default:
		b.State = OK
	}
	b.warn(o, s, x)
	return b, nil
}

// share is bad of allowed, for a budget that may be 0.
func share(bad, allowed float64) stats.Float {
	if bad == 0 {
		return 0
	}
	return stats.Float(bad / allowed)
}

func moment(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// wholeTotal is the events or slices of the whole window.
func (o Objective) wholeTotal(s series, x extent, t tally) float64 {
	switch {
	case o.Window.Unit == 0:
		return t.total
	case o.Method == Occurrences && o.ExpectedTotal > 0:
		return max(t.total, o.ExpectedTotal)
	case o.Method == Occurrences:
		seen := s.rest(x.from, x.to)
		return t.total * max(1, float64(s.rest(x.from, x.end))/max(1, float64(seen)))
	}
	ahead := (s.rest(x.to, x.end) + int64(o.Slice) - 1) / int64(o.Slice)
	return max(t.total, float64(t.slices.Elapsed-t.slices.Excluded)+float64(ahead))
}

// level fills in the SLI with its interval.
func (b *BudgetStatus) level(o Objective, t tally) error {
	sli := 1 - t.errorRate()
	if o.Method == Occurrences {
		sli = t.events.Good / t.events.Total
	}
	b.SLI = stats.Interval{Point: sli, Lo: 0, Hi: 1, Level: o.level()}
	if o.Method == RatioTimeslices {
		return b.meanRatio(o, t)
	}
	x, n := math.Round(b.Good), math.Round(b.Total)
	if o.Method == Occurrences {
		x = math.Round(t.events.Good)
		if x != t.events.Good || n != b.Total {
			b.addWarning(WarnFractional, "the interval is that of %.0f of %.0f, the nearest whole numbers", x, n)
		}
	} else {
		b.addWarning(WarnDependent, "the interval takes %.0f slices as independent", n)
	}
	b.SLIBy = o.Interval.String()
	if n == 0 {
		return nil
	}
	v, err := o.Interval.interval(uint64(x), uint64(n), o.level())
	if err != nil {
		return fmt.Errorf("sla: Budget: %q: %w", o.Name, err)
	}
	b.SLI.Lo, b.SLI.Hi = min(v.Lo, sli), max(v.Hi, sli)
	return nil
}

// meanRatio gives the mean of the ratios its t interval.
func (b *BudgetStatus) meanRatio(o Objective, t tally) error {
	b.SLIBy = "student_t"
	b.addWarning(WarnDependent, "the interval takes %d slices as independent", len(t.ratios))
	if len(t.ratios) < 2 {
		return nil
	}
	r, err := stats.PairedT(t.ratios, make([]float64, len(t.ratios)), stats.TOptions{Level: o.level()})
	if err != nil {
		return fmt.Errorf("sla: Budget: %q: %w", o.Name, err)
	}
	if r.SE == 0 {
		b.addWarning(stats.WarnDegenerate, "all %d slices are alike, which says nothing about how they vary", len(t.ratios))
		return nil
	}
	b.SLI.Lo, b.SLI.Hi = max(0, r.Difference.Lo), min(1, r.Difference.Hi)
	return nil
}

func (b *BudgetStatus) addWarning(code, format string, args ...any) {
	b.Warnings = append(b.Warnings, stats.Warning{Code: code, Message: fmt.Sprintf(format, args...)})
}

// warn adds what the reader of the numbers has to know about the samples.
func (b *BudgetStatus) warn(o Objective, s series, x extent) {
	if n := len(s.excluded); n > 0 {
		b.addWarning(stats.WarnExcluded, "%d samples were left out, the first one: %s", n, s.excluded[0])
	}
	if n := b.Slices.Missing; n > 0 {
		b.addWarning(WarnMissing, "%d of %d slices have no samples and count as: %s", n, b.Slices.Elapsed, o.Missing)
	}
	if o.ExpectedTotal > 0 && b.Events.Total > o.ExpectedTotal {
		b.addWarning(WarnBeyond, "%v events, of %v expected in the whole period", b.Events.Total, o.ExpectedTotal)
	}
	points := s.between(x.from, x.to)
	if len(points) == 0 {
		return
	}
	if late := points[0].at - x.from; float64(late) > 0.1*float64(x.to-x.from) {
		b.addWarning(WarnShortHistory, "the first sample of the window is %s after its start", time.Duration(late).Round(time.Second))
	}
}

// outside counts the samples that are not in the window.
func (s series) outside(x extent, asOf int64) Outside {
	var n Outside
	tell := func(at int64) {
		switch {
		case at <= x.from:
			n.Before++
		case at > asOf:
			n.Future++
		case at > x.to:
			n.Waiting++
		}
	}
	for _, p := range s.points {
		tell(p.at)
	}
	for _, p := range s.masked {
		tell(p.at)
	}
	return n
}
