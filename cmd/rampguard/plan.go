package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/backtest"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/analysis/simulation"
)

// trafficFlags say what is expected to be served.
type trafficFlags struct {
	policy, traffic        string
	rates, moments, shares []string
	baseline               string
	format                 string
}

func (t *trafficFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.policy, "policy", "", "policy file, YAML or JSON (required)")
	f.StringVar(&t.traffic, "traffic", "", "units of all arms per time, such as 1200/min (default: traffic of the policy)")
	f.StringArrayVar(&t.rates, "base-rate", nil, "rate of a column or metric, such as error=0.1%; may be repeated")
	f.StringArrayVar(&t.moments, "moments", nil, "mean and standard deviation of a column or metric, such as latency_ms=50,30; may be repeated")
	f.StringArrayVar(&t.shares, "shares", nil, "shares of the values of a column, such as country=DE:40,FR:60; may be repeated")
	f.StringVar(&t.baseline, "baseline-snapshot", "", "stored snapshot of the baseline, from which rates and moments that are not given are taken")
	f.StringVar(&t.format, "format", "text", "text or json")
	_ = cmd.MarkFlagRequired("policy") // the flag exists
}

// read loads the policy and brings the flags together.
func (t *trafficFlags) read(stderr io.Writer) (*analysis.Policy, planning.Traffic, error) {
	var out planning.Traffic
	if !slices.Contains([]string{"text", "json"}, t.format) {
		return nil, out, fmt.Errorf("--format %q is not known; use text or json", t.format)
	}
	p, err := loadPolicy(t.policy)
	if err != nil {
		return nil, out, err
	}
	for _, w := range p.Warnings {
		if _, err := fmt.Fprintf(stderr, "rampguard: warning: %s\n", w); err != nil {
			return nil, out, err
		}
	}
	if t.traffic != "" {
		if out.PerSecond, err = analysis.ParseRate(t.traffic); err != nil {
			return nil, out, fmt.Errorf("--traffic: %w", err)
		}
	}
	for _, list := range []struct {
		flag  string
		texts []string
		add   func(string) error
	}{{"--base-rate", t.rates, out.AddRate}, {"--moments", t.moments, out.AddMoments}, {"--shares", t.shares, out.AddShares}} {
		for _, text := range list.texts {
			if err := list.add(text); err != nil {
				return nil, out, fmt.Errorf("%s: %w", list.flag, err)
			}
		}
	}
	if t.baseline != "" {
		if out.Baseline, err = loadSnapshots("baseline", []string{t.baseline}); err != nil {
			return nil, out, err
		}
	}
	return p, out, nil
}

// textReport is a report that writes itself for people, and as JSON.
type textReport interface{ WriteText(io.Writer) error }

func (t *trafficFlags) write(w io.Writer, r textReport) error {
	if t.format == "text" {
		return r.WriteText(w)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

func newPlan(stdout, stderr io.Writer) *cobra.Command {
	var t trafficFlags
	cmd := &cobra.Command{
		Use:   "plan --policy FILE",
		Short: "Say before a launch what a policy can detect, and how long its stages must last",
		Long: `plan says, for each stage and check of a policy, the smallest regression that it
detects with a power of 80% and 90%, how long it takes to find harm and to prove that
there is none, the risk of a false rollback, and which checks can never decide.

Exit status: 0 when the plan was printed, 2 when it could not be made.`,
		Example: `  rampguard plan --policy examples/policies/fraud.yaml --base-rate error=0.1% --moments latency_ms=50,30
  rampguard plan --policy policy.yaml --traffic 1200/min --baseline-snapshot evidence/baseline.snapshot`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p, traffic, err := t.read(stderr)
			if err != nil {
				return err
			}
			r, err := planning.Plan(p, traffic, planning.Options{})
			if err != nil {
				return err
			}
			return t.write(stdout, r)
		},
	}
	t.add(cmd)
	return cmd
}

func newSimulate(stdout, stderr io.Writer) *cobra.Command {
	var t trafficFlags
	var o simulation.Options
	var s simulation.Scenario
	var labelDelay, harm, harmSlice string
	var outages []string
	cmd := &cobra.Command{
		Use:   "simulate --policy FILE",
		Short: "Run a policy over made-up rollouts and count false rollbacks, misses and delays",
		Long: `simulate runs a policy over made-up rollouts, a look a minute, and prints how often it
rolls back or pauses, how long that takes, and how often it lets a candidate through.
Without --harm the candidate does no harm, and every rollback is a false one. The same
seed gives the same result, whatever the number of workers.

Exit status: 0 when the result was printed, whatever it says; 2 when it could not run.`,
		Example: `  rampguard simulate --policy examples/policies/fraud.yaml --base-rate error=0.1% --base-rate fraud=35% --moments latency_ms=50,30 --moments amount=80,120 --moments cpu=0.5,0.05 --shares country=DE:40,FR:30,IT:20,ES:10
  rampguard simulate --policy examples/policies/fraud.yaml --base-rate error=0.1% --base-rate fraud=35% --harm 'error*2' --rollouts 500
  rampguard simulate --policy examples/policies/fraud.yaml --base-rate error=0.1% --base-rate fraud=35% --shares country=DE:40,FR:30,IT:20,ES:10 --harm 'error*3' --harm-slice country=DE --outage 10h,5m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, traffic, err := t.read(stderr)
			if err != nil {
				return err
			}
			s.Traffic = traffic
			if s.Harm, err = simulation.ParseHarm(harm); err != nil {
				return fmt.Errorf("--harm: %w", err)
			}
			if harmSlice != "" {
				column, value, ok := strings.Cut(harmSlice, "=")
				if !ok || column == "" {
					return fmt.Errorf("--harm-slice %q is not a slice such as country=DE", harmSlice)
				}
				s.Harm.Slice = map[string]string{column: value}
			}
			for _, text := range outages {
				every, long, ok := strings.Cut(text, ",")
				a, err1 := time.ParseDuration(every)
				b, err2 := time.ParseDuration(long)
				if !ok || err1 != nil || err2 != nil {
					return fmt.Errorf("--outage %q is not a mean distance and a length such as 10h,5m", text)
				}
				s.Outages = append(s.Outages, simulation.Outage{Every: a, Lasts: b})
			}
			if labelDelay != "" {
				if s.LabelDelay, err = time.ParseDuration(labelDelay); err != nil {
					return fmt.Errorf("--label-delay: %w", err)
				}
			}
			r, err := simulation.Run(cmd.Context(), p, s, o)
			if err != nil {
				return err
			}
			return t.write(stdout, r)
		},
	}
	t.add(cmd)
	f := cmd.Flags()
	f.StringVar(&harm, "harm", "none", "what the candidate does: none, COLUMN*FACTOR such as error*2, log_loss+2%, collapse")
	f.StringVar(&harmSlice, "harm-slice", "", "only in this slice, such as country=DE")
	f.StringArrayVar(&outages, "outage", nil, "mean distance and length of failures of all sources, such as 10h,5m; may be repeated")
	f.StringVar(&labelDelay, "label-delay", "", "time after which a label arrives (default: the maturity of the policy)")
	f.Float64Var(&s.Noise.Rho, "noise", 0, "correlation of one window of a gauge or bucketed metric with the next, 0 to 1")
	f.IntVar(&o.Rollouts, "rollouts", 200, "number of rollouts")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of the generators")
	f.DurationVar(&o.LookEvery, "look-every", time.Minute, "time from one look to the next")
	f.DurationVar(&o.Horizon, "horizon", 0, "when a rollout is given up (default: four times its stages)")
	f.IntVar(&o.Workers, "workers", 0, "goroutines (0: one per processor); the result does not depend on it")
	return cmd
}

func newBacktest(stdout, stderr io.Writer) *cobra.Command {
	var t trafficFlags
	var length time.Duration
	var start string
	cmd := &cobra.Command{
		Use:   "backtest --policy FILE DIR",
		Short: "Say what a policy would have decided on stored snapshots, hour by hour",
		Long: `backtest reads pairs of snapshots from a folder, NAME.baseline.snapshot and
NAME.candidate.snapshot, in the order of their names, takes each pair for the next
hour (or --length), and prints what the policy would have decided after each. A NAME
that is a time (2026-01-31T15:00:00Z, with or without the colons) says when its hour
began. "rampguard check --snapshot-out" stores a pair without a NAME, as
baseline.snapshot and candidate.snapshot: put NAME. before both.

Exit status: 0 when the report was printed, whatever it says; 2 when it could not run.`,
		Example: `  rampguard check --policy policy.yaml --baseline b.parquet --candidate c.parquet --snapshot-out hours/
  mv hours/baseline.snapshot hours/2026-01-31T150000Z.baseline.snapshot
  mv hours/candidate.snapshot hours/2026-01-31T150000Z.candidate.snapshot
  rampguard backtest --policy policy.yaml hours/
  rampguard backtest --policy stricter.yaml hours/ --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, _, err := t.read(stderr)
			if err != nil {
				return err
			}
			first, err := instant("--start", start, time.UTC)
			if err != nil {
				return err
			}
			hours, err := readHours(args[0], first, length)
			if err != nil {
				return err
			}
			r, err := backtest.Run(p, hours, backtest.Options{Length: length})
			if err != nil {
				return err
			}
			return t.write(stdout, r)
		},
	}
	f := cmd.Flags()
	f.StringVar(&t.policy, "policy", "", "policy file, YAML or JSON (required)")
	f.StringVar(&t.format, "format", "text", "text or json")
	f.DurationVar(&length, "length", time.Hour, "length of what a pair of snapshots holds")
	f.StringVar(&start, "start", "2000-01-01", "when the first pair began, if its name does not say")
	_ = cmd.MarkFlagRequired("policy") // the flag exists
	return cmd
}

// readHours reads the pairs of snapshots of a folder.
func readHours(dir string, first time.Time, length time.Duration) ([]backtest.Hour, error) {
	const suffix = ".snapshot"
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, err
	}
	byName := map[string]*backtest.Hour{}
	var names []string
	for _, path := range paths {
		name, arm, ok := cutLast(strings.TrimSuffix(filepath.Base(path), suffix), ".")
		if !ok || arm != "baseline" && arm != "candidate" {
			return nil, fmt.Errorf("%s: the name ends neither in .baseline%s nor in .candidate%s", path, suffix, suffix)
		}
		s, err := loadSnapshots(arm, []string{path})
		if err != nil {
			return nil, err
		}
		h := byName[name]
		if h == nil {
			h = &backtest.Hour{}
			byName[name] = h
			names = append(names, name)
		}
		if arm == "baseline" {
			h.Baseline = s
		} else {
			h.Candidate = s
		}
	}
	if len(names) == 0 {
		if _, err := os.Stat(dir); err != nil {
			return nil, err
		}
		return nil, errors.New(dir + " holds no snapshots; make some with: rampguard check --snapshot-out")
	}
	slices.Sort(names)
	var out []backtest.Hour
	for i, name := range names {
		h := *byName[name]
		for arm, have := range map[string]*analysis.Snapshot{"baseline": h.Baseline, "candidate": h.Candidate} {
			if have == nil {
				return nil, fmt.Errorf("%s: %s has no %s%s beside it; half a pair would look like a broken split", dir, name, arm, suffix)
			}
		}
		h.Start = first.Add(time.Duration(i) * length)
		for _, layout := range []string{time.RFC3339, "2006-01-02T150405Z07:00"} {
			if at, err := time.Parse(layout, name); err == nil {
				h.Start = at
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// cutLast cuts a text at the last mark.
func cutLast(s, mark string) (before, after string, ok bool) {
	i := strings.LastIndex(s, mark)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(mark):], true
}
