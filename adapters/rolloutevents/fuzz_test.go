package rolloutevents_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rampguard/rampguard/adapters/rolloutevents"
)

func checkBatch(t *testing.T, body []byte, b rolloutevents.Batch) {
	t.Helper()
	if len(b.Events)+len(b.Unknown)+len(b.Ignored) == 0 {
		t.Errorf("nothing is said of %s", body)
	}
	for _, e := range b.Events {
		if e.ID == "" || e.Kind == 0 || e.Model == "" || e.Version == "" || e.At.IsZero() || e.TrafficPct < 0 || e.TrafficPct > 100 {
			t.Errorf("%+v", e)
		}
	}
}

func FuzzDecodeArgo(f *testing.F) {
	names, err := filepath.Glob("testdata/argo_*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if b, err := rolloutevents.DecodeArgo(body, clock(), argoNames); err == nil {
			checkBatch(t, body, b)
		}
	})
}

func FuzzDecodeFlagger(f *testing.F) {
	for _, name := range []string{"flagger_promoted.jsonl", "flagger_failed.jsonl", "flagger_other.jsonl"} {
		for line := range bytes.Lines(file(f, name)) {
			f.Add(line)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if b, err := rolloutevents.DecodeFlagger(body, rolloutevents.Options{}); err == nil {
			checkBatch(t, body, b)
		}
	})
}
