package planning

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

func normalQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }

// name is a limit in a report.
func (l *Limit) name() string {
	parts := []string{l.Check, l.Metric}
	if l.Column != "" {
		parts = append(parts, l.Column)
	}
	parts = append(parts, l.Limit)
	if len(l.Slice) > 0 {
		parts = append(parts, "where", l.Slice.String())
	}
	return strings.Join(parts, " ")
}

// WriteText writes the report for people.
func (r Report) WriteText(out io.Writer) error {
	var sb strings.Builder
	line := func(format string, args ...any) {
		sb.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
	}
	line("Plan for %s units a minute, attempt %d.", number(r.PerSecond*60), r.Attempt)
	line("")
	line("A harmless candidate is rolled back with a probability of at most %s, and paused for harm of at most %s; a sound split is called broken in at most %s.",
		percent(r.Risk.Rollback), percent(r.Risk.Pause), percent(r.Risk.SRM))
	line("")
	r.writeStages(line)
	for i, power := range r.Powers {
		line("")
		line("With a power of %s:", percent(power))
		r.writeLimits(line, i)
	}
	if len(r.Never) > 0 {
		line("")
		line("These never decide in this plan:")
		for _, n := range r.Never {
			text := n.Check
			if n.Metric != "" {
				text += " " + n.Metric
			}
			if len(n.Slice) > 0 {
				text += " where " + n.Slice.String()
			}
			line("  %s: %s.", text, n.Why)
		}
	}
	if len(r.Warnings) > 0 {
		line("")
		line("Note that")
		for _, w := range r.Warnings {
			line("  - %s.", w)
		}
	}
	_, err := io.WriteString(out, sb.String())
	return err
}

func (r *Report) writeStages(line func(string, ...any)) {
	line("%-12s %8s %10s %14s %14s %12s  %s", "stage", "weight", "planned", "baseline", "candidate", "will last", "held by")
	for _, s := range r.Stages {
		weight := ""
		if s.Weight > 0 {
			weight = number(s.Weight) + "%"
		}
		line("%-12s %8s %10s %14s %14s %12s  %s", s.Name, weight, duration(s.Seconds), number(math.Round(s.Units.Baseline)), number(math.Round(s.Units.Candidate)),
			duration(float64(s.Lasts)), s.HeldBy)
	}
}

// writeLimits writes a table of the limits for one power.
func (r *Report) writeLimits(line func(string, ...any), power int) {
	for i := range r.Limits {
		l := &r.Limits[i]
		line("  %s (%s; baseline %s, error %s)", l.name(), l.Severity, number(l.Base), number(l.Alpha))
		line("    %-12s %24s %22s %16s", "stage", "smallest regression", "to prove "+amount(l.Harm, l.Unit), "to pass")
		for k, d := range l.Stages {
			line("    %-12s %24s %22s %16s", r.Stages[k].Name, amount(float64(d.Smallest[power]), l.Unit), duration(float64(d.Detect[power])), duration(float64(d.Pass[power])))
		}
	}
}

// amount writes an effect in the unit of its limit.
func amount(x float64, unit string) string {
	switch {
	case math.IsInf(x, 1):
		return "none"
	case unit == "relative":
		return percent(x)
	case unit == "pp":
		return number(100*x) + "pp"
	case unit == "ratio":
		return number(x) + "x"
	}
	return number(x)
}

func percent(x float64) string { return number(100*x) + "%" }

// number has three digits, and all of those before the point.
func number(x float64) string {
	if a := math.Abs(x); a >= 1000 && a < 1e15 {
		return strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// duration writes seconds as 45s, 12m, 3h20m or 5d4h, rounded up.
func duration(s float64) string {
	if math.IsInf(s, 1) {
		return "never"
	}
	if s <= 0 {
		return "0s"
	}
	d := time.Duration(math.Ceil(s)) * time.Second
	switch {
	case d < 2*time.Minute:
	case d < 48*time.Hour:
		d = (d + time.Minute - 1).Truncate(time.Minute)
	default:
		h := int(math.Ceil(d.Hours()))
		return fmt.Sprintf("%dd%dh", h/24, h%24)
	}
	text := d.String()
	if d%time.Minute == 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	if d%time.Hour == 0 {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
