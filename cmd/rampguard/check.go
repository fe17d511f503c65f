package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/analysis"
)

// checkOptions are the flags of "rampguard check".
type checkOptions struct {
	policy             string
	baseline           []string
	candidate          []string
	baselineSnapshots  []string
	candidateSnapshots []string
	format             string
	output             string
	snapshotOut        string
	workers            int
	at                 string
	quiet              bool
	verbose            bool

	stage        string
	rollout      string
	shadows      []string
	overrides    string
	reference    []string
	previous     []string
	measurements string
	prometheus   string
	since        time.Duration
	maxBad       int
	provider     []string
	pairs        pairOptions
}

func newCheck(stdout, stderr io.Writer) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check --policy FILE (--baseline GLOB | --baseline-snapshot FILE) (--candidate GLOB | --candidate-snapshot FILE)",
		Short: "Compare two prediction logs and print the verdict",
		Long: `check reads the prediction logs of both arms once, in memory that does not grow
with the number of rows (300 MiB for logs of 64 columns and a million names), applies the
policy, and prints the verdict.

Logs are Parquet, CSV (.csv, .tsv), JSON Lines (.jsonl, .ndjson; gzipped or not) or
Arrow (.arrow, .arrows) files; quote a pattern so that the shell leaves it alone. An arm
may be given as stored snapshots instead (see --snapshot-out): several snapshots
of one arm, such as one an hour, are added up.

Where the policy says how long labels take to mature, those of rows that are younger
at the time of the look do not count, in either arm. A stored snapshot keeps the
labels that counted when it was made.

Where both models scored the same requests, a policy with a section pairs compares
them request by request: --pairs names a log with both scores in each row, and needs
no arms beside; --join makes the pairs of the two logs, which stay the arms as well.
A check of the split has no place in such a policy, as all requests are in both arms.

With --rollout the runs of one rollout belong together: the folder remembers that
a rollback was proven, what a person has to accept, how long has been waited, and
the evidence of the stages before. Give each run the whole log of the present stage
so far; see also "rampguard replay" and "rampguard explain". Without --rollout each
run stands alone, and whoever calls it must remember.

` + exitCodes,
		Example: `  rampguard check --policy policy.yaml --baseline 'b*.parquet' --candidate c.parquet
  rampguard check --policy policy.yaml --baseline b.parquet --candidate c.parquet --format json --output verdict.json
  rampguard check --policy policy.yaml --baseline b.parquet --candidate c.parquet --format junit --output verdict.xml
  rampguard check --policy policy.yaml --baseline b.parquet --candidate c.parquet --snapshot-out evidence/
  rampguard check --policy policy.yaml --baseline-snapshot evidence/baseline.snapshot --candidate new.parquet
  rampguard check --policy policy.yaml --rollout rollouts/v2.1 --stage canary --baseline b.parquet --candidate c.parquet
  rampguard check --policy shadow.yaml --pairs 'shadow*.parquet'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unexpected argument %q; quote patterns so that the shell leaves them alone: --baseline 'dir/*.parquet'", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), stdout, stderr)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.policy, "policy", "", "policy file, YAML or JSON (required)")
	f.StringArrayVar(&o.baseline, "baseline", nil, "file or pattern of the baseline's log; may be repeated")
	f.StringArrayVar(&o.candidate, "candidate", nil, "file or pattern of the candidate's log; may be repeated")
	f.StringArrayVar(&o.baselineSnapshots, "baseline-snapshot", nil, "stored snapshot of the baseline, or a pattern, instead of its log; may be repeated")
	f.StringArrayVar(&o.candidateSnapshots, "candidate-snapshot", nil, "stored snapshot of the candidate, or a pattern, instead of its log; may be repeated")
	f.StringVar(&o.format, "format", "text", "text, markdown (for a pull request), json or junit (for a CI server)")
	f.StringVar(&o.output, "output", "", "write the report to this file and only the headline to standard output")
	f.StringVar(&o.snapshotOut, "snapshot-out", "", "store the evidence as baseline.snapshot, candidate.snapshot and pairs.snapshot in this folder")
	f.IntVar(&o.workers, "workers", 0, "goroutines that read (0: one per processor); the verdict does not depend on it")
	f.StringVar(&o.at, "at", "", "time of the look, RFC 3339 (default: now); deadlines are counted from it")
	f.StringVar(&o.stage, "stage", "", "name of the present stage of the policy; without it the evidence stands for itself")
	f.StringVar(&o.rollout, "rollout", "", "folder that remembers the rollout between runs, with all that a replay needs")
	f.StringArrayVar(&o.shadows, "shadow", nil, "another policy to apply beside, whose verdict is reported and never decides; may be repeated")
	f.StringVar(&o.overrides, "overrides", "", "YAML or JSON list of what people decided: action (accept, continue, pause, rollback), check, who, why, expires")
	f.StringArrayVar(&o.reference, "reference", nil, "log or snapshot for checks with baseline: reference; may be repeated")
	f.StringArrayVar(&o.previous, "previous", nil, "log or snapshot for checks with baseline: previous_window; may be repeated")
	f.IntVar(&o.maxBad, "max-bad", 0, "CSV and JSON Lines: bad rows that are put up with; they are counted and listed")
	f.StringVar(&o.prometheus, "prometheus", "", "configuration of a Prometheus server that brings the metrics of both arms, instead of logs")
	f.DurationVar(&o.since, "since", 10*time.Minute, "with --prometheus: how long before the first look at the stage the window begins")
	f.StringVar(&o.measurements, "measurements", "", "JSON Lines of provider metrics, a window each that overlaps no other: arm, metric, start, end, total, count, squares, edges, buckets")
	f.StringArrayVar(&o.provider, "source-failed", nil, "text of a source that failed, as NAME=TEXT; the checks of the column or metric NAME (without NAME: all) then wait; may be repeated")
	f.StringArrayVar(&o.pairs.logs, "pairs", nil, "log in which each row has the scores of both models, or stored pairs (.snapshot), or a pattern; may be repeated")
	f.BoolVar(&o.pairs.join, "join", false, "join the two logs by the unit column into pairs, beside what they are otherwise; for models that scored the same requests")
	f.StringVar(&o.pairs.joinBy, "join-by", "", "like --join, by the ids in this column")
	f.Int64Var(&o.pairs.memory, "join-memory", 256, "MiB for rows that wait for their partner; what does not fit goes to a temporary file (see TMPDIR)")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar")
	f.BoolVar(&o.verbose, "verbose", false, "text: show the numbers of findings that passed, too")
	_ = cmd.MarkFlagRequired("policy") // the flag exists
	return cmd
}

func (o *checkOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	write, err := reportWriter(o.format, o.verbose)
	if err != nil {
		return err
	}
	if err := o.checkOutput(); err != nil {
		return err
	}
	now := time.Now()
	if o.at != "" {
		if now, err = time.Parse(time.RFC3339, o.at); err != nil {
			return fmt.Errorf("--at: %w; write it as 2026-01-31T15:04:05Z", err)
		}
	}
	l, err := o.look(ctx, now, stderr)
	if err != nil {
		return err
	}
	verdict, err := l.policy.Evaluate(l.Look)
	if err != nil {
		return err
	}
	if o.snapshotOut != "" {
		if err := storeSnapshots(o.snapshotOut, l.baseline, l.candidate, l.pairs); err != nil {
			return fmt.Errorf("--snapshot-out: %w", err)
		}
	}
	if o.rollout != "" {
		if err := (rollout{dir: o.rollout}).store(l.records, &verdict, l.policies, l.snapshots()); err != nil {
			return fmt.Errorf("--rollout: %w", err)
		}
	}
	if err := o.report(verdict, withNote(write, o.format, l.pairNote, stderr), stdout); err != nil {
		return err
	}
	if code := verdict.ExitCode(); code != 0 {
		return verdictStatus(code)
	}
	return nil
}

// arm collects the evidence of one arm, with labels of rows served before a time,
// or loads it.
func (o *checkOptions) arm(ctx context.Context, name string, spec *analysis.Spec, matureBefore time.Time, logs, snapshots []string, stderr io.Writer) (*analysis.Snapshot, error) {
	switch {
	case len(logs) > 0 && len(snapshots) > 0:
		return nil, fmt.Errorf("--%s and --%s-snapshot exclude each other", name, name)
	case len(logs) == 0 && len(snapshots) == 0 && o.measurements != "":
		return analysis.NewSnapshot(spec), nil
	case len(o.baseline)+len(o.baselineSnapshots)+len(o.candidate)+len(o.candidateSnapshots) == 0 && len(o.pairs.logs) > 0:
		return nil, nil // the pairs are all the evidence
	case len(logs) == 0 && len(snapshots) == 0:
		return nil, fmt.Errorf("no data for the %s: give --%s or --%s-snapshot", name, name, name)
	case len(snapshots) > 0:
		return loadSnapshots(name, snapshots)
	}
	s, err := o.readLogs(ctx, name, spec, matureBefore, logs, stderr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if s.RowCount == 0 {
		return nil, fmt.Errorf("%s: %s has no rows", name, strings.Join(logs, ", "))
	}
	return s, nil
}

// checkOutput refuses to write the report over something else.
func (o *checkOptions) checkOutput() error {
	if o.output == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(o.output)); err != nil || !info.IsDir() {
		return fmt.Errorf("--output %s: there is no folder %s; make it first", o.output, filepath.Dir(o.output))
	}
	info, err := os.Stat(o.output)
	if err != nil {
		return nil // a new file
	}
	if info.IsDir() {
		return fmt.Errorf("--output %s is a folder; name a file", o.output)
	}
	for _, inputs := range [][]string{{o.policy}, o.baseline, o.candidate, o.baselineSnapshots, o.candidateSnapshots, o.pairs.logs} {
		paths, err := expand(inputs)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if in, err := os.Stat(path); err == nil && os.SameFile(in, info) {
				return fmt.Errorf("--output %s would replace an input; name another file", o.output)
			}
		}
	}
	return nil
}

// expand replaces patterns by the files they match; what matches nothing stays,
// to be reported by whoever opens it.
func expand(patterns []string) ([]string, error) {
	var out []string
	for _, p := range patterns {
		paths, err := filepath.Glob(p)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", p, err)
		}
		if len(paths) == 0 {
			paths = []string{p}
		}
		out = append(out, paths...)
	}
	return out, nil
}

// loadSnapshots adds up the snapshots of one arm. The same evidence given twice
// is an error: it would count every row twice.
func loadSnapshots(name string, patterns []string) (*analysis.Snapshot, error) {
	paths, err := expand(patterns)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var ss []*analysis.Snapshot
	seen := map[string]string{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		s := new(analysis.Snapshot)
		if len(b) > 0 && b[0] == '{' {
			err = json.Unmarshal(b, s)
		} else {
			err = s.UnmarshalBinary(b)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, path, err)
		}
		digest, err := s.Digest()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, path, err)
		}
		if first, ok := seen[digest]; ok && s.RowCount > 0 {
			return nil, fmt.Errorf("%s: %s and %s hold the same evidence, which would count twice; leave one out", name, first, path)
		}
		seen[digest] = path
		ss = append(ss, s)
	}
	s, err := analysis.MergeSnapshots(ss...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func storeSnapshots(dir string, baseline, candidate *analysis.Snapshot, pairs *analysis.PairSnapshot) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, arm := range []struct {
		name string
		none bool
		s    evidence
	}{{"baseline", baseline == nil, baseline}, {"candidate", candidate == nil, candidate}, {"pairs", pairs == nil, pairs}} {
		if arm.none {
			continue
		}
		b, err := arm.s.MarshalBinary()
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, arm.name+".snapshot"), b); err != nil {
			return err
		}
	}
	return nil
}

// writeFile replaces the file in one step, so that a reader never sees half.
func writeFile(path string, b []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if _, err = tmp.Write(b); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Chmod(0o644); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
