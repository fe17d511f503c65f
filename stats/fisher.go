package stats

import (
	"fmt"
	"math"
)

// ExactOptions chooses the form of an exact test on counts. The zero value is the
// two-sided test with the plain p-value.
type ExactOptions struct {
	Alternative Alternative // Different, Less or Greater
	MidP        bool        // count outcomes as likely as the observed one half: less conservative, no longer exact
}

// ExactResult is the answer of an exact test on counts.
type ExactResult struct {
	Estimate    float64     // success share, or sample odds ratio ad/(bc)
	P           float64     // p-value
	LogP        float64     // its log, finite also where P underflows
	N, M        uint64      // trials; of both rows for a 2x2 table, M is 0 for one sample
	Alternative Alternative // the direction of the test
	Method      string
	Warnings    []Warning // degenerate
}

// FisherExact tests the 2x2 table [[a b] [c d]] for an odds ratio of 1, given all
// four margins.
//
// The upper left cell then is hypergeometric. Two-sided, p is the total
// probability of the tables not more likely than the observed one (within a factor
// 1+1e-7, as in R and SciPy); Greater and Less are the two tails, Greater meaning
// an odds ratio above 1. With MidP, tables as likely as the observed one count
// half.
//
// The test is conservative, much so in small tables. Tails are summed in logs from
// the edge outward, so P is right down to underflow and LogP beyond.
//
// Special cases: an empty row or column leaves one possible table, P 1 and the
// warning degenerate; Estimate is +Inf for b c = 0 < a d, and 1 when both products
// are 0. Errors: [ErrEmpty] for a table of zeros; [ErrDomain] for a total above 2^53.
// Cost: some standard deviations of the cell, about 10 sqrt(N) steps at most.
//
// Reference: Agresti (2013), Categorical Data Analysis, 3rd ed., section 3.5.
func FisherExact(a, b, c, d uint64, opt ExactOptions) (ExactResult, error) {
	const fn = "FisherExact"
	if err := checkAlternative(fn, opt.Alternative); err != nil {
		return ExactResult{}, err
	}
	n, err := sumCounts([]uint64{a, b, c, d})
	switch {
	case err != nil || n > maxExact:
		return ExactResult{}, fmt.Errorf("stats: %s: total of [[%d %d] [%d %d]] is above 2^53: %w", fn, a, b, c, d, ErrDomain)
	case n == 0:
		return ExactResult{}, fmt.Errorf("stats: %s: table of zeros: %w", fn, ErrEmpty)
	}
	r := ExactResult{
		Estimate: oddsRatio(a, b, c, d), P: 1, N: a + b, M: c + d,
		Alternative: opt.Alternative, Method: exactMethod("Fisher's exact test", opt),
	}
	if a+b == 0 || c+d == 0 || a+c == 0 || b+d == 0 {
		r.Warnings = []Warning{{WarnDegenerate, "a row or column of the table is empty; only one table is possible"}}
		return r, nil
	}
	l := hypergeometricLattice(float64(a+b), float64(c+d), float64(a+c))
	r.LogP = l.logP(float64(a), opt.Alternative, opt.MidP)
	r.P = math.Exp(r.LogP)
	return r, nil
}

// BinomialTest tests whether x successes in n trials come from the success
// probability p.
//
// Two-sided, the p-value is the total probability of the outcomes not more likely
// than x (within a factor 1+1e-7, as in R and SciPy); Greater and Less are the
// tails. With MidP, outcomes as likely as x count half.
//
// Special cases: p = 0 and p = 1 allow one outcome only, so P is 1 or 0.
// Errors: [ErrEmpty] for n = 0; [ErrDomain] for x > n, n above 2^53, or p outside
// [0,1]. Cost: at most sqrt(n) steps.
func BinomialTest(x, n uint64, p float64, opt ExactOptions) (ExactResult, error) {
	const fn = "BinomialTest"
	if err := checkAlternative(fn, opt.Alternative); err != nil {
		return ExactResult{}, err
	}
	if err := checkTrials(fn, x, n); err != nil {
		return ExactResult{}, err
	}
	if n > maxExact {
		return ExactResult{}, fmt.Errorf("stats: %s: %d trials are above 2^53: %w", fn, n, ErrDomain)
	}
	if !(p >= 0 && p <= 1) {
		return ExactResult{}, fmt.Errorf("stats: %s: probability %v: %w", fn, p, ErrDomain)
	}
	r := ExactResult{
		Estimate: float64(x) / float64(n), N: n,
		Alternative: opt.Alternative, Method: exactMethod("exact binomial test", opt),
	}
	if p == 0 || p == 1 {
		if !oneOutcome(x, n, p == 1, opt.Alternative) {
			r.LogP = math.Inf(-1)
		}
	} else {
		r.LogP = binomialLattice(n, p).logP(float64(x), opt.Alternative, opt.MidP)
	}
	r.P = math.Exp(r.LogP)
	return r, nil
}

// oneOutcome reports whether x is not against a law that puts all mass on 0
// successes, or on n.
func oneOutcome(x, n uint64, all bool, alt Alternative) bool {
	sure := uint64(0)
	if all {
		sure = n
	}
	switch alt {
	case Greater:
		return x <= sure
	case Less:
		return x >= sure
	}
	return x == sure
}

// ConditionalOddsRatio estimates the odds ratio of the 2x2 table [[a b] [c d]],
// given its margins.
//
// Point is the conditional maximum likelihood estimate, the odds ratio whose
// non-central hypergeometric mean is a. Lo and Hi are the odds ratios at which the
// observed cell or a larger one, or a smaller one, has probability (1-level)/2:
// an exact interval, as in R's fisher.test.
//
// Special cases: a at its smallest possible value has Point 0 and Lo 0; at its
// largest, Point and Hi +Inf.
// Errors: [ErrEmpty] for an empty row or column, where nothing is known of the odds
// ratio; [ErrDomain] for a total above 2^53 or level outside (0,1).
// Cost: about 1000 standard deviations of the cell.
//
// Reference: Agresti (2013), Categorical Data Analysis, 3rd ed., section 16.6.
func ConditionalOddsRatio(a, b, c, d uint64, level float64) (Interval, error) {
	const fn = "ConditionalOddsRatio"
	n, err := sumCounts([]uint64{a, b, c, d})
	if err != nil || n > maxExact {
		return Interval{}, fmt.Errorf("stats: %s: total of [[%d %d] [%d %d]] is above 2^53: %w", fn, a, b, c, d, ErrDomain)
	}
	if a+b == 0 || c+d == 0 || a+c == 0 || b+d == 0 {
		return Interval{}, fmt.Errorf("stats: %s: empty row or column in [[%d %d] [%d %d]]: %w", fn, a, b, c, d, ErrEmpty)
	}
	if err := CheckLevel(level); err != nil {
		return Interval{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	l := hypergeometricLattice(float64(a+b), float64(c+d), float64(a+c))
	x := float64(a)
	start := math.Log((x + 0.5) / (float64(b) + 0.5) * (float64(d) + 0.5) / (float64(c) + 0.5))
	tail := (1 - level) / 2
	v := Interval{Hi: math.Inf(1), Level: level}
	solve := func(f func(tilted) float64) float64 {
		if err != nil {
			return 0
		}
		var w float64
		w, err = expRoot(func(u float64) float64 { return f(l.tilt(u, x)) }, start)
		return w
	}
	switch {
	case x == l.lo && x == l.hi:
		return Interval{}, fmt.Errorf("stats: %s: only one table has the margins of [[%d %d] [%d %d]]: %w", fn, a, b, c, d, ErrEmpty)
	case x == l.hi:
		v.Point = math.Inf(1)
	case x > l.lo:
		v.Point = solve(func(t tilted) float64 { return x - t.mean })
	}
	if x > l.lo {
		v.Lo = solve(func(t tilted) float64 { return math.Log(tail) - math.Log(t.upper) })
	}
	if x < l.hi {
		v.Hi = solve(func(t tilted) float64 { return math.Log(t.lower) - math.Log(tail) })
	}
	if err != nil {
		return Interval{}, fmt.Errorf("stats: %s: [[%d %d] [%d %d]]: %w", fn, a, b, c, d, err)
	}
	return v, nil
}

// tilted holds the mean of a tilted law and its two tails at an outcome x, which
// both contain x.
type tilted struct{ mean, upper, lower float64 }

// tilt gives the weights pmf(k) e^(u k) / sum of a lattice, by sums outward from
// their mode.
func (l lattice) tilt(u, x float64) tilted {
	w := math.Exp(u)
	mode, end := l.lo, l.hi
	if l.lo < l.hi && l.ratio(l.lo)*w > 1 {
		for end-mode > 1 { // the last k whose ratio is above 1
			mid := math.Floor((mode + end) / 2)
			if l.ratio(mid)*w > 1 {
				mode = mid
			} else {
				end = mid
			}
		}
		mode = end
	}
	var sum, first, up, down float64
	add := func(k, v float64) {
		sum += v
		first += float64((k - mode) * v)
		if k >= x {
			up += v
		}
		if k <= x {
			down += v
		}
	}
	add(mode, 1)
	v := 1.0
	for k := mode; k < l.hi && v > 1e-300 && (v > 1e-18*sum || k < x); k++ {
		v = float64(v * l.ratio(k) * w)
		add(k+1, v)
	}
	v = 1
	for k := mode; k > l.lo && v > 1e-300 && (v > 1e-18*sum || k > x); k-- {
		v = float64(v / (l.ratio(k-1) * w))
		add(k-1, v)
	}
	return tilted{mode + first/sum, up / sum, down / sum}
}

func oddsRatio(a, b, c, d uint64) float64 {
	num, den := float64(a)*float64(d), float64(b)*float64(c)
	if num == 0 && den == 0 {
		return 1
	}
	return num / den
}

func exactMethod(name string, opt ExactOptions) string {
	if opt.MidP {
		name += ", mid-p"
	}
	return name
}
