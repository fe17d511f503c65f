package analysis

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/rampguard/rampguard/stats"
)

func (t *SliceTable) appendBinary(b []byte) ([]byte, error) {
	var err error
	b = binary.AppendUvarint(b, t.bound)
	b = binary.AppendUvarint(b, uint64(len(t.kept)))
	for _, s := range t.sorted() {
		b = appendBlob(b, []byte(s.key))
		b = binary.AppendUvarint(b, s.snap.RowCount)
		if b, err = s.snap.appendColumns(b); err != nil {
			return nil, err
		}
	}
	if t.bound == 0 {
		return b, nil
	}
	b = binary.AppendUvarint(b, t.other.RowCount)
	return t.other.appendColumns(b)
}

// decode reads the table of a snapshot with the given columns and number of rows.
func (t *SliceTable) decode(r *blobReader, s *Snapshot) error {
	t.bound = r.uint()
	last := ""
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		key := string(r.blob())
		if key <= last {
			return t.damaged("keys out of order")
		}
		last = key
		if err := t.read(key, r, s); err != nil {
			return err
		}
	}
	if t.bound != 0 && r.err == nil {
		if err := t.read("", r, s); err != nil {
			return err
		}
	}
	if r.err != nil {
		return r.err
	}
	return t.check(s)
}

// read reads one slice, or Other for the empty key.
func (t *SliceTable) read(key string, r *blobReader, s *Snapshot) error {
	snap, err := t.insert(key)
	if err != nil {
		return err
	}
	snap.RowCount = r.uint()
	if err := snap.decodeColumns(r); err != nil {
		return err
	}
	return t.sameTypes(snap, s)
}

// insert makes room for a slice that was read.
func (t *SliceTable) insert(key string) (*Snapshot, error) {
	if key == "" {
		return t.rowsOf(otherSlice), nil
	}
	n := len(t.spec.Columns)
	if _, ok := partsOfKey(key, n); !ok {
		return nil, t.damaged("a slice without a proper key")
	}
	if _, twice := t.at[key]; twice {
		return nil, t.damaged("a slice is there twice")
	}
	at := t.place([]byte(key), hashKey(key, n))
	if at == otherSlice {
		return nil, t.damaged("a slice that was not to be kept")
	}
	return t.rowsOf(at), nil
}

// sameTypes makes sure that columns have the same types in a slice as in all rows.
func (t *SliceTable) sameTypes(snap, s *Snapshot) error {
	for i := range snap.Columns {
		c := &snap.Columns[i]
		if whole := s.Column(c.Name); c.Type != Absent && c.Type != whole.Type {
			return t.damaged(fmt.Sprintf("column %q is %v in a slice and %v in the log", c.Name, c.Type, whole.Type))
		}
	}
	return nil
}

func (t *SliceTable) check(s *Snapshot) error {
	if why := t.validate(s.RowCount); why != "" {
		return t.damaged(why)
	}
	return nil
}

func (t *SliceTable) damaged(why string) error {
	return fmt.Errorf("analysis: Snapshot: slices of %q: %s: %w", t.spec.Names(), why, stats.ErrMismatch)
}

type slicesJSON struct {
	Bound  uint64      `json:"bound,omitempty"`
	Slices []sliceJSON `json:"slices"`
	Other  *sliceJSON  `json:"other,omitempty"`
}

// sliceJSON is one slice. Its values are texts or null, one per column of the
// cross; one that is not valid UTF-8 is in Bytes instead, by column.
type sliceJSON struct {
	Values  []*string      `json:"values,omitempty"`
	Bytes   map[int][]byte `json:"bytes,omitempty"`
	Rows    uint64         `json:"rows"`
	Columns []columnJSON   `json:"columns"`
}

func (t *SliceTable) json() slicesJSON {
	j := slicesJSON{Bound: t.bound, Slices: []sliceJSON{}}
	for _, s := range t.sorted() {
		one := sliceJSON{Rows: s.snap.RowCount, Columns: s.snap.columnsJSON()}
		parts, _ := partsOfKey(s.key, len(t.spec.Columns))
		for i, p := range parts {
			switch {
			case p.ok && utf8.ValidString(p.value):
				one.Values = append(one.Values, &p.value)
			case p.ok:
				if one.Bytes == nil {
					one.Bytes = map[int][]byte{}
				}
				one.Bytes[i] = []byte(p.value)
				fallthrough
			default:
				one.Values = append(one.Values, nil)
			}
		}
		j.Slices = append(j.Slices, one)
	}
	if t.bound != 0 {
		j.Other = &sliceJSON{Rows: t.other.RowCount, Columns: t.other.columnsJSON()}
	}
	return j
}

func (t *SliceTable) fromJSON(j *slicesJSON, s *Snapshot) error {
	t.bound = j.Bound
	read := func(key string, one *sliceJSON) error {
		snap, err := t.insert(key)
		if err != nil {
			return err
		}
		snap.RowCount = one.Rows
		if err := snap.setColumns(one.Columns); err != nil {
			return err
		}
		return t.sameTypes(snap, s)
	}
	for i := range j.Slices {
		one := &j.Slices[i]
		if len(one.Values) == 0 {
			return t.damaged("a slice without values")
		}
		var key []byte
		for k, v := range one.Values {
			b, raw := one.Bytes[k]
			switch {
			case v != nil && !raw:
				key = appendPart(key, *v, true)
			case raw && v == nil && !utf8.Valid(b):
				key = appendPart(key, b, true)
			case !raw:
				key = appendPart(key, "", false)
			default:
				return t.damaged("a slice without one value per column")
			}
		}
		if err := read(string(key), one); err != nil {
			return err
		}
	}
	if j.Other != nil {
		if err := read("", j.Other); err != nil {
			return err
		}
	}
	return t.check(s)
}
