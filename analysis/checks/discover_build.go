package checks

import (
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

// maxDiscoverColumns is the greatest number of columns of a table.
const maxDiscoverColumns = 64

func buildDiscover(p *analysis.Params) (analysis.Check, error) {
	pol := p.Policy()
	if s := p.Severity(analysis.SeverityWarn); s >= analysis.SeverityPause && p.Bool("required", true) {
		p.Errorf("severity", "discover proves that a slice is weak, never that none is, so that a rollout cannot wait for it; add required: false, or declare slices for the check slices")
	}
	def := analysis.LogLossError
	if pol.Task != analysis.Binary {
		def = analysis.AbsoluteError
	}
	var words []string
	for k := analysis.LogLossError; k <= analysis.ColumnError; k++ {
		words = append(words, k.String())
	}
	c := Discover{
		Column: p.Column("column", ""), Threshold: p.Float("threshold", 0),
		Top: int(p.Uint("top", defaultDiscoverTop)), MaxColumns: int(p.Uint("max_columns", defaultDiscoverColumns)), MinUnits: p.Uint("min_units", 0),
	}
	c.Error = analysis.ErrorKind(slices.Index(words, p.Enum("metric", def.String(), words...)))
	if q, ok := p.Quantity("margin"); ok {
		c.Margin = &q
		if q.Value < 0 || q.Unit == analysis.Ratio {
			p.Errorf("margin", "%v is not a margin such as 0.05 or 10%%", q)
		}
	}
	c.Of = discoverColumns(p, pol)
	switch {
	case c.Top < 1 || c.Top > 100:
		p.Errorf("top", "%d slices; test 1 to 100", c.Top)
	case c.MaxColumns < 1 || c.MaxColumns > 5:
		p.Errorf("max_columns", "%d columns; a slice has 1 to 5", c.MaxColumns)
	case c.MinUnits == 1:
		p.Errorf("min_units", "one row has no noise to judge by; take 30 at least")
	}
	switch score := pol.Columns.Score == "" || pol.Columns.Label == ""; {
	case pol.Columns.Unit == "":
		p.Errorf("", "columns.unit names no column; slices are found on one half of the units and tested on the other")
	case c.Error == analysis.ColumnError && c.Column == "":
		p.Errorf("column", "metric column needs the column that holds the errors")
	case c.Error != analysis.ColumnError && c.Column != "":
		p.Errorf("column", "only the metric column has one")
	case c.Error != analysis.ColumnError && score:
		p.Errorf("metric", "%v needs columns.score and columns.label", c.Error)
	case c.Error <= analysis.ThresholdError && pol.Task != analysis.Binary:
		p.Errorf("metric", "%v is for a binary task; take absolute_error or column", c.Error)
	case (c.Error == analysis.ThresholdError) != p.Has("threshold"):
		p.Errorf("threshold", "the metric error needs a threshold, and no other one has it")
	}
	return c, nil
}

// discoverColumns are those that the entry names, or those of the declared slices
// and the features. Declared cuts put numbers into buckets.
func discoverColumns(p *analysis.Params, pol *analysis.Policy) []analysis.SliceColumn {
	var declared []analysis.SliceColumn
	for _, cross := range pol.DeclaredSlices() {
		declared = append(declared, cross.Columns...)
	}
	names := p.Strings("columns")
	given := names != nil
	if !given {
		for _, col := range declared {
			names = append(names, col.Name)
		}
		names = append(names, pol.Columns.Features...)
	}
	var out []analysis.SliceColumn
	for _, name := range names {
		if slices.ContainsFunc(out, func(col analysis.SliceColumn) bool { return col.Name == name }) {
			if given {
				p.Errorf("columns", "%q is there twice", name)
			}
			continue
		}
		col := analysis.SliceColumn{Name: name}
		if i := slices.IndexFunc(declared, func(d analysis.SliceColumn) bool { return d.Name == name }); i >= 0 {
			col = declared[i]
		}
		out = append(out, col)
	}
	switch {
	case len(out) == 0:
		p.Errorf("columns", "no column to look at; name some, such as columns: [country, device]")
	case len(out) > maxDiscoverColumns:
		p.Errorf("columns", "%d columns; name %d at most", len(out), maxDiscoverColumns)
		out = out[:maxDiscoverColumns]
	}
	return out
}
