package analysis

import (
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/stats"
)

var nan = math.NaN()

// Evidence is what a check looks at.
type Evidence struct {
	// Baseline and Candidate are the arms; nil means that an arm has no data
	// yet, which a check reports as NoData.
	Baseline, Candidate *Snapshot

	Policy *Policy // the policy that is being applied
	// Alpha is the share of the error budget that the check may spend: the
	// probability, over the whole rollout, that it reports Harm without any.
	Alpha float64
	// NoHarmAlpha is the one-sided error of a Pass: the probability that a
	// metric just beyond its margin is reported as harmless.
	NoHarmAlpha float64
}

// NoHarmAlpha is the default one-sided error of a Pass. It is not divided among
// checks, because Continue needs all of them to pass (an intersection-union
// test; Berger 1982).
const NoHarmAlpha = 0.05

// Check looks at the evidence and reports what it found. Implementations are
// values: the same evidence always gives the same findings, whatever the clock,
// the machine or the order of calls. Bad or missing data is a finding with the
// outcome Invalid, NoData or Insufficient; an error means that the check was
// misused, and the verdict treats it as Invalid.
type Check interface {
	// Name is the check's name in policies and findings, such as "drift".
	Name() string
	// Columns lists what the check needs to be collected.
	Columns() []ColumnSpec
	// Run reports at least one finding.
	Run(ev *Evidence) ([]Finding, error)
}

// Builder makes a check from its entry in a policy. It reads its settings from
// p, which reports unknown and malformed ones with their place in the file.
type Builder func(p *Params) (Check, error)

// Registry maps the names that a policy may use to the checks they stand for.
type Registry map[string]Builder

// run calls the check and turns an error, a panic, or the lack of any finding
// into an Invalid finding, so that a broken check can never let a rollout pass.
func (e *CheckEntry) run(ev *Evidence) (fs []Finding) {
	fail := func(code string, what any) []Finding {
		f := NewFinding(e.Check.Name(), code, e.Check.Name())
		f.Outcome = Invalid
		f.Message = fmt.Sprintf("The check could not be computed: %v", what)
		return []Finding{f}
	}
	defer func() {
		if r := recover(); r != nil {
			fs = fail("check_panicked", r)
		}
		for i := range fs {
			e.stamp(&fs[i])
		}
	}()
	out, err := e.Check.Run(ev)
	switch {
	case err != nil:
		return fail("check_failed", err)
	case len(out) == 0:
		return fail("check_silent", "it reported nothing")
	}
	return out
}

// stamp fills in what the policy entry says about a finding. A check may give a
// finding another severity than the entry's, but not less than required.
func (e *CheckEntry) stamp(f *Finding) {
	if f.Check == "" {
		f.Check = e.Check.Name()
	}
	f.Required = e.Required
	if f.Severity == Info {
		f.Severity = e.Severity
	}
	if e.Muted {
		f.Outcome = Muted
	}
}

// Evaluate runs every check of the policy on the two arms and decides, as
// [Policy.Decide] does. A nil snapshot means that an arm has no data. prev is the
// state of the previous verdict of the same rollout, or nil; now goes into the
// record. The result depends on nothing else.
//
// A snapshot that was collected for another spec than the policy's is an error
// wrapping [stats.ErrMismatch].
func Evaluate(p *Policy, baseline, candidate *Snapshot, prev *State, now time.Time) (Verdict, error) {
	spec, err := p.Spec()
	if err != nil {
		return Verdict{}, err
	}
	var inputs []Input
	for _, arm := range []struct {
		name string
		s    *Snapshot
	}{{"baseline", baseline}, {"candidate", candidate}} {
		in := Input{Arm: arm.name}
		if arm.s != nil {
			if arm.s.Spec.Fingerprint() != spec.Fingerprint() {
				return Verdict{}, fmt.Errorf("analysis: Evaluate: the snapshot of the %s was collected for another spec than this policy's; collect it again with the policy: %w", arm.name, stats.ErrMismatch)
			}
			if in.Digest, err = arm.s.Digest(); err != nil {
				return Verdict{}, err
			}
			in.Rows = arm.s.RowCount
		}
		inputs = append(inputs, in)
	}
	ev := Evidence{Baseline: baseline, Candidate: candidate, Policy: p, NoHarmAlpha: NoHarmAlpha}
	var fs []Finding
	for i := range p.Checks {
		e := &p.Checks[i]
		ev.Alpha = p.alpha(e)
		fs = append(fs, e.run(&ev)...)
	}
	if a, b := inputs[0], inputs[1]; a.Rows > 0 && a.Digest == b.Digest && baseline.tellsRowsApart() {
		fs = append(fs, sameEvidence(a.Rows))
	}
	v := p.decide(fs, prev, now, exposureOf(baseline, candidate))
	v.Record.Inputs = inputs
	return v, nil
}

// tellsRowsApart reports whether two different logs can hardly have the same
// snapshot, because units or times were collected.
func (s *Snapshot) tellsRowsApart() bool {
	unit, clock := s.ByRole(Unit), s.ByRole(Clock)
	return unit != nil && unit.Units.Total() > 0 || clock != nil && clock.Clock.N > 1
}

// sameEvidence is the finding that one log was given for both arms.
func sameEvidence(rows uint64) Finding {
	f := NewFinding("evidence", "same_evidence", "evidence")
	f.Outcome, f.Severity, f.Required = Invalid, SeverityPause, true
	f.N = Counts{Baseline: rows, Candidate: rows}
	f.Message = fmt.Sprintf("Both arms are the same evidence, of %s rows: a log compared with itself shows nothing.", thousands(rows))
	return f
}

// exposure is how much traffic the evidence stands for. The zero value is unknown.
type exposure struct {
	known    bool
	units    uint64        // of the smaller arm
	timed    bool          // whether duration is known
	duration time.Duration // from the first to the last row of the candidate
}

// maxSpan keeps the span of a damaged clock column, in microseconds, within a
// time.Duration: a century.
const maxSpan = 3.2e15

func exposureOf(baseline, candidate *Snapshot) exposure {
	e := exposure{known: true}
	if baseline == nil || candidate == nil {
		return e
	}
	e.units = min(baseline.units(), candidate.units())
	if c := candidate.ByRole(Clock); c != nil && c.Clock.N > 0 {
		e.timed = true
		span := float64(c.Clock.Max) - float64(c.Clock.Min)
		e.duration = time.Duration(min(span, maxSpan)) * time.Microsecond
	}
	return e
}

// units is the number of units served: rows, unless the log names units that
// repeat. It is exact when none repeats, or when all ids were kept.
func (s *Snapshot) units() uint64 {
	c := s.ByRole(Unit)
	if c == nil {
		return s.RowCount
	}
	ids, seen := c.Units.Sampled()
	if seen == 0 {
		return s.RowCount
	}
	return uint64(math.Round(float64(c.Units.Total()) * (float64(ids) / float64(seen))))
}
