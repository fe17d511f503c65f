package promquery_test

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
)

// TestVictoriaMetrics: another server with the same API, whose increase() does not
// extrapolate, and whose error types are numbers. The numbers are the steps of
// testdata/history.py, 40 of them in the window. It needs Debian's package
// victoria-metrics; RAMPGUARD_REQUIRE_VICTORIAMETRICS=1 makes its lack a failure.
func TestVictoriaMetrics(t *testing.T) {
	path := binary(t, "victoria-metrics", "victoria-metrics", "RAMPGUARD_REQUIRE_VICTORIAMETRICS")
	addr := freeAddress(t)
	s := startServer(t, addr, "/health", path, "-storageDataPath="+t.TempDir(), "-httpListenAddr="+addr, "-retentionPeriod=100y")
	importHistory(t, s.addr)
	c := config("http://"+s.addr,
		promquery.Metric{Name: "errors", Kind: analysis.RatioMetric,
			Events: `sum(increase(requests_total{code=~"5..",{{.Match}}}[{{.Window}}]))`, Units: `sum(increase(requests_total{ {{.Match}} }[{{.Window}}]))`},
		promquery.Metric{Name: "latency", Kind: analysis.DistributionMetric, Histogram: `sum by (version, le) (increase(latency_seconds_bucket[{{.Window}}]))`},
		promquery.Metric{Name: "queue", Kind: analysis.GaugeMetric, Value: `max(queue_length{ {{.Match}} })`})
	e := collect(t, c)
	if len(e.Faults) != 1 || e.Faults[0].Metric != "queue" || e.Faults[0].Arm != "baseline" || !errors.Is(e.Faults[0], promquery.ErrNoData) {
		t.Errorf("faults %v", e.Faults)
	}
	if m := e.Baseline.Metric("errors"); m.Total.Float64() != 18 || m.Count.Float64() != 2018 {
		t.Errorf("%v errors of %v, want 18 of 2018", m.Total.Float64(), m.Count.Float64())
	}
	h := &e.Candidate.Metric("latency").Distribution
	var up []uint64
	for _, edge := range h.Layout().Edges() {
		n, _ := h.CountBelow(edge)
		up = append(up, n)
	}
	if d := cmp.Diff([]uint64{800, 1600, 1920}, up); d != "" || h.N() != 2000 {
		t.Errorf("latency of %d values: %s", h.N(), d)
	}
	if g := e.Candidate.Metric("queue").Gauge; g.Value != 7 {
		t.Errorf("queue %+v", g)
	}
	c.Arms.Candidate, c.Metrics = "v6", c.Metrics[:1]
	long, err := provider(t, c).Collect(t.Context(), specOf(t, c), promquery.Window{Start: begin.Add(-10 * time.Minute)}, now)
	if err != nil || len(long.Faults) != 1 || !errors.Is(long.Faults[0], promquery.ErrStale) {
		t.Errorf("an arm that ended: %v %v", err, long.Faults)
	}
	c.Metrics = []promquery.Metric{{Name: "bad", Kind: analysis.RateMetric, Events: "sum(increase({{.Arm}}[{{.Window}}])"}}
	if e := collect(t, c); len(e.Faults) != 2 || !errors.Is(e.Faults[0], promquery.ErrRefused) {
		t.Errorf("a query that does not parse: %v", e.Faults)
	}
}

// importHistory sends the fixed history, with its times in milliseconds.
func importHistory(t *testing.T, addr string) {
	t.Helper()
	f, err := os.Open("testdata/history.om")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var body bytes.Buffer
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); !strings.HasPrefix(line, "#") {
			body.WriteString(line + "000\n")
		}
	}
	resp, err := http.Post("http://"+addr+"/api/v1/import/prometheus", "text/plain", &body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("the import answered %s", resp.Status)
	}
	if resp, err = http.Get("http://" + addr + "/internal/force_flush"); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}
