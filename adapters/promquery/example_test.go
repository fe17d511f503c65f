package promquery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// A rollout is judged by the counters of a server, here one of this example.
func ExampleProvider_Collect() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value := "20000"
		switch q := r.FormValue("query"); {
		case strings.Contains(q, "5..") && strings.Contains(q, "v8"):
			value = "812.5"
		case strings.Contains(q, "5.."):
			value = "25"
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%s,"%s"]}]}}`, r.FormValue("time"), value)
	}))
	defer server.Close()

	config, err := promquery.LoadConfig("metrics.yaml", []byte(`
server: `+server.URL+`
arms: {label: version, baseline: v7, candidate: v8}
metrics:
  - name: errors
    kind: ratio
    events: sum(increase(http_requests_total{code=~"5..",{{.Match}}}[{{.Window}}]))
    units: sum(increase(http_requests_total{ {{.Match}} }[{{.Window}}]))
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := promquery.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer provider.Close()
	policy, err := analysis.LoadPolicy("policy.yaml", []byte(`
version: 1
model: {name: ranker, baseline: v7, candidate: v8}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, margin: 1pp, severity: rollback}
`), checks.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, err := policy.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)
	window := promquery.Window{Start: now.Add(-20 * time.Minute)}
	evidence, err := provider.Collect(context.Background(), spec, window, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := policy.Evaluate(analysis.Look{
		Evidence: []analysis.StageEvidence{{Baseline: evidence.Baseline, Candidate: evidence.Candidate}},
		Problems: evidence.Problems(), Now: now,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(evidence.Queries[3].Text)
	fmt.Println(verdict.Headline())
	// Output:
	// sum(increase(http_requests_total{code=~"5..",version="v8"}[1170s]))
	// ROLL BACK: ranker, v7 -> v8
}

// A server that does not answer is neither zero errors nor harm.
func ExampleEvidence_Problems() {
	provider, err := promquery.New(promquery.Config{
		Server: "http://127.0.0.1:1", Retries: -1,
		Arms:    promquery.Arms{Label: "version", Candidate: "v8"},
		Metrics: []promquery.Metric{{Name: "queue", Kind: analysis.GaugeMetric, Value: "queue{ {{.Match}} }"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer provider.Close()
	spec, err := (&analysis.Spec{}).WithMetrics(analysis.MetricSpec{Name: "queue", Kind: analysis.GaugeMetric})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)
	evidence, err := provider.Collect(context.Background(), spec, promquery.Window{Start: now.Add(-time.Hour)}, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range evidence.Problems() {
		fmt.Println(p.Text)
	}
	// Output:
	// queue of the candidate: value: connection refused: server not available
}

// Hours that are added up: each once, whatever the looks.
func ExampleNewLedger() {
	ledger, err := promquery.NewLedger(time.Hour)
	if err != nil {
		fmt.Println(err)
		return
	}
	start := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, look := range []time.Duration{90 * time.Minute, 100 * time.Minute, 250 * time.Minute} {
		for _, w := range ledger.Due(start, start.Add(look)) {
			fmt.Println(w.Start.Format("15:04"), "to", w.End.Format("15:04"))
			if err := ledger.Done(w); err != nil {
				fmt.Println(err)
			}
		}
	}
	b, err := json.Marshal(ledger)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(b))
	// Output:
	// 12:00 to 13:00
	// 13:00 to 14:00
	// 14:00 to 15:00
	// 15:00 to 16:00
	// {"window_seconds":3600,"done":[{"start":"2026-01-31T12:00:00Z","end":"2026-01-31T16:00:00Z"}]}
}
