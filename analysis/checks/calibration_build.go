package checks

import (
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

func buildCalibration(p *analysis.Params) (analysis.Check, error) {
	p.Severity(analysis.SeverityPause)
	pol := p.Policy()
	c := Calibration{
		Column:    p.Column("column", pol.Columns.Score),
		Ratio:     limitParam(p, "ratio", 5),
		Slope:     limitParam(p, "slope", 5),
		Error:     limitParam(p, "error", 1),
		MCB:       limitParam(p, "mcb", 1),
		Band:      shareParam(p, "band", "25%"),
		MinUnits:  p.Uint("min_units", 0),
		BandUnits: p.Uint("band_units", 0),
		Planned:   p.Uint("planned", 0),
		Wait:      p.Enum("small", "warn", "warn", "wait") == "wait",
	}
	switch {
	case pol.Task == analysis.Multiclass:
		c.buildTopLabel(p, pol)
	case pol.Task != analysis.Binary:
		p.Errorf("", "the task is %v: only probabilities can be calibrated; the coverage of predicted intervals is what comes near, as a guardrail", pol.Task)
	case c.Column == "":
		p.Errorf("", "no score to look at; name it under columns")
	case c.Column != pol.Columns.Score:
		p.Errorf("column", "calibration is that of the score; name %s under columns.score", c.Column)
	}
	if pol.Columns.Label == "" {
		p.Errorf("", "calibration needs labels; name the column under columns.label")
	}
	c.buildSlices(p)
	return c, nil
}

// buildTopLabel derives the probability of the predicted class with its outcome.
func (c *Calibration) buildTopLabel(p *analysis.Params, pol *analysis.Policy) {
	if p.Has("column") {
		p.Errorf("column", "of a multiclass task the probability of the predicted class is looked at; leave column out")
	}
	from, err := pol.Columns.TopLabel()
	if err != nil {
		p.Errorf("", "a multiclass task needs columns.label and, as columns.classes, the probability of each class; columns.prediction has to be left out")
		return
	}
	c.From, c.Column = from, from[len(from)-1].Name
}

// buildSlices reads which slices are judged.
func (c *Calibration) buildSlices(p *analysis.Params) {
	names, values := p.Strings("slice"), p.Strings("values")
	c.Overall = p.Has("slice") && len(names) == 0
	for _, d := range p.Policy().DeclaredSlices() {
		if len(names) == len(d.Columns) && containsAll(d.Names(), names) {
			c.Of = d.Columns
		}
	}
	switch {
	case names != nil && c.Of == nil:
		p.Errorf("slice", "the policy declares no slices of %s", strings.Join(names, " x "))
	case values == nil:
	case c.Of == nil:
		p.Errorf("values", "say of which slices these are values; add slice: and the columns, such as slice: [country]")
	default:
		c.Values = buildValues(p, c.Of, values)
	}
}

// limitParam reads a limit above 0, 0 when it is not given.
func limitParam(p *analysis.Params, key string, most float64) float64 {
	x := p.Float(key, 0)
	if p.Has(key) && !(x > 0 && x <= most) {
		p.Errorf(key, "%v is not a limit above 0 and up to %v", x, most)
		return 0
	}
	return x
}
