package calibration

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// HosmerLemeshowOptions configures [HosmerLemeshow].
type HosmerLemeshowOptions struct {
	Binning  Binning // 0 bins means 10
	InSample bool    // the model was fitted to these rows
}

// HosmerLemeshowResult is the outcome of the Hosmer-Lemeshow test.
type HosmerLemeshowResult struct {
	N        uint64
	Binning  Binning
	ChiSq    float64
	DF       float64
	P        float64
	LogP     float64
	Bins     []Bin
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate, expected_below_5
}

// HosmerLemeshow computes sum_b (O-E)^2 / (E (1-E/n_b)) over g groups of scores,
// with O positive labels and E the sum of the scores. It is here because people
// ask for it, and for display: with a million rows it rejects any model, with a
// hundred none, and it depends on the groups. Gate on [ScoreTest] and
// [DebiasedError].
//
// Under the null it is roughly chi-square: with g degrees of freedom on rows that
// the model has not seen, with g-2 on the rows to which a logistic model was
// fitted. g counts the populated groups.
//
// Special cases: a group in which all scores are 0, or all are 1, adds nothing if
// its labels agree; otherwise ChiSq is +Inf and P is 0.
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for an impossible binning,
// or fewer than 3 groups in sample. Cost: linear in the number of cells.
//
// Reference: Hosmer & Lemeshow (1980), Communications in Statistics A 9, 1043-1069.
func HosmerLemeshow(d Data, o HosmerLemeshowOptions) (HosmerLemeshowResult, error) {
	const fn = "HosmerLemeshow"
	if err := o.Binning.check(fn); err != nil {
		return HosmerLemeshowResult{}, err
	}
	b := o.Binning.orDefault(10)
	groups, err := d.groups(fn, b)
	if err != nil {
		return HosmerLemeshowResult{}, err
	}
	n, _ := d.counts()
	r := HosmerLemeshowResult{
		N: uint64(n), Binning: b, Bins: bins(groups), DF: float64(len(groups)),
		Method:   "Hosmer-Lemeshow, out of sample",
		Warnings: append(d.warnings(), coarse(groups)...),
	}
	if o.InSample {
		if r.DF -= 2; r.DF < 1 {
			return HosmerLemeshowResult{}, fmt.Errorf("calibration: %s: %d groups in sample: %w", fn, len(groups), stats.ErrDomain)
		}
		r.Method = "Hosmer-Lemeshow, in sample"
	}
	for _, g := range groups {
		z := standardise(g.gap*g.n, g.n*g.score*(1-g.score))
		r.ChiSq += float64(z * z)
	}
	if r.P, r.LogP, err = chiSquareP(r.ChiSq, r.DF); err != nil {
		return HosmerLemeshowResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	return r, nil
}
