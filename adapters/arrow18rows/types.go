package arrow18rows

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rampguard/rampguard/adapters/internal/arrowcols"
)

// kinds are the types that need no further look.
var kinds = map[arrow.Type]arrowcols.Kind{
	arrow.NULL:         arrowcols.Null,
	arrow.BOOL:         arrowcols.Bool,
	arrow.INT8:         arrowcols.Int8,
	arrow.INT16:        arrowcols.Int16,
	arrow.INT32:        arrowcols.Int32,
	arrow.INT64:        arrowcols.Int64,
	arrow.UINT8:        arrowcols.Uint8,
	arrow.UINT16:       arrowcols.Uint16,
	arrow.UINT32:       arrowcols.Uint32,
	arrow.UINT64:       arrowcols.Uint64,
	arrow.FLOAT16:      arrowcols.Float16,
	arrow.FLOAT32:      arrowcols.Float32,
	arrow.FLOAT64:      arrowcols.Float64,
	arrow.DATE32:       arrowcols.Days,
	arrow.DATE64:       arrowcols.Millis,
	arrow.STRING:       arrowcols.Text,
	arrow.BINARY:       arrowcols.Text,
	arrow.LARGE_STRING: arrowcols.LargeText,
	arrow.LARGE_BINARY: arrowcols.LargeText,
	arrow.STRING_VIEW:  arrowcols.TextView,
	arrow.BINARY_VIEW:  arrowcols.TextView,
}

var timeUnits = map[arrow.TimeUnit]arrowcols.Kind{
	arrow.Second:      arrowcols.Seconds,
	arrow.Millisecond: arrowcols.Millis,
	arrow.Microsecond: arrowcols.Micros,
	arrow.Nanosecond:  arrowcols.Nanos,
}

// decimal is what the types of decimals have in common.
type decimal interface {
	BitWidth() int
	GetScale() int32
}

// uuid is the name of the extension type.
const uuid = "arrow.uuid"

// typeOf returns the layout of a type.
func typeOf(dt arrow.DataType) arrowcols.Type {
	switch dt := dt.(type) {
	case *arrow.DictionaryType:
		t := typeOf(dt.ValueType)
		if t.Codes != arrowcols.Unread { // a dictionary of a dictionary
			return arrowcols.Type{}
		}
		t.Codes = kinds[dt.IndexType.ID()]
		return t
	case *arrow.TimestampType:
		return arrowcols.Type{Kind: timeUnits[dt.Unit]}
	case *arrow.FixedSizeBinaryType:
		return arrowcols.Type{Kind: arrowcols.Fixed, Width: dt.ByteWidth}
	case arrow.ExtensionType:
		return extended(typeOf(dt.StorageType()), dt.ExtensionName())
	case decimal:
		return arrowcols.Type{Kind: arrowcols.Decimal, Width: dt.BitWidth() / 8, Scale: dt.GetScale()}
	}
	return arrowcols.Type{Kind: kinds[dt.ID()]}
}

// extended returns the layout of an extension type.
func extended(stored arrowcols.Type, name string) arrowcols.Type {
	if name == uuid && stored.Kind == arrowcols.Fixed && stored.Width == 16 {
		stored.Kind = arrowcols.UUID
	}
	return stored
}

// fieldsOf returns the columns of a schema.
func fieldsOf(s *arrow.Schema) []arrowcols.Field {
	fields := make([]arrowcols.Field, s.NumFields())
	for i := range fields {
		f := s.Field(i)
		t := typeOf(f.Type)
		if name, ok := f.Metadata.GetValue("ARROW:extension:name"); ok { // an extension that nobody registered
			t = extended(t, name)
		}
		t.Name = f.Type.String()
		fields[i] = arrowcols.Field{Name: f.Name, Type: t, Nullable: f.Nullable}
	}
	return fields
}

// arrayOf returns the memory of an array.
func arrayOf(d arrow.ArrayData, t arrowcols.Type) arrowcols.Array {
	a := arrowcols.Array{Type: t, Len: d.Len(), Offset: d.Offset(), Nulls: d.NullN()}
	buffers := d.Buffers()
	buffer := func(i int) []byte {
		if i >= len(buffers) || buffers[i] == nil || buffers[i].Len() == 0 {
			return nil
		}
		return buffers[i].Bytes()
	}
	if a.Nulls != 0 {
		a.Valid = buffer(0)
	}
	switch {
	case t.Codes != arrowcols.Unread:
		a.Values = buffer(1)
		if dict := d.Dictionary(); dict != nil {
			values := t
			values.Codes = arrowcols.Unread
			inner := arrayOf(dict, values)
			inner.Memory = dict
			a.Dict = &inner
		}
	case t.Kind == arrowcols.Text || t.Kind == arrowcols.LargeText:
		a.Offsets, a.Values = buffer(1), buffer(2)
	default:
		a.Values = buffer(1)
		for i := 2; i < len(buffers); i++ {
			a.Blocks = append(a.Blocks, buffer(i))
		}
	}
	return a
}

// record is a record whose schema is known.
type record struct {
	arrow.RecordBatch
	fields []arrowcols.Field
}

func (r record) Rows() int { return int(r.NumRows()) }

func (r record) Array(field int) (arrowcols.Array, error) {
	return arrayOf(r.Column(field).Data(), r.fields[field].Type), nil
}
