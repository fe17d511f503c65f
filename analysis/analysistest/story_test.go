package analysistest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/analysistest"
)

// tell runs a text as a story file and returns the failures.
func tell(files map[string]string, o analysistest.StoryOptions) string {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	r := new(recorder)
	analysistest.RunStories(r, fsys, "*.txt", o)
	return r.text()
}

const head = "policy\n  require a b\n\nstory s\n# why\n"

// TestStoryFaults holds what is said of a text that is no story, with its line.
func TestStoryFaults(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "s.txt:1: no story"},
		{"policy\n  require a\n", "s.txt:1: no story"},
		{"  require a\n", "s.txt:1: an indented line belongs to a line above it"},
		{"story\n", "s.txt:1: a story has a name"},
		{"story x\ndecide\n", `s.txt:1: story "x" does not say why it is right`},
		{"story x\n# y\nstory x\n# y\n", "s.txt:3: the story of line 1 has this name, too"},
		{"story x\n# y\nproblem \"open\nstory y\n", "s.txt:3: a quote is not closed"},
		{head, `s.txt:4: story "s" decides nothing`},
		{head + "decide\n", "s.txt:6: nothing is expected of this look"},
		{head + "decide\nat 13:00\ndecide\nexpect pause\n", "s.txt:6: nothing is expected of this look"},
		{head + "expect pause\n", "s.txt:6: nothing was decided before this line"},
		{head + "decied\n", "s.txt:6: unknown command decied"},
		{head + "decide now\n", "s.txt:6: write decide or decide findings"},
		{head + "decide\nexpect\n", "s.txt:7: write what is expected"},
		{head + "decide\nexpect paus\n", "s.txt:7: unknown expectation paus"},
		{head + "decide\nexpect no pause\n", "s.txt:7: only reasons and text"},
		{head + "at noon\n", "s.txt:6: noon: not a time"},
		{head + "at\n", "s.txt:6: write at TIME"},
		{head + "at +1w\n", "s.txt:6: +1w: not a duration"},
		{head + "stage\n", "s.txt:6: write stage NAME"},
		{head + "traffic lots\n", "s.txt:6: lots is not a number of units"},
		{head + "traffic 5 over\n", "s.txt:6: over is not a number"},
		{head + "traffic 1 2 3\n", "s.txt:6: write traffic N"},
		{head + "traffic 5 over x\n", "s.txt:6: x: not a duration"},
		{head + "decide\n  x\n", "s.txt:7: no line is indented under decide"},
		{head + "findings a pass\n", "s.txt:6: write the findings on lines of their own"},
		{head + "findings\n  a\n", "s.txt:7: write CHECK OUTCOME"},
		{head + "findings\n  a good\n", `s.txt:7: analysis: unknown outcome "good"`},
		{head + "findings\n  a pass high\n", `s.txt:7: analysis: unknown severity "high"`},
		{head + "findings\n  a pass size=3\n", "s.txt:7: unknown option size"},
		{head + "findings\n  a pass k=x\n", "s.txt:7: k=x: not a whole number"},
		{head + "findings\n  a pass k=1 k=2\n", "s.txt:7: k is given twice"},
		{head + "findings\n  a pass slice=DE\n", "s.txt:7: slice=DE: write slice=country:DE"},
		{head + "findings\n  c pass\ndecide\n", "s.txt:7: the policy has no check c"},
		{head + "findings\n  a#2 pass\ndecide\n", "s.txt:7: the policy has no check a#2"},
		{head + "findings\n  a panics\ndecide findings\n", "s.txt:7: a bare finding has an outcome"},
		{head + "traffic 5\ndecide findings\n", "s.txt:7: bare findings come without stages"},
		{head + "problem a b\n", "s.txt:6: write problem"},
		{head + "override\n", "s.txt:6: write override"},
		{head + "override allow who=ann\n", "s.txt:6: analysis: unknown override"},
		{head + "override accept a who=ann by=14:00\n", "s.txt:6: unknown option by"},
		{head + "override accept a until=late\n", "s.txt:6: until=late: not a time"},
		{head + "candidate\n", "s.txt:6: write candidate NAME"},
		{head + "policy none\n", "s.txt:6: a story has a policy"},
		{head + "policy\n", "s.txt:6: a policy has lines under it"},
		{head + "policy json\n", "s.txt:6: write policy with lines under it"},
		{head + "policy yaml\n  version: 1\n", "s.txt:6: a policy in YAML needs StoryOptions.Registry"},
		{head + "policy file none.yaml\n", "s.txt:6: open none.yaml"},
		{head + "policy\n  requires a\n", "s.txt:7: unknown word requires"},
		{head + "policy\n  require\n", "s.txt:7: name a check"},
		{head + "policy\n  mute z\n", "s.txt:7: there is no check z above this line"},
		{head + "policy\n  mute\n", "s.txt:7: name a check"},
		{head + "policy\n  require a x=1\n", "s.txt:7: unknown option x"},
		{head + "policy\n  looks often\n", "s.txt:7: write looks continuous"},
		{head + "policy\n  stage canary\n", "s.txt:7: write stage NAME WEIGHT"},
		{head + "policy\n  stage canary 200%\n", "s.txt:7: the weight 200% is not a percentage"},
		{head + "policy\n  exposure units=many\n", "s.txt:7: units=many: not a whole number"},
		{head + "policy\n  deadline no_data after=1h\n", "s.txt:7: write deadline"},
		{head + "policy\n  deadline no_data then=pause\n", "s.txt:7: a deadline is after=D, looks=N, or both"},
		{head + "policy\n  deadline soon after=1h then=pause\n", "s.txt:7: unknown deadline soon"},
		{head + "policy\n  require a\n  baseline a\n", "s.txt:8: write baseline CHECK KIND"},
		{head + "policy\n  require a\n  baseline a old\n", "s.txt:8: analysis: unknown kind of baseline"},
		{head + "policy\n  table harm\n", "s.txt:7: write table OUTCOME"},
		{head + "policy\n  table harm rollback required stop\n", `s.txt:7: analysis: unknown decision "stop"`},
		{"story s\n# why\ndecide\n", "s.txt:3: a story has a policy"},
		{head + "stage x\ndecide\nexpect error \"no stage\"\ndecide\n", "s.txt:9: the look before was refused"},
	} {
		if got := tell(map[string]string{"s.txt": tt.text}, analysistest.StoryOptions{}); !strings.Contains(got, tt.want) {
			t.Errorf("%q\nsays %q\nwant %q", tt.text, got, tt.want)
		}
	}
	if got := tell(nil, analysistest.StoryOptions{}); got != "no file matches *.txt" {
		t.Error(got)
	}
}

// TestWrongExpectations holds that every kind of expectation can fail.
func TestWrongExpectations(t *testing.T) {
	look := head + "traffic 1000 over 1h\nshadow\n  require a c\nfindings\n  a pass\n  b inconclusive needs=500\n  c harm\ndecide\n"
	for _, tt := range []struct{ expect, want string }{
		{"continue", "+expect pause auto inconclusive"},
		{"pause manual", "+expect pause auto inconclusive"},
		{"pause auto harm", "+expect pause auto inconclusive"},
		{"step advance x", "+expect step stay"},
		{"reason harm", "+expect no reason harm"},
		{"reason inconclusive a", "+expect no reason inconclusive a"},
		{"no reason inconclusive", "+expect reason inconclusive"},
		{`text "all is well"`, `+expect no text "all is well"`},
		{`no text "500 more units"`, `+expect text "500 more units"`},
		{"finding a harm", "+expect finding a pass rollback trusted required concurrent story"},
		{"finding z pass", "+expect no finding z"},
		{"wait 1h", "+expect wait 30m"},
		{"shadow continue", "+expect shadow rollback manual disagrees"},
		{"attempt 2", "+expect attempt 1"},
		{"look 2", "+expect look 1"},
		{"exit 0", "+expect exit 75"},
		{`error "no"`, "+expect no error"},
	} {
		got := tell(map[string]string{"s.txt": look + "expect " + tt.expect + "\n"}, analysistest.StoryOptions{})
		if !strings.Contains(got, "s.txt:14: \n  -expect "+tt.expect+"\n  "+tt.want) {
			t.Errorf("expect %s says\n%s\nwant %s", tt.expect, got, tt.want)
		}
	}
	got := tell(map[string]string{"s.txt": head + "stage x\ndecide\nexpect continue\n"}, analysistest.StoryOptions{})
	if !strings.Contains(got, `+expect error "analysis: Evaluate: the policy has no stage`) {
		t.Error(got)
	}
}

// A failure shows the story with its reason, the line, what differs, and the
// report of the verdict.
func TestStoryFailureReads(t *testing.T) {
	got := tell(map[string]string{"s.txt": `policy
  require errors

story an outage is harm
# This is wrong on purpose.
at 12:05
findings
  errors provider_error
decide
expect rollback
`}, analysistest.StoryOptions{})
	want := `story "an outage is harm"
    # This is wrong on purpose.
s.txt:10: 
  -expect rollback
  +expect pause auto provider_error
  look 1 at 12:05:
    PAUSE for more evidence: model, v1 -> v2
    Look again in about 5 minutes.
    
    Why
      - errors: errors says provider_error.
    
    Findings
      [provider_error] errors
          errors says provider_error.
    
    Engine `
	got, _, _ = strings.Cut(got, analysis.EngineVersion) // what follows are digests
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A policy file is read with the checks of the registry, which do not run.
func TestStoriesOfAPolicyFile(t *testing.T) {
	reg := analysis.Registry{"error_rate": func(p *analysis.Params) (analysis.Check, error) {
		p.Column("column", "failed")
		return errorRate{Bound: p.Float("bound", 0.05)}, nil
	}}
	o := analysistest.StoryOptions{Registry: reg}
	const policy = "version: 1\nchecks:\n  - {check: error_rate, column: failed, bound: 0.05, severity: pause}\n  - {check: error_rate, column: crashed, bound: 0.2, severity: rollback}\n"
	story := `
story the stricter limit pauses and the other rolls back
# The policy has two limits for one metric.
findings
  error_rate#1 harm
  error_rate#2 pass metric=high
decide
expect pause manual harm
findings
  error_rate#1 harm
  error_rate#2 harm metric=high
decide
expect rollback manual harm
`
	files := map[string]string{"p.yaml": policy, "s.txt": "policy file p.yaml\n" + story}
	if got := tell(files, o); got != "" {
		t.Error(got)
	}
	inline := "policy yaml\n  " + strings.ReplaceAll(policy, "\n", "\n  ") + "\n" + story
	if got := tell(map[string]string{"s.txt": inline}, o); got != "" {
		t.Error(got)
	}
	broken := strings.Replace(inline, "bound: 0.2", "bund: 0.2", 1)
	if got := tell(map[string]string{"s.txt": broken}, o); !strings.Contains(got, "s.txt:5:") || !strings.Contains(got, "unknown key bund") {
		t.Errorf("the fault of line 5 reads\n%s", got)
	}
}

func FuzzStories(f *testing.F) {
	f.Add(head + "findings\n  others pass\ndecide\nexpect continue\n")
	f.Add(head + "at 12:00 stage x\ntraffic 5 over 1h\noverride accept a who=x why=\"y\" until=+1h\nproblem x\ndecide\nexpect pause\n")
	f.Add(head + "policy\n  require a\n  deadline no_data looks=1 then=pause\n  table harm pause required pause auto\ndecide findings\nexpect step stay\n")
	f.Fuzz(func(t *testing.T, text string) {
		tell(map[string]string{"s.txt": text}, analysistest.StoryOptions{}) // says what is wrong, and does not panic
	})
}
