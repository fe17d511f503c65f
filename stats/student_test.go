package stats_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestErrorsStudent(t *testing.T) {
	for name, err := range map[string]error{
		"p below 0":    second(stats.StudentTQuantile(-0.1, 3)),
		"p above 1":    second(stats.StudentTQuantile(1.1, 3)),
		"p NaN":        second(stats.StudentTQuantile(nan, 3)),
		"df 0":         second(stats.StudentTQuantile(0.1, 0)),
		"df NaN":       second(stats.StudentTQuantile(0.1, nan)),
		"level 0":      stats.CheckLevel(0),
		"level 1":      stats.CheckLevel(1),
		"level NaN":    stats.CheckLevel(nan),
		"level -Inf":   stats.CheckLevel(-inf),
		"level 1+1e-9": stats.CheckLevel(1 + 1e-9),
	} {
		if !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: error %v, want one that wraps %v", name, err, stats.ErrDomain)
		}
	}
	for _, level := range []float64{5e-324, 0.5, 1 - 0x1p-53} {
		if err := stats.CheckLevel(level); err != nil {
			t.Errorf("level %v: %v", level, err)
		}
	}
}

func TestSpecialCasesStudent(t *testing.T) {
	for _, c := range []struct{ p, df, want float64 }{
		{0, 3, inf}, {0.5, 3, 0}, {1, 3, -inf}, {1e-300, 0.5, inf}, {1 - 1e-16, 1e-3, -inf},
		{0.025, inf, 1.9599639845400545}, {0.975, inf, -1.9599639845400545},
		{5e-324, inf, 38.46740561714434}, // scipy.special.ndtri_exp
	} {
		got := must(stats.StudentTQuantile(c.p, c.df))(t)
		statstest.Near(t, "quantile", got, c.want, 1e-14, 0)
	}
}

// TestStudentLaws: quantiles are odd about 1/2, fall in p, shrink in df towards
// the normal ones, and are undone by the tail.
func TestStudentLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := math.Exp(-rapid.Float64Range(math.Ln2, 690).Draw(rt, "log 1/p"))
		df := math.Exp(rapid.Float64Range(0, 20).Draw(rt, "log df"))
		x := must(stats.StudentTQuantile(p, df))(t)
		if back := stats.LogStudentTail(x, df); !statstest.IsNear(back, math.Log(p), 1e-12, 1e-12) {
			rt.Errorf("tail of the quantile %v is e^%v, want %v", x, back, p)
		}
		if more := must(stats.StudentTQuantile(p*0.9, df))(t); !(more > x) {
			rt.Errorf("quantile of %v is %v, not above %v", p*0.9, more, x)
		}
		if closer := must(stats.StudentTQuantile(p, 2*df))(t); !(closer <= x*(1+1e-13)) {
			rt.Errorf("with twice the degrees of freedom %v, not below %v", closer, x)
		}
		if z := must(stats.StudentTQuantile(p, inf))(t); !(z <= x*(1+1e-13)) {
			rt.Errorf("normal quantile %v above %v", z, x)
		}
		if q := 1 - p; 1-q == p {
			if other := must(stats.StudentTQuantile(q, df))(t); other != -x {
				rt.Errorf("quantiles %v and %v on the two sides", x, other)
			}
		}
	})
}
