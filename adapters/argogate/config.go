package argogate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// config is what an AnalysisTemplate or a step of a Rollout says.
type config struct {
	Server        string   `json:"server"`
	Policy        string   `json:"policy"`
	Rollout       string   `json:"rollout"`
	Stage         string   `json:"stage"`
	Token         Secret   `json:"token"`
	Timeout       duration `json:"timeout"`
	CheckEvery    duration `json:"checkEvery"`
	ErrorBudget   duration `json:"errorBudget"`
	WaitLimit     duration `json:"waitLimit"`
	AcceptEarlier bool     `json:"acceptEarlier"`
}

// Secret is text that is not printed.
type Secret string

// String hides the text.
func (Secret) String() string { return "[hidden]" }

// GoString hides the text.
func (Secret) GoString() string { return "[hidden]" }

// duration is written as 90s or 10m.
type duration time.Duration

// UnmarshalJSON implements [json.Unmarshaler].
func (d *duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf(`a duration is written as "90s" or "10m", not %.40s`, b)
	}
	v, err := time.ParseDuration(text)
	*d = duration(v)
	return err
}

const (
	defaultRollout = "argo:{namespace}:{name}:{hash}"
	defaultTimeout = 10 * time.Second
	defaultBudget  = 10 * time.Minute
	defaultCheck   = 30 * time.Second
	minCheck       = 10 * time.Second // when the gate says when to ask again
	maxCheck       = 5 * time.Minute
)

// parse reads a configuration and fills in what it leaves out.
func (o *Options) parse(raw []byte) (config, error) {
	var c config
	if len(raw) == 0 {
		return c, errors.New("it is empty; it needs at least policy")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return c, errors.New("something follows the JSON value")
	}
	if c.Policy == "" {
		return c, errors.New("policy: name the policy of the gate")
	}
	own := strings.TrimRight(o.Server, "/")
	c.Server = strings.TrimRight(c.Server, "/")
	if c.Server == "" {
		c.Server = own
	}
	if c.Server == "" {
		return c, errors.New("server: give the URL of the gate here, or as --server in the args of the plugin")
	}
	u, err := url.Parse(c.Server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return c, errors.New("server: write it as https://HOST:PORT; the token has a key of its own")
	}
	for _, d := range []struct {
		key       string
		value     *duration
		unset     time.Duration
		low, high time.Duration
	}{
		{"timeout", &c.Timeout, defaultTimeout, time.Second, 2 * time.Minute},
		{"checkEvery", &c.CheckEvery, 0, time.Second, time.Hour},
		{"errorBudget", &c.ErrorBudget, defaultBudget, time.Second, 30 * 24 * time.Hour},
		{"waitLimit", &c.WaitLimit, 0, time.Second, 365 * 24 * time.Hour},
	} {
		switch v := time.Duration(*d.value); {
		case v == 0:
			*d.value = duration(d.unset)
		case v < d.low || v > d.high:
			return c, fmt.Errorf("%s: %s is not between %s and %s", d.key, v, d.low, d.high)
		}
	}
	c.Rollout = cmp.Or(c.Rollout, defaultRollout)
	return c, nil
}

// revision is what is rolled out, as the controller knows it.
type revision struct{ namespace, name, hash string }

// fill puts the revision into the name of the rollout.
func (c *config) fill(r revision) error {
	for _, p := range []struct{ key, value, lack string }{
		{"{namespace}", r.namespace, "no namespace"},
		{"{name}", r.name, "no owner of kind Rollout"},
		{"{hash}", r.hash, "no hash of pods"},
	} {
		if strings.Contains(c.Rollout, p.key) && p.value == "" {
			return fmt.Errorf("rollout: %s cannot be filled in: the controller sent %s; name the rollout without it", p.key, p.lack)
		}
		c.Rollout = strings.ReplaceAll(c.Rollout, p.key, p.value)
	}
	if strings.ContainsAny(c.Rollout, "{}") {
		return fmt.Errorf("rollout: %.80q: there are {namespace}, {name} and {hash}; an argument of the analysis is {{args.NAME}} and has to be declared", c.Rollout)
	}
	return nil
}

// every is how long to wait before the gate is asked again.
func (c *config) every(wish time.Duration) time.Duration {
	switch {
	case c.CheckEvery > 0:
		return time.Duration(c.CheckEvery)
	case wish <= 0:
		return defaultCheck
	}
	return min(max(wish, minCheck), maxCheck)
}
