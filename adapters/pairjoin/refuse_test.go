package pairjoin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/adapters/pairjoin"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Logs that cannot be joined are refused, with the names of what does not fit.
func TestJoinRefuses(t *testing.T) {
	tests := []struct {
		reason    string
		baseline  []row
		candidate []row
		want      []string
	}{
		{"ids of two types", []row{{"id": int64(1), "score": 0.5}}, []row{{"id": "1", "score": 0.5}}, []string{`"id"`, "string here", "int in what was read before", "log of the baseline", "one type"}},
		{"ids that are numbers with a fraction", []row{{"id": 1.5, "score": 0.5}}, nil, []string{`"id" is float`, "baseline"}},
		{"no ids", []row{{"id": int64(1), "score": 0.5}}, []row{{"score": 0.5}}, []string{"candidate", `no column "id"`}},
		{"no score", []row{{"id": int64(1), "score": 0.5}}, []row{{"id": int64(1)}}, []string{"candidate", `no column "score"`}},
		{"a label that is a text on one side", []row{{"id": int64(1), "score": 0.5, "label": "yes"}}, []row{{"id": int64(1), "score": 0.5, "label": true}}, []string{"label", "string", "bool"}},
		{"a score that is a text", []row{{"id": int64(1), "score": "high"}}, []row{{"id": int64(1), "score": 0.5}}, []string{"champion", "string"}},
		{"a column that changes its type", []row{{"id": int64(1), "score": 0.5, "segment": "a"}, {"id": int64(2), "score": 0.5, "segment": true}}, nil, []string{"segment", "string", "bool", "baseline"}},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			spec := shadow(t)
			a, b := logs(t, spec, "", 1, tt.baseline, tt.candidate)
			r, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{})
			if r != nil || !errors.Is(err, stats.ErrMismatch) {
				t.Fatalf("result %v, error %v", r, err)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q, want it to hold %q", err, w)
				}
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	spec := shadow(t)
	for _, o := range []pairjoin.Options{{MemoryLimit: 1000}, {MemoryLimit: -1}, {Partitions: 1}, {Partitions: 5000}} {
		a, b := logs(t, spec, "", 1, nil, nil)
		if _, err := pairjoin.Join(t.Context(), a, b, spec, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	a, b := logs(t, spec, "", 1, nil, nil)
	if _, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{ID: "trace"}); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), "LogSpec") {
		t.Errorf("an id that is not read: %v", err)
	}
	other := *spec
	other.Unit = ""
	if _, err := pairjoin.LogSpec(&other, "score", ""); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), "Options.ID") {
		t.Errorf("nothing to join by: %v", err)
	}
	if _, err := pairjoin.LogSpec(spec, "id", ""); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("a score that is the id: %v", err)
	}
}

// A batch that breaks its contract is an error, not a fault.
func TestBadBatches(t *testing.T) {
	spec := shadow(t)
	s, err := pairjoin.LogSpec(spec, "score", "")
	if err != nil {
		t.Fatal(err)
	}
	whole := func() analysis.Batch {
		b := analysis.Batch{Rows: 1}
		for _, c := range s.Columns {
			b.Columns = append(b.Columns, columnOf(c.Name, []row{{"id": "a", "score": 0.5, "label": true, "segment": "x", "ts": int64(1)}}, times[c.Name]))
		}
		return b
	}
	for reason, spoil := range map[string]func(b *analysis.Batch){
		"rows":       func(b *analysis.Batch) { b.Rows = 2 },
		"columns":    func(b *analysis.Batch) { b.Columns = b.Columns[1:] },
		"flags":      func(b *analysis.Batch) { b.Columns[0].Valid = make([]bool, 3) },
		"type":       func(b *analysis.Batch) { b.Columns[0].Type = 99 },
		"dictionary": func(b *analysis.Batch) { b.Columns[s.Index("segment")].Dict = nil },
		"code":       func(b *analysis.Batch) { b.Columns[s.Index("segment")].Codes[0] = 7 },
		"id code":    func(b *analysis.Batch) { b.Columns[s.Index("id")].Codes[0] = -1 },
	} {
		b := whole()
		spoil(&b)
		_, empty := logs(t, spec, "", 1, nil, nil)
		if _, err := pairjoin.Join(t.Context(), pairjoin.Log{Spec: s, Rows: &once{b: b}}, empty, spec, pairjoin.Options{}); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// Slices by a column of ever new texts do not fill the memory.
func TestTextsAreBounded(t *testing.T) {
	spec := shadow(t)
	rows := many(5000)
	for i := range rows {
		rows[i]["segment"] = strings.Repeat("x", i%100) + string(rune('a'+i%7)) + strings.Repeat("y", i/100)
	}
	a, b := logs(t, spec, "", 100, rows, rows)
	_, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{MemoryLimit: 64 << 10, TempDir: t.TempDir()})
	if !errors.Is(err, stats.ErrDomain) || !strings.Contains(err.Error(), "fewer values") {
		t.Errorf("error %v", err)
	}
}
