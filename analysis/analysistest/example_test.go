package analysistest_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/analysistest"
)

// What a platform team writes beside its policy. In a test, the T takes the place
// of the recorder, and os.DirFS that of the map.
func Example() {
	stories := fstest.MapFS{"stories/outage.txt": {Data: []byte(`
policy
  require error_rate latency
  stage canary 1% duration=30m
  stage full 100%
  deadline provider_error after=20m then=pause

story an outage waits, and somebody is called when it lasts
# A provider that is down has proven nothing. After twenty minutes a person has to
# decide, because the canary is out there unwatched.
at 12:00 stage canary
traffic 5000 over 1h
findings
  error_rate provider_error
  latency pass
decide
expect pause auto provider_error
expect step stay

at +20m
findings
  error_rate provider_error
  latency pass
decide
expect pause manual deadline

override accept error_rate who=ann why="watched by hand on the load balancer" until=14:00
at +5m
findings
  error_rate provider_error
  latency pass
decide
expect continue
expect step advance full
`)}}
	t := new(recorder)
	analysistest.RunStories(t, stories, "stories/*.txt", analysistest.StoryOptions{})
	fmt.Println(len(t.failures), "failures")
	// Output: 0 failures
}

func ExampleRunStories() {
	stories := fstest.MapFS{"wrong.txt": {Data: []byte(`
policy
  require error_rate

story no data is a pass
# It is not, and the failure shows why.
findings
  error_rate no_data
decide
expect continue
`)}}
	t := new(recorder)
	analysistest.RunStories(t, stories, "*.txt", analysistest.StoryOptions{})
	for i, line := range strings.Split(t.text(), "\n") {
		if i < 5 {
			fmt.Println(strings.TrimRight(line, " "))
		}
	}
	// Output:
	// story "no data is a pass"
	//     # It is not, and the failure shows why.
	// wrong.txt:10:
	//   -expect continue
	//   +expect pause auto no_evidence
}

// A test that holds a candidate of a model against its policy.
func ExampleGate() {
	policy := gatePolicy()
	baseline, candidate := served(policy, 2000, 100), served(policy, 2000, 8)
	t := new(recorder) // a *testing.T in a test
	verdict := analysistest.Gate(t, policy, baseline, candidate, analysistest.GateOptions{})
	fmt.Println(verdict.Decision, len(t.failures))
	for line := range strings.Lines(t.text()) {
		if strings.Contains(line, "failed.") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	// Output:
	// rollback 1
	// - error_rate: 250 of 2000 requests failed.
	// 250 of 2000 requests failed.
}

// hasty is a check that passes where there is nothing to see.
type hasty struct{ errorRate }

func (hasty) Run(*analysis.Evidence) ([]analysis.Finding, error) {
	f := analysis.NewFinding("error_rate", "error_rate", "rate")
	f.Outcome, f.Message = analysis.Pass, "No errors were seen."
	f.Estimate.Point = 0
	return []analysis.Finding{f}, nil
}

func ExampleCheckConformance() {
	t := new(recorder)
	analysistest.CheckConformance(t, errorRate{Bound: 0.05})
	fmt.Println(len(t.failures))
	analysistest.CheckConformance(t, hasty{})
	fmt.Println(t.text())
	// Output:
	// 0
	// error_rate: no rows are no evidence
	//     on two missing arms: finding "error_rate": pass: No errors were seen.
	//     why: a candidate that has served nothing has neither passed nor done harm; report no_data
}
