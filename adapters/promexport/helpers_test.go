package promexport_test

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/rampguard/rampguard/adapters/promexport"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

// finding returns one with an estimate, its interval and a limit.
func finding(check, code, metric string, o analysis.Outcome, v stats.Interval, limit float64) analysis.Finding {
	f := analysis.NewFinding(check, code, metric)
	f.Outcome, f.Severity, f.Required = o, analysis.SeverityRollback, true
	f.Estimate, f.Limit, f.Unit = v, stats.Float(limit), "relative"
	return f
}

// verdict returns a pause for lack of evidence, with a finding of every kind.
func verdict() *analysis.Verdict {
	latency := finding("guardrail", "max_increase", "latency_p99", analysis.Inconclusive, stats.Interval{Point: 0.01, Lo: -0.02, Hi: 0.04, Level: 0.95}, 0.02)
	errors := finding("guardrail", "max_increase", "errors", analysis.Harm, stats.Interval{Point: 0.3, Lo: 0.2, Hi: math.Inf(1), Level: 0.95}, 0.05)
	errors.Slice = analysis.SliceKey{"country": "DE", "device": "phone"}
	drift := finding("drift", "drift", "psi_equivalent", analysis.Warn, stats.Interval{Point: 0.12, Lo: 0.11, Hi: 0.14, Level: 0.9}, 0.25)
	drift.Column, drift.Unit = "amount", ""
	drift.Details = []analysis.Detail{{Name: "value", Value: 0.13}, {Name: "cells", Value: 10}}
	srm := finding("srm", "srm", "candidate_share", analysis.Pass, stats.Interval{Point: 0.1}, 0.1)
	srm.Unit = "share"
	absent := analysis.NewFinding("label_coverage", "no_data", "label_coverage")
	absent.Outcome = analysis.NoData
	return &analysis.Verdict{
		Decision: analysis.Pause, Resume: analysis.Manual, CheckAfter: 10 * time.Minute,
		Model: analysis.Model{Name: "fraud", Baseline: "v1", Candidate: "v2"}, Stage: "canary",
		Findings: []analysis.Finding{latency, errors, drift, srm, absent},
		State:    analysis.State{Looks: 7, Attempt: 2, Stage: "canary", StageSince: at(-time.Hour)},
		Record: analysis.Record{Engine: "0.3.0", PolicyDigest: "5f3759df5f3759df", PolicyVersion: 3, Digest: "d1",
			AlphaSpent: []analysis.Spending{{Budget: "rollback", Of: 0.05, Alpha: 0.0075}, {Budget: "srm", Of: 0.001, Alpha: 0.00015}}},
	}
}

func flights() []leadtime.Flight {
	signed := func(version string, track leadtime.Track, ago time.Duration) leadtime.Flight {
		return leadtime.Flight{Key: leadtime.FlightKey{Model: "fraud", Version: version, SignOff: 1}, Track: track, SignOff: at(-ago), Ended: start}
	}
	served := signed("v1", leadtime.Standard, 100*time.Hour)
	served.State, served.Served, served.Ended = leadtime.Served, at(-28*time.Hour), at(-28*time.Hour)
	served.Arrivals = []leadtime.Arrival{{Env: leadtime.Staging, At: at(-98 * time.Hour)}}
	served.Segments = []leadtime.Segment{
		{Stage: "validation", Attempt: 1, Start: at(-100 * time.Hour), End: at(-90 * time.Hour)},
		{Stage: "approval", Attempt: 1, Start: at(-40 * time.Hour), End: at(-30 * time.Hour)},
	}
	fast := signed("v1.1", leadtime.FastTrack, 3*time.Hour)
	fast.State, fast.Served, fast.Ended = leadtime.Served, at(-2*time.Hour), at(-2*time.Hour)
	rejected := signed("v0", leadtime.Standard, 300*time.Hour)
	rejected.State = leadtime.StateRejected
	return []leadtime.Flight{served, fast, rejected, signed("v2", leadtime.Standard, 80*time.Hour), signed("v3", leadtime.Standard, 10*time.Hour)}
}

func evaluation(t testing.TB) sla.Evaluation {
	t.Helper()
	o := sla.Objective{Name: "scored in time", Target: 0.99, Window: sla.Rolling(28 * 24 * time.Hour)}
	alerts, err := sla.GoogleAlerts(28 * 24 * time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var samples []sla.Sample
	for i := range 28 * 24 {
		good := 1000.0
		if i < 2 {
			good = 600
		}
		samples = append(samples, sla.Sample{At: at(-time.Duration(i) * time.Hour), Counts: sla.Counts{Good: good, Total: 1000}})
	}
	e, err := sla.Evaluate(o, alerts, samples, start, sla.EvaluateOptions{Model: "fraud", Deploy: "9f2c"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// full returns an exporter that was told something of everything.
func full(t testing.TB) *promexport.Exporter {
	t.Helper()
	e := promexport.New(promexport.Options{SLA: 72 * time.Hour, TrackSLA: map[leadtime.Track]time.Duration{leadtime.FastTrack: 4 * time.Hour}})
	e.Observe("fraud-eu", verdict(), start)
	e.ObserveLeadTime("registry", flights(), start)
	v := evaluation(t)
	e.ObserveSLO(v)
	e.ObserveGate("fraud", sla.Gate(sla.GatePolicy{}, sla.GateState{}, sla.GateRequest{}, start, v))
	return e
}

// text is the exposition of a collector, by a registry that checks everything.
func text(t testing.TB, c prometheus.Collector) string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&buf, f); err != nil {
			t.Fatal(err)
		}
	}
	return buf.String()
}

// series are the lines of an exposition that begin with a name and hold all the parts.
func series(text, name string, parts ...string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		rest, ok := strings.CutPrefix(line, name)
		if ok && (strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, " ")) &&
			!slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) }) {
			out = append(out, line)
		}
	}
	return out
}

func wantSeries(t testing.TB, text string, n int, name string, parts ...string) {
	t.Helper()
	if got := series(text, name, parts...); len(got) != n {
		t.Errorf("%s with %q has %d series, want %d: %q", name, parts, len(got), n, got[:min(len(got), 5)])
	}
}

// family is a metric that the exporter describes.
type family struct {
	labels    []string
	histogram bool
}

var (
	descName   = regexp.MustCompile(`fqName: "([^"]+)"`)
	descLabels = regexp.MustCompile(`variableLabels: \{([^}]*)\}`)
)

// families are the metrics of the exporter, by name.
func families(t testing.TB) map[string]family {
	t.Helper()
	ch := make(chan *prometheus.Desc, 1000)
	promexport.New(promexport.Options{}).Describe(ch)
	close(ch)
	out := map[string]family{}
	exposition := text(t, full(t))
	for d := range ch {
		name, labels := descName.FindStringSubmatch(d.String()), descLabels.FindStringSubmatch(d.String())
		if name == nil || labels == nil {
			t.Fatalf("cannot read %s", d)
		}
		if _, twice := out[name[1]]; twice {
			t.Errorf("%s is described twice", name[1])
		}
		out[name[1]] = family{strings.Split(labels[1], ","), strings.Contains(exposition, "# TYPE "+name[1]+" histogram\n")}
	}
	if len(out) < 30 {
		t.Fatalf("only %d metrics: %v", len(out), slices.Sorted(maps.Keys(out)))
	}
	return out
}

// promtool runs it on files that it is given, by name. Without promtool the test is
// skipped, unless RAMPGUARD_REQUIRE_PROMETHEUS is 1.
func promtool(t *testing.T, stdin string, files map[string][]byte, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("RAMPGUARD_REQUIRE_PROMETHEUS") == "1" {
			t.Fatal(err)
		}
		t.Skip("no promtool; RAMPGUARD_REQUIRE_PROMETHEUS=1 makes this a failure")
	}
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func sliced(check string, o analysis.Outcome, n int) []analysis.Finding {
	out := make([]analysis.Finding, n)
	for i := range out {
		out[i] = finding(check, "max_increase", "errors", o, stats.Interval{Point: 0.1, Lo: 0.05, Hi: 0.15, Level: 0.95}, 0.2)
		out[i].Slice = analysis.SliceKey{"shop": fmt.Sprintf("%05d", i)}
	}
	return out
}
