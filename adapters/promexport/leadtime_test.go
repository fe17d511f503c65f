package promexport_test

import (
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/promexport"
	"github.com/rampguard/rampguard/leadtime"
)

func TestBucketsAreOnTheBands(t *testing.T) {
	edges := map[float64]bool{}
	for _, s := range promexport.LeadTimeBuckets() {
		edges[s] = true
	}
	bands := leadtime.ModelBands()
	for _, b := range bands[:len(bands)-1] {
		if !edges[b.Edge.Seconds()] {
			t.Errorf("band %s ends at %s, which is no bucket edge", b.Name, b.Edge)
		}
	}
}

func TestFlightsCountOnce(t *testing.T) {
	e := promexport.New(promexport.Options{SLA: 72 * time.Hour})
	for i := range 3 {
		e.ObserveLeadTime("registry", flights(), at(time.Duration(i)*time.Minute))
	}
	got := text(t, e)
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_count", `env="production"`, `track="standard"`, "} 1")
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_count", `env="staging"`, "} 1")
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_sum", `env="staging"`, "} 7200")
	// 72 hours to the nanosecond are within the edge.
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_bucket", `env="production"`, `track="standard"`, `le="172800"`, "} 0")
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_bucket", `env="production"`, `track="standard"`, `le="259200"`, "} 1")
	wantSeries(t, got, 1, "model_deployment_in_flight", `track="standard"`, "} 2")
	wantSeries(t, got, 1, "model_deployment_in_flight", `track="fast_track"`, "} 0")
	wantSeries(t, got, 1, "model_deployment_in_flight_overdue", `track="standard"`, "} 1")
	wantSeries(t, got, 1, "model_deployment_in_flight_age_seconds", "} 288120") // 80 h and 2 min
	// The stages add up: 10 h, 60 h with the wait, and 2 h after the last one.
	wantSeries(t, got, 1, "model_deployment_stage_seconds_sum", `stage="validation"`, "} 36000")
	wantSeries(t, got, 1, "model_deployment_stage_seconds_sum", `stage="approval"`, "} 216000")
	wantSeries(t, got, 1, "model_deployment_stage_seconds_sum", `stage="unattributed"`, `track="standard"`, "} 7200")

	// The one that waited is served: one more, and one less in flight.
	fs := flights()
	fs[3].State, fs[3].Served, fs[3].Ended = leadtime.Served, at(time.Hour), at(time.Hour)
	e.ObserveLeadTime("registry", fs, at(2*time.Hour))
	e.ObserveLeadTime("registry", flights(), at(time.Hour)) // from before
	got = text(t, e)
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_count", `env="production"`, `track="standard"`, "} 2")
	wantSeries(t, got, 1, "model_deployment_in_flight", `track="standard"`, "} 1")

	e.ForgetLeadTime("registry")
	got = text(t, e)
	wantSeries(t, got, 0, "model_deployment_in_flight")
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_count", `env="production"`, `track="standard"`, "} 2")
}

func TestSeriesBeginAtZero(t *testing.T) {
	e := promexport.New(promexport.Options{})
	waiting := flights()[3:4]
	e.ObserveLeadTime("registry", waiting, start)
	got := text(t, e)
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_count", "} 0")
	wantSeries(t, got, 0, "model_deployment_in_flight_overdue") // no SLA
	wantSeries(t, got, 0, "model_deployment_lead_time_sla_seconds")
}

func TestLogsAddUp(t *testing.T) {
	e := promexport.New(promexport.Options{})
	e.ObserveLeadTime("a", flights(), start)
	e.ObserveLeadTime("b", flights(), start)
	got := text(t, e)
	wantSeries(t, got, 1, "model_deployment_in_flight", `track="standard"`, "} 4")
	wantSeries(t, got, 1, "model_deployment_lead_time_seconds_count", `env="production"`, `track="standard"`, "} 2")
	wantSeries(t, got, 1, "model_deployment_in_flight_age_seconds", "} 288000")
}
