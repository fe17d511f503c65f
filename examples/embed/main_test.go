package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// story keeps the decisions of a rollout, without the minutes, which depend on
// how tight the bounds are.
func story(t *testing.T, errorRate float64) []string {
	t.Helper()
	var sb strings.Builder
	if err := rollout(&sb, errorRate); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(sb.String()), "\n") {
		_, what, _ := strings.Cut(line, ": ")
		out = append(out, what)
	}
	return out
}

func TestRolloutGoesThroughAllStages(t *testing.T) {
	got := story(t, 0.010)
	for _, want := range []string{
		"canary pause (provider_error), stay; the candidate gets 5%",
		"canary pause (inconclusive), stay; the candidate gets 5%",
		"canary continue (no_material_harm), advance; the candidate gets 25%",
		"limited continue (no_material_harm), advance; the candidate gets 50%",
		"half continue (no_material_harm), done; the candidate gets 100%",
	} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%q is not in the story:\n%s", want, strings.Join(got, "\n"))
		}
	}
	if d := cmp.Diff(got, story(t, 0.010)); d != "" {
		t.Errorf("the same seed tells another story:\n%s", d)
	}
}

func TestHarmIsRolledBack(t *testing.T) {
	got := story(t, 0.050)
	if last := got[len(got)-1]; last != "canary rollback (harm), stay; the candidate gets 0%" {
		t.Errorf("it ends with %q", last)
	}
}
