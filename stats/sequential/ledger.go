package sequential

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Ledger is the append-only list of looks of a method whose evidence depends on
// where the looks were. It has one owner: two ledgers of the same hypothesis can
// not be merged, shards have to be added up before a look is appended. The zero
// Ledger is empty. Do not copy a Ledger that is appended to.
//
// A Ledger marshals as the JSON array of its looks and checks them when read.
type Ledger[T interface{ Validate() error }] struct {
	looks []T
}

// Append adds the next look, unless its Validate fails.
func (l *Ledger[T]) Append(look T) error {
	if err := look.Validate(); err != nil {
		return fmt.Errorf("sequential: Ledger.Append: look %d: %w", len(l.looks), err)
	}
	l.looks = append(l.looks, look)
	return nil
}

// Looks returns a copy of the looks, oldest first.
func (l *Ledger[T]) Looks() []T { return slices.Clone(l.looks) }

// Len is the number of looks.
func (l *Ledger[T]) Len() int { return len(l.looks) }

// MarshalJSON implements [json.Marshaler].
func (l Ledger[T]) MarshalJSON() ([]byte, error) {
	if l.looks == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(l.looks)
}

// UnmarshalJSON implements [json.Unmarshaler]; an impossible look is an error.
func (l *Ledger[T]) UnmarshalJSON(b []byte) error {
	var looks []T
	if err := json.Unmarshal(b, &looks); err != nil {
		return err
	}
	for i, look := range looks {
		if err := look.Validate(); err != nil {
			return fmt.Errorf("sequential: Ledger: look %d: %w", i, err)
		}
	}
	l.looks = looks
	return nil
}
