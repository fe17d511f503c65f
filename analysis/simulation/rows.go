package simulation

import (
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats/summary"
)

// rows counts the rows of an arm, cell by cell: first how many, then what the
// columns held.
type rows []uint64

func (w *world) newRows() rows { return make(rows, len(w.cells)*(w.width+1)) }

func (w *world) cellOf(r rows, i int) rows { return r[i*(w.width+1) : (i+1)*(w.width+1)] }

func (r rows) add(o rows) {
	for i, n := range o {
		r[i] += n
	}
}

// numbers of a label within the counts of a score.
const (
	unlabelled = int(summary.Unlabelled)
	negative   = int(summary.Negative)
	positive   = int(summary.Positive)
)

// unlabel moves every row to those whose label has not arrived.
func (w *world) unlabel(r rows) {
	for k := range w.columns {
		c := &w.columns[k]
		if c.kind != score {
			continue
		}
		for i := range w.cells {
			counts := w.cellOf(r, i)[1+c.at:]
			for j := range c.values {
				counts[3*j+unlabelled] += counts[3*j+negative] + counts[3*j+positive]
				counts[3*j+negative], counts[3*j+positive] = 0, 0
			}
		}
	}
}

// draw lets n rows come, of which the candidate's may be harmed; swing multiplies
// every share of yes.
func (w *world) draw(d dice, n uint64, harm bool, swing float64, harmed []column, into rows) {
	clear(into)
	d.multinomial(n, w.split, func(i int, k uint64) { w.cellOf(into, i)[0] += k })
	for i := range w.cells {
		r := w.cellOf(into, i)
		columns := w.columns
		if harm && w.cells[i].harmed {
			columns = harmed
		}
		for k := range columns {
			columns[k].draw(d, r[0], swing, r[1+columns[k].at:])
		}
	}
}

// draw draws the values of n rows.
func (c *column) draw(d dice, n uint64, swing float64, counts rows) {
	switch {
	case c.kind == flag:
		yes := d.binomial(n, math.Min(1, c.rate*swing))
		counts[0], counts[1] = n-yes, yes
	case c.kind == number, c.kind == name && c.cell < 0:
		d.multinomial(n, c.weight, func(i int, k uint64) { counts[c.offset+i] += k })
	case c.kind == score:
		d.multinomial(n, c.weight, func(i int, k uint64) {
			yes := d.binomial(k, c.truth[i])
			counts[3*i+positive] += yes
			counts[3*i+negative] += k - yes
		})
	}
}

// fill adds rows to a snapshot and its slices.
func (w *world) fill(s *analysis.Snapshot, r rows, span analysis.TimeRange) error {
	return w.each(s, r, func(at *analysis.Snapshot, v *view, sum rows) {
		at.RowCount += sum[0]
		for k := range w.columns {
			if c := at.Column(w.columns[k].name); c != nil {
				w.fillColumn(c, &w.columns[k], sum, v, r, span)
			}
		}
	})
}

// markYoung notes rows, which are in the snapshot, whose labels do not count yet.
func (w *world) markYoung(s *analysis.Snapshot, r rows) error {
	return w.each(s, r, func(at *analysis.Snapshot, _ *view, sum rows) {
		if l := at.ByRole(analysis.Label); l != nil {
			l.ImmatureLabels += sum[0]
		}
	})
}

// each calls f with the rows of a snapshot and of each of its slices.
func (w *world) each(s *analysis.Snapshot, r rows, f func(at *analysis.Snapshot, v *view, sum rows)) error {
	sum := make(rows, w.width+1)
	for i := range w.views {
		v := &w.views[i]
		clear(sum)
		for _, k := range v.cells {
			sum.add(w.cellOf(r, k))
		}
		if sum[0] == 0 {
			continue
		}
		at := s
		if v.cross != nil {
			var err error
			if at, err = s.FillSlice(v.cross, v.values); err != nil {
				return err
			}
		}
		f(at, v, sum)
	}
	return nil
}

// fillColumn adds the counts of a column in a view.
func (w *world) fillColumn(dst *analysis.ColumnSummary, c *column, sum rows, v *view, r rows, span analysis.TimeRange) {
	counts := sum[1+c.at:]
	switch c.kind {
	case flag:
		dst.Type = analysis.Bool
		dst.Boolean.False += counts[0]
		dst.Boolean.True += counts[1]
	case number:
		dst.Type = analysis.Float
		for i, x := range c.values {
			dst.Numeric.AddN(x, counts[i])
			if dst.Cuts.Layout().Kind() == summary.FrozenEdges {
				dst.Cuts.AddN(x, counts[i])
			}
		}
	case name:
		dst.Type = analysis.String
		if c.cell >= 0 {
			for _, k := range v.cells {
				dst.Category.AddN(w.cells[k].values[c.name], w.cellOf(r, k)[0])
			}
			return
		}
		for i, text := range c.names {
			dst.Category.AddN(text, counts[i])
		}
	case score:
		dst.Type = analysis.Float
		for i, x := range c.values {
			dst.Scores.AddN(x, summary.Unlabelled, counts[3*i+unlabelled])
			dst.Scores.AddN(x, summary.Negative, counts[3*i+negative])
			dst.Scores.AddN(x, summary.Positive, counts[3*i+positive])
		}
	case label:
		dst.Type = analysis.Bool
		s := w.score()
		for i := range s.values {
			dst.Boolean.Null += sum[1+s.at+3*i+unlabelled]
			dst.Boolean.False += sum[1+s.at+3*i+negative]
			dst.Boolean.True += sum[1+s.at+3*i+positive]
		}
	case action:
		dst.Type = analysis.String
		s := w.score()
		for i, x := range s.values {
			n := uint64(0)
			for k := range 3 {
				n += sum[1+s.at+3*i+k]
			}
			dst.Category.AddN(w.act(x), n)
		}
	case clock:
		dst.Type = analysis.Time
		if dst.Clock.N == 0 {
			dst.Clock.Min = span.Min
		}
		dst.Clock.N += sum[0]
		dst.Clock.Min, dst.Clock.Max = min(dst.Clock.Min, span.Min), max(dst.Clock.Max, span.Max)
	case unit:
		dst.Type = analysis.Int // units do not repeat, so that rows stand for them
	}
}

// score is the model of the score.
func (w *world) score() *column { return &w.columns[w.spec.ByRole(analysis.Score)] }

// act is the action that the rules of the policy take at a score.
func (w *world) act(x float64) string {
	for _, r := range w.policy.Actions.Rules {
		if x >= r.AtLeast {
			return r.Name
		}
	}
	return ""
}
