package openslo

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/sla"
	"go.yaml.in/yaml/v3"
)

type metadata struct{ name, displayName string }

func (r *reader) metadata(n *yaml.Node, path string) (m metadata) {
	r.mapping(n, path, keys{
		"name":        func(n *yaml.Node, p string) { m.name = r.text(n, p) },
		"displayName": func(n *yaml.Node, p string) { m.displayName = r.text(n, p) },
		"labels":      ignore,
		"annotations": ignore,
	}, "name")
	return m
}

// slo reads a document of kind SLO.
func (r *reader) slo(doc *yaml.Node) SLO {
	m := r.metadata(child(doc, "metadata"), "metadata")
	s := SLO{Name: m.name, DisplayName: m.displayName, Line: doc.Line}
	var common sla.Objective
	var objectives []*yaml.Node
	indicated := false
	spec := child(doc, "spec")
	r.mapping(spec, "spec", keys{
		"description":     func(n *yaml.Node, p string) { s.Description = r.text(n, p) },
		"service":         func(n *yaml.Node, p string) { s.Service = r.text(n, p) },
		"indicator":       func(n *yaml.Node, p string) { indicated = true; r.indicator(n, p) },
		"indicatorRef":    func(n *yaml.Node, p string) { indicated = true; r.text(n, p) },
		"timeWindow":      func(n *yaml.Node, p string) { common.Window = r.timeWindow(n, p) },
		"budgetingMethod": func(n *yaml.Node, p string) { common.Method = r.method(n, p) },
		"objectives": func(n *yaml.Node, p string) {
			r.list(n, p, func(n *yaml.Node, _ string) { objectives = append(objectives, n) })
			if len(n.Content) == 0 {
				r.fault(n, p, "at least one objective is required")
			}
		},
		"alertPolicies": ignore, // below, when the window is known
		"x-rampguard":   ignore,
	}, "timeWindow", "budgetingMethod", "objectives")
	x := r.extension(child(spec, "x-rampguard"), "spec.x-rampguard", &common)
	s.Model, s.Clamp, s.Gate = x.model, x.clamp, x.gate
	placed := r.alerts(child(spec, "alertPolicies"), "spec.alertPolicies")
	placed = append(placed, r.extraAlerts(x.alerts, "spec.x-rampguard.alerts", common.Window)...)
	names := map[string]bool{}
	for i, n := range objectives {
		path := fmt.Sprintf("spec.objectives[%d]", i)
		o, own := r.objective(n, path, common)
		if !indicated && !own {
			r.warn(n, path, "neither indicator nor indicatorRef is given; samples have to come with good and total anyway")
		}
		o.Name = s.Name
		if len(objectives) > 1 {
			o.Name += "/" + objectiveName(o, i)
		}
		if names[o.Name] {
			r.fault(n, path+".displayName", "a second objective named %q", o.Name)
		}
		names[o.Name] = true
		r.check(n, path, &o, placed, x.clamp)
		s.Objectives = append(s.Objectives, o)
	}
	return s
}

func objectiveName(o Objective, i int) string {
	if o.DisplayName != "" {
		return o.DisplayName
	}
	return strconv.Itoa(i)
}

// check gives the objective its alerts and lets package sla look at it.
func (r *reader) check(n *yaml.Node, path string, o *Objective, placed []placedAlert, clamp bool) {
	if len(r.faults) > 0 {
		return // half an objective has faults that the file does not have
	}
	if err := o.Validate(); err != nil {
		r.fault(n, path, "%s", strings.TrimPrefix(err.Error(), "sla: "))
		return
	}
	seen := map[string]bool{}
	for _, p := range placed {
		switch {
		case seen[p.alert.Name]:
			r.fault(p.node, p.path, "a second alert named %q", p.alert.Name)
		case p.alert.Short < o.Slice:
			r.fault(p.node, p.path, "its window of %s is shorter than a slice of %s", p.alert.Short, o.Slice)
		case o.Window.Unit == 0 && p.alert.Long > o.Window.Length:
			r.fault(p.node, p.path, "its window of %s is longer than that of the objective, %s", p.alert.Long, o.Window.Length)
		case !clamp && len(sla.Unreachable(o.Objective, []sla.Alert{p.alert})) > 0:
			r.fault(p.node, p.path, "alert %q can never fire: factor %.4g, and at target %v the burn rate is at most %.4g; lower it, or set x-rampguard.clampUnreachable",
				p.alert.Name, p.alert.Factor, o.Target, sla.MaxBurn(o.Target))
		}
		seen[p.alert.Name] = true
		o.Alerts = append(o.Alerts, p.alert)
	}
}

// indicator checks the form of an indicator and says what is lost.
func (r *reader) indicator(n *yaml.Node, path string) {
	r.mapping(n, path, keys{
		"metadata": ignore,
		"spec": func(n *yaml.Node, p string) {
			r.mapping(n, p, keys{
				"description": ignore,
				"ratioMetric": ignore,
				"thresholdMetric": func(n *yaml.Node, p string) {
					r.warn(n, p, "a threshold metric is not evaluated; samples have to say how many values were good")
				},
			})
		},
	}, "spec")
}

func (r *reader) method(n *yaml.Node, path string) sla.Method {
	switch r.text(n, path) {
	case "Occurrences":
		return sla.Occurrences
	case "Timeslices":
		return sla.Timeslices
	case "RatioTimeslices":
		return sla.RatioTimeslices
	}
	r.fault(n, path, "%q is not one of Occurrences, Timeslices, RatioTimeslices", n.Value)
	return sla.Occurrences
}

func (r *reader) objective(n *yaml.Node, path string, common sla.Objective) (o Objective, indicated bool) {
	o = Objective{Objective: common, Weight: 1, Line: n.Line}
	targets := 0
	target := func(percent bool) func(*yaml.Node, string) {
		return func(n *yaml.Node, p string) {
			targets++
			o.Target = r.target(n, p, percent)
		}
	}
	r.mapping(n, path, keys{
		"displayName": func(n *yaml.Node, p string) { o.DisplayName = r.text(n, p) },
		"op": func(n *yaml.Node, p string) {
			r.warn(n, p, "is not applied; samples have to say how many values were good")
		},
		"value": func(n *yaml.Node, p string) {
			r.number(n, p)
			r.warn(n, p, "is not applied; samples have to say how many values were good")
		},
		"target":          target(false),
		"targetPercent":   target(true),
		"timeSliceTarget": func(n *yaml.Node, p string) { o.SliceTarget = r.number(n, p) },
		"timeSliceWindow": func(n *yaml.Node, p string) { o.Slice = r.sliceWindow(n, p) },
		"indicator":       func(n *yaml.Node, p string) { indicated = true; r.indicator(n, p) },
		"indicatorRef":    func(n *yaml.Node, p string) { indicated = true; r.text(n, p) },
		"compositeWeight": func(n *yaml.Node, p string) {
			o.Weight = r.number(n, p)
			r.warn(n, p, "is kept, and not applied")
		},
	})
	if targets != 1 {
		r.fault(n, path, "exactly one of target and targetPercent is required")
	}
	return o, indicated
}

// target reads a share or a percentage as the decimal it shows.
func (r *reader) target(n *yaml.Node, path string, percent bool) float64 {
	v := r.number(n, path)
	most := 1.0
	if percent {
		most = 100
	}
	if !(v > 0 && v <= most) {
		r.fault(n, path, "%s is not above 0 and at most %v", n.Value, most)
		return 0
	}
	if v == most {
		r.warn(n, path, "leaves no budget: one bad event exhausts it. OpenSLO wants less than %v", most)
	}
	if q, ok := new(big.Rat).SetString(strconv.FormatFloat(v, 'g', -1, 64)); ok && percent {
		v, _ = q.Quo(q, big.NewRat(100, 1)).Float64()
	}
	return v
}

var shorthand = regexp.MustCompile(`^([1-9][0-9]{0,8})([mhdwMQY])$`)

// span reads a duration shorthand into its number and letter.
func (r *reader) span(n *yaml.Node, path string) (count int, letter string) {
	m := shorthand.FindStringSubmatch(r.text(n, path))
	if m == nil {
		r.fault(n, path, "%q is not a duration like 5m, 12h, 4w, 1M", n.Value)
		return 0, ""
	}
	count, _ = strconv.Atoi(m[1])
	return count, m[2]
}

var lengths = map[string]time.Duration{
	"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
	"M": 30 * 24 * time.Hour, "Q": 90 * 24 * time.Hour, "Y": 365 * 24 * time.Hour,
}

// duration reads a duration shorthand as a fixed time.
func (r *reader) duration(n *yaml.Node, path string) time.Duration {
	count, letter := r.span(n, path)
	unit := lengths[letter]
	if strings.Contains("MQY", letter) && letter != "" {
		r.warn(n, path, "%s is taken as %d days", n.Value, count*int(unit/(24*time.Hour)))
	}
	if most := 10 * 366 * 24 * time.Hour; unit > 0 && time.Duration(count) > most/unit {
		r.fault(n, path, "%s is above ten years", n.Value)
		return 0
	}
	return time.Duration(count) * unit
}

// hold reads a duration that may be 0m.
func (r *reader) hold(n *yaml.Node, path string) time.Duration {
	if n.Value == "0m" || n.Value == "0" {
		return 0
	}
	return r.duration(n, path)
}

// sliceWindow is a duration, or a number of minutes.
func (r *reader) sliceWindow(n *yaml.Node, path string) time.Duration {
	if minutes, err := strconv.Atoi(n.Value); err == nil && minutes > 0 && minutes <= 60*24*366 {
		return time.Duration(minutes) * time.Minute
	}
	return r.duration(n, path)
}

func (r *reader) timeWindow(n *yaml.Node, path string) (w sla.Window) {
	if n.Kind != yaml.SequenceNode || len(n.Content) != 1 {
		r.fault(n, path, "expected a list of exactly one window")
		return w
	}
	n, path = n.Content[0], path+"[0]"
	var length, calendar *yaml.Node
	rolling := false
	r.mapping(n, path, keys{
		"duration":  func(n *yaml.Node, _ string) { length = n },
		"isRolling": func(n *yaml.Node, p string) { rolling = r.boolean(n, p) },
		"calendar":  func(n *yaml.Node, _ string) { calendar = n },
	}, "duration")
	switch {
	case length == nil:
	case rolling && calendar != nil:
		r.fault(n, path, "is both rolling and a calendar window")
	case rolling:
		return sla.Rolling(r.duration(length, path+".duration"))
	case calendar == nil:
		r.fault(n, path, "neither isRolling: true nor calendar is given")
	default:
		return r.calendar(length, calendar, path)
	}
	return w
}

var units = map[string]sla.Unit{"d": sla.Day, "w": sla.Week, "M": sla.Month, "Q": sla.Quarter, "Y": sla.Year}

func (r *reader) calendar(length, n *yaml.Node, path string) sla.Window {
	count, letter := r.span(length, path+".duration")
	if letter == "m" {
		r.warn(length, path+".duration", "%s means minutes, which no calendar has; read as %dM, months", length.Value, count)
		letter = "M"
	}
	if letter == "h" {
		r.fault(length, path+".duration", "%s: a calendar window has days, weeks, months, quarters or years", length.Value)
	}
	w := sla.Window{Unit: units[letter], Every: count}
	var start *yaml.Node
	r.mapping(n, path+".calendar", keys{
		"startTime": func(n *yaml.Node, _ string) { start = n },
		"timeZone": func(n *yaml.Node, p string) {
			zone, err := time.LoadLocation(r.text(n, p))
			if err != nil || n.Value == "" || n.Value == "Local" {
				r.fault(n, p, "%q is not a zone of the IANA database", n.Value)
				return
			}
			w.Zone = zone
		},
	}, "startTime", "timeZone")
	if start == nil || w.Zone == nil {
		return w
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, start.Value, w.Zone); err == nil {
			w.Anchor = t
			return w
		}
	}
	r.fault(start, path+".calendar.startTime", "%q is not of the form 2020-01-21 12:30:00, without zone", start.Value)
	return w
}
