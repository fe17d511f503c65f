package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Bonferroni returns p-values adjusted by weighted Bonferroni, in input order:
// min(1, p_i / w_i) with the weights w scaled to sum to 1. Rejecting where the
// adjusted value is at most alpha bounds the probability of any false rejection
// (FWER) by alpha, whatever the dependence. Nil weights are equal ones, p_i m.
//
// Special cases: no p-values give none; a weight of 0 gives 1.
// Errors: [ErrDomain] for a p-value outside [0,1] or NaN, a weight that is negative
// or not finite, or weights that are all 0; [ErrMismatch] for different lengths.
func Bonferroni(p, weights []float64) ([]float64, error) {
	const fn = "Bonferroni"
	if err := checkP(fn, p); err != nil {
		return nil, err
	}
	if weights != nil && len(weights) != len(p) {
		return nil, fmt.Errorf("stats: %s: %d p-values and %d weights: %w", fn, len(p), len(weights), ErrMismatch)
	}
	total := float64(len(p))
	if weights != nil {
		total = 0
		for i, w := range weights {
			if !(w >= 0) || math.IsInf(w, 1) {
				return nil, fmt.Errorf("stats: %s: weight %v at %d: %w", fn, w, i, ErrDomain)
			}
			total += w
		}
		if len(p) > 0 && (total == 0 || math.IsInf(total, 1)) {
			return nil, fmt.Errorf("stats: %s: weights sum to %v: %w", fn, total, ErrDomain)
		}
	}
	adjusted := make([]float64, len(p))
	for i, v := range p {
		switch {
		case weights == nil:
			adjusted[i] = min(1, v*total)
		case weights[i] == 0:
			adjusted[i] = 1
		default:
			adjusted[i] = min(1, v*(total/weights[i]))
		}
	}
	return adjusted, nil
}

// Holm returns p-values adjusted by Holm's step-down method, in input order: in
// ascending order, the running maximum of (m-i+1) p_i, at most 1. It bounds the
// FWER whatever the dependence and is never less powerful than [Bonferroni] with
// equal weights.
//
// Errors: [ErrDomain] for a p-value outside [0,1] or NaN.
//
// Reference: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
func Holm(p []float64) ([]float64, error) {
	if err := checkP("Holm", p); err != nil {
		return nil, err
	}
	adjusted := make([]float64, len(p))
	var running float64
	for i, at := range ascending(p) {
		running = max(running, min(1, p[at]*float64(len(p)-i)))
		adjusted[at] = running
	}
	return adjusted, nil
}

// BenjaminiHochberg returns p-values adjusted by the Benjamini-Hochberg step-up
// method, in input order: in descending order, the running minimum of p_i m/i, at
// most 1. Rejecting where the adjusted value is at most alpha bounds the expected
// share of false rejections (FDR) by alpha for independent or positively dependent
// p-values.
//
// Errors: [ErrDomain] for a p-value outside [0,1] or NaN.
//
// Reference: Benjamini & Hochberg (1995), JRSS B 57, 289-300.
func BenjaminiHochberg(p []float64) ([]float64, error) {
	return stepUp("BenjaminiHochberg", p, 1)
}

// BenjaminiYekutieli returns p-values adjusted by the Benjamini-Yekutieli method,
// in input order: Benjamini-Hochberg with m replaced by m (1 + 1/2 + ... + 1/m). It
// bounds the FDR whatever the dependence.
//
// Errors: [ErrDomain] for a p-value outside [0,1] or NaN.
//
// Reference: Benjamini & Yekutieli (2001), Annals of Statistics 29, 1165-1188.
func BenjaminiYekutieli(p []float64) ([]float64, error) {
	var harmonic float64
	for i := len(p); i >= 1; i-- {
		harmonic += 1 / float64(i)
	}
	return stepUp("BenjaminiYekutieli", p, harmonic)
}

func stepUp(fn string, p []float64, factor float64) ([]float64, error) {
	if err := checkP(fn, p); err != nil {
		return nil, err
	}
	adjusted := make([]float64, len(p))
	order := ascending(p)
	running, m := 1.0, float64(len(p))
	for i := len(order) - 1; i >= 0; i-- {
		// m/(i+1) first: it is 1 for the largest p, which then stays itself.
		running = min(running, p[order[i]]*(m/float64(i+1)*factor))
		adjusted[order[i]] = running
	}
	return adjusted, nil
}

// EBH reports which hypotheses the e-BH method rejects, in input order: those with
// the k largest e-values, for the largest k whose k-th largest is at least
// K/(alpha k), K being their number. It bounds the FDR by alpha whatever the
// dependence, for e-values read at one (stopping) time. Values come as logs, so
// that strong evidence does not overflow.
//
// Special cases: a log e-value of -Inf (e = 0) is never rejected, +Inf always.
// Errors: [ErrDomain] for NaN, or alpha outside (0,1).
//
// Reference: Wang & Ramdas (2022), JRSS B 84, 822-852.
func EBH(logE []float64, alpha float64) ([]bool, error) {
	const fn = "EBH"
	if !(alpha > 0 && alpha < 1) {
		return nil, fmt.Errorf("stats: %s: alpha %v: %w", fn, alpha, ErrDomain)
	}
	for i, v := range logE {
		if math.IsNaN(v) {
			return nil, fmt.Errorf("stats: %s: e-value %d is NaN: %w", fn, i, ErrDomain)
		}
	}
	rejected := make([]bool, len(logE))
	order := ascending(logE)
	n := len(order)
	for k := n; k >= 1; k-- {
		if logE[order[n-k]] >= math.Log(float64(n)/(alpha*float64(k))) {
			for _, at := range order[n-k:] {
				rejected[at] = true
			}
			break
		}
	}
	return rejected, nil
}

// ascending returns the order that sorts v, ties in input order.
func ascending(v []float64) []int {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(v[i], v[j]) })
	return order
}

func checkP(fn string, p []float64) error {
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("stats: %s: p-value %v at %d: %w", fn, v, i, ErrDomain)
		}
	}
	return nil
}
