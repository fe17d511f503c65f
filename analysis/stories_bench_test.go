package analysis_test

import (
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// BenchmarkVerdict is one verdict over 60 findings of a rollout in 10 stages,
// without evidence to look at: what the decision itself costs, and what its
// record adds.
func BenchmarkVerdict(b *testing.B) {
	p := policyOf("a", "b", "c", "d", "e", "f")
	var fs []analysis.Finding
	for i := range 60 {
		e := &p.Checks[i%len(p.Checks)]
		f := finding(e.Check.Name(), analysis.Pass, analysis.SeverityRollback)
		f.Metric, f.Stage = fmt.Sprint("metric", i), "stage 9"
		c := e.Check.(fakeCheck)
		c.findings = append(c.findings, f)
		e.Check = c
		fs = append(fs, f)
	}
	look := analysis.Look{Stage: "stage 9", Now: noon}
	for i := range 10 {
		name := fmt.Sprint("stage ", i)
		p.Stages = append(p.Stages, analysis.Stage{Name: name, Weight: float64(10 * (i + 1))})
		look.Evidence = append(look.Evidence, analysis.StageEvidence{Stage: name})
	}
	before := p.Decide(fs, nil, noon)
	look.State = &before.State
	b.Run("Decide", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.Decide(fs, &before.State, noon)
		}
	})
	for _, unrecorded := range []bool{false, true} {
		look.Unrecorded = unrecorded
		b.Run(fmt.Sprintf("Evaluate/stages=10/unrecorded=%v", unrecorded), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Evaluate(look); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
