package sqlquery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Sentinel errors. The first four are reasons for which a database has no answer;
// errors with them also wrap ErrProvider.
var (
	// ErrProvider says that the database did not answer, or not with what was asked
	// for: a broken connection, a refused statement, a missing permission, a timeout.
	ErrProvider = errors.New("database gave no answer")

	// ErrChanged says that the rows changed between two statements, so that they do
	// not describe one table.
	ErrChanged = errors.New("table changed while it was read")

	// ErrInconsistent says that an answer contradicts itself: values of two cells in
	// one group, sums that no numbers of the cell can have. The database computes
	// differently from what the statements rely on.
	ErrInconsistent = errors.New("answer contradicts itself")

	// ErrTooMany says that a statement has more groups than [Options] allow.
	ErrTooMany = errors.New("too many groups")

	// ErrUnsupported says that a column has a type without a counterpart in
	// [analysis.Type], or one that is not known before the database is asked.
	ErrUnsupported = errors.New("not supported")
)

// providerError is what is told of a fault of the database. It keeps the text of
// the driver, without credentials, and not the error of the driver, which may hold
// them.
type providerError struct {
	where  string
	text   string
	reason error // a sentinel, or the error of the context; may be nil
}

func (e *providerError) Error() string {
	s := "sqlquery: " + e.where + ": " + ErrProvider.Error()
	if e.reason != nil {
		s += ": " + e.reason.Error()
	}
	if e.text != "" {
		s += ": " + e.text
	}
	return s
}

func (e *providerError) Unwrap() []error {
	if e.reason == nil {
		return []error{ErrProvider}
	}
	return []error{ErrProvider, e.reason}
}

// provider reports an error of the driver. An answer that is a fault of this
// package's own kind keeps its reason.
func provider(ctx context.Context, where string, err error) error {
	var mine *providerError
	if errors.As(err, &mine) {
		return err
	}
	out := &providerError{where: where, text: cleaned(err.Error())}
	for _, reason := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, reason) || errors.Is(ctx.Err(), reason) {
			out.reason, out.text = reason, ""
		}
	}
	// A driver that gives the deadline to its connection may see it pass first.
	var timer interface{ Timeout() bool }
	if out.reason == nil && errors.As(err, &timer) && timer.Timeout() {
		out.reason, out.text = context.DeadlineExceeded, ""
	}
	var state interface{ SQLState() string }
	if errors.As(err, &state) && !strings.Contains(out.text, state.SQLState()) {
		out.text += " (SQLSTATE " + cleaned(state.SQLState()) + ")"
	}
	return out
}

// fault reports an answer that cannot be used.
func fault(where string, reason error, format string, args ...any) error {
	return &providerError{where: where, reason: reason, text: fmt.Sprintf(format, args...)}
}

// secrets are what drivers put connection strings into errors with.
var secrets = []*regexp.Regexp{
	// URLs, whole: any part may hold a token
	regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s"'<>]*`),
	// user:password@host
	regexp.MustCompile(`(?i)\b[a-z0-9_.%+-]+:[^\s"']*@[^\s"']*`),
	// key=value
	regexp.MustCompile(`(?i)["']?\b[a-z_.-]*(pass(word|wd|phrase)?|pwd|secret|token|api_?key|credentials?|authorization)["']?\s*[=:]\s*("[^"]*"|'[^']*'|(bearer |basic )?[^\s;&,]+)`),
}

const maxDriverText = 300

// cleaned is the text of a driver on one line, without what may be a credential.
func cleaned(text string) string {
	for _, re := range secrets {
		text = re.ReplaceAllString(text, "[redacted]")
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) > maxDriverText {
		text = strings.ToValidUTF8(text[:maxDriverText], "") + "..."
	}
	return text
}
