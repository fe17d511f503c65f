package planning_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/stats"
)

func TestTrafficFromText(t *testing.T) {
	var got planning.Traffic
	for _, err := range []error{
		got.AddRate("error=0.1%"), got.AddRate("tickets=0.002"),
		got.AddMoments("latency_ms=50, 30"),
		got.AddShares("country=DE:40,FR:60"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := planning.Traffic{
		BaseRates: map[string]float64{"error": 0.001, "tickets": 0.002},
		Moments:   map[string]planning.Moments{"latency_ms": {Mean: 50, SD: 30}},
		Shares:    map[string]map[string]float64{"country": {"DE": 40, "FR": 60}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, text := range []string{"", "error", "=1", "error=", "error=x", "error=-1", "error=2x", "error=NaN"} {
		if err := got.AddRate(text); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("rate %q: %v", text, err)
		}
	}
	for _, text := range []string{"", "x", "x=1", "x=1,", "x=1,-1", "x=NaN,1", "x=1,Inf", "=1,1"} {
		if err := got.AddMoments(text); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("moments %q: %v", text, err)
		}
	}
	for _, text := range []string{"", "x", "x=", "x=a", "x=a:", "x=:1", "x=a:-1", "x=a:0", "=a:1"} {
		if err := got.AddShares(text); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("shares %q: %v", text, err)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("text that is refused changes the traffic: %s", d)
	}
}
