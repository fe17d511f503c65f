package leadtime

import (
	"slices"
	"time"
)

// The events of a model are replayed in time order over its versions. A craft is
// a flight under construction.

type craft struct {
	f        Flight
	begin    int       // the event of the first sign-off
	events   []item    // the flight rests on them
	stages   []item    // on these as well; other flights of the version may, too
	ended    bool      // rejected, withdrawn, or given up
	revoked  time.Time // the sign-off does not stand (KeepFirstSignOff only)
	negative bool

	regions []region // by first mention; "" is everywhere
	down    bool     // rolled back as a whole
	open    []int    // rollbacks that wait for another version
}

type region struct {
	name    string
	since   time.Time // start of traffic since the last rollback
	reached time.Time // first time at StopAt
	width   time.Duration
	down    bool // rolled back here
}

// release is a version of the model.
type release struct {
	name     string
	flights  []*craft
	signOffs []item // not yet replayed, in order
	taken    map[int]bool
	early    []item // traffic without a standing sign-off
	arrivals []item // serving elsewhere before any sign-off
	stages   []item
	runs     []item
	live     bool // had production traffic before
}

func (r *release) current() *craft {
	if len(r.flights) == 0 {
		return nil
	}
	return r.flights[len(r.flights)-1]
}

// standing is the flight that events of traffic belong to, or nil.
func (r *release) standing() *craft {
	if c := r.current(); c != nil && !c.ended && c.revoked.IsZero() {
		return c
	}
	return nil
}

type replay struct {
	*assembler
	name     string
	releases []*release
	byName   map[string]*release
	serving  *craft // last to get production traffic
	servedBy *release
	out      []*craft // have open rollbacks
	found    []*craft // work space, like runs and attempts
	runs     []stretch
	attempts map[place]int
}

// model appends the flights of one model to out.
func (a *assembler) model(out []Flight, items []item) []Flight {
	p := replay{assembler: a, byName: map[string]*release{}, attempts: map[place]int{}}
	for _, it := range items {
		e := &a.events[it.i]
		p.name = e.Model
		r := p.byName[e.Version]
		if r == nil {
			r = &release{name: e.Version}
			p.byName[e.Version] = r
			p.releases = append(p.releases, r)
		}
		if e.Kind == SignOff {
			r.signOffs = append(r.signOffs, it)
		}
	}
	for _, it := range items {
		p.step(p.byName[a.events[it.i].Version], it)
	}
	for _, r := range p.releases {
		p.finish(r)
	}
	p.settle()
	n := 0
	for _, r := range p.releases {
		n += len(r.flights)
	}
	out = slices.Grow(out, n)
	for _, r := range p.releases {
		for _, c := range r.flights {
			if !c.negative {
				out = append(out, c.f)
			}
		}
	}
	return out
}

func (p *replay) step(r *release, it item) {
	e := &p.events[it.i]
	switch e.Kind {
	case RunStarted, RunEnded, Registered:
		r.runs = append(r.runs, it)
	case StageStart, StageEnd:
		r.stages = append(r.stages, it)
	case SignOff:
		p.signOff(r, it)
	case SignOffRevoked:
		p.revoke(r, it)
	case Rejected, Withdrawn:
		p.end(r, it)
	case Serving, TrafficChange:
		share := e.TrafficPct
		if e.Kind == Serving && share == 0 {
			share = 100
		}
		if envOf(e) == p.o.Env {
			p.traffic(r, it, share)
		} else {
			p.arrive(r, it, share)
		}
	case RollbackDecided, Restored:
		switch {
		case envOf(e) != p.o.Env:
			p.fate[it.i] = OtherEnvironment
		case e.Kind == Restored:
			p.restore(r, it)
		default:
			p.rollBack(r, it)
		}
	}
}

func (p *replay) use(c *craft, it item) {
	p.fate[it.i] = used
	c.events = append(c.events, it)
}

func (p *replay) time(it item) time.Time { return time.Unix(0, it.t).UTC() }

func (p *replay) signOff(r *release, it item) {
	if r.taken[it.i] {
		return
	}
	r.signOffs = r.signOffs[1:]
	c := r.current()
	switch {
	case c == nil || c.ended || !c.f.Served.IsZero():
		p.newFlight(r, it)
		return
	case c.down: // taken out before it had all the traffic, and tried again
		last := c.f.Rollbacks[len(c.f.Rollbacks)-1]
		c.ended, c.f.State, c.f.Ended = true, StateWithdrawn, last.Decided
		if last.Decided.IsZero() {
			c.f.Ended = last.Restored
		}
		p.newFlight(r, it)
		return
	}
	c.f.Flags |= FlagResigned
	c.revoked = time.Time{}
	if !p.o.KeepFirstSignOff && c.f.FirstTraffic.IsZero() {
		c.f.SignOff, c.f.SignOffWidth = p.time(it), p.events[it.i].Width()
	}
	p.use(c, it)
}

func (p *replay) newFlight(r *release, it item) *craft {
	t := p.time(it)
	c := &craft{begin: it.i, f: Flight{
		Key:   FlightKey{p.name, r.name, len(r.flights) + 1},
		Track: Standard, FirstSignOff: t, SignOff: t, SignOffWidth: p.events[it.i].Width(),
	}}
	r.flights = append(r.flights, c)
	p.use(c, it)
	if len(r.early) > 0 {
		c.negative = true
		for _, e := range r.early {
			p.use(c, e)
		}
		r.early = nil
	}
	for _, e := range r.arrivals {
		p.arrived(c, e)
	}
	r.arrivals = nil
	return c
}

func (p *replay) revoke(r *release, it item) {
	c := r.standing()
	switch {
	case c == nil:
		p.fate[it.i] = NothingToRevoke
	case !c.f.FirstTraffic.IsZero():
		p.fate[it.i] = AfterEnd
	case p.o.KeepFirstSignOff:
		c.revoked = p.time(it)
		p.use(c, it)
	default:
		c.ended, c.f.State, c.f.Ended = true, StateWithdrawn, p.time(it)
		p.use(c, it)
	}
}

func (p *replay) end(r *release, it item) {
	c := r.current()
	switch {
	case c == nil:
		p.fate[it.i] = NoSignOff
	case c.ended || !c.f.Served.IsZero():
		p.fate[it.i] = AfterEnd
	default:
		c.ended, c.f.State, c.f.Ended = true, StateRejected, p.time(it)
		if p.events[it.i].Kind == Withdrawn {
			c.f.State = StateWithdrawn
		}
		p.use(c, it)
	}
}

// arrive notes that a version serves in an environment that does not stop the
// clock.
func (p *replay) arrive(r *release, it item, share float64) {
	c := r.current()
	switch {
	case c == nil:
		r.arrivals = append(r.arrivals, it)
	case share > 0:
		p.arrived(c, it)
	default:
		p.use(c, it)
	}
}

func (p *replay) arrived(c *craft, it item) {
	p.use(c, it)
	e := &p.events[it.i]
	if e.Kind == TrafficChange && e.TrafficPct == 0 {
		return
	}
	env := envOf(e)
	if !slices.ContainsFunc(c.f.Arrivals, func(a Arrival) bool { return a.Env == env }) {
		c.f.Arrivals = append(c.f.Arrivals, Arrival{env, p.time(it)})
	}
}

// traffic applies a share of production traffic to the version that got it.
func (p *replay) traffic(r *release, it item, share float64) {
	c := r.standing()
	if c == nil {
		c = p.skewed(r, it)
	}
	restored := false
	if share == 100 {
		fresh := c != nil && c.f.FirstTraffic.IsZero()
		restored = p.takeOver(r, it, fresh && !r.live)
	}
	if share > 0 {
		r.live = true
	}
	switch {
	case c != nil:
		p.use(c, it)
		if share > 0 {
			p.fly(r, c, it, share)
		}
	case restored:
		p.fate[it.i] = used
	case share > 0:
		r.early = append(r.early, it)
	case r.current() != nil: // the traffic of a flight that has ended is taken away
		p.use(r.current(), it)
	default:
		p.fate[it.i] = NoSignOff
	}
}

// fly gives a share of production traffic above zero to a flight.
func (p *replay) fly(r *release, c *craft, it item, share float64) {
	t := p.time(it)
	p.serving, p.servedBy = c, r
	g := c.region(p.events[it.i].Region)
	if c.down || g.down {
		c.f.Redeploys++
		c.open = slices.DeleteFunc(c.open, func(k int) bool { return c.down || c.f.Rollbacks[k].Region == g.name })
		c.down, g.down = false, false
	}
	if c.f.FirstTraffic.IsZero() {
		c.f.FirstTraffic = t
	}
	if g.since.IsZero() {
		g.since = t
	}
	if share >= p.o.StopAt && g.reached.IsZero() {
		g.reached, g.width = t, p.events[it.i].Width()
	}
	if c.f.Served.IsZero() || len(c.f.Rollbacks) == 0 {
		c.f.Served, c.f.ServedWidth = c.served(p.o)
	}
}

// skewed begins a flight for traffic that came before its sign-off, when that
// follows within the tolerance.
func (p *replay) skewed(r *release, it item) *craft {
	if len(r.signOffs) == 0 || time.Duration(r.signOffs[0].t-it.t) > p.o.SkewTolerance {
		return nil
	}
	next := r.signOffs[0]
	r.signOffs = r.signOffs[1:]
	if r.taken == nil {
		r.taken = map[int]bool{}
	}
	r.taken[next.i] = true
	if c := r.current(); c != nil && !c.ended { // revoked, and about to be signed again
		c.f.Flags |= FlagResigned
		c.revoked = time.Time{}
		p.use(c, next)
		return c
	}
	return p.newFlight(r, next)
}

func (c *craft) region(name string) *region {
	for i := range c.regions {
		if c.regions[i].name == name {
			return &c.regions[i]
		}
	}
	c.regions = append(c.regions, region{name: name})
	return &c.regions[len(c.regions)-1]
}

// served is when the flight has the share of traffic that stops the clock, in
// the regions that count, or zero. Traffic without a region is everywhere.
func (c *craft) served(o AssembleOptions) (at time.Time, width time.Duration) {
	everywhere := *c.region("")
	names := slices.Clone(o.Regions)
	for _, g := range c.regions {
		if len(o.Regions) == 0 && g.name != "" {
			names = append(names, g.name)
		}
	}
	if len(names) == 0 {
		return everywhere.reached, everywhere.width
	}
	for _, name := range names {
		g := *c.region(name)
		if g.reached.IsZero() || !everywhere.reached.IsZero() && everywhere.reached.Before(g.reached) {
			g = everywhere
		}
		last := o.RegionPolicy == LastRegion
		switch {
		case g.reached.IsZero() && last:
			return time.Time{}, 0
		case g.reached.IsZero():
		case at.IsZero(), last && g.reached.After(at), !last && g.reached.Before(at):
			at, width = g.reached, g.width
		}
	}
	return at, width
}
