package simulation_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/stats"
)

func load(t testing.TB, path string) *analysis.Policy {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := analysis.LoadPolicy(path, data, checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const small = "testdata/small.yaml"

// served is traffic for the small policy.
func served() planning.Traffic {
	return planning.Traffic{
		BaseRates: map[string]float64{"label": 0.3, "error": 0.01, "refunds": 0.05, "tickets": 0.002},
		Moments: map[string]planning.Moments{
			"latency_ms": {Mean: 50, SD: 30}, "amount": {Mean: 80, SD: 120}, "cpu": {Mean: 0.5, SD: 0.05},
			"basket": {Mean: 40, SD: 20}, "queue_ms": {Mean: 10, SD: 5},
		},
		Shares: map[string]map[string]float64{"country": {"DE": 0.6, "FR": 0.3, "IT": 0.1}, "device": {"phone": 0.7, "desk": 0.3}},
	}
}

// sameFloats lets NaN be equal to NaN.
var sameFloats = cmp.Comparer(func(a, b stats.Float) bool { return a == b || a != a && b != b })
