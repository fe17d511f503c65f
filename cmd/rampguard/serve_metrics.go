package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rampguard/rampguard/adapters/promexport"
	"github.com/rampguard/rampguard/adapters/webhookgate"
)

// serveMetrics are the metrics of the gate, with those of its verdicts.
type serveMetrics struct {
	registry *prometheus.Registry
	verdicts *promexport.Exporter
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	replayed prometheus.Counter
	events   *prometheus.CounterVec
}

func newServeMetrics(maxAge time.Duration) *serveMetrics {
	m := &serveMetrics{
		registry: prometheus.NewRegistry(),
		verdicts: promexport.New(promexport.Options{Now: time.Now, MaxAge: maxAge}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rampguard_gate_requests_total", Help: "Requests that the gate has answered."}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "rampguard_gate_request_seconds", Help: "How long an answer took.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"route"}),
		replayed: prometheus.NewCounter(prometheus.CounterOpts{Name: "rampguard_gate_replayed_looks_total", Help: "Looks that were sent again and answered from the store."}),
		events:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rampguard_gate_cloudevents_total", Help: "Events by what became of them."}, []string{"result"}),
	}
	m.registry.MustRegister(m.verdicts, m.requests, m.seconds, m.replayed, m.events,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *serveMetrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *serveMetrics) decided(d webhookgate.Decision) {
	m.verdicts.Observe(d.Rollout, d.Verdict, d.At)
}

func (m *serveMetrics) served(a webhookgate.Access) {
	route := a.Route
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(a.Status)).Inc()
	m.seconds.WithLabelValues(route).Observe(a.Took.Seconds())
	if a.Replayed {
		m.replayed.Inc()
	}
}
