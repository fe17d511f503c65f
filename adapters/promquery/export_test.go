package promquery

// Decode reads the body of an answer for tests and returns the number of series.
func Decode(body []byte) (int, error) {
	r, err := decode(body, login{})
	return len(r.samples) + len(r.streams), err
}

// Cells decodes an instant answer with a histogram for one arm and returns its
// cells, as a distribution without edges has them.
func Cells(body []byte) ([]float64, []uint64, error) {
	r, err := decode(body, login{})
	if err != nil {
		return nil, nil, err
	}
	m := &metricPlan{Metric: Metric{PerOctave: 8}}
	v := reading{metric: m, part: func(string) series { return series{samples: r.samples} }}
	return v.distribution()
}
