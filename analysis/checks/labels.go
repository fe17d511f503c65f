package checks

// UsesLabels implements [analysis.LabelUser].
func (g Guardrail) UsesLabels() bool { return g.Metric.labelled() }

// UsesLabels implements [analysis.LabelUser].
func (c Slices) UsesLabels() bool { return c.Guardrail.UsesLabels() }
