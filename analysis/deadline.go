package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// DeadlineAction is what happens when a rollout has waited too long.
type DeadlineAction int8

// The actions when a deadline is over.
const (
	DeadlinePause    DeadlineAction = iota // a person has to look
	DeadlineRollback                       // the candidate is taken out
	DeadlineContinue                       // nothing; refused for required checks
)

var deadlineWords = map[DeadlineAction]string{DeadlinePause: "pause", DeadlineRollback: "rollback", DeadlineContinue: "continue"}

// String returns the word used in files and reports.
func (d DeadlineAction) String() string { return word(deadlineWords, d) }

// MarshalText implements [encoding.TextMarshaler].
func (d DeadlineAction) MarshalText() ([]byte, error) {
	return marshalWord(deadlineWords, d, "deadline action")
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *DeadlineAction) UnmarshalText(b []byte) error {
	return unmarshalWord(deadlineWords, d, b, "deadline action")
}

// Deadline bounds how long a rollout waits for something. The zero value waits
// for ever.
type Deadline struct {
	After time.Duration  // since the first of the looks in a row at which it waited; 0 is no limit
	Looks uint64         // number of such looks, 0 is no limit; of the two, the first to come counts
	Then  DeadlineAction // what happens then
}

// Deadlines are the deadlines of a policy, or of one check.
type Deadlines struct {
	NoData        Deadline // on_no_data: a required check has nothing to look at
	ProviderError Deadline // on_provider_error: the source of its data fails
	Undecided     Deadline // on_deadline: it has too little, or evidence for both
}

// waitKind is what a check waits for.
type waitKind string

const (
	waitData     waitKind = "no_data"
	waitProvider waitKind = "provider_error"
	waitEvidence waitKind = "undecided"
)

// waitsFor lists what a finding with the outcome waits for. Whatever is missing,
// there is no decision, so that a check whose source fails at one look and is
// empty at the next has one deadline for both.
func waitsFor(o Outcome) []waitKind {
	switch o {
	case NoData:
		return []waitKind{waitData, waitEvidence}
	case ProviderError:
		return []waitKind{waitProvider, waitEvidence}
	case Insufficient, Inconclusive:
		return []waitKind{waitEvidence}
	default:
		return nil
	}
}

func (d *Deadlines) of(k waitKind) Deadline {
	switch k {
	case waitData:
		return d.NoData
	case waitProvider:
		return d.ProviderError
	default:
		return d.Undecided
	}
}

// Waiting is what one check waits for, and since when. The minimum exposure waits
// under the name exposure.
type Waiting struct {
	Check string    `json:"check"`
	For   string    `json:"for"` // no_data, provider_error or undecided
	Since time.Time `json:"since,omitzero"`
	Looks uint64    `json:"looks"`
}

// expired reports whether the deadline is over.
func (w *Waiting) expired(d Deadline, now time.Time) bool {
	return d.Looks > 0 && w.Looks >= d.Looks ||
		d.After > 0 && !now.IsZero() && !w.Since.IsZero() && now.Sub(w.Since) >= d.After
}

// exposureCheck is what the minimum exposure is called where checks are named.
const exposureCheck = "exposure"

// wait brings the list of what is waited for up to date and returns what the
// deadlines that are over ask for. lacking says what the minimum exposure lacks.
func (p *Policy) wait(v *Verdict, now time.Time, lacking string) []Reason {
	w := waiter{p: p, state: &v.State, before: v.State.Waiting, now: now}
	w.state.Waiting = nil
	for i := range v.Findings {
		if f := &v.Findings[i]; f.Required {
			for _, kind := range waitsFor(f.Outcome) {
				w.add(f.Check, kind, f.Message)
			}
		}
	}
	if lacking != "" {
		w.add(exposureCheck, waitEvidence, lacking)
	}
	slices.SortFunc(w.state.Waiting, func(a, b Waiting) int { return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.For, b.For)) })
	return w.over
}

// waiter brings the waiting of one look together.
type waiter struct {
	p      *Policy
	state  *State
	before []Waiting
	now    time.Time
	over   []Reason
}

// add notes that a check waits, once for each kind, and whether it has waited too
// long.
func (w *waiter) add(check string, kind waitKind, text string) {
	same := func(o Waiting) bool { return o.Check == check && o.For == string(kind) }
	if slices.ContainsFunc(w.state.Waiting, same) {
		return
	}
	one := Waiting{Check: check, For: string(kind), Since: w.now}
	if j := slices.IndexFunc(w.before, same); j >= 0 {
		one = w.before[j]
	}
	one.Looks++
	if one.Since.IsZero() {
		one.Since = w.now
	}
	w.state.Waiting = append(w.state.Waiting, one)
	ds := w.p.deadlines(check)
	d := ds.of(kind)
	if !one.expired(d, w.now) || d.Then == DeadlineContinue {
		return
	}
	code := ReasonDeadline
	if d.Then == DeadlineRollback {
		code = ReasonDeadlineRollback
	}
	long := fmt.Sprintf("%d looks", one.Looks)
	if one.Looks == 1 {
		long = "1 look"
	}
	if !w.now.IsZero() && w.now.After(one.Since) {
		long = period(w.now.Sub(one.Since)) + " and " + long
	}
	w.over = append(w.over, Reason{Code: code, Check: check,
		Text: fmt.Sprintf("It has waited for %s, as long as the policy allows (%s), and asks for: %v. %s", long, kind, d.Then, text)})
}

// soonest is the time to the next deadline, false when none is set.
func (p *Policy) soonest(s *State, now time.Time) (time.Duration, bool) {
	found, least := false, time.Duration(0)
	for i := range s.Waiting {
		w := &s.Waiting[i]
		ds := p.deadlines(w.Check)
		d := ds.of(waitKind(w.For))
		if d.After <= 0 || d.Then == DeadlineContinue || now.IsZero() || w.Since.IsZero() {
			continue
		}
		if left := d.After - now.Sub(w.Since); left > 0 && (!found || left < least) {
			found, least = true, left
		}
	}
	return least, found
}

// deadlines are those of the named check. Of several entries of one check, which
// share its name, the earliest deadline counts.
func (p *Policy) deadlines(check string) Deadlines {
	d, own := p.Deadlines, false
	for i := range p.Checks {
		e := &p.Checks[i]
		if e.Check == nil || e.Check.Name() != check || e.Deadlines == (Deadlines{}) {
			continue
		}
		if !own {
			d, own = e.Deadlines, true
			continue
		}
		d.NoData, d.ProviderError, d.Undecided = d.NoData.earlier(e.Deadlines.NoData), d.ProviderError.earlier(e.Deadlines.ProviderError), d.Undecided.earlier(e.Deadlines.Undecided)
	}
	return d
}

func (d Deadline) earlier(o Deadline) Deadline {
	switch {
	case o == (Deadline{}):
		return d
	case d == (Deadline{}), o.After > 0 && (d.After == 0 || o.After < d.After):
		return o
	}
	return d
}
