package checks

import (
	"cmp"
	"fmt"
	"math"
	"sort"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"gonum.org/v1/gonum/mathext"
)

// SRM asks whether units arrive in the arms in the proportions of the policy's
// split. A sample ratio mismatch means that the arms do not hold comparable
// units, so no other number can be trusted: the finding is Invalid, never Harm.
//
// Units are rows, unless a unit column shows that units repeat, more than one row
// in a hundred: then the units in the common hash sample of both arms are
// counted, up to some 8000 of each, with a warning. Units that are in both arms of
// one stage, 1% or more of them, are a finding of their own, multiple_exposure; so
// is traffic in an arm that should get none, traffic_leak.
//
// The test is the Dirichlet-multinomial mixture of [sequential.SRM], which holds
// at any number of looks and costs little against a test for a single look, so
// it serves a policy that looks once as well. Each stage is held against the split
// of that stage and their evidence is added; a stage in which one arm gets all is
// looked through for leaks only. The mismatch is reported when the e-value reaches
// 1/alpha, alpha being the SRM budget, and the share is off by at least half a
// percent of itself, or the evidence is beyond 1e6; below that a mismatch is a
// Warn. P is Pearson's chi-square for display. The estimate is the candidate's
// share of units with its confidence sequence: of several stages, in the one with
// the most evidence against its split.
//
// Fewer units than would be needed to fail if an arm got nothing, either one, are
// Insufficient; without an error budget it is Inconclusive. An arm that is not
// served at the same time has no share of the traffic: the finding is
// not_concurrent, Invalid.
//
// To find the cause, every feature with few distinct values is searched for
// values whose own split is off, each by the same e-value, with a Bonferroni
// correction for their number. The message names those of the column without
// which what remains fits the split best, and says whether it fits.
type SRM struct {
	// Of is the name of a provider's ratio whose units are counted in place of
	// rows.
	Of string
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

// Stratified implements [analysis.Stratified].
func (c SRM) Stratified() {}

// Metrics implements [analysis.MetricUser].
func (c SRM) Metrics() []analysis.MetricSpec {
	if c.Of == "" {
		return nil
	}
	return []analysis.MetricSpec{{Name: c.Of, Kind: analysis.RatioMetric}}
}

// silent reports whether the provider has brought nothing for one arm of a stage.
func (c SRM) silent(s analysis.Stratum) bool {
	for _, arm := range []*analysis.Snapshot{s.Baseline, s.Candidate} {
		if arm == nil || arm.Metric(c.Of) == nil || arm.Metric(c.Of).Window.N == 0 {
			return true
		}
	}
	return false
}

// splitStage is what is known of the split in one stage.
type splitStage struct {
	unitCounts
	stratum analysis.Stratum
	weights []float64
}

// share is the one that the candidate should get.
func (s splitStage) share() float64 { return s.weights[1] / (s.weights[0] + s.weights[1]) }

// divided reports whether both arms should get units.
func (s splitStage) divided() bool { return s.weights[0] > 0 && s.weights[1] > 0 }

// Run implements [analysis.Check].
func (c SRM) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if !(c.Floor >= 0 && c.Floor < 1) || !(c.MaxShared >= 0 && c.MaxShared < 1) {
		return nil, fmt.Errorf("checks: SRM: floor %v, shared %v: %w", c.Floor, c.MaxShared, stats.ErrDomain)
	}
	l := newLook(ev)
	f := analysis.NewFinding(c.Name(), "srm", "candidate_share")
	f.Alpha, f.Unit, f.Severity, f.Column = l.alpha, "share", analysis.SeverityPause, c.Of
	if ev.Compared != analysis.Concurrent {
		f.Code, f.Outcome, f.N = "not_concurrent", analysis.Invalid, rows(ev)
		f.Message = "The arms are not served at the same time, so neither has a share of the traffic; srm needs a concurrent baseline."
		return []analysis.Finding{f}, nil
	}
	var stages []splitStage
	var shared unitCounts
	all := strataOf(ev)
	for i, s := range all {
		w := s.Split
		if !(w.Baseline >= 0 && w.Candidate >= 0 && w.Baseline+w.Candidate > 0) || math.IsInf(w.Baseline+w.Candidate, 0) {
			f.Code, f.Outcome, f.N = "no_split", analysis.Invalid, rows(ev)
			f.Message = "The policy does not say which shares of the units the arms should get; add split."
			return []analysis.Finding{f}, nil
		}
		u, p := c.countUnits(s)
		switch {
		case p != nil:
			p.put(&f)
			return []analysis.Finding{f}, nil
		case u.n == (analysis.Counts{}):
			continue
		case c.Of != "" && c.silent(s) && w.Baseline > 0 && w.Candidate > 0 && i < len(all)-1:
			continue // an earlier stage that was collected in part
		case c.Of != "" && c.silent(s) && w.Baseline > 0 && w.Candidate > 0:
			f.Code, f.Outcome, f.N = "no_data", analysis.NoData, u.n
			f.Message = fmt.Sprintf("The provider has brought no window of %s for one of the arms, which is not the same as no units.", c.Of)
			return []analysis.Finding{f}, nil
		case c.Of == "" && (s.Baseline == nil || s.Candidate == nil):
			continue // collected in part
		}
		f.N.Baseline += u.n.Baseline
		f.N.Candidate += u.n.Candidate
		f.Warnings = append(f.Warnings, u.warnings...)
		shared.sampled.Baseline += u.sampled.Baseline
		shared.sampled.Candidate += u.sampled.Candidate
		shared.both += u.both
		stages = append(stages, splitStage{u, s, []float64{w.Baseline, w.Candidate}})
	}
	if len(stages) == 0 {
		if fs := missing(ev, c.Name()); fs != nil && c.Of == "" {
			return fs, nil
		}
		f.Code, f.Outcome, f.Message = "no_data", analysis.NoData, "Neither arm has any units yet."
		return []analysis.Finding{f}, nil
	}
	out, err := c.test(f, l, stages)
	if err != nil {
		return nil, err
	}
	if g, ok := c.exposure(shared); ok {
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

// countUnits counts rows, or units where the log shows that they repeat, or the
// units of a provider's ratio.
func (c SRM) countUnits(s analysis.Stratum) (unitCounts, *problem) {
	if c.Of != "" {
		return c.provided(s)
	}
	u := unitCounts{n: rows(&analysis.Evidence{Baseline: s.Baseline, Candidate: s.Candidate})}
	if s.Baseline == nil || s.Candidate == nil {
		return u, nil
	}
	b, k := s.Baseline.ByRole(analysis.Unit), s.Candidate.ByRole(analysis.Unit)
	if b == nil || k == nil || b.Units.Total() == 0 && !empty(s.Baseline) || k.Units.Total() == 0 && !empty(s.Candidate) {
		return u, nil // rows without units
	}
	u.sampled.Baseline, u.sampled.Candidate, u.both = b.Units.Shared(&k.Units)
	if r := rowsPerUnit(s.Baseline, s.Candidate); r > 1 {
		u.n = u.sampled
		u.warnings = append(u.warnings, stats.Warning{Code: stats.WarnRepeatedUnits,
			Message: fmt.Sprintf("Units repeat, so they are counted in place of rows, in the hash sample that both arms share (%s rows are worth one).", number(r))})
	}
	return u, nil
}

func (c SRM) provided(s analysis.Stratum) (u unitCounts, p *problem) {
	for _, arm := range []struct {
		s *analysis.Snapshot
		n *uint64
	}{{s.Baseline, &u.n.Baseline}, {s.Candidate, &u.n.Candidate}} {
		if arm.s == nil {
			continue
		}
		d := arm.s.Metric(c.Of)
		if d == nil || d.Kind != analysis.RatioMetric {
			return u, &problem{"no_metric", analysis.Invalid, fmt.Sprintf("The evidence holds no ratio %s; collect it again with this policy.", c.Of)}
		}
		if n := d.Count.Float64(); n <= maxCount {
			*arm.n = uint64(math.Round(n))
			continue
		}
		return u, &problem{"no_value", analysis.Invalid, fmt.Sprintf("%s counts more units than a provider can count.", c.Of)}
	}
	return u, nil
}

// test compares the counts of all stages with their splits.
func (c SRM) test(f analysis.Finding, l look, stages []splitStage) ([]analysis.Finding, error) {
	r, err := c.mixture(stages, l.alpha)
	if err != nil {
		return nil, err
	}
	if len(r.Leaks) > 0 {
		f.Code, f.Outcome = "traffic_leak", analysis.Invalid
		leak := r.Leaks[0]
		s := stages[leak.Stage]
		all := s.n.Baseline + s.n.Candidate
		got := float64(leak.Units) / float64(all)
		f.Estimate = stats.Interval{Point: got, Lo: got, Hi: got}
		f.Limit = 0
		f.Message = fmt.Sprintf("The %s should get no traffic%s but has %s of %s units, more than %s by accident: look at the routing.",
			[]string{"baseline", "candidate"}[leak.Arm], in(s, len(stages) > 1), count(leak.Units), count(all), number(leak.Limit))
		return []analysis.Finding{f}, nil
	}
	// The stage that speaks for all is the one with the most evidence.
	at := -1
	for i := range stages {
		if stages[i].divided() && (at < 0 || r.Stages[i].LogE > r.Stages[at].LogE) {
			at = i
		}
	}
	f.LogE, f.Method = stats.Float(r.LogE), r.Method+"; anytime-valid"
	if at < 0 {
		s := stages[len(stages)-1]
		f.Estimate, f.Limit = stats.Interval{Point: s.share(), Lo: s.share(), Hi: s.share()}, stats.Float(s.share())
		f.Outcome = analysis.Pass
		f.Message = fmt.Sprintf("All traffic goes to one arm, as intended: %s.", counts(f.N.Baseline, f.N.Candidate, "units"))
		return []analysis.Finding{f}, nil
	}
	return []analysis.Finding{c.judge(f, l, stages, at, r)}, nil
}

// judge says what the evidence amounts to.
func (c SRM) judge(f analysis.Finding, l look, stages []splitStage, at int, r sequential.SRMResult) analysis.Finding {
	s, seen := stages[at], r.Stages[at].Shares[1]
	f.Limit, f.Estimate, f.P = stats.Float(s.share()), seen, stats.Float(pearson(stages))
	f.Details = []analysis.Detail{detail("expected_share", s.share()), detail("deviation", r.Deviates), detail("floor", r.Floor)}
	if len(stages) > 1 {
		for i, o := range stages {
			if o.divided() {
				f.Details = append(f.Details, analysis.Detail{Name: "share" + in(o, true), Value: stats.Float(r.Stages[i].Shares[1].Point),
					Text: fmt.Sprintf("%s of %s units, %s was intended", percent(r.Stages[i].Shares[1].Point), count(r.Stages[i].N), percent(o.share()))})
			}
		}
	}
	last := at
	for i := range stages {
		if stages[i].divided() {
			last = i
		}
	}
	least, more := leastUnits(stages, last, l.alpha)
	f.Details = append(f.Details, detail("least_units_able_to_fail", float64(least)))
	size := counts(s.n.Baseline, s.n.Candidate, "units")
	was := fmt.Sprintf("The candidate has %s of the units%s, %s was intended", percent(seen.Point), in(s, len(stages) > 1), percent(s.share()))
	broken := r.LogE >= sequential.Threshold(l.alpha)
	switch {
	case broken && r.Material():
		f.Outcome = analysis.Invalid
		f.Message = fmt.Sprintf("Sample ratio mismatch: %s (%s; e-value %s). The arms do not hold comparable units, so no other number can be trusted.", lowerFirst(was), size, eValue(r.LogE))
		cause, details := findCause(s.stratum, s.weights, l.alpha, c)
		f.Details = append(f.Details, details...)
		f.Message += " " + cause
	case broken:
		f.Outcome = analysis.Warn
		f.Message = fmt.Sprintf("%s: surely not the same, but off by %s only, less than the %s that matters. %s.", was, percent(r.Deviates), percent(r.Floor), size)
	case least == 0:
		f.Outcome = analysis.Inconclusive
		f.Message = fmt.Sprintf("No mismatch could ever be proven: the error budget of srm is %s, and the split is %s to %s. %s.",
			number(l.alpha), number(s.weights[0]), number(s.weights[1]), size)
	case more > 0:
		f.Outcome = analysis.Insufficient
		f.UnitsNeeded = more/2 + 1
		f.Message = fmt.Sprintf("Too few units to see a mismatch: %s; with fewer than %s in all, it would be no proof if an arm got nothing.", size, count(least))
	default:
		f.Outcome = analysis.Pass
		f.Message = fmt.Sprintf("%s: no mismatch. With %s the share is between %s and %s.", was, size, percent(seen.Lo), percent(seen.Hi))
		if len(stages) > 1 {
			f.Message += fmt.Sprintf(" No other of the %d stages has more evidence of one.", len(stages))
		}
	}
	return f
}

// in names a stage in the middle of a sentence.
func in(s splitStage, several bool) string {
	if !several || s.stratum.Stage == "" {
		return ""
	}
	return " in the stage " + s.stratum.Stage
}

// pearson is the p-value of the chi-square statistics of the stages, added.
func pearson(stages []splitStage) float64 {
	sum, df, p := 0.0, 0.0, math.NaN()
	for _, s := range stages {
		if !s.divided() {
			continue
		}
		r, err := stats.GoodnessOfFit([]uint64{s.n.Baseline, s.n.Candidate}, s.weights, stats.ChiSquareOptions{})
		if err != nil {
			continue
		}
		sum, df, p = sum+r.Statistic, df+float64(r.DF), r.P
	}
	if df > 1 {
		return mathext.GammaIncRegComp(df/2, sum/2)
	}
	return p
}

// mixture is the test of [sequential.SRM] with the settings of the check.
func (c SRM) mixture(stages []splitStage, alpha float64) (sequential.SRMResult, error) {
	o := sequential.SRMOptions{Floor: c.Floor}
	if alpha > 0 {
		o.Level = 1 - alpha
	}
	shares := make([]sequential.ShareStage, len(stages))
	for i, s := range stages {
		shares[i] = sequential.ShareStage{Weights: s.weights, Counts: []uint64{s.n.Baseline, s.n.Candidate}}
	}
	r, err := sequential.SRM(shares, o)
	if err != nil {
		return r, fmt.Errorf("checks: SRM: %w", err)
	}
	return r, nil
}

// leastUnits is the number of units in a stage that, with those of the other
// stages, would fail if all were in one arm, whichever of the two that is; 0 when
// there is no such number. (A unit in an arm of 1% is improbable enough for three
// of them to fail, but it takes more than a thousand to miss that arm.) more is
// how many of them are still to come.
func leastUnits(stages []splitStage, last int, alpha float64) (least, more uint64) {
	const most = 1 << 20
	need := sequential.Threshold(alpha)
	for arm := range 2 {
		others := 0.0
		for i, s := range stages {
			if i != last && s.divided() {
				others += lostArm(s.weights, arm, float64(s.n.Baseline+s.n.Candidate))
			}
		}
		n := sort.Search(most, func(n int) bool { return others+lostArm(stages[last].weights, arm, float64(n)) >= need })
		if n == most {
			return 0, 0
		}
		least = max(least, uint64(n))
	}
	have := stages[last].n.Baseline + stages[last].n.Candidate
	least = max(least, 1)
	return least, least - min(least, have)
}

// lostArm is the log e-value of [sequential.SRM] if all n units are in one arm.
func lostArm(weights []float64, arm int, n float64) float64 {
	share, sum := weights[arm]/(weights[0]+weights[1]), 0.0
	for _, k := range []float64{100, 1e4, 1e6} {
		a, _ := math.Lgamma(k)
		b, _ := math.Lgamma(k + n)
		c, _ := math.Lgamma(float64(k*share) + n)
		d, _ := math.Lgamma(float64(k * share))
		sum += math.Exp(math.Min(a-b+c-d-float64(n*math.Log(share)), 600)) / 3
	}
	return math.Log(sum)
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
	c := SRM{Of: p.Str("of", ""), Floor: shareParam(p, "floor", "0.5%"), MaxShared: shareParam(p, "max_shared", "1%")}
	p.Severity(analysis.SeverityPause)
	if kind := p.Baseline(); kind != analysis.Concurrent {
		p.Errorf("baseline", "srm compares arms that are served at the same time; a %v baseline has no share of the traffic", kind)
	}
	return c, nil
}
