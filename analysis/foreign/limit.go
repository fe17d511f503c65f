package foreign

import (
	"math"
	"slices"
	"strings"
)

// limit is a bound of one value: from above when low is good.
type limit struct {
	value  string // the path of the value, such as result[0]
	low    bool
	bound  float64
	beside bool // the bound is the number next to the one that is written
}

// reading is what a condition asks of values that are all there.
type reading struct {
	limits   []limit
	absent   bool // the condition also holds without a value
	worst    bool // it holds of every series
	fallback bool // a default stands for a missing value
}

// readLimits turns a condition into limits that hold together exactly when the
// condition does, or does not. Guards against missing values are taken out, since
// a policy never passes without a value.
func readLimits(e *expr, holds bool) (r reading, ok bool) {
	ok = r.collect(e, holds, 0)
	return r, ok && len(r.limits) > 0
}

// collect adds the limits of e, or of its opposite.
func (r *reading) collect(e *expr, holds bool, depth int) bool {
	switch e.kind {
	case notExpr:
		return r.collect(e.args[0], !holds, depth)
	case andExpr, orExpr:
		if (e.kind == andExpr) == holds { // all have to hold
			for _, a := range e.args {
				if !guards(a) && !r.collect(a, holds, depth) {
					return false
				}
			}
			return true
		}
		var rest []*expr // one has to hold
		for _, a := range e.args {
			if !guards(a) {
				rest = append(rest, a)
			}
		}
		if len(rest) != 1 {
			return false
		}
		r.absent = true
		return r.collect(rest[0], holds, depth)
	case compareExpr:
		return r.compare(e, holds)
	case callExpr:
		every := e.text == "all" && holds || e.text == "any" && !holds || e.text == "none" && holds
		if !every || len(e.args) != 2 || e.args[0].kind != pathExpr || depth > 0 {
			return false
		}
		r.worst = true
		n := len(r.limits)
		if !r.collect(e.args[1], e.text == "all", depth+1) {
			return false
		}
		for i := range r.limits[n:] {
			r.limits[n+i].value = "the worst of " + strings.Replace(r.limits[n+i].value, "#", e.args[0].text, 1)
		}
		return true
	default:
		return false
	}
}

func (r *reading) compare(e *expr, holds bool) bool {
	op, left, right := e.op, e.args[0], e.args[1]
	if left.kind == numberExpr {
		left, right = right, left
		op = map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}[op]
	}
	value, ok := r.value(left)
	if !ok || right.kind != numberExpr || math.IsInf(right.num, 0) {
		return false
	}
	if !holds {
		op = map[string]string{"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}[op]
	}
	v := right.num
	add := func(low bool, bound float64) {
		r.limits = append(r.limits, limit{value, low, bound, bound != v})
	}
	switch op {
	case "<=":
		add(true, v)
	case ">=":
		add(false, v)
	case "<": // a gauge at its limit keeps it
		add(true, beyond(v, true))
	case ">":
		add(false, beyond(v, false))
	case "==":
		add(true, v)
		add(false, v)
	default:
		return false
	}
	return true
}

// value is the text of what is compared.
func (r *reading) value(e *expr) (string, bool) {
	switch {
	case e.kind == pathExpr && (e.root() == "result" || e.root() == "#"):
		return e.text, true
	case e.kind == callExpr && e.text == "asFloat" && len(e.args) == 1:
		return r.value(e.args[0])
	case e.kind == callExpr && e.text == "default" && len(e.args) == 2:
		r.fallback = true
		return r.value(e.args[0])
	case e.kind == callExpr && slices.Contains([]string{"max", "min", "mean", "median", "sum", "abs", "float", "int", "asInt", "round", "ceil", "floor"}, e.text) && len(e.args) == 1:
		inner, ok := r.value(e.args[0])
		return e.text + "(" + inner + ")", ok
	}
	return "", false
}

// guards reports whether e asks only whether there is a usable value.
func guards(e *expr) bool {
	switch e.kind {
	case notExpr:
		return guards(e.args[0])
	case andExpr, orExpr:
		return !slices.ContainsFunc(e.args, func(a *expr) bool { return !guards(a) })
	case callExpr:
		return e.text == "isNaN" || e.text == "isInf" || e.text == "isNil"
	case compareExpr:
		for _, a := range e.args {
			if a.kind == callExpr && a.text == "len" || a.kind == opaqueExpr && a.text == "nil" {
				return true
			}
		}
	}
	return false
}

// besides says in a comment what the bound of a strict comparison is.
const besides = "A value equal to the limit breaks it there, so the bound here is the number next to it."

// beyond is the bound that v itself breaks, for a check that is kept at its bound:
// the number next to v on the good side.
func beyond(v float64, low bool) float64 {
	if low {
		return math.Nextafter(v, math.Inf(-1))
	}
	return math.Nextafter(v, math.Inf(1))
}
