package checks_test

import (
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// Of 2,000 rows of the baseline 60 have a name of their own and 30 one that occurs
// twice: 3% of new names are to be expected, with a standard error of 0.55 points. Twice
// that is nothing, however many rows the candidate has; six times that is something.
func TestContractUnseenDoubtsTheBaseline(t *testing.T) {
	log := func(rows, once, twice int, name string) table {
		m := make([]string, rows)
		for i := range m {
			switch {
			case i < once:
				m[i] = fmt.Sprint(name, i)
			case i < once+2*twice:
				m[i] = fmt.Sprint(name, once+(i-once)/2)
			default:
				m[i] = fmt.Sprint("known", i%5)
			}
		}
		return table{"m": m}
	}
	text := "version: 1\nlooks: once\ncolumns: {score: score, features: [m]}\nchecks:\n  - {check: contract, features: [{column: m, max_unseen: 0.1%}]}\n"
	p, err := analysis.LoadPolicy("p.yaml", []byte(text), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	base := collect(t, p, log(2000, 60, 15, "b"))
	for _, tt := range []struct {
		unseen int
		want   analysis.Outcome
	}{{100, analysis.Pass}, {620, analysis.Inconclusive}, {820, analysis.Inconclusive}, {1300, analysis.Harm}} {
		ev := evidence(p, base, collect(t, p, log(20000, tt.unseen, 0, "c")))
		ev.Alpha = 0.01
		fs, err := p.Checks[0].Check.Run(ev)
		if err != nil {
			t.Fatal(err)
		}
		if fs[0].Outcome != tt.want {
			t.Errorf("%d of 20,000: %v: %s", tt.unseen, fs[0].Outcome, fs[0].Message)
		}
	}
}
