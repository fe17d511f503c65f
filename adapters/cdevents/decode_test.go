package cdevents_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/adapters/cdevents"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func cloud(m cdevents.Message) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":%q,"subject":"s","time":"2025-03-01T12:00:00Z","datacontenttype":"application/json","data":%s}`,
		m.ID, m.Source, m.Type, m.Data)
}

func TestContentModesAgree(t *testing.T) {
	m := message(t, dev("service.deployed"), noon, "s", inProd, "")
	want := one(t, cdevents.Options{}, m)
	binary := http.Header{}
	for name, value := range map[string]string{"specversion": "1.0", "id": `"` + m.ID + `"`, "source": "%2Fevent/source/123", "type": m.Type, "time": noon} {
		binary.Set("ce-"+name, value)
	}
	binary.Set("Content-Type", "application/json; charset=utf-8")
	media := func(s string) http.Header { return http.Header{"Content-Type": {s}} }
	encoded := strings.Replace(cloud(m), `"data":`+string(m.Data), `"data_base64":"`+base64.StdEncoding.EncodeToString(m.Data)+`"`, 1)
	for name, c := range map[string]struct {
		h    http.Header
		body string
	}{
		"binary":     {binary, string(m.Data)},
		"structured": {media("application/cloudevents+json; charset=UTF-8"), cloud(m)},
		"base64":     {media("application/cloudevents+json"), encoded},
		"batch":      {media("application/cloudevents-batch+json"), "[" + cloud(m) + "]"},
	} {
		got, err := cdevents.Decode(c.h, []byte(c.body))
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, one(t, cdevents.Options{}, got...)); diff != "" || got[0].Time.IsZero() || string(got[0].Data) != string(m.Data) {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got, err := cdevents.Decode(media("application/cloudevents-batch+json"), []byte("[]")); err != nil || len(got) != 0 {
		t.Errorf("an empty batch: %v, %v", got, err)
	}
	foreign := strings.Replace(cloud(m), "application/json", "text/xml", 1)
	if got, err := cdevents.Decode(media("application/cloudevents+json"), []byte(foreign)); err != nil || got[0].Data != nil {
		t.Errorf("data that is not JSON: %v, %v", got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	m := message(t, dev("service.deployed"), noon, "s", inProd, "")
	event := cloud(m)
	without := func(s string) string { return strings.Replace(event, s, "", 1) }
	const structured = "application/cloudevents+json"
	for name, c := range map[string]struct {
		media, body string
		headers     [][2]string
		want        error
	}{
		"Avro":               {"application/cloudevents+avro", "x", nil, cdevents.ErrUnsupported},
		"no content type":    {"", event, nil, cdevents.ErrUnsupported},
		"Latin 1":            {structured + "; charset=iso-8859-1", event, nil, cdevents.ErrUnsupported},
		"gzip":               {structured, event, [][2]string{{"Content-Encoding", "gzip"}}, cdevents.ErrUnsupported},
		"plain JSON":         {"application/json", event, nil, cdevents.ErrUnsupported},
		"binary text":        {"text/plain", event, [][2]string{{"ce-specversion", "1.0"}}, cdevents.ErrUnsupported},
		"version 0.3":        {structured, strings.Replace(event, `"1.0"`, `"0.3"`, 1), nil, cdevents.ErrUnsupported},
		"not JSON":           {structured, event[1:], nil, cdevents.ErrMalformed},
		"not UTF-8":          {structured, strings.Replace(event, "/event", "\xff", 1), nil, cdevents.ErrMalformed},
		"a number for an id": {structured, strings.Replace(event, `"id":"`+m.ID+`"`, `"id":1`, 1), nil, cdevents.ErrMalformed},
		"no id":              {structured, without(`"id":"` + m.ID + `",`), nil, cdevents.ErrMalformed},
		"no source":          {structured, without(`"source":"/event/source/123",`), nil, cdevents.ErrMalformed},
		"no type":            {structured, without(`"type":"` + m.Type + `",`), nil, cdevents.ErrMalformed},
		"a bad time":         {structured, strings.Replace(event, `"time":"2025`, `"time":"25`, 1), nil, cdevents.ErrMalformed},
		"bad base64":         {structured, strings.Replace(event, `"data":`, `"data_base64":"e30x","x":`, 1), nil, cdevents.ErrMalformed},
		"half a batch":       {"application/cloudevents-batch+json", "[" + event + ",{}]", nil, cdevents.ErrMalformed},
		"no batch":           {"application/cloudevents-batch+json", event, nil, cdevents.ErrMalformed},
		"binary, no id":      {"application/json", "{}", [][2]string{{"ce-specversion", "1.0"}}, cdevents.ErrMalformed},
		"binary, no JSON":    {"application/json", "{", [][2]string{{"ce-specversion", "1.0"}}, cdevents.ErrMalformed},
		"overlong UTF-8":     {"application/json", "{}", [][2]string{{"ce-id", "%C0%A0"}}, cdevents.ErrMalformed},
		"half a percent":     {"application/json", "{}", [][2]string{{"ce-source", "%2"}}, cdevents.ErrMalformed},
	} {
		h := http.Header{"Content-Type": {c.media}}
		for _, kv := range c.headers {
			h.Set(kv[0], kv[1])
		}
		if _, err := cdevents.Decode(h, []byte(c.body)); !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "cdevents: Decode: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHeaderValues(t *testing.T) {
	h := http.Header{"Content-Type": {"application/vnd.x+json"}}
	for name, value := range map[string]string{"specversion": "1.0", "id": `"a \"b\" \\ %20"`, "source": "Euro%20%E2%82%AC%20%F0%9F%98%80", "type": "t+u"} {
		h.Set("ce-"+name, value)
	}
	m, err := cdevents.Decode(h, []byte(`{}`))
	if err != nil || m[0].ID != `a "b" \  ` || m[0].Source != "Euro € 😀" || m[0].Type != "t+u" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRead(t *testing.T) {
	m, n := message(t, dev("service.deployed"), noon, "s", inProd, ""), message(t, dev("service.upgraded"), noon, "s", inProd, "")
	text := "\ufeff" + cloud(m) + "\r\n\n[" + cloud(n) + "," + cloud(m) + "]\n  " + string(m.Data) + "\n" +
		`{"specversion":"1.0","id":"1","source":"s","type":"com.example.x","context":"an extension","data":null}` + "\n" +
		"{\"specversion\"\n\xff\n{\"context\":{\"id\":7}}\n" + string(m.Data)[:100]
	r, err := cdevents.Read(strings.NewReader(text), cdevents.Options{Name: "log.jsonl"})
	if err != nil {
		t.Fatal(err)
	}
	want := []leadtime.Event{one(t, cdevents.Options{}, m), one(t, cdevents.Options{}, n), one(t, cdevents.Options{}, m), one(t, cdevents.Options{}, m)}
	for i, line := range []int{1, 3, 3, 4} {
		want[i].Line = line
	}
	if diff := cmp.Diff(want, r.Events); diff != "" {
		t.Error(diff)
	}
	var lines []int
	for _, b := range r.Bad {
		lines = append(lines, b.Line)
		if b.Reason != cdevents.ReasonMalformed || !strings.HasPrefix(b.String(), "log.jsonl:") {
			t.Error(b)
		}
	}
	if diff := cmp.Diff([]int{6, 7, 8, 9}, lines); diff != "" || r.In != 9 || len(r.Skipped) != 1 || r.Skipped[0].Reason != cdevents.SkipForeign {
		t.Error(diff, r.In, r.Skipped)
	}
	for _, empty := range []string{"", "\n", "\ufeff"} {
		if r, err := cdevents.Read(strings.NewReader(empty), cdevents.Options{}); err != nil || r.In != 0 {
			t.Errorf("%q: %+v, %v", empty, r, err)
		}
	}
	if _, err := cdevents.Read(strings.NewReader(""), cdevents.Options{MaxLine: -1}); !errors.Is(err, stats.ErrDomain) {
		t.Error(err)
	}
	broken := io.MultiReader(strings.NewReader(cloud(m)+"\n"), iotest.ErrReader(io.ErrClosedPipe))
	if r, err := cdevents.Read(broken, cdevents.Options{Name: "log"}); !errors.Is(err, io.ErrClosedPipe) || len(r.Events) != 1 || !strings.Contains(err.Error(), "log:2: ") {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestHugeLine(t *testing.T) {
	m := message(t, dev("service.deployed"), noon, "s", inProd, "")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	huge := io.LimitReader(repeat('x'), 50<<20)
	r, err := cdevents.Read(io.MultiReader(huge, strings.NewReader("\n"+cloud(m))), cdevents.Options{})
	if err != nil || len(r.Events) != 1 || r.BadTotal != 1 || r.Bad[0].Reason != cdevents.ReasonTooLong || len(r.Bad[0].Text) > 90 || r.In != 2 {
		t.Errorf("%v, %+v", err, r)
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 8<<20 {
		t.Errorf("%d bytes were allocated", after.TotalAlloc-before.TotalAlloc)
	}
}

type repeat byte

func (c repeat) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c)
	}
	return len(b), nil
}

func TestReceiver(t *testing.T) {
	var stored []cdevents.Message
	fail := false
	r, err := cdevents.NewReceiver(cdevents.ReceiverOptions{
		Sink: func(_ context.Context, m []cdevents.Message) error {
			if fail {
				return io.ErrShortWrite
			}
			stored = append(stored, m...)
			return nil
		},
		Authenticate: func(r *http.Request, body []byte) error {
			if r.Header.Get("Authorization") != "Bearer sesame" || bytes.Contains(body, []byte("forged")) {
				return errors.New("who are you")
			}
			return nil
		},
		MaxBody: 2000, Recent: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	event := func(i int) string { return cloud(message(t, dev("service.deployed"), noon, fmt.Sprint(i), inProd, "")) }
	post := func(body string, headers ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/cloudevents-batch+json")
		req.Header.Set("Authorization", "Bearer sesame")
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		return w
	}
	for _, c := range []struct {
		name, body     string
		headers        []string
		status, stored int
	}{
		{"one twice", "[" + event(1) + "," + event(1) + "]", nil, 204, 1},
		{"again", "[" + event(1) + "]", nil, 204, 1},
		{"one of two is new", "[" + event(1) + "," + event(2) + "]", nil, 204, 2},
		{"a third", "[" + event(3) + "]", nil, 204, 3},
		{"the first is forgotten", "[" + event(1) + "]", nil, 204, 4},
		{"the third is not", "[" + event(3) + "]", nil, 204, 4},
		{"none", "[]", nil, 204, 4},
		{"half", "[" + event(4) + ",{}]", nil, 400, 4},
		{"another format", event(4), []string{"Content-Type", "application/cloudevents+avro"}, 415, 4},
		{"a stranger", "[" + event(4) + "]", []string{"Authorization", ""}, 401, 4},
		{"forged", "[" + event(4) + `,"forged"]`, nil, 401, 4},
		{"large", strings.Repeat(" ", 2001), nil, 413, 4},
	} {
		if w := post(c.body, c.headers...); w.Code != c.status || len(stored) != c.stored {
			t.Errorf("%s: %d %s, %d stored", c.name, w.Code, w.Body, len(stored))
		}
	}
	fail = true
	if w := post("[" + event(5) + "]"); w.Code != 500 || strings.Contains(w.Body.String(), "short write") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	fail = false
	if w := post("[" + event(5) + "]"); w.Code != 204 || len(stored) != 5 {
		t.Errorf("what failed must not count as taken: %d, %d stored", w.Code, len(stored))
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "POST, PUT" {
		t.Errorf("GET: %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", iotest.ErrReader(io.ErrUnexpectedEOF)))
	if w.Code != 400 {
		t.Errorf("a body that breaks off: %d", w.Code)
	}
	if diff := cmp.Diff(cdevents.ReceiverCounts{Accepted: 5, Repeated: 4, Refused: 7, SinkFails: 1}, r.Counts()); diff != "" {
		t.Error(diff)
	}
	for _, o := range []cdevents.ReceiverOptions{{}, {Sink: func(context.Context, []cdevents.Message) error { return nil }, MaxBody: -1}} {
		if _, err := cdevents.NewReceiver(o); !errors.Is(err, stats.ErrDomain) {
			t.Error(err)
		}
	}
}

func TestReceiverTakesRequestsAtOnce(t *testing.T) {
	taken := map[string]int{} // without a lock: calls to the sink do not overlap
	r, err := cdevents.NewReceiver(cdevents.ReceiverOptions{Sink: func(_ context.Context, m []cdevents.Message) error {
		for i := range m {
			taken[m[i].ID]++
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int)
	for range 8 {
		go func() {
			code := 0
			for i := range 50 {
				req := httptest.NewRequest(http.MethodPut, "/", strings.NewReader(cloud(message(t, dev("service.deployed"), noon, fmt.Sprint(i), inProd, ""))))
				req.Header.Set("Content-Type", "application/cloudevents+json")
				w := httptest.NewRecorder()
				r.ServeHTTP(w, req)
				code = max(code, w.Code)
			}
			done <- code
		}()
	}
	for range 8 {
		if code := <-done; code != 204 {
			t.Error(code)
		}
	}
	for id, n := range taken {
		if n != 1 {
			t.Errorf("%s was taken %d times", id, n)
		}
	}
	if c := r.Counts(); c.Accepted != 50 || c.Repeated != 350 || len(taken) != 50 {
		t.Errorf("%+v", c)
	}
}
