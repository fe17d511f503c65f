package checks

import "github.com/rampguard/rampguard/analysis"

// Builtin returns the checks of this package by the names that policies use. The
// map is new at every call, so a program may add its own.
func Builtin() analysis.Registry {
	return analysis.Registry{
		"schema":      buildSchema,
		"srm":         buildSRM,
		"drift":       buildDrift,
		"collapse":    buildCollapse,
		"contract":    buildContract,
		"guardrail":   buildGuardrail,
		"gauge":       buildGauge,
		"actions":     buildActions,
		"slo":         buildSLO,
		"slices":      buildSlices,
		"discover":    buildDiscover,
		"expected":    buildExpected,
		"labels":      buildLabels,
		"calibration": buildCalibration,
		"paired":      buildPaired,
	}
}

// shareParam reads a share above 0 and below 1, 0 when it is not given.
func shareParam(p *analysis.Params, key, example string) float64 {
	q, ok := p.Quantity(key)
	switch {
	case !ok:
		return 0
	case q.Unit == analysis.Ratio || !(q.Value > 0 && q.Value < 1):
		p.Errorf(key, "%v is not a share between 0 and 1, such as %s", q, example)
		return 0
	}
	return q.Value
}
