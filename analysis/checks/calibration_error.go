package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/calibration"
)

// calibrationEdges are the ends of the bins of continuous looks, which have to be
// fixed before the data.
var calibrationEdges = [...]float64{0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.97, 1}

// binnedError is the debiased squared calibration error of an arm, with bounds for
// any error on each side.
type binnedError struct {
	point  float64
	nullSE float64 // standard error if the scores were right
	bins   int
	bound  func(alpha float64) span
}

// judgeError holds the debiased squared calibration error against its limit.
func (c Calibration) judgeError(l look, s *labelledRows) analysis.Finding {
	f := c.finding(l, s, s.cand.sums, "calibration_error", "squared calibration error")
	f.Limit = stats.Float(c.Error * c.Error)
	cand, ok := s.r.binnedError(s.cand, s.repeats)
	if !ok {
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, max(1, c.MinUnits-min(c.MinUnits, f.N.Candidate))
		f.Message = "Too little for the squared calibration error: no two labelled rows are in one bin."
		return f
	}
	f.Method = fmt.Sprintf("debiased squared calibration error over %d bins of equal mass; %s", cand.bins, s.r.method())
	if s.r.anytime() || s.repeats > 1 {
		f.Method = fmt.Sprintf("debiased squared calibration error over %d fixed bins, normal mixture; %s", cand.bins, s.r.method())
	}
	f.Estimate = l.interval(cand.point, cand.bound(l.noHarm))
	f.HarmBound = stats.Float(math.Min(cand.bound(l.alpha).lo, cand.point))
	f.Outcome = verdict(&f)
	noise := float64(1.645 * cand.nullSE) // exceeded in one case of twenty, about
	f.Details = append(f.Details, detail("noise of calibrated scores", noise))
	text := fmt.Sprintf("Scores miss the observed rates by %s (root mean square over %d bins, less the noise; squared %s, %s)", points(cand.point), cand.bins, number(cand.point), between(span{f.Estimate.Lo, f.Estimate.Hi}))
	limit := fmt.Sprintf("%s; with so many rows a perfectly calibrated model would show up to %s", points(float64(f.Limit)), points(noise))
	if e, err := calibration.ECE(s.cand.data, calibration.Binning{Bins: max(1, cand.bins)}); err == nil {
		f.Details = append(f.Details, detail("ECE", e.ECE), detail("ECE of calibrated scores", e.NullECE), detail("ECE of calibrated scores, 95%", e.Null95))
		limit += fmt.Sprintf(", and a plain ECE of %s where this one shows %s", number(e.NullECE), number(e.ECE))
	}
	s.describe(&f)
	if base, ok := s.r.binnedError(s.base, s.repeats); ok && s.base.ok {
		bs, cs := base.bound(l.noHarm), cand.bound(l.noHarm)
		f.Details = append(f.Details, detail("of the "+armName(s.compared), base.point),
			interval("against the "+armName(s.compared), cand.point-base.point, moverDifference(base.point, cand.point, bs, cs)))
	}
	c.explain(&f, l, s, c.MinUnits, text, limit, points)
	return f
}

// points writes the root of a squared error of shares; noise may make it negative.
func points(squared float64) string { return quantity(math.Sqrt(math.Max(0, squared)), "pp") }

// interval is a detail with its bounds.
func interval(name string, point float64, s span) analysis.Detail {
	d := detail(name, point)
	d.Text = fmt.Sprintf("%s (%s)", number(point), between(s))
	return d
}

// describe adds what is shown and never judged.
func (s *labelledRows) describe(f *analysis.Finding) {
	if h, err := calibration.HosmerLemeshow(s.cand.data, calibration.HosmerLemeshowOptions{}); err == nil {
		d := detail("Hosmer-Lemeshow", h.ChiSq)
		d.Text = fmt.Sprintf("chi-square %s with %s degrees of freedom, p %s; for display only, since it rejects every model of many rows", number(h.ChiSq), number(h.DF), number(h.P))
		f.Details = append(f.Details, d)
	}
	if m, err := calibration.CORP(s.cand.data, calibration.Quadratic); err == nil {
		f.Details = append(f.Details, detail("MCB", m.MCB), detail("DSC", m.DSC))
	}
	if !s.base.ok {
		return
	}
	if m, err := calibration.CORP(s.base.data, calibration.Quadratic); err == nil {
		f.Details = append(f.Details, detail("MCB of the "+armName(s.compared), m.MCB))
	}
}

// binnedError computes it over fixed bins at continuous looks, and for rows of
// repeated units; else over bins of equal mass that expect 20 labels of either kind.
func (r ruler) binnedError(a calibratedArm, repeats float64) (binnedError, bool) {
	if !a.ok {
		return binnedError{}, false
	}
	if r.anytime() || repeats > 1 {
		return r.fixedBins(a.data, repeats)
	}
	expected := math.Min(a.sums.P1, float64(a.sums.N)-a.sums.P1)
	b := calibration.Binning{Bins: int(math.Max(1, math.Min(15, expected/minExpected)))}
	d, err := calibration.DebiasedError(a.data, b, 0.9)
	if err != nil {
		return binnedError{}, false
	}
	return binnedError{point: d.Squared.Point, nullSE: d.NullSE, bins: len(d.Bins), bound: func(alpha float64) span {
		if alpha >= 0.5 {
			alpha = 0.4999
		}
		v, err := calibration.DebiasedError(a.data, b, 1-2*alpha/r.looks)
		if err != nil { // an error too small to be told from 0
			return span{0, math.Inf(1)}
		}
		return span{v.Squared.Lo, v.Squared.Hi}
	}}, true
}

// fixedBins takes the sums of y - p over fixed bins for normal with independent
// errors, each with a normal mixture whose product is an e-process for all of them.
// With x_b = sum (y-p)/sqrt(v_b) and its true value t_b, all t with
//
//	sum (x_b - t_b)^2 <= (1+q)/q (2 ln(1/alpha) + k ln(1+q))
//
// hold at all looks together, k being the bins that have rows; the squared error is
// sum w_b t_b^2 with w_b = v_b/(n n_b), of which the least and the greatest value in
// that ball are the bounds.
func (r ruler) fixedBins(d calibration.Data, repeats float64) (binnedError, bool) {
	n := float64(d.N())
	var xs, ws []float64
	var out binnedError
	null, pairs := 0.0, false
	for i, hi := range calibrationEdges[1:] {
		s := d.Between(calibrationEdges[i], hi).Sums()
		if s.N == 0 {
			continue
		}
		rows, gap := float64(s.N), float64(s.Y)-s.P1
		squares := float64(s.Y) - 2*s.PY + s.P2
		v := math.Max(s.W0, squares-float64(gap*gap)/rows)
		switch {
		case v > 0:
		case gap == 0: // scores of 0 and 1 that are right
			continue
		default: // and that are all wrong
			v = squares
		}
		out.bins++
		out.point += (float64(gap*gap) - squares) / (n * rows)
		null += 2 * math.Max(0, float64(s.W0*s.W0)-(s.P2-2*s.P3+s.P4)) / (n * rows) / (n * rows)
		pairs = pairs || s.N > 1
		xs, ws = append(xs, gap/math.Sqrt(v)), append(ws, v/(n*rows))
	}
	out.nullSE = math.Sqrt(null)
	out.bound = func(alpha float64) span {
		if !(alpha > 0) || n/repeats < minNormal {
			return span{0, math.Inf(1)}
		}
		q := 2 * n / repeats / r.planned
		radius := (1 + q) / q * (float64(out.bins)*math.Log1p(q) - 2*math.Log(alpha/r.looks)) * repeats
		return squaresInBall(xs, ws, radius)
	}
	return out, pairs || out.bins == 0 && n > 1
}

// squaresInBall bounds sum w t^2 over sum (x-t)^2 <= radius, by the duals of the two
// problems: for any l above 0, or above the largest w,
//
//	sum l w x^2/(l+w) - l radius <= sum w t^2 <= sum l w x^2/(l-w) + l radius
//
// of which the tightest are the least and the greatest value themselves.
func squaresInBall(xs, ws []float64, radius float64) span {
	widest := 0.0
	for _, w := range ws {
		widest = math.Max(widest, w)
	}
	if widest == 0 {
		return span{}
	}
	least := func(at float64) float64 {
		l := widest * math.Exp(at)
		sum := -l * radius
		for i, x := range xs {
			sum += float64(ws[i] * x * x * (l / (l + ws[i])))
		}
		return sum
	}
	most := func(at float64) float64 {
		l := widest * (1 + math.Exp(at))
		sum := -l * radius
		for i, x := range xs {
			sum -= float64(ws[i] * x * x * (l / (l - ws[i])))
		}
		return sum
	}
	return span{math.Max(0, highest(least)), -highest(most)}
}

// highest is the greatest value of a function with one peak, in steps of a third.
func highest(f func(float64) float64) float64 {
	lo, hi := -30.0, 40.0 // below, l - w would be rounding
	for range 100 {
		a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
		if f(a) < f(b) {
			lo = a
		} else {
			hi = b
		}
	}
	return f((lo + hi) / 2)
}
