package analysis

import (
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats/summary"
)

// deriver computes the derived columns of a batch. Its memory is used again, so
// that nothing is allocated per row.
type deriver struct {
	spec    *Spec
	steps   []*derivation
	batch   Batch
	columns []int // of batch
}

// derivation computes one derived column.
type derivation struct {
	spec    *DerivedSpec
	at      int       // position among the summarised columns
	of      []int     // of its operands
	cols    []*Column // of the batch
	out     Column
	floats  []float64
	bools   []bool
	codes   []int32
	valid   []bool
	nums    [][]float64  // operands as numbers, where they are converted
	names   Dict         // of Largest
	texts   []textColumn // operands as texts, where they are converted
	pairs   pairCodes    // of Paired
	match   dictMatch    // of a dictionary with the classes
	same    sameNames    // of Equal
	labels  []summary.Label
	outcome *Column // of Calibrated
}

func newDeriver(spec *Spec) *deriver {
	if len(spec.Derived) == 0 {
		return nil
	}
	d := &deriver{spec: spec}
	for _, i := range spec.steps() {
		one := &derivation{spec: &spec.Derived[i], at: len(spec.Columns) + i}
		for _, name := range one.spec.Of {
			one.of = append(one.of, spec.at(name))
		}
		one.cols, one.nums, one.texts = make([]*Column, len(one.of)), make([][]float64, len(one.of)), make([]textColumn, len(one.of))
		one.names.Values = one.spec.Classes
		d.steps = append(d.steps, one)
	}
	return d
}

// extend returns the batch with the derived columns that can be made from it, and
// the positions of all its columns.
func (d *deriver) extend(b *Batch, columns []int) (*Batch, []int) {
	d.batch.Rows = b.Rows
	d.batch.Columns = append(d.batch.Columns[:0], b.Columns...)
	d.columns = append(d.columns[:0], columns...)
	for _, s := range d.steps {
		if !slices.Contains(d.columns, s.of[0]) {
			continue // the operands come together, another time
		}
		for k, i := range s.of {
			s.cols[k] = &d.batch.Columns[slices.Index(d.columns, i)]
		}
		s.compute(b.Rows)
		d.batch.Columns = append(d.batch.Columns, s.out)
		d.columns = append(d.columns, s.at)
	}
	return &d.batch, d.columns
}

// compute makes the column for the rows of the batch.
func (s *derivation) compute(rows int) {
	s.out, s.outcome = Column{}, nil
	for _, c := range s.cols {
		if c.Type == Absent {
			return
		}
	}
	s.join(rows)
	ok := false
	switch s.spec.Op {
	case Minus, Distance, Squared, Pinball:
		ok = s.difference(rows)
	case Equal:
		ok = s.equal(rows)
	case Within:
		ok = s.within(rows)
	case Max, Largest:
		ok = s.largest(rows)
	case ClassLoss, ClassBrier:
		ok = s.classLoss(rows)
	case Paired:
		ok = s.paired(rows)
	case Calibrated:
		ok = s.calibrated()
	}
	if !ok {
		s.unfit(rows)
	}
}

// join finds the rows of which no operand is missing.
func (s *derivation) join(rows int) {
	s.valid = grow(s.valid, rows)
	for i := range s.valid {
		s.valid[i] = true
	}
	for _, c := range s.cols {
		for i, ok := range c.Valid {
			s.valid[i] = s.valid[i] && ok
		}
	}
}

// unfit is a column of texts that are all missing: the operands are of types that
// the operation cannot take.
func (s *derivation) unfit(rows int) {
	s.codes = grow(s.codes, rows)
	clear(s.valid)
	s.out = Column{Type: String, Codes: s.codes, Dict: &Dict{}, Valid: s.valid}
}

// number returns an operand as numbers, and false when it is none.
func (s *derivation) number(k int) ([]float64, bool) {
	c := s.cols[k]
	switch c.Type {
	case Float:
		return c.Floats, true
	case Int:
		s.nums[k] = grow(s.nums[k], len(c.Ints))
		for i, v := range c.Ints {
			s.nums[k][i] = float64(v)
		}
		return s.nums[k], true
	case Bool:
		s.nums[k] = grow(s.nums[k], len(c.Bools))
		for i, v := range c.Bools {
			s.nums[k][i] = float64(bit(v))
		}
		return s.nums[k], true
	case Absent, String, Time:
	}
	return nil, false
}

// numbers returns all operands as numbers.
func (s *derivation) numbers() ([][]float64, bool) {
	for k := range s.cols {
		x, ok := s.number(k)
		if !ok {
			return nil, false
		}
		s.nums[k] = x
	}
	return s.nums, true
}

func (s *derivation) floatColumn() {
	s.out = Column{Type: Float, Floats: s.floats, Valid: s.valid}
}

func (s *derivation) boolColumn() {
	s.out = Column{Type: Bool, Bools: s.bools, Valid: s.valid}
}

// difference computes what depends on a - b.
func (s *derivation) difference(rows int) bool {
	s.floats = grow(s.floats, rows)
	out := s.floats
	if a, b := s.cols[0], s.cols[1]; a.Type == Time && b.Type == Time {
		for i := range out {
			out[i] = seconds(a.Ints[i], b.Ints[i])
		}
	} else {
		x, okX := s.number(0)
		y, okY := s.number(1)
		if !okX || !okY {
			return false
		}
		for i := range out {
			out[i] = x[i] - y[i]
		}
	}
	switch q := s.spec.Q; s.spec.Op {
	case Distance:
		for i, d := range out {
			out[i] = math.Abs(d)
		}
	case Squared:
		for i, d := range out {
			out[i] = d * d
		}
	case Pinball:
		for i, d := range out {
			out[i] = math.Max(q*d, (q-1)*d)
		}
	default:
	}
	s.floatColumn()
	return true
}

// seconds is the time from b to a, both in microseconds.
func seconds(a, b int64) float64 {
	d := a - b
	if (a >= b) != (d >= 0) { // beyond 292,000 years
		return (float64(a) - float64(b)) / 1e6
	}
	return float64(d) / 1e6
}

// equal compares numbers, flags, times or texts.
func (s *derivation) equal(rows int) bool {
	s.bools = grow(s.bools, rows)
	a, b := s.cols[0], s.cols[1]
	switch {
	case a.Type == String || b.Type == String:
		if a, b = s.text(0), s.text(1); a == nil || b == nil {
			return false
		}
		place, same := s.same.of(a.Dict, b.Dict)
		for i := range s.bools {
			s.bools[i] = s.valid[i] && sound(a, i) && sound(b, i) && place[a.Codes[i]] == same[b.Codes[i]]
		}
	case a.Type == b.Type && (a.Type == Int || a.Type == Time):
		for i := range s.bools {
			s.bools[i] = a.Ints[i] == b.Ints[i]
		}
	default:
		x, okX := s.number(0)
		y, okY := s.number(1)
		if !okX || !okY {
			return false
		}
		for i := range s.bools {
			s.bools[i] = x[i] == y[i]
			s.valid[i] = s.valid[i] && x[i] == x[i] && y[i] == y[i]
		}
	}
	s.boolColumn()
	return true
}

// sound reports whether the code of a row is one of its dictionary. One that is
// not is reported where the column itself is counted.
func sound(c *Column, i int) bool { return uint(c.Codes[i]) < uint(len(c.Dict.Values)) }

// within tells whether the first operand is between the others.
func (s *derivation) within(rows int) bool {
	x, ok := s.numbers()
	if !ok {
		return false
	}
	s.bools = grow(s.bools, rows)
	for i := range s.bools {
		v, lo, hi := x[0][i], x[1][i], x[2][i]
		s.bools[i] = lo <= v && v <= hi
		s.valid[i] = s.valid[i] && v == v && lo == lo && hi == hi
	}
	s.boolColumn()
	return true
}

// largest finds the largest number of each row, or its class.
func (s *derivation) largest(rows int) bool {
	x, ok := s.numbers()
	if !ok {
		return false
	}
	s.floats, s.codes = grow(s.floats, rows), grow(s.codes, rows)
	for i := range rows {
		best, at := math.Inf(-1), int32(0)
		for k := range x {
			v := x[k][i]
			if v > best {
				best, at = v, int32(k)
			}
			s.valid[i] = s.valid[i] && v == v
		}
		s.floats[i], s.codes[i] = best, at
	}
	if s.spec.Op == Max {
		s.floatColumn()
		return true
	}
	s.out = Column{Type: String, Codes: s.codes, Dict: &s.names, Valid: s.valid}
	return true
}

// classProbability keeps the loss of a class that was ruled out finite, as that of
// a binary score is; see [summary.Scores.LogLoss].
const classProbability = 0x1p-52

// classLoss scores the probabilities of the classes against the class that
// happened. One that the columns do not name is missing.
func (s *derivation) classLoss(rows int) bool {
	label := s.text(0)
	if label == nil {
		return false
	}
	for k := 1; k < len(s.cols); k++ {
		x, ok := s.number(k)
		if !ok {
			return false
		}
		s.nums[k] = x
	}
	place := s.match.of(label.Dict, s.spec.Classes)
	s.floats = grow(s.floats, rows)
	for i := range rows {
		s.floats[i] = 0
		if !s.valid[i] || !sound(label, i) || place[label.Codes[i]] < 0 {
			s.valid[i] = false
			continue
		}
		truth := 1 + int(place[label.Codes[i]])
		if s.spec.Op == ClassLoss {
			p := s.nums[truth][i]
			s.floats[i] = -math.Log(math.Max(p, classProbability))
			s.valid[i] = p >= 0 && p <= 1
			continue
		}
		sum := 0.0
		for k := 1; k < len(s.nums); k++ {
			d := s.nums[k][i]
			if k == truth {
				d--
			}
			sum += float64(d * d)
		}
		s.floats[i] = sum
		s.valid[i] = sum == sum
	}
	s.floatColumn()
	return true
}

// calibrated is a probability with a flag as its outcome.
func (s *derivation) calibrated() bool {
	p, y := s.cols[0], s.cols[1]
	if p.Type != Float && p.Type != Int || y.Type == String || y.Type == Time {
		return false
	}
	s.out, s.outcome = *p, y
	return true
}

// dictMatch remembers where the values of one dictionary are among other names.
type dictMatch struct {
	from  *Dict
	names []string
	place []int32 // by code of from: place in names, or -1
	index map[string]int32
}

// of returns the place of each value of a dictionary among the names.
func (m *dictMatch) of(from *Dict, names []string) []int32 {
	if m.index == nil || len(m.names) != len(names) || len(names) > 0 && &m.names[0] != &names[0] {
		m.names, m.index, m.from = names, make(map[string]int32, len(names)), nil
		for i := len(names) - 1; i >= 0; i-- {
			m.index[names[i]] = int32(i)
		}
	}
	if m.from != from {
		m.from, m.place = from, m.place[:0]
	}
	m.place = slices.Grow(m.place, len(from.Values)-len(m.place))
	for _, v := range from.Values[len(m.place):] {
		at, ok := m.index[v]
		if !ok {
			at = -1
		}
		m.place = append(m.place, at)
	}
	return m.place
}

// calibrated returns what computes the summarised column at i, if that is one of
// probabilities with outcomes.
func (d *deriver) calibrated(i int) *derivation {
	if d == nil {
		return nil
	}
	at := slices.IndexFunc(d.steps, func(s *derivation) bool { return s.at == i && s.spec.Op == Calibrated })
	if at < 0 {
		return nil
	}
	return d.steps[at]
}

// addCalibrated counts probabilities together with their outcomes.
func (c *Collector) addCalibrated(sum *ColumnSummary, s *derivation, rows int) error {
	s.labels = grow(s.labels, rows)
	sum.InvalidLabels += readLabels(s.labels, s.outcome)
	return c.countScores(sum, &s.out, s.labels)
}
