package promquery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Provider brings metrics from a server. It may be used by several goroutines.
type Provider struct {
	client *client
}

// New checks the configuration and makes a provider. Nothing is sent yet. Errors
// wrap [stats.ErrDomain], or say why the CA file cannot be read; none repeats a
// credential.
func New(c Config) (*Provider, error) {
	p, err := c.plan()
	if err != nil {
		return nil, fmt.Errorf("promquery: New: %w", err)
	}
	cl, err := newClient(p)
	if err != nil {
		return nil, err
	}
	return &Provider{cl}, nil
}

// Close ends the connections that are kept open. The provider can be used again.
func (p *Provider) Close() { p.client.http.CloseIdleConnections() }

// Watermark is the latest end of a window at a time: what is younger may not have
// arrived yet.
func (p *Provider) Watermark(now time.Time) time.Time {
	return now.Add(-p.client.Lag).Truncate(time.Second).UTC()
}

// Evidence is what one collection brought.
type Evidence struct {
	// Window is the one asked for, cut to whole seconds and to the watermark.
	Window Window
	// Baseline and Candidate hold a window of each metric that the server had
	// something for. Baseline is nil when the configuration names none.
	Baseline, Candidate *analysis.Snapshot

	Faults  []Fault  // what could not be had, in the order of the metrics
	Queries []Query  // what was asked, in order
	Notes   []string // what to know of the numbers, such as limits of buckets
}

// Fault is one metric of one arm that could not be had as wanted.
type Fault struct {
	Metric string
	Arm    string // "baseline", "candidate", or empty for both
	Err    error  // matches ErrNoData, ErrInvalid or ErrProvider
}

// Error implements error.
func (f Fault) Error() string {
	if f.Arm == "" {
		return f.Metric + ": " + f.Err.Error()
	}
	return f.Metric + " of the " + f.Arm + ": " + f.Err.Error()
}

// Unwrap gives the cause.
func (f Fault) Unwrap() error { return f.Err }

// Query is one question to the server.
type Query struct {
	Metric string    `json:"metric"`
	Part   string    `json:"part"`          // the key of the query in the configuration, or "fresh"
	Arm    string    `json:"arm,omitempty"` // empty for both
	Text   string    `json:"query"`
	At     time.Time `json:"time"` // of evaluation; of a gauge that of the newest value
}

// Problems lists the failures of the source, for [analysis.Look]. A metric without
// data is none: its check reports NoData by itself. Nor is one whose numbers cannot
// be: the snapshot counts that window as invalid, and the check says so.
func (e *Evidence) Problems() []analysis.SourceProblem {
	var out []analysis.SourceProblem
	for _, f := range e.Faults {
		if errors.Is(f.Err, ErrProvider) {
			out = append(out, analysis.SourceProblem{Name: f.Metric, Arm: f.Arm, Text: f.Error()})
		}
	}
	return out
}

var armNames = [2]string{"baseline", "candidate"}

// Collect asks for the metrics of the spec over a window of both arms. A zero End
// means the watermark of now, and a later one is cut to it; now is the time of the
// look. The same server with the same samples gives the same evidence.
//
// What cannot be had is in the Faults of the evidence. An error is a metric that the
// configuration does not have, or has as another kind ([stats.ErrMismatch]), a
// window that ends before it starts ([stats.ErrDomain]), or a context that was
// cancelled; a context past its deadline is a fault of what it left unanswered.
func (p *Provider) Collect(ctx context.Context, spec *analysis.Spec, w Window, now time.Time) (*Evidence, error) {
	if !w.End.IsZero() && w.End.Before(w.Start) || w.Start.IsZero() {
		return nil, fmt.Errorf("promquery: Collect: the window from %v to %v: %w", w.Start, w.End, stats.ErrDomain)
	}
	var metrics []metricPlan
	for _, m := range spec.Metrics {
		i := slices.IndexFunc(p.client.metrics, func(c metricPlan) bool { return c.Name == m.Name })
		if i < 0 {
			return nil, fmt.Errorf("promquery: Collect: the policy needs a metric %q, which is not configured: %w", m.Name, stats.ErrMismatch)
		}
		c := p.client.metrics[i]
		if c.Kind != m.Kind {
			return nil, fmt.Errorf("promquery: Collect: metric %q is a %v in the configuration, and the policy needs a %v: %w", m.Name, c.Kind, m.Kind, stats.ErrMismatch)
		}
		metrics = append(metrics, c)
	}
	if end := p.Watermark(now); w.End.IsZero() || w.End.After(end) {
		w.End = end
	}
	c := &collection{client: p.client, spec: spec, Evidence: &Evidence{Window: w.whole(), Candidate: analysis.NewSnapshot(spec)}}
	if p.client.Arms.Baseline != "" {
		c.Baseline = analysis.NewSnapshot(spec)
	}
	ctx, cancel := context.WithTimeout(ctx, p.client.Deadline)
	defer cancel()
	for i := range metrics {
		if err := c.metric(ctx, &metrics[i]); err != nil {
			return nil, err
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, fmt.Errorf("promquery: Collect: %w", context.Canceled)
		}
	}
	return c.Evidence, nil
}

// collection is a Collect under way.
type collection struct {
	*Evidence
	client *client
	spec   *analysis.Spec
}

func (c *collection) arm(i int) *analysis.Snapshot {
	return [2]*analysis.Snapshot{c.Baseline, c.Candidate}[i]
}

func (c *collection) value(i int) string {
	return [2]string{c.client.Arms.Baseline, c.client.Arms.Candidate}[i]
}

// series is what a query brought for one arm.
type series struct {
	samples []*sample
	streams []*stream
	err     error
}

// metric collects one metric of both arms.
func (c *collection) metric(ctx context.Context, m *metricPlan) error {
	if c.Window.length() < time.Second {
		c.fault(m, -1, fmt.Errorf("the window has not begun at the watermark, %v: %w", c.Window.End.Format(time.RFC3339), ErrNoData))
		return nil
	}
	if m.Kind == analysis.GaugeMetric {
		return c.gauge(ctx, m)
	}
	parts := map[string][2]series{}
	for _, key := range []string{"units", "count", "sum", "squares", "histogram", "events", "exposure"} {
		if t, ok := m.parts[key]; ok {
			parts[key] = c.ask(ctx, m, key, t, c.Window.length(), c.Window.End, c.atEnd)
		}
	}
	seen := len(parts["events"][0].samples)+len(parts["events"][1].samples) > 0
	var had [2]bool
	for i := range armNames {
		if c.arm(i) == nil {
			continue
		}
		of := func(key string) series { return parts[key][i] }
		v := reading{metric: m, start: c.Window.Start, end: c.Window.End, part: of, zero: seen || m.ZeroWhenAbsent}
		ms, err := v.measure()
		switch {
		case errors.Is(err, ErrProvider):
			c.fault(m, i, err)
			continue // nothing is known of the window: it is not even missing
		case err != nil && !errors.Is(err, ErrNoData):
			return err // the caller's context was cancelled
		case err != nil:
			c.fault(m, i, err)
		default:
			had[i] = true
		}
		if v.note != "" && !slices.Contains(c.Notes, v.note) {
			c.Notes = append(c.Notes, v.note)
		}
		if err := c.add(m, i, ms); err != nil {
			return err
		}
	}
	c.fresh(ctx, m, had)
	return nil
}

// atEnd evaluates a query at the end of the window.
func (c *collection) atEnd(ctx context.Context, query string) (result, error) {
	return c.client.instant(ctx, query, c.Window.End)
}

// add hands one window over, and notes when its numbers cannot be.
func (c *collection) add(m *metricPlan, arm int, ms analysis.Measurement) error {
	s := c.arm(arm)
	before := s.Metric(m.Name).Invalid
	if err := s.AddMeasurement(ms); err != nil {
		return fmt.Errorf("promquery: Collect: %w", err)
	}
	if s.Metric(m.Name).Invalid > before {
		c.fault(m, arm, fmt.Errorf("the window up to %v: %w", ms.End.Format(time.RFC3339), ErrInvalid))
	}
	return nil
}

func (c *collection) fault(m *metricPlan, arm int, err error) {
	f := Fault{Metric: m.Name, Err: err}
	if arm >= 0 {
		f.Arm = armNames[arm]
	}
	c.Faults = append(c.Faults, f)
}

// ask sends one query, or one for each arm when it names the arm.
func (c *collection) ask(ctx context.Context, m *metricPlan, key string, t template, window time.Duration, at time.Time, send func(context.Context, string) (result, error)) (out [2]series) {
	label := c.client.Arms.Label
	do := func(arm, value string) (result, error) {
		q := t.fill(arm, label, value, window)
		c.Queries = append(c.Queries, Query{Metric: m.Name, Part: key, Arm: arm, Text: q, At: at})
		r, err := send(ctx, q)
		if err != nil {
			err = fmt.Errorf("%s: %w", key, err)
		}
		return r, err
	}
	if t.perArm {
		for i := range armNames {
			if c.arm(i) != nil {
				r, err := do(armNames[i], c.value(i))
				out[i] = series{r.samples, r.streams, err}
			}
		}
		return out
	}
	r, err := do("", "")
	if err == nil && r.scalar {
		err = fmt.Errorf("%s: a number without labels does not tell the arms apart: %w", key, ErrResult)
	}
	if err != nil {
		return [2]series{{err: err}, {err: err}}
	}
	owner := func(labels model.Metric) (int, bool) {
		v, has := labels[model.LabelName(label)]
		if !has {
			err = fmt.Errorf("%s: a series without the label %s: %w", key, label, ErrResult)
		}
		for i := range armNames {
			if string(v) == c.value(i) && c.arm(i) != nil {
				return i, true
			}
		}
		return 0, false
	}
	for _, s := range r.samples {
		if i, ok := owner(s.Metric); ok {
			out[i].samples = append(out[i].samples, s)
		}
	}
	for _, s := range r.streams {
		if i, ok := owner(s.Metric); ok {
			out[i].streams = append(out[i].streams, s)
		}
	}
	if err != nil {
		return [2]series{{err: err}, {err: err}}
	}
	return out
}

// fresh asks again for the main query, over the last MaxAge of the window only: a
// series that has ended is still in a long window, and would look alive.
func (c *collection) fresh(ctx context.Context, m *metricPlan, had [2]bool) {
	age := c.client.MaxAge
	if age <= 0 || c.Window.length() <= age || had == [2]bool{} {
		return
	}
	got := c.ask(ctx, m, "fresh", m.parts[m.main], age, c.Window.End, c.atEnd)
	for i := range had {
		switch {
		case !had[i]:
		case got[i].err != nil:
			c.fault(m, i, got[i].err)
		case len(got[i].samples) == 0:
			c.fault(m, i, fmt.Errorf("the series of %s ended more than %v before %v: %w", m.main, age, c.Window.End.Format(time.RFC3339), ErrStale))
		}
	}
}
