package drift

import (
	"math"

	"github.com/rampguard/rampguard/stats"
)

// absMean is E|Z| for a standard normal Z.
const absMean = 0.79788456080286535587989211986876 // sqrt(2/pi)

// absCovariance is Cov(|X|,|Y|) for standard normals with correlation r.
func absCovariance(r float64) float64 {
	r = min(math.Abs(r), 1)
	return 2 / math.Pi * (float64(r*math.Asin(r)) + math.Sqrt(1-float64(r*r)) - 1)
}

// foldedLaw stands for the law of a sum of absolute values of correlated normals,
// the noise of total variation and of W1: the gamma law with the same mean and
// variance, which is skewed as that is and has the heavier tail. If X follows it,
// 2 shape X/mean is chi-square with 2 shape degrees of freedom.
type foldedLaw struct {
	mean  float64
	shape float64 // squared mean over variance
}

// logTail is log P(X >= x).
func (l foldedLaw) logTail(x float64) (float64, error) {
	const most = 1e300 // keeps the log finite
	return stats.LogChiSquareTail(min(most, 2*l.shape*(x/l.mean)), 2*l.shape)
}

// upper is the x with P(X >= x) = p.
func (l foldedLaw) upper(p float64) (float64, error) {
	q, err := stats.ChiSquareQuantile(p, 2*l.shape)
	return q / (2 * l.shape) * l.mean, err
}
