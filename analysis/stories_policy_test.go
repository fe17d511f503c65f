package analysis_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis/analysistest"
)

// TestStoriesOfPolicies runs the stories of testdata/stories: the truth table of
// what a policy decides, each with the reason why that is right.
func TestStoriesOfPolicies(t *testing.T) {
	analysistest.RunStories(t, os.DirFS("testdata"), "stories/*.txt", analysistest.StoryOptions{})
}

// asks are what users of other canary judges and rollout controllers have asked
// for, by the thread; those of one line are one request. Each has a story that
// cites it, but for what is not about verdicts, which says why.
var asks = []struct {
	threads string
	why     string // it has no story
}{
	{threads: "spinnaker#6278"},
	{threads: "spinnaker#5622 kayenta#377"},
	{threads: "kayenta#799 spinnaker#6275"},
	{threads: "kayenta#633"},
	{threads: "kayenta#744"},
	{threads: "kayenta#521"},
	{threads: "kayenta#420", why: "about the removal of outliers before a test: nothing is removed here, so nothing decides about it"},
	{threads: "kayenta#301"},
	{threads: "orca#2299"},
	{threads: "argo-rollouts#178"},
	{threads: "argo-rollouts#1905 argo-rollouts#1466 argo-rollouts#1945"},
	{threads: "argo-rollouts#4479 argo-rollouts#2026"},
	{threads: "argo-rollouts#1411"},
	{threads: "argo-rollouts#1329"},
	{threads: "argo-rollouts#3850 argo-rollouts#3015 argo-rollouts#261"},
	{threads: "argo-rollouts#2866 argo-rollouts#303"},
	{threads: "argo-rollouts#4792 argo-rollouts#222 argo-rollouts#1850"},
	{threads: "argo-rollouts#3008 argo-rollouts#404 argo-rollouts#1591"},
	{threads: "argo-rollouts#2276 argo-rollouts#2087", why: "about exporting values as metrics, which adapters do with the record"},
	{threads: "argo-rollouts#2196", why: "about how many measurements are kept; the records of a rollout are a chain without a gap, see Verify"},
	{threads: "argo-rollouts#4732", why: "about durations, which package leadtime takes from events"},
	{threads: "argo-rollouts#291 argo-rollouts#1360"},
	{threads: "flagger#225 flagger#739"}, // deploying the fresh baseline is left to the host
	{threads: "flagger#1035 flagger#1011 flagger#361 flagger#1098 flagger#1689"},
	{threads: "flagger#1481 flagger#738"},
	{threads: "flagger#1801"},
	{threads: "flagger#1581"}, // a wrong name in the policy itself is a fault of LoadPolicy
	{threads: "flagger#1304"},
	{threads: "kserve#3085"},
	{threads: "cloud-run-release-manager#42 suna#3403"},
}

func TestEveryAskHasAStory(t *testing.T) {
	dir := os.DirFS("testdata/stories")
	names, err := fs.Glob(dir, "*.txt")
	if err != nil {
		t.Fatal(err)
	}
	cited := map[string]bool{}
	stories := 0
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "story ") {
				stories++
			}
			if rest, ok := strings.CutPrefix(line, "# asks: "); ok {
				for thread := range strings.SplitSeq(strings.TrimSpace(rest), ", ") {
					cited[thread] = true
				}
			}
		}
	}
	for _, a := range asks {
		for thread := range strings.FieldsSeq(a.threads) {
			if cited[thread] == (a.why != "") {
				t.Errorf("%s: cited by a story: %v; reason to have none: %q", thread, cited[thread], a.why)
			}
			delete(cited, thread)
		}
	}
	for thread := range cited {
		t.Errorf("a story cites %s, which is not in the list", thread)
	}
	if stories < 60 {
		t.Errorf("%d stories, the truth table has 60 at least", stories)
	}
}
