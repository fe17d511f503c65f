package checks

import (
	"cmp"
	"fmt"
	"math"
	"sort"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

// SRM asks whether units arrive in the arms in the proportions of the policy's
// split. A sample ratio mismatch means that the arms do not hold comparable
// units, so no other number can be trusted: the finding is Invalid, never Harm.
//
// Units are rows, unless a unit column shows that units repeat, more than one row
// in a hundred: then the units in the common hash sample of both arms are
// counted, up to some 8000 of each, with a warning. Units that are in both arms,
// 1% or more of them, are a finding of their own, multiple_exposure; so is
// traffic in an arm that should get none, traffic_leak.
//
// The test is the Dirichlet-multinomial mixture of [sequential.SRM], which holds
// at any number of looks and costs little against a test for a single look, so
// it serves a policy that looks once as well. The mismatch is reported when the
// e-value reaches 1/alpha, alpha being the SRM budget, and the share is off by
// at least half a percent of itself, or the evidence is beyond 1e6; below that a
// mismatch is a Warn. P is Pearson's chi-square for display. The estimate is the
// candidate's share of units with its confidence sequence.
//
// Fewer units than would be needed to fail if an arm got nothing, either one, are
// Insufficient; without an error budget it is Inconclusive.
//
// To find the cause, every feature with few distinct values is searched for
// values whose own split is off, each by the same e-value, with a Bonferroni
// correction for their number. The message names those of the column without
// which what remains fits the split best, and says whether it fits.
type SRM struct {
	// Floor is the relative deviation of a share below which a mismatch is
	// immaterial; 0 means 0.005.
	Floor float64
	// MaxShared is the share of units in both arms from which on assignment is
	// broken; 0 means 0.01.
	MaxShared float64
}

// Name implements [analysis.Check].
func (c SRM) Name() string { return "srm" }

// Columns implements [analysis.Check].
func (c SRM) Columns() []analysis.ColumnSpec { return nil }

// Run implements [analysis.Check].
func (c SRM) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if !(c.Floor >= 0 && c.Floor < 1) || !(c.MaxShared >= 0 && c.MaxShared < 1) {
		return nil, fmt.Errorf("checks: SRM: floor %v, shared %v: %w", c.Floor, c.MaxShared, stats.ErrDomain)
	}
	l := newLook(ev)
	f := analysis.NewFinding(c.Name(), "srm", "candidate_share")
	f.Alpha, f.Unit, f.Severity = l.alpha, "share", analysis.SeverityPause
	split := l.policy.Split
	if !(split.Baseline >= 0 && split.Candidate >= 0 && split.Baseline+split.Candidate > 0) || math.IsInf(split.Baseline+split.Candidate, 0) {
		f.Code, f.Outcome, f.N = "no_split", analysis.Invalid, rows(ev)
		f.Message = "The policy does not say which shares of the units the arms should get; add split."
		return []analysis.Finding{f}, nil
	}
	if ev.Baseline == nil || ev.Candidate == nil || (empty(ev.Baseline) && empty(ev.Candidate)) {
		return missing(ev, c.Name()), nil
	}
	u := countUnits(ev)
	f.N, f.Warnings = u.n, u.warnings
	out, err := c.test(f, l, u, ev)
	if err != nil {
		return nil, err
	}
	if g, ok := c.exposure(u); ok {
		out = append(out, g)
	}
	return out, nil
}

// unitCounts are the units of both arms.
type unitCounts struct {
	n        analysis.Counts
	sampled  analysis.Counts // units of the arms in the common hash sample
	both     uint64          // of these, in both arms
	warnings []stats.Warning
}

// countUnits counts rows, or units where the log shows that they repeat.
func countUnits(ev *analysis.Evidence) unitCounts {
	u := unitCounts{n: rows(ev)}
	if empty(ev.Baseline) || empty(ev.Candidate) {
		return u
	}
	b, c := ev.Baseline.ByRole(analysis.Unit), ev.Candidate.ByRole(analysis.Unit)
	if b == nil || c == nil || b.Units.Total() == 0 || c.Units.Total() == 0 {
		return u
	}
	u.sampled.Baseline, u.sampled.Candidate, u.both = b.Units.Shared(&c.Units)
	if r := rowsPerUnit(ev.Baseline, ev.Candidate); r > 1 {
		u.n = u.sampled
		u.warnings = append(u.warnings, stats.Warning{Code: stats.WarnRepeatedUnits,
			Message: fmt.Sprintf("A unit appears in %s rows on average, so units are counted, in the hash sample that both arms share, instead of rows.", number(r))})
	}
	return u
}

// test compares the counts with the split.
func (c SRM) test(f analysis.Finding, l look, u unitCounts, ev *analysis.Evidence) ([]analysis.Finding, error) {
	weights := []float64{l.policy.Split.Baseline, l.policy.Split.Candidate}
	units := []uint64{u.n.Baseline, u.n.Candidate}
	share := weights[1] / (weights[0] + weights[1])
	r, err := c.mixture(weights, units, l.alpha)
	if err != nil {
		return nil, err
	}
	if len(r.Leaks) > 0 {
		f.Code, f.Outcome = "traffic_leak", analysis.Invalid
		leak := r.Leaks[0]
		arm := []string{"baseline", "candidate"}[leak.Arm]
		got := float64(leak.Units) / float64(units[0]+units[1])
		f.Estimate = stats.Interval{Point: got, Lo: got, Hi: got}
		f.Limit = 0
		f.Message = fmt.Sprintf("The %s should get no traffic but has %s of %s units, more than %s by accident: look at the routing.", arm, count(leak.Units), count(units[0]+units[1]), number(leak.Limit))
		return []analysis.Finding{f}, nil
	}
	seen := r.Stages[0].Shares[1]
	f.Limit, f.Method, f.LogE = stats.Float(share), r.Method+"; anytime-valid", stats.Float(r.LogE)
	f.Estimate = seen
	if share == 0 || share == 1 {
		f.Estimate = stats.Interval{Point: share, Lo: share, Hi: share}
	} else if p, err := stats.GoodnessOfFit(units, weights, stats.ChiSquareOptions{}); err == nil {
		f.P = stats.Float(p.P)
	}
	f.Details = []analysis.Detail{detail("expected_share", share), detail("deviation", r.Deviates), detail("floor", r.Floor)}
	least := c.leastUnits(weights, l.alpha)
	f.Details = append(f.Details, detail("least_units_able_to_fail", float64(least)))
	size := counts(units[0], units[1], "units")
	was := fmt.Sprintf("The candidate has %s of the units, %s was intended", percent(seen.Point), percent(share))
	broken := r.LogE >= sequential.Threshold(l.alpha)
	switch {
	case share == 0 || share == 1:
		f.Outcome = analysis.Pass
		f.Message = fmt.Sprintf("All traffic goes to one arm, as intended: %s.", size)
	case broken && r.Material():
		f.Outcome = analysis.Invalid
		f.Message = fmt.Sprintf("Sample ratio mismatch: %s (%s; e-value %s). The arms do not hold comparable units, so no other number can be trusted.", lowerFirst(was), size, eValue(r.LogE))
		cause, details := findCause(ev, weights, l.alpha, c)
		f.Details = append(f.Details, details...)
		f.Message += " " + cause
	case broken:
		f.Outcome = analysis.Warn
		f.Message = fmt.Sprintf("%s: surely not the same, but off by %s only, less than the %s that matters. %s.", was, percent(r.Deviates), percent(r.Floor), size)
	case least == 0:
		f.Outcome = analysis.Inconclusive
		f.Message = fmt.Sprintf("No mismatch could ever be proven: the error budget of srm is %s, and the split is %s to %s. %s.",
			number(l.alpha), number(weights[0]), number(weights[1]), size)
	case units[0]+units[1] < least:
		f.Outcome = analysis.Insufficient
		f.UnitsNeeded = (least-units[0]-units[1])/2 + 1
		f.Message = fmt.Sprintf("Too few units to see a mismatch: %s; with fewer than %s in all, it would be no proof if an arm got nothing.", size, count(least))
	default:
		f.Outcome = analysis.Pass
		f.Message = fmt.Sprintf("%s: no mismatch. With %s the share is between %s and %s.", was, size, percent(seen.Lo), percent(seen.Hi))
	}
	return []analysis.Finding{f}, nil
}

// mixture is the test of [sequential.SRM] with the settings of the check.
func (c SRM) mixture(weights []float64, units []uint64, alpha float64) (sequential.SRMResult, error) {
	o := sequential.SRMOptions{Floor: c.Floor}
	if alpha > 0 {
		o.Level = 1 - alpha
	}
	r, err := sequential.SRM([]sequential.ShareStage{{Weights: weights, Counts: units}}, o)
	if err != nil {
		return r, fmt.Errorf("checks: SRM: %w", err)
	}
	return r, nil
}

// leastUnits is the number of units that would fail if all were in one arm,
// whichever of the two that is; 0 when there is no such number. (A unit in an arm
// of 1% is improbable enough for three of them to fail, but it takes more than a
// thousand to miss that arm.)
func (c SRM) leastUnits(weights []float64, alpha float64) uint64 {
	const most = 1 << 20
	fails := func(n uint64) bool {
		for _, units := range [][]uint64{{n, 0}, {0, n}} {
			if r, err := c.mixture(weights, units, alpha); err != nil || !(r.LogE >= sequential.Threshold(alpha)) {
				return false
			}
		}
		return true
	}
	if n := sort.Search(most, func(n int) bool { return fails(uint64(n)) }); n < most {
		return uint64(n)
	}
	return 0
}

// exposure reports units that are in both arms.
func (c SRM) exposure(u unitCounts) (analysis.Finding, bool) {
	all := u.sampled.Baseline + u.sampled.Candidate - u.both
	if u.both == 0 || all == 0 {
		return analysis.Finding{}, false
	}
	limit := cmp.Or(c.MaxShared, 0.01)
	f := analysis.NewFinding(c.Name(), "multiple_exposure", "shared_units")
	f.N, f.Unit, f.Limit, f.Severity = u.sampled, "share", stats.Float(limit), analysis.SeverityPause
	f.Method = "units of the common hash sample; Wilson"
	v, err := stats.Wilson(u.both, all, 0.9)
	if err != nil {
		return analysis.Finding{}, false
	}
	f.Estimate = v
	f.Message = fmt.Sprintf("%s of %s units that were looked at are in both arms (%s)", count(u.both), count(all), percent(v.Point))
	if v.Point < limit {
		f.Outcome = analysis.Warn
		f.Message += fmt.Sprintf(", less than the %s that matters.", percent(limit))
		return f, true
	}
	f.Outcome = analysis.Invalid
	f.Message += ": assignment is not stable, and effects of one arm show in the other. The limit is " + percent(limit) + "."
	return f, true
}

// eValue formats an e-value of any size.
func eValue(logE float64) string {
	if logE < math.Log(1e4) {
		return number(math.Exp(logE))
	}
	return fmt.Sprintf("10^%.0f", math.Floor(logE/math.Ln10))
}

// lowerFirst starts a sentence in the middle of another.
func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

func buildSRM(p *analysis.Params) (analysis.Check, error) {
	c := SRM{Floor: shareParam(p, "floor", "0.5%"), MaxShared: shareParam(p, "max_shared", "1%")}
	p.Severity(analysis.SeverityPause)
	return c, nil
}
