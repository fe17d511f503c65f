package stats

// The logs of the non-central chi-square tails, for the test against R and mpmath.
var (
	LogNonCentralUpper = logNonCentralUpper
	LogNonCentralLower = logNonCentralLower
)
