package calibration

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/rampguard/rampguard/stats"
)

// BinnedResult holds the plug-in calibration errors of one binning, with what a
// perfectly calibrated model with the same scores would show.
type BinnedResult struct {
	N        uint64
	Binning  Binning
	ECE      float64 // mean over rows of |Score - Rate| of the bin
	RMS      float64 // root of the mean over rows of its square
	MCE      float64 // its maximum over bins
	ACE      float64 // its mean over bins
	NullECE  float64 // mean of ECE if the scores were right
	Null95   float64 // 95% quantile of ECE if the scores were right
	Bins     []Bin
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate, expected_below_5
}

// ECE computes the expected calibration error over the bins of b, with its
// relatives: RMS (the L2 form), MCE (maximum) and ACE (mean over bins, whatever
// their size; adaptive calibration error when bins have equal mass).
//
//	ECE = sum_b n_b/n |Score_b - Rate_b|
//
// All are biased upwards, because noise does not cancel in absolute values: a
// threshold on a plain ECE is a threshold on the sample size. NullECE says how
// much of the ECE noise alone explains, and Null95 what it exceeds in one case of
// twenty. For a signed error without bias see [DebiasedError]; within a bin,
// errors of opposite sign cancel, so ECE depends on the bins and can hide
// miscalibration finer than they are.
//
// NullECE takes |Score-Rate| of a bin as the mean absolute deviation of a binomial
// with the bin's mean score (de Moivre's formula; normal for a variance above
// 10^4), scaled by the root of the ratio of sum p(1-p) to the binomial variance. It
// is exact for bins of one score, and within 1% in the tests for bins of mixed
// scores. Null95 is the quantile of the gamma distribution with the same mean and
// variance; when fewer than 0.05 labels are expected to go against the odds of their
// bin, it is the ECE without any.
//
// Bins that expect fewer than 5 of one label give the warning "expected_below_5".
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for an impossible binning.
// Cost: linear in the number of cells.
//
// References: Naeini, Cooper & Hauskrecht (2015), Obtaining well calibrated
// probabilities using Bayesian binning, AAAI; Nixon et al. (2019), Measuring
// calibration in deep learning, CVPR Workshops; Diaconis & Zabell (1991), Closed
// form summation for classical distributions, Statistical Science 6, 284-302.
func ECE(d Data, b Binning) (BinnedResult, error) {
	const fn = "ECE"
	groups, err := d.groups(fn, b)
	if err != nil {
		return BinnedResult{}, err
	}
	r, err := binnedResult(d, b.orDefault(defaultBins), groups)
	if err != nil {
		return BinnedResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	r.Method = "binned calibration error"
	return r, nil
}

func binnedResult(d Data, b Binning, groups []group) (BinnedResult, error) {
	n, _ := d.counts()
	r := BinnedResult{N: uint64(n), Binning: b, Bins: bins(groups), Warnings: append(d.warnings(), coarse(groups)...)}
	var ece, squares, ace, null, nullVar, unlikely adder
	for _, g := range groups {
		w, gap := g.n/n, math.Abs(g.gap)
		ece.add(w * gap)
		squares.add(w * gap * gap)
		ace.add(gap / float64(len(groups)))
		r.MCE = max(r.MCE, gap)
		mad := g.deviation()
		null.add(mad / n)
		nullVar.add(max(0, g.w0-float64(mad*mad)) / n / n)
		unlikely.add(min(g.score, 1-g.score) * g.n)
	}
	r.ECE, r.RMS, r.ACE = ece.value(), math.Sqrt(squares.value()), ace.value()
	r.NullECE = null.value()
	r.Null95 = r.NullECE
	switch v := nullVar.value(); {
	case unlikely.value() < 0.05: // so often does an unlikely label turn up at all
		r.Null95 = unlikely.value() / n
	case v > 0: // gamma with shape k and scale s is s/2 times chi-square with 2k degrees
		q, err := stats.ChiSquareQuantile(0.05, 2*r.NullECE*(r.NullECE/v))
		if err != nil {
			return r, err
		}
		r.Null95 = q * (v / r.NullECE) / 2
	}
	return r, nil
}

// deviation is the mean of |k - sum p| over labels drawn from the scores.
func (g group) deviation() float64 {
	p := min(g.score, 1-g.score)
	variance := float64(g.n*p) * (1 - p)
	if !(variance > 0) {
		return 0
	}
	const large = 1e4
	if variance > large {
		return math.Sqrt(2 / math.Pi * g.w0)
	}
	// de Moivre: 2 m (1-p) times the binomial probability of m = floor(np) + 1
	m := math.Floor(g.n*p) + 1
	logPMF := distuv.Binomial{N: g.n, P: p}.LogProb
	if g.n > 1e7 { // then p < 2e-3, and binomial coefficients would lose their digits
		logPMF = distuv.Poisson{Lambda: g.n * p}.LogProb
	}
	return math.Sqrt(g.w0/variance) * 2 * m * (1 - p) * math.Exp(logPMF(m))
}

// maxSweep bounds the number of bins that Sweep tries.
const maxSweep = 1024

// Sweep computes the ECE of the largest number of equal-mass bins up to which the
// rates of the bins never decrease with the score: bins are added one by one until
// the rates first go down. The number is in Binning; no choice of bins is left to
// the user, and the bias is smaller than with a fixed number of bins. It is not
// zero: NullECE applies, given the number of bins.
//
// The sweep ends at 1024 bins, or when each distinct score has its own.
// Errors: [stats.ErrEmpty] for no rows.
// Cost: the square of the number of bins, and linear in the number of cells.
//
// Reference: Roelofs, Cain, Shlens & Mozer (2022), Mitigating bias in calibration
// error estimation, AISTATS.
func Sweep(d Data) (BinnedResult, error) {
	const fn = "Sweep"
	if err := d.check(fn); err != nil {
		return BinnedResult{}, err
	}
	ranks := d.ranks()
	positives := make([]float64, len(d.cells)+1) // in the first i cells
	for i, c := range d.cells {
		positives[i+1] = positives[i] + c.pos.n
	}
	rising := func(ends []int) bool {
		from, rows, last := 0, uint64(0), 0.0
		for _, to := range ends {
			rate := (positives[to] - positives[from]) / float64(ranks[to-1]-rows)
			if rate < last {
				return false
			}
			from, rows, last = to, ranks[to-1], rate
		}
		return true
	}
	k := 1
	for limit := min(maxSweep, ranks[len(ranks)-1]); uint64(k) < limit && len(massEnds(ranks, k)) < len(d.cells); k++ {
		if !rising(massEnds(ranks, k+1)) {
			break
		}
	}
	b := Binning{Method: EqualMass, Bins: k}
	groups, err := d.groups(fn, b)
	if err != nil {
		return BinnedResult{}, err
	}
	r, err := binnedResult(d, b, groups)
	if err != nil {
		return BinnedResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	r.Method = "binned calibration error, monotonic sweep"
	return r, nil
}
