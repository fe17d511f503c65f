package rolloutevents

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// canaryEvent is the body of an event webhook.
type canaryEvent struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Checksum  string            `json:"checksum"`
	Metadata  map[string]string `json:"metadata"`
}

// The last millisecond of the year 9999.
const maxMillis = 253402300799999

// DecodeFlagger reads an event webhook of Flagger.
//
// Special cases are: an event that carries the checksum of the revision before it
// tells nothing of the new one; see the package comment.
//
// Errors: [ErrPayload] for a body of another shape, such as that of a webhook of
// another type, [ErrNoName] when the rules find no model or version,
// [stats.ErrDomain] for options out of range.
func DecodeFlagger(body []byte, o Options) (Batch, error) {
	o, err := o.orDefault("flagger")
	if err != nil {
		return Batch{}, err
	}
	var e canaryEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return Batch{}, flaggerError(err.Error())
	}
	message, isEvent := e.Metadata["eventMessage"]
	ms, err := strconv.ParseInt(e.Metadata["timestamp"], 10, 64)
	switch {
	case e.Name == "" || e.Checksum == "":
		return Batch{}, flaggerError("no name or no checksum")
	case !isEvent:
		return Batch{}, flaggerError("no metadata.eventMessage; is the webhook of type event?")
	case err != nil || ms <= 0 || ms > maxMillis:
		return Batch{}, flaggerError(fmt.Sprintf("metadata.timestamp %.40q is no number of milliseconds", e.Metadata["timestamp"]))
	}
	batch := Batch{Attempt: Attempt{Namespace: e.Namespace, Name: e.Name, Revision: e.Checksum, Phase: e.Phase}}
	b := object{namespace: e.Namespace, name: e.Name, revision: e.Checksum, metadata: []map[string]string{e.Metadata}}
	if batch.Attempt.Model, batch.Attempt.Version, err = o.names(b); err != nil {
		return batch, err
	}
	m := maker{o: o, b: b, batch: &batch}
	if !m.canary(e.Phase, message, time.UnixMilli(ms).UTC()) {
		batch.unknown("phase", e.Phase)
	} else if len(batch.Events) == 0 {
		batch.ignored("phase", e.Phase)
	}
	return batch, nil
}

func flaggerError(text string) error {
	return fmt.Errorf("rolloutevents: DecodeFlagger: %.200s: %w", text, ErrPayload)
}

// canary tells what a phase says, with the message where the phase is shared. It
// reports whether the phase is known.
func (m maker) canary(phase, message string, at time.Time) bool {
	says := func(prefix string) bool { return strings.HasPrefix(message, prefix) }
	switch phase {
	case "Initializing", "Initialized", "Waiting", "Terminating", "Terminated":
	case "Progressing":
		m.progressing(message, at)
	case "WaitingPromotion":
		if says(copying) {
			m.promoting(at)
			return true
		}
		m.add(leadtime.StageStart, "approval", 0, 0, at)
	case "Promoting":
		if says("Promotion of ") {
			m.add(leadtime.StageEnd, "promotion", leadtime.Failed, 0, at)
			return true
		}
		m.promoting(at)
		if says("Routing all traffic to primary") {
			m.served(at)
		}
	case "Finalising":
		m.served(at)
	case "Succeeded":
		switch {
		case says("Promotion completed! Canary analysis was skipped"):
			m.track = m.o.FastTrack
			m.served(at)
		case says("Promotion completed!"):
			m.served(at)
		}
	case "Failed":
		if says("Canary failed!") {
			m.add(leadtime.StageEnd, "canary", leadtime.Failed, 0, at)
			m.add(leadtime.RollbackDecided, "", 0, 0, at)
		}
	default:
		return false
	}
	return true
}

// copying begins the message that the primary gets the new spec: the analysis is
// over, and the phase follows.
const copying = "Copying "

func (m maker) promoting(at time.Time) {
	m.add(leadtime.StageEnd, "canary", leadtime.Passed, 0, at)
	m.add(leadtime.StageStart, "promotion", 0, 0, at)
}

func (m maker) served(at time.Time) {
	m.add(leadtime.StageEnd, "promotion", leadtime.Passed, 0, at)
	m.add(leadtime.Serving, "", 0, 100, at)
}

func (m maker) progressing(message string, at time.Time) {
	switch {
	case strings.HasPrefix(message, "New revision detected! Restarting"):
		m.add(leadtime.StageEnd, "canary", leadtime.Cancelled, 0, at)
		return
	case strings.HasPrefix(message, "New revision detected!"):
		return
	case strings.HasPrefix(message, "Rolling back "):
		m.add(leadtime.RollbackDecided, "", 0, 0, at)
		return
	}
	m.add(leadtime.StageStart, "canary", 0, 0, at)
	if strings.HasPrefix(message, copying) {
		m.promoting(at)
	}
	if _, n, ok := strings.Cut(message, " canary weight "); ok && strings.HasPrefix(message, "Advance ") {
		if pct, err := strconv.ParseUint(n, 10, 8); err == nil && pct <= 100 {
			m.add(leadtime.TrafficChange, "", 0, float64(pct), at, n)
		}
	}
}
