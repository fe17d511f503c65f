package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// delayLog writes a log of 2,400 rows in two arms: labels come after 1 to 10 days,
// those of arm b twice as late, and every tenth row never gets one.
func delayLog(t *testing.T) string {
	t.Helper()
	start := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	var sb strings.Builder
	sb.WriteString("ts,label_ts,label,arm\n")
	for i := range 2400 {
		served := start.Add(time.Duration(i) * time.Hour / 2)
		arm, days := "a", i%10
		if i/10%2 == 1 {
			arm, days = "b", 2*(i%10)
		}
		label, arrived := "", ""
		if i%10 != 0 {
			label, arrived = fmt.Sprint(i%3 == 0), served.Add(time.Duration(days)*24*time.Hour).Format(time.RFC3339)
		}
		fmt.Fprintf(&sb, "%s,%s,%s,%s\n", served.Format(time.RFC3339), arrived, label, arm)
	}
	path := filepath.Join(t.TempDir(), "log.csv")
	if err := os.WriteFile(path, []byte(sb.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// labels runs the command by itself.
func labels(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newLabels(&out)
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	err := cmd.Execute()
	return out.String(), err
}

func TestLabelsDelays(t *testing.T) {
	log := delayLog(t)
	out, err := labels(t, "--log", log, "--served", "ts", "--labelled", "label_ts", "--label", "label", "--at", "2025-06-01", "--by", "arm", "--format", "json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Rows   uint64 `json:"rows"`
		Groups []struct {
			Name      string `json:"name"`
			Rows      uint64 `json:"rows"`
			Maturity  string `json:"maturity"`
			Quantiles []struct {
				Estimate struct{ Point stats.Float }
			} `json:"quantiles_seconds"`
			Arrive struct {
				Point float64 `json:"point"`
			} `json:"share_that_arrives"`
		} `json:"groups"`
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Rows != 2400 || len(r.Groups) != 2 {
		t.Fatalf("%s", out)
	}
	// Half of the rows have a label by day 5, and the next come on day 6: the middle.
	for i, want := range []struct {
		name, maturity string
		days           float64
	}{{"a", "9d", 5.5}, {"b", "18d", 11}} {
		g := r.Groups[i]
		if g.Name != want.name || g.Rows != 1200 || g.Maturity != want.maturity || g.Arrive.Point < 0.8999 || g.Arrive.Point > 0.9001 {
			t.Errorf("%+v, want %+v", g, want)
		}
		if p50 := float64(g.Quantiles[0].Estimate.Point) / 86400; p50 != want.days {
			t.Errorf("%s: p50 of %v days, want %v", g.Name, p50, want.days)
		}
	}
	// Before the labels came, the same rows wait for them.
	out, err = labels(t, "--log", log, "--served", "ts", "--labelled", "label_ts", "--at", "2025-03-05")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"2,207 served after --at", "labels: {maturity:", "percent of the rows", "not reached, above", "all"} {
		if !strings.Contains(out, text) {
			t.Errorf("no %q in\n%s", text, out)
		}
	}
}

func TestLabelsNeverArrive(t *testing.T) {
	// The real log has no time of arrival: no label has arrived.
	out, err := labels(t, "--log", flights+"baseline.parquet", "--served", "ts", "--labelled", "label_ts")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "None of the 60,185 rows has a label") || strings.Contains(out, "maturity:") {
		t.Error(out)
	}
}

func TestLabelsErrors(t *testing.T) {
	log := delayLog(t)
	for want, args := range map[string][]string{
		"there is no column when":         {"--log", log, "--served", "when", "--labelled", "label_ts", "--at", "2025-06-01"},
		"name two columns":                {"--log", log, "--served", "ts", "--labelled", "ts"},
		"is of type string, want times":   {"--log", flights + "baseline.parquet", "--served", "origin", "--labelled", "label_ts"},
		"which --by names":                {"--log", log, "--served", "ts", "--labelled", "label_ts", "--by", "region"},
		"which --label names":             {"--log", log, "--served", "ts", "--labelled", "label_ts", "--label", "outcome"},
		"more than 50 values":             {"--log", flights + "baseline.parquet", "--served", "ts", "--labelled", "label_ts", "--by", "origin"},
		"--by takes names":                {"--log", flights + "baseline.parquet", "--served", "ts", "--labelled", "label_ts", "--by", "score"},
		"served after --at":               {"--log", log, "--served", "ts", "--labelled", "label_ts", "--at", "2020-01-01"},
		"is not between 0 and 1":          {"--log", log, "--served", "ts", "--labelled", "label_ts", "--share", "1"},
		"use text, markdown or json":      {"--log", log, "--served", "ts", "--labelled", "label_ts", "--format", "xml"},
		"neither a day such as":           {"--log", log, "--served", "ts", "--labelled", "label_ts", "--at", "noon"},
		"nowhere.parquet":                 {"--log", "nowhere.parquet", "--served", "ts", "--labelled", "label_ts"},
		`required flag(s) "log", "served`: {"--labelled", "label_ts"},
	} {
		if _, err := labels(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want it to hold %q", args, err, want)
		}
	}
}
