package release

import (
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

// approval asks for somebody else than the owner when the risk is high.
func (g gates) approval() []analysis.Finding {
	m := g.m
	if m.Risk == RiskLow {
		return []analysis.Finding{finding("approval", "approvals", analysis.Pass, "The risk is low, so that nobody has to approve.")}
	}
	var against []string
	for _, a := range m.Approvals {
		why := ""
		switch {
		case samePerson(a.Who, m.Owner):
			why = "is the owner"
		case a.At.After(g.ev.At):
			why = "approves only at " + moment(a.At)
		case !a.Expires.IsZero() && !a.Expires.After(g.ev.At):
			why = "approved until " + moment(a.Expires)
		default:
			return []analysis.Finding{finding("approval", "approvals", analysis.Pass, "%s approved at %s: %s.", shorten(a.Who), moment(a.At), strings.TrimRight(a.Why, "."))}
		}
		against = append(against, shorten(a.Who)+" "+why)
	}
	text := "Nobody has"
	if len(against) > 0 {
		text = strings.Join(against, "; ") + ". Nobody else has"
	}
	return []analysis.Finding{finding("no_approval", "approvals", analysis.Harm,
		"%s approved version %s, whose risk is %s. Somebody else than the owner (%s) has to, under approvals, with who, why and at.", text, m.Version, m.Risk, orNobody(m.Owner))}
}

func samePerson(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

func orNobody(s string) string {
	if s == "" {
		return "not stated"
	}
	return shorten(s)
}

// rollback asks for a version to go back to that would work.
func (g gates) rollback() []analysis.Finding {
	m, t := g.m, g.m.Rollback
	if t.Version == "" {
		return []analysis.Finding{finding("no_target", "target", analysis.NoData, "The manifest names no version to roll back to; add rollback.version.")}
	}
	var out []analysis.Finding
	say := func(column, code string, outcome analysis.Outcome, format string, args ...any) {
		out = append(out, about(finding(code, "target", outcome, format, args...), column))
	}
	if t.Version == m.Version {
		say("", "same_version", analysis.Harm, "The version to roll back to, %s, is the one that is released; name the one before.", shorten(t.Version))
	}
	switch {
	case t.KnownGoodSince.IsZero():
		say("", "not_known_good", analysis.NoData, "Nothing says that version %s is known to be good; add rollback.known_good_since.", shorten(t.Version))
	case t.KnownGoodSince.After(g.ev.At):
		say("", "not_known_good", analysis.Harm, "Version %s is known to be good only from %s on; choose one that has proven itself.", shorten(t.Version), moment(t.KnownGoodSince))
	}
	needs := t.Features.List
	if b := g.ev.Baseline; len(needs) == 0 && b != nil && b.Version == t.Version {
		needs = b.Features.List
	}
	if len(needs) == 0 {
		say("", "no_features", analysis.NoData, "Nothing says which features version %s takes, so that nobody can tell whether they will still be served; add rollback.features.", shorten(t.Version))
	}
	for _, f := range needs {
		now := find(m.Features.List, f.Name)
		if now == nil {
			say(f.Name, "feature_dropped", analysis.Harm, "Version %s takes the feature %s, which version %s drops: a rollback would not work. Keep serving it until the old version is gone, and list it.", shorten(t.Version), shorten(f.Name), m.Version)
			continue
		}
		var why []string
		for _, c := range refused(*now, f) {
			why = append(why, c.text)
		}
		if why != nil {
			say(f.Name, "feature_changed", analysis.Harm, "Version %s takes the feature %s otherwise than version %s: it %s. A rollback would not work.", shorten(t.Version), shorten(f.Name), m.Version, strings.Join(why, "; it "))
		}
	}
	if out == nil {
		out = append(out, finding("rollback", "target", analysis.Pass, "Version %s is known to be good since %s, and all %d features that it takes are still served.", shorten(t.Version), moment(t.KnownGoodSince), len(needs)))
	}
	return out
}
