package simulation

import (
	"math"
	"math/rand/v2"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// dice is the randomness of one rollout.
type dice struct{ *rand.Rand }

// newDice is the stream of one rollout: it depends on the seed and the number of
// the rollout alone, so that the number of workers does not matter.
func newDice(seed uint64, rollout int) dice {
	return dice{rand.New(rand.NewPCG(seed, uint64(rollout)+1))}
}

func (d dice) poisson(mean float64) uint64 {
	if !(mean > 0) {
		return 0
	}
	return uint64(distuv.Poisson{Lambda: mean, Src: d}.Rand())
}

func (d dice) binomial(n uint64, p float64) uint64 {
	switch {
	case n == 0 || !(p > 0):
		return 0
	case p >= 1:
		return n
	case n < 16:
		k := uint64(0)
		for range n {
			if d.Float64() < p {
				k++
			}
		}
		return k
	}
	return min(n, uint64(distuv.Binomial{N: float64(n), P: p, Src: d}.Rand()))
}

// shares are probabilities that sum to 1, ready to draw from.
type shares struct {
	p    []float64
	upTo []float64 // sums of p
	rest []float64 // p[i] among what p[i] and those after it have
}

func newShares(weights []float64) shares {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	s := shares{}
	below := 0.0
	for _, w := range weights {
		p := w / sum
		s.p = append(s.p, p)
		rest := 0.0
		if p > 0 {
			rest = math.Min(1, p/math.Max(1-below, p))
		}
		s.rest = append(s.rest, rest)
		below += p
		s.upTo = append(s.upTo, below)
	}
	if n := len(s.upTo); n > 0 {
		s.upTo[n-1], s.rest[n-1] = 1, 1
	}
	return s
}

// multinomial shares n rows out: by one binomial a value, or row by row when there
// are fewer rows than values.
func (d dice) multinomial(n uint64, s shares, add func(i int, k uint64)) {
	if n < uint64(len(s.p)) {
		for range n {
			add(sort.SearchFloat64s(s.upTo, d.Float64()), 1)
		}
		return
	}
	for i, p := range s.rest {
		k := d.binomial(n, p)
		if k > 0 {
			add(i, k)
		}
		if n -= k; n == 0 {
			return
		}
	}
}
