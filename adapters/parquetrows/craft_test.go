package parquetrows_test

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// craft puts a file together byte by byte, for what no writer writes.
type craft struct {
	columns []craftColumn
	rows    int64
	edit    func(*format.FileMetaData) // may be nil
}

type craftColumn struct {
	element format.SchemaElement
	codec   format.CompressionCodec
	pages   []craftPage
	edit    func(*format.ColumnChunk) // may be nil
}

type craftPage struct {
	header format.PageHeader
	body   []byte
}

// leafOf is a schema element; annotate may be nil.
func leafOf(name string, t format.Type, repetition format.FieldRepetitionType, annotate func(*format.SchemaElement)) format.SchemaElement {
	e := format.SchemaElement{Name: name, Type: thrift.New(t), RepetitionType: thrift.New(repetition)}
	if annotate != nil {
		annotate(&e)
	}
	return e
}

// v1 is a data page of the first version, v2 of the second, dictionaryOf one with
// a dictionary. None has a checksum.
func v1(values int, enc format.Encoding, body []byte) craftPage {
	return craftPage{format.PageHeader{Type: format.DataPage, UncompressedPageSize: int32(len(body)), CompressedPageSize: int32(len(body)),
		DataPageHeader: thrift.New(format.DataPageHeader{NumValues: int32(values), Encoding: enc, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE})}, body}
}

func v2(values, nulls int, enc format.Encoding, levels, body []byte) craftPage {
	all := append(append([]byte{}, levels...), body...)
	return craftPage{format.PageHeader{Type: format.DataPageV2, UncompressedPageSize: int32(len(all)), CompressedPageSize: int32(len(all)),
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{NumValues: int32(values), NumRows: int32(values), NumNulls: int32(nulls),
			Encoding: enc, DefinitionLevelsByteLength: int32(len(levels))})}, all}
}

func dictionaryOf(values int, body []byte) craftPage {
	return craftPage{format.PageHeader{Type: format.DictionaryPage, UncompressedPageSize: int32(len(body)), CompressedPageSize: int32(len(body)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(values), Encoding: format.Plain})}, body}
}

func (c craft) bytes(t testing.TB) []byte {
	t.Helper()
	var protocol thrift.CompactProtocol
	marshal := func(v any) []byte {
		b, err := thrift.Marshal(&protocol, v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	file := []byte("PAR1")
	meta := format.FileMetaData{Version: 2, NumRows: c.rows, RowGroups: []format.RowGroup{{NumRows: c.rows}},
		Schema: []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(len(c.columns)))}}}
	for _, col := range c.columns {
		chunk := format.ColumnChunk{MetaData: format.ColumnMetaData{Type: col.element.Type.V, PathInSchema: []string{col.element.Name},
			Encoding: []format.Encoding{format.Plain}, Codec: col.codec, NumValues: c.rows, DataPageOffset: int64(len(file))}}
		for _, p := range col.pages {
			file = append(append(file, marshal(p.header)...), p.body...)
		}
		chunk.MetaData.TotalCompressedSize = int64(len(file)) - chunk.MetaData.DataPageOffset
		if col.edit != nil {
			col.edit(&chunk)
		}
		meta.Schema = append(meta.Schema, col.element)
		meta.RowGroups[0].Columns = append(meta.RowGroups[0].Columns, chunk)
	}
	if c.edit != nil {
		c.edit(&meta)
	}
	footer := marshal(meta)
	return append(binary.LittleEndian.AppendUint32(append(file, footer...), uint32(len(footer))), "PAR1"...)
}

// span is where a page lies in a file.
type span struct{ header, body, end int }

// spansOf finds the pages of a sound file.
func spansOf(t testing.TB, file []byte) []span {
	t.Helper()
	var protocol thrift.CompactProtocol
	footer := file[len(file)-8-int(binary.LittleEndian.Uint32(file[len(file)-8:])):]
	var meta format.FileMetaData
	if err := thrift.NewDecoder(protocol.NewReaderFromBytes(footer)).Decode(&meta); err != nil {
		t.Fatal(err)
	}
	var spans []span
	for _, g := range meta.RowGroups {
		for _, c := range g.Columns {
			at := int(c.MetaData.DataPageOffset)
			if d := int(c.MetaData.DictionaryPageOffset); d > 0 {
				at = min(at, d)
			}
			end := at + int(c.MetaData.TotalCompressedSize)
			for at < end {
				var h format.PageHeader
				r := protocol.NewReaderFromBytes(file[at:])
				if err := thrift.NewDecoder(r).Decode(&h); err != nil {
					t.Fatal(err)
				}
				body := at + r.BytesRead()
				spans = append(spans, span{at, body, body + int(h.CompressedPageSize)})
				at = body + int(h.CompressedPageSize)
			}
		}
	}
	return spans
}

// reseal corrects the checksum in the header of a page after its body has been
// changed. It reports false when the new one does not have the same length.
func reseal(file []byte, s span, before uint32) bool {
	zigzag := func(sum uint32) []byte {
		v := int64(int32(sum))
		return binary.AppendUvarint(nil, uint64(uint32(v<<1^v>>31)))
	}
	from, to := zigzag(before), zigzag(crc32.ChecksumIEEE(file[s.body:s.end]))
	header := file[s.header:s.body]
	for i := 0; len(from) == len(to) && i+len(from) <= len(header); i++ {
		if string(header[i:i+len(from)]) == string(from) {
			copy(header[i:], to)
			return true
		}
	}
	return false
}
