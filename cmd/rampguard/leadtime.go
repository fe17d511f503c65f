package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/adapters/cdevents"
	"github.com/rampguard/rampguard/adapters/fileevents"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

// leadtimeOptions are the flags of "rampguard leadtime".
type leadtimeOptions struct {
	since, until, asOf string
	by                 []string
	model              string
	sla, fastSLA       time.Duration
	target             float64
	cohort             string
	env                string
	zone               string
	epoch              string
	assumeZone         string
	business           bool
	holidays           []string
	format             string
	maxBad             int
	cdevents           bool
}

// leadtimeReport is everything that the command reports; it is the JSON form.
type leadtimeReport struct {
	Rows     int                  `json:"rows"`
	Events   int                  `json:"events"`
	Flights  int                  `json:"flights"`
	Report   leadtime.Report      `json:"report"`
	Stages   leadtime.StageReport `json:"stages"`
	Quarters []leadtime.Point     `json:"quarters"`
	Trend    leadtime.TrendResult `json:"trend"`
	Year     *yearly              `json:"year,omitempty"`
	Ops      leadtime.OpsReport   `json:"operations"`
	Warnings []stats.Warning      `json:"warnings,omitempty"`
	Excluded []leadtime.Excluded  `json:"excluded_events,omitempty"`
	Bad      []fileevents.BadRow  `json:"bad_rows,omitempty"`
	BadTotal int                  `json:"bad_total"`
}

// yearly compares the last quarter with the same one a year before.
type yearly struct {
	Now    time.Time            `json:"now_since"`
	Then   time.Time            `json:"then_since"`
	Result leadtime.Improvement `json:"result"`
}

func newLeadtime(stdout io.Writer) *cobra.Command {
	var o leadtimeOptions
	cmd := &cobra.Command{
		Use:   "leadtime EVENTS...",
		Short: "Report the lead time from sign-off to production, and where it goes",
		Long: `leadtime reads logs of release events (JSON Lines, CSV or Parquet, gzipped or not)
and reports how long models take from the sign-off of an experiment to serving
production: p50 and p90 with intervals, releases still in flight counted as such,
the stages and the bottleneck, the share within an SLA, quarters, the trend, the
yearly reduction, and how operations did afterwards. The forms of the logs are in
the documentation of package adapters/fileevents.

Rows and events that cannot be used are listed with their line and the reason.

Exit status: 0 when the report was printed, whatever it says; 2 when the logs could
not be read.`,
		Example: `  rampguard leadtime releases.jsonl
  rampguard leadtime releases.jsonl --since 2025-07-01 --sla 72h --fast-sla 4h
  rampguard leadtime registry.csv deploys.jsonl --by model --format markdown
  rampguard leadtime releases.jsonl --business-hours --zone Europe/Berlin`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, paths []string) error { return o.run(paths, stdout) },
	}
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "first day or instant of the window (2025-07-01, or RFC 3339)")
	f.StringVar(&o.until, "until", "", "first day or instant after the window")
	f.StringVar(&o.asOf, "as-of", "", "when the observation stopped (default: the last event)")
	f.StringSliceVar(&o.by, "by", []string{"track"}, "groups: track, which always is one, and model")
	f.StringVar(&o.model, "model", "", "this model only")
	f.DurationVar(&o.sla, "sla", 0, "longest lead time that was promised, of the standard track, such as 72h")
	f.DurationVar(&o.fastSLA, "fast-sla", 0, "the same of the fast track")
	f.Float64Var(&o.target, "target", 0.2, "yearly reduction that is aimed at, as a share")
	f.StringVar(&o.cohort, "cohort", "by_completion", "by_completion (the releases of the window) or by_signoff (what was begun in it)")
	f.StringVar(&o.env, "env", "", "environment whose serving stops the clock (default production)")
	f.StringVar(&o.zone, "zone", "UTC", "zone of days and quarters, such as Europe/Berlin")
	f.StringVar(&o.epoch, "epoch", "", "unit of times that are numbers: s, ms, us or ns")
	f.StringVar(&o.assumeZone, "assume-zone", "", "zone of times without an offset, which are refused otherwise")
	f.BoolVar(&o.business, "business-hours", false, "count business hours (09:00 to 17:00, Monday to Friday, in --zone) instead of all hours")
	f.StringSliceVar(&o.holidays, "holiday", nil, "day without business hours, such as 2025-12-25; may be repeated")
	f.StringVar(&o.format, "format", "text", "text, markdown or json")
	f.IntVar(&o.maxBad, "max-bad", 20, "bad rows to list; all are counted")
	f.BoolVar(&o.cdevents, "cdevents", false, "the logs hold CDEvents, one CloudEvent a line")
	return cmd
}

func (o *leadtimeOptions) run(paths []string, stdout io.Writer) error {
	if err := checkFormat(o.format); err != nil {
		return err
	}
	r, err := o.report(paths)
	if err != nil {
		return err
	}
	return writePage(stdout, o.format, r.page(), r)
}

func (o *leadtimeOptions) report(paths []string) (*leadtimeReport, error) {
	zone, err := time.LoadLocation(o.zone)
	if err != nil {
		return nil, fmt.Errorf("--zone: %w", err)
	}
	read := fileevents.Options{MaxBad: o.maxBad}
	if o.maxBad == 0 {
		read.MaxBad = 1 // 0 would mean the default
	}
	if read.EpochUnit, err = epochUnit(o.epoch); err != nil {
		return nil, err
	}
	if o.assumeZone != "" {
		if read.AssumeZone, err = time.LoadLocation(o.assumeZone); err != nil {
			return nil, fmt.Errorf("--assume-zone: %w", err)
		}
	}
	files, err := expand(paths)
	if err != nil {
		return nil, err
	}
	var log fileevents.Result
	if o.cdevents {
		log, err = readCDEvents(files, read.MaxBad)
	} else {
		log, err = fileevents.ReadFiles(files, read)
	}
	if err != nil {
		return nil, err
	}
	asOf, err1 := instant("--as-of", o.asOf, zone)
	since, err2 := instant("--since", o.since, zone)
	until, err3 := instant("--until", o.until, zone)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if len(log.Events) == 0 {
		hint := ""
		if len(log.Bad) > 0 {
			hint = fmt.Sprintf("; the first bad row is %v", log.Bad[0])
		}
		return nil, fmt.Errorf("%s: no release events in %d rows%s (CDEvents are read with --cdevents)", strings.Join(paths, ", "), log.Rows, hint)
	}
	if o.model != "" && !slices.ContainsFunc(log.Events, func(e leadtime.Event) bool { return e.Model == o.model }) {
		return nil, fmt.Errorf("--model: there are no events of %q; there are %s", o.model, strings.Join(distinct(log.Events, func(e leadtime.Event) string { return e.Model }), ", "))
	}
	if o.env != "" && !slices.ContainsFunc(log.Events, func(e leadtime.Event) bool { return string(e.Env) == o.env }) {
		return nil, fmt.Errorf("--env: there are no events in %q; there are %s", o.env, strings.Join(distinct(log.Events, func(e leadtime.Event) string { return string(e.Env) }), ", "))
	}
	if o.model != "" {
		log.Events = slices.DeleteFunc(log.Events, func(e leadtime.Event) bool { return e.Model != o.model })
	}
	a, err := leadtime.Assemble(log.Events, leadtime.AssembleOptions{AsOf: asOf, Env: leadtime.Env(o.env)})
	if err != nil {
		return nil, err
	}
	opts := leadtime.Options{AsOf: a.AsOf, Since: since, Until: until, Env: leadtime.Env(o.env), SLA: o.sla,
		TrackSLA: map[leadtime.Track]time.Duration{leadtime.FastTrack: o.fastSLA}}
	if err := opts.Cohort.UnmarshalText([]byte(o.cohort)); err != nil {
		return nil, fmt.Errorf("--cohort: %w", err)
	}
	for _, by := range o.by {
		switch by {
		case "model":
			opts.ByModel = true
		case "track":
		default:
			return nil, fmt.Errorf("--by %q is not known; use track and model", by)
		}
	}
	if o.business {
		if opts.Calendar, err = o.calendar(zone); err != nil {
			return nil, err
		}
	}
	return summarise(&log, &a, opts, o.target, zone)
}

// stageOrder is the order in which stages are shown; others follow by name.
var stageOrder = []string{"packaging", "validation", "staging", "approval", "canary", "promotion"}

// distinct lists the names that occur.
func distinct(events []leadtime.Event, name func(leadtime.Event) string) []string {
	seen := map[string]bool{}
	for _, e := range events {
		seen[name(e)] = true
	}
	delete(seen, "")
	return slices.Sorted(maps.Keys(seen))
}

// readCDEvents reads logs of CDEvents; those that say nothing about releases are
// skipped and counted among the rows.
func readCDEvents(files []string, maxBad int) (fileevents.Result, error) {
	var out fileevents.Result
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return out, err
		}
		r, err := cdevents.Read(f, cdevents.Options{Name: path, MaxBad: maxBad})
		if err := errors.Join(err, f.Close()); err != nil {
			return out, err
		}
		out.Events = append(out.Events, r.Events...)
		out.Rows += r.In
		out.BadTotal += r.BadTotal
		for _, b := range r.Bad {
			out.Bad = append(out.Bad, fileevents.BadRow{File: path, Line: b.Line, Field: b.Field, Reason: b.Reason, Text: b.Text})
		}
	}
	return out, nil
}

// summarise makes all parts of the report.
func summarise(log *fileevents.Result, a *leadtime.Assembly, opts leadtime.Options, target float64, zone *time.Location) (*leadtimeReport, error) {
	r := &leadtimeReport{Rows: log.Rows, Events: len(log.Events), Flights: len(a.Flights), Warnings: append(a.Warnings, leadtime.Lint(a.Flights)...),
		Excluded: a.Excluded, Bad: log.Bad, BadTotal: log.BadTotal}
	var err error
	if r.Report, err = leadtime.Summarize(a.Flights, opts); err != nil {
		return nil, err
	}
	standard := slices.DeleteFunc(slices.Clone(a.Flights), func(f leadtime.Flight) bool { return f.Track != leadtime.Standard })
	if r.Stages, err = leadtime.Breakdown(within(standard, opts.Since, opts.Until), leadtime.BreakdownOptions{Calendar: opts.Calendar, Order: stageOrder}); err != nil {
		return nil, err
	}
	open := opts
	open.Since, open.Until, open.Cohort = time.Time{}, time.Time{}, leadtime.ByCompletion
	if r.Quarters, err = leadtime.Rolling(a.Flights, leadtime.WindowSpec{Location: zone}, open); err != nil {
		return nil, err
	}
	if r.Trend, err = leadtime.Trend(a.Flights, leadtime.TrendOptions{Options: opts}); err != nil {
		return nil, err
	}
	if r.Ops, err = leadtime.Ops(a.Flights, a.Operations, leadtime.OpsOptions{AsOf: opts.AsOf, Since: opts.Since, Until: opts.Until, Env: opts.Env}); err != nil {
		return nil, err
	}
	r.Year, err = yearOver(standard, r.Quarters, opts, target)
	return r, err
}

// yearOver compares the last whole quarter with the same one a year before; nil
// when the log does not go back so far.
func yearOver(flights []leadtime.Flight, quarters []leadtime.Point, opts leadtime.Options, target float64) (*yearly, error) {
	whole := slices.DeleteFunc(slices.Clone(quarters), func(p leadtime.Point) bool { return p.Partial })
	if len(whole) < 5 {
		return nil, nil
	}
	now, then := whole[len(whole)-1], whole[len(whole)-5]
	a, b := within(flights, now.Since, now.Until), within(flights, then.Since, then.Until)
	if len(a) == 0 || len(b) == 0 {
		return nil, nil
	}
	result, err := leadtime.Improved(a, b, leadtime.ImprovementOptions{Target: target, Calendar: opts.Calendar})
	if err != nil {
		return nil, err
	}
	return &yearly{Now: now.Since, Then: then.Since, Result: result}, nil
}

// within keeps the flights that were served in a window.
func within(flights []leadtime.Flight, since, until time.Time) []leadtime.Flight {
	return slices.DeleteFunc(slices.Clone(flights), func(f leadtime.Flight) bool {
		return f.Served.IsZero() || f.Served.Before(since) || !until.IsZero() && !f.Served.Before(until)
	})
}

// instant reads a day, which begins at midnight in the zone, or an RFC 3339 time.
func instant(flag, s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%s: %q is neither a day such as 2025-07-01 nor a time such as 2025-07-01T15:04:05Z", flag, s)
	}
	return t, nil
}

func epochUnit(s string) (time.Duration, error) {
	units := map[string]time.Duration{"": 0, "s": time.Second, "ms": time.Millisecond, "us": time.Microsecond, "ns": time.Nanosecond}
	u, ok := units[s]
	if !ok {
		return 0, fmt.Errorf("--epoch %q is not known; use s, ms, us or ns", s)
	}
	return u, nil
}

// calendar counts 09:00 to 17:00 on working days.
func (o *leadtimeOptions) calendar(zone *time.Location) (leadtime.Calendar, error) {
	var days []leadtime.Date
	for _, h := range o.holidays {
		t, err := time.Parse(time.DateOnly, strings.TrimSpace(h))
		if err != nil {
			return nil, fmt.Errorf("--holiday %q is not a day such as 2025-12-25", h)
		}
		days = append(days, leadtime.Date{Year: t.Year(), Month: t.Month(), Day: t.Day()})
	}
	return leadtime.NewBusinessHours(zone, leadtime.BusinessOptions{Holidays: days})
}
