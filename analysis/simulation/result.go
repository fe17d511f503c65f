package simulation

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Share is how many rollouts of all, with an exact interval of 95% (Clopper and
// Pearson).
type Share struct {
	N        uint64         `json:"n"`
	Of       uint64         `json:"of"`
	Interval stats.Interval `json:"interval"`
}

// String formats the share as "3 of 200, 1.5% (0.31% to 4.32%)".
func (s Share) String() string {
	v := s.Interval
	return fmt.Sprintf("%d of %d, %.3g%% (%.3g%% to %.3g%%)", s.N, s.Of, 100*v.Point, 100*v.Lo, 100*v.Hi)
}

// Result is what came of the rollouts.
type Result struct {
	Model     string  `json:"model,omitempty"`
	Policy    string  `json:"policy_digest"`
	Scenario  string  `json:"scenario"`
	Rollouts  uint64  `json:"rollouts"`
	Seed      uint64  `json:"seed"`
	LookEvery float64 `json:"look_every_seconds"`
	Horizon   float64 `json:"horizon_seconds"`
	Looks     uint64  `json:"looks"` // of all rollouts

	// How the rollouts ended.
	Completed  Share `json:"completed"`
	RolledBack Share `json:"rolled_back"`
	Paused     Share `json:"paused_for_harm"`
	Stopped    Share `json:"stopped"` // for a person, because of something other than harm
	Undecided  Share `json:"undecided"`

	Harmful bool `json:"harmful"` // whether the scenario does harm
	// Alarms are rollouts that were ever rolled back or paused for harm: false ones
	// without harm, the caught ones with it.
	Alarms Share `json:"alarms"`
	// Time and Units are until the alarm: from the start or from when the harm began,
	// and candidate's units.
	Time  Spread `json:"seconds_to_alarm"`
	Units Spread `json:"candidate_units_to_alarm"`
	// Duration of the rollouts that were completed, in seconds.
	Duration Spread `json:"seconds_to_completion"`

	Causes  []Cause  `json:"causes,omitempty"`  // what ended rollouts, the most frequent first
	Stages  []Passed `json:"stages,omitempty"`  // in the order of the policy
	Assumed []string `json:"assumed,omitempty"` // of the world, because nobody said
}

// Spread is the median and the 90% quantile of what was observed; NaN without any.
type Spread struct {
	N      uint64      `json:"n"`
	Median stats.Float `json:"median"`
	P90    stats.Float `json:"p90"`
}

// Cause is a check that ended rollouts.
type Cause struct {
	Check  string `json:"check"`
	Metric string `json:"metric,omitempty"`
	N      uint64 `json:"n"`
}

// Passed tells how rollouts went through a stage.
type Passed struct {
	Stage   string `json:"stage"`
	Reached Share  `json:"reached"`
	Lasted  Spread `json:"seconds"` // of rollouts that left it for the next stage
}

func share(n, of int) (Share, error) {
	v, err := stats.ClopperPearson(uint64(n), uint64(of), 0.95)
	return Share{uint64(n), uint64(of), v}, err
}

// spread takes sorted order statistics: of n values the k-th with k = ceil(q n).
func spread(xs []float64) Spread {
	s := Spread{N: uint64(len(xs)), Median: stats.Float(math.NaN()), P90: stats.Float(math.NaN())}
	if len(xs) == 0 {
		return s
	}
	slices.Sort(xs)
	at := func(q float64) stats.Float {
		return stats.Float(xs[max(1, int(math.Ceil(q*float64(len(xs)))))-1])
	}
	s.Median, s.P90 = at(0.5), at(0.9)
	return s
}

// result adds up what happened, in the order of the rollouts.
func (w *world) result(o *Options, all []played) (Result, error) {
	h := w.scenario.Harm
	r := Result{Model: w.policy.Model.Name, Policy: w.policy.Digest, Scenario: w.describe(), Rollouts: uint64(len(all)), Seed: o.Seed,
		LookEvery: o.LookEvery.Seconds(), Horizon: o.Horizon.Seconds(), Harmful: !h.None(), Assumed: w.assumed}
	var ends [endings]int
	alarms := 0
	var times, units, durations []float64
	causes := map[culprit]uint64{}
	reached := make([]int, len(w.policy.Stages))
	lasted := make([][]float64, len(w.policy.Stages))
	for _, p := range all {
		ends[p.end]++
		r.Looks += p.looks
		if p.end == rolledBack || p.held {
			alarms++
			times = append(times, float64(p.minute)*60-h.After.Seconds())
			units = append(units, float64(p.units))
		}
		if p.end == completed {
			durations = append(durations, float64(p.minute)*60)
		}
		if p.culprit != (culprit{}) {
			causes[p.culprit]++
		}
		for i := range reached {
			if i < len(p.entered) {
				reached[i]++
			}
			if i+1 < len(p.entered) {
				lasted[i] = append(lasted[i], float64(p.entered[i+1]-p.entered[i])*60)
			}
		}
	}
	counts := []int{ends[completed], ends[rolledBack], ends[paused], ends[stopped], ends[undecided], alarms}
	for i, dst := range []*Share{&r.Completed, &r.RolledBack, &r.Paused, &r.Stopped, &r.Undecided, &r.Alarms} {
		var err error
		if *dst, err = share(counts[i], len(all)); err != nil {
			return r, err
		}
	}
	r.Time, r.Units, r.Duration = spread(times), spread(units), spread(durations)
	for c, n := range causes {
		r.Causes = append(r.Causes, Cause{c.Check, c.Metric, n})
	}
	slices.SortFunc(r.Causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Metric, b.Metric))
	})
	for i, s := range w.policy.Stages {
		got, err := share(reached[i], len(all))
		if err != nil {
			return r, err
		}
		r.Stages = append(r.Stages, Passed{s.Name, got, spread(lasted[i])})
	}
	return r, nil
}

// describe names the scenario.
func (w *world) describe() string {
	s := &w.scenario
	parts := []string{fmt.Sprintf("%.6g units a minute, %v", w.rate*60, s.Harm)}
	if s.Noise.Rho > 0 {
		parts = append(parts, fmt.Sprintf("gauges with autocorrelation %g", s.Noise.Rho))
	}
	if s.Noise.Swing > 0 {
		parts = append(parts, fmt.Sprintf("base rates swinging by %g", s.Noise.Swing))
	}
	for _, o := range s.Outages {
		what, how := o.Source, "fails"
		if what == "" {
			what = "everything"
		}
		if o.Silent {
			how = "is silent"
		}
		parts = append(parts, fmt.Sprintf("%s %s every %v for %v", what, how, o.Every, o.Lasts))
	}
	delay := s.LabelDelay
	if delay == 0 {
		delay = w.policy.Labels.Maturity
	}
	if delay > 0 {
		parts = append(parts, fmt.Sprintf("labels %v late", delay))
	}
	return strings.Join(parts, "; ")
}

// WriteText writes the result for people.
func (r Result) WriteText(out io.Writer) error {
	var sb strings.Builder
	line := func(format string, args ...any) {
		sb.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
	}
	line("%d rollouts, a look every %v, seed %d: %s.", r.Rollouts, seconds(r.LookEvery), r.Seed, r.Scenario)
	line("")
	if r.Harmful {
		line("The harm was caught in %v of the rollouts;", r.Alarms)
		line("%d of %d were missed.", r.Rollouts-r.Alarms.N, r.Rollouts)
	} else {
		line("There was no harm. False alarms: %v.", r.Alarms)
	}
	line("")
	line("%-44s %s", "completed", r.Completed)
	line("%-44s %s", "rolled back", r.RolledBack)
	line("%-44s %s", "paused for harm", r.Paused)
	line("%-44s %s", "stopped for a person, without harm", r.Stopped)
	line("%-44s %s", fmt.Sprintf("no end within %v", seconds(r.Horizon)), r.Undecided)
	if r.Time.N > 0 {
		line("")
		line("Time to the alarm: median %v, 90%% within %v; candidate's units: %.6g and %.6g.",
			seconds(float64(r.Time.Median)), seconds(float64(r.Time.P90)), float64(r.Units.Median), float64(r.Units.P90))
	}
	if r.Duration.N > 0 {
		line("Time to completion: median %v, 90%% within %v.", seconds(float64(r.Duration.Median)), seconds(float64(r.Duration.P90)))
	}
	for i, c := range r.Causes {
		if i == 0 {
			line("")
			line("What stopped rollouts:")
		}
		line("  %5d  %s %s", c.N, c.Check, c.Metric)
	}
	for i, s := range r.Stages {
		if i == 0 {
			line("")
			line("%-16s %10s %16s %16s", "stage", "reached", "median time", "90% within")
		}
		line("%-16s %9.1f%% %16s %16s", s.Stage, 100*s.Reached.Interval.Point, seconds(float64(s.Lasted.Median)), seconds(float64(s.Lasted.P90)))
	}
	for i, a := range r.Assumed {
		if i == 0 {
			line("")
			line("Assumed, because nothing was said about it:")
		}
		line("  %s", a)
	}
	_, err := io.WriteString(out, sb.String())
	return err
}

// seconds writes a number of seconds as a duration, and nothing known as "-".
func seconds(s float64) string {
	if math.IsNaN(s) {
		return "-"
	}
	text := time.Duration(math.Round(s) * 1e9).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
