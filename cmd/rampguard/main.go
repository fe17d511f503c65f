// Command rampguard says, from prediction logs, whether a model rollout may
// continue, must pause, or must roll back.
//
//	rampguard policy init --log b.parquet > policy.yaml
//	rampguard policy check policy.yaml
//	rampguard check --policy policy.yaml --baseline 'b*.parquet' --candidate c.parquet
//
// The exit status of check is the verdict: 0 continue, 75 pause until more evidence
// is there, 3 pause until a person has looked, 1 roll back, 2 the verdict could not
// be computed.
//
// The other commands are
//
//	explain        what a recorded verdict rests on and what would change it
//	replay         recorded verdicts computed again and compared byte for byte
//	policy import  a file of Kayenta, Flagger, Argo Rollouts, Keptn or OpenSLO as a policy
//	policy lint    the traps in an AnalysisTemplate of Argo Rollouts
//	leadtime       the lead time from sign-off to production, and where it goes
//	slo            the error budget of an objective, and whether models may be promoted
//	thresholds     thresholds for a candidate that keep the rates of the actions
//	labels         how long labels take to arrive
//	release check  whether a model may be deployed at all, from the contract of its artifact
//	serve          the gate that Flagger, Argo Rollouts and Kayenta's clients ask
//	version        the version of the command and of the verdict engine
//
// and, before a launch, plan, simulate and backtest; see rampguard COMMAND --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
)

// limitMemory keeps the garbage of "check" within the memory that its help promises,
// unless GOMEMLIMIT says otherwise: it is a goal for the collector, not a bound. Joins
// have a limit of their own.
func limitMemory() {
	const goal = 250 << 20
	join := func(arg string) bool { return strings.HasPrefix(arg, "--join") }
	if len(os.Args) > 1 && os.Args[1] == "check" && os.Getenv("GOMEMLIMIT") == "" && !slices.ContainsFunc(os.Args, join) {
		debug.SetMemoryLimit(goal)
	}
}

func main() {
	limitMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
