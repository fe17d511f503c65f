package sequential_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/rampguard/rampguard/stats/statstest"
)

type golden struct {
	ID       string                     `json:"id"`
	Inputs   map[string]json.RawMessage `json:"inputs"`
	Expected json.RawMessage            `json:"expected"`
}

// goldens loads the published and computed cases of testdata/cases.
func goldens(t *testing.T, file string) map[string]golden {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(statstest.Root(t), "testdata", "cases", file))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []golden }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	m := make(map[string]golden, len(all.Cases))
	for _, c := range all.Cases {
		m[c.ID] = c
	}
	return m
}

func (g golden) in(t *testing.T, key string, v any) {
	t.Helper()
	statstest.Decode(t, g.Inputs, key, v)
}

func (g golden) want(t *testing.T, key string, v any) {
	t.Helper()
	if key == "" {
		if err := json.Unmarshal(g.Expected, v); err != nil {
			t.Fatal(err)
		}
		return
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(g.Expected, &m); err != nil {
		t.Fatal(err)
	}
	statstest.Decode(t, m, key, v)
}

// check compares lists under an absolute tolerance.
func check(t *testing.T, what string, got, want []float64, atol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
	for i := range got {
		statstest.Near(t, what, got[i], want[i], 0, atol)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
