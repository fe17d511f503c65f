package promquery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/api"

	"github.com/rampguard/rampguard/stats"
)

// client sends queries, within the bounds of its plan.
type client struct {
	*plan
	api  api.Client
	http *http.Client
}

func newClient(p *plan) (*client, error) {
	next := p.Transport
	if next == nil {
		t, err := transport(p.CAFile)
		if err != nil {
			return nil, err
		}
		next = t
	}
	c := &client{plan: p, http: &http.Client{
		Transport:     limits{next, p.MaxBytes},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	var err error
	if c.api, err = api.NewClient(api.Config{Address: p.Server, Client: c.http}); err != nil {
		return nil, fmt.Errorf("promquery: New: the address is no URL: %w", stats.ErrDomain)
	}
	return c, nil
}

// transport verifies certificates, by the authorities of the file when there is one.
func transport(caFile string) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 16,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if caFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("promquery: New: ca_file: %w", err)
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("promquery: New: ca_file: %s holds no certificate in PEM: %w", caFile, stats.ErrDomain)
	}
	return t, nil
}

// limits ends bodies that are too long, after decompression.
type limits struct {
	next http.RoundTripper
	max  int64
}

func (l limits) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &limitedBody{resp.Body, l.max}
	return resp, nil
}

// CloseIdleConnections lets http.Client close those of the transport beneath.
func (l limits) CloseIdleConnections() {
	if c, ok := l.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

type limitedBody struct {
	io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

func stamp(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}

// instant evaluates a query at a time.
func (c *client) instant(ctx context.Context, query string, at time.Time) (result, error) {
	r, err := c.query(ctx, "/api/v1/query", url.Values{"query": {query}, "time": {stamp(at)}})
	if err == nil && r.streams != nil {
		return result{}, fmt.Errorf("a range of values, not one: %w", ErrResult)
	}
	return r, err
}

// over evaluates a query at the times start, start+step, ... end.
func (c *client) over(ctx context.Context, query string, start, end time.Time, step time.Duration) (result, error) {
	r, err := c.query(ctx, "/api/v1/query_range", url.Values{"query": {query}, "start": {stamp(start)}, "end": {stamp(end)},
		"step": {strconv.FormatInt(int64(step/time.Second), 10)}})
	if err == nil && r.streams == nil {
		return result{}, fmt.Errorf("one value, not a range: %w", ErrResult)
	}
	return r, err
}

// query asks until there is an answer, or trying again makes no sense.
func (c *client) query(ctx context.Context, path string, form url.Values) (result, error) {
	form.Set("timeout", strconv.FormatFloat(c.Timeout.Seconds(), 'f', -1, 64))
	for try := 0; ; try++ {
		r, wait, err := c.try(ctx, path, form)
		if err == nil || try >= c.Retries || wait < 0 {
			return r, err
		}
		wait = max(wait, c.pause(form.Get("query"), try))
		if until, ok := ctx.Deadline(); wait > c.MaxWait || ok && wait > time.Until(until) {
			return r, err
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return r, err
		}
	}
}

// pause is the wait before a retry: doubled each time, and shortened by up to a
// half, by an amount that differs between queries and is the same in every run.
func (c *client) pause(query string, try int) time.Duration {
	h := fnv.New64a()
	_, _ = io.WriteString(h, query)
	_, _ = h.Write([]byte{byte(try)})
	d := min(c.Backoff<<min(try, 16), c.MaxWait)
	return d/2 + time.Duration(float64(d/2)*float64(h.Sum64()>>11)/(1<<53))
}

// try sends the query once. A wait below 0 says that another try would not help.
func (c *client) try(ctx context.Context, path string, form url.Values) (r result, wait time.Duration, err error) {
	who, err := c.Auth.login()
	if err != nil {
		return r, -1, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, errOneTry)
	defer cancel()
	resp, body, err := c.send(ctx, who, http.MethodPost, path, form)
	if err == nil && (resp.StatusCode == http.StatusMethodNotAllowed || resp.StatusCode == http.StatusNotImplemented) {
		resp, body, err = c.send(ctx, who, http.MethodGet, path, form)
	}
	if err != nil {
		again, err := broken(ctx, resp, err)
		if !again {
			wait = -1
		}
		return r, wait, err
	}
	if resp.StatusCode != http.StatusOK {
		wait, err = status(resp, body, who)
		return r, wait, err
	}
	r, err = decode(body, who)
	return r, -1, err
}

var errOneTry = errors.New("one try took too long")

func (c *client) send(ctx context.Context, who login, method, path string, form url.Values) (*http.Response, []byte, error) {
	u, body := c.api.URL(path, nil), form.Encode()
	if method == http.MethodGet {
		u.RawQuery, body = body, ""
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "application/json")
	who.sign(req)
	return c.api.Do(ctx, req)
}

// broken names the cause of a request without a whole answer and says whether to
// try again. The texts of net/http, with addresses and ports, stay out.
func broken(ctx context.Context, resp *http.Response, err error) (again bool, cause error) {
	var no syscall.Errno
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, ErrTooLarge):
		return false, ErrTooLarge
	case errors.Is(context.Cause(ctx), errOneTry):
		return true, ErrTimeout
	case errors.Is(ctx.Err(), context.Canceled):
		return false, context.Canceled
	case ctx.Err() != nil, os.IsTimeout(err):
		return ctx.Err() == nil, ErrTimeout
	case errors.As(err, &cert):
		return false, fmt.Errorf("its certificate cannot be verified: %w", ErrUnavailable)
	case errors.As(err, &dns):
		return true, fmt.Errorf("its name is not known: %w", ErrUnavailable)
	case errors.As(err, &no):
		return true, fmt.Errorf("%s: %w", no.Error(), ErrUnavailable)
	case resp != nil && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return true, fmt.Errorf("cut short: %w", ErrAnswer)
	case errors.Is(err, io.EOF):
		return true, fmt.Errorf("the connection was closed: %w", ErrUnavailable)
	}
	return true, ErrUnavailable
}

// status makes an error of an answer that is not 200.
func status(resp *http.Response, body []byte, who login) (wait time.Duration, err error) {
	code := resp.StatusCode
	wait, err = -1, ErrRefused
	switch {
	case code == http.StatusTooManyRequests:
		wait, err = retryAfter(resp), ErrRateLimited
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		err = ErrUnauthorized
	case code >= 500:
		wait, err = retryAfter(resp), ErrUnavailable
	case code >= 300 && code < 400:
		err = fmt.Errorf("a redirect, which is not followed: %w", ErrRefused)
	case code < 300:
		err = ErrAnswer
	}
	if e, bad := open(body, who); bad == nil && e.Error != "" {
		err = fmt.Errorf("%q: %w", shorten(e.Error, maxMessage), err)
	}
	return wait, fmt.Errorf("HTTP %d: %w", code, err)
}

// retryAfter is how long the server asks to wait. A date counts from that of the
// answer, so that clocks need not agree.
func retryAfter(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if s, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(s) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return max(0, until.Sub(date))
}
