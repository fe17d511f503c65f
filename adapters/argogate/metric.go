package argogate

import (
	"errors"
	"fmt"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Metric is the metric provider. It is safe for use by several goroutines. None of
// its calls panics or lasts longer than a moment.
type Metric struct{ asker *asker }

// NewMetric makes a metric provider to be served as rpc.RpcMetricProviderPlugin.
//
// Errors: options that cannot be used.
func NewMetric(o Options) (*Metric, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Metric{newAsker(o)}, nil
}

// InitPlugin does nothing; the provider is ready.
func (p *Metric) InitPlugin() types.RpcError { return types.RpcError{} }

// Type names the provider.
func (p *Metric) Type() string { return "rampguard" }

// Run begins a measurement.
func (p *Metric) Run(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric) v1alpha1.Measurement {
	now := metav1.NewTime(p.asker.o.Now())
	return p.measure(run, metric, v1alpha1.Measurement{StartedAt: &now})
}

// Resume goes on with a measurement that waits.
func (p *Metric) Resume(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric, m v1alpha1.Measurement) v1alpha1.Measurement {
	return p.measure(run, metric, m)
}

// Terminate ends a measurement that waits. It has no verdict, so it is inconclusive
// and never good.
func (p *Metric) Terminate(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric, m v1alpha1.Measurement) (out v1alpha1.Measurement) {
	defer func() {
		if r := recover(); r != nil {
			out = m
		}
		now := metav1.NewTime(p.asker.o.Now())
		out.Phase, out.FinishedAt, out.ResumeAt = v1alpha1.AnalysisPhaseInconclusive, &now, nil
		out.Message = "rampguard was told to end before there was a verdict"
	}()
	p.asker.stop(keyOf(run, metric))
	return m
}

// GarbageCollect does nothing; the provider keeps nothing.
func (p *Metric) GarbageCollect(*v1alpha1.AnalysisRun, v1alpha1.Metric, int) types.RpcError {
	return types.RpcError{}
}

// GetMetadata tells who is asked about what; not the token.
func (p *Metric) GetMetadata(metric v1alpha1.Metric) (out map[string]string) {
	defer func() {
		if r := recover(); r != nil {
			out = map[string]string{"problem": fmt.Sprintf("panic: %v", r)}
		}
	}()
	c, err := p.config(metric)
	if err != nil {
		return map[string]string{"problem": err.Error()}
	}
	return values("server", c.Server, "policy", c.Policy, "rollout", c.Rollout, "stage", c.Stage)
}

// measure asks, or comes back for an answer.
func (p *Metric) measure(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric, m v1alpha1.Measurement) (out v1alpha1.Measurement) {
	now := p.asker.o.Now()
	past := recall(&m, now)
	c := config{ErrorBudget: duration(defaultBudget)}
	defer func() {
		if r := recover(); r != nil {
			out = past.report(m, past.failed(&c, fmt.Errorf("panic: %v", r), now), now)
		}
	}()
	parsed, err := p.config(metric)
	if err == nil {
		err = parsed.fill(revisionOf(run))
	}
	if err != nil { // waiting does not mend it
		past.Error = clip(err.Error(), 400)
		return past.report(m, conclusion{effect: person, message: "rampguard cannot use the configuration of the metric: " + past.Error}, now)
	}
	c = parsed
	j := p.asker.ask(keyOf(run, metric), c)
	switch {
	case j == nil:
		again := metav1.NewTime(now.Add(soon))
		m.Phase, m.ResumeAt = v1alpha1.AnalysisPhaseRunning, &again
		if m.Message == "" {
			m.Message = "rampguard asks the gate"
		}
		m.Metadata = past.metadata()
		return m
	case j.err != nil:
		return past.report(m, past.failed(&c, j.err, now), now)
	}
	return past.report(m, past.decided(&c, &j.answer, began(run, past.Since), now), now)
}

// config reads the configuration of a metric.
func (p *Metric) config(metric v1alpha1.Metric) (config, error) {
	if len(metric.Provider.Plugin) != 1 {
		return config{}, errors.New("the metric names no plugin, or more than one")
	}
	for _, raw := range metric.Provider.Plugin {
		return p.asker.o.parse(raw)
	}
	return config{}, nil
}

// report puts a conclusion into a measurement.
func (m *memory) report(out v1alpha1.Measurement, c conclusion, now time.Time) v1alpha1.Measurement {
	out.Message, out.Value, out.Metadata = c.message, m.value(), m.metadata()
	out.ResumeAt, out.FinishedAt = nil, nil
	at := metav1.NewTime(now)
	switch c.effect {
	case goOn:
		out.Phase, out.FinishedAt = v1alpha1.AnalysisPhaseSuccessful, &at
	case abandon:
		out.Phase, out.FinishedAt = v1alpha1.AnalysisPhaseFailed, &at
	case person:
		out.Phase, out.FinishedAt = v1alpha1.AnalysisPhaseInconclusive, &at
	case wait:
		again := metav1.NewTime(now.Add(c.after))
		out.Phase, out.ResumeAt = v1alpha1.AnalysisPhaseRunning, &again
	}
	return out
}

// recall reads what the measurement remembers.
func recall(m *v1alpha1.Measurement, now time.Time) memory {
	past := memory{Since: now, Decision: m.Metadata["decision"], Resume: m.Metadata["resume"], Stage: m.Metadata["stage"],
		Record: m.Metadata["record"], Reason: m.Metadata["reason"], Error: m.Metadata["error"]}
	if m.StartedAt != nil {
		past.Since = m.StartedAt.Time
	}
	if at, err := time.Parse(time.RFC3339Nano, m.Metadata["errorSince"]); err == nil {
		past.ErrorSince = at
	}
	return past
}

func (m *memory) metadata() map[string]string {
	since := ""
	if !m.ErrorSince.IsZero() {
		since = m.ErrorSince.UTC().Format(time.RFC3339Nano)
	}
	return values("decision", m.Decision, "resume", m.Resume, "stage", m.Stage, "record", m.Record, "reason", m.Reason,
		"errorSince", since, "error", m.Error)
}

// values makes a map of what is not empty.
func values(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = pairs[i+1]
		}
	}
	return out
}

// keyOf names the question of a metric.
func keyOf(run *v1alpha1.AnalysisRun, metric v1alpha1.Metric) string {
	return run.Namespace + "/" + run.Name + "/" + string(run.UID) + "/" + metric.Name
}

// revisionOf finds out what an analysis is about.
func revisionOf(run *v1alpha1.AnalysisRun) revision {
	r := revision{namespace: run.Namespace, hash: run.Labels[v1alpha1.DefaultRolloutUniqueLabelKey]}
	for _, owner := range run.OwnerReferences {
		if owner.Kind == "Rollout" {
			r.name = owner.Name
		}
	}
	return r
}

// began is when the run was created, or else when the wait for a verdict began.
func began(run *v1alpha1.AnalysisRun, since time.Time) time.Time {
	if at := run.CreationTimestamp.Time; !at.IsZero() {
		return at
	}
	return since
}
