package summary_test

import (
	"math"
	"math/big"
	"slices"
)

// exactShape computes count to kurtosis in rational arithmetic, for values with
// multiplicities. Skewness goes through a square root of 500 bits.
func exactShape(xs []float64) (n int, mean, variance, skewness, kurtosis float64) {
	n = len(xs)
	sum := new(big.Rat)
	for _, x := range xs {
		sum.Add(sum, rat(x))
	}
	m := new(big.Rat).Quo(sum, ratInt(n))
	var c [5]*big.Rat // sums of powers of deviations
	for k := range c {
		c[k] = new(big.Rat)
	}
	for _, x := range xs {
		d := new(big.Rat).Sub(rat(x), m)
		p := ratInt(1)
		for k := range c {
			c[k].Add(c[k], p)
			p.Mul(p, d)
		}
	}
	mean, variance, skewness, kurtosis = nearest(m), math.NaN(), math.NaN(), math.NaN()
	if n > 1 {
		variance = nearest(new(big.Rat).Quo(c[2], ratInt(n-1)))
	}
	if c[2].Sign() != 0 {
		square := new(big.Rat).Mul(c[2], c[2])
		kurtosis = nearest(new(big.Rat).Quo(new(big.Rat).Mul(ratInt(n), c[4]), square))
		s := new(big.Rat).Mul(c[3], c[3])
		s.Mul(s, ratInt(n))
		s.Quo(s, square.Mul(square, c[2]))
		f := new(big.Float).SetPrec(500).SetRat(s)
		skewness, _ = f.Sqrt(f).Float64()
		skewness *= float64(c[3].Sign())
	}
	return n, mean, variance, skewness, kurtosis
}

func rat(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

func ratInt(n int) *big.Rat { return new(big.Rat).SetInt64(int64(n)) }

func nearest(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

// exactSum is the correctly rounded sum.
func exactSum(xs []float64) float64 {
	sum := new(big.Rat)
	for _, x := range xs {
		sum.Add(sum, rat(x))
	}
	return nearest(sum)
}

// keep returns the values that a layout over [lo, hi] counts, with -0 as 0,
// sorted.
func keep(xs []float64, lo, hi float64) []float64 {
	var out []float64
	for _, x := range xs {
		if x >= lo && x <= hi && !math.IsInf(x, 0) {
			out = append(out, x+0)
		}
	}
	slices.Sort(out)
	return out
}
