package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const releases = "../../testdata/releases/"

// wants checks an exit status and that the output holds all the texts.
func wants(t *testing.T, status int, texts []string, args ...string) string {
	t.Helper()
	got, out, errs := cli(t, args...)
	if got != status {
		t.Fatalf("%v: exit status %d, want %d\n%s%s", args, got, status, out, errs)
	}
	for _, text := range texts {
		if !strings.Contains(out+errs, text) {
			t.Errorf("%v: no %q in\n%s%s", args, text, out, errs)
		}
	}
	return out
}

func TestLeadtimeTellsTheYear(t *testing.T) {
	wants(t, 0, []string{
		"130 flights from 2,476 events", "Where the time goes", "Bottleneck: approval", "2025 Q1", "Beyond the SLA", "in flight for",
		"Rollbacks per drift alert", "line 23, retrained", "fast_track", "staging",
	}, "leadtime", releases+"releases.jsonl", "--sla", "72h", "--fast-sla", "24h", "--as-of", "2025-12-31T16:00:00Z")
}

// The same flights in the wide form give the same lead times.
func TestLeadtimeFormsAgree(t *testing.T) {
	headline := func(path string) any {
		out := wants(t, 0, nil, "leadtime", path, "--as-of", "2025-12-31T16:00:00Z", "--format", "json")
		var r struct {
			Report struct {
				Groups []map[string]any `json:"groups"`
			} `json:"report"`
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal([]any{r.Report.Groups[0]["n"], r.Report.Groups[0]["p50"], r.Report.Groups[0]["p90"]})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if long, wide := headline(releases+"releases.jsonl"), headline(releases+"releases_wide.csv"); long != wide {
		t.Errorf("long form %s\nwide form %s", long, wide)
	}
}

func TestLeadtimeSaysWhatItLeftOut(t *testing.T) {
	out := wants(t, 0, []string{"Left out", "could not be read", "no_offset", "releases_bad.jsonl:"}, "leadtime", releases+"releases_bad.jsonl", "--max-bad", "100")
	if strings.Contains(out, "\x1b") {
		t.Error("an escape sequence of the data reached the terminal")
	}
	wants(t, 0, []string{"and ", " more; --max-bad"}, "leadtime", releases+"releases_bad.jsonl", "--max-bad", "1")
}

func TestLeadtimeOptions(t *testing.T) {
	log := releases + "releases.jsonl"
	wants(t, 0, []string{"|---|", "## Lead time"}, "leadtime", log, "--format", "markdown")
	wants(t, 0, []string{"fraud-scorer"}, "leadtime", log, "--by", "model")
	wants(t, 0, []string{"by_signoff"}, "leadtime", log, "--cohort", "by_signoff", "--since", "2025-04-01", "--until", "2025-07-01")
	wants(t, 0, []string{"09:00-17:00 Europe/Berlin, 2 holidays"}, "leadtime", log, "--business-hours", "--zone", "Europe/Berlin", "--holiday", "2025-12-25,2025-12-26")
	for _, bad := range [][]string{{"--zone", "Mars"}, {"--by", "moon"}, {"--format", "xml"}, {"--epoch", "years"}, {"--since", "soon"},
		{"--cohort", "x"}, {"--business-hours", "--holiday", "x"}, {"--assume-zone", "Mars"}} {
		wants(t, 2, []string{strings.TrimPrefix(bad[0], "--business-hours")}, append([]string{"leadtime", log}, bad...)...)
	}
	wants(t, 2, []string{"nowhere"}, "leadtime", "nowhere.jsonl")
}

func TestLeadtimeReadsCDEvents(t *testing.T) {
	path := write(t, "events.jsonl", `{"specversion":"1.0","type":"dev.cdevents.service.deployed.0.2.0","source":"ci","id":"1","time":"2025-03-01T10:00:00Z","data":{"context":{"version":"0.4.1","id":"1","source":"ci","type":"dev.cdevents.service.deployed.0.2.0","timestamp":"2025-03-01T10:00:00Z"},"subject":{"id":"fraud","type":"service","content":{"environment":{"id":"production"},"artifactId":"pkg:mlflow/fraud@7"}}}}
`)
	wants(t, 0, []string{"Lead time"}, "leadtime", "--cdevents", path)
}

func TestSLOHaltsPromotions(t *testing.T) {
	objective, samples := releases+"objective.yaml", releases+"samples.csv"
	state := filepath.Join(t.TempDir(), "gate.json")
	wants(t, 75, []string{"promotions HALTED", "FIRING", "Error budget:", "61.9% spent"}, "slo", "-f", objective, samples, "--state", state)
	if b, err := os.ReadFile(state); err != nil || !strings.Contains(string(b), "answered-in-time") {
		t.Errorf("the state says %s: %v", b, err)
	}
	wants(t, 0, []string{"ALLOWED"}, "slo", "-f", objective, samples, "--fix")
	wants(t, 0, []string{"ALLOWED", "ann"}, "slo", "-f", objective, samples, "--override-who", "ann", "--override-why", "the fix is in it")
	wants(t, 0, []string{"ALLOWED"}, "slo", "-f", objective, samples, "--at", "2025-12-20T00:00:00Z")
	wants(t, 75, []string{"## answered-in-time", "| alert |"}, "slo", "-f", objective, samples, "--format", "markdown")
	out := wants(t, 75, nil, "slo", "-f", objective, samples, "--format", "json")
	var reports []sloReport
	if err := json.Unmarshal([]byte(out), &reports); err != nil || len(reports) != 1 {
		t.Errorf("%d reports: %v", len(reports), err)
	}
	for _, bad := range [][]string{{"--name", "nothing"}, {"--at", "noon"}, {"--epoch", "years"}, {"--format", "xml"}, {"--assume-zone", "Mars"}, {"--override-who", "a", "--override-until", "x"}} {
		wants(t, 2, nil, append([]string{"slo", "-f", objective, samples}, bad...)...)
	}
	wants(t, 2, []string{"nowhere"}, "slo", "-f", "nowhere.yaml", samples)
}
