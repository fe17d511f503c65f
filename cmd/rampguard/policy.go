package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

func newPolicy(stdout, stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Write and check policy files",
		Example: `  rampguard policy init --log baseline.parquet > policy.yaml
  rampguard policy check policy.yaml`,
		RunE: noCommand,
	}
	cmd.AddCommand(newPolicyInit(stdout), newPolicyCheck(stdout), newPolicyImport(stdout, stderr), newPolicyLint(stdout))
	return cmd
}

func newPolicyInit(stdout io.Writer) *cobra.Command {
	var log, output string
	var force bool
	cmd := &cobra.Command{
		Use:   "init --log FILE",
		Short: "Write a commented policy from the columns of a log",
		Long: `init looks at the columns of a Parquet log, guesses which one is the score, the
label, the time, the unit and the action, and writes a policy with comments that
say what each line does. Read it and correct it before you rely on it.`,
		Example: `  rampguard policy init --log baseline.parquet > policy.yaml
  rampguard policy init --log baseline.parquet --output policy.yaml`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := parquetrows.Schema(log)
			if err != nil {
				return err
			}
			var columns []analysis.DraftColumn
			for _, c := range schema {
				columns = append(columns, analysis.DraftColumn{Name: c.Name, Type: c.Type})
			}
			draft := analysis.DraftPolicy(columns)
			return writePolicy(stdout, output, force, draft)
		},
	}
	cmd.Flags().StringVar(&log, "log", "", "Parquet file whose columns to use (required)")
	cmd.Flags().StringVar(&output, "output", "", "write to this file instead of standard output")
	cmd.Flags().BoolVar(&force, "force", false, "replace the file if it exists")
	_ = cmd.MarkFlagRequired("log") // the flag exists
	return cmd
}

// writePolicy writes a policy that was made to a file or, without one, to standard
// output. A file that exists stays unless it may be replaced.
func writePolicy(stdout io.Writer, output string, replace bool, policy []byte) error {
	if output == "" {
		_, err := stdout.Write(policy)
		return err
	}
	if _, err := os.Stat(output); err == nil && !replace {
		return fmt.Errorf("%s exists; choose another name, or --force to replace it", output)
	}
	return writeFile(output, policy)
}

func newPolicyCheck(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Check policy files and say what they ask for",
		Long: `check loads policy files as "rampguard check" would. Every fault is printed with
its line and column. The exit status is 0 when all files are sound and 2 when
one is not.`,
		Example: "  rampguard policy check policy.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, paths []string) error {
			var faults []error
			for _, path := range paths {
				p, err := loadPolicy(path)
				if err != nil {
					faults = append(faults, err)
					continue
				}
				if err := describePolicy(stdout, path, p); err != nil {
					return err
				}
			}
			return errors.Join(faults...)
		},
	}
}

func describePolicy(w io.Writer, path string, p *analysis.Policy) error {
	required := 0
	for _, c := range p.Checks {
		if c.Required {
			required++
		}
	}
	if _, err := fmt.Fprintf(w, "%s: sound; %d checks, %d of them required; %d stages; digest %.12s\n", path, len(p.Checks), required, len(p.Stages), p.Digest); err != nil {
		return err
	}
	for _, warning := range p.Warnings {
		if _, err := fmt.Fprintf(w, "  warning: %s\n", warning); err != nil {
			return err
		}
	}
	return nil
}
