package parquetrows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	magic     = "PAR1"
	encrypted = "PARE"
	trailer   = 8 // the footer's length and the magic bytes
)

// readFooter parses the footer of a Parquet file of the given size.
func readFooter(r io.ReaderAt, size int64) (*format.FileMetaData, error) {
	var head, tail [trailer]byte
	switch {
	case size == 0:
		return nil, corrupt("0 bytes")
	case size < int64(len(magic)+trailer):
		return nil, corrupt("%d bytes are too few for a Parquet file", size)
	}
	if err := readAt(r, head[:len(magic)], 0); err != nil {
		return nil, err
	}
	if err := readAt(r, tail[:], size-trailer); err != nil {
		return nil, err
	}
	first, last := string(head[:len(magic)]), string(tail[4:])
	switch {
	case last == encrypted:
		return nil, unsupported("the footer is encrypted")
	case first != magic:
		return nil, corrupt("not a Parquet file: it starts with %q instead of %q", first, magic)
	case last != magic:
		return nil, corrupt("ends with %q, not with %q: truncated or still being written", last, magic)
	}
	n := int64(binary.LittleEndian.Uint32(tail[:4]))
	if n > size-int64(len(magic)+trailer) {
		return nil, corrupt("the footer should have %d bytes, the file has %d", n, size)
	}
	footer := make([]byte, n)
	if err := readAt(r, footer, size-trailer-n); err != nil {
		return nil, err
	}
	var m format.FileMetaData
	if n := structLength(footer); n < 0 {
		return nil, corrupt("the footer is not well-formed")
	} else if err := decodeThrift(footer[:n], &m); err != nil {
		return nil, corrupt("footer: %v", err)
	}
	return &m, checkFooter(&m)
}

// readAt fills b. That the file ends before is a damage, not a failed read.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return corrupt("the file ends before byte %d", at+int64(len(b)))
	}
	return err
}

// checkFooter makes sure that the counts of the footer agree.
func checkFooter(m *format.FileMetaData) error {
	if len(m.Schema) == 0 {
		return corrupt("the footer has no schema")
	}
	leaves := 0
	for _, e := range m.Schema[1:] { // the first is the root
		if e.Type.Valid {
			leaves++
		}
	}
	sum := int64(0)
	for i := range m.RowGroups {
		g := &m.RowGroups[i]
		if len(g.Columns) != leaves {
			return inGroup(i, corrupt("%d columns, the schema has %d", len(g.Columns), leaves))
		}
		if g.NumRows < 0 || sum+g.NumRows < sum {
			return inGroup(i, corrupt("%d rows", g.NumRows))
		}
		sum += g.NumRows
	}
	if sum != m.NumRows {
		return corrupt("the footer counts %d rows, its row groups %d", m.NumRows, sum)
	}
	return nil
}

// decodeThrift decodes a struct in Thrift's compact protocol, of which
// structLength has found the end.
func decodeThrift(b []byte, to any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	var protocol thrift.CompactProtocol
	return thrift.NewDecoder(protocol.NewReaderFromBytes(b)).Decode(to)
}

// structLength returns the length of the struct in Thrift's compact protocol
// that b starts with, or -1 when b does not hold a complete one. The decoder
// trusts the lengths of lists and allocates for them at once, so that a damaged
// one could take all memory; here, every element has to be there.
func structLength(b []byte) int {
	s := skimmer{b: b}
	s.structure(0)
	if s.bad {
		return -1
	}
	return len(b) - len(s.b)
}

// skimmer walks over Thrift compact data without decoding it.
type skimmer struct {
	b   []byte // what is left
	bad bool
}

// The types of Thrift's compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13

	maxNesting = 32 // of Thrift values; Parquet's metadata needs 7
)

func (s *skimmer) skip(n uint64) {
	if n > uint64(len(s.b)) {
		s.bad, s.b = true, nil
		return
	}
	s.b = s.b[n:]
}

func (s *skimmer) byte() byte {
	if len(s.b) == 0 {
		s.bad = true
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *skimmer) uvarint() uint64 {
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		s.bad, s.b = true, nil
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *skimmer) structure(depth int) {
	for !s.bad {
		head := s.byte()
		if head == 0 {
			return
		}
		if head>>4 == 0 { // a field id follows
			s.uvarint()
		}
		if kind := head & 15; kind != thriftTrue && kind != thriftFalse {
			s.value(kind, depth+1)
		}
	}
}

// value skips a value of a field or, for booleans, of a list.
func (s *skimmer) value(kind byte, depth int) {
	if depth > maxNesting {
		s.bad = true
	}
	if s.bad {
		return
	}
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		s.skip(1)
	case thriftI16, thriftI32, thriftI64:
		s.uvarint()
	case thriftDouble:
		s.skip(8)
	case thriftUUID:
		s.skip(16)
	case thriftBinary:
		s.skip(s.uvarint())
	case thriftList, thriftSet:
		head := s.byte()
		n := uint64(head >> 4)
		if n == 15 {
			n = s.uvarint()
		}
		for ; n > 0 && !s.bad; n-- {
			s.value(head&15, depth+1)
		}
	case thriftMap:
		n := s.uvarint()
		if n == 0 {
			return
		}
		kinds := s.byte()
		for ; n > 0 && !s.bad; n-- {
			s.value(kinds>>4, depth+1)
			s.value(kinds&15, depth+1)
		}
	case thriftStruct:
		s.structure(depth)
	default:
		s.bad = true
	}
}
