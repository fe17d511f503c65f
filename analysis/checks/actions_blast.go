package checks

import (
	"fmt"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// irreversible lists the actions that cannot be taken back.
func irreversible(rules []analysis.ActionRule) []string {
	var out []string
	for _, r := range rules {
		if r.Irreversible {
			out = append(out, r.Name)
		}
	}
	return out
}

// capped is the number of findings about shares that are held against the cap.
func (a Actions) capped(rules []analysis.ActionRule) int {
	if a.Cap == 0 {
		return 0
	}
	return len(irreversible(rules))
}

// taken is how often the candidate took actions.
type taken struct {
	by      map[string]uint64
	n       uint64  // rows with an action
	unknown uint64  // rows without one that is known
	repeats float64 // rows per unit
	stages  int     // with rows
}

func (t *taken) add(o taken) {
	for name, x := range o.by {
		t.by[name] += x
	}
	t.n += o.n
	t.unknown += o.unknown
	t.repeats = max(t.repeats, o.repeats)
	t.stages += o.stages
}

// takenBy counts the actions of one arm alone, by the log or else by the rules.
func takenBy(s *analysis.Snapshot, rules []analysis.ActionRule) (taken, bool) {
	t := taken{by: map[string]uint64{}, repeats: rowsPerUnit(s), stages: 1}
	if col := s.ByRole(analysis.Action); col != nil && col.Type != analysis.Absent {
		vs, ok := values(col, col)
		for _, v := range vs {
			if v.name != "null" {
				t.by[v.name] += v.n.Candidate
				t.n += v.n.Candidate
			}
		}
		return t, ok
	}
	xs, n, ok := implied(s, rules)
	t.n = n
	for i, x := range xs {
		t.by[rules[i].Name] += x
	}
	return t, ok
}

// maxUnknownActions is the share of rows without a known action up to which a share of
// actions passes.
const maxUnknownActions = 0.01

// blast holds what the candidate did irreversibly against the caps; nil when it has
// taken no action yet, or there is no cap.
func (a Actions) blast(ev *analysis.Evidence, l look) []analysis.Finding {
	rules := rulesOf(l.policy.Actions, true)
	names := irreversible(rules)
	if len(names) == 0 || (a.Cap == 0 && a.MaxIrreversible == 0) {
		return nil
	}
	all, present := taken{by: map[string]uint64{}}, taken{by: map[string]uint64{}}
	for _, s := range strataOf(ev) {
		if empty(s.Candidate) {
			continue
		}
		t, ok := takenBy(s.Candidate, rules)
		if !ok { // the log holds neither actions nor scores that can be read
			t = taken{repeats: t.repeats, stages: 1}
		}
		t.unknown = s.Candidate.RowCount - min(s.Candidate.RowCount, t.n)
		all.add(t)
		if s.Stage == ev.Stage {
			present.add(t)
		}
	}
	if all.n == 0 {
		return nil
	}
	var out []analysis.Finding
	if a.Cap > 0 {
		family := len(names)
		if a.compares() {
			family += max(len(rules), len(all.by))
		}
		for _, name := range names {
			out = append(out, a.blastShare(ev, l, name, all, float64(family)))
		}
	}
	if a.MaxIrreversible > 0 {
		counted, where := all, ""
		if a.PerStage {
			counted = present
			if ev.Stage != "" {
				where = " in the stage " + ev.Stage
			}
		}
		out = append(out, a.blastCount(names, counted, where))
	}
	return out
}

// blastShare holds the share of one action against the cap.
func (a Actions) blastShare(ev *analysis.Evidence, l look, name string, t taken, family float64) analysis.Finding {
	f := analysis.NewFinding(a.Name(), "blast_radius", name)
	f.N.Candidate, f.Unit, f.Limit, f.Alpha = t.n, "share", stats.Float(a.Cap), l.alpha/family
	r := rulerOf(ev, 0)
	m := shareOf(t.by[name], t.n, t.repeats)
	p := pair{cand: m, r: r}
	f.Method = methodName(p, boundLimit)
	f.Estimate = l.interval(m.value, m.alone(r, l.noHarm))
	f.HarmBound = stats.Float(min(m.value, m.alone(r, f.Alpha).lo))
	f.Details = []analysis.Detail{detail("taken", float64(t.by[name]))}
	if t.repeats > 1 {
		warn(&f, stats.WarnRepeatedUnits, fmt.Sprintf("Units repeat, and rows of one are not independent; the bounds take %s rows for one.", number(t.repeats)))
	}
	f.Outcome = verdict(&f)
	least := a.MinUnits
	if least == 0 {
		least = defaultMinUnits
	}
	was := fmt.Sprintf("The candidate took the irreversible action %s for %s of its rows", name, percent(m.value))
	limit, size := percent(a.Cap), count(t.n)+" rows"
	switch {
	case f.Outcome == analysis.Harm:
		f.Message = fmt.Sprintf("%s, surely for at least %s; the cap is %s. %s.", was, percent(float64(f.HarmBound)), limit, size)
	case t.n < least:
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, least-t.n
		f.Message = fmt.Sprintf("Too little to judge the share of the irreversible action %s: %s, and at least %s are asked for.", name, size, count(least))
	case f.Outcome == analysis.Pass && float64(t.unknown) > maxUnknownActions*float64(t.n+t.unknown):
		f.Outcome = analysis.Inconclusive
		f.Message = fmt.Sprintf("%s, but of %s rows it is not known what was done; the cap is %s. %s.", was, count(t.unknown), limit, size)
	case f.Outcome == analysis.Pass:
		f.Message = fmt.Sprintf("%s, for at most %s of them in the long run; the cap is %s. %s.", was, percent(f.Estimate.Hi), limit, size)
	default:
		end, alpha := f.Estimate.Hi, l.noHarm
		if f.Estimate.Point > a.Cap {
			end, alpha = float64(f.HarmBound), f.Alpha
		}
		f.UnitsNeeded = unitsNeeded(t.n, f.Estimate.Point, a.Cap, end, alpha)
		f.Message = fmt.Sprintf("Cannot tell yet: %s, a share between %s and %s; the cap is %s. %s.", lowerFirst(was), percent(f.Estimate.Lo), percent(f.Estimate.Hi), limit, size)
	}
	return f
}

// blastCount holds the number of irreversible actions against the greatest that is
// allowed. Nothing is estimated.
func (a Actions) blastCount(names []string, t taken, where string) analysis.Finding {
	f := analysis.NewFinding(a.Name(), "blast_radius_count", "irreversible_actions")
	x := uint64(0)
	for _, name := range names {
		x += t.by[name]
		f.Details = append(f.Details, detail(name, float64(t.by[name])))
	}
	f.N.Candidate, f.Unit, f.Limit = t.n, "actions", stats.Float(a.MaxIrreversible)
	f.Estimate = stats.Interval{Point: float64(x), Lo: float64(x), Hi: float64(x)}
	f.Method = "exact count"
	was := fmt.Sprintf("The candidate took %s irreversible actions (%s)%s", count(x), list(names, 5), where)
	most := count(a.MaxIrreversible)
	switch {
	case x > a.MaxIrreversible:
		f.Outcome = analysis.Harm
		f.HarmBound = stats.Float(x)
		f.Message = fmt.Sprintf("%s; at most %s are allowed. Counted in %s rows, not estimated.", was, most, count(t.n))
	case x+t.unknown > a.MaxIrreversible && t.unknown > 0:
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, t.unknown
		f.Message = fmt.Sprintf("%s in the %s rows of which it is known; %s are allowed, and of %s more rows it is not known what was done. Log the action of every row.", was, count(t.n), most, count(t.unknown))
	case x == a.MaxIrreversible:
		f.Outcome = analysis.Warn
		f.Message = fmt.Sprintf("%s; that is all that is allowed, and one more is too many. Counted in %s rows.", was, count(t.n))
	default:
		f.Outcome = analysis.Pass
		f.Message = fmt.Sprintf("%s; %s are allowed. Counted in %s rows.", was, most, count(t.n))
	}
	return f
}

// noBlast says why there is nothing to hold against the caps.
func (a Actions) noBlast(ev *analysis.Evidence) []analysis.Finding {
	f := analysis.NewFinding(a.Name(), "no_actions", "irreversible_actions")
	f.N, f.Outcome = rows(ev), analysis.NoData
	f.Message = "The candidate has no row yet from whose log or scores an action follows."
	if len(irreversible(rulesOf(newLook(ev).policy.Actions, true))) == 0 {
		f.Message = "No rule of the policy is irreversible, so there is nothing to cap."
	}
	return []analysis.Finding{f}
}
