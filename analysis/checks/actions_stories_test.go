package checks_test

import (
	"os"
	"testing"

	"github.com/rampguard/rampguard/analysis/analysistest"
	"github.com/rampguard/rampguard/analysis/checks"
)

// TestActionsStories: what a policy decides on findings about actions.
func TestActionsStories(t *testing.T) {
	analysistest.RunStories(t, os.DirFS("testdata"), "stories/actions.txt", analysistest.StoryOptions{Registry: checks.Builtin()})
}
