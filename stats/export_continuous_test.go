package stats

// The limiting laws, for the tests against mpmath.
var (
	LogADTail  = logADTail
	LogCvMTail = logCvMTail
)
