package analysis

import (
	"slices"
	"strings"
)

// DerivedUser is a [Check] that needs derived columns.
type DerivedUser interface {
	Check
	// Derived lists them; equal ones of several checks are united.
	Derived() []DerivedSpec
}

// readDerived reads the derived columns: {name: abs_error, distance: [label, score]}.
func readDerived(columns *Params) []DerivedSpec {
	ops := make([]string, 0, len(derivedWords))
	for o := Minus; int(o) <= len(derivedWords); o++ {
		ops = append(ops, o.String())
	}
	var out []DerivedSpec
	for _, p := range columns.maps("derived") {
		d := DerivedSpec{Name: p.Str("name", ""), Classes: p.Strings("classes")}
		if p.Has("q") {
			d.Q = p.Float("q", 0)
		}
		for o := Minus; int(o) <= len(derivedWords); o++ {
			if !p.Has(o.String()) {
				continue
			}
			if d.Op != 0 {
				p.Errorf(o.String(), "the column is derived in two ways; keep one of %v and %v", d.Op, o)
			}
			d.Op, d.Of = o, p.Strings(o.String())
		}
		before := len(p.r.faults)
		switch {
		case d.Name == "":
			p.Errorf("", "the name is missing; write {name: abs_error, distance: [label, score]}")
		case d.Op == 0:
			p.Errorf("", "it is not said how %s is made; add one of %s with its columns", shorten(d.Name), strings.Join(ops, ", "))
		case slices.ContainsFunc(out, func(o DerivedSpec) bool { return o.Name == d.Name }):
			p.Errorf("name", "column %s is derived twice; keep one", shorten(d.Name))
		}
		if err := d.check(); err != nil && len(p.r.faults) == before {
			p.Errorf("", "%s", plainFault(err))
		}
		p.unused()
		if len(p.r.faults) == before {
			out = append(out, d)
		}
	}
	return out
}

// plainFault is the text of an error of WithDerived without what a reader of a
// policy does not need.
func plainFault(err error) string {
	text := strings.TrimPrefix(err.Error(), "analysis: WithDerived: ")
	if i := strings.LastIndex(text, ": "); i > 0 {
		text = text[:i]
	}
	return text
}

// canonical is the form in which a policy writes the column.
func (d *DerivedSpec) canonical() map[string]any {
	m := map[string]any{"name": d.Name, d.Op.String(): d.Of}
	if len(d.Classes) > 0 {
		m["classes"] = d.Classes
	}
	if d.Q != 0 {
		m["q"] = d.Q
	}
	return m
}

// derived are the derived columns of the policy and of its checks.
func (p *Policy) derived() []DerivedSpec {
	out := slices.Clone(p.Columns.Derived)
	_, class := p.Columns.PredictedClass()
	out = append(out, class...)
	for _, e := range p.Checks {
		if u, ok := e.Check.(DerivedUser); ok {
			out = append(out, u.Derived()...)
		}
	}
	return out
}

// restsOn reports whether a column is the named one, or is derived from it.
func (p *Policy) restsOn(column, name string) bool {
	all := p.derived()
	seen := map[string]bool{}
	for open := []string{column}; len(open) > 0; {
		next := open[0]
		open = open[1:]
		if next == name {
			return true
		}
		for _, d := range all {
			if d.Name == next && !seen[next] {
				open = append(open, d.Of...)
			}
		}
		seen[next] = true
	}
	return false
}
