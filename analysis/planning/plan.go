package planning

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// Options are the settings of [Plan].
type Options struct {
	// Powers are the probabilities of being right that are planned for, in ascending
	// order; nil means 0.8 and 0.9.
	Powers []float64
	// Attempt, counted from 1, whose share of the error budget is planned with; 0
	// means the first.
	Attempt int
}

// Report is what a policy can be expected to see.
type Report struct {
	Model     string    `json:"model,omitempty"`
	Policy    string    `json:"policy_digest"`
	PerSecond float64   `json:"units_per_second"`
	Powers    []float64 `json:"powers"`
	Attempt   int       `json:"attempt"`
	// Risk bounds the probabilities of false alarms.
	Risk   Risk    `json:"false_alarms"`
	Stages []Stage `json:"stages"`
	Limits []Limit `json:"limits"`
	// Never lists what cannot decide in this plan.
	Never    []Never  `json:"never_decide,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// Risk are bounds of the probability that a harmless candidate is ever rolled back
// or paused for harm, or a sound split called broken, over all looks: the errors of
// the checks added up.
type Risk struct {
	Rollback float64 `json:"rollback"`
	Pause    float64 `json:"pause"`
	SRM      float64 `json:"srm"`
}

// Limit is one limit of a check.
type Limit struct {
	Check    string            `json:"check"`
	Code     string            `json:"code"` // of its findings
	Metric   string            `json:"metric"`
	Column   string            `json:"column,omitempty"`
	Slice    analysis.SliceKey `json:"slice,omitempty"`
	Severity analysis.Severity `json:"severity"`
	Required bool              `json:"required"`
	Limit    string            `json:"limit"` // as the policy writes it
	Unit     string            `json:"unit,omitempty"`
	Base     float64           `json:"base"` // of the metric in the baseline
	Alpha    float64           `json:"alpha"`
	// Harm is what the times of detection are for: as far beyond the limit as the
	// limit is from no change.
	Harm   float64      `json:"harm"`
	Stages []Detectable `json:"stages"`
}

// Detectable is what a limit can see in a stage; each list has an entry for each of
// the powers.
type Detectable struct {
	// Smallest regression that is proven by the end of the stage, with the evidence of
	// the stages before, in the unit of the limit; "+Inf" when there is none.
	Smallest []stats.Float `json:"smallest"`
	// Detect is how long the stage has to last to prove Harm, and Pass to prove that a
	// candidate as good as the baseline has none, in seconds, after the stages before
	// lasted as planned; "+Inf" when a year is not enough.
	Detect []stats.Float `json:"detect_seconds"`
	Pass   []stats.Float `json:"pass_seconds"`
}

// Never is a check, or a limit, that cannot decide.
type Never struct {
	Check  string            `json:"check"`
	Metric string            `json:"metric,omitempty"` // with its column
	Slice  analysis.SliceKey `json:"slice,omitempty"`
	Why    string            `json:"why"`
}

// Plan says what the policy can see in the traffic: for every stage and limit the
// smallest regression it detects, how long it takes, and which checks never decide.
//
// Power is that of a single look at the end of the evidence, by the bounds that the
// check uses at that look. Looks before only add to it, so that what is said is
// detected is detected at least as often.
//
// For a metric with variance v_b and v_c of a row in the arms, and the limit at
// c0 = r b, the statistic c - r b has, with the stages added up by the weights of
// Mantel and Haenszel w_s = n_b n_c/(n_b+n_c), the variance
//
//	V = sum w_s^2 (v_c/n_c + r^2 v_b/n_b) / (sum w_s)^2
//
// and the power is Phi(|c - c0|/sqrt(V) - z), z being the quantile of the error for
// policies that look once, and the normal-mixture boundary of [sequential.NormalBound]
// at the clock of the check for those that look continuously. Shares and rates take
// the better of that at 0.8 of the error and of the exact mixture of relative risks
// at 0.2 of it; quantiles take the asymptotic variance q(1-q)/(n f^2) of an order
// statistic, of a lognormal law. The split is planned by the e-value of
// [sequential.SRM] at the counts to be expected.
//
// Assumptions: units are independent and do not repeat; traffic is constant; labels
// are there at once (add their delay to the times); the candidate's rows vary as
// those of the baseline. Checks without a limit of their own kind (schema, drift,
// collapse, actions, gauges) are not planned, and are listed in Warnings when the
// rollout waits for them.
//
// Errors: [stats.ErrDomain] for traffic that nobody names, impossible numbers and
// powers.
//
// References: Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions,
// 3rd ed. (2003), chapter 4; Hanley and McNeil, Radiology 143 (1982), for the AUC;
// Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021).
func Plan(p *analysis.Policy, t Traffic, o Options) (Report, error) {
	if err := t.Validate(); err != nil {
		return Report{}, err
	}
	if o.Powers == nil {
		o.Powers = []float64{0.8, 0.9}
	}
	o.Attempt = max(1, o.Attempt)
	for i, w := range o.Powers {
		if !(w > 0 && w < 1) || i > 0 && w <= o.Powers[i-1] {
			return Report{}, fmt.Errorf("planning: Plan: powers %v are not between 0 and 1 and ascending: %w", o.Powers, stats.ErrDomain)
		}
	}
	r := Report{Model: p.Model.Name, Policy: p.Digest, PerSecond: t.Rate(p), Powers: o.Powers, Attempt: o.Attempt}
	if !(r.PerSecond > 0) {
		return Report{}, fmt.Errorf("planning: Plan: how much traffic? neither the policy nor the caller says: %w", stats.ErrDomain)
	}
	if len(o.Powers) == 0 {
		return Report{}, fmt.Errorf("planning: Plan: no powers: %w", stats.ErrDomain)
	}
	b := builder{p: p, t: &t, o: o, r: &r}
	r.Stages, b.perSecond = stagesOf(p, r.PerSecond)
	b.stages()
	for i := range p.Checks {
		b.check(&p.Checks[i])
	}
	b.lasting()
	return r, nil
}

// builder puts a report together.
type builder struct {
	p         *analysis.Policy
	t         *Traffic
	o         Options
	r         *Report
	perSecond []traffic
	questions []asked
}

// asked is a limit with the question behind it.
type asked struct {
	*question
	share float64 // of the traffic, of a slice
	at    int     // in Report.Limits
}

func (b *builder) warnf(format string, args ...any) {
	b.r.Warnings = append(b.r.Warnings, fmt.Sprintf(format, args...))
}

func (b *builder) never(e *analysis.CheckEntry, metric string, slice analysis.SliceKey, format string, args ...any) {
	b.r.Never = append(b.r.Never, Never{Check: e.Check.Name(), Metric: metric, Slice: slice, Why: fmt.Sprintf(format, args...)})
}

// stages warns of stages that bring nothing.
func (b *builder) stages() {
	for i, s := range b.r.Stages {
		what := "stage " + s.Name
		if s.Name == "" {
			what = "the rollout"
		}
		need := b.p.ExposureOf(s.Name).MinUnits
		small, rate := min(s.Units.Baseline, s.Units.Candidate), b.perSecond[i]
		switch {
		case s.Seconds == 0:
			b.warnf("%s has no duration, so that nothing is counted for it; give it one, or exposure.min_duration", what)
		case rate.b == 0 || rate.c == 0:
			b.warnf("in %s one arm gets all the traffic: comparisons learn nothing there", what)
		case need > 0 && small < float64(need):
			b.warnf("%s brings %s units of the smaller arm in %s and has to wait for %d", what, number(small), duration(s.Seconds), need)
		}
	}
}

// check plans one entry.
func (b *builder) check(e *analysis.CheckEntry) {
	alpha, pause := b.p.Alpha(e, b.o.Attempt)
	switch {
	case e.Muted:
	case e.Check.Name() == "srm":
		b.r.Risk.SRM += alpha
	case e.Severity == analysis.SeverityRollback:
		b.r.Risk.Rollback += alpha
		b.r.Risk.Pause += pause
	case e.Severity == analysis.SeverityPause:
		b.r.Risk.Pause += alpha
	}
	switch c := e.Check.(type) {
	case checks.Guardrail:
		b.guardrail(e, &c, b.t.Baseline, nil, 1, alpha, pause)
	case checks.Slices:
		b.slices(e, &c, alpha, pause)
	case checks.SRM:
		b.split(e, &c, alpha)
	case checks.Gauge:
		k := c.Breach.K
		if k == 0 {
			k = 3
		}
		b.warnf("gauge %s counts windows, not units: harm takes %d of them in breach, and nothing bounds its false alarms", c.Of, k)
	default:
		if e.Required && !e.Muted {
			b.warnf("check %s is not planned, and the rollout waits for it; simulate shows how long", e.Check.Name())
		}
	}
}

// guardrail plans the limits of a guardrail in all rows, or in those of a slice with
// the given share of them.
func (b *builder) guardrail(e *analysis.CheckEntry, g *checks.Guardrail, seen *analysis.Snapshot, slice analysis.SliceKey, share, alpha, pause float64) {
	metric := string(g.Metric)
	column := g.Column
	if g.Of != "" {
		column = g.Of
	}
	title := strings.TrimSpace(metric + " " + column)
	known, err := b.t.baseOf(g, seen, b.p)
	if err != nil {
		if !slices.ContainsFunc(b.r.Never, func(n Never) bool { return n.Check == e.Check.Name() && n.Metric == title }) { // once for all slices
			b.never(e, title, nil, "it cannot be planned: %v", err)
		}
		return
	}
	other, pausing := shareOut(g, alpha, pause)
	for _, l := range limitsOf(g) {
		q := ask(known, g, l)
		q.alpha, q.noHarm, q.looks = other, analysis.NoHarmAlpha, b.p.Looks
		severity := e.Severity
		if l.pauses {
			q.alpha, severity = pausing, analysis.SeverityPause
		}
		q.staged = len(b.p.Stages) > 0 && e.Baseline == analysis.Concurrent
		q.planned, q.least = plannedOf(g, b.p), float64(g.MinUnits)
		if g.MinUnits == 0 && q.kind != rate {
			q.least = 50
		}
		out := Limit{Check: e.Check.Name(), Code: l.code, Metric: metric, Column: column, Slice: slice, Severity: severity,
			Required: e.Required, Limit: l.quantity.String(), Unit: q.unit, Base: q.value, Alpha: q.alpha, Harm: q.harm()}
		if !b.sensible(e, &q, title, slice) {
			continue
		}
		b.questions = append(b.questions, asked{&q, share, len(b.r.Limits)})
		out.Stages = b.detectables(&q, share)
		b.r.Limits = append(b.r.Limits, out)
	}
}

// sensible reports whether the limit can be planned, and says why it never passes
// or never finds harm.
func (b *builder) sensible(e *analysis.CheckEntry, q *question, metric string, slice analysis.SliceKey) bool {
	candidate, both := 0.0, 0.0
	for _, t := range b.perSecond {
		candidate += t.c
		both += t.weight()
	}
	switch {
	case e.Baseline != analysis.Concurrent && q.form != bound:
		b.never(e, metric, slice, "it is compared with a baseline of its own, %s, whose size is not known here", e.Baseline)
		return false
	case q.form != bound && both == 0:
		b.never(e, metric, slice, "one arm gets no traffic in any stage")
		return false
	case q.form == bound && candidate == 0:
		b.never(e, metric, slice, "the candidate gets no traffic in any stage")
		return false
	case q.form == relative && q.value == 0:
		b.never(e, metric, slice, "a relative limit of a baseline of 0 has no meaning; give a limit in the metric's own unit")
		return false
	case !(q.alpha > 0):
		b.never(e, metric, slice, "its share of the error budget is 0, so that no harm is ever proven")
	case q.limit == q.same:
		b.never(e, metric, slice, "its limit is where a candidate just as good is, so that it passes one that is proven better only")
	case q.limit < q.same:
		b.never(e, metric, slice, "the baseline itself is beyond the limit")
	}
	if !q.possible(q.limit) {
		b.never(e, metric, slice, "no candidate can be beyond the limit, so that no harm is ever proven")
	}
	return true
}

// upTo is the traffic of the stages before stage i as planned, and of seconds of
// stage i.
func (b *builder) upTo(i int, seconds, share float64) []traffic {
	out := make([]traffic, 0, i+1)
	for k, t := range b.perSecond[:i] {
		out = append(out, t.times(b.r.Stages[k].Seconds*share))
	}
	return append(out, b.perSecond[i].times(seconds*share))
}

func (b *builder) detectables(q *question, share float64) []Detectable {
	var out []Detectable
	for i, s := range b.r.Stages {
		var d Detectable
		harm := q.harm()
		for _, power := range b.o.Powers {
			d.Smallest = append(d.Smallest, stats.Float(q.detectable(b.upTo(i, s.Seconds, share), power)))
			detect, pass := math.Inf(1), math.Inf(1)
			if q.possible(harm) && harm > q.limit {
				detect = timeTo(func(sec float64) bool { return q.power(b.upTo(i, sec, share), harm, false) >= power })
			}
			if q.limit > q.same {
				pass = timeTo(func(sec float64) bool { return q.power(b.upTo(i, sec, share), q.same, true) >= power })
			}
			d.Detect, d.Pass = append(d.Detect, stats.Float(detect)), append(d.Pass, stats.Float(pass))
		}
		out = append(out, d)
	}
	return out
}

// lasting finds out how long the stages last for a sound candidate, whose required
// checks have to pass in each of them.
func (b *builder) lasting() {
	power := b.o.Powers[len(b.o.Powers)-1]
	var before []traffic
	stuck := false
	for i := range b.r.Stages {
		s := &b.r.Stages[i]
		s.Lasts = stats.Float(math.Inf(1))
		if stuck {
			continue
		}
		lasts := s.Seconds
		t := b.perSecond[i]
		if need := float64(b.p.ExposureOf(s.Name).MinUnits); need > 0 && t.b+t.c > 0 {
			small := min(t.b, t.c)
			if small == 0 {
				small = max(t.b, t.c)
			}
			if w := need / small; w > lasts {
				lasts, s.HeldBy = w, "the minimum exposure"
			}
		}
		for _, a := range b.questions {
			l := &b.r.Limits[a.at]
			if !l.Required {
				continue
			}
			w := timeTo(func(sec float64) bool {
				ts := make([]traffic, 0, i+1)
				for _, e := range append(slices.Clone(before), t.times(sec)) {
					ts = append(ts, e.times(a.share))
				}
				return a.power(ts, a.same, true) >= power
			})
			if w > lasts {
				lasts, s.HeldBy = w, l.name()
			}
		}
		s.Lasts = stats.Float(lasts)
		stuck = math.IsInf(lasts, 1)
		before = append(before, t.times(lasts))
	}
	for _, s := range b.r.Stages {
		if math.IsInf(float64(s.Lasts), 1) && s.HeldBy != "" {
			b.warnf("stage %s never ends for a sound candidate: %s does not pass within a year", s.Name, s.HeldBy)
		}
	}
}
