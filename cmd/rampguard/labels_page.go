package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"

	"github.com/rampguard/rampguard/analysis/labeldelay"
	"github.com/rampguard/rampguard/stats"
)

// labelsGroup is the curve of a group of rows.
type labelsGroup struct {
	Name      string                   `json:"name"`
	Rows      uint64                   `json:"rows"`
	Labelled  uint64                   `json:"labelled"`
	Arrive    stats.Interval           `json:"share_that_arrives"`
	Watched   float64                  `json:"watched_seconds"`
	Quantiles []stats.SurvivalQuantile `json:"quantiles_seconds"`
	Maturity  string                   `json:"maturity,omitempty"`
	By        float64                  `json:"share_of_rows_labelled_by_then,omitempty"`
	Warnings  []stats.Warning          `json:"warnings,omitempty"`
	curve     labeldelay.Curve
}

func newLabelsGroup(name string, c *labeldelay.Counts, share float64) (*labelsGroup, error) {
	curve, err := c.Curve(labeldelay.Options{})
	if err != nil {
		return nil, err
	}
	g := &labelsGroup{Name: name, Rows: curve.N, Labelled: curve.Events, Arrive: curve.Arrived, Watched: curve.End, Warnings: curve.Warnings, curve: curve}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		v, err := curve.Quantile(q)
		if err != nil {
			return nil, err
		}
		g.Quantiles = append(g.Quantiles, v)
	}
	if curve.Events == 0 {
		return g, nil
	}
	m, err := curve.Maturity(share)
	if err != nil {
		return nil, err
	}
	g.Maturity, g.By = maturityText(m.Age), m.All
	g.Warnings = append(g.Warnings, m.Warnings...)
	return g, nil
}

// maturityText writes a duration as policies do.
func maturityText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

// String lists what was left out, as a sentence does.
func (l leftOutRows) String() string {
	var parts []string
	for _, p := range []struct {
		n    uint64
		what string
	}{
		{l.Unserved, "without a time of service"}, {l.Future, "served after --at"},
		{l.Timeless, "with a label but no time of its arrival"}, {l.Early, "whose label came before they were served"},
	} {
		if p.n > 0 {
			parts = append(parts, group(p.n)+" "+p.what)
		}
	}
	if len(parts) == 0 {
		return "there are none"
	}
	return strings.Join(parts, ", ")
}

// page puts the report into words.
func (r *labelsReport) page() *page {
	p := &page{}
	p.heading("Arrival of labels")
	p.say("As of %s, %s. Rows without a label count as waiting for it.", r.At.Format(time.RFC3339), plural(r.Rows, "row"))
	if n := r.Left.total(); n > 0 {
		p.say("Left out: %s: %s.", plural(n, "row"), r.Left)
	}
	rows := [][]string{{"rows", "n", "with a label", "p50", "p90", "p99", "ever arrive", "watched for"}}
	for _, g := range r.Groups {
		row := []string{g.title(), group(g.Rows), group(g.Labelled)}
		for _, q := range g.Quantiles {
			row = append(row, delayText(q))
		}
		rows = append(rows, append(row, fmt.Sprintf("%s [%s, %s]", percentage(g.Arrive.Point), percentage(g.Arrive.Lo), percentage(g.Arrive.Hi)), ageText(g.Watched)))
	}
	p.table(rows)
	p.say("Kaplan-Meier on cells of 1/128; in square brackets: 95%% intervals. The share that ever arrives is that within the time watched; nothing is known of later labels.")
	for _, g := range r.Groups {
		g.page(p, r.share)
	}
	return p
}

func (g *labelsGroup) title() string {
	if g.Name == "" {
		return "all"
	}
	return g.Name
}

func (g *labelsGroup) page(p *page, share float64) {
	p.heading("Share of labels that have arrived, by age: %s", g.title())
	if g.Labelled == 0 {
		p.say("None of the %s has a label within %s, so nothing can be said of when they come.", plural(g.Rows, "row"), ageText(g.Watched))
		return
	}
	const width = 60
	var ys []float64
	for i := range width + 1 {
		ys = append(ys, 100*(1-g.curve.At(g.Watched*float64(i)/width).Survival.Point))
	}
	if plottable(ys) && g.Watched > 0 {
		p.chart(asciigraph.Plot(ys, asciigraph.Height(10), asciigraph.Width(width), asciigraph.Precision(0), asciigraph.LowerBound(0), asciigraph.UpperBound(100),
			asciigraph.Caption("percent of the rows, from age 0 to "+ageText(g.Watched))))
	}
	p.say("labels: {maturity: %s}", g.Maturity)
	p.say("By that age %s of the labels that arrive at all are there, and %s of all rows have one.", percentage(share), percentage(g.By))
	for _, w := range g.Warnings {
		p.item("%s: %s.", w.Code, w.Message)
	}
}

// delayText is a quantile with its interval.
func delayText(q stats.SurvivalQuantile) string {
	if !q.Reached {
		return "not reached, above " + ageText(q.Estimate.Lo)
	}
	return fmt.Sprintf("%s [%s, %s]", ageText(q.Estimate.Point), ageText(q.Estimate.Lo), ageText(q.Estimate.Hi))
}

// ageText writes seconds for people.
func ageText(seconds float64) string {
	switch {
	case math.IsInf(seconds, 1):
		return "?"
	case seconds >= 48*3600:
		return fmt.Sprintf("%.3g d", seconds/86400)
	case seconds >= 2*3600:
		return fmt.Sprintf("%.3g h", seconds/3600)
	case seconds >= 120:
		return fmt.Sprintf("%.3g min", seconds/60)
	}
	return fmt.Sprintf("%.3g s", seconds)
}
