package checks_test

import (
	"math"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// TestSRMStages: every stage is held against its own split, and the evidence of
// all of them is added.
func TestSRMStages(t *testing.T) {
	c := checks.SRM{}
	shares := []float64{0.1, 0.5, 1}
	arm := func(n int) table {
		if n < 0 {
			return nil
		}
		return table{"score": repeat(0.5, n), "country": draw(n, func(i int) string { return []string{"DE", "FR", "IT"}[i%3] })}
	}
	for _, tc := range []struct {
		name string
		n    [][2]int
		code string
		want analysis.Outcome
		text string
	}{
		{"as planned", [][2]int{{9000, 1000}, {5000, 5000}}, "srm", analysis.Pass, "No other of the 2 stages"},
		{"pooled it would fit", [][2]int{{7500, 2500}, {6500, 3500}}, "srm", analysis.Invalid, "in the stage"},
		{"the first is off", [][2]int{{8600, 1400}, {5000, 5000}}, "srm", analysis.Invalid, "14% of the units in the stage a, 10% was intended"},
		{"neither alone, both together", [][2]int{{44500, 5500}, {24750, 26000}}, "srm", analysis.Invalid, ""},
		{"full, as planned", [][2]int{{9000, 1000}, {5000, 5000}, {0, 20000}}, "srm", analysis.Pass, ""},
		{"full, with a leak", [][2]int{{9000, 1000}, {5000, 5000}, {200, 20000}}, "traffic_leak", analysis.Invalid, "in the stage c"},
		{"first units of a stage", [][2]int{{9000, 1000}, {3, 4}}, "srm", analysis.Pass, ""},
		{"first units", [][2]int{{10, 1}}, "srm", analysis.Insufficient, ""},
		{"only one stage was seen", [][2]int{{-1, -1}, {5000, 5000}}, "srm", analysis.Pass, ""},
		{"nothing was seen", [][2]int{{-1, -1}, {-1, -1}}, "no_data", analysis.NoData, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := ramp(analysis.Continuous, shares, c)
			var arms [][2]table
			for _, n := range tc.n {
				arms = append(arms, [2]table{arm(n[0]), arm(n[1])})
			}
			f := only(t, runOn(t, c, stages(t, p, arms...)), tc.code)
			is(t, f, tc.want)
			if !strings.Contains(f.Message, tc.text) {
				t.Error(f.Message)
			}
		})
	}
}

// TestSRMMovedUnits: a unit that moves to the candidate with a stage is in both
// arms, but never at the same time.
func TestSRMMovedUnits(t *testing.T) {
	c := checks.SRM{}
	p := ramp(analysis.Continuous, []float64{0.25, 0.5}, c)
	arm := func(from, n int) table { return table{"id": ids(from, n), "score": repeat(0.5, n)} }
	fs := runOn(t, c, stages(t, p, [2]table{arm(0, 3000), arm(3000, 1000)}, [2]table{arm(0, 2000), arm(2000, 2000)}))
	is(t, only(t, fs, "srm"), analysis.Pass)
	for _, f := range fs {
		if f.Code == "multiple_exposure" {
			t.Error(f.Message)
		}
	}
}

// TestSRMOfAProvider counts the units of a ratio.
func TestSRMOfAProvider(t *testing.T) {
	c := checks.SRM{Of: "requests"}
	p := policy(analysis.Continuous, c)
	f := only(t, runOn(t, c, evidence(p, provided(t, p, window(0, 1, 5000)), provided(t, p, window(0, 1, 5010)))), "srm")
	is(t, f, analysis.Pass)
	f = only(t, runOn(t, c, evidence(p, provided(t, p, window(0, 1, 6000)), provided(t, p, window(0, 1, 5010)))), "srm")
	is(t, f, analysis.Invalid)
	if math.Abs(f.Estimate.Point-5010.0/11010) > 1e-12 || f.Column != "requests" {
		t.Errorf("%v of %s", f.Estimate, f.Column)
	}
	is(t, only(t, runOn(t, c, evidence(p, provided(t, p), provided(t, p))), "no_data"), analysis.NoData)
	is(t, only(t, runOn(t, c, evidence(p, collect(t, policy(analysis.Once), table{}), nil)), "no_metric"), analysis.Invalid)
}
