package cdevents

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinel errors. Every error that is due to a message wraps one of them.
var (
	// ErrMalformed says that something is not what it should be.
	ErrMalformed = errors.New("malformed")

	// ErrUnsupported says that something may be right and is not read: another
	// event format, a compressed body, a type that is no CDEvent.
	ErrUnsupported = errors.New("not supported")
)

// Type is what the type of a CDEvent is made of.
type Type struct {
	Subject   string // of custom events with the tool in front: rollout-step
	Predicate string
	Version   string // major.minor.patch
	Custom    bool   // dev.cdeventsx
}

// ParseType splits a type, dev.cdevents.<subject>.<predicate>.<version> or the same
// with dev.cdeventsx. Errors wrap [ErrUnsupported] for types of other events and
// [ErrMalformed].
func ParseType(s string) (Type, error) {
	var t Type
	rest, ok := strings.CutPrefix(s, "dev.cdevents.")
	if !ok {
		if rest, t.Custom = strings.CutPrefix(s, "dev.cdeventsx."); !t.Custom {
			return Type{}, fmt.Errorf("cdevents: ParseType: %q is not the type of a CDEvent: %w", clip(s), ErrUnsupported)
		}
	}
	parts := strings.SplitN(rest, ".", 3)
	if len(parts) < 3 || !isName(parts[0]) || !isName(parts[1]) || !isVersion(parts[2]) {
		return Type{}, fmt.Errorf("cdevents: ParseType: %q is not <subject>.<predicate>.<major>.<minor>.<patch>: %w", clip(s), ErrMalformed)
	}
	t.Subject, t.Predicate, t.Version = parts[0], parts[1], parts[2]
	return t, nil
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// isVersion reports whether s is three numbers, perhaps with something like -draft.
func isVersion(s string) bool {
	s, draft, more := strings.Cut(s, "-")
	if more && (draft == "" || !isName(strings.ReplaceAll(draft, ".", ""))) {
		return false
	}
	numbers := strings.Split(s, ".")
	for _, n := range numbers {
		if n == "" || strings.Trim(n, "0123456789") != "" {
			return false
		}
	}
	return len(numbers) == 3
}

// clip shortens text for messages.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
