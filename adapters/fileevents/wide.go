package fileevents

import (
	"strings"

	"github.com/rampguard/rampguard/leadtime"
)

// role is what a column of the wide form stands for.
type role int8

const (
	roleNone      role = iota
	roleTime           // of an event of its kind
	roleElsewhere      // serving in the environment of its name
	roleStart          // of the stage of its name
	roleEnd
	roleOutcome
	roleRestored // the version that came back
)

// column is a column of the wide form.
type column struct {
	role role
	kind leadtime.Kind
	of   string // stage or environment
}

var wideTimes = map[string]leadtime.Kind{
	"signoff":          leadtime.SignOff,
	"signoff_revoked":  leadtime.SignOffRevoked,
	"sign_off":         leadtime.SignOff,
	"sign_off_revoked": leadtime.SignOffRevoked,
	"run_started":      leadtime.RunStarted,
	"run_ended":        leadtime.RunEnded,
	"registered":       leadtime.Registered,
	"serving":          leadtime.Serving,
	"rejected":         leadtime.Rejected,
	"withdrawn":        leadtime.Withdrawn,
	"rollback_decided": leadtime.RollbackDecided,
	"restored":         leadtime.Restored,
}

// columnOf tells the role of a column by its name.
func columnOf(name string) column {
	if kind, ok := wideTimes[name]; ok {
		return column{role: roleTime, kind: kind}
	}
	if name == "restored_version" {
		return column{role: roleRestored}
	}
	for _, c := range []struct {
		suffix string
		column
	}{
		{"_serving", column{roleElsewhere, leadtime.Serving, ""}},
		{"_start", column{roleStart, leadtime.StageStart, ""}},
		{"_end", column{roleEnd, leadtime.StageEnd, ""}},
		{"_outcome", column{roleOutcome, 0, ""}},
	} {
		if of, ok := strings.CutSuffix(name, c.suffix); ok && of != "" {
			c.of = of
			return c.column
		}
	}
	return column{}
}

const maxColumns = 1 << 12 // that are remembered

func (r *eventReader) column(name string) column {
	c, ok := r.columns[name]
	if !ok {
		c = columnOf(name)
		if len(r.columns) < maxColumns {
			r.columns[name] = c
		}
	}
	return c
}

// takeWide makes the events of a flight.
func (r *eventReader) takeWide(line int, fields []field) fault {
	e := leadtime.Event{Line: line, Source: r.o.Source} // what the events share
	var restored string
	before := len(*r.events)
	for i := range fields {
		f := &fields[i]
		if f.kind == empty {
			continue
		}
		var bad fault
		switch {
		case f.name == "id":
			bad = f.string(&e.ID, func(b []byte) string { return string(b) })
		case r.column(f.name).role == roleRestored:
			bad = f.string(&restored, r.share)
		default:
			bad = r.common(&e, f)
		}
		if bad.reason != "" {
			return bad
		}
	}
	bad := r.happened(&e, fields, restored)
	switch {
	case bad.reason != "":
	case e.Model == "":
		bad = fault{field: "model", reason: ReasonMissing}
	case e.Version == "":
		bad = fault{field: "version", reason: ReasonMissing}
	case len(*r.events) == before:
		bad = fault{reason: ReasonNothingThere}
	}
	if bad.reason != "" {
		*r.events = (*r.events)[:before]
	}
	return bad
}

// happened appends an event for every time in the row.
func (r *eventReader) happened(shared *leadtime.Event, fields []field, restored string) fault {
	for i := range fields {
		f := &fields[i]
		c := r.column(f.name)
		if f.kind == empty || c.role == roleNone || c.role == roleRestored {
			continue
		}
		e := *shared
		e.Kind = c.kind
		e.Env, e.Region = "", ""
		if e.ID != "" {
			e.ID += "/" + f.name
		}
		switch c.role {
		case roleOutcome:
			if bad := outcome(new(leadtime.Outcome), f); bad.reason != "" {
				return bad
			}
			if cell(fields, c.of+"_end") == nil {
				return f.fault(ReasonNoEnd)
			}
			continue
		case roleElsewhere:
			e.Env = leadtime.Env(c.of)
		case roleStart:
			e.Stage = c.of
		case roleEnd:
			e.Stage = c.of
			if o := cell(fields, c.of+"_outcome"); o != nil {
				_ = e.Outcome.UnmarshalText(o.text) // its own column reports what is wrong
			}
		}
		switch e.Kind {
		case leadtime.Restored:
			if restored == "" {
				return fault{field: "restored_version", reason: ReasonMissing}
			}
			e.Version = restored
			e.Env, e.Region = shared.Env, shared.Region
		case leadtime.RollbackDecided:
			e.Env, e.Region = shared.Env, shared.Region
		case leadtime.Serving:
			if c.role == roleTime {
				e.Env, e.Region = shared.Env, shared.Region
			}
		}
		if bad := f.time(&e.At, &r.o); bad.reason != "" {
			return bad
		}
		*r.events = append(*r.events, e)
	}
	return fault{}
}

// cell returns the field of a name, unless it is empty.
func cell(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name && fields[i].kind != empty {
			return &fields[i]
		}
	}
	return nil
}
