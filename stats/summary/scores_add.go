package summary

import "math"

// The rows of one block are counted by label in 16 bits each of one register.
const (
	scoreBlock = 4096
	lane       = 16
)

// perLabel has room for any two-bit label, so that an index need not be checked.
type perLabel[T any] [4]T

// addBlock is addProbability for up to scoreBlock scores, each into the histogram
// of its label, together with addEdges for the cuts.
func (s *Scores) addBlock(scores []float64, ls []Label) {
	const first, cells = probFirst << probabilityBits, probOctaves << probabilityBits
	var pages perLabel[*pageTable]
	var counts perLabel[[]uint64]
	var mn, mx perLabel[float64]
	for l := range pages {
		pages[l], counts[l] = s.hist[l%labels].pages, s.cuts[l%labels].counts
		mn[l], mx[l] = math.Inf(1), math.Inf(-1)
	}
	t := s.cuts[0].layout.table
	if t != nil && !t.direct() {
		s.searchCuts(scores, ls)
		t = nil
	}
	n := uint64(0)
	ls = ls[:len(scores)]
	for k, p := range scores {
		l := ls[k]
		if l > Positive {
			l = Unlabelled
		}
		b := math.Float64bits(p)
		o := b | 1<<63                             // orderedBits of p > 0
		upper := uint64(int64(halfBits-1-b) >> 63) // all bits set for p >= 1/2
		b ^= (b ^ (math.Float64bits(1-p) - 1)) & upper
		i := b>>probabilityShift - first
		pg := pages[l%4][(upper&sidePages|i>>pageBits)%(2*sidePages)]
		if i >= cells || pg == nil {
			s.hist[l].addN(p, 1)
			if t != nil {
				s.cuts[l].addN(p, 1)
			}
			continue
		}
		if p < mn[l%4] {
			mn[l%4] = p
		}
		if p > mx[l%4] {
			mx[l%4] = p
		}
		pg[i%pageCells].add(b % (1 << probabilityShift))
		if t != nil {
			counts[l%4][t.lookUp(o)]++
		}
		n += 1 << (l * lane % 64)
	}
	for l := range s.hist {
		nl := n >> (l * lane) % (1 << lane)
		s.hist[l].include(mn[l], mx[l], nl)
		if t != nil {
			s.cuts[l].include(mn[l], mx[l], nl)
		}
	}
}

// searchCuts counts the scores at cuts that are too close together for a table.
func (s *Scores) searchCuts(scores []float64, ls []Label) {
	for k, p := range scores {
		l := ls[k]
		if l > Positive {
			l = Unlabelled
		}
		s.cuts[l].addN(p, 1)
	}
}
