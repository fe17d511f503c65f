// Package compat computes drift numbers by the conventions of other tools: the
// same name means different numbers elsewhere, and whoever moves to this library,
// or compares dashboards, needs both.
//
// Every function is named after the tool whose convention it follows, and its
// comment says what that convention does to the number. None of them knows its
// sample sizes: there are no intervals and no noise floors here. For decisions use
// package drift.
//
// The conventions are those of Evidently, NannyML, deepchecks, TensorFlow Data
// Validation, deequ, frouros, scouter, SciPy and gonum, in the versions that
// testdata/cases/drift_cases.json names and tests against. Only definitions were
// taken over. Counts are float64, because some of these tools are fed with shares;
// they must not be negative. Where a tool drops missing values before it counts,
// so must the caller.
//
// Errors wrap the sentinels of package stats: ErrMismatch for slices of different
// length, ErrEmpty for a side without rows, ErrDomain for a count that is negative
// or not finite.
package compat
