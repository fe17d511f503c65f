package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestErrorsSayHowToMendThem(t *testing.T) {
	b := flights + "baseline.parquet"
	policy := flights + "policy.yaml"
	broken := filepath.Join(t.TempDir(), "broken.parquet")
	whole, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		reason string
		args   []string
		want   string
	}{
		{"no policy", []string{"check", "--policy", "nowhere.yaml", "--baseline", b, "--candidate", b}, "policy init"},
		{"no candidate", []string{"check", "--policy", policy, "--baseline", b}, "--candidate"},
		{"log and snapshot", []string{"check", "--policy", policy, "--baseline", b, "--baseline-snapshot", b, "--candidate", b}, "exclude"},
		{"unknown format", []string{"check", "--policy", policy, "--baseline", b, "--candidate", b, "--format", "xml"}, "markdown"},
		{"a pattern without files", []string{"check", "--policy", policy, "--baseline", "nowhere*.parquet", "--candidate", b}, "nowhere*.parquet"},
		{"half a file", []string{"check", "--policy", policy, "--baseline", b, "--candidate", broken}, "broken.parquet"},
		{"a log as a snapshot", []string{"check", "--policy", policy, "--baseline-snapshot", b, "--candidate", b}, "not a rampguard snapshot"},
		{"a bad time", []string{"check", "--policy", policy, "--baseline", b, "--candidate", b, "--at", "noon"}, "2026-01-31T15:04:05Z"},
		{"an unknown command", []string{"chekc"}, "unknown command"},
		{"an unknown command of policy", []string{"policy", "chekc", policy}, "there are check, import, init"},
		{"no command, which must not pass for a continue", nil, "there are backtest, check, explain"},
		{"no command of policy", []string{"policy"}, "there are check, import, init"},
		{"no policy flag", []string{"check", "--baseline", b, "--candidate", b}, "policy"},
		{"a report over an input", []string{"check", "--policy", policy, "--baseline", b, "--candidate", b, "--output", policy}, "would replace an input"},
		{"a report in no folder", []string{"check", "--policy", policy, "--baseline", b, "--candidate", b, "--output", "nowhere/v.json"}, "make it first"},
		{"a pattern that the shell expanded", []string{"check", "--policy", policy, "--baseline", b, b, "--candidate", b}, "quote patterns"},
		{"a draft over a policy", []string{"policy", "init", "--log", b, "--output", policy}, "--force"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			status, _, errs := cli(t, tt.args...)
			if status != 2 || !strings.Contains(errs, tt.want) {
				t.Errorf("exit status %d, want 2; error %q, want it to hold %q", status, errs, tt.want)
			}
		})
	}
}

func TestHelpShowsExamplesAndExitStatus(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"check", "--help"}} {
		status, out, _ := cli(t, args...)
		if status != 0 || !strings.Contains(out, "Examples:") || !strings.Contains(out, "75  pause") {
			t.Errorf("%v: exit status %d\n%s", args, status, out)
		}
	}
}

func TestPolicyInitLoads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if status, _, errs := cli(t, "policy", "init", "--log", flights+"baseline.parquet", "--output", path); status != 0 {
		t.Fatal(errs)
	}
	status, out, errs := cli(t, "policy", "check", path)
	if status != 0 || !strings.Contains(out, "sound") {
		t.Errorf("exit status %d\n%s%s", status, out, errs)
	}
	status, out, errs = cli(t, "check", "--policy", path, "--baseline", flights+"baseline.parquet", "--candidate", flights+"candidate.parquet")
	if status == 2 || out == "" {
		t.Errorf("the drafted policy cannot be used: %s", errs)
	}
}

func TestPolicyCheckNamesTheLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nbugdet: {}\nchecks:\n  - {check: srm}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, errs := cli(t, "policy", "check", path)
	if status != 2 || !strings.Contains(errs, "policy.yaml:2:1") {
		t.Errorf("exit status %d\n%s", status, errs)
	}
}

func TestOutputGoesToTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verdict.md")
	status, out, errs := cli(t, "check", "--policy", flights+"policy.yaml", "--baseline", flights+"baseline.parquet",
		"--candidate", flights+"candidate.parquet", "--format", "markdown", "--output", path)
	if status == 2 {
		t.Fatal(errs)
	}
	report, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(out, "\n") != 1 || !strings.HasPrefix(string(report), "## ") {
		t.Errorf("standard output %q, report %.60q", out, report)
	}
}

// What is cancelled is no verdict, and leaves no file behind.
func TestCancelledRunIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	status := run(ctx, []string{"check", "--policy", flights + "policy.yaml", "--baseline", flights + "baseline.parquet",
		"--candidate", flights + "candidate.parquet", "--output", filepath.Join(dir, "v.txt"), "--snapshot-out", filepath.Join(dir, "evidence")}, &out, &errs)
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if status != 2 || out.Len() > 0 || len(left) > 0 || !strings.Contains(errs.String(), context.Canceled.Error()) {
		t.Errorf("exit status %d, printed %q and %q, left %v", status, out.String(), errs.String(), left)
	}
}

// A report replaces the one before as a whole, and leaves nothing beside it.
func TestWriteFileReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.txt")
	for _, text := range []string{"first, and longer", "second"} {
		if err := writeFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q, %v, want %q", b, err, text)
		}
	}
	if err := writeFile(filepath.Dir(path), nil); err == nil {
		t.Error("a folder was replaced by a file")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWarningsNameTheFileOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	b, err := os.ReadFile(flights + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, "slices: [origin]\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, errs := cli(t, "check", "--policy", path, "--baseline", flights+"baseline.parquet", "--candidate", flights+"candidate.parquet")
	if !strings.HasPrefix(errs, "rampguard: warning: "+path+":") || strings.Count(errs, path) != 1 {
		t.Errorf("stderr %q", errs)
	}
}

func TestVersion(t *testing.T) {
	status, out, _ := cli(t, "version")
	if status != 0 || !strings.Contains(out, "engine") {
		t.Errorf("exit status %d: %s", status, out)
	}
}
