package mlflowevents

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/rampguard/rampguard/stats"
)

// ClientOptions are the credentials and bounds of a [Client]. The zero value
// sends no credentials.
type ClientOptions struct {
	Username string // Basic, with Password
	Password Secret
	Token    Secret // Bearer

	Transport  http.RoundTripper // default: a clone of http.DefaultTransport
	Timeout    time.Duration     // of one attempt, its body included; default 30 s
	MaxRetries int               // after the first attempt; default 3, negative for none
	MinWait    time.Duration     // before the first retry, doubled for each further one; default 500 ms
	MaxWait    time.Duration     // the longest wait, also for Retry-After; default 30 s
	MaxBody    int64             // bytes of one answer; default 32 MiB
	PageSize   int               // items of a page; default 200, at most 1000
	MaxItems   int               // items of a list; default 1 000 000
}

// Client reads an MLflow server. It may be used by several goroutines.
type Client struct {
	base    string
	http    *retryablehttp.Client
	auth    func(*http.Request)
	redact  func(string) string
	maxBody int64
	page    int
	items   int
}

const (
	apiPath     = "/api/2.0/mlflow/"
	maxPageSize = 1000 // the threshold of registered-models/search
)

// NewClient makes a client of the server at base, such as
// https://mlflow.example.com or https://host/prefix.
//
// Errors: [stats.ErrDomain] for a base that is no http URL or holds credentials,
// for Basic and Bearer together, and for negative bounds. The text repeats
// neither the base nor a credential.
func NewClient(base string, o ClientOptions) (*Client, error) {
	const name = "mlflowevents: NewClient"
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%s: the base is no http or https URL: %w", name, stats.ErrDomain)
	case u.User != nil:
		return nil, fmt.Errorf("%s: the base holds credentials; use Username and Password: %w", name, stats.ErrDomain)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: the base has a query or a fragment: %w", name, stats.ErrDomain)
	case o.Token != "" && (o.Username != "" || o.Password != ""):
		return nil, fmt.Errorf("%s: a token and a user name: %w", name, stats.ErrDomain)
	case o.Username == "" && o.Password != "" || strings.Contains(o.Username, ":"):
		return nil, fmt.Errorf("%s: a password needs a user name without a colon: %w", name, stats.ErrDomain)
	case strings.ContainsFunc(string(o.Token), func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return nil, fmt.Errorf("%s: the token holds spaces or control characters: %w", name, stats.ErrDomain)
	case o.Timeout < 0 || o.MinWait < 0 || o.MaxWait < 0 || o.MaxBody < 0 || o.PageSize < 0 || o.PageSize > maxPageSize || o.MaxItems < 0:
		return nil, fmt.Errorf("%s: a bound is negative, or PageSize above %d: %w", name, maxPageSize, stats.ErrDomain)
	}
	if o.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxResponseHeaderBytes = 1 << 20
		o.Transport = t
	}
	rc := retryablehttp.NewClient()
	rc.Logger = nil
	rc.HTTPClient = &http.Client{
		Transport:     o.Transport,
		Timeout:       cmp.Or(o.Timeout, 30*time.Second),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	rc.RetryMax = max(0, cmp.Or(o.MaxRetries, 3))
	rc.RetryWaitMin = cmp.Or(o.MinWait, 500*time.Millisecond)
	rc.RetryWaitMax = cmp.Or(o.MaxWait, 30*time.Second)
	rc.ErrorHandler = retryablehttp.PassthroughErrorHandler
	rc.CheckRetry = checkRetry(rc.RetryWaitMax)
	c := &Client{base: strings.TrimRight(u.String(), "/"), http: rc, maxBody: cmp.Or(o.MaxBody, 32<<20),
		page: cmp.Or(o.PageSize, 200), items: cmp.Or(o.MaxItems, 1_000_000)}
	c.auth, c.redact = credentials(o)
	return c, nil
}

// credentials hides the secrets in functions, where no printing finds them.
func credentials(o ClientOptions) (auth func(*http.Request), redact func(string) string) {
	var header string
	var hide []string
	switch {
	case o.Token != "":
		header = "Bearer " + string(o.Token)
		hide = []string{string(o.Token), redacted}
	case o.Username != "":
		pair := base64.StdEncoding.EncodeToString([]byte(o.Username + ":" + string(o.Password)))
		header = "Basic " + pair
		hide = []string{pair, redacted}
		if o.Password != "" {
			hide = append(hide, string(o.Password), redacted)
		}
	default:
		return func(*http.Request) {}, func(s string) string { return s }
	}
	return func(r *http.Request) { r.Header.Set("Authorization", header) }, strings.NewReplacer(hide...).Replace
}

// Close ends the connections that are kept open. The client can be used again.
func (c *Client) Close() { c.http.HTTPClient.CloseIdleConnections() }

// attempt is what is known of the last answer to a request.
type attempt struct {
	status     int
	retryAfter time.Duration
}

type attemptKey struct{}

// checkRetry tries again what may get better, unless the server asks to wait
// longer than most.
func checkRetry(most time.Duration) retryablehttp.CheckRetry {
	return func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		a := ctx.Value(attemptKey{}).(*attempt)
		a.retryAfter = 0
		switch {
		case resp == nil:
			a.status = 0
		case err == nil:
			a.status = resp.StatusCode
			if resp.Header.Get("Retry-After") != "" {
				a.retryAfter = retryablehttp.DefaultBackoff(0, 0, 0, resp)
			}
			if a.retryAfter > most {
				return false, nil
			}
		}
		if errors.Is(err, ErrTooLarge) {
			return false, nil
		}
		return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	}
}

// get reads one answer into out.
func (c *Client) get(ctx context.Context, path string, query url.Values, out any) error {
	fail := &Error{Method: http.MethodGet, Path: apiPath + path}
	a := &attempt{}
	ctx = context.WithValue(ctx, attemptKey{}, a)
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, c.base+apiPath+path+"?"+query.Encode(), nil)
	if err != nil {
		fail.Err = ErrRefused
		return fail
	}
	req.Header.Set("Accept", "application/json")
	c.auth(req.Request)
	var body []byte
	done := false
	req.SetResponseHandler(func(resp *http.Response) (err error) {
		body, err = readBody(resp.Body, c.maxBody)
		done = err == nil
		return err
	})
	resp, err := c.http.Do(req)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }() // what matters was read
		if err == nil && !done {                 // a status that was tried again to the end
			body, _ = readBody(resp.Body, min(c.maxBody, 1<<16))
		}
	}
	fail.Status, fail.RetryAfter = a.status, a.retryAfter
	if err != nil {
		fail.Err = c.broken(ctx, err, a.status)
		return fail
	}
	if a.status != http.StatusOK {
		var said struct {
			Code    string `json:"error_code"`
			Message string `json:"message"`
		}
		if json.Unmarshal(body, &said) == nil {
			fail.Code, fail.Message = shorten(c.redact(said.Code), maxValue), shorten(c.redact(said.Message), maxMessage)
		}
		fail.Err = sentinel(a.status)
		return fail
	}
	if err := decode(body, out); err != nil {
		fail.Err = err
		return fail
	}
	return nil
}

// readBody reads to the end, but no more than limit.
func readBody(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("above %d bytes: %w", limit, ErrTooLarge)
	}
	return b, nil
}

func decode(body []byte, out any) error {
	text := bytes.TrimSpace(body)
	switch {
	case len(text) > 0 && text[0] == '<':
		return fmt.Errorf("HTML or XML, a login page or a proxy?: %w", ErrAnswer)
	case len(text) == 0 || text[0] != '{':
		return fmt.Errorf("no JSON object: %w", ErrAnswer)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s: %w", shorten(err.Error(), maxMessage), ErrAnswer)
	}
	return nil
}

// broken names the cause of a request without a whole answer. The URL that
// net/http puts into its errors stays out.
func (c *Client) broken(ctx context.Context, err error, status int) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var n net.Error
	cause := ErrUnavailable
	switch {
	case errors.Is(err, ErrTooLarge):
		return err
	case ctx.Err() != nil && status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w: %w", ErrTimeout, ErrRateLimited, ctx.Err())
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrTimeout, ctx.Err())
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		cause = ErrTimeout
	case status == http.StatusOK && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return fmt.Errorf("cut short: %w", ErrAnswer)
	}
	return fmt.Errorf("%w: %s", cause, shorten(c.redact(err.Error()), maxMessage))
}

func sentinel(status int) error {
	switch {
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrUnauthorized
	case status == http.StatusNotFound:
		return ErrNotFound
	case status >= 500:
		return ErrUnavailable
	case status >= 300:
		return ErrRefused
	}
	return ErrAnswer
}
