package rolloutevents_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/rampguard/rampguard/adapters/rolloutevents"
)

const promoted = `{"trigger":"on-rollout-completed","rollout":{"kind":"Rollout",
	"metadata":{"name":"churn-scorer","namespace":"ml","generation":7},
	"spec":{"strategy":{"canary":{}},"template":{"spec":{"containers":[{"name":"scorer","image":"registry.example.com/churn:12"}]}}},
	"status":{"phase":"Healthy","observedGeneration":"7","currentPodHash":"6d8f7c9b5","stableRS":"6d8f7c9b5",
		"duration":{"rolloutStartedAt":"2025-07-02T10:00:00Z","finishedAt":"2025-07-02T12:15:00Z",
			"totalManualPauseDurationSeconds":5400,"completionStatus":"Promoted"}}}}`

const succeeded = `{"name":"churn-scorer","namespace":"ml","phase":"Succeeded","checksum":"85d557f47b",
	"metadata":{"eventMessage":"Promotion completed! Scaling down churn-scorer.ml","eventType":"Normal","timestamp":"1751454480000"}}`

func ExampleDecodeArgo() {
	batch, err := rolloutevents.DecodeArgo([]byte(promoted), time.Time{}, rolloutevents.Options{Version: "image-tag"})
	if err != nil {
		panic(err)
	}
	for _, e := range batch.Events {
		fmt.Printf("%s %s@%s %v %q\n", e.At.Format("15:04"), e.Model, e.Version, e.Kind, e.Stage)
	}
	fmt.Println("waited for people:", batch.Attempt.ManualPause)
	// Output:
	// 10:00 churn-scorer@12 stage_start "canary"
	// 12:15 churn-scorer@12 stage_end "canary"
	// 12:15 churn-scorer@12 serving ""
	// waited for people: 1h30m0s
}

func ExampleDecodeFlagger() {
	batch, err := rolloutevents.DecodeFlagger([]byte(succeeded), rolloutevents.Options{})
	if err != nil {
		panic(err)
	}
	for _, e := range batch.Events {
		fmt.Printf("%s %s@%s %v %q\n", e.At.Format("15:04"), e.Model, e.Version, e.Kind, e.Stage)
	}
	// Output:
	// 11:08 churn-scorer@85d557f47b stage_end "promotion"
	// 11:08 churn-scorer@85d557f47b serving ""
}

func options() rolloutevents.ReceiverOptions {
	return rolloutevents.ReceiverOptions{
		Now: func() time.Time { return time.Date(2025, 7, 2, 12, 15, 3, 0, time.UTC) },
		Sink: func(_ context.Context, b rolloutevents.Batch) error {
			fmt.Println(b.Attempt.Name, b.Attempt.Phase, len(b.Events), "events")
			return nil
		},
	}
}

func ExampleNewArgoReceiver() {
	h, err := rolloutevents.NewArgoReceiver(options())
	if err != nil {
		panic(err)
	}
	for range 2 { // the second is known already
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/argo", bytes.NewReader([]byte(promoted))))
		fmt.Println(w.Code)
	}
	// Output:
	// churn-scorer Healthy 3 events
	// 200
	// 200
}

func ExampleNewFlaggerReceiver() {
	h, err := rolloutevents.NewFlaggerReceiver(options())
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/flagger", bytes.NewReader([]byte(succeeded))))
	fmt.Println(w.Code)
	// Output:
	// churn-scorer Succeeded 2 events
	// 200
}
