package mlflowevents_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/mlflowevents"
)

func FuzzDecodeWebhook(f *testing.F) {
	f.Add(hook(f, "model_version_tag.set", object{"name": "m", "version": "3", "key": "rollout.signoff_at", "value": "2025-07-01T11:00:00Z"}))
	f.Add(hook(f, "model_version_alias.created", object{"name": "m", "alias": "champion", "version": "3"}))
	f.Add([]byte(`{"entity":"model_version","action":"created","timestamp":"2025-07-01T12:00:00Z","data":{"name":"m","version":"1","tags":{"rollout.stage.a.started_at":"x"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := mlflowevents.DecodeWebhook("d", body, mlflowevents.Options{Meanings: meanings})
		if err != nil {
			return
		}
		if len(d.Events)+len(d.Problems) == 0 && d.Ignored == "" {
			t.Errorf("nothing is said of %s", body)
		}
		for _, e := range d.Events {
			if e.ID == "" || e.Kind == 0 || e.Model == "" || e.Version == "" || e.At.IsZero() {
				t.Errorf("%+v", e)
			}
		}
	})
}

func FuzzMillis(f *testing.F) {
	for _, s := range []string{`1582671933246`, `"1582671933246"`, `0`, `null`, `"null"`, `1.5`, `-1`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m mlflowevents.Millis
		if json.Unmarshal(b, &m) != nil {
			return
		}
		var back mlflowevents.Millis
		if err := json.Unmarshal(fmt.Appendf(nil, "%d", int64(m)), &back); err != nil || back != m || m < 0 || m.Time().Year() > 9999 {
			t.Errorf("%q is %d", b, m)
		}
	})
}

func FuzzTagEvents(f *testing.F) {
	f.Add("rollout.signoff_at", "2025-07-01T11:00:00Z")
	f.Add("rollout.stage.x.finished_at", "2025-07-01T11:00:00+05:30")
	f.Add("rollout.", "")
	f.Fuzz(func(t *testing.T, key, value string) {
		events, problems, err := mlflowevents.TagEvents(mlflowevents.ModelVersion{Name: "m", Version: "1",
			Tags: []mlflowevents.Tag{{Key: key, Value: value}}}, mlflowevents.Options{})
		if err != nil || len(events)+len(problems) > 1 {
			t.Errorf("%d events, %d problems, %v", len(events), len(problems), err)
		}
	})
}

// answers is a transport that gives one body to every request.
type answers []byte

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	w := newBody(a)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: w, Request: r}, nil
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"model_versions":[{"name":"m","version":"1","creation_timestamp":"1582671933246","tags":[{"key":"k","value":"v"}]}],"registered_models":[{"name":"m","aliases":[{"alias":"a","version":"1"}]}]}`))
	f.Add([]byte(`{"next_page_token":"t"}`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := mlflowevents.NewClient("http://mlflow", mlflowevents.ClientOptions{Transport: answers(body), MaxRetries: -1})
		if err != nil {
			t.Fatal(err)
		}
		p, err := mlflowevents.NewPoller(c, mlflowevents.PollOptions{Now: func() time.Time { return time.Unix(1.7e9, 0) }, SkipRuns: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Poll(t.Context(), mlflowevents.State{}); err == nil {
			if _, err := json.Marshal(got.State); err != nil {
				t.Error(err)
			}
		}
	})
}
