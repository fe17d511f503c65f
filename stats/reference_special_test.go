package stats_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats"
	tails "github.com/rampguard/rampguard/stats/internal/special"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestSpecialReference holds the logs of the incomplete gamma function for a up to
// 1e15, and of the non-central chi-square law for a non-centrality up to 1e15, to
// 1e-12 of R's and mpmath's.
func TestSpecialReference(t *testing.T) {
	for name, f := range map[string]struct {
		log func(in in) float64
		p   func(x, df, ncp float64) (float64, error)
	}{
		"logGammaP": {log: func(in in) float64 { return tails.LogGammaP(in.num("a"), in.num("y")) }},
		"logGammaQ": {log: func(in in) float64 { return tails.LogGammaQ(in.num("a"), in.num("y")) }},
		"NonCentralChiSquareTail": {
			log: func(in in) float64 { return stats.LogNonCentralUpper(in.num("x"), in.num("df"), in.num("ncp")) },
			p:   stats.NonCentralChiSquareTail,
		},
		"NonCentralChiSquareCDF": {
			log: func(in in) float64 { return stats.LogNonCentralLower(in.num("x"), in.num("df"), in.num("ncp")) },
			p:   stats.NonCentralChiSquareCDF,
		},
	} {
		eachCase(t, "stats_special", name, func(t *testing.T, c statstest.Case, in in) {
			want := statstest.Float(t, c.Want, "log")
			statstest.Near(t, "log", f.log(in), want, c.RTol, c.ATol)
			if f.p != nil {
				p := must(f.p(in.num("x"), in.num("df"), in.num("ncp")))(t)
				statstest.Near(t, "p", p, math.Exp(want), 1e-12*max(1, -want), 0)
			}
		})
	}
}
