package main

import (
	"bytes"
	"io"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

const example = "../../../../examples/policies/fraud.yaml"

// most is the number of false alarms in n rollouts that a policy with a probability
// of alpha exceeds with a probability of 0.001 at most.
func most(n uint64, alpha float64) uint64 {
	k := uint64(0)
	for (distuv.Binomial{N: float64(n), P: alpha}).CDF(float64(k)) < 0.999 {
		k++
	}
	return k
}

// TestAcceptance is the short form of what the command measures at length.
func TestAcceptance(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred looks of each kind")
	}
	out, err := report(io.Discard, example, sizes{sound: 60, harmed: 8, seed: 7, every: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.sound {
		if limit := most(r.Rollouts, 0.05); r.Alarms.N > limit || r.RolledBack.N > limit {
			t.Errorf("%s: %d false alarms, %d rollbacks, want at most %d", r.Scenario, r.Alarms.N, r.RolledBack.N, limit)
		}
	}
	for _, r := range out.sound[:2] {
		if r.Completed.N < r.Rollouts-3 {
			t.Errorf("%s: %d of %d rollouts were completed, want nearly all", r.Scenario, r.Completed.N, r.Rollouts)
		}
	}
	for _, r := range out.harmed {
		if r.Alarms.N+1 < r.Rollouts {
			t.Errorf("%s: caught in %d of %d, want nearly all", r.Scenario, r.Alarms.N, r.Rollouts)
		}
	}
}

func TestReportRepeats(t *testing.T) {
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if _, err := report(w, example, sizes{sound: 2, harmed: 1, seed: 3, every: 15 * time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	if a.String() != b.String() {
		t.Errorf("the same seed gives two reports:\n%s\n%s", a.String(), b.String())
	}
}
