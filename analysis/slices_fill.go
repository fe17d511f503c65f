package analysis

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// FillSlice returns the snapshot of the slice with these values of the cross, made
// empty if it has no rows yet, to be added to. It is for sources that bring
// summaries in place of rows, such as counts grouped by a database: what goes into
// the columns and RowCount of a slice has to go into those of s as well, and every
// row into one slice of each cross. A snapshot in which that does not hold is
// refused when it is read back.
//
// A cross that the spec does not have, a number of values other than that of its
// columns, and more slices than the cross keeps are errors wrapping
// [stats.ErrMismatch].
func (s *Snapshot) FillSlice(cross *SliceSpec, values []string) (*Snapshot, error) {
	t := s.SliceTable(cross)
	switch {
	case t == nil:
		return nil, fmt.Errorf("analysis: FillSlice: the spec has no slices of %q: %w", cross.Names(), stats.ErrMismatch)
	case len(values) != len(t.spec.Columns):
		return nil, fmt.Errorf("analysis: FillSlice: values %q for slices of %q: %w", values, cross.Names(), stats.ErrMismatch)
	}
	key := keyOf(values)
	if _, ok := t.at[key]; !ok && !t.named[key] && (t.bound != 0 || t.unsure >= t.spec.Limit()) {
		return nil, fmt.Errorf("analysis: FillSlice: more than %d slices of %q: %w", t.spec.Limit(), cross.Names(), stats.ErrMismatch)
	}
	return t.rowsOf(t.place([]byte(key), hashKey(key, len(t.spec.Columns)))), nil
}
