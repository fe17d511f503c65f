package analysis

import (
	"fmt"
	"slices"
)

// absentColumns reports columns that the policy names and that the log of an arm does not
// have: those with a role, and those that slices are told apart by, which would all
// be one slice. The check schema reports them itself.
func (p *Policy) absentColumns(strata []Stratum) []Finding {
	if slices.ContainsFunc(p.Checks, func(e CheckEntry) bool { return e.Check.Name() == "schema" && !e.Muted }) {
		return p.unitless(strata)
	}
	var out []Finding
	for _, name := range p.named() {
		arm := ""
		var n Counts
		for _, s := range strata {
			if s.Baseline.lacksColumn(name) {
				arm, n.Baseline = "baseline", n.Baseline+s.Baseline.RowCount
			}
			if s.Candidate.lacksColumn(name) {
				arm, n.Candidate = "candidate", n.Candidate+s.Candidate.RowCount
			}
		}
		if arm == "" {
			continue
		}
		if n.Baseline > 0 && n.Candidate > 0 {
			arm = "baseline and of the candidate"
		}
		f := NewFinding(checkLabels, "column_absent", name)
		f.Column, f.N, f.Outcome, f.Severity, f.Required = name, n, Invalid, SeverityPause, true
		f.Message = fmt.Sprintf("The log of the %s has no column %s, which the policy names. Correct the name in the policy, or the log.", arm, name)
		out = append(out, f)
	}
	return append(out, p.unitless(strata)...)
}

// unitless reports a column of units without a value in any row: rows would then count
// as units, and nothing would tell that they repeat.
func (p *Policy) unitless(strata []Stratum) []Finding {
	var n Counts
	for _, s := range strata {
		n.Baseline += s.Baseline.rowsWithoutUnits(p.Columns.Unit)
		n.Candidate += s.Candidate.rowsWithoutUnits(p.Columns.Unit)
	}
	if n == (Counts{}) {
		return nil
	}
	f := NewFinding(checkLabels, "no_units", p.Columns.Unit)
	f.Column, f.N, f.Outcome, f.Severity, f.Required = p.Columns.Unit, n, Invalid, SeverityPause, true
	f.Message = fmt.Sprintf("The column %s, which the policy names as the unit, has no value in any row, so that it is not known what repeats. Log the unit, or take it out of the policy.", p.Columns.Unit)
	return []Finding{f}
}

// rowsWithoutUnits counts the rows of an arm whose column of units is there and null in
// all of them.
func (s *Snapshot) rowsWithoutUnits(name string) uint64 {
	if s == nil || name == "" || s.RowCount == 0 {
		return 0
	}
	c := s.Column(name)
	if c == nil || c.Role != Unit || c.Units.Total() > 0 || c.Units.Null() != s.RowCount {
		return 0
	}
	return s.RowCount
}

// named lists the columns of a log that the policy cannot do without, in the order
// in which messages name them. Without times the looks themselves tell how long a stage
// has lasted.
func (p *Policy) named() []string {
	c := p.Columns
	out := []string{c.Unit, c.PolicyVersion, c.Prediction}
	if p.Pairs == (Pairs{}) { // of which one log may bring the labels
		out = append(out, c.Score, c.Label)
	}
	for _, cross := range p.sliceSpecs() {
		out = append(out, cross.Names()...)
	}
	for _, d := range p.discoverSpecs() {
		for _, col := range d.Columns {
			out = append(out, col.Name)
		}
	}
	all := p.derived()
	for i := 0; i < len(out); i++ { // what is derived rests on columns of the log
		for _, d := range all {
			if d.Name == out[i] {
				out = append(out, d.Of...)
			}
		}
	}
	var once []string
	for _, name := range out {
		derived := slices.ContainsFunc(all, func(d DerivedSpec) bool { return d.Name == name })
		if name != "" && !derived && !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// lacksColumn reports whether none of the rows of the arm has the column.
func (s *Snapshot) lacksColumn(name string) bool {
	if s == nil || s.RowCount == 0 {
		return false
	}
	c := s.Column(name)
	return c != nil && c.AbsentRows == s.RowCount
}
