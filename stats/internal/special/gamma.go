package special

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// temmeFrom is the a from which Temme's expansion is used near the mean.
const temmeFrom = 1e4

// LogGammaQ is the log of the upper regularised incomplete gamma function
// Q(a,y), for a > 0 and y >= 0.
//
// mathext.GammaIncRegComp has three faults in the tail, and is used outside them: it
// is 0 where Q underflows, so below 1e-250 Legendre's continued fraction takes over;
// for a above 1e4 it takes log(1+m) - m, m = (y-a)/a, as a difference, which costs all
// but 11 digits at a = 1e12, so there Temme's expansion is summed here; and for large
// a beyond four standard deviations it ends its sums too early.
//
// The relative error of the log, or of 1-Q where Q is near 1, is below 1e-12 for a up
// to 1e15, y and a taken as exact. A last digit of y is worth 1e-16 sqrt(a) |z| of the
// log, z = (y-a)/sqrt(a): a caller that rounds y at a = 1e15 has 9 digits.
func LogGammaQ(a, y float64) float64 {
	switch {
	case y <= 0:
		return 0
	case math.IsInf(y, 1):
		return math.Inf(-1)
	case y < a:
		return Log1mExp(LogGammaP(a, y))
	case a >= temmeFrom && y-a <= 0.3*a:
		return logTemme(a, y)
	case a < temmeFrom:
		if q := mathext.GammaIncRegComp(a, y); q > 1e-250 {
			return math.Log(q)
		}
	}
	// Q = y^a e^-y / Gamma(a) * 1/(y+1-a - 1(1-a)/(y+3-a - ...)), by Lentz.
	b := y + 1 - a
	c := math.Inf(1)
	d := 1 / b
	h := d
	for i := 1.0; i < 1e6; i++ {
		an := float64(-i * (i - a))
		b += 2
		d = 1 / (float64(an*d) + b)
		c = b + an/c
		step := float64(d * c)
		h *= step
		if math.Abs(step-1) < 3e-16 {
			break
		}
	}
	return LogPoissonPMF(a, y) + math.Log(a*h)
}

// LogGammaP is the log of the lower regularised incomplete gamma function P(a,y),
// for a > 0 and y >= 0, with the accuracy of [LogGammaQ]. mathext.GammaIncReg has the
// faults named there: it is wrong by a factor of 2 at a = 1e9 and six standard
// deviations. Below 1e-250, and far from the mean of a large a, the series of P is
// summed here.
func LogGammaP(a, y float64) float64 {
	switch {
	case y <= 0:
		return math.Inf(-1)
	case math.IsInf(y, 1):
		return 0
	case y >= a:
		return Log1mExp(LogGammaQ(a, y))
	case a >= temmeFrom && a-y <= 0.3*a:
		return logTemme(a, y)
	case a < temmeFrom:
		if p := mathext.GammaIncReg(a, y); p > 1e-250 {
			return math.Log(p)
		}
	}
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-17*sum; k++ {
		term = float64(term * (y / (a + k)))
		sum += term
	}
	return LogPoissonPMF(a, y) + math.Log(sum)
}

// logTemme is the log of the smaller tail of the gamma law, Q(a,y) for y >= a and
// P(a,y) below, for large a and y within 30% of it:
//
//	phi(z) (M(|z|) ± (C0 + C1/a + C2/a^2) / sqrt(a)),  z = eta sqrt(a),
//
// with Mills' ratio M. a eta^2/2 is y - a - a log(y/a), the deviance of a from y,
// which keeps its digits where y and a share theirs. C0, C1, C2 are power series in
// eta; the first term left out is below 1e-15 of the sum.
//
// Reference: Temme (1979), SIAM Journal on Mathematical Analysis 10, 757-766.
func logTemme(a, y float64) float64 {
	half := Deviance(a, y) // a eta^2 / 2
	z := math.Sqrt(2 * half)
	eta := z / math.Sqrt(a)
	if y < a {
		eta = -eta
	}
	c := power(temme0[:], eta) + (power(temme1[:], eta)+power(temme2[:], eta)/a)/a
	if y < a {
		c = -c
	}
	return math.Log(Mills(z)+c/math.Sqrt(a)) - log2Pi/2 - half
}

// The Taylor coefficients of C0, C1 and C2: with mu - log(1+mu) = eta^2/2, C0 is
// 1/mu - 1/eta, and C(k) is C(k-1)'/eta less its pole.
var (
	temme0 = [...]float64{
		-0.333333333333333333, 0.0833333333333333333, -0.0148148148148148148, 0.00115740740740740741,
		0.0003527336860670194, -0.000178755144032921811, 0.0000391926317852243778, -2.18544851067999216e-6,
		-1.85406221071515996e-6, 8.29671134095308601e-7, -1.76659527368260793e-7, 6.70785354340149858e-9,
		1.0261809784240308e-8, -4.38203601845335319e-9, 9.14769958223679023e-10, -2.55141939949462498e-11,
		-5.83077213255042507e-11,
	}
	temme1 = [...]float64{
		-0.00185185185185185185, -0.00347222222222222222, 0.0026455026455026455, -0.000990226337448559671,
		0.000205761316872427984, -4.01877572016460905e-7, -0.0000180985503344899778, 7.64916091608111008e-6,
		-1.6120900894563446e-6, 4.64712780280743434e-9, 1.37863344691572096e-7,
	}
	temme2 = [...]float64{
		0.0041335978835978836, -0.00268132716049382716, 0.000771604938271604938, 2.00938786008230453e-6,
		-0.000107366532263651605, 0.0000529234488291201254,
	}
)

// power is the sum of c[k] x^k.
func power(c []float64, x float64) float64 {
	s := 0.0
	for k := len(c) - 1; k >= 0; k-- {
		s = float64(s*x) + c[k]
	}
	return s
}
