package analysis_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// A report goes into pull requests, and the values in it come from logs: none may
// call a person, refer to an issue, become an address or leave its cell.
func TestMarkdownIsInert(t *testing.T) {
	escaped := regexp.MustCompile(`\\.`)
	for _, value := range []string{"@team", "x #12", "!34", "https://example.org/x", "www.example.org", "a|b", "~~gone~~", "<img src=x>", "[x](y)", "**b**", "`c`", "&lt;b&gt;", "two\nlines"} {
		f := analysis.NewFinding("guardrail", "margin", "rate")
		f.Outcome, f.Slice, f.Message = analysis.Harm, analysis.SliceKey{"country": value}, "in "+value
		v := &analysis.Verdict{Decision: analysis.Rollback, Model: analysis.Model{Name: value, Baseline: "v1", Candidate: "v2"},
			Reasons: []analysis.Reason{{Code: "harm", Check: value, Text: value}}, Findings: []analysis.Finding{f}}
		var sb strings.Builder
		if err := v.WriteMarkdown(&sb); err != nil {
			t.Fatal(err)
		}
		bare := escaped.ReplaceAllString(sb.String(), "")
		if strings.Contains(bare, value) {
			t.Errorf("%q stands in the report as it is:\n%s", value, sb.String())
		}
		for line := range strings.Lines(sb.String()) {
			if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 8 {
				t.Errorf("%q breaks the table: %s", value, line)
			}
		}
	}
}
