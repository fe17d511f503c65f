package stats

import (
	"math"

	"github.com/rampguard/rampguard/stats/internal/special"
)

// lattice is a unimodal law on the integers lo..hi. Integers are float64, exact
// up to maxExact.
type lattice struct {
	lo, hi, mode float64
	logPMF       func(k float64) float64
	ratio        func(k float64) float64 // pmf(k+1)/pmf(k), for the sums

	// upper and lower are log P(X >= k) and log P(X <= k) within lo..hi; without
	// them the tails are summed.
	upper, lower func(k float64) float64
}

// maxExact is the largest count the exact tests take: every integer up to it is a
// float64.
const maxExact = 1 << 53

// sameLikely is the relative slack, in logs, within which two outcomes count as
// equally likely. R and SciPy use the same 1e-7.
const sameLikely = 1e-7

// logUpper is log P(X >= k). Sums run outward until the terms vanish, so the cost is
// some standard deviations of the law.
func (l lattice) logUpper(k float64) float64 {
	switch {
	case k <= l.lo:
		return 0
	case k > l.hi:
		return math.Inf(-1)
	case l.upper != nil:
		return l.upper(k)
	case k <= l.mode:
		return special.Log1mExp(min(0, l.logLower(k-1)))
	}
	v, sum := 1.0, 1.0
	first := l.logPMF(k)
	for ; k < l.hi && v > 1e-18*sum; k++ {
		v = float64(v * l.ratio(k))
		sum += v
	}
	return min(0, first+math.Log(sum))
}

// logLower is log P(X <= k).
func (l lattice) logLower(k float64) float64 {
	switch {
	case k >= l.hi:
		return 0
	case k < l.lo:
		return math.Inf(-1)
	case l.lower != nil:
		return l.lower(k)
	case k > l.mode:
		return special.Log1mExp(min(0, l.logUpper(k+1)))
	}
	v, sum := 1.0, 1.0
	first := l.logPMF(k)
	for ; k > l.lo && v > 1e-18*sum; k-- {
		v = float64(v / l.ratio(k-1))
		sum += v
	}
	return min(0, first+math.Log(sum))
}

// logP is the log p-value of the outcome x. Two-sided it sums all outcomes not
// more likely than x. With midP, outcomes exactly as likely as x count half.
func (l lattice) logP(x float64, alt Alternative, midP bool) float64 {
	own := l.logPMF(x)
	var logP, half float64
	switch alt {
	case Greater:
		logP, half = l.logUpper(x), own
	case Less:
		logP, half = l.logLower(x), own
	default:
		logP, half = l.twoSided(own)
	}
	if midP {
		logP += special.Log1mExp(min(0, half-math.Ln2-logP))
	}
	return min(0, logP)
}

// twoSided returns the log probability of all outcomes not more likely than
// exp(own), and of those among them that are as likely: at most two, one on each
// side or the two of a double mode.
func (l lattice) twoSided(own float64) (logP, logTied float64) {
	limit := own + sameLikely
	low := l.edge(l.mode, l.lo, -1, limit)
	high := l.edge(l.mode+1, l.hi, 1, limit)
	logP = logAdd(l.logLower(low), l.logUpper(high))
	if high == low+1 {
		logP = 0
	}
	logTied = math.Inf(-1)
	for _, k := range []float64{low - 1, low, high, high + 1} {
		if k < l.lo || k > l.hi {
			continue
		}
		if v := l.logPMF(k); v > own-sameLikely {
			logTied = logAdd(logTied, v)
		}
	}
	return logP, logTied
}

// edge returns the outcome nearest to from, on the way to end in steps of +1 or
// -1, whose log probability is at most limit; end+step when there is none.
func (l lattice) edge(from, end, step, limit float64) float64 {
	if (end-from)*step < 0 || l.logPMF(end) > limit {
		return end + step
	}
	if l.logPMF(from) <= limit {
		return from
	}
	for math.Abs(end-from) > 1 {
		mid := math.Floor((from + end) / 2)
		if l.logPMF(mid) <= limit {
			end = mid
		} else {
			from = mid
		}
	}
	return end
}

// logAdd is log(e^a + e^b).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// binomialLattice is the law of the successes in n trials.
func binomialLattice(n uint64, p float64) lattice {
	nf, q := float64(n), 1-p
	return lattice{
		hi:     nf,
		mode:   min(nf, math.Floor((nf+1)*p)),
		logPMF: func(k float64) float64 { return special.LogBinomialPMF(k, nf-k, p, q) },
		upper:  func(k float64) float64 { return special.LogBetaI(k, nf-k+1, p, q) },
		lower:  func(k float64) float64 { return special.LogBetaI(nf-k, k+1, q, p) },
	}
}

// hypergeometricLattice is the law of the upper left cell of a 2x2 table with
// rows r1, r2 and first column c1.
func hypergeometricLattice(r1, r2, c1 float64) lattice {
	n := r1 + r2
	p, q := c1/n, (n-c1)/n
	norm := special.LogBinomialPMF(c1, n-c1, p, q)
	lo, hi := max(0, c1-r2), min(r1, c1)
	return lattice{
		lo: lo, hi: hi,
		mode: min(hi, max(lo, math.Floor((c1+1)*((r1+1)/(n+2))))),
		logPMF: func(k float64) float64 {
			return special.LogBinomialPMF(k, r1-k, p, q) + special.LogBinomialPMF(c1-k, r2-c1+k, p, q) - norm
		},
		ratio: func(k float64) float64 { return (r1 - k) / (k + 1) * ((c1 - k) / (r2 - c1 + k + 1)) },
	}
}
