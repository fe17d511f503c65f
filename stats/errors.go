package stats

import "errors"

// Sentinel errors. Every error returned by this module's numeric packages wraps
// one of them, so that callers can tell the cause with errors.Is.
var (
	// ErrEmpty says that there is no data to compute from: n is 0, or every
	// value was excluded.
	ErrEmpty = errors.New("no data")

	// ErrMismatch says that two arguments do not belong together: different
	// lengths, layouts, cells or configurations.
	ErrMismatch = errors.New("arguments do not match")

	// ErrDomain says that an argument lies outside the set for which the
	// function is defined: a level outside (0,1), more successes than trials,
	// a NaN, a margin of the wrong sign.
	ErrDomain = errors.New("argument outside its domain")

	// ErrNoConvergence says that an iteration did not reach its tolerance.
	// It is returned instead of a number of unknown accuracy.
	ErrNoConvergence = errors.New("no convergence")
)
