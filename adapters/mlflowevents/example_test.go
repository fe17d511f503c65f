package mlflowevents_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/rampguard/rampguard/adapters/mlflowevents"
	"github.com/rampguard/rampguard/leadtime"
)

func newBody(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }

func ExampleTagEvents() {
	v := mlflowevents.ModelVersion{Name: "churn", Version: "12", Tags: []mlflowevents.Tag{
		{Key: "rollout.signoff_at", Value: "2025-07-01T09:00:00+02:00"},
		{Key: "rollout.signoff_by", Value: "kim"},
		{Key: "rollout.serving_at", Value: "2025-07-02T15:30:00Z"},
		{Key: "rollout.signed_off", Value: "yes"},
	}}
	events, problems, err := mlflowevents.TagEvents(v, mlflowevents.Options{})
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		fmt.Printf("%v %s %q\n", e.Kind, e.At.Format(time.RFC3339), e.Ref)
	}
	fmt.Println(problems[0])
	// Output:
	// serving 2025-07-02T15:30:00Z ""
	// signoff 2025-07-01T07:00:00Z "kim"
	// churn version 12: rollout.signed_off: "yes" is under a key that the convention does not have
}

func ExampleRunEvents() {
	r := mlflowevents.Run{ID: "410a3121", Status: "FINISHED", Started: 1751340000000, Ended: 1751347200000}
	events, err := mlflowevents.RunEvents("churn", "12", r, mlflowevents.Options{})
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		fmt.Println(e.Kind, e.At.Format(time.RFC3339))
	}
	// Output:
	// run_started 2025-07-01T03:20:00Z
	// run_ended 2025-07-01T05:20:00Z
}

// A registry is looked at twice; the alias came in between.
func ExampleNewPoller() {
	aliases := `[]`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/2.0/mlflow/registered-models/search" {
			fmt.Fprintf(w, `{"registered_models":[{"name":"churn","aliases":%s}]}`, aliases)
			return
		}
		fmt.Fprint(w, `{"model_versions":[{"name":"churn","version":"12","creation_timestamp":1751347300000}]}`)
	}))
	defer server.Close()
	client, err := mlflowevents.NewClient(server.URL, mlflowevents.ClientOptions{Token: "from-a-file"})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	clock := time.Date(2025, 7, 2, 15, 0, 0, 0, time.UTC)
	poller, err := mlflowevents.NewPoller(client, mlflowevents.PollOptions{
		Now:     func() time.Time { return clock },
		Options: mlflowevents.Options{Meanings: map[string]mlflowevents.Meaning{"alias:champion": {Kind: leadtime.Serving}}},
	})
	if err != nil {
		panic(err)
	}
	var state mlflowevents.State
	for range 2 {
		look, err := poller.Poll(context.Background(), state)
		if err != nil {
			panic(err)
		}
		for _, e := range look.Events {
			fmt.Println(e.Kind, e.Version, e.Time().Format(time.RFC3339), "give or take", e.Width()/2)
		}
		state = look.State
		clock = clock.Add(10 * time.Minute)
		aliases = `[{"alias":"champion","version":"12"}]`
	}
	// Output:
	// registered 12 2025-07-01T05:21:40Z give or take 0s
	// serving 12 2025-07-02T15:05:00Z give or take 5m0s
}

func ExampleDecodeWebhook() {
	body := []byte(`{"entity":"model_version_tag","action":"set","timestamp":"2025-07-01T09:00:02.120000+00:00",
		"data":{"name":"churn","version":"12","key":"rollout.signoff_at","value":"2025-07-01T09:00:00Z"}}`)
	d, err := mlflowevents.DecodeWebhook("0b1c", body, mlflowevents.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Events[0].Kind, d.Events[0].At)
	// Output: signoff 2025-07-01 09:00:00 +0000 UTC
}

func ExampleNewWebhook() {
	now := time.Unix(1751360402, 0)
	h, err := mlflowevents.NewWebhook(mlflowevents.WebhookOptions{
		Secret: "shared with MLflow",
		Now:    func() time.Time { return now },
		Sink: func(_ context.Context, d mlflowevents.Delivery) error {
			fmt.Println(d.ID, d.Events[0].Kind)
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	body := []byte(`{"entity":"model_version_tag","action":"set","timestamp":"2025-07-01T09:00:02+00:00",
		"data":{"name":"churn","version":"12","key":"rollout.signoff_at","value":"2025-07-01T09:00:00Z"}}`)
	for range 2 { // MLflow sends a delivery again when it heard no answer
		r := httptest.NewRequest(http.MethodPost, "/mlflow", bytes.NewReader(body))
		r.Header.Set(mlflowevents.HeaderDelivery, "0b1c")
		r.Header.Set(mlflowevents.HeaderTimestamp, "1751360402")
		r.Header.Set(mlflowevents.HeaderSignature, mlflowevents.Sign("shared with MLflow", "0b1c", "1751360402", body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 0b1c signoff
	// 204
	// 204
}

func ExampleVerify() {
	body := []byte(`{}`)
	signature := mlflowevents.Sign("secret", "0b1c", "1751360402", body)
	fmt.Println(mlflowevents.Verify("secret", "0b1c", "1751360402", signature, body, time.Unix(1751360410, 0), 5*time.Minute))
	fmt.Println(mlflowevents.Verify("secret", "0b1c", "1751360402", signature, body, time.Unix(1751370000, 0), 5*time.Minute))
	// Output:
	// <nil>
	// mlflowevents: Verify: X-MLflow-Timestamp is off by 2h39m58s: time stamp not current
}
