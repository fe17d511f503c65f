package promquery

import (
	"errors"
	"strings"
)

// Outcomes that are no failure of the server; test with [errors.Is].
var (
	// ErrNoData says that the server answered and had nothing: no series, or a
	// gauge that is NaN. It is neither zero nor a failure.
	ErrNoData = errors.New("no data")
	// ErrInvalid says that the server brought numbers that cannot be: NaN, an
	// infinity or less than 0 as a count, more events than units.
	ErrInvalid = errors.New("numbers that cannot be")
)

// ErrProvider is matched by every error that says that a source failed, so that
// nothing is known of the metric. Each is one of those that follow.
var ErrProvider = errors.New("the source failed")

// The failures of a source; all match [ErrProvider].
var (
	ErrUnavailable  error = &failure{"server not available"}        // no connection, or a 5xx answer after all tries
	ErrTimeout      error = &failure{"no answer in time"}           // of one try, of the whole collection, or of the caller's context
	ErrRateLimited  error = &failure{"rate limited"}                // 429 after all tries, or told to wait too long
	ErrUnauthorized error = &failure{"not authorised"}              // 401, 403, or credentials that cannot be read
	ErrRefused      error = &failure{"query refused"}               // other 4xx answers, and redirects, which are not followed
	ErrAnswer       error = &failure{"not an answer of Prometheus"} // HTML, cut short, other JSON
	ErrTooLarge     error = &failure{"answer too large"}            // beyond Config.MaxBytes
	ErrResult       error = &failure{"not the result that the metric needs"}
	ErrSeveral      error = &failure{"several series where one was expected"}
	ErrPartial      error = &failure{"a partial result"}          // marked so, or with warnings
	ErrStale        error = &failure{"no fresh samples"}          // there were series, and they ended
	ErrFalling      error = &failure{"buckets that fall"}         // a histogram whose cumulative counts are not
	ErrCoarse       error = &failure{"buckets that are too wide"} // of a native histogram, for the edges
)

type failure struct{ text string }

func (f *failure) Error() string { return f.text }

// Is makes every failure an ErrProvider.
func (f *failure) Is(target error) bool { return target == ErrProvider }

const maxMessage = 300 // bytes of a server's text in an error

func shorten(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}
