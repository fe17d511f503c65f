package stats

import (
	"fmt"
	"math"
)

// MultinomialOptions bounds the work of [MultinomialExact].
type MultinomialOptions struct {
	MaxTables uint64 // largest number of tables to visit; 0 means 1,000,000
}

// MultinomialResult is the answer of the exact multinomial test.
type MultinomialResult struct {
	P      float64 // p-value
	LogP   float64 // its log, finite also where P underflows
	N      uint64  // total count
	Cells  int     // cells of positive weight
	Tables uint64  // tables visited
	Method string  // "exact multinomial"
}

// MultinomialExact tests whether counts come from given cell probabilities,
// exactly: P is the total probability of all tables with the same total that are
// not more likely than the observed one (within a factor 1+1e-7). It is what to
// use where [GoodnessOfFit] warns of small expected counts.
//
// There are C(n+k-1, k-1) tables for n counts in k cells of positive weight, and
// each is visited: 66 for n = 10, k = 3; about 600,000 for n = 30, k = 6. Above
// MaxTables the answer is an error, not an approximation. The default takes some
// hundredths of a second. Weights need not sum to 1.
//
// Special cases: a cell of weight 0 and count 0 is dropped; a count in a cell of
// weight 0 is impossible, so P is 0 and LogP -Inf; one cell left gives P 1.
// Errors: those of [GoodnessOfFit], and [ErrDomain] for more tables than MaxTables.
//
// Reference: Read & Cressie (1988), Goodness-of-Fit Statistics for Discrete
// Multivariate Data, chapter 5.
func MultinomialExact(observed []uint64, weights []float64, opt MultinomialOptions) (MultinomialResult, error) {
	const fn = "MultinomialExact"
	g, err := GoodnessOfFit(observed, weights, ChiSquareOptions{})
	if err != nil {
		return MultinomialResult{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	limit := opt.MaxTables
	if limit == 0 {
		limit = 1_000_000
	}
	r := MultinomialResult{N: g.N, Cells: len(observed) - g.Dropped, Method: "exact multinomial"}
	if math.IsInf(g.Statistic, 1) {
		r.LogP = math.Inf(-1)
		return r, nil
	}
	count := 1.0 // C(n+k-1, k-1), whole at every step
	for i := 1; i < r.Cells; i++ {
		count = math.Round(count * (float64(g.N) + float64(i)) / float64(i))
		if count > float64(limit) {
			return MultinomialResult{}, fmt.Errorf("stats: %s: %d counts in %d cells have more than %d tables: %w", fn, g.N, r.Cells, limit, ErrDomain)
		}
	}
	r.P, r.Tables = 1, uint64(count)
	if r.Cells == 1 {
		return r, nil
	}

	w := multinomialWalk{logP: make([]float64, 0, r.Cells), logFactorial: make([]float64, g.N+1)}
	for i := uint64(2); i <= g.N; i++ {
		w.logFactorial[i], _ = math.Lgamma(float64(i) + 1)
	}
	var total float64
	for _, v := range weights {
		total += v
	}
	w.own = w.logFactorial[g.N]
	for i, v := range weights {
		if v > 0 {
			lp := math.Log(v / total)
			w.logP = append(w.logP, lp)
			w.own += float64(float64(observed[i])*lp) - w.logFactorial[observed[i]]
		}
	}
	w.visit(0, g.N, w.logFactorial[g.N])
	r.LogP = min(0, w.own+math.Log(w.sum))
	r.P = math.Exp(r.LogP)
	return r, nil
}

// multinomialWalk sums the probabilities of the tables, relative to that of the
// observed one, which is exp(own).
type multinomialWalk struct {
	logP, logFactorial []float64
	own, sum           float64
}

// visit fills the cells from the given one on with rest counts, in every way.
func (w *multinomialWalk) visit(cell int, rest uint64, logProb float64) {
	if cell == len(w.logP)-1 {
		logProb += float64(float64(rest)*w.logP[cell]) - w.logFactorial[rest]
		if logProb <= w.own+sameLikely {
			w.sum += math.Exp(logProb - w.own)
		}
		return
	}
	for x := uint64(0); x <= rest; x++ {
		w.visit(cell+1, rest-x, logProb+float64(float64(x)*w.logP[cell])-w.logFactorial[x])
	}
}
