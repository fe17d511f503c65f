package sla_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
	_ "time/tzdata" // zones on every machine

	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats/statstest"
)

const day = 24 * time.Hour

// start is the Unix epoch of the tests: a Monday, on every grid of slices.
var start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func must[T any](v T, err error) func(fatal) T {
	return func(t fatal) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	return must(time.LoadLocation(name))(t)
}

// every makes n samples, one a step, the first one step after from.
func every(from time.Time, step time.Duration, n int, counts func(i int) sla.Counts) []sla.Sample {
	out := make([]sla.Sample, n)
	for i := range out {
		out[i] = sla.Sample{At: from.Add(time.Duration(i+1) * step), Counts: counts(i)}
	}
	return out
}

func of(good, total float64) sla.Counts { return sla.Counts{Good: good, Total: total} }

// firstBad is total events a sample, all of them bad in the first k samples.
func firstBad(k int, total float64) func(int) sla.Counts {
	return func(i int) sla.Counts {
		if i < k {
			return of(0, total)
		}
		return of(total, total)
	}
}

func one(at time.Time, good, total float64) []sla.Sample {
	return []sla.Sample{{At: at, Counts: of(good, total)}}
}

type goldenCase struct {
	ID     string                     `json:"id"`
	Input  map[string]json.RawMessage `json:"input"`
	Expect map[string]json.RawMessage `json:"expect"`
	Tol    float64                    `json:"tol"`
}

func goldenCases(t testing.TB) map[string]goldenCase {
	t.Helper()
	b := must(os.ReadFile(filepath.Join(statstest.Root(t), "testdata", "cases", "leadtime_sla_cases.json")))(t)
	var file struct{ Cases []goldenCase }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]goldenCase{}
	for _, c := range file.Cases {
		out[c.ID] = c
	}
	return out
}

func decode[T any](t testing.TB, m map[string]json.RawMessage, key string) (v T) {
	t.Helper()
	statstest.Decode(t, m, key, &v)
	return v
}

// fatal is what tests, benchmarks and properties have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
}
