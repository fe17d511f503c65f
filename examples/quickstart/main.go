// Command quickstart embeds the library as a rollout controller would: it loads a
// policy, collects the evidence of both arms from Parquet logs, and acts on the
// verdict.
//
//	go run ./examples/quickstart policy.yaml baseline.parquet candidate.parquet
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: quickstart POLICY BASELINE CANDIDATE")
		os.Exit(2)
	}
	verdict, err := judge(context.Background(), os.Args[1], os.Args[2], os.Args[3], time.Now())
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(2)
	}
	fmt.Println(verdict.Headline())
	switch verdict.Decision {
	case analysis.Continue:
		fmt.Println("raise the candidate's weight")
	case analysis.Pause:
		fmt.Printf("hold the weight (resume: %s, look again in %s)\n", verdict.Resume, verdict.CheckAfter)
	case analysis.Rollback:
		fmt.Println("take the candidate out")
	}
}

func judge(ctx context.Context, policyFile, baselineLog, candidateLog string, now time.Time) (analysis.Verdict, error) {
	data, err := os.ReadFile(policyFile)
	if err != nil {
		return analysis.Verdict{}, err
	}
	policy, err := analysis.LoadPolicy(policyFile, data, checks.Builtin())
	if err != nil {
		return analysis.Verdict{}, err
	}
	spec, err := policy.Spec()
	if err != nil {
		return analysis.Verdict{}, err
	}
	baseline, err := parquetrows.Collect(ctx, spec, parquetrows.Options{}, baselineLog)
	if err != nil {
		return analysis.Verdict{}, err
	}
	candidate, err := parquetrows.Collect(ctx, spec, parquetrows.Options{}, candidateLog)
	if err != nil {
		return analysis.Verdict{}, err
	}
	return analysis.Evaluate(policy, baseline, candidate, nil, now)
}
