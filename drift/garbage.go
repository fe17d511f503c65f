package drift

import (
	"fmt"

	"github.com/rampguard/rampguard/stats/summary"
)

// garbage compares the shares of values that are no usable score.
func (k *collapse) garbage() error {
	r, c := k.ref.Excluded(), k.cur.Excluded()
	rows, curRows := k.ref.Total(), k.cur.Total()

	s := k.signal("missing", pick(k.o.Missing, 0.001))
	s.Noise = "Newcombe's difference"
	if c.Null+c.NaN == 0 {
		s.Outcome, s.Note = OK, "none in the current sample"
	}
	if err := k.shares(s, r.Null+r.NaN, rows, c.Null+c.NaN, curRows); err != nil {
		return err
	}

	s = k.signal("infinite", pick(k.o.Garbage, 0.001))
	if err := k.forbidden(s, r.PosInf+r.NegInf, c.PosInf+c.NegInf); err != nil {
		return err
	}

	if k.o.RangeLo == k.o.RangeHi {
		return nil
	}
	x, y := r.Below+r.Above+k.past(k.ref), c.Below+c.Above+k.past(k.cur)
	s = k.signal("out_of_range", pick(k.o.Garbage, 0.001))
	s.Where = fmt.Sprintf("outside %.4g to %.4g", k.o.RangeLo, k.o.RangeHi)
	return k.forbidden(s, x, y)
}

// past counts the values in cells that lie outside the range: those that certainly
// do, and at least one when an extreme does.
func (k *collapse) past(h *summary.Histogram) uint64 {
	lo, hi := k.o.RangeLo, k.o.RangeHi
	if h.N() == 0 || h.Min() >= lo && h.Max() <= hi {
		return 0
	}
	n := uint64(0)
	cells := h.Cells()
	for i := range cells {
		least, _ := beyond(&cells[i], lo, hi, h.Min(), h.Max())
		n += least
	}
	return max(1, n)
}

// forbidden judges values of which one is too many, unless the reference has
// them as well.
func (k *collapse) forbidden(s Signal, x, y uint64) error {
	s.Noise = "Newcombe's difference"
	switch {
	case y == 0:
		s.Outcome, s.Note = OK, "none in the current sample"
	case x == 0:
		s.Outcome, s.Note = Fail, fmt.Sprintf("%d in the current sample, none in the reference", y)
	}
	return k.shares(s, x, k.ref.Total(), y, k.cur.Total())
}
