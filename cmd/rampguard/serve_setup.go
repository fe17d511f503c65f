package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq" // the driver of --store postgres://

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
)

// openStore opens what --store names.
func (o *serveOptions) openStore(ctx context.Context) (webhookgate.Store, func() error, error) {
	if o.store == "" {
		return nil, nil, errors.New("--store: say where the rollouts are kept: a file such as gate.db, or postgres://USER@HOST/DATABASE")
	}
	if !strings.Contains(o.store, "://") && (strings.Contains(o.store, "host=") || strings.Contains(o.store, "password=")) {
		return nil, nil, errors.New("--store: write the database as a URL, postgres://USER@HOST/DATABASE, with the password in PGPASSWORD")
	}
	if !strings.HasPrefix(o.store, "postgres://") && !strings.HasPrefix(o.store, "postgresql://") {
		s, err := gatestore.OpenBolt(o.store, o.storeWait)
		if err != nil {
			return nil, nil, fmt.Errorf("--store: %w", err)
		}
		return s, s.Close, nil
	}
	u, err := url.Parse(o.store)
	if err != nil { // which holds the whole URL
		return nil, nil, errors.New("--store: the URL cannot be read; write it as postgres://USER@HOST/DATABASE?sslmode=verify-full, with the password in PGPASSWORD")
	}
	shown := "postgres://" + u.Host + u.Path // what else there is may be a secret
	asked := u.Query()
	if !asked.Has("connect_timeout") && os.Getenv("PGCONNECT_TIMEOUT") == "" { // else a server that accepts and says nothing is waited for
		asked.Set("connect_timeout", strconv.Itoa(max(1, int(o.storeWait.Seconds()))))
		u.RawQuery = asked.Encode()
	}
	db, err := sql.Open("postgres", u.String())
	if err != nil {
		return nil, nil, fmt.Errorf("--store %s: %w", shown, err)
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	db.SetConnMaxLifetime(30 * time.Minute)
	ctx, cancel := context.WithTimeout(ctx, o.storeWait)
	defer cancel()
	s, err := gatestore.OpenPostgres(ctx, db)
	if err != nil {
		return nil, nil, fmt.Errorf("--store %s: not to be used within %v (--store-wait): %w", shown, o.storeWait, errors.Join(err, db.Close()))
	}
	return s, db.Close, nil
}

// loadPolicies loads all policies, by the names of their files.
func (o *serveOptions) loadPolicies(log *slog.Logger) (webhookgate.Policies, error) {
	paths, err := policyFiles(o.policies)
	if err != nil {
		return nil, err
	}
	out := webhookgate.Policies{}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("--policy: two files are called %s; the name of the file names the policy", name)
		}
		p, canonical, err := loadCanonical(path)
		if err != nil {
			return nil, err
		}
		for _, w := range p.Warnings {
			log.Warn("policy", "name", name, "warning", w)
		}
		out[name] = webhookgate.Policy{Rules: p, Canonical: map[string][]byte{p.Digest: canonical}}
	}
	return out, o.sources(out, log)
}

// policyFiles lists the files that --policy names.
func policyFiles(given []string) ([]string, error) {
	if len(given) == 0 {
		return nil, errors.New("--policy: name a policy file, or a folder of them; make one with: rampguard policy init --log FILE")
	}
	var out []string
	for _, path := range given {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("--policy: %w", err)
		}
		if !info.IsDir() {
			out = append(out, path)
			continue
		}
		found := 0
		for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
			more, err := filepath.Glob(filepath.Join(path, pattern))
			if err != nil {
				return nil, fmt.Errorf("--policy %s: %w", path, err)
			}
			out, found = append(out, more...), found+len(more)
		}
		if found == 0 {
			return nil, fmt.Errorf("--policy: %s holds no .yaml, .yml or .json file", path)
		}
	}
	return out, nil
}

// sources gives policies the Prometheus servers of --prometheus.
func (o *serveOptions) sources(policies webhookgate.Policies, log *slog.Logger) error {
	for _, text := range o.prometheus {
		name, path, named := strings.Cut(text, "=")
		if !named {
			if len(policies) != 1 {
				return fmt.Errorf("--prometheus %s: say which policy it is for: NAME=FILE, NAME one of %s", text, strings.Join(policies.Names(), ", "))
			}
			name, path = policies.Names()[0], text
		}
		p, ok := policies[name]
		if !ok {
			return fmt.Errorf("--prometheus: there is no policy %q; there are %s", name, strings.Join(policies.Names(), ", "))
		}
		if p.Source != nil {
			return fmt.Errorf("--prometheus: policy %s has two", name)
		}
		if o.since > 0 && len(p.Rules.Stages) > 0 {
			return fmt.Errorf("--since %v: policy %s has stages, and the end of one would count again in the next; leave --since out", o.since, name)
		}
		s, err := newServeSource(path, o.since, log)
		if err != nil {
			return fmt.Errorf("--prometheus: %w", err)
		}
		if err := s.fits(p.Rules); err != nil {
			return fmt.Errorf("--prometheus: %s: %w", path, err)
		}
		p.Source = s
		policies[name] = p
	}
	return nil
}

// serveSource asks a Prometheus server.
type serveSource struct {
	provider *promquery.Provider
	since    time.Duration
	log      *slog.Logger
}

// sourceTime bounds one collection, so that a look with what failed is stored and
// answered within the 10 s that controllers wait.
const sourceTime = 5 * time.Second

// sourceWindow is the shortest window that is asked for; before it there is no evidence,
// which is no fault of the server.
const sourceWindow = 2 * time.Second

func newServeSource(path string, since time.Duration, log *slog.Logger) (*serveSource, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	config, err := promquery.LoadConfig(path, data)
	if err != nil {
		return nil, err
	}
	provider, err := promquery.New(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &serveSource{provider, since, log}, nil
}

// fits reports whether the server brings what a policy needs. Nothing is asked.
func (s *serveSource) fits(p *analysis.Policy) error {
	spec, err := p.Spec()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	now := time.Now()
	if _, err := s.provider.Collect(ctx, spec, promquery.Window{Start: now.Add(-time.Hour), End: now}, now); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Collect implements [webhookgate.Source].
func (s *serveSource) Collect(ctx context.Context, q webhookgate.Query) (webhookgate.Collected, error) {
	w := promquery.Window{Start: q.Since.Add(-s.since), End: q.Now}
	if s.provider.Watermark(q.Now).Sub(w.Start) < sourceWindow { // as at the first look, which begins it
		return webhookgate.Collected{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, sourceTime)
	defer cancel()
	e, err := s.provider.Collect(ctx, q.Spec, w, q.Now)
	if err != nil {
		return webhookgate.Collected{}, err
	}
	for _, note := range e.Notes {
		s.log.Info("prometheus", "rollout", q.Rollout, "note", note)
	}
	return webhookgate.Collected{Baseline: e.Baseline, Candidate: e.Candidate, Problems: e.Problems()}, nil
}

// tokens reads the lines of --token-file.
func (o *serveOptions) tokens(policies webhookgate.Policies) ([]webhookgate.Token, error) {
	if o.tokenFile == "" {
		if o.open || o.clientCA != "" {
			return nil, nil
		}
		return nil, errors.New(`--token-file: say who may ask; make one with: echo "flagger $(openssl rand -hex 24)" > tokens`)
	}
	if o.open {
		return nil, errors.New("--no-auth and --token-file exclude each other")
	}
	b, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	var out []webhookgate.Token
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) < 2 || len(fields) > 3 || len(fields[1]) < 16 {
			return nil, fmt.Errorf("--token-file: %s:%d: a line is NAME TOKEN or NAME TOKEN POLICY,POLICY, the token of 16 characters or more", o.tokenFile, n)
		}
		t := webhookgate.Token{Name: fields[0], Secret: webhookgate.Secret(fields[1])}
		if len(fields) == 3 {
			t.Policies = strings.Split(fields[2], ",")
		}
		for _, name := range t.Policies {
			if _, known := policies[name]; !known {
				return nil, fmt.Errorf("--token-file: %s:%d: there is no policy %q; there are %s", o.tokenFile, n, name, strings.Join(policies.Names(), ", "))
			}
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--token-file: %s holds no token", o.tokenFile)
	}
	for _, named := range [2]struct {
		flag  string
		names []string
	}{{"--override-by", o.overriders}, {"--post-by", o.posters}} {
		for _, name := range named.names {
			if o.clientCA == "" && !slices.ContainsFunc(out, func(t webhookgate.Token) bool { return t.Name == name }) {
				return nil, fmt.Errorf("%s: %s has no client %q", named.flag, o.tokenFile, name)
			}
		}
	}
	return out, nil
}

// tls is the configuration of HTTPS, or nil.
func (o *serveOptions) tls() (*tls.Config, error) {
	if o.cert == "" && o.key == "" && o.clientCA == "" {
		return nil, nil
	}
	if o.cert == "" || o.key == "" {
		return nil, errors.New("--tls-cert, --tls-key: HTTPS needs both, and --client-ca needs HTTPS")
	}
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if o.clientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(o.clientCA)
	if err != nil {
		return nil, fmt.Errorf("--client-ca: %w", err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--client-ca: %s holds no certificate", o.clientCA)
	}
	c.ClientAuth = tls.VerifyClientCertIfGiven // the gate asks for one or for a token; probes have neither
	return c, nil
}
