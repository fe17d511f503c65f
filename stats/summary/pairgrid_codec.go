package summary

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

const pairGridWire = 2

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal states give equal
// bytes, however the rows came in.
func (g *PairGrid) MarshalBinary() ([]byte, error) {
	var w writer
	g.write(&w)
	return w.b, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves g unchanged.
func (g *PairGrid) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	var out PairGrid
	out.read(&r)
	if err := r.done(); err != nil {
		return err
	}
	*g = out
	return nil
}

// The cells that have rows are written in order, each as the distance from the
// one before and its number of rows.

func (g *PairGrid) write(w *writer) {
	w.u64(pairGridWire)
	w.u64(uint64(bit(g.fine)))
	for i := range g.sides {
		w.u64(uint64(len(g.sides[i].cuts)))
		for _, x := range g.sides[i].cuts {
			w.f64(x)
		}
		w.excluded(g.excluded[i])
	}
	for l := range g.counts {
		w.u64(g.unusable[l])
		w.u64(g.used(Label(l)))
		last := -1
		for a, row := range g.counts[l] {
			for b, n := range row {
				if n > 0 {
					at := a*len(row) + b
					w.u64(uint64(at - last))
					w.u64(n)
					last = at
				}
			}
		}
	}
	for i := range g.scores {
		g.scores[i].write(w)
	}
}

// used is the number of cells that have rows with the label.
func (g *PairGrid) used(l Label) uint64 {
	used := uint64(0)
	for _, row := range g.counts[l] {
		for _, n := range row {
			used += uint64(bit(n > 0))
		}
	}
	return used
}

func (g *PairGrid) read(r *reader) {
	r.version("pair grid", pairGridWire)
	switch r.u64() {
	case 0:
	case 1:
		g.fine = true
	default:
		r.fail("a grid that is neither fine nor not")
	}
	for i := range g.sides {
		g.sides[i].read(r)
		g.excluded[i] = r.excluded()
	}
	if r.err == nil {
		g.prepare()
	}
	for l := range g.counts {
		if g.unusable[l] = r.u64(); g.unusable[l] > 2*maxExcluded {
			r.fail("%d unusable rows", g.unusable[l])
		}
		last := uint64(0) // one more than the place of the cell before
		for n := r.length(2); n > 0 && r.err == nil; n-- {
			at := r.sum(last, r.u64())
			if at == last || at > uint64(g.sides[0].cells()*g.sides[1].cells()) {
				r.fail("cell %d after cell %d", at, last)
			}
			rows := r.u64()
			if rows == 0 {
				r.fail("a cell without rows")
			}
			if r.sum(g.n[l], rows); r.err == nil {
				width := uint64(g.sides[1].cells())
				g.at(Label(l), int((at-1)/width), int((at-1)%width), rows)
			}
			last = at
		}
	}
	for i := range g.scores {
		if r.err == nil {
			g.scores[i].read(r, [2]uint64{g.n[Negative], g.n[Positive]})
		}
	}
	g.check(r)
}

func (a *pairAxis) read(r *reader) {
	n := r.length(8)
	if n > maxGridCuts {
		r.fail("%d cuts", n)
		return
	}
	for range n {
		x := r.f64()
		if math.IsNaN(x) || math.IsInf(x, 0) || isNegativeZero(x) || len(a.cuts) > 0 && !(a.cuts[len(a.cuts)-1] < x) {
			r.fail("cut %v", x)
			return
		}
		a.cuts = append(a.cuts, x)
	}
}

// check reports as damage counts that do not belong together: a row is unusable
// for one side or for both.
func (g *PairGrid) check(r *reader) {
	rows, all := uint64(0), uint64(0)
	for l := range g.n {
		rows = r.sum(rows, g.unusable[l])
		all = r.sum(all, g.n[l])
	}
	r.sum(all, rows)
	a, b := g.excluded[0].Total(), g.excluded[1].Total()
	if max(a, b) > rows || a+b < rows {
		r.fail("%d unusable rows with %d and %d unusable scores", rows, a, b)
	}
}

type pairGridJSON struct {
	Fine       bool          `json:"fine,omitempty"`
	Baseline   pairSideJSON  `json:"baseline"`
	Candidate  pairSideJSON  `json:"candidate"`
	Unlabelled pairLabelJSON `json:"unlabelled"`
	Negative   pairLabelJSON `json:"negative"`
	Positive   pairLabelJSON `json:"positive"`
}

type pairSideJSON struct {
	Cuts     []float64   `json:"cuts,omitempty"`
	Excluded Excluded    `json:"excluded,omitzero"`
	Scores   []scoreJSON `json:"scores,omitempty"`
}

// scoreJSON is a cell of scores; Only is their one value.
type scoreJSON struct {
	Cell uint64    `json:"cell"`
	Only *float64  `json:"only,omitempty"`
	N    [2]uint64 `json:"n"` // negatives and positives
}

// pairLabelJSON holds the rows of one label; a cell is [baseline, candidate, rows].
type pairLabelJSON struct {
	Unusable uint64      `json:"unusable,omitempty"`
	Cells    [][3]uint64 `json:"cells,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (g *PairGrid) MarshalJSON() ([]byte, error) {
	j := pairGridJSON{Fine: g.fine}
	for i, s := range []*pairSideJSON{&j.Baseline, &j.Candidate} {
		s.Cuts, s.Excluded = g.sides[i].cuts, g.excluded[i]
		g.scores[i].each(func(at int, c *scoreCell) {
			cell := scoreJSON{Cell: uint64(at), N: c.n}
			if c.only != severalScores {
				x := math.Float64frombits(c.only)
				cell.Only = &x
			}
			s.Scores = append(s.Scores, cell)
		})
	}
	for l, p := range []*pairLabelJSON{&j.Unlabelled, &j.Negative, &j.Positive} {
		p.Unusable = g.unusable[l]
		for a, row := range g.counts[l] {
			for b, n := range row {
				if n > 0 {
					p.Cells = append(p.Cells, [3]uint64{uint64(a), uint64(b), n})
				}
			}
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves g unchanged.
func (g *PairGrid) UnmarshalJSON(b []byte) error {
	var j pairGridJSON
	if err := readJSON("PairGrid", b, &j); err != nil {
		return err
	}
	out, err := NewPairGrid(j.Baseline.Cuts, j.Candidate.Cuts, PairGridOptions{Fine: j.Fine})
	if err != nil || !slices.Equal(out.sides[0].cuts, j.Baseline.Cuts) || !slices.Equal(out.sides[1].cuts, j.Candidate.Cuts) {
		return fmt.Errorf("summary: PairGrid: cuts %v and %v: %w", j.Baseline.Cuts, j.Candidate.Cuts, stats.ErrMismatch)
	}
	out.prepare()
	out.excluded = [2]Excluded{j.Baseline.Excluded, j.Candidate.Excluded}
	height, width := uint64(out.sides[0].cells()), uint64(out.sides[1].cells())
	for l, p := range []*pairLabelJSON{&j.Unlabelled, &j.Negative, &j.Positive} {
		out.unusable[l] = p.Unusable
		for _, c := range p.Cells {
			if c[0] >= height || c[1] >= width || c[2] == 0 || out.n[l]+c[2] < c[2] {
				return fmt.Errorf("summary: PairGrid: cell %v: %w", c, stats.ErrMismatch)
			}
			out.at(Label(l), int(c[0]), int(c[1]), c[2])
		}
	}
	for i, s := range []*pairSideJSON{&j.Baseline, &j.Candidate} {
		if err := out.scores[i].fill(s.Scores); err != nil {
			return err
		}
	}
	var w writer // whatever else the binary form refuses
	out.write(&w)
	return g.UnmarshalBinary(w.b)
}

// fill takes the cells of the JSON form, which are in order.
func (s *pairScores) fill(cells []scoreJSON) error {
	for k, c := range cells {
		if c.Cell >= uint64(2*s.half()) || k > 0 && c.Cell <= cells[k-1].Cell || c.N == [2]uint64{} {
			return fmt.Errorf("summary: PairGrid: scores in cell %d: %w", c.Cell, stats.ErrMismatch)
		}
		at := s.at(int(c.Cell))
		at.n, at.only = c.N, severalScores
		if c.Only != nil {
			at.only = math.Float64bits(*c.Only)
		}
	}
	return nil
}
