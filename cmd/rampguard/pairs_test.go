package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const shadowPolicy = `version: 1
model: {name: flights, baseline: v1, candidate: v2}
columns: {score: score, label: label, unit: request_id, time: ts}
pairs: {baseline: champion_score, candidate: challenger_score}
checks:
  - {check: paired, metric: accuracy, at: [0.25], margin: 1pp}
  - {check: paired, metric: auc, margin: 1pp}
stages:
  - {name: shadow, weight: 1}
  - {name: canary, weight: 50}
`

const noStages = `version: 1
columns: {score: score, label: label, unit: request_id}
pairs: {baseline: champion_score, candidate: challenger_score}
checks:
  - {check: paired, metric: accuracy, at: [0.5], margin: 5pp}
`

// A log with both scores is evidence by itself; the folder of the rollout keeps it,
// and the verdicts can be computed again.
func TestPairsAreRememberedAndReplayed(t *testing.T) {
	policy, dir := write(t, "policy.yaml", shadowPolicy), t.TempDir()
	look := func(stage, at string) string {
		t.Helper()
		status, out, errs := cli(t, "check", "--quiet", "--policy", policy, "--rollout", dir, "--stage", stage, "--at", at, "--pairs", flights+"shadow.parquet")
		if status == 2 || !strings.Contains(out, "60,000") {
			t.Fatalf("exit status %d\n%s%s", status, out, errs)
		}
		return out
	}
	if out := look("shadow", "2026-01-31T10:00:00Z"); !strings.Contains(out, "regressions") {
		t.Errorf("nothing about regressions:\n%s", out)
	}
	// The pairs of the stage before count on.
	if out := look("canary", "2026-01-31T11:00:00Z"); !strings.Contains(out, "pairs of shadow") {
		t.Errorf("the pairs of the first stage are forgotten:\n%s", out)
	}
	status, out, errs := cli(t, "replay", dir)
	if status != 0 || !strings.Contains(out, "2 records, chain unbroken, all the same") {
		t.Fatalf("replay: exit status %d\n%s%s", status, out, errs)
	}
	stored, err := filepath.Glob(filepath.Join(dir, "snapshots", "*"))
	if err != nil || len(stored) != 1 {
		t.Fatalf("stored %v, %v, want the pairs once", stored, err)
	}
	if err := os.WriteFile(stored[0], []byte("rampguard"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := cli(t, "replay", dir); status != 2 || !strings.Contains(errs, "snapshot") {
		t.Errorf("replay with damaged pairs: exit status %d, %s", status, errs)
	}
}

// pairLogs writes the same requests as one log with both scores and as two shuffled
// logs with one each, and returns their paths.
func pairLogs(t *testing.T, more ...string) (both, baseline, candidate string) {
	t.Helper()
	var lines [3][]string
	r := rand.New(rand.NewPCG(1, 0))
	for i := range 2000 {
		a, b, label := r.Float64(), r.Float64(), r.IntN(2) == 0
		lines[0] = append(lines[0], fmt.Sprintf("%d,%v,%v,%t", i, a, (a+b)/2, label))
		lines[1] = append(lines[1], fmt.Sprintf("%d,%v,%t", i, a, label))
		lines[2] = append(lines[2], fmt.Sprintf("%d,%v,", i, (a+b)/2))
	}
	lines[1] = append(lines[1], more...)
	heads := [3]string{"request_id,champion_score,challenger_score,label", "request_id,score,label", "request_id,score,label"}
	var paths [3]string
	for i, head := range heads {
		r.Shuffle(len(lines[i]), func(a, b int) { lines[i][a], lines[i][b] = lines[i][b], lines[i][a] })
		paths[i] = write(t, fmt.Sprintf("%d.csv", i), head+"\n"+strings.Join(lines[i], "\n")+"\n")
	}
	return paths[0], paths[1], paths[2]
}

// Two logs that are joined are the evidence that one log with both scores is.
func TestJoinIsThePairsLog(t *testing.T) {
	policy := write(t, "policy.yaml", noStages)
	both, baseline, candidate := pairLogs(t)
	evidence := func(args ...string) []byte {
		t.Helper()
		dir := t.TempDir()
		status, out, errs := cli(t, append([]string{"check", "--quiet", "--policy", policy, "--snapshot-out", dir}, args...)...)
		if status == 2 {
			t.Fatalf("%v: %s%s", args, out, errs)
		}
		if strings.Contains(out, "\nPairs: ") {
			t.Errorf("%v: something is said to be left out:\n%s", args, out)
		}
		b, err := os.ReadFile(filepath.Join(dir, "pairs.snapshot"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	want := evidence("--pairs", both)
	joined := evidence("--join", "--baseline", baseline, "--candidate", candidate)
	if !bytes.Equal(joined, want) {
		t.Error("the joined logs are other evidence than the log with both scores")
	}
	if by := evidence("--join-by", "request_id", "--join-memory", "1", "--baseline", baseline, "--candidate", candidate); !bytes.Equal(by, want) {
		t.Error("--join-by with little memory gives other evidence")
	}
	stored := filepath.Join(t.TempDir(), "pairs.snapshot")
	if err := os.WriteFile(stored, joined, 0o600); err != nil {
		t.Fatal(err)
	}
	if again := evidence("--pairs", stored); !bytes.Equal(again, want) {
		t.Error("stored pairs are other evidence")
	}
}

// What is left out of the pairs is said, on paper and beside JSON.
func TestPairsLeftOutAreSaid(t *testing.T) {
	policy := write(t, "policy.yaml", noStages)
	_, baseline, candidate := pairLogs(t, "5000,0.5,true", "7,0.5,true", ",0.5,true")
	for _, format := range []string{"text", "markdown", "json"} {
		status, out, errs := cli(t, "check", "--quiet", "--policy", policy, "--format", format, "--join", "--baseline", baseline, "--candidate", candidate)
		text := out
		if format == "json" {
			text = errs
		}
		for _, want := range []string{
			"1,999 pairs came of 2,003 rows of the baseline and 2,000 of the candidate",
			"1 row of the baseline and 0 of the candidate with an id that the other log does not have",
			"2 rows of the baseline and 1 of the candidate with an id that is there more than once",
			"1 row of the baseline and 0 of the candidate without an id",
		} {
			if status == 2 || !strings.Contains(text, want) {
				t.Errorf("%s: exit status %d, no word of %q:\n%s%s", format, status, want, out, errs)
			}
		}
	}
}

func TestPairFlagsSayHowToMendThem(t *testing.T) {
	policy := write(t, "policy.yaml", noStages)
	plain := write(t, "plain.yaml", "version: 1\ncolumns: {score: score, label: label, unit: request_id}\nchecks:\n  - {check: guardrail, metric: log_loss, margin: 5%}\n")
	both, baseline, candidate := pairLogs(t)
	arms := []string{"--baseline", baseline, "--candidate", candidate}
	for _, tt := range []struct {
		reason string
		policy string
		args   []string
		want   string
	}{
		{"a policy without pairs", plain, append([]string{"--join"}, arms...), "add pairs: {baseline: COLUMN, candidate: COLUMN}"},
		{"pairs twice", policy, append([]string{"--join", "--pairs", both}, arms...), "count twice"},
		{"one file twice", policy, []string{"--pairs", both, "--pairs", both}, "count twice"},
		{"nothing to join", policy, []string{"--join", "--pairs", both}, "exclude each other"},
		{"no memory", policy, append([]string{"--join", "--join-memory", "0"}, arms...), "1 MiB"},
		{"a log of one model as pairs", policy, []string{"--pairs", baseline}, `no column "champion_score"`},
		{"an unknown id", policy, append([]string{"--join-by", "trace"}, arms...), `no column "trace"`},
		{"no arms", policy, []string{"--join"}, "--baseline"},
		{"a report over the pairs", policy, []string{"--pairs", both, "--output", both}, "would replace an input"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			status, _, errs := cli(t, append([]string{"check", "--quiet", "--policy", tt.policy}, tt.args...)...)
			if status != 2 || !strings.Contains(errs, tt.want) {
				t.Errorf("exit status %d, want 2; error %q, want it to hold %q", status, errs, tt.want)
			}
		})
	}
	status, out, errs := cli(t, append([]string{"check", "--quiet", "--policy", policy}, arms...)...)
	if status != 75 || !strings.Contains(out, "no pairs yet") || !strings.Contains(errs, "--pairs FILE") {
		t.Errorf("no pairs: exit status %d, want a pause and how to give them\n%s%s", status, out, errs)
	}
}

// Checks that wait for arms which are not there are named beside the pairs.
func TestPairsAloneNameTheChecksThatWait(t *testing.T) {
	both, baseline, candidate := pairLogs(t)
	policy := write(t, "policy.yaml", noStages+"  - {check: schema}\n")
	const want = "note: schema: these checks look at the logs of two arms, which are not given"
	if status, _, errs := cli(t, "check", "--quiet", "--policy", policy, "--pairs", both); status == 2 || !strings.Contains(errs, want) {
		t.Errorf("exit status %d, no word of %q:\n%s", status, want, errs)
	}
	if _, _, errs := cli(t, "check", "--quiet", "--policy", policy, "--join", "--baseline", baseline, "--candidate", candidate); strings.Contains(errs, want) {
		t.Errorf("with arms:\n%s", errs)
	}
}
