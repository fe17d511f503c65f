package checks

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
)

// fdr is the false discovery rate at which columns are called different.
const fdr = 0.10

// compared is a column with the divergence behind its finding.
type compared struct {
	finding analysis.Finding
	div     drift.Divergence
}

// ranked is the answer over all columns.
type ranked struct {
	finding  analysis.Finding
	adjusted map[string]float64 // p-values corrected for the number of columns
}

// ranking names the columns that differ, and the one to look at first.
func ranking(ev *analysis.Evidence, cs []compared, m driftMetric, columns int) (ranked, error) {
	ps := make([]float64, len(cs))
	for i, c := range cs {
		ps[i] = c.div.P
	}
	adjusted, err := stats.BenjaminiHochberg(ps)
	if err != nil {
		return ranked{}, fmt.Errorf("checks: Drift: %w", err)
	}
	out := ranked{adjusted: map[string]float64{}}
	var differ []compared
	material := 0
	score := ""
	if s := ev.Baseline.ByRole(analysis.Score); s != nil {
		score = s.Name
	}
	for i, c := range cs {
		out.adjusted[c.finding.Column] = adjusted[i]
		if c.finding.Outcome == analysis.Harm || c.finding.Estimate.Lo > m.warn {
			material++
		}
		if adjusted[i] <= fdr {
			differ = append(differ, c)
		}
	}
	hints := map[string]string{} // a wrong unit shifts the score, too, and is its cause
	for _, c := range differ {
		name := c.finding.Column
		hints[name] = unitHint(ev.Baseline.Column(name), ev.Candidate.Column(name))
	}
	class := func(c compared) int {
		if r := rankClass(c, score); r == 3 || hints[c.finding.Column] == "" || c.finding.Column == score {
			return r
		}
		return 0
	}
	slices.SortStableFunc(differ, func(a, b compared) int {
		return cmp.Or(
			cmp.Compare(class(a), class(b)),
			cmp.Compare(b.div.Corrected, a.div.Corrected),
			cmp.Compare(a.finding.Column, b.finding.Column),
		)
	})
	f := analysis.NewFinding("drift", "drift_ranking", "columns")
	f.N, f.Outcome, f.Unit = rows(ev), analysis.Pass, "share"
	share := float64(material) / float64(columns)
	f.Estimate = stats.Interval{Point: share, Lo: share, Hi: share}
	f.Method = "Benjamini-Hochberg at 10% for the list; interval above the warning level for the count"
	f.Details = []analysis.Detail{detail("columns", float64(columns)), detail("different", float64(len(differ))), detail("material", float64(material))}
	for _, c := range differ {
		f.Details = append(f.Details, analysis.Detail{Name: c.finding.Column, Value: stats.Float(c.div.Corrected)})
	}
	switch {
	case len(differ) == 0:
		f.Message = fmt.Sprintf("None of %d columns differs between the arms by more than chance gives.", columns)
	case material == 0:
		f.Message = fmt.Sprintf("%d of %d columns differ by more than chance gives (%s), none by an amount that matters.", len(differ), columns, list(columnNames(differ), 5))
	default:
		f.Outcome = analysis.Warn
		f.Message = fmt.Sprintf("%d of %d columns differ by an amount that matters; more than chance gives: %s. %s", material, columns, list(columnNames(differ), 5), rootCause(differ[0])+hints[differ[0].finding.Column])
	}
	out.finding = f
	return out, nil
}

// rankClass orders causes: broken data, then the score, then features.
func rankClass(c compared, score string) int {
	if c.finding.Outcome != analysis.Harm && c.finding.Outcome != analysis.Warn {
		return 3
	}
	if len(c.div.Top) > 0 {
		switch c.div.Top[0].Kind {
		case drift.MissingCell, drift.OutsideCell, drift.UnseenCell:
			return 0
		case drift.CategoryCell, drift.IntervalCell, drift.AtomCell, drift.OtherCell:
		}
	}
	if c.finding.Column == score {
		return 1
	}
	return 2
}

func columnNames(cs []compared) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = c.finding.Column
	}
	return out
}
