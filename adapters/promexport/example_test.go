package promexport_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rampguard/rampguard/adapters/promexport"
	"github.com/rampguard/rampguard/analysis"
)

// An exporter behind the usual handler.
func ExampleNew() {
	exp := promexport.New(promexport.Options{MaxAge: 2 * time.Hour})
	reg := prometheus.NewRegistry()
	reg.MustRegister(exp)

	v := analysis.Verdict{Decision: analysis.Continue, Model: analysis.Model{Name: "fraud", Candidate: "v2"}, State: analysis.State{Looks: 12, Attempt: 1}}
	exp.Observe("fraud-eu", &v, time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))

	answer := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, "rampguard_verdict{") || strings.HasPrefix(line, "rampguard_looks_total{") {
			fmt.Print(line)
		}
	}
	// Output:
	// rampguard_looks_total{model="fraud",rollout="fraud-eu"} 12
	// rampguard_verdict{decision="continue",model="fraud",rollout="fraud-eu"} 1
	// rampguard_verdict{decision="pause",model="fraud",rollout="fraud-eu"} 0
	// rampguard_verdict{decision="rollback",model="fraud",rollout="fraud-eu"} 0
}

// Compliance with an SLA is exact when the SLA is an edge.
func ExampleLeadTimeBuckets() {
	for _, s := range promexport.LeadTimeBuckets() {
		fmt.Print(time.Duration(s*float64(time.Second)).Hours(), "h ")
	}
	// Output: 1h 4h 12h 24h 48h 72h 120h 168h 240h 336h 720h
}

func ExampleStageBuckets() {
	fmt.Println(promexport.StageBuckets()[:5])
	// Output: [60 300 900 1800 3600]
}

// The files are part of the program, so that it can write them out or serve them.
func ExampleRules() {
	fmt.Println(bytes.Count(promexport.Rules(), []byte("- alert:")), "alerts,",
		bytes.Count(promexport.RulesTest(), []byte("- name:")), "tests")
	fmt.Println(bytes.Contains(promexport.Dashboard(), []byte(`"schemaVersion": 38`)))
	// Output:
	// 13 alerts, 13 tests
	// true
}
