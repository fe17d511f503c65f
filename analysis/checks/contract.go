package checks

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Contract asks whether the features of the candidate are what was agreed: of the
// type, in the range, with no more missing values, unknown names and stale values
// than the contract allows. [Schema] compares the arms column by column; a contract
// holds the candidate against figures that somebody has written down, so that it
// speaks even where both arms are wrong.
//
// Each share that the contract bounds is looked at twice:
//
//   - by itself: null_share, nan_share, range_share, unknown_share, unseen_share and
//     stale_share are Harm when the share is surely above its bound, Pass when it is
//     surely below, else Inconclusive. A bound of 0 is about the rows at hand: one
//     is too many, none is a Pass;
//   - against the baseline: the same codes with _rise, when the share surely rose by
//     more than Rise, even if it keeps its bound.
//
// The error is divided among all of these. A column that is not there and one of
// another type (column_absent, contract_type) are Invalid. Where nothing is wrong
// with a feature there is one finding, contract. Fewer rows than MinRows are
// Insufficient (volume).
//
// Null and NaN are counted apart; ranges and names are shares of the rows that have
// a value, and infinite values are out of range. A stale_share counts rows without
// the time, too: nothing shows that they are fresh.
//
// A feature of which the quartiles all changed by the same well-known factor is said
// to be in another unit.
type Contract struct {
	Features []ContractFeature
	// Freshness bounds the age of features; see [ContractAge].
	Freshness []ContractAge
	// MinRows is the number of rows of the candidate below which nothing is said to
	// pass.
	MinRows uint64
	// Rise is the greatest rise of a share against the baseline that does not
	// matter; 0 means 0.05.
	Rise float64
}

// ContractFeature is what is agreed on one column. Bounds that are nil are not
// looked at, except that Min and Max alone allow nothing outside, and Allowed alone
// allows no other name.
type ContractFeature struct {
	Column string
	// Type of the values; Absent means any. Whole numbers are taken for Float.
	Type     analysis.Type
	Min, Max *float64
	Allowed  []string // the names of a string column

	MaxNull    *float64 // share of missing values
	MaxNaN     *float64 // share of values that are no number
	MaxOutside *float64 // share outside Min to Max; nil means 0
	// MaxUnseen is the share of names that are not in Allowed or, without a list,
	// that the baseline has not seen. The latter is held against MaxUnseen and the
	// share that a sample like the baseline would bring by chance (Good 1953); half of
	// the error is for how far that may be off (Esty 1983).
	MaxUnseen *float64

	dated bool // rows without a value count as outside, too
}

// ContractAge bounds the age of a feature: the time of the row minus the time of the
// feature, in Column, as a derived column "age of" Column.
type ContractAge struct {
	Column string
	Time   string // the time of the row; "" means that of the policy
	MaxAge time.Duration
	Share  float64 // share of rows that may be older
}

// name is the derived column.
func (a ContractAge) name() string { return "age of " + a.Column }

// Name implements [analysis.Check].
func (c Contract) Name() string { return "contract" }

// Columns implements [analysis.Check].
func (c Contract) Columns() []analysis.ColumnSpec {
	var out []analysis.ColumnSpec
	for _, f := range c.features() {
		s := analysis.ColumnSpec{Name: f.Column}
		if f.Min != nil {
			s.Cuts = append(s.Cuts, *f.Min)
		}
		if f.Max != nil {
			s.Cuts = append(s.Cuts, beyond(*f.Max))
		}
		out = append(out, s)
	}
	return out
}

// Derived implements [analysis.DerivedUser].
func (c Contract) Derived() []analysis.DerivedSpec {
	var out []analysis.DerivedSpec
	for _, a := range c.Freshness {
		out = append(out, analysis.DerivedSpec{Name: a.name(), Op: analysis.Minus, Of: []string{a.Time, a.Column}})
	}
	return out
}

// beyond is the smallest number above x.
func beyond(x float64) float64 { return math.Nextafter(x, math.MaxFloat64) }

// features are those of the contract and the ages.
func (c Contract) features() []ContractFeature {
	out := slices.Clone(c.Features)
	for _, a := range c.Freshness {
		most, share := a.MaxAge.Seconds(), a.Share
		out = append(out, ContractFeature{Column: a.name(), Max: &most, MaxOutside: &share, dated: true})
	}
	return out
}

// Run implements [analysis.Check].
func (c Contract) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	compare := ev.Compared != analysis.Absolute
	if compare {
		if fs := missing(ev, c.Name()); fs != nil {
			return fs, nil
		}
	} else if empty(ev.Candidate) {
		return missing(ev, c.Name()), nil
	}
	r := contractRun{ev: ev, l: newLook(ev), r: newRuler(ev.Policy, 0), rise: cmp.Or(c.Rise, 0.05), repeats: rowsPerUnit(ev.Baseline, ev.Candidate)}
	questions := 0
	for _, f := range c.features() {
		questions += f.questions(compare)
	}
	r.l.alpha /= math.Max(1, float64(questions))
	if c.MinRows > 0 {
		r.volume(c.MinRows)
	}
	for _, f := range c.features() {
		cand := ev.Candidate.Column(f.Column)
		var base *analysis.ColumnSummary
		if compare {
			base = ev.Baseline.Column(f.Column)
		}
		if cand == nil || compare && base == nil {
			return nil, fmt.Errorf("checks: Contract: the snapshots have no column %q: %w", f.Column, stats.ErrMismatch)
		}
		r.feature(f, base, cand)
	}
	return r.out, nil
}

func (c Contract) validate() error {
	if len(c.Features) == 0 && len(c.Freshness) == 0 && c.MinRows == 0 {
		return fmt.Errorf("checks: Contract: nothing is agreed: %w", stats.ErrEmpty)
	}
	if !(c.Rise >= 0 && c.Rise < 1) {
		return fmt.Errorf("checks: Contract: rise %v: %w", c.Rise, stats.ErrDomain)
	}
	for _, a := range c.Freshness {
		if a.MaxAge <= 0 || a.Column == "" || a.Time == "" {
			return fmt.Errorf("checks: Contract: age %v of %q against %q: %w", a.MaxAge, a.Column, a.Time, stats.ErrDomain)
		}
	}
	for _, f := range c.features() {
		for _, b := range []*float64{f.MaxNull, f.MaxNaN, f.MaxOutside, f.MaxUnseen} {
			if b != nil && !(*b >= 0 && *b < 1) {
				return fmt.Errorf("checks: Contract: %s: share %v: %w", f.Column, *b, stats.ErrDomain)
			}
		}
		if f.Min != nil && !(math.Abs(*f.Min) <= math.MaxFloat64) || f.Max != nil && !(math.Abs(*f.Max) < math.MaxFloat64) || f.Min != nil && f.Max != nil && *f.Min > *f.Max {
			return fmt.Errorf("checks: Contract: %s: range: %w", f.Column, stats.ErrDomain)
		}
	}
	return nil
}

// contractRun is the state of one run.
type contractRun struct {
	ev      *analysis.Evidence
	l       look
	r       ruler
	rise    float64
	repeats float64
	out     []analysis.Finding
}

// violation reports what does not fit. The other columns do not rest on it.
func (r *contractRun) violation(code, column string, format string, args ...any) {
	f := analysis.NewFinding("contract", code, code)
	p := problem{code, analysis.Invalid, fmt.Sprintf(format, args...)}
	p.put(&f)
	f.Column, f.Severity, f.N = column, analysis.SeverityPause, rows(r.ev)
	r.out = append(r.out, f)
}

// volume asks for enough rows.
func (r *contractRun) volume(least uint64) {
	n := r.ev.Candidate.RowCount
	f := analysis.NewFinding("contract", "volume", "rows")
	f.Severity, f.N, f.Unit = analysis.SeverityPause, rows(r.ev), "rows"
	f.Estimate = stats.Interval{Point: float64(n), Lo: float64(n), Hi: float64(n)}
	f.Outcome, f.Message = analysis.Pass, fmt.Sprintf("The candidate has %s rows; the contract wants %s.", count(n), count(least))
	if n < least {
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, least-n
		f.Message = fmt.Sprintf("The candidate has %s rows, and the contract wants %s: %s more, or find out where they are lost.", count(n), count(least), count(least-n))
	}
	r.out = append(r.out, f)
}

// feature holds one column against the contract.
func (r *contractRun) feature(f ContractFeature, base, cand *analysis.ColumnSummary) {
	arms := []struct {
		name string
		col  *analysis.ColumnSummary
	}{{"candidate", cand}, {"baseline", base}}
	fits := true
	for _, a := range arms {
		switch {
		case a.col == nil:
		case a.col.Type == analysis.Absent:
			fits = false
			r.violation("column_absent", f.Column, "The log of the %s has no column %s, which the contract has.", a.name, f.Column)
		case !f.takes(a.col.Type):
			fits = false
			r.violation("contract_type", f.Column, "Column %s of the %s is %v; the contract says %s.", f.Column, a.name, a.col.Type, f.wants())
		}
	}
	if !fits {
		return
	}
	pass := analysis.NewFinding("contract", "contract", "contract")
	pass.Column, pass.Outcome, pass.Severity, pass.N, pass.Estimate = f.Column, analysis.Pass, analysis.SeverityPause, rows(r.ev), stats.Interval{}
	told := false
	for _, s := range f.shares(base, cand) {
		g := r.share(f, s)
		if g.Outcome == analysis.Pass && s.base.n > 0 {
			if rose := r.rose(f, s); rose.Outcome != analysis.Pass {
				g = rose
			}
		}
		if g.Outcome != analysis.Pass {
			g.Message += unitHint(base, cand)
			r.out = append(r.out, g)
			told = true
			continue
		}
		if math.IsNaN(float64(pass.Limit)) || g.Estimate.Hi-float64(g.Limit) > pass.Estimate.Hi-float64(pass.Limit) {
			pass.Estimate, pass.Limit, pass.Unit, pass.Method, pass.HarmBound, pass.Alpha = g.Estimate, g.Limit, g.Unit, g.Method, g.HarmBound, g.Alpha
		}
		pass.Details = append(pass.Details, detail(s.code, s.cand.share()))
	}
	if told {
		return
	}
	size := count(pass.N.Candidate) + " rows"
	if base != nil {
		size = counts(pass.N.Baseline, pass.N.Candidate, "rows")
	}
	pass.Message = fmt.Sprintf("Column %s is %v and as the contract says. %s.", f.Column, cand.Type, size)
	r.out = append(r.out, pass)
}

// takes reports whether the contract can be held against values of the type.
func (f ContractFeature) takes(t analysis.Type) bool {
	number := t == analysis.Float || t == analysis.Int
	switch {
	case f.Type == analysis.Float && t == analysis.Int:
		return true
	case f.Type != analysis.Absent:
		return f.Type == t
	case f.Min != nil || f.Max != nil || f.MaxNaN != nil:
		return number
	case f.Allowed != nil || f.MaxUnseen != nil:
		return t == analysis.String
	}
	return true
}

// wants says which type that is.
func (f ContractFeature) wants() string {
	switch {
	case f.Type != analysis.Absent:
		return f.Type.String()
	case f.Allowed != nil || f.MaxUnseen != nil:
		return "names"
	}
	return "a number"
}
