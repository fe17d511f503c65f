package promquery_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
)

// binary finds a program of one of Debian's packages. Without it the test is
// skipped, unless the variable is 1.
func binary(t *testing.T, name, pkg, variable string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv(variable) == "1":
		t.Fatalf("%s is not installed, and %s=1: apt-get install %s", name, variable, pkg)
	default:
		t.Skipf("%s is not installed; with it this test runs against the real server: apt-get install %s", name, pkg)
	}
	return ""
}

func prometheusBinary(t *testing.T, name string) string {
	t.Helper()
	return binary(t, name, "prometheus", "RAMPGUARD_REQUIRE_PROMETHEUS")
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// server is a program that the test started.
type server struct {
	cmd  *exec.Cmd
	addr string
	path string // answers 200 when the server is ready
	args []string
	log  *os.File
}

func startPrometheus(t *testing.T, config, data string) *server {
	t.Helper()
	addr := freeAddress(t)
	return startServer(t, addr, "/-/ready", prometheusBinary(t, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+data,
		"--storage.tsdb.retention.time=100y", "--web.listen-address="+addr, "--enable-feature=native-histograms", "--log.level=warn")
}

func startServer(t *testing.T, addr, ready string, args ...string) *server {
	t.Helper()
	s := &server{addr: addr, path: ready, args: args}
	var err error
	if s.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	t.Cleanup(func() {
		s.stop()
		_ = s.log.Close()
		if b, err := os.ReadFile(s.log.Name()); err == nil && t.Failed() {
			t.Logf("%s", b)
		}
	})
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 150 {
		if resp, err := http.Get("http://" + s.addr + s.path); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s is not ready after 15 s", s.args[0])
}

// stop kills the server, as a crash would.
func (s *server) stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

type goldenMetric struct {
	Total, Count, Squares *float64
	Edges                 []float64
	Cells                 []uint64
}

// TestGoldenHistory: a fixed history in the real server gives the numbers that
// testdata/history.py has computed from the rule of increase.
func TestGoldenHistory(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command(prometheusBinary(t, "promtool"), "tsdb", "create-blocks-from", "openmetrics", "testdata/history.om", dir).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	s := startPrometheus(t, os.DevNull, dir)
	b, err := os.ReadFile("testdata/history.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]map[string]goldenMetric
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	ten := 10.0
	c := config("http://"+s.addr,
		promquery.Metric{Name: "errors", Kind: analysis.RatioMetric,
			Events: `sum(increase(requests_total{code=~"5..",{{.Match}}}[{{.Window}}]))`, Units: `sum(increase(requests_total{ {{.Match}} }[{{.Window}}]))`},
		promquery.Metric{Name: "failures", Kind: analysis.RateMetric, Events: `sum by (version) (increase(requests_total{code=~"5.."}[{{.Window}}]))`},
		promquery.Metric{Name: "mean", Kind: analysis.AverageMetric, Max: &ten,
			Count: `sum by (version) (increase(latency_seconds_count[{{.Window}}]))`, Sum: `sum by (version) (increase(latency_seconds_sum[{{.Window}}]))`,
			Histogram: `sum by (version, le) (increase(latency_seconds_bucket[{{.Window}}]))`},
		promquery.Metric{Name: "latency", Kind: analysis.DistributionMetric, Histogram: `sum by (le) (increase(latency_seconds_bucket{ {{.Match}} }[{{.Window}}]))`},
		promquery.Metric{Name: "queue", Kind: analysis.GaugeMetric, Value: `max by (version) (queue_length)`})
	e := collect(t, c)
	if len(e.Faults) != 1 || e.Faults[0].Metric != "queue" || e.Faults[0].Arm != "baseline" || !errors.Is(e.Faults[0], promquery.ErrNoData) {
		t.Errorf("faults %v", e.Faults)
	}
	for arm, snapshot := range map[string]*analysis.Snapshot{"baseline": e.Baseline, "candidate": e.Candidate} {
		for name, w := range want[arm] {
			m := snapshot.Metric(name)
			if name == "queue" {
				if m.Gauge.Value != *w.Total || m.Gauge.At != begin.Add(10*time.Minute).UnixMicro() || m.Window.N != 10 {
					t.Errorf("%s: %s is %+v", arm, name, m)
				}
				continue
			}
			for what, pair := range map[string]struct {
				got  float64
				want *float64
			}{"total": {m.Total.Float64(), w.Total}, "count": {m.Count.Float64(), w.Count}, "squares": {m.Squares.Float64(), w.Squares}} {
				if pair.want != nil && !(math.Abs(pair.got-*pair.want) <= 1e-12*(*pair.want)) {
					t.Errorf("%s: %s of %s is %v, want %v", arm, what, name, pair.got, *pair.want)
				}
			}
			if w.Edges == nil {
				continue
			}
			var cells []uint64
			below := uint64(0)
			for _, edge := range w.Edges {
				n, _ := m.Distribution.CountBelow(edge)
				cells = append(cells, n-below)
				below = n
			}
			cells = append(cells, m.Distribution.N()-below)
			if d := cmp.Diff(w.Edges, m.Distribution.Layout().Edges()) + cmp.Diff(w.Cells, cells); d != "" {
				t.Errorf("%s: %s: %s", arm, name, d)
			}
		}
	}

	// v6 ended before the window, so that it has nothing; over a longer window it
	// has numbers, and they are stale.
	c.Arms.Candidate, c.Metrics = "v6", c.Metrics[:1]
	c.Metrics[0].ZeroWhenAbsent = true
	if e := collect(t, c); len(e.Faults) != 1 || !errors.Is(e.Faults[0], promquery.ErrNoData) {
		t.Errorf("an arm that ended: %v", e.Faults)
	}
	long, err := provider(t, c).Collect(t.Context(), specOf(t, c), promquery.Window{Start: begin.Add(-10 * time.Minute)}, now)
	if err != nil || len(long.Faults) != 1 || !errors.Is(long.Faults[0], promquery.ErrStale) {
		t.Errorf("an arm that ended, in a longer window: %v %v", err, long.Faults)
	}
	// What the real server refuses.
	c.Metrics = []promquery.Metric{{Name: "bad", Kind: analysis.RateMetric, Events: "sum(increase({{.Arm}}[{{.Window}}])"},
		{Name: "many", Kind: analysis.RateMetric, Events: `increase(requests_total{version=~"{{.Label}}|v8"}[{{.Window}}])`},
		{Name: "text", Kind: analysis.RateMetric, Events: `"{{.Arm}} {{.Window}}"`},
		{Name: "range", Kind: analysis.RateMetric, Events: `requests_total{ {{.Match}} }[{{.Window}}]`}}
	e = collect(t, c)
	for i, w := range []error{promquery.ErrRefused, promquery.ErrSeveral, promquery.ErrResult, promquery.ErrResult} {
		if len(e.Faults) != 8 || !errors.Is(e.Faults[2*i+1], w) {
			t.Errorf("%v, want %v", e.Faults, w)
			break
		}
	}
}

// service is a program with two arms and all kinds of metrics.
type service struct {
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec // classic
	native   *prometheus.HistogramVec
	queue    *prometheus.GaugeVec
	n        int
}

func newService(reg *prometheus.Registry) *service {
	arm := []string{"version"}
	s := &service{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"}, []string{"version", "code"}),
		latency:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "latency_seconds", Buckets: []float64{0.05, 0.1, 0.2, 0.4, 0.8}}, arm),
		native:   prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "native_seconds", NativeHistogramBucketFactor: 1.1}, arm),
		queue:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "queue_length"}, arm),
	}
	reg.MustRegister(s.requests, s.latency, s.native, s.queue)
	for _, v := range []string{"v7", "v8"} {
		for _, code := range []string{"200", "500"} {
			s.requests.WithLabelValues(v, code)
		}
		s.latency.WithLabelValues(v)
		s.native.WithLabelValues(v)
		s.queue.WithLabelValues(v).Set(3)
	}
	return s
}

// serve plays n requests of each arm; every bad-th of the candidate fails, and
// every 100th of the baseline.
func (s *service) serve(n, bad int) {
	for range n {
		s.n++
		took := 0.04 + 0.2*float64(s.n*7919%1000)/1000
		for v, every := range map[string]int{"v7": 100, "v8": bad} {
			code := "200"
			if s.n%every == 0 {
				code = "500"
			}
			s.requests.WithLabelValues(v, code).Inc()
			s.latency.WithLabelValues(v).Observe(took)
			s.native.WithLabelValues(v).Observe(took)
		}
	}
}

const livePolicy = `
version: 1
model: {name: ranker, baseline: v7, candidate: v8}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, margin: 2pp, severity: rollback}
  - {check: guardrail, metric: quantile, q: 0.9, of: latency, direction: lower, bounds: {pause: 0.4}}
  - {check: guardrail, metric: quantile, q: 0.9, of: native, direction: lower, bounds: {pause: 0.5}}
  - {check: guardrail, metric: mean, of: mean, direction: lower, margin: 20%, severity: pause}
  - {check: gauge, of: queue, direction: lower, bounds: {pause: 50}}
`

func liveConfig(url string) promquery.Config {
	c := config(url,
		promquery.Metric{Name: "errors", Kind: analysis.RatioMetric, Events: `sum by (version) (increase(requests_total{code="500"}[{{.Window}}]))`, Units: `sum by (version) (increase(requests_total[{{.Window}}]))`},
		promquery.Metric{Name: "latency", Kind: analysis.DistributionMetric, Histogram: `sum by (version, le) (increase(latency_seconds_bucket[{{.Window}}]))`},
		promquery.Metric{Name: "native", Kind: analysis.DistributionMetric, Histogram: `sum(increase(native_seconds{ {{.Match}} }[{{.Window}}]))`},
		promquery.Metric{Name: "mean", Kind: analysis.AverageMetric, Histogram: `sum(increase(native_seconds{ {{.Match}} }[{{.Window}}]))`},
		promquery.Metric{Name: "queue", Kind: analysis.GaugeMetric, Value: `queue_length{ {{.Match}} }`})
	c.Lag, c.MaxAge, c.Step = time.Second, 15*time.Second, time.Second
	return c
}

// TestRealPrometheus: a sound candidate continues; with the server killed it pauses
// and never rolls back; a planted regression rolls it back.
func TestRealPrometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 20 s")
	}
	reg := prometheus.NewRegistry()
	svc := newService(reg)
	target := httptest.NewServer(promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	defer target.Close()
	dir := t.TempDir()
	scrape := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(scrape, fmt.Appendf(nil, "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: svc\n    static_configs: [{targets: ['%s']}]\n", strings.TrimPrefix(target.URL, "http://")), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startPrometheus(t, scrape, filepath.Join(dir, "data"))
	c := liveConfig("http://" + s.addr)
	p, spec := provider(t, c), specOf(t, c)
	start := time.Now().Add(-time.Second)
	var state *analysis.State
	look := func() (*promquery.Evidence, analysis.Verdict) {
		at := time.Now()
		e, err := p.Collect(t.Context(), spec, promquery.Window{Start: start}, at)
		if err != nil {
			t.Fatal(err)
		}
		v := verdictAfter(t, livePolicy, e, state, at)
		state = &v.State
		return e, v
	}
	// play serves until the verdict is the one wanted, or too long.
	play := func(bad int, want analysis.Decision) (*promquery.Evidence, analysis.Verdict) {
		var e *promquery.Evidence
		var v analysis.Verdict
		for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
			for range 5 {
				svc.serve(200, bad)
				time.Sleep(100 * time.Millisecond)
			}
			if e, v = look(); v.Decision == want {
				return e, v
			}
			if want != analysis.Rollback && v.Decision == analysis.Rollback {
				break
			}
		}
		t.Fatalf("decision %v, want %v: %+v\nfaults %v", v.Decision, want, v.Reasons, e.Faults)
		return e, v
	}
	e, _ := play(100, analysis.Continue)
	noFaults(t, e)
	q, err := e.Candidate.Metric("native").Distribution.Quantile(0.9)
	if err != nil || q.Value < 0.22/1.1 || q.Value > 0.22*1.1 {
		t.Errorf("the native p90 is %v, want about 0.22: %v", q, err)
	}
	mean := e.Candidate.Metric("mean")
	if got := mean.Total.Float64() / mean.Count.Float64(); math.Abs(got-0.14) > 0.002 {
		t.Errorf("the mean is %v, want 0.14", got)
	}

	s.stop()
	e, v := look()
	if v.Decision != analysis.Pause || v.Reasons[0].Code != analysis.ReasonProvider || len(e.Problems()) != 10 {
		t.Errorf("without the server: %v: %+v", v.Decision, v.Reasons)
	}
	for _, f := range e.Faults {
		if !errors.Is(f, promquery.ErrUnavailable) {
			t.Error(f)
		}
	}

	s.start(t)
	play(100, analysis.Continue)
	_, v = play(5, analysis.Rollback)
	if !slices.ContainsFunc(v.Reasons, func(r analysis.Reason) bool {
		return r.Code == analysis.ReasonHarm && strings.Contains(r.Text, "ratio of errors")
	}) {
		t.Errorf("rolled back by %+v", v.Reasons)
	}
}
