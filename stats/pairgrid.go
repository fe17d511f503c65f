package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// PairedCell counts units of each class whose two scores lie in one pair of cells.
// Cells are numbered in ascending order of the score.
type PairedCell struct {
	A, B                 int // cells of the first and the second score
	Negatives, Positives uint64
}

// PairedAUCBinned compares the AUCs of two scores given to the same units, from
// counts in pairs of cells. Units in one cell of a score count as tied; so estimate
// and variance are exactly those of [PairedAUC] on scores rounded to their cells.
//
// A and B hold the two AUCs as [AUCBinned] finds them from the margins, with what
// exact scores could change in Resolved.
//
// Special cases are those of [PairedAUC].
// Errors: [ErrEmpty] for a class without units; [ErrDomain] for level outside (0,1)
// or counts beyond the range of uint64.
// Cost: one sort of the cells.
//
// Reference: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
func PairedAUCBinned(cells []PairedCell, level float64) (AUCComparison, error) {
	const fn = "PairedAUCBinned"
	var margins [2]cellMargin
	for k := range margins {
		margins[k] = newCellMargin(cells, k)
	}
	c := AUCComparison{Method: "DeLong paired on cells", DF: math.Inf(1)}
	var err error
	for k, dst := range []*AUCResult{&c.A, &c.B} {
		if *dst, err = AUCBinned(margins[k].neg, margins[k].pos, level); err != nil {
			return AUCComparison{}, fmt.Errorf("stats: %s: %w", fn, err)
		}
	}
	n, m := float64(c.A.Negatives), float64(c.A.Positives)
	variance := math.Inf(1)
	if n > 1 && m > 1 {
		d := c.A.Estimate.Point - c.B.Estimate.Point
		var ssNeg, ssPos float64
		for i, cell := range cells {
			a, b := margins[0].place[i], margins[1].place[i]
			dPos := margins[0].belowNeg[a]/n - margins[1].belowNeg[b]/n - d
			dNeg := margins[1].belowPos[b]/m - margins[0].belowPos[a]/m - d
			ssPos += float64(float64(cell.Positives) * dPos * dPos)
			ssNeg += float64(float64(cell.Negatives) * dNeg * dNeg)
		}
		variance = ssPos/(m-1)/m + ssNeg/(n-1)/n
	}
	c.SE = math.Sqrt(variance)
	if c.SE*0x1p50 < 1 && c.A.Estimate.Point == c.B.Estimate.Point {
		c.SE = 0 // rounding of equal ranks
	}
	return c, c.finish(fn, level)
}

// cellMargin is one score of paired cells.
type cellMargin struct {
	neg, pos           []uint64  // by cell that has units
	belowNeg, belowPos []float64 // units below, and half of those in it
	place              []int     // by paired cell: its cell here
}

func newCellMargin(cells []PairedCell, score int) cellMargin {
	id := func(c PairedCell) int {
		if score == 0 {
			return c.A
		}
		return c.B
	}
	order := make([]int, len(cells))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(id(cells[i]), id(cells[j])) })
	m := cellMargin{place: make([]int, len(cells))}
	for k, i := range order {
		if k == 0 || id(cells[order[k-1]]) != id(cells[i]) {
			m.neg, m.pos = append(m.neg, 0), append(m.pos, 0)
		}
		last := len(m.neg) - 1
		m.neg[last] += cells[i].Negatives
		m.pos[last] += cells[i].Positives
		m.place[i] = last
	}
	var neg, pos float64
	for i := range m.neg {
		m.belowNeg = append(m.belowNeg, neg+half(m.neg[i]))
		m.belowPos = append(m.belowPos, pos+half(m.pos[i]))
		neg += float64(m.neg[i])
		pos += float64(m.pos[i])
	}
	return m
}

// PairedTable counts units of one class by two yes-or-no decisions.
type PairedTable struct {
	Both, OnlyFirst, OnlySecond, Neither uint64 // which of the two said yes
}

// PairedConfusion compares two classifiers, or one at two thresholds, on the same
// units. Each comparison is the first less the second, and B and C are its
// discordant pairs.
type PairedConfusion struct {
	Accuracy PairedComparison // B: only the first is right; C: only the second is
	TPR      PairedComparison // of the positives; N is 0 and the interval [-1,1] without any
	FPR      PairedComparison // of the negatives; likewise
}

// PairedDecisions compares accuracy, true and false positive rate of two decisions
// made on the same units, with the intervals of [Tango].
//
// Special cases: without units of a class its rate has N 0, a Point of NaN and the
// interval [-1,1].
// Errors: [ErrEmpty] for no units; [ErrDomain] for level outside (0,1), or counts
// beyond the range of uint64.
func PairedDecisions(neg, pos PairedTable, level float64) (PairedConfusion, error) {
	const fn = "PairedDecisions"
	n, err := sumCounts([]uint64{neg.Both, neg.OnlyFirst, neg.OnlySecond, neg.Neither})
	m, err2 := sumCounts([]uint64{pos.Both, pos.OnlyFirst, pos.OnlySecond, pos.Neither})
	if err == nil {
		err = err2
	}
	if err == nil {
		_, err = sumCounts([]uint64{n, m})
	}
	if err != nil {
		return PairedConfusion{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	var r PairedConfusion
	for _, one := range []struct {
		dst     *PairedComparison
		b, c, n uint64
	}{
		{&r.Accuracy, pos.OnlyFirst + neg.OnlySecond, pos.OnlySecond + neg.OnlyFirst, n + m},
		{&r.TPR, pos.OnlyFirst, pos.OnlySecond, m},
		{&r.FPR, neg.OnlyFirst, neg.OnlySecond, n},
	} {
		if one.n == 0 && n+m > 0 {
			*one.dst = PairedComparison{Estimate: Interval{math.NaN(), -1, 1, level}, Method: "Tango score"}
			continue
		}
		if *one.dst, err = Tango(one.b, one.c, one.n, level); err != nil {
			return PairedConfusion{}, fmt.Errorf("stats: %s: %w", fn, err)
		}
	}
	return r, nil
}
