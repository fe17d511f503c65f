package release

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

// schema asks whether each feature arrives as the model takes it: as the manifest
// of the version that is served now says, and as a log shows.
func (g gates) schema() []analysis.Finding {
	out := slices.Clone(g.given[GateSchema])
	if g.ev.Baseline == nil && g.ev.Log == nil {
		return append(out, finding("no_reference", "features", analysis.NoData,
			"There is nothing to hold the features against; give the manifest of the version that is served, or a log of requests."))
	}
	if g.ev.Log != nil && len(g.ev.Log) == 0 {
		return append(out, finding("no_reference", "features", analysis.NoData, "The log has no columns to hold the features against; give one with rows."))
	}
	for _, f := range g.m.Features.List {
		out = append(out, g.served(f)...)
	}
	if b := g.ev.Baseline; b != nil && b.Features.Version != "" && b.Features.Version == g.m.Features.Version {
		if diff := difference(b.Features.List, g.m.Features.List); len(diff) > 0 {
			out = append(out, finding("version_reused", "features", analysis.Harm,
				"The feature schema has version %s in both manifests, but they differ in %s; give the new one a version of its own.", shorten(b.Features.Version), list(diff)))
		}
	}
	if len(out) == len(g.given[GateSchema]) {
		f := finding("schema", "features", analysis.Pass, "All %d features are served, and declared as version %s takes them.", len(g.m.Features.List), g.m.Version)
		if len(g.m.Features.List) == 0 {
			f = finding("no_reference", "features", analysis.NoData, "The manifest lists no features, so that nothing can be said of them.")
		}
		out = append(out, f)
	}
	return out
}

// served says what speaks against a feature arriving as it is taken.
func (g gates) served(f Feature) []analysis.Finding {
	var out []analysis.Finding
	say := func(code string, outcome analysis.Outcome, format string, args ...any) {
		out = append(out, about(finding(code, "features", outcome, format, args...), f.Name))
	}
	var before *Feature
	if g.ev.Baseline != nil {
		before = find(g.ev.Baseline.Features.List, f.Name)
	}
	logged := slices.IndexFunc(g.ev.Log, func(c Column) bool { return c.Name == f.Name })
	switch {
	case g.ev.Log != nil && (logged < 0 || g.ev.Log[logged].Type == analysis.Absent):
		say("feature_unserved", analysis.Harm, "The log has no column %s, which version %s takes; serve the feature before the model.", shorten(f.Name), g.m.Version)
		return out
	case g.ev.Log != nil && !takes(f.Type, g.ev.Log[logged].Type):
		say("type_changed", analysis.Harm, "Feature %s is %v in the log, and version %s takes %v; convert it where it is made.", shorten(f.Name), g.ev.Log[logged].Type, g.m.Version, f.Type)
	case g.ev.Log == nil && before == nil:
		say("feature_unproven", analysis.NoData, "Feature %s is new, and nothing shows that it is served; give a log that has it.", shorten(f.Name))
	}
	if before != nil && len(out) == 0 {
		for _, c := range refused(*before, f) {
			say(c.code, analysis.Harm, "Feature %s %s; version %s has to take what arrives.", shorten(f.Name), c.text, g.m.Version)
		}
	}
	return out
}

// takes reports whether a model that takes one type can be given another. Whole
// numbers are numbers.
func takes(want, have analysis.Type) bool {
	return want == have || want == analysis.Float && have == analysis.Int
}

// refusal is a way in which a feature is taken that does not fit how it is served.
type refusal struct{ code, text string }

// refused lists what a model that takes a feature as want would refuse of one that
// is served as have.
func refused(have, want Feature) []refusal {
	var out []refusal
	add := func(code, format string, args ...any) { out = append(out, refusal{code, fmt.Sprintf(format, args...)}) }
	if !takes(want.Type, have.Type) {
		add("type_changed", "is served as %v and taken as %v", have.Type, want.Type)
		return out
	}
	if have.Nullable && !want.Nullable {
		add("null_refused", "is served with missing values, which are no longer taken")
	}
	if want.Min != nil && (have.Min == nil || *have.Min < *want.Min) || want.Max != nil && (have.Max == nil || *have.Max > *want.Max) {
		add("range_narrowed", "is served in %s and taken in %s", span(have), span(want))
	}
	if want.MaxAge > 0 && (have.MaxAge == 0 || have.MaxAge > want.MaxAge) {
		served := "at any age"
		if have.MaxAge > 0 {
			served = "up to " + have.MaxAge.String() + " old"
		}
		add("staler_refused", "is served %s and taken up to %s old", served, want.MaxAge)
	}
	return out
}

// span is the range of a feature in words.
func span(f Feature) string {
	switch {
	case f.Min == nil && f.Max == nil:
		return "any range"
	case f.Min == nil:
		return "a range up to " + number(*f.Max)
	case f.Max == nil:
		return "a range from " + number(*f.Min)
	}
	return "the range " + number(*f.Min) + " to " + number(*f.Max)
}

func find(fs []Feature, name string) *Feature {
	if i := slices.IndexFunc(fs, func(f Feature) bool { return f.Name == name }); i >= 0 {
		return &fs[i]
	}
	return nil
}

// difference names the features that two lists do not agree on, in the order of
// the first and then of the second.
func difference(a, b []Feature) []string {
	var out []string
	for _, f := range a {
		if o := find(b, f.Name); o == nil || !same(f, *o) {
			out = append(out, shorten(f.Name))
		}
	}
	for _, f := range b {
		if find(a, f.Name) == nil {
			out = append(out, shorten(f.Name))
		}
	}
	return out
}

func same(a, b Feature) bool {
	bound := func(x, y *float64) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }
	return a.Type == b.Type && a.Nullable == b.Nullable && a.MaxAge == b.MaxAge && bound(a.Min, b.Min) && bound(a.Max, b.Max)
}

// list joins names as a sentence does, the first five of them.
func list(names []string) string {
	if more := len(names) - 5; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), more)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
