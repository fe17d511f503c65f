package calibration

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// CoxResult is the logistic recalibration of a model.
type CoxResult struct {
	N                             uint64
	Intercept, Slope              stats.Interval // joint estimates; 0 and 1 for a calibrated model
	InterceptSE, SlopeSE          float64
	InTheLarge                    stats.Interval // intercept when the slope is held at 1
	InTheLargeSE                  float64
	LogLikelihood, LogLikelihood0 float64 // at the estimate, and at intercept 0 and slope 1
	U                             float64 // twice their difference: chi-square with 2 degrees of freedom under the null
	P, LogP                       float64 // of U
	Method                        string
	Warnings                      []stats.Warning // binned, excluded_values, clipped, small_sample
}

// Cox estimates a and b in logit P(y=1) = a + b L by maximum likelihood, L being the
// log odds of the score. a tells of bias, b of scores that are too extreme (b < 1)
// or too timid (b > 1), b < 0 of scores that point the wrong way.
//
// The fit is Newton's method with halved steps, on the rows or the cells. U is the
// likelihood ratio against (0, 1), the unreliability test of the rms package;
// [ScoreTest] answers the same question from sums alone. Intervals are Wald's.
// L is clipped at 2^-20 from 0 and 1, with the warning "clipped"; such rows are
// not dropped. From a histogram each label of each cell counts with its mean log
// odds, which moves the estimates by about 1e-6.
//
// Fewer than 10 labels of either kind give the warning "small_sample".
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] when all log odds are
// equal or level is outside (0,1); [stats.ErrNoConvergence] when no finite estimate
// exists, because all labels are the same or a threshold on the score separates
// them, and when the iteration fails. Cost: linear in the number of cells, times
// about 10.
//
// References: Cox (1958), Two further applications of a model for binary
// regression, Biometrika 45, 562-565; Miller, Hui & Tierney (1991), Validation
// techniques for logistic regression models, Statistics in Medicine 10, 1213-1226;
// Albert & Anderson (1984), On the existence of maximum likelihood estimates in
// logistic regression models, Biometrika 71, 1-10.
func Cox(d Data, level float64) (CoxResult, error) {
	const fn = "Cox"
	if err := d.check(fn); err != nil {
		return CoxResult{}, err
	}
	if err := stats.CheckLevel(level); err != nil {
		return CoxResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	f := newLogisticFit(d)
	if err := f.exists(); err != nil {
		return CoxResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	a, b, h, err := f.newton(true)
	if err != nil {
		return CoxResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	a1, _, h1, err := f.newton(false)
	if err != nil {
		return CoxResult{}, fmt.Errorf("calibration: %s: with slope 1: %w", fn, err)
	}
	n, k := d.counts()
	det := float64(h.w0*h.w2) - float64(h.w1*h.w1)
	r := CoxResult{
		N:             uint64(n),
		InterceptSE:   math.Sqrt(h.w2 / det),
		SlopeSE:       math.Sqrt(h.w0 / det),
		InTheLargeSE:  1 / math.Sqrt(h1.w0),
		LogLikelihood: h.logL, LogLikelihood0: f.at(0, 1).logL,
		Method:   "logistic recalibration, maximum likelihood",
		Warnings: d.warnings(),
	}
	r.Slope = normalInterval(b, r.SlopeSE, level)
	r.Intercept = normalInterval(a, r.InterceptSE, level)
	r.InTheLarge = normalInterval(a1, r.InTheLargeSE, level)
	r.U = max(0, 2*(r.LogLikelihood-r.LogLikelihood0))
	if r.P, r.LogP, err = chiSquareP(r.U, 2); err != nil {
		return CoxResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	if f.clipped > 0 {
		r.Warnings = append(r.Warnings, warn(stats.WarnClipped, fmt.Sprintf("%.0f of %.0f scores are within 2^-20 of 0 or 1", f.clipped, n)))
	}
	if few := min(k, n-k); few < 10 {
		r.Warnings = append(r.Warnings, warn(stats.WarnSmallSample, fmt.Sprintf("%.0f labels of one kind", few)))
	}
	return r, nil
}

// logisticFit is the likelihood of the recalibration model.
type logisticFit struct {
	points  []logisticPoint
	clipped float64
}

// logisticPoint is n rows with one label and log odds l.
type logisticPoint struct {
	l, n     float64
	positive bool
}

func newLogisticFit(d Data) logisticFit {
	var f logisticFit
	for _, c := range d.cells {
		for _, positive := range []bool{false, true} {
			x := c.side(positive)
			if x.n == 0 {
				continue
			}
			l := clippedLogit(x.mean)
			if c.hi <= logitClip || c.lo >= 1-logitClip {
				f.clipped += x.n
			} else {
				q := x.mean * (1 - x.mean)
				l += (2*x.mean - 1) * (x.variance / q / q) / 2
			}
			f.points = append(f.points, logisticPoint{l, x.n, positive})
		}
	}
	return f
}

// exists returns an error unless the likelihood has a maximum: log odds must
// differ, and those of the two labels must overlap.
func (f logisticFit) exists() error {
	inf := math.Inf(1)
	lo, hi := [2]float64{inf, inf}, [2]float64{-inf, -inf}
	for _, p := range f.points {
		i := 0
		if p.positive {
			i = 1
		}
		lo[i], hi[i] = min(lo[i], p.l), max(hi[i], p.l)
	}
	switch {
	case lo[0] == inf || lo[1] == inf:
		return fmt.Errorf("all labels are the same: %w", stats.ErrNoConvergence)
	case min(lo[0], lo[1]) == max(hi[0], hi[1]):
		return fmt.Errorf("all scores have log odds %v: %w", lo[0], stats.ErrDomain)
	case hi[0] <= lo[1] || hi[1] <= lo[0]:
		return fmt.Errorf("a threshold on the score separates the labels: %w", stats.ErrNoConvergence)
	}
	return nil
}

// curvature is the log-likelihood at a point, with its gradient and information.
type curvature struct{ logL, u0, u1, w0, w1, w2 float64 }

func (f logisticFit) at(a, b float64) curvature {
	var logL, u0, u1, w0, w1, w2 adder
	for _, p := range f.points {
		t := a + float64(b*p.l)
		if !p.positive {
			t = -t
		}
		// t is the log odds given to what happened, and r the probability given to the rest.
		e := math.Exp(-math.Abs(t))
		r := 1 / (1 + e)
		if t > 0 {
			r = e / (1 + e)
		}
		logL.add(-p.n * (math.Log1p(e) + max(-t, 0)))
		u, w := p.n*r, p.n*(e/(1+e)/(1+e))
		if !p.positive {
			u = -u
		}
		u0.add(u)
		u1.add(u * p.l)
		w0.add(w)
		w1.add(w * p.l)
		w2.add(w * p.l * p.l)
	}
	return curvature{logL.value(), u0.value(), u1.value(), w0.value(), w1.value(), w2.value()}
}

// newton maximises the likelihood from (0, 1), over both parameters or over the
// intercept alone.
func (f logisticFit) newton(slope bool) (a, b float64, h curvature, err error) {
	b = 1
	h = f.at(a, b)
	for range 100 {
		da, db := h.u0/h.w0, 0.0
		if slope {
			det := float64(h.w0*h.w2) - float64(h.w1*h.w1)
			da = (float64(h.w2*h.u0) - float64(h.w1*h.u1)) / det
			db = (float64(h.w0*h.u1) - float64(h.w1*h.u0)) / det
		}
		length := float64(da*h.u0) + float64(db*h.u1) // of the step in standard errors, squared
		if math.IsNaN(length) || math.IsInf(length, 0) {
			break
		}
		next := f.at(a+da, b+db)
		if length < 1e-16 { // convergence is quadratic: no further step would change a digit
			return a + da, b + db, next, nil
		}
		for rounding := -1e-13 * h.logL; next.logL < h.logL-rounding; next = f.at(a+da, b+db) {
			da, db = da/2, db/2
		}
		a, b, h = a+da, b+db, next
	}
	return 0, 0, h, fmt.Errorf("iteration stopped at intercept %v and slope %v: %w", a, b, stats.ErrNoConvergence)
}
