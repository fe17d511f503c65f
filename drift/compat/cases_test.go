package compat_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// published is a case of testdata/cases/drift_cases.json: an input and the answer
// that another tool's tests or documentation state.
type published struct {
	ID        string                     `json:"id"`
	Kind      string                     `json:"kind"`
	Params    map[string]any             `json:"params"`
	Inputs    map[string]json.RawMessage `json:"inputs"`
	Expected  json.RawMessage            `json:"expected"`
	Tolerance float64                    `json:"tolerance"`

	datasets map[string]json.RawMessage
}

// excluded kinds are not answered here, for the reason stated.
var excluded = map[string]string{
	"dkw_time_uniform_radius":       "anytime-valid: covered by stats/sequential",
	"quantile_ab_anytime_p":         "anytime-valid: covered by stats/sequential",
	"bernoulli_confidence_sequence": "anytime-valid: covered by stats/sequential",
	"normal_mixture_bound":          "anytime-valid: covered by stats/sequential",
	"page_hinkley":                  "one-sided change detector on raw rows with a tuned threshold; not offered, the sequential tests have stated error rates",
	"adwin":                         "change detector with memory and cuts that depend on row order; not offered for the same reason",
	"kll_normalized_rank_error":     "quantile sketch; counts in fixed cells are exact and replace it",
	"median_heuristic_sigma":        "kernel bandwidth of a multivariate test (MMD), which is not offered",
	"ks_2samp_p_from_D":             "SciPy's asymptotic p uses the one-sample law at round(nm/(n+m)); KSTail gives the two-sample limit, which differs in the fourth digit",
}

func TestPublishedCases(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(statstest.Root(t), "testdata", "cases", "drift_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Datasets map[string]json.RawMessage `json:"datasets"`
		Cases    []published                `json:"cases"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	ran := 0
	for _, c := range file.Cases {
		c.datasets = file.Datasets
		if seen[c.ID] {
			t.Errorf("case %s is there twice", c.ID)
		}
		seen[c.ID] = true
		answer, known := answers[c.Kind]
		reason := excluded[c.Kind]
		switch {
		case known && reason != "":
			t.Errorf("kind %s is both answered and excluded", c.Kind)
		case reason != "":
		case !known:
			t.Errorf("case %s: kind %s is neither answered nor excluded", c.ID, c.Kind)
		default:
			ran++
			t.Run(c.ID, func(t *testing.T) { c.compare(t, answer) })
		}
	}
	if ran < 160 {
		t.Errorf("%d of %d cases were compared, want at least 160", ran, len(file.Cases))
	}
}

// compare asks for the answer and holds it against the published one, element by
// element. A published NaN or error is an error here.
func (c published) compare(t *testing.T, answer func(*testing.T, published) ([]float64, error)) {
	got, err := answer(t, c)
	var word string
	if json.Unmarshal(c.Expected, &word) == nil && (word == "NaN" || word == "error") {
		if err == nil {
			t.Errorf("answer %v, want an error", got)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want := c.expected(t)
	if len(got) != len(want) {
		t.Fatalf("answer %v, want %v", got, want)
	}
	for i := range want {
		statstest.Near(t, "answer", got[i], want[i], 2e-15, c.Tolerance)
	}
}

func (c published) expected(t *testing.T) []float64 {
	t.Helper()
	var yes bool
	if json.Unmarshal(c.Expected, &yes) == nil {
		return []float64{indicator(yes)}
	}
	var many []stats.Float
	if json.Unmarshal(c.Expected, &many) == nil {
		return floats(many)
	}
	return []float64{number(t, c.Expected)}
}

func indicator(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// number reads a number, with the word Inf for infinity.
func number(t *testing.T, raw json.RawMessage) float64 {
	t.Helper()
	var f float64
	if json.Unmarshal(raw, &f) == nil {
		return f
	}
	var word string
	if err := json.Unmarshal(raw, &word); err != nil {
		t.Fatal(err)
	}
	switch word {
	case "Inf":
		return math.Inf(1)
	case "-Inf":
		return math.Inf(-1)
	case "NaN":
		return math.NaN()
	}
	t.Fatalf("number %q", word)
	return 0
}

func floats(in []stats.Float) []float64 {
	out := make([]float64, len(in))
	for i, f := range in {
		out[i] = float64(f)
	}
	return out
}

func (c published) number(t *testing.T, key string) float64 {
	t.Helper()
	return number(t, c.Inputs[key])
}

func (c published) param(key string) float64 {
	f, _ := c.Params[key].(float64)
	return f
}

// list reads the list of numbers under key, or the data set it names.
func (c published) list(t *testing.T, key string) []float64 {
	t.Helper()
	raw := c.Inputs[key]
	var name string
	if json.Unmarshal(raw, &name) == nil && len(name) > 0 && name[0] == '@' {
		raw = c.datasets[name[1:]]
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	out := make([]float64, len(items))
	for i := range items {
		out[i] = number(t, items[i])
	}
	return out
}

// counts reads the map from category to count under key.
func (c published) counts(t *testing.T, key string) map[string]float64 {
	t.Helper()
	var m map[string]float64
	if err := json.Unmarshal(c.Inputs[key], &m); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return m
}

func (c published) isMap(key string) bool {
	raw := c.Inputs[key]
	return len(raw) > 0 && raw[0] == '{'
}

// sample reads the values of side ref or cur in any of the forms in which they are
// given.
func (c published) sample(t *testing.T, side string) []float64 {
	t.Helper()
	var out []float64
	switch {
	case c.Inputs[side+"Linspace"] != nil:
		v := c.list(t, side+"Linspace")
		for i := range int(v[2]) {
			out = append(out, v[0]+(v[1]-v[0])*float64(i)/(v[2]-1))
		}
	case c.Inputs[side+"Range"] != nil:
		v := c.list(t, side+"Range")
		for x := v[0]; x <= v[1]; x++ {
			out = append(out, x)
		}
	case c.Inputs[side+"Counts"] != nil:
		return repeated(t, c.counts(t, side+"Counts"))
	case c.isMap(side):
		return repeated(t, c.counts(t, side))
	default:
		return c.list(t, side)
	}
	return out
}

func repeated(t *testing.T, counts map[string]float64) []float64 {
	t.Helper()
	var out []float64
	for k, n := range counts {
		var x float64
		if err := json.Unmarshal([]byte(k), &x); err != nil {
			t.Fatal(err)
		}
		for range int(n) {
			out = append(out, x)
		}
	}
	return out
}

// points reads the values and weights of a side.
func (c published) points(t *testing.T, side string) stats.Points {
	t.Helper()
	p := stats.Points{Values: c.list(t, side)}
	if c.Inputs[side+"Weights"] != nil {
		p.Weights = c.list(t, side+"Weights")
	}
	return p
}

func (c published) alternative() stats.Alternative {
	switch c.Params["alternative"] {
	case "less":
		return stats.Less
	case "greater":
		return stats.Greater
	}
	return stats.Different
}
