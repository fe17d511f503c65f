package simulation

import (
	"math"

	"github.com/rampguard/rampguard/analysis"
	"gonum.org/v1/gonum/mathext"
)

// measure lets providers bring a minute of their metrics for one arm.
func (p *player) measure(a *arm, arm int, units uint64, harm bool, swing float64) error {
	for i, m := range p.w.metrics {
		out := analysis.Measurement{Metric: m.Name, Start: p.at(p.minute - 1), End: p.at(p.minute)}
		factor := 1.0
		if h := &p.w.scenario.Harm; harm && h.Column == m.Name {
			factor = h.Factor
		}
		if !p.dark(m.Name) {
			p.fillWindow(&out, m, units, factor, swing, p.gauges[arm][i])
		}
		if err := a.metrics.AddMeasurement(out); err != nil {
			return err
		}
	}
	return nil
}

// fillWindow draws the numbers of one window.
func (p *player) fillWindow(out *analysis.Measurement, m metric, units uint64, factor, swing, noise float64) {
	n := float64(units)
	number := func(x float64) *float64 { return &x }
	switch m.Kind {
	case analysis.RatioMetric:
		out.Count = &n
		out.Total = number(float64(p.d.binomial(units, math.Min(1, m.mean*factor*swing))))
	case analysis.RateMetric:
		out.Count = &n
		out.Total = number(float64(p.d.poisson(n * m.mean * factor * swing)))
	case analysis.AverageMetric:
		mean, sd := m.mean*factor, m.sd*factor
		total := float64(n*mean) + float64(math.Sqrt(n)*sd*p.d.NormFloat64())
		spread := math.Max(0, n-1+float64(math.Sqrt(2*math.Max(0, n-1))*p.d.NormFloat64()))
		out.Count, out.Total = &n, &total
		if n > 0 {
			out.Squares = number(total*total/n*(1+1e-12) + float64(sd*sd*spread))
		}
	case analysis.DistributionMetric:
		p.fillBuckets(out, m, units, factor)
	case analysis.GaugeMetric:
		out.Total = number((m.mean + float64(m.sd*noise)) * factor)
	}
}

// fillBuckets draws counts in buckets whose edges are quantiles of the law without
// harm.
func (p *player) fillBuckets(out *analysis.Measurement, m metric, units uint64, factor float64) {
	mu, sigma := logNormal(m.mean, m.sd)
	weights := make([]float64, 0, len(edges))
	below := 0.0
	for _, q := range edges[1 : len(edges)-1] {
		x := math.Exp(mu + float64(sigma*mathext.NormalQuantile(q)))
		out.Edges = append(out.Edges, x)
		upTo := 0.5 * math.Erfc(-(math.Log(x/factor)-mu)/sigma/math.Sqrt2)
		weights = append(weights, upTo-below)
		below = upTo
	}
	out.Buckets = make([]uint64, len(out.Edges)+1)
	p.d.multinomial(units, newShares(append(weights, 1-below)), func(i int, k uint64) { out.Buckets[i] += k })
}
