package leadtime

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// FlightKey names a flight: a version may be signed off, and so fly, more than
// once.
type FlightKey struct {
	Model   string `json:"model"`
	Version string `json:"version"`
	SignOff int    `json:"signoff"` // which flight of the version, counted from 1
}

// String returns "model/version#1".
func (k FlightKey) String() string { return fmt.Sprintf("%s/%s#%d", k.Model, k.Version, k.SignOff) }

// State is how far a flight came.
type State int8

// The states.
const (
	InFlight       State = iota // signed off, not yet served at AsOf: a censored duration
	Served                      // it reached production: a lead time
	StateRejected               // it ended without serving: a competing outcome, not a lead time
	StateWithdrawn              // given up, or its sign-off was revoked
)

// Flags are remarks about the evidence a flight rests on.
type Flags uint16

// The flags.
const (
	FlagClampedSkew       Flags = 1 << iota // serving was stamped before sign-off, within the tolerance; the lead time is 0
	FlagIntervalStamp                       // the sign-off or the serving stamp is the middle of an interval
	FlagResigned                            // signed off more than once before serving
	FlagMissingStageStart                   // a stage ended that never began; the end is excluded
	FlagOutOfOrderStage                     // a stage ended before it began; both stamps are excluded
	FlagImpliedEnd                          // a stage never ended and was closed at the next stage or at serving
	FlagOpenStage                           // a stage was still running when the observation stopped
	FlagImpliedRollback                     // a version was restored without a recorded decision
)

// Has reports whether every flag of g is set in f.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Flight is the way of one signed-off model version to production. All times are
// UTC.
//
// The clock runs from SignOff to Ended. Ended is the moment of serving for a
// served flight, of rejection or withdrawal for a failed one, and AsOf for one
// still in flight, whose duration is then censored.
type Flight struct {
	Key   FlightKey `json:"key"`
	Track Track     `json:"track"`
	State State     `json:"state"`
	Flags Flags     `json:"flags,omitempty"`

	FirstSignOff time.Time     `json:"first_signoff"` // the first of several sign-offs of this flight
	SignOff      time.Time     `json:"signoff"`       // the one the clock starts at
	SignOffWidth time.Duration `json:"signoff_width_ns,omitempty"`
	FirstTraffic time.Time     `json:"first_traffic,omitzero"` // first share of production traffic
	Served       time.Time     `json:"served,omitzero"`        // zero unless State is Served
	ServedWidth  time.Duration `json:"served_width_ns,omitempty"`
	Ended        time.Time     `json:"ended"`

	RunStarted time.Time `json:"run_started,omitzero"` // first of the version
	RunEnded   time.Time `json:"run_ended,omitzero"`   // last of the version before Ended
	Registered time.Time `json:"registered,omitzero"`  // first of the version

	Arrivals  []Arrival  `json:"arrivals,omitempty"`  // other environments, in the order they were reached
	Segments  []Segment  `json:"segments,omitempty"`  // attempts at stages, by start
	Rollbacks []Rollback `json:"rollbacks,omitempty"` // by decision
	Redeploys int        `json:"redeploys,omitempty"` // times it went to production again under the same sign-off
}

// Lead is the time from sign-off to the end of the clock on the calendar c; nil
// is the wall clock. For a flight in flight it is its age, and censored. It is
// never negative.
func (f Flight) Lead(c Calendar) time.Duration { return between(c, f.SignOff, f.Ended) }

// Censored reports whether the flight had not ended when the observation stopped.
func (f Flight) Censored() bool { return f.State == InFlight }

// Cycle is the experiment-to-production cycle time of a served flight: from the
// start of the training run to serving. It is false where either is unknown. It
// is a different number from the lead time, and longer.
func (f Flight) Cycle(c Calendar) (time.Duration, bool) {
	if f.State != Served || f.RunStarted.IsZero() {
		return 0, false
	}
	return between(c, f.RunStarted, f.Served), true
}

// Arrival is the first time a version served in an environment.
type Arrival struct {
	Env Env       `json:"env"`
	At  time.Time `json:"at"`
}

// Segment is one attempt at a stage.
type Segment struct {
	Stage   string    `json:"stage"`
	Attempt int       `json:"attempt"` // counted from 1
	Env     Env       `json:"env,omitempty"`
	Region  string    `json:"region,omitempty"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Outcome Outcome   `json:"outcome"`
	Flags   Flags     `json:"flags,omitempty"` // FlagImpliedEnd, FlagOpenStage
}

// Rollback is one time a version was taken out of service.
type Rollback struct {
	Region   string    `json:"region,omitempty"`
	Since    time.Time `json:"since,omitzero"`    // first traffic before it
	Decided  time.Time `json:"decided,omitzero"`  // zero when nobody recorded the decision
	Restored time.Time `json:"restored,omitzero"` // zero while another version has not taken over
	To       string    `json:"to,omitempty"`      // the version that took over
}

// TimeToRollback is the time from the decision until another version had all the
// traffic. It is false where either stamp is missing.
func (r Rollback) TimeToRollback() (time.Duration, bool) { return span(r.Decided, r.Restored) }

// Exposure is the time from first traffic to the decision to roll back: how long
// the harm went on undecided. It is false where either stamp is missing.
func (r Rollback) Exposure() (time.Duration, bool) { return span(r.Since, r.Decided) }

// TotalExposure is the time from first traffic until another version had all the
// traffic. It is false where either stamp is missing.
func (r Rollback) TotalExposure() (time.Duration, bool) { return span(r.Since, r.Restored) }

func span(a, b time.Time) (time.Duration, bool) {
	if a.IsZero() || b.IsZero() {
		return 0, false
	}
	return max(0, b.Sub(a)), true
}

// Reason is why an event was excluded.
type Reason int8

// The reasons.
const (
	UnknownKind      Reason = 1 + iota // Kind is none of the kinds
	MissingTime                        // At is zero
	TimeOutOfRange                     // At or Earliest is outside the years 1700 to 2200
	BadInterval                        // Earliest is after At
	MissingModel                       // no Model
	MissingVersion                     // no Version on an event that belongs to a flight
	MissingStage                       // no Stage on StageStart or StageEnd
	BadAttempt                         // a negative Attempt
	BadTraffic                         // TrafficPct is NaN or outside [0,100]
	AfterAsOf                          // happened after the observation stopped
	Duplicate                          // the same event was already there
	OtherEnvironment                   // a rollback outside production
	NoSignOff                          // the version had no standing sign-off
	NegativeLeadTime                   // served before sign-off by more than the tolerance; the whole flight is excluded
	AfterEnd                           // the flight had already served or ended
	OutOfOrderStage                    // the stage ended before it began
	EndWithoutStart                    // the stage never began
	NothingToRevoke                    // there was no sign-off to take back
	NothingToRestore                   // no version had been taken out
)

// Excluded is an event that no flight rests on, with the reason.
type Excluded struct {
	Event  Event     `json:"event"`
	Reason Reason    `json:"reason"`
	Flight FlightKey `json:"flight,omitzero"` // for NegativeLeadTime: the flight that was excluded
}

// Assembly is what [Assemble] makes of a log. Every event is counted once:
// In = Used + len(Operations) + len(Excluded).
type Assembly struct {
	AsOf       time.Time       `json:"as_of"`
	Flights    []Flight        `json:"flights"`              // by model, version, ordinal
	Operations []Event         `json:"operations,omitempty"` // incidents, alerts, retrainings: checked, without duplicates, by time
	Excluded   []Excluded      `json:"excluded,omitempty"`   // by time
	In         int             `json:"in"`
	Used       int             `json:"used"` // events the flights rest on
	Warnings   []stats.Warning `json:"warnings,omitempty"`
}

// RegionPolicy says when a version that serves in several regions is served.
type RegionPolicy int8

// The region policies.
const (
	LastRegion  RegionPolicy = iota // when the last of them has it
	FirstRegion                     // when the first of them has it
)

// FirstTraffic as AssembleOptions.StopAt stops the clock at any production
// traffic at all.
const FirstTraffic = 1e-9

// AssembleOptions configures [Assemble].
type AssembleOptions struct {
	// AsOf is when the observation stopped; later events are excluded, and
	// flights not yet served are censored there. The zero time means the time of
	// the last event.
	AsOf time.Time
	// Env is the environment whose serving stops the clock; "" is Production.
	Env Env
	// StopAt is the share of traffic, in percent, at which the clock stops; 0
	// means 100. FirstTraffic means the first share above zero.
	StopAt float64
	// SkewTolerance is how far serving may be stamped before sign-off and still
	// count as a lead time of 0. The zero value means 5 minutes, a negative one
	// none.
	SkewTolerance time.Duration
	// KeepFirstSignOff starts the clock at the first sign-off of a flight, even
	// when it was revoked and given again, so that signing again does not reset
	// the clock.
	KeepFirstSignOff bool
	// RegionPolicy applies to the regions of Regions or, when there are none, to
	// those the flight's own serving events name.
	RegionPolicy RegionPolicy
	Regions      []string
}

// Sharing says who owns a moment in which several stages run.
type Sharing int8

// The sharing rules.
const (
	EqualSplit Sharing = iota // each running stage owns an equal part
	Priority                  // the first in stage order owns it
)
