package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
)

// TestDraftPolicyGuesses: what the draft makes of some logs.
func TestDraftPolicyGuesses(t *testing.T) {
	column := func(name string, typ analysis.Type) analysis.DraftColumn {
		return analysis.DraftColumn{Name: name, Type: typ}
	}
	for _, c := range []struct {
		name    string
		columns []analysis.DraftColumn
		want    []string
	}{
		{"nothing", nil, []string{"task: binary", "{check: schema}"}},
		{"regression by its label", []analysis.DraftColumn{column("Prediction", analysis.Float), column("y_true", analysis.Float)},
			[]string{"task: regression", "score: Prediction", "label: y_true"}},
		{"regression by its prediction", []analysis.DraftColumn{column("y_pred", analysis.Float)}, []string{"task: regression", "score: y_pred"}},
		{"multiclass", []analysis.DraftColumn{column("score", analysis.Float), column("label", analysis.String)},
			[]string{"task: multiclass", "label: label", "    - score"}},
		{"the only time", []analysis.DraftColumn{column("logged", analysis.Time)}, []string{"time: logged"}},
		{"names that YAML reads otherwise", []analysis.DraftColumn{column("no", analysis.Float), column("5", analysis.Int), column("a: b #c", analysis.Bool), column(`"q"`, analysis.Float), column("größe", analysis.Float)},
			[]string{`- "no"`, `- "5"`, `- "a: b #c"`, `- "\"q\""`, `- "größe"`}},
		{"unusable columns", []analysis.DraftColumn{column("a\nb", analysis.Float), column("", analysis.Int), column("model_version", analysis.String), column("trace_id", analysis.String)},
			[]string{`"a\nb", its name`, `"", its name`, `"model_version", seems to tell`, `"trace_id", seems to be`}},
		{"guardrails", []analysis.DraftColumn{column("error", analysis.Bool), column("latency_ms", analysis.Int), column("decision", analysis.String)},
			[]string{"metric: mean, column: error", "column: latency_ms, q: 0.99", "{check: actions, margin: 5pp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			draft := string(analysis.DraftPolicy(c.columns))
			for _, w := range c.want {
				if !strings.Contains(draft, w) {
					t.Errorf("the draft lacks %q:\n%s", w, draft)
				}
			}
			mustLoad(t, draft)
		})
	}
}

// TestDraftPolicyLoads: whatever the columns are called.
func TestDraftPolicyLoads(t *testing.T) {
	names := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"score", "label", "ts", "request_id", "action", "error", "latency_ms", "country", "proba", "target"}))
	rapid.Check(t, func(rt *rapid.T) {
		var columns []analysis.DraftColumn
		for range rapid.IntRange(0, 12).Draw(rt, "columns") {
			columns = append(columns, analysis.DraftColumn{
				Name: names.Draw(rt, "name"),
				Type: analysis.Type(rapid.IntRange(0, 5).Draw(rt, "type")),
			})
		}
		draft := analysis.DraftPolicy(columns)
		if _, err := analysis.LoadPolicy("draft.yaml", draft, testRegistry()); err != nil {
			rt.Errorf("%v\n%s", err, draft)
		}
		if again := analysis.DraftPolicy(columns); string(again) != string(draft) {
			rt.Errorf("two drafts of %s differ", fmt.Sprint(columns))
		}
	})
}
