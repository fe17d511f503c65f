package arrowrows_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/adapters/arrowrows"
	"github.com/rampguard/rampguard/analysis"
)

func fixtureSpec(t testing.TB) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "score", Role: analysis.Score},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label}, analysis.ColumnSpec{Name: "name"}, analysis.ColumnSpec{Name: "action"},
		analysis.ColumnSpec{Name: "count", Sums: true}, analysis.ColumnSpec{Name: "ts", Role: analysis.Clock}, analysis.ColumnSpec{Name: "nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestAdd counts records in memory, of which none may be kept.
func TestAdd(t *testing.T) {
	spec, table := fixtureSpec(t), adaptertest.Fixture()
	want, err := adaptertest.Reference(spec, table)
	if err != nil {
		t.Fatal(err)
	}
	for _, dict := range []bool{false, true} {
		rec, err := recordOf(table, dict)
		if err != nil {
			t.Fatal(err)
		}
		c := analysis.NewCollector(spec)
		for from := int64(0); from < rec.NumRows(); from += 97 {
			s := rec.NewSlice(from, min(from+97, rec.NumRows()))
			if err := arrowrows.Add(c, spec, s); err != nil {
				t.Fatal(err)
			}
			s.Release()
		}
		got, err := c.Take()
		if err != nil || !bytes.Equal(marshal(t, got), marshal(t, want)) {
			t.Errorf("dictionaries %v: the snapshot differs (%v)", dict, err)
		}
	}
}

// TestAddAllChunks counts a table whose columns are cut into chunks at different
// rows, and makes sure that all of its memory is given back.
func TestAddAllChunks(t *testing.T) {
	spec, table := fixtureSpec(t), adaptertest.Fixture()
	want, err := adaptertest.Reference(spec, table)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := recordOf(table, true)
	if err != nil {
		t.Fatal(err)
	}
	var columns []arrow.Column
	for i, f := range rec.Schema().Fields() {
		var chunks []arrow.Array
		for from, to := int64(0), int64(0); from < rec.NumRows(); from = to {
			to = min(from+50+int64(i)*31, rec.NumRows())
			chunks = append(chunks, array.NewSlice(rec.Column(i), from, to))
		}
		columns = append(columns, *arrow.NewColumn(f, arrow.NewChunked(f.Type, chunks)))
	}
	chunked := array.NewTable(rec.Schema(), columns, rec.NumRows())
	defer chunked.Release()
	r := array.NewTableReader(chunked, 70)
	defer r.Release()
	c := analysis.NewCollector(spec)
	if err := arrowrows.AddAll(context.Background(), c, spec, r); err != nil {
		t.Fatal(err)
	}
	got, err := c.Take()
	if err != nil || !bytes.Equal(marshal(t, got), marshal(t, want)) {
		t.Errorf("the snapshot differs (%v)", err)
	}
}

// dictRecord is a record with one dictionary column.
func dictRecord(mem memory.Allocator, codes []int8, words ...string) arrow.Record {
	ib := array.NewInt8Builder(mem)
	defer ib.Release()
	ib.AppendValues(codes, nil)
	wb := array.NewStringBuilder(mem)
	defer wb.Release()
	for _, w := range words {
		if w == "-" {
			wb.AppendNull()
		} else {
			wb.Append(w)
		}
	}
	index, values := ib.NewArray(), wb.NewArray()
	defer index.Release()
	defer values.Release()
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	d := array.NewDictionaryArray(typ, index, values)
	defer d.Release()
	return array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ, Nullable: true}}, nil), []arrow.Array{d}, int64(len(codes)))
}

// TestDictionaries replaces and extends dictionaries within a stream, has one
// with a missing value in it, and gives all memory back.
func TestDictionaries(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	records := []arrow.Record{
		dictRecord(mem, []int8{0, 1, 1}, "a", "b"),
		dictRecord(mem, []int8{0, 1, 2, 2}, "a", "b", "c"), // a delta
		dictRecord(mem, []int8{0, 1, 0}, "z", "-"),         // a replacement
	}
	defer func() {
		for _, r := range records {
			r.Release()
		}
	}()
	want := map[string]uint64{"a": 2, "b": 3, "c": 2, "z": 2}
	check := func(s *analysis.Snapshot, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]uint64{}
		for _, c := range s.Column("x").Category.Counts() {
			got[c.Name] = c.N
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || s.Column("x").Category.Null() != 1 {
			t.Errorf("%v and %d missing, want %v", got, s.Column("x").Category.Null(), want)
		}
	}
	spec := specOf(t, "x")
	for _, delta := range []bool{false, true} {
		l := layout{rows: 10, extra: []ipc.Option{ipc.WithDictionaryDeltas(delta)}}
		check(arrowrows.Collect(context.Background(), spec, arrowrows.Options{}, writeRecords(t, l, records...)))
	}
	r, err := array.NewRecordReader(records[0].Schema(), records)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	c := analysis.NewCollector(spec)
	if err := arrowrows.AddAll(context.Background(), c, spec, r); err != nil {
		t.Fatal(err)
	}
	check(c.Take())
	bad := dictRecord(mem, []int8{0, 5}, "a")
	defer bad.Release()
	if err := arrowrows.Add(analysis.NewCollector(spec), spec, bad); !errors.Is(err, arrowrows.ErrCorrupt) {
		t.Errorf("a code outside its dictionary: error %v", err)
	}
}

// failing is a reader that ends in an error or a panic.
type failing struct {
	array.RecordReader
	err   error
	panic bool
}

func (f failing) Next() bool {
	if f.panic {
		panic("out of range")
	}
	return f.RecordReader.Next()
}

func (f failing) Err() error { return f.err }

func TestAddAllFails(t *testing.T) {
	spec := specOf(t, "x")
	open := func() array.RecordReader {
		rec := recordWith("x", arrayOf(t, arrow.PrimitiveTypes.Int8, `[1, 2]`))
		r, err := array.NewRecordReader(rec.Schema(), []arrow.Record{rec})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	broken := errors.New("the network is down")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		ctx  context.Context
		r    failing
		want error
	}{
		{context.Background(), failing{open(), broken, false}, broken},
		{context.Background(), failing{open(), io.EOF, false}, nil},
		{context.Background(), failing{open(), nil, true}, arrowrows.ErrCorrupt},
		{ended, failing{open(), nil, false}, context.Canceled},
	} {
		if err := arrowrows.AddAll(tt.ctx, analysis.NewCollector(spec), spec, tt.r); !errors.Is(err, tt.want) {
			t.Errorf("error %v, want %v", err, tt.want)
		}
	}
}

// TestMemoryIsGivenBack reads many records with room for a few: memory that was
// not given back would run out.
func TestMemoryIsGivenBack(t *testing.T) {
	rec, err := recordOf(adaptertest.Fixture(), true)
	if err != nil {
		t.Fatal(err)
	}
	records := make([]arrow.Record, 100)
	for i := range records {
		records[i] = rec
	}
	for name, l := range layouts {
		if l.dict {
			l.rows = 1000
		}
		path := writeRecords(t, l, records...)
		if _, err := arrowrows.Collect(context.Background(), fixtureSpec(t), arrowrows.Options{MaxMemory: 600_000}, path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := arrowrows.Collect(context.Background(), fixtureSpec(t), arrowrows.Options{MaxMemory: 10_000}, path)
		if l.rows > 500 && (!errors.Is(err, arrowrows.ErrUnsupported) || !bytes.Contains([]byte(fmt.Sprint(err)), []byte("10000 allowed"))) {
			t.Errorf("%s, with room for no record: error %v", name, err)
		}
	}
}
