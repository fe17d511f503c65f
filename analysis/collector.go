package analysis

import (
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Collector turns rows into a [Snapshot], in one pass and in memory that does
// not grow with the number of rows. It is for one goroutine: make one per worker
// and merge their snapshots; the result does not depend on how the rows were
// shared out.
type Collector struct {
	spec    *Spec
	snap    *Snapshot
	all     []int        // the indexes of the columns of spec
	rows    []uint64     // per column: rows counted
	pending []dictCounts // per column: codes counted but not yet named
	label   int          // index of the label column in the spec, or -1
	score   int          // index of the score column of a binary task, or -1
	parts   [][]int      // the columns that must come together, where there is more than one
	slicer  *slicer      // nil when the spec asks for no slices
	finder  *finder      // nil when the spec asks for no discovery of slices
	derive  *deriver     // nil when the spec derives no columns
	age     ager
	labels  []summary.Label
	scratch []float64
	bad     error
}

// dictCounts counts the codes of one dictionary until another one comes. The
// count of a code is the sum over the two tables, of which the second may be
// shorter.
type dictCounts struct {
	dict   *Dict
	counts [2][]uint64
}

// oneTable is the size from which on a dictionary is counted in one table:
// neighbours then are rarely the same, and another table is much memory.
const oneTable = 1 << 16

// n is the count of a code.
func (p *dictCounts) n(code int) uint64 {
	n := p.counts[0][code]
	if code < len(p.counts[1]) {
		n += p.counts[1][code]
	}
	return n
}

// NewCollector returns an empty collector for the columns of spec.
func NewCollector(spec *Spec) *Collector {
	n := len(spec.Columns) + len(spec.Derived)
	c := &Collector{spec: spec, snap: newSnapshot(spec), all: make([]int, len(spec.Columns)), derive: newDeriver(spec), rows: make([]uint64, n), pending: make([]dictCounts, n), label: spec.ByRole(Label), score: -1}
	for i := range c.all {
		c.all[i] = i
	}
	if spec.Task == Binary {
		c.score = spec.ByRole(Score)
	}
	c.parts = together(spec.Parts())
	if len(spec.Slices) > 0 {
		c.slicer = newSlicer(c)
	}
	c.finder = newFinder(c)
	return c
}

// Add counts the rows of b and does not keep any of its memory, except for the
// dictionaries of its String columns.
//
// A batch that breaks the contract of [Batch], or a column whose type differs
// from that of earlier batches, is an error wrapping [stats.ErrMismatch] that
// names the column; the collector is then spoiled, and Snapshot returns the same
// error, so that no verdict can rest on part of the data.
func (c *Collector) Add(b *Batch) error { return c.AddColumns(b, c.all) }

// AddColumns is Add for a part of the columns: b.Columns[k] is that of the spec
// with the index columns[k]. So a source may hand over one column after another,
// which keeps little memory in use. It must give every row of every column once,
// and the columns of a part of [Spec.Parts] together: an AddColumns with some of
// them, or a Snapshot or Take when columns have had different numbers of rows, is
// an error wrapping [stats.ErrMismatch].
func (c *Collector) AddColumns(b *Batch, columns []int) error {
	if c.bad == nil {
		c.bad = c.addColumns(b, columns)
	}
	return c.bad
}

func (c *Collector) addColumns(b *Batch, columns []int) error {
	if err := b.check(c.spec, columns); err != nil {
		return err
	}
	if err := c.whole(columns); err != nil {
		return err
	}
	if c.age.on() {
		b = c.ripe(b, columns)
	}
	var label *Column
	if k := slices.Index(columns, c.label); k >= 0 {
		label = &b.Columns[k]
	}
	if c.derive != nil {
		b, columns = c.derive.extend(b, columns)
	}
	if len(c.all) == 0 {
		c.snap.RowCount += uint64(b.Rows)
	}
	for k, i := range columns {
		c.rows[i] += uint64(b.Rows)
		if i == c.label && c.score >= 0 {
			continue // counted together with the score
		}
		if err := c.addColumn(i, &b.Columns[k], label, b.Rows); err != nil {
			return err
		}
	}
	if c.slicer != nil {
		c.slicer.mature = c.age.mature
		if err := c.slicer.add(b, columns, label); err != nil {
			return err
		}
	}
	if c.finder != nil {
		return c.finder.add(b, columns, label)
	}
	return nil
}

func (c *Collector) addColumn(i int, col, label *Column, rows int) error {
	sum := &c.snap.Columns[i]
	if err := sum.see(col.Type, uint64(rows)); err != nil {
		return err
	}
	if i == c.score {
		return c.addScores(sum, col, label, rows)
	}
	if s := c.derive.calibrated(i); s != nil && col.Type != Absent && s.outcome != nil {
		return c.addCalibrated(sum, s, rows)
	}
	if sum.Role == Unit {
		return c.addUnits(i, sum, col)
	}
	switch col.Type {
	case Absent:
		return nil
	case Float:
		sum.addFloats(c.present(col.Floats, col.Valid, sum))
		return nil
	case Int:
		sum.addFloats(c.present(c.floats(col.Ints), col.Valid, sum))
		return nil
	case Bool:
		return sum.Boolean.AddSlice(col.Bools, col.Valid)
	case Time:
		sum.Clock.add(col.Ints, col.Valid)
		return nil
	case String:
		return c.addCodes(i, sum, col)
	}
	return fmt.Errorf("analysis: column %q has type %v: %w", sum.Name, col.Type, stats.ErrDomain)
}

// present returns the values that are not missing and counts the missing ones.
func (c *Collector) present(xs []float64, valid []bool, sum *ColumnSummary) []float64 {
	if valid == nil {
		return xs
	}
	c.scratch = grow(c.scratch, len(xs))
	n := 0
	for i, x := range xs {
		c.scratch[n] = x
		n += int(bit(valid[i]))
	}
	sum.Numeric.AddNull(uint64(len(xs) - n))
	return c.scratch[:n]
}

// floats converts integers to the nearest float64.
func (c *Collector) floats(xs []int64) []float64 {
	c.scratch = grow(c.scratch, len(xs))
	for i, x := range xs {
		c.scratch[i] = float64(x)
	}
	return c.scratch[:len(xs)]
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// addCodes counts dictionary codes; names are looked at once per dictionary.
func (c *Collector) addCodes(i int, sum *ColumnSummary, col *Column) error {
	p := &c.pending[i]
	if p.dict != col.Dict {
		c.flush(i)
		p.dict = col.Dict
	}
	null, bad := p.add(col.Codes, col.Valid)
	if bad >= 0 {
		return fmt.Errorf("analysis: column %q: code %d of a dictionary of %d: %w", sum.Name, col.Codes[bad], len(col.Dict.Values), stats.ErrMismatch)
	}
	if sum.Role == Unit {
		sum.Units.AddNull(null)
	} else {
		sum.Category.AddNull(null)
	}
	return nil
}

// add counts codes. It returns how many are missing, and the place of the first
// code outside the dictionary or -1.
func (p *dictCounts) add(codes []int32, valid []bool) (null uint64, bad int) {
	size := len(p.dict.Values)
	for k := range p.counts {
		if grown := size - len(p.counts[k]); grown > 0 && (k == 0 || size < oneTable) {
			p.counts[k] = append(p.counts[k], make([]uint64, grown)...)
		}
	}
	even, odd := p.counts[0], p.counts[1]
	if valid != nil {
		for k, code := range codes {
			switch {
			case !valid[k]:
				null++
			case uint(code) < uint(len(even)):
				even[code]++
			default:
				return null, k
			}
		}
		return null, -1
	}
	// Neighbours often are the same, and an increment waits for the one before
	// it: two tables halve the wait.
	if len(odd) < len(even) {
		odd = even
	}
	odd = odd[:len(even)]
	k := 0
	for ; k+1 < len(codes); k += 2 {
		a, b := uint(codes[k]), uint(codes[k+1])
		if a >= uint(len(even)) || b >= uint(len(even)) {
			break
		}
		even[a]++
		odd[b]++
	}
	for ; k < len(codes); k++ {
		code := uint(codes[k])
		if code >= uint(len(even)) {
			return 0, k
		}
		even[code]++
	}
	return 0, -1
}

// flush gives the pending counts of a column to its summary by name.
func (c *Collector) flush(i int) {
	p := &c.pending[i]
	if p.dict == nil {
		return
	}
	sum := &c.snap.Columns[i]
	for code := range p.counts[0] {
		n := p.n(code)
		if sum.Role == Unit {
			sum.Units.AddString(p.dict.Values[code], n)
		} else {
			sum.Category.AddN(p.dict.Values[code], n)
		}
	}
	for k := range p.counts {
		clear(p.counts[k])
		p.counts[k] = p.counts[k][:0]
	}
}

func (c *Collector) addUnits(i int, sum *ColumnSummary, col *Column) error {
	switch col.Type {
	case Absent:
		return nil
	case Int, Time:
		return sum.Units.AddInts(col.Ints, col.Valid)
	case String:
		return c.addCodes(i, sum, col)
	case Float, Bool:
	}
	return fmt.Errorf("analysis: column %q is the unit but has type %v; a unit is an integer or a string: %w", sum.Name, col.Type, stats.ErrMismatch)
}

// addScores counts the scores of a binary task together with their labels.
func (c *Collector) addScores(sum *ColumnSummary, col, label *Column, rows int) error {
	ls, err := c.rowLabels(label, rows)
	if err != nil {
		return err
	}
	return c.countScores(sum, col, ls)
}

// countScores counts scores with their labels.
func (c *Collector) countScores(sum *ColumnSummary, col *Column, ls []summary.Label) error {
	switch col.Type {
	case Absent:
		return nil
	case Float, Int:
	case Bool, String, Time:
		return nil // the type is recorded; the schema check reports it
	}
	xs := col.Floats
	if col.Type == Int {
		xs = c.floats(col.Ints)
	}
	if col.Valid != nil {
		xs, ls = c.dropNullScores(sum, xs, ls, col.Valid)
	}
	return sum.Scores.AddSlice(xs, ls)
}

func (c *Collector) dropNullScores(sum *ColumnSummary, xs []float64, ls []summary.Label, valid []bool) ([]float64, []summary.Label) {
	c.scratch = grow(c.scratch, len(xs))
	n := 0
	for i, x := range xs {
		if !valid[i] {
			sum.Scores.AddNull(1, ls[i])
			continue
		}
		c.scratch[n], ls[n] = x, ls[i]
		n++
	}
	return c.scratch[:n], ls[:n]
}

// rowLabels reads the label of every row from col, if there is a label, and
// counts them. A label that is neither 0 nor 1 is counted as invalid and taken as
// missing.
func (c *Collector) rowLabels(col *Column, rows int) ([]summary.Label, error) {
	c.labels = grow(c.labels, rows)
	ls := c.labels
	if col == nil {
		clear(ls)
		return ls, nil
	}
	sum := &c.snap.Columns[c.label]
	if err := sum.see(col.Type, uint64(rows)); err != nil {
		return nil, err
	}
	invalid := readLabels(ls, col)
	positive, labelled := uint64(0), uint64(0)
	for _, l := range ls {
		positive += uint64(l >> 1)
		labelled += uint64(l>>1 | l&1)
	}
	sum.Boolean.True += positive
	sum.Boolean.False += labelled - positive
	sum.Boolean.Null += uint64(rows) - labelled - invalid
	sum.InvalidLabels += invalid
	return ls, nil
}

// readLabels sets ls to the labels in col and returns how many are invalid. A
// label is a boolean, or a number that is 0 or 1; any other value counts as
// missing, and so does every one when there is no column.
func readLabels(ls []summary.Label, col *Column) (invalid uint64) {
	if col == nil {
		clear(ls)
		return 0
	}
	switch col.Type {
	case Bool:
		boolLabels(ls, col.Bools, col.Valid)
		return 0
	case Int:
		for i, v := range col.Ints {
			ls[i] = summary.Unlabelled
			if uint64(v) <= 1 {
				ls[i] = summary.Negative + summary.Label(v)
			} else if col.Valid == nil || col.Valid[i] {
				invalid++
			}
		}
	case Float:
		for i, v := range col.Floats {
			switch {
			case v == 0:
				ls[i] = summary.Negative
			case v == 1:
				ls[i] = summary.Positive
			default:
				ls[i] = summary.Unlabelled
				if col.Valid == nil || col.Valid[i] {
					invalid++
				}
			}
		}
	case Absent, String, Time:
		clear(ls)
	}
	if col.Valid != nil {
		for i, ok := range col.Valid {
			ls[i] *= summary.Label(bit(ok)) // Unlabelled is 0
		}
	}
	return invalid
}

// boolLabels sets ls to the labels that the flags stand for.
func boolLabels(ls []summary.Label, flags, valid []bool) {
	ls = ls[:len(flags)]
	if valid == nil {
		for i, v := range flags {
			ls[i] = summary.Negative + summary.Label(bit(v))
		}
		return
	}
	valid = valid[:len(flags)]
	for i, v := range flags {
		ls[i] = (summary.Negative + summary.Label(bit(v))) * summary.Label(bit(valid[i])) // Unlabelled is 0
	}
}

// bit is 1 for true, without a branch.
func bit(b bool) uint8 {
	var v uint8
	if b {
		v = 1
	}
	return v
}

// Snapshot returns what has been collected so far. The collector may go on; the
// snapshot does not change.
func (c *Collector) Snapshot() (*Snapshot, error) {
	if err := c.settle(); err != nil {
		return nil, err
	}
	out := newSnapshot(c.spec)
	if err := out.Merge(c.snap); err != nil {
		return nil, err
	}
	return out, nil
}

// Take is Snapshot without the copy: what has been collected leaves the
// collector, which is then empty.
func (c *Collector) Take() (*Snapshot, error) {
	if err := c.settle(); err != nil {
		return nil, err
	}
	out := c.snap
	c.snap = newSnapshot(c.spec)
	c.begin()
	clear(c.rows)
	if c.slicer != nil {
		c.slicer.restart(c.snap)
	}
	if c.finder != nil {
		c.finder.restart(c.snap)
	}
	return out, nil
}

// settle makes snap complete, which it can be when all columns have had the same
// rows.
func (c *Collector) settle() error {
	if c.bad != nil {
		return c.bad
	}
	for i, n := range c.rows {
		if n != c.rows[0] {
			return fmt.Errorf("analysis: column %q has had %d rows and column %q %d: %w", c.snap.Columns[0].Name, c.rows[0], c.snap.Columns[i].Name, n, stats.ErrMismatch)
		}
		c.snap.RowCount = n
	}
	for i := range c.pending {
		c.flush(i)
	}
	if c.slicer != nil {
		c.bad = c.slicer.flush()
	}
	return c.bad
}
