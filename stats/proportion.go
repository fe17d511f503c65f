package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Wilson returns Wilson's score interval for a probability, from x successes in n
// independent trials.
//
// Point is x/n. The ends solve |x/n - p| = z sqrt(p(1-p)/n) with z the normal
// quantile of (1+level)/2, so they lie in [0,1] and are not degenerate at x = 0 or
// x = n. Coverage is near level on average over p and can fall below it for p near
// 0 or 1; [ClopperPearson] never does.
//
// Special cases: x = 0 has Lo 0; x = n has Hi 1.
// Errors: [ErrEmpty] for n = 0; [ErrDomain] for x > n or level outside (0,1).
// Cost: constant.
//
// References: Wilson (1927), JASA 22, 209-212; Brown, Cai & DasGupta (2001),
// Statistical Science 16, 101-133.
func Wilson(x, n uint64, level float64) (Interval, error) {
	if err := checkProportion("Wilson", x, n, level); err != nil {
		return Interval{}, err
	}
	z := twoSidedZ(level)
	lo, hi := wilsonBounds(x, n, z)
	return Interval{float64(x) / float64(n), lo, hi, level}, nil
}

// wilsonBounds is the score interval for the normal quantile z: the roots of a
// quadratic, the smaller one taken from their product so that nothing cancels.
func wilsonBounds(x, n uint64, z float64) (lo, hi float64) {
	xf, nf, z2 := float64(x), float64(n), float64(z*z)
	big := xf + float64(z2/2) + float64(z*math.Sqrt(float64(z2/4)+float64(xf*(float64(n-x)/nf))))
	lo = xf * (xf / nf) / big
	hi = big / (nf + z2)
	if x == n {
		hi = 1
	}
	return lo, hi
}

// ClopperPearson returns the exact interval for a probability, from x successes
// in n independent trials.
//
// Point is x/n. Lo solves P(Bin(n,p) >= x) = (1-level)/2 and Hi solves
// P(Bin(n,p) <= x) = (1-level)/2, both as beta quantiles. Coverage is at least
// level for every p, and well above it for small n.
//
// Special cases: x = 0 has Lo 0; x = n has Hi 1.
// Errors: [ErrEmpty] for n = 0; [ErrDomain] for x > n or level outside (0,1).
// Cost: about 20 sqrt(n) steps.
//
// Reference: Clopper & Pearson (1934), Biometrika 26, 404-413.
func ClopperPearson(x, n uint64, level float64) (Interval, error) {
	const fn = "ClopperPearson"
	if err := checkProportion(fn, x, n, level); err != nil {
		return Interval{}, err
	}
	lo, hi, err := clopperPearsonBounds(x, n, (1-level)/2)
	if err != nil {
		return Interval{}, fmt.Errorf("stats: %s: %d of %d: %w", fn, x, n, err)
	}
	return Interval{float64(x) / float64(n), lo, hi, level}, nil
}

// clopperPearsonBounds is the exact interval with probability tail beyond each end.
func clopperPearsonBounds(x, n uint64, tail float64) (lo, hi float64, err error) {
	xf, yf := float64(x), float64(n-x)
	logTail := math.Log(tail)
	hi = 1
	if x > 0 {
		if lo, _, err = betaQuantile(logTail, xf, yf+1); err != nil {
			return 0, 0, err
		}
	}
	if x < n {
		// The upper quantile is one minus the lower quantile of the failures.
		if _, hi, err = betaQuantile(logTail, yf, xf+1); err != nil {
			return 0, 0, err
		}
	}
	return lo, hi, nil
}

// Jeffreys returns the equal-tailed interval of the posterior
// Beta(x+1/2, n-x+1/2), from x successes in n independent trials.
//
// Point is x/n. Coverage is near level on average; unlike Wilson's its errors are
// balanced between the two sides. At x = 0 Lo is set to 0, at x = n Hi is set to 1,
// so that coverage does not vanish at the boundary.
//
// Errors: [ErrEmpty] for n = 0; [ErrDomain] for x > n or level outside (0,1).
// Cost: about 20 sqrt(n) steps.
//
// Reference: Brown, Cai & DasGupta (2001), Statistical Science 16, 101-133.
func Jeffreys(x, n uint64, level float64) (Interval, error) {
	const fn = "Jeffreys"
	if err := checkProportion(fn, x, n, level); err != nil {
		return Interval{}, err
	}
	xf, yf := float64(x)+0.5, float64(n-x)+0.5
	logTail := math.Log((1 - level) / 2)
	v := Interval{Point: float64(x) / float64(n), Hi: 1, Level: level}
	var err error
	if x > 0 {
		if v.Lo, _, err = betaQuantile(logTail, xf, yf); err != nil {
			return Interval{}, fmt.Errorf("stats: %s: %d of %d: %w", fn, x, n, err)
		}
	}
	if x < n {
		if _, v.Hi, err = betaQuantile(logTail, yf, xf); err != nil {
			return Interval{}, fmt.Errorf("stats: %s: %d of %d: %w", fn, x, n, err)
		}
	}
	return v, nil
}

// twoSidedZ is the normal quantile that leaves (1-level)/2 above it.
func twoSidedZ(level float64) float64 { return oneSidedZ((1 - level) / 2) }

// oneSidedZ is the normal quantile that leaves alpha above it.
func oneSidedZ(alpha float64) float64 { return -mathext.NormalQuantile(alpha) }

func checkTrials(fn string, x, n uint64) error {
	if n == 0 {
		return fmt.Errorf("stats: %s: 0 trials: %w", fn, ErrEmpty)
	}
	if x > n {
		return fmt.Errorf("stats: %s: %d successes of %d trials: %w", fn, x, n, ErrDomain)
	}
	return nil
}

func checkProportion(fn string, x, n uint64, level float64) error {
	if err := checkTrials(fn, x, n); err != nil {
		return err
	}
	if err := CheckLevel(level); err != nil {
		return fmt.Errorf("stats: %s: %w", fn, err)
	}
	return nil
}
