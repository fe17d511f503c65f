package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/release"
)

// releaseOptions are the flags of "rampguard release check".
type releaseOptions struct {
	checkOptions // format, output, at, workers, quiet, verbose

	manifest string
	live     string
	log      []string
	liveLog  []string
	score    string
}

func newRelease(stdout, stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "release",
		Short: "Say whether a model may be deployed at all, from the contract of its artifact",
		RunE:  noCommand,
	}
	cmd.AddCommand(newReleaseCheck(stdout, stderr))
	return cmd
}

func newReleaseCheck(stdout, stderr io.Writer) *cobra.Command {
	var o releaseOptions
	cmd := &cobra.Command{
		Use:   "check MANIFEST [--baseline MANIFEST] [--log GLOB --baseline-log GLOB]",
		Short: "Hold a release manifest against its gates",
		Long: `check reads the contract of a model artifact (YAML or JSON) and holds it against the
gates in front of a rollout: is the contract complete, do the features arrive as the
model takes them, are its scores sane, does the evaluation keep its bounds, overall,
in guardrails and in each declared slice, do latency, memory and throughput keep
their limits, has somebody else than the owner approved a high risk, and is there a
version to go back to whose features are still served. What is missing is never a
pass.

Features are held against the manifest of the version that is served (--baseline) and
against a log of the candidate (--log): types, ranges, and missing values. Scores are compared with those of the version
that is served, so that takes both logs: from a shadow, or from a replay of the same
requests.

Exit status:
  0   every gate passes
  75  evidence is missing or undecided, and nothing has failed: bring it, check again
  3   a gate has failed: a person has to look
  2   the manifest or a log could not be read
Before a deployment there is nothing to roll back, so the status 1 does not occur.`,
		Example: `  rampguard release check fraud.yaml --baseline fraud-live.yaml --log shadow.parquet --baseline-log live.parquet
  rampguard release check fraud.yaml --baseline fraud-live.yaml --format markdown --output gate.md
  rampguard release check fraud.yaml --at 2026-01-31T12:00:00Z --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.manifest = args[0]
			return o.run(cmd.Context(), stdout, stderr)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.live, "baseline", "", "manifest of the version that is served now")
	f.StringArrayVar(&o.log, "log", nil, "log or snapshot of the candidate, or a pattern; may be repeated")
	f.StringArrayVar(&o.liveLog, "baseline-log", nil, "log or snapshot of the version that is served; may be repeated")
	f.StringVar(&o.score, "score-column", "score", "column of the score in the logs")
	f.StringVar(&o.at, "at", "", "time of the release, RFC 3339 (default: now); approvals are judged at it")
	f.StringVar(&o.format, "format", "text", "text, markdown, json or junit")
	f.StringVar(&o.output, "output", "", "write the report to this file and only the headline to standard output")
	f.IntVar(&o.workers, "workers", 0, "goroutines that read (0: one per processor); the verdict does not depend on it")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar")
	f.BoolVar(&o.verbose, "verbose", false, "text: show the numbers of findings that passed, too")
	return cmd
}

func (o *releaseOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	write, err := reportWriter(o.format, o.verbose)
	if err != nil {
		return err
	}
	o.policy, o.candidate, o.baseline = o.manifest, o.log, o.liveLog
	if o.live != "" {
		o.baseline = append([]string{o.live}, o.liveLog...)
	}
	if err := o.checkOutput(); err != nil {
		return err
	}
	ev := release.Evidence{At: time.Now()}
	if o.at != "" {
		if ev.At, err = time.Parse(time.RFC3339, o.at); err != nil {
			return fmt.Errorf("--at: %w; write it as 2026-01-31T15:04:05Z", err)
		}
	}
	m, err := readManifest(o.manifest)
	if err != nil {
		return err
	}
	if o.live != "" {
		if ev.Baseline, err = readManifest(o.live); err != nil {
			return fmt.Errorf("--baseline: %w", err)
		}
	}
	if err := o.evidence(ctx, m, &ev, stderr); err != nil {
		return err
	}
	v, err := release.Check(m, ev)
	if err != nil {
		return err
	}
	if o.format != "json" {
		v.CheckAfter = 0 // no evidence comes by itself before a deployment
	}
	if err := o.report(v, write, stdout); err != nil {
		return err
	}
	if code := v.ExitCode(); code != 0 {
		return verdictStatus(code)
	}
	return nil
}

func readManifest(path string) (*release.Manifest, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return release.Load(path, data)
}

// releaseAlpha is the error of a failure that rests on logs, divided between the
// three checks of them.
const releaseAlpha = 0.05 / 3

// evidence reads the logs and judges what is in them.
func (o *releaseOptions) evidence(ctx context.Context, m *release.Manifest, ev *release.Evidence, stderr io.Writer) error {
	if len(o.log) == 0 {
		if len(o.liveLog) > 0 {
			return fmt.Errorf("--baseline-log needs --log, the log of the candidate, to be compared with")
		}
		return nil
	}
	p := &analysis.Policy{Task: m.Output.Task, Looks: analysis.Looks{Kind: analysis.Once}, Range: m.Output.Range, Columns: analysis.Columns{Score: o.score}}
	for _, f := range m.Features.List {
		if f.Name == o.score {
			return fmt.Errorf("%s: the feature %s has the name of the score; see --score-column", o.manifest, f.Name)
		}
		p.Columns.Features = append(p.Columns.Features, f.Name)
	}
	agreed := contractOf(m)
	p.Checks = []analysis.CheckEntry{{Check: agreed}} // its bounds are counted
	spec, err := p.Spec()
	if err != nil {
		return fmt.Errorf("%s: %w", o.manifest, err)
	}
	logs := &analysis.Evidence{Policy: p, Alpha: releaseAlpha, NoHarmAlpha: analysis.NoHarmAlpha}
	if logs.Candidate, err = o.other(ctx, "log", spec, time.Time{}, o.log, stderr); err != nil {
		return err
	}
	ev.Log = []release.Column{}
	for _, c := range logs.Candidate.Columns {
		ev.Log = append(ev.Log, release.Column{Name: c.Name, Type: c.Type})
	}
	if logs.Baseline, err = o.other(ctx, "baseline-log", spec, time.Time{}, o.liveLog, stderr); err != nil {
		return err
	}
	if len(agreed.Features) > 0 {
		if err := holdFeatures(agreed, *logs, ev); err != nil {
			return err
		}
	}
	if logs.Baseline == nil {
		return nil
	}
	logs.Compared = analysis.FixedReference
	return compareLogs(m, o.score, logs, ev)
}

// contractOf is the contract that the features of a manifest make.
func contractOf(m *release.Manifest) checks.Contract {
	var c checks.Contract
	for _, f := range m.Features.List {
		none := 0.0
		x := checks.ContractFeature{Column: f.Name, Min: f.Min, Max: f.Max}
		if !f.Nullable {
			x.MaxNull = &none
		}
		if !f.Nullable && f.Type == analysis.Float {
			x.MaxNaN = &none
		}
		if x.MaxNull != nil || x.Min != nil || x.Max != nil {
			c.Features = append(c.Features, x)
		}
	}
	return c
}

// holdFeatures holds the candidate's log against the feature list of its manifest.
func holdFeatures(agreed checks.Contract, logs analysis.Evidence, ev *release.Evidence) error {
	logs.Baseline, logs.Compared = nil, analysis.Absolute
	fs, err := agreed.Run(&logs)
	if err != nil {
		return err
	}
	for _, f := range fs {
		// The gate holds the types of the log against the manifest by itself.
		if f.Code != "column_absent" && f.Code != "contract_type" {
			f.Check = release.GateSchema
			ev.Given = append(ev.Given, f)
		}
	}
	return nil
}

// compareLogs compares the scores, and how much is missing, with the version that is
// served.
func compareLogs(m *release.Manifest, score string, logs *analysis.Evidence, ev *release.Evidence) error {
	collapse, err := checks.Collapse{}.Run(logs)
	if err != nil {
		return err
	}
	schema, err := checks.Schema{}.Run(logs)
	if err != nil {
		return err
	}
	for _, f := range collapse {
		f.Check = release.GateScores
		ev.Given = append(ev.Given, f)
	}
	for _, f := range schema {
		i := slices.IndexFunc(m.Features.List, func(x release.Feature) bool { return x.Name == f.Column })
		feature := i >= 0
		switch {
		case f.Column == score:
			f.Check = release.GateScores
		case feature && slices.Contains([]string{"column_absent", "type_differs", "type_unusable"}, f.Code):
			continue // a feature may be new; the gate holds it against the log by itself
		case feature && !m.Features.List[i].Nullable && (f.Code == "null_rate" || f.Code == "all_null"):
			continue // the contract, which allows none, has said so
		default:
			f.Check = release.GateSchema
		}
		ev.Given = append(ev.Given, f)
	}
	return nil
}
