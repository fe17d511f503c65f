package stats_test

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
)

// The JSON form of finite numbers is that of encoding/json, to the byte.
func TestFloatJSONIsThatOfTheStandardLibrary(t *testing.T) {
	check := func(t rapid.TB, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(stats.Float(v))
		if err != nil || string(got) != string(want) {
			t.Errorf("%v: %s, want %s: %v", v, got, want, err)
		}
		interval := stats.Interval{Point: v, Lo: -v, Hi: math.Inf(1), Level: 0.9}
		b, err := json.Marshal(interval)
		if err != nil {
			t.Fatal(err)
		}
		var back stats.Interval
		if err := json.Unmarshal(b, &back); err != nil || back != interval {
			t.Errorf("%s reads back as %v: %v", b, back, err)
		}
	}
	for _, v := range []float64{0, math.Copysign(0, -1), 1, 1e-6, 9.99e-7, 1e-9, 1e-10, 1e20, 1e21, 5e-324, math.MaxFloat64, 0.1, 123456789.123} {
		check(t, v)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.Float64().Draw(t, "v")) })
}
