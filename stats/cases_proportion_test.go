package stats_test

import (
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// counted reads a list of lists of numbers, the counts of each case.
func counted(t *testing.T, c in, key string) [][]float64 {
	t.Helper()
	var out [][]float64
	statstest.Decode(t, c.m, key, &out)
	return out
}

func TestProportionCases(t *testing.T) {
	cases, _ := goldenCases(t, "leadtime_sla_cases.json")
	ran := 0
	for _, c := range cases {
		id := c.text(t, "id")
		check, ok := proportionChecks[id]
		if !ok {
			continue
		}
		ran++
		t.Run(id, func(t *testing.T) { check(t, c.sub(t, "input"), c.sub(t, "expect"), statstest.Float(t, c, "tol")) })
	}
	if ran != len(proportionChecks) {
		t.Errorf("%d cases ran of %d checks", ran, len(proportionChecks))
	}
}

var proportionChecks = map[string]leadTimeCheck{
	"prop-newcombe-table":  checkOneProportion,
	"prop-sla-small":       checkOneProportion,
	"prop-lower-onesided":  checkAllSuccesses,
	"prop-diff-newcombe":   checkNewcombe,
	"prop-binom-vs-target": checkBinomialBelow,
	"rate-poisson-exact":   checkPoissonRate,
}

func checkOneProportion(t *testing.T, given, want in, tol float64) {
	level := given.num("conf")
	for name, f := range map[string]func(x, n uint64, level float64) (stats.Interval, error){
		"wilson": stats.Wilson, "clopper_pearson": stats.ClopperPearson, "jeffreys": stats.Jeffreys,
	} {
		if !want.has(name) {
			continue
		}
		ends := counted(t, want, name)
		for i, c := range counted(t, given, "cases") {
			v := must(f(uint64(c[0]), uint64(c[1]), level))(t)
			statstest.Near(t, name+" lower", v.Lo, ends[i][0], 0, tol)
			statstest.Near(t, name+" upper", v.Hi, ends[i][1], 0, tol)
		}
	}
}

// The lower end of a two-sided 90% interval is a one-sided 95% bound.
func checkAllSuccesses(t *testing.T, given, want in, tol float64) {
	level := 2*given.num("conf") - 1
	for i, n := range given.list("all_success_n") {
		v := must(stats.ClopperPearson(uint64(n), uint64(n), level))(t)
		statstest.Near(t, "lower bound", v.Lo, want.list("lower")[i], 0, tol)
	}
}

func checkNewcombe(t *testing.T, given, want in, tol float64) {
	ends := counted(t, want, "ci")
	for i, c := range counted(t, given, "cases") {
		d := must(stats.Newcombe(uint64(c[0]), uint64(c[1]), uint64(c[2]), uint64(c[3]), 0.95))(t)
		statstest.Near(t, "difference", d.Estimate.Point, want.list("diff")[i], 0, tol)
		statstest.Near(t, "lower", d.Estimate.Lo, ends[i][0], 0, tol)
		statstest.Near(t, "upper", d.Estimate.Hi, ends[i][1], 0, tol)
	}
}

func checkBinomialBelow(t *testing.T, given, want in, tol float64) {
	for i, c := range counted(t, given, "cases") {
		r := must(stats.BinomialTest(uint64(c[0]), uint64(c[1]), c[2], stats.ExactOptions{Alternative: stats.Less}))(t)
		statstest.Near(t, "p", r.P, want.list("p_lower")[i], 0, tol)
	}
}

func checkPoissonRate(t *testing.T, given, want in, tol float64) {
	v := must(stats.PoissonRate(uint64(given.num("events")), given.num("exposure_days"), 0.95))(t)
	statstest.Near(t, "rate", v.Point, want.num("rate"), 0, tol)
	statstest.Near(t, "lower", v.Lo, want.list("ci")[0], 0, tol)
	statstest.Near(t, "upper", v.Hi, want.list("ci")[1], 0, tol)
}
