package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/analysis"
)

// flight is a row of the real logs in testdata/flights.
type flight struct {
	Action      string  `parquet:"action,dict"`
	Destination string  `parquet:"destination,dict"`
	Distance    int32   `parquet:"distance"`
	Dow         int32   `parquet:"dow"`
	Hour        int32   `parquet:"hour"`
	Label       *bool   `parquet:"label,optional"`
	Origin      string  `parquet:"origin,dict"`
	RequestID   int64   `parquet:"request_id"`
	Score       float64 `parquet:"score"`
	TS          int64   `parquet:"ts,timestamp(millisecond)"`
}

const flights = "../../testdata/flights/"

func readFlights(t *testing.T, name string) []flight {
	t.Helper()
	rows, err := parquet.ReadFile[flight](flights + name)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func writeFlights(t *testing.T, path string, rows []flight) {
	t.Helper()
	if err := parquet.WriteFile(path, rows, parquet.Compression(&parquet.Zstd)); err != nil {
		t.Fatal(err)
	}
}

// cli runs the command and returns its exit status and what it printed.
func cli(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(context.Background(), args, &out, &errs)
	return status, out.String(), errs.String()
}

func verdictOf(t *testing.T, args ...string) (int, analysis.Verdict) {
	t.Helper()
	status, out, errs := cli(t, append([]string{"check", "--format", "json", "--at", "2026-01-31T12:00:00Z"}, args...)...)
	var v analysis.Verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, errs)
	}
	return status, v
}

// policyWithout writes the flights' policy without the lines that hold one of
// the words, and returns its path.
func policyWithout(t *testing.T, words ...string) string {
	t.Helper()
	b, err := os.ReadFile(flights + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(string(b)) {
		drop := false
		for _, w := range words {
			drop = drop || strings.Contains(line, w)
		}
		if !drop {
			kept = append(kept, line)
		}
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(strings.Join(kept, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The same model on both sides of a fair split does not differ from itself.
func TestFairSplitContinues(t *testing.T) {
	dir := t.TempDir()
	var even, odd []flight
	for _, r := range readFlights(t, "baseline.parquet") {
		if r.RequestID%2 == 0 {
			even = append(even, r)
		} else {
			odd = append(odd, r)
		}
	}
	writeFlights(t, filepath.Join(dir, "even.parquet"), even)
	writeFlights(t, filepath.Join(dir, "odd.parquet"), odd)
	status, v := verdictOf(t, "--policy", flights+"policy.yaml", "--baseline", filepath.Join(dir, "even.parquet"), "--candidate", filepath.Join(dir, "odd.parquet"))
	if status != 0 || v.Decision != analysis.Continue {
		t.Errorf("exit status %d, %v because of %v", status, v.Decision, v.Reasons)
	}
}

func TestBrokenCandidateIsAnSRM(t *testing.T) {
	status, v := verdictOf(t, "--policy", flights+"policy.yaml", "--baseline", flights+"baseline.parquet", "--candidate", flights+"candidate_broken.parquet")
	if status != 3 || v.Decision != analysis.Pause || v.Resume != analysis.Manual {
		t.Errorf("exit status %d, %v/%v", status, v.Decision, v.Resume)
	}
	invalid, untrusted, numbers := map[string]bool{}, 0, 0
	for _, f := range v.Findings {
		if f.Outcome == analysis.Invalid {
			invalid[f.Check] = true
			continue
		}
		if f.Untrusted {
			untrusted++
		}
		if f.Estimate.Point == f.Estimate.Point {
			numbers++
		}
	}
	if !invalid["srm"] {
		t.Error("the lost flights are not reported as a sample ratio mismatch")
	}
	if untrusted == 0 || numbers == 0 {
		t.Errorf("%d findings marked untrusted, %d with numbers; want the other checks still shown", untrusted, numbers)
	}
}

func TestBrokenCandidateWithoutSRMCheck(t *testing.T) {
	status, v := verdictOf(t, "--policy", policyWithout(t, "check: srm"), "--baseline", flights+"baseline.parquet", "--candidate", flights+"candidate_broken.parquet")
	if status == 0 || v.Decision == analysis.Continue {
		t.Fatalf("exit status %d, %v", status, v.Decision)
	}
	bad := map[string]bool{}
	for _, f := range v.Findings {
		if f.Outcome == analysis.Harm || f.Outcome == analysis.Invalid {
			bad[f.Check] = true
		}
	}
	for _, want := range []string{"drift", "actions", "guardrail"} {
		if !bad[want] {
			t.Errorf("%s does not name what is wrong: %v", want, bad)
		}
	}
}

// Workers, files and merged snapshots are no evidence: the report is the same,
// byte for byte.
func TestReportDoesNotDependOnTheCut(t *testing.T) {
	dir := t.TempDir()
	rows := readFlights(t, "candidate.parquet")
	for i := range 7 {
		writeFlights(t, filepath.Join(dir, "part"+string(rune('0'+i))+".parquet"), rows[i*len(rows)/7:(i+1)*len(rows)/7])
	}
	base := []string{"check", "--policy", flights + "policy.yaml", "--at", "2026-01-31T12:00:00Z", "--format", "json"}
	report := func(args ...string) string {
		_, out, errs := cli(t, append(append([]string{}, base...), args...)...)
		if out == "" {
			t.Fatal(errs)
		}
		return out
	}
	b, c := flights+"baseline.parquet", flights+"candidate.parquet"
	want := report("--baseline", b, "--candidate", c, "--workers", "1")
	whole, halves := filepath.Join(dir, "whole"), filepath.Join(dir, "halves")
	report("--baseline", b, "--candidate", filepath.Join(dir, "part[0-3].parquet"), "--snapshot-out", whole)
	report("--baseline", b, "--candidate", filepath.Join(dir, "part[4-6].parquet"), "--snapshot-out", halves)
	for name, args := range map[string][]string{
		"8 workers": {"--baseline", b, "--candidate", c, "--workers", "8"},
		"7 files":   {"--baseline", b, "--candidate", filepath.Join(dir, "part*.parquet"), "--workers", "3"},
		"merged snapshots": {"--baseline-snapshot", filepath.Join(whole, "baseline.snapshot"),
			"--candidate-snapshot", filepath.Join(halves, "candidate.snapshot"), "--candidate-snapshot", filepath.Join(whole, "candidate.snapshot")},
	} {
		if got := report(args...); got != want {
			t.Errorf("%s: the report differs", name)
		}
	}
}
