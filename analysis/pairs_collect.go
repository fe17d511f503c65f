package analysis

import (
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// PairCollector turns rows that hold the scores of both models into a
// [PairSnapshot], in one pass and in memory that does not grow with the number of
// rows. It is for one goroutine: make one per worker and merge their snapshots.
//
// It cannot know whether a request is there twice: whoever joins two logs sees to
// that and sets the counts of the snapshot.
type PairCollector struct {
	spec    *PairSpec
	rows    *Spec // the columns of a batch
	snap    *PairSnapshot
	columns []int // the indexes of all columns

	baseline, candidate, label, unit, clock int // indexes, or -1

	coders  []*coder
	crosses [][]*coder
	types   []Type
	units   dictCounts
	cutoff  time.Time

	labels []summary.Label
	mature []bool
	valid  []bool
	none   []bool // always false
	scores [2][]float64
	target []float64
	key    []byte
	bad    error
}

// NewPairCollector returns an empty collector. The errors are those of
// [NewPairSpec].
func NewPairCollector(spec *PairSpec) (*PairCollector, error) {
	spec, err := NewPairSpec(*spec)
	if err != nil {
		return nil, err
	}
	c := &PairCollector{spec: spec, rows: spec.Spec(), snap: newPairSnapshot(spec)}
	for i := range c.rows.Columns {
		c.columns = append(c.columns, i)
	}
	c.types = make([]Type, len(c.columns))
	c.baseline, c.candidate, c.label = c.rows.Index(spec.Baseline), c.rows.Index(spec.Candidate), c.rows.Index(spec.Label)
	c.unit, c.clock = c.rows.Index(spec.Unit), c.rows.Index(spec.Time)
	crossed := *c.rows
	crossed.Slices = spec.Slices
	c.coders, c.crosses = newCoders(&crossed)
	return c, nil
}

// MatureBefore lets the labels of rows count only where the request was served
// before t, as [Collector.MatureBefore] does; the zero time is no cutoff. It has to
// be called before the first row. A call after that, a spec with a label and
// without a column of times, and a time outside the years 1 to 9999 are errors
// wrapping [stats.ErrMismatch] or [stats.ErrDomain].
func (c *PairCollector) MatureBefore(t time.Time) error {
	at := time.UnixMicro(t.UnixMicro()).UTC()
	switch {
	case c.snap.RowCount > 0:
		return fmt.Errorf("analysis: PairCollector.MatureBefore: rows have been added before: %w", stats.ErrMismatch)
	case t.IsZero() || c.label < 0:
		at = time.Time{}
	case c.clock < 0:
		return fmt.Errorf("analysis: PairCollector.MatureBefore: the pairs have the label %q but no column of times to tell its age by: %w", c.spec.Label, stats.ErrMismatch)
	case !soundCutoff(at):
		return fmt.Errorf("analysis: PairCollector.MatureBefore: %v is not within the years 1 to 9999: %w", t, stats.ErrDomain)
	}
	c.cutoff = at
	c.snap.MatureBefore = Cutoffs{First: at, Last: at}
	return nil
}

// Add counts the rows of b, whose columns are those of [PairSpec.Spec] in that
// order, and keeps none of its memory but the dictionaries.
//
// A batch that breaks the contract of [Batch], a score that is no number, and a
// label that is a text or a time are errors wrapping [stats.ErrMismatch] that name
// the column; so is a column whose type changes. The collector is then spoiled, and
// Snapshot returns the same error.
func (c *PairCollector) Add(b *Batch) error {
	if c.bad == nil {
		c.bad = c.add(b)
	}
	return c.bad
}

func (c *PairCollector) add(b *Batch) error {
	if err := b.check(c.rows, c.columns); err != nil {
		return err
	}
	if err := c.see(b); err != nil {
		return err
	}
	at := func(i int) *Column {
		if i < 0 {
			return &Column{}
		}
		return &b.Columns[i]
	}
	for _, col := range []struct {
		at   int
		rows *uint64
	}{{c.label, &c.snap.NoLabel}, {c.unit, &c.snap.NoUnit}, {c.clock, &c.snap.NoTime}} {
		if col.at >= 0 && b.Columns[col.at].Type == Absent {
			*col.rows += uint64(b.Rows)
		}
	}
	label := *at(c.label)
	if !c.cutoff.IsZero() {
		c.mature = grow(c.mature, b.Rows)
		c.snap.ImmatureLabels += matureRows(c.mature, at(c.clock), c.cutoff.UnixMicro())
		if label.Type != Absent {
			c.valid = grow(c.valid, b.Rows)
			for i, ok := range c.mature {
				c.valid[i] = ok && (label.Valid == nil || label.Valid[i])
			}
			label.Valid = c.valid
		}
	}
	if t := at(c.clock); t.Type == Time {
		c.snap.Clock.add(t.Ints, t.Valid)
	}
	if err := c.addUnits(at(c.unit)); err != nil {
		return err
	}
	base, cand := *at(c.baseline), *at(c.candidate)
	c.scores[0], base = c.numbers(c.scores[0], base, b.Rows)
	c.scores[1], cand = c.numbers(c.scores[1], cand, b.Rows)
	if c.spec.Task == Binary {
		c.labels = grow(c.labels, b.Rows)
		c.snap.InvalidLabels += readLabels(c.labels, &label)
		if err := c.snap.Grid.AddSlice(base.Floats, cand.Floats, base.Valid, cand.Valid, c.labels); err != nil {
			return err
		}
	} else {
		c.target, label = c.numbers(c.target, label, b.Rows)
		for i := range b.Rows {
			if label.at(i) && !finite(label.Floats[i]) {
				c.snap.InvalidLabels++
			}
			c.snap.Errors.add(i, &base, &cand, &label)
		}
	}
	c.snap.RowCount += uint64(b.Rows)
	return c.addSlices(b, &base, &cand, &label)
}

// see checks the types of the columns of a batch against what they are for and
// against those of the batches before.
func (c *PairCollector) see(b *Batch) error {
	for i := range b.Columns {
		name, t := c.rows.Columns[i].Name, b.Columns[i].Type
		switch {
		case t == Absent:
			continue
		case (i == c.baseline || i == c.candidate) && t != Float && t != Int:
			return fmt.Errorf("analysis: column %q is a score but has type %v; a score is a number: %w", name, t, stats.ErrMismatch)
		case i == c.label && (t == String || t == Time || t == Bool && c.spec.Task != Binary):
			return fmt.Errorf("analysis: column %q is the label of a %v task but has type %v: %w", name, c.spec.Task, t, stats.ErrMismatch)
		case i == c.clock && t != Time:
			return fmt.Errorf("analysis: column %q is the time but has type %v: %w", name, t, stats.ErrMismatch)
		case c.types[i] != Absent && c.types[i] != t:
			return fmt.Errorf("analysis: column %q is %v in one part of the log and %v in another: %w", name, c.types[i], t, stats.ErrMismatch)
		}
		c.types[i] = t
	}
	return nil
}

// numbers returns the values of a column as floats, in scratch memory where they
// are not that already.
func (c *PairCollector) numbers(scratch []float64, col Column, rows int) ([]float64, Column) {
	switch col.Type {
	case Float:
		return scratch, col
	case Int:
		scratch = grow(scratch, rows)
		for i, x := range col.Ints {
			scratch[i] = float64(x)
		}
	default: // no values at all
		scratch = grow(scratch, rows)
		for i := range scratch {
			scratch[i] = math.NaN()
		}
		c.none = grow(c.none, rows)
		col.Valid = c.none
	}
	col.Type, col.Floats = Float, scratch
	return scratch, col
}

// at reports whether the value of a row is not missing.
func (c *Column) at(i int) bool { return c.Valid == nil || c.Valid[i] }

func finite(x float64) bool { return x-x == 0 }

// add counts one row of a regression task.
func (e *PairErrors) add(i int, base, cand, label *Column) {
	if !label.at(i) || !finite(label.Floats[i]) {
		e.Unlabelled++
		return
	}
	y := label.Floats[i]
	if !base.at(i) || !cand.at(i) {
		e.Unusable++
		return
	}
	a, b := math.Abs(base.Floats[i]-y), math.Abs(cand.Floats[i]-y)
	if !finite(a) || !finite(b) {
		e.Unusable++
		return
	}
	e.Baseline.Add(a)
	e.Candidate.Add(b)
	e.Difference.Add(b - a)
}

func (c *PairCollector) addUnits(col *Column) error {
	switch col.Type {
	case Absent:
		return nil
	case Int, Time:
		return c.snap.Units.AddInts(col.Ints, col.Valid)
	case String:
		if c.units.dict != col.Dict {
			c.flush()
			c.units.dict = col.Dict
		}
		null, bad := c.units.add(col.Codes, col.Valid)
		if bad >= 0 {
			return fmt.Errorf("analysis: column %q: code %d of a dictionary of %d: %w", c.spec.Unit, col.Codes[bad], len(col.Dict.Values), stats.ErrMismatch)
		}
		c.snap.Units.AddNull(null)
		return nil
	case Float, Bool:
	}
	return fmt.Errorf("analysis: column %q is the unit but has type %v; a unit is an integer or a string: %w", c.spec.Unit, col.Type, stats.ErrMismatch)
}

// flush gives the pending counts of units to their summary by name.
func (c *PairCollector) flush() {
	p := &c.units
	if p.dict == nil {
		return
	}
	for code := range p.counts[0] {
		c.snap.Units.AddString(p.dict.Values[code], p.n(code))
	}
	for k := range p.counts {
		clear(p.counts[k])
		p.counts[k] = p.counts[k][:0]
	}
}

// addSlices counts the rows of a batch by slice. c.labels are theirs.
func (c *PairCollector) addSlices(b *Batch, base, cand, label *Column) error {
	if len(c.coders) == 0 {
		return nil
	}
	for _, k := range c.coders {
		k.begin(&b.Columns[k.column])
	}
	for from := 0; from < b.Rows; from += sliceBlock {
		to := min(from+sliceBlock, b.Rows)
		for _, k := range c.coders {
			if err := k.fill(from, to); err != nil {
				return err
			}
		}
		for x, coders := range c.crosses {
			for i := from; i < to; i++ {
				key := c.key[:0]
				for _, k := range coders {
					key = k.appendTo(key, k.codes[i-from])
				}
				c.key = key
				sum := c.snap.Slices[x].find(key)
				if sum == nil {
					hash := uint64(0)
					for _, k := range coders {
						hash = foldHash(hash, k.hash(k.codes[i-from]))
					}
					sum = c.snap.Slices[x].place(key, hash)
				}
				sum.RowCount++
				if c.spec.Task != Binary {
					sum.Errors.add(i, base, cand, label)
					continue
				}
				if err := sum.Grid.AddSlice(base.Floats[i:i+1], cand.Floats[i:i+1], one(base.Valid, i), one(cand.Valid, i), c.labels[i:i+1]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// one is the flag of one row, or nil when there are none.
func one(valid []bool, i int) []bool {
	if valid == nil {
		return nil
	}
	return valid[i : i+1]
}

// Snapshot returns what has been collected so far. The collector may go on; the
// snapshot does not change.
func (c *PairCollector) Snapshot() (*PairSnapshot, error) {
	if c.bad != nil {
		return nil, c.bad
	}
	c.flush()
	out := newPairSnapshot(c.spec)
	if err := out.Merge(c.snap); err != nil {
		return nil, err
	}
	out.MatureBefore = c.snap.MatureBefore
	return out, nil
}
