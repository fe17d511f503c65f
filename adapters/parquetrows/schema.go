package parquetrows

import (
	"fmt"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/rampguard/rampguard/analysis"
)

// Column describes a column of a file.
type Column struct {
	Name     string        // dotted path for a column inside a group
	Type     analysis.Type // what a batch carries; Absent when the column cannot be read or is always null
	Physical string        // type as stored: DOUBLE, BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY(16)
	Logical  string        // annotation: STRING, TIMESTAMP(isAdjustedToUTC=true,unit=MICROS); empty when there is none
	Nullable bool
}

// Schema lists the leaf columns of a file in the order of the file. Columns that
// cannot be read, such as lists, are listed with type Absent.
func Schema(path string) ([]Column, error) {
	in, err := open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.close() }() // it was only read
	leaves := leavesOf(in.meta)
	columns := make([]Column, len(leaves))
	for i, l := range leaves {
		columns[i] = Column{
			Name:     l.name,
			Type:     l.typ,
			Physical: l.physical,
			Logical:  l.logical,
			Nullable: l.optional || l.repeated,
		}
	}
	return columns, nil
}

// leaf is a column of a file that holds values, and how to read them.
type leaf struct {
	name               string // dotted path
	top                string // the top-level column it is, or is inside of
	index              int    // among the leaves of the file
	optional, repeated bool
	stored             format.Type
	physical, logical  string
	typ                analysis.Type
	form               form
	size               int     // bytes per value, of fixed-length byte arrays
	unit               float64 // of decimals: 10^scale
	why                string  // not empty: why it cannot be read
}

// form says how a stored value becomes a value of a batch.
type form int8

const (
	alwaysNull   form = iota
	double            // float64
	single            // float32
	half              // float16 in two bytes
	decimal32         // int32 over 10^scale
	decimal64         // int64 over 10^scale
	decimalBytes      // big-endian two's complement, over 10^scale
	signed32          // int32
	unsigned32        // uint32
	signed64          // int64
	unsigned64        // uint64
	days              // int32, since the Unix epoch
	millis            // int64, since the Unix epoch
	micros            // int64, since the Unix epoch
	nanos             // int64, since the Unix epoch
	julian            // int96: nanoseconds of a Julian day
	boolean           // bits
	text              // byte array
	uuid              // 16 bytes
	hexadecimal       // fixed-length byte array of unknown meaning
)

// leavesOf lists the leaf columns of a file.
func leavesOf(m *format.FileMetaData) []leaf {
	w := walker{rest: m.Schema[1:]}
	for len(w.rest) > 0 {
		w.walk(w.rest[0].Name, "", 0, false, false)
	}
	return w.leaves
}

type walker struct {
	rest   []format.SchemaElement // depth first
	leaves []leaf
}

// walk takes the next element and all below it.
func (w *walker) walk(top, parent string, depth int, optional, repeated bool) {
	e := &w.rest[0]
	w.rest = w.rest[1:]
	if e.RepetitionType.Valid {
		optional = optional || e.RepetitionType.V == format.Optional
		repeated = repeated || e.RepetitionType.V == format.Repeated
	}
	if !e.Type.Valid {
		if depth < maxNesting { // deeper paths are cut, so that they stay short
			parent += e.Name + "."
		}
		for range e.NumChildren.V {
			if len(w.rest) == 0 {
				return
			}
			w.walk(top, parent, depth+1, optional, repeated)
		}
		return
	}
	l := leaf{name: parent + e.Name, top: top, index: len(w.leaves), optional: optional, repeated: repeated}
	l.classify(e)
	switch {
	case repeated:
		l.refuse("it is a list or part of one")
	case depth > 0:
		l.refuse("it is inside the group %q", top)
	}
	w.leaves = append(w.leaves, l)
}

func (l *leaf) refuse(format string, args ...any) {
	l.typ, l.form, l.why = analysis.Absent, alwaysNull, fmt.Sprintf(format, args...)
}

func (l *leaf) is(t analysis.Type, f form) { l.typ, l.form = t, f }

// classify sets the names and the form of a leaf.
func (l *leaf) classify(e *format.SchemaElement) {
	physical := e.Type.V
	l.stored, l.physical = physical, physical.String()
	if physical == format.FixedLenByteArray {
		l.size = int(e.TypeLength.V)
		l.physical = fmt.Sprintf("%s(%d)", physical, l.size)
	}
	logical := e.LogicalType.Value
	if logical == nil && e.ConvertedType.Valid {
		if e.ConvertedType.V == deprecated.Interval {
			l.refuse("it is an INTERVAL")
			return
		}
		logical = modern(e)
	}
	if logical != nil {
		l.logical = logical.String()
	}
	l.choose(physical, logical)
	if l.form == alwaysNull && l.why == "" {
		if _, null := logical.(*format.NullType); !null || !l.optional {
			l.refuse("its type %s", strings.TrimSpace(l.physical+" "+l.logical))
		}
	}
	if physical == format.FixedLenByteArray && l.size <= 0 {
		l.refuse("its type %s", l.physical)
	}
}

// choose sets the form of the pairs of types that the format allows and that
// have a meaning in a batch; the others stay alwaysNull.
func (l *leaf) choose(physical format.Type, logical format.LogicalTypeValue) {
	switch t := logical.(type) {
	case nil:
		l.plain(physical)
	case *format.Float16Type:
		if physical == format.FixedLenByteArray && l.size == 2 {
			l.is(analysis.Float, half)
		}
	case *format.DecimalType:
		l.decimal(physical, int(t.Scale))
	case *format.IntType:
		switch {
		case physical == format.Int32 && t.BitWidth <= 32 && t.IsSigned:
			l.is(analysis.Int, signed32)
		case physical == format.Int32 && t.BitWidth <= 32:
			l.is(analysis.Int, unsigned32)
		case physical == format.Int64 && t.BitWidth == 64 && t.IsSigned:
			l.is(analysis.Int, signed64)
		case physical == format.Int64 && t.BitWidth == 64:
			l.is(analysis.Int, unsigned64)
		}
	case *format.DateType:
		if physical == format.Int32 {
			l.is(analysis.Time, days)
		}
	case *format.TimestampType:
		if physical == format.Int64 {
			l.timestamp(t.Unit.Value)
		}
	case *format.StringType, *format.EnumType, *format.JsonType, *format.BsonType:
		if physical == format.ByteArray {
			l.is(analysis.String, text)
		}
	case *format.UUIDType:
		if physical == format.FixedLenByteArray && l.size == 16 {
			l.is(analysis.String, uuid)
		}
	}
}

func (l *leaf) plain(physical format.Type) {
	switch physical {
	case format.Boolean:
		l.is(analysis.Bool, boolean)
	case format.Int32:
		l.is(analysis.Int, signed32)
	case format.Int64:
		l.is(analysis.Int, signed64)
	case format.Int96:
		l.is(analysis.Time, julian)
	case format.Float:
		l.is(analysis.Float, single)
	case format.Double:
		l.is(analysis.Float, double)
	case format.ByteArray:
		l.is(analysis.String, text)
	case format.FixedLenByteArray:
		l.is(analysis.String, hexadecimal)
	}
}

func (l *leaf) decimal(physical format.Type, scale int) {
	if scale < 0 || scale > 300 {
		return
	}
	l.unit = math.Pow10(scale)
	switch physical {
	case format.Int32:
		l.is(analysis.Float, decimal32)
	case format.Int64:
		l.is(analysis.Float, decimal64)
	case format.ByteArray, format.FixedLenByteArray:
		l.is(analysis.Float, decimalBytes)
	}
}

func (l *leaf) timestamp(unit format.TimeUnitValue) {
	switch unit.(type) {
	case *format.MilliSeconds:
		l.is(analysis.Time, millis)
	case *format.MicroSeconds:
		l.is(analysis.Time, micros)
	case *format.NanoSeconds:
		l.is(analysis.Time, nanos)
	}
}

// modern translates the annotations of older writers.
func modern(e *format.SchemaElement) format.LogicalTypeValue {
	micros, millis := format.TimeUnit{Value: new(format.MicroSeconds)}, format.TimeUnit{Value: new(format.MilliSeconds)}
	switch e.ConvertedType.V {
	case deprecated.UTF8:
		return new(format.StringType)
	case deprecated.Enum:
		return new(format.EnumType)
	case deprecated.Json:
		return new(format.JsonType)
	case deprecated.Bson:
		return new(format.BsonType)
	case deprecated.Decimal:
		return &format.DecimalType{Scale: e.Scale.V, Precision: e.Precision.V}
	case deprecated.Date:
		return new(format.DateType)
	case deprecated.TimeMillis:
		return &format.TimeType{IsAdjustedToUTC: true, Unit: millis}
	case deprecated.TimeMicros:
		return &format.TimeType{IsAdjustedToUTC: true, Unit: micros}
	case deprecated.TimestampMillis:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: millis}
	case deprecated.TimestampMicros:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: micros}
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return &format.IntType{BitWidth: 8 << (e.ConvertedType.V - deprecated.Uint8)}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return &format.IntType{BitWidth: 8 << (e.ConvertedType.V - deprecated.Int8), IsSigned: true}
	}
	return nil
}

// find returns the column of the given name, or nil when the file does not have
// it.
func find(leaves []leaf, name string) (*leaf, error) {
	var found *leaf
	for i := range leaves {
		switch l := &leaves[i]; {
		case l.name == name && found != nil && found.name == name:
			return nil, unsupported("the file has two columns of that name")
		case l.name == name, l.top == name && found == nil:
			found = l
		}
	}
	if found != nil && found.why != "" {
		return nil, unsupported("cannot be read: %s", found.why)
	}
	return found, nil
}
