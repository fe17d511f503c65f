package stats_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestTailReference holds the quantiles and Student's t against R and mpmath, and
// p-values below 1e-200 against the definitions of their tests.
func TestTailReference(t *testing.T) {
	ref := statstest.Load(t, "stats_tails")
	for name, f := range map[string]func(args) (float64, error){
		"StudentTQuantile":  func(a args) (float64, error) { return stats.StudentTQuantile(a.num("p"), a.num("df")) },
		"ChiSquareQuantile": func(a args) (float64, error) { return stats.ChiSquareQuantile(a.num("p"), a.num("df")) },
		"logStudentTail":    func(a args) (float64, error) { return stats.LogStudentTail(a.num("t"), a.num("df")), nil },
	} {
		for _, c := range ref.ByFunc(t, name) {
			a := args{in{t, c.In}}
			got, err := f(a)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			statstest.Near(t, c.Name+" against mpmath", got, statstest.Float(t, c.Want, "mpmath"), c.RTol, c.ATol)
			if a.text("right") == "R and mpmath" {
				statstest.Near(t, c.Name+" against R", got, statstest.Float(t, c.Want, "r"), c.RTol, c.ATol)
			}
		}
	}
	for name, f := range map[string]func(args) (answer, error){
		"PairedT": func(a args) (answer, error) {
			r, err := stats.PairedT(a.list("x"), a.list("y"), stats.TOptions{})
			return answer{"t": r.T, "df": r.DF, "logp": r.LogP, "p": r.P}, err
		},
		"PairedAUC": func(a args) (answer, error) {
			c, err := stats.PairedAUC(a.list("a"), a.list("b"), a.labels(), 0.95)
			return comparison(c), err
		},
		"CompareAUC": discrete["CompareAUC"],
		"RateRatio": func(a args) (answer, error) {
			r, err := stats.RateRatio(a.count("x1"), a.num("t1"), a.count("x2"), a.num("t2"), a.num("level"))
			return answer{"logp": r.LogP, "p": r.P}, err
		},
		"MultinomialExact": func(a args) (answer, error) {
			r, err := stats.MultinomialExact(a.counts("observed"), a.list("weights"), stats.MultinomialOptions{})
			return answer{"logp": r.LogP, "tables": float64(r.Tables), "p": r.P}, err
		},
		"AndersonDarling": func(a args) (answer, error) {
			r, err := stats.AndersonDarling(a.list("x"), a.list("y"))
			return answer{"scaled": r.Scaled, "logp": r.LogP, "p": r.P}, err
		},
	} {
		for _, c := range ref.ByFunc(t, name) {
			got, err := f(args{in{t, c.In}})
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			for key := range c.Want {
				statstest.Near(t, c.Name+" "+key, got[key].(float64), statstest.Float(t, c.Want, key), c.RTol, c.ATol)
			}
			checkP(t, got["p"].(float64), got["logp"].(float64))
			if logp := got["logp"].(float64); logp > -460 {
				t.Errorf("%s: log p = %v is not below that of 1e-200", c.Name, logp)
			}
		}
	}
}

// TestClopperPearsonFarLevel: when all are successes the lower end is the n-th root
// of the tail, also where it lies close to 0.
func TestClopperPearsonFarLevel(t *testing.T) {
	level := 1 - 1e-15
	for n := uint64(1); n < 6; n++ {
		want := math.Pow((1-level)/2, 1/float64(n))
		v := must(stats.ClopperPearson(n, n, level))(t)
		statstest.Near(t, "lower end", v.Lo, want, 1e-13, 0)
		v = must(stats.ClopperPearson(0, n, level))(t)
		statstest.Near(t, "1 - upper end", 1-v.Hi, want, 1e-8, 1e-16)
	}
}
