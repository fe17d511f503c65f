package main

import (
	"context"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

func TestJudgesTheFlights(t *testing.T) {
	const flights = "../../testdata/flights/"
	for candidate, want := range map[string]analysis.Decision{
		"candidate.parquet":        analysis.Continue,
		"candidate_broken.parquet": analysis.Pause,
	} {
		v, err := judge(context.Background(), flights+"policy.yaml", flights+"baseline.parquet", flights+candidate, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if v.Decision != want {
			t.Errorf("%s: %v, want %v", candidate, v.Decision, want)
		}
	}
}
