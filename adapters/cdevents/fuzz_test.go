package cdevents_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/rampguard/rampguard/adapters/cdevents"
	"github.com/rampguard/rampguard/leadtime"
)

func FuzzRead(f *testing.F) {
	var all []byte
	for _, m := range release(f) {
		all = append(append(all, m.Data...), '\n')
		f.Add([]byte(cloud(m)))
	}
	f.Add(all)
	f.Add([]byte(message(f, dev("x.y"), noon, "s", inProd, `{"rampguard":{"kind":"signoff","traffic_pct":3,"attempt":2}}`).Data))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := cdevents.Options{MaxLine: 4096, MaxBad: 5, Progressive: true, SignOffs: []string{"/committee"}, Stages: map[string]string{"a": "training"}}
		r, err := cdevents.Read(bytes.NewReader(b), o)
		sum := len(r.Events) + r.BadTotal
		for _, s := range r.Skipped {
			sum += s.N
		}
		if err != nil || sum != r.In || len(r.Bad) > 5 || len(r.Bad) > r.BadTotal {
			t.Fatalf("%v: %d messages, %d accounted for", err, r.In, sum)
		}
		a, err := leadtime.Assemble(r.Events, leadtime.AssembleOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range a.Excluded { // what an event lacks by itself was found here
			if x.Reason < leadtime.AfterAsOf {
				t.Fatalf("%+v", x)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	m := message(f, dev("service.deployed"), noon, "s", inProd, "")
	f.Add("application/cloudevents+json", "", []byte(cloud(m)))
	f.Add("application/cloudevents-batch+json", "", []byte("["+cloud(m)+"]"))
	f.Add("application/json", `"a%20\"b"`, []byte(m.Data))
	f.Fuzz(func(t *testing.T, media, id string, body []byte) {
		h := http.Header{"Content-Type": {media}}
		for name, value := range map[string]string{"specversion": "1.0", "id": id, "source": "s", "type": dev("service.deployed")} {
			h.Set("ce-"+name, value)
		}
		messages, err := cdevents.Decode(h, body)
		for _, m := range messages {
			if err == nil && (m.ID == "" || m.Data != nil && (!json.Valid(m.Data) || bytes.ContainsAny(m.Data, "\n"))) {
				t.Fatalf("%+v", m)
			}
		}
	})
}

func FuzzParsePURL(f *testing.F) {
	f.Add("pkg:mlflow/trafficsigns@10?run_id=1#a/b")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := cdevents.ParsePURL(s)
		if err == nil && (p.Type == "" || p.Name == "") {
			t.Fatalf("%+v", p)
		}
	})
}
