package leadtime

import "time"

// finish closes the flights of a version and decides what is left of its events.
func (p *replay) finish(r *release) {
	for _, it := range r.early {
		p.fate[it.i] = NoSignOff
	}
	for _, it := range r.arrivals {
		p.fate[it.i] = NoSignOff
	}
	for _, c := range r.flights {
		p.stop(c)
	}
	p.stages(r)
	p.training(r)
	for _, c := range r.flights {
		p.track(c)
	}
}

// stop sets the state and the end of the clock.
func (p *replay) stop(c *craft) {
	f := &c.f
	switch {
	case !f.Served.IsZero():
		f.State, f.Ended = Served, f.Served
	case c.ended:
	case !c.revoked.IsZero():
		f.State, f.Ended = StateWithdrawn, c.revoked
	default:
		f.State, f.Ended = InFlight, p.o.AsOf
	}
	if f.State == Served && f.Served.Before(f.SignOff) {
		f.Flags |= FlagClampedSkew
	}
	if f.SignOffWidth > 0 || f.ServedWidth > 0 {
		f.Flags |= FlagIntervalStamp
	}
}

// training gives the stamps of the version to each of its flights.
func (p *replay) training(r *release) {
	for _, it := range r.runs {
		if len(r.flights) == 0 {
			p.fate[it.i] = NoSignOff
			continue
		}
		t := p.time(it)
		for _, c := range r.flights {
			c.stages = append(c.stages, it)
			switch f := &c.f; p.events[it.i].Kind {
			case RunStarted:
				f.RunStarted = first(f.RunStarted, t)
			case Registered:
				f.Registered = first(f.Registered, t)
			default: // in time order, so the last one stays
				if f.RunEnded.IsZero() || !t.After(f.Ended) {
					f.RunEnded = t
				}
			}
		}
	}
}

func first(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return earlier(a, b)
}

// track is the first track other than the standard one that an event of the
// version states before the end of the clock.
func (p *replay) track(c *craft) {
	var at int64
	for _, list := range [][]item{c.events, c.stages} {
		for _, it := range list {
			e := &p.events[it.i]
			t := trackOf(e)
			if t == Standard || e.Version != c.f.Key.Version || p.time(it).After(c.f.Ended) && it.i != c.begin {
				continue
			}
			if c.f.Track == Standard || it.t < at || it.t == at && t < c.f.Track {
				c.f.Track, at = t, it.t
			}
		}
	}
}

// settle marks the events of the flights: those that only excluded flights rest
// on are excluded with them.
func (p *replay) settle() {
	for _, wanted := range []bool{true, false} {
		for _, r := range p.releases {
			for _, c := range r.flights {
				if c.negative != wanted {
					continue
				}
				for _, list := range [][]item{c.events, c.stages} {
					for _, it := range list {
						p.settleOne(c, it)
					}
				}
			}
		}
	}
}

func (p *replay) settleOne(c *craft, it item) {
	if !c.negative {
		p.fate[it.i] = used
		delete(p.negative, it.i)
		return
	}
	if p.fate[it.i] == NegativeLeadTime {
		return
	}
	p.fate[it.i] = NegativeLeadTime
	if p.negative == nil {
		p.negative = map[int]FlightKey{}
	}
	p.negative[it.i] = c.f.Key
}
