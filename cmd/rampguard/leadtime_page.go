package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"

	"github.com/rampguard/rampguard/leadtime"
)

// page puts the report into words.
func (r *leadtimeReport) page() *page {
	p := &page{}
	g := r.Report.Headline()
	p.heading("Lead time, sign-off to %s", g.Env)
	p.say("As of %s: %s from %s in %s; cohort %v, clock: %s.", r.Report.AsOf.Format("2006-01-02 15:04 MST"),
		plural(r.Flights, "flight"), plural(r.Events, "event"), plural(r.Rows, "row"), r.Report.Cohort, r.Report.Clock)
	p.table(r.Report.Table())
	p.say("Quantiles: %s. In square brackets: 95%% intervals.", quantileMethod(g))
	p.bands(g)
	p.stages(&r.Stages)
	p.quarters(r)
	p.breaches(r.Report.Breaches)
	p.operations(&r.Ops)
	p.leftOut(r)
	return p
}

func quantileMethod(g leadtime.Group) string {
	if g.P50.Method == "" {
		return "none, there is no release"
	}
	if strings.Contains(g.P50.Method, g.P50.Type) {
		return g.P50.Method
	}
	return g.P50.Type + ", " + g.P50.Method
}

func (p *page) bands(g leadtime.Group) {
	rows := [][]string{{"band", "releases", "share", ""}}
	for _, b := range g.Bands {
		rows = append(rows, []string{b.Band, fmt.Sprint(b.N), percentage(b.Share), bar(b.Share, 20)})
	}
	if g.N > 0 {
		p.heading("Bands, %s track", g.Track)
		p.table(rows)
	}
}

func (p *page) stages(s *leadtime.StageReport) {
	if s.Flights == 0 {
		return
	}
	p.heading("Where the time goes, standard track")
	rows := [][]string{{"stage", "share", "", "mean", "working", "waiting", "retries", "p50", "p90", "longest in"}}
	n := float64(s.Flights)
	for _, t := range s.Stages {
		rows = append(rows, []string{t.Stage, percentage(t.Share), bar(t.Share, 20), leadtime.FormatHours(t.Mean),
			leadtime.FormatHours(t.Exclusive / n), leadtime.FormatHours(t.Wait / n), leadtime.FormatHours(t.Retry / n),
			leadtime.FormatHours(t.P50.Estimate.Point), leadtime.FormatHours(t.P90.Estimate.Point), fmt.Sprint(t.Longest)})
	}
	if s.Total > 0 && s.Unattributed > 0 {
		rows = append(rows, []string{"(no stage)", percentage(s.Unattributed / s.Total), bar(s.Unattributed/s.Total, 20), leadtime.FormatHours(s.Unattributed / n), "", "", "", "", "", ""})
	}
	p.table(rows)
	if s.Bottleneck != "" {
		p.say("Bottleneck: %s, with %s of the time of %s. Shares sum to the whole; medians of stages do not.", s.Bottleneck, percentage(s.BottleneckShare), plural(s.Flights, "release"))
	}
}

func (p *page) quarters(r *leadtimeReport) {
	rows := [][]string{{"quarter", "releases", "p50", "p90", "in flight"}}
	var p50, p90 []float64
	qs := r.Quarters
	for len(qs) > 0 && qs[0].Headline().N+qs[0].Headline().InFlight == 0 {
		qs = qs[1:] // before the log begins
	}
	for _, q := range qs {
		h := q.Headline()
		name := quarterName(q.Since)
		if q.Partial {
			name += " (so far)"
		}
		rows = append(rows, []string{name, fmt.Sprint(h.N), h.P50.String(), h.P90.String(), fmt.Sprint(h.InFlight)})
		if h.N > 0 {
			p50, p90 = append(p50, h.P50.Estimate.Point), append(p90, h.P90.Estimate.Point)
		}
	}
	p.heading("Quarters, standard track")
	p.table(quarterRows(rows, qs))
	if len(p50) >= 3 && plottable(p50) && plottable(p90) {
		p.chart(asciigraph.PlotMany([][]float64{p50, p90}, asciigraph.Height(8), asciigraph.Width(4*len(p50)),
			asciigraph.Precision(0), asciigraph.Caption("hours by quarter, oldest first: p50 below, p90 above")))
	}
	t := &r.Trend
	switch {
	case t.Conclusive:
		p.say("Trend: %v, p %.2g over %s (%s); %s per 30 days.", t.Direction, float64(t.P), plural(t.N, "release"), t.Method, slope(t.Slope.Point))
	case t.N > 0:
		p.say("Trend: none that %s can show (p %.2g, %s).", plural(t.N, "release"), float64(t.P), t.Method)
	}
	if y := r.Year; y != nil {
		p.say("Yearly target of %s less, %s against %s:", percentage(y.Result.Target), quarterName(y.Now), quarterName(y.Then))
		p.item("p50 %s", reduction(y.Result.P50))
		p.item("p90 %s", reduction(y.Result.P90))
	}
}

// quarterRows writes quantiles as the main table does.
func quarterRows(rows [][]string, qs []leadtime.Point) [][]string {
	for i, q := range qs {
		t := leadtime.Report{Groups: q.Groups}.Table()
		if len(t) > 1 {
			rows[i+1][2], rows[i+1][3] = t[1][5], t[1][6]
		}
	}
	return rows
}

func plottable(xs []float64) bool {
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func slope(h float64) string {
	if math.IsNaN(h) {
		return "no slope"
	}
	if h < 0 {
		return "down " + leadtime.FormatHours(-h)
	}
	return "up " + leadtime.FormatHours(h)
}

func reduction(c leadtime.Change) string {
	if math.IsNaN(float64(c.Reduction)) {
		return "cannot be compared"
	}
	met, sure := "not met", "not conclusive"
	if c.Met {
		met = "met"
	}
	if c.Conclusive {
		sure = "conclusive"
	}
	return fmt.Sprintf("%s less: %s, %s (now/then %.2f, 95%% interval %.2f to %.2f; %s)", percentage(float64(c.Reduction)), met, sure,
		c.Ratio.Point, c.Ratio.Lo, c.Ratio.Hi, c.Method)
}

func (p *page) breaches(bs []leadtime.Breach) {
	if len(bs) == 0 {
		return
	}
	const most = 10
	p.heading("Beyond the SLA: %d", len(bs))
	for _, b := range bs[:min(len(bs), most)] {
		switch {
		case b.InFlight:
			p.item("%v in flight for %s, %s over; %s", b.Key, leadtime.FormatHours(b.Lead), leadtime.FormatHours(b.Overrun), idle(b))
		case b.WorstStage == "":
			p.item("%v took %s, %s over; most of it belongs to no stage", b.Key, leadtime.FormatHours(b.Lead), leadtime.FormatHours(b.Overrun))
		default:
			p.item("%v took %s, %s over; %s had %s of it, %s of that waiting", b.Key, leadtime.FormatHours(b.Lead), leadtime.FormatHours(b.Overrun), b.WorstStage, leadtime.FormatHours(b.StageHours), leadtime.FormatHours(b.WaitHours))
		}
	}
	if n := len(bs) - most; n > 0 {
		p.item("and %d more; --format json has them all", n)
	}
}

// idle says since when nothing is on record of a release in flight.
func idle(b leadtime.Breach) string {
	after := b.After
	if after == "" {
		after = "sign-off"
	}
	if b.IdleHours < 1.0/60 {
		return "in " + after
	}
	return fmt.Sprintf("nothing has happened since %s, %s ago", after, leadtime.FormatHours(b.IdleHours))
}

func (p *page) operations(o *leadtime.OpsReport) {
	p.heading("Operations")
	rows := [][]string{{"", "share", "of", "pending", "95% interval"}}
	for _, r := range []struct {
		name string
		rate leadtime.Rate
	}{{"promoted", o.Promotion}, {"deployed at once", o.Deploys}, {"lasted", o.Durable}, {"rolled back", o.Rollback}} {
		if r.rate.N+r.rate.Pending == 0 {
			continue
		}
		share := "-"
		if r.rate.N > 0 {
			share = percentage(r.rate.Estimate.Point)
		}
		rows = append(rows, []string{r.name, share, fmt.Sprint(r.rate.N), fmt.Sprint(r.rate.Pending), percentage(r.rate.Estimate.Lo) + " to " + percentage(r.rate.Estimate.Hi)})
	}
	p.table(rows)
	t := o.RollbackTimes
	if t.Restore.N+t.Restore.Open > 0 {
		p.say("Rollbacks (medians): noticed after %s, decided after another %s, restored after another %s; exposed for %s.", median(t.Detect), median(t.Decide), median(t.Restore), median(t.Exposure))
	}
	if o.Incidents.N > 0 {
		r := o.Incidents.Recovery
		p.say("Incidents: %d, %d still open; mean time to recovery %s, median %s, p90 %s.", o.Incidents.N, r.Open,
			leadtime.FormatHours(r.Plain.Mean.Estimate.Point), median(r), leadtime.FormatHours(r.Plain.P90.Estimate.Point))
	}
	if o.Alerts.Alerts > 0 {
		p.say("Rollbacks per drift alert: %d/%d = %.2f.", o.Alerts.Rollbacks, o.Alerts.Alerts, o.Alerts.Ratio.Point)
	}
	for _, g := range o.Gates {
		if g.Failed.Met > 0 {
			p.item("gate %s of %s failed %d of %s", g.Stage, g.Model, g.Failed.Met, plural(g.Failed.N, "time"))
		}
	}
	for _, r := range o.Retraining {
		if r.N == 0 {
			p.item("%s was not retrained", r.Model)
			continue
		}
		p.item("%s was retrained %s in %s", r.Model, plural(r.N, "time"), plural(uint64(math.Round(r.Days)), "day"))
	}
}

func median(d leadtime.Durations) string {
	if d.N == 0 {
		return "-"
	}
	return leadtime.FormatHours(d.Plain.P50.Estimate.Point)
}

func (p *page) leftOut(r *leadtimeReport) {
	if len(r.Warnings) > 0 {
		p.heading("Warnings")
		for _, w := range r.Warnings {
			p.item("%s", w.Message)
		}
	}
	if r.BadTotal == 0 && len(r.Excluded) == 0 && len(r.Report.Excluded) == 0 {
		return
	}
	p.heading("Left out")
	if r.BadTotal > 0 {
		p.badRows(r.Bad, r.BadTotal, r.Rows)
	}
	const most = 20
	for i, e := range r.Excluded {
		if i == most {
			p.item("and %d more events; --format json has them all", len(r.Excluded)-most)
			break
		}
		p.item("line %d, %v of %s: %v", e.Event.Line, e.Event.Kind, strings.TrimSuffix(e.Event.Model+" "+e.Event.Version, " "), e.Reason)
	}
	byReason := map[string][]string{}
	for _, f := range r.Report.Excluded {
		byReason[f.Reason] = append(byReason[f.Reason], fmt.Sprint(f.Key))
	}
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		keys := byReason[reason]
		list := strings.Join(keys[:min(len(keys), most)], ", ")
		if len(keys) > most {
			list += ", ..."
		}
		p.item("no lead time, %s: %s", strings.ReplaceAll(reason, "_", " "), list)
	}
}

func quarterName(t time.Time) string {
	return fmt.Sprintf("%d Q%d", t.Year(), (int(t.Month())+2)/3)
}

func percentage(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.3g%%", 100*x)
}
