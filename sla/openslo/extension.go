package openslo

import (
	"strings"
	"time"

	"github.com/rampguard/rampguard/sla"
	"go.yaml.in/yaml/v3"
)

// extension is what x-rampguard says beside the objective.
type extension struct {
	model  string
	clamp  bool
	gate   sla.GatePolicy
	alerts *yaml.Node
}

func (r *reader) extension(n *yaml.Node, path string, o *sla.Objective) (x extension) {
	number := func(v *float64) func(*yaml.Node, string) {
		return func(n *yaml.Node, p string) { *v = r.number(n, p) }
	}
	r.mapping(n, path, keys{
		"model":            func(n *yaml.Node, p string) { x.model = r.text(n, p) },
		"missing":          func(n *yaml.Node, p string) { r.enum(n, p, &o.Missing) },
		"maxMissing":       number(&o.MaxMissing),
		"minEvents":        number(&o.MinEvents),
		"minBad":           number(&o.MinBad),
		"tailAlpha":        number(&o.TailAlpha),
		"maturity":         func(n *yaml.Node, p string) { o.Maturity = r.duration(n, p) },
		"expectedTotal":    number(&o.ExpectedTotal),
		"atRisk":           number(&o.AtRisk),
		"interval":         func(n *yaml.Node, p string) { r.enum(n, p, &o.Interval) },
		"level":            number(&o.Level),
		"exclude":          func(n *yaml.Node, p string) { o.Exclude = r.exclusions(n, p) },
		"alerts":           func(n *yaml.Node, _ string) { x.alerts = n },
		"clampUnreachable": func(n *yaml.Node, p string) { x.clamp = r.boolean(n, p) },
		"gate":             func(n *yaml.Node, p string) { x.gate = r.gate(n, p) },
	})
	return x
}

func (r *reader) exclusions(n *yaml.Node, path string) (out []sla.Exclusion) {
	r.list(n, path, func(n *yaml.Node, path string) {
		var e sla.Exclusion
		stamp := func(t *time.Time) func(*yaml.Node, string) {
			return func(n *yaml.Node, p string) {
				var err error
				if *t, err = time.Parse(time.RFC3339, r.text(n, p)); err != nil {
					r.fault(n, p, "%q is not a time with zone like 2025-03-01T02:00:00Z", n.Value)
				}
			}
		}
		r.mapping(n, path, keys{
			"from":   stamp(&e.From),
			"to":     stamp(&e.To),
			"reason": func(n *yaml.Node, p string) { e.Reason = r.text(n, p) },
		}, "from", "to", "reason")
		if !e.From.IsZero() && !e.To.IsZero() && !e.From.Before(e.To) {
			r.fault(n, path, "does not end after it starts")
		}
		out = append(out, e)
	})
	return out
}

func (r *reader) gate(n *yaml.Node, path string) (g sla.GatePolicy) {
	r.mapping(n, path, keys{
		"haltOn": func(n *yaml.Node, p string) {
			g.HaltOn = []sla.Severity{}
			r.list(n, p, func(n *yaml.Node, p string) {
				var s sla.Severity
				r.enum(n, p, &s)
				g.HaltOn = append(g.HaltOn, s)
			})
		},
		"minRemaining": func(n *yaml.Node, p string) { g.MinRemaining = r.number(n, p) },
		"onNoData":     func(n *yaml.Node, p string) { r.enum(n, p, &g.OnNoData) },
		"cooldown":     func(n *yaml.Node, p string) { g.Cooldown = r.duration(n, p) },
		"resumeBurn":   func(n *yaml.Node, p string) { g.ResumeBurn = r.number(n, p) },
		"maxAge":       func(n *yaml.Node, p string) { g.MaxAge = r.duration(n, p) },
	})
	if err := g.Validate(); err != nil {
		r.fault(n, path, "%s", strings.TrimPrefix(err.Error(), "sla: "))
	}
	return g
}
