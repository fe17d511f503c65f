// Package statstest helps to test the numeric packages: it loads reference
// numbers made by SciPy, statsmodels, scikit-learn or R, compares floats under a
// stated tolerance, and proves the merge laws of accumulators. It is imported by
// tests only.
package statstest
