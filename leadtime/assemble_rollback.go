package leadtime

import (
	"slices"
	"time"
)

func (p *replay) rollBack(r *release, it item) {
	c := r.current()
	if c == nil {
		p.fate[it.i] = NoSignOff
		return
	}
	where := p.events[it.i].Region
	switch {
	case c.ended:
		p.fate[it.i] = AfterEnd
		return
	case c.down, where != "" && c.region(where).down:
		p.fate[it.i] = Duplicate // on its way out already
		return
	}
	p.use(c, it)
	c.open = append(c.open, len(c.f.Rollbacks))
	if !slices.Contains(p.out, c) {
		p.out = append(p.out, c)
	}
	c.f.Rollbacks = append(c.f.Rollbacks, Rollback{Region: where, Since: c.since(where), Decided: p.time(it)})
	c.takeOut(where)
}

// restore ends the rollbacks of the version it names or, when that has none
// open, those it takes the place of. Without any, the version that was serving
// has been rolled back and nobody recorded the decision.
func (p *replay) restore(r *release, it item) {
	t, where := p.time(it), p.events[it.i].Region
	if c := r.current(); c != nil && c.close(where, t, "") {
		p.use(c, it)
		return
	}
	live := p.takeOver(r, it, false)
	if c := p.serving; !live && c != nil && p.servedBy != r && !c.down {
		live = true
		p.use(c, it)
		c.f.Flags |= FlagImpliedRollback
		c.f.Rollbacks = append(c.f.Rollbacks, Rollback{Region: where, Since: c.since(where), Restored: t, To: r.name})
		c.takeOut(where)
	}
	if !live {
		p.fate[it.i] = NothingToRestore
		return
	}
	r.live = true
	if c := r.standing(); c != nil {
		p.serving, p.servedBy = c, r
	}
}

// takeOver ends the open rollbacks of the other versions, for r has all the
// traffic now. A version that never served before goes forward, not back: then
// nothing has been restored, and the rollbacks stay without a stamp.
func (p *replay) takeOver(r *release, it item, forward bool) (restored bool) {
	t, where := p.time(it), p.events[it.i].Region
	p.out = slices.DeleteFunc(p.out, func(c *craft) bool {
		own := c.f.Key.Version == r.name
		switch {
		case own && c == r.current(): // see fly
		case own, forward:
			c.open = nil
		case c.close(where, t, r.name):
			restored = true
			p.use(c, it)
		}
		return len(c.open) == 0
	})
	return restored
}

// close ends the open rollbacks in a region; "" is everywhere.
func (c *craft) close(where string, t time.Time, to string) (closed bool) {
	c.open = slices.DeleteFunc(c.open, func(k int) bool {
		b := &c.f.Rollbacks[k]
		if where != "" && b.Region != "" && b.Region != where {
			return false
		}
		b.Restored, b.To, closed = t, to, true
		return true
	})
	return closed
}

// since is the start of the traffic that a rollback ends.
func (c *craft) since(where string) time.Time {
	if where != "" {
		if g := c.region(where); !g.since.IsZero() {
			return g.since
		}
	}
	var first time.Time
	for _, g := range c.regions {
		if !g.since.IsZero() && (first.IsZero() || g.since.Before(first)) {
			first = g.since
		}
	}
	return first
}

func (c *craft) takeOut(where string) {
	if where != "" {
		g := c.region(where)
		g.down, g.since = true, time.Time{}
		return
	}
	c.down = true
	for i := range c.regions {
		c.regions[i].down, c.regions[i].since = false, time.Time{}
	}
}
