package analysis_test

import (
	"errors"

	"github.com/rampguard/rampguard/analysis"
)

// listCheck is a check that only knows its columns.
type listCheck struct {
	name    string
	columns []analysis.ColumnSpec
}

func (c listCheck) Name() string                                       { return c.name }
func (c listCheck) Columns() []analysis.ColumnSpec                     { return c.columns }
func (c listCheck) Run(*analysis.Evidence) ([]analysis.Finding, error) { return nil, nil }

func named(name string, columns ...string) listCheck {
	c := listCheck{name: name}
	for _, col := range columns {
		if col != "" {
			c.columns = append(c.columns, analysis.ColumnSpec{Name: col})
		}
	}
	return c
}

// testRegistry has small stand-ins for some built-in checks, with the same keys,
// and some builders that misbehave.
func testRegistry() analysis.Registry {
	plain := func(name string) analysis.Builder {
		return func(p *analysis.Params) (analysis.Check, error) {
			p.Severity(analysis.SeverityPause)
			return named(name), nil
		}
	}
	return analysis.Registry{
		"schema": plain("schema"),
		"srm":    plain("srm"),
		"drift": func(p *analysis.Params) (analysis.Check, error) {
			p.Severity(analysis.SeverityWarn)
			p.Enum("metric", "psi", "psi", "js", "w1")
			p.Float("warn", 0.1)
			p.Float("fail", 0.25)
			return named("drift", p.Column("column", "")), nil
		},
		"collapse": func(p *analysis.Params) (analysis.Check, error) {
			p.Severity(analysis.SeverityRollback)
			return named("collapse", p.Column("column", p.Policy().Columns.Score)), nil
		},
		"actions": func(p *analysis.Params) (analysis.Check, error) {
			p.Severity(analysis.SeverityPause)
			if q, ok := p.Quantity("margin"); ok && q.Unit != analysis.Points {
				p.Errorf("margin", "%v is not in percentage points; write %vpp", q, q)
			}
			return named("actions", p.Policy().Columns.Action), nil
		},
		"guardrail": buildGuardrail,
		"takes":     buildTakes,
		"silent":    func(*analysis.Params) (analysis.Check, error) { return nil, nil },
		"refuses":   func(*analysis.Params) (analysis.Check, error) { return nil, errors.New("not on a Friday") },
		"panics": func(p *analysis.Params) (analysis.Check, error) {
			return nil, errors.New([]string{}[len(p.Str("check", ""))])
		},
	}
}

func buildGuardrail(p *analysis.Params) (analysis.Check, error) {
	p.Severity(analysis.SeverityRollback)
	p.Str("metric", "")
	p.Enum("direction", "", "lower", "higher")
	if !p.Has("direction") {
		p.Errorf("direction", "is missing; say whether lower or higher is better")
	}
	p.Float("q", 0.5)
	p.Float("threshold", 0.5)
	p.Quantity("margin")
	p.Uint("min_units", 0)
	for _, key := range []string{"bounds", "relative"} {
		limits, _ := p.Map(key)
		limits.Quantity("pause")
		limits.Quantity("rollback")
	}
	return named("guardrail", p.Column("column", "")), nil
}

// buildTakes reads one setting of every kind.
func buildTakes(p *analysis.Params) (analysis.Check, error) {
	p.Floats("list")
	p.Strings("names")
	far, _ := p.Map("far")
	near, _ := far.Map("near")
	near.Float("x", 0)
	p.Uint("often", 0)
	p.Duration("long", 0)
	c := named("takes")
	if unit := p.Column("unit", ""); unit != "" {
		c.columns = append(c.columns, analysis.ColumnSpec{Name: unit, Role: analysis.Unit})
	}
	return c, nil
}
