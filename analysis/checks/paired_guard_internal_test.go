package checks

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"gonum.org/v1/gonum/stat/distuv"
)

// Regressions and fixes are as good as Poisson counts here, and all of both that occur
// are gone through: with the net share at the margin the probability of Harm is at
// most alpha. By Tango's interval alone it is up to 3 times that.
func TestNetBoundsKeepTheirError(t *testing.T) {
	const n, margin = 10000, 0.001
	for _, tt := range []struct{ alpha, fixes float64 }{{0.01, 0}, {0.0025, 0}, {0.01, 2}, {0.05, 10}} {
		l := pairLook{look: look{alpha: tt.alpha, noHarm: 0.05}, r: newRuler(&analysis.Policy{Looks: analysis.Looks{Kind: analysis.Once}}, 0), repeats: 1}
		worse, better := distuv.Poisson{Lambda: n*margin + tt.fixes}, distuv.Poisson{Lambda: tt.fixes}
		size, score := 0.0, 0.0
		for c := range 30 {
			for b := range 60 {
				p := worse.Prob(float64(b))
				if tt.fixes > 0 {
					p *= better.Prob(float64(c))
				} else if c > 0 {
					continue
				}
				if p < 1e-9 {
					continue
				}
				var f analysis.Finding
				if harm, _ := l.netBounds(margin, uint64(b), uint64(c), n, &f); harm.lo > margin {
					size += p
				}
				if tango(uint64(b), uint64(c), n, tt.alpha).lo > margin {
					score += p
				}
			}
		}
		if size > tt.alpha || score < tt.alpha {
			t.Errorf("with %v fixes Harm has probability %v, at an error of %v (%v by Tango)", tt.fixes, size, tt.alpha, score)
		}
	}
}

// Rounding rows to units works against what is to be proven.
func TestNetBoundsRoundAgainstTheClaim(t *testing.T) {
	once := newRuler(&analysis.Policy{Looks: analysis.Looks{Kind: analysis.Once}}, 0)
	at := func(b, c, n uint64, repeats float64) (harm, pass span) {
		var f analysis.Finding
		return pairLook{look: look{alpha: 0.05, noHarm: 0.05}, r: once, repeats: repeats}.netBounds(0.001, b, c, n, &f)
	}
	harm, pass := at(15, 2, 1000, 10)
	least, _ := at(1, 1, 100, 1)
	_, most := at(2, 0, 100, 1)
	if harm.lo != least.lo || pass.hi != most.hi {
		t.Errorf("%v to %v, want %v to %v", harm.lo, pass.hi, least.lo, most.hi)
	}
}

// Of n pairs of a kind that has the probability unseen, none is seen with probability
// alpha.
func TestUnseen(t *testing.T) {
	for _, alpha := range []float64{0.05, 0.001} {
		z := distuv.UnitNormal.Quantile(1 - alpha)
		if got := math.Exp(-100 * unseen(z, 100)); math.Abs(got-alpha) > 1e-9 {
			t.Errorf("alpha %v: %v", alpha, got)
		}
	}
}
