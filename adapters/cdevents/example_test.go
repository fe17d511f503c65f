package cdevents_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rampguard/rampguard/adapters/cdevents"
	"github.com/rampguard/rampguard/leadtime"
)

// The sign-off names the model; the deployment, of the same chain, does not.
const twoEvents = `
{"context":{"id":"1","source":"/risk-committee","type":"dev.cdevents.approval.closed.0.1.0","timestamp":"2025-03-01T09:00:00Z","chainId":"c7"},"subject":{"id":"a-31","content":{"resourceTargetUrl":"pkg:mlflow/fraud@12","decision":"approved","status":"approved"}}}
{"context":{"id":"2","source":"/argo","type":"dev.cdevents.service.deployed.0.3.0","timestamp":"2025-03-03T09:00:00Z","chainId":"c7"},"subject":{"id":"scorer","content":{"environment":{"id":"prod-eu"}}}}
{"context":{"id":"3","source":"/github","type":"dev.cdevents.branch.created.0.3.0","timestamp":"2025-03-01T08:00:00Z"},"subject":{"id":"b","content":{}}}
`

func ExampleRead() {
	r, err := cdevents.Read(strings.NewReader(twoEvents), cdevents.Options{
		SignOffs: []string{"/risk-committee"},
		Places:   map[string]cdevents.Place{"prod-eu": {Env: leadtime.Production, Region: "eu"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range r.Skipped {
		fmt.Println(s.N, s.Type, s.Reason)
	}
	a, err := leadtime.Assemble(r.Events, leadtime.AssembleOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Flights[0].Key, a.Flights[0].Lead(nil))
	// Output:
	// 1 dev.cdevents.branch.created.0.3.0 no_meaning
	// fraud/12#1 48h0m0s
}

func ExampleDecode() {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("ce-specversion", "1.0")
	h.Set("ce-id", "2")
	h.Set("ce-source", "/argo")
	h.Set("ce-type", "dev.cdevents.service.rolledback.0.3.0")
	m, err := cdevents.Decode(h, []byte(`{"context":{"id":"2","source":"/argo","type":"dev.cdevents.service.rolledback.0.3.0","timestamp":"2025-03-04T09:00:00Z"},
		"subject":{"id":"scorer","content":{"environment":{"id":"production"},"artifactId":"pkg:mlflow/fraud@11"}}}`))
	if err != nil {
		log.Fatal(err)
	}
	r := cdevents.Map(m, cdevents.Options{})
	fmt.Println(r.Events[0].Kind, r.Events[0].Model, r.Events[0].Version)
	// Output: restored fraud 11
}

func ExampleMap() {
	m := cdevents.Message{ID: "5", Source: "/argo", Type: "dev.cdevents.service.deployed.0.3.0", Data: []byte(
		`{"context":{"id":"5","source":"/argo","type":"dev.cdevents.service.deployed.0.3.0","timestamp":"2025-03-04T09:00:00"},"subject":{"id":"scorer","content":{}}}`)}
	r := cdevents.Map([]cdevents.Message{m}, cdevents.Options{})
	fmt.Println(r.Bad[0])
	// Output: dev.cdevents.service.deployed.0.3.0 5 of /argo: context.timestamp: bad_time: "2025-03-04T09:00:00"
}

func ExampleNewReceiver() {
	receiver, err := cdevents.NewReceiver(cdevents.ReceiverOptions{
		Sink: func(_ context.Context, messages []cdevents.Message) error {
			for _, m := range messages {
				fmt.Printf("%s\n", m.Data) // to a file that Read reads
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 { // senders repeat what they are not sure of
		req := httptest.NewRequest(http.MethodPost, "/events", strings.NewReader(`{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}}`))
		req.Header.Set("Content-Type", "application/cloudevents+json")
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, req)
		fmt.Println(w.Code)
	}
	// Output:
	// {"a":1}
	// 204
	// 204
}

func ExampleParseType() {
	t, err := cdevents.ParseType("dev.cdeventsx.rollout-step.finished.1.0.0")
	fmt.Println(t.Subject, t.Predicate, t.Version, t.Custom, err)
	// Output: rollout-step finished 1.0.0 true <nil>
}

func ExampleParsePURL() {
	p, err := cdevents.ParsePURL("pkg:mlflow/fraud@12?run_id=410a3121")
	fmt.Println(p.Name, p.Version, p.Qualifiers["run_id"], err)
	// Output: fraud 12 410a3121 <nil>
}
