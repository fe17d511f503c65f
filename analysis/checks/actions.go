package checks

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Actions asks whether the decisions that are served have shifted: for each
// action, by how much its share differs between the arms, either way.
//
// The actions are those of the log's action column or, where there is none, what
// the rules of the policy make of the scores, which is exact because the cuts of
// the rules are counted exactly. The estimate of each finding is the absolute
// difference in percentage points, with bounds that hold for all actions
// together (Bonferroni) and, in a policy that looks continuously, at all looks;
// see [Guardrail] for how they are made, and how those of several stages are
// added up. A difference surely beyond the margin is
// Harm, one surely within it a Pass. The total variation of the two mixes, half
// the sum of all differences, is among the details.
//
// An action of the log that no rule of the policy has is Invalid,
// unknown_action. Where both the log and the rules tell the actions, they are
// compared in each arm: policy_mismatch warns when shares differ by more than
// 0.1 percentage points, as when something else decides as well.
//
// Where there are scores and rules, details say which part of a change the model
// made and which the thresholds, if the candidate has its own; and where the
// thresholds would have to stand for the candidate to act on as many rows as the
// baseline. They decide nothing.
//
// Cap and MaxIrreversible bound the blast radius, by the candidate alone: the share
// of its rows that get an action that cannot be taken back, held against Cap by the
// bounds of a share, and their number, which is exact and needs none.
//
// A log that names the version of the thresholds (columns.policy_version) must have
// one version in each arm, that of the policy, in every row. Else all evidence is
// Invalid and nothing else is said: rows of two policies pooled are no sample of
// either.
type Actions struct {
	// Margin is the greatest change of a share that does not matter; 0 means 5
	// percentage points or, with Cap or MaxIrreversible, that no shares are compared.
	Margin analysis.Quantity
	// Irreversible is the margin of actions that the policy calls irreversible; 0
	// means Margin.
	Irreversible analysis.Quantity
	// Cap is the greatest share of the candidate's rows that may get an irreversible
	// action, for each of them; 0 means any.
	Cap float64
	// MaxIrreversible is the greatest number of the candidate's rows that may get
	// any irreversible action; 0 means any.
	MaxIrreversible uint64
	// PerStage counts MaxIrreversible in the present stage, not in the rollout.
	PerStage bool
	// MinUnits of each arm with an action, below which nothing passes; 0 means
	// 50.
	MinUnits uint64
}

// mismatchLimit is the difference of a logged and an implied share above which
// the log does not follow the rules.
const mismatchLimit = 0.001

// Name implements [analysis.Check].
func (a Actions) Name() string { return "actions" }

// Stratified implements [analysis.Stratified].
func (a Actions) Stratified() {}

// Columns implements [analysis.Check].
func (a Actions) Columns() []analysis.ColumnSpec { return nil }

func (a Actions) margin(irreversible bool) float64 {
	switch {
	case irreversible && a.Irreversible.Value > 0:
		return a.Irreversible.Value
	case a.Margin.Value > 0:
		return a.Margin.Value
	}
	return 0.05
}

// mix is how often each action was taken in both arms, in one stage.
type mix struct {
	actions []valueCounts // the rules' order first, then by name
	n       analysis.Counts
	source  string
	logged  bool    // the source is the log
	repeats float64 // rows per unit
	split   analysis.Split
}

// Run implements [analysis.Check].
func (a Actions) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	for _, q := range []analysis.Quantity{a.Margin, a.Irreversible} {
		if !(q.Value >= 0 && q.Value < 1) || q.Unit == analysis.Relative || q.Unit == analysis.Ratio {
			return nil, fmt.Errorf("checks: Actions: margin %v is not in percentage points: %w", q, stats.ErrDomain)
		}
	}
	if !(a.Cap >= 0 && a.Cap < 1) {
		return nil, fmt.Errorf("checks: Actions: cap %v is not a share below 1: %w", a.Cap, stats.ErrDomain)
	}
	l := newLook(ev)
	rules := l.policy.Actions.Rules
	if fs := a.versions(ev, l.policy); fs != nil {
		return fs, nil
	}
	blast := a.blast(ev, l)
	if !a.compares() {
		if blast == nil {
			return a.noBlast(ev), nil
		}
		return blast, nil
	}
	fs, err := a.compare(ev, l, rules)
	return append(fs, blast...), err
}

// compares reports whether shares are compared.
func (a Actions) compares() bool {
	return a.Margin.Value > 0 || a.Irreversible.Value > 0 || (a.Cap == 0 && a.MaxIrreversible == 0)
}

// compare finds the mixes of both arms and compares them.
func (a Actions) compare(ev *analysis.Evidence, l look, rules []analysis.ActionRule) ([]analysis.Finding, error) {
	var stages, logged, implied []mix
	f := analysis.NewFinding(a.Name(), "no_actions", "actions")
	f.N, f.Outcome = rows(ev), analysis.NoData
	f.Message = "The log has no action column, and the policy has no rules from which actions follow."
	none := true
	for _, s := range strataOf(ev) {
		if empty(s.Baseline) || empty(s.Candidate) {
			continue
		}
		none = false
		byLog, p := loggedMix(s, rules)
		if p != nil {
			f.Code = "action_share"
			p.put(&f)
			return []analysis.Finding{f}, nil
		}
		byRules, ok := impliedMix(s, l.policy.Actions)
		m := byLog
		if m.source == "" && ok {
			m = byRules
		}
		switch {
		case m.source == "":
		case m.n.Baseline == 0 || m.n.Candidate == 0:
			f.Message = "One of the arms has no row with an action yet."
		default:
			stages = append(stages, m)
		}
		if byLog.source != "" && ok && byRules.n.Baseline > 0 && byRules.n.Candidate > 0 {
			logged, implied = append(logged, byLog), append(implied, byRules)
		}
	}
	switch {
	case none:
		if fs := missing(ev, a.Name()); fs != nil {
			return fs, nil
		}
		f.Code, f.Message = "no_data", "No stage has rows of both arms."
		return []analysis.Finding{f}, nil
	case len(stages) == 0:
		return []analysis.Finding{f}, nil
	}
	out := a.unknown(addMixes(stages), rules, stages[0].logged)
	out = append(out, a.shares(ev, l, stages, rules)...)
	if len(logged) > 0 {
		if g, ok := a.mismatch(addMixes(logged), addMixes(implied)); ok {
			out = append(out, g)
		}
	}
	return out, nil
}

// addMixes adds the counts of stages up, for what is asked of each arm by itself.
func addMixes(ms []mix) mix {
	out := ms[0]
	out.actions = slices.Clone(out.actions)
	for _, m := range ms[1:] {
		out.n.Baseline += m.n.Baseline
		out.n.Candidate += m.n.Candidate
		for _, v := range m.actions {
			i := slices.IndexFunc(out.actions, func(o valueCounts) bool { return o.name == v.name })
			if i < 0 {
				out.actions = append(out.actions, v)
				continue
			}
			out.actions[i].n.Baseline += v.n.Baseline
			out.actions[i].n.Candidate += v.n.Candidate
		}
	}
	return out
}

// of is how often an action was taken.
func (m mix) of(name string) analysis.Counts {
	for _, v := range m.actions {
		if v.name == name {
			return v.n
		}
	}
	return analysis.Counts{}
}

// loggedMix reads the actions of the log; its source is empty when no column has
// that role, or neither arm logged any.
func loggedMix(ev analysis.Stratum, rules []analysis.ActionRule) (mix, *problem) {
	m := mix{repeats: rowsPerUnit(ev.Baseline, ev.Candidate), split: ev.Split}
	b, c := ev.Baseline.ByRole(analysis.Action), ev.Candidate.ByRole(analysis.Action)
	if b == nil || c == nil || (b.Type == analysis.Absent && c.Type == analysis.Absent) {
		return m, nil
	}
	if b.Type != c.Type {
		return m, &problem{"type_differs", analysis.Invalid, fmt.Sprintf("Column %s is %v in the baseline and %v in the candidate.", b.Name, b.Type, c.Type)}
	}
	vs, ok := values(b, c)
	if !ok {
		return m, &problem{"type_unusable", analysis.Invalid, fmt.Sprintf("Column %s has too many different values for actions.", b.Name)}
	}
	rank := func(name string) int {
		if i := slices.IndexFunc(rules, func(r analysis.ActionRule) bool { return r.Name == name }); i >= 0 {
			return i
		}
		return len(rules)
	}
	slices.SortStableFunc(vs, func(x, y valueCounts) int { return rank(x.name) - rank(y.name) })
	for _, v := range vs {
		if v.name == "null" {
			continue
		}
		m.actions = append(m.actions, v)
		m.n.Baseline += v.n.Baseline
		m.n.Candidate += v.n.Candidate
	}
	m.source, m.logged = "column "+b.Name, true
	return m, nil
}

// unknown reports actions that no rule has.
func (a Actions) unknown(m mix, rules []analysis.ActionRule, logged bool) []analysis.Finding {
	if len(rules) == 0 || !logged {
		return nil
	}
	var out []analysis.Finding
	for _, v := range m.actions {
		if slices.ContainsFunc(rules, func(r analysis.ActionRule) bool { return r.Name == v.name }) {
			continue
		}
		f := analysis.NewFinding(a.Name(), "unknown_action", v.name)
		f.Outcome, f.Severity, f.N = analysis.Invalid, analysis.SeverityPause, m.n
		share := float64(v.n.Baseline+v.n.Candidate) / float64(m.n.Baseline+m.n.Candidate)
		f.Estimate, f.Unit = stats.Interval{Point: share, Lo: share, Hi: share}, "share"
		f.Message = fmt.Sprintf("The log has the action %s, %s times in the baseline and %s in the candidate, but no rule of the policy does: the policy is of another version than the log, or a fallback answered.", v.name, count(v.n.Baseline), count(v.n.Candidate))
		out = append(out, f)
	}
	return out
}

// shares compares the share of every action.
func (a Actions) shares(ev *analysis.Evidence, l look, stages []mix, rules []analysis.ActionRule) []analysis.Finding {
	r := rulerOf(ev, 0)
	m := addMixes(stages)
	// Harm may show in both directions of every action, and one that the rules name may
	// yet appear: the error is not to be shared out anew when it does.
	family := float64(max(len(m.actions), len(rules)) + a.capped(rules))
	k := 2 * family
	pairs := make([]pair, len(m.actions))
	tv := 0.0
	for i, v := range m.actions {
		arms := make([]armPair, len(stages))
		for j, s := range stages {
			n := s.of(v.name)
			arms[j] = armPair{base: shareOf(n.Baseline, s.n.Baseline, s.repeats), cand: shareOf(n.Candidate, s.n.Candidate, s.repeats), okBase: true, okCand: true, split: s.split}
		}
		pairs[i], _ = newPair(ev, r, arms)
		tv += math.Abs(pairs[i].cand.value-pairs[i].base.value) / 2
	}
	behind := newBehind(ev, r, l.policy.Actions)
	var out []analysis.Finding
	for at, v := range m.actions {
		p := pairs[at]
		repeats := p.cand.repeats
		i := slices.IndexFunc(rules, func(r analysis.ActionRule) bool { return r.Name == v.name })
		irreversible := i >= 0 && rules[i].Irreversible
		f := analysis.NewFinding(a.Name(), "action_share", v.name)
		f.N, f.Unit, f.Alpha, f.Limit = m.n, "pp", l.alpha/family, stats.Float(a.margin(irreversible))
		f.Method = methodName(p, marginLimit) + "; actions from the " + m.source
		d := math.Abs(p.cand.value - p.base.value)
		f.Estimate = l.interval(d, absolute(p.difference(l.noHarm)))
		f.HarmBound = stats.Float(math.Min(d, absolute(p.strict().difference(l.alpha/k)).lo))
		f.Details = []analysis.Detail{detail("baseline", p.base.value), detail("candidate", p.cand.value), detail("total_variation", tv)}
		if irreversible {
			f.Details = append(f.Details, analysis.Detail{Name: "irreversible", Value: 1, Text: "yes"})
		}
		f.Details = append(f.Details, behind.details(v.name, p.cand.value-p.base.value)...)
		if repeats > 1 {
			warn(&f, stats.WarnRepeatedUnits, fmt.Sprintf("Units repeat, and rows of one are not independent; the bounds take %s rows for one.", number(repeats)))
		}
		f.Outcome = verdict(&f)
		a.explain(&f, l, p, v.name, irreversible)
		out = append(out, f)
	}
	return out
}

// absolute turns an interval of a difference into one of its size.
func absolute(s span) span {
	return span{lo: math.Max(0, math.Max(s.lo, -s.hi)), hi: math.Min(1, math.Max(-s.lo, s.hi))}
}

func (a Actions) explain(f *analysis.Finding, l look, p pair, name string, irreversible bool) {
	least := a.MinUnits
	if least == 0 {
		least = defaultMinUnits
	}
	what := "The action " + name
	if irreversible {
		what = "The irreversible action " + name
	}
	limit := quantity(float64(f.Limit), "pp")
	size := counts(f.N.Baseline, f.N.Candidate, "rows")
	was := fmt.Sprintf("%s went from %s to %s of the rows", what, percent(p.base.value), percent(p.cand.value))
	small := min(f.N.Baseline, f.N.Candidate)
	switch {
	case f.Outcome == analysis.Harm:
		f.Message = fmt.Sprintf("%s, surely by at least %s; the margin is %s. %s.", was, quantity(float64(f.HarmBound), "pp"), limit, size)
	case small < least:
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, least-small
		f.Message = fmt.Sprintf("Too little to judge the action %s: %s, and at least %s per arm are asked for.", name, size, count(least))
	case f.Outcome == analysis.Pass:
		f.Message = fmt.Sprintf("%s, at most by %s; the margin is %s. %s.", was, quantity(f.Estimate.Hi, "pp"), limit, size)
	default:
		end, alpha := f.Estimate.Hi, l.noHarm
		if f.Estimate.Point > float64(f.Limit) {
			end, alpha = float64(f.HarmBound), l.alpha
		}
		f.UnitsNeeded = unitsNeeded(small, f.Estimate.Point, float64(f.Limit), end, alpha)
		f.Message = fmt.Sprintf("Cannot tell yet: %s, a change between %s and %s; the margin is %s. %s.", lowerFirst(was), quantity(f.Estimate.Lo, "pp"), quantity(f.Estimate.Hi, "pp"), limit, size)
	}
}
