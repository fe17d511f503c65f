package special_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/internal/special"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestReference holds the logs of the incomplete beta and gamma functions against
// R and mpmath.
func TestReference(t *testing.T) {
	ref := statstest.Load(t, "stats_tails")
	for name, f := range map[string]func(in func(string) float64) float64{
		"logBetaI":  func(in func(string) float64) float64 { return special.LogBetaI(in("a"), in("b"), in("x"), 1-in("x")) },
		"logGammaP": func(in func(string) float64) float64 { return special.LogGammaP(in("a"), in("y")) },
		"logGammaQ": func(in func(string) float64) float64 { return special.LogGammaQ(in("a"), in("y")) },
	} {
		for _, c := range ref.ByFunc(t, name) {
			got := f(func(key string) float64 { return statstest.Float(t, c.In, key) })
			statstest.Near(t, c.Name+" against mpmath", got, statstest.Float(t, c.Want, "mpmath"), c.RTol, c.ATol)
			var right string
			if statstest.Decode(t, c.In, "right", &right); right == "R and mpmath" {
				statstest.Near(t, c.Name+" against R", got, statstest.Float(t, c.Want, "r"), c.RTol, c.ATol)
			}
		}
	}
	for _, c := range statstest.Load(t, "sequential").ByFunc(t, "logBetaCDF") {
		x := statstest.Float(t, c.In, "x")
		got := special.LogBetaI(statstest.Float(t, c.In, "a"), statstest.Float(t, c.In, "b"), x, 1-x)
		statstest.Near(t, c.Name, got, statstest.Float(t, c.Want, "log"), 1e-12, 0)
	}
}

func TestEnds(t *testing.T) {
	inf := math.Inf(1)
	for _, tc := range []struct {
		name      string
		got, want float64
	}{
		{"LogBetaI at 0", special.LogBetaI(2, 3, 0, 1), -inf},
		{"LogBetaI at 1", special.LogBetaI(2, 3, 1, 0), 0},
		{"LogGammaP at 0", special.LogGammaP(2, 0), -inf},
		{"LogGammaP at +Inf", special.LogGammaP(2, inf), 0},
		{"LogGammaQ at 0", special.LogGammaQ(2, 0), 0},
		{"LogGammaQ at +Inf", special.LogGammaQ(2, inf), -inf},
		{"Deviance of 0", special.Deviance(0, 3), 3},
		{"LogPoissonPMF of 0", special.LogPoissonPMF(0, 3), -3},
		{"LogBinomialPMF of 0", special.LogBinomialPMF(0, 2, 0.5, 0.5), -2 * math.Ln2},
		{"LogBinomialPMF of a subnormal probability", special.LogBinomialPMF(3, 2, 1e-310, 1), -2139.1015513914687},
		{"Log of the least number", special.Log(5e-324), -744.44007192138121818},
		{"Log of a subnormal number", special.Log(1e-310), -713.80137882815427},
		{"Log", special.Log(3), math.Log(3)},
		{"Log1mExp", special.Log1mExp(-1e-20), math.Log(1e-20)},
	} {
		statstest.Near(t, tc.name, tc.got, tc.want, 1e-15, 0)
	}
}

// TestStirlingError: the two branches and math.Lgamma agree.
func TestStirlingError(t *testing.T) {
	for _, x := range []float64{0.01, 0.5, 1, 9.999999, 15.999999, 16, 50} {
		l, _ := math.Lgamma(x)
		statstest.Near(t, "StirlingError", special.StirlingError(x), l-((x-0.5)*math.Log(x)-x+math.Log(2*math.Pi)/2), 1e-12, 1e-13)
	}
}
