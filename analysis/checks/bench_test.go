package checks_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// benchLog is a log with everything that the checks look at.
func benchLog(seed uint64, n int) table {
	tab := fullLog(seed, n)
	r := random(seed)
	tab["amount"] = draw(n, func(int) float64 { return math.Exp(3 * r.NormFloat64()) })
	return tab
}

// BenchmarkChecks runs one of each check on a pair of snapshots. The number of
// rows hardly matters, because snapshots do not grow with it.
func BenchmarkChecks(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
			p := threeRules(policy(looks, everything()...))
			base, cand := collect(b, p, benchLog(1, n)), collect(b, p, benchLog(2, n))
			b.Run(fmt.Sprintf("rows=%d/looks=%d", n, looks), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					for _, e := range p.Checks {
						if _, err := e.Check.Run(evidence(p, base, cand)); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// BenchmarkCheck runs each check by itself.
func BenchmarkCheck(b *testing.B) {
	for _, c := range everything() {
		p := threeRules(policy(analysis.Continuous, c))
		base, cand := collect(b, p, benchLog(1, 20_000)), collect(b, p, benchLog(2, 20_000))
		name := c.Name()
		switch c := c.(type) {
		case checks.Guardrail:
			name += "/metric=" + string(c.Metric) + "/column=" + c.Column
		case checks.Drift:
			name += "/metric=" + string(c.Metric) + "/column=" + c.Column
		case checks.Collapse:
			name += "/column=" + c.Column
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Run(evidence(p, base, cand)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
