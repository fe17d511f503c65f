package analysis_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// TestMisspeltColumnsDoNotPass: a column that the log does not have would be one slice,
// or units that never repeat.
func TestMisspeltColumnsDoNotPass(t *testing.T) {
	const head = "version: 1\nlooks: once\ncolumns: {score: score, label: label, unit: %unit%}\nslices: [%slice%]\nchecks:\n"
	const guardrail = "  - {check: guardrail, metric: accuracy, margin: 50pp, severity: pause}\n"
	for name, c := range map[string]struct{ unit, slice, checks, column string }{
		"sound":           {"id", "country", guardrail, ""},
		"a slice":         {"id", "cuontry", "  - {check: slices, metric: accuracy, margin: 50pp, severity: pause}\n", "cuontry"},
		"a slice to find": {"id", "country", guardrail + "  - {check: discover, columns: [cuontry]}\n", "cuontry"},
		"the unit":        {"idd", "country", guardrail, "idd"},
		"with schema":     {"idd", "country", guardrail + "  - {check: schema}\n", "idd"},
	} {
		text := strings.NewReplacer("%unit%", c.unit, "%slice%", c.slice).Replace(head) + c.checks
		p, err := analysis.LoadPolicy("p.yaml", []byte(text), checks.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		spec, err := p.Spec()
		if err != nil {
			t.Fatal(err)
		}
		const n = 2000
		b := &analysis.Batch{Rows: n}
		for _, s := range spec.Columns {
			col := analysis.Column{}
			switch s.Name {
			case "score":
				col = analysis.Column{Type: analysis.Float, Floats: slices.Repeat([]float64{0.9, 0.1}, n/2)}
			case "label":
				col = analysis.Column{Type: analysis.Bool, Bools: slices.Repeat([]bool{true, false}, n/2)}
			case "country":
				col = analysis.Column{Type: analysis.String, Codes: make([]int32, n), Dict: &analysis.Dict{Values: []string{"DE"}}}
			case "id":
				col = analysis.Column{Type: analysis.Int}
				for i := range n {
					col.Ints = append(col.Ints, int64(i))
				}
			}
			b.Columns = append(b.Columns, col)
		}
		c0, c1 := analysis.NewCollector(spec), analysis.NewCollector(spec)
		for _, k := range []*analysis.Collector{c0, c1} {
			if err := k.Add(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := c1.Add(b); err != nil { // the arms are not one log
			t.Fatal(err)
		}
		base, err := c0.Take()
		if err != nil {
			t.Fatal(err)
		}
		cand, err := c1.Take()
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Evaluate(analysis.Look{Evidence: []analysis.StageEvidence{{Baseline: base, Candidate: cand}}})
		if err != nil {
			t.Fatal(err)
		}
		var absent []string
		for _, f := range v.Findings {
			if f.Code == "column_absent" && f.Outcome == analysis.Invalid {
				absent = append(absent, f.Column)
			}
		}
		if c.column == "" {
			if v.Decision != analysis.Continue || absent != nil {
				t.Errorf("%s: %v, absent %q: %v", name, v.Decision, absent, v.Reasons)
			}
			continue
		}
		if v.Decision != analysis.Pause || v.Resume != analysis.Manual || len(slices.Compact(absent)) != 1 || absent[0] != c.column {
			t.Errorf("%s: %v %v, absent %q", name, v.Decision, v.Resume, absent)
		}
	}
}
