package checks

import (
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// hardlyRepeat is the clustering of the ids up to which units are taken not to
// repeat.
const hardlyRepeat = 1.01

// unitsOf are the units of an arm, nil when the log names none or has no arm.
func unitsOf(s *analysis.Snapshot) *summary.Distinct {
	if s == nil {
		return nil
	}
	if u := s.ByRole(analysis.Unit); u != nil {
		return &u.Units
	}
	return nil
}

// rowsPerUnit is the number of rows that are worth one independent row, as if the
// rows of a unit all said the same, from the arm where it is largest; 1 when the
// log names no unit or units hardly repeat. The mean number of rows would not do:
// where a few units have most of the rows, the noise is theirs.
//
// It is for all rows of an arm, and holds if the rows of units with many rows are
// spread like those of the others. For some rows see [rowsPerUnitOf].
func rowsPerUnit(ss ...*analysis.Snapshot) float64 {
	worst := 1.0
	for _, s := range ss {
		if u := unitsOf(s); u != nil {
			worst = math.Max(worst, u.Clustering())
		}
	}
	if worst <= hardlyRepeat {
		return 1
	}
	return worst
}

// rowsPerUnitOf is rowsPerUnit for some rows of an arm only, such as those of a slice
// or those with a positive label, or for so many events: it is not known whose they
// are, and they may all be of the units with most rows (ClusteringOf of the ids in
// package summary).
func rowsPerUnitOf(rows uint64, s *analysis.Snapshot) float64 {
	if u := unitsOf(s); u != nil && u.Clustering() > hardlyRepeat {
		return u.ClusteringOf(rows)
	}
	return 1
}

// rarer is the number of events or of other rows, whichever is smaller.
func rarer(events, rows uint64) uint64 { return min(events, rows-min(events, rows)) }

// rarerLabel is the number of labelled scores of the class that has fewer.
func rarerLabel(s *summary.Scores) uint64 {
	return min(s.By(summary.Negative).N(), s.By(summary.Positive).N())
}

// repeats is the number of rows worth one for the metric in a stage. Of a share among
// the rows of one label or of flagged rows, of the share of positive labels, of AUC
// and of everything in a slice it does not rest on how all rows of the arm repeat.
func (g Guardrail) repeats(st analysis.Stratum, base, cand measure) float64 {
	worst := rowsPerUnit(st.Baseline, st.Candidate)
	for _, arm := range []struct {
		s *analysis.Snapshot
		m measure
	}{{st.Baseline, base}, {st.Candidate, cand}} {
		u := unitsOf(arm.s)
		if u == nil || arm.m.n == 0 {
			continue
		}
		slice := arm.s.RowCount < u.Total()+u.Null()
		switch g.Metric {
		case Precision, Recall, FalsePositiveRate, LabelRate, AUC:
		default:
			if !slice {
				continue
			}
		}
		worst = math.Max(worst, rowsPerUnitOf(arm.m.telling(), arm.s))
	}
	return worst
}

// telling is the number of rows that the value hangs on: the rarer rows of a share
// and around a quantile, the rarer class of AUC, the events of a rate.
func (m measure) telling() uint64 {
	switch m.kind {
	case proportion:
		return rarer(m.x, m.n)
	case area:
		return rarer(m.pos, m.n)
	case quantile:
		return uint64(float64(m.n) * math.Min(m.q, 1-m.q))
	case rate:
		return m.x
	case mean:
	}
	return m.n
}

// rowsPerUnitOf is the number of rows worth one for the mean error of a slice. Errors
// of 0 and 1 hang on the rarer of the two, other ones on as many as tell as much.
func (h *halves) rowsPerUnitOf(m stats.Moments) float64 {
	if h.repeats <= 1 || m.N == 0 {
		return h.repeats
	}
	n, sum := float64(m.N), float64(m.Mean*float64(m.N))
	worth := m.N
	if squares := float64(m.Variance*(n-1)) + float64(m.Mean*sum); squares > 0 {
		worth = min(uint64(math.Round(float64(sum*sum)/squares)), m.N)
	}
	worst := h.repeats
	for _, u := range h.units {
		worst = math.Max(worst, u.ClusteringOf(min(worth, max(1, m.N/2))))
	}
	return worst
}

// of takes the rows that the value hangs on for some of the rows only.
func (l pairLook) of(rows uint64) pairLook {
	if l.units != nil && l.repeats > 1 {
		l.repeats = math.Max(l.repeats, l.units.ClusteringOf(rows))
	}
	return l
}

// inSlice is the same for pairs of a slice; of all pairs the look stays as it is.
func (l pairLook) inSlice(rows uint64) pairLook {
	if !l.slice {
		return l
	}
	return l.of(rows)
}
