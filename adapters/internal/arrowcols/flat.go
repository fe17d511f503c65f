package arrowcols

import (
	"encoding/binary"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
)

// The metadata of IPC is in FlatBuffers. What follows reads as much of it as
// framing needs, and makes sure of what the library trusts: that lists are not
// longer than the message, as it allocates memory for them at once.

// maxNesting bounds the depth of fields inside fields.
const maxNesting = 64

// table is a FlatBuffers table: the place of its fields in a message.
type table struct {
	b      []byte
	at     int
	fields []byte // 2 bytes each: the distance from at, or 0
}

func badMetadata() error { return rowfiles.Corrupt("the metadata of a message") }

// rootTable returns the table that a message begins with.
func rootTable(b []byte) (table, error) { return tableAt(b, 0) }

// tableAt returns the table that the offset at a place points to.
func tableAt(b []byte, place int) (table, error) {
	at, err := follow(b, place)
	if err != nil || at+4 > len(b) {
		return table{}, badMetadata()
	}
	begin := at - int(int32(binary.LittleEndian.Uint32(b[at:])))
	if begin < 0 || begin+4 > len(b) {
		return table{}, badMetadata()
	}
	size := int(binary.LittleEndian.Uint16(b[begin:]))
	if size < 4 || size%2 != 0 || begin+size > len(b) { // the library reads half entries, too
		return table{}, badMetadata()
	}
	return table{b, at, b[begin+4 : begin+size]}, nil
}

// follow returns the place that an offset points to.
func follow(b []byte, place int) (int, error) {
	if place < 0 || place+4 > len(b) {
		return 0, badMetadata()
	}
	to := place + int(binary.LittleEndian.Uint32(b[place:]))
	if to > len(b) {
		return 0, badMetadata()
	}
	return to, nil
}

// field is the place of a field, or 0 when it is not set.
func (t table) field(i int) int {
	if 2*i+2 > len(t.fields) {
		return 0
	}
	d := int(binary.LittleEndian.Uint16(t.fields[2*i:]))
	if d == 0 {
		return 0
	}
	return t.at + d
}

func (t table) int64(i int) (int64, error) {
	at := t.field(i)
	switch {
	case at == 0:
		return 0, nil
	case at+8 > len(t.b):
		return 0, badMetadata()
	}
	return int64(binary.LittleEndian.Uint64(t.b[at:])), nil
}

// list returns the place and the length of a list, whose entries have size bytes.
func (t table) list(i, size int) (at, n int, err error) {
	place := t.field(i)
	if place == 0 {
		return 0, 0, nil
	}
	at, err = follow(t.b, place)
	if err != nil || at+4 > len(t.b) {
		return 0, 0, badMetadata()
	}
	n = int(binary.LittleEndian.Uint32(t.b[at:]))
	if n > (len(t.b)-at-4)/size {
		return 0, 0, badMetadata()
	}
	return at + 4, n, nil
}

// The kinds of messages.
const (
	schemaMessage     = 1
	dictionaryMessage = 2
	recordMessage     = 3
)

// checkMessage returns the kind of a message and the size of its body.
func checkMessage(meta []byte) (kind byte, body int64, err error) {
	m, err := rootTable(meta)
	if err != nil {
		return 0, 0, err
	}
	if at := m.field(1); at > 0 && at < len(meta) {
		kind = meta[at]
	}
	if body, err = m.int64(3); err != nil || body < 0 {
		return 0, 0, badMetadata()
	}
	if m.field(2) == 0 {
		return 0, 0, badMetadata()
	}
	if _, _, err := m.list(4, 4); err != nil {
		return 0, 0, err
	}
	header, err := tableAt(meta, m.field(2))
	if err != nil {
		return 0, 0, err
	}
	switch kind {
	case schemaMessage:
		err = checkSchema(header)
	case dictionaryMessage:
		if header.field(1) == 0 {
			return 0, 0, badMetadata()
		}
		var data table
		if data, err = tableAt(meta, header.field(1)); err == nil {
			err = checkRecord(data, body)
		}
	case recordMessage:
		err = checkRecord(header, body)
	default:
		err = rowfiles.Unsupported("a message of kind %d", kind)
	}
	return kind, body, err
}

func checkSchema(s table) error {
	if _, _, err := s.list(2, 4); err != nil {
		return err
	}
	left := len(s.b) // fields, of which each takes a byte at least
	return checkFields(s, 1, maxNesting, &left)
}

func checkFields(t table, list, depth int, left *int) error {
	at, n, err := t.list(list, 4)
	if err != nil || n == 0 {
		return err
	}
	if *left -= n; depth == 0 || *left < 0 {
		return badMetadata()
	}
	for i := range n {
		f, err := tableAt(t.b, at+4*i)
		if err != nil {
			return err
		}
		if _, _, err := f.list(6, 4); err != nil {
			return err
		}
		if err := checkFields(f, 5, depth-1, left); err != nil {
			return err
		}
	}
	return nil
}

// checkRecord makes sure that the buffers of a record lie in its body.
func checkRecord(r table, body int64) error {
	rows, err := r.int64(0)
	if err != nil || rows < 0 {
		return badMetadata()
	}
	if _, _, err := r.list(1, 16); err != nil {
		return err
	}
	at, n, err := r.list(2, 16)
	if err != nil {
		return err
	}
	for i := range n {
		begin := int64(binary.LittleEndian.Uint64(r.b[at+16*i:]))
		size := int64(binary.LittleEndian.Uint64(r.b[at+16*i+8:]))
		if begin < 0 || size < 0 || begin > body || size > body-begin {
			return rowfiles.Corrupt("%d bytes at %d of a message of %d", size, begin, body)
		}
	}
	views, m, err := r.list(4, 8)
	if err != nil {
		return err
	}
	for i := range m {
		if count := int64(binary.LittleEndian.Uint64(r.b[views+8*i:])); count < 0 || count > int64(n) {
			return badMetadata()
		}
	}
	return nil
}

// checkFooter returns the numbers of dictionary and record messages in a file.
func checkFooter(b []byte) (dictionaries, records int, err error) {
	f, err := rootTable(b)
	if err != nil {
		return 0, 0, err
	}
	if _, dictionaries, err = f.list(2, 24); err != nil {
		return 0, 0, err
	}
	_, records, err = f.list(3, 24)
	return dictionaries, records, err
}
