package promquery_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

func noFaults(t *testing.T, e *promquery.Evidence) {
	t.Helper()
	for _, f := range e.Faults {
		t.Error(f)
	}
}

func TestRatioIsOneWindowAndOneTime(t *testing.T) {
	f := newFake(t,
		[2]string{`errors{version="v7"}`, vector(num("10.25"))}, [2]string{`errors{version="v8"}`, vector(num("31"))},
		[2]string{`requests{version="v7"}`, vector(num("1000.5"))}, [2]string{`requests{version="v8"}`, vector(num("990"))})
	e := collect(t, config(f.URL, ratioOf("errors")))
	noFaults(t, e)
	b, c := e.Baseline.Metric("errors"), e.Candidate.Metric("errors")
	if b.Total.Float64() != 10.25 || b.Count.Float64() != 1000.5 || c.Total.Float64() != 31 || c.Count.Float64() != 990 {
		t.Errorf("got %v of %v and %v of %v", b.Total.Float64(), b.Count.Float64(), c.Total.Float64(), c.Count.Float64())
	}
	end := begin.Add(10 * time.Minute)
	if d := cmp.Diff(promquery.Window{Start: begin, End: end}, e.Window); d != "" {
		t.Error(d)
	}
	for _, s := range f.seen {
		if !strings.HasSuffix(s, fmt.Sprint(" ", end.Unix())) || !strings.Contains(s, "[600s]") && !strings.Contains(s, "[300s]") || !strings.HasPrefix(s, "POST /api/v1/query ") {
			t.Errorf("asked %q", s)
		}
	}
	if n := len(e.Queries); n != len(f.seen) || e.Queries[0].Part != "units" || e.Queries[n-1].Part != "fresh" || !e.Queries[0].At.Equal(end) {
		t.Errorf("queries %+v of %d", e.Queries, len(f.seen))
	}
}

func TestArmsByLabel(t *testing.T) {
	m := promquery.Metric{Name: "crashes", Kind: analysis.RateMetric,
		Events: "sum by (version) (increase(crashes_total[{{.Window}}]))", Exposure: "sum by (version) (up[{{ .Seconds }}s])"}
	f := newFake(t, [2]string{"crashes", vector(num("1", "version", "v6"), num("5", "version", "v8"), num("3", "version", "v7"))},
		[2]string{"up", vector(num("600", "version", "v8"), num("5400", "version", "v7"))})
	e := collect(t, config(f.URL, m))
	noFaults(t, e)
	b, c := e.Baseline.Metric("crashes"), e.Candidate.Metric("crashes")
	if b.Total.Float64() != 3 || b.Count.Float64() != 5400 || c.Total.Float64() != 5 || c.Count.Float64() != 600 {
		t.Errorf("got %+v and %+v", b, c)
	}
}

func TestValuesAreEscaped(t *testing.T) {
	for _, tc := range []struct{ value, match, re string }{
		{`v8`, `version="v8"`, `v8`},
		{`v8.1`, `version="v8.1"`, `v8\x5c.1`},
		{`a"} or vector(1) #`, `version="a\x22} or vector(1) #"`, `a\x22\x5c} or vector\x5c(1\x5c) #`},
		{"x'y`z\\n\n", `version="x\x27y\x60z\x5cn\x0a"`, `x\x27y\x60z\x5c\x5cn\x0a`},
		{"größe", `version="größe"`, `größe`},
		{"{{.Window}}", `version="{{.Window}}"`, `\x5c{\x5c{\x5c.Window\x5c}\x5c}`},
	} {
		c := config("http://127.0.0.1:1", promquery.Metric{Name: "m", Kind: analysis.RateMetric, Events: `{{.Match}}|{{.Regexp}}|{{.Label}}|{{.Arm}}|{{.Window}}`})
		c.Arms.Candidate = tc.value
		c.MaxAge = -1
		e := collect(t, c)
		value := strings.TrimSuffix(strings.TrimPrefix(tc.match, `version="`), `"`)
		if want := tc.match + "|" + tc.re + "|" + value + "|candidate|600s"; e.Queries[1].Text != want {
			t.Errorf("%q: %s, want %s", tc.value, e.Queries[1].Text, want)
		}
	}
}

func average(m promquery.Metric) promquery.Metric {
	m.Name, m.Kind = "latency", analysis.AverageMetric
	return m
}

const perArm = "{{.Arm}}[{{.Window}}]"

func TestAverage(t *testing.T) {
	classic := vector(num("40", "le", "1"), num("90", "le", "2"), num("100", "le", "+Inf"))
	ten := 10.0
	for _, tc := range []struct {
		name                string
		m                   promquery.Metric
		rules               [][2]string
		count, sum, squares float64
	}{
		{"squares", average(promquery.Metric{Count: "N" + perArm, Sum: "S" + perArm, Squares: "Q" + perArm}),
			[][2]string{{"N", vector(num("100"))}, {"S", vector(num("150.5"))}, {"Q", vector(num("300"))}}, 100, 150.5, 300},
		// Classic: 40 values up to 1, 50 up to 2, 10 up to 10: 40 + 200 + 1000.
		{"classic", average(promquery.Metric{Count: "N" + perArm, Sum: "S" + perArm, Histogram: "H" + perArm, Max: &ten}),
			[][2]string{{"N", vector(num("100"))}, {"S", vector(num("150"))}, {"H", classic}}, 100, 150, 1240},
		// Extrapolated apart, the count has 110 where the buckets have 100.
		{"classic, another count", average(promquery.Metric{Count: "N" + perArm, Sum: "S" + perArm, Histogram: "H" + perArm, Max: &ten}),
			[][2]string{{"N", vector(num("110"))}, {"S", vector(num("150"))}, {"H", classic}}, 110, 150, 1364},
		// Native: 2 about zero, 3 from -2 to -1, 5 from 2 to 4: 0 + 12 + 80.
		{"native", average(promquery.Metric{Histogram: "H" + perArm}),
			[][2]string{{"H", vector(native("10", "12", `[1,"-2","-1","3"],[3,"-0.001","0.001","2"],[0,"2","4","5"]`))}}, 10, 12, 92.000002},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t, tc.rules...)
			e := collect(t, config(f.URL, tc.m))
			noFaults(t, e)
			s := e.Candidate.Metric("latency")
			if s.Count.Float64() != tc.count || s.Total.Float64() != tc.sum || math.Abs(s.Squares.Float64()-tc.squares) > 1e-9*tc.squares {
				t.Errorf("got %v %v %v", s.Count.Float64(), s.Total.Float64(), s.Squares.Float64())
			}
			if noted := len(e.Notes) == 1; noted != (tc.m.Squares == "") {
				t.Errorf("notes %q", e.Notes)
			}
		})
	}
}

func TestDistribution(t *testing.T) {
	dist := promquery.Metric{Name: "latency", Kind: analysis.DistributionMetric, Histogram: "H" + perArm}
	edged := func(e ...float64) promquery.Metric { m := dist; m.Edges = e; return m }
	classic := vector(num("100.4", "le", "+Inf"), num("40.4", "le", "1"), num("90.2", "le", "2.5"), num("90.2", "le", "5.0"))
	for _, tc := range []struct {
		name  string
		m     promquery.Metric
		body  string
		edges []float64
		cells []uint64
	}{
		{"classic", dist, classic, []float64{1, 2.5, 5}, []uint64{40, 50, 0, 10}},
		{"classic, fewer edges", edged(2.5), classic, []float64{2.5}, []uint64{90, 10}},
		// 1 and 1.0 are one bucket, of two versions of a client library.
		{"classic, two spellings", dist, vector(num("3", "le", "1"), num("4", "le", "1.0"), num("9", "le", "+Inf")), []float64{1}, []uint64{7, 2}},
		// Each bucket extrapolated by itself: 90.3 above 90.2 is no fall.
		{"classic, a hair", dist, vector(num("90.3", "le", "1"), num("90.2", "le", "2"), num("95", "le", "+Inf")), []float64{1, 2}, []uint64{90, 0, 5}},
		{"native, edges at its own", edged(1, 2, 4), vector(native("10", "1", `[0,"0.5","1","3"],[0,"1","2","5"],[0,"4","8","2"]`)), []float64{1, 2, 4}, []uint64{3, 5, 0, 2}},
		// The bucket from 1 to 4 has half of its logarithms below 2.
		{"native, across an edge", edged(2), vector(native("10", "1", `[0,"1","4","10"]`)), []float64{2}, []uint64{5, 5}},
		{"native, zero and negative", edged(-1, 0, 1), vector(native("12", "1", `[1,"-2","-1","3"],[1,"-1","-0.5","2"],[3,"-0.001","0.001","4"],[0,"0.5","1","3"]`)), []float64{-1, 0, 1}, []uint64{3, 2, 7, 0}},
		{"native, empty", edged(2), vector(native("0", "0", ``)), []float64{2}, []uint64{0, 0}},
		{"custom buckets", edged(0.1, 0.5), vector(native("6", "1", `[0,"-Inf","0.1","1"],[0,"0.1","0.5","2"],[0,"0.5","+Inf","3"]`)), []float64{0.1, 0.5}, []uint64{1, 2, 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t, [2]string{"H", tc.body})
			e := collect(t, config(f.URL, tc.m))
			noFaults(t, e)
			h := &e.Candidate.Metric("latency").Distribution
			var cells []uint64
			before := uint64(0)
			for _, edge := range tc.edges {
				below, most := h.CountBelow(edge)
				if below != most {
					t.Fatalf("%v is no edge", edge)
				}
				cells = append(cells, below-before)
				before = below
			}
			cells = append(cells, h.N()-before)
			if d := cmp.Diff(tc.edges, h.Layout().Edges()) + cmp.Diff(tc.cells, cells); d != "" {
				t.Error(d)
			}
			if len(e.Notes) != 1 {
				t.Errorf("notes %q", e.Notes)
			}
		})
	}
}

// TestOctaves: the cells of a native histogram do not depend on what is in it, and
// hold what its buckets hold.
func TestOctaves(t *testing.T) {
	m := promquery.Metric{Name: "latency", Kind: analysis.DistributionMetric, Histogram: "H" + perArm, PerOctave: 2}
	s2 := math.Sqrt2
	body := vector(native("22", "1", fmt.Sprintf(`[3,"-1e-39","1e-39","1"],[0,"1","%v","2"],[0,"%v","2","4"],[0,"2","%v","8"],[0,"%v","%v","7"]`, math.Exp2(0.25), s2, math.Exp2(1.25), math.Exp2(31), math.Exp2(31.25))))
	f := newFake(t, [2]string{"H", body})
	e := collect(t, config(f.URL, m))
	noFaults(t, e)
	h := &e.Candidate.Metric("latency").Distribution
	edges := h.Layout().Edges()
	if len(edges) != 121 || edges[0] != math.Exp2(-30) || edges[120] != math.Exp2(30) || !slices.Contains(edges, 1) {
		t.Fatalf("%d edges from %v to %v", len(edges), edges[0], edges[len(edges)-1])
	}
	for at, want := range map[int]uint64{0: 1, 60: 1, 61: 3, 62: 7, 63: 15, 120: 15} {
		if got, _ := h.CountBelow(edges[at]); got != want {
			t.Errorf("%d values below %v, want %d", got, edges[at], want)
		}
	}
	if h.N() != 22 {
		t.Errorf("%d values", h.N())
	}
	wide := newFake(t, [2]string{"H", vector(native("2", "1", `[0,"1","4","2"]`))})
	e = collect(t, config(wide.URL, m))
	if len(e.Faults) != 2 || !errors.Is(e.Faults[0], promquery.ErrCoarse) {
		t.Errorf("a bucket of two octaves: %v", e.Faults)
	}
}

func TestGauge(t *testing.T) {
	values := func(pairs ...string) string {
		return `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[` + strings.Join(pairs, ",") + `]}]}}`
	}
	at := func(minute int, v string) string {
		return fmt.Sprintf(`[%d,%q]`, begin.Add(time.Duration(minute)*time.Minute).Unix(), v)
	}
	m := promquery.Metric{Name: "queue", Kind: analysis.GaugeMetric, Value: "queue[{{.Window}}]{{.Arm}}"}
	f := newFake(t, [2]string{"candidate", values(at(1, "5"), at(2, "NaN"), at(8, "-7.5"))}, [2]string{"baseline", values(at(1, "5"), at(2, "4"))})
	e := collect(t, config(f.URL, m))
	c, b := e.Candidate.Metric("queue"), e.Baseline.Metric("queue")
	if c.Gauge.Value != -7.5 || c.Gauge.At != begin.Add(8*time.Minute).UnixMicro() || c.Window.N != 2 || c.Missing != 8 {
		t.Errorf("candidate %+v", c)
	}
	if b.Gauge.Value != 4 || len(e.Faults) != 1 || e.Faults[0].Arm != "baseline" || !errors.Is(e.Faults[0], promquery.ErrStale) {
		t.Errorf("baseline %+v, faults %v", b, e.Faults)
	}
	if want := fmt.Sprint("POST /api/v1/query_range queue[60s]baseline ", begin.Add(time.Minute).Unix()); f.seen[0] != want {
		t.Errorf("asked %q, want %q", f.seen[0], want)
	}
}

func TestWatermark(t *testing.T) {
	f := newFake(t)
	c := config(f.URL, ratioOf("errors"))
	p, spec := provider(t, c), specOf(t, c)
	for _, tc := range []struct {
		w    promquery.Window
		now  time.Time
		want promquery.Window
	}{
		{promquery.Window{Start: begin}, now, promquery.Window{Start: begin, End: begin.Add(10 * time.Minute)}},
		{promquery.Window{Start: begin, End: now}, now, promquery.Window{Start: begin, End: begin.Add(10 * time.Minute)}},
		{promquery.Window{Start: begin.Add(time.Millisecond), End: begin.Add(90500 * time.Millisecond)}, now, promquery.Window{Start: begin.Add(time.Second), End: begin.Add(90 * time.Second)}},
		{promquery.Window{Start: begin.In(time.FixedZone("x", 3600))}, now, promquery.Window{Start: begin, End: begin.Add(10 * time.Minute)}},
	} {
		e, err := p.Collect(t.Context(), spec, tc.w, tc.now)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tc.want, e.Window); d != "" {
			t.Error(d)
		}
	}
	f.seen = nil
	e, err := p.Collect(t.Context(), spec, promquery.Window{Start: begin}, begin.Add(20*time.Second))
	if err != nil || len(f.seen) > 0 || len(e.Faults) != 1 || !errors.Is(e.Faults[0], promquery.ErrNoData) || len(e.Problems()) != 0 {
		t.Errorf("before the watermark: %v %v, asked %q", e, err, f.seen)
	}
	for _, w := range []promquery.Window{{}, {Start: begin, End: begin.Add(-time.Second)}} {
		if _, err := p.Collect(t.Context(), spec, w, now); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%v: %v", w, err)
		}
	}
}

func TestSpecMustFit(t *testing.T) {
	c := config("http://127.0.0.1:1", ratioOf("errors"))
	p := provider(t, c)
	for _, m := range []analysis.MetricSpec{{Name: "other", Kind: analysis.RatioMetric}, {Name: "errors", Kind: analysis.GaugeMetric}} {
		spec, err := (&analysis.Spec{}).WithMetrics(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Collect(t.Context(), spec, promquery.Window{Start: begin}, now); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), m.Name) {
			t.Errorf("%v: %v", m, err)
		}
	}
}

func TestNoBaseline(t *testing.T) {
	f := newFake(t, [2]string{`errors`, vector(num("1"))}, [2]string{`requests`, vector(num("10"))})
	c := config(f.URL, ratioOf("errors"))
	c.Arms.Baseline = ""
	e := collect(t, c)
	noFaults(t, e)
	if e.Baseline != nil || e.Candidate.Metric("errors").Window.N != 1 {
		t.Errorf("got %+v", e)
	}
	for _, s := range f.seen {
		if !strings.Contains(s, `version="v8"`) {
			t.Errorf("asked %q", s)
		}
	}
}
