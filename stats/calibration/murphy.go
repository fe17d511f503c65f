package calibration

import (
	"github.com/rampguard/rampguard/stats"
)

// MurphyResult takes the Brier score apart over bins.
type MurphyResult struct {
	N                uint64
	Binning          Binning
	Brier            float64
	Plain            MurphyTerms
	Corrected        MurphyTerms // without the bias of small bins; may be negative
	WithinVariance   float64     // mean over rows of (p - Score)^2
	WithinCovariance float64     // mean over rows of (p - Score)(y - Rate)
	Bins             []Bin
	Method           string
	Warnings         []stats.Warning // binned, excluded_values, degenerate, expected_below_5
}

// MurphyTerms are the terms of Murphy's decomposition.
type MurphyTerms struct {
	Reliability float64 // miscalibration: mean of (Score - Rate)^2
	Resolution  float64 // discrimination: mean of (Rate - overall rate)^2
	Uncertainty float64 // of the labels: overall rate (1 - overall rate)
}

// Murphy decomposes the Brier score over the bins of b:
//
//	Brier = Reliability - Resolution + Uncertainty + WithinVariance - 2 WithinCovariance
//
// exactly; the last two are 0 when each bin holds one score. Reliability and
// Resolution of small bins are too large, because rates are noisy. Corrected takes
// the expected excess t = sum_b n_b/n Rate (1-Rate)/(n_b-1) away (Ferro & Fricker):
//
//	Reliability - t,  Resolution - t + Uncertainty/(n-1),  Uncertainty n/(n-1)
//
// whose sum is that of the plain terms. Bins of one row add nothing to t.
//
// Special cases: for one row Corrected is Plain.
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for an impossible binning.
// Cost: linear in the number of cells.
//
// References: Murphy (1973), A new vector partition of the probability score,
// Journal of Applied Meteorology 12, 595-600; Stephenson, Coelho & Jolliffe (2008),
// Two extra components in the Brier score decomposition, Weather and Forecasting
// 23, 752-757; Ferro & Fricker (2012), A bias-corrected decomposition of the Brier
// score, Quarterly Journal of the Royal Meteorological Society 138, 1954-1960.
func Murphy(d Data, b Binning) (MurphyResult, error) {
	groups, err := d.groups("Murphy", b)
	if err != nil {
		return MurphyResult{}, err
	}
	n, k := d.counts()
	r := MurphyResult{
		N: uint64(n), Binning: b.orDefault(defaultBins), Bins: bins(groups),
		Method:   "Murphy decomposition, Ferro-Fricker correction",
		Warnings: append(d.warnings(), coarse(groups)...),
	}
	r.Brier, _, _ = d.lossMoments(Quadratic)
	var rel, res, excess, wbv, wbc adder
	for _, g := range groups {
		rate := g.k / g.n
		rel.add(g.n / n * float64(g.gap*g.gap))
		res.add(g.n / n * float64((rate-k/n)*(rate-k/n)))
		wbv.add(g.wbv / n)
		wbc.add(g.wbc / n)
		if g.n > 1 {
			excess.add(g.n / n * rate * (1 - rate) / (g.n - 1))
		}
	}
	r.Plain = MurphyTerms{rel.value(), res.value(), k / n * (1 - k/n)}
	r.WithinVariance, r.WithinCovariance = wbv.value(), wbc.value()
	r.Corrected = r.Plain
	if n > 1 {
		r.Corrected = MurphyTerms{
			Reliability: r.Plain.Reliability - excess.value(),
			Resolution:  r.Plain.Resolution - excess.value() + r.Plain.Uncertainty/(n-1),
			Uncertainty: r.Plain.Uncertainty * (n / (n - 1)),
		}
	}
	return r, nil
}
