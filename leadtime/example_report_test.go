package leadtime_test

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// Nine releases are done, three are still under way. Leaving these out would put
// the 0.9-quantile at 4.8 days.
func ExampleSummarize() {
	signoff := time.Date(2025, 4, 1, 9, 0, 0, 0, time.UTC)
	var flights []leadtime.Flight
	for i, days := range []float64{0.3, 0.5, 0.9, 1.2, 1.8, 2.5, 3.1, 4.0, 8.0, 6.0, 9.0, 12.0} {
		end := signoff.Add(time.Duration(days * 24 * float64(time.Hour)))
		f := leadtime.Flight{
			Key:     leadtime.FlightKey{Model: "fraud", Version: fmt.Sprint(i + 1), SignOff: 1},
			SignOff: signoff, Ended: end, Served: end, State: leadtime.Served,
		}
		if i >= 9 {
			f.State, f.Served = leadtime.InFlight, time.Time{}
		}
		flights = append(flights, f)
	}
	r, err := leadtime.Summarize(flights, leadtime.Options{Cohort: leadtime.BySignOff, SLA: 72 * time.Hour})
	if err != nil {
		panic(err)
	}
	g := r.Headline()
	fmt.Println("completed:", g.N, "in flight:", g.InFlight)
	fmt.Println("p50:", leadtime.FormatHours(g.P50.Estimate.Point))
	fmt.Println("p90:", g.P90, "h")
	fmt.Println("p90 of the completed:", leadtime.FormatHours(g.Plain.P90.Estimate.Point), "by", g.Plain.P90.Type)
	fmt.Printf("within %v h: %d of %d, %v\n", g.SLA.SLA, g.SLA.Rate.Met, g.SLA.Rate.N, g.SLA.Rate.Estimate)
	fmt.Println("worst breach:", r.Breaches[0].Key, "by", r.Breaches[0].Overrun, "h")
	// Output:
	// completed: 9 in flight: 3
	// p50: 2d 19h
	// p90: not reached, at least 192 h
	// p90 of the completed: 4d 19h by type 7
	// within 72 h: 6 of 12, 0.5 [0.2538, 0.7462] (95%)
	// worst breach: fraud/12#1 by 216 h
}

func ExampleComplianceRate() {
	audits, err := leadtime.ComplianceRate(40, 50, leadtime.RateOptions{Method: leadtime.RateClopperPearson, Target: 0.95})
	if err != nil {
		panic(err)
	}
	fmt.Println(audits.Estimate)
	fmt.Printf("so few, if 95%% passed: %.5f\n", float64(audits.PBelow))
	// Output:
	// 0.8 [0.6628, 0.8997] (95%)
	// so few, if 95% passed: 0.00016
}

func ExampleRolling() {
	var flights []leadtime.Flight
	for i, days := range []int{6, 5, 7, 4, 3, 3} {
		served := time.Date(2025, time.Month(1+i), 20, 12, 0, 0, 0, time.UTC)
		flights = append(flights, leadtime.Flight{
			Key:     leadtime.FlightKey{Model: "fraud", Version: fmt.Sprint(i + 1), SignOff: 1},
			SignOff: served.AddDate(0, 0, -days), Served: served, Ended: served, State: leadtime.Served,
		})
	}
	points, err := leadtime.Rolling(flights, leadtime.WindowSpec{Count: 2}, leadtime.Options{})
	if err != nil {
		panic(err)
	}
	for _, p := range points {
		g := p.Headline()
		fmt.Println(p.Since.Format(time.DateOnly), "n", g.N, "p50", leadtime.FormatHours(g.P50.Estimate.Point), "partial", p.Partial)
	}
	// Output:
	// 2025-01-01 n 3 p50 6d partial false
	// 2025-04-01 n 3 p50 3d partial true
}

// Eight releases in falling order are evidence; four quarters could not be.
func ExampleTrend() {
	var flights []leadtime.Flight
	for i, h := range []int{100, 96, 98, 90, 85, 88, 80, 75} {
		served := time.Date(2025, 1, 1+10*i, 0, 0, 0, 0, time.UTC)
		flights = append(flights, leadtime.Flight{
			Key:     leadtime.FlightKey{Model: "fraud", Version: fmt.Sprint(i + 1), SignOff: 1},
			SignOff: served.Add(-time.Duration(h) * time.Hour), Served: served, Ended: served, State: leadtime.Served,
		})
	}
	all, err := leadtime.Trend(flights, leadtime.TrendOptions{})
	if err != nil {
		panic(err)
	}
	few, err := leadtime.Trend(flights[4:], leadtime.TrendOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%v: P %.4f, %.2f h in 30 days\n", all.Direction, float64(all.P), all.Slope.Point)
	fmt.Printf("four releases: conclusive %v, smallest P %.3f\n", few.Conclusive, float64(few.PMin))
	// Output:
	// improving: P 0.0017, -10.25 h in 30 days
	// four releases: conclusive false, smallest P 0.083
}

// The median fell by 21%, which meets the target and proves nothing.
func ExampleImproved() {
	year := func(y int, hours ...int) (out []leadtime.Flight) {
		for i, h := range hours {
			served := time.Date(y, time.Month(1+i), 20, 0, 0, 0, 0, time.UTC)
			out = append(out, leadtime.Flight{
				Key:     leadtime.FlightKey{Model: "fraud", Version: fmt.Sprint(y, i), SignOff: 1},
				SignOff: served.Add(-time.Duration(h) * time.Hour), Served: served, Ended: served, State: leadtime.Served,
			})
		}
		return out
	}
	then := year(2024, 200, 150, 120, 90, 80, 60, 48, 40)
	now := year(2025, 130, 100, 96, 70, 64, 50, 36, 30)
	r, err := leadtime.Improved(now, then, leadtime.ImprovementOptions{Target: 0.2})
	if err != nil {
		panic(err)
	}
	fmt.Printf("median: %.0f h, was %.0f h\n", r.P50.Now.Estimate.Point, r.P50.Then.Estimate.Point)
	fmt.Printf("reduction %.0f%%, met %v, conclusive %v\n", 100*float64(r.P50.Reduction), r.P50.Met, r.P50.Conclusive)
	fmt.Printf("ratio %.2f [%.2f, %.2f]\n", r.P50.Ratio.Point, r.P50.Ratio.Lo, r.P50.Ratio.Hi)
	// Output:
	// median: 67 h, was 85 h
	// reduction 21%, met true, conclusive false
	// ratio 0.76 [0.42, 1.44]
}

func ExampleOps() {
	noon := time.Date(2025, 4, 1, 12, 0, 0, 0, time.UTC)
	served := leadtime.Flight{
		Key:   leadtime.FlightKey{Model: "fraud", Version: "7", SignOff: 1},
		State: leadtime.Served, SignOff: noon.Add(-30 * time.Hour), Served: noon, Ended: noon,
		Rollbacks: []leadtime.Rollback{{Since: noon, Decided: noon.Add(3 * time.Hour), Restored: noon.Add(3*time.Hour + 5*time.Minute), To: "6"}},
	}
	events := []leadtime.Event{
		{Kind: leadtime.DriftAlert, Model: "fraud", At: noon.Add(2 * time.Hour)},
		{Kind: leadtime.DriftAlert, Model: "fraud", At: noon.Add(9 * 24 * time.Hour)},
		{Kind: leadtime.IncidentDetected, Model: "fraud", Ref: "INC-1", At: noon.Add(2 * time.Hour)},
		{Kind: leadtime.IncidentResolved, Model: "fraud", Ref: "INC-1", At: noon.Add(3 * time.Hour)},
	}
	r, err := leadtime.Ops([]leadtime.Flight{served}, events, leadtime.OpsOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("rolled back: %d of %d deployments\n", r.Rollback.Met, r.Rollback.N)
	fmt.Println("noticed after", leadtime.FormatHours(r.RollbackTimes.Detect.Plain.Mean.Estimate.Point),
		"decided after", leadtime.FormatHours(r.RollbackTimes.Decide.Plain.Mean.Estimate.Point),
		"restored after", leadtime.FormatHours(r.RollbackTimes.Restore.Plain.Mean.Estimate.Point))
	fmt.Println("rollbacks per drift alert:", r.Alerts.Ratio.Point)
	fmt.Println("mean time to recovery:", leadtime.FormatHours(r.Incidents.Recovery.Plain.Mean.Estimate.Point))
	// Output:
	// rolled back: 1 of 1 deployments
	// noticed after 2h decided after 1h restored after 5m
	// rollbacks per drift alert: 0.5
	// mean time to recovery: 1h
}

// Chargebacks take weeks. A quality objective over the last days would look at
// predictions whose bad news has not come yet.
func ExampleLabelDelay() {
	start := time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC)
	var log []leadtime.Labelled
	for i := range 60 {
		made := start.AddDate(0, 0, i)
		log = append(log, leadtime.Labelled{Predicted: made, Arrived: made.AddDate(0, 0, 1+i%20)})
	}
	r, err := leadtime.LabelDelay(log, leadtime.LabelOptions{AsOf: start.AddDate(0, 0, 60)})
	if err != nil {
		panic(err)
	}
	fmt.Println("labelled:", r.Arrived, "of", r.N)
	fmt.Println("95% are there after", leadtime.FormatHours(r.Horizon.Estimate.Point))
	fmt.Println("mature:", r.Mature(start, start.AddDate(0, 0, 60)), r.Mature(start.AddDate(0, 0, 50), start.AddDate(0, 0, 60)))
	// Output:
	// labelled: 50 of 60
	// 95% are there after 19d
	// mature: true false
}

func ExampleFreshness() {
	noon := time.Date(2025, 4, 1, 12, 0, 0, 0, time.UTC)
	var uses []leadtime.FeatureUse
	for i := range 20 {
		uses = append(uses, leadtime.FeatureUse{Feature: "spend_24h", At: noon, Updated: noon.Add(-time.Duration(10*i) * time.Minute)})
	}
	r, err := leadtime.Freshness(uses, leadtime.FreshnessOptions{SLA: 2 * time.Hour, Target: 0.95})
	if err != nil {
		panic(err)
	}
	for _, f := range r {
		fmt.Println(f.Feature, "p50", leadtime.FormatHours(f.P50.Estimate.Point), "p90", leadtime.FormatHours(f.P90.Estimate.Point),
			"within", f.SLA, "h:", f.Within.Met, "of", f.Within.N)
	}
	// Output:
	// spend_24h p50 1.6h p90 2.9h within 2 h: 13 of 20
}

// The quiet hour is dear per inference, and hardly matters.
func ExampleCostPerInference() {
	r, err := leadtime.CostPerInference([]leadtime.CostSample{
		{Model: "fraud", Cost: 3, Inferences: 90_000},
		{Model: "fraud", Cost: 3, Inferences: 110_000},
		{Model: "fraud", Cost: 3, Inferences: 1_000},
	}, 0.95)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3g for %.0f inferences: %.3g each\n", r[0].Cost, r[0].Inferences, r[0].PerInference.Point)
	// Output: 9 for 201000 inferences: 4.48e-05 each
}

func ExampleModelBands() {
	bands := leadtime.ModelBands()
	for _, h := range []int{23, 24, 72, 73, 169} {
		fmt.Println(h, bands.Of(time.Duration(h)*time.Hour))
	}
	// Output:
	// 23 excellent
	// 24 good
	// 72 good
	// 73 needs_improvement
	// 169 problematic
}

func ExampleDORA2021() {
	fmt.Println(leadtime.DORA2021().Of(26 * time.Hour))
	// Output: high
}

func ExampleDORA2023() {
	fmt.Println(leadtime.DORA2023().Of(7 * 24 * time.Hour))
	// Output: medium
}

func ExampleDORARecovery() {
	fmt.Println(leadtime.DORARecovery().Of(45 * time.Minute))
	// Output: elite
}

func ExampleFormatHours() {
	for _, h := range []float64{0.75, 6.52, 31, 76} {
		fmt.Println(leadtime.FormatHours(h))
	}
	// Output:
	// 45m
	// 6.5h
	// 31h
	// 3d 4h
}
