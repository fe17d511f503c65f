package analysis_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
)

// Each law is a function of what rapid draws, so that it is a test and a fuzz
// target.

func TestLawNoContinueWithoutEvidence(t *testing.T) { rapid.Check(t, lawNoContinueWithoutEvidence) }
func FuzzLawNoContinueWithoutEvidence(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(lawNoContinueWithoutEvidence))
}
func TestLawNoContinueFromBareFindings(t *testing.T) {
	rapid.Check(t, lawNoContinueFromBareFindings)
}
func FuzzLawNoContinueFromBareFindings(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(lawNoContinueFromBareFindings))
}
func TestLawWorseNeverSoftens(t *testing.T)          { rapid.Check(t, lawWorseNeverSoftens) }
func FuzzLawWorseNeverSoftens(f *testing.F)          { f.Fuzz(rapid.MakeFuzz(lawWorseNeverSoftens)) }
func TestLawOrderAndRepeatsDoNotMatter(t *testing.T) { rapid.Check(t, lawOrderAndRepeatsDoNotMatter) }
func FuzzLawOrderAndRepeatsDoNotMatter(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(lawOrderAndRepeatsDoNotMatter))
}
func TestLawVerdictsReadBackAndRepeat(t *testing.T) { rapid.Check(t, lawVerdictsReadBackAndRepeat) }
func FuzzLawVerdictsReadBackAndRepeat(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(lawVerdictsReadBackAndRepeat))
}
func TestLawTamperingIsSeen(t *testing.T) { rapid.Check(t, lawTamperingIsSeen) }
func FuzzLawTamperingIsSeen(f *testing.F) { f.Fuzz(rapid.MakeFuzz(lawTamperingIsSeen)) }
func TestLawHarmStaysProven(t *testing.T) { rapid.Check(t, lawHarmStaysProven) }
func FuzzLawHarmStaysProven(f *testing.F) { f.Fuzz(rapid.MakeFuzz(lawHarmStaysProven)) }

// names are texts as they come from data.
var names = []string{"x", "y", "", "a b", "\"", "\xff", "\x1b[31m", "日本"}

// anyFinding is a finding as no check should make it, too.
func anyFinding(rt *rapid.T, check string) analysis.Finding {
	f := finding(check, analysis.Outcome(rapid.IntRange(-1, 10).Draw(rt, "outcome")), analysis.Severity(rapid.IntRange(-1, 4).Draw(rt, "severity")))
	f.Required = rapid.Bool().Draw(rt, "required")
	f.Metric = rapid.SampledFrom(names).Draw(rt, "metric")
	switch rapid.IntRange(0, 11).Draw(rt, "oddity") {
	case 0:
		f.Estimate.Point = math.NaN()
	case 1:
		f.Estimate.Point = math.Inf(1)
	case 2:
		f.Slice = analysis.SliceKey{rapid.SampledFrom(names).Draw(rt, "column"): rapid.SampledFrom(names).Draw(rt, "value")}
	case 3:
		f.Hysteresis = analysis.Hysteresis{K: rapid.IntRange(1, 3).Draw(rt, "k"), Of: rapid.IntRange(0, 4).Draw(rt, "of"),
			Clear: rapid.IntRange(0, 3).Draw(rt, "clear"), Cooldown: time.Duration(rapid.IntRange(0, 20).Draw(rt, "cooldown")) * time.Minute}
		f.Window = noon.Add(time.Duration(rapid.IntRange(-5, 30).Draw(rt, "window")) * time.Minute)
	case 4:
		f.Local = true
	case 5:
		f.Alpha = rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), -1, 2}).Draw(rt, "alpha")
	case 6:
		f.Compared = analysis.BaselineKind(rapid.IntRange(-1, 5).Draw(rt, "compared"))
	case 7:
		f.UnitsNeeded = rapid.Uint64().Draw(rt, "needed")
	}
	return f
}

// sound draws findings that pass more often than not, so that what they lead to
// is not always a pause.
func someFindings(rt *rapid.T, check string) []analysis.Finding {
	if rapid.IntRange(0, 9).Draw(rt, "any") > 2 {
		return []analysis.Finding{finding(check, analysis.Pass, analysis.SeverityRollback)}
	}
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) analysis.Finding { return anyFinding(rt, check) }), 0, 3).Draw(rt, "findings")
}

func anyOverrides(rt *rapid.T) []analysis.Override {
	var out []analysis.Override
	for range max(0, rapid.IntRange(-6, 2).Draw(rt, "overrides")) {
		out = append(out, analysis.Override{
			Action:  analysis.OverrideAction(rapid.IntRange(-1, 5).Draw(rt, "action")),
			Check:   rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(rt, "check"),
			Metric:  rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "metric"),
			Who:     rapid.SampledFrom([]string{"ann", "ann", "", " "}).Draw(rt, "who"),
			Why:     rapid.SampledFrom([]string{"known", "known", "", "\t"}).Draw(rt, "why"),
			Expires: rapid.SampledFrom([]time.Time{{}, noon, noon.Add(15 * time.Minute), noon.Add(time.Hour)}).Draw(rt, "expires"),
		})
	}
	return out
}

func anyTable(rt *rapid.T) analysis.DecisionTable {
	if rapid.Bool().Draw(rt, "default table") {
		return nil
	}
	table := analysis.DefaultTable()
	for range rapid.IntRange(0, 20).Draw(rt, "changes") {
		i := rapid.IntRange(0, len(table)-1).Draw(rt, "rule")
		table[i].Decision = analysis.Decision(rapid.IntRange(-1, 1).Draw(rt, "decision"))
		table[i].Resume = analysis.Resume(rapid.IntRange(0, 1).Draw(rt, "resume"))
		table[i].Reason = rapid.SampledFrom([]string{"", "own", table[i].Reason}).Draw(rt, "reason")
	}
	return table[:rapid.IntRange(len(table)*9/10, len(table)).Draw(rt, "length")]
}

func anyDeadline(rt *rapid.T) analysis.Deadline {
	return analysis.Deadline{After: time.Duration(rapid.IntRange(0, 20).Draw(rt, "after")) * time.Minute,
		Looks: uint64(rapid.IntRange(0, 3).Draw(rt, "looks")), Then: analysis.DeadlineAction(rapid.IntRange(0, 2).Draw(rt, "then"))}
}

// anyPolicy requires a and b, and has c beside them.
func anyPolicy(rt *rapid.T) *analysis.Policy {
	p := policyOf("a", "b")
	p.Checks = append(p.Checks, analysis.CheckEntry{Check: fakeCheck{name: "c"}, Severity: analysis.SeverityWarn})
	if rapid.IntRange(0, 3).Draw(rt, "plain") > 0 {
		p.Checks[1].Muted = rapid.Bool().Draw(rt, "muted")
		p.Checks[1].AutoResume = rapid.Bool().Draw(rt, "auto")
		p.Looks = analysis.Looks{Kind: analysis.LooksKind(rapid.IntRange(0, 2).Draw(rt, "looks")), Schedule: rapid.IntRange(-1, 3).Draw(rt, "schedule")}
		p.Table = anyTable(rt)
		p.Deadlines = analysis.Deadlines{NoData: anyDeadline(rt), ProviderError: anyDeadline(rt), Undecided: anyDeadline(rt)}
	}
	return p
}

// tellStory draws looks at a rollout and hands each verdict to see.
func tellStory(rt *rapid.T, p *analysis.Policy, see func(l *analysis.Look, v *analysis.Verdict)) {
	var state *analysis.State
	if rapid.Bool().Draw(rt, "zero state") {
		state = new(analysis.State)
	}
	overrides := anyOverrides(rt)
	for i := range rapid.IntRange(1, 4).Draw(rt, "looks") {
		for j := range p.Checks {
			name := p.Checks[j].Check.Name()
			c := fakeCheck{name: name, findings: someFindings(rt, name)}
			if k := rapid.IntRange(0, 40).Draw(rt, "broken"); k == 0 {
				c.panics = true
			} else if k == 1 {
				c.err = errors.New("misused")
			}
			p.Checks[j].Check = c
		}
		l := analysis.Look{State: state, Now: noon.Add(time.Duration(i*10) * time.Minute), Overrides: overrides}
		if rapid.IntRange(0, 9).Draw(rt, "timeless") == 0 {
			l.Now = time.Time{}
		}
		if rapid.IntRange(0, 9).Draw(rt, "problem") == 0 {
			l.Problems = []analysis.SourceProblem{{Text: "timeout", Arm: rapid.SampledFrom(names).Draw(rt, "arm")}}
		}
		v, err := p.Evaluate(l)
		if err != nil {
			rt.Fatal(err)
		}
		see(&l, &v)
		state = &v.State
	}
}

// counts reports whether an override is one that softens: in the words of its
// documentation, not by the engine.
func counts(o analysis.Override, now time.Time) bool {
	return strings.TrimSpace(o.Who) != "" && strings.TrimSpace(o.Why) != "" && !now.IsZero() && now.Before(o.Expires)
}

func lawNoContinueWithoutEvidence(rt *rapid.T) {
	p := anyPolicy(rt)
	tellStory(rt, p, func(l *analysis.Look, v *analysis.Verdict) {
		if v.Decision != analysis.Continue {
			return
		}
		accepted := func(check, metric string) bool {
			return slices.ContainsFunc(l.Overrides, func(o analysis.Override) bool {
				return counts(o, l.Now) && (o.Action == analysis.OverrideContinue ||
					o.Action == analysis.OverrideAccept && o.Check == check && (o.Metric == "" || o.Metric == metric))
			})
		}
		required := 0
		for _, e := range p.Checks {
			c := e.Check.(fakeCheck)
			if !e.Required || e.Muted {
				continue
			}
			if accepted(c.name, "") {
				continue
			}
			required++
			switch {
			case c.panics || c.err != nil || len(c.findings) == 0:
				if !accepted(c.name, c.name) {
					rt.Fatalf("continue with a broken %s", c.name)
				}
			case len(l.Problems) > 0:
				if slices.ContainsFunc(c.findings, func(f analysis.Finding) bool { return !accepted(c.name, f.Metric) }) {
					rt.Fatalf("continue while the source of %s fails", c.name)
				}
			}
			for _, f := range c.findings {
				if c.panics || c.err != nil || accepted(c.name, f.Metric) {
					continue
				}
				if f.Outcome != analysis.Pass && f.Outcome != analysis.Warn {
					rt.Fatalf("continue with %v of %s", f.Outcome, c.name)
				}
				if math.IsNaN(f.Estimate.Point) || f.Outcome == analysis.Pass && math.IsInf(f.Estimate.Point, 1) {
					rt.Fatalf("continue with %v and %v of %s", f.Outcome, f.Estimate.Point, c.name)
				}
			}
		}
		if required == 0 && !accepted("", "") {
			rt.Fatal("continue with nothing required")
		}
	})
}

// lawNoContinueFromBareFindings is the same for a controller that hands over
// findings, right or wrong, without people in between.
func lawNoContinueFromBareFindings(rt *rapid.T) {
	p := anyPolicy(rt)
	var state *analysis.State
	for range rapid.IntRange(1, 3).Draw(rt, "looks") {
		var fs []analysis.Finding
		for _, name := range []string{"a", "b", "c", "d"} {
			fs = append(fs, someFindings(rt, name)...)
		}
		v := p.Decide(fs, state, noon)
		state = &v.State
		if v.Decision != analysis.Continue {
			continue
		}
		for _, e := range p.Checks {
			name := e.Check.Name()
			if !e.Required || e.Muted {
				continue
			}
			of := slices.DeleteFunc(slices.Clone(fs), func(f analysis.Finding) bool { return f.Check != name })
			if len(of) == 0 {
				rt.Fatalf("continue without %s", name)
			}
			for _, f := range of {
				if f.Outcome != analysis.Pass && f.Outcome != analysis.Warn && f.Outcome != analysis.Muted || math.IsNaN(f.Estimate.Point) && f.Outcome != analysis.Muted {
					rt.Fatalf("continue with %v and %v of %s", f.Outcome, f.Estimate.Point, name)
				}
			}
			if !slices.ContainsFunc(of, func(f analysis.Finding) bool { return f.Outcome != analysis.Muted }) {
				rt.Fatalf("continue with nothing but muted findings of %s", name)
			}
		}
	}
}

// badness orders outcomes; those of the same number are not compared. Of Invalid
// see lawWorseNeverSoftens.
var badness = map[analysis.Outcome]int{analysis.Pass: 0, analysis.Warn: 1, analysis.Insufficient: 2, analysis.NoData: 2,
	analysis.ProviderError: 2, analysis.Inconclusive: 2, analysis.Harm: 3, analysis.Invalid: 4}

// lawWorseNeverSoftens: Invalid is worse than anything but harm that rolls back,
// which it withholds on purpose. Deadlines are left out: they ask for more when
// evidence is missing than when it is bad, if the policy says so.
func lawWorseNeverSoftens(rt *rapid.T) {
	p := policyOf("a", "b")
	p.Looks = analysis.Looks{Kind: analysis.LooksKind(rapid.IntRange(0, 2).Draw(rt, "looks")), Schedule: 2}
	ladder := []analysis.Outcome{analysis.Pass, analysis.Warn, analysis.Insufficient, analysis.NoData, analysis.ProviderError,
		analysis.Inconclusive, analysis.Harm, analysis.Invalid}
	var fs []analysis.Finding
	for _, name := range []string{"a", "b", "c"} {
		f := finding(name, rapid.SampledFrom(ladder).Draw(rt, "outcome"), analysis.Severity(rapid.IntRange(0, 3).Draw(rt, "severity")))
		f.Required = f.Required || rapid.Bool().Draw(rt, "required")
		fs = append(fs, f)
	}
	var state *analysis.State
	for range rapid.IntRange(0, 3).Draw(rt, "looks before") {
		v := p.Decide([]analysis.Finding{finding("a", rapid.SampledFrom(ladder).Draw(rt, "before"), analysis.SeverityRollback),
			finding("b", analysis.Pass, analysis.SeverityPause)}, state, noon)
		state = &v.State
	}
	before := p.Decide(fs, state, noon)
	i := rapid.IntRange(0, 2).Draw(rt, "i")
	old := fs[i].Outcome
	fs[i].Outcome = rapid.SampledFrom(ladder).Draw(rt, "worse")
	if badness[fs[i].Outcome] <= badness[old] {
		return
	}
	if before.Decision == analysis.Rollback && fs[i].Outcome == analysis.Invalid {
		return
	}
	after := p.Decide(fs, state, noon)
	rank := func(v analysis.Verdict) int { return 2*int(v.Decision) + int(v.Resume) }
	if rank(after) < rank(before) {
		rt.Fatalf("%v became %v: %v/%v became %v/%v", old, fs[i].Outcome, before.Decision, before.Resume, after.Decision, after.Resume)
	}
}

func lawOrderAndRepeatsDoNotMatter(rt *rapid.T) {
	p := anyPolicy(rt)
	tellStory(rt, p, func(l *analysis.Look, v *analysis.Verdict) {
		q := *p
		q.Checks = slices.Clone(p.Checks)
		for i := range q.Checks {
			c := q.Checks[i].Check.(fakeCheck)
			if len(c.findings) > 0 {
				c.findings = rapid.Permutation(slices.Concat(c.findings, c.findings)).Draw(rt, "order")
				q.Checks[i].Check = c
			}
		}
		again, err := q.Evaluate(*l)
		if err != nil {
			rt.Fatal(err)
		}
		if a, b := encode(rt, *v), encode(rt, again); a != b {
			rt.Fatalf("in another order:\n%s\n%s", a, b)
		}
	})
}

func lawVerdictsReadBackAndRepeat(rt *rapid.T) {
	p := anyPolicy(rt)
	var before *analysis.Verdict
	tellStory(rt, p, func(_ *analysis.Look, v *analysis.Verdict) {
		text := encode(rt, *v)
		back, err := analysis.VerdictFromJSON([]byte(text))
		if err != nil {
			rt.Fatal(err)
		}
		if again := encode(rt, *back); again != text {
			rt.Fatalf("reads back as another verdict:\n%s\n%s", text, again)
		}
		for _, o := range []*analysis.Verdict{v, back} {
			if err := o.Verify(before); err != nil {
				rt.Fatal(err)
			}
			if _, err := analysis.Replay(o, p, func(digest string) (*analysis.Snapshot, error) {
				return nil, fmt.Errorf("no snapshot %s", digest)
			}); err != nil {
				rt.Fatal(err)
			}
		}
		before = v
	})
}

// lawTamperingIsSeen: a record of which one byte was changed is refused, unless it
// says the same all the same, as with a key in other letters.
func lawTamperingIsSeen(rt *rapid.T) {
	p := anyPolicy(rt)
	tellStory(rt, p, func(_ *analysis.Look, v *analysis.Verdict) {
		text := []byte(encode(rt, *v))
		changed := slices.Clone(text)
		i := rapid.IntRange(0, len(text)-1).Draw(rt, "byte")
		switch rapid.IntRange(0, 2).Draw(rt, "change") {
		case 0:
			changed[i] = rapid.Byte().Draw(rt, "to")
		case 1:
			changed = slices.Delete(changed, i, i+1)
		case 2:
			changed = slices.Insert(changed, i, rapid.Byte().Draw(rt, "new"))
		}
		back, err := analysis.VerdictFromJSON(changed)
		if err != nil {
			return
		}
		if again := encode(rt, *back); again != string(text) {
			rt.Fatalf("a changed record is read:\n%s\n%s", text, again)
		}
	})
	var v analysis.Verdict
	if err := json.Unmarshal([]byte("{}"), &v); err == nil {
		rt.Fatal("an empty record is read")
	}
}

// A state that was stored before attempts were counted is not taken for another
// candidate's: its latch holds.
func TestOldStateKeepsItsLatch(t *testing.T) {
	old := &analysis.State{Looks: 1, RolledBack: true, LatchReason: []analysis.Reason{{Code: analysis.ReasonHarm, Check: "a"}}}
	v := policyOf("a").Decide([]analysis.Finding{finding("a", analysis.Pass, analysis.SeverityRollback)}, old, noon)
	if v.Decision != analysis.Rollback || v.State.Attempt != 1 || v.State.Looks != 2 {
		t.Errorf("%v, attempt %d, look %d", v.Decision, v.State.Attempt, v.State.Looks)
	}
}

// lawHarmStaysProven: after a rollback without a person's word no look of the
// attempt leads to anything but a rollback.
func lawHarmStaysProven(rt *rapid.T) {
	p := anyPolicy(rt)
	proven := false
	tellStory(rt, p, func(l *analysis.Look, v *analysis.Verdict) {
		if len(l.Overrides) > 0 {
			return
		}
		if proven && v.Decision != analysis.Rollback {
			rt.Fatalf("after a rollback: %v because of %v", v.Decision, v.Reasons)
		}
		proven = proven || v.Decision == analysis.Rollback
	})
}
