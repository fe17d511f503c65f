package openslo

import (
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/sla"
	"go.yaml.in/yaml/v3"
)

// placedAlert is an alert that knows where it stands.
type placedAlert struct {
	alert sla.Alert
	node  *yaml.Node
	path  string
}

// alerts reads the alertPolicies of an SLO.
func (r *reader) alerts(n *yaml.Node, path string) (out []placedAlert) {
	if n == nil {
		return nil
	}
	r.list(n, path, func(n *yaml.Node, path string) {
		if policy, path := r.resolve(n, path, "alertPolicyRef", "AlertPolicy", r.policies); policy != nil {
			out = append(out, r.policy(policy, path)...)
		}
	})
	return out
}

// resolve returns the object itself, or the one that it refers to.
func (r *reader) resolve(n *yaml.Node, path, ref, kind string, objects map[string]*yaml.Node) (*yaml.Node, string) {
	if to := child(n, ref); to != nil {
		r.mapping(n, path, keys{ref: ignore})
		doc := objects[r.text(to, path+"."+ref)]
		if doc == nil {
			r.fault(to, path+"."+ref, "the file has no %s named %q", kind, to.Value)
		}
		return doc, kind + " " + to.Value
	}
	r.mapping(n, path, keys{
		"apiVersion": ignore,
		"kind": func(n *yaml.Node, p string) {
			if v := r.text(n, p); v != kind {
				r.fault(n, p, "%q is not %s", v, kind)
			}
		},
		"metadata": ignore,
		"spec":     ignore,
	}, "kind", "metadata", "spec")
	return n, path
}

func (r *reader) policy(n *yaml.Node, path string) (out []placedAlert) {
	r.metadata(child(n, "metadata"), path+".metadata")
	breaching := true
	r.mapping(child(n, "spec"), path+".spec", keys{
		"description": ignore,
		"alertWhenNoData": func(n *yaml.Node, p string) {
			if r.boolean(n, p) {
				r.warn(n, p, "is not applied; results say no_data and absent, and the gate has onNoData")
			}
		},
		"alertWhenResolved":   func(n *yaml.Node, p string) { r.boolean(n, p) },
		"alertWhenBreaching":  func(n *yaml.Node, p string) { breaching = r.boolean(n, p) },
		"notificationTargets": ignore,
		"conditions": func(n *yaml.Node, p string) {
			r.list(n, p, func(n *yaml.Node, p string) {
				if c, p := r.resolve(n, p, "conditionRef", "AlertCondition", r.conditions); c != nil {
					out = append(out, r.condition(c, p))
				}
			})
		},
	}, "conditions")
	if !breaching {
		r.warn(n, path, "alertWhenBreaching is false; its conditions are left out")
		return nil
	}
	return out
}

func (r *reader) condition(n *yaml.Node, path string) placedAlert {
	m := r.metadata(child(n, "metadata"), path+".metadata")
	a := sla.Alert{Name: m.name}
	r.mapping(child(n, "spec"), path+".spec", keys{
		"description": ignore,
		"severity":    func(n *yaml.Node, p string) { a.Severity = r.severity(n, p) },
		"condition": func(n *yaml.Node, p string) {
			r.mapping(n, p, keys{
				"kind": func(n *yaml.Node, p string) {
					if v := r.text(n, p); v != "burnrate" {
						r.fault(n, p, "%q is not burnrate", v)
					}
				},
				"op":        r.operator,
				"threshold": func(n *yaml.Node, p string) { a.Factor = r.number(n, p) },
				"lookbackWindow": func(n *yaml.Node, p string) {
					a.Long = r.duration(n, p)
					a.Short = a.Long
				},
				"alertAfter": func(n *yaml.Node, p string) { a.Hold = r.hold(n, p) },
			}, "op", "threshold", "lookbackWindow")
		},
	}, "severity", "condition")
	return r.place(a, n, path)
}

// place lets package sla look at an alert.
func (r *reader) place(a sla.Alert, n *yaml.Node, path string) placedAlert {
	if len(r.faults) == 0 {
		if err := a.Validate(); err != nil {
			r.fault(n, path, "%s", strings.TrimPrefix(err.Error(), "sla: "))
		}
	}
	return placedAlert{a, n, path}
}

func (r *reader) operator(n *yaml.Node, path string) {
	switch r.text(n, path) {
	case "gt":
	case "gte":
		r.warn(n, path, "gte is read as gt: at the threshold itself the alert is quiet")
	case "lte", "lt":
		r.warn(n, path, "%s would fire while little burns; read as gt", n.Value)
	default:
		r.fault(n, path, "%q is not one of gt, gte, lt, lte", n.Value)
	}
}

var (
	pages   = []string{"page", "critical", "high", "sev1", "p1"}
	tickets = []string{"ticket", "warning", "medium", "low", "info", "sev2", "sev3", "sev4", "sev5", "p2", "p3", "p4", "p5"}
)

func (r *reader) severity(n *yaml.Node, path string) sla.Severity {
	switch v := strings.ToLower(r.text(n, path)); {
	case slices.Contains(pages, v):
		return sla.Page
	case slices.Contains(tickets, v):
		return sla.Ticket
	}
	r.warn(n, path, "%q is not a known severity; taken as page", n.Value)
	return sla.Page
}

// extraAlerts reads the alerts of the extension.
func (r *reader) extraAlerts(n *yaml.Node, path string, w sla.Window) []placedAlert {
	if n == nil || len(r.faults) > 0 {
		return nil
	}
	window := w.Length
	if w.Unit != 0 {
		start, end, err := w.Bounds(time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC))
		if err != nil {
			r.fault(n, path, "%s", err)
			return nil
		}
		window = end.Sub(start)
	}
	if n.Kind == yaml.SequenceNode {
		var out []placedAlert
		r.list(n, path, func(n *yaml.Node, path string) { out = append(out, r.extraAlert(n, path, window)) })
		return out
	}
	set := map[string]func(time.Duration) ([]sla.Alert, error){"google": sla.GoogleAlerts, "pyrra": sla.PyrraAlerts}[r.text(n, path)]
	if set == nil {
		r.fault(n, path, "%q is not google, pyrra or a list", n.Value)
		return nil
	}
	if w.Unit != 0 {
		r.warn(n, path, "calendar periods differ in length; factors are those of %s", window)
	}
	alerts, err := set(window)
	if err != nil {
		r.fault(n, path, "%s", strings.TrimPrefix(err.Error(), "sla: "))
	}
	var out []placedAlert
	for _, a := range alerts {
		out = append(out, placedAlert{a, n, path})
	}
	return out
}

func (r *reader) extraAlert(n *yaml.Node, path string, window time.Duration) placedAlert {
	var a sla.Alert
	budget := 0.0
	r.mapping(n, path, keys{
		"name":     func(n *yaml.Node, p string) { a.Name = r.text(n, p) },
		"severity": func(n *yaml.Node, p string) { r.enum(n, p, &a.Severity) },
		"budget":   func(n *yaml.Node, p string) { budget = r.number(n, p) },
		"factor":   func(n *yaml.Node, p string) { a.Factor = r.number(n, p) },
		"long":     func(n *yaml.Node, p string) { a.Long = r.duration(n, p) },
		"short":    func(n *yaml.Node, p string) { a.Short = r.duration(n, p) },
		"hold":     func(n *yaml.Node, p string) { a.Hold = r.hold(n, p) },
	}, "name", "severity", "long")
	if (budget != 0) == (a.Factor != 0) {
		r.fault(n, path, "exactly one of budget and factor is required")
	}
	if a.Short == 0 {
		a.Short = a.Long / 12
	}
	if len(r.faults) > 0 || budget == 0 {
		return r.place(a, n, path)
	}
	alerts, err := sla.AlertsFromFractions(window, []sla.Fraction{{Name: a.Name, Severity: a.Severity, Long: a.Long, Short: a.Short, Hold: a.Hold, Budget: budget}})
	if err != nil {
		r.fault(n, path, "%s", strings.TrimPrefix(err.Error(), "sla: "))
		return placedAlert{a, n, path}
	}
	return placedAlert{alerts[0], n, path}
}
