package checks_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

func to(x float64) *float64 { return &x }

// agreed is a contract on the columns of the test logs.
func agreed() checks.Contract {
	return checks.Contract{Features: []checks.ContractFeature{
		{Column: "amount", Type: analysis.Float, Min: to(0), Max: to(100), MaxOutside: to(0.01), MaxNull: to(0.02), MaxNaN: to(0)},
		{Column: "country", Type: analysis.String, MaxNull: to(0), Allowed: []string{"DE", "FR"}},
	}}
}

// orders is a log of n rows that keeps the contract.
func orders(n int) table {
	amount, country := make([]float64, n), make([]string, n)
	for i := range n {
		amount[i], country[i] = float64(i%101), []string{"DE", "FR"}[i%2]
	}
	return table{"amount": amount, "country": country}
}

// faulty lists the findings that are no pass.
func faulty(fs []analysis.Finding) []string {
	var out []string
	for _, f := range fs {
		if f.Outcome != analysis.Pass {
			out = append(out, fmt.Sprintf("%s %s %v", f.Column, f.Code, f.Outcome))
		}
	}
	return out
}

func TestContractOutcomes(t *testing.T) {
	const n = 4000
	every := func(k int, f func(tab table, i int)) func(table) {
		return func(tab table) {
			for i := 0; i < n; i += k {
				f(tab, i)
			}
		}
	}
	amounts := func(tab table) []float64 { return tab["amount"].([]float64) }
	nulls := func(k int) func(table) {
		return func(tab table) {
			valid := repeat(true, n)
			for i := 0; i < n; i += k {
				valid[i] = false
			}
			tab["amount"] = maybe{tab["amount"], valid}
		}
	}
	for _, c := range []struct {
		name       string
		base, cand func(table)
		want       []string
	}{
		{"as agreed", nil, nil, nil},
		{"the ends belong to the range", nil, every(2, func(tab table, i int) { amounts(tab)[i] = float64(100 * (i % 4 / 2)) }), nil},
		{"just beyond the end", nil, every(20, func(tab table, i int) { amounts(tab)[i] = math.Nextafter(100, 101) }), []string{"amount range_share harm"}},
		{"just below the start", nil, every(20, func(tab table, i int) { amounts(tab)[i] = -5e-324 }), []string{"amount range_share harm"}},
		{"infinite is out of range", nil, every(20, func(tab table, i int) { amounts(tab)[i] = math.Inf(1) }), []string{"amount range_share harm"}},
		{"few out of range", nil, every(1000, func(tab table, i int) { amounts(tab)[i] = 101 }), nil},
		{"as many out of range as allowed", nil, every(100, func(tab table, i int) { amounts(tab)[i] = 101 }), []string{"amount range_share inconclusive"}},
		{"one NaN where none is allowed", nil, every(n, func(tab table, i int) { amounts(tab)[i] = math.NaN() }), []string{"amount nan_share harm"}},
		{"too many nulls", nil, nulls(10), []string{"amount null_share harm"}},
		{"few nulls", nil, nulls(400), nil},
		{"both arms", every(20, func(tab table, i int) { amounts(tab)[i] = 101 }), every(20, func(tab table, i int) { amounts(tab)[i] = 101 }), []string{"amount range_share harm"}},
		{"an unknown name", nil, every(n, func(tab table, i int) { tab["country"].([]string)[i] = "D E" }), []string{"country unknown_share harm"}},
		{"no column", nil, func(tab table) { delete(tab, "country") }, []string{"country column_absent invalid"}},
		{"no column in the baseline", func(tab table) { delete(tab, "country") }, nil, []string{"country column_absent invalid"}},
		{"another type", nil, func(tab table) { tab["amount"] = repeat("much", n) }, []string{"amount contract_type invalid"}},
		{"another type in the baseline", func(tab table) { tab["amount"] = repeat(true, n) }, nil, []string{"amount contract_type invalid"}},
		{"whole numbers are numbers", nil, func(tab table) { tab["amount"] = repeat(int64(5), n) }, nil},
		{"only nulls", nil, nulls(1), []string{"amount null_share harm", "amount no_values no_data"}},
	} {
		for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
			base, cand := orders(n), orders(n)
			if c.base != nil {
				c.base(base)
			}
			if c.cand != nil {
				c.cand(cand)
			}
			fs := run(t, policy(looks, agreed()), base, cand)
			if d := cmp.Diff(c.want, faulty(fs)); d != "" {
				t.Errorf("%s, looks %v (-want +got):\n%s", c.name, looks, d)
			}
			if c.name == "both arms" && !strings.Contains(fs[0].Message, "The baseline breaks it, too") {
				t.Error(fs[0].Message)
			}
		}
	}
}

// TestContractBounds: the bounds are those of Clopper and Pearson at the error of
// the share, for one look.
func TestContractBounds(t *testing.T) {
	const n, x = 500, 40
	tab := orders(n)
	for i := range x {
		tab["amount"].([]float64)[i] = -1
	}
	c := checks.Contract{Features: []checks.ContractFeature{{Column: "amount", Min: to(0), MaxOutside: to(0.02)}}}
	fs := run(t, policy(analysis.Once, c), orders(n), tab)
	f := fs[0]
	is(t, f, analysis.Harm)
	// The error 0.05 is divided between the share and its rise.
	want, err := stats.ClopperPearson(x, n, 1-2*0.025)
	if err != nil {
		t.Fatal(err)
	}
	if d := math.Abs(float64(f.HarmBound) - want.Lo); d > 1e-12 {
		t.Errorf("harm bound %v, want %v", f.HarmBound, want.Lo)
	}
	if f.Alpha != 0.025 || f.Estimate.Point != 0.08 {
		t.Errorf("alpha %v, estimate %v", f.Alpha, f.Estimate)
	}
}

// TestContractRise: a share within its bound may still have risen too much.
func TestContractRise(t *testing.T) {
	const n = 4000
	c := checks.Contract{Rise: 0.05, Features: []checks.ContractFeature{{Column: "amount", Min: to(0), MaxOutside: to(0.5)}}}
	cand := orders(n)
	for i := 0; i < n; i += 5 {
		cand["amount"].([]float64)[i] = -1
	}
	if d := cmp.Diff([]string{"amount range_share_rise harm"}, faulty(run(t, policy(analysis.Once, c), orders(n), cand))); d != "" {
		t.Error(d)
	}
	p := policy(analysis.Once, c)
	b, k := collect(t, p, orders(n)), collect(t, p, cand)
	ev := evidence(p, b, k)
	ev.Compared, ev.Baseline = analysis.Absolute, nil
	fs, err := c.Run(ev)
	if err != nil || faulty(fs) != nil {
		t.Errorf("without a baseline: %v, %v", faulty(fs), err)
	}
}

func TestContractVolume(t *testing.T) {
	c := checks.Contract{MinRows: 1000}
	fs := run(t, policy(analysis.Once, c), orders(50), orders(400))
	if fs[0].Outcome != analysis.Insufficient || fs[0].UnitsNeeded != 600 || fs[0].Code != "volume" {
		t.Errorf("%+v", fs[0])
	}
	is(t, run(t, policy(analysis.Once, c), orders(50), orders(1000))[0], analysis.Pass)
}

// TestContractUnseen: a new name is a fact in a column of few names, and to be
// expected in one of many.
func TestContractUnseen(t *testing.T) {
	const n = 4000
	c := checks.Contract{Features: []checks.ContractFeature{{Column: "country", MaxUnseen: to(0.001)}}}
	names := func(of func(i int) string) table {
		tab := orders(n)
		for i := range n {
			tab["country"].([]string)[i] = of(i)
		}
		return tab
	}
	few := names(func(i int) string { return []string{"DE", "FR"}[i%2] })
	more := names(func(i int) string { return []string{"DE", "FR", "XX"}[i%3] })
	if d := cmp.Diff([]string{"country unseen_share harm"}, faulty(run(t, policy(analysis.Once, c), few, more))); d != "" {
		t.Error(d)
	}
	if got := faulty(run(t, policy(analysis.Once, c), few, few)); got != nil {
		t.Error(got)
	}
	half := func(from int) table {
		return names(func(i int) string {
			if i%2 == 0 {
				return fmt.Sprint("user ", from+i)
			}
			return "DE"
		})
	}
	// Half of the baseline's rows have a name of their own, and so has the
	// candidate: the share is as large as chance makes it, not surely larger.
	for _, f := range run(t, policy(analysis.Once, c), half(0), half(n)) {
		if f.Outcome == analysis.Harm {
			t.Error(f.Message)
		}
	}
}

// TestContractOfFlights: distances in kilometres are named by the contract, by the
// drift of the column, and by the ranking of all columns.
func TestContractOfFlights(t *testing.T) {
	base, sound := flights(t, "baseline"), flights(t, "candidate")
	metric := table{}
	for k, v := range sound {
		metric[k] = v
	}
	var km []int64
	for _, miles := range sound["distance"].([]int64) {
		km = append(km, int64(math.Round(float64(miles)*1.609)))
	}
	metric["distance"] = km
	of := func(c analysis.Check, cand table) []analysis.Finding {
		p := policy(analysis.Once, c)
		p.Task, p.Columns = analysis.Regression, analysis.Columns{Score: "score", Label: "label", Features: []string{"origin", "dow", "distance"}}
		return run(t, p, base, cand)
	}
	c := checks.Contract{MinRows: 10000, Features: []checks.ContractFeature{
		{Column: "distance", Type: analysis.Int, Min: to(20), Max: to(5000), MaxOutside: to(0.0001), MaxNull: to(0)},
		{Column: "dow", Type: analysis.Int, Min: to(0), Max: to(7)},
		{Column: "origin", Type: analysis.String, MaxNull: to(0), MaxUnseen: to(0.01)},
	}}
	if got := faulty(of(c, sound)); got != nil {
		t.Errorf("the sound log: %v", got)
	}
	c.Features[0].Max = to(2800)
	fs := of(c, metric)
	if d := cmp.Diff([]string{"distance range_share harm"}, faulty(fs)); d != "" {
		t.Fatal(d)
	}
	for _, f := range fs {
		if f.Outcome == analysis.Harm && !strings.Contains(f.Message, "The quartiles of distance are all about 1.609 times those of the baseline, as if it came in another unit (kilometres for miles)") {
			t.Error(f.Message)
		}
	}
	for _, f := range of(checks.Drift{}, metric) {
		if f.Code == "drift_ranking" && !strings.Contains(f.Message, "Look at distance first") || f.Code == "drift_ranking" && !strings.Contains(f.Message, "kilometres for miles") {
			t.Error(f.Message)
		}
		if f.Code == "drift" && (f.Outcome == analysis.Harm) != (f.Column == "distance") {
			t.Errorf("%s: %v", f.Column, f.Outcome)
		}
	}
}

func TestContractMisuse(t *testing.T) {
	for name, c := range map[string]checks.Contract{
		"nothing":           {},
		"a share above 1":   {Features: []checks.ContractFeature{{Column: "amount", MaxNull: to(1.5)}}},
		"a range reversed":  {Features: []checks.ContractFeature{{Column: "amount", Min: to(2), Max: to(1)}}},
		"NaN for a bound":   {Features: []checks.ContractFeature{{Column: "amount", Min: to(math.NaN())}}},
		"an age of nothing": {Freshness: []checks.ContractAge{{MaxAge: time.Hour}}},
		"a rise above 1":    {MinRows: 1, Rise: 2},
	} {
		if _, err := c.Run(&analysis.Evidence{}); !errors.Is(err, stats.ErrDomain) && !errors.Is(err, stats.ErrEmpty) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := checks.Contract{Features: []checks.ContractFeature{{Column: "elsewhere", MaxNull: to(0)}}}
	p := policy(analysis.Once)
	s := collect(t, p, orders(10))
	if _, err := c.Run(evidence(policy(analysis.Once, c), s, s)); !errors.Is(err, stats.ErrMismatch) {
		t.Error(err)
	}
	if fs := run(t, policy(analysis.Once, agreed()), orders(10), nil); fs[0].Outcome != analysis.NoData {
		t.Errorf("%+v", fs[0])
	}
}

// TestContractMoreFaultsNeverHelp: with more values out of range the bounds never
// get better.
func TestContractMoreFaultsNeverHelp(t *testing.T) {
	c := checks.Contract{Features: []checks.ContractFeature{{Column: "amount", Max: to(100), MaxOutside: to(0.05)}}}
	order := map[analysis.Outcome]int{analysis.Pass: 0, analysis.Inconclusive: 1, analysis.Harm: 2}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(20, 400).Draw(rt, "n")
		x := rapid.IntRange(0, n-1).Draw(rt, "x")
		looks := rapid.SampledFrom([]analysis.LooksKind{analysis.Once, analysis.Continuous}).Draw(rt, "looks")
		worst := func(bad int) int {
			tab := orders(n)
			for i := range bad {
				tab["amount"].([]float64)[i] = 500
			}
			p := policy(looks, c)
			ev := evidence(p, nil, collect(t, p, tab))
			ev.Compared = analysis.Absolute
			fs, err := c.Run(ev)
			if err != nil {
				rt.Fatal(err)
			}
			return order[fs[0].Outcome]
		}
		if a, b := worst(x), worst(x+1); a > b {
			rt.Fatalf("%d of %d is %d, %d is %d", x, n, a, x+1, b)
		}
	})
}

const contractPolicy = `version: 1
columns: {score: score, time: ts, unit: id}
checks:
  - check: contract
    features:
      - {column: amount, type: float, min: 0, max: 1e6, nulls: 1%, nan: 0, outside: 0.1%}
      - {column: country, type: string, allowed: [DE, FR], max_unseen: 0.1%}
    volume: {min: 1000}
    freshness: {column: feature_ts, max_age: 1h, share: 1%}
    rise: 2pp
`

func TestContractOfPolicy(t *testing.T) {
	p, err := analysis.LoadPolicy("policy.yaml", []byte(contractPolicy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	want := checks.Contract{
		Features: []checks.ContractFeature{
			{Column: "amount", Type: analysis.Float, Min: to(0), Max: to(1e6), MaxNull: to(0.01), MaxNaN: to(0), MaxOutside: to(0.001)},
			{Column: "country", Type: analysis.String, Allowed: []string{"DE", "FR"}, MaxUnseen: to(0.001)},
		},
		Freshness: []checks.ContractAge{{Column: "feature_ts", Time: "ts", MaxAge: time.Hour, Share: 0.01}},
		MinRows:   1000,
		Rise:      0.02,
	}
	got, ok := p.Checks[0].Check.(checks.Contract)
	if !ok || fmt.Sprintf("%#v", got.Columns()) != fmt.Sprintf("%#v", want.Columns()) || got.Rise != want.Rise || got.MinRows != want.MinRows {
		t.Errorf("%+v", got)
	}
	if d := cmp.Diff(want.Freshness, got.Freshness); d != "" {
		t.Error(d)
	}
	canon, err := analysis.CanonicalPolicy("policy.yaml", []byte(contractPolicy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	again, err := analysis.LoadPolicy("canonical.json", canon, checks.Builtin())
	if err != nil || again.Digest != p.Digest {
		t.Errorf("%v: the canonical form has another digest\n%s", err, canon)
	}
	for _, c := range []struct{ old, with, want string }{
		{"nulls: 1%", "nuls: 1%", "policy.yaml:6:57: check contract: features: unknown key nuls; did you mean nulls?"},
		{"column: amount, type", "type", "the column is missing"},
		{"column: country", "column: amount", "the contract has amount twice"},
		{"max: 1e6", "max: -1", "-1 is below min, 0"},
		{"min: 0, max: 1e6, ", "", "outside of what; add min or max"},
		{"type: string", "type: int", "int has no names"},
		{"type: float", "type: string", "string has no range"},
		{"nan: 0", "nan: 2x", "2x is not a share from 0 to 1"},
		{"allowed: [DE, FR]", "allowed: []", "no name is allowed"},
		{"type: string, allowed: [DE, FR], max_unseen: 0.1%", "nulls: 0", ""},
		{", type: string, allowed: [DE, FR], max_unseen: 0.1%", "", "nothing is agreed on country"},
		{"volume: {min: 1000}", "volume: {}", "give the least number of rows"},
		{"column: feature_ts", "column: ts", "ts is the time of the row itself"},
		{"max_age: 1h, ", "", "give an age above 0"},
		{"time: ts, ", "", "name the column with the time of the row"},
	} {
		text := strings.Replace(contractPolicy, c.old, c.with, 1)
		if text == contractPolicy {
			t.Fatalf("%q is not in the policy", c.old)
		}
		_, err := analysis.LoadPolicy("policy.yaml", []byte(text), checks.Builtin())
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.with, err, c.want)
		}
	}
}

// TestContractFreshness: rows whose feature is older than agreed, or undated, count.
func TestContractFreshness(t *testing.T) {
	p, err := analysis.LoadPolicy("policy.yaml", []byte(`version: 1
looks: once
columns: {time: ts}
checks: [{check: contract, freshness: {column: feature_ts, max_age: 1h, share: 1%}}]
`), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	const n = 2000
	arm := func(age func(i int) (time.Duration, bool)) *analysis.Snapshot {
		at, feature := make([]int64, n), make([]int64, n)
		valid := make([]bool, n)
		for i := range n {
			d, known := age(i)
			at[i] = int64(i) * 1e6
			feature[i], valid[i] = at[i]-d.Microseconds(), known
		}
		b := &analysis.Batch{Rows: n}
		for _, s := range spec.Columns {
			col := analysis.Column{Type: analysis.Time, Ints: at}
			if s.Name == "feature_ts" {
				col.Ints, col.Valid = feature, valid
			}
			b.Columns = append(b.Columns, col)
		}
		k := analysis.NewCollector(spec)
		if err := k.Add(b); err != nil {
			t.Fatal(err)
		}
		s, err := k.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	fresh := arm(func(int) (time.Duration, bool) { return time.Hour, true })
	for _, c := range []struct {
		name string
		age  func(i int) (time.Duration, bool)
		want []string
	}{
		{"as old as allowed", func(int) (time.Duration, bool) { return time.Hour, true }, nil},
		{"a twentieth is older", func(i int) (time.Duration, bool) {
			if i%20 == 0 {
				return time.Hour + time.Second, true
			}
			return time.Minute, true
		}, []string{"age of feature_ts stale_share harm"}},
		{"a twentieth is undated", func(i int) (time.Duration, bool) { return 0, i%20 > 0 }, []string{"age of feature_ts stale_share harm"}},
	} {
		fs, err := p.Checks[0].Check.Run(evidence(p, fresh, arm(c.age)))
		if err != nil {
			t.Fatal(err)
		}
		sound(t, fs)
		if d := cmp.Diff(c.want, faulty(fs)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}
