package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/adapters/fileevents"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/sla/openslo"
)

// sloOptions are the flags of "rampguard slo".
type sloOptions struct {
	file, name, at       string
	deploy               string
	fix                  bool
	state                string
	format               string
	epoch, assumeZone    string
	maxBad               int
	who, why, overrideAt string
}

// sloReport is what the command says of one SLO; a list of them is the JSON form.
type sloReport struct {
	SLO         string              `json:"slo"`
	Evaluations []sla.Evaluation    `json:"evaluations"`
	Gate        sla.GateDecision    `json:"gate"`
	Rows        int                 `json:"rows"`
	Bad         []fileevents.BadRow `json:"bad_rows,omitempty"`
	BadTotal    int                 `json:"bad_total"`
	Warnings    []openslo.Note      `json:"warnings,omitempty"`
}

func newSLO(stdout io.Writer) *cobra.Command {
	var o sloOptions
	cmd := &cobra.Command{
		Use:   "slo -f OBJECTIVES SAMPLES",
		Short: "Report the error budget of an objective, and whether models may be promoted",
		Long: `slo reads objectives (OpenSLO v1, YAML or JSON) and a log of samples with the columns
time, good and total (CSV, JSON Lines or Parquet), and reports the level with its
interval, the error budget spent and left, the burn rate of each alert, and whether
a promotion may go on. A burning budget halts promotions; it never halts a rollback
or a fix on the fast track (--fix).

The halt has a memory: give --state FILE to keep it from one run to the next.

Exit status: 0 a promotion may go on (with a warning, perhaps), 75 it may not, 2 the
files could not be read.`,
		Example: `  rampguard slo -f objective.yaml samples.csv
  rampguard slo -f objective.yaml samples.csv --at 2026-01-31T00:00:00Z --state gate.json
  rampguard slo -f objectives.yaml --name availability samples.parquet --format markdown`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return o.run(args[0], stdout) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "", "objectives, OpenSLO v1 (required)")
	f.StringVar(&o.name, "name", "", "this SLO of the file only")
	f.StringVar(&o.at, "at", "", "the moment to look at, RFC 3339 (default: the last sample)")
	f.StringVar(&o.deploy, "deploy", "", "hash of the deployment, for the keys by which alerts are grouped")
	f.BoolVar(&o.fix, "fix", false, "ask for a fix on the fast track, which a burning budget does not halt")
	f.StringVar(&o.state, "state", "", "file that remembers a halt between runs, by SLO")
	f.StringVar(&o.epoch, "epoch", "", "unit of times that are numbers: s, ms, us or ns")
	f.StringVar(&o.assumeZone, "assume-zone", "", "zone of times without an offset, which are refused otherwise")
	f.StringVar(&o.format, "format", "text", "text, markdown or json")
	f.IntVar(&o.maxBad, "max-bad", 20, "bad rows to list; all are counted")
	f.StringVar(&o.who, "override-who", "", "who promotes although the budget burns")
	f.StringVar(&o.why, "override-why", "", "why")
	f.StringVar(&o.overrideAt, "override-until", "", "until when, RFC 3339")
	_ = cmd.MarkFlagRequired("file") // the flag exists
	return cmd
}

func (o *sloOptions) run(path string, stdout io.Writer) error {
	if err := checkFormat(o.format); err != nil {
		return err
	}
	reports, err := o.reports(path)
	if err != nil {
		return err
	}
	if err := writePage(stdout, o.format, sloPage(reports), reports); err != nil {
		return err
	}
	for i := range reports {
		if !reports[i].Gate.Passes() {
			return verdictStatus(75)
		}
	}
	return nil
}

func (o *sloOptions) reports(path string) ([]sloReport, error) {
	data, err := os.ReadFile(o.file)
	if err != nil {
		return nil, err
	}
	file, err := openslo.Read(o.file, data)
	if err != nil {
		return nil, err
	}
	read := fileevents.Options{MaxBad: max(o.maxBad, 1)}
	if read.EpochUnit, err = epochUnit(o.epoch); err != nil {
		return nil, err
	}
	if o.assumeZone != "" {
		if read.AssumeZone, err = time.LoadLocation(o.assumeZone); err != nil {
			return nil, fmt.Errorf("--assume-zone: %w", err)
		}
	}
	samples, err := fileevents.ReadSamplesFile(path, read)
	if err != nil {
		return nil, err
	}
	at, err := instant("--at", o.at, time.UTC)
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		for _, s := range samples.Samples {
			if s.At.After(at) {
				at = s.At
			}
		}
	}
	states, err := o.states()
	if err != nil {
		return nil, err
	}
	request, err := o.request()
	if err != nil {
		return nil, err
	}
	var out []sloReport
	for _, s := range file.SLOs {
		if o.name != "" && s.Name != o.name {
			continue
		}
		r := sloReport{SLO: s.Name, Rows: samples.Rows, Bad: samples.Bad, BadTotal: samples.BadTotal, Warnings: file.Warnings}
		for _, obj := range s.Objectives {
			e, err := sla.Evaluate(obj.Objective, obj.Alerts, samples.Samples, at, sla.EvaluateOptions{Model: s.Model, Deploy: o.deploy, Clamp: s.Clamp})
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", o.file, s.Name, err)
			}
			r.Evaluations = append(r.Evaluations, e)
		}
		r.Gate = sla.Gate(s.Gate, states[s.Name], request, at, r.Evaluations...)
		states[s.Name] = r.Gate.State
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s holds no SLO named %q", o.file, o.name)
	}
	return out, o.keep(states)
}

// request is what somebody wants to do.
func (o *sloOptions) request() (sla.GateRequest, error) {
	var r sla.GateRequest
	if o.fix {
		r.Action = sla.FastFix
	}
	if o.who == "" && o.why == "" && o.overrideAt == "" {
		return r, nil
	}
	until, err := instant("--override-until", o.overrideAt, time.UTC)
	if err != nil {
		return r, err
	}
	r.Override = &sla.Override{By: o.who, Reason: o.why, Until: until}
	return r, nil
}

// states reads what the file of --state remembers.
func (o *sloOptions) states() (map[string]sla.GateState, error) {
	states := map[string]sla.GateState{}
	if o.state == "" {
		return states, nil
	}
	b, err := os.ReadFile(o.state)
	if os.IsNotExist(err) {
		return states, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &states); err != nil {
		return nil, fmt.Errorf("--state %s: %w", o.state, err)
	}
	return states, nil
}

func (o *sloOptions) keep(states map[string]sla.GateState) error {
	if o.state == "" {
		return nil
	}
	b, err := json.MarshalIndent(states, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(o.state, append(b, '\n'))
}

func sloPage(reports []sloReport) *page {
	p := &page{}
	for i := range reports {
		r := &reports[i]
		p.heading("%s: promotions %s", r.SLO, map[sla.Decision]string{sla.Halt: "HALTED", sla.Warn: "ALLOWED, with a warning", sla.Allow: "ALLOWED"}[r.Gate.Decision])
		for _, reason := range r.Gate.Reasons {
			where := reason.Objective
			if reason.Alert != "" {
				where += ", alert " + reason.Alert
			}
			if where != "" {
				where += ": "
			}
			p.item("%s%s", where, reason.Message)
		}
		for j := range r.Evaluations {
			p.objective(&r.Evaluations[j])
		}
	}
	if len(reports[0].Warnings) > 0 {
		p.heading("Warnings about the file of objectives")
	}
	for _, w := range reports[0].Warnings {
		p.item("%s", w)
	}
	if reports[0].BadTotal > 0 {
		p.heading("Left out")
		p.badRows(reports[0].Bad, reports[0].BadTotal, reports[0].Rows)
	}
	return p
}

// objective puts an error budget into words.
func (p *page) objective(e *sla.Evaluation) {
	b := &e.Budget
	p.heading("%s, %s over %s, to %s", e.Objective, b.Method, b.Window, b.To.Format("2006-01-02 15:04 MST"))
	if b.State == sla.NoData {
		p.say("No data in the window: nothing is known, which is neither met nor missed.")
	} else {
		p.say("Level %.5g%%, 95%% interval %.5g%% to %.5g%% (%s); target %.5g%%: %s.", 100*b.SLI.Point, 100*b.SLI.Lo, 100*b.SLI.Hi, b.SLIBy, 100*b.Target, map[bool]string{true: "met", false: "missed"}[b.Met])
		p.say("Error budget: %s spent, %s left, %s %s", percentage(float64(b.Consumed)), percentage(float64(b.Remaining)), bar(b.Clamped, 20), b.State)
		p.say("%s of %s %s were bad; %s are allowed in the whole window. Of %s bad minutes allowed, %s are left.", amount(b.Bad), amount(b.Total), b.Unit, amount(b.AllowedBad), amount(b.AllowedMinutes), amount(float64(b.LeftMinutes)))
		if b.End.After(b.To) {
			p.say("The period ends %s; at this pace it will have spent %s.", b.End.Format("2006-01-02 15:04 MST"), percentage(float64(b.Projected)))
		}
	}
	rows := [][]string{{"alert", "severity", "burn, long", "burn, short", "factor", "state"}}
	for _, a := range e.Alerts {
		state := "quiet"
		switch {
		case a.Firing:
			state = "FIRING"
		case a.Suppressed:
			state = "suppressed: " + a.Reason
		case a.NoData:
			state = "no data"
		}
		rows = append(rows, []string{a.Alert.Name, a.Alert.Severity.String(), burn(a.Long) + " in " + span(a.Alert.Long),
			burn(a.Short) + " in " + span(a.Alert.Short), fmt.Sprintf("%.4g", a.Alert.Factor), state})
	}
	p.table(rows)
	for _, x := range b.Excluded {
		p.item("left out: %s", x)
	}
	for _, m := range b.Maintenance {
		p.item("maintenance: %s, %s events left out", m.Reason, amount(m.Total))
	}
	for _, w := range slices.Concat(b.Warnings, e.Warnings) {
		p.item("%s", w.Message)
	}
}

func burn(b sla.Burn) string {
	if math.IsNaN(float64(b.Rate)) || b.NoData {
		return "-"
	}
	return fmt.Sprintf("%.3gx", float64(b.Rate))
}
