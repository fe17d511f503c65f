package leadtime

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

const defaultSkew = 5 * time.Minute

// Assemble makes flights of a log of events. The order of the log does not
// matter: any permutation gives the same bytes, and so does a log in which
// events appear twice.
//
// The clock of a flight starts at the last standing sign-off at or before the
// first production traffic, and stops when the version has StopAt percent of the
// traffic of production. Once it has served, a new sign-off begins a new flight;
// a sign-off that is revoked ends its flight as withdrawn, and the next begins a
// new one (see KeepFirstSignOff). A version that comes back after a rollback under
// the same sign-off is a redeploy, not a second lead time; the version that
// comes back in its place ends the rollback and is no flight at all unless it
// was signed off anew.
//
// Starts and ends of stages are matched by stage, environment, region and
// attempt; attempts that state no number are counted. A stage that never ended is
// closed at the next start of a stage, or at serving, and flagged. A stage that
// ended before it began is excluded and flagged; the lead time does not depend
// on it.
//
// Events are excluded, never dropped: In = Used + len(Operations) +
// len(Excluded). Two events are the same when Source and a stated ID are, or
// when they agree in everything but ID, Source, Line and Ref (incidents, alerts
// and retrainings: in everything but Source and Line). Of two, the first in time
// stays.
//
// Special cases are: an empty log gives no flights; served before sign-off
// within SkewTolerance gives a lead time of 0, flagged; beyond it, the events of
// the whole flight are excluded as negative_lead_time.
//
// Errors: [stats.ErrDomain] for options out of range. Cost: sorting.
func Assemble(events []Event, o AssembleOptions) (Assembly, error) {
	o, err := o.orDefault()
	if err != nil {
		return Assembly{}, err
	}
	a := assembler{events: events, o: o, fate: make([]Reason, len(events))}
	a.check()
	a.dropRepeatedIDs()
	operations, models := a.group()
	out := Assembly{AsOf: a.o.AsOf, Operations: operations, In: len(events)}
	for _, items := range models {
		out.Flights = a.model(out.Flights, items)
	}
	slices.SortFunc(out.Flights, func(x, y Flight) int { return x.Key.compare(y.Key) })
	for i, why := range a.fate {
		switch why {
		case used:
			out.Used++
		case kept:
		default:
			out.Excluded = append(out.Excluded, Excluded{events[i], why, a.negative[i]})
		}
	}
	slices.SortFunc(out.Excluded, func(x, y Excluded) int {
		return cmp.Or(compareEvents(&x.Event, &y.Event), cmp.Compare(x.Reason, y.Reason), x.Flight.compare(y.Flight))
	})
	out.Warnings = Lint(out.Flights)
	return out, nil
}

func (o AssembleOptions) orDefault() (AssembleOptions, error) {
	const name = "leadtime: Assemble"
	o.AsOf = o.AsOf.Round(0).UTC()
	if !o.AsOf.IsZero() && !inRange(o.AsOf) {
		return o, fmt.Errorf("%s: AsOf %v is outside the years %d to %d: %w", name, o.AsOf, firstYear, lastYear, stats.ErrDomain)
	}
	o.Env = cmp.Or(o.Env, Production)
	if o.StopAt == 0 {
		o.StopAt = 100
	}
	if !(o.StopAt > 0 && o.StopAt <= 100) {
		return o, fmt.Errorf("%s: StopAt %v is not a percentage above 0: %w", name, o.StopAt, stats.ErrDomain)
	}
	if o.SkewTolerance == 0 {
		o.SkewTolerance = defaultSkew
	}
	o.SkewTolerance = max(0, o.SkewTolerance)
	if o.RegionPolicy != LastRegion && o.RegionPolicy != FirstRegion {
		return o, fmt.Errorf("%s: %v: %w", name, o.RegionPolicy, stats.ErrDomain)
	}
	return o, nil
}

// The fates of an event that is not excluded, beside the reasons.
const (
	used Reason = -1 - iota // a flight rests on it
	kept                    // it is among Operations
)

type assembler struct {
	events   []Event
	o        AssembleOptions
	fate     []Reason // by event; 0 while undecided
	negative map[int]FlightKey
}

// item is an event in the order of its model.
type item struct {
	t int64 // nanoseconds since 1970
	i int   // which event
}

// Stamps outside these years are mistakes, and would not fit in nanoseconds.
const (
	firstYear = 1700
	lastYear  = 2200
)

func inRange(t time.Time) bool { y := t.UTC().Year(); return firstYear <= y && y <= lastYear }

// check decides what can be told from an event alone, then what is too late.
func (a *assembler) check() {
	var last time.Time
	for i := range a.events {
		if a.fate[i] = fault(&a.events[i]); a.fate[i] == 0 {
			last = later(last, a.events[i].At)
		}
	}
	if a.o.AsOf.IsZero() {
		a.o.AsOf = last.Round(0).UTC()
	}
	for i := range a.events {
		if a.fate[i] == 0 && a.events[i].At.After(a.o.AsOf) {
			a.fate[i] = AfterAsOf
		}
	}
}

// fault is what is wrong with an event by itself, or 0.
func fault(e *Event) Reason {
	stage := e.Kind == StageStart || e.Kind == StageEnd
	switch {
	case e.Kind < SignOff || e.Kind > Retrained:
		return UnknownKind
	case e.At.IsZero():
		return MissingTime
	case !inRange(e.At) || !e.Earliest.IsZero() && !inRange(e.Earliest):
		return TimeOutOfRange
	case e.Earliest.After(e.At):
		return BadInterval
	case e.Model == "":
		return MissingModel
	case e.Version == "" && !e.Kind.operational():
		return MissingVersion
	case stage && e.Stage == "":
		return MissingStage
	case e.Attempt < 0:
		return BadAttempt
	case !(e.TrafficPct >= 0 && e.TrafficPct <= 100):
		return BadTraffic
	}
	return 0
}

// dropRepeatedIDs keeps the first, in canonical order, of the events with one ID.
func (a *assembler) dropRepeatedIDs() {
	type key struct{ source, id string }
	stated := 0
	for i := range a.events {
		if a.events[i].ID != "" {
			stated++
		}
	}
	first := make(map[key]int, stated)
	for i := range a.events {
		e := &a.events[i]
		if a.fate[i] != 0 || e.ID == "" {
			continue
		}
		k := key{e.Source, e.ID}
		j, seen := first[k]
		switch {
		case !seen:
			first[k] = i
		case compareEvents(e, &a.events[j]) < 0:
			a.fate[j], first[k] = Duplicate, i
		default:
			a.fate[i] = Duplicate
		}
	}
}

// group sorts what is left, drops repetitions, and returns the operational
// events and the others by model.
func (a *assembler) group() (operations []Event, models [][]item) {
	var ops []item
	names := map[string]int{}
	for i := range a.events {
		if a.fate[i] != 0 {
			continue
		}
		e := &a.events[i]
		it := item{e.Time().UnixNano(), i}
		if e.Kind.operational() {
			ops = append(ops, it)
			continue
		}
		k, ok := names[e.Model]
		if !ok {
			k = len(models)
			names[e.Model] = k
			models = append(models, nil)
		}
		models[k] = append(models[k], it)
	}
	for k := range models {
		models[k] = a.inOrder(models[k])
	}
	for _, it := range a.inOrder(ops) {
		a.fate[it.i] = kept
		operations = append(operations, a.events[it.i])
	}
	return operations, models
}

// inOrder sorts items and marks repetitions as duplicates.
func (a *assembler) inOrder(items []item) []item {
	slices.SortFunc(items, func(x, y item) int {
		if x.t != y.t {
			return cmp.Compare(x.t, y.t)
		}
		return compareEvents(&a.events[x.i], &a.events[y.i])
	})
	once := items[:0]
	for _, it := range items {
		if n := len(once); n > 0 && once[n-1].t == it.t && same(&a.events[once[n-1].i], &a.events[it.i]) {
			a.fate[it.i] = Duplicate
			continue
		}
		once = append(once, it)
	}
	return once
}

// rank is the order of events of one instant: a decision before what it causes.
func rank(k Kind) int {
	switch k {
	case RunStarted, RunEnded, Registered:
		return 0
	case SignOffRevoked:
		return 1
	case RollbackDecided:
		return 2
	}
	return 2 + int(k)
}

// compareFacts orders events by what they say, time first.
func compareFacts(x, y *Event) int {
	if c := x.Time().Compare(y.Time()); c != 0 {
		return c
	}
	if c := cmp.Or(cmp.Compare(rank(x.Kind), rank(y.Kind)), cmp.Compare(x.Kind, y.Kind),
		strings.Compare(x.Model, y.Model), strings.Compare(x.Version, y.Version)); c != 0 {
		return c
	}
	return cmp.Or(
		strings.Compare(string(envOf(x)), string(envOf(y))),
		strings.Compare(x.Region, y.Region),
		strings.Compare(x.Stage, y.Stage),
		cmp.Compare(x.Attempt, y.Attempt),
		cmp.Compare(x.Outcome, y.Outcome),
		cmp.Compare(math.Float64bits(x.TrafficPct), math.Float64bits(y.TrafficPct)),
		strings.Compare(string(trackOf(x)), string(trackOf(y))),
		cmp.Compare(x.Width(), y.Width()))
}

// compareEvents is a total order: events that compare equal are equal.
func compareEvents(x, y *Event) int {
	return cmp.Or(compareFacts(x, y),
		strings.Compare(x.Ref, y.Ref),
		strings.Compare(x.Source, y.Source),
		strings.Compare(x.ID, y.ID),
		cmp.Compare(x.Line, y.Line),
		strings.Compare(string(x.Env), string(y.Env)),
		strings.Compare(string(x.Track), string(y.Track)),
		x.At.Compare(y.At),
		strings.Compare(x.At.Location().String(), y.At.Location().String()))
}

func same(x, y *Event) bool {
	if compareFacts(x, y) != 0 {
		return false
	}
	return !x.Kind.operational() || x.ID == y.ID && x.Ref == y.Ref
}

func envOf(e *Event) Env { return cmp.Or(e.Env, Production) }

func trackOf(e *Event) Track { return cmp.Or(e.Track, Standard) }

func (k FlightKey) compare(o FlightKey) int {
	return cmp.Or(strings.Compare(k.Model, o.Model), strings.Compare(k.Version, o.Version), cmp.Compare(k.SignOff, o.SignOff))
}
