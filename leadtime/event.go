package leadtime

import "time"

// Event is one thing that happened to a model version, as an adapter read it.
// The zero value of a field means "not stated".
//
// At is an exact stamp. A source that only knows that something happened between
// two looks states both: Earliest is the last look without it, At the first look
// with it, and the middle of the two counts.
type Event struct {
	ID      string  `json:"id,omitempty"`     // unique within Source; a repeated ID is a duplicate
	Source  string  `json:"source,omitempty"` // the system that reported it
	Line    int     `json:"line,omitempty"`   // line, row or message of the input, counted from 1
	Kind    Kind    `json:"kind"`
	Model   string  `json:"model"`
	Version string  `json:"version,omitempty"`
	Env     Env     `json:"env,omitempty"`    // not stated: Production
	Region  string  `json:"region,omitempty"` // for versions that serve in several places
	Stage   string  `json:"stage,omitempty"`  // of StageStart and StageEnd
	Attempt int     `json:"attempt,omitempty"`
	Track   Track   `json:"track,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"` // of StageEnd

	At       time.Time `json:"at"`
	Earliest time.Time `json:"earliest,omitzero"`

	// TrafficPct is the share of traffic after a Serving or TrafficChange event,
	// in percent. A Serving event that states none took all of it.
	TrafficPct float64 `json:"traffic_pct,omitempty"`

	Ref string `json:"ref,omitempty"` // incident, alert, run or job this belongs to
}

// Time is when the event counts as having happened: At in UTC without a
// monotonic reading, or the middle of Earliest and At.
func (e *Event) Time() time.Time {
	at := e.At.Round(0).UTC()
	if e.Earliest.IsZero() {
		return at
	}
	return at.Add(-e.Width() / 2)
}

// Width is the distance from Earliest to At: how uncertain the stamp is. It is 0
// for an exact one.
func (e *Event) Width() time.Duration {
	if e.Earliest.IsZero() {
		return 0
	}
	return e.At.Round(0).Sub(e.Earliest.Round(0))
}

// Env is an environment: Staging, Production or a name of your own.
type Env string

// The environments every report knows.
const (
	Staging    Env = "staging"
	Production Env = "production"
)

// Track is the way a version took to production. Tracks are never pooled.
type Track string

// The tracks every report knows.
const (
	Standard  Track = "standard"
	FastTrack Track = "fast_track" // hot fixes, emergency approvals, skipped steps
)

// Kind is what happened. Its zero value is no kind at all: [Assemble] excludes
// such an event.
type Kind int8

// The kinds. Those from IncidentDetected on belong to a model rather than to a
// flight; they pass through [Assemble] for operational metrics.
const (
	SignOff          Kind = 1 + iota // the experiment was signed off: the clock starts
	SignOffRevoked                   // the sign-off was taken back
	StageStart                       // an attempt at a stage began
	StageEnd                         // it ended, with an Outcome
	Serving                          // the version serves live traffic in Env
	TrafficChange                    // its share of traffic is now TrafficPct
	RollbackDecided                  // somebody or something decided to take the version out
	Restored                         // Version is back in service in place of the one rolled back
	Rejected                         // the candidate failed for good
	Withdrawn                        // the candidate was given up
	RunStarted                       // the training run began: the start of cycle time
	RunEnded                         // the training run ended; this is not a sign-off
	Registered                       // the version was created in the registry; nor is this
	IncidentDetected                 // an incident was noticed
	IncidentResolved                 // service recovered
	DriftAlert                       // a drift monitor fired
	Retrained                        // a model was retrained
)

// operational reports whether the kind belongs to a model, not to a flight.
func (k Kind) operational() bool { return k >= IncidentDetected }

// Outcome is how an attempt at a stage ended. Its zero value says nothing.
type Outcome int8

// The outcomes.
const (
	Unstated Outcome = iota
	Passed
	Failed
	Cancelled
)
