package analysis_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

var update = flag.Bool("update", false, "rewrite the expected texts of this package")

// golden compares a text with the file that holds what is expected.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got, -update rewrites it):\n%s", path, d)
	}
}

// logSpec is the spec of the small log that the tests of this package use.
func logSpec(t testing.TB) *analysis.Spec {
	t.Helper()
	s, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.5, 0.8}},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock},
		analysis.ColumnSpec{Name: "id", Role: analysis.Unit},
		analysis.ColumnSpec{Name: "action", Role: analysis.Action},
		analysis.ColumnSpec{Name: "amount", Cuts: []float64{10, 100}},
		analysis.ColumnSpec{Name: "ok"},
		analysis.ColumnSpec{Name: "none"},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rows is a block of the small log, a slice a column.
type rows struct {
	score  []float64
	label  []bool
	known  []bool // label validity
	ts     []int64
	id     []int64
	action []int32
	amount []float64
	valid  []bool // amount validity
	ok     []bool
}

func randomRows(seed uint64, n int) rows {
	r := rand.New(rand.NewPCG(seed, 1))
	var out rows
	for i := range n {
		s := r.Float64()
		out.score = append(out.score, s)
		out.label = append(out.label, r.Float64() < s)
		out.known = append(out.known, r.Float64() < 0.7)
		out.ts = append(out.ts, 1_000_000*int64(i))
		out.id = append(out.id, int64(seed)<<32+int64(i))
		out.action = append(out.action, int32(r.IntN(3)))
		out.amount = append(out.amount, 200*r.Float64())
		out.valid = append(out.valid, r.Float64() < 0.9)
		out.ok = append(out.ok, r.Float64() < 0.2)
	}
	return out
}

func (r rows) cut(a, b int) rows {
	return rows{r.score[a:b], r.label[a:b], r.known[a:b], r.ts[a:b], r.id[a:b], r.action[a:b], r.amount[a:b], r.valid[a:b], r.ok[a:b]}
}

// batch lays the block out in the order of the spec: action, amount, id, label,
// none, ok, score, ts.
func (r rows) batch(dict *analysis.Dict) *analysis.Batch {
	return &analysis.Batch{Rows: len(r.score), Columns: []analysis.Column{
		{Type: analysis.String, Codes: r.action, Dict: dict},
		{Type: analysis.Float, Floats: r.amount, Valid: r.valid},
		{Type: analysis.Int, Ints: r.id},
		{Type: analysis.Bool, Bools: r.label, Valid: r.known},
		{Type: analysis.Absent},
		{Type: analysis.Bool, Bools: r.ok},
		{Type: analysis.Float, Floats: r.score},
		{Type: analysis.Time, Ints: r.ts},
	}}
}

func actionDict() *analysis.Dict {
	return &analysis.Dict{Values: []string{"allow", "review", "block"}}
}

func collect(t testing.TB, blocks ...rows) *analysis.Snapshot {
	t.Helper()
	c := analysis.NewCollector(logSpec(t))
	for _, b := range blocks {
		if err := c.Add(b.batch(actionDict())); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func bytesOf(t testing.TB, s *analysis.Snapshot) string {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fakeCheck reports what it is given.
type fakeCheck struct {
	name     string
	findings []analysis.Finding
	err      error
	panics   bool
}

func (c fakeCheck) Name() string                   { return c.name }
func (c fakeCheck) Columns() []analysis.ColumnSpec { return nil }
func (c fakeCheck) Run(*analysis.Evidence) ([]analysis.Finding, error) {
	if c.panics {
		panic("index out of range")
	}
	return c.findings, c.err
}

// finding returns a finding with a number, as checks report them.
func finding(check string, o analysis.Outcome, s analysis.Severity) analysis.Finding {
	f := analysis.NewFinding(check, "code", check)
	f.Outcome, f.Severity, f.Required = o, s, s >= analysis.SeverityPause
	f.Estimate = stats.Interval{Point: 0.01, Lo: 0, Hi: 0.02, Level: 0.9}
	f.Message = check + " says " + o.String() + "."
	return f
}

// policyOf returns a policy that requires the named checks.
func policyOf(names ...string) *analysis.Policy {
	p := &analysis.Policy{Version: 1, Model: analysis.Model{Name: "fraud", Baseline: "v1", Candidate: "v2"}, Digest: "d1ce"}
	for _, n := range names {
		p.Checks = append(p.Checks, analysis.CheckEntry{Check: fakeCheck{name: n}, Severity: analysis.SeverityRollback, Required: true})
	}
	return p
}
