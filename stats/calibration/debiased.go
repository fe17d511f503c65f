package calibration

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// DebiasedResult is an estimate of the mean squared calibration error over bins
// that is 0 on average for a calibrated model, whatever the sample size.
type DebiasedResult struct {
	N        uint64
	Binning  Binning
	Squared  stats.Interval // the T-Cal form; Point is signed and may lie below Lo
	Kumar    float64        // the form of Kumar, Liang & Ma, signed
	SE       float64        // standard error of Squared.Point
	NullSE   float64        // the same if the scores were right, exactly
	P        float64        // of calibration over these bins, one-sided
	LogP     float64        // its log
	Bins     []Bin
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate, expected_below_5
}

// DebiasedError estimates the squared L2 calibration error over the bins of b,
//
//	sum_b n_b/n (mean of p - P(y=1) over the bin)^2
//
// without the bias of the plug-in form, to which noise always adds. With d = p-y,
// the T-Cal form is
//
//	1/n sum_b [ (sum d)^2 - sum d^2 ] / n_b
//
// which averages 0 for calibrated scores, in every bin and at every n; bins of one
// row count 0. Kumar's form is sum_b n_b/n [ (Score-Rate)^2 - Rate (1-Rate)/(n_b-1) ],
// without the second term for bins of one row; where scores differ within a bin it
// is lower by their variance over n_b. Both are signed: do not take the root of a
// clipped value, which would bring the bias back.
//
// Under the null the T-Cal form is a quadratic form in the residuals with variance
// 2/n^2 sum_b [ (sum p(1-p))^2 - sum (p(1-p))^2 ] / n_b^2, of which NullSE is the
// root; P is from the chi-square distribution matched to its mean and variance.
// The interval is that of a non-central chi-square, matched in variance at each
// value of the parameter, for a parameter >= 0; per bin the larger of the variance
// announced by the scores and the one seen is used. The quantity is that of these
// bins: miscalibration finer than they are is not in it.
//
// Special cases: when all scores are 0 or 1, P is 1 and the interval the point 0 if
// all labels agree. P is 0 whenever a label contradicts a bin of such scores.
// Bins that expect fewer than 5 of one label give the warning "expected_below_5":
// then P and the interval are rough.
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for an impossible
// binning, level outside (0,1), or when no bin has two rows.
// Cost: linear in the number of cells.
//
// References: Kumar, Liang & Ma (2019), Verified uncertainty calibration, NeurIPS;
// Lee, Huang, Hassani & Dobriban (2023), T-Cal: an optimal test for the calibration
// of predictive models, Journal of Machine Learning Research 24.
func DebiasedError(d Data, b Binning, level float64) (DebiasedResult, error) {
	const fn = "DebiasedError"
	groups, err := d.groups(fn, b)
	if err != nil {
		return DebiasedResult{}, err
	}
	if err := stats.CheckLevel(level); err != nil {
		return DebiasedResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	n, _ := d.counts()
	r := DebiasedResult{
		N: uint64(n), Binning: b.orDefault(defaultBins), Bins: bins(groups),
		Method:   "debiased squared calibration error (T-Cal)",
		Warnings: append(d.warnings(), coarse(groups)...),
	}
	var point, kumar adder
	var null, real mixture
	pairs, refuted := false, false
	for _, g := range groups {
		refuted = refuted || g.w0 == 0 && (g.gap != 0 || g.spread > 0)
		rate, square := g.k/g.n, float64(g.gap*g.gap)
		if g.n < 2 {
			kumar.add(g.n / n * square)
			continue
		}
		pairs = true
		v := g.spread / (g.n - 1) // variance of the mean of d, without bias
		point.add((g.n - 1) / n * (square - v))
		kumar.add(g.n / n * (square - rate*(1-rate)/(g.n-1)))
		announced := math.Sqrt(max(0, float64(g.w0*g.w0)-g.w00)) / n / g.n
		null.add(announced, 0)
		real.add(max(announced, (g.n-1)/n*v), (g.n-1)/n*square)
	}
	if !pairs {
		return DebiasedResult{}, fmt.Errorf("calibration: %s: %d rows in as many bins: %w", fn, r.N, stats.ErrDomain)
	}
	t := point.value()
	r.Kumar = kumar.value()
	r.NullSE = math.Sqrt(2 * null.squares)
	if r.P, r.LogP, err = null.tail(t); err != nil {
		return DebiasedResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	if refuted {
		r.P, r.LogP = 0, math.Inf(-1)
	}
	r.SE = real.se(t)
	if r.Squared, err = real.interval(t, level); err != nil {
		return DebiasedResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	return r, nil
}

// mixture is the law of sum_b a_b (Z_b + m_b)^2 - sum a_b, with independent
// standard normal Z_b: the debiased error, with a_b the noise of a bin in it.
type mixture struct {
	sum, squares    float64 // of a_b
	signal, weights float64 // estimates of sum a_b (1 + m_b^2), and of sum a_b^2 (1 + m_b^2)
}

func (m *mixture) add(a, signal float64) {
	m.sum += a
	m.squares += float64(a * a)
	m.signal += signal
	m.weights += float64(a * signal)
}

// scale returns the mean of a_b, weighted by how much a bin contributes, which
// times 4 is how fast the variance of the mixture grows with its mean; and the
// degrees of freedom of the chi-square that, on this scale, has its variance when
// all m_b are 0. A signal in quiet bins does not bring a below its value without
// signal, so df is at most the number of bins.
func (m *mixture) scale() (a, df float64) {
	a = m.squares / m.sum
	if m.weights > a*m.signal {
		a = m.weights / m.signal
	}
	return a, m.squares / a / a
}

// tail returns the probability, and its log, that a mixture without signal exceeds
// t, from the chi-square with the same mean and variance.
func (m *mixture) tail(t float64) (p, logP float64, err error) {
	if m.sum == 0 {
		return 1, 0, nil
	}
	a, df := m.scale()
	return chiSquareP(t/a+df, df)
}

// se is the standard deviation of the mixture when its mean is t.
func (m *mixture) se(t float64) float64 {
	if m.sum == 0 {
		return 0
	}
	a, _ := m.scale()
	return math.Sqrt(2*m.squares + 4*a*max(t, 0))
}

// interval is the equal-tailed interval of the mean of the mixture, which is >= 0.
func (m *mixture) interval(t, level float64) (stats.Interval, error) {
	if m.sum == 0 {
		return stats.Interval{Point: t, Lo: max(0, t), Hi: max(0, t), Level: level}, nil
	}
	a, df := m.scale()
	v, err := stats.NonCentralityInterval(max(0, t/a+df), df, level)
	return stats.Interval{Point: t, Lo: a * v.Lo, Hi: a * v.Hi, Level: level}, err
}
