package analysis

import (
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// The rows of a block are sorted by slice, and the values of each slice are
// counted together, as those of a column are. Nothing is allocated per row.

// sliceBlock is the number of rows that are sorted at once: many, so that a slice
// gets many, but not more than stay in the cache.
const sliceBlock = 1 << 14

// denseBits bounds the tables that take the codes of a row to its slice.
const denseBits = 16

// slicer tells the rows of batches apart by slice.
type slicer struct {
	coders  []*coder
	crosses []cross
	label   int    // index of the label column in the spec, or -1
	mature  []bool // by row of the batch: whether its label counts; empty when all do

	labels []summary.Label // of the batch, when they are needed
	place  []int32         // by row of the block: the slice it is in
	order  []int32         // rows, slice by slice
	ends   []int32         // by slice: the end of its rows in order
	floats []float64       // values of one slice
	flags  []bool
	valid  []bool
}

// cross tells rows apart in one cross.
type cross struct {
	table    *SliceTable
	coders   []*coder
	measures []measure
	active   bool // whether the batch holds its columns

	dense   bool
	scores  []scoreBuffer // by slice, Other first
	places  []int32       // by codes: the slice; unknownSlice until it was asked for
	epochs  []int         // of the coders, that places is for
	widths  []int
	key     []byte
	indexes []uint32
}

const unknownSlice = -2

// scoreBuffer holds scores of a slice until there are many: the cells of all
// slices together are more than stay in the cache, and counting many scores of
// one slice at a time saves most of the way to the memory.
type scoreBuffer struct {
	scores []float64
	labels []summary.Label
}

const bufferedScores = 1 << 13

// measure is a column that is summarised in each slice.
type measure struct {
	column int // in the spec
	sub    int // in the spec of a slice
	role   measureRole
	col    *Column
}

type measureRole int8

const (
	plainMeasure measureRole = iota
	scoreMeasure             // with the labels
	labelMeasure             // read as labels
)

func newSlicer(c *Collector) *slicer {
	s := &slicer{label: c.label}
	all, of := newCoders(c.spec)
	s.coders = all
	for i := range c.spec.Slices {
		x := cross{table: &c.snap.Slices[i], coders: of[i]}
		sub := x.table.sub
		for _, name := range c.spec.Slices[i].Measures {
			m := measure{column: c.spec.at(name), sub: sub.Index(name)}
			switch m.column {
			case c.score:
				m.role = scoreMeasure
			case c.label:
				if c.score >= 0 {
					m.role = labelMeasure
				}
			}
			x.measures = append(x.measures, m)
		}
		s.crosses = append(s.crosses, x)
	}
	return s
}

// restart goes on with the tables of a new snapshot.
func (s *slicer) restart(snap *Snapshot) {
	for i := range s.crosses {
		s.crosses[i].table = &snap.Slices[i]
		s.crosses[i].epochs = nil
	}
}

// add counts the rows of a batch that holds the given columns of the spec.
func (s *slicer) add(b *Batch, columns []int, label *Column) error {
	pick := func(i int) *Column {
		if k := slices.Index(columns, i); k >= 0 {
			return &b.Columns[k]
		}
		return nil
	}
	for _, k := range s.coders {
		k.begin(pick(k.column))
	}
	labelled := false
	for i := range s.crosses {
		x := &s.crosses[i]
		x.active = x.coders[0].col != nil
		for j := range x.measures {
			m := &x.measures[j]
			m.col = pick(m.column)
			labelled = labelled || x.active && m.role != plainMeasure
		}
	}
	if labelled {
		s.labels = grow(s.labels, b.Rows)
		readLabels(s.labels, label)
	}
	for from := 0; from < b.Rows; from += sliceBlock {
		to := min(from+sliceBlock, b.Rows)
		if err := s.addBlock(from, to); err != nil {
			return err
		}
	}
	return nil
}

func (s *slicer) addBlock(from, to int) error {
	for _, k := range s.coders {
		if k.col == nil {
			continue
		}
		if err := k.fill(from, to); err != nil {
			return err
		}
	}
	s.place, s.order = grow(s.place, to-from), grow(s.order, to-from)
	for i := range s.crosses {
		x := &s.crosses[i]
		if !x.active {
			continue
		}
		x.assign(s.place)
		if x.table.crowded() {
			if err := x.flush(); err != nil {
				return err
			}
			moved := x.table.shrink()
			relocate(s.place, moved)
			relocate(x.places, moved)
		}
		s.sort(len(x.table.kept))
		if err := s.count(x, from); err != nil {
			return err
		}
	}
	return nil
}

func relocate(places, moved []int32) {
	for i, p := range places {
		if p >= 0 {
			places[i] = moved[p]
		}
	}
}

// assign finds the slice of each row of the block.
func (x *cross) assign(place []int32) {
	x.layout()
	if !x.dense {
		x.assignSparse(place)
		return
	}
	index := x.coders[0].codes
	if len(x.coders) > 1 {
		x.indexes = grow(x.indexes, len(place))
		copy(x.indexes, index)
		index = x.indexes
		for c, k := range x.coders[1:] {
			w, codes := x.widths[c+1]%32, k.codes[:len(index)]
			for i, code := range codes {
				index[i] = index[i]<<w | code
			}
		}
	}
	for i, at := range index {
		p := x.places[at]
		if p == unknownSlice {
			p = x.resolve(i)
			x.places[at] = p
		}
		place[i] = p
	}
}

// layout sees to it that the table of places fits the codes there are.
func (x *cross) layout() {
	same, total := len(x.epochs) == len(x.coders), 0
	for i, k := range x.coders {
		w := k.width()
		total += w
		same = same && x.epochs[i] == k.epoch && x.widths[i] == w
	}
	if same {
		return
	}
	x.epochs, x.widths = x.epochs[:0], x.widths[:0]
	for _, k := range x.coders {
		x.epochs, x.widths = append(x.epochs, k.epoch), append(x.widths, k.width())
	}
	x.places = x.places[:0]
	if x.dense = total <= denseBits; x.dense {
		x.places = grow(x.places, 1<<total)
		for i := range x.places {
			x.places[i] = unknownSlice
		}
	}
}

// assignSparse is assign for so many combinations of codes that a table of all
// would be too large. Then most rows are in slices that are not kept, which their
// hash tells.
func (x *cross) assignSparse(place []int32) {
	for _, k := range x.coders {
		k.hashed()
	}
	for i := range place {
		h := uint64(0)
		for _, k := range x.coders {
			h = foldHash(h, k.rows[i])
		}
		place[i] = otherSlice
		if x.table.mayKeep(h) {
			place[i] = x.resolve(i)
		}
	}
}

// resolve finds the slice of a row by its values.
func (x *cross) resolve(row int) int32 {
	key, h := x.key[:0], uint64(0)
	for _, k := range x.coders {
		code := k.codes[row]
		key, h = k.appendTo(key, code), foldHash(h, k.hash(code))
	}
	x.key = key
	return x.table.place(key, h)
}

// sort orders the rows of the block by slice; there are n of them and Other.
func (s *slicer) sort(n int) {
	s.ends = grow(s.ends, n+2)
	clear(s.ends)
	for _, p := range s.place {
		s.ends[p+2]++
	}
	for i := 1; i < len(s.ends); i++ {
		s.ends[i] += s.ends[i-1]
	}
	for i, p := range s.place {
		s.order[s.ends[p+1]] = int32(i)
		s.ends[p+1]++
	}
}

// count adds the sorted rows of a block that begins at a row of the batch.
func (s *slicer) count(x *cross, from int) error {
	begin := int32(0)
	for i := range len(x.table.kept) + 1 {
		rows := s.order[begin:s.ends[i]]
		begin = s.ends[i]
		if len(rows) == 0 {
			continue
		}
		snap := x.table.rowsOf(int32(i) - 1)
		snap.RowCount += uint64(len(rows))
		for j := range x.measures {
			m := &x.measures[j]
			if err := s.measure(x, i, m, rows, from); err != nil {
				return fmt.Errorf("analysis: column %q in slices: %w", snap.Columns[m.sub].Name, err)
			}
		}
	}
	return nil
}

// measure adds the values of a column in some rows of a block, which are those of
// the slice at a place, counted from 0 for Other.
func (s *slicer) measure(x *cross, at int, m *measure, rows []int32, from int) error {
	col, sum := m.col, &x.table.rowsOf(int32(at) - 1).Columns[m.sub]
	if err := sum.see(col.Type, uint64(len(rows))); err != nil {
		return err
	}
	if m.column == s.label && len(s.mature) > 0 {
		sum.countImmature(s.mature, rows, from)
	}
	var valid []bool
	if col.Valid != nil {
		valid = col.Valid[from:]
	}
	switch {
	case m.role == labelMeasure:
		sum.addLabels(s.labels[from:], rows)
	case col.Type == Bool && m.role == plainMeasure:
		s.flags = pickRows(s.flags, col.Bools[from:], rows)
		if valid != nil {
			s.valid = pickRows(s.valid, valid, rows)
			return sum.Boolean.AddSlice(s.flags, s.valid)
		}
		return sum.Boolean.AddSlice(s.flags, nil)
	case col.Type == Float || col.Type == Int:
		present := s.present(col, valid, rows, from)
		if m.role == scoreMeasure {
			s.bufferScores(x, at, sum, valid, rows, from, present)
			return x.scores[at].flush(sum, bufferedScores)
		}
		sum.Numeric.AddNull(uint64(len(rows) - present))
		sum.addFloats(s.floats[:present])
	}
	return nil // the type is known; the schema check reports it
}

// present gathers the numbers that are not missing and returns how many there are.
func (s *slicer) present(col *Column, valid []bool, rows []int32, from int) int {
	s.floats = grow(s.floats, len(rows))
	out := s.floats
	if col.Type == Float {
		in := col.Floats[from:]
		for i, r := range rows {
			out[i] = in[r]
		}
	} else {
		in := col.Ints[from:]
		for i, r := range rows {
			out[i] = float64(in[r])
		}
	}
	if valid == nil {
		return len(rows)
	}
	n := 0
	for i, r := range rows {
		out[n] = out[i]
		n += int(bit(valid[r]))
	}
	return n
}

// bufferScores adds the gathered scores with their labels to the buffer of the
// slice.
func (s *slicer) bufferScores(x *cross, at int, sum *ColumnSummary, valid []bool, rows []int32, from, present int) {
	for len(x.scores) <= at {
		x.scores = append(x.scores, scoreBuffer{})
	}
	b, labels := &x.scores[at], s.labels[from:]
	b.scores = append(b.scores, s.floats[:present]...)
	if valid == nil {
		for _, r := range rows {
			b.labels = append(b.labels, labels[r])
		}
		return
	}
	for _, r := range rows {
		if valid[r] {
			b.labels = append(b.labels, labels[r])
		} else {
			sum.Scores.AddNull(1, labels[r])
		}
	}
}

// flush counts the scores in the buffer, if there are as many as given.
func (b *scoreBuffer) flush(sum *ColumnSummary, least int) error {
	if len(b.scores) < least {
		return nil
	}
	err := sum.Scores.AddSlice(b.scores, b.labels)
	b.scores, b.labels = b.scores[:0], b.labels[:0]
	return err
}

// flush counts all scores that are in buffers.
func (x *cross) flush() error {
	at := slices.IndexFunc(x.measures, func(m measure) bool { return m.role == scoreMeasure })
	for i := range x.scores {
		if len(x.scores[i].scores) == 0 {
			continue
		}
		if err := x.scores[i].flush(&x.table.rowsOf(int32(i) - 1).Columns[x.measures[at].sub], 1); err != nil {
			return err
		}
	}
	return nil
}

// flush makes the tables complete.
func (s *slicer) flush() error {
	for i := range s.crosses {
		if err := s.crosses[i].flush(); err != nil {
			return err
		}
	}
	return nil
}

// addLabels counts the labels of some rows.
func (c *ColumnSummary) addLabels(labels []summary.Label, rows []int32) {
	positive, labelled := uint64(0), uint64(0)
	for _, r := range rows {
		l := labels[r]
		positive += uint64(l >> 1)
		labelled += uint64(l>>1 | l&1)
	}
	c.Boolean.True += positive
	c.Boolean.False += labelled - positive
	c.Boolean.Null += uint64(len(rows)) - labelled
}

func pickRows[T any](dst, src []T, rows []int32) []T {
	dst = grow(dst, len(rows))
	for i, r := range rows {
		dst[i] = src[r]
	}
	return dst
}

// whole makes sure that the columns of a batch that belong together came
// together.
func (c *Collector) whole(columns []int) error {
	for _, part := range c.parts {
		have, lack := -1, -1
		for _, i := range part {
			if slices.Contains(columns, i) {
				have = i
			} else {
				lack = i
			}
		}
		if have >= 0 && lack >= 0 {
			return fmt.Errorf("analysis: columns %q and %q must come together: %w", c.spec.Columns[have].Name, c.spec.Columns[lack].Name, stats.ErrMismatch)
		}
	}
	return nil
}
