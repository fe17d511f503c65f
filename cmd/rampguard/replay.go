package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/analysis"
)

func newReplay(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "replay ROLLOUT|RECORD...",
		Short: "Compute recorded verdicts again and compare them byte for byte",
		Long: `replay takes the folder of a rollout (see check --rollout), or single records in
it. It checks the chain of the records, computes each verdict again from the stored
policy and evidence, and says whether it comes out the same, byte for byte.

Exit status: 0 when all verdicts are the same, 2 when one is not or could not be
computed.`,
		Example: `  rampguard replay rollouts/fraud-v2.1
  rampguard replay rollouts/fraud-v2.1/records/000012.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, paths []string) error {
			var faults []error
			for _, path := range paths {
				faults = append(faults, replay(stdout, path))
			}
			return errors.Join(faults...)
		},
	}
}

func replay(w io.Writer, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return replayRecord(w, rollout{dir: filepath.Dir(filepath.Dir(path))}, path)
	}
	r := rollout{dir: path}
	n, err := r.some()
	if err != nil {
		return err
	}
	var before *analysis.Verdict
	for i := 1; i <= n; i++ {
		v, err := readRecord(r.recordPath(i))
		if err != nil {
			return err
		}
		if err := v.Verify(before); err != nil {
			return fmt.Errorf("%s: %w", r.recordPath(i), err)
		}
		if err := replayRecord(w, r, r.recordPath(i)); err != nil {
			return err
		}
		before = v
	}
	_, err = fmt.Fprintf(w, "%d records, chain unbroken, all the same; the last is %s\n", n, before.Record.Digest)
	return err
}

func replayRecord(w io.Writer, r rollout, path string) error {
	v, err := readRecord(path)
	if err != nil {
		return err
	}
	p, err := r.policy(v.Record.PolicyDigest)
	if err != nil {
		return fmt.Errorf("%s: policy: %w", path, err)
	}
	var shadows []*analysis.Policy
	for _, s := range v.Shadows {
		sp, err := r.policy(s.PolicyDigest)
		if err != nil {
			return fmt.Errorf("%s: shadow policy: %w", path, err)
		}
		shadows = append(shadows, sp)
	}
	if _, err := analysis.ReplayFrom(v, p, analysis.Archive{Snapshot: r.snapshot, Pairs: r.pairs}, shadows...); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	_, err = fmt.Fprintf(w, "%s: the same, %v\n", path, v.Headline())
	return err
}

func newExplain(stdout io.Writer) *cobra.Command {
	var format string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "explain ROLLOUT|RECORD",
		Short: "Say what a recorded verdict rests on and what would change it",
		Long: `explain prints a recorded verdict: for each check what was seen, the bound, the
sizes of the arms, and what would change the outcome. Of a rollout folder it takes
the last record. A record that was changed is refused.

Exit status: 0 when it was printed, 2 when it could not be read.`,
		Example: `  rampguard explain rollouts/fraud-v2.1
  rampguard explain rollouts/fraud-v2.1/records/000012.json --format markdown`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			write, err := reportWriter(format, verbose)
			if err != nil {
				return err
			}
			path := args[0]
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				n, err := rollout{dir: path}.some()
				if err != nil {
					return err
				}
				path = rollout{dir: path}.recordPath(n)
			}
			v, err := readRecord(path)
			if err != nil {
				return err
			}
			return write(stdout, v)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, markdown, json or junit")
	cmd.Flags().BoolVar(&verbose, "verbose", true, "text: show the numbers of findings that passed, too")
	return cmd
}
