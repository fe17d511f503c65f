package fileevents

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/leadtime"
)

// eventReader makes events of rows in either form.
type eventReader struct {
	o      Options
	events *[]leadtime.Event
	sharing
	wide    bool
	columns map[string]column // of the wide form, by name
}

func (r *eventReader) begin(names []string, header bool) error {
	long := slices.Contains(names, "kind")
	wide := slices.ContainsFunc(names, func(name string) bool { return columnOf(name).role != roleNone })
	r.wide = r.o.Form == Wide || r.o.Form == AnyForm && wide && !long
	r.columns = map[string]column{}
	if !header {
		return nil
	}
	needs := []string{"kind", "model", "at"}
	if r.wide {
		needs = []string{"model", "version"}
	}
	for _, name := range needs {
		if !slices.Contains(names, name) {
			return fmt.Errorf("no column %q among %s: %w", name, clip(strings.Join(names, ", ")), ErrFormat)
		}
	}
	if r.wide && !wide {
		return fmt.Errorf("no column with a time such as sign_off or serving among %s: %w", clip(strings.Join(names, ", ")), ErrFormat)
	}
	return nil
}

func (r *eventReader) known(name string) bool {
	switch name {
	case "id", "source", "model", "version", "env", "region", "track", "ref":
		return true
	case "kind", "at", "earliest", "stage", "attempt", "outcome", "traffic_pct":
		return !r.wide
	}
	return r.wide && r.column(name).role != roleNone
}

func (r *eventReader) take(line int, fields []field) fault {
	if r.wide {
		return r.takeWide(line, fields)
	}
	e := leadtime.Event{Line: line, Source: r.o.Source}
	stated := false
	for i := range fields {
		f := &fields[i]
		if f.kind == empty {
			continue
		}
		stated = stated || f.name == "traffic_pct"
		if bad := r.set(&e, f); bad.reason != "" {
			return bad
		}
	}
	if bad := check(&e, stated); bad.reason != "" {
		return bad
	}
	*r.events = append(*r.events, e)
	return fault{}
}

// set sets what a field of the long form says.
func (r *eventReader) set(e *leadtime.Event, f *field) fault {
	switch f.name {
	case "kind":
		if f.kind != word || e.Kind.UnmarshalText(f.text) != nil || e.Kind == 0 {
			return f.fault(ReasonUnknownKind)
		}
		return fault{}
	case "outcome":
		return outcome(&e.Outcome, f)
	case "id":
		return f.string(&e.ID, func(b []byte) string { return string(b) })
	case "stage":
		return f.string(&e.Stage, r.share)
	case "at":
		return f.time(&e.At, &r.o)
	case "earliest":
		return f.time(&e.Earliest, &r.o)
	case "attempt":
		return f.attempt(&e.Attempt)
	case "traffic_pct":
		if bad := f.float(&e.TrafficPct); bad.reason != "" {
			return bad
		}
		if !(e.TrafficPct >= 0 && e.TrafficPct <= 100) {
			return f.fault(ReasonBadTraffic)
		}
		return fault{}
	}
	return r.common(e, f)
}

// common sets what both forms have.
func (r *eventReader) common(e *leadtime.Event, f *field) fault {
	switch f.name {
	case "source":
		return f.string(&e.Source, r.share)
	case "model":
		return f.string(&e.Model, r.share)
	case "version":
		return f.string(&e.Version, r.share)
	case "env":
		return f.string((*string)(&e.Env), r.share)
	case "region":
		return f.string(&e.Region, r.share)
	case "track":
		return f.string((*string)(&e.Track), r.share)
	case "ref":
		return f.string(&e.Ref, r.share)
	}
	return fault{}
}

func outcome(o *leadtime.Outcome, f *field) fault {
	if f.kind != word || o.UnmarshalText(f.text) != nil {
		return f.fault(ReasonBadOutcome)
	}
	return fault{}
}

// check looks for what every event of its kind has to say.
func check(e *leadtime.Event, trafficStated bool) fault {
	missing := func(name string) fault { return fault{field: name, reason: ReasonMissing} }
	switch {
	case e.Kind == 0:
		return missing("kind")
	case e.At.IsZero():
		return missing("at")
	case e.Model == "":
		return missing("model")
	case e.Version == "" && e.Kind < leadtime.IncidentDetected:
		return missing("version")
	case e.Stage == "" && (e.Kind == leadtime.StageStart || e.Kind == leadtime.StageEnd):
		return missing("stage")
	case !trafficStated && e.Kind == leadtime.TrafficChange:
		return missing("traffic_pct")
	case trafficStated && e.TrafficPct == 0 && e.Kind == leadtime.Serving:
		return fault{"traffic_pct", ReasonBadTraffic, "0"}
	case e.Earliest.After(e.At):
		return fault{"earliest", ReasonBadInterval, e.Earliest.Format("2006-01-02T15:04:05.999999999Z07:00")}
	}
	return fault{}
}
