package analysis

import (
	"bytes"
	"encoding/json"
	"math"
)

// canonical writes the policy with its defaults filled in. Every value that can
// move a verdict is in it, and nothing else: no comments, places or spellings.
// Maps are marshalled with sorted keys and floats in their shortest form, so
// equal policies give equal bytes.
func (p *Policy) canonical(entries []*Params) ([]byte, error) {
	m := map[string]any{
		"version":  p.Version,
		"model":    texts("name", p.Model.Name, "baseline", p.Model.Baseline, "candidate", p.Model.Candidate),
		"task":     p.Task,
		"looks":    p.Looks.canonical(),
		"columns":  p.Columns.canonical(),
		"labels":   map[string]any{"maturity": p.Labels.Maturity.String()},
		"budget":   map[string]any{"rollback": p.Budget.Rollback, "pause": p.Budget.Pause, "srm": p.Budget.SRM},
		"exposure": map[string]any{"min_units": p.Exposure.MinUnits, "min_duration": p.Exposure.MinDuration.String()},
	}
	if p.SplitGiven || len(p.Stages) == 0 {
		m["split"] = map[string]any{"baseline": p.Split.Baseline, "candidate": p.Split.Candidate}
	}
	if p.Traffic > 0 {
		m["traffic"] = formatFloat(p.Traffic) + "/s"
	}
	p.Deadlines.canonical(m)
	if p.Range != nil {
		m["score_range"] = p.Range
	}
	if len(p.Actions.Rules) > 0 {
		m["actions"] = p.Actions.canonical()
	}
	if len(p.Slices) > 0 {
		var crosses []any
		for i := range p.Slices {
			crosses = append(crosses, p.Slices[i].canonicalForm())
		}
		m["slices"] = crosses
	}
	p.Pairs.canonical(m)
	if len(p.Stages) > 0 {
		var stages []any
		for _, s := range p.Stages {
			stage := map[string]any{"name": s.Name, "weight": s.Weight, "duration": s.Duration.String()}
			if s.MinUnits > 0 {
				stage["min_units"] = s.MinUnits
			}
			stages = append(stages, stage)
		}
		m["stages"] = stages
	}
	var checks []any
	for i, e := range p.Checks {
		c := entries[i].canonical()
		c["severity"], c["required"], c["muted"] = e.Severity, e.Required, e.Muted
		c["weight"], c["resume"], c["baseline"] = e.Weight, Manual, e.Baseline
		if e.AutoResume {
			c["resume"] = Auto
		}
		e.Deadlines.canonical(c)
		checks = append(checks, c)
	}
	m["checks"] = checks

	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// canonical adds the deadlines that are set to m.
func (d *Deadlines) canonical(m map[string]any) {
	for key, one := range d.all() {
		if one == (Deadline{}) {
			continue
		}
		e := map[string]any{"then": one.Then}
		if one.After > 0 {
			e["after"] = one.After.String()
		}
		if one.Looks > 0 {
			e["looks"] = one.Looks
		}
		m[key] = e
	}
}

// texts makes a mapping of pairs of key and value, without the empty values.
func texts(pairs ...string) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}

func (l Looks) canonical() any {
	switch l.Kind {
	case Once:
		return "once"
	case Scheduled:
		return map[string]any{"schedule": l.Schedule}
	case Continuous:
	}
	return "continuous"
}

func (c Columns) canonical() any {
	m := texts("score", c.Score, "label", c.Label, "time", c.Time, "unit", c.Unit, "action", c.Action, "policy_version", c.PolicyVersion)
	if len(c.Features) > 0 {
		m["features"] = c.Features
	}
	if c.Prediction != "" {
		m["prediction"] = c.Prediction
	}
	if len(c.Classes) > 0 {
		all := map[string]string{}
		for _, k := range c.Classes {
			all[k.Class] = k.Column
		}
		m["classes"] = all
	}
	if len(c.Derived) > 0 {
		all := make([]any, len(c.Derived))
		for i := range c.Derived {
			all[i] = c.Derived[i].canonical()
		}
		m["derived"] = all
	}
	return m
}

func (a ActionPolicy) canonical() any {
	var rules []any
	for _, r := range a.Rules {
		rule := map[string]any{"name": r.Name, "irreversible": r.Irreversible}
		if !math.IsInf(r.AtLeast, -1) {
			rule["at_least"] = r.AtLeast
		}
		rules = append(rules, rule)
	}
	m := texts("version", a.Version)
	m["rules"] = rules
	if a.Candidate != nil {
		m["candidate"] = a.Candidate.canonical()
	}
	return m
}
