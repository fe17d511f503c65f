package promquery_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
)

var (
	begin = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	now   = begin.Add(10*time.Minute + 30*time.Second) // the watermark is begin + 10 min
)

// fake answers queries by the first rule whose key is in their text.
type fake struct {
	mu    sync.Mutex
	rules [][2]string // key, body
	seen  []string    // method path query time
	*httptest.Server
}

func newFake(t testing.TB, rules ...[2]string) *fake {
	f := &fake{rules: rules}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.FormValue("query")
		f.mu.Lock()
		defer f.mu.Unlock()
		f.seen = append(f.seen, strings.Join([]string{r.Method, r.URL.Path, q, r.FormValue("time") + r.FormValue("start")}, " "))
		for _, rule := range f.rules {
			if strings.Contains(q, rule[0]) {
				fmt.Fprint(w, rule[1])
				return
			}
		}
		fmt.Fprint(w, vector())
	}))
	t.Cleanup(f.Close)
	return f
}

// vector is an answer of series, each the JSON of its labels and its value.
func vector(series ...string) string {
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(series, ",") + `]}}`
}

// num is a series with a number; labels come in pairs.
func num(value string, labels ...string) string {
	return `{"metric":` + labelled(labels) + fmt.Sprintf(`,"value":[%d,%q]}`, begin.Add(10*time.Minute).Unix(), value)
}

func labelled(pairs []string) string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	b, _ := json.Marshal(m)
	return string(b)
}

// native is a series with a native histogram; buckets are JSON lists.
func native(count, sum string, buckets string, labels ...string) string {
	return `{"metric":` + labelled(labels) + fmt.Sprintf(`,"histogram":[%d,{"count":%q,"sum":%q,"buckets":[%s]}]}`, begin.Add(10*time.Minute).Unix(), count, sum, buckets)
}

func config(url string, metrics ...promquery.Metric) promquery.Config {
	return promquery.Config{Server: url, Timeout: 5 * time.Second, Retries: -1, Backoff: time.Millisecond,
		Arms: promquery.Arms{Label: "version", Baseline: "v7", Candidate: "v8"}, Metrics: metrics}
}

func ratioOf(name string) promquery.Metric {
	return promquery.Metric{Name: name, Kind: analysis.RatioMetric,
		Events: "sum(increase(errors{{{.Match}}}[{{.Window}}]))", Units: "sum(increase(requests{{{.Match}}}[{{.Window}}]))"}
}

func specOf(t testing.TB, c promquery.Config) *analysis.Spec {
	t.Helper()
	spec := &analysis.Spec{}
	for _, m := range c.Metrics {
		var err error
		if spec, err = spec.WithMetrics(analysis.MetricSpec{Name: m.Name, Kind: m.Kind}); err != nil {
			t.Fatal(err)
		}
	}
	return spec
}

func provider(t testing.TB, c promquery.Config) *promquery.Provider {
	t.Helper()
	p, err := promquery.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func collect(t testing.TB, c promquery.Config) *promquery.Evidence {
	t.Helper()
	e, err := provider(t, c).Collect(t.Context(), specOf(t, c), promquery.Window{Start: begin}, now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// settled waits until no more goroutines run than before.
func settled(t testing.TB, before int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
}
