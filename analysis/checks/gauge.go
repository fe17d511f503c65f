package checks

import (
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Gauge holds a bare value of a provider against thresholds: one number a window,
// such as a share that some service has computed, or the memory in use. Nothing
// is known of its noise, so it has no interval, no error and no proof of harm, and
// a single value means little: what counts is how many of the last windows were in
// breach; see [analysis.Hysteresis]. Where the numbers behind the value are to be
// had, a [Guardrail] tells more.
//
// Each limit gives a finding about the newest window: Harm when the value is
// beyond the limit, Pass when it is at the limit or within. The engine makes of it
// what the windows so far amount to. The estimate is the value itself, larger
// being worse: value for a bound from above, bound - value (limit 0) for one from
// below, candidate/baseline for a multiple.
//
// Only the present stage is looked at; windows of earlier stages keep counting
// among the last ones. A gauge without a value is NoData: a missing or impossible
// one is neither zero nor harm. A multiple of a baseline that is not above 0 has
// no meaning and is Inconclusive, no_ratio.
type Gauge struct {
	// Of is the name of the provider's metric.
	Of string
	// Direction says which way is good.
	Direction stats.Direction
	// Bounds are limits of the candidate's own value.
	Bounds Limits
	// Relative are limits of candidate/baseline, as ratios.
	Relative Limits
	// Breach is the rule by which breaches count; K = 0 means 3 of 5, cleared by 3.
	Breach analysis.Hysteresis
}

// Name implements [analysis.Check].
func (g Gauge) Name() string { return "gauge" }

// Columns implements [analysis.Check].
func (g Gauge) Columns() []analysis.ColumnSpec { return nil }

// Stratified implements [analysis.Stratified].
func (g Gauge) Stratified() {}

// ThresholdOnly implements [analysis.ThresholdOnly].
func (g Gauge) ThresholdOnly() {}

// Metrics implements [analysis.MetricUser].
func (g Gauge) Metrics() []analysis.MetricSpec {
	return []analysis.MetricSpec{{Name: g.Of, Kind: analysis.GaugeMetric}}
}

func (g Gauge) limits() []limit {
	return Guardrail{Bounds: g.Bounds, Relative: g.Relative}.limits()
}

// worse is +1 when a higher value is worse, -1 when a lower one is.
func (g Gauge) worse() float64 { return -float64(g.Direction) }

// unfit says why a limit cannot be used, or nothing.
func (g Gauge) unfit(l limit) string {
	if u := l.quantity.Unit; l.kind == boundLimit && u == analysis.Points {
		return fmt.Sprintf("bound %v is a difference of shares; bounds are in the gauge's own unit", l.quantity)
	}
	return Guardrail{Metric: Mean, Direction: g.Direction}.unfit(l)
}

func (g Gauge) validate() error {
	fault := func(format string, args ...any) error {
		return fmt.Errorf("checks: Gauge: %s: %w", fmt.Sprintf(format, args...), stats.ErrDomain)
	}
	b := g.Breach
	switch {
	case g.Of == "":
		return fault("no metric is named")
	case g.worse() != 1 && g.worse() != -1:
		return fault("%s needs a direction, %v", g.Of, g.Direction)
	case len(g.limits()) == 0:
		return fault("no bounds or relative limits to hold %s against", g.Of)
	case b.K < 0 || b.Of < 0 || b.Clear < 0 || b.Cooldown < 0 || b.Of > 0 && b.Of < b.K:
		return fault("breaches %d of %d windows, %d clear, cooldown %v", b.K, b.Of, b.Clear, b.Cooldown)
	}
	for _, l := range g.limits() {
		if why := g.unfit(l); why != "" {
			return fault("%s", why)
		}
	}
	return nil
}

// rule is the rule by which breaches count, with its defaults.
func (g Gauge) rule() analysis.Hysteresis {
	h := g.Breach
	if h.K == 0 {
		h.K, h.Of = 3, max(h.Of, 5)
	}
	if h.Clear == 0 {
		h.Clear = 3
	}
	return h
}

// Run implements [analysis.Check].
func (g Gauge) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if err := g.validate(); err != nil {
		return nil, err
	}
	cand, none := g.read(ev.Candidate, "candidate")
	if none != nil {
		return []analysis.Finding{g.unanswered(none)}, nil
	}
	var out []analysis.Finding
	lone := false
	base, none := g.read(ev.Baseline, armName(ev.Compared))
	if ev.Compared == analysis.Absolute {
		none = &problem{"no_baseline", analysis.Invalid, fmt.Sprintf("%s has nothing to be compared with, because the policy says baseline: absolute; give it bounds.", g.Of)}
	}
	for _, l := range g.limits() {
		if l.kind == ratioLimit && none != nil {
			lone = true
			continue
		}
		out = append(out, g.judge(ev, l, base, cand))
	}
	if lone {
		out = append(out, g.unanswered(none))
	}
	return out, nil
}

// reading is the newest value of a gauge in one arm.
type reading struct {
	value   float64
	end     time.Time
	windows uint64
	lost    uint64
}

func (g Gauge) read(s *analysis.Snapshot, arm string) (reading, *problem) {
	if s == nil {
		return reading{}, noData("no_data", "The %s has no value of %s yet.", arm, g.Of)
	}
	d := s.Metric(g.Of)
	switch {
	case d == nil || d.Kind != analysis.GaugeMetric:
		return reading{}, &problem{"no_metric", analysis.Invalid, fmt.Sprintf("The evidence of the %s holds no gauge %s; collect it again with this policy.", arm, g.Of)}
	case d.Window.N == 0 && d.Missing+d.Invalid > 0:
		return reading{}, noData("no_data", "The %s has no value of %s: the provider had nothing for %s windows, and no number for %s.", arm, g.Of, count(d.Missing), count(d.Invalid))
	case d.Window.N == 0:
		return reading{}, noData("no_data", "The %s has no value of %s yet.", arm, g.Of)
	}
	return reading{value: d.Gauge.Value, end: time.UnixMicro(d.Gauge.At).UTC(), windows: d.Window.N, lost: d.Missing + d.Invalid}, nil
}

func (g Gauge) unanswered(p *problem) analysis.Finding {
	f := analysis.NewFinding(g.Name(), p.code, g.Of)
	p.put(&f)
	return f
}

// judge holds the newest window against one limit.
func (g Gauge) judge(ev *analysis.Evidence, l limit, base, cand reading) analysis.Finding {
	f := analysis.NewFinding(g.Name(), l.code, g.Of)
	f.Severity, f.Method = l.severity, "one value a window, no interval"
	f.N = analysis.Counts{Baseline: base.windows, Candidate: cand.windows}
	f.Hysteresis, f.Window = g.rule(), cand.end
	f.Details = []analysis.Detail{detail("candidate", cand.value)}
	v, limit := l.quantity.Value, l.quantity.Value
	text := fmt.Sprintf("%s of the candidate is %s; the limit is %s.", g.Of, number(cand.value), number(v))
	point := cand.value
	switch {
	case l.kind == boundLimit:
		f.Compared = analysis.Absolute
		if g.worse() < 0 {
			point, limit = v-cand.value, 0
		}
	case !(base.value > 0):
		f.Code, f.Outcome = "no_ratio", analysis.Inconclusive
		f.Message = fmt.Sprintf("%s of the %s is %s, of which a multiple has no meaning; a bound would be firmer.", g.Of, armName(ev.Compared), number(base.value))
		return f
	default:
		f.Compared, f.Unit = ev.Compared, "ratio"
		f.Details = append([]analysis.Detail{detail("baseline", base.value)}, f.Details...)
		ratio := cand.value / base.value
		text = fmt.Sprintf("%s went from %s to %s, %s; the limit is %s.", g.Of, number(base.value), number(cand.value), quantity(ratio, "ratio"), quantity(v, "ratio"))
		if point = ratio; g.worse() < 0 {
			f.Unit = "relative"
			point, limit = 1-ratio, 1-v
		}
	}
	f.Estimate = stats.Interval{Point: point, Lo: point, Hi: point}
	f.Limit = stats.Float(limit)
	f.Outcome = analysis.Pass
	if point > limit || math.IsNaN(point) {
		f.Outcome = analysis.Harm
	}
	if cand.lost > 0 {
		warn(&f, WarnMissing, fmt.Sprintf("%s windows of the candidate had no value; they are neither a breach nor clear.", count(cand.lost)))
	}
	f.Message = text
	return f
}

func buildGauge(p *analysis.Params) (analysis.Check, error) {
	g := Gauge{Of: p.Str("of", ""), Direction: directions[p.Enum("direction", "", "lower", "higher")]}
	g.Bounds, g.Relative = buildLimits(p, "bounds"), buildLimits(p, "relative")
	def := analysis.SeverityPause
	if g.Bounds.Rollback != nil || g.Relative.Rollback != nil {
		def = analysis.SeverityRollback
	}
	if s := p.Severity(def); s != def && def == analysis.SeverityRollback {
		p.Errorf("severity", "a limit called rollback rolls back, which %s forbids; leave severity out, or call the limit pause", s)
	}
	breach, ok := p.Map("breach")
	if k, of := breach.Uint("k", 3), breach.Uint("of", 0); ok {
		switch of = max(of, k); {
		case k == 0 || of > 1000:
			breach.Errorf("k", "%d of %d windows is no rule; write {k: 3, of: 5}", k, of)
		case breach.Has("of") && breach.Uint("of", 0) < k:
			breach.Errorf("of", "%d breaches do not fit into %d windows", k, breach.Uint("of", 0))
		default:
			g.Breach.K, g.Breach.Of = int(k), int(of)
		}
	}
	if n := p.Uint("clear", 0); n > 1000 {
		p.Errorf("clear", "%d windows; 1000 at most", n)
	} else {
		g.Breach.Clear = int(n)
	}
	g.Breach.Cooldown = p.Duration("cooldown", 0)
	switch {
	case g.Of == "":
		if !p.Has("of") {
			p.Errorf("", "a gauge needs the name of a metric that a provider brings; add of: and its name")
		}
	case g.Direction == 0:
		if !p.Has("direction") {
			p.Errorf("", "a gauge may be good high or low; add direction: lower or direction: higher")
		}
	case len(g.limits()) == 0:
		if !p.Has("bounds") && !p.Has("relative") {
			p.Errorf("", "nothing to hold %s against; add bounds or relative", g.Of)
		}
	default:
		for _, l := range g.limits() {
			if why := g.unfit(l); why != "" {
				p.Errorf(map[limitKind]string{boundLimit: "bounds", ratioLimit: "relative"}[l.kind], "%s", why)
			}
		}
	}
	return g, nil
}
