package mlflowevents

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Sentinels of the client and the webhook; test with [errors.Is].
var (
	ErrUnavailable  = errors.New("server not available")    // no connection, or a 5xx answer after all retries
	ErrTimeout      = errors.New("no answer in time")       // the deadline of the context or of one attempt
	ErrRateLimited  = errors.New("rate limited")            // 429 after all retries, or told to wait too long
	ErrUnauthorized = errors.New("not authorised")          // 401 and 403; a webhook that is not signed right
	ErrNotFound     = errors.New("not found")               // 404
	ErrRefused      = errors.New("request refused")         // other 3xx and 4xx answers
	ErrAnswer       = errors.New("not an answer of MLflow") // HTML, cut short, other JSON
	ErrTooLarge     = errors.New("body too large")          // beyond MaxBody or MaxItems
	ErrPaging       = errors.New("page tokens do not end")  // a token that repeats
	ErrStale        = errors.New("time stamp not current")  // a webhook outside the tolerance
	ErrPayload      = errors.New("not a webhook of MLflow") // a body or header of another shape
)

// Error says which request failed and how. It wraps a sentinel and, where there
// is one, the error beneath. It holds no credentials.
type Error struct {
	Method, Path string
	Status       int           // of the last answer, 0 without one
	Code         string        // error_code of the answer
	Message      string        // its message, shortened
	RetryAfter   time.Duration // what the server asked to wait, 0 if nothing
	Err          error         // the sentinel and what caused it
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mlflowevents: %s %s: ", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&b, "HTTP %d: ", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, "%s: ", e.Code)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, "%q: ", e.Message)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "asked to wait %v: ", e.RetryAfter)
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap gives the sentinel and its cause.
func (e *Error) Unwrap() error { return e.Err }

// Problem is something in the registry that could not be made an event.
type Problem struct {
	Model   string `json:"model"`
	Version string `json:"version,omitempty"`
	Field   string `json:"field"`           // the tag, alias, stage or run
	Value   string `json:"value,omitempty"` // shortened
	Reason  string `json:"reason"`
}

// String is one line for people.
func (p Problem) String() string {
	where := p.Model
	if p.Version != "" {
		where += " version " + p.Version
	}
	if p.Value == "" {
		return fmt.Sprintf("%s: %s: %s", where, p.Field, p.Reason)
	}
	return fmt.Sprintf("%s: %s: %q %s", where, p.Field, p.Value, p.Reason)
}

const (
	maxValue   = 80  // bytes of a value in a problem
	maxMessage = 300 // bytes of a server's message in an error
)

func shorten(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}
