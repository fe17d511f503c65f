package arrowcols

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"unsafe"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
)

// oneArray is a record of one array.
type oneArray struct{ a Array }

func (r oneArray) Rows() int                { return r.a.Len }
func (r oneArray) Array(int) (Array, error) { return r.a, nil }

func cursorFor(t *testing.T, typ Type) *Cursor {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	c := NewCursor(spec, 4)
	if _, err := c.Begin([]Field{{Name: "x", Type: typ}}); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNoCopy hands numbers on where they lie, also when other memory is in use,
// and copies them only when they do not lie on their boundary.
func TestNoCopy(t *testing.T) {
	values := make([]float64, 9)
	for i := range values {
		values[i] = float64(i) / 3
	}
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 72)
	odd := append(make([]byte, 1, 73), memory...)[1:]
	for name, b := range map[string][]byte{"aligned": memory, "not aligned": odd} {
		c := cursorFor(t, Type{Kind: Float64})
		if err := c.Load(oneArray{Array{Type: Type{Kind: Float64}, Len: 7, Offset: 2, Values: b}}); err != nil {
			t.Fatal(err)
		}
		var batch analysis.Batch
		at := 2
		for err := c.Next(&batch); !errors.Is(err, io.EOF); err = c.Next(&batch) {
			if err != nil {
				t.Fatal(err)
			}
			got := batch.Columns[0].Floats
			if same := &got[0] == &values[at]; same != (name == "aligned") {
				t.Errorf("%s: the memory is the array's: %v", name, same)
			}
			for _, x := range got {
				if x != values[at] {
					t.Errorf("%s: value %d is %v, want %v", name, at, x, values[at])
				}
				at++
			}
		}
		if at != 9 {
			t.Errorf("%s: %d values", name, at-2)
		}
	}
}

// TestWrongBuffers has arrays whose buffers do not fit what they say.
func TestWrongBuffers(t *testing.T) {
	offsets := binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, 0), 99)
	back := binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, 3), 1)
	view := make([]byte, 16)
	binary.NativeEndian.PutUint32(view, 20)
	text := Type{Kind: Text}
	word := &Array{Type: text, Len: 1, Offsets: make([]byte, 8)}
	for name, a := range map[string]Array{
		"values":            {Type: Type{Kind: Int32}, Len: 3, Values: make([]byte, 11)},
		"bits":              {Type: Type{Kind: Bool}, Len: 9, Values: make([]byte, 1)},
		"validity":          {Type: Type{Kind: Int8}, Len: 9, Nulls: 1, Valid: make([]byte, 1), Values: make([]byte, 9)},
		"no validity":       {Type: Type{Kind: Int8}, Len: 1, Nulls: 1, Values: make([]byte, 1)},
		"count":             {Type: Type{Kind: Int8}, Len: 2, Nulls: 1, Valid: []byte{3}, Values: make([]byte, 2)},
		"length":            {Type: Type{Kind: Int8}, Len: -1},
		"offset":            {Type: Type{Kind: Int64}, Len: 1, Offset: math.MaxInt, Values: make([]byte, 8)},
		"huge":              {Type: Type{Kind: Fixed, Width: math.MaxInt32}, Len: math.MaxInt / 64},
		"too few offsets":   {Type: text, Len: 2, Offsets: make([]byte, 8)},
		"offset beyond":     {Type: text, Len: 1, Offsets: offsets, Values: make([]byte, 5)},
		"offset back":       {Type: text, Len: 1, Offsets: back, Values: make([]byte, 5)},
		"view":              {Type: Type{Kind: TextView}, Len: 1, Values: view, Blocks: [][]byte{make([]byte, 19)}},
		"no dictionary":     {Type: Type{Kind: Text, Codes: Int8}, Len: 1, Values: make([]byte, 1)},
		"too few codes":     {Type: Type{Kind: Text, Codes: Int16}, Len: 1, Values: make([]byte, 1), Dict: word},
		"code beyond":       {Type: Type{Kind: Text, Codes: Int8}, Len: 1, Values: []byte{1}, Dict: word},
		"code below":        {Type: Type{Kind: Text, Codes: Int8}, Len: 1, Values: []byte{0xff}, Dict: word},
		"code far beyond":   {Type: Type{Kind: Text, Codes: Uint64}, Len: 1, Values: []byte{0, 0, 0, 0, 1, 0, 0, 0}, Dict: word},
		"a bad dictionary":  {Type: Type{Kind: Text, Codes: Int8}, Len: 1, Values: []byte{0}, Dict: &Array{Type: text, Len: 1, Offsets: offsets}},
		"an empty one":      {Type: Type{Kind: Text, Codes: Int8}, Len: 1, Values: []byte{0}, Dict: &Array{Type: text}},
		"a record too long": {Type: Type{Kind: Int8}, Len: 0, Values: nil},
	} {
		c := cursorFor(t, a.Type)
		var r Record = oneArray{a}
		if name == "a record too long" {
			r = longer{oneArray{a}}
		}
		err := c.Load(r)
		if err == nil {
			var b analysis.Batch
			err = c.Next(&b)
		}
		if !errors.Is(err, rowfiles.ErrCorrupt) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// longer has more rows than its array.
type longer struct{ oneArray }

func (longer) Rows() int { return 3 }

// TestAllMissing reads a dictionary array without a dictionary to speak of, as
// every row is missing.
func TestAllMissing(t *testing.T) {
	for _, kind := range []Kind{Text, Float64, Int64, Bool} {
		typ := Type{Kind: kind, Codes: Int8}
		c := cursorFor(t, typ)
		a := Array{Type: typ, Len: 3, Nulls: 3, Valid: []byte{0}, Values: []byte{7, 0, 9}, Dict: &Array{Type: Type{Kind: kind}}}
		if err := c.Load(oneArray{a}); err != nil {
			t.Fatal(err)
		}
		into := analysis.NewCollector(c.spec)
		var b analysis.Batch
		if err := c.AddTo(into, &b); err != nil {
			t.Errorf("kind %d: %v", kind, err)
		}
		if s, err := into.Take(); err != nil || s.RowCount != 3 {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
}

// TestDecimals holds integers in two's complement against what they are.
func TestDecimals(t *testing.T) {
	for _, tt := range []struct {
		words []uint64 // the lowest first
		want  float64
	}{
		{[]uint64{5, 0}, 5}, {[]uint64{math.MaxUint64, math.MaxUint64}, -1}, {[]uint64{1<<64 - 5, math.MaxUint64}, -5},
		{[]uint64{0, 1}, 0x1p64}, {[]uint64{0, math.MaxUint64}, -0x1p64}, {[]uint64{0, 1 << 63}, -0x1p127},
		{[]uint64{0, 0, 1, 0}, 0x1p128}, {[]uint64{0, 0, 0, 1 << 63}, -0x1p255}, {[]uint64{7}, 7}, {[]uint64{math.MaxUint64}, -1},
	} {
		var b []byte
		for _, w := range tt.words {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
		if got := fromTwos(b); math.Abs(got-tt.want) > math.Abs(tt.want)*0x1p-51 {
			t.Errorf("%x is %v, want %v", tt.words, got, tt.want)
		}
	}
	if got := fromTwos([]byte{0xfe, 0xff, 0xff, 0xff}); got != -2 {
		t.Errorf("32 bits are %v, want -2", got)
	}
}
