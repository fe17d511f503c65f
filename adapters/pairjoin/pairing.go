package pairjoin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// pairing reads the two logs into a split and turns what is joined into batches.
type pairing struct {
	o         *Options
	id        string
	specs     [2]*analysis.Spec
	idAt      [2]int
	idType    analysis.Type // of both sides; Absent before it has been met
	idSide    int           // where it was met first
	hasID     [2]bool
	fields    []field // the score first
	collector *analysis.PairCollector

	joiner *joiner // nil before the first id
	split  *split

	outs      []out
	batch     analysis.Batch
	conflicts uint64
	text      []byte
}

// out is a column of the pairs.
type out struct {
	field   int // -1 for the unit that is the key
	side    int // whose word it is, unless it is the label
	label   bool
	convert bool // the label has different types and becomes a float
}

func newPairing(spec *analysis.PairSpec, o *Options, specs [2]*analysis.Spec) (*pairing, error) {
	collector, err := analysis.NewPairCollector(spec)
	if err != nil {
		return nil, err
	}
	if err := collector.MatureBefore(o.MatureBefore); err != nil {
		return nil, err
	}
	p := &pairing{o: o, id: o.ID, specs: specs, collector: collector}
	if p.id == "" {
		p.id = spec.Unit
	}
	for side, s := range specs {
		if s == nil || s.ByRole(analysis.Score) < 0 {
			return nil, fmt.Errorf("pairjoin: the rows of the %s come without a score; read what LogSpec says: %w", sides[side], stats.ErrMismatch)
		}
	}
	if p.idAt, err = place([2]string{p.id, p.id}, specs); err != nil {
		return nil, err
	}
	add := func(name [2]string) error {
		at, err := place(name, specs)
		f := field{name: name, from: at}
		f.names.limit = o.MemoryLimit / 4
		p.fields = append(p.fields, f)
		return err
	}
	scoreName := func(s *analysis.Spec) string { return s.Columns[s.ByRole(analysis.Score)].Name }
	if err := add([2]string{scoreName(specs[0]), scoreName(specs[1])}); err != nil {
		return nil, err
	}
	for _, c := range spec.Spec().Columns {
		switch c.Name {
		case spec.Baseline:
			p.outs = append(p.outs, out{field: 0, side: 0})
			continue
		case spec.Candidate:
			p.outs = append(p.outs, out{field: 0, side: 1})
			continue
		}
		p.outs = append(p.outs, out{field: len(p.fields), label: c.Name == spec.Label})
		if err := add([2]string{c.Name, c.Name}); err != nil {
			return nil, err
		}
		p.fields[len(p.fields)-1].unit = c.Name == spec.Unit && !sliced(spec, c.Name)
	}
	return p, nil
}

func sliced(spec *analysis.PairSpec, name string) bool {
	return slices.ContainsFunc(spec.Slices, func(c analysis.SliceSpec) bool { return slices.Contains(c.Names(), name) })
}

// begin chooses how rows are stored, once it is known what the ids are.
func (p *pairing) begin(typ analysis.Type) {
	p.idType = typ
	if typ == analysis.Int {
		// The key is the unit, then, and need not be carried beside.
		if k := slices.IndexFunc(p.fields, func(f field) bool { return f.unit && f.name[0] == p.id }); k >= 0 {
			p.fields = slices.Delete(p.fields, k, k+1)
			for i := range p.outs {
				switch at := &p.outs[i].field; {
				case *at == k:
					*at = -1
				case *at > k:
					*at--
				}
			}
		}
	}
	j := &joiner{layout: newLayout(typ == analysis.String, len(p.fields)), partitions: p.o.Partitions, limit: p.o.MemoryLimit, create: p.o.create, emit: p.emit}
	buffers := j.limit / 2
	j.pool = newPool(j.layout.size, int(min(maxBlock, buffers/int64(8*j.partitions))))
	j.buffers = max(1, int(buffers/int64(j.pool.block)))
	p.joiner, p.split = j, newSplit(j, 0)
}

// read shares out the rows of a log.
func (p *pairing) read(ctx context.Context, side int, rows Stream, s *Side) error {
	var b analysis.Batch
	for {
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		err := rows.Next(&b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("pairjoin: the log of the %s: %w", sides[side], err)
		}
		if err := sound(&b, p.specs[side]); err != nil {
			return fmt.Errorf("pairjoin: the log of the %s: %w", sides[side], err)
		}
		s.Rows += uint64(b.Rows)
		if err := p.add(side, &b, s); err != nil {
			return err
		}
	}
	score := &p.fields[0]
	switch {
	case s.Rows == 0:
	case !p.hasID[side]:
		return p.blame(side, "it has no column %q to join by", p.id)
	case p.joiner.count.rows[side] > 0 && score.types[side] == analysis.Absent:
		return p.blame(side, "it has no column %q, the score", score.name[side])
	}
	return nil
}

// blame says what is wrong with a log.
func (p *pairing) blame(side int, format string, args ...any) error {
	return fmt.Errorf("pairjoin: the log of the %s: %s: %w", sides[side], fmt.Sprintf(format, args...), stats.ErrMismatch)
}

func (p *pairing) add(side int, b *analysis.Batch, s *Side) error {
	ids := &b.Columns[p.idAt[side]]
	switch ids.Type {
	case analysis.Absent:
		s.NoID += uint64(b.Rows)
		return nil
	case analysis.Int, analysis.String:
	case analysis.Float, analysis.Bool, analysis.Time:
		return p.blame(side, "the id %q is %v; an id is an integer or a text", p.id, ids.Type)
	}
	switch {
	case p.idType == analysis.Absent:
		p.begin(ids.Type)
		p.idSide = side
	case p.idType != ids.Type:
		return p.blame(side, "the id %q is %v here and %v in what was read before, the log of the %s; write both with one type", p.id, ids.Type, p.idType, sides[p.idSide])
	}
	p.hasID[side] = true
	for i := range p.fields {
		f := &p.fields[i]
		if err := f.read(side, &b.Columns[f.from[side]], b.Rows); err != nil {
			return fmt.Errorf("pairjoin: the log of the %s: %w", sides[side], err)
		}
	}
	for i := range b.Rows {
		if ids.Valid != nil && !ids.Valid[i] {
			s.NoID++
			continue
		}
		k, err := p.key(side, ids, i)
		if err != nil {
			return err
		}
		row, err := p.split.place(side, k)
		if err != nil {
			return err
		}
		p.joiner.count.rows[side]++
		l := &p.joiner.layout
		l.begin(row, k)
		for c := range p.fields {
			if f := &p.fields[c]; f.words != nil && (f.valid == nil || f.valid[i]) {
				l.set(row, c, f.words[i])
			}
		}
	}
	return nil
}

func (p *pairing) key(side int, ids *analysis.Column, i int) (key, error) {
	if ids.Type == analysis.Int {
		return intKey(ids.Ints[i]), nil
	}
	code := ids.Codes[i]
	if uint(code) >= uint(len(ids.Dict.Values)) {
		return key{}, p.blame(side, "the id %q: code %d of a dictionary of %d", p.id, code, len(ids.Dict.Values))
	}
	p.text = append(p.text[:0], ids.Dict.Values[code]...)
	return textKey(p.text), nil
}

// join joins what was read.
func (p *pairing) join(ctx context.Context) error {
	if p.joiner == nil {
		return nil
	}
	if err := p.split.settle(); err != nil {
		return err
	}
	if err := p.prepare(); err != nil {
		return err
	}
	if err := p.joiner.join(ctx, p.split); err != nil {
		return err
	}
	return p.flush()
}

// pairRows is the size of the batches of pairs.
const pairRows = 4096

// prepare makes the columns of the batch of pairs.
func (p *pairing) prepare() error {
	p.batch.Columns = make([]analysis.Column, len(p.outs))
	for i := range p.outs {
		o, c := &p.outs[i], &p.batch.Columns[i]
		if o.field < 0 {
			c.Type = analysis.Int
		} else if err := p.source(o, c); err != nil {
			return err
		}
		c.Valid = make([]bool, 0, pairRows)
		switch c.Type {
		case analysis.Absent:
			c.Valid = nil
		case analysis.Float:
			c.Floats = make([]float64, 0, pairRows)
		case analysis.Int, analysis.Time:
			c.Ints = make([]int64, 0, pairRows)
		case analysis.Bool:
			c.Bools = make([]bool, 0, pairRows)
		case analysis.String:
			c.Codes, c.Dict = make([]int32, 0, pairRows), &p.fields[o.field].names.all
		}
	}
	return nil
}

// source chooses the side and the type of a column of the pairs.
func (p *pairing) source(o *out, c *analysis.Column) error {
	f := &p.fields[o.field]
	a, b := f.types[0], f.types[1]
	switch {
	case o.field == 0:
	case a == analysis.Absent:
		o.side = 1
	case o.label && b != analysis.Absent && a != b:
		for side, t := range f.types {
			if t != analysis.Bool && t != analysis.Int && t != analysis.Float {
				return fmt.Errorf("pairjoin: the label %q is %v in the log of the %s and %v in that of the %s: %w", f.name[side], t, sides[side], f.types[1-side], sides[1-side], stats.ErrMismatch)
			}
		}
		o.convert = true
		c.Type = analysis.Float
		return nil
	}
	c.Type = f.types[o.side]
	return nil
}

// emit takes a pair.
func (p *pairing) emit(baseline, candidate []byte) error {
	l := &p.joiner.layout
	rows := [2][]byte{baseline, candidate}
	for i := range p.outs {
		o, c := &p.outs[i], &p.batch.Columns[i]
		if c.Type == analysis.Absent {
			continue
		}
		var word uint64
		ok := true
		switch {
		case o.field < 0:
			word = l.key(baseline).low
		case o.label:
			word, ok = p.label(o, rows)
		default:
			word, ok = l.get(rows[o.side], o.field)
		}
		c.Valid = append(c.Valid, ok)
		switch c.Type {
		case analysis.Float:
			c.Floats = append(c.Floats, math.Float64frombits(word))
		case analysis.Int, analysis.Time:
			c.Ints = append(c.Ints, int64(word))
		case analysis.Bool:
			c.Bools = append(c.Bools, word != 0)
		case analysis.String:
			c.Codes = append(c.Codes, int32(word))
		case analysis.Absent:
		}
	}
	if p.batch.Rows++; p.batch.Rows == pairRows {
		return p.flush()
	}
	return nil
}

// label is that of either row, unless they contradict each other.
func (p *pairing) label(o *out, rows [2][]byte) (word uint64, ok bool) {
	var words [2]uint64
	var has [2]bool
	for side, row := range rows {
		words[side], has[side] = p.joiner.layout.get(row, o.field)
		if o.convert && has[side] {
			words[side] = floatWord(p.fields[o.field].types[side], words[side])
		}
	}
	switch {
	case !has[0]:
		return words[1], has[1]
	case !has[1] || words[0] == words[1]:
		return words[0], true
	case p.batchType(o) == analysis.Float && math.Float64frombits(words[0]) == math.Float64frombits(words[1]):
		return 0, true // the two zeros
	}
	p.conflicts++
	return 0, false
}

// batchType is the type that the label of a pair has.
func (p *pairing) batchType(o *out) analysis.Type {
	if o.convert {
		return analysis.Float
	}
	return p.fields[o.field].types[o.side]
}

// floatWord converts a word of a number or flag to that of a float.
func floatWord(t analysis.Type, word uint64) uint64 {
	if t == analysis.Float {
		return word
	}
	return math.Float64bits(float64(int64(word)))
}

// flush counts the pairs of the batch.
func (p *pairing) flush() error {
	if p.batch.Rows == 0 {
		return nil
	}
	if err := p.collector.Add(&p.batch); err != nil {
		return fmt.Errorf("pairjoin: %w", err)
	}
	p.batch.Rows = 0
	for i := range p.batch.Columns {
		c := &p.batch.Columns[i]
		c.Valid, c.Floats, c.Ints, c.Bools, c.Codes = clip(c.Valid), clip(c.Floats), clip(c.Ints), clip(c.Bools), clip(c.Codes)
	}
	return nil
}

// clip empties a slice and keeps its memory.
func clip[T any](s []T) []T {
	if s == nil {
		return nil
	}
	return s[:0]
}
