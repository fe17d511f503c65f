package promexport

import (
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/sla"
)

type sloKey struct{ model, objective string }

// objective is what is exported of one.
type objective struct {
	key                    sloKey
	at                     time.Time
	target, sli, remaining float64
	known                  bool // there were data
	state                  string
	burns                  []labelled // by window
	alerts                 []labelled // by name and severity
}

// labelled is a value with the labels that it has beyond those of its owner.
type labelled struct {
	labels []string
	value  float64
}

var (
	budgetStates  = words(sla.NoData, sla.OK, sla.AtRisk, sla.Exhausted)
	gateDecisions = words(sla.Halt, sla.Warn, sla.Allow)
	gateActions   = words(sla.Promote, sla.FastFix, sla.Rollback)
)

// maxAlerts bounds the alerts of an objective; the usual sets have four.
const maxAlerts = 32

// ObserveSLO takes note of the evaluation of an objective. One from before the last
// of the same model and objective is ignored.
func (e *Exporter) ObserveSLO(v sla.Evaluation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := sloKey{labelValue(v.Model), labelValue(v.Objective)}
	last := e.slos[k]
	if last != nil && v.AsOf.Before(last.at) || last == nil && !e.room(kindSLO, len(e.slos)) {
		return
	}
	e.saw(v.AsOf)
	b := &v.Budget
	o := &objective{key: k, at: v.AsOf, target: b.Target, sli: b.SLI.Point, remaining: float64(b.Remaining),
		known: b.State != sla.NoData, state: b.State.String()}
	windows, names := map[string]bool{}, map[string]bool{}
	burn := func(w time.Duration, x sla.Burn) {
		label := period(w)
		if x.NoData || windows[label] {
			return
		}
		windows[label] = true
		o.burns = append(o.burns, labelled{[]string{label}, float64(x.Rate)})
	}
	for i := range v.Alerts[:min(len(v.Alerts), maxAlerts)] {
		a := &v.Alerts[i]
		burn(a.Alert.Long, a.Long)
		burn(a.Alert.Short, a.Short)
		name := labelValue(a.Alert.Name)
		if names[name] {
			continue
		}
		names[name] = true
		o.alerts = append(o.alerts, labelled{[]string{name, a.Alert.Severity.String()}, truth(a.Firing)})
	}
	e.slos[k] = o
}

// ForgetSLO drops an objective.
func (e *Exporter) ForgetSLO(model, objective string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.slos, sloKey{labelValue(model), labelValue(objective)})
}

func (o *objective) collect(s *sink, stale bool) {
	own := []string{o.key.model, o.key.objective}
	s.stamp(sloEvaluated, o.at, own...)
	if stale {
		return
	}
	s.put(sloTarget, o.target, own...)
	s.states(sloState, o.state, budgetStates, own...)
	if o.known {
		s.put(sloSLI, o.sli, own...)
		s.put(sloRemaining, o.remaining, own...)
	}
	for _, b := range o.burns {
		s.put(sloBurn, b.value, with(own, b.labels...)...)
	}
	for _, a := range o.alerts {
		s.put(sloAlert, a.value, with(own, a.labels...)...)
	}
}

// gate is the last decision of a gate, for each action that it was asked about.
type gate struct {
	name string
	at   time.Time
	says map[string]string // decision by action
}

// ObserveGate takes note of what a gate decided. A gate may be asked about several
// actions; the last answer for each is kept. A decision from before the last one is
// ignored.
func (e *Exporter) ObserveGate(name string, d sla.GateDecision) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name = labelValue(name)
	g := e.gates[name]
	switch {
	case g == nil:
		if !e.room(kindGate, len(e.gates)) {
			return
		}
		g = &gate{name: name, says: map[string]string{}}
		e.gates[name] = g
	case d.At.Before(g.at):
		return
	}
	e.saw(d.At)
	g.at = d.At
	g.says[d.Action.String()] = d.Decision.String()
}

// ForgetGate drops a gate.
func (e *Exporter) ForgetGate(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.gates, labelValue(name))
}

func (g *gate) collect(s *sink, stale bool) {
	s.stamp(gateDecided, g.at, g.name)
	if stale {
		return
	}
	for _, action := range gateActions {
		if decision, asked := g.says[action]; asked {
			s.states(gateState, decision, gateDecisions, g.name, action)
		}
	}
}

// period writes a duration as Prometheus does: 5m, 1h, 3d, 1h30m.
func period(d time.Duration) string {
	if d < time.Millisecond {
		return "0s"
	}
	var sb strings.Builder
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := d / u.d; n > 0 {
			sb.WriteString(strconv.FormatInt(int64(n), 10))
			sb.WriteString(u.name)
			d %= u.d
		}
	}
	return sb.String()
}
