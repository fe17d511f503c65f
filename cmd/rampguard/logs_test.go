package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The same rows in CSV and in Parquet give the same verdict, down to the digests
// of the evidence.
func TestLogsOfOtherFormats(t *testing.T) {
	dir := t.TempDir()
	policy := write(t, "policy.yaml", "version: 1\ncolumns: {score: score, label: label}\nchecks:\n  - {check: guardrail, metric: log_loss, margin: 5%}\n")
	for _, arm := range []string{"baseline", "candidate"} {
		var sb strings.Builder
		sb.WriteString("score,label\n")
		for _, r := range readFlights(t, arm+".parquet") {
			label := ""
			if r.Label != nil {
				label = fmt.Sprint(*r.Label)
			}
			fmt.Fprintf(&sb, "%v,%s\n", r.Score, label)
		}
		if err := os.WriteFile(filepath.Join(dir, arm+".csv"), []byte(sb.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := func(folder, ext string) []string {
		return []string{"check", "--quiet", "--policy", policy, "--at", "2026-01-31T12:00:00Z",
			"--baseline", filepath.Join(folder, "baseline"+ext), "--candidate", filepath.Join(folder, "candidate"+ext)}
	}
	_, parquet, _ := cli(t, args(flights, ".parquet")...)
	status, csv, errs := cli(t, args(dir, ".csv")...)
	if csv != parquet || csv == "" {
		t.Errorf("exit status %d %s; from CSV\n%s\nfrom Parquet\n%s", status, errs, csv, parquet)
	}
	bad := filepath.Join(dir, "candidate.csv")
	f, err := os.OpenFile(bad, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("high,true\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	wants(t, 2, []string{"candidate.csv"}, args(dir, ".csv")...)
	wants(t, status, []string{"1 of 59816 rows of the candidate could not be read"}, append(args(dir, ".csv"), "--max-bad", "5")...)
	wants(t, 2, []string{"one format"}, append(args(flights, ".parquet"), "--baseline", bad)...)
}
