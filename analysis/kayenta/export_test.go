package kayenta

// The numbers behind a label, for the tests.
// Clean and Remove show what the judge compares.
func (s Canary) Clean(x []float64) ([]float64, error)    { return s.clean(x) }
func (d Detector) Remove(x []float64) ([]float64, error) { return d.remove(x) }

var (
	Percentile  = percentile
	MeanRatio   = meanRatio
	CLES        = cles
	Describe    = describe
	RoundHalfUp = roundHalfUp
)
