package analysis

import (
	"slices"
	"time"
)

// State is what one verdict hands to the next of the same rollout. The zero
// State is that of a rollout not yet looked at. It is plain data: store it as
// JSON.
type State struct {
	Looks       uint64   `json:"looks"`                  // verdicts given so far, in this attempt
	Blind       uint64   `json:"blind_looks,omitempty"`  // those of them at which no check had anything to test
	Attempt     int      `json:"attempt,omitempty"`      // counted from 1; a changed candidate or policy starts the next
	Candidate   string   `json:"candidate,omitempty"`    // of this attempt
	Policy      string   `json:"policy,omitempty"`       // digest of the policy of this attempt
	RolledBack  bool     `json:"rolled_back,omitempty"`  // harm was proven; it stays proven
	LatchReason []Reason `json:"latch_reason,omitempty"` // what proved it
	Paused      []Reason `json:"paused,omitempty"`       // what a person has to accept before the rollout may go on

	Stage      string    `json:"stage,omitempty"`      // at the last look
	StageSince time.Time `json:"stage_since,omitzero"` // first look at that stage
	Waiting    []Waiting `json:"waiting,omitempty"`
	Windows    []Windows `json:"windows,omitempty"`

	// Rejected are candidates of earlier attempts that were rolled back: one that
	// comes back is still rolled back.
	Rejected []Rejection `json:"rejected,omitempty"`

	Shadows []ShadowState `json:"shadows,omitempty"`
	Record  string        `json:"record,omitempty"` // digest of the last verdict's record
}

// Rejection is a candidate that was rolled back, and why.
type Rejection struct {
	Candidate string   `json:"candidate"`
	Reasons   []Reason `json:"reasons"`
}

// begin returns the state for a look: that of the verdict before, of a new
// attempt when the candidate or the policy has changed, and at the present stage.
// text says why an attempt is new.
func (p *Policy) begin(prev *State, stage string, now time.Time) (s State, text string) {
	if prev != nil {
		s = *prev
		s.Waiting, s.Windows, s.Paused = slices.Clone(s.Waiting), slices.Clone(s.Windows), slices.Clone(s.Paused)
	}
	now = now.Round(0).UTC()
	switch {
	case s.Attempt == 0: // the first look, or a state of an engine that did not count attempts
		s.Attempt, s.Candidate, s.Policy = 1, p.Model.Candidate, p.Digest
	case s.Candidate != p.Model.Candidate:
		text = "The candidate changed from " + orNone(s.Candidate) + " to " + orNone(p.Model.Candidate) + ": this is a new attempt, with its own share of the error budget."
		s = State{Attempt: max(s.Attempt, 1) + 1, Candidate: p.Model.Candidate, Policy: p.Digest, Record: s.Record, Shadows: s.Shadows, Rejected: s.rejections()}
		if i := slices.IndexFunc(s.Rejected, func(r Rejection) bool { return r.Candidate == s.Candidate }); i >= 0 {
			s.RolledBack, s.LatchReason = true, s.Rejected[i].Reasons
			s.Rejected = slices.Delete(slices.Clone(s.Rejected), i, i+1)
		}
	case s.Policy != p.Digest:
		text = "The policy changed while the candidate stayed: this is a new attempt, with its own share of the error budget. Start the evidence afresh: what was seen before the new policy was chosen does not count for it."
		latched, why, paused := s.RolledBack, s.LatchReason, s.Paused
		s = State{Attempt: max(s.Attempt, 1) + 1, Candidate: p.Model.Candidate, Policy: p.Digest, Record: s.Record, Shadows: s.Shadows, Rejected: s.Rejected,
			RolledBack: latched, LatchReason: why, Paused: paused}
	}
	if s.Stage != stage || s.StageSince.IsZero() {
		s.Stage, s.StageSince = stage, now
	}
	s.Looks++
	return s, text
}

// rejections are those so far, with the present candidate if it was rolled back.
func (s *State) rejections() []Rejection {
	if !s.RolledBack {
		return s.Rejected
	}
	return append(slices.Clip(s.Rejected), Rejection{Candidate: s.Candidate, Reasons: s.LatchReason})
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
