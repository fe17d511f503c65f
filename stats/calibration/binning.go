package calibration

import (
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// Binning says how scores are grouped. The zero Binning is 15 bins of equal mass.
// A binned error means nothing without it, so every result names it.
type Binning struct {
	Method BinMethod
	Bins   int // 1 to 65536; 0 means 15; ignored by Distinct
}

// BinMethod is a way of choosing bins.
type BinMethod int8

// The ways of choosing bins. With all of them a histogram cell, or a group of tied
// scores, stays in one bin, and bins without rows are dropped.
const (
	// EqualMass sorts the rows and splits them into groups whose sizes differ by
	// one at most, larger groups first. Ties across a split join the lower group,
	// so heavy ties leave fewer bins. Ends lie midway between neighbouring scores.
	EqualMass BinMethod = iota
	// EqualWidth cuts [0,1] into [i/k, (i+1)/k), the last one closed at 1. On a
	// histogram with k not a divisor of 2048, ends move to the nearest cell.
	EqualWidth
	// Distinct gives each distinct score, or cell of a histogram, a bin.
	Distinct
)

// String returns "mass", "width" or "distinct".
func (m BinMethod) String() string {
	switch m {
	case EqualMass:
		return "mass"
	case EqualWidth:
		return "width"
	case Distinct:
		return "distinct"
	}
	return fmt.Sprintf("BinMethod(%d)", int8(m))
}

const (
	defaultBins = 15
	maxBins     = 1 << 16
)

// String names the binning, such as "mass/15", "width/10" or "distinct".
func (b Binning) String() string {
	if b.Method == Distinct {
		return b.Method.String()
	}
	return fmt.Sprintf("%v/%d", b.Method, b.orDefault(defaultBins).Bins)
}

func (b Binning) orDefault(bins int) Binning {
	switch {
	case b.Method == Distinct:
		b.Bins = 0
	case b.Bins == 0:
		b.Bins = bins
	}
	return b
}

func (b Binning) check(fn string) error {
	if b.Method < EqualMass || b.Method > Distinct || b.Bins < 0 || b.Bins > maxBins {
		return fmt.Errorf("calibration: %s: binning %v with %d bins: %w", fn, b.Method, b.Bins, stats.ErrDomain)
	}
	return nil
}

// Bin is one point of a reliability diagram.
type Bin struct {
	Lo, Hi    float64 // range of scores
	N         uint64
	Positives uint64
	Score     float64 // mean score
	Rate      float64 // Positives / N
}

// Reliability returns the populated bins in ascending order: the points of a
// reliability diagram, which a calibrated model has on the diagonal up to noise
// with variance about Score (1-Score)/N.
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for an impossible binning.
// Cost: linear in the number of cells.
//
// Reference: Murphy & Winkler (1977), Reliability of subjective probability
// forecasts of precipitation and temperature, Applied Statistics 26, 41-47.
func Reliability(d Data, b Binning) ([]Bin, error) {
	groups, err := d.groups("Reliability", b)
	return bins(groups), err
}

func bins(groups []group) []Bin {
	out := make([]Bin, len(groups))
	for i, g := range groups {
		out[i] = Bin{Lo: g.lo, Hi: g.hi, N: uint64(g.n), Positives: uint64(g.k), Score: g.score, Rate: g.k / g.n}
	}
	return out
}

// group is a bin with the sums that follow from its cells.
type group struct {
	lo, hi float64 // ends of the bin
	n, k   float64 // rows, positive labels
	score  float64 // mean score
	gap    float64 // mean of p-y
	spread float64 // variance of p-y over the rows, divided by n
	w0     float64 // sum of p(1-p): variance of k when the scores are right
	w00    float64 // sum of (p(1-p))^2
	wbv    float64 // sum of (p-score)^2
	wbc    float64 // sum of (p-score)(y-rate)
}

// groups returns the populated bins of d.
func (d Data) groups(fn string, b Binning) ([]group, error) {
	if err := d.check(fn); err != nil {
		return nil, err
	}
	if err := b.check(fn); err != nil {
		return nil, err
	}
	b = b.orDefault(defaultBins)
	ends := d.ends(b)
	out := make([]group, 0, len(ends))
	from := 0
	for _, to := range ends {
		g := newGroup(d.cells[from:to])
		g.lo, g.hi = d.bounds(b, from, to)
		out = append(out, g)
		from = to
	}
	return out, nil
}

// ends returns, for each populated bin, the index of the cell after its last.
func (d Data) ends(b Binning) []int {
	if b.Method == EqualMass {
		return massEnds(d.ranks(), b.Bins)
	}
	var ends []int
	for i := 1; i < len(d.cells); i++ {
		if b.Method == Distinct || widthBin(d.cells[i-1].score(), b.Bins) != widthBin(d.cells[i].score(), b.Bins) {
			ends = append(ends, i)
		}
	}
	return append(ends, len(d.cells))
}

// widthBin is the i with i/k <= p < (i+1)/k, where the fractions are the nearest
// float64; 1 belongs to the last bin.
func widthBin(p float64, k int) int {
	i := int(p * float64(k))
	switch {
	case float64(i)/float64(k) > p:
		i--
	case float64(i+1)/float64(k) <= p:
		i++
	}
	return min(i, k-1)
}

// ranks returns the cumulative number of rows up to and including each cell.
func (d Data) ranks() []uint64 {
	ranks := make([]uint64, len(d.cells))
	n := uint64(0)
	for i, c := range d.cells {
		n += uint64(c.n())
		ranks[i] = n
	}
	return ranks
}

// massEnds splits rows into k groups whose sizes differ by at most one, larger ones
// first, and returns the cells at which groups end. A group ends with the whole
// cell in which its last row lies, so groups can fall together.
func massEnds(ranks []uint64, k int) []int {
	n := ranks[len(ranks)-1]
	parts := min(uint64(k), n)
	size, larger := n/parts, n%parts
	ends := make([]int, 0, parts)
	for i := uint64(1); i <= parts; i++ {
		last, _ := slices.BinarySearch(ranks, i*size+min(i, larger))
		if len(ends) == 0 || last+1 > ends[len(ends)-1] {
			ends = append(ends, last+1)
		}
	}
	return ends
}

// bounds returns the ends of the bin of cells [from, to).
func (d Data) bounds(b Binning, from, to int) (lo, hi float64) {
	first, last := d.cells[from], d.cells[to-1]
	switch b.Method {
	case EqualWidth:
		k := float64(b.Bins)
		i := float64(widthBin(first.score(), b.Bins))
		return i / k, (i + 1) / k
	case EqualMass:
		lo, hi = 0, 1
		if from > 0 {
			lo = (d.cells[from-1].hi + first.lo) / 2
		}
		if to < len(d.cells) {
			hi = (last.hi + d.cells[to].lo) / 2
		}
		return lo, hi
	case Distinct:
	}
	return first.lo, last.hi
}

func newGroup(cells []cell) group {
	var g group
	var p1, gap, w0, w00 adder
	for _, c := range cells {
		g.n += c.n()
		g.k += c.pos.n
		for _, positive := range []bool{false, true} {
			x := c.side(positive)
			q := x.mean * (1 - x.mean)
			p1.add(x.n * x.mean)
			gap.add(-x.n * residual(x.mean, positive))
			w0.add(x.n * (q - x.variance))
			w00.add(x.n * (float64(q*q) + float64((1-6*q)*x.variance)))
		}
	}
	g.score = min(max(p1.value()/g.n, cells[0].lo), cells[len(cells)-1].hi)
	g.gap = gap.value() / g.n
	g.w0, g.w00 = max(0, w0.value()), max(0, w00.value())
	var spread, wbv, wbc adder
	rate := g.k / g.n
	for _, c := range cells {
		for _, positive := range []bool{false, true} {
			x := c.side(positive)
			e, t := -residual(x.mean, positive)-g.gap, x.mean-g.score
			spread.add(x.n * (float64(e*e) + x.variance))
			wbv.add(x.n * (float64(t*t) + x.variance))
			wbc.add(x.n * t * residual(rate, positive))
		}
	}
	g.spread = spread.value() / g.n
	g.wbv, g.wbc = wbv.value(), wbc.value()
	return g
}

// coarse returns the warning for bins in which few positive or few negative labels
// are expected, if there are any.
func coarse(groups []group) []stats.Warning {
	few := 0
	for _, g := range groups {
		if min(g.score, 1-g.score)*g.n < smallCount {
			few++
		}
	}
	if few == 0 {
		return nil
	}
	return []stats.Warning{warn(stats.WarnSmallExpected, fmt.Sprintf("%d of %d bins expect fewer than 5 of one label", few, len(groups)))}
}
