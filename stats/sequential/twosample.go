package sequential

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// CellStage holds the units of one stage of a ramp, by cell and arm, cumulative.
type CellStage struct {
	Share     float64  `json:"share"` // candidate's share of the eligible units, in (0,1)
	Baseline  []uint64 `json:"baseline"`
	Candidate []uint64 `json:"candidate"`
}

// Merge adds the counts of o. It is exact and commutative; the zero CellStage is
// the identity; different shares or cells give [stats.ErrMismatch]. o is
// unchanged.
func (s *CellStage) Merge(o *CellStage) error {
	if o.Share == 0 && len(o.Baseline) == 0 && len(o.Candidate) == 0 {
		return nil
	}
	if s.Share == 0 && len(s.Baseline) == 0 && len(s.Candidate) == 0 {
		*s = CellStage{o.Share, slices.Clone(o.Baseline), slices.Clone(o.Candidate)}
		return nil
	}
	if s.Share != o.Share || len(s.Baseline) != len(o.Baseline) || len(s.Candidate) != len(o.Candidate) {
		return fmt.Errorf("sequential: CellStage.Merge: share %v with %d cells and share %v with %d: %w",
			s.Share, len(s.Baseline), o.Share, len(o.Baseline), stats.ErrMismatch)
	}
	for i, n := range o.Baseline {
		s.Baseline[i] += n
	}
	for i, n := range o.Candidate {
		s.Candidate[i] += n
	}
	return nil
}

// TwoSampleOptions configures [TwoSample]. Its fields tune the process and must
// be frozen before the data.
type TwoSampleOptions struct {
	// Grid of factors > 1 by which a cell may be more or less frequent in the
	// candidate; default 1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 2, 3, 5, 10.
	Grid []float64
}

// TwoSampleResult is the answer of [TwoSample].
type TwoSampleResult struct {
	Method     string
	LogE       float64
	Cells      []float64 // log e-value of each cell alone, to show where the difference is
	NBaseline  uint64
	NCandidate uint64
}

// TwoSample tests, at any number of looks, whether two binned distributions are
// equal, when the traffic split is known.
//
// Given that the next unit falls in cell c, it is in the candidate with
// probability theta = r f/(r f + 1 - r): r is the configured share and f the
// ratio of the two frequencies of the cell, 1 under the null whatever the common
// distribution is and however it moves. So each cell runs its own two-sided
// [BinomMix] with e-value M_c, and products over cells are e-values too:
//
//	E = mean over widths g = 1, 2, 4, ... and e in {1/C_g, 1} of prod_c (1 - e + e M_c)
//
// where C_g is the number of cells after joining g neighbours, down to two.
// Small e finds a change in few cells, e = 1 one in all, wide cells a shift of
// an ordered distribution. For unordered cells joining neighbours is arbitrary
// but valid.
//
// The test is exact, uses cumulative counts only, and carries its evidence over
// the stages of a ramp. A wrong traffic split is a difference too: test it first
// with [SRM].
//
// Assumptions: units are assigned independently with the configured share and
// count once.
//
// Special cases: no units give LogE = 0.
//
// Errors: [stats.ErrEmpty] without stages or with fewer than 2 cells,
// [stats.ErrMismatch] for different cells, [stats.ErrDomain] for a share outside
// (0,1) or an impossible grid.
//
// Cost: O(stages * cells * grid).
//
// References: Lindon and Malek, NeurIPS 2022, for the tilted arm probability;
// Vovk and Wang, "E-values: calibration, combination and applications", Annals
// of Statistics 49 (2021), for products and means.
func TwoSample(stages []CellStage, o TwoSampleOptions) (TwoSampleResult, error) {
	if len(o.Grid) == 0 {
		o.Grid = []float64{1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 2, 3, 5, 10}
	}
	mix, err := BinomMixOptions{Grid: o.Grid}.mix()
	if err != nil {
		return TwoSampleResult{}, fmt.Errorf("sequential: TwoSample: %w", err)
	}
	r := TwoSampleResult{Method: "per-cell binomial grid mixtures"}
	if len(stages) == 0 || len(stages[0].Baseline) < 2 {
		return r, fmt.Errorf("sequential: TwoSample: %d stages, or fewer than 2 cells: %w", len(stages), stats.ErrEmpty)
	}
	cells := len(stages[0].Baseline)
	for i, s := range stages {
		if len(s.Baseline) != cells || len(s.Candidate) != cells {
			return r, fmt.Errorf("sequential: TwoSample: stage %d has %d and %d cells, not %d: %w", i, len(s.Baseline), len(s.Candidate), cells, stats.ErrMismatch)
		}
		if !(s.Share > 0 && s.Share < 1) {
			return r, fmt.Errorf("sequential: TwoSample: stage %d: share %v: %w", i, s.Share, stats.ErrDomain)
		}
		mix.share = append(mix.share, s.Share)
		for c := range s.Baseline {
			r.NBaseline += s.Baseline[c]
			r.NCandidate += s.Candidate[c]
		}
	}
	var terms []float64
	for width := 1; width == 1 || (cells+width-1)/width >= 2; width *= 2 {
		logM := mix.cells(stages, cells, width)
		if width == 1 {
			r.Cells = logM
		}
		for _, e := range []float64{1 / float64(len(logM)), 1} {
			sum := 0.0
			for _, l := range logM {
				sum += logMix(e, l)
			}
			terms = append(terms, sum)
		}
	}
	if r.NBaseline+r.NCandidate > 0 {
		r.LogE = logSumExp(terms) - math.Log(float64(len(terms)))
	}
	return r, nil
}

// cells returns log M of each cell after joining width neighbours.
func (m *riskMix) cells(stages []CellStage, cells, width int) []float64 {
	var out []float64
	m.events = make([]float64, len(stages))
	for lo := 0; lo < cells; lo += width {
		m.x, m.n = 0, 0
		for s, st := range stages {
			m.events[s] = 0
			for c := lo; c < min(lo+width, cells); c++ {
				m.events[s] += float64(st.Baseline[c]) + float64(st.Candidate[c])
				m.x += float64(st.Candidate[c])
			}
			m.n += m.events[s]
		}
		out = append(out, m.logE(0, stats.Different))
	}
	return out
}

// logMix is log(1 - e + e exp(l)) for 0 < e <= 1, without overflow.
func logMix(e, l float64) float64 {
	switch {
	case e == 1:
		return l
	case l > 0:
		return l + math.Log(e+float64((1-e)*math.Exp(-l)))
	}
	return math.Log1p(e * math.Expm1(l))
}
