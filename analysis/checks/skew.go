package checks

import (
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats/summary"
)

// maxSkew is the skewness of an estimate above which it has no normal
// approximation: for a mean of n rows of skewness g it is g/sqrt(n), so that it
// takes 45 g^2 rows. (Cochran's rule for intervals of 95% is 25 g^2; at that many
// rows one end of an interval of 90% misses a sum of rare events in 9% of samples,
// at 45 g^2 in 7%.)
//
// A metric that rests on a few large values, such as revenue, or log loss where
// positives are rare, looks both small and quiet in an arm that has not met its
// share of them: a canary of 1% then "proves" a loss, or a gain, in more than half
// of all rollouts without any. The arm with more rows knows how skewed the metric
// is, so the larger skewness of the two counts for both.
const maxSkew = 0.15

// skewOfMean is the skewness of the estimate of one arm.
func (m measure) skewOfMean() float64 {
	if m.kind != mean || m.n == 0 {
		return 0
	}
	return math.Abs(m.skew) / math.Sqrt(m.size())
}

// skewOfDifference is the skewness of candidate - baseline if the arms do not
// differ. Arms of one size cancel.
func (p pair) skewOfDifference() float64 {
	if p.skewed {
		return p.skewness
	}
	nb, nc := p.base.size(), p.cand.size()
	if p.base.kind != mean || !(nb > 0) || !(nc > 0) {
		return 0
	}
	skew := math.Max(math.Abs(p.base.skew), math.Abs(p.cand.skew))
	return skew * math.Abs(1/nb-1/nc) / math.Sqrt(1/nb+1/nc) // third moment over variance to the 3/2
}

// skew is the skewness of the estimate that a limit judges.
func (p pair) skew(k limitKind) float64 {
	if k == boundLimit {
		return p.cand.skewOfMean()
	}
	return p.skewOfDifference()
}

// skewed widens a bound of z standard errors for the skewness of the estimate, to
// first order (Johnson 1978). Only a proof of harm needs it: at an error of 5% and
// a skewness of [maxSkew] it is 0.2, at 1e-4 it is 0.7.
func (r ruler) skewed(z, skew float64) float64 {
	if !r.strict {
		return z
	}
	return z + skew*(1+2*z*z)/6
}

// rowsForSkew is how many more rows of the smaller arm, both growing alike, the
// skewness asks for.
func rowsForSkew(small uint64, skew float64) uint64 {
	if !(skew > maxSkew) {
		return 0
	}
	t := skew / maxSkew
	return roundUp(math.Min(1e15, float64(small)*(float64(t*t)-1)))
}

// skewnessOf returns the skewness of the log loss or Brier score of the rows, 0
// when it does not exist. The rows of a cell are taken to lose alike.
func skewnessOf(m Metric, s *summary.Scores, l summary.Loss) float64 {
	if !(l.Variance > 0) {
		return 0
	}
	sd, sum := math.Sqrt(l.Variance), 0.0
	for _, label := range []summary.Label{summary.Negative, summary.Positive} {
		for _, c := range s.By(label).Cells() {
			wrong := c.Mean // distance from the right end
			if label == summary.Positive {
				wrong = 1 - c.Mean
			}
			loss := float64(wrong * wrong)
			if m == LogLoss {
				loss = -math.Log(math.Max(1-wrong, 0x1p-52))
			}
			z := (loss - l.Mean) / sd
			sum += float64(float64(c.N) * float64(z*z*z))
		}
	}
	if g := sum / float64(l.N); !math.IsNaN(g) {
		return g
	}
	return 0
}

// warnSkew says that there are too few rows for a metric as skewed as this.
func warnSkew(f *analysis.Finding, skew float64) {
	if skew > maxSkew {
		warn(f, WarnSkewed, "The metric rests on few large values, and too few of them have been seen to bound it. A rate of large values, or a quantile, needs less.")
	}
}

// finite is x, or 0 when it is no number.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}
