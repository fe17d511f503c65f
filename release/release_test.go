package release_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/release"
	"github.com/rampguard/rampguard/stats"
)

var at = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("../examples/release/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func load(t testing.TB, text string) *release.Manifest {
	t.Helper()
	m, err := release.Load("fraud.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

// sane is what a caller finds in a log of sound scores.
func sane() analysis.Finding {
	f := analysis.NewFinding(release.GateScores, "collapse", "spread")
	f.Outcome, f.Estimate, f.Message = analysis.Pass, stats.Interval{Point: 0.01, Lo: 0, Hi: 0.02}, "score keeps its spread."
	return f
}

// log is one that has the features of the example.
func log() []release.Column {
	return []release.Column{{"amount", analysis.Float}, {"country", analysis.String}, {"card_age_days", analysis.Int}, {"velocity_1h", analysis.Float}}
}

func check(t testing.TB, m *release.Manifest, change func(*release.Evidence)) analysis.Verdict {
	t.Helper()
	ev := release.Evidence{At: at, Baseline: load(t, read(t, "fraud-live.yaml")), Log: log(), Given: []analysis.Finding{sane()}}
	if change != nil {
		change(&ev)
	}
	v, err := release.Check(m, ev)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		if f.Message == "" || f.Code == "" || f.Metric == "" || strings.Contains(f.Message, "%!") {
			t.Errorf("finding without words: %+v", f)
		}
	}
	return v
}

// failures lists the findings that are no pass: gate/code, what it is about, and
// the outcome.
func failures(v analysis.Verdict) []string {
	var out []string
	for _, f := range v.Findings {
		if f.Outcome != analysis.Pass {
			about := f.Metric
			if f.Column != "" {
				about = f.Column
			}
			if len(f.Slice) > 0 {
				about += " " + f.Slice.String()
			}
			out = append(out, f.Check+"/"+f.Code+" "+about+" "+f.Outcome.String())
		}
	}
	return out
}

func TestExamplePasses(t *testing.T) {
	v := check(t, load(t, read(t, "fraud.yaml")), nil)
	if got := failures(v); got != nil || v.Decision != analysis.Continue || v.ExitCode() != 0 {
		t.Errorf("%v: %v", v.Decision, got)
	}
	seen := map[string]bool{}
	for _, f := range v.Findings {
		seen[f.Check] = true
	}
	for _, gate := range []string{"contract", "schema", "scores", "primary", "guardrails", "slices", "serving", "approval", "rollback"} {
		if !seen[gate] {
			t.Errorf("the gate %s says nothing", gate)
		}
	}
}

// TestEachFieldHasItsFinding breaks the example in one place at a time.
func TestEachFieldHasItsFinding(t *testing.T) {
	good := read(t, "fraud.yaml")
	const missing, failed = 75, 3
	for _, c := range []struct {
		old, with string
		want      string
		exit      int
	}{
		{`name: fraud, `, ``, "contract/field_missing model.name no_data", missing},
		{`{name: fraud, version: "2.4.0"}`, `{name: fraud}`, "contract/field_missing model.version no_data", missing},
		{"owner: fraud-team\n", "", "contract/field_missing owner no_data", missing},
		{"risk: high\n", "", "contract/field_missing risk no_data", missing},
		{"  id: s3://training/fraud/2026-01\n", "", "contract/field_missing training_data.id no_data", missing},
		{"  digest: sha256:" + digestAfter(good, "training_data:") + "\n", "", "contract/field_missing training_data.digest no_data", missing},
		{"  since: 2025-10-01\n", "", "contract/field_missing training_data.since no_data", missing},
		{"  until: 2026-01-01\n", "", "contract/field_missing training_data.until no_data", missing},
		{"  until: 2026-01-01\n", "  until: 2026-02-01\n", "contract/contract training_data.until harm", failed},
		{"  version: \"7\"\n", "", "contract/field_missing features.version no_data", missing},
		{"  task: binary\n", "", "contract/field_missing output.task no_data", missing},
		{"task: binary", "task: multiclass", "contract/field_missing output.classes no_data", missing},
		{"  image: registry.example.com/fraud:2.4.0\n", "", "contract/field_missing runtime.image no_data", missing},
		{"  digest: sha256:" + digestAfter(good, "runtime:") + "\n", "", "contract/field_missing runtime.digest no_data", missing},
		{"  report: reports/fraud-2.4.0.html\n", "", "contract/field_missing evaluation.report no_data", missing},
		{"thresholds: {version: \"2026-01\"}\n", "", "contract/field_missing thresholds.version no_data", missing},

		{"version: \"7\"", "version: \"6\"", "schema/version_reused features harm", failed},
		{"    - {name: country, type: string}\n    - {name: card", "    - {name: country, type: string}\n    - {name: device, type: string}\n    - {name: card", "schema/feature_unserved device harm", failed},
		{"{name: velocity_1h, type: float", "{name: velocity_1h, type: int", "schema/type_changed velocity_1h harm", failed},

		{"  primary: {metric: auc, at_least: 0.90}\n", "", "primary/no_bound primary no_data", missing},
		{"value: 0.934, n: 48210, interval: [0.928, 0.940]", "value: 0.884, n: 48210, interval: [0.878, 0.890]", "primary/bound auc harm", failed},
		{"value: 0.934, n: 48210, interval: [0.928, 0.940]", "value: 0.934, n: 480, interval: [0.888, 0.980]", "primary/bound auc inconclusive", missing},
		{"value: 0.934, n: 48210, interval: [0.928, 0.940]", "value: 0.899, n: 48210", "primary/bound auc harm", failed},
		{"    - {name: auc, value: 0.934, n: 48210, interval: [0.928, 0.940]}\n", "", "primary/not_measured auc no_data", missing},
		{"value: 0.934, n: 48210", "value: 0.934", "primary/not_measured auc no_data", missing},
		{"  guardrails:\n    - {metric: calibration_error, at_most: 0.02}\n", "", "guardrails/no_bound guardrails no_data", missing},
		{"value: 0.011, n: 48210, interval: [0.008, 0.015]", "value: 0.031, n: 48210, interval: [0.028, 0.035]", "guardrails/bound calibration_error harm", failed},
		{"    - {name: calibration_error, value: 0.011, n: 48210, interval: [0.008, 0.015]}\n", "", "guardrails/not_measured calibration_error no_data", missing},
		{"    - {name: auc, slice: country=FR, value: 0.926, n: 7804, interval: [0.909, 0.943]}\n", "", "slices/not_measured auc country=FR no_data", missing},
		{"value: 0.926, n: 7804, interval: [0.909, 0.943]", "value: 0.81, n: 7804, interval: [0.79, 0.83]", "slices/bound auc country=FR harm", failed},
		{"  slices:\n    - {slice: country=DE, metric: auc, at_least: 0.88}\n    - {slice: country=FR, metric: auc, at_least: 0.88}\n", "", "slices/no_bound slices no_data", missing},

		{"limits: {p99_ms: 50, ", "limits: {", "serving/no_limit latency_p99 no_data", missing},
		{"measured: {p99_ms: 38.5, ", "measured: {", "serving/not_measured latency_p99 no_data", missing},
		{"measured: {p99_ms: 38.5", "measured: {p99_ms: 50.5", "serving/limit latency_p99 harm", failed},
		{"memory_mib: 1430", "memory_mib: 2049", "serving/limit memory harm", failed},
		{", qps: 620", "", "serving/not_measured throughput no_data", missing},
		{"qps: 620", "qps: 399", "serving/limit throughput harm", failed},

		{"who: ann", "who: Fraud-Team", "approval/no_approval approvals harm", failed},
		{"at: 2026-01-28T10:00:00Z", "at: 2026-02-01T10:00:00Z", "approval/no_approval approvals harm", failed},
		{"expires: 2026-02-28", "expires: 2026-01-31T12:00:00Z", "approval/no_approval approvals harm", failed},
		{"approvals:\n  - {who: ann, at: 2026-01-28T10:00:00Z, expires: 2026-02-28, why: read the report and the slices}\n", "", "approval/no_approval approvals harm", failed},

		{"  version: \"2.3.1\"\n", "", "rollback/no_target target no_data", missing},
		{"  version: \"2.3.1\"\n", "  version: \"2.4.0\"\n", "rollback/same_version target harm", failed},
		{"  known_good_since: 2025-11-20T09:00:00Z\n", "", "rollback/not_known_good target no_data", missing},
		{"known_good_since: 2025-11-20T09:00:00Z", "known_good_since: 2026-02-20", "rollback/not_known_good target harm", failed},
		{"    - {name: card_age_days, type: int, nullable: true, min: 0}\n    - {name: vel", "    - {name: vel", "rollback/feature_dropped card_age_days harm", failed},
		{"      - {name: amount, type: float, min: 0, max: 1e6}", "      - {name: amount, type: float, min: 0, max: 1e5}", "rollback/feature_changed amount harm", failed},
	} {
		if strings.Count(good, c.old) != 1 {
			t.Fatalf("%q is in the example %d times", c.old, strings.Count(good, c.old))
		}
		v := check(t, load(t, strings.Replace(good, c.old, c.with, 1)), nil)
		if d := cmp.Diff([]string{c.want}, failures(v)); d != "" {
			t.Errorf("%q for %q (-want +got):\n%s", c.with, c.old, d)
		}
		if got := v.ExitCode(); got != c.exit {
			t.Errorf("%s: exit status %d, want %d", c.want, got, c.exit)
		}
	}
}

// digestAfter is the first digest behind a key of the example.
func digestAfter(text, key string) string {
	_, rest, _ := strings.Cut(text, key)
	_, rest, _ = strings.Cut(rest, "sha256:")
	return rest[:64]
}

func TestEvidence(t *testing.T) {
	m := load(t, read(t, "fraud.yaml"))
	for _, c := range []struct {
		name   string
		change func(*release.Evidence)
		want   []string
		exit   int
	}{
		{"no baseline", func(e *release.Evidence) { e.Baseline = nil }, nil, 0},
		{"no log", func(e *release.Evidence) { e.Log = nil }, []string{"schema/feature_unproven velocity_1h no_data"}, 75},
		{"neither", func(e *release.Evidence) { e.Log, e.Baseline = nil, nil }, []string{"schema/no_reference features no_data"}, 75},
		{"an empty log", func(e *release.Evidence) { e.Log = []release.Column{} }, []string{"schema/no_reference features no_data"}, 75},
		{"no scores", func(e *release.Evidence) { e.Given = nil }, []string{"scores/no_log scores no_data"}, 75},
		{"collapsed scores", func(e *release.Evidence) {
			e.Given[0].Outcome, e.Given[0].Code = analysis.Harm, "collapse_constant"
			e.Given[0].Severity = analysis.SeverityRollback // there is nothing to roll back
		}, []string{"scores/collapse_constant spread harm"}, 3},
		{"nulls that are refused", func(e *release.Evidence) { e.Baseline.Features.List[0].Nullable = true }, []string{"schema/null_refused amount harm"}, 3},
		{"a wider range", func(e *release.Evidence) { e.Baseline.Features.List[0].Max = nil }, []string{"schema/range_narrowed amount harm"}, 3},
		{"other type", func(e *release.Evidence) { e.Log[0].Type = analysis.String }, []string{"schema/type_changed amount harm"}, 3},
		{"whole numbers are numbers", func(e *release.Evidence) { e.Log[0].Type = analysis.Int }, nil, 0},
		{"half a number is not whole", func(e *release.Evidence) { e.Log[2].Type = analysis.Float }, []string{"schema/type_changed card_age_days harm"}, 3},
		{"a column that is not there", func(e *release.Evidence) { e.Log[1].Type = analysis.Absent }, []string{"schema/feature_unserved country harm"}, 3},
	} {
		v := check(t, m, c.change)
		if d := cmp.Diff(c.want, failures(v)); d != "" || v.ExitCode() != c.exit {
			t.Errorf("%s: exit status %d, want %d (-want +got):\n%s", c.name, v.ExitCode(), c.exit, d)
		}
	}
}

// TestStaleFeature: a model that wants values of the last hour is not served by a
// feature of the last day.
func TestStaleFeature(t *testing.T) {
	m := load(t, read(t, "fraud.yaml"))
	v := check(t, m, func(e *release.Evidence) {
		e.Baseline.Features.List = append(e.Baseline.Features.List, m.Features.List[3])
		e.Baseline.Features.List[3].MaxAge = 24 * time.Hour
	})
	if d := cmp.Diff([]string{"schema/staler_refused velocity_1h harm"}, failures(v)); d != "" {
		t.Error(d)
	}
}

// TestTargetFromBaseline: the features of the version to go back to may stand in its
// own manifest.
func TestTargetFromBaseline(t *testing.T) {
	head, rest, _ := strings.Cut(read(t, "fraud.yaml"), "  features:\n    version: \"6\"")
	_, tail, _ := strings.Cut(rest, "thresholds:")
	m := load(t, head+"thresholds:"+tail)
	if got := failures(check(t, m, nil)); got != nil {
		t.Errorf("with the manifest of the target: %v", got)
	}
	got := failures(check(t, m, func(e *release.Evidence) { e.Baseline.Version = "2.3.0" }))
	if d := cmp.Diff([]string{"rollback/no_features target no_data"}, got); d != "" {
		t.Error(d)
	}
}

func TestNeededRows(t *testing.T) {
	text := strings.Replace(read(t, "fraud.yaml"), "value: 0.934, n: 48210, interval: [0.928, 0.940]", "value: 0.92, n: 100, interval: [0.88, 0.96]", 1)
	for _, f := range check(t, load(t, text), nil).Findings {
		// The half-width 0.04 has to shrink to 0.02: four times the rows.
		if f.Check == release.GatePrimary && f.UnitsNeeded != 300 {
			t.Errorf("%d more rows, want 300", f.UnitsNeeded)
		}
	}
}

func TestWarnsWithoutInterval(t *testing.T) {
	text := strings.Replace(read(t, "fraud.yaml"), ", interval: [0.928, 0.940]", "", 1)
	v := check(t, load(t, text), nil)
	for _, f := range v.Findings {
		if f.Check == release.GatePrimary && (f.Outcome != analysis.Inconclusive || len(f.Warnings) != 1 || f.Warnings[0].Code != release.WarnNoInterval) {
			t.Errorf("%v with %v", f.Outcome, f.Warnings)
		}
	}
}

func TestLowRiskNeedsNoApproval(t *testing.T) {
	head, _, _ := strings.Cut(strings.Replace(read(t, "fraud.yaml"), "risk: high", "risk: low", 1), "approvals:")
	if got := failures(check(t, load(t, head), nil)); got != nil {
		t.Error(got)
	}
}

func TestMisuse(t *testing.T) {
	m := load(t, read(t, "fraud.yaml"))
	foreign := sane()
	foreign.Check = "primary"
	for name, f := range map[string]func() (analysis.Verdict, error){
		"no manifest": func() (analysis.Verdict, error) { return release.Check(nil, release.Evidence{At: at}) },
		"no time":     func() (analysis.Verdict, error) { return release.Check(m, release.Evidence{}) },
		"a finding that takes a gate's place": func() (analysis.Verdict, error) {
			return release.Check(m, release.Evidence{At: at, Given: []analysis.Finding{foreign}})
		},
	} {
		if v, err := f(); !errors.Is(err, stats.ErrMismatch) || v.Decision == analysis.Continue {
			t.Errorf("%s: %v, %v", name, v.Decision, err)
		}
	}
}

// TestEmptyManifestPassesNothing: no gate passes that has nothing to go by.
func TestEmptyManifestPassesNothing(t *testing.T) {
	v, err := release.Check(load(t, "version: 1"), release.Evidence{At: at, Log: log()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		if f.Outcome == analysis.Pass {
			t.Errorf("%s passes: %s", f.Check, f.Message)
		}
	}
	if v.Decision == analysis.Continue {
		t.Error("the release goes on")
	}
}
