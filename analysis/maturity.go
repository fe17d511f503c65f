package analysis

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Cutoffs says up to which time of service the labels of a snapshot count; see
// [Collector.MatureBefore]. Snapshots with different cutoffs add up, and then
// First and Last differ. The zero value says that there was no cutoff: every
// label counts that had arrived.
type Cutoffs struct {
	First time.Time `json:"first"`         // the earliest
	Last  time.Time `json:"last,omitzero"` // the latest; zero when a part had none
}

// IsZero reports whether there was no cutoff at all.
func (c Cutoffs) IsZero() bool { return c.First.IsZero() }

// Equal reports whether both are the same.
func (c Cutoffs) Equal(o Cutoffs) bool { return c.First.Equal(o.First) && c.Last.Equal(o.Last) }

// By reports whether no label of a row served at t or later counts.
func (c Cutoffs) By(t time.Time) bool { return !c.Last.IsZero() && !c.Last.After(t) }

// String names the cutoffs for messages.
func (c Cutoffs) String() string {
	switch first, last := c.First.Format(time.RFC3339), c.Last.Format(time.RFC3339); {
	case c.IsZero():
		return "none"
	case c.Last.IsZero():
		return first + " and none"
	case first == last:
		return first
	default:
		return first + " to " + last
	}
}

// cutoffsWith are the cutoffs of s with o merged into it. Rows without a cutoff
// have it in the infinite future; an arm without rows has none, neither.
func (s *Snapshot) cutoffsWith(o *Snapshot) Cutoffs {
	a, b := s.MatureBefore, o.MatureBefore
	switch {
	case a.Equal(b), b.IsZero() && o.RowCount == 0:
		return a
	case a.IsZero() && s.RowCount == 0:
		return b
	}
	first := a.First
	if first.IsZero() || !b.IsZero() && b.First.Before(first) {
		first = b.First
	}
	last := a.Last
	switch {
	case last.IsZero() || b.Last.IsZero():
		last = time.Time{}
	case b.Last.After(last):
		last = b.Last
	}
	return Cutoffs{First: first, Last: last}
}

// MatureRows is the number of rows whose labels count where they have arrived:
// all of them, unless there was a cutoff.
func (s *Snapshot) MatureRows() uint64 {
	if l := s.ByRole(Label); l != nil {
		return s.RowCount - min(l.ImmatureLabels, s.RowCount)
	}
	return s.RowCount
}

// MatureParts is [Spec.Parts] for a [Collector] with a cutoff for labels, which
// needs the time of each row together with its label.
func (s *Spec) MatureParts() [][]int { return s.parts(true) }

// MatureBefore lets the labels of rows count only where the row was served before
// t, so that labels had equal time to arrive in both arms, and none that has
// arrived early counts before its time. The label of any other row, and of one
// without a time, is taken for not there yet and counted in ImmatureLabels of the
// label's summary; all else about the row counts. The zero time, the default, is no
// cutoff. t is cut to microseconds.
//
// It has to be called before the first row; a source of parts of columns then hands
// over those of [Spec.MatureParts]. A call after that, a spec with a label and
// without a column of times, and a time outside the years 1 to 9999 are errors
// wrapping [stats.ErrMismatch] or [stats.ErrDomain].
func (c *Collector) MatureBefore(t time.Time) error {
	clock := c.spec.ByRole(Clock)
	at := time.UnixMicro(t.UnixMicro()).UTC()
	switch {
	case slices.ContainsFunc(c.rows, func(n uint64) bool { return n > 0 }):
		return fmt.Errorf("analysis: MatureBefore: rows have been added before: %w", stats.ErrMismatch)
	case t.IsZero() || c.label < 0:
		at = time.Time{}
	case clock < 0:
		return fmt.Errorf("analysis: MatureBefore: the spec has the label %q but no column of times to tell its age by: %w", c.spec.Columns[c.label].Name, stats.ErrMismatch)
	case !soundCutoff(at):
		return fmt.Errorf("analysis: MatureBefore: %v is not within the years 1 to 9999: %w", t, stats.ErrDomain)
	}
	c.age = ager{cutoff: at, clock: clock}
	parts := c.spec.Parts()
	if c.age.on() {
		parts = c.spec.MatureParts()
	}
	c.parts = together(parts)
	c.begin()
	return nil
}

// soundCutoff reports whether a cutoff can be written in every form.
func soundCutoff(t time.Time) bool {
	return !t.IsZero() && t.Year() >= 1 && t.Year() <= 9999 && t.Equal(t.Truncate(time.Microsecond))
}

// together are the parts of more than one column.
func together(parts [][]int) [][]int {
	return slices.DeleteFunc(parts, func(part []int) bool { return len(part) < 2 })
}

// begin marks the snapshot of the collector with the cutoff.
func (c *Collector) begin() {
	c.snap.MatureBefore = Cutoffs{First: c.age.cutoff, Last: c.age.cutoff}
}

// ager takes out labels of rows that are too young.
type ager struct {
	cutoff time.Time // zero when there is none
	clock  int       // index of the column of times

	mature []bool // by row of the batch; nil when it has no labels
	valid  []bool
	batch  Batch
}

func (a *ager) on() bool { return !a.cutoff.IsZero() }

// ripe returns the batch without the labels that do not count yet.
func (c *Collector) ripe(b *Batch, columns []int) *Batch {
	a := &c.age
	a.mature = a.mature[:0]
	at := slices.Index(columns, c.label)
	if at < 0 {
		return b
	}
	clock := &b.Columns[slices.Index(columns, a.clock)]
	a.mature = grow(a.mature, b.Rows)
	young := matureRows(a.mature, clock, a.cutoff.UnixMicro())
	c.snap.Columns[c.label].ImmatureLabels += young
	label := b.Columns[at]
	if young == 0 || label.Type == Absent {
		return b
	}
	a.valid = grow(a.valid, b.Rows)
	copy(a.valid, a.mature)
	for i, ok := range label.Valid {
		a.valid[i] = a.valid[i] && ok
	}
	label.Valid = a.valid
	a.batch.Rows, a.batch.Columns = b.Rows, append(a.batch.Columns[:0], b.Columns...)
	a.batch.Columns[at] = label
	return &a.batch
}

// matureRows tells which rows were served before the cutoff, and how many were
// not.
func matureRows(mature []bool, clock *Column, cutoff int64) (young uint64) {
	if clock.Type != Time {
		clear(mature)
		return uint64(len(mature))
	}
	for i, t := range clock.Ints {
		mature[i] = t < cutoff && (clock.Valid == nil || clock.Valid[i])
		young += uint64(1 - bit(mature[i]))
	}
	return young
}

// countImmature counts rows of a slice, of a block that begins at a row of the
// batch, whose labels do not count yet.
func (c *ColumnSummary) countImmature(mature []bool, rows []int32, from int) {
	for _, r := range rows {
		c.ImmatureLabels += uint64(1 - bit(mature[from+int(r)]))
	}
}

// withImmature is added to the type of a column in the binary form when the number
// of immature labels follows.
const withImmature = 1 << 6

// appendCutoffs is the end of the binary form: nothing without a cutoff.
func (s *Snapshot) appendCutoffs(b []byte) []byte {
	c := s.MatureBefore
	if c.IsZero() {
		return b
	}
	b = binary.AppendVarint(b, c.First.UnixMicro())
	if c.Last.IsZero() {
		return binary.AppendUvarint(b, 0)
	}
	return binary.AppendUvarint(b, 1+uint64(c.Last.UnixMicro()-c.First.UnixMicro()))
}

func (s *Snapshot) decodeCutoffs(r *blobReader) {
	if r.err != nil || len(r.b) == 0 {
		return
	}
	first := r.int()
	s.MatureBefore.First = time.UnixMicro(first).UTC()
	if s.MatureBefore.IsZero() {
		r.fail()
	}
	if span := r.uint(); span > 0 {
		s.MatureBefore.Last = time.UnixMicro(first + int64(span-1)).UTC()
	}
}

// soundMaturity makes sure that what was read about the age of labels can be.
func (s *Snapshot) soundMaturity() error {
	c := s.MatureBefore
	fail := func(format string, args ...any) error {
		return fmt.Errorf("analysis: Snapshot: %s: %w", fmt.Sprintf(format, args...), stats.ErrMismatch)
	}
	switch {
	case c.IsZero() && !c.Last.IsZero(), !c.IsZero() && !soundCutoff(c.First),
		!c.Last.IsZero() && (!soundCutoff(c.Last) || c.Last.Before(c.First)):
		return fail("labels count before %v", c)
	}
	sound := func(o *Snapshot) bool {
		l := o.ByRole(Label)
		return l == nil || l.ImmatureLabels <= o.RowCount && (l.ImmatureLabels == 0 || !c.IsZero())
	}
	all := []*Snapshot{s}
	for i := range s.Slices {
		t := &s.Slices[i]
		for k := range t.kept {
			all = append(all, t.kept[k].snap)
		}
		if t.other != nil {
			all = append(all, t.other)
		}
	}
	if !slices.ContainsFunc(all, func(o *Snapshot) bool { return !sound(o) }) {
		return nil
	}
	return fail("more immature labels than rows, or some without a cutoff")
}
