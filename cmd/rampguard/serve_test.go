package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// serveCLI runs the command in this process and returns what it printed.
func serveCLI(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := newServe(&out, &errs)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(ctx)
	return out.String(), err
}

func TestServeEndToEnd(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	events := make(chan []byte, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/cloudevents+json") {
			t.Error(got)
		}
		b, _ := io.ReadAll(r.Body)
		events <- b
	}))
	defer hook.Close()
	dir, args := serveFolder(t)
	args = append(args, "--store", filepath.Join(dir, "gate.db"), "--cloudevents", hook.URL)
	s, client := startServe(t, args...), &http.Client{Timeout: 10 * time.Second}
	rollout := "flagger:prod:fraud:85d557f47b"
	status, verdict := s.ask(client, "POST", "/v1/decide", serveLook(rollout, "1", 2000))
	if status != 200 || !strings.Contains(verdict, `"decision":"rollback"`) {
		t.Fatal(status, verdict)
	}
	canary := `{"name": "fraud", "namespace": "prod", "phase": "Progressing", "checksum": "85d557f47b", "metadata": {}}`
	if status, body := s.ask(client, "POST", "/flagger/fraud/rollback", canary); status != 200 {
		t.Error(status, body)
	}
	if status, body := s.ask(client, "GET", "/metrics", ""); status != 200 || !strings.Contains(body, `rampguard_verdict{decision="rollback"`) || !strings.Contains(body, "rampguard_gate_requests_total") {
		t.Error(status, body)
	}
	var e struct {
		SpecVersion, ID, Source, Type, Subject, Time string
		Data                                         struct {
			Decision, Policy, Digest string
			Reasons                  []struct{ Code string }
		}
	}
	select {
	case b := <-events:
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no event")
	}
	if e.SpecVersion != "1.0" || e.ID == "" || e.ID != e.Data.Digest || !strings.Contains(verdict, e.ID) || e.Source == "" || e.Type != eventType || e.Subject != rollout ||
		e.Data.Decision != "rollback" || e.Data.Policy != "fraud" || len(e.Data.Reasons) == 0 {
		t.Errorf("%+v", e)
	}
	if _, err := time.Parse(time.RFC3339Nano, e.Time); err != nil {
		t.Error(err)
	}
	if err := s.end(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	if log := s.logged(); strings.Contains(log, serveToken) || !strings.Contains(log, `"decision":"rollback"`) || !strings.Contains(log, `"client":"tester"`) {
		t.Errorf("the log:\n%s", log)
	}
	s = startServe(t, args...)
	if status, again := s.ask(client, "GET", "/v1/rollouts/"+rollout, ""); status != 200 || again != verdict {
		t.Errorf("after a restart: %d\n%s\n%s", status, again, verdict)
	}
}

// A receiver of events that never answers makes no verdict wait, and ends with the
// gate.
func TestServeEventsDoNotBlock(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir, args := serveFolder(t)
	s := startServe(t, append(args, "--store", filepath.Join(dir, "gate.db"), "--cloudevents", "http://user:hunter2@"+l.Addr().String())...)
	began := time.Now()
	for _, id := range []string{"1", "2", "3"} {
		if status, body := s.ask(http.DefaultClient, "POST", "/v1/decide", serveLook("r", id, 100)); status != 200 {
			t.Error(status, body)
		}
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("three looks took %v", took)
	}
	if err := s.end(); err != nil || strings.Contains(s.logged(), "hunter2") || !strings.Contains(s.logged(), "cloudevent failed") {
		t.Errorf("%v\n%s", err, s.logged())
	}
}

// A client of the token file may use the policies of its line, and evidence for a
// policy with a source is posted by the clients of --post-by.
func TestServeClients(t *testing.T) {
	t.Parallel()
	dir, args := serveFolder(t)
	const other = "0123456789abcdef-fraud"
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"tokens": "tester " + serveToken + " churn\nnarrow " + other + " fraud\n", "policies/churn.yaml": strings.Replace(servePolicy, "name: fraud", "name: churn", 1)} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	churn := func(id string) string { return strings.Replace(serveLook("c", id, 100), `"fraud"`, `"churn"`, 1) }
	for posters, want := range map[string]int{"": 403, "tester": 200} {
		more := append(args, "--store", path("gate"+posters+".db"), "--prometheus", "churn="+prometheusConfig(t, "http://127.0.0.1:1"))
		if posters != "" {
			more = append(more, "--post-by", posters)
		}
		s := startServe(t, more...)
		if status, body := s.ask(http.DefaultClient, "POST", "/v1/decide", churn("1")); status != want {
			t.Errorf("--post-by %q: %d %s", posters, status, body)
		}
		if status, body := s.ask(http.DefaultClient, "POST", "/v1/decide", serveLook("r", "1", 100)); status != 403 || !strings.Contains(body, "policy_not_allowed") {
			t.Errorf("another policy: %d %s", status, body)
		}
	}
}

func TestServeFlags(t *testing.T) {
	dir, good := serveFolder(t)
	file := func(name, text string) string { return write(t, name, text) }
	store := []string{"--store", filepath.Join(dir, "gate.db")}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	staged := write(t, "staged.yaml", servePolicy+"stages:\n  - {name: canary, weight: 50}\n  - {name: full, weight: 100}\n")
	policy, tokens := []string{"--policy", filepath.Join(dir, "policies")}, []string{"--token-file", filepath.Join(dir, "tokens")}
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"--store: say where", good},
		{"password in PGPASSWORD", append(good, "--store", "postgres://ann:hunter2@ho st/gate")},
		{"--store", append(good, "--store", "postgres://ann:hunter2@127.0.0.1:1/gate?sslmode=disable")},
		{"--store postgres://127.0.0.1:1/gate: not to be used", append(good, "--store", "postgres://hunter2:hunter2@127.0.0.1:1/gate?sslmode=disable&password=hunter2&user=hunter2")},
		{"--store postgres:///gate: not to be used", append(good, "--store", "postgresql:///gate?host=/nowhere&password=hunter2&sslmode=disable", "--store-wait", "1s")},
		{"write the database as a URL", append(good, "--store", "host=db user=ann password=hunter2")},
		{"not to be used within 1s", append(good, "--store", "postgres://ann@"+silent.Addr().String()+"/gate?sslmode=disable", "--store-wait", "1s")},
		{"--max-age: it has to be above 0", append(append(good, store...), "--max-age", "0")},
		{"--min-interval: it has to be above 0", append(append(good, store...), "--min-interval", "0s")},
		{"--rate: it has to be above 0", append(append(good, store...), "--rate", "0")},
		{"--burst: it has to be above 0", append(append(good, store...), "--burst", "-1")},
		{"--max-body: it has to be above 0", append(append(good, store...), "--max-body", "0")},
		{"--store-wait: it has to be above 0", append(append(good, store...), "--store-wait", "0")},
		{"--since: -1m0s lies after", append(append(good, store...), "--since", "-1m")},
		{"policy staged has stages", append(append(store, tokens...), "--policy", staged, "--since", "1m", "--prometheus", prometheusConfig(t, "http://127.0.0.1:1"))},
		{"make the folder first", append(good, "--store", filepath.Join(dir, "nowhere", "gate.db"))},
		{"policy init", append(store, tokens...)},
		{"holds no .yaml", append(append(store, tokens...), "--policy", t.TempDir())},
		{"two files are called fraud", append(append(good, store...), "--policy", file("fraud.yaml", servePolicy))},
		{"openssl rand", append(store, policy...)},
		{"exclude each other", append(append(good, store...), "--no-auth")},
		{"tokens:1: a line is NAME TOKEN", append(append(store, policy...), "--token-file", file("tokens", "ann 123456789012345\n"))},
		{"tokens:1: a line is NAME TOKEN", append(append(store, policy...), "--token-file", file("tokens", "ann 1234567890123456 fraud churn\n"))},
		{"tokens:2: there is no policy \"spam\"; there are fraud", append(append(store, policy...), "--token-file", file("tokens", "bob 1234567890123456 fraud\nann 1234567890123457 fraud,spam\n"))},
		{"tokens:1: there is no policy \"\"", append(append(store, policy...), "--token-file", file("tokens", "ann 1234567890123456 fraud,\n"))},
		{"--post-by: ", append(append(good, store...), "--post-by", "ann")},
		{"holds no token", append(append(store, policy...), "--token-file", file("tokens", "# none\n"))},
		{"no client \"ann\"", append(append(good, store...), "--override-by", "ann")},
		{"HTTPS needs both", append(append(good, store...), "--tls-cert", "cert.pem")},
		{"HTTPS needs both", append(append(good, store...), "--client-ca", "ca.pem")},
		{"no http or https URL", append(append(good, store...), "--cloudevents", "nowhere")},
		{"there is no policy \"spam\"", append(append(good, store...), "--prometheus", "spam=x.yaml")},
		{"not configured", append(append(good, store...), "--prometheus", file("p.yaml", "server: http://127.0.0.1:1\narms: {label: app, baseline: a, candidate: b}\nmetrics:\n  - {name: other, kind: gauge, value: \"up{ {{.Match}} }\"}\n"))},
		{"--listen", append(append(good, store...), "--listen", "nowhere:0x")},
		{"policy, flagger, argo", []string{"--example", "jenkins"}},
		{"unknown command", []string{"now"}},
	} {
		t.Run(tt.want, func(t *testing.T) {
			_, err := serveCLI(t, tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want it to hold %q", err, tt.want)
			}
		})
	}
}

// What --example prints can be pasted: its policy and its Prometheus configuration
// are accepted together, and the paths that the controllers are given exist.
func TestServeExamples(t *testing.T) {
	t.Parallel()
	dir, args := serveFolder(t)
	s := startServe(t, append(args, "--store", filepath.Join(dir, "gate.db"))...)
	for name, documents := range map[string]int{"flagger": 3, "argo": 3} {
		out, err := serveCLI(t, "--example", name)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(out, "\n---\n")
		if len(parts) != documents {
			t.Errorf("%s: %d documents", name, len(parts))
		}
		policy := write(t, "fraud.yaml", parts[0])
		if status, _, errs := cli(t, "policy", "check", policy); status != 0 {
			t.Errorf("%s: %s", name, errs)
		}
		for _, part := range parts {
			var any map[string]any
			if err := yaml.Unmarshal([]byte(part), &any); err != nil || len(any) == 0 {
				t.Errorf("%s: %v\n%s", name, err, part)
			}
		}
		if name == "flagger" {
			var o serveOptions
			o.policies, o.prometheus = []string{policy}, []string{write(t, "prometheus.yaml", parts[1])}
			if _, err := o.loadPolicies(nil); err != nil {
				t.Error(err)
			}
		}
		paths := 0
		for line := range strings.Lines(out) {
			_, text, ok := strings.Cut(line, "url: ")
			if !ok {
				continue
			}
			u, err := url.Parse(strings.TrimSpace(strings.ReplaceAll(text, "{{args.hash}}", "7c9d")))
			if err != nil {
				t.Fatal(err)
			}
			paths++
			canary := `{"name": "fraud", "namespace": "prod", "phase": "Progressing", "checksum": "1", "metadata": {}}`
			if name == "argo" {
				canary = ""
			}
			if status, body := s.ask(http.DefaultClient, "POST", u.Path, canary); status != 200 && status != 403 {
				t.Errorf("%s: %d %s", u.Path, status, body)
			}
		}
		if paths == 0 {
			t.Errorf("%s: no URL", name)
		}
	}
	if out, err := serveCLI(t, "--example", "policy"); err != nil || out != policyExample {
		t.Error(err, out)
	}
	help, err := serveCLI(t, "--help")
	if err != nil || !strings.Contains(help, "--example flagger") || !strings.Contains(help, "/v1/decide") {
		t.Error(err, help)
	}
}

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate and its key as PEM; without an authority it signs itself.
func (a *authority) issue(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	parent, signer := a.cert, a.key
	if parent == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = c, own
		a.cert, a.key = c, own
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &own.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalECPrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: b})
}

// A client with a certificate of the right authority is let in, others need a token.
func TestServeClientCertificates(t *testing.T) {
	t.Parallel()
	var ours, theirs authority
	ca, _ := ours.issue(t, "our authority")
	theirs.issue(t, "another authority")
	cert, key := ours.issue(t, "gate")
	dir, args := serveFolder(t)
	for name, b := range map[string][]byte{"ca.pem": ca, "cert.pem": cert, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	s := startServe(t, append(args, "--store", path("gate.db"), "--tls-cert", path("cert.pem"), "--tls-key", path("key.pem"), "--client-ca", path("ca.pem"))...)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	get := func(pair *tls.Certificate, token string) int {
		c := &tls.Config{RootCAs: roots}
		if pair != nil {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c}, Timeout: 5 * time.Second}
		defer client.CloseIdleConnections()
		r, err := http.NewRequest("GET", strings.Replace(s.url, "http:", "https:", 1)+"/v1/rollouts/r", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := client.Do(r)
		if err != nil {
			return 0
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	pairOf := func(a *authority) *tls.Certificate {
		cert, key := a.issue(t, "flagger")
		p, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return &p
	}
	for _, tt := range []struct {
		reason string
		pair   *tls.Certificate
		token  string
		want   int
	}{{"a certificate", pairOf(&ours), "", 404}, {"a token", nil, serveToken, 404}, {"neither", nil, "", 401}, {"a wrong token", nil, serveToken + "0", 401}, {"another authority", pairOf(&theirs), "", 0}} {
		if got := get(tt.pair, tt.token); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.reason, got, tt.want)
		}
	}
	if !strings.Contains(s.logged(), `"client":"flagger"`) {
		t.Error("the log does not name the client of the certificate")
	}
}
