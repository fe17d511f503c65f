package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// maturePolicy is the flights' policy with a maturity of labels.
func maturePolicy(t *testing.T, maturity string) string {
	t.Helper()
	b, err := os.ReadFile(flights + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	b = bytes.Replace(b, []byte("split:"), []byte("labels: {maturity: "+maturity+"}\nsplit:"), 1)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCheckAppliesMaturity: labels count that had the policy's maturity to arrive by
// the time of the look.
func TestCheckAppliesMaturity(t *testing.T) {
	policy, dir := maturePolicy(t, "48h"), t.TempDir()
	rows := readFlights(t, "candidate.parquet")
	slices.SortFunc(rows, func(a, b flight) int { return int(a.TS - b.TS) })
	first, middle := time.UnixMilli(rows[0].TS).UTC(), time.UnixMilli(rows[len(rows)/2].TS).UTC()
	b, c := flights+"baseline.parquet", flights+"candidate.parquet"
	look := func(at time.Time, args ...string) (analysis.Verdict, map[string]analysis.Finding, string) {
		_, out, errs := cli(t, append([]string{"check", "--format", "json", "--policy", policy, "--at", at.Format(time.RFC3339)}, args...)...)
		var v analysis.Verdict
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, errs)
		}
		fs := map[string]analysis.Finding{}
		for _, f := range v.Findings {
			fs[f.Check+"/"+f.Metric] = f
		}
		return v, fs, errs
	}

	// In the middle of the log half of the labels count.
	at := middle.Add(48 * time.Hour)
	_, fs, errs := look(at, "--baseline", b, "--candidate", c, "--snapshot-out", dir)
	if n, all := fs["guardrail/log_loss"].N.Candidate, uint64(len(rows)); n < all/3 || n > all*2/3 {
		t.Errorf("%d of %d flights count for the log loss, want half", n, all)
	}
	if want := "rampguard: labels take 48h0m0s to mature: those of rows served before " + middle.Format(time.RFC3339) + " count\n"; !strings.Contains(errs, want) {
		t.Errorf("the cutoff is not said: %s", errs)
	}
	if _, bad := fs["guardrail/label_coverage"]; bad {
		t.Error("labels that do not count yet show in the coverage")
	}
	if _, bad := fs["evidence/evidence"]; bad {
		t.Errorf("the age of labels is wrong: %s", fs["evidence/evidence"].Message)
	}

	// Stored snapshots keep their cutoff.
	stored := []string{"--baseline-snapshot", filepath.Join(dir, "baseline.snapshot"), "--candidate"}
	if v, fs, _ := look(at, append(stored, c)...); fs["evidence/evidence"].Code != "" || fs["guardrail/log_loss"].N.Candidate == 0 {
		t.Errorf("the same cutoff, stored: %v", v.Reasons)
	}
	v, fs, _ := look(at.Add(24*time.Hour), append(stored, c)...)
	if f := fs["evidence/evidence"]; f.Code != "label_maturity" || f.Outcome != analysis.Invalid || v.Decision == analysis.Continue || !fs["guardrail/log_loss"].Untrusted || fs["srm/srm"].Untrusted {
		t.Errorf("another cutoff: %s %v, %v", f.Code, f.Outcome, v.Decision)
	}

	// Before the first label is mature the verdict says when it will be.
	v, fs, _ = look(first.Add(12*time.Hour), "--baseline", b, "--candidate", c)
	f := fs["guardrail/log_loss"]
	if f.Outcome != analysis.Insufficient || !strings.Contains(f.Message, "the first ones will be on ") {
		t.Errorf("no mature label: %v, %s", f.Outcome, f.Message)
	}
	if v.Decision == analysis.Pause && v.Resume == analysis.Auto && (v.CheckAfter < 35*time.Hour || v.CheckAfter > 49*time.Hour) {
		t.Errorf("look again after %v, want what is left of 48 hours", v.CheckAfter)
	}
}

// TestMaturityNeedsATime: nothing tells the age of a label then.
func TestMaturityNeedsATime(t *testing.T) {
	b, err := os.ReadFile(maturePolicy(t, "48h"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, bytes.Replace(b, []byte("  time: ts\n"), nil, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, errs := cli(t, "check", "--policy", path, "--baseline", flights+"baseline.parquet", "--candidate", flights+"candidate.parquet")
	if status != 2 || !strings.Contains(errs, "labels: maturity 48h cannot be applied, because columns.time names no column") {
		t.Errorf("exit status %d: %s", status, errs)
	}
}
