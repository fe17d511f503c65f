package mlflowevents

import (
	"fmt"
	"io"
)

// Secret is a password, token or key. However it is printed or encoded it shows
// as [redacted].
type Secret string

const redacted = "[redacted]"

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
