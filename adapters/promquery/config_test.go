package promquery_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

const good = `server: https://prometheus.example.com/prefix
auth: {username: user, password: hunter2}
timeout: 5s
retries: -1
lag: 1m30s
arms: {label: version, baseline: v7, candidate: v8}
metrics:
  - name: errors
    kind: ratio
    events: errors{ {{.Match}} }[{{.Window}}]
    units: requests{{{.Match}}}[{{ .Window }}]
    zero_when_absent: true
  - {name: latency, kind: distribution, histogram: "h[{{.Window}}]", edges: [0.1, 0.5]}
  - {name: mean, kind: average, histogram: "h[{{.Window}}]", max: 60}
`

func TestLoadConfig(t *testing.T) {
	c, err := promquery.LoadConfig("metrics.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	sixty := 60.0
	want := promquery.Config{
		Server: "https://prometheus.example.com/prefix", Auth: promquery.Auth{Username: "user", Password: "hunter2"},
		Timeout: 5 * time.Second, Retries: -1, Lag: 90 * time.Second, Arms: promquery.Arms{Label: "version", Baseline: "v7", Candidate: "v8"},
		Metrics: []promquery.Metric{
			{Name: "errors", Kind: analysis.RatioMetric, Events: "errors{ {{.Match}} }[{{.Window}}]", Units: "requests{{{.Match}}}[{{ .Window }}]", ZeroWhenAbsent: true},
			{Name: "latency", Kind: analysis.DistributionMetric, Histogram: "h[{{.Window}}]", Edges: []float64{0.1, 0.5}},
			{Name: "mean", Kind: analysis.AverageMetric, Histogram: "h[{{.Window}}]", Max: &sixty},
		},
	}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}
	j := `{"server": "http://127.0.0.1:9090", "arms": {"label": "version", "candidate": "v8"}, "metrics": [{"name": "q", "kind": "gauge", "value": "q"}]}`
	if _, err := promquery.LoadConfig("metrics.json", []byte(j)); err != nil {
		t.Errorf("JSON: %v", err)
	}
}

// TestManual: the file in the documentation is one.
func TestManual(t *testing.T) {
	b, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var sb strings.Builder
	for line := range strings.Lines(string(b)) {
		if code, ok := strings.CutPrefix(line, "//\t"); ok && (sb.Len() > 0 || strings.HasPrefix(code, "server:")) {
			sb.WriteString(code)
		} else if sb.Len() > 0 {
			break
		}
	}
	c, err := promquery.LoadConfig("doc.go", []byte(sb.String()))
	if err != nil || len(c.Metrics) != 5 {
		t.Errorf("%v in\n%s", err, sb.String())
	}
}

// TestBadConfig changes one thing of a good file; the error says where and what,
// and never shows the password.
func TestBadConfig(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"timeout:", "timeuot:", "metrics.yaml: unmarshal errors:   line 3: field timeuot not found"},
		{"timeout: 5s", "timeout: 5", "metrics.yaml: "},
		{"timeout: 5s", "timeout: -5s", "metrics.yaml:3: timeout: -5s is negative"},
		{"timeout: 5s", "step: 1500ms", "metrics.yaml:3: step: 1.5s is not in whole seconds"},
		{"timeout: 5s", "max_age: 1500ms", "metrics.yaml:3: max_age:"},
		{"timeout: 5s", "max_bytes: -1", "metrics.yaml:3: max_bytes:"},
		{"auth: {username: user, password: hunter2}", "auth: hunter2", "metrics.yaml: "},
		{"auth: {username: user, password: hunter2}", "auth: [hunter2]", "metrics.yaml: "},
		{"password: hunter2}", "password: hunter2, token: x}", "metrics.yaml:2: auth: a token and a user name"},
		{"{username: user, ", "{", "metrics.yaml:2: auth: a password needs a username"},
		{"username: user,", "username: 'us:er',", "colon"},
		{"{username: user, password: hunter2}", "{token: a, token_file: b}", "exclude each other"},
		{"password: hunter2", "password: hunter2, password_file: b", "exclude each other"},
		{"{username: user, password: hunter2}", "{token: 'hunter2 b'}", "white space"},
		{"https://", "http://", "metrics.yaml:2: auth: credentials would travel over plain http"},
		{"https://", "https://me:hunter2@", "metrics.yaml:1: server: the address holds credentials"},
		{"https://", "ftp://", "metrics.yaml:1: server: the address is no http"},
		{"https://", "https://hunter2:%zz@", "metrics.yaml:1: server: the address is no http"},
		{"/prefix", "/?token=hunter2", "metrics.yaml:1: server: the address has a query"},
		{"label: version", "label: ver-sion", `metrics.yaml:6: arms.label: "ver-sion" is not the name`},
		{"candidate: v8", "candidate: v7", `metrics.yaml:6: arms.candidate: both arms are "v7"`},
		{"candidate: v8", "candidate: ''", "metrics.yaml:6: arms.candidate: the candidate has no value"},
		{"candidate: v8", `candidate: "` + strings.Repeat("x", 2000) + `"`, "longer than 1024"},
		{"name: latency", "name: errors", `metrics.yaml:13: metrics.1: the name "errors" is empty or taken`},
		{"kind: ratio", "kind: rate", `metrics.yaml:9: analysis: unknown kind of metric "rate"`},
		{"    kind: ratio\n", "", `metrics.yaml:8: metrics.0.kind: metric "errors": the kind is missing`},
		{"events:", "value:", "metrics.yaml:8: metrics.0: metric \"errors\": a ratio is made of the queries units, events"},
		{"kind: average", "kind: gauge", "a gauge is made of the queries value"},
		{"[{{ .Window }}]", "[5m]", `metrics.yaml:11: metrics.0.units: metric "errors": the query does not name {{.Window}}`},
		{"[{{ .Window }}]", "[{{ .Windwo }}]", "unknown place {{.Windwo}}"},
		{"[{{ .Window }}]", "[{{ Window }}]", "{{ without a name"},
		{"label: version, ", "", "{{.Match}} needs arms.label"},
		{"edges: [0.1, 0.5]", "edges: [0.5, 0.1]", "metrics.yaml:13: metrics.1.edges:"},
		{"edges: [0.1, 0.5]", "edges: [0.1, .inf]", "not finite"},
		{"edges: [0.1, 0.5]", "per_octave: 3", "not one of"},
		{"edges: [0.1, 0.5]", "edges: [0.1], per_octave: 4", "without edges"},
		{"edges: [0.1, 0.5]", "max: 4", "max is"},
		{"max: 60", "max: -60", "max is"},
		{"max: 60", "edges: [1]", "edges are for distributions"},
		{"max: 60", "zero_when_absent: true", "zero_when_absent is for"},
		{"retries: -1", "retries: -1\n---\nserver: x", "more than one document"},
	} {
		if !strings.Contains(good, tc.old) {
			t.Fatalf("%q is not in the file", tc.old)
		}
		_, err := promquery.LoadConfig("metrics.yaml", []byte(strings.Replace(good, tc.old, tc.new, 1)))
		if !errors.Is(err, stats.ErrDomain) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", tc.new, err)
		}
		if err != nil && strings.Count(err.Error(), stats.ErrDomain.Error()) > 1 {
			t.Errorf("%s: %v", tc.new, err)
		}
	}
	for _, text := range []string{"", "#", "[]", "server: [", "\xff", strings.Repeat("#", 2<<20), "a: &a [*a]"} {
		if _, err := promquery.LoadConfig("metrics.yaml", []byte(text)); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestQueryMustTellArms(t *testing.T) {
	c := config("http://127.0.0.1:1", promquery.Metric{Name: "m", Kind: analysis.GaugeMetric, Value: "queue"})
	c.Arms.Label = ""
	if _, err := promquery.New(c); err == nil || !strings.Contains(err.Error(), "does not tell the arms apart") {
		t.Errorf("got %v", err)
	}
	c.Metrics[0].Value = `queue{service="ranker-{{.Label}}"}`
	if _, err := promquery.New(c); err != nil {
		t.Error(err)
	}
}
