package checks_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// fullLog is a log that has everything the test policy names.
func fullLog(seed uint64, n int) table {
	tab := scored(seed, n, 0)
	r := random(seed + 50)
	tab["id"] = ids(int(seed)*1_000_000, n)
	tab["action"] = draw(n, func(int) string { return []string{"allow", "block"}[r.IntN(2)] })
	tab["amount"] = draw(n, func(int) float64 { return r.ExpFloat64() })
	tab["country"] = draw(n, func(int) string { return []string{"DE", "FR", "PL"}[r.IntN(3)] })
	return tab
}

// with returns a copy of the table with one column replaced.
func with(tab table, name string, v any) table {
	out := table{}
	for k, x := range tab {
		out[k] = x
	}
	out[name] = v
	return out
}

// lost makes the values of a column missing with the given probability.
func lost(v any, n int, share float64) maybe {
	r := random(11)
	return maybe{v, draw(n, func(int) bool { return r.Float64() >= share })}
}

// TestSchemaPasses: and says what it looked at.
func TestSchemaPasses(t *testing.T) {
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
		p := policy(looks, checks.Schema{})
		f := only(t, run(t, p, fullLog(1, 20000), fullLog(2, 20000)), "schema")
		is(t, f, analysis.Pass)
		if d := cmp.Diff(analysis.Counts{Baseline: 20000, Candidate: 20000}, f.N); d != "" {
			t.Error(d)
		}
	}
}

// TestSchemaViolations: what does not fit is Invalid, in either arm.
func TestSchemaViolations(t *testing.T) {
	const n = 5000
	good := fullLog(1, n)
	bad := map[string]table{
		"column_absent":      with(good, "amount", nil),
		"type_differs":       with(good, "amount", repeat("x", n)),
		"type_unusable":      with(good, "score", repeat("high", n)),
		"invalid_labels":     with(good, "label", draw(n, func(i int) int64 { return int64(i % 3) })),
		"score_out_of_range": with(good, "score", append(repeat(0.5, n-1), 1.5)),
		"score_not_finite":   with(good, "score", append(repeat(0.5, n-1), math.Inf(1))),
		"all_null":           with(good, "amount", maybe{repeat(1.0, n), repeat(false, n)}),
		"null_rate":          with(good, "amount", lost(repeat(1.0, n), n, 0.2)),
	}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		p := policy(looks, checks.Schema{})
		for code, cand := range bad {
			f := only(t, run(t, p, good, cand), code)
			is(t, f, analysis.Invalid)
			if f.Severity != analysis.SeverityPause {
				t.Errorf("%s has severity %v", code, f.Severity)
			}
			switch code {
			case "all_null", "null_rate": // are about a rise
				is(t, only(t, run(t, p, cand, good), "schema"), analysis.Pass)
			default:
				is(t, only(t, run(t, p, cand, good), code), analysis.Invalid)
			}
		}
	}
}

// TestSchemaPartlyAbsent: a file without the column.
func TestSchemaPartlyAbsent(t *testing.T) {
	p := policy(analysis.Once, checks.Schema{})
	a, b := fullLog(1, 2000), fullLog(2, 2000)
	fs, err := p.Checks[0].Check.Run(evidence(p, collect(t, p, a), collect(t, p, b, with(b, "country", nil))))
	if err != nil {
		t.Fatal(err)
	}
	f := only(t, fs, "column_partly_absent")
	is(t, f, analysis.Invalid)
	if f.Column != "country" || f.Estimate.Point != 0.5 {
		t.Errorf("%+v", f)
	}
}

// TestSchemaNulls: a rise is Invalid, a warning or nothing, by its bounds.
func TestSchemaNulls(t *testing.T) {
	const n = 20000
	good := fullLog(1, n)
	p := policy(analysis.Once, checks.Schema{})
	nulls := func(share float64) table { return with(good, "country", lost(good["country"], n, share)) }
	is(t, only(t, run(t, p, good, nulls(0.03)), "null_rate"), analysis.Warn)
	is(t, only(t, run(t, p, good, nulls(0.003)), "schema"), analysis.Pass)
	is(t, only(t, run(t, p, nulls(0.3), nulls(0.3)), "schema"), analysis.Pass)
	strict := policy(analysis.Once, checks.Schema{MaxNulls: 0.001})
	is(t, only(t, run(t, strict, good, nulls(0.03)), "null_rate"), analysis.Invalid)
	scores := func(share float64) table {
		r := random(5)
		return with(good, "score", draw(n, func(i int) float64 {
			if r.Float64() < share {
				return math.NaN()
			}
			return good["score"].([]float64)[i]
		}))
	}
	is(t, only(t, run(t, p, good, scores(0.01)), "null_rate"), analysis.Invalid)
	lax := policy(analysis.Once, checks.Schema{MaxScoreNulls: 0.05})
	is(t, only(t, run(t, lax, good, scores(0.02)), "null_rate"), analysis.Warn)
	// Labels that have not arrived are no fault.
	is(t, only(t, run(t, p, good, with(good, "label", lost(good["label"], n, 0.5))), "schema"), analysis.Pass)
}

// TestSchemaFewRows: too few rows to rule a fault out are no pass.
func TestSchemaFewRows(t *testing.T) {
	p := policy(analysis.Once, checks.Schema{})
	f := only(t, run(t, p, fullLog(1, 30), fullLog(2, 30)), "schema")
	is(t, f, analysis.Inconclusive)
	if f.UnitsNeeded == 0 {
		t.Error("no units needed")
	}
	for _, arms := range [][2]table{{nil, nil}, {fullLog(1, 30), nil}, {nil, fullLog(1, 30)}} {
		is(t, only(t, run(t, p, arms[0], arms[1]), "no_data"), analysis.NoData)
	}
}

// TestSchemaRange: score_range of the policy, for a task without a natural one.
func TestSchemaRange(t *testing.T) {
	p := policy(analysis.Once, checks.Schema{})
	p.Task = analysis.Regression
	p.Columns = analysis.Columns{Score: "score", Label: "label"}
	log := func(top float64) table {
		return table{"score": append(repeat(50.0, 999), top), "label": repeat(1.5, 1000)}
	}
	is(t, only(t, run(t, p, log(60), log(600)), "schema"), analysis.Pass)
	p.Range = &[2]float64{0, 100}
	f := only(t, run(t, p, log(60), log(600)), "score_out_of_range")
	is(t, f, analysis.Invalid)
	if f.Estimate.Point != 0.001 {
		t.Errorf("%v of the scores are out of range", f.Estimate.Point)
	}
	is(t, only(t, run(t, p, log(60), log(-1)), "score_out_of_range"), analysis.Invalid)
	is(t, only(t, run(t, p, log(0), log(100)), "schema"), analysis.Pass)
	names := with(log(60), "label", repeat("spam", 1000))
	is(t, only(t, run(t, p, names, log(60)), "type_unusable"), analysis.Invalid)
	p.Task = analysis.Multiclass
	is(t, only(t, run(t, p, names, names), "schema"), analysis.Pass)
}

// TestSchemaMisuse: impossible limits.
func TestSchemaMisuse(t *testing.T) {
	for _, c := range []checks.Schema{{MaxNulls: -1}, {MaxNulls: 1}, {MaxScoreNulls: math.NaN()}} {
		if _, err := c.Run(evidence(policy(analysis.Once, c), nil, nil)); err == nil {
			t.Errorf("%+v runs", c)
		}
	}
}
