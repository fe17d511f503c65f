package fileevents_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rampguard/rampguard/adapters/fileevents"
	"github.com/rampguard/rampguard/sla"
)

func TestSamples(t *testing.T) {
	type row struct {
		Time  int64   `parquet:"time,timestamp(millisecond)"`
		Good  float64 `parquet:"good"`
		Total int64   `parquet:"total"`
	}
	sample := func(line int, source string, good, total float64) sla.Sample {
		return sla.Sample{At: at("2025-03-01T02:00:00Z").Add(time.Duration(line) * time.Minute), Line: line, Source: source, Counts: sla.Counts{Good: good, Total: total}}
	}
	want := []sla.Sample{sample(2, "eu", 99.5, 100), sample(3, "", math.NaN(), 100), sample(4, "us", 101, 100)}
	text := "time,good,total,source,note\n2025-03-01T02:02:00Z,99.5,100,eu,\n2025-03-01T02:03:00Z,NaN,100,,\n1740794640,101,1e2,us,quiet\n" +
		"2025-03-01T02:05:00,1,2,,\n2025-03-01T02:05:00Z,,2,,\n2025-03-01T02:05:00Z,x,2,,\n"
	o := fileevents.Options{Name: "s.csv", EpochUnit: time.Second}
	got, err := fileevents.ReadSamples(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Samples, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
	bad := []fileevents.BadRow{
		{File: "s.csv", Line: 5, Field: "time", Reason: fileevents.ReasonNoOffset, Text: "2025-03-01T02:05:00"},
		{File: "s.csv", Line: 6, Field: "good", Reason: fileevents.ReasonMissing},
		{File: "s.csv", Line: 7, Field: "good", Reason: fileevents.ReasonBadNumber, Text: "x"},
	}
	if diff := cmp.Diff(fileevents.Intake{Rows: 6, Bad: bad, BadTotal: 3, Ignored: []string{"note"}}, got.Intake); diff != "" {
		t.Error(diff)
	}
	got, err = fileevents.ReadSamples(strings.NewReader(string(write(t, []row{{at("2025-03-01T02:01:00Z").UnixMilli(), 1.5, 2}}))), fileevents.Options{Source: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]sla.Sample{sample(1, "p", 1.5, 2)}, got.Samples); diff != "" {
		t.Error(diff)
	}
}

func TestSampleFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.jsonl")
	if err := os.WriteFile(path, []byte(`{"time":"2025-03-01T02:00:00Z","good":1,"total":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := fileevents.ReadSamplesFile(path, fileevents.Options{})
	if err != nil || len(got.Samples) != 1 || got.Samples[0].Total != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := fileevents.ReadSamplesFile(path+"x", fileevents.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := fileevents.ReadSamples(strings.NewReader("time,good\n"), fileevents.Options{}); !errors.Is(err, fileevents.ErrFormat) {
		t.Error(err)
	}
	for _, read := range []func(fileevents.Options) error{
		func(o fileevents.Options) error { _, err := fileevents.ReadSamplesFile(path, o); return err },
		func(o fileevents.Options) error {
			_, err := fileevents.ReadSamples(strings.NewReader(""), o)
			return err
		},
		func(o fileevents.Options) error { _, err := fileevents.ReadFile(path, o); return err },
	} {
		if err := read(fileevents.Options{Format: 9}); err == nil {
			t.Error("Format 9 was taken")
		}
	}
}
