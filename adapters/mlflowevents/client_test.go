package mlflowevents_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/mlflowevents"
	"github.com/rampguard/rampguard/stats"
)

func client(t testing.TB, url string, o mlflowevents.ClientOptions) *mlflowevents.Client {
	t.Helper()
	if o.MinWait == 0 {
		o.MinWait = time.Millisecond
	}
	c, err := mlflowevents.NewClient(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestDefinition quotes the names that the client relies on from the API
// definition that the fake server enforces.
func TestDefinition(t *testing.T) {
	a := readAPI(t)
	for _, want := range []struct{ message, field, kind string }{
		{"RegisteredModel", "name", "string"},
		{"RegisteredModel", "creation_timestamp", "int64"},
		{"RegisteredModel", "last_updated_timestamp", "int64"},
		{"RegisteredModel", "aliases", "repeated RegisteredModelAlias"},
		{"RegisteredModelAlias", "alias", "string"},
		{"RegisteredModelAlias", "version", "string"},
		{"ModelVersion", "name", "string"},
		{"ModelVersion", "version", "string"},
		{"ModelVersion", "creation_timestamp", "int64"},
		{"ModelVersion", "last_updated_timestamp", "int64"},
		{"ModelVersion", "current_stage", "string"},
		{"ModelVersion", "run_id", "string"},
		{"ModelVersion", "status", "string"},
		{"ModelVersion", "tags", "repeated ModelVersionTag"},
		{"ModelVersion", "aliases", "repeated string"},
		{"ModelVersionTag", "key", "string"},
		{"ModelVersionTag", "value", "string"},
		{"Run", "info", "RunInfo"},
		{"RunInfo", "run_id", "string"},
		{"RunInfo", "experiment_id", "string"},
		{"RunInfo", "status", "string"},
		{"RunInfo", "start_time", "int64"},
		{"RunInfo", "end_time", "int64"},
		{"RunInfo", "lifecycle_stage", "string"},
	} {
		if got := a.Messages[want.message][want.field]; got != want.kind {
			t.Errorf("%s.%s is %q, want %q", want.message, want.field, got, want.kind)
		}
	}
	var got []string
	for _, e := range a.Endpoints {
		got = append(got, e.Request.Message+" "+e.Method+" "+a.Base+e.Path)
	}
	want := []string{
		"SearchRegisteredModels GET /api/2.0/mlflow/registered-models/search",
		"SearchModelVersions GET /api/2.0/mlflow/model-versions/search",
		"GetRun GET /api/2.0/mlflow/runs/get",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{mlflowevents.HeaderSignature, mlflowevents.HeaderTimestamp, mlflowevents.HeaderDelivery}, a.Webhook.Headers); d != "" {
		t.Error(d)
	}
}

func TestFakeServerRefuses(t *testing.T) {
	f, s := newFake(t)
	f.model("churn")
	for path, want := range map[string]int{
		"/mlflow/registered-models/search?max_results=1001":   400,
		"/mlflow/registered-models/search?max_results=x":      400,
		"/mlflow/registered-models/search?limit=5":            400,
		"/mlflow/registered-models/search?filter=churn":       400,
		"/mlflow/registered-models/search?page_token=xx":      400,
		"/mlflow/registered-models/search?filter=a&filter=b":  400,
		"/mlflow/registered-models/list":                      404,
		"/mlflow/runs/get":                                    400,
		"/mlflow/runs/get?run_id=none":                        404,
		"/mlflow/registered-models/search?filter=name='none'": 200,
	} {
		resp, err := http.Get(s.URL + "/api/2.0" + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	resp, err := http.Post(s.URL+"/api/2.0/mlflow/runs/get", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 405 {
		t.Errorf("POST: %d", resp.StatusCode)
	}
}

func TestListsPageToTheEnd(t *testing.T) {
	f, s := newFake(t)
	for i := range 23 {
		f.model(fmt.Sprintf("m%02d", i), "champion=1")
		f.version(fmt.Sprintf("m%02d", i), "1", "2025-07-01T00:00:00Z", "")
	}
	f.version("it's", "7", "2025-07-02T00:00:00Z", "", "k=v")
	for _, asString := range []bool{false, true} {
		f.strings = asString
		for _, size := range []int{1, 5, 23, 24, 1000} {
			c := client(t, s.URL, mlflowevents.ClientOptions{PageSize: size})
			models, err := c.RegisteredModels(t.Context(), "")
			if err != nil || len(models.Items) != 23 || models.Items[22].Aliases[0] != (mlflowevents.Alias{Alias: "champion", Version: "1"}) {
				t.Fatalf("page size %d: %d models, %v", size, len(models.Items), err)
			}
			versions, err := c.ModelVersions(t.Context(), "")
			if err != nil || len(versions.Items) != 24 || !versions.Items[0].Created.Time().Equal(at("2025-07-01T00:00:00Z")) {
				t.Fatalf("page size %d: %d versions, %v", size, len(versions.Items), err)
			}
			if versions.Cut != (size == 24) {
				t.Errorf("page size %d: cut is %v", size, versions.Cut)
			}
			one, err := c.ModelVersions(t.Context(), "it's")
			if err != nil || len(one.Items) != 1 || one.Items[0].Tags[0] != (mlflowevents.Tag{Key: "k", Value: "v"}) {
				t.Fatalf("one: %+v, %v", one, err)
			}
		}
	}
}

func TestOldServersWithoutTokens(t *testing.T) {
	f, s := newFake(t)
	f.noTokens = true
	for i := range 12 {
		f.version("m", fmt.Sprint(i+1), "2025-07-01T00:00:00Z", "")
	}
	for size, cut := range map[int]bool{10: true, 13: false} {
		got, err := client(t, s.URL, mlflowevents.ClientOptions{PageSize: size}).ModelVersions(t.Context(), "m")
		if err != nil || got.Cut != cut || len(got.Items) != min(size, 12) {
			t.Errorf("page size %d: %d items, cut %v, %v", size, len(got.Items), got.Cut, err)
		}
	}
}

func TestPagingMustEnd(t *testing.T) {
	f, s := newFake(t)
	n := 0
	f.fault = func(w http.ResponseWriter, _ *http.Request) bool {
		n++
		fmt.Fprintf(w, `{"model_versions":[{"name":"m","version":"1"}],"next_page_token":"t%d"}`, n%3)
		return true
	}
	_, err := client(t, s.URL, mlflowevents.ClientOptions{}).ModelVersions(t.Context(), "")
	if !errors.Is(err, mlflowevents.ErrPaging) || n != 4 {
		t.Errorf("after %d pages: %v", n, err)
	}
	n = 0
	f.fault = func(w http.ResponseWriter, _ *http.Request) bool {
		n++
		fmt.Fprintf(w, `{"model_versions":[{"name":"m","version":"1"}],"next_page_token":"t%d"}`, n)
		return true
	}
	_, err = client(t, s.URL, mlflowevents.ClientOptions{MaxItems: 20}).ModelVersions(t.Context(), "")
	if !errors.Is(err, mlflowevents.ErrTooLarge) || n != 21 {
		t.Errorf("after %d pages: %v", n, err)
	}
}

func TestGetRun(t *testing.T) {
	f, s := newFake(t)
	f.run("r1", "FINISHED", "2025-07-01T08:00:00Z", "2025-07-01T09:30:00.250Z")
	c := client(t, s.URL, mlflowevents.ClientOptions{})
	r, err := c.GetRun(t.Context(), "r1")
	if err != nil || !r.Ended.Time().Equal(at("2025-07-01T09:30:00.250Z")) || r.Status != "FINISHED" || r.Experiment != "0" || r.Lifecycle != "active" {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = c.GetRun(t.Context(), "r2")
	var e *mlflowevents.Error
	if !errors.Is(err, mlflowevents.ErrNotFound) || !errors.As(err, &e) || e.Code != "RESOURCE_DOES_NOT_EXIST" || e.Status != 404 || e.Path != "/api/2.0/mlflow/runs/get" {
		t.Errorf("%v", err)
	}
	f.fault = func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `{"run":{"info":{"run_id":"other"}}}`)
		return true
	}
	if _, err := c.GetRun(t.Context(), "r1"); !errors.Is(err, mlflowevents.ErrAnswer) {
		t.Errorf("%v", err)
	}
}

func TestCredentialsNeverShow(t *testing.T) {
	const secret = "hunter2-s3cr3t"
	f, s := newFake(t)
	for name, o := range map[string]mlflowevents.ClientOptions{
		"bearer": {Token: secret},
		"basic":  {Username: "kim", Password: secret},
	} {
		f.fault = nil
		want := map[string]string{"bearer": "Bearer " + secret, "basic": "Basic a2ltOmh1bnRlcjItczNjcjN0"}[name]
		f.auth = want
		o.MaxRetries = -1
		c := client(t, s.URL, o)
		if _, err := c.RegisteredModels(t.Context(), ""); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var texts []string
		note := func(v any) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				texts = append(texts, fmt.Sprintf(verb, v))
			}
			b, _ := json.Marshal(v)
			texts = append(texts, string(b))
		}
		note(o)
		note(&o)
		note(c)
		note(*c)
		f.auth = "Bearer other" // the fake repeats what it got
		_, err := c.RegisteredModels(t.Context(), "")
		if !errors.Is(err, mlflowevents.ErrUnauthorized) || !strings.Contains(err.Error(), "[redacted]") {
			t.Errorf("%s: %v", name, err)
		}
		note(err)
		dead := client(t, "http://127.0.0.1:1", o)
		_, err = dead.RegisteredModels(t.Context(), "")
		if !errors.Is(err, mlflowevents.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		note(err)
		for _, text := range texts {
			for _, bad := range []string{secret, strings.Fields(want)[1], fmt.Sprintf("%x", secret)} {
				if strings.Contains(text, bad) {
					t.Errorf("%s: a credential shows in %s", name, text)
				}
			}
		}
	}
	for _, bad := range []struct {
		base string
		o    mlflowevents.ClientOptions
	}{
		{"http://kim:" + secret + "@host", mlflowevents.ClientOptions{}},
		{"http://host?token=" + secret, mlflowevents.ClientOptions{}},
		{"ftp://" + secret, mlflowevents.ClientOptions{}},
		{"http://[" + secret, mlflowevents.ClientOptions{}},
		{"http://host", mlflowevents.ClientOptions{Token: secret + "\n"}},
		{"http://host", mlflowevents.ClientOptions{Token: secret, Username: "kim"}},
		{"http://host", mlflowevents.ClientOptions{Password: secret}},
		{"http://host", mlflowevents.ClientOptions{Username: "a:b", Password: secret}},
		{"http://host", mlflowevents.ClientOptions{PageSize: 1001}},
		{"http://host", mlflowevents.ClientOptions{MaxBody: -1}},
	} {
		if _, err := mlflowevents.NewClient(bad.base, bad.o); !errors.Is(err, stats.ErrDomain) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	f, s := newFake(t)
	f.fault = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "/login", http.StatusFound)
		return true
	}
	_, err := client(t, s.URL, mlflowevents.ClientOptions{Token: "t"}).RegisteredModels(t.Context(), "")
	if !errors.Is(err, mlflowevents.ErrRefused) || len(f.seen()) != 1 {
		t.Errorf("%v after %v", err, f.seen())
	}
}

func TestRetryAfter(t *testing.T) {
	f, s := newFake(t)
	f.model("m")
	for _, status := range []int{429, 503, 500, 502} {
		n := 0
		f.fault = func(w http.ResponseWriter, _ *http.Request) bool {
			if n++; n > 2 {
				return false
			}
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
			return true
		}
		if got, err := client(t, s.URL, mlflowevents.ClientOptions{}).RegisteredModels(t.Context(), ""); err != nil || len(got.Items) != 1 || n != 3 {
			t.Errorf("%d: %v after %d", status, err, n)
		}
	}
	// The wait is honoured.
	n, times := 0, []time.Time{}
	f.fault = func(w http.ResponseWriter, _ *http.Request) bool {
		times = append(times, time.Now())
		if n++; n > 1 {
			return false
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(429)
		return true
	}
	if _, err := client(t, s.URL, mlflowevents.ClientOptions{}).RegisteredModels(t.Context(), ""); err != nil || times[1].Sub(times[0]) < 900*time.Millisecond {
		t.Errorf("%v, waited %v", err, times[1].Sub(times[0]))
	}
	// A wait beyond MaxWait is not begun.
	f.forget()
	f.fault = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "3600")
		f.refuse(w, "REQUEST_LIMIT_EXCEEDED", "slow down")
		return true
	}
	_, err := client(t, s.URL, mlflowevents.ClientOptions{}).RegisteredModels(t.Context(), "")
	var e *mlflowevents.Error
	if !errors.Is(err, mlflowevents.ErrRateLimited) || !errors.As(err, &e) || e.RetryAfter != time.Hour || e.Message != "slow down" || len(f.seen()) != 1 {
		t.Errorf("%v after %d calls", err, len(f.seen()))
	}
}

func TestEpochMillis(t *testing.T) {
	b, err := os.ReadFile("../../testdata/cases/leadtime_sla_cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, raw := range file.Cases {
		var c struct {
			ID string `json:"id"`
		}
		var content struct {
			Input struct {
				Values []json.RawMessage `json:"values"`
			} `json:"input"`
			Expect struct {
				UTC []*string `json:"utc"`
			} `json:"expect"`
		}
		if err := json.Unmarshal(raw, &c); err != nil || c.ID != "adapter-mlflow-epoch-ms" {
			continue
		}
		if err := json.Unmarshal(raw, &content); err != nil || len(content.Expect.UTC) != 4 || len(content.Input.Values) != 4 {
			t.Fatalf("%v: %s", err, raw)
		}
		want := content.Expect
		for i, raw := range content.Input.Values {
			var m mlflowevents.Millis
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			got := m.Time()
			switch {
			case want.UTC[i] == nil && !got.IsZero():
				t.Errorf("%s is %v, want unknown", raw, got)
			case want.UTC[i] != nil && !got.Equal(at(*want.UTC[i])):
				t.Errorf("%s is %v, want %s", raw, got, *want.UTC[i])
			}
		}
		return
	}
	t.Fatal("the case is missing")
}

func TestEpochMillisRefuses(t *testing.T) {
	for _, bad := range []string{`"x"`, `1.5`, `-1`, `"-1"`, `1e30`, `true`, `{}`, `""`, `253402300800000`} {
		var m mlflowevents.Millis
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%s is %v", bad, m.Time())
		}
	}
}

func TestContextIsKept(t *testing.T) {
	_, s := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client(t, s.URL, mlflowevents.ClientOptions{}).RegisteredModels(ctx, "")
	if !errors.Is(err, context.Canceled) || !errors.Is(err, mlflowevents.ErrTimeout) {
		t.Errorf("%v", err)
	}
}
