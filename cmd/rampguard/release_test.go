package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
)

// gateOf runs "release check" and returns the exit status, the report and the error.
func gateOf(t *testing.T, args ...string) (status int, out string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := newRelease(&stdout, &stderr)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append([]string{"check", "--quiet"}, args...))
	var code verdictStatus
	switch err = cmd.Execute(); {
	case errors.As(err, &code):
		return int(code), stdout.String(), nil
	case err != nil:
		return exitError, stdout.String(), err
	}
	return 0, stdout.String(), nil
}

// requests writes a log of scored requests.
func requests(t *testing.T, seed uint64, header string, change func(row []string)) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var sb strings.Builder
	sb.WriteString(header + "\n")
	for range 4000 {
		row := []string{fmt.Sprintf("%.4f", r.Float64()*r.Float64()), fmt.Sprintf("%.2f", 100*r.ExpFloat64()),
			[]string{"DE", "FR", "US"}[r.IntN(3)], fmt.Sprint(r.IntN(2000)), fmt.Sprintf("%.1f", 5*r.ExpFloat64())}
		if change != nil {
			change(row)
		}
		sb.WriteString(strings.Join(row[:1+strings.Count(header, ",")], ",") + "\n")
	}
	path := filepath.Join(t.TempDir(), "log.csv")
	if err := os.WriteFile(path, []byte(sb.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	oldColumns = "score,amount,country,card_age_days"
	newColumns = oldColumns + ",velocity_1h"
	contract   = "../../examples/release/fraud.yaml"
)

func TestReleaseCheck(t *testing.T) {
	live := requests(t, 1, oldColumns, nil)
	given := func(log string, more ...string) []string {
		return append([]string{contract, "--baseline", "../../examples/release/fraud-live.yaml", "--at", "2026-01-31T12:00:00Z",
			"--log", log, "--baseline-log", live, "--format", "json"}, more...)
	}
	for _, c := range []struct {
		name string
		args []string
		want []string // findings that are no pass
		exit int
	}{
		{"sound", given(requests(t, 2, newColumns, nil)), nil, 0},
		{"constant scores", given(requests(t, 3, newColumns, func(row []string) { row[0] = "0.5" })), []string{"scores collapse_constant"}, 3},
		{"scores out of range", given(requests(t, 4, newColumns, func(row []string) { row[0] += "e1" })), []string{"scores score_out_of_range"}, 3},
		{"lost amounts", given(requests(t, 5, newColumns, func(row []string) {
			if strings.HasSuffix(row[3], "7") {
				row[1] = ""
			}
		})), []string{"schema null_share amount"}, 3},
		{"amounts out of range", given(requests(t, 9, newColumns, func(row []string) { row[1] = "-" + row[1] })), []string{"schema range_share amount"}, 3},
		{"a feature that is not served", given(requests(t, 6, oldColumns, nil)), []string{"schema feature_unserved velocity_1h"}, 3},
		{"a feature of another type", given(requests(t, 7, newColumns, func(row []string) { row[4] = "fast" })), []string{"schema type_changed velocity_1h"}, 3},
		{"no approval in time", given(requests(t, 8, newColumns, nil), "--at", "2026-03-01T12:00:00Z"), []string{"approval no_approval"}, 3},
		{"no logs", []string{contract, "--baseline", "../../examples/release/fraud-live.yaml", "--at", "2026-01-31T12:00:00Z", "--format", "json"},
			[]string{"schema feature_unproven velocity_1h", "scores no_log"}, 75},
	} {
		status, out, err := gateOf(t, c.args...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var v analysis.Verdict
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got []string
		for _, f := range v.Findings {
			// What is wrong with scores shows in more than one signal of the gate.
			more := f.Check == "scores" && !slices.Contains(c.want, "scores "+f.Code) && len(c.want) > 0
			if f.Outcome != analysis.Pass && !more {
				got = append(got, strings.TrimSpace(f.Check+" "+f.Code+" "+strings.TrimPrefix(f.Column, "score")))
			}
		}
		if d := cmp.Diff(c.want, got); d != "" || status != c.exit {
			t.Errorf("%s: exit status %d, want %d (-want +got):\n%s\n%s", c.name, status, c.exit, d, out)
		}
	}
}

func TestReleaseReports(t *testing.T) {
	for format, want := range map[string]string{"text": "PAUSE until a person has looked: fraud, 2.3.1 -> 2.4.0", "markdown": "## PAUSE until a person has looked: fraud, 2.3.1 -> 2.4.0"} {
		status, out, err := gateOf(t, contract, "--at", "2026-03-01T12:00:00Z", "--format", format)
		if err != nil || status != 3 || !strings.HasPrefix(out, want) || strings.Contains(out, "Look again") {
			t.Errorf("%s: exit status %d, %v:\n%s", format, status, err, out)
		}
	}
	file := filepath.Join(t.TempDir(), "gate.md")
	status, out, err := gateOf(t, contract, "--at", "2026-01-31T12:00:00Z", "--format", "markdown", "--output", file)
	b, readErr := os.ReadFile(file)
	if err != nil || readErr != nil || status != 75 || strings.Count(out, "\n") != 1 || !strings.Contains(string(b), "Nobody has looked at the scores of version 2.4.0") {
		t.Errorf("exit status %d, %v, %v: %s\n%s", status, err, readErr, out, b)
	}
}

func TestReleaseMisuse(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("version: 1\nowener: a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{bad}, bad + ":2:1: unknown key owener"},
		{[]string{contract, "--baseline", bad}, "--baseline: " + bad + ":2:1: unknown key owener"},
		{[]string{contract, "--at", "noon"}, "--at: "},
		{[]string{contract, "--format", "pdf"}, "--format"},
		{[]string{contract, "--baseline-log", "a.csv"}, "--baseline-log needs --log"},
		{[]string{contract, "--log", "a.csv", "--score-column", "amount"}, "has the name of the score"},
		{[]string{contract, "--log", "missing.csv"}, "missing.csv"},
		{[]string{contract, "--output", contract}, "would replace an input"},
		{[]string{"missing.yaml"}, "missing.yaml"},
		{nil, "accepts 1 arg"},
	} {
		if status, _, err := gateOf(t, c.args...); status != exitError || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: exit status %d, %v; want %q", c.args, status, err, c.want)
		}
	}
}
