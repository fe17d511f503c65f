package argogate

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// answer is what the gate says of a rollout.
type answer struct {
	Verdict    string    `json:"verdict"`
	Resume     string    `json:"resume"`
	Reasons    []string  `json:"reasons"`
	Rollout    string    `json:"rollout"`
	Stage      string    `json:"stage"`
	CheckAfter float64   `json:"check_after_seconds"`
	Record     string    `json:"record"`
	DecidedAt  time.Time `json:"decided_at"`
}

// maxAnswer bounds the bytes that are read of an answer.
const maxAnswer = 1 << 20

// asker asks gates in the background, since a call of the controller must not last.
type asker struct {
	o      Options
	client *http.Client

	mu   sync.Mutex
	jobs map[string]*job
}

// job is a question on its way.
type job struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the rest can be read
	answer answer
	err    error
	ended  time.Time
}

const (
	// patience is how long a call of the controller waits for the answer.
	patience = time.Second
	// soon is when the controller comes back for an answer that took longer.
	soon = time.Second
	// keep is how long an answer that nobody came back for is kept.
	keep = time.Minute
)

func newAsker(o Options) *asker {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots}
	return &asker{o: o, jobs: map[string]*job{}, client: &http.Client{Transport: t,
		// a redirect could take the token elsewhere
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask starts a question, or comes back for one. It returns nil while there is no
// answer yet.
func (k *asker) ask(key string, c config) *job {
	j := k.start(key, c)
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-j.done:
		k.forget(key, j)
		return j
	case <-t.C:
		return nil
	}
}

func (k *asker) start(key string, c config) *job {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.o.Now()
	for name, j := range k.jobs {
		select {
		case <-j.done:
			if now.Sub(j.ended) > keep {
				delete(k.jobs, name)
			}
		default:
		}
	}
	if j := k.jobs[key]; j != nil {
		return j
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.Timeout))
	j := &job{cancel: cancel, done: make(chan struct{})}
	k.jobs[key] = j
	go func() {
		defer close(j.done)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				j.err = fmt.Errorf("panic: %v", p)
			}
			j.ended = k.o.Now()
		}()
		j.answer, j.err = k.get(ctx, c)
	}()
	return j
}

// forget drops a question, unless it is another one by now.
func (k *asker) forget(key string, j *job) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.jobs[key] == j {
		delete(k.jobs, key)
	}
}

// stop ends a question.
func (k *asker) stop(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if j := k.jobs[key]; j != nil {
		j.cancel()
		delete(k.jobs, key)
	}
}

// get asks the gate.
func (k *asker) get(ctx context.Context, c config) (answer, error) {
	target := c.Server + "/argo/" + url.PathEscape(c.Policy) + "/" + url.PathEscape(c.Rollout)
	if c.Stage != "" {
		target += "?stage=" + url.QueryEscape(c.Stage)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Accept", "application/json")
	token, err := k.token(c)
	if err != nil {
		return answer{}, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	resp, err := k.client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return answer{}, fmt.Errorf("%s gave no answer within %s", c.Server, time.Duration(c.Timeout))
		}
		return answer{}, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return answer{}, fmt.Errorf("the answer of %s was cut short: %w", c.Server, err)
	}
	return read(resp, body, c.Rollout)
}

// token is the one for the gate that is asked. That of the options goes to the gate
// of the options only: who may write a template must not learn it.
func (k *asker) token(c config) (Secret, error) {
	switch {
	case c.Token != "":
		return c.Token, nil
	case c.Server != strings.TrimRight(k.o.Server, "/"):
		return "", nil
	case k.o.TokenFile == "":
		return k.o.Token, nil
	}
	b, err := os.ReadFile(k.o.TokenFile) // each time: it may have been replaced
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	return Secret(strings.TrimSpace(string(b))), nil
}

// read makes sure that what has come is an answer of a gate about this rollout.
func read(resp *http.Response, body []byte, rollout string) (answer, error) {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	var a struct {
		answer
		Error struct{ Message string }
	}
	err := json.Unmarshal(body, &a)
	switch {
	case len(body) > maxAnswer:
		return answer{}, fmt.Errorf("the answer has more than %d bytes and is none of a gate", maxAnswer)
	case resp.StatusCode != http.StatusOK && err == nil && a.Error.Message != "":
		return answer{}, fmt.Errorf("status %d: %s", resp.StatusCode, a.Error.Message)
	case resp.StatusCode != http.StatusOK:
		return answer{}, fmt.Errorf("status %d", resp.StatusCode)
	case kind != "application/json" || err != nil:
		return answer{}, errors.New("the answer is no JSON and none of a gate; is there a proxy in between?")
	case a.Rollout != rollout:
		return answer{}, fmt.Errorf("the answer is about rollout %.80q, not about %s", a.Rollout, rollout)
	}
	switch a.Verdict {
	case "continue", "rollback":
		return a.answer, nil
	case "pause":
		if a.Resume == "auto" || a.Resume == "manual" {
			return a.answer, nil
		}
	}
	return answer{}, fmt.Errorf("the answer says verdict %.40q, resume %.40q, which is no decision", a.Verdict, a.Resume)
}
