package summary_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Forms that are well spelled but say what no data can give.
func TestDamagedJSONIsRefused(t *testing.T) {
	h := histogram(layout(t, summary.LogLinear), 1, 1.001, 1.005, -3, 0)
	p := histogram(layout(t, summary.Probability), 0, 0.3, 0.300001, 0.9, 1)
	e := histogram(edges(t, 0, 0.5, 1), -1, 0.2, 0.7)
	s := scores(t, []scored{{0.3, summary.Positive}, {0.7, summary.Negative}, {0.2, summary.Unlabelled}}, 0.5)
	var m summary.Moments
	m.AddSlice([]float64{1, 2, 4})
	var sum summary.Sum
	sum.Add(1.5)
	c, err := summary.NewCategorical(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		c.AddN(name, 2)
	}
	cases := []struct {
		name     string
		json     string
		into     func([]byte) error
		old, new string
	}{
		{"count too high", text(t, h), new(summary.Histogram).UnmarshalJSON, `"n":5`, `"n":6`},
		{"min in an empty cell", text(t, h), new(summary.Histogram).UnmarshalJSON, `"min":-3`, `"min":-3.5`},
		{"max in the wrong cell", text(t, h), new(summary.Histogram).UnmarshalJSON, `"max":1.005`, `"max":-3`},
		{"negative zero", text(t, histogram(layout(t, summary.LogLinear), 0)), new(summary.Histogram).UnmarshalJSON, `"min":0`, `"min":-0`},
		{"out of range without a range", text(t, h), new(summary.Histogram).UnmarshalJSON, `"excluded":{}`, `"excluded":{"below":1}`},
		{"excluded counts that overflow", text(t, h), new(summary.Histogram).UnmarshalJSON, `"excluded":{}`, `"excluded":{"nan":18446744073709551615}`},
		{"counts that overflow together", text(t, h), new(summary.Histogram).UnmarshalJSON, `"zero":1`, `"zero":18446744073709551615`},
		{"ones in loglinear", text(t, h), new(summary.Histogram).UnmarshalJSON, `"zero":1`, `"one":1`},
		{"other layout", text(t, h), new(summary.Histogram).UnmarshalJSON, `loglinear/7`, `probability/9`},
		{"unknown layout", text(t, h), new(summary.Histogram).UnmarshalJSON, `loglinear/7`, `loglinear/8`},
		{"layout without cells", text(t, h), new(summary.Histogram).UnmarshalJSON, `loglinear/7`, `unset`},
		{"counts in loglinear", text(t, h), new(summary.Histogram).UnmarshalJSON, `"cells"`, `"counts":[],"edges":[1],"cells"`},
		{"a sign that is none", text(t, p), new(summary.Histogram).UnmarshalJSON, `"cells":[[0,`, `"cells":[[2,`},
		{"edges out of order", text(t, e), new(summary.Histogram).UnmarshalJSON, `"edges":[0,0.5,1]`, `"edges":[0,1,0.5]`},
		{"another edge", text(t, e), new(summary.Histogram).UnmarshalJSON, `"edges":[0,0.5,1]`, `"edges":[0,0.25,1]`},
		{"an edge too few", text(t, e), new(summary.Histogram).UnmarshalJSON, `"edges":[0,0.5,1]`, `"edges":[0,0.5]`},
		{"an edge that is NaN", text(t, e), new(summary.Histogram).UnmarshalJSON, `"edges":[0,0.5,1]`, `"edges":[0,"NaN",1]`},
		{"cuts that hold other scores", text(t, s), new(summary.Scores).UnmarshalJSON, `"counts":[1,0]`, `"counts":[2,0]`},
		{"scores in loglinear", text(t, s), new(summary.Scores).UnmarshalJSON, `"layout":"probability/9"`, `"layout":"loglinear/7"`},
		{"a part missing", text(t, s), new(summary.Scores).UnmarshalJSON, `"unlabelled"`, `"positive"`},
		{"moments with a sum too few", text(t, &m), new(summary.Moments).UnmarshalJSON, `"0x7p+0",`, ``},
		{"moments outside the range", text(t, &m), new(summary.Moments).UnmarshalJSON, `"0x7p+0",`, `"0x7p+9",`},
		{"moments with negative variance", text(t, &m), new(summary.Moments).UnmarshalJSON, `"0x15p+0",`, `"0x1p+0",`},
		{"moments with impossible kurtosis", text(t, &m), new(summary.Moments).UnmarshalJSON, `"0x111p+0"`, `"0x1p+0"`},
		{"moments with nothing", text(t, &m), new(summary.Moments).UnmarshalJSON, `"n":3`, `"n":0`},
		{"sum of nothing", text(t, &sum), new(summary.Sum).UnmarshalJSON, `"n":1`, `"n":0`},
		{"sum beyond its count", text(t, &sum), new(summary.Sum).UnmarshalJSON, `0x3p-1`, `0x3p+1024`},
		{"sum below the unit", text(t, &sum), new(summary.Sum).UnmarshalJSON, `0x3p-1`, `0x1p-1075`},
		{"sum with an even mantissa", text(t, &sum), new(summary.Sum).UnmarshalJSON, `0x3p-1`, `0x6p-2`},
		{"sum with a leading zero", text(t, &sum), new(summary.Sum).UnmarshalJSON, `0x3p-1`, `0x03p-1`},
		{"sum without exponent", text(t, &sum), new(summary.Sum).UnmarshalJSON, `0x3p-1`, `0x3`},
		{"sum that is minus zero", text(t, &sum), new(summary.Sum).UnmarshalJSON, `0x3p-1`, `-0x0p+0`},
		{"sum with nulls", text(t, &sum), new(summary.Sum).UnmarshalJSON, `"excluded":{}`, `"excluded":{"null":1}`},
		{"a category too many", text(t, c), new(summary.Categorical).UnmarshalJSON, `"cap":2`, `"cap":1`},
		{"a category too few", text(t, c), new(summary.Categorical).UnmarshalJSON, `"cap":2`, `"cap":3`},
		{"the default cap by name", text(t, new(summary.Categorical)), new(summary.Categorical).UnmarshalJSON, `"cap":0`, `"cap":4096`},
		{"a negative cap", text(t, c), new(summary.Categorical).UnmarshalJSON, `"cap":2`, `"cap":-2`},
		{"counts that overflow", `{"cap":0,"counts":[{"name":"a","n":1},{"name":"b","n":1}]}`, new(summary.Categorical).UnmarshalJSON, `"n":1},{`, `"n":18446744073709551615},{`},
		{"names out of order", `{"cap":0,"counts":[{"name":"a","n":1},{"name":"b","n":1}]}`, new(summary.Categorical).UnmarshalJSON, `"a"`, `"c"`},
		{"a name twice", `{"cap":0,"counts":[{"name":"a","n":1}]}`, new(summary.Categorical).UnmarshalJSON, `"name":"a"`, `"name":"a","bytes":"/w=="`},
		{"a name in base 64 without need", `{"cap":0,"counts":[{"name":"a","n":1}]}`, new(summary.Categorical).UnmarshalJSON, `"name":"a"`, `"bytes":"YQ=="`},
		{"ids that are more than the total", `{"total":2,"sample":[[5,1],[9,1]]}`, new(summary.Distinct).UnmarshalJSON, `[9,1]`, `[9,2]`},
		{"ids that overflow", `{"total":2,"sample":[[5,1],[9,1]]}`, new(summary.Distinct).UnmarshalJSON, `[9,1]`, `[9,18446744073709551615]`},
		{"ids out of order", `{"total":2,"sample":[[5,1],[9,1]]}`, new(summary.Distinct).UnmarshalJSON, `[9,1]`, `[5,1]`},
		{"an id without a count", `{"total":2,"sample":[[5,1],[9,1]]}`, new(summary.Distinct).UnmarshalJSON, `[9,1]`, `[9]`},
		{"trials that overflow", `{"true":1,"false":1}`, new(summary.Proportion).UnmarshalJSON, `"true":1`, `"true":18446744073709551615`},
		{"data after the object", `{"true":1,"false":1}`, new(summary.Proportion).UnmarshalJSON, `}`, `}{}`},
	}
	for _, c := range cases {
		if err := c.into([]byte(c.json)); err != nil {
			t.Errorf("%s: before the damage: %v", c.name, err)
		}
		damaged := strings.Replace(c.json, c.old, c.new, 1)
		if damaged == c.json {
			t.Errorf("%s: %q is not in %s", c.name, c.old, c.json)
			continue
		}
		if err := c.into([]byte(damaged)); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%s: error %v, want one wrapping %v", c.name, err, stats.ErrMismatch)
		}
	}
}

// The same for the sums of a cell, which JSON gives as words.
func TestDamagedCellSumsAreRefused(t *testing.T) {
	form := func(cell string) []byte {
		return []byte(`{"layout":"probability/9","n":3,"min":0.3,"max":0.3000001,"excluded":{},"cells":[` + cell + `]}`)
	}
	ok := histogram(layout(t, summary.Probability), 0.3, 0.3, 0.3000001)
	js := text(t, ok)
	cell := js[strings.Index(js, "[[")+1 : strings.Index(js, "]]")+1]
	words := strings.Split(strings.Trim(cell, "[]"), ",") // sign, key, n, sum in 2, squares in 3
	if err := new(summary.Histogram).UnmarshalJSON(form(cell)); err != nil {
		t.Fatalf("before the damage: %v", err)
	}
	for i, bad := range map[int][]string{
		0: {"1", "2"},
		1: {"0", "1", "4294967296", "18446744073709551615", "522750", "1046529"},
		2: {"0", "2", "18446744073709551615", "140737488355328"},
		3: {"1", "4294967296"},
		4: {"0", "1", "18446744073709551615"},
		5: {"1", "4294967295"},
		6: {"18446744073709551615"},
		7: {"0"},
	} {
		for _, w := range bad {
			damaged := append([]string{}, words...)
			damaged[i] = w
			if err := new(summary.Histogram).UnmarshalJSON(form("[" + strings.Join(damaged, ",") + "]")); !errors.Is(err, stats.ErrMismatch) {
				t.Errorf("word %d of %s as %s: error %v, want one wrapping %v", i, cell, w, err, stats.ErrMismatch)
			}
		}
	}
}

// Keys that lie on no cell, or on one into which no float64 can fall.
func TestImpossibleCellsAreRefused(t *testing.T) {
	for _, key := range []int{
		1 + 1,                     // inside a coarse cell
		1<<20 - 2048 - 2,          // above 1 - 2^-53
		2*(1022<<9) + 1 - 1,       // the mirror image of the smallest number
		2*(1022<<9) + 1 - 500*512, // where no float64 lies
	} {
		js := []byte(`{"layout":"probability/9","n":1,"min":0.5,"max":0.5,"excluded":{},"cells":[[0,` + strconv.Itoa(key) + `,1,0,0,0,0,0]]}`)
		if err := new(summary.Histogram).UnmarshalJSON(js); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("key %d: error %v, want one wrapping %v", key, err, stats.ErrMismatch)
		}
	}
}

// A small input must not make the decoder set aside much memory.
func TestDecodersDoNotTrustLengths(t *testing.T) {
	long := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}
	for n := range 40 {
		b := append([]byte{1, 3, 0, 0, 0, 0, 0, 0}, make([]byte, n)...)
		b = append(b, long...)
		for name, into := range decoders() {
			if err := into(b); err == nil {
				t.Errorf("%s accepts % x", name, b)
			}
		}
	}
}

func decoders() map[string]func([]byte) error {
	return map[string]func([]byte) error{
		"Histogram":   new(summary.Histogram).UnmarshalBinary,
		"Scores":      new(summary.Scores).UnmarshalBinary,
		"PairGrid":    new(summary.PairGrid).UnmarshalBinary,
		"Categorical": new(summary.Categorical).UnmarshalBinary,
		"Distinct":    new(summary.Distinct).UnmarshalBinary,
		"Proportion":  new(summary.Proportion).UnmarshalBinary,
		"Sum":         new(summary.Sum).UnmarshalBinary,
		"Moments":     new(summary.Moments).UnmarshalBinary,
	}
}

// The sum of a Sum in JSON is a number that other languages read.
func TestSumJSON(t *testing.T) {
	for x, want := range map[float64]string{
		0:                           `{"n":1,"excluded":{},"sum":"0x0p+0"}`,
		-1.5:                        `{"n":1,"excluded":{},"sum":"-0x3p-1"}`,
		math.SmallestNonzeroFloat64: `{"n":1,"excluded":{},"sum":"0x1p-1074"}`,
		math.MaxFloat64:             `{"n":1,"excluded":{},"sum":"0x1fffffffffffffp+971"}`,
	} {
		var s summary.Sum
		s.Add(x)
		if got := text(t, &s); got != want {
			t.Errorf("JSON of %v = %s, want %s", x, got, want)
		}
	}
}
