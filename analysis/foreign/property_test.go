package foreign_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/foreign"
)

// comparison is one comparison of a result with a number, and its truth.
type comparison struct {
	op    string
	bound float64
	flip  bool // the number stands on the left
}

func (c comparison) String() string {
	if c.flip {
		return fmt.Sprintf("%v %s result", c.bound, map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<="}[c.op])
	}
	return fmt.Sprintf("result %s %v", c.op, c.bound)
}

func (c comparison) holds(v float64) bool {
	switch c.op {
	case "<":
		return v < c.bound
	case "<=":
		return v <= c.bound
	case ">":
		return v > c.bound
	}
	return v >= c.bound
}

// TestGaugeBreachesWhenArgoFails: a value breaks a bound of the policy exactly when
// the conditions of the source do not let it pass, and breaks a rollback bound
// exactly when they fail it.
func TestGaugeBreachesWhenArgoFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]float64{-2, -1, -0.5, 0, 0.05, 0.1, 0.3, 0.5, 1, 2, 5, 100})
		cond := rapid.Custom(func(t *rapid.T) comparison {
			return comparison{rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "op"), value.Draw(t, "bound"), rapid.Bool().Draw(t, "flip")}
		})
		all := func(cs []comparison, v float64) bool {
			for _, c := range cs {
				if !c.holds(v) {
					return false
				}
			}
			return true
		}
		// The failure is written as the opposite of limits, so that it can be read.
		success := rapid.SliceOfN(cond, 0, 3).Draw(t, "success")
		within := rapid.SliceOfN(cond, 0, 3).Draw(t, "failure is to be outside of")
		if len(success)+len(within) == 0 {
			return
		}
		var lines []string
		if len(success) > 0 {
			lines = append(lines, "successCondition: \""+join(success, rapid.SampledFrom([]string{" && ", " and "}).Draw(t, "and"))+"\"")
		}
		if len(within) > 0 {
			lines = append(lines, "failureCondition: \"!("+join(within, " && ")+")\"")
		}
		source := "{apiVersion: argoproj.io/v1alpha1, kind: AnalysisTemplate, spec: {metrics: [{name: m, provider: {web: {url: u}}, " + strings.Join(lines, ", ") + "}]}}"
		got, err := foreign.Import("", "m.yaml", []byte(source))
		if err != nil {
			t.Fatalf("%v\n%s", err, source)
		}
		v := value.Draw(t, "value")
		failed := len(within) > 0 && !all(within, v) || len(within) == 0 && !all(success, v)
		passed := !failed && (len(success) == 0 || all(success, v))
		harm, rollback := breaches(t, got.Policy, v)
		if harm == passed || rollback != failed {
			t.Fatalf("%v: passed %v, failed %v in Argo; breached %v, for a rollback %v, in\n%s\n%s", v, passed, failed, harm, rollback, source, got.Policy)
		}
	})
}

func join(cs []comparison, sep string) string {
	var out []string
	for _, c := range cs {
		out = append(out, c.String())
	}
	return strings.Join(out, sep)
}

// breaches runs the gauges of a policy on one value.
func breaches(t *rapid.T, policy []byte, v float64) (harm, rollback bool) {
	p, err := analysis.LoadPolicy("policy.yaml", policy, checks.Builtin())
	if err != nil {
		t.Fatalf("%v\n%s", err, policy)
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	s := analysis.NewSnapshot(spec)
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	if err := s.AddMeasurement(analysis.Measurement{Metric: "m", Start: start, End: start.Add(time.Minute), Total: &v}); err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Checks {
		fs, err := e.Check.Run(&analysis.Evidence{Baseline: analysis.NewSnapshot(spec), Candidate: s, Policy: p, Alpha: 0.05, PauseAlpha: 0.05, NoHarmAlpha: 0.05})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			if f.Outcome == analysis.Harm {
				harm = true
				rollback = rollback || f.Code == "rollback_bound"
			}
		}
	}
	return harm, rollback
}

func addSamples(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.[yj]*[ln]")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nspec: {metrics: [{name: \"\\u0085a: #\", failureCondition: 'result[0] > 1e308', failureLimit: 99999}]}"))
	f.Add([]byte(`{"apiVersion":"openslo/v1","kind":"SLO","metadata":{"name":"yes"},"spec":{"objectives":[{"target":1e-320,"indicator":{"spec":{"ratioMetric":{"raw":1}}}}]}}`))
	f.Add([]byte("spec_version: 1\nobjectives: [{sli: '~', pass: [{criteria: ['<=+10%', '>-5', '=3']}]}]"))
}

// FuzzImport: no input panics, and what is imported loads.
func FuzzImport(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := foreign.Import("", "fuzz.yaml", data)
		if err == nil {
			load(t, got.Policy)
		}
	})
}

// FuzzLintArgo: no input panics.
func FuzzLintArgo(f *testing.F) {
	addSamples(f)
	f.Add([]byte("apiVersion: argoproj.io/v1alpha1\nkind: AnalysisRun\nspec: {metrics: [{name: a, successCondition: 'all(result, {.a[0]?.b >= -1.5e3}) or not (x ? y : z)'}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		findings, err := foreign.LintArgo("fuzz.yaml", data)
		for _, finding := range findings {
			if err != nil || finding.Rule == "" || finding.Line < 1 {
				t.Errorf("LintArgo gives %v beside %v", finding, err)
			}
		}
	})
}
