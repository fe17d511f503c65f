package checks_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// table is a log in columns; a column is one of the slices below, as long as the
// others.
type table map[string]any

// maybe is a column in which some values are missing.
type maybe struct {
	values any
	valid  []bool
}

// repeat is a column of one value.
func repeat[T any](x T, n int) []T { return slices.Repeat([]T{x}, n) }

// column lays a slice out as a column of a batch.
func column(t testing.TB, v any) analysis.Column {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return analysis.Column{}
	case maybe:
		c := column(t, v.values)
		c.Valid = v.valid
		return c
	case []float64:
		return analysis.Column{Type: analysis.Float, Floats: v}
	case []int64:
		return analysis.Column{Type: analysis.Int, Ints: v}
	case []bool:
		return analysis.Column{Type: analysis.Bool, Bools: v}
	case []string:
		c := analysis.Column{Type: analysis.String, Dict: &analysis.Dict{}}
		at := map[string]int32{}
		for _, s := range v {
			k, ok := at[s]
			if !ok {
				k = int32(len(c.Dict.Values))
				at[s] = k
				c.Dict.Values = append(c.Dict.Values, s)
			}
			c.Codes = append(c.Codes, k)
		}
		return c
	}
	t.Fatalf("no column of %T", v)
	return analysis.Column{}
}

// rowsOf is the length of the columns of a table.
func rowsOf(t testing.TB, tab table) int {
	t.Helper()
	n := 0
	for _, v := range tab {
		c := column(t, v)
		n = max(n, len(c.Floats), len(c.Ints), len(c.Bools), len(c.Codes))
	}
	return n
}

// collect makes the snapshot of a table, or of several parts of a log.
func collect(t testing.TB, p *analysis.Policy, tabs ...table) *analysis.Snapshot {
	t.Helper()
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	for _, tab := range tabs {
		b := &analysis.Batch{Rows: rowsOf(t, tab)}
		for _, s := range spec.Columns {
			b.Columns = append(b.Columns, column(t, tab[s.Name]))
		}
		if err := c.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// policy is a policy for the given checks, over the columns of the test logs.
func policy(looks analysis.LooksKind, cs ...analysis.Check) *analysis.Policy {
	p := &analysis.Policy{
		Looks:   analysis.Looks{Kind: looks, Schedule: 5},
		Columns: analysis.Columns{Score: "score", Label: "label", Unit: "id", Action: "action", Features: []string{"amount", "country"}},
		Split:   analysis.Split{Baseline: 0.5, Candidate: 0.5},
		Budget:  analysis.Budget{Rollback: 0.05, Pause: 0.1, SRM: 0.001},
	}
	for _, c := range cs {
		p.Checks = append(p.Checks, analysis.CheckEntry{Check: c, Severity: analysis.SeverityPause, Required: true})
	}
	return p
}

// evidence is what a check sees when it is the only one.
func evidence(p *analysis.Policy, b, c *analysis.Snapshot) *analysis.Evidence {
	alpha := 0.05
	if len(p.Checks) > 0 && p.Checks[0].Check.Name() == "srm" {
		alpha = 0.001
	}
	return &analysis.Evidence{Baseline: b, Candidate: c, Policy: p, Alpha: alpha, NoHarmAlpha: analysis.NoHarmAlpha}
}

// run collects two logs and runs the only check of the policy.
func run(t testing.TB, p *analysis.Policy, base, cand table) []analysis.Finding {
	t.Helper()
	var b, c *analysis.Snapshot
	if base != nil {
		b = collect(t, p, base)
	}
	if cand != nil {
		c = collect(t, p, cand)
	}
	fs, err := p.Checks[0].Check.Run(evidence(p, b, c))
	if err != nil {
		t.Fatal(err)
	}
	sound(t, fs)
	return fs
}

// sound fails the test when a finding breaks a promise that all of them make.
func sound(t testing.TB, fs []analysis.Finding) {
	t.Helper()
	if len(fs) == 0 {
		t.Error("no finding")
	}
	for _, f := range fs {
		e := f.Estimate
		switch {
		case f.Check == "" || f.Code == "" || f.Metric == "" || f.Message == "":
			t.Errorf("finding without a name or a message: %+v", f)
		case (f.Outcome == analysis.Pass || f.Outcome == analysis.Warn) && (math.IsNaN(e.Point) || math.IsNaN(e.Lo) || math.IsNaN(e.Hi)):
			t.Errorf("%v without numbers: %+v", f.Outcome, f)
		case f.Outcome == analysis.Pass && float64(f.Limit) <= e.Hi && f.Code != "srm":
			t.Errorf("pass although the estimate %v reaches the limit %v: %s", e, f.Limit, f.Message)
		case !math.IsNaN(e.Point) && !(e.Lo <= e.Point && e.Point <= e.Hi):
			t.Errorf("estimate %v is not in its interval: %s", e, f.Message)
		case f.Outcome == analysis.Insufficient && f.UnitsNeeded == 0 && f.Code != "one_class" && f.Code != "rare_class":
			t.Errorf("insufficient without the units needed: %s", f.Message)
		}
	}
}

// only returns the single finding with the code, and fails without it.
func only(t testing.TB, fs []analysis.Finding, code string) analysis.Finding {
	t.Helper()
	var out []analysis.Finding
	var codes []string
	for _, f := range fs {
		codes = append(codes, f.Code)
		if f.Code == code {
			out = append(out, f)
		}
	}
	if len(out) != 1 {
		t.Fatalf("%d findings with code %s among %v", len(out), code, codes)
	}
	return out[0]
}

// is fails the test unless the finding has the outcome.
func is(t testing.TB, f analysis.Finding, want analysis.Outcome) {
	t.Helper()
	if f.Outcome != want {
		t.Errorf("%s %s is %v, want %v: %s (estimate %v, limit %v, harm bound %v)", f.Code, f.Metric, f.Outcome, want, f.Message, f.Estimate, f.Limit, f.HarmBound)
	}
}

// has reports a warning with the code.
func has(f analysis.Finding, code string) bool {
	for _, w := range f.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 17)) }

// draw makes n values.
func draw[T any](n int, f func(i int) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// scored is a log with well calibrated scores; shift moves the scores away from
// the labels.
func scored(seed uint64, n int, shift float64) table {
	r := random(seed)
	score, label := make([]float64, n), make([]bool, n)
	for i := range n {
		p := r.Float64() * r.Float64()
		label[i] = r.Float64() < p
		score[i] = min(1, max(0, p+shift*r.Float64()))
	}
	return table{"score": score, "label": label}
}

// yes is n rows of which x are true.
func yes(x, n int) []bool { return draw(n, func(i int) bool { return i < x }) }

// ids are n unit ids from a number on.
func ids(from, n int) []int64 { return draw(n, func(i int) int64 { return int64(from + i) }) }
