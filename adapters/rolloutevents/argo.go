package rolloutevents

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// rollout is what is used of a Rollout object.
type rollout struct {
	Kind     string `json:"kind"`
	Metadata struct {
		objectMeta
		Generation int64 `json:"generation"`
	} `json:"metadata"`
	Spec struct {
		Template struct {
			Metadata objectMeta `json:"metadata"`
			Spec     struct {
				Containers []container `json:"containers"`
			} `json:"spec"`
		} `json:"template"`
		Strategy struct {
			Canary *struct {
				Steps []struct {
					SetWeight *float64 `json:"setWeight"`
				} `json:"steps"`
			} `json:"canary"`
			BlueGreen *struct{} `json:"blueGreen"`
		} `json:"strategy"`
	} `json:"spec"`
	Status rolloutStatus `json:"status"`
}

type objectMeta struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type rolloutStatus struct {
	Abort              bool       `json:"abort"`
	AbortedAt          *time.Time `json:"abortedAt"`
	CurrentPodHash     string     `json:"currentPodHash"`
	StableRS           string     `json:"stableRS"`
	CurrentStepIndex   *int       `json:"currentStepIndex"`
	ObservedGeneration string     `json:"observedGeneration"`
	Phase              string     `json:"phase"`
	Conditions         []struct {
		Type               string    `json:"type"`
		Status             string    `json:"status"`
		LastTransitionTime time.Time `json:"lastTransitionTime"`
	} `json:"conditions"`
	Canary struct {
		Weights *struct {
			Canary     weight   `json:"canary"`
			Stable     weight   `json:"stable"`
			Additional []weight `json:"additional"`
		} `json:"weights"`
	} `json:"canary"`
	Duration *struct {
		RolloutStartedAt                *time.Time `json:"rolloutStartedAt"`
		FinishedAt                      *time.Time `json:"finishedAt"`
		TotalManualPauseDurationSeconds int64      `json:"totalManualPauseDurationSeconds"`
		CompletionStatus                string     `json:"completionStatus"`
	} `json:"duration"`
}

type weight struct {
	Weight float64 `json:"weight"`
}

var (
	argoPhases   = []string{"Healthy", "Degraded", "Progressing", "Paused"}
	argoTriggers = []string{"on-rollout-updated", "on-rollout-step-completed", "on-rollout-paused", "on-rollout-aborted",
		"on-rollout-completed", "on-scaling-replica-set", "on-analysis-run-error", "on-analysis-run-failed", "on-analysis-run-running"}
)

// DecodeArgo reads a Rollout object of Argo Rollouts, or a notification that holds
// one. Received is when the body came; when it is zero, shares of traffic are
// left out.
//
// Special cases are: a status that is older than its spec tells nothing, for names
// would be those of the next revision; a rollout without a revision neither.
//
// Errors: [ErrPayload] for a body of another shape, [ErrNoName] when the rules
// find no model or version, [stats.ErrDomain] for options out of range.
func DecodeArgo(body []byte, received time.Time, o Options) (Batch, error) {
	o, err := o.orDefault("argo-rollouts")
	if err != nil {
		return Batch{}, err
	}
	var note struct {
		Trigger string          `json:"trigger"`
		Rollout json.RawMessage `json:"rollout"`
	}
	if err := json.Unmarshal(body, &note); err != nil {
		return Batch{}, argoError(err.Error())
	}
	if len(note.Rollout) > 0 {
		body = note.Rollout
	}
	var r rollout
	if err := json.Unmarshal(body, &r); err != nil {
		return Batch{}, argoError(err.Error())
	}
	switch {
	case r.Kind != "" && r.Kind != "Rollout":
		return Batch{}, argoError(fmt.Sprintf("kind %.40q", r.Kind))
	case r.Metadata.Name == "":
		return Batch{}, argoError("no metadata.name")
	}
	s := &r.Status
	batch := Batch{Attempt: Attempt{Namespace: r.Metadata.Namespace, Name: r.Metadata.Name, Revision: s.CurrentPodHash, Phase: s.Phase}}
	if s.Phase != "" && !slices.Contains(argoPhases, s.Phase) {
		batch.unknown("phase", s.Phase)
	}
	if note.Trigger != "" && !slices.Contains(argoTriggers, note.Trigger) {
		batch.unknown("trigger", note.Trigger)
	}
	if s.CurrentPodHash == "" {
		batch.ignored("status", "no revision")
		return batch, nil
	}
	if seen, err := strconv.ParseInt(s.ObservedGeneration, 10, 64); err == nil && r.Metadata.Generation != 0 && seen != r.Metadata.Generation {
		batch.ignored("status", "older than the spec")
		return batch, nil
	}
	pod := r.Spec.Template.Metadata
	b := object{namespace: r.Metadata.Namespace, name: r.Metadata.Name, revision: s.CurrentPodHash,
		labels:      []map[string]string{r.Metadata.Labels, pod.Labels},
		annotations: []map[string]string{r.Metadata.Annotations, pod.Annotations},
		containers:  r.Spec.Template.Spec.Containers}
	if batch.Attempt.Model, batch.Attempt.Version, err = o.names(b); err != nil {
		return batch, err
	}
	m := maker{o: o, b: b, batch: &batch}
	m.rollout(&r, note.Trigger, received.Round(0).UTC())
	if len(batch.Events) == 0 {
		batch.ignored("phase", s.Phase)
	}
	return batch, nil
}

func argoError(text string) error {
	return fmt.Errorf("rolloutevents: DecodeArgo: %.200s: %w", text, ErrPayload)
}

func (m maker) rollout(r *rollout, trigger string, received time.Time) {
	s, at := &r.Status, &m.batch.Attempt
	stage := "canary"
	if r.Spec.Strategy.BlueGreen != nil {
		stage = "promotion"
	}
	if d := s.Duration; d != nil {
		at.Started, at.Finished = utc(d.RolloutStartedAt), utc(d.FinishedAt)
		at.Status = d.CompletionStatus
		at.ManualPause = time.Duration(max(0, min(d.TotalManualPauseDurationSeconds, maxPause))) * time.Second
	}
	back := false
	switch at.Status {
	case "FastPromoted":
		m.track = m.o.FastTrack
	case "RolledBack", "FastRolledBack":
		back = true
	case "", "Promoted", "Aborted", "Superseded":
	default:
		m.batch.unknown("completionStatus", at.Status)
	}
	if at.Started.IsZero() {
		m.oldRollout(s, stage, trigger, received)
	} else {
		m.attempt(stage, back)
	}
	running := s.StableRS != "" && s.StableRS != s.CurrentPodHash && !s.Abort && s.AbortedAt == nil && at.Finished.IsZero() && !back
	if pct := share(r); running && stage == "canary" && pct > 0 && pct < 100 && !received.IsZero() && received.Year() > 1 {
		m.add(leadtime.TrafficChange, "", 0, pct, received, stamp(at.Started), strconv.FormatFloat(pct, 'f', -1, 64))
	}
}

// attempt tells what status.duration says.
func (m maker) attempt(stage string, back bool) {
	at := &m.batch.Attempt
	begin, end := at.Started, at.Finished
	if !back {
		m.add(leadtime.StageStart, stage, 0, 0, begin, stamp(begin))
	}
	if end.IsZero() {
		return
	}
	switch at.Status {
	case "Promoted", "FastPromoted":
		m.add(leadtime.StageEnd, stage, leadtime.Passed, 0, end, stamp(begin))
		m.add(leadtime.Serving, "", 0, 100, end, stamp(begin))
	case "Aborted":
		m.aborted(stage, end, stamp(begin))
	case "Superseded":
		m.add(leadtime.StageEnd, stage, leadtime.Cancelled, 0, end, stamp(begin))
	case "RolledBack", "FastRolledBack":
		m.add(leadtime.Restored, "", 0, 0, end, stamp(begin))
	case "":
		m.batch.unknown("completionStatus", "")
	}
}

func (m maker) aborted(stage string, at time.Time, detail string) {
	m.add(leadtime.StageEnd, stage, leadtime.Failed, 0, at, detail)
	if stage == "canary" {
		m.add(leadtime.RollbackDecided, "", 0, 0, at, detail)
	}
}

// oldRollout tells what conditions say, for controllers without status.duration.
func (m maker) oldRollout(s *rolloutStatus, stage, trigger string, received time.Time) {
	if trigger == "on-rollout-updated" && received.Year() > 1 {
		m.add(leadtime.StageStart, stage, 0, 0, received)
	}
	if t := utc(s.AbortedAt); !t.IsZero() {
		m.aborted(stage, t, stamp(t))
		return
	}
	for _, c := range s.Conditions {
		if t := c.LastTransitionTime.UTC(); c.Type == "Completed" && c.Status == "True" && s.StableRS == s.CurrentPodHash && !t.IsZero() {
			m.add(leadtime.StageEnd, stage, leadtime.Passed, 0, t, stamp(t))
			m.add(leadtime.Serving, "", 0, 100, t, stamp(t))
		}
	}
}

// share is the percentage of traffic of the new revision.
func share(r *rollout) float64 {
	if w := r.Status.Canary.Weights; w != nil {
		all := w.Canary.Weight + w.Stable.Weight
		for _, a := range w.Additional {
			all += a.Weight
		}
		if w.Canary.Weight >= 0 && all > 0 && w.Canary.Weight <= all {
			return 100 * w.Canary.Weight / all
		}
		return 0
	}
	c, i := r.Spec.Strategy.Canary, r.Status.CurrentStepIndex
	if c == nil || i == nil {
		return 0
	}
	pct := 0.0
	for _, step := range c.Steps[:max(0, min(*i, len(c.Steps)))] {
		if step.SetWeight != nil {
			pct = *step.SetWeight
		}
	}
	return pct
}

const maxPause = 100 * 366 * 24 * 3600 // seconds

func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Round(0).UTC()
}
