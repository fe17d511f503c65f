package analysis

import (
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats/summary"
)

// finder adds rows to the tables from which weak slices are discovered.
type finder struct {
	spec   *Spec
	all    []discovery
	label  int
	score  int
	unit   int
	labels []summary.Label // of the batch, when they are needed
	hashes []uint64        // by code of the dictionary of units
	dict   *Dict
	errors []float64 // of the block; NaN where there is none
}

// discovery is one table.
type discovery struct {
	spec    *DiscoverSpec
	table   *summary.CrossTable
	columns []*crossColumn
	codes   []uint32
	epoch   int // of the table, that the codes of the columns are for
}

// notFit is an error that the table counts as unfit.
const notFit = -1

func newFinder(c *Collector) *finder {
	if len(c.spec.Discover) == 0 {
		return nil
	}
	f := &finder{spec: c.spec, label: c.spec.ByRole(Label), score: c.spec.ByRole(Score), unit: c.spec.ByRole(Unit)}
	for i := range c.spec.Discover {
		d := discovery{spec: &c.spec.Discover[i], table: c.snap.Discover[i]}
		for _, col := range d.spec.Columns {
			d.columns = append(d.columns, newCrossColumn(c.spec.at(col.Name), col.Cuts))
		}
		d.codes = make([]uint32, len(d.columns))
		f.all = append(f.all, d)
	}
	return f
}

// restart goes on with the tables of a new snapshot.
func (f *finder) restart(snap *Snapshot) {
	for i := range f.all {
		f.all[i].table = snap.Discover[i]
		f.all[i].forget()
	}
}

// forget gives up the codes of the columns in the table.
func (d *discovery) forget() {
	d.epoch = d.table.Epoch()
	for _, k := range d.columns {
		k.known = k.known[:0]
	}
}

// add counts the rows of a batch that holds the given columns of the spec.
func (f *finder) add(b *Batch, columns []int, label *Column) error {
	pick := func(i int) *Column {
		if k := slices.Index(columns, i); k >= 0 {
			return &b.Columns[k]
		}
		return nil
	}
	unit := pick(f.unit)
	if unit == nil {
		return nil // all discoveries have it in their part
	}
	f.units(unit)
	if f.spec.Task == Binary {
		f.labels = grow(f.labels, b.Rows)
		readLabels(f.labels, label)
	}
	for i := range f.all {
		d := &f.all[i]
		for _, k := range d.columns {
			k.begin(pick(k.column))
		}
		for from := 0; from < b.Rows; from += sliceBlock {
			to := min(from+sliceBlock, b.Rows)
			f.errors = grow(f.errors, to-from)
			if d.spec.Error == ColumnError {
				columnErrors(f.errors, pick(f.spec.at(d.spec.Column)), from)
			} else {
				f.scoreErrors(d.spec, pick(f.score), label, from)
			}
			for _, k := range d.columns {
				if err := k.fill(from, to); err != nil {
					return err
				}
			}
			if err := f.count(d, unit, from); err != nil {
				return err
			}
		}
	}
	return nil
}

// units makes sure that the hash of every unit with a name is at hand.
func (f *finder) units(col *Column) {
	if col.Type != String {
		return
	}
	if f.dict != col.Dict {
		f.dict, f.hashes = col.Dict, f.hashes[:0]
	}
	for k := len(f.hashes); k < len(col.Dict.Values); k++ {
		f.hashes = append(f.hashes, summary.HashUnitString(col.Dict.Values[k]))
	}
}

// hash is that of the unit of a row, if it has one.
func (f *finder) hash(col *Column, row int) (h uint64, ok bool) {
	if col.Valid != nil && !col.Valid[row] {
		return 0, false
	}
	switch col.Type {
	case Int, Time:
		return summary.HashUnit(col.Ints[row]), true
	case String:
		if code := col.Codes[row]; uint(code) < uint(len(f.hashes)) {
			return f.hashes[code], true
		}
	case Absent, Float, Bool:
	}
	return 0, false
}

// count adds the rows of a block that begins at a row of the batch.
func (f *finder) count(d *discovery, unit *Column, from int) error {
	if d.epoch != d.table.Epoch() {
		d.forget()
	}
	for i, x := range f.errors {
		if x != x {
			d.table.AddNull(1)
			continue
		}
		h, ok := f.hash(unit, from+i)
		if !ok {
			d.table.AddNoUnit(1)
			continue
		}
		if d.table.Keeps(h) && x >= 0 {
			for c, k := range d.columns {
				d.codes[c] = k.code(d.table, c, k.codes[i])
			}
		}
		if err := d.table.Add(d.codes, h, x); err != nil {
			return err
		}
		if d.epoch != d.table.Epoch() {
			d.forget()
		}
	}
	return nil
}

// numberAt is the number, or 1 for yes, in a row of a column; NaN when there is
// none.
func numberAt(col *Column, row int) float64 {
	if col == nil || col.Valid != nil && !col.Valid[row] {
		return nan
	}
	switch col.Type {
	case Float:
		return col.Floats[row]
	case Int:
		return float64(col.Ints[row])
	case Bool:
		return float64(bit(col.Bools[row]))
	case Absent, String, Time:
	}
	return nan
}

// columnErrors are the errors of a block that a column holds.
func columnErrors(out []float64, col *Column, from int) {
	for i := range out {
		out[i] = numberAt(col, from+i)
	}
}

// scoreErrors are the errors of the scores of a block.
func (f *finder) scoreErrors(d *DiscoverSpec, score, label *Column, from int) {
	if d.Error == AbsoluteError {
		for i := range f.errors {
			f.errors[i] = math.Abs(numberAt(score, from+i) - numberAt(label, from+i))
		}
		return
	}
	for i := range f.errors {
		x, l := numberAt(score, from+i), f.labels[from+i]
		if l == summary.Unlabelled || x != x {
			f.errors[i] = nan
			continue
		}
		wrong := x // the distance of the score to the label
		if l == summary.Positive {
			wrong = 1 - x
		}
		switch {
		case d.Error == ThresholdError:
			wrong = float64(bit((x >= d.Threshold) != (l == summary.Positive)))
		case !(x >= 0 && x <= 1):
			wrong = notFit
		case d.Error == BrierError:
			wrong *= wrong
		default:
			wrong = -math.Log(math.Max(1-wrong, lossClip))
		}
		f.errors[i] = wrong + 0 // -0 becomes 0
	}
}

// lossClip keeps the log loss of a certain score that is wrong finite, as
// [summary.Scores.LogLoss] does.
const lossClip = 0x1p-52
