// Command embed is a small rollout controller over a simulated service: it shows
// how a controller embeds the library (controller.go), and drives one rollout
// through all its stages, with an outage of the monitoring on the way, and one
// into a rollback.
//
//	go run ./examples/embed
package main

import (
	_ "embed"
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
	for _, act := range []struct {
		title     string
		errorRate float64
	}{{"A sound candidate; the monitoring fails from minute 14 to 18.", 0.010}, {"A candidate that fails five times as often.", 0.050}} {
		fmt.Println(act.title)
		if err := rollout(os.Stdout, act.errorRate); err != nil {
			fmt.Fprintln(os.Stderr, "embed:", err)
			os.Exit(2)
		}
	}
}

// rollout plays one rollout, a look a minute, and tells what happens.
func rollout(w io.Writer, errorRate float64) error {
	policy, err := analysis.LoadPolicy("policy.yaml", policyFile, checks.Builtin())
	if err != nil {
		return err
	}
	spec, err := policy.Spec()
	if err != nil {
		return err
	}
	svc := newService(spec, 7, map[string]float64{"baseline": 0.010, "candidate": errorRate})
	ctl := newController(policy, func(percent float64) { svc.weight = percent; svc.begin() })
	start := time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)
	last := ""
	for minute := 1; minute <= 120 && !ctl.finished; minute++ {
		now := start.Add(time.Duration(minute) * time.Minute)
		if err := svc.serve(now.Add(-time.Minute), 3000); err != nil {
			return err
		}
		var problems []analysis.SourceProblem
		if minute >= 14 && minute < 18 {
			problems = []analysis.SourceProblem{{Text: "the metrics store does not answer"}}
		}
		baseline, candidate, err := svc.evidence()
		if err != nil {
			return err
		}
		v, err := ctl.look(now, baseline, candidate, problems, nil)
		if err != nil {
			return err
		}
		if line := fmt.Sprintf("%s %s (%s), %s", v.Stage, v.Decision, v.Reasons[0].Code, v.Step); line != last {
			if _, err := fmt.Fprintf(w, "  minute %2d: %s; the candidate gets %v%%\n", minute, line, svc.weight); err != nil {
				return err
			}
			last = line
		}
	}
	return nil
}
