package summary

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// PairGrid counts pairs of scores in [0,1] that two classifiers, a baseline and a
// candidate, gave to the same rows, by label. From it follow, without another
// pass, how often the two decide alike or otherwise at any pair of thresholds that
// are lines of the grid, transition tables between lists of thresholds, their AUCs,
// and the covariance of these.
//
// The lines of each side are the multiples of 1/64 and the cuts that were given for
// it: counts at these are exact. With Fine, they are the multiples of 1/128 and,
// within 1/16 of either end of [0,1], eight lines per octave down to 2^-14. A score on a line is in the cell
// above it. A row is in the grid when both scores are in [0,1]; any other row is
// counted by label in [PairGrid.Unusable], and what was wrong by side in
// [PairGrid.Excluded].
//
// Beside the grid, the labelled scores of each side are counted in cells that are
// 1/64 of an octave of the distance from the nearer end of [0,1] wide, so at most
// 1/256, and with Fine 1/4096 of one, at most 1/16384: see [PairGrid.ScoreCells].
// Below 2^-24 there is one cell per octave.
//
// Memory is taken for what has met a row, and nothing is allocated per row. With b
// and c lines, a grid takes no more than 24 (b+1) (c+1) bytes, and the scores no more
// than 0.16 MiB, with Fine 9 MiB: 0.3 MiB in all without cuts, 3.3 MiB with 300 on
// each side and 27 MiB with 1024, and with Fine 11, 17 and 49 MiB. [PairGridOptions.MaxBytes] is
// the bound. Merge is exact, commutative and associative. The zero PairGrid is
// empty, has no cuts, is not Fine, and is the identity of Merge. It is not safe for
// concurrent use.
type PairGrid struct {
	sides    [2]pairAxis
	counts   [labels][][]uint64 // by cells of the baseline, then of the candidate; nil without rows
	n        [labels]uint64     // rows in the grid
	unusable [labels]uint64     // rows that are not
	excluded [2]Excluded        // by side
	scores   [2]pairScores      // by side: those of labelled rows in the grid
	fine     bool
}

// PairGridOptions say how finely to divide [0,1]. The zero value is right for the
// many slices of a log.
type PairGridOptions struct {
	Fine bool // more lines near 0 and 1, and finer cells of scores
}

// PairCell is the number of rows, by [Label], in one cell of the grid.
type PairCell struct {
	Baseline, Candidate int // cells, counted from 0 for the lowest scores
	N                   [3]uint64
}

// PairDecisions counts rows by whether each score is at or above its threshold.
type PairDecisions struct {
	Both, OnlyBaseline, OnlyCandidate, Neither uint64
}

// Total is the number of rows.
func (d PairDecisions) Total() uint64 { return d.Both + d.OnlyBaseline + d.OnlyCandidate + d.Neither }

const (
	gridLines   = 64   // equal parts of [0,1]
	gridFine    = 128  // the same with Fine
	gridOctaves = 14   // with Fine, lines go down to 2^-14
	gridParts   = 8    // of each octave below 1/16
	maxGridCuts = 1024 // on each side
)

// pairAxis holds the cells of one side.
type pairAxis struct {
	cuts  []float64
	lines []float64            // the lower ends of all cells but the first, ascending, in (0,1]
	start [gridFine + 1]uint16 // by part of [0,1]: the cell in which it begins
}

// NewPairGrid returns an empty PairGrid that is exact at the cuts of each side. A
// cut that is not finite, and more than 1024 cuts on a side, is an error wrapping
// [stats.ErrDomain]. Order does not matter and equal cuts count once; -0 is taken
// as 0.
func NewPairGrid(baselineCuts, candidateCuts []float64, o PairGridOptions) (*PairGrid, error) {
	g := &PairGrid{fine: o.Fine}
	for i, cuts := range [2][]float64{baselineCuts, candidateCuts} {
		cs := slices.Clone(cuts)
		for k, x := range cs {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("summary: NewPairGrid: %s: cut %d is %v: %w", sideName(i), k, x, stats.ErrDomain)
			}
			cs[k] += 0 // -0 becomes 0
		}
		slices.Sort(cs)
		cs = slices.Compact(cs)
		if len(cs) > maxGridCuts {
			return nil, fmt.Errorf("summary: NewPairGrid: %s: %d cuts, want at most %d: %w", sideName(i), len(cs), maxGridCuts, stats.ErrDomain)
		}
		if len(cs) > 0 {
			g.sides[i].cuts = cs
		}
	}
	return g, nil
}

func sideName(i int) string {
	if i == 0 {
		return "baseline"
	}
	return "candidate"
}

// prepare finds the lines of the grid, once they are needed.
func (g *PairGrid) prepare() {
	if g.sides[0].lines == nil {
		for i := range g.sides {
			g.sides[i].prepare(g.fine)
			g.scores[i].bits = scoreBits
			if g.fine {
				g.scores[i].bits = scoreBitsFine
			}
		}
	}
}

func (a *pairAxis) prepare(fine bool) {
	var lines []float64
	parts := gridLines
	if fine {
		parts = gridFine
	}
	for k := 1; k <= parts; k++ {
		lines = append(lines, float64(k)/float64(parts))
	}
	for o := 5; fine && o <= gridOctaves; o++ {
		for k := range gridParts {
			x := math.Ldexp(1+float64(k)/gridParts, -o)
			lines = append(lines, x, 1-x)
		}
	}
	for _, x := range a.cuts {
		if x > 0 && x <= 1 {
			lines = append(lines, x)
		}
	}
	slices.Sort(lines)
	a.lines = slices.Compact(lines)
	for k := range a.start {
		at, on := slices.BinarySearch(a.lines, float64(k)/gridFine)
		a.start[k] = uint16(at + int(bit(on)))
	}
}

// bit is 1 for true.
func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// cells is the number of cells of a side that was prepared.
func (a *pairAxis) cells() int { return len(a.lines) + 1 }

// cell is the cell of a score in [0,1]. Multiplying by a power of two is exact.
func (a *pairAxis) cell(x float64) int {
	part := int(x * gridFine)
	lo, hi := int(a.start[part]), len(a.lines)
	if part < gridFine {
		hi = int(a.start[part+1])
	}
	for lo < hi { // the first line above x
		if mid := (lo + hi) / 2; x >= a.lines[mid] {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// above is the lowest cell all scores of which are at or above the threshold; ok is
// false when the threshold is inside a cell.
func (a *pairAxis) above(t float64) (c int, ok bool) {
	switch {
	case t <= 0:
		return 0, true
	case t > 1:
		return a.cells(), true
	}
	at, on := slices.BinarySearch(a.lines, t)
	return at + 1, on
}

// AddSlice counts rows: the scores of both sides with their labels, in slices of
// equal length. Where a valid is not nil, a score with a false entry is missing. A
// label that is none of the three states counts as Unlabelled. Slices of other
// lengths are an error wrapping [stats.ErrMismatch], and nothing is counted.
func (g *PairGrid) AddSlice(baseline, candidate []float64, baselineValid, candidateValid []bool, ls []Label) error {
	n := len(ls)
	if len(baseline) != n || len(candidate) != n ||
		baselineValid != nil && len(baselineValid) != n || candidateValid != nil && len(candidateValid) != n {
		return fmt.Errorf("summary: PairGrid.AddSlice: %d and %d scores, %d and %d valid flags, and %d labels: %w",
			len(baseline), len(candidate), len(baselineValid), len(candidateValid), n, stats.ErrMismatch)
	}
	for i, l := range ls {
		g.add(baseline[i], candidate[i], baselineValid == nil || baselineValid[i], candidateValid == nil || candidateValid[i], l, 1)
	}
	return nil
}

// AddN counts one pair of scores with its label n times.
func (g *PairGrid) AddN(baseline, candidate float64, l Label, n uint64) {
	if n > 0 {
		g.add(baseline, candidate, true, true, l, n)
	}
}

func (g *PairGrid) add(x, y float64, okX, okY bool, l Label, n uint64) {
	l = l.known()
	okX = g.usable(0, x, okX, n)
	okY = g.usable(1, y, okY, n)
	if !okX || !okY {
		g.unusable[l] += n
		return
	}
	g.prepare()
	g.at(l, g.sides[0].cell(x), g.sides[1].cell(y), n)
	if l != Unlabelled {
		g.scores[0].add(x, l, n)
		g.scores[1].add(y, l, n)
	}
}

// at adds n rows to a cell.
func (g *PairGrid) at(l Label, a, b int, n uint64) {
	if g.counts[l] == nil {
		g.counts[l] = make([][]uint64, g.sides[0].cells())
	}
	row := g.counts[l][a]
	if row == nil {
		row = make([]uint64, g.sides[1].cells())
		g.counts[l][a] = row
	}
	row[b] += n
	g.n[l] += n
}

// usable reports whether a score can be in the grid, and counts why not.
func (g *PairGrid) usable(side int, x float64, valid bool, n uint64) bool {
	e := &g.excluded[side]
	switch {
	case !valid:
		e.Null += n
	case x >= 0 && x <= 1:
		return true
	case e.exclude(x, n):
	case x < 0:
		e.Below += n
	default:
		e.Above += n
	}
	return false
}

// N is the number of rows with the label in the grid.
func (g *PairGrid) N(l Label) uint64 { return g.n[l.known()] }

// Unusable is the number of rows with the label of which a score is missing or not
// in [0,1].
func (g *PairGrid) Unusable(l Label) uint64 { return g.unusable[l.known()] }

// known is the label, or Unlabelled when it is none of the three states.
func (l Label) known() Label {
	if l > Positive {
		return Unlabelled
	}
	return l
}

// Total is the number of rows counted, unusable ones included.
func (g *PairGrid) Total() uint64 {
	total := uint64(0)
	for l := range g.n {
		total += g.n[l] + g.unusable[l]
	}
	return total
}

// Excluded counts the scores of each side that are missing or not in [0,1].
func (g *PairGrid) Excluded() (baseline, candidate Excluded) { return g.excluded[0], g.excluded[1] }

// Cuts returns the cuts of each side.
func (g *PairGrid) Cuts() (baseline, candidate []float64) {
	return slices.Clone(g.sides[0].cuts), slices.Clone(g.sides[1].cuts)
}

// MaxBytes is how much memory a grid with cuts of these numbers takes at most.
func (o PairGridOptions) MaxBytes(baselineCuts, candidateCuts int) int {
	lines, bits := gridLines, scoreBits
	if o.Fine {
		lines, bits = gridFine+2*(gridOctaves-4)*gridParts, scoreBitsFine
	}
	s := pairScores{bits: bits}
	const count, cell, slice = 8, 24, 24
	b, c := lines+baselineCuts+1, lines+candidateCuts+1
	return labels*b*(c*count+slice) + 2*(2*s.half()+scorePageCells)*(cell+1)
}

// Fine reports whether the grid is a fine one.
func (g *PairGrid) Fine() bool { return g.fine }

// Lines returns the lines of each side: line k is the lower end of cell k+1.
func (g *PairGrid) Lines() (baseline, candidate []float64) {
	g.prepare()
	return slices.Clone(g.sides[0].lines), slices.Clone(g.sides[1].lines)
}

// Decisions counts the rows with the label by whether each score is at or above the
// threshold of its side. It reports false when a threshold in (0,1] is no line of
// its side, or is NaN.
func (g *PairGrid) Decisions(baseline, candidate float64, l Label) (d PairDecisions, ok bool) {
	t, ok := g.Transitions([]float64{baseline}, []float64{candidate}, l)
	if !ok {
		return d, false
	}
	return PairDecisions{Neither: t[0][0], OnlyCandidate: t[0][1], OnlyBaseline: t[1][0], Both: t[1][1]}, true
}

// Transitions counts the rows with the label by the band that each score is in:
// t[i][j] rows are in band i of the baseline's thresholds and in band j of the
// candidate's. Thresholds ascend; band i begins at threshold i-1, and band 0 is
// below all. It reports false when a threshold in (0,1] is no line of its side, or
// thresholds do not ascend.
func (g *PairGrid) Transitions(baseline, candidate []float64, l Label) (t [][]uint64, ok bool) {
	g.prepare()
	from, ok1 := g.sides[0].bands(baseline)
	to, ok2 := g.sides[1].bands(candidate)
	if !ok1 || !ok2 {
		return nil, false
	}
	t = make([][]uint64, len(baseline)+1)
	for i := range t {
		t[i] = make([]uint64, len(candidate)+1)
	}
	for a, row := range g.counts[l.known()] {
		for b, n := range row {
			t[from[a]][to[b]] += n
		}
	}
	return t, true
}

// bands tells the band of each cell.
func (a *pairAxis) bands(ts []float64) (band []int, ok bool) {
	band = make([]int, a.cells())
	for i, t := range ts {
		from, ok := a.above(t)
		if !ok || i > 0 && !(ts[i-1] < t) {
			return nil, false
		}
		for c := from; c < len(band); c++ {
			band[c] = i + 1
		}
	}
	return band, true
}

// Cells lists the cells that have rows, by the cell of the baseline and then that
// of the candidate.
func (g *PairGrid) Cells() []PairCell {
	var out []PairCell
	for a := range len(g.sides[0].lines) + 1 {
		for b := range len(g.sides[1].lines) + 1 {
			c := PairCell{Baseline: a, Candidate: b}
			for l := range g.counts {
				if g.counts[l] != nil && g.counts[l][a] != nil {
					c.N[l] = g.counts[l][a][b]
				}
			}
			if c.N != [3]uint64{} {
				out = append(out, c)
			}
		}
	}
	return out
}

// Merge adds o to g; o is unchanged. Different cuts do not merge, and neither does a
// fine grid with another: the error wraps [stats.ErrMismatch]; g is then unchanged.
// An empty g without cuts that is not fine takes over those of o.
func (g *PairGrid) Merge(o *PairGrid) error {
	bare := func(x *PairGrid) bool {
		return x.Total() == 0 && len(x.sides[0].cuts)+len(x.sides[1].cuts) == 0 && !x.fine
	}
	switch {
	case bare(o):
		return nil
	case bare(g):
		g.sides, g.fine = o.sides, o.fine
		g.scores = [2]pairScores{{bits: o.scores[0].bits}, {bits: o.scores[1].bits}}
	case g.fine != o.fine:
		return fmt.Errorf("summary: PairGrid.Merge: one grid is fine and the other is not: %w", stats.ErrMismatch)
	}
	for i := range g.sides {
		if a, b := g.sides[i].cuts, o.sides[i].cuts; !slices.Equal(a, b) {
			return fmt.Errorf("summary: PairGrid.Merge: %s: cuts %v and %v: %w", sideName(i), a, b, stats.ErrMismatch)
		}
	}
	for i := range g.sides {
		g.excluded[i].merge(o.excluded[i])
	}
	for l := range o.counts {
		g.unusable[l] += o.unusable[l]
		if o.counts[l] != nil {
			g.prepare()
		}
		for a, row := range o.counts[l] {
			for b, n := range row {
				if n > 0 {
					g.at(Label(l), a, b, n)
				}
			}
		}
	}
	for i := range g.scores {
		if o.scores[i].pages != nil {
			g.prepare()
			g.scores[i].merge(&o.scores[i])
		}
	}
	return nil
}
