package calibration

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// CutOptions configures [AtCut].
type CutOptions struct {
	Share float64 // how much action volume to take in on either side, in (0,1]; 0 means 0.25
	Level float64 // of the interval, in (0,1); 0 means 0.95
}

// CutResult is the calibration in the large of the scores around a decision
// threshold.
type CutResult struct {
	Cut      float64
	Above    uint64      // rows at or above the cut: the action volume
	Lo, Hi   float64     // the scores taken in
	InBand   RatioResult // O/E, its interval and its test, of these rows
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate, small_sample; of the band
}

// AtCut computes O/E where the policy reads probabilities: of the rows next to a cut
// point. With A rows at or above the cut, the band holds the rows that would be
// acted on if the volume rose by Share of A, except those that would still be if it
// fell by as much: ranks A(1-Share) to A(1+Share) from the top. A model can be
// calibrated on the whole and wrong at its threshold.
//
// Tied scores, and the rows of a histogram cell, stay together: they are in the band
// when their middle rank is. The cell next to the cut is in it always.
//
// Errors: [stats.ErrEmpty] when no score is at or above the cut; [stats.ErrDomain]
// for a cut that is NaN, for an impossible option, and when all scores of the band
// are 0. Cost: linear in the number of cells.
func AtCut(d Data, cut float64, o CutOptions) (CutResult, error) {
	const fn = "AtCut"
	if o.Share == 0 {
		o.Share = 0.25
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	if err := d.check(fn); err != nil {
		return CutResult{}, err
	}
	if !(o.Share > 0 && o.Share <= 1) || math.IsNaN(cut) {
		return CutResult{}, fmt.Errorf("calibration: %s: cut %v, share %v: %w", fn, cut, o.Share, stats.ErrDomain)
	}
	at, above := len(d.cells), 0.0
	for at > 0 && d.cells[at-1].score() >= cut {
		at--
		above += d.cells[at].n()
	}
	if above == 0 {
		return CutResult{}, fmt.Errorf("calibration: %s: no score at or above %v: %w", fn, cut, stats.ErrEmpty)
	}
	from, to := at, at+1
	rank := above // of the last row of the cell, counted from the top
	for i := at - 1; i >= 0; i-- {
		if rank+d.cells[i].n()/2 > above*(1+o.Share) {
			break
		}
		from = i
		rank += d.cells[i].n()
	}
	rank = above - d.cells[at].n()
	for i := at + 1; i < len(d.cells); i++ {
		if rank-d.cells[i].n()/2 < above*(1-o.Share) {
			break
		}
		to = i + 1
		rank -= d.cells[i].n()
	}
	band := Data{cells: d.cells[from:to:to]}
	in, err := ObservedExpected(band.Sums(), o.Level)
	if err != nil {
		return CutResult{}, fmt.Errorf("calibration: %s: around %v: %w", fn, cut, err)
	}
	return CutResult{
		Cut: cut, Above: uint64(above), Lo: d.cells[from].lo, Hi: d.cells[to-1].hi, InBand: in,
		Method:   fmt.Sprintf("O/E within %v of the action volume", o.Share),
		Warnings: in.Warnings,
	}, nil
}
