package drift

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Outcome is what a signal of [Collapse] says. The zero value is Inconclusive.
type Outcome int8

// The outcomes. Inconclusive means that the samples are too small to tell, or
// the reference gives nothing to compare with; it is not OK.
const (
	Inconclusive Outcome = iota
	OK
	Warn
	Fail
)

var outcomeNames = [...]string{"inconclusive", "ok", "warn", "fail"}

// String returns "inconclusive", "ok", "warn" or "fail".
func (o Outcome) String() string {
	if o >= 0 && int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "Outcome(" + strconv.Itoa(int(o)) + ")"
}

// MarshalText implements [encoding.TextMarshaler].
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; an unknown word is an
// error that wraps [stats.ErrDomain].
func (o *Outcome) UnmarshalText(b []byte) error {
	for i, name := range outcomeNames {
		if name == string(b) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("drift: Outcome: unknown word %q: %w", b, stats.ErrDomain)
}

// CollapseOptions sets the limits of [Collapse]: how much change is material. A
// zero field takes the default, which is a judgement to start from, not a
// published value: tune it on replayed data. The signal says which it was.
type CollapseOptions struct {
	Level float64 // of the intervals, in (0,1); 0 means 0.90

	Spike        float64 // increase of the share of one value; 0 means 0.10
	Repetition   float64 // factor on the collision probability; 0 means 3
	Collision    float64 // collision probability below which repetition is not looked at; 0 means 0.02
	VarianceWarn float64 // factor on the variance, either way, above 1; 0 means 2
	VarianceFail float64 // likewise; 0 means 4
	Saturation   float64 // increase of the share at the ends of the range; 0 means 0.05
	Edge         float64 // what counts as an end, as a fraction of the range; 0 means 0.001
	Spread       float64 // interquartile range over that of the reference; 0 means 1/3
	Entropy      float64 // drop of the normalised entropy; 0 means 0.2
	Missing      float64 // increase of the share of null and NaN; 0 means 0.001
	Garbage      float64 // increase of infinite and out-of-range values where the reference has some; 0 means 0.001

	// Range is where scores may lie. When both are 0 it is [0,1] for a histogram
	// of the Probability layout; without it, saturation and out-of-range are not
	// looked at for other layouts.
	RangeLo, RangeHi float64
}

// minCollapseRows is the number of values below which a sample is not judged.
const minCollapseRows = 30

// minEntropyRows is the number of values below which entropy is only shown: its
// bias correction is not good enough (20% of false alarms at 50 values, 9% at
// 300, 6.6% at 1000).
const minEntropyRows = 1000

// Signal is one line of a [CollapseReport].
type Signal struct {
	Name        string
	Ref, Cur    float64        // the statistic on either side; 0 when it cannot be computed
	Effect      stats.Interval // what is compared with the limits; zero when it cannot be computed
	Warn, Fail  float64        // limits of Effect; equal when there is one
	LimitSource string         // "default" or "option"
	Where       string         // the cell, for the signals that have one
	Noise       string         // the noise model of Effect
	Outcome     Outcome
	DisplayOnly bool   // shown, but not part of the report's outcome
	Note        string // what else there is to know, such as why there is no Effect
	RefN, CurN  uint64 // rows that the statistic is about
}

// CollapseReport is the answer of [Collapse].
type CollapseReport struct {
	Outcome    Outcome // the worst of the signals: fail, warn, inconclusive, ok
	Signals    []Signal
	RefN, CurN uint64 // rows on either side
	Method     string
}

// limit is a setting with where it came from.
type limit struct {
	value  float64
	source string
}

func pick(set, def float64) limit {
	if set == 0 {
		return limit{def, "default"}
	}
	return limit{set, "option"}
}

// Validate lists every setting outside its range; each error wraps
// [stats.ErrDomain].
func (o CollapseOptions) Validate() error {
	var errs []error
	check := func(what string, v, lo, hi float64) {
		if v != 0 && !(v > lo && v < hi) {
			errs = append(errs, fmt.Errorf("%s %v is not between %v and %v: %w", what, v, lo, hi, stats.ErrDomain))
		}
	}
	inf := math.Inf(1)
	check("Level", o.Level, 0, 1)
	check("Spike", o.Spike, 0, 1)
	check("Repetition", o.Repetition, 1, inf)
	check("Collision", o.Collision, 0, 1)
	check("VarianceWarn", o.VarianceWarn, 1, inf)
	check("VarianceFail", o.VarianceFail, 1, inf)
	check("Saturation", o.Saturation, 0, 1)
	check("Edge", o.Edge, 0, 0.5)
	check("Spread", o.Spread, 0, 1)
	check("Entropy", o.Entropy, 0, 1)
	check("Missing", o.Missing, 0, 1)
	check("Garbage", o.Garbage, 0, 1)
	if o.RangeLo > o.RangeHi || math.IsNaN(o.RangeLo+o.RangeHi) || math.IsInf(o.RangeHi-o.RangeLo, 0) {
		errs = append(errs, fmt.Errorf("range [%v, %v]: %w", o.RangeLo, o.RangeHi, stats.ErrDomain))
	}
	if warn, fail := pick(o.VarianceWarn, 2), pick(o.VarianceFail, 4); warn.value > fail.value {
		errs = append(errs, fmt.Errorf("VarianceWarn %v above VarianceFail %v: %w", warn.value, fail.value, stats.ErrDomain))
	}
	return errors.Join(errs...)
}

// Collapse looks for scores that have lost, or blown up, their spread, each time
// against the reference and with the sample sizes taken into account:
//
//	constant      one value only, where the reference varies
//	spike         largest increase of the share of one cell of the layout
//	repetition    probability that two rows have the same score (cell), as a ratio
//	variance      ratio of the variances, shrunk or blown up
//	spread        ratio of the interquartile ranges (of the 1-99% ranges where that is 0)
//	saturation    increase of the share at the ends of the range
//	entropy       drop of the normalised entropy over 64 reference-quantile cells
//	missing       increase of the share of null and NaN
//	infinite      infinite values
//	out_of_range  values outside the range
//
// A signal fails when the near end of its interval is past the limit Fail, warns
// when it is past Warn, is OK when the far end is short of Fail, and is
// inconclusive otherwise, or with fewer than 30 values on either side. Four
// signals follow facts as well: a current sample that is constant fails if chance
// would do that less than once in a thousand, and less than the error of an end of
// the interval, given the reference; infinite or
// out-of-range values fail if there is one where the reference has none; and
// missing, infinite and out_of_range are OK when the current sample has none.
//
// Noise: Newcombe's interval of a difference of shares, for spike over all cells
// at once (Bonferroni); the normal approximation with the variance of a
// U-statistic for collisions, of log variance (from the larger kurtosis k of the two
// samples; inconclusive below 10 (k-1) values) and of entropy;
// binomial bounds of the quartiles. Entropy is corrected for bias after Miller
// and Madow and only shown below 1000 values. How often values are distinct is
// not a signal: it falls with the sample size where nothing changed, while the
// collision probability does not move.
//
// Decisions and class mix are compared by their rates, elsewhere.
//
// Errors: [stats.ErrMismatch] when the layouts differ, [stats.ErrEmpty] when a
// side has no rows, [stats.ErrDomain] for options out of range. Frozen edges keep
// no sums: variance is then inconclusive. Cost: linear in the populated cells,
// with one Newcombe interval each.
//
// References: Miller (1955), in Information Theory in Psychology. Hoeffding
// (1948), Annals of Mathematical Statistics 19. Newcombe (1998), Statistics in
// Medicine 17.
func Collapse(ref, cur *summary.Histogram, o CollapseOptions) (CollapseReport, error) {
	const fn = "Collapse"
	if err := o.Validate(); err != nil {
		return CollapseReport{}, fmt.Errorf("drift: %s: options: %w", fn, err)
	}
	if err := sameLayout(fn, ref, cur); err != nil {
		return CollapseReport{}, err
	}
	if ref.Total() == 0 || cur.Total() == 0 {
		return CollapseReport{}, fmt.Errorf("drift: %s: %d and %d rows: %w", fn, ref.Total(), cur.Total(), stats.ErrEmpty)
	}
	o.Level = cmp.Or(o.Level, DefaultLevel)
	if o.RangeLo == o.RangeHi && layoutKind(ref, cur) == summary.Probability {
		o.RangeLo, o.RangeHi = 0, 1
	}
	k := &collapse{ref: ref, cur: cur, o: o, fine: align(ref.Cells(), cur.Cells())}
	steps := []func() error{k.constant, k.spike, k.repetition, k.variance, k.spread, k.saturation, k.entropy, k.garbage}
	for _, step := range steps {
		if err := step(); err != nil {
			return CollapseReport{}, fmt.Errorf("drift: %s: %w", fn, err)
		}
	}
	r := CollapseReport{
		Outcome: OK, Signals: k.signals, RefN: ref.Total(), CurN: cur.Total(),
		Method: fmt.Sprintf("collapse signals at level %v; cells of layout %s", o.Level, layoutID(ref, cur)),
	}
	for _, s := range r.Signals {
		if !s.DisplayOnly && severity(s.Outcome) > severity(r.Outcome) {
			r.Outcome = s.Outcome
		}
	}
	return r, nil
}

// severity orders outcomes from OK to Fail.
func severity(o Outcome) int {
	switch o {
	case Inconclusive:
		return 1
	case Warn:
		return 2
	case Fail:
		return 3
	case OK:
	}
	return 0
}

func layoutKind(ref, cur *summary.Histogram) summary.Kind {
	if k := ref.Layout().Kind(); k != summary.Unset {
		return k
	}
	return cur.Layout().Kind()
}

// collapse holds what the signals share.
type collapse struct {
	ref, cur *summary.Histogram
	o        CollapseOptions
	fine     []fineCell
	signals  []Signal
}

// few reports whether a side has too few finite values to be judged.
func (k *collapse) few() bool { return min(k.ref.N(), k.cur.N()) < minCollapseRows }

// signal starts a signal with one limit.
func (k *collapse) signal(name string, l limit) Signal {
	return Signal{Name: name, Warn: l.value, Fail: l.value, LimitSource: l.source, RefN: k.ref.N(), CurN: k.cur.N()}
}

// add judges s, unless a note already explains its outcome, and keeps it.
func (k *collapse) add(s Signal) {
	switch {
	case s.Note != "":
	case min(s.RefN, s.CurN) < minCollapseRows:
		s.Note = fmt.Sprintf("fewer than %d values on a side", minCollapseRows)
	case s.Effect.IsZero():
	default:
		s.Outcome = judge(s.Effect.Lo, s.Effect.Hi, s.Warn, s.Fail)
	}
	k.signals = append(k.signals, s)
}

// judge compares an interval, in which more is worse, with its limits.
func judge(lo, hi, warn, fail float64) Outcome {
	switch {
	case lo > fail:
		return Fail
	case lo > warn:
		return Warn
	case hi < fail:
		return OK
	}
	return Inconclusive
}
