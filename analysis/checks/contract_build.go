package checks

import (
	"slices"
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

func buildContract(p *analysis.Params) (analysis.Check, error) {
	c := Contract{Rise: shareParam(p, "rise", "5pp")}
	seen := map[string]bool{}
	for _, e := range p.Maps("features") {
		f := buildContractFeature(e)
		if f.MaxUnseen != nil && f.Allowed == nil && p.Baseline() == analysis.Absolute {
			e.Errorf("max_unseen", "baseline: absolute leaves no arm whose names are known; list them as allowed")
		}
		if seen[f.Column] && f.Column != "" {
			e.Errorf("column", "the contract has %s twice; keep one of them", f.Column)
		}
		seen[f.Column] = true
		c.Features = append(c.Features, f)
	}
	if p.Has("features") && len(c.Features) == 0 {
		p.Errorf("features", "no column is listed; add one, such as {column: amount, type: float, min: 0}, or leave features out")
	}
	if v, ok := p.Map("volume"); ok {
		if c.MinRows = v.Uint("min", 0); c.MinRows == 0 {
			v.Errorf("min", "give the least number of rows, such as 1000")
		}
	}
	if v, ok := p.Map("freshness"); ok {
		a := ContractAge{Column: v.Column("column", ""), Time: v.Column("time", p.Policy().Columns.Time), MaxAge: v.Duration("max_age", 0)}
		if share := boundParam(v, "share"); share != nil {
			a.Share = *share
		}
		switch {
		case a.Column == "":
			v.Errorf("column", "name the column with the time of the features, such as feature_ts")
		case a.Time == "":
			v.Errorf("time", "name the column with the time of the row here, or under columns")
		case a.Time == a.Column:
			v.Errorf("column", "%s is the time of the row itself; name the time of the features", a.Column)
		case a.MaxAge <= 0:
			v.Errorf("max_age", "give an age above 0, such as 1h")
		default:
			c.Freshness = append(c.Freshness, a)
		}
	} else if !p.Has("features") && !p.Has("volume") && !p.Has("freshness") {
		p.Errorf("", "nothing is agreed; add features:, such as [{column: amount, type: float, min: 0}], volume: or freshness:")
	}
	p.Severity(analysis.SeverityPause)
	return c, nil
}

func buildContractFeature(e *analysis.Params) ContractFeature {
	f := ContractFeature{Column: e.Column("column", "")}
	if f.Column == "" {
		e.Errorf("", "the column is missing; add column: and its name")
	}
	words := []string{"float", "int", "bool", "string", "time"}
	if w := e.Enum("type", "", words...); w != "" {
		f.Type = analysis.Type(slices.Index(words, w) + 1)
	}
	given := func(key string) *float64 {
		x := e.Float(key, 0)
		if !e.Has(key) {
			return nil
		}
		return &x
	}
	f.Min, f.Max, f.Allowed = given("min"), given("max"), e.Strings("allowed")
	f.MaxNull, f.MaxNaN, f.MaxOutside, f.MaxUnseen = boundParam(e, "nulls"), boundParam(e, "nan"), boundParam(e, "outside"), boundParam(e, "max_unseen")
	ranged, named := f.Min != nil || f.Max != nil, f.Allowed != nil || f.MaxUnseen != nil
	switch {
	case f.Min != nil && f.Max != nil && *f.Min > *f.Max:
		e.Errorf("max", "%s is below min, %s", number(*f.Max), number(*f.Min))
	case f.MaxOutside != nil && !ranged:
		e.Errorf("outside", "outside of what; add min or max")
	case (ranged || f.MaxNaN != nil) && named:
		e.Errorf("", "names have no range; keep either min, max, outside and nan, or allowed and max_unseen")
	case (ranged || f.MaxNaN != nil) && f.Type > analysis.Int:
		e.Errorf("type", "%v has no range; leave min, max, outside and nan out", f.Type)
	case named && f.Type != analysis.Absent && f.Type != analysis.String:
		e.Errorf("type", "%v has no names; leave allowed and max_unseen out, or use min and max", f.Type)
	case e.Has("allowed") && len(f.Allowed) == 0:
		e.Errorf("allowed", "no name is allowed; list at least one")
	case f.Type == analysis.Absent && f.MaxNull == nil && f.MaxNaN == nil && !ranged && !named:
		e.Errorf("", "nothing is agreed on %s; add type, min, max, nulls, nan, allowed or max_unseen", strings.TrimSpace(f.Column))
	}
	return f
}

// boundParam reads a share from 0 on and below 1, nil when it is not given.
func boundParam(p *analysis.Params, key string) *float64 {
	q, ok := p.Quantity(key)
	switch {
	case !ok:
		return nil
	case q.Unit == analysis.Ratio || !(q.Value >= 0 && q.Value < 1):
		p.Errorf(key, "%v is not a share from 0 to 1, such as 0 or 1%%", q)
		return nil
	}
	return &q.Value
}
