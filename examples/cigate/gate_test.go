package cigate_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/analysistest"
	"github.com/rampguard/rampguard/analysis/checks"
)

const flights = "../../testdata/flights/"

// candidateLog is what the gate judges; in CI the log of the model in the pull request.
var candidateLog = flag.String("candidate", flights+"candidate.parquet", "log of the candidate")

// TestModel is the gate.
func TestModel(t *testing.T) {
	gate(t, flights+"policy.yaml", flights+"baseline.parquet", *candidateLog)
}

// tester is what the gate needs of a test.
type tester interface {
	analysistest.Failer
	Context() context.Context
}

// gate fails the test unless the policy continues on the two logs.
func gate(t tester, policyFile, baselineLog, candidateLog string) analysis.Verdict {
	t.Helper()
	data, err := os.ReadFile(policyFile)
	if err != nil {
		t.Fatalf("%v", err)
	}
	policy, err := analysis.LoadPolicy(policyFile, data, checks.Builtin())
	if err != nil {
		t.Fatalf("%v", err)
	}
	spec, err := policy.Spec()
	if err != nil {
		t.Fatalf("%v", err)
	}
	baseline, err := parquetrows.Collect(t.Context(), spec, parquetrows.Options{}, baselineLog)
	if err != nil {
		t.Fatalf("%v", err)
	}
	candidate, err := parquetrows.Collect(t.Context(), spec, parquetrows.Options{}, candidateLog)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return analysistest.Gate(t, policy, baseline, candidate, analysistest.GateOptions{})
}

// recorder stands for the test of somebody else: it keeps what would be printed.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// Fatalf ends the test around it: a gate that cannot be applied shows nothing.
func (r *recorder) Fatalf(format string, args ...any) {
	r.TB.Helper()
	r.TB.Fatalf(format, args...)
}

// What a developer sees whose candidate is broken: its scores are 1.6 times too high,
// and some of its flights are lost.
func TestFailureIsReadable(t *testing.T) {
	r := &recorder{TB: t}
	v := gate(r, flights+"policy.yaml", flights+"baseline.parquet", flights+"candidate_broken.parquet")
	if v.Decision != analysis.Pause || v.Resume != analysis.Manual || len(r.failures) != 1 {
		t.Fatalf("%v, %v, with %d failures; want one failure with a pause for a person", v.Decision, v.Resume, len(r.failures))
	}
	text := r.failures[0]
	t.Logf("a developer would see:\n%s", text)
	for _, want := range []string{
		"the policy does not continue",
		"PAUSE until a person has looked: flight-delay, logistic -> boosted", // the decision
		"Were the data sound, this would be a rollback",                      // what it may come to
		"Sample ratio mismatch: the candidate has 49.2% of the units",        // why
		"too little of hour=6",                                               // where to look
		"[harm/rollback, untrusted] guardrail brier",                         // each finding
		"60,185 against 46,597 labelled rows",                                // with its sizes
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("the failure does not say %q", want)
		}
	}
}
