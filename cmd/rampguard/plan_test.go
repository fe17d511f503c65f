package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

var served = []string{"--policy", "../../examples/policies/fraud.yaml", "--base-rate", "error=0.1%", "--base-rate", "fraud=35%",
	"--moments", "latency_ms=50,30", "--moments", "amount=80,120", "--moments", "cpu=0.5,0.05", "--shares", "country=DE:40,FR:30,IT:20,ES:10"}

func TestPlanSaysWhatCanBeDetected(t *testing.T) {
	args := append([]string{"plan"}, append(served, "--moments", "log_loss=0.5,0.51")...)
	wants(t, 0, []string{"smallest regression", "canary", "to pass", "rolled back with a probability of at most", "where country=ES"}, args...)
	out := wants(t, 0, nil, append(args, "--format", "json")...)
	var r map[string]any
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]string{{"--traffic", "many"}, {"--base-rate", "x"}, {"--moments", "x=1"}, {"--shares", "x"}, {"--format", "xml"}, {"--baseline-snapshot", "nowhere"}} {
		wants(t, 2, []string{map[string]string{"--format": "xml", "--baseline-snapshot": "nowhere"}[bad[0]]}, append(args, bad...)...)
	}
}

func TestSimulateFindsTheHarmItPlants(t *testing.T) {
	args := append([]string{"simulate"}, append(served, "--harm", "error*4", "--rollouts", "3", "--look-every", "5m")...)
	one := wants(t, 0, []string{"The harm was caught in 3 of 3", "guardrail mean"}, append(args, "--workers", "1")...)
	if two := wants(t, 0, nil, append(args, "--workers", "2")...); two != one {
		t.Errorf("the number of workers changes the result:\n%s\n%s", one, two)
	}
	for _, bad := range [][]string{{"--harm", "bad"}, {"--harm-slice", "x"}, {"--outage", "x"}, {"--label-delay", "x"}} {
		wants(t, 2, []string{bad[0]}, append(args, bad...)...)
	}
}

func TestBacktestReplaysSnapshots(t *testing.T) {
	policy, dir := write(t, "policy.yaml", "version: 1\ncolumns: {score: score, label: label}\nchecks:\n  - {check: guardrail, metric: log_loss, margin: 5%}\n"), t.TempDir()
	for i, candidate := range []string{"candidate", "candidate_broken"} {
		part := filepath.Join(dir, "part")
		if status, _, errs := cli(t, "check", "--quiet", "--policy", policy, "--baseline", flights+"baseline.parquet",
			"--candidate", flights+candidate+".parquet", "--snapshot-out", part); status == 2 {
			t.Fatal(errs)
		}
		for _, arm := range []string{"baseline", "candidate"} {
			name := filepath.Join(dir, []string{"2026-01-31T100000Z", "2026-01-31T110000Z"}[i]+"."+arm+".snapshot")
			if err := os.Rename(filepath.Join(part, arm+".snapshot"), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	wants(t, 0, []string{"2026-01-31"}, "backtest", "--policy", policy, dir)
	wants(t, 2, []string{"--snapshot-out"}, "backtest", "--policy", policy, t.TempDir())
	if err := os.Remove(filepath.Join(dir, "2026-01-31T110000Z.candidate.snapshot")); err != nil {
		t.Fatal(err)
	}
	wants(t, 2, []string{"2026-01-31T110000Z has no candidate.snapshot"}, "backtest", "--policy", policy, dir)
	wants(t, 2, []string{"nowhere"}, "backtest", "--policy", policy, "nowhere")
}
