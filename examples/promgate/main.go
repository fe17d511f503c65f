// Command promgate gates a rollout on the metrics of a Prometheus server: it looks
// until the verdict is final, and its exit status is the verdict (0 continue, 1 roll
// back, 3 a person has to look, 75 stopped while it waited, 2 no verdict).
//
//	go run ./examples/promgate --config examples/promgate/config.yaml --policy examples/promgate/policy.yaml --since 10m --once
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "promgate:", err)
	}
	os.Exit(code)
}

// gate is what stays the same from look to look.
type gate struct {
	policy   *analysis.Policy
	spec     *analysis.Spec
	provider *promquery.Provider
	start    time.Time
	state    *analysis.State // a real gate stores it, and the verdicts
}

func run(ctx context.Context, args []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("promgate", flag.ContinueOnError)
	config := flags.String("config", "", "server, arms and queries; see the documentation of package promquery")
	policy := flags.String("policy", "", "policy file")
	since := flags.Duration("since", 0, "how long the candidate has been served already")
	every := flags.Duration("every", time.Minute, "time between looks")
	once := flags.Bool("once", false, "look once and print the whole verdict")
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	if *config == "" || *policy == "" {
		return 2, errors.New("give -config FILE and -policy FILE, such as those beside this example")
	}
	g, err := open(*config, *policy, time.Now().Add(-*since))
	if err != nil {
		return 2, err
	}
	defer g.provider.Close()
	for {
		v, err := g.look(ctx, time.Now(), out)
		switch {
		case errors.Is(err, context.Canceled):
			return 75, nil
		case err != nil:
			return 2, err
		case *once:
			return v.ExitCode(), v.WriteText(out, analysis.TextOptions{})
		}
		if _, err := fmt.Fprintf(out, "%s: %s\n", v.Headline(), v.Reasons[0].Text); err != nil {
			return 2, err
		}
		if v.Decision != analysis.Pause || v.Resume == analysis.Manual {
			return v.ExitCode(), nil
		}
		select {
		case <-time.After(*every):
		case <-ctx.Done():
			return 75, nil
		}
	}
}

// open reads the two files.
func open(config, policy string, start time.Time) (*gate, error) {
	g := &gate{start: start}
	b, err := os.ReadFile(policy)
	if err != nil {
		return nil, err
	}
	if g.policy, err = analysis.LoadPolicy(policy, b, checks.Builtin()); err != nil {
		return nil, err
	}
	if g.spec, err = g.policy.Spec(); err != nil {
		return nil, err
	}
	if b, err = os.ReadFile(config); err != nil {
		return nil, err
	}
	c, err := promquery.LoadConfig(config, b)
	if err != nil {
		return nil, err
	}
	g.provider, err = promquery.New(c)
	return g, err
}

// look asks the server for everything since the start, and the policy for a verdict.
func (g *gate) look(ctx context.Context, now time.Time, out io.Writer) (analysis.Verdict, error) {
	e, err := g.provider.Collect(ctx, g.spec, promquery.Window{Start: g.start}, now)
	if err != nil {
		return analysis.Verdict{}, err
	}
	for _, note := range e.Notes {
		if _, err := fmt.Fprintln(out, "note:", note); err != nil {
			return analysis.Verdict{}, err
		}
	}
	v, err := g.policy.Evaluate(analysis.Look{
		Evidence: []analysis.StageEvidence{{Baseline: e.Baseline, Candidate: e.Candidate}},
		Problems: e.Problems(), State: g.state, Now: now,
	})
	if err == nil {
		g.state = &v.State
	}
	return v, err
}
