package pairjoin

import (
	"fmt"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// sound makes sure that a batch keeps the contract of [analysis.Batch], so that
// values can be read without looking.
func sound(b *analysis.Batch, spec *analysis.Spec) error {
	if b.Rows < 0 || len(b.Columns) != len(spec.Columns) {
		return fmt.Errorf("a batch of %d rows has %d columns, want %d: %w", b.Rows, len(b.Columns), len(spec.Columns), stats.ErrMismatch)
	}
	for i := range b.Columns {
		c := &b.Columns[i]
		n, known := b.Rows, true
		switch c.Type {
		case analysis.Absent:
		case analysis.Float:
			n = len(c.Floats)
		case analysis.Int, analysis.Time:
			n = len(c.Ints)
		case analysis.Bool:
			n = len(c.Bools)
		case analysis.String:
			n = len(c.Codes)
			known = n == 0 || c.Dict != nil
		default:
			known = false
		}
		if !known || n != b.Rows || c.Valid != nil && len(c.Valid) != b.Rows {
			return fmt.Errorf("column %q of type %v has %d values and %d flags of validity in a batch of %d rows: %w",
				spec.Columns[i].Name, c.Type, n, len(c.Valid), b.Rows, stats.ErrMismatch)
		}
	}
	return nil
}
