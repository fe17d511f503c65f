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

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// TestStories tells, one line each, what a policy with the required checks a and
// b decides and why that is right.
func TestStories(t *testing.T) {
	const (
		pass         = analysis.Pass
		warn         = analysis.Warn
		harm         = analysis.Harm
		inconclusive = analysis.Inconclusive
		insufficient = analysis.Insufficient
		noData       = analysis.NoData
		provider     = analysis.ProviderError
		invalid      = analysis.Invalid
		muted        = analysis.Muted
		info         = analysis.Info
		toWarn       = analysis.SeverityWarn
		toPause      = analysis.SeverityPause
		toRollback   = analysis.SeverityRollback
	)
	f := finding
	tests := []struct {
		why      string
		findings []analysis.Finding
		want     string // decision/resume
		reason   string // code of the first reason
	}{
		{"two required checks that pass are evidence of no harm", []analysis.Finding{f("a", pass, toRollback), f("b", pass, toPause)}, "continue/auto", analysis.ReasonNoHarm},
		{"a warning does not stop a rollout", []analysis.Finding{f("a", pass, toRollback), f("b", pass, toPause), f("c", warn, toWarn)}, "continue/auto", analysis.ReasonNoHarm},
		{"harm on a check that may only warn is a warning", []analysis.Finding{f("a", pass, toRollback), f("b", pass, toPause), f("c", harm, toWarn)}, "continue/auto", analysis.ReasonNoHarm},
		{"harm on a required check that may only warn is no reason to go on", []analysis.Finding{f("a", pass, toRollback), required(f("b", harm, toWarn))}, "pause/manual", analysis.ReasonHarm},
		{"harm on a check for information is shown and no more", []analysis.Finding{f("a", pass, toRollback), f("b", pass, toPause), f("c", harm, info)}, "continue/auto", analysis.ReasonNoHarm},
		{"proven harm rolls back, whatever else passes", []analysis.Finding{f("a", harm, toRollback), f("b", pass, toPause)}, "rollback/manual", analysis.ReasonHarm},
		{"proven harm rolls back although another check has no data", []analysis.Finding{f("a", harm, toRollback), f("b", noData, toPause)}, "rollback/manual", analysis.ReasonHarm},
		{"harm of pause severity waits for a person", []analysis.Finding{f("a", pass, toRollback), f("b", harm, toPause)}, "pause/manual", analysis.ReasonHarm},
		{"not enough evidence waits by itself", []analysis.Finding{f("a", inconclusive, toRollback), f("b", pass, toPause)}, "pause/auto", analysis.ReasonInconclusive},
		{"too few units are not a pass", []analysis.Finding{f("a", insufficient, toRollback), f("b", pass, toPause)}, "pause/auto", analysis.ReasonInsufficient},
		{"no data is not zero and not a pass", []analysis.Finding{f("a", noData, toRollback), f("b", pass, toPause)}, "pause/auto", analysis.ReasonNoEvidence},
		{"an outage is not harm", []analysis.Finding{f("a", provider, toRollback), f("b", pass, toPause)}, "pause/auto", analysis.ReasonProvider},
		{"a broken split makes every other number unsafe", []analysis.Finding{f("a", invalid, toPause), f("b", pass, toPause)}, "pause/manual", analysis.ReasonInvalid},
		{"a broken split cannot roll back: the harm may come from it", []analysis.Finding{f("a", invalid, toPause), f("b", harm, toRollback)}, "pause/manual", analysis.ReasonInvalid},
		{"a person outranks a timer", []analysis.Finding{f("a", inconclusive, toRollback), f("b", harm, toPause)}, "pause/manual", analysis.ReasonHarm},
		{"a muted check is computed and not acted on", []analysis.Finding{f("a", pass, toRollback), f("b", pass, toPause), f("c", muted, toWarn)}, "continue/auto", analysis.ReasonNoHarm},
		{"no data on an optional check does not hold the rollout", []analysis.Finding{f("a", pass, toRollback), f("b", pass, toPause), f("c", noData, toWarn)}, "continue/auto", analysis.ReasonNoHarm},
		{"a required check that reports nothing is not a pass", []analysis.Finding{f("a", pass, toRollback)}, "pause/auto", analysis.ReasonMissing},
		{"no finding at all is not a pass", nil, "pause/auto", analysis.ReasonMissing},
		{"a pass without a number is no pass", []analysis.Finding{nanOf(f("a", pass, toRollback)), f("b", pass, toPause)}, "pause/manual", analysis.ReasonInvalid},
		{"a warning without a number is no pass", []analysis.Finding{nanOf(f("a", warn, toRollback)), f("b", pass, toPause)}, "pause/manual", analysis.ReasonInvalid},
		{"an unknown outcome is no pass", []analysis.Finding{f("a", 77, toRollback), f("b", pass, toPause)}, "pause/manual", analysis.ReasonInvalid},
		{"of two findings about one thing the worse counts", []analysis.Finding{f("a", pass, toRollback), f("a", harm, toRollback), f("b", pass, toPause)}, "rollback/manual", analysis.ReasonHarm},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			v := policyOf("a", "b").Decide(tt.findings, nil, noon)
			if got := v.Decision.String() + "/" + v.Resume.String(); got != tt.want {
				t.Errorf("decided %s, want %s\n%v", got, tt.want, v.Reasons)
			}
			if len(v.Reasons) == 0 || v.Reasons[0].Code != tt.reason {
				t.Errorf("first reason %v, want %s", v.Reasons, tt.reason)
			}
		})
	}
}

func nanOf(f analysis.Finding) analysis.Finding {
	f.Estimate.Point = math.NaN()
	return f
}

func required(f analysis.Finding) analysis.Finding {
	f.Required = true
	return f
}

// Under a policy that looks once, waiting brings no second look, wherever among
// the findings the undecided one stands.
func TestOneLookThatCannotDecideNeedsAPerson(t *testing.T) {
	p := policyOf("a", "b")
	p.Looks.Kind = analysis.Once
	a, b := finding("a", analysis.NoData, analysis.SeverityRollback), finding("b", analysis.Inconclusive, analysis.SeverityRollback)
	if v := p.Decide([]analysis.Finding{a, b}, nil, noon); v.Decision != analysis.Pause || v.Resume != analysis.Manual || v.CheckAfter != 0 {
		t.Errorf("%v/%v, look again after %v", v.Decision, v.Resume, v.CheckAfter)
	}
	if v := p.Decide([]analysis.Finding{a}, nil, noon); v.Resume != analysis.Auto {
		t.Error("a log that has not arrived needs no person")
	}
}

// Names and values come from the data: those of two slices must not meet.
func TestSlicesAreNotConfused(t *testing.T) {
	a, b := finding("a", analysis.Harm, analysis.SeverityRollback), finding("a", analysis.Pass, analysis.SeverityRollback)
	a.Slice = analysis.SliceKey{"os": "x y=z"}
	b.Slice = analysis.SliceKey{"os": "x", "y": "z"}
	if v := policyOf("a").Decide([]analysis.Finding{a, b}, nil, noon); len(v.Findings) != 2 {
		t.Errorf("%d findings of 2 slices", len(v.Findings))
	}
}

func TestInvalidMarksTheRestUntrusted(t *testing.T) {
	v := policyOf("a").Decide([]analysis.Finding{
		finding("a", analysis.Invalid, analysis.SeverityPause), finding("b", analysis.Harm, analysis.SeverityRollback),
	}, nil, noon)
	for _, f := range v.Findings {
		if want := f.Outcome != analysis.Invalid; f.Untrusted != want {
			t.Errorf("%s: untrusted %v, want %v", f.Check, f.Untrusted, want)
		}
	}
}

func TestRollbackLatches(t *testing.T) {
	p := policyOf("a")
	first := p.Decide([]analysis.Finding{finding("a", analysis.Harm, analysis.SeverityRollback)}, nil, noon)
	second := p.Decide([]analysis.Finding{finding("a", analysis.Pass, analysis.SeverityRollback)}, &first.State, noon.Add(time.Hour))
	if second.Decision != analysis.Rollback || second.Reasons[0].Code != analysis.ReasonLatched {
		t.Errorf("after a rollback a pass gives %v because of %v", second.Decision, second.Reasons)
	}
	if second.State.Looks != 2 || second.Record.Previous.Looks != 1 || !second.Record.Previous.RolledBack {
		t.Errorf("state %+v, previous %+v", second.State, second.Record.Previous)
	}
	if text := second.Reasons[0].Text; !strings.Contains(text, "a says harm.") {
		t.Errorf("the reason does not say what was proven: %s", text)
	}
}

func TestPolicyThatRequiresNothingPauses(t *testing.T) {
	v := (&analysis.Policy{}).Decide([]analysis.Finding{finding("a", analysis.Pass, analysis.SeverityRollback)}, nil, noon)
	if v.Decision != analysis.Pause || v.Resume != analysis.Manual || v.Reasons[0].Code != analysis.ReasonRubberStamp {
		t.Errorf("%v/%v because of %v", v.Decision, v.Resume, v.Reasons)
	}
}

func TestUnknownExposurePauses(t *testing.T) {
	p := policyOf("a")
	p.Exposure.MinUnits = 10
	v := p.Decide([]analysis.Finding{finding("a", analysis.Pass, analysis.SeverityRollback)}, nil, noon)
	if v.Decision != analysis.Pause || v.Reasons[0].Code != analysis.ReasonExposure {
		t.Errorf("%v because of %v", v.Decision, v.Reasons)
	}
}

func TestEvaluateSurvivesBrokenChecks(t *testing.T) {
	for _, tt := range []struct {
		check fakeCheck
		code  string
	}{
		{fakeCheck{name: "a", panics: true}, "check_panicked"},
		{fakeCheck{name: "a", err: errors.New("misused")}, "check_failed"},
		{fakeCheck{name: "a"}, "check_silent"},
	} {
		p := policyOf()
		p.Checks = []analysis.CheckEntry{{Check: tt.check, Severity: analysis.SeverityRollback, Required: true}}
		v, err := analysis.Evaluate(p, nil, nil, nil, noon)
		if err != nil {
			t.Fatal(err)
		}
		if v.Decision != analysis.Pause || v.Resume != analysis.Manual || v.Findings[0].Code != tt.code {
			t.Errorf("%s: %v/%v, finding %s", tt.code, v.Decision, v.Resume, v.Findings[0].Code)
		}
	}
}

func TestExposureAndCheckAfter(t *testing.T) {
	p := policyOf()
	undecided := finding("a", analysis.Inconclusive, analysis.SeverityRollback)
	undecided.UnitsNeeded = 600
	p.Checks = []analysis.CheckEntry{{Check: fakeCheck{name: "a", findings: []analysis.Finding{undecided}}, Severity: analysis.SeverityRollback, Required: true}}
	p.Columns = analysis.Columns{Time: "ts"}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	ts := make([]int64, 301) // one unit a second
	for i := range ts {
		ts[i] = int64(i) * 1_000_000
	}
	if err := c.Add(&analysis.Batch{Rows: 301, Columns: []analysis.Column{{Type: analysis.Time, Ints: ts}}}); err != nil {
		t.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	other := analysis.NewCollector(spec)
	if err := other.Add(&analysis.Batch{Rows: 302, Columns: []analysis.Column{{Type: analysis.Time, Ints: append(ts[:301:301], 300_000_000)}}}); err != nil {
		t.Fatal(err)
	}
	base, err := other.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	v, err := analysis.Evaluate(p, base, s, nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	if v.CheckAfter < 590*time.Second || v.CheckAfter > 610*time.Second {
		t.Errorf("600 units at one a second: look again after %v", v.CheckAfter)
	}
	p.Exposure = analysis.Exposure{MinUnits: 302}
	if v, err = analysis.Evaluate(p, base, s, nil, noon); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(v.Reasons, func(r analysis.Reason) bool { return r.Code == analysis.ReasonExposure }) {
		t.Errorf("301 of 302 units: %v", v.Reasons)
	}
	p.Exposure = analysis.Exposure{MinDuration: 301 * time.Second}
	if v, err = analysis.Evaluate(p, base, s, nil, noon); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(v.Reasons, func(r analysis.Reason) bool { return r.Code == analysis.ReasonExposure }) {
		t.Errorf("300 s of 301 s: %v", v.Reasons)
	}
	p.Exposure = analysis.Exposure{}
	p.Columns.Unit = "visitor" // each comes twice
	if got := exposureText(t, p, ts); got != "The smaller arm has 151 units; the policy asks for at least 152 before a rollout may continue." {
		t.Errorf("units that repeat: %s", got)
	}
	p.Columns.Unit = ""
	if _, err := analysis.Evaluate(p, s, collect(t), nil, noon); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("a snapshot of another spec: %v", err)
	}
}

// exposureText is what a policy that asks for 152 units says about rows of which
// two each are of one unit.
func exposureText(t *testing.T, p *analysis.Policy, ts []int64) string {
	t.Helper()
	p.Exposure.MinUnits = 152
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	visitors := make([]int64, len(ts))
	for i := range visitors {
		visitors[i] = int64(i / 2)
	}
	c := analysis.NewCollector(spec)
	if err := c.Add(&analysis.Batch{Rows: len(ts), Columns: []analysis.Column{{Type: analysis.Time, Ints: ts}, {Type: analysis.Int, Ints: visitors}}}); err != nil {
		t.Fatal(err)
	}
	first, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(&analysis.Batch{Rows: 1, Columns: []analysis.Column{{Type: analysis.Time, Ints: ts[:1]}, {Type: analysis.Int, Ints: visitors[:1]}}}); err != nil {
		t.Fatal(err)
	}
	more, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	v, err := analysis.Evaluate(p, more, first, nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range v.Reasons {
		if r.Code == analysis.ReasonExposure {
			return r.Text
		}
	}
	return ""
}

// drawFindings makes any mixture of findings, unsound ones among them.
func drawFindings(rt *rapid.T) []analysis.Finding {
	n := rapid.IntRange(0, 8).Draw(rt, "n")
	fs := make([]analysis.Finding, n)
	for i := range fs {
		check := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "check")
		o := analysis.Outcome(rapid.IntRange(-1, 10).Draw(rt, "outcome"))
		s := analysis.Severity(rapid.IntRange(0, 3).Draw(rt, "severity"))
		fs[i] = finding(check, o, s)
		fs[i].Metric = rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "metric")
		if rapid.IntRange(0, 5).Draw(rt, "nan") == 0 {
			fs[i].Estimate.Point = math.NaN()
		}
	}
	return fs
}

func encode(t rapid.TB, v analysis.Verdict) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOrderAndRepeatsDoNotMatter(t *testing.T) {
	p := policyOf("a", "b")
	rapid.Check(t, func(rt *rapid.T) {
		fs := drawFindings(rt)
		want := encode(rt, p.Decide(fs, nil, noon))
		again := rapid.Permutation(append(slices.Clone(fs), fs...)).Draw(rt, "order")
		if got := encode(rt, p.Decide(again, nil, noon)); got != want {
			rt.Fatal(cmp.Diff(want, got))
		}
	})
}

func TestWorseOutcomesNeverSoften(t *testing.T) {
	p := policyOf("a", "b")
	// Invalid is left out: it withholds other numbers on purpose.
	ladder := []analysis.Outcome{analysis.Pass, analysis.Inconclusive, analysis.Harm}
	rank := func(v analysis.Verdict) int { return 2*int(v.Decision) + int(v.Resume) }
	rapid.Check(t, func(rt *rapid.T) {
		var fs []analysis.Finding
		for _, name := range []string{"a", "b", "c"} {
			f := finding(name, ladder[rapid.IntRange(0, 2).Draw(rt, "o")], analysis.Severity(rapid.IntRange(0, 3).Draw(rt, "s")))
			f.Required = f.Required || rapid.Bool().Draw(rt, "required")
			fs = append(fs, f)
		}
		before := p.Decide(fs, nil, noon)
		i := rapid.IntRange(0, 2).Draw(rt, "i")
		at := slices.Index(ladder, fs[i].Outcome)
		fs[i].Outcome = ladder[rapid.IntRange(at, 2).Draw(rt, "worse")]
		if after := p.Decide(fs, nil, noon); rank(after) < rank(before) {
			rt.Fatalf("%v/%v became %v/%v", before.Decision, before.Resume, after.Decision, after.Resume)
		}
	})
}

// noFalseContinue says whether a Continue rests on a pass with a number of every
// required check.
func noFalseContinue(p *analysis.Policy, fs []analysis.Finding, v analysis.Verdict) error {
	if v.Decision != analysis.Continue {
		return nil
	}
	for _, e := range p.Checks {
		ok := false
		for _, f := range fs {
			if f.Check != e.Check.Name() {
				continue
			}
			ok = true
			if f.Required && f.Outcome != analysis.Pass && f.Outcome != analysis.Warn && f.Outcome != analysis.Muted {
				return fmt.Errorf("continue with %s of %s", f.Outcome, f.Check)
			}
			if f.Required && f.Outcome != analysis.Muted && math.IsNaN(f.Estimate.Point) {
				return fmt.Errorf("continue with a NaN of %s", f.Check)
			}
		}
		if !ok {
			return fmt.Errorf("continue without %s", e.Check.Name())
		}
	}
	return nil
}

func TestNoFalseContinue(t *testing.T) {
	p := policyOf("a", "b")
	rapid.Check(t, func(rt *rapid.T) {
		fs := drawFindings(rt)
		if err := noFalseContinue(p, fs, p.Decide(fs, nil, noon)); err != nil {
			rt.Fatal(err)
		}
	})
}

func FuzzNoFalseContinue(f *testing.F) {
	p := policyOf("a", "b")
	f.Fuzz(rapid.MakeFuzz(func(rt *rapid.T) {
		fs := drawFindings(rt)
		if err := noFalseContinue(p, fs, p.Decide(fs, nil, noon)); err != nil {
			rt.Fatal(err)
		}
	}))
}

func TestTableIsComplete(t *testing.T) {
	rules := analysis.DefaultTable()
	if want := 9 * 4 * 2; len(rules) != want {
		t.Fatalf("%d rules, want %d", len(rules), want)
	}
	for _, r := range rules {
		if r.Decision == analysis.Continue && r.Required && r.Outcome != analysis.Pass && r.Outcome != analysis.Warn && r.Outcome != analysis.Muted {
			t.Errorf("a required finding that is %v with severity %v continues", r.Outcome, r.Severity)
		}
		if r.Decision == analysis.Rollback && r.Outcome != analysis.Harm {
			t.Errorf("%v rolls back", r.Outcome)
		}
	}
}

func TestVerdictReadsBack(t *testing.T) {
	f := finding("a", analysis.Harm, analysis.SeverityRollback)
	f.Estimate.Hi = math.Inf(1)
	v := policyOf("a").Decide([]analysis.Finding{f}, nil, noon)
	text := encode(t, v)
	for _, want := range []string{`"schema":"rampguard.verdict/v1"`, `"decision":"rollback"`, `"resume":"manual"`, `"hi":"+Inf"`, `"limit":"NaN"`, `"slice":{}`, `"check_after_seconds":0`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	var back analysis.Verdict
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, encode(t, back)); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{`{}`, `{"schema":"other"}`, `{"schema":"rampguard.verdict/v1","decision":"go"}`,
		`{"schema":"rampguard.verdict/v1","decision":"continue","check_after_seconds":1e300}`} {
		if json.Unmarshal([]byte(bad), &back) == nil {
			t.Errorf("%s reads as a verdict", bad)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		d    analysis.Decision
		r    analysis.Resume
		want int
	}{{analysis.Continue, analysis.Auto, 0}, {analysis.Pause, analysis.Auto, 75}, {analysis.Pause, analysis.Manual, 3}, {analysis.Rollback, analysis.Manual, 1}} {
		v := analysis.Verdict{Decision: tt.d, Resume: tt.r}
		if got := v.ExitCode(); got != tt.want {
			t.Errorf("%v/%v exits with %d, want %d", tt.d, tt.r, got, tt.want)
		}
	}
	if got := new(analysis.Verdict).ExitCode(); got != 75 {
		t.Errorf("the zero verdict exits with %d, want 75", got)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := policyOf("a", "b")
	var fs []analysis.Finding
	for i := range 60 {
		f := finding([]string{"a", "b"}[i%2], analysis.Pass, analysis.SeverityRollback)
		f.Metric = fmt.Sprint("metric", i)
		fs = append(fs, f)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Decide(fs, nil, noon)
	}
}
