package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"time"
)

// serve is the controller for real: it looks at intervals until it is stopped, and
// goes on as a proxy when the rollout is over.
func serve(policyFile string, models [2]*string, feed, state, listen, admin string, every time.Duration) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	policy, err := os.ReadFile(policyFile)
	if err != nil {
		return fmt.Errorf("-policy: %w", err)
	}
	var urls [2]*url.URL
	for i, m := range models {
		if urls[i], err = url.Parse(*m); err != nil {
			return fmt.Errorf("-%s: %w", arms[i], err)
		}
		if urls[i].Host == "" {
			return fmt.Errorf("-%s %q is no URL such as http://v7:8080", arms[i], *m)
		}
	}
	c, err := newController(policyFile, policy, urls, askOutcomes(feed), state, time.Now)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	for _, s := range []*http.Server{{Addr: listen, Handler: c.proxy()}, {Addr: admin, Handler: c.admin()}} {
		s.ReadHeaderTimeout = 10 * time.Second
		go func() { failed <- s.ListenAndServe() }()
		defer func() { _ = s.Close() }() // it ends here in any case
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-tick.C:
		}
		v, err := c.look(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, "controller:", err)
		}
		if v != nil {
			fmt.Printf("%s: %s\n", v.Headline(), v.Reasons[0].Text)
		}
	}
}

// askOutcomes asks an HTTP endpoint for the outcomes.
func askOutcomes(endpoint string) outcomes {
	client := &http.Client{Timeout: 10 * time.Second}
	return func(ctx context.Context, arm string, from, to time.Time) (complaints, users float64, err error) {
		query := url.Values{"arm": {arm}, "from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"?"+query.Encode(), nil)
		if err != nil {
			return 0, 0, err
		}
		resp, err := client.Do(r)
		if err != nil {
			return 0, 0, err
		}
		defer func() { _ = resp.Body.Close() }() // was read to the end
		if resp.StatusCode != http.StatusOK {
			return 0, 0, fmt.Errorf("the outcomes of the %s: %s", arm, resp.Status)
		}
		var answer struct{ Complaints, Users *float64 }
		if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&answer); err != nil {
			return 0, 0, fmt.Errorf("the outcomes of the %s: %w", arm, err)
		}
		if answer.Complaints == nil || answer.Users == nil {
			return 0, 0, fmt.Errorf("the outcomes of the %s lack complaints or users, which is not zero", arm)
		}
		return *answer.Complaints, *answer.Users, nil
	}
}
