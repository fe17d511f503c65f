package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
)

// cloudEvent is an event in the structured mode of CloudEvents 1.0. Source and ID
// together are the same for every try.
type cloudEvent struct {
	SpecVersion string       `json:"specversion"`
	ID          string       `json:"id"` // digest of the record
	Source      string       `json:"source"`
	Type        string       `json:"type"`
	Subject     string       `json:"subject"`
	Time        string       `json:"time"`
	ContentType string       `json:"datacontenttype"`
	Data        decisionData `json:"data"`
}

type decisionData struct {
	Rollout  string            `json:"rollout"`
	Policy   string            `json:"policy"`
	Number   int               `json:"record_number"`
	Look     string            `json:"look"`
	Model    analysis.Model    `json:"model"`
	Stage    string            `json:"stage,omitempty"`
	Decision analysis.Decision `json:"decision"`
	Resume   analysis.Resume   `json:"resume"`
	Next     string            `json:"next_stage,omitempty"`
	Reasons  []analysis.Reason `json:"reasons"`
	Digest   string            `json:"digest"`
}

const eventType = "io.rampguard.rollout.decided.v1"

func eventOf(d webhookgate.Decision) cloudEvent {
	v := d.Verdict
	return cloudEvent{SpecVersion: "1.0", ID: v.Record.Digest, Source: "/rampguard/rollouts/" + url.PathEscape(d.Rollout), Type: eventType,
		Subject: d.Rollout, Time: d.At.UTC().Format(time.RFC3339Nano), ContentType: "application/json",
		Data: decisionData{d.Rollout, d.Policy, d.Number, d.Look, v.Model, v.Stage, v.Decision, v.Resume, v.Next, v.Reasons, v.Record.Digest}}
}

// eventSink posts events in the order of the decisions, and never makes a verdict
// wait: what does not fit in its queue is dropped and counted. A nil sink drops all.
type eventSink struct {
	url, token string
	client     *retryablehttp.Client
	queue      chan cloudEvent
	metrics    *serveMetrics
	log        *slog.Logger

	mu     sync.Mutex
	closed bool
	ended  chan struct{}
	stop   context.CancelFunc
}

const (
	eventQueue = 10_000
	eventGrace = 2 * time.Second // for what is queued when the gate ends
)

// events starts the sink of --cloudevents.
func (o *serveOptions) events(m *serveMetrics, log *slog.Logger) (*eventSink, error) {
	if o.cloudevents == "" {
		return nil, nil
	}
	u, err := url.Parse(o.cloudevents)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("--cloudevents: it is no http or https URL")
	}
	s := &eventSink{url: o.cloudevents, client: retryablehttp.NewClient(), queue: make(chan cloudEvent, eventQueue), metrics: m, log: log, ended: make(chan struct{})}
	if o.eventsToken != "" {
		b, err := os.ReadFile(o.eventsToken)
		if err != nil {
			return nil, fmt.Errorf("--cloudevents-token-file: %w", err)
		}
		s.token = strings.TrimSpace(string(b))
	}
	s.client.Logger, s.client.RetryMax = nil, 6
	s.client.RetryWaitMin, s.client.RetryWaitMax = 200*time.Millisecond, 10*time.Second
	s.client.HTTPClient.Timeout = 10 * time.Second
	s.client.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.work(ctx)
	return s, nil
}

func (s *eventSink) send(d webhookgate.Decision) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.count("dropped", d.Rollout, errors.New("the gate ends"))
		return
	}
	select {
	case s.queue <- eventOf(d):
	default:
		s.count("dropped", d.Rollout, errors.New("the queue is full"))
	}
}

func (s *eventSink) work(ctx context.Context) {
	defer close(s.ended)
	for e := range s.queue {
		if err := s.post(ctx, e); err != nil {
			s.count("failed", e.Subject, err)
			continue
		}
		s.metrics.events.WithLabelValues("sent").Inc()
	}
}

func (s *eventSink) count(result, rollout string, err error) {
	s.metrics.events.WithLabelValues(result).Inc()
	s.log.Warn("cloudevent "+result, "rollout", rollout, "error", err.Error())
}

func (s *eventSink) post(ctx context.Context, e cloudEvent) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	r, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be used")
	}
	r.Header.Set("Content-Type", "application/cloudevents+json; charset=UTF-8")
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return errors.New("the gate ends")
		}
		return errors.New("no answer after all tries") // the cause may name the URL with its credentials
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// close gives what is queued a moment to leave.
func (s *eventSink) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.closed = true
	close(s.queue)
	s.mu.Unlock()
	t := time.AfterFunc(eventGrace, s.stop)
	<-s.ended
	t.Stop()
	s.stop()
}
