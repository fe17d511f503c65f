package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/analysis"
)

// exitError is the status for a verdict that could not be computed.
const exitError = 2

// verdictStatus carries the exit status of a computed verdict through cobra,
// which knows errors only.
type verdictStatus int

func (s verdictStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

const exitCodes = `Exit status:
  0   continue: every required check shows no material harm
  75  pause, resume auto: wait for more evidence, then look again
  3   pause, resume manual: a person has to look
  1   roll back: harm is proven
  2   the verdict could not be computed (bad policy, missing or damaged file)`

// run is the whole command: it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var status verdictStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	_, _ = fmt.Fprintf(stderr, "rampguard: %v\n", err) // where else could this fault go
	return exitError
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "rampguard",
		Short: "Say from prediction logs whether a model rollout may continue, must pause or must roll back",
		Long: `rampguard compares the prediction logs of a baseline model and of a candidate
under a policy file and says whether the rollout may continue, must pause, or
must roll back, with every number behind the answer.

` + exitCodes,
		Example: `  rampguard policy init --log baseline.parquet > policy.yaml
  rampguard policy check policy.yaml
  rampguard check --policy policy.yaml --baseline 'baseline*.parquet' --candidate candidate.parquet`,
		Version:       moduleVersion(),
		RunE:          noCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newCheck(stdout, stderr), newExplain(stdout), newLeadtime(stdout), newReplay(stdout), newSLO(stdout), newPlan(stdout, stderr), newSimulate(stdout, stderr), newBacktest(stdout, stderr), newPolicy(stdout, stderr),
		newThresholds(stdout, stderr), newLabels(stdout), newRelease(stdout, stderr), newServe(stdout, stderr), newVersion(stdout))
	return root
}

// noCommand is what a command does that only has commands below it. It is an
// error, because to a script the exit status 0 means continue.
func noCommand(cmd *cobra.Command, args []string) error {
	what := "no command given"
	if len(args) > 0 {
		what = fmt.Sprintf("unknown command %q", args[0])
	}
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	return fmt.Errorf("%s; there are %s (see %s --help)", what, strings.Join(known, ", "), cmd.CommandPath())
}

// moduleVersion is the version that the Go tool built into the command.
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func newVersion(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the command and of the verdict engine",
		Example: "  rampguard version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(stdout, "rampguard %s, engine %s, verdict schema %s\n", moduleVersion(), analysis.EngineVersion, analysis.VerdictSchema)
			return err
		},
	}
}
