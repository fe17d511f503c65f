package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const stagedPolicy = `version: 1
model: {name: flights, baseline: v1, candidate: v2}
columns: {score: score, label: label, unit: request_id}
exposure: {min_units: 1000}
checks:
  - {check: schema}
  - {check: srm}
  - {check: guardrail, metric: log_loss, margin: 5%}
stages:
  - {name: canary, weight: 50}
  - {name: full, weight: 100}
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRolloutRemembersAndReplays(t *testing.T) {
	policy, dir := write(t, "policy.yaml", stagedPolicy), t.TempDir()
	look := func(want int, args ...string) string {
		t.Helper()
		all := append([]string{"check", "--quiet", "--policy", policy, "--rollout", dir, "--stage", "canary",
			"--baseline", flights + "baseline.parquet"}, args...)
		status, out, errs := cli(t, all...)
		if status != want {
			t.Fatalf("exit status %d, want %d\n%s%s", status, want, out, errs)
		}
		return out
	}
	if out := look(0, "--candidate", flights+"candidate.parquet", "--at", "2026-01-31T10:00:00Z"); !strings.Contains(out, "stage full may begin") {
		t.Errorf("no word about the next stage:\n%s", out)
	}
	if out := look(3, "--candidate", flights+"candidate_broken.parquet", "--at", "2026-01-31T11:00:00Z"); !strings.Contains(out, "srm") {
		t.Errorf("no word about the split:\n%s", out)
	}
	if out := look(3, "--candidate", flights+"candidate.parquet", "--at", "2026-01-31T12:00:00Z"); !strings.Contains(out, "none has accepted it") {
		t.Errorf("the manual pause is forgotten:\n%s", out)
	}
	accept := write(t, "overrides.yaml", `- {action: accept, check: srm, who: ann, why: two hours of logs were lost, expires: 2026-01-31T14:00:00Z}
- {action: accept, check: guardrail, metric: label_coverage, who: ann, why: the labels are there now, expires: 2026-01-31T14:00:00Z}
`)
	if out := look(0, "--candidate", flights+"candidate.parquet", "--at", "2026-01-31T13:00:00Z", "--overrides", accept); !strings.Contains(out, "CONTINUE") {
		t.Errorf("an accepted pause still pauses:\n%s", out)
	}
	status, out, errs := cli(t, "replay", dir)
	if status != 0 || !strings.Contains(out, "4 records, chain unbroken, all the same") {
		t.Fatalf("replay: exit status %d\n%s%s", status, out, errs)
	}
	if status, out, _ = cli(t, "explain", dir); status != 0 || !strings.Contains(out, "CONTINUE") || !strings.Contains(out, "limit 5%") {
		t.Errorf("explain: exit status %d\n%s", status, out)
	}

	second := rollout{dir: dir}.recordPath(2)
	b, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(b), `"decision":"pause"`, `"decision":"continue"`, 1)
	if err := os.WriteFile(second, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"replay", dir}, {"explain", second}} {
		if status, _, errs := cli(t, command...); status != 2 || !strings.Contains(errs, "was changed") {
			t.Errorf("%v of a changed record: exit status %d, %s", command, status, errs)
		}
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := cli(t, "replay", dir); status != 2 || !strings.Contains(errs, "a record is missing") {
		t.Errorf("replay without a record: exit status %d, %s", status, errs)
	}
}

// A look that another run has recorded meanwhile is not recorded over it.
func TestRolloutIsNotOverwritten(t *testing.T) {
	policy, dir := write(t, "policy.yaml", stagedPolicy), t.TempDir()
	args := []string{"check", "--quiet", "--policy", policy, "--rollout", dir, "--stage", "canary",
		"--baseline", flights + "baseline.parquet", "--candidate", flights + "candidate.parquet", "--at", "2026-01-31T10:00:00Z"}
	if status, _, errs := cli(t, args...); status != 0 {
		t.Fatal(errs)
	}
	v, err := readRecord(rollout{dir: dir}.recordPath(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := (rollout{dir: dir}).store(0, v, nil, nil); err == nil || !strings.Contains(err.Error(), "run this one again") {
		t.Errorf("a second record 1: %v", err)
	}
}

func TestMeasurementsShadowsAndFailedSources(t *testing.T) {
	policy := write(t, "policy.yaml", stagedPolicy)
	other := write(t, "other.yaml", strings.Replace(stagedPolicy, "margin: 5%", "margin: 0.1%", 1))
	args := []string{"check", "--quiet", "--policy", policy, "--stage", "canary", "--baseline", flights + "baseline.parquet",
		"--candidate", flights + "candidate.parquet"}
	if status, out, errs := cli(t, append(args, "--shadow", other)...); status != 0 || !strings.Contains(out, "disagrees: pause") {
		t.Errorf("shadow: exit status %d\n%s%s", status, out, errs)
	}
	if status, out, errs := cli(t, append(args, "--source-failed", "label=the label store times out")...); status != 75 || !strings.Contains(out, "times out") {
		t.Errorf("failed source: exit status %d\n%s%s", status, out, errs)
	}
	if status, _, errs := cli(t, append(args, "--stage", "nowhere")...); status != 2 || !strings.Contains(errs, `no stage "nowhere"`) {
		t.Errorf("unknown stage: exit status %d, %s", status, errs)
	}
}
