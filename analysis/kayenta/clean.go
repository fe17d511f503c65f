package kayenta

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// Method names how a [Detector] tells outliers.
type Method int8

// The methods. The judge uses the zero value only; the others are in Kayenta's
// sources beside it.
const (
	IQRWide Method = iota // outside both the quartile fences and the range of the 1st to the 99th percentile
	IQR                   // outside the quartile fences Q1 - k(Q3-Q1) and Q3 + k(Q3-Q1)
	KSigma                // further than k standard deviations (of the population) from the mean
)

// Detector finds outliers in one series.
type Detector struct {
	Method Method
	Factor float64 // k; 0 means 3
}

// Detect reports, for each value, whether it is an outlier. Quartiles and
// percentiles are Hyndman and Fan's type 7, NaN left out; with KSigma a NaN hides
// every outlier. Values on a fence are none. An unknown method or a negative or NaN factor is an error that
// wraps [stats.ErrDomain].
func (d Detector) Detect(x []float64) ([]bool, error) {
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("kayenta: Detect: %w", err)
	}
	if d.Factor == 0 {
		d.Factor = 3
	}
	out := make([]bool, len(x))
	if d.Method == KSigma {
		m := mean(x)
		far := math.Sqrt(squares(x, m)/float64(len(x))) * d.Factor
		for i, v := range x {
			out[i] = math.Abs(v-m) > far
		}
		return out, nil
	}
	lo, hi := d.fences(x)
	for i, v := range x {
		out[i] = v > hi || v < lo
	}
	return out, nil
}

func (d Detector) check() error {
	if d.Method < IQRWide || d.Method > KSigma || !(d.Factor >= 0) {
		return fmt.Errorf("outlier method %d with factor %v, which must be above 0: %w", d.Method, d.Factor, stats.ErrDomain)
	}
	return nil
}

// fences are the smallest and the largest value that is no outlier by quartiles;
// NaN, with which nothing compares, for an empty series.
func (d Detector) fences(x []float64) (lo, hi float64) {
	s := slices.DeleteFunc(slices.Clone(x), math.IsNaN)
	slices.Sort(s)
	q1, q3 := percentile(s, 25), percentile(s, 75)
	far := d.Factor * (q3 - q1)
	lo, hi = q1-far, q3+far
	if d.Method == IQRWide {
		lo, hi = math.Min(lo, percentile(s, 1)), math.Max(hi, percentile(s, 99))
	}
	return lo, hi
}

// detector is what the settings of a metric ask for. A factor of 0 is an error
// in Kayenta, unlike in a Detector.
func (s Canary) detector() Detector {
	if s.Outliers.Factor == nil {
		return Detector{}
	}
	if f := *s.Outliers.Factor; f > 0 || !s.removes() {
		return Detector{Factor: max(f, 0)}
	}
	return Detector{Factor: math.NaN()}
}

// clean applies the NaN strategy and then the outlier strategy to one side.
func (s Canary) clean(x []float64) ([]float64, error) {
	out := make([]float64, 0, len(x))
	for _, v := range x {
		switch {
		case !math.IsNaN(v):
			out = append(out, v)
		case s.replaces():
			out = append(out, 0)
		}
	}
	if !s.removes() {
		return out, nil
	}
	return s.detector().remove(out)
}

// remove drops the outliers from x, in place.
func (d Detector) remove(x []float64) ([]float64, error) {
	outlier, err := d.Detect(x)
	if err != nil {
		return nil, err
	}
	kept := x[:0]
	for i, v := range x {
		if !outlier[i] {
			kept = append(kept, v)
		}
	}
	return kept, nil
}

// percentile is the type 7 percentile of a sorted series, NaN when it is empty.
// stats.Quantiles is not used: it weighs the two neighbours where Kayenta adds a
// share of their difference, and the last bit of a fence decides what lies on it.
func percentile(s []float64, p float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	pos := 1 + float64(float64(len(s)-1)*(p/100))
	i := int(pos)
	if i >= len(s) {
		return s[len(s)-1]
	}
	return s[i-1] + float64((pos-float64(i))*(s[i]-s[i-1]))
}

// Stats describes one cleaned series; all are 0 when it is empty.
type Stats struct {
	Min   stats.Float `json:"min"`
	Max   stats.Float `json:"max"`
	Mean  stats.Float `json:"mean"`
	Std   stats.Float `json:"std"` // with n-1; 0 for one value
	Count int         `json:"count"`
}

func describe(x []float64) Stats {
	if len(x) == 0 {
		return Stats{}
	}
	m := mean(x)
	d := Stats{Min: stats.Float(slices.Min(x)), Max: stats.Float(slices.Max(x)), Mean: stats.Float(m), Count: len(x)}
	if len(x) > 1 {
		d.Std = stats.Float(math.Sqrt(squares(x, m) / float64(len(x)-1)))
	}
	return d
}

// mean is the mean in two passes, in the order of x: Kayenta's last bit decides
// whether a ratio of means reaches its bound.
func mean(x []float64) float64 {
	n, sum := float64(len(x)), 0.0
	for _, v := range x {
		sum += v
	}
	m, rest := sum/n, 0.0
	for _, v := range x {
		rest += v - m
	}
	return m + rest/n
}

// squares is the sum of squared differences from the mean m, corrected for the
// rounding of m.
func squares(x []float64, m float64) float64 {
	var sum, rest float64
	for _, v := range x {
		d := v - m
		sum += float64(d * d)
		rest += d
	}
	return sum - float64(rest*rest)/float64(len(x))
}

// meanRatio is the ratio of the means, NaN when either is 0.
func meanRatio(control, experiment []float64) float64 {
	c, e := mean(control), mean(experiment)
	if c == 0 || e == 0 {
		return math.NaN()
	}
	return e / c
}

// cles is the share of pairs in which the experiment lies above the control,
// ties counting one half.
func cles(control, experiment []float64) (float64, error) {
	r, err := stats.MannWhitney(experiment, control, stats.MannWhitneyOptions{Asymptotic: true})
	return r.Superiority.Point, err
}
