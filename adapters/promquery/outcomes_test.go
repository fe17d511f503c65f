package promquery_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

const harmless = `
version: 1
model: {name: ranker, baseline: v7, candidate: v8}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, margin: 1pp, severity: rollback}
`

// verdict applies the policy to what was collected.
func verdict(t testing.TB, policy string, e *promquery.Evidence) analysis.Verdict {
	t.Helper()
	return verdictAfter(t, policy, e, nil, now)
}

func verdictAfter(t testing.TB, policy string, e *promquery.Evidence, state *analysis.State, at time.Time) analysis.Verdict {
	t.Helper()
	p, err := analysis.LoadPolicy("policy.yaml", []byte(policy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Evaluate(analysis.Look{Evidence: []analysis.StageEvidence{{Baseline: e.Baseline, Candidate: e.Candidate}}, Problems: e.Problems(), State: state, Now: at})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestOutcomes: whatever the server says of the candidate's errors and requests has
// its outcome, and none that is not a number lets a rollout continue or rolls it back.
func TestOutcomes(t *testing.T) {
	good := vector(num("20000"))
	for _, tc := range []struct {
		name           string
		errors         string
		requests       string
		want           error
		outcome        analysis.Outcome
		decision       analysis.Decision
		baselineErrors string
	}{
		{name: "sound", errors: vector(num("20")), requests: good, outcome: analysis.Pass, decision: analysis.Continue},
		{name: "harm", errors: vector(num("2000.5")), requests: good, outcome: analysis.Harm, decision: analysis.Rollback},
		{name: "no error yet", errors: vector(), requests: good, outcome: analysis.Pass, decision: analysis.Continue},
		{name: "no error anywhere", errors: vector(), baselineErrors: vector(), requests: good, want: promquery.ErrNoData, outcome: analysis.NoData},
		{name: "not served", errors: vector(num("20")), requests: vector(), want: promquery.ErrNoData, outcome: analysis.NoData},
		{name: "idle", errors: vector(num("0")), requests: vector(num("0")), want: promquery.ErrNoData, outcome: analysis.NoData},
		{name: "a scalar", errors: `{"status":"success","data":{"resultType":"scalar","result":[1769861400,"20"]}}`, requests: good, outcome: analysis.Pass, decision: analysis.Continue},
		{name: "rounding", errors: vector(num("20000.000001")), requests: good, outcome: analysis.Harm, decision: analysis.Rollback},
		{name: "NaN", errors: vector(num("NaN")), requests: good, want: promquery.ErrInvalid, outcome: analysis.Invalid},
		{name: "infinite", errors: vector(num("+Inf")), requests: good, want: promquery.ErrInvalid, outcome: analysis.Invalid},
		{name: "negative", errors: vector(num("-1")), requests: good, want: promquery.ErrInvalid, outcome: analysis.Invalid},
		{name: "more than all", errors: vector(num("20001")), requests: good, want: promquery.ErrInvalid, outcome: analysis.Invalid},
		{name: "several series", errors: vector(num("1", "pod", "a"), num("2", "pod", "b")), requests: good, want: promquery.ErrSeveral, outcome: analysis.ProviderError},
		{name: "a histogram", errors: vector(native("3", "1", `[0,"1","2","3"]`)), requests: good, want: promquery.ErrResult, outcome: analysis.ProviderError},
		{name: "a string", errors: `{"status":"success","data":{"resultType":"string","result":[1769861400,"20"]}}`, requests: good, want: promquery.ErrResult, outcome: analysis.ProviderError},
		{name: "a matrix", errors: `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1769861400,"20"]]}]}}`, requests: good, want: promquery.ErrResult, outcome: analysis.ProviderError},
		{name: "an empty matrix", errors: `{"status":"success","data":{"resultType":"matrix","result":[]}}`, requests: good, want: promquery.ErrResult, outcome: analysis.ProviderError},
		{name: "warnings", errors: strings.Replace(vector(num("20")), "{", `{"warnings":["store a did not answer"],`, 1), requests: good, want: promquery.ErrPartial, outcome: analysis.ProviderError},
		{name: "infos", errors: strings.Replace(vector(num("20")), "{", `{"infos":["it might not be a counter"],`, 1), requests: good, outcome: analysis.Pass, decision: analysis.Continue},
		{name: "partial", errors: strings.Replace(vector(num("20")), "{", `{"isPartial":true,`, 1), requests: good, want: promquery.ErrPartial, outcome: analysis.ProviderError},
		{name: "not partial", errors: strings.Replace(vector(num("20")), "{", `{"isPartial":false,`, 1), requests: good, outcome: analysis.Pass, decision: analysis.Continue},
		{name: "status error", errors: `{"status":"error","errorType":"422","error":"no"}`, requests: good, want: promquery.ErrRefused, outcome: analysis.ProviderError},
		{name: "another status", errors: `{"status":"fine"}`, requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "no result", errors: `{"status":"success","data":{"resultType":"vector"}}`, requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "null result", errors: `{"status":"success","data":{"resultType":"vector","result":null}}`, requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "null series", errors: vector("null"), requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "no value", errors: vector(`{"metric":{}}`), requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "half a pair", errors: vector(`{"metric":{},"value":[1769861400]}`), requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "null in a pair", errors: vector(`{"metric":{},"value":[1769861400,null]}`), requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "a bare number", errors: vector(`{"metric":{},"value":[1769861400,20]}`), requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "no number", errors: vector(num("many")), requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "truncated", errors: good[:len(good)-5], requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "more behind", errors: good + "{}", requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "HTML", errors: "<!doctype html><title>Sign in</title>", requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "nothing", errors: " ", requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
		{name: "a list", errors: "[]", requests: good, want: promquery.ErrAnswer, outcome: analysis.ProviderError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			base := vector(num("25"))
			if tc.baselineErrors != "" {
				base = tc.baselineErrors
			}
			f := newFake(t, [2]string{`errors{version="v8"}`, tc.errors}, [2]string{`requests{version="v8"}`, tc.requests},
				[2]string{`errors{version="v7"}`, base}, [2]string{`requests{version="v7"}`, good})
			e := collect(t, config(f.URL, ratioOf("errors")))
			var got error
			for _, fault := range e.Faults {
				if fault.Arm == "candidate" {
					got = fault
				}
			}
			if !errors.Is(got, tc.want) || errors.Is(got, promquery.ErrProvider) != (tc.outcome == analysis.ProviderError) {
				t.Errorf("fault %v, want %v", got, tc.want)
			}
			v := verdict(t, harmless, e)
			if v.Decision != tc.decision {
				t.Errorf("decision %v, want %v: %+v", v.Decision, tc.decision, v.Reasons)
			}
			found := false
			for _, f := range v.Findings {
				found = found || f.Outcome == tc.outcome
			}
			if !found {
				t.Errorf("no finding is %v: %+v", tc.outcome, v.Findings)
			}
		})
	}
}

// TestHistogramOutcomes: histograms whose parts do not belong together.
func TestHistogramOutcomes(t *testing.T) {
	inf := num("9", "le", "+Inf")
	for _, tc := range []struct {
		name, body string
		want       error
	}{
		{"nothing", vector(), promquery.ErrNoData},
		{"no le", vector(num("1"), inf), promquery.ErrResult},
		{"no +Inf", vector(num("1", "le", "1"), num("2", "le", "2")), promquery.ErrResult},
		{"only +Inf", vector(inf), promquery.ErrResult},
		{"le is a word", vector(num("1", "le", "one"), inf), promquery.ErrResult},
		{"le twice", vector(num("1", "le", "1", "pod", "a"), num("1", "le", "1", "pod", "b"), inf), promquery.ErrSeveral},
		{"falling", vector(num("500", "le", "1"), num("400", "le", "2"), num("600", "le", "+Inf")), promquery.ErrFalling},
		{"NaN", vector(num("NaN", "le", "1"), inf), promquery.ErrInvalid},
		{"infinite", vector(num("1", "le", "1"), num("+Inf", "le", "+Inf")), promquery.ErrInvalid},
		{"negative", vector(num("-2", "le", "1"), inf), promquery.ErrFalling},
		{"beyond counting", vector(num("1e30", "le", "1"), num("1e30", "le", "+Inf")), promquery.ErrInvalid},
		{"both forms", vector(native("1", "1", `[0,"1","2","1"]`), inf), promquery.ErrSeveral},
		{"both forms, the other first", vector(inf, native("1", "1", `[0,"1","2","1"]`)), promquery.ErrResult},
		{"two native", vector(native("1", "1", ``), native("1", "1", ``)), promquery.ErrSeveral},
		{"native without pair", vector(`{"metric":{},"histogram":[1]}`), promquery.ErrAnswer},
		{"native null", vector(`{"metric":{},"histogram":[1,null]}`), promquery.ErrAnswer},
		{"bucket null", vector(native("1", "1", `null`)), promquery.ErrAnswer},
		{"bucket short", vector(native("1", "1", `[0,"1","2"]`)), promquery.ErrAnswer},
		{"bucket without an end", vector(native("1", "1", `[0,"1",null,"1"]`)), promquery.ErrAnswer},
		{"bucket of nothing", vector(native("1", "1", `[0,"1","1","1"]`)), promquery.ErrAnswer},
		{"out of order", vector(native("2", "1", `[0,"2","4","1"],[0,"1","2","1"]`)), promquery.ErrAnswer},
		{"more than all", vector(native("1", "1", `[0,"1","2","5"]`)), promquery.ErrAnswer},
		{"no count", vector(`{"metric":{},"histogram":[1,{"sum":"1","buckets":[[0,"1","2","5"]]}]}`), promquery.ErrAnswer},
		{"negative native", vector(native("1", "1", `[0,"1","2","-5"]`)), promquery.ErrInvalid},
	} {
		f := newFake(t, [2]string{"candidate", tc.body})
		c := config(f.URL, promquery.Metric{Name: "latency", Kind: analysis.DistributionMetric, Histogram: "H" + perArm, Edges: nil, PerOctave: 1})
		e := collect(t, c)
		if n := len(e.Faults); n == 0 || e.Faults[n-1].Arm != "candidate" || !errors.Is(e.Faults[n-1], tc.want) {
			t.Errorf("%s: faults %v, want %v", tc.name, e.Faults, tc.want)
		}
		if s := e.Candidate.Metric("latency"); s.Window.N != 0 {
			t.Errorf("%s: a window was added: %+v", tc.name, s)
		}
	}
}

// TestAverageOutcomes: what is missing of an average.
func TestAverageOutcomes(t *testing.T) {
	three := average(promquery.Metric{Count: "N" + perArm, Sum: "S" + perArm, Squares: "Q" + perArm})
	buckets := average(promquery.Metric{Count: "N" + perArm, Sum: "S" + perArm, Histogram: "H" + perArm})
	alone := average(promquery.Metric{Histogram: "H" + perArm})
	n, s := [2]string{"N", vector(num("10"))}, [2]string{"S", vector(num("20"))}
	for _, tc := range []struct {
		name  string
		m     promquery.Metric
		rules [][2]string
		want  error
	}{
		{"no count", three, [][2]string{s, {"Q", vector(num("40"))}}, promquery.ErrNoData},
		{"count 0", three, [][2]string{{"N", vector(num("0"))}, s, {"Q", vector(num("40"))}}, promquery.ErrNoData},
		{"no sum", three, [][2]string{n, {"Q", vector(num("40"))}}, promquery.ErrNoData},
		{"no squares", three, [][2]string{n, s}, promquery.ErrNoData},
		{"squares too small", three, [][2]string{n, s, {"Q", vector(num("39"))}}, promquery.ErrInvalid},
		{"values without a bound", buckets, [][2]string{n, s, {"H", vector(num("8", "le", "1"), num("10", "le", "+Inf"))}}, promquery.ErrResult},
		{"below without a bound", buckets, [][2]string{n, s, {"H", vector(num("8", "le", "-1"), num("8", "le", "+Inf"))}}, promquery.ErrResult},
		{"empty buckets", buckets, [][2]string{n, s, {"H", vector(num("0", "le", "1"), num("0", "le", "+Inf"))}}, promquery.ErrResult},
		{"a number for a histogram", alone, [][2]string{{"H", vector(num("8"))}}, promquery.ErrResult},
		{"native, NaN among the values", alone, [][2]string{{"H", vector(native("3", "NaN", `[0,"1","2","2"]`))}}, promquery.ErrInvalid},
	} {
		f := newFake(t, tc.rules...)
		e := collect(t, config(f.URL, tc.m))
		if len(e.Faults) != 2 || !errors.Is(e.Faults[1], tc.want) || e.Candidate.Metric("latency").Window.N != 0 {
			t.Errorf("%s: faults %v, want %v", tc.name, e.Faults, tc.want)
		}
	}
}

func TestGaugeOutcomes(t *testing.T) {
	matrix := func(series string) string {
		return `{"status":"success","data":{"resultType":"matrix","result":[` + series + `]}}`
	}
	m := promquery.Metric{Name: "queue", Kind: analysis.GaugeMetric, Value: "queue{{.Arm}}"}
	for _, tc := range []struct {
		name, body string
		want       error
	}{
		{"nothing", matrix(""), promquery.ErrNoData},
		{"NaN", matrix(`{"metric":{},"values":[[1769861400,"NaN"]]}`), promquery.ErrNoData},
		{"infinite", matrix(`{"metric":{},"values":[[1769861400,"-Inf"]]}`), promquery.ErrInvalid},
		{"several", matrix(`{"metric":{},"values":[[1769861400,"1"]]},{"metric":{"a":"b"},"values":[[1769861400,"1"]]}`), promquery.ErrSeveral},
		{"a histogram", matrix(`{"metric":{},"histograms":[[1769861400,{"count":"1"}]]}`), promquery.ErrResult},
		{"a vector", vector(num("1")), promquery.ErrResult},
		{"null series", matrix("null"), promquery.ErrAnswer},
		{"null value", matrix(`{"metric":{},"values":[null]}`), promquery.ErrAnswer},
		{"back in time", matrix(`{"metric":{},"values":[[1769861400,"1"],[1769861340,"1"]]}`), promquery.ErrAnswer},
		{"other types", matrix(`{"metric":[],"values":{}}`), promquery.ErrAnswer},
		{"a time that is none", matrix(`{"metric":{},"values":[["x","1"]]}`), promquery.ErrAnswer},
	} {
		f := newFake(t, [2]string{"candidate", tc.body}, [2]string{"baseline", matrix(`{"metric":{},"values":[[1769861400,"3"]]}`)})
		e := collect(t, config(f.URL, m))
		if len(e.Faults) != 1 || e.Faults[0].Arm != "candidate" || !errors.Is(e.Faults[0], tc.want) || e.Candidate.Metric("queue").Window.N != 0 {
			t.Errorf("%s: faults %v, want %v", tc.name, e.Faults, tc.want)
		}
	}
	c := config("http://127.0.0.1:1", m)
	c.Step = time.Hour
	if e := collect(t, c); len(e.Faults) != 1 || !errors.Is(e.Faults[0], promquery.ErrNoData) || e.Faults[0].Error() != "queue: no whole step of 1h0m0s has passed: no data" {
		t.Errorf("a long step: %v", e.Faults)
	}
}

func TestRateOutcomes(t *testing.T) {
	m := promquery.Metric{Name: "crashes", Kind: analysis.RateMetric, Events: "crashes" + perArm, Exposure: "up" + perArm}
	up := [2]string{"up", vector(num("600"))}
	for _, tc := range []struct {
		name  string
		rules [][2]string
		want  error
	}{
		{"no exposure", [][2]string{{"crashes", vector(num("1"))}}, promquery.ErrNoData},
		{"exposure 0", [][2]string{{"crashes", vector(num("1"))}, {"up", vector(num("0"))}}, promquery.ErrNoData},
		{"no events anywhere", [][2]string{up}, promquery.ErrNoData},
		{"events refused", [][2]string{up, {"crashes", `{"status":"error"}`}}, promquery.ErrRefused},
		{"freshness refused", [][2]string{{"crashescandidate[300s]", `{"status":"error"}`}, {"crashes", vector(num("1"))}, up}, promquery.ErrRefused},
	} {
		f := newFake(t, tc.rules...)
		e := collect(t, config(f.URL, m))
		if n := len(e.Faults); n == 0 || e.Faults[n-1].Arm != "candidate" || !errors.Is(e.Faults[n-1], tc.want) {
			t.Errorf("%s: faults %v, want %v", tc.name, e.Faults, tc.want)
		}
	}
	f := newFake(t, up)
	m.ZeroWhenAbsent = true
	c := config(f.URL, m)
	c.MaxAge = -1
	e := collect(t, c)
	if s := e.Candidate.Metric("crashes"); len(e.Faults) != 0 || s.Total.Float64() != 0 || s.Count.Float64() != 600 {
		t.Errorf("no crash ever: %+v, faults %v", s, e.Faults)
	}
}

func TestByLabelOutcomes(t *testing.T) {
	m := promquery.Metric{Name: "crashes", Kind: analysis.RateMetric, Events: "crashes[{{.Window}}]"}
	for _, tc := range []struct {
		name, body string
		want       error
		arms       string
	}{
		{"one arm", vector(num("1", "version", "v7")), promquery.ErrNoData, "candidate"},
		{"no label", vector(num("1"), num("1", "version", "v7"), num("1", "version", "v8")), promquery.ErrResult, "baseline candidate"},
		{"twice", vector(num("1", "version", "v7"), num("1", "version", "v8", "pod", "a"), num("1", "version", "v8", "pod", "b")), promquery.ErrSeveral, "candidate"},
		{"scalar", `{"status":"success","data":{"resultType":"scalar","result":[1769861400,"20"]}}`, promquery.ErrResult, "baseline candidate"},
	} {
		f := newFake(t, [2]string{"crashes", tc.body})
		e := collect(t, config(f.URL, m))
		var arms []string
		for _, fault := range e.Faults {
			arms = append(arms, fault.Arm)
			if !errors.Is(fault, tc.want) {
				t.Errorf("%s: %v, want %v", tc.name, fault, tc.want)
			}
		}
		if strings.Join(arms, " ") != tc.arms {
			t.Errorf("%s: faults %v", tc.name, e.Faults)
		}
	}
}

// TestStale: an arm that has ended is in a long window as if it lived. Harm that its
// numbers prove counts, and nothing else does.
func TestStale(t *testing.T) {
	for failures, want := range map[string]analysis.Decision{"20": analysis.Pause, "5000": analysis.Rollback} {
		f := newFake(t, [2]string{`requests{version="v8"}[300s]`, vector()}, [2]string{`errors{version="v8"}`, vector(num(failures))},
			[2]string{`errors`, vector(num("20"))}, [2]string{`requests`, vector(num("20000"))})
		e := collect(t, config(f.URL, ratioOf("errors")))
		if len(e.Faults) != 1 || !errors.Is(e.Faults[0], promquery.ErrStale) || e.Faults[0].Arm != "candidate" || e.Candidate.Metric("errors").Window.N != 1 {
			t.Errorf("faults %v", e.Faults)
		}
		if v := verdict(t, harmless, e); v.Decision != want {
			t.Errorf("%s failures: %v, want %v", failures, v.Decision, want)
		}
		c := config(f.URL, ratioOf("errors"))
		c.MaxAge = 10 * time.Minute // the whole window: its own answer says enough
		noFaults(t, collect(t, c))
	}
}
