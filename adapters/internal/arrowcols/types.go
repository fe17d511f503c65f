package arrowcols

import (
	"math"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
)

// Kind is how the values of an array are laid out.
type Kind int8

// The layouts.
const (
	Unread    Kind = iota // not read; Type.Name says what it is
	Null                  // every value is missing
	Bool                  // bits
	Int8                  // and so on: numbers of that width
	Int16                 //
	Int32                 //
	Int64                 //
	Uint8                 //
	Uint16                //
	Uint32                //
	Uint64                //
	Float16               //
	Float32               //
	Float64               //
	Decimal               // integers in two's complement of Width bytes, over 10^Scale
	Days                  // int32, since the Unix epoch
	Seconds               // int64, since the Unix epoch
	Millis                // int64, since the Unix epoch
	Micros                // int64, since the Unix epoch
	Nanos                 // int64, since the Unix epoch
	Text                  // bytes between int32 offsets
	LargeText             // bytes between int64 offsets
	TextView              // views of 16 bytes
	Fixed                 // Width bytes each, of unknown meaning
	UUID                  // 16 bytes each
)

// Type is the type of an array.
type Type struct {
	Kind  Kind
	Width int   // bytes per value, of Decimal and Fixed
	Scale int32 // of Decimal
	Codes Kind  // of dictionary arrays, the integers that stand for values; else Unread
	Name  string
}

// Field is a column of a schema.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
}

// Analysis is the type that a batch carries; Absent when the array cannot be read
// or is always null.
func (t Type) Analysis() analysis.Type {
	if t.check() != nil {
		return analysis.Absent
	}
	switch t.Kind {
	case Unread, Null:
		return analysis.Absent
	case Bool:
		return analysis.Bool
	case Float16, Float32, Float64, Decimal:
		return analysis.Float
	case Days, Seconds, Millis, Micros, Nanos:
		return analysis.Time
	case Text, LargeText, TextView, Fixed, UUID:
		return analysis.String
	case Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64:
		return analysis.Int
	}
	return analysis.Absent
}

// check reports a type that cannot be read.
func (t Type) check() error {
	switch {
	case t.Kind == Unread:
		return rowfiles.Unsupported("cannot be read: its type is %s", t.Name)
	case t.Kind == Decimal && (t.Scale < 0 || t.Scale > 300):
		return rowfiles.Unsupported("cannot be read: its type is %s", t.Name)
	case t.Kind == Fixed && t.Width < 0:
		return rowfiles.Corrupt("its values have %d bytes", t.Width)
	}
	return nil
}

// size is the number of bytes of a value, or 0 when there is no such number.
func (t Type) size() int {
	switch t.Kind {
	case Int8, Uint8:
		return 1
	case Int16, Uint16, Float16:
		return 2
	case Int32, Uint32, Float32, Days:
		return 4
	case Int64, Uint64, Float64, Seconds, Millis, Micros, Nanos:
		return 8
	case TextView, UUID:
		return 16
	case Decimal, Fixed:
		return t.Width
	case Unread, Null, Bool, Text, LargeText:
	}
	return 0
}

// Memory is what the memory of a dictionary belongs to. It is retained as long as
// the codes of the dictionary are known, so that no other dictionary can take its
// place.
type Memory interface {
	Retain()
	Release()
}

// Array is the memory of an array, without its library.
type Array struct {
	Type
	Len, Offset int
	Nulls       int    // negative: not known
	Valid       []byte // bits; nil when no value is missing
	Values      []byte // the codes of a dictionary array
	Offsets     []byte
	Blocks      [][]byte // which views point into
	Dict        *Array
	Memory      Memory // of a dictionary
}

// Check makes sure that the buffers of the array are as large as they have to be.
func (a *Array) Check() error {
	if a.Len < 0 || a.Offset < 0 || a.Len > math.MaxInt/32-a.Offset {
		return rowfiles.Corrupt("an array of %d values from %d", a.Len, a.Offset)
	}
	if a.Kind == Null && a.Codes == Unread || a.Len == 0 {
		return nil
	}
	end := a.Offset + a.Len
	if a.Valid == nil && a.Nulls > 0 {
		return rowfiles.Corrupt("%d values are missing, but nothing says which", a.Nulls)
	}
	if a.Valid != nil && len(a.Valid) < (end+7)/8 {
		return rowfiles.Corrupt("%d bytes say which of %d values are missing", len(a.Valid), end)
	}
	if a.Valid != nil && a.Nulls >= 0 {
		if nulls := a.Len - countBits(a.Valid, a.Offset, a.Len); nulls != a.Nulls {
			return rowfiles.Corrupt("%d values are missing, not %d", nulls, a.Nulls)
		}
	}
	if a.Codes != Unread {
		return a.checkDictionary(end)
	}
	switch a.Kind {
	case Bool:
		return a.room((end + 7) / 8)
	case Text:
		return a.checkOffsets(4 * (end + 1))
	case LargeText:
		return a.checkOffsets(8 * (end + 1))
	default:
		if size := a.size(); size > 0 && end > math.MaxInt/size {
			return rowfiles.Corrupt("%d values of %d bytes", end, size)
		}
		return a.room(a.size() * end)
	}
}

func (a *Array) room(need int) error {
	if len(a.Values) < need {
		return rowfiles.Corrupt("%d bytes of values where %d belong", len(a.Values), need)
	}
	return nil
}

func (a *Array) checkOffsets(need int) error {
	if len(a.Offsets) < need {
		return rowfiles.Corrupt("%d bytes of offsets where %d belong", len(a.Offsets), need)
	}
	return nil
}

func (a *Array) checkDictionary(end int) error {
	if a.Dict == nil || a.Dict.Len > math.MaxInt32 {
		return rowfiles.Corrupt("it has no dictionary, or too large a one")
	}
	if err := a.room(Type{Kind: a.Codes}.size() * end); err != nil {
		return err
	}
	return nil
}
