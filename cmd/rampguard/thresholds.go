package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/decision"
	"github.com/rampguard/rampguard/stats/summary"
)

// What the thresholds of a candidate may keep.
const (
	keepRate    = "rate"
	keepBadRate = "bad-rate"
)

// thresholdsOptions are the flags of "rampguard thresholds".
type thresholdsOptions struct {
	checkOptions // how logs are read, and where to write

	keep       string
	setVersion string
	force      bool
}

func newThresholds(stdout, stderr io.Writer) *cobra.Command {
	var o thresholdsOptions
	cmd := &cobra.Command{
		Use:   "thresholds --policy FILE --baseline GLOB --candidate GLOB",
		Short: "Say where a candidate's thresholds must stand to act on as many rows as the baseline's",
		Long: `thresholds compares what the actions of a policy do with the scores of two models.
The same thresholds on the scores of another model are another policy: for each
action it prints the share that the baseline gets, what the candidate gets at the same
threshold, and the threshold at which it would get as many.

With --keep rate the threshold keeps the share of rows at or above it; with
--keep bad-rate it is the highest one below which no larger share of labelled rows is
positive than below the baseline's. Outcomes that are not known are counted apart and
never taken for good ones.

Equal scores may keep a rate from being met exactly; the attainable ones beside it are
printed. The standard error says by how much the rates of two samples of this size
differ by chance.

--output writes the policy file again with the new thresholds and another version of
them, and nothing else changed: comments, order and spelling stay. If the policy has
thresholds of the candidate (actions.candidate), those are changed.

Exit status: 0 when the report was printed, 2 when it could not be made.`,
		Example: `  rampguard thresholds --policy policy.yaml --baseline b.parquet --candidate c.parquet
  rampguard thresholds --policy policy.yaml --baseline b.parquet --candidate c.parquet --keep bad-rate --format json
  rampguard thresholds --policy policy.yaml --baseline b.parquet --candidate c.parquet --output new.yaml --set-version 2026-02`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.thresholds(cmd.Context(), stdout, stderr) },
	}
	f := cmd.Flags()
	f.StringVar(&o.policy, "policy", "", "policy file with the actions, YAML or JSON (required)")
	f.StringArrayVar(&o.baseline, "baseline", nil, "file or pattern of the baseline's log; may be repeated")
	f.StringArrayVar(&o.candidate, "candidate", nil, "file or pattern of the candidate's log; may be repeated")
	f.StringArrayVar(&o.baselineSnapshots, "baseline-snapshot", nil, "stored snapshot of the baseline, or a pattern, instead of its log; may be repeated")
	f.StringArrayVar(&o.candidateSnapshots, "candidate-snapshot", nil, "stored snapshot of the candidate, or a pattern, instead of its log; may be repeated")
	f.StringVar(&o.keep, "keep", keepRate, "what the candidate's thresholds keep: rate or bad-rate")
	f.StringVar(&o.format, "format", "text", "text, markdown or json")
	f.StringVar(&o.output, "output", "", "write the policy with the new thresholds to this file")
	f.StringVar(&o.setVersion, "set-version", "", "version of the new thresholds (default: the old one with -equal-rate or -equal-bad-rate)")
	f.BoolVar(&o.force, "force", false, "replace the output file if it exists")
	f.StringVar(&o.at, "at", "", "time of the look, RFC 3339 (default: now); labels mature until then")
	f.IntVar(&o.workers, "workers", 0, "goroutines that read (0: one per processor); the report does not depend on it")
	f.IntVar(&o.maxBad, "max-bad", 0, "CSV and JSON Lines: bad rows that are put up with; they are counted and listed")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar")
	_ = cmd.MarkFlagRequired("policy") // the flag exists
	return cmd
}

func (o *thresholdsOptions) thresholds(ctx context.Context, stdout, stderr io.Writer) error {
	switch {
	case !slices.Contains([]string{keepRate, keepBadRate}, o.keep):
		return fmt.Errorf("--keep %q is not known; use %s or %s", o.keep, keepRate, keepBadRate)
	case o.setVersion != "" && o.output == "":
		return fmt.Errorf("--set-version names the version in a new policy file; give --output, too")
	}
	if err := checkFormat(o.format); err != nil {
		return err
	}
	if err := o.checkOutput(); err != nil {
		return err
	}
	data, err := os.ReadFile(o.policy)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	p, err := analysis.LoadPolicy(o.policy, data, checks.Builtin())
	if err != nil {
		return err
	}
	b, c, err := o.scores(ctx, p, stderr)
	if err != nil {
		return err
	}
	r, err := o.remap(p, b, c)
	if err != nil {
		return err
	}
	if o.output != "" {
		if err := o.writeRemapped(data, p, r, stdout); err != nil {
			return err
		}
	}
	return writePage(stdout, o.format, r.page(), r)
}

// scores collects the scores of both arms.
func (o *thresholdsOptions) scores(ctx context.Context, p *analysis.Policy, stderr io.Writer) (b, c *summary.Scores, err error) {
	switch {
	case p.Task != analysis.Binary:
		return nil, nil, fmt.Errorf("%s: thresholds are for scores of a binary task, and the task is %v", o.policy, p.Task)
	case len(p.Actions.Rules) == 0:
		return nil, nil, fmt.Errorf("%s: the policy has no actions; list them as actions: {rules: [{name: block, at_least: 0.9}, {name: allow}]}", o.policy)
	case o.keep == keepBadRate && p.Columns.Label == "":
		return nil, nil, fmt.Errorf("%s: --keep %s needs labels; name their column as columns.label", o.policy, keepBadRate)
	}
	now := time.Now()
	if o.at != "" {
		if now, err = time.Parse(time.RFC3339, o.at); err != nil {
			return nil, nil, fmt.Errorf("--at: %w; write it as 2026-01-31T15:04:05Z", err)
		}
	}
	spec, err := p.Spec()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.policy, err)
	}
	var out [2]*summary.Scores
	for i, arm := range []struct {
		name            string
		logs, snapshots []string
	}{{"baseline", o.baseline, o.baselineSnapshots}, {"candidate", o.candidate, o.candidateSnapshots}} {
		s, err := o.arm(ctx, arm.name, spec, p.MatureBefore(now), arm.logs, arm.snapshots, stderr)
		if err != nil {
			return nil, nil, err
		}
		col := s.ByRole(analysis.Score)
		if col == nil || col.Scores.All().N() == 0 {
			return nil, nil, fmt.Errorf("%s: no row has a score in column %s", arm.name, p.Columns.Score)
		}
		for _, rule := range p.Actions.Rules {
			if _, _, ok := col.Scores.AtLeast(rule.AtLeast, summary.Unlabelled); !ok && !math.IsInf(rule.AtLeast, -1) {
				return nil, nil, fmt.Errorf("%s: the snapshot was made under another policy: its scores were not counted at %v; make it again from the log", arm.name, rule.AtLeast)
			}
		}
		out[i] = &col.Scores
	}
	return out[0], out[1], nil
}

// remap finds the thresholds.
func (o *thresholdsOptions) remap(p *analysis.Policy, b, c *summary.Scores) (*thresholdsReport, error) {
	r := &thresholdsReport{Policy: o.policy, Version: p.Actions.Version, Keep: o.keep, Baseline: sizeOf(b), Candidate: sizeOf(c)}
	if b.All().Total() > r.Baseline.Rows || c.All().Total() > r.Candidate.Rows {
		r.warn("rows without a usable score (missing, not finite, or outside [0, 1]) do not count: %d of the baseline, %d of the candidate", b.All().Total()-r.Baseline.Rows, c.All().Total()-r.Candidate.Rows)
	}
	own := p.Actions.Rules
	if p.Actions.Candidate != nil {
		own = p.Actions.Candidate.Rules
		r.Version = p.Actions.Candidate.Version
	}
	var old, at, same []float64
	var x []uint64
	var scored uint64
	for i, rule := range p.Actions.Rules {
		if math.IsInf(rule.AtLeast, -1) {
			continue
		}
		t := threshold{Action: rule.Name, AtLeast: rule.AtLeast, Own: own[i].AtLeast}
		n, of := countAt(b, rule.AtLeast)
		t.Baseline, scored = float64(n)/float64(of), of
		n2, of2 := countAt(c, rule.AtLeast)
		t.Candidate = float64(n2) / float64(of2)
		r.Thresholds = append(r.Thresholds, t)
		x, old, same = append(x, n), append(old, rule.AtLeast), append(same, own[i].AtLeast)
	}
	if len(x) == 0 {
		return nil, fmt.Errorf("%s: the only action takes every score, so there is no threshold to move", o.policy)
	}
	var err error
	if o.keep == keepRate {
		err = r.equalRates(x, scored, c)
	} else {
		err = r.equalBadRates(x, scored, b, c)
	}
	if err != nil {
		return nil, err
	}
	for i := range r.Thresholds {
		at = append(at, r.Thresholds[i].New)
		if i > 0 && at[i] >= at[i-1] {
			r.warn("the thresholds of %s and %s fall together at %v, so that %s gets no rows", r.Thresholds[i-1].Action, r.Thresholds[i].Action, shortest(at[i]), r.Thresholds[i].Action)
		}
	}
	for i, rule := range p.Actions.Rules {
		r.Actions = append(r.Actions, actionOutcome{Action: rule.Name,
			Baseline: outcomeOf(b, old, i), Candidate: outcomeOf(c, old, i), Own: outcomeOf(c, same, i), New: outcomeOf(c, at, i)})
	}
	r.HasOwn = p.Actions.Candidate != nil
	return r, nil
}

// equalRates finds thresholds of equal volume.
func (r *thresholdsReport) equalRates(x []uint64, n uint64, c *summary.Scores) error {
	rs, err := decision.EqualRates(x, n, c.All(), 0)
	if err != nil {
		return err
	}
	for i, m := range rs {
		t := &r.Thresholds[i]
		t.New, t.Rate, t.Below, t.Above, t.Tied = m.At, locatedOf(m.Rate), m.Below, m.Above, m.Tied
		t.SE, t.Difference = m.Difference.SE, m.Difference.Estimate
		if m.Tied {
			r.warn("%s: equal scores stand where the threshold should be; it can have %s or %s of the rows, and nothing between", t.Action, percentage(m.Below), percentage(m.Above))
		}
	}
	return nil
}

// equalBadRates finds the highest thresholds that let through no more bad ones.
func (r *thresholdsReport) equalBadRates(x []uint64, n uint64, b, c *summary.Scores) error {
	for i := range r.Thresholds {
		t := &r.Thresholds[i]
		bad, known := below(b, t.AtLeast)
		if known == 0 {
			return fmt.Errorf("no labelled row of the baseline is below the threshold %v of %s, so there is no bad rate to keep", t.AtLeast, t.Action)
		}
		rate, err := stats.Wilson(bad, known, 0.95)
		if err != nil {
			return err
		}
		got, err := decision.EqualBadRate(rate.Point, c.By(summary.Positive), c.By(summary.Negative), 0)
		if err != nil {
			return fmt.Errorf("%s: no threshold of the candidate lets through as few as %s bad rows (its labels: %d): %w", t.Action, percentage(rate.Point), r.Candidate.Labelled, err)
		}
		all := c.All()
		at, err := decision.AtLeast(all, got.At)
		if err != nil {
			return err
		}
		d, err := decision.RateDifference(x[i], n, uint64(math.Round(float64(at.Value*float64(all.N())))), all.N(), 0)
		if err != nil {
			return err
		}
		t.New, t.Rate, t.Below, t.Above = got.At, locatedOf(at), at.Lo, at.Hi
		t.SE, t.Difference = d.SE, d.Estimate
		t.BadRate, t.NewBadRate = &rate, &got.Rate
	}
	if r.Candidate.Unlabelled > 0 || r.Baseline.Unlabelled > 0 {
		r.warn("%s of the baseline's rows and %s of the candidate's have no label; if outcomes are missing where an action was taken, the bad rates hold for the labelled rows only", percentage(ratioOf(r.Baseline.Unlabelled, r.Baseline.Rows)), percentage(ratioOf(r.Candidate.Unlabelled, r.Candidate.Rows)))
	}
	return nil
}

// countAt counts the scores at or above a threshold of the policy, and all.
func countAt(s *summary.Scores, at float64) (n, of uint64) {
	for l := summary.Unlabelled; l <= summary.Positive; l++ {
		x, all, _ := s.AtLeast(at, l) // the threshold was counted
		n, of = n+x, of+all
	}
	return n, of
}

// below counts the positive labels and all labels below a threshold of the policy.
func below(s *summary.Scores, at float64) (bad, known uint64) {
	p, pn, _ := s.AtLeast(at, summary.Positive)
	n, nn, _ := s.AtLeast(at, summary.Negative)
	return pn - p, pn - p + nn - n
}

func ratioOf(x, n uint64) float64 {
	if n == 0 {
		return 0
	}
	return float64(x) / float64(n)
}
