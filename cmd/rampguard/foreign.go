package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/analysis/foreign"
)

func newPolicyImport(stdout, stderr io.Writer) *cobra.Command {
	var from, output string
	var force, all bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Turn a file of Kayenta, Flagger, Argo Rollouts, Keptn or OpenSLO into a policy",
		Long: `import reads what another system judges a rollout by and writes a policy with
comments. Standard error says what became of each key that does not mean the same
in the policy: approximated or dropped, and why. With --all it says so of the
mapped keys, too. Put what belongs together, such as a Rollout and its
AnalysisTemplates, into one file, with --- between the documents.

The exit status is 0 when a policy was written and 2 when none could be.`,
		Example: `  rampguard policy import canary.yaml > policy.yaml
  rampguard policy import --from keptn slo.yaml --output policy.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, paths []string) error {
			data, err := os.ReadFile(paths[0])
			if err != nil {
				return err
			}
			got, err := foreign.Import(foreign.Kind(from), paths[0], data)
			for _, n := range got.Notes {
				if all || n.Severity != foreign.Mapped {
					_, _ = fmt.Fprintln(stderr, n) // the policy is what was asked for
				}
			}
			if err != nil {
				return err
			}
			return writePolicy(stdout, output, force, got.Policy)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "argo, flagger, kayenta, keptn or openslo (default: found out from the file)")
	cmd.Flags().StringVar(&output, "output", "", "write to this file instead of standard output")
	cmd.Flags().BoolVar(&force, "force", false, "replace the file if it exists")
	cmd.Flags().BoolVar(&all, "all", false, "report the keys that were mapped, too")
	return cmd
}

func newPolicyLint(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "lint FILE...",
		Short: "Find the traps in AnalysisTemplates of Argo Rollouts",
		Long: `lint reads AnalysisTemplates, ClusterAnalysisTemplates and AnalysisRuns of Argo
Rollouts and says where they decide otherwise than one would expect: a NaN that is
Successful, a query without a series that aborts, a limit that nothing can reach.

The exit status is 0 when nothing is worse than a warning, and 2 when something is
an error or a file cannot be read.`,
		Example: "  rampguard policy lint analysis-template.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, paths []string) error {
			var faults []error
			for _, path := range paths {
				data, err := os.ReadFile(path)
				if err != nil {
					faults = append(faults, err)
					continue
				}
				findings, err := foreign.LintArgo(path, data)
				if err != nil {
					faults = append(faults, err)
					continue
				}
				for _, f := range findings {
					if _, err := fmt.Fprintln(stdout, f); err != nil {
						return err
					}
				}
				if slices.ContainsFunc(findings, func(f foreign.Finding) bool { return f.Level == foreign.LevelError }) {
					faults = append(faults, fmt.Errorf("%s has errors", path))
				}
			}
			return errors.Join(faults...)
		},
	}
}
