package argogate

import (
	"fmt"
	"strings"
	"time"
)

// effect is what a decision means to a host.
type effect int

const (
	wait    effect = iota // for evidence or for the gate; ask again
	person                // a person has to decide
	goOn                  // the evidence is good
	abandon               // the evidence is bad
)

// memory is kept by the controller from call to call; the plugin keeps nothing that
// it could lose.
type memory struct {
	Since      time.Time `json:"since"` // when the wait for a verdict began
	Decision   string    `json:"decision,omitempty"`
	Resume     string    `json:"resume,omitempty"`
	Stage      string    `json:"stage,omitempty"`
	Record     string    `json:"record,omitempty"` // digest of the verdict
	Reason     string    `json:"reason,omitempty"`
	ErrorSince time.Time `json:"errorSince,omitzero"`
	Error      string    `json:"error,omitempty"`
}

// conclusion is what the controller is told.
type conclusion struct {
	effect  effect
	message string
	after   time.Duration // until the next question
}

// failed notes that there is no verdict. Errors in a row have a budget, after which a
// person has to decide; they never abort a rollout.
func (m *memory) failed(c *config, err error, now time.Time) conclusion {
	if m.ErrorSince.IsZero() {
		m.ErrorSince = now
	}
	m.Error = clip(err.Error(), 400)
	end := m.ErrorSince.Add(time.Duration(c.ErrorBudget))
	if !now.Before(end) {
		return conclusion{effect: person, message: fmt.Sprintf("rampguard has had no verdict for %s (errorBudget is %s), so a person has to decide: %s",
			now.Sub(m.ErrorSince).Round(time.Second), time.Duration(c.ErrorBudget), m.Error)}
	}
	return conclusion{wait, fmt.Sprintf("rampguard has no verdict and asks again until %s: %s", end.UTC().Format(time.RFC3339), m.Error),
		min(c.every(0), end.Sub(now))}
}

// decided notes a verdict. began is when the analysis began: a continue has to be
// newer, since it is the one for what runs now.
func (m *memory) decided(c *config, a *answer, began, now time.Time) conclusion {
	m.ErrorSince, m.Error = time.Time{}, ""
	m.Decision, m.Resume, m.Stage, m.Record = a.Verdict, a.Resume, a.Stage, a.Record
	m.Reason = ""
	if len(a.Reasons) > 0 {
		m.Reason = clip(a.Reasons[0], 200)
	}
	out := conclusion{wait, "", c.every(time.Duration(a.CheckAfter * float64(time.Second)))}
	why := clip(strings.Join(a.Reasons, " "), 1000)
	switch {
	case a.Verdict == "rollback":
		out.effect, out.message = abandon, "rampguard says rollback: "+why
		return out
	case a.Verdict == "pause" && a.Resume == "manual":
		out.effect, out.message = person, "rampguard says that a person has to decide: "+why
		return out
	case a.Verdict == "pause":
		out.message = "rampguard waits for evidence: " + why
	case c.Stage != "" && a.Stage != c.Stage:
		m.Decision, m.Reason = "pause", fmt.Sprintf("the last look was at stage %q", a.Stage)
		out.message = fmt.Sprintf("rampguard waits for a look at stage %s: the last look was at stage %q and said continue", c.Stage, a.Stage)
	case !c.AcceptEarlier && a.DecidedAt.Before(began.Truncate(time.Second)):
		m.Decision, m.Reason = "pause", "the last look was before the analysis began"
		out.message = fmt.Sprintf("rampguard waits for a new look: the last one, at %s, said continue, but the analysis began at %s",
			a.DecidedAt.UTC().Format(time.RFC3339), began.UTC().Format(time.RFC3339))
	default:
		out.effect, out.message = goOn, "rampguard says continue: "+why
		return out
	}
	if limit := time.Duration(c.WaitLimit); limit > 0 && now.Sub(m.Since) >= limit {
		out.effect, out.message = person, fmt.Sprintf("rampguard has waited for %s (waitLimit is %s), so a person has to decide; %s", now.Sub(m.Since).Round(time.Second), limit, out.message)
	}
	return out
}

// value is the decision with a short reason.
func (m *memory) value() string {
	switch {
	case m.Error != "":
		return "unknown: " + clip(m.Error, 160)
	case m.Decision == "":
		return ""
	case m.Decision == "pause" && m.Resume == "manual":
		return "pause, a person has to decide: " + m.Reason
	}
	return m.Decision + ": " + m.Reason
}

// clip shortens a text to n bytes, never within a character.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + " ..."
}
