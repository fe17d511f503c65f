package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxChecks bounds the work that a file can cause.
const maxChecks = 1000

// checks builds the checks of the policy with the builders of the registry.
func (r *policyReader) checks(top *Params) {
	entries := top.maps("checks")
	for i, e := range entries {
		e.prefix = "check: "
		if name := e.Str("check", ""); name != "" {
			entries[i].prefix = "check " + shorten(name) + ": "
		}
	}
	switch n := len(entries) + len(r.entries); {
	case n == 0 && !top.Has("checks"):
		top.Errorf("", "checks are missing; list at least one, such as checks: [{check: schema}]")
	case n == 0:
		top.Errorf("checks", "no check is given; a policy without checks never lets a rollout continue")
	case n > maxChecks:
		top.Errorf("checks", "%d checks; a policy has at most %d", n, maxChecks)
		return
	}
	r.entries = append(r.entries, entries...)
	first := map[string]int{}
	for _, e := range r.entries {
		r.policy.Checks = append(r.policy.Checks, r.check(e))
		if r.reg[e.words["check"]] == nil {
			continue // reported
		}
		id := e.identity()
		if line, twice := first[id]; twice {
			e.Errorf("", "the check of line %d looks at the same; keep one, and give it all the limits", line)
		}
		first[id] = e.node.Line
	}
}

// check builds the check of one entry.
func (r *policyReader) check(p *Params) CheckEntry {
	name := p.Str("check", "")
	build := r.reg[name]
	if build == nil {
		switch {
		case !p.Has("check"):
			p.Errorf("", "the name is missing; add check: and one of %s", strings.Join(r.known(), ", "))
		case name != "":
			at, _ := p.place("check")
			r.fault(at, "check %s is not known%s", shorten(name), suggest(name, r.known()))
		}
		return CheckEntry{} // which of its keys are unknown only a builder could tell
	}
	before := len(r.faults)
	c, err := callBuilder(build, p)
	switch {
	case err != nil:
		p.Errorf("", "%v", err)
	case c == nil && len(r.faults) == before:
		p.Errorf("", "the builder of this program made no check")
	}
	if !p.severitySet {
		p.Severity(SeverityPause)
	}
	byDefault := p.severity >= SeverityPause || name == "schema" || name == "srm"
	e := CheckEntry{
		Check:    c,
		Severity: p.severity,
		Required: p.Bool("required", byDefault),
		Muted:    p.Bool("muted", false),
		Baseline: p.Baseline(),
		Weight:   weightOf(p),
		Line:     p.node.Line,
	}
	e.AutoResume = p.Enum("resume", Manual.String(), Auto.String(), Manual.String()) == Auto.String()
	e.Deadlines = readDeadlines(p)
	if err == nil { // else the builder may not have come to all keys
		p.unused()
	}
	return e
}

// callBuilder calls a builder, which may be anybody's, and asks the check for
// its columns once, so that a panic becomes a fault of the entry.
func callBuilder(build Builder, p *Params) (c Check, err error) {
	defer func() {
		if v := recover(); v != nil {
			c, err = nil, fmt.Errorf("its builder panicked: %v", v)
		}
	}()
	c, err = build(p)
	if c != nil && err == nil {
		c.Columns()
	}
	return c, err
}

// misfit reports why the columns of the checks make no spec.
func (r *policyReader) misfit(top *Params, err error) {
	why := func(err error) string {
		return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "analysis: NewSpec: "), "analysis: WithDerived: ")
	}
	p := *r.policy
	p.Slices, p.Columns.Features = nil, nil
	for i := range r.policy.Checks {
		p.Checks = r.policy.Checks[i : i+1]
		if _, err := p.Spec(); err != nil {
			r.entries[i].Errorf("", "%s", why(err))
		}
	}
	if len(r.faults) == 0 {
		top.Errorf("checks", "their columns do not fit together: %s", why(err))
	}
}

func (r *policyReader) known() []string { return slices.Sorted(maps.Keys(r.reg)) }

// identity is what a check looks at: all texts of its entry, and the numbers
// that name a metric. Two entries that look at the same spend the error budget
// twice.
func (p *Params) identity() string {
	var sb strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p.words)) {
		if key != "severity" && key != "resume" {
			fmt.Fprintf(&sb, "%s=%s\x00", key, p.words[key])
		}
	}
	for _, key := range []string{"q", "threshold"} {
		if i, ok := p.index[key]; ok {
			fmt.Fprintf(&sb, "%s=%v\x00", key, p.fields[i].canon)
		}
	}
	has := func(key string) bool { _, ok := p.index[key]; return ok }
	if (has("cap") || has("max_irreversible")) && !has("margin") && !has("irreversible") {
		sb.WriteString("blast radius") // of actions, beside an entry that compares their shares
	}
	return sb.String()
}
