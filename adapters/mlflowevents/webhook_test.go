package mlflowevents_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/mlflowevents"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

const hookTime = "2025-07-01T12:00:00.250000+00:00"

// hook makes the body of a delivery and holds it against the API definition.
func hook(t testing.TB, what string, data object) []byte {
	t.Helper()
	a := readAPI(t)
	fields, ok := a.Webhook.Data[what]
	if !ok {
		t.Fatalf("MLflow sends no %s", what)
	}
	for name := range data {
		if !slices.Contains(fields, name) {
			t.Fatalf("%s has no field %s", what, name)
		}
	}
	entity, action, _ := strings.Cut(what, ".")
	env := object{"entity": entity, "action": action, "timestamp": hookTime, "data": data}
	if d := cmp.Diff(slices.Sorted(slices.Values(a.Webhook.Envelope)), slices.Sorted(maps.Keys(env))); d != "" {
		t.Fatal(d)
	}
	b, err := json.Marshal(env)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDeliveries(t *testing.T) {
	for _, c := range []struct {
		what     string
		data     object
		events   []string
		problems []string
		ignored  string
	}{
		{"registered_model.created", object{"name": "m", "tags": object{}, "description": nil}, nil, nil, "registered_model.created tells nothing of a release"},
		{"model_version.created", object{"name": "m", "version": "3", "source": "models:/1", "run_id": "r", "tags": object{"rollout.signoff_at": "2025-07-01T11:00:00Z", "rollout.signoff_by": "kim", "rollout.track": "fast_track", "rollout.x": "y"}, "description": nil},
			[]string{"registered m@3 2025-07-01T12:00:00Z ref r", "signoff m@3 fast_track 2025-07-01T11:00:00Z ref kim"},
			[]string{`m version 3: rollout.x: "y" is under a key that the convention does not have`}, ""},
		{"model_version.created", object{"name": "m", "version": "3", "run_id": nil}, []string{"registered m@3 2025-07-01T12:00:00Z"}, nil, ""},
		{"model_version_tag.set", object{"name": "m", "version": "3", "key": "rollout.serving_at", "value": "2025-07-01T11:00:00+02:00"}, []string{"serving m@3 2025-07-01T09:00:00Z"}, nil, ""},
		{"model_version_tag.set", object{"name": "m", "version": "3", "key": "rollout.track", "value": "fast_track"}, []string{"traffic_change m@3 fast_track 2025-07-01T12:00:00Z"}, nil, ""},
		{"model_version_tag.set", object{"name": "m", "version": "3", "key": "rollout.track", "value": ""}, nil, []string{"m version 3: rollout.track: is no track"}, ""},
		{"model_version_tag.set", object{"name": "m", "version": "3", "key": "rollout.signoff_by", "value": "kim"}, nil, nil, "no event follows from it"},
		{"model_version_tag.set", object{"name": "m", "version": "3", "key": "rollout.serving_at", "value": "now"}, nil, []string{`m version 3: rollout.serving_at: "now" is no RFC 3339 time with an offset`}, ""},
		{"model_version_tag.set", object{"name": "m", "version": "3", "key": "validation_status", "value": "passed"}, []string{"stage_end m@3 validation passed 2025-07-01T12:00:00Z"}, nil, ""},
		{"model_version_tag.set", object{"name": "m", "version": "3", "key": "owner", "value": "kim"}, nil, nil, "tag:owner=kim has no meaning in the options"},
		{"model_version_tag.deleted", object{"name": "m", "version": "3", "key": "rollout.signoff_at"}, []string{"signoff_revoked m@3 2025-07-01T12:00:00Z"}, nil, ""},
		{"model_version_tag.deleted", object{"name": "m", "version": "3", "key": "owner"}, nil, nil, "no event follows from it"},
		{"model_version_alias.created", object{"name": "m", "alias": "champion", "version": "3"}, []string{"serving m@3 2025-07-01T12:00:00Z"}, nil, ""},
		{"model_version_alias.created", object{"name": "m", "alias": "blue", "version": "3"}, nil, nil, "alias:blue has no meaning in the options"},
		{"model_version_alias.deleted", object{"name": "m", "alias": "champion"}, nil, nil, "a deleted alias does not name its version"},
	} {
		d, err := mlflowevents.DecodeWebhook("d1", hook(t, c.what, c.data), mlflowevents.Options{Meanings: meanings})
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if diff := cmp.Diff(c.events, lines(d.Events)) + cmp.Diff(c.problems, problemLines(d.Problems)) + cmp.Diff(c.ignored, d.Ignored); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
		if d.ID != "d1" || d.Entity+"."+d.Action != c.what || !d.At.Equal(at("2025-07-01T12:00:00.25Z")) {
			t.Errorf("%s: %+v", c.what, d)
		}
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"entity":"model_version","action":"created"}`, `{"entity":"x","action":"y","timestamp":"2025-07-01T12:00:00"}`,
		`{"entity":"model_version","action":"created","timestamp":"2025-07-01T12:00:00Z","data":{"name":"m"}}`,
		`{"entity":"model_version","action":"created","timestamp":"2025-07-01T12:00:00Z","data":{"name":7}}`} {
		if _, err := mlflowevents.DecodeWebhook("d", []byte(bad), mlflowevents.Options{}); !errors.Is(err, mlflowevents.ErrPayload) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestWebhookAndLookAgree: what both see has one identity.
func TestWebhookAndLookAgree(t *testing.T) {
	tag := mlflowevents.Tag{Key: "rollout.signoff_at", Value: "2025-07-01T11:00:00Z"}
	d, err := mlflowevents.DecodeWebhook("d", hook(t, "model_version_tag.set", object{"name": "a/b", "version": "1", "key": tag.Key, "value": tag.Value}), mlflowevents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	events, _, err := mlflowevents.TagEvents(mlflowevents.ModelVersion{Name: "a/b", Version: "1", Tags: []mlflowevents.Tag{tag}}, mlflowevents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(events, d.Events); diff != "" {
		t.Error(diff)
	}
}

// TestSignature holds Sign against a value from Python's hmac:
//
//	base64.b64encode(hmac.new(b"k", b"id.1700000000.{}", hashlib.sha256).digest())
func TestSignature(t *testing.T) {
	const want = "v1,35bYbA6IgNcTvbmw7MvHGtfDGMc6HpldG0KkUbXcBKY="
	if got := mlflowevents.Sign("k", "id", "1700000000", []byte("{}")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	now := time.Unix(1700000000, 0)
	for _, c := range []struct {
		secret               mlflowevents.Secret
		id, stamp, sig, body string
		off                  time.Duration
		want                 error
	}{
		{"k", "id", "1700000000", want, "{}", 0, nil},
		{"k", "id", "1700000000", want, "{}", 5 * time.Minute, nil},
		{"k", "id", "1700000000", want, "{}", -5 * time.Minute, nil},
		{"k", "id", "1700000000", want, "{}", 5*time.Minute + 1, mlflowevents.ErrStale},
		{"k", "id", "1700000000", want, "{}", -5*time.Minute - 1, mlflowevents.ErrStale},
		{"l", "id", "1700000000", want, "{}", 0, mlflowevents.ErrUnauthorized},
		{"k", "ie", "1700000000", want, "{}", 0, mlflowevents.ErrUnauthorized},
		{"k", "id", "1700000001", want, "{}", 0, mlflowevents.ErrUnauthorized},
		{"k", "id", "1700000000", want, "{} ", 0, mlflowevents.ErrUnauthorized},
		{"k", "id", "1700000000", strings.TrimPrefix(want, "v1,"), "{}", 0, mlflowevents.ErrUnauthorized},
		{"k", "id", "1700000000", "", "{}", 0, mlflowevents.ErrUnauthorized},
		{"k", "", "1700000000", want, "{}", 0, mlflowevents.ErrPayload},
		{"k", "id", "soon", want, "{}", 0, mlflowevents.ErrPayload},
		{"k", "id", "-5", want, "{}", 0, mlflowevents.ErrPayload},
	} {
		err := mlflowevents.Verify(c.secret, c.id, c.stamp, c.sig, []byte(c.body), now.Add(c.off), 5*time.Minute)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// sender posts deliveries as MLflow does.
type sender struct {
	t   *testing.T
	url string
	now time.Time
}

func (s sender) post(id string, body []byte, change func(http.Header)) int {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	stamp := strconv.FormatInt(s.now.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(mlflowevents.HeaderDelivery, id)
	req.Header.Set(mlflowevents.HeaderTimestamp, stamp)
	req.Header.Set(mlflowevents.HeaderSignature, mlflowevents.Sign("k", id, stamp, body))
	if change != nil {
		change(req.Header)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestWebhookHandler(t *testing.T) {
	now := at("2025-07-01T12:00:01Z")
	var mu sync.Mutex
	var got []mlflowevents.Delivery
	var fail error
	h, err := mlflowevents.NewWebhook(mlflowevents.WebhookOptions{Secret: "k", Now: func() time.Time { return now }, MaxBody: 1000, Remember: 3,
		Sink: func(_ context.Context, d mlflowevents.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			if fail == nil {
				got = append(got, d)
			}
			return fail
		}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	s := sender{t, srv.URL, now}
	body := hook(t, "model_version_tag.set", object{"name": "m", "version": "3", "key": "rollout.signoff_at", "value": "2025-07-01T11:00:00Z"})
	expect := func(name string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	expect("good", s.post("d1", body, nil), 204)
	expect("again", s.post("d1", body, nil), 204)
	expect("unsigned", s.post("d2", body, func(h http.Header) { h.Del(mlflowevents.HeaderSignature) }), 401)
	expect("wrongly signed", s.post("d2", body, func(h http.Header) { h.Set(mlflowevents.HeaderSignature, "v1,AAAA") }), 401)
	expect("another id", s.post("d2", body, func(h http.Header) { h.Set(mlflowevents.HeaderDelivery, "d9") }), 401)
	expect("old", sender{t, srv.URL, now.Add(-6 * time.Minute)}.post("d2", body, nil), 400)
	expect("too large", s.post("d2", bytes.Repeat([]byte(" "), 1001), nil), 413)
	expect("no JSON", s.post("d2", []byte("x"), nil), 400)
	fail = errors.New("full")
	expect("sink failed", s.post("d3", body, nil), 503)
	fail = nil
	expect("sent again", s.post("d3", body, nil), 204)
	resp, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	expect("GET", resp.StatusCode, 405)
	if len(got) != 2 || got[0].ID != "d1" || got[1].ID != "d3" {
		t.Errorf("%+v", got)
	}
	// A track that was set is stated by what follows.
	got = nil
	s.post("t1", hook(t, "model_version_tag.set", object{"name": "m", "version": "4", "key": "rollout.track", "value": "fast_track"}), nil)
	s.post("t2", hook(t, "model_version_tag.set", object{"name": "m", "version": "4", "key": "rollout.signoff_at", "value": "2025-07-01T11:00:00Z"}), nil)
	if len(got) != 2 || got[1].Events[0].Track != leadtime.FastTrack {
		t.Errorf("%+v", got)
	}
	// Only so many ids are remembered.
	for i := range 3 {
		s.post(fmt.Sprint("e", i), body, nil)
	}
	got = nil
	expect("forgotten", s.post("d1", body, nil), 204)
	if len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWebhookTakesADeliveryOnce(t *testing.T) {
	now := at("2025-07-01T12:00:01Z")
	n := 0
	inside, leave := make(chan bool), make(chan bool)
	h, err := mlflowevents.NewWebhook(mlflowevents.WebhookOptions{Unsigned: true, Now: func() time.Time { return now },
		Sink: func(context.Context, mlflowevents.Delivery) error { n++; inside <- true; <-leave; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	body := hook(t, "model_version_alias.deleted", object{"name": "m", "alias": "a"})
	post := func() int {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set(mlflowevents.HeaderDelivery, "d")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	first := make(chan int)
	go func() { first <- post() }()
	<-inside
	if got := post(); got != 503 {
		t.Errorf("meanwhile: %d", got)
	}
	leave <- true
	if got := <-first; got != 204 {
		t.Errorf("first: %d", got)
	}
	if got := post(); got != 204 || n != 1 {
		t.Errorf("later: %d, taken %d times", got, n)
	}
}

func TestWebhookOptionsAreChecked(t *testing.T) {
	sink := func(context.Context, mlflowevents.Delivery) error { return nil }
	for _, o := range []mlflowevents.WebhookOptions{
		{Secret: "k", Sink: sink},
		{Secret: "k", Now: time.Now},
		{Now: time.Now, Sink: sink},
		{Secret: "k", Unsigned: true, Now: time.Now, Sink: sink},
		{Secret: "k", Now: time.Now, Sink: sink, Remember: -1},
		{Secret: "k", Now: time.Now, Sink: sink, Options: mlflowevents.Options{Meanings: map[string]mlflowevents.Meaning{"x": {}}}},
	} {
		if _, err := mlflowevents.NewWebhook(o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%v", err)
		}
	}
}
