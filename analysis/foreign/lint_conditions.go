package foreign

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// conditions looks for conditions that are not there, cannot be read, or leave
// values out.
func (l *linter) conditions(m argoMetric) {
	if !m.success.given() && !m.failure.given() {
		l.say(m, "", LevelError, "no-condition", "Without successCondition and failureCondition every measurement is Successful, whatever its value.", "Add a successCondition.")
		return
	}
	for _, c := range []argoCondition{m.success, m.failure} {
		if !c.given() {
			continue
		}
		if c.expr == nil {
			l.say(m, c.key, LevelInfo, "unreadable", fmt.Sprintf("%q could not be read, so it was not checked.", shorten(c.text)), "Try it on a NaN and on an empty list yourself.")
			continue
		}
		if name := c.unknownName(); name != "" {
			l.say(m, c.key, LevelError, "unknown-name", fmt.Sprintf("There is no %q in conditions, so every measurement is an Error and the rollout is aborted.", shorten(name)), "Conditions know result, asInt, asFloat, isNaN, isInf, isNil and default.")
		}
		if m.provider == "prometheus" && c.comparesList() && queryGivesList(m) {
			l.say(m, c.key, LevelError, "list-compared", "The query gives a list, which cannot be compared with a number: every measurement is an Error and the rollout is aborted.", "Write result[0], or put scalar() around the query.")
		}
	}
	if m.success.given() && m.failure.given() {
		l.gap(m)
	}
}

// unknownName is a name that the condition cannot use, or "".
func (c argoCondition) unknownName() (name string) {
	c.expr.walk(func(e *expr) {
		if e.kind == pathExpr && !slices.Contains([]string{"result", "#", "$env"}, e.root()) {
			name = e.root()
		}
	})
	if strings.Contains(c.text, "let ") || strings.Contains(c.text, "|") && !strings.Contains(c.text, "||") || strings.ContainsAny(c.text, "{#") {
		return "" // other names may stand in there
	}
	return name
}

// comparesList tells that the bare result is compared with a number.
func (c argoCondition) comparesList() (found bool) {
	c.expr.walk(func(e *expr) {
		if e.kind == compareExpr {
			a, b := e.args[0], e.args[1]
			for _, p := range [][2]*expr{{a, b}, {b, a}} {
				found = found || p[0].kind == pathExpr && p[0].text == "result" && p[1].kind == numberExpr
			}
		}
	})
	return found
}

// queryGivesList tells that a PromQL query surely gives a list of series.
func queryGivesList(m argoMetric) bool {
	q := strings.TrimSpace(m.query)
	for _, aggregation := range []string{"sum", "avg", "min", "max", "count", "rate", "increase", "histogram_quantile", "irate", "topk", "quantile", "absent"} {
		if rest, ok := strings.CutPrefix(q, aggregation); ok && strings.HasPrefix(strings.TrimSpace(rest), "(") {
			return true
		}
	}
	return m.source.has("rangeQuery")
}

// gap looks for values that are neither a success nor a failure, or both.
func (l *linter) gap(m argoMetric) {
	if m.success.expr == nil || m.failure.expr == nil {
		return
	}
	ok, read := readLimits(m.success.expr, true)
	bad, read2 := readLimits(m.failure.expr, false)
	if !read || !read2 || len(ok.limits) != 1 || len(bad.limits) != 1 {
		return
	}
	s, f := ok.limits[0], bad.limits[0]
	if s.value != f.value || s.low != f.low || !(math.Abs(s.bound-f.bound) > 1e-9*math.Max(math.Abs(s.bound), math.Abs(f.bound))) {
		return
	}
	limit := m.limit("inconclusiveLimit", 0)
	lo, hi := formatFloat(min(s.bound, f.bound)), formatFloat(max(s.bound, f.bound))
	if s.low == (s.bound < f.bound) {
		l.say(m, "failureCondition", LevelInfo, "gap", fmt.Sprintf("Values between %s and %s are neither a success nor a failure; %s pauses the rollout until a person goes on or aborts.", lo, hi, nth(limit+1)),
			"If that is meant, set inconclusiveLimit to what a person should be called for; else leave one condition out.")
		return
	}
	l.say(m, "failureCondition", LevelWarning, "gap", fmt.Sprintf("Values between %s and %s are a success and a failure at once; the failure wins.", lo, hi), "Leave successCondition out, or make the conditions exclude each other.")
}

func nth(n int) string {
	if n <= 1 {
		return "the first such measurement"
	}
	return fmt.Sprintf("measurement %d of that kind", n)
}

// phase is what Argo makes of a measurement with the result.
func (m argoMetric) phase(r result) string {
	try := func(c argoCondition) truth {
		if c.expr == nil {
			return unknown
		}
		return c.expr.try(r)
	}
	s, f := isTrue, isFalse
	if m.success.given() {
		if s = try(m.success); s == isError {
			return "Error"
		}
	}
	if m.failure.given() {
		if f = try(m.failure); f == isError && s != unknown {
			return "Error"
		}
	}
	switch {
	case !m.success.given() && !m.failure.given() || s == unknown || f == unknown || f == isError:
		return ""
	case !m.success.given():
		s = f.not()
	case !m.failure.given():
		f = s.not()
	}
	switch {
	case f == isTrue:
		return "Failed"
	case s == isTrue:
		return "Successful"
	}
	return "Inconclusive"
}

// empties tries the conditions on a NaN and on an empty list.
func (l *linter) empties(m argoMetric) {
	key := "successCondition"
	if !m.success.given() {
		key = "failureCondition"
	}
	if slices.Contains([]string{"prometheus", "influxdb", "wavefront", "graphite", "plugin"}, m.provider) {
		switch m.phase(noNumber) {
		case "Successful":
			l.say(m, key, LevelError, "nan-passes", "A NaN, such as 0/0 without traffic, is Successful.", "Write a successCondition, or add isNaN(...) to the failureCondition; a NaN is not below or above anything.")
		case "Inconclusive":
			l.say(m, key, LevelWarning, "nan-inconclusive", "A NaN, such as 0/0 without traffic, is neither a success nor a failure, and "+nth(m.limit("inconclusiveLimit", 0)+1)+" pauses the rollout until a person comes.", "Say with isNaN(...) in one of the conditions what a NaN is, or raise inconclusiveLimit.")
		}
	}
	if !slices.Contains([]string{"prometheus", "influxdb", "graphite", "plugin"}, m.provider) || m.listCompared() {
		return
	}
	switch m.phase(noSeries) {
	case "Successful":
		l.say(m, key, LevelWarning, "empty-passes", "A query without a series is Successful: a candidate that nobody scrapes, or that has no traffic, goes on.", "Ask for len(result) > 0 where there has to be data.")
	case "Error":
		n := m.limit("consecutiveErrorLimit", 4) + 1
		l.say(m, key, LevelWarning, "empty-aborts", fmt.Sprintf("A query without a series makes result[0] an Error; %d in a row, 10 s apart, abort the rollout as if it had failed.", n), "Add len(result) > 0 && to a successCondition, or make the query give a value: or on() vector(0), if nothing means 0.")
	}
}

// listCompared tells that every measurement is an Error anyway.
func (m argoMetric) listCompared() bool {
	for _, c := range []argoCondition{m.success, m.failure} {
		if c.expr != nil && c.comparesList() {
			return true
		}
	}
	return false
}
