package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
)

// query collects both arms from a Prometheus server. The window begins --since
// before this look or, of a remembered rollout, before the first look at the
// present stage, so that each look sees the whole stage so far.
func (o *checkOptions) query(ctx context.Context, l *look, spec *analysis.Spec, stderr io.Writer) (err error) {
	if len(o.baseline)+len(o.candidate)+len(o.baselineSnapshots)+len(o.candidateSnapshots) > 0 || o.measurements != "" {
		return errors.New("--prometheus brings both arms; leave out the logs, snapshots and measurements")
	}
	data, err := os.ReadFile(o.prometheus)
	if err != nil {
		return err
	}
	config, err := promquery.LoadConfig(o.prometheus, data)
	if err != nil {
		return err
	}
	provider, err := promquery.New(config)
	if err != nil {
		return fmt.Errorf("%s: %w", o.prometheus, err)
	}
	defer provider.Close()
	first := l.Now
	if l.State != nil && l.State.Stage == o.stage && !l.State.StageSince.IsZero() {
		first = l.State.StageSince
	}
	e, err := provider.Collect(ctx, spec, promquery.Window{Start: first.Add(-o.since), End: l.Now}, l.Now)
	if err != nil {
		return err
	}
	for _, note := range e.Notes {
		if _, err := fmt.Fprintf(stderr, "rampguard: note: %s\n", note); err != nil {
			return err
		}
	}
	l.baseline, l.candidate = e.Baseline, e.Candidate
	l.Problems = append(l.Problems, e.Problems()...)
	return nil
}

// collect brings the evidence of the present stage.
func (o *checkOptions) collect(ctx context.Context, l *look, spec *analysis.Spec, cutoff time.Time, stderr io.Writer) (err error) {
	if o.prometheus != "" {
		if err := o.query(ctx, l, spec, stderr); err != nil {
			return fmt.Errorf("--prometheus: %w", err)
		}
		return nil
	}
	if l.baseline, err = o.arm(ctx, "baseline", spec, cutoff, o.baseline, o.baselineSnapshots, stderr); err != nil {
		return err
	}
	if l.candidate, err = o.arm(ctx, "candidate", spec, cutoff, o.candidate, o.candidateSnapshots, stderr); err != nil {
		return err
	}
	if o.measurements == "" {
		return nil
	}
	return readMeasurements(o.measurements, l.baseline, l.candidate)
}
