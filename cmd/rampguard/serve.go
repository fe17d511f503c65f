package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rampguard/rampguard/adapters/webhookgate"
)

// serveOptions are the flags of "rampguard serve".
type serveOptions struct {
	listen      string
	policies    []string
	store       string
	storeWait   time.Duration
	tokenFile   string
	overriders  []string
	posters     []string
	open        bool
	cert, key   string
	clientCA    string
	prometheus  []string
	since       time.Duration
	cloudevents string
	eventsToken string
	maxAge      time.Duration
	minInterval time.Duration
	rate        float64
	burst       int
	maxBody     int64
	example     string
}

func newServe(stdout, stderr io.Writer) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve --policy FILE --store FILE|URL --token-file FILE",
		Short: "Answer Flagger, Argo Rollouts and Kayenta's clients over HTTP",
		Long: `serve is the gate that rollout controllers ask: it keeps the verdicts of all
rollouts, with the evidence that they rest on, and answers over HTTP. Nothing has to
be installed in the controllers.

From nothing to Flagger or Argo Rollouts in four steps:

  1. A policy. The name of the file names it: this one is called fraud.

       mkdir policies
       rampguard serve --example policy > policies/fraud.yaml

  2. A token for each client, and the gate.

       echo "flagger $(openssl rand -hex 24)" > tokens
       rampguard serve --policy policies --store gate.db --token-file tokens

  3. Evidence. Either a job posts it:

       curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:8080/v1/decide -d '{
         "rollout": "fraud-v8", "policy": "fraud", "look": "'"$(date +%s)"'",
         "measurements": [
           {"arm": "baseline",  "metric": "errors", "total": 100, "count": 10000,
            "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z"},
           {"arm": "candidate", "metric": "errors", "total": 103, "count": 10000,
            "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z"}]}'

     or the gate asks Prometheus whenever a controller asks the gate:

       rampguard serve ... --prometheus fraud=prometheus.yaml

     It then collects all evidence of that policy, from the first look at a stage on:
     that look is a pause. Nobody else may post any, but for the clients of --post-by.

  4. The controller. These print what to paste:

       rampguard serve --example flagger
       rampguard serve --example argo

A look is stored before it is answered. A client that got no answer sends the same
bytes again: a look counts once. Several replicas may share one PostgreSQL:

  rampguard serve --policy policies --token-file tokens \
    --store 'postgres://gate@db/gate?sslmode=verify-full'    # password in PGPASSWORD

A client whose line in the token file ends with names of policies, as in
"flagger TOKEN fraud,churn", may use those and no others.

GET /healthz is for probes, GET /metrics (with a token) for Prometheus, and
GET /v1/rollouts/NAME for people. The log is JSON on standard error. SIGTERM lets
requests end first. Exit status: 0 after SIGTERM or an interrupt, 2 on an error.`,
		Example: `  rampguard serve --policy policies --store gate.db --token-file tokens
  rampguard serve --policy fraud.yaml --prometheus prometheus.yaml --store gate.db --token-file tokens --listen :8080
  rampguard serve --example flagger`,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return o.check() },
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.example != "" {
				return writeExample(stdout, o.example)
			}
			return o.run(cmd.Context(), stderr)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address; :8080 is all interfaces")
	f.StringArrayVar(&o.policies, "policy", nil, "policy file, or folder of them, named by their files; may be repeated")
	f.StringVar(&o.store, "store", "", "file that keeps the rollouts, or postgres:// URL for several replicas")
	f.DurationVar(&o.storeWait, "store-wait", 15*time.Second, "how long to wait for the store at the start")
	f.StringVar(&o.tokenFile, "token-file", "", "file with a line NAME TOKEN for each client, or NAME TOKEN POLICY,POLICY; tokens of 16 characters or more")
	f.StringArrayVar(&o.overriders, "override-by", nil, "name of a client whose looks may carry overrides; may be repeated")
	f.StringArrayVar(&o.posters, "post-by", nil, "name of a client that may post evidence for a policy with --prometheus; may be repeated")
	f.BoolVar(&o.open, "no-auth", false, "let everybody in who can reach the address")
	f.StringVar(&o.cert, "tls-cert", "", "PEM file with the certificate of the gate; then it speaks HTTPS")
	f.StringVar(&o.key, "tls-key", "", "PEM file with its key")
	f.StringVar(&o.clientCA, "client-ca", "", "PEM file with the authorities whose client certificates are let in")
	f.StringArrayVar(&o.prometheus, "prometheus", nil, "NAME=FILE: configuration of the Prometheus server that brings the metrics of policy NAME; with one policy FILE will do")
	f.DurationVar(&o.since, "since", 0, "with --prometheus: how long before the first look at the stage the window begins; what is above 0 counts what ran before as the candidate's, too, so a policy with stages takes 0 only")
	f.StringVar(&o.cloudevents, "cloudevents", "", "URL that gets each decision as a CloudEvent; what is on its way is lost when the gate is killed, the record is not")
	f.StringVar(&o.eventsToken, "cloudevents-token-file", "", "file with the bearer token for it")
	f.DurationVar(&o.maxAge, "max-age", time.Hour, "how old a continue may be that a controller gets; an older one is a pause")
	f.DurationVar(&o.minInterval, "min-interval", 5*time.Second, "with --prometheus: how old a verdict may be that a controller gets without another look")
	f.Float64Var(&o.rate, "rate", 50, "requests a second of one client")
	f.IntVar(&o.burst, "burst", 200, "requests of one client at once")
	f.Int64Var(&o.maxBody, "max-body", 8<<20, "bytes of one request; 32 of more than 64 KiB are worked on at once")
	f.StringVar(&o.example, "example", "", "print something to paste and end: "+strings.Join(exampleNames(), ", "))
	return cmd
}

// check refuses bounds that say nothing: in the library a zero is the default.
func (o *serveOptions) check() error {
	for _, b := range []struct {
		flag  string
		above bool
	}{
		{"max-age", o.maxAge > 0}, {"min-interval", o.minInterval > 0}, {"rate", o.rate > 0}, {"burst", o.burst > 0}, {"max-body", o.maxBody > 0}, {"store-wait", o.storeWait > 0},
	} {
		if !b.above {
			return fmt.Errorf("--%s: it has to be above 0; leave the flag out for the default", b.flag)
		}
	}
	if o.since < 0 {
		return fmt.Errorf("--since: %v lies after the first look; give 0 or more", o.since)
	}
	return nil
}

// run serves until the context ends.
func (o *serveOptions) run(ctx context.Context, stderr io.Writer) (err error) {
	log := slog.New(slog.NewJSONHandler(stderr, nil))
	store, closeStore, err := o.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	g := webhookgate.Options{Store: store, Now: time.Now, Overriders: o.overriders, Posters: o.posters, Open: o.open, Certificates: o.clientCA != "",
		MaxAge: o.maxAge, MinInterval: o.minInterval, Rate: o.rate, Burst: o.burst, MaxBody: o.maxBody}
	policies, err := o.loadPolicies(log)
	if err != nil {
		return err
	}
	g.Policies = policies
	if g.Tokens, err = o.tokens(policies); err != nil {
		return err
	}
	m := newServeMetrics(o.maxAge)
	events, err := o.events(m, log)
	if err != nil {
		return err
	}
	defer events.close()
	g.Metrics = m.handler()
	g.Decided = func(d webhookgate.Decision) {
		m.decided(d)
		events.send(d)
		log.Info("decided", "rollout", d.Rollout, "policy", d.Policy, "record", d.Number, "look", d.Look, "client", d.Client,
			"decision", d.Verdict.Decision.String(), "resume", d.Verdict.Resume.String(), "stage", d.Verdict.Stage, "digest", d.Verdict.Record.Digest)
	}
	g.Served = func(a webhookgate.Access) {
		m.served(a)
		logAccess(log, a)
	}
	gate, err := webhookgate.New(g)
	if err != nil {
		return err
	}
	srv := gate.Server()
	srv.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	if srv.TLSConfig, err = o.tls(); err != nil {
		return err
	}
	return o.listenAndServe(ctx, srv, log)
}

// listenAndServe serves until the context ends, and then lets requests end.
func (o *serveOptions) listenAndServe(ctx context.Context, srv *http.Server, log *slog.Logger) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	host, _, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); srv.TLSConfig == nil && !ip.IsLoopback() {
		log.Warn("tokens and evidence travel in the clear; give --tls-cert and --tls-key unless a proxy does that")
	}
	if o.open {
		log.Warn("--no-auth: everybody who can reach the address can post evidence")
	}
	log.Info("listening", "address", l.Addr().String(), "tls", srv.TLSConfig != nil)
	ended := make(chan error, 1)
	go func() {
		if srv.TLSConfig != nil {
			ended <- srv.ServeTLS(l, "", "")
			return
		}
		ended <- srv.Serve(l)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	log.Info("ending", "cause", context.Cause(ctx).Error())
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return srv.Shutdown(grace)
}

// logAccess logs a request; probes only when they fail.
func logAccess(log *slog.Logger, a webhookgate.Access) {
	level := slog.LevelInfo
	switch {
	case a.Status >= 500 || a.Err != nil:
		level = slog.LevelWarn
	case a.Route == "GET /healthz" || a.Route == "GET /metrics":
		return
	}
	args := []any{"method", a.Method, "route", a.Route, "status", a.Status, "client", a.Client, "rollout", a.Rollout,
		"answer", a.Answer, "replayed", a.Replayed, "ms", a.Took.Milliseconds()}
	if a.Err != nil {
		args = append(args, "error", a.Err.Error())
	}
	log.Log(context.Background(), level, "request", args...)
}
