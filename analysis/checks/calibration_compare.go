package checks

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/summary"
)

// compareRatio gives the details of O/E against the baseline: ln(O/E) of the
// candidate less that of the baseline, each arm added up with the weights of Mantel
// and Haenszel for the stages, and bounded by the standard error of the delta method.
// With c = weight over rows, O = sum c O_s and E = sum c E_s, the variance is that of
//
//	sum c (y/O - p/E)
func (s *labelledRows) compareRatio(l look) []analysis.Detail {
	name := armName(s.compared)
	out := []analysis.Detail{detail("O/E of the "+name, float64(s.base.sums.Y)/s.base.sums.P1)}
	var base, cand []calibration.Sums
	var weights []float64
	clock := 0.0
	for _, st := range s.stages {
		b, c := sumsOf(st.base), sumsOf(st.cand)
		if b.N == 0 || c.N == 0 {
			continue
		}
		w := float64(b.N) / float64(b.N+c.N) * float64(c.N)
		base, cand, weights = append(base, b), append(cand, c), append(weights, w)
		clock += 4 * w / s.repeats
	}
	lb, vb := logRatio(base, weights)
	lc, vc := logRatio(cand, weights)
	diff, se := lc-lb, math.Sqrt((vb+vc)*s.repeats)
	if math.IsNaN(diff) || math.IsInf(diff, 0) || math.IsNaN(se) {
		return out
	}
	r := s.r
	r.planned *= 2 // of both arms
	half := r.z(l.noHarm, clock, math.Max(1, clock-2)) * se
	return append(out, interval("ln O/E against the "+name, diff, span{diff - half, diff + half}))
}

func sumsOf(s *summary.Scores) calibration.Sums {
	d, err := calibration.FromScores(s)
	if err != nil {
		return calibration.Sums{}
	}
	return d.Sums()
}

// logRatio is ln(O/E) over stages and its variance.
func logRatio(stages []calibration.Sums, weights []float64) (value, variance float64) {
	o, e := 0.0, 0.0
	for i, s := range stages {
		c := weights[i] / float64(s.N)
		o += float64(c * float64(s.Y))
		e += float64(c * s.P1)
	}
	for i, s := range stages {
		c, y := weights[i]/float64(s.N), float64(s.Y)
		mean := y/o - s.P1/e
		squares := y/o/o - 2*s.PY/(o*e) + s.P2/(e*e)
		variance += float64(c * c * math.Max(0, squares-float64(mean*mean)/float64(s.N)))
	}
	return math.Log(o / e), variance
}

// defaultMCB is the limit of the difference of miscalibration as a share of the
// uncertainty of the labels, the Brier score of their mean.
const defaultMCB = 0.01

// judgeMCB holds the miscalibration of the candidate less that of the baseline
// against its limit, on rows of the same stage.
func (c Calibration) judgeMCB(l look, s *labelledRows) analysis.Finding {
	f := c.finding(l, s, s.cand.sums, "calibration_mcb", "MCB")
	limit := c.MCB
	if limit == 0 {
		share := float64(s.base.sums.Y) / float64(s.base.sums.N)
		limit = defaultMCB * share * (1 - share)
	}
	f.Compared, f.Limit = s.compared, stats.Float(limit)
	sum, point, variance := 0.0, 0.0, 0.0
	for _, st := range s.stages {
		b, errBase := calibration.FromScores(st.base)
		d, errCand := calibration.FromScores(st.cand)
		if errBase != nil || errCand != nil {
			continue
		}
		r, err := calibration.CompareMCB(d, b, calibration.ResampleOptions{Rule: calibration.Quadratic, Replicates: 200})
		if err != nil {
			continue
		}
		w := float64(r.NBaseline) / float64(r.NBaseline+r.NCandidate) * float64(r.NCandidate)
		sum += w
		point += float64(w * r.Estimate.Point)
		variance += float64(w * w * r.SE * r.SE)
		f.Method = r.Method + "; " + s.r.method()
	}
	if sum == 0 {
		f.Code, f.Outcome = "no_stage_in_common", analysis.NoData
		f.Message = "No stage has labelled scores of both arms, so that their miscalibration cannot be compared."
		return f
	}
	point, se := point/sum, math.Sqrt(variance*s.repeats)/sum
	bound := func(alpha float64) span {
		if alpha = alpha / s.r.looks; !(alpha > 0) || math.Min(s.cand.sums.P1, s.base.sums.P1) < minExpected {
			return unknown
		}
		half := -mathext.NormalQuantile(math.Min(alpha, 0.5)) * se
		return span{point - half, point + half}
	}
	both := bound(l.noHarm)
	f.Estimate = l.interval(point, both)
	f.HarmBound = stats.Float(bound(l.alpha).lo)
	f.Outcome = verdict(&f)
	worse := "higher"
	if point < 0 {
		worse = "lower"
	}
	text := fmt.Sprintf("Recalibration would save more of the candidate's Brier score than of the %s's: its miscalibration is %s %s (%s)", armName(s.compared), number(math.Abs(point)), worse, between(both))
	if point <= 0 {
		text = fmt.Sprintf("The candidate's miscalibration is %s %s than that of the %s (%s)", number(math.Abs(point)), worse, armName(s.compared), between(both))
	}
	c.explain(&f, l, s, c.MinUnits, text, number(limit), number)
	return f
}
