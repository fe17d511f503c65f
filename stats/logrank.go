package stats

import (
	"fmt"
	"math"
)

// LogRankResult is the outcome of a log-rank test.
type LogRankResult struct {
	ChiSquare float64
	DF        int
	P         float64
	LogP      float64   // log of P, finite when P underflows to 0
	N         []uint64  // observations per group
	Observed  []uint64  // events per group
	Expected  []float64 // events per group expected if all groups shared one distribution
	Method    string
	Warnings  []Warning // degenerate
}

// LogRank tests whether two or more groups of possibly unfinished durations come
// from one distribution.
//
// At each time with events, d among the n at risk, group g with n_g at risk is
// expected to have d n_g/n of them. With U the sums of observed minus expected
// and V their hypergeometric covariance, of which
//
//	V_gh = sum of d (n-d)/(n-1) * n_g/n * (δ_gh - n_h/n)
//
// the statistic is U' V^-1 U with one group left out, chi-square with one degree
// of freedom less than there are groups. Power is best when one group's event
// rate is a constant multiple of the other's; crossing curves can hide from it.
//
// Assumptions: censoring tells nothing about the event, in any group;
// independent observations; events in the tens for the approximation.
//
// Special cases are: a group that is never at risk at an event (Expected 0) is
// left out, with the warning "degenerate"; with fewer than two groups left, or
// with events only where everybody has one, ChiSquare is 0, DF 0 and P 1.
//
// Errors: [ErrEmpty] for fewer than 2 groups or an empty group; [ErrDomain] for
// an impossible time or entry, or groups that are never at risk together, so
// that V is singular. Cost: sorting, and (groups)^2 steps per event time.
//
// References: Mantel, Evaluation of survival data and two new rank order
// statistics arising in its consideration, Cancer Chemotherapy Reports 50
// (1966). Klein and Moeschberger, Survival Analysis, 2nd ed. (2003), section 7.3.
func LogRank(groups ...[]Observation) (LogRankResult, error) {
	const name = "LogRank"
	k := len(groups)
	if k < 2 {
		return LogRankResult{}, fmt.Errorf("stats: %s: %d groups, need 2: %w", name, k, ErrEmpty)
	}
	r := LogRankResult{
		N: make([]uint64, k), Observed: make([]uint64, k), Expected: make([]float64, k),
		Method: "log-rank",
	}
	sets := make([]riskSet, k)
	var all []Observation
	for g, obs := range groups {
		var err error
		if sets[g], err = newRiskSet(fmt.Sprintf("%s: group %d", name, g), obs); err != nil {
			return LogRankResult{}, err
		}
		r.N[g] = uint64(len(obs))
		r.Observed[g] = uint64(len(sets[g].events))
		all = append(all, obs...)
	}
	pooled, err := newRiskSet(name, all)
	if err != nil {
		return LogRankResult{}, err
	}
	v := make([][]float64, k)
	for g := range v {
		v[g] = make([]float64, k)
	}
	share := make([]float64, k)
	for _, t := range pooled.eventTimes() {
		n, d := pooled.at(t)
		nf, df := float64(n), float64(d)
		for g := range sets {
			ng, _ := sets[g].at(t)
			share[g] = float64(ng) / nf
			r.Expected[g] += float64(df * share[g])
		}
		if n < 2 {
			continue
		}
		c := df * (nf - df) / (nf - 1)
		for g := range v {
			v[g][g] += float64(c * share[g])
			for h := range v {
				v[g][h] -= float64(c * share[g] * share[h])
			}
		}
	}
	var in []int // groups that take part
	spread := 0.0
	for g, e := range r.Expected {
		if e > 0 {
			in = append(in, g)
			spread += v[g][g]
		}
	}
	if len(in) < k {
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, fmt.Sprintf("%d groups are never at risk at an event and were left out", k-len(in))})
	}
	if len(in) < 2 || spread == 0 {
		r.P = 1
		if len(in) == k {
			r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "no event leaves anybody to compare with"})
		}
		return r, nil
	}
	r.DF = len(in) - 1
	u := make([]float64, r.DF)
	w := make([][]float64, r.DF)
	for a, g := range in[:r.DF] {
		u[a] = float64(r.Observed[g]) - r.Expected[g]
		for _, h := range in[:r.DF] {
			w[a] = append(w[a], v[g][h])
		}
	}
	var ok bool
	if r.ChiSquare, ok = inverseForm(w, u); !ok {
		return LogRankResult{}, fmt.Errorf("stats: %s: groups are not at risk together, the covariance is singular: %w", name, ErrDomain)
	}
	if r.LogP, err = LogChiSquareTail(r.ChiSquare, float64(r.DF)); err != nil {
		return LogRankResult{}, err
	}
	r.P = math.Exp(r.LogP)
	return r, nil
}

// inverseForm returns u' v^-1 u for a positive definite v, by elimination; v and
// u are used up. It is false when v is singular to working precision.
func inverseForm(v [][]float64, u []float64) (float64, bool) {
	diag := make([]float64, len(v))
	for i := range v {
		diag[i] = v[i][i]
	}
	sum := 0.0
	for i := range v {
		p := v[i][i]
		if !(p > 1e-12*diag[i]) {
			return 0, false
		}
		sum += float64(u[i] * u[i] / p)
		for j := i + 1; j < len(v); j++ {
			f := v[j][i] / p
			u[j] -= float64(f * u[i])
			for l := i + 1; l < len(v); l++ {
				v[j][l] -= float64(f * v[i][l])
			}
		}
	}
	return sum, true
}
