package promquery_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/promquery"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

func ledger(t *testing.T, length time.Duration) *promquery.Ledger {
	t.Helper()
	l, err := promquery.NewLedger(length)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func hours(from, to int) promquery.Window {
	return promquery.Window{Start: begin.Add(time.Duration(from) * time.Hour), End: begin.Add(time.Duration(to) * time.Hour)}
}

func TestLedgerCountsEachWindowOnce(t *testing.T) {
	l := ledger(t, time.Hour)
	from, until := begin.Add(-time.Minute), begin.Add(3*time.Hour+59*time.Minute)
	if d := cmp.Diff([]promquery.Window{hours(0, 1), hours(1, 2), hours(2, 3)}, l.Due(from, until)); d != "" {
		t.Error(d)
	}
	for _, w := range []promquery.Window{hours(1, 2), hours(0, 1)} {
		if err := l.Done(w); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]promquery.Window{hours(2, 3)}, l.Due(from, until)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]promquery.Window{hours(0, 2)}, l.Windows()); d != "" {
		t.Error(d)
	}
	for _, w := range []promquery.Window{hours(0, 1), hours(0, 2), {Start: begin.Add(5*time.Hour + time.Second), End: begin.Add(6*time.Hour + time.Second)}, {}} {
		if err := l.Done(w); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%v: %v", w, err)
		}
	}
	if due := l.Due(begin.Add(time.Minute), begin.Add(time.Hour)); due != nil {
		t.Errorf("part of an hour is due: %v", due)
	}
	if n := len(l.Due(time.Time{}.AddDate(1969, 0, 0), begin)); n != 1000 {
		t.Errorf("%d windows at once", n)
	}
}

// TestLedgerSurvives: through any order of looks and restarts, every window is
// added exactly once.
func TestLedgerSurvives(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		l := ledger(t, time.Hour)
		seen := map[time.Time]int{}
		at := begin
		for range 30 {
			at = at.Add(time.Duration(rng.IntN(200)) * time.Minute)
			for _, w := range l.Due(begin, at) {
				if rng.IntN(3) == 0 {
					continue // its collection failed
				}
				seen[w.Start]++
				if err := l.Done(w); err != nil {
					t.Fatal(err)
				}
			}
			b, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			l = new(promquery.Ledger)
			if err := json.Unmarshal(b, l); err != nil {
				t.Fatal(err)
			}
		}
		for _, w := range l.Due(begin, at) {
			seen[w.Start]++
		}
		for i := range int(at.Sub(begin) / time.Hour) {
			if n := seen[begin.Add(time.Duration(i)*time.Hour)]; n != 1 {
				t.Fatalf("hour %d counted %d times", i, n)
			}
		}
	}
}

func TestLedgerRefuses(t *testing.T) {
	for _, d := range []time.Duration{0, -time.Hour, time.Millisecond, 90500 * time.Millisecond} {
		if _, err := promquery.NewLedger(d); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%v: %v", d, err)
		}
	}
	var zero promquery.Ledger
	if zero.Due(begin, begin.Add(time.Hour)) != nil {
		t.Error("the zero ledger has windows")
	}
	l := ledger(t, time.Hour)
	if err := l.Done(hours(0, 1)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{}`, `[]`, `{"window_seconds":-1}`,
		`{"window_seconds":3600,"done":[{"start":"2026-01-31T12:00:01Z","end":"2026-01-31T13:00:00Z"}]}`,
		`{"window_seconds":3600,"done":[{"start":"2026-01-31T13:00:00Z","end":"2026-01-31T12:00:00Z"}]}`,
		`{"window_seconds":3600,"done":[{"start":"2026-01-31T12:00:00Z","end":"2026-01-31T14:00:00Z"},{"start":"2026-01-31T13:00:00Z","end":"2026-01-31T15:00:00Z"}]}`,
	} {
		if err := json.Unmarshal([]byte(text), l); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
	if d := cmp.Diff([]promquery.Window{hours(0, 1)}, l.Windows()); d != "" {
		t.Errorf("a refused state left its mark: %s", d)
	}
}

// TestWindowsAddUp: hours collected one by one are one snapshot.
func TestWindowsAddUp(t *testing.T) {
	f := newFake(t, [2]string{`errors`, vector(num("2.5"))}, [2]string{`requests`, vector(num("100"))})
	c := config(f.URL, ratioOf("errors"))
	c.MaxAge = -1
	p, spec := provider(t, c), specOf(t, c)
	l := ledger(t, time.Hour)
	all := analysis.NewSnapshot(spec)
	for _, w := range l.Due(begin, p.Watermark(begin.Add(4*time.Hour))) {
		e, err := p.Collect(t.Context(), spec, w, begin.Add(4*time.Hour))
		if err != nil || len(e.Faults) > 0 {
			t.Fatal(err, e.Faults)
		}
		if all, err = analysis.MergeSnapshots(all, e.Candidate); err != nil {
			t.Fatal(err)
		}
		if err := l.Done(w); err != nil {
			t.Fatal(err)
		}
	}
	if m := all.Metric("errors"); m.Window.N != 3 || m.Total.Float64() != 7.5 || m.Count.Float64() != 300 {
		t.Errorf("got %+v", m)
	}
}
