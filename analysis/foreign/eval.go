package foreign

import "math"

// truth is what is known of a condition for a certain result.
type truth int8

const (
	unknown truth = iota
	isFalse
	isTrue
	isError // the expression fails
)

// result is a result of a provider for which conditions are tried.
type result int8

const (
	noNumber result = iota // every value is NaN
	noSeries               // a list without an item
)

// try evaluates the condition for the result, as far as that can be told.
func (e *expr) try(r result) truth {
	switch e.kind {
	case boolExpr:
		return truthOf(e.num == 1)
	case notExpr:
		return e.args[0].try(r).not()
	case andExpr, orExpr:
		stop := isFalse
		if e.kind == orExpr {
			stop = isTrue
		}
		out := stop.not()
		for _, a := range e.args { // from left to right, as far as needed
			switch t := a.try(r); {
			case out == unknown || t == unknown: // it may have been an error before
				out = unknown
			case t == stop || t == isError:
				return t
			}
		}
		return out
	case compareExpr:
		return e.tryCompare(r)
	case callExpr:
		return e.tryCall(r)
	}
	return unknown
}

func (t truth) not() truth {
	switch t {
	case isTrue:
		return isFalse
	case isFalse:
		return isTrue
	}
	return t
}

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// number evaluates a value; known is isTrue when v is it.
func (e *expr) number(r result) (v float64, known truth) {
	switch {
	case e.kind == numberExpr:
		return e.num, isTrue
	case e.kind == pathExpr && e.text == "result[0]" || e.kind == pathExpr && e.text == "result":
		switch {
		case r == noNumber:
			return math.NaN(), isTrue
		default: // an index that is not there, or a list where a number is needed
			return 0, isError
		}
	case e.kind == pathExpr && e.text == "#" && r == noNumber:
		return math.NaN(), isTrue
	case e.kind == callExpr && e.text == "len" && len(e.args) == 1 && e.args[0].kind == pathExpr && e.args[0].text == "result":
		if r == noSeries {
			return 0, isTrue
		}
		return 1, isTrue
	case e.kind == callExpr && (e.text == "asFloat" || e.text == "float") && len(e.args) == 1:
		return e.args[0].number(r)
	}
	return 0, unknown
}

func (e *expr) tryCompare(r result) truth {
	a, ka := e.args[0].number(r)
	b, kb := e.args[1].number(r)
	switch {
	case ka == isError || kb == isError:
		return isError
	case ka != isTrue || kb != isTrue:
		return unknown
	}
	switch e.op {
	case "<":
		return truthOf(a < b)
	case "<=":
		return truthOf(a <= b)
	case ">":
		return truthOf(a > b)
	case ">=":
		return truthOf(a >= b)
	case "==":
		return truthOf(a == b)
	}
	return truthOf(a != b)
}

func (e *expr) tryCall(r result) truth {
	switch e.text {
	case "isNaN", "isInf":
		if len(e.args) != 1 {
			return unknown
		}
		v, known := e.args[0].number(r)
		switch {
		case known != isTrue:
			return known
		case e.text == "isNaN":
			return truthOf(math.IsNaN(v))
		}
		return truthOf(math.IsInf(v, 0))
	case "all", "any", "none":
		if len(e.args) != 2 || e.args[0].kind != pathExpr || e.args[0].text != "result" {
			return unknown
		}
		if r == noSeries {
			return truthOf(e.text != "any")
		}
		t := e.args[1].try(r)
		if e.text == "none" {
			return t.not()
		}
		return t
	}
	return unknown
}
