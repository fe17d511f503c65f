package checks

import (
	"errors"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/summary"
)

// labelledRows is what the calibration of all rows, or of a slice, is judged by.
type labelledRows struct {
	cand, base calibratedArm
	stages     []stageScores // those with both arms
	compared   analysis.BaselineKind
	r          ruler   // of one arm
	repeats    float64 // rows per unit
	compareMCB bool    // all rows, at looks that are counted
}

// stageScores are the scores of both arms in one stage.
type stageScores struct{ base, cand *summary.Scores }

// calibratedArm is one arm over all stages; ok says that it has labelled scores.
type calibratedArm struct {
	data calibration.Data
	sums calibration.Sums
	ok   bool
}

func armOf(stages []*summary.Scores) calibratedArm {
	if len(stages) == 0 {
		return calibratedArm{}
	}
	all := stages[0]
	if len(stages) > 1 {
		all = &summary.Scores{}
		for _, s := range stages {
			if err := all.Merge(s); err != nil { // stages of one spec have the same cuts
				return calibratedArm{}
			}
		}
	}
	d, err := calibration.FromScores(all)
	return calibratedArm{data: d, sums: d.Sums(), ok: err == nil}
}

// judge holds all rows, or those of a slice, against the limits.
func (c Calibration) judge(l look, s *labelledRows) []analysis.Finding {
	ratio := c.judgeRatio(l, s, s.cand.sums, c.MinUnits, "calibration_ratio", "O/E")
	if s.base.ok {
		ratio.Details = append(ratio.Details, s.compareRatio(l)...)
	}
	out := []analysis.Finding{ratio, c.judgeSlope(l, s), c.judgeError(l, s)}
	if s.compareMCB {
		out = append(out, c.judgeMCB(l, s))
	}
	return out
}

// finding begins a finding about rows with the given sums.
func (c Calibration) finding(l look, s *labelledRows, sums calibration.Sums, code, metric string) analysis.Finding {
	f := analysis.NewFinding(c.Name(), code, metric)
	f.Compared, f.Alpha = analysis.Absolute, l.alpha
	f.N = analysis.Counts{Baseline: s.base.sums.N, Candidate: sums.N}
	if s.repeats > 1 {
		warn(&f, stats.WarnRepeatedUnits, "Units repeat, so that "+number(s.repeats)+" rows count as one.")
	}
	if sums.Excluded > 0 {
		warn(&f, stats.WarnExcluded, fmt.Sprintf("%s labelled rows have no score between 0 and 1 and were left out.", count(sums.Excluded)))
	}
	return f
}

// judgeRatio holds O/E against its limit.
func (c Calibration) judgeRatio(l look, s *labelledRows, sums calibration.Sums, least uint64, code, metric string) analysis.Finding {
	f := c.finding(l, s, sums, code, metric)
	f.Limit, f.Unit = stats.Float(c.Ratio), "nats"
	o, e := float64(sums.Y), sums.P1
	f.Details = append(f.Details, detail("observed", o), detail("expected", e))
	if !(e > 0) {
		f.Code, f.Outcome, f.Local = "no_value", analysis.Invalid, true
		f.Message = fmt.Sprintf("Every score of the candidate is 0, and %s of %s labels are positive: there is no ratio of the two.", count(sums.Y), count(sums.N))
		return f
	}
	f.Method = "O/E, Clopper-Pearson given the scores; " + s.r.method()
	if s.r.anytime() || s.repeats > 1 {
		f.Method = "O/E, normal mixture of label less score; " + s.r.method()
	}
	if r, err := calibration.ObservedExpected(sums, l.level()); err == nil && !s.r.anytime() && s.repeats == 1 {
		f.P = stats.Float(r.P)
	}
	both := s.r.ratio(sums, s.repeats, l.noHarm)
	f.Details = append(f.Details, interval("O/E", o/e, both))
	strict := s.r
	strict.strict = true
	point := math.Abs(math.Log(o / e))
	f.Estimate = l.interval(point, awayFrom(logSpan(both), 0))
	f.HarmBound = stats.Float(math.Min(awayFrom(logSpan(strict.ratio(sums, s.repeats, l.alpha/2)), 0).lo, point))
	f.Outcome = verdict(&f)
	text := offBy(o/e) + fmt.Sprintf(": %s expected, %s observed (O/E %s, %s)", count(uint64(math.Round(e))), count(sums.Y), number(o/e), between(both))
	c.explain(&f, l, s, least, text, fmt.Sprintf("a factor of %s either way", number(math.Exp(c.Ratio))), func(x float64) string { return "a factor of " + number(math.Exp(x)) })
	return f
}

// between writes an interval.
func between(s span) string {
	if math.IsInf(s.hi, 1) {
		return "no known interval"
	}
	return number(s.lo) + " to " + number(s.hi)
}

// offBy says by how much scores announce too many positive labels.
func offBy(ratio float64) string {
	switch {
	case ratio == 0:
		return "Scores are too high"
	case ratio < 1:
		return fmt.Sprintf("Scores are %s too high", percent(1/ratio-1))
	case ratio > 1:
		return fmt.Sprintf("Scores are %s too low", percent(1-1/ratio))
	}
	return "Scores are right on average"
}

func logSpan(s span) span { return span{math.Log(s.lo), math.Log(s.hi)} }

// awayFrom is the interval of |x - from| for x in s.
func awayFrom(s span, from float64) span {
	lo, hi := s.lo-from, s.hi-from
	return span{math.Max(0, math.Max(lo, -hi)), math.Max(-lo, hi)}
}

// ratio bounds the number of positive labels to be expected of rows with these
// scores, over what the scores announce, with error alpha on each side.
func (r ruler) ratio(s calibration.Sums, repeats, alpha float64) span {
	none := span{0, math.Inf(1)}
	if !r.anytime() && repeats == 1 {
		v, err := calibration.ObservedExpected(s, 1-2*alpha/r.looks)
		if err != nil { // an error too small to be told from 0
			return none
		}
		return span{v.Ratio.Lo, v.Ratio.Hi}
	}
	n, gap := float64(s.N)/repeats, float64(s.Y)-s.P1
	squares := float64(s.Y) - 2*s.PY + s.P2
	seen := squares - float64(gap*gap)/float64(s.N)
	v := math.Max(seen, s.W0) * repeats
	skew := math.Abs(s.P1-3*s.P2+2*s.P3) * repeats * repeats / math.Pow(v, 1.5)
	if n < minNormal || !(v > 0) || skew > maxSkew {
		return none
	}
	half := r.skewed(r.z(alpha, n, n-1), skew) * math.Sqrt(v) / s.P1
	o := float64(s.Y) / s.P1
	return span{math.Max(0, o-half), o + half}
}

// minExpected is the number of labels of either kind, of those expected, below which
// the slope has no test.
const minExpected = 20

// judgeSlope holds the slope of the logistic recalibration against its limit.
func (c Calibration) judgeSlope(l look, s *labelledRows) analysis.Finding {
	sums := s.cand.sums
	f := c.finding(l, s, sums, "calibration_slope", "slope")
	f.Limit = stats.Float(c.Slope)
	f.Method = "score test, slope by maximum likelihood; " + s.r.method()
	step, err := calibration.ScoreTest(sums, l.level())
	if err != nil {
		f.Code = "no_variation"
		f.Message = fmt.Sprintf("The %s scores with a label hardly differ, so that they have no slope. Is the model still answering?", count(sums.N))
		return f
	}
	f.Details = append(f.Details, detail("score test", step.ChiSq), detail("slope, one step", step.Slope.Point), detail("intercept, one step", step.Intercept.Point))
	fit, err := calibration.Cox(s.cand.data, l.level())
	switch {
	case sums.Y == 0 || sums.Y == sums.N:
		f.Code, f.Outcome, f.UnitsNeeded = "one_class", analysis.Insufficient, c.MinUnits
		f.Message = fmt.Sprintf("A slope needs labels of both classes; the candidate has %s positive and %s negative ones.", count(sums.Y), count(sums.N-sums.Y))
		return f
	case errors.Is(err, stats.ErrNoConvergence):
		f.Code, f.Outcome, f.UnitsNeeded = "separated", analysis.Insufficient, max(1, c.MinUnits-min(c.MinUnits, sums.N))
		f.Message = fmt.Sprintf("A threshold separates the labels of all %s rows, so that no slope fits them.", count(sums.N))
		return f
	case err != nil:
		f.Code, f.Outcome, f.Local = "no_value", analysis.Invalid, true
		f.Message = fmt.Sprintf("The slope cannot be computed: %v.", err)
		return f
	}
	n := float64(sums.N) / s.repeats
	point, se := fit.Slope.Point, fit.SlopeSE*math.Sqrt(s.repeats)
	f.Details = append(f.Details, detail("slope", point), detail("intercept", fit.Intercept.Point))
	around := func(alpha float64) span {
		half := s.r.z(alpha, n, math.Inf(1)) * se
		if n < minNormal {
			half = math.Inf(1)
		}
		return span{point - half, point + half}
	}
	both := around(l.noHarm)
	f.Estimate = l.interval(math.Abs(point-1), awayFrom(both, 1))
	f.HarmBound = stats.Float(awayFrom(around(l.alpha/2), 1).lo)
	logP, logE := s.r.scoreTest(step.ChiSq/s.repeats, n)
	f.P, f.LogE = stats.Float(math.Exp(logP)), stats.Float(logE)
	first, last := step.Slope.Point-1, point-1
	off := first*last > 0 && math.Min(math.Abs(first), math.Abs(last)) > c.Slope
	expected := math.Min(sums.P1, float64(sums.N)-sums.P1) / s.repeats
	switch {
	case l.alpha > 0 && off && float64(f.HarmBound) > 0 && expected >= minExpected && n >= minNormal && logP <= math.Log(l.alpha/s.r.looks):
		f.Outcome = analysis.Harm
	case f.Estimate.Hi < c.Slope:
		f.Outcome = analysis.Pass
	}
	degree := "slightly too "
	if math.Abs(point-1) > c.Slope {
		degree = "too "
	}
	text := "Scores are " + degree + "extreme"
	switch {
	case point < 0:
		text = "Scores point the wrong way"
	case point > 1:
		text = "Scores are " + degree + "timid"
	}
	text += fmt.Sprintf(": the log odds of the labels move %s times as much as those of the scores (%s; intercept %s)", number(point), between(both), number(fit.Intercept.Point))
	c.explain(&f, l, s, c.MinUnits, text, number(c.Slope)+" from 1", func(x float64) string { return number(x) + " from 1" })
	if f.Outcome == analysis.Harm && !(float64(f.HarmBound) > c.Slope) { // it is not what proves the harm
		f.HarmBound = stats.Float(math.NaN())
	}
	return f
}

// scoreTest is the log p-value of the score test with 2 degrees of freedom and, at
// continuous looks, its log e-value: a mixture over normal effects with q times the
// precision of the data, which for a statistic with k degrees of freedom is
//
//	q/(1+q) ChiSq/2 - k/2 ln(1+q)
func (r ruler) scoreTest(chisq, n float64) (logP, logE float64) {
	if !r.anytime() {
		return -chisq / 2, math.NaN()
	}
	scale, err := sequential.NormalScale(r.planned, 0.05, stats.Different)
	if err != nil {
		return 0, math.NaN()
	}
	q := n / scale
	logE = float64(q/(1+q)*chisq/2) - math.Log1p(q)
	return -math.Max(0, logE), logE
}

// explain writes the message, and turns what rests on too little into Insufficient.
func (c Calibration) explain(f *analysis.Finding, l look, s *labelledRows, least uint64, text, limit string, show func(float64) string) {
	size := count(f.N.Candidate) + " labelled rows"
	n := uint64(float64(f.N.Candidate) / s.repeats)
	point, most := f.Estimate.Point, float64(f.Limit)
	switch {
	case f.Outcome == analysis.Harm && float64(f.HarmBound) > 0:
		f.Message = fmt.Sprintf("%s, surely at least %s. The limit is %s. %s.", text, show(float64(f.HarmBound)), limit, size)
	case f.Outcome == analysis.Harm:
		f.Message = fmt.Sprintf("%s, which calibrated scores would not show. The limit is %s. %s.", text, limit, size)
	case n < least:
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, least-n
		f.Message = fmt.Sprintf("Too little to judge %s: %s, and at least %s are asked for.", f.Metric, size, count(least))
	case f.Outcome == analysis.Pass:
		f.Message = fmt.Sprintf("%s, at worst %s. The limit is %s. %s.", text, show(f.Estimate.Hi), limit, size)
	case math.IsInf(f.Estimate.Hi, 1) && point <= most:
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, max(1, n) // twice as many
		f.Message = fmt.Sprintf("Too few labels of one class for an interval of %s: %s.", f.Metric, size)
	default:
		end, alpha, edge := f.Estimate.Hi, l.noHarm, most
		if point >= most {
			end, alpha = float64(f.HarmBound), l.alpha/2
		}
		f.UnitsNeeded = unitsNeeded(n, point, edge, end, alpha)
		f.Message = fmt.Sprintf("Cannot tell yet: %s. The limit is %s. %s.", lower(text), limit, size)
	}
}

// lower begins a text that was a sentence with a small letter.
func lower(text string) string {
	if len(text) == 0 || text[0] < 'A' || text[0] > 'Z' {
		return text
	}
	return string(text[0]+'a'-'A') + text[1:]
}

// judgeBand holds O/E of the rows around a cut against its limit.
func (c Calibration) judgeBand(l look, s *labelledRows, cut analysis.ActionRule) analysis.Finding {
	const code = "calibration_band"
	metric := "O/E around " + number(cut.AtLeast)
	at, err := calibration.AtCut(s.cand.data, cut.AtLeast, calibration.CutOptions{Share: c.Band, Level: l.level()})
	if err != nil {
		f := c.finding(l, s, calibration.Sums{}, code, metric)
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, c.BandUnits
		f.Message = fmt.Sprintf("No labelled score of the candidate is at or above the cut %s (%s) yet, so that nothing is known about the scores around it.", number(cut.AtLeast), cut.Name)
		return f
	}
	rows := s.cand.data.Between(at.Lo, at.Hi)
	if rows.N() != at.InBand.N { // the upper end is a score, not the end of a cell
		rows = s.cand.data.Between(at.Lo, math.Nextafter(at.Hi, 2))
	}
	one := *s
	one.base = calibratedArm{}
	one.r = s.r
	one.r.planned = 5 * float64(c.BandUnits)
	f := c.judgeRatio(l, &one, rows.Sums(), c.BandUnits, code, metric)
	f.Details = append(f.Details, detail("rows at or above the cut", float64(at.Above)), detail("from", at.Lo), detail("to", at.Hi))
	if s.base.ok {
		if b, err := calibration.AtCut(s.base.data, cut.AtLeast, calibration.CutOptions{Share: c.Band, Level: l.level()}); err == nil {
			f.Details = append(f.Details, detail("O/E of the "+armName(s.compared), b.InBand.Ratio.Point))
		}
	}
	f.Message = fmt.Sprintf("Around the cut %s (%s), scores from %s to %s, %s either way of the %s rows at or above it, rounded to cells of the histogram: %s",
		number(cut.AtLeast), cut.Name, number(at.Lo), number(at.Hi), percent(c.Band), count(at.Above), f.Message)
	return f
}
