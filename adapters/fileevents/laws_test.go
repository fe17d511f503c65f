package fileevents_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/adapters/fileevents"
	"github.com/rampguard/rampguard/leadtime"
	"pgregory.net/rapid"
)

// TestEveryRowIsCounted mixes good and broken rows.
func TestEveryRowIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		good, n := 0, rapid.IntRange(0, 40).Draw(t, "rows")
		var b strings.Builder
		for range n {
			if rapid.Bool().Draw(t, "good") {
				good++
				b.WriteString(`{"kind":"drift_alert","model":"m","at":"2025-03-01T02:00:00Z"}`)
			} else {
				b.WriteString("{" + rapid.StringMatching(`[^\n]{0,80}`).Draw(t, "junk") + "x")
			}
			b.WriteString(rapid.SampledFrom([]string{"\n", "\r\n", "\n\n"}).Draw(t, "end"))
		}
		got, err := fileevents.Read(strings.NewReader(b.String()), fileevents.Options{MaxLine: 64, Format: fileevents.JSONLines})
		if err != nil {
			t.Fatal(err)
		}
		if got.Rows != n || len(got.Events) != good || got.BadTotal != n-good {
			t.Fatalf("%d rows, %d good: %d rows, %d events, %d bad", n, good, got.Rows, len(got.Events), got.BadTotal)
		}
	})
}

// TestEventsSurviveBothFormats writes events as JSON and as CSV and reads them.
func TestEventsSurviveBothFormats(t *testing.T) {
	text := rapid.StringMatching(`[a-zé",;'\\ ]{0,8}[a-z]`)
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) leadtime.Event {
			e := leadtime.Event{
				Kind:    leadtime.Kind(rapid.IntRange(1, 17).Draw(t, "kind")),
				Model:   strings.TrimSpace(text.Draw(t, "model")),
				Version: strings.TrimSpace(text.Draw(t, "version")),
				Stage:   strings.TrimSpace(text.Draw(t, "stage")),
				Attempt: rapid.IntRange(1, 9).Draw(t, "attempt"),
				Outcome: leadtime.Outcome(rapid.IntRange(1, 3).Draw(t, "outcome")),
				At:      time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(t, "at")).UTC(),
			}
			e.TrafficPct = rapid.Float64Range(1, 100).Draw(t, "traffic")
			return e
		}), 1, 10).Draw(t, "events")
		var lines, table bytes.Buffer
		table.WriteString("kind,model,version,stage,attempt,outcome,at,traffic_pct\n")
		enc := json.NewEncoder(&lines)
		for i, e := range events {
			events[i].Line = i + 1
			if err := enc.Encode(e); err != nil {
				t.Fatal(err)
			}
			quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
			fmt.Fprintf(&table, "%v,%s,%s,%s,%d,%v,%s,%v\n", e.Kind, quote(e.Model), quote(e.Version), quote(e.Stage),
				e.Attempt, e.Outcome, e.At.Format(time.RFC3339Nano), e.TrafficPct)
		}
		got, err := fileevents.Read(&lines, fileevents.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(events, got.Events); diff != "" {
			t.Fatal(diff, got.Bad)
		}
		got, err = fileevents.Read(&table, fileevents.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Events {
			got.Events[i].Line--
		}
		if diff := cmp.Diff(events, got.Events); diff != "" {
			t.Fatal(diff, got.Bad)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{longJSON, longCSV, wideCSV, "\ufeff" + longCSV, "PAR1", "[", `{"kind":"signoff","a":{"b":[1,"}"]}}`, `{"\u006bind":"x"}`} {
		f.Add([]byte(seed), int8(0), int8(0))
	}
	f.Add([]byte(zipped(f, longCSV)), int8(0), int8(0))
	f.Add(parquetLog(f), int8(3), int8(1))
	f.Fuzz(func(t *testing.T, b []byte, format, form int8) {
		o := fileevents.Options{Format: fileevents.Format(format & 3), Form: fileevents.Form(form & 3), MaxLine: 4096, MaxRows: 1000, MaxBad: 10,
			EpochUnit: time.Second, AssumeZone: time.UTC}
		got, err := fileevents.Read(bytes.NewReader(b), o)
		if err == nil && got.Rows > 1000 || len(got.Bad) > 10 || len(got.Bad) > got.BadTotal || got.BadTotal > got.Rows {
			t.Fatalf("%d rows, %d of %d bad", got.Rows, len(got.Bad), got.BadTotal)
		}
		if _, err := leadtime.Assemble(got.Events, leadtime.AssembleOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Events {
			if e.Kind == 0 || e.Model == "" || e.At.IsZero() || e.Line == 0 || e.Earliest.After(e.At) {
				t.Fatalf("%+v", e)
			}
		}
		if _, err := json.Marshal(got); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReadSamples(f *testing.F) {
	f.Add([]byte("time,good,total,source\n2025-03-01T02:02:00Z,99.5,100,eu\n"))
	f.Add([]byte(`{"time":1740794640,"good":1,"total":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := fileevents.ReadSamples(bytes.NewReader(b), fileevents.Options{MaxLine: 4096, MaxRows: 1000, EpochUnit: time.Second})
		if err == nil && got.Rows != len(got.Samples)+got.BadTotal {
			t.Fatalf("%d rows, %d samples, %d bad", got.Rows, len(got.Samples), got.BadTotal)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const rows = 100_000
	for name, text := range map[string]string{"JSONLines": longJSON, "CSV": longCSV} {
		if name == "CSV" {
			head, body, _ := strings.Cut(text, "\n")
			text = head + "\n" + strings.Repeat(body, rows/4)
		} else {
			text = strings.Repeat(text, rows/4)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				got, err := fileevents.Read(strings.NewReader(text), fileevents.Options{})
				if err != nil || len(got.Events) != rows {
					b.Fatal(len(got.Events), err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
