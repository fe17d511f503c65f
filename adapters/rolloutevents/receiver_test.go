package rolloutevents_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/rolloutevents"
	"github.com/rampguard/rampguard/stats"
)

func clock() time.Time { return at("2025-07-02T12:16:00Z") }

func post(h http.Handler, body []byte, token string) int {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestReceivers(t *testing.T) {
	var got []rolloutevents.Batch
	var fail error
	o := rolloutevents.ReceiverOptions{Now: clock, Token: "s3cret", MaxBody: 20_000, Remember: 2,
		Sink: func(_ context.Context, b rolloutevents.Batch) error {
			if fail == nil {
				got = append(got, b)
			}
			return fail
		}}
	argo, err := rolloutevents.NewArgoReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	flagger, err := rolloutevents.NewFlaggerReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	event, _, _ := bytes.Cut(file(t, "flagger_failed.jsonl"), []byte("\n"))
	for _, c := range []struct {
		name string
		h    http.Handler
		body []byte
	}{{"argo", argo, file(t, "argo_promoted.json")}, {"flagger", flagger, event}} {
		got, fail = nil, nil
		expect := func(what string, got, want int) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %s: %d, want %d", c.name, what, got, want)
			}
		}
		expect("no token", post(c.h, c.body, ""), 401)
		expect("another token", post(c.h, c.body, "s3cret2"), 401)
		expect("no JSON", post(c.h, []byte("x"), "s3cret"), 400)
		expect("too large", post(c.h, bytes.Repeat([]byte(" "), 20_001), "s3cret"), 413)
		fail = errors.New("full")
		expect("sink failed", post(c.h, c.body, "s3cret"), 503)
		fail = nil
		expect("good", post(c.h, c.body, "s3cret"), 200)
		expect("again", post(c.h, c.body, "s3cret"), 200)
		if len(got) != 1 {
			t.Errorf("%s: taken %d times", c.name, len(got))
		}
		for i := range 3 { // only so many bodies are remembered
			post(c.h, append(bytes.Clone(c.body), strings.Repeat(" ", i+1)...), "s3cret")
		}
		got = nil
		expect("forgotten", post(c.h, c.body, "s3cret"), 200)
		if len(got) != 1 {
			t.Errorf("%s: taken %d times", c.name, len(got))
		}
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		expect("GET", w.Code, 405)
	}
	o.Model = "label:none"
	argo, err = rolloutevents.NewArgoReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	if code := post(argo, file(t, "argo_promoted.json"), "s3cret"); code != 422 {
		t.Errorf("no name: %d", code)
	}
	b, _ := json.Marshal(struct{ T rolloutevents.Secret }{o.Token})
	if text := fmt.Sprintf("%v %+v %#v %s %x %d %v", o.Token, o, o.Token, o.Token, o.Token, o.Token, string(b)); strings.Contains(text, "s3cret") || strings.Contains(text, "733363726574") {
		t.Error(text)
	}
}

func TestReceiverTakesABodyOnce(t *testing.T) {
	var mu sync.Mutex
	n := 0
	h, err := rolloutevents.NewArgoReceiver(rolloutevents.ReceiverOptions{Now: clock,
		Sink: func(context.Context, rolloutevents.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			n++
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	body := file(t, "argo_promoted.json")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 100 {
				if code := post(h, body, ""); code == 200 {
					return
				} else if code != 503 {
					t.Errorf("%d", code)
				}
			}
		})
	}
	wg.Wait()
	if n != 1 {
		t.Errorf("taken %d times", n)
	}
}

func TestReceiverOptionsAreChecked(t *testing.T) {
	sink := func(context.Context, rolloutevents.Batch) error { return nil }
	for _, o := range []rolloutevents.ReceiverOptions{
		{Sink: sink}, {Now: clock}, {Now: clock, Sink: sink, MaxBody: -1}, {Now: clock, Sink: sink, Remember: -1},
		{Now: clock, Sink: sink, Options: rolloutevents.Options{Version: "tag"}},
	} {
		for _, make := range []func(rolloutevents.ReceiverOptions) (*rolloutevents.Receiver, error){rolloutevents.NewArgoReceiver, rolloutevents.NewFlaggerReceiver} {
			if _, err := make(o); !errors.Is(err, stats.ErrDomain) {
				t.Errorf("%v", err)
			}
		}
	}
}
