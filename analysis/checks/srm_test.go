package checks_test

import (
	"math"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// arm is a log of n rows with units from a number on.
func arm(from, n int) table { return table{"id": ids(from, n)} }

// TestSRM: counts against the split, and what they say.
func TestSRM(t *testing.T) {
	for _, tc := range []struct {
		name  string
		split analysis.Split
		b, c  int
		want  analysis.Outcome
		code  string
	}{
		{"even", analysis.Split{Baseline: 0.5, Candidate: 0.5}, 5000, 5050, analysis.Pass, "srm"},
		{"even, off", analysis.Split{Baseline: 0.5, Candidate: 0.5}, 5000, 5600, analysis.Invalid, "srm"},
		{"1 to 99", analysis.Split{Baseline: 0.99, Candidate: 0.01}, 9900, 101, analysis.Pass, "srm"},
		{"1 to 99, off", analysis.Split{Baseline: 0.99, Candidate: 0.01}, 9900, 180, analysis.Invalid, "srm"},
		{"weights", analysis.Split{Baseline: 3, Candidate: 1}, 6000, 2000, analysis.Pass, "srm"},
		{"few", analysis.Split{Baseline: 0.5, Candidate: 0.5}, 8, 3, analysis.Insufficient, "srm"},
		{"leak", analysis.Split{Baseline: 1, Candidate: 0}, 5000, 20, analysis.Invalid, "traffic_leak"},
		{"drop", analysis.Split{Baseline: 1, Candidate: 0}, 50000, 3, analysis.Pass, "srm"},
		{"all to one arm", analysis.Split{Baseline: 0, Candidate: 1}, 2, 5000, analysis.Pass, "srm"},
		{"no split", analysis.Split{}, 10, 10, analysis.Invalid, "no_split"},
		{"bad split", analysis.Split{Baseline: math.NaN(), Candidate: 1}, 10, 10, analysis.Invalid, "no_split"},
		{"one arm silent", analysis.Split{Baseline: 0.5, Candidate: 0.5}, 5000, 0, analysis.Invalid, "srm"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := policy(analysis.Continuous, checks.SRM{})
			p.Split = tc.split
			fs, err := checks.SRM{}.Run(evidence(p, collect(t, p, arm(0, tc.b)), collect(t, p, arm(1_000_000, tc.c))))
			if err != nil {
				t.Fatal(err)
			}
			sound(t, fs)
			is(t, only(t, fs, tc.code), tc.want)
		})
	}
	p := policy(analysis.Once, checks.SRM{})
	is(t, only(t, run(t, p, nil, nil), "no_data"), analysis.NoData)
	is(t, only(t, run(t, p, arm(0, 5), nil), "no_data"), analysis.NoData)
}

// TestSRMFloor: with many units a real mismatch can be too small to matter.
func TestSRMFloor(t *testing.T) {
	p := policy(analysis.Continuous, checks.SRM{Floor: 0.05})
	// 10,000 names of units would be slow to make; rows are counted.
	f := only(t, run(t, p, table{"amount": repeat(1.0, 100_000)}, table{"amount": repeat(1.0, 102_500)}), "srm")
	is(t, f, analysis.Warn)
	p = policy(analysis.Continuous, checks.SRM{})
	is(t, only(t, run(t, p, table{"amount": repeat(1.0, 100_000)}, table{"amount": repeat(1.0, 102_500)}), "srm"), analysis.Invalid)
}

// TestSRMUnits: rows of one unit count once, and units in both arms are reported.
func TestSRMUnits(t *testing.T) {
	p := policy(analysis.Once, checks.SRM{})
	// The candidate's units appear twice as often: rows say 2 to 1, units 1 to 1.
	base := arm(0, 4000)
	cand := table{"id": draw(8000, func(i int) int64 { return int64(1_000_000 + i/2) })}
	f := only(t, run(t, p, base, cand), "srm")
	is(t, f, analysis.Pass)
	if !has(f, stats.WarnRepeatedUnits) || f.N.Candidate != 4000 {
		t.Errorf("%+v", f)
	}
	shared := func(k int) table {
		return table{"id": draw(4000, func(i int) int64 {
			if i < k {
				return int64(i)
			}
			return int64(1_000_000 + i)
		})}
	}
	g := only(t, run(t, p, base, shared(400)), "multiple_exposure")
	is(t, g, analysis.Invalid)
	if got := g.Estimate.Point; math.Abs(got-400.0/7600) > 1e-12 {
		t.Errorf("%v of the units are shared", got)
	}
	is(t, only(t, run(t, p, base, shared(20)), "multiple_exposure"), analysis.Warn)
	if fs := run(t, p, base, shared(0)); len(fs) != 1 {
		t.Errorf("%d findings", len(fs))
	}
	strict := policy(analysis.Once, checks.SRM{MaxShared: 0.001})
	is(t, only(t, run(t, strict, base, shared(20)), "multiple_exposure"), analysis.Invalid)
}

// TestSRMCause: the values whose units are lost are named.
func TestSRMCause(t *testing.T) {
	countries := []string{"DE", "FR", "PL", "US"}
	log := func(seed uint64, keep func(country string, amount float64, ok bool) bool) table {
		r := random(seed)
		var country []string
		var amount []float64
		var ok []bool
		for range 12000 {
			c, a, o := countries[r.IntN(4)], float64(r.IntN(5)), r.IntN(2) == 0
			if keep(c, a, o) {
				country, amount, ok = append(country, c), append(amount, a), append(ok, o)
			}
		}
		return table{"country": country, "amount": amount, "flag": ok}
	}
	all := func(string, float64, bool) bool { return true }
	p := policy(analysis.Once, checks.SRM{})
	p.Columns.Features = append(p.Columns.Features, "flag")
	r := random(3)
	for _, tc := range []struct {
		name, want string
		keep       func(string, float64, bool) bool
	}{
		{"a name is lost", "too little of country=PL (", func(c string, _ float64, _ bool) bool { return c != "PL" || r.IntN(2) == 0 }},
		{"a number is lost", "too little of amount=3 (", func(_ string, a float64, _ bool) bool { return a != 3 || r.IntN(2) == 0 }},
		{"a yes is lost", "too little of flag=true (", func(_ string, _ float64, ok bool) bool { return !ok || r.IntN(4) > 0 }},
		{"everywhere", "so look at assignment and weights", func(string, float64, bool) bool { return r.IntN(2) == 0 }},
	} {
		f := only(t, run(t, p, log(1, all), log(2, tc.keep)), "srm")
		is(t, f, analysis.Invalid)
		if !strings.Contains(f.Message, tc.want) {
			t.Errorf("%s: %s", tc.name, f.Message)
		}
	}
	f := only(t, run(t, p, log(1, func(c string, _ float64, _ bool) bool { return c != "FR" }), log(2, all)), "srm")
	if !strings.Contains(f.Message, "gets too much of country=FR (100%)") {
		t.Error(f.Message)
	}
	// Without features there is nothing to search.
	p.Columns.Features = nil
	f = only(t, run(t, p, arm(0, 5000), arm(9_000_000, 7000)), "srm")
	if !strings.Contains(f.Message, "No feature with few values") {
		t.Error(f.Message)
	}
}

// TestSRMMisuse: impossible settings.
func TestSRMMisuse(t *testing.T) {
	for _, c := range []checks.SRM{{Floor: -1}, {MaxShared: 2}} {
		if _, err := c.Run(evidence(policy(analysis.Once, c), nil, nil)); err == nil {
			t.Errorf("%+v runs", c)
		}
	}
}

// TestSRMBeforeTheFirstUnit: while the candidate of a hundredth of the traffic waits
// for its first unit, the baseline's are counted, not their rows.
func TestSRMBeforeTheFirstUnit(t *testing.T) {
	p := policy(analysis.Continuous, checks.SRM{})
	p.Split = analysis.Split{Baseline: 0.99, Candidate: 0.01}
	repeated := make([]int64, 4000) // 200 units, of which 2 were to be expected in the candidate
	for i := range repeated {
		repeated[i] = int64(i / 20)
	}
	fs := run(t, p, table{"id": repeated}, table{"id": []int64{}})
	if f := fs[0]; f.Outcome != analysis.Insufficient || f.N.Baseline != 200 {
		t.Errorf("%v of %d units: %s", f.Outcome, f.N.Baseline, f.Message)
	}
}
