// Command customprovider shows how to bring metrics from a place that has no adapter:
// here the access logs of two deployments, as lines of "STATUS MILLISECONDS". The
// provider turns what it finds into measurements of a window, says what it could not
// get, and leaves the judging to the engine.
//
//	go run ./examples/customprovider BASELINE.log CANDIDATE.log
package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

//go:embed policy.yaml
var policyFile []byte

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: customprovider BASELINE.log CANDIDATE.log")
		os.Exit(2)
	}
	v, err := judge(os.Args[1], os.Args[2], time.Now())
	if err != nil {
		fmt.Fprintln(os.Stderr, "customprovider:", err)
		os.Exit(2)
	}
	if err := v.WriteText(os.Stdout, analysis.TextOptions{}); err != nil {
		os.Exit(2)
	}
	os.Exit(v.ExitCode())
}

// judge looks at the last hour of both deployments.
func judge(baseline, candidate string, now time.Time) (analysis.Verdict, error) {
	policy, err := analysis.LoadPolicy("policy.yaml", policyFile, checks.Builtin())
	if err != nil {
		return analysis.Verdict{}, err
	}
	spec, err := policy.Spec()
	if err != nil {
		return analysis.Verdict{}, err
	}
	look := analysis.Look{Evidence: make([]analysis.StageEvidence, 1), Now: now}
	for _, arm := range []struct {
		name, path string
		dst        **analysis.Snapshot
	}{{"baseline", baseline, &look.Evidence[0].Baseline}, {"candidate", candidate, &look.Evidence[0].Candidate}} {
		s, err := measure(spec, arm.path, now.Add(-time.Hour), now)
		if err != nil {
			// A source that fails is neither harm nor zero: say so, and go on.
			look.Problems = append(look.Problems, analysis.SourceProblem{Arm: arm.name, Text: err.Error()})
		}
		*arm.dst = s
	}
	return policy.Evaluate(look)
}

// measure brings the metrics of one arm over a window. A log without lines has no
// data, which is not the same as no errors: its counts stay nil.
func measure(spec *analysis.Spec, path string, start, end time.Time) (*analysis.Snapshot, error) {
	s := analysis.NewSnapshot(spec)
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	served, failed, latency, err := read(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return s, err
	}
	errorsSeen := analysis.Measurement{Metric: "errors", Start: start, End: end}
	slow := analysis.Measurement{Metric: "latency", Start: start, End: end, Edges: edges}
	if served > 0 {
		errorsSeen.Count, errorsSeen.Total = &served, &failed
		slow.Buckets = latency
	}
	return s, errors.Join(s.AddMeasurement(errorsSeen), s.AddMeasurement(slow))
}

// edges are the bounds of the latency buckets in milliseconds. A bound that the
// policy judges is best an edge.
var edges = []float64{10, 25, 50, 100, 250, 500}

func read(r io.Reader) (served, failed float64, latency []uint64, err error) {
	latency = make([]uint64, len(edges)+1)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		var status int
		var ms float64
		if _, err := fmt.Sscan(lines.Text(), &status, &ms); err != nil {
			return 0, 0, nil, fmt.Errorf("line %d: %w", n, err)
		}
		served++
		if status >= 500 {
			failed++
		}
		i := 0
		for i < len(edges) && ms >= edges[i] {
			i++
		}
		latency[i]++
	}
	return served, failed, latency, lines.Err()
}
