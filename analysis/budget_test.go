package analysis_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// plain, pausing, sliced and bare are checks of the kinds that the budget tells
// apart.
type (
	plain   struct{ fakeCheck }
	pausing struct{ fakeCheck }
	sliced  struct{ fakeCheck }
	bare    struct{ fakeCheck }
)

func (pausing) PauseLimits() bool { return true }
func (sliced) SliceFamily()       {}
func (bare) ThresholdOnly()       {}

func entry(c analysis.Check, s analysis.Severity, weight float64) analysis.CheckEntry {
	return analysis.CheckEntry{Check: c, Severity: s, Required: s >= analysis.SeverityPause, Weight: weight}
}

// Whatever the checks, their shares and the reserve never add up to more than the
// budget, over all attempts.
func TestBudgetIsNeverOverspent(t *testing.T) {
	named := func(n string) fakeCheck { return fakeCheck{name: n} }
	policies := map[string][]analysis.CheckEntry{
		"one check": {entry(plain{named("a")}, analysis.SeverityRollback, 0)},
		"weights":   {entry(plain{named("a")}, analysis.SeverityRollback, 3), entry(plain{named("b")}, analysis.SeverityRollback, 1)},
		"all kinds": {
			entry(plain{named("a")}, analysis.SeverityRollback, 0), entry(pausing{named("b")}, analysis.SeverityRollback, 2),
			entry(sliced{named("c")}, analysis.SeverityRollback, 0), entry(plain{named("d")}, analysis.SeverityPause, 0),
			entry(sliced{named("e")}, analysis.SeverityPause, 5), entry(bare{named("f")}, analysis.SeverityPause, 0),
			entry(plain{named("g")}, analysis.SeverityWarn, 0), entry(plain{named("srm")}, analysis.SeverityPause, 0),
		},
		"slices only": {entry(sliced{named("a")}, analysis.SeverityPause, 0)},
		// The limits of b pause, whatever its severity.
		"limits that pause": {entry(plain{named("a")}, analysis.SeverityPause, 0), entry(pausing{named("b")}, analysis.SeverityWarn, 0)},
		"srm twice":         {entry(plain{named("srm")}, analysis.SeverityPause, 0), entry(plain{named("srm")}, analysis.SeverityPause, 3)},
	}
	for name, entries := range policies {
		p := &analysis.Policy{Budget: analysis.Budget{Rollback: 0.05, Pause: 0.1, SRM: 0.001}, Checks: entries}
		var rollback, pause, srm float64
		const attempts = 2000
		for a := 1; a <= attempts; a++ {
			for i := range p.Checks {
				e := &p.Checks[i]
				alpha, paused := p.Alpha(e, a)
				switch {
				case e.Check.Name() == "srm":
					srm += alpha
				case e.Severity == analysis.SeverityRollback:
					rollback += alpha
					pause += paused
				case e.Severity >= analysis.SeverityPause:
					pause += alpha
				default:
					if _, limits := e.Check.(analysis.PauseLimits); limits {
						pause += paused
					}
				}
			}
			for j := 1; j <= 100; j++ {
				rollback += p.ReserveAlpha(analysis.SeverityRollback, a, j)
				pause += p.ReserveAlpha(analysis.SeverityPause, a, j)
			}
		}
		for what, sum := range map[string][2]float64{"rollback": {rollback, 0.05}, "pause": {pause, 0.1}, "srm": {srm, 0.001}} {
			if sum[0] > sum[1]*(1+1e-9) {
				t.Errorf("%s: %v of the %s budget of %v is shared out", name, sum[0], what, sum[1])
			}
		}
	}
}

// The shares by hand, of 6/pi^2 of the budget for a first attempt.
func TestBudgetShares(t *testing.T) {
	first := 6 / (math.Pi * math.Pi)
	p := &analysis.Policy{Budget: analysis.Budget{Rollback: 0.05, Pause: 0.1, SRM: 0.001}, Checks: []analysis.CheckEntry{
		entry(plain{fakeCheck{name: "a"}}, analysis.SeverityRollback, 3),
		entry(pausing{fakeCheck{name: "b"}}, analysis.SeverityRollback, 1),
		entry(sliced{fakeCheck{name: "c"}}, analysis.SeverityPause, 0),
		entry(plain{fakeCheck{name: "d"}}, analysis.SeverityWarn, 0),
		entry(bare{fakeCheck{name: "e"}}, analysis.SeverityPause, 0),
		entry(plain{fakeCheck{name: "srm"}}, analysis.SeverityPause, 0),
	}}
	for i, want := range [][2]float64{
		{0.05 * 0.9 * 3 / 4, 0},         // rollback has no slices: whole arms get nine tenths
		{0.05 * 0.9 * 1 / 4, 0.1 * 0.5}, // the pause limits of b are whole arms, beside the slices of c
		{0.1 * 0.4, 0.1 * 0.4},
		{0.1 * 0.5 / 2, 0.1 * 0.5 / 2}, // held to the standard of b, and spends nothing
		{0, 0},
		{0.001, 0.001},
	} {
		alpha, pause := p.Alpha(&p.Checks[i], 1)
		if math.Abs(alpha-want[0]*first) > 1e-15 || math.Abs(pause-want[1]*first) > 1e-15 {
			t.Errorf("check %s: %v and %v, want %v and %v", p.Checks[i].Check.Name(), alpha, pause, want[0]*first, want[1]*first)
		}
	}
	if got := p.ReserveAlpha(analysis.SeverityPause, 1, 0); got != 0 {
		t.Errorf("hypothesis 0 may spend %v", got)
	}
	p.Looks.Kind = analysis.Once
	if alpha, _ := p.Alpha(&p.Checks[0], 1); math.Abs(alpha-0.05*0.9*0.75) > 1e-15 {
		t.Errorf("a log that is looked at once: %v", alpha)
	}
}
