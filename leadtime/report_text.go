package leadtime

import (
	"fmt"
	"math"
	"strings"
)

// FormatHours writes a number of hours as people say it: "45m", "6.5h", "3d 4h".
// It is short of exact; use the number for anything but reading.
//
// Special cases are: NaN gives "-", infinities "inf" and "-inf".
func FormatHours(h float64) string {
	switch {
	case math.IsNaN(h):
		return "-"
	case math.IsInf(h, 0):
		return strings.TrimPrefix(strings.ToLower(fmt.Sprint(h)), "+")
	case h < 0:
		return "-" + FormatHours(-h)
	}
	minutes := math.Round(h * 60)
	switch whole := math.Round(h); {
	case minutes < 60:
		return fmt.Sprintf("%.0fm", minutes)
	case h < 9.95:
		return fmt.Sprintf("%.3gh", math.Round(h*10)/10)
	case whole < 48:
		return fmt.Sprintf("%.0fh", whole)
	default:
		d := math.Floor(whole / 24)
		if rest := whole - 24*d; rest > 0 {
			return fmt.Sprintf("%.0fd %.0fh", d, rest)
		}
		return fmt.Sprintf("%.0fd", d)
	}
}

// Table returns the report as cells to print: a header, then a row per group.
// Quantiles come with their interval, and as "at least" when not reached.
func (r Report) Table() [][]string {
	out := [][]string{{"env", "track", "model", "n", "in flight", "p50", "p90", "mean", "SLA", "within SLA"}}
	for _, g := range r.Groups {
		row := []string{
			string(g.Env), string(g.Track), g.Model, fmt.Sprint(g.N), fmt.Sprint(g.InFlight),
			g.P50.text(), g.P90.text(), FormatHours(g.Mean.Estimate.Point), "", "",
		}
		if g.SLA != nil {
			row[8], row[9] = FormatHours(g.SLA.SLA), g.SLA.Rate.text()
		}
		out = append(out, row)
	}
	return out
}

func (q Quantile) text() string {
	v := q.Estimate
	switch {
	case q.N == 0:
		return "-"
	case !q.Reached && v.Lo == 0:
		return "not reached"
	case !q.Reached:
		return "at least " + FormatHours(v.Lo)
	}
	return fmt.Sprintf("%s [%s, %s]", FormatHours(v.Point), FormatHours(max(0, v.Lo)), FormatHours(v.Hi))
}

func (r Rate) text() string {
	v := r.Estimate
	if math.IsNaN(v.Point) {
		return "-"
	}
	return fmt.Sprintf("%.3g%% [%.3g%%, %.3g%%]", 100*v.Point, 100*v.Lo, 100*v.Hi)
}
