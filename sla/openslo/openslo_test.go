package openslo_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones on every machine

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/sla/openslo"
	"github.com/rampguard/rampguard/stats"
	"go.yaml.in/yaml/v3"
)

const day = 24 * time.Hour

var sameZone = cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })

func read(t testing.TB, text string) openslo.File {
	t.Helper()
	f, err := openslo.Read("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func full(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadEverything(t *testing.T) {
	f, err := openslo.Read("full.yaml", full(t))
	if err != nil {
		t.Fatal(err)
	}
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	common := sla.Objective{
		Target: 0.95, Method: sla.Timeslices, Slice: 5 * time.Minute, SliceTarget: 0.99,
		Window:  sla.Window{Unit: sla.Month, Every: 1, Anchor: time.Date(2024, 1, 31, 12, 30, 0, 0, ny), Zone: ny},
		Missing: sla.MissingNoData, MaxMissing: 0.1, MinEvents: 100, MinBad: 3, TailAlpha: 0.01,
		Maturity: 2 * day, AtRisk: 0.2, Interval: sla.Jeffreys, Level: 0.9,
		Exclude: []sla.Exclusion{{
			From:   time.Date(2025, 3, 1, 2, 0, 0, 0, time.UTC),
			To:     time.Date(2025, 3, 1, 4, 0, 0, 0, time.UTC),
			Reason: "database move",
		}},
	}
	most, nearly := common, common
	most.Name, nearly.Name = "answered/most", "answered/nearly all"
	nearly.Target, nearly.SliceTarget = 0.975, 0.9
	alerts := []sla.Alert{
		{Name: "fast-burn", Severity: sla.Page, Long: time.Hour, Short: time.Hour, Hold: 5 * time.Minute, Factor: 10},
		{Name: "slow-burn", Severity: sla.Ticket, Long: 6 * time.Hour, Short: 6 * time.Hour, Factor: 2},
		{Name: "own", Severity: sla.Ticket, Long: day, Short: 2 * time.Hour, Factor: 1.5},
		{Name: "share", Severity: sla.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: 0.02 * 31 * 24},
	}
	want := []openslo.SLO{
		{
			Name: "answered", DisplayName: "Answered in time", Description: "answers within 100 ms", Service: "fraud-detector", Model: "fraud", Line: 33,
			Objectives: []openslo.Objective{
				{Objective: most, DisplayName: "most", Alerts: alerts, Weight: 1, Line: 57},
				{Objective: nearly, DisplayName: "nearly all", Alerts: alerts, Weight: 2, Line: 61},
			},
			Gate: sla.GatePolicy{HaltOn: []sla.Severity{sla.Page, sla.Ticket}, MinRemaining: 0.1, OnNoData: sla.NoDataWarns, Cooldown: 30 * time.Minute, ResumeBurn: 0.5, MaxAge: 10 * time.Minute},
		},
		{
			Name: "precision", Service: "fraud-detector", Clamp: true, Line: 101,
			Objectives: []openslo.Objective{{
				Objective: sla.Objective{Name: "precision", Target: 0.9, Window: sla.Rolling(90 * day), Method: sla.RatioTimeslices, Slice: day},
				Alerts:    []sla.Alert{{Name: "weekly", Severity: sla.Page, Long: 7 * day, Short: day, Factor: 14.4}},
				Weight:    1, Line: 110,
			}},
		},
	}
	if d := cmp.Diff(want, f.SLOs, sameZone); d != "" {
		t.Error(d)
	}
	var notes []string
	for _, n := range f.Warnings {
		notes = append(notes, n.String())
	}
	wantNotes := []string{
		"full.yaml:2:1: kind: Service is not read",
		"full.yaml:15:9: AlertCondition fast-burn.spec.condition.op: lte would fire while little burns; read as gt",
		"full.yaml:25:20: AlertPolicy on-call.spec.alertWhenNoData: is not applied; results say no_data and absent, and the gate has onNoData",
		"full.yaml:51:17: spec.timeWindow[0].duration: 1m means minutes, which no calendar has; read as 1M, months",
		"full.yaml:65:24: spec.objectives[1].compositeWeight: is kept, and not applied",
		"full.yaml:76:47: spec.alertPolicies[1].spec.conditions[0].spec.condition.op: gte is read as gt: at the threshold itself the alert is quiet",
		"full.yaml:107:27: spec.timeWindow[0].duration: 1Q is taken as 90 days",
		"full.yaml:110:12: spec.objectives[0].op: is not applied; samples have to say how many values were good",
		"full.yaml:110:24: spec.objectives[0].value: is not applied; samples have to say how many values were good",
	}
	if d := cmp.Diff(wantNotes, notes); d != "" {
		t.Error(d)
	}
	for _, s := range f.SLOs {
		for _, o := range s.Objectives {
			if _, err := sla.Evaluate(o.Objective, o.Alerts, nil, time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC), sla.EvaluateOptions{Clamp: s.Clamp}); err != nil {
				t.Error(err)
			}
		}
	}
}

// The same file as JSON is the same.
func TestReadJSON(t *testing.T) {
	docs := strings.Split(string(full(t)), "\n---\n")
	var v any
	if err := yaml.Unmarshal([]byte(docs[len(docs)-1]), &v); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	want, got := read(t, docs[len(docs)-1]), read(t, string(text))
	ignoreLines := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Line" }, cmp.Ignore())
	if d := cmp.Diff(want.SLOs, got.SLOs, ignoreLines); d != "" {
		t.Error(d)
	}
	faulty := strings.Replace(string(text), `"isRolling": true`, `"isRolling": "yes\/no \ud83d\ude00"`, 1)
	_, err = openslo.Read("f.json", []byte(faulty))
	line := 1 + strings.Count(faulty[:strings.Index(faulty, "isRolling")], "\n")
	var e *openslo.Error
	if !errors.As(err, &e) || len(e.Faults) != 2 || e.Faults[1].Line != line || e.Faults[1].Column != 18 {
		t.Errorf("%v, want line %d", err, line)
	}
}

const minimal = `apiVersion: openslo/v1
kind: SLO
metadata: {name: m}
spec:
  indicatorRef: i
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
`

func TestReadFaults(t *testing.T) {
	read(t, minimal)
	change := func(old, new string) string {
		if !strings.Contains(minimal, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(minimal, old, new, 1)
	}
	condition := func(spec string) string {
		return minimal + "  alertPolicies: [{kind: AlertPolicy, metadata: {name: p}, spec: {conditions: [{kind: AlertCondition, metadata: {name: c}, spec: " + spec + "}]}}]\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "1:1: the file has no object of kind SLO"},
		{"a list", "- 1", "1:1: a document is a mapping"},
		{"no YAML", "a: [", "not YAML or JSON"},
		{"null", "null", "no object of kind SLO"},
		{"JSON scalar", "3", "a document is a mapping"},
		{"anchor", change("{name: m}", "&x {name: m}"), "3:11: anchors and aliases"},
		{"tag", change("{name: m}", "{name: !!str m}"), "tags are not read"},
		{"merge", change("{name: m}", "{<<: {name: m}}"), "merge keys"},
		{"version", change("openslo/v1", "openslo/v1alpha"), `1:13: apiVersion: "openslo/v1alpha" is not openslo/v1`},
		{"kind", change("kind: SLO", "kind: Slo"), `kind: "Slo" is not a kind`},
		{"no name", change("{name: m}", "{}"), "3:11: metadata.name: is required"},
		{"null name", change("{name: m}", "{name: null}"), "metadata.name: is required"},
		{"unknown key", change("  indicatorRef", "  indicatorref"), `5:3: spec: unknown key "indicatorref"; known are alertPolicies`},
		{"key twice", change("  indicatorRef: i", "  indicatorRef: i\n  indicatorRef: j"), "6:3: spec.indicatorRef: the key is given twice"},
		{"spec is a list", "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: m}\nspec: []\n", "spec: expected a mapping"},
		{"two windows", change("[{duration: 28d, isRolling: true}]", "[{duration: 28d, isRolling: true}, {duration: 1d, isRolling: true}]"), "exactly one window"},
		{"no duration", change("duration: 28d, ", ""), "timeWindow[0].duration: is required"},
		{"neither window", change(", isRolling: true", ""), "neither isRolling: true nor calendar"},
		{"both windows", change("isRolling: true", "isRolling: true, calendar: {startTime: 2024-01-01 00:00:00, timeZone: UTC}"), "both rolling and a calendar"},
		{"a century", change("28d", "100Y"), "above ten years"},
		{"boolean", change("true", "yes"), `expected true or false, not "yes"`},
		{"calendar hours", change("28d, isRolling: true", "5h, calendar: {startTime: 2024-01-01 00:00:00, timeZone: UTC}"), "a calendar window has days"},
		{"zone", change("28d, isRolling: true", "1d, calendar: {startTime: 2024-01-01 00:00:00, timeZone: Mars/Base}"), `"Mars/Base" is not a zone`},
		{"local zone", change("28d, isRolling: true", "1d, calendar: {startTime: 2024-01-01 00:00:00, timeZone: Local}"), `"Local" is not a zone`},
		{"start with zone", change("28d, isRolling: true", "1d, calendar: {startTime: 2024-01-01T00:00:00Z, timeZone: UTC}"), "is not of the form 2020-01-21 12:30:00"},
		{"method", change("Occurrences", "Sums"), "is not one of Occurrences"},
		{"no target", change("target: 0.9", "displayName: x"), "8:16: spec.objectives[0]: exactly one of target and targetPercent"},
		{"both targets", change("target: 0.9", "target: 0.9, targetPercent: 90"), "exactly one of target"},
		{"percent", change("target: 0.9", "target: 90"), "90 is not above 0 and at most 1"},
		{"text target", change("target: 0.9", "target: high"), `expected a number, not "high"`},
		{"quoted target", change("target: 0.9", `target: "0.9"`), "expected a number"},
		{"NaN target", change("target: 0.9", "target: .nan"), "expected a number"},
		{"no objectives", change("[{target: 0.9}]", "[]"), "at least one objective"},
		{"slices missing", change("Occurrences", "Timeslices"), "slice of 0s is not above 0"},
		{"slices unused", change("target: 0.9", "target: 0.9, timeSliceWindow: 5m"), "which has no slices"},
		{"two of a name", minimal + "---\n" + minimal, `an SLO named "m" is on line 1 already`},
		{"two objectives of a name", change("[{target: 0.9}]", "[{target: 0.9, displayName: x}, {target: 0.8, displayName: x}]"), `a second objective named "m/x"`},
		{"policy reference", minimal + "  alertPolicies: [{alertPolicyRef: gone}]\n", `9:36: spec.alertPolicies[0].alertPolicyRef: the file has no AlertPolicy named "gone"`},
		{"never fires", condition("{severity: page, condition: {op: gt, threshold: 14.4, lookbackWindow: 1h}}"), `alert "c" can never fire: factor 14.4`},
		{"operator", condition("{severity: page, condition: {op: above, threshold: 2, lookbackWindow: 1h}}"), "is not one of gt"},
		{"no threshold", condition("{severity: page, condition: {op: gt, lookbackWindow: 1h}}"), "threshold: is required"},
		{"condition kind", condition("{severity: page, condition: {kind: level, op: gt, threshold: 2, lookbackWindow: 1h}}"), "is not burnrate"},
		{"longer than the window", condition("{severity: page, condition: {op: gt, threshold: 2, lookbackWindow: 9w}}"), "longer than that of the objective"},
		{"negative threshold", condition("{severity: page, condition: {op: gt, threshold: -2, lookbackWindow: 1h}}"), "factor -2"},
		{"extension key", minimal + "  x-rampguard: {alert: google}\n", `unknown key "alert"`},
		{"alert set", minimal + "  x-rampguard: {alerts: amazon}\n", `"amazon" is not google, pyrra or a list`},
		{"budget and factor", minimal + "  x-rampguard: {alerts: [{name: a, severity: page, long: 1h, budget: 0.1, factor: 2}]}\n", "exactly one of budget and factor"},
		{"budget above one", minimal + "  x-rampguard: {alerts: [{name: a, severity: page, long: 1h, budget: 2}]}\n", "of budget 2"},
		{"alert severity", minimal + "  x-rampguard: {alerts: [{name: a, severity: loud, long: 1h, factor: 2}]}\n", `severity "loud" is not one of page, ticket`},
		{"two alerts of a name", minimal + "  x-rampguard: {alerts: [{name: a, severity: page, long: 1h, factor: 2}, {name: a, severity: page, long: 2h, factor: 2}]}\n", `a second alert named "a"`},
		{"missing policy", change("Occurrences", "Timeslices") + "  x-rampguard: {missing: maybe}\n", `"maybe" is not one of ignore, bad, good, no_data`},
		{"exclusion without zone", minimal + "  x-rampguard: {exclude: [{from: 2025-03-01T02:00:00, to: 2025-03-01T03:00:00Z, reason: x}]}\n", "is not a time with zone"},
		{"exclusion backwards", minimal + "  x-rampguard: {exclude: [{from: 2025-03-01T03:00:00Z, to: 2025-03-01T03:00:00Z, reason: x}]}\n", "does not end after it starts"},
		{"exclusion without reason", minimal + "  x-rampguard: {exclude: [{from: 2025-03-01T02:00:00Z, to: 2025-03-01T03:00:00Z}]}\n", "reason: is required"},
		{"gate", minimal + "  x-rampguard: {gate: {minRemaining: 2}}\n", "MinRemaining 2 is not in [0,1)"},
		{"google on a short window", change("28d", "7d") + "  x-rampguard: {alerts: google, clampUnreachable: true}\n", "0.233 times the even pace"},
		{"too long", strings.Repeat("#", 1<<20+1), "1048576 are the most"},
		{"too deep", minimal + "  description: " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "\n", "nested more than 64 deep"},
	} {
		_, err := openslo.Read("f.yaml", []byte(c.text))
		var e *openslo.Error
		if !errors.As(err, &e) || !errors.Is(err, stats.ErrDomain) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestReadWarnings(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no budget", strings.Replace(minimal, "0.9", "1.0", 1), "leaves no budget"},
		{"months", strings.Replace(minimal, "28d", "3M", 1), "3M is taken as 90 days"},
		{"no indicator", strings.Replace(minimal, "  indicatorRef: i\n", "", 1), "neither indicator nor indicatorRef"},
		{"threshold metric", strings.Replace(minimal, "indicatorRef: i", "indicator: {metadata: {name: i}, spec: {thresholdMetric: {}}}", 1), "a threshold metric is not evaluated"},
		{"severity", minimal + "  alertPolicies: [{kind: AlertPolicy, metadata: {name: p}, spec: {conditions: [{kind: AlertCondition, metadata: {name: c}, spec: {severity: loud, condition: {op: gt, threshold: 2, lookbackWindow: 1h}}}]}}]\n", `"loud" is not a known severity`},
		{"not when breaching", minimal + "  alertPolicies: [{kind: AlertPolicy, metadata: {name: p}, spec: {alertWhenBreaching: false, conditions: []}}]\n", "its conditions are left out"},
		{"alerts of a calendar", strings.Replace(minimal, "isRolling: true", "calendar: {startTime: 2024-01-01 00:00:00, timeZone: UTC}", 1) + "  x-rampguard: {alerts: pyrra, clampUnreachable: true}\n", "calendar periods differ in length"},
	} {
		f := read(t, c.text)
		if len(f.Warnings) != 1 || !strings.Contains(f.Warnings[0].String(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, f.Warnings, c.want)
		}
	}
}

// A percentage is read as the decimal it shows, whole and not almost.
func TestTargetPercentIsDecimal(t *testing.T) {
	for text, want := range map[string]float64{"99.9": 0.999, "99.99": 0.9999, "97.5": 0.975, "90": 0.9, "0.1": 0.001, "100": 1} {
		f := read(t, strings.Replace(minimal, "target: 0.9", "targetPercent: "+text, 1))
		if got := f.SLOs[0].Objectives[0].Target; got != want {
			t.Errorf("%s%%: %v, want %v", text, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(full(f))
	f.Add([]byte(minimal))
	f.Add([]byte(`{"apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": "m"}, "spec": {"objectives": [{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := openslo.Read("f", data)
		if err != nil {
			return
		}
		for _, s := range file.SLOs {
			for _, o := range s.Objectives {
				at := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
				if _, err := sla.Evaluate(o.Objective, o.Alerts, nil, at, sla.EvaluateOptions{Clamp: s.Clamp}); err != nil {
					t.Errorf("what Read accepts Evaluate refuses: %v", err)
				}
			}
		}
	})
}
