package analysistest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/analysistest"
)

func TestGate(t *testing.T) {
	p := gatePolicy()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	accept := []analysis.Override{{Action: analysis.OverrideContinue, Who: "ann", Why: "known", Expires: now.Add(time.Hour)}}
	for _, tt := range []struct {
		why       string
		candidate *analysis.Snapshot
		options   analysistest.GateOptions
		want      string // in the failure; empty for none
	}{
		{"a sound model", served(p, 2000, 100), analysistest.GateOptions{}, ""},
		{"a harmful one", served(p, 2000, 5), analysistest.GateOptions{}, "ROLL BACK: fraud, v2.0 -> v2.1"},
		{"too few rows", served(p, 20, 100), analysistest.GateOptions{}, "PAUSE for more evidence"},
		{"no rows", nil, analysistest.GateOptions{}, "The candidate has served nothing yet."},
		{"too few rows, and that may be", served(p, 20, 100), analysistest.GateOptions{AllowAutoPause: true}, ""},
		{"harm is never let through as a pause", served(p, 2000, 5), analysistest.GateOptions{AllowAutoPause: true}, "ROLL BACK"},
		{"a person decides", served(p, 2000, 5), analysistest.GateOptions{Now: now, Overrides: accept}, ""},
		{"without the time no override counts", served(p, 2000, 5), analysistest.GateOptions{Overrides: accept}, "does not count"},
		{"an unknown stage", served(p, 2000, 100), analysistest.GateOptions{Stage: "canary"}, `the policy has no stage "canary"`},
	} {
		t.Run(tt.why, func(t *testing.T) {
			r := new(recorder)
			analysistest.Gate(r, p, served(p, 2000, 50), tt.candidate, tt.options)
			if tt.want == "" && len(r.failures) > 0 || !strings.Contains(r.text(), tt.want) {
				t.Errorf("want %q, got\n%s", tt.want, r.text())
			}
		})
	}
	r := new(recorder)
	if analysistest.Gate(r, nil, nil, nil, analysistest.GateOptions{}); len(r.failures) != 1 {
		t.Error("no policy passes")
	}
}
