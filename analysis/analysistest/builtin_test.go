package analysistest_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/analysistest"
	"github.com/rampguard/rampguard/analysis/checks"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// evidencePolicy has a check of every kind that rests on cumulative counts.
const evidencePolicy = `
version: 1
columns: {score: score, label: label, time: ts, unit: id}
checks:
  - {check: schema}
  - {check: srm}
  - {check: collapse, column: score, severity: rollback}
  - {check: drift, column: score, metric: psi, warn: 0.1, fail: 0.25, severity: warn}
  - {check: guardrail, metric: log_loss, direction: lower, margin: 5%, severity: rollback}
  - {check: guardrail, metric: mean, column: failed, direction: lower, bounds: {pause: 5%, rollback: 20%}}
`

func TestLawLooksAndShardsChangeNoValue(t *testing.T) { rapid.Check(t, lawLooksAndShardsChangeNoValue) }
func FuzzLawLooksAndShardsChangeNoValue(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(lawLooksAndShardsChangeNoValue))
}

// TestBuiltinChecksConform holds the checks of the library to the rules that they
// ask of others.
func TestBuiltinChecksConform(t *testing.T) {
	p, err := analysis.LoadPolicy("policy.yaml", []byte(evidencePolicy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	base, cand := armRows(t, spec, 1, 0, 0, 0, 400), armRows(t, spec, 1, 1, 0.1, 0, 400)
	for i := range p.Checks {
		check := p.Checks[i].Check
		t.Run(check.Name(), func(t *testing.T) {
			analysistest.CheckConformance(t, check, &analysis.Evidence{Baseline: base, Candidate: cand, Split: p.Split,
				Strata: []analysis.Stratum{{Split: p.Split, Baseline: base, Candidate: cand}},
				Policy: p, Alpha: 0.025, PauseAlpha: 0.05, NoHarmAlpha: analysis.NoHarmAlpha})
		})
	}
}

// lawLooksAndShardsChangeNoValue: the findings of the last look are the same,
// whether it is the only one or the last of many, and however the log was cut into
// shards.
func lawLooksAndShardsChangeNoValue(rt *rapid.T) {
	p, err := analysis.LoadPolicy("policy.yaml", []byte(evidencePolicy), checks.Builtin())
	if err != nil {
		rt.Fatal(err)
	}
	spec, err := p.Spec()
	if err != nil {
		rt.Fatal(err)
	}
	n := rapid.IntRange(0, 300).Draw(rt, "rows")
	seed := rapid.Uint64().Draw(rt, "seed")
	harm := rapid.Float64Range(0, 0.3).Draw(rt, "harm")
	cuts := rapid.SliceOfN(rapid.IntRange(0, n), 0, 3).Draw(rt, "cuts")
	slices.Sort(cuts)
	cuts = append(cuts, n)
	var shards [2][]*analysis.Snapshot // between the cuts
	last := 0
	for _, c := range cuts {
		for arm := range shards {
			shards[arm] = append(shards[arm], armRows(rt, spec, seed, arm, float64(arm)*harm, last, c))
		}
		last = c
	}
	whole, err := analysis.Evaluate(p, armRows(rt, spec, seed, 0, 0, 0, n), armRows(rt, spec, seed, 1, harm, 0, n), nil, noon)
	if err != nil {
		rt.Fatal(err)
	}
	var state *analysis.State
	var v analysis.Verdict
	for i := range cuts {
		var arms [2]*analysis.Snapshot
		for arm := range arms {
			order := rapid.Permutation(shards[arm][:i+1]).Draw(rt, "order")
			if arms[arm], err = analysis.MergeSnapshots(order...); err != nil {
				rt.Fatal(err)
			}
		}
		if v, err = analysis.Evaluate(p, arms[0], arms[1], state, noon.Add(time.Duration(i)*time.Minute)); err != nil {
			rt.Fatal(err)
		}
		state = &v.State
	}
	a, err1 := json.Marshal(whole.Findings)
	b, err2 := json.Marshal(v.Findings)
	if err1 != nil || err2 != nil {
		rt.Fatal(err1, err2)
	}
	if string(a) != string(b) {
		rt.Fatalf("in one look:\n%s\nafter %d looks:\n%s", a, len(cuts), b)
	}
	if whole.Decision == analysis.Rollback && v.Decision != analysis.Rollback {
		rt.Fatalf("one look rolls back, %d looks: %v", len(cuts), v.Decision)
	}
}

// armRows are the rows from first to last of an arm; harm adds failures and wrong
// scores.
func armRows(rt rapid.TB, spec *analysis.Spec, seed uint64, arm int, harm float64, first, last int) *analysis.Snapshot {
	r := rand.New(rand.NewPCG(seed, uint64(arm)))
	var score, failed []float64
	var label []bool
	var ts, id []int64
	for i := range last {
		s, y, f := r.Float64(), r.Float64(), r.Float64()
		if i < first {
			continue
		}
		score, label = append(score, s), append(label, y < s*(1-harm))
		failed = append(failed, 0)
		if f < 0.01+harm {
			failed[len(failed)-1] = 1
		}
		ts, id = append(ts, int64(i)*1_000_000), append(id, int64(arm)<<32+int64(i))
	}
	c := analysis.NewCollector(spec)
	b := &analysis.Batch{Rows: last - first}
	for _, col := range spec.Columns {
		b.Columns = append(b.Columns, map[string]analysis.Column{
			"failed": {Type: analysis.Float, Floats: failed}, "id": {Type: analysis.Int, Ints: id},
			"label": {Type: analysis.Bool, Bools: label}, "score": {Type: analysis.Float, Floats: score},
			"ts": {Type: analysis.Time, Ints: ts},
		}[col.Name])
	}
	if err := c.Add(b); err != nil {
		rt.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		rt.Fatal(err)
	}
	return s
}
