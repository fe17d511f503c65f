package analysis_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

func words(texts ...string) analysis.Column {
	c := analysis.Column{Type: analysis.String, Dict: &analysis.Dict{}}
	for _, s := range texts {
		c.Codes = append(c.Codes, int32(len(c.Dict.Values)))
		c.Dict.Values = append(c.Dict.Values, s)
	}
	return c
}

func floats(xs ...float64) analysis.Column {
	return analysis.Column{Type: analysis.Float, Floats: xs}
}

// derive collects one batch of named columns with derived ones.
func derive(t *testing.T, rows int, columns map[string]analysis.Column, derived ...analysis.DerivedSpec) *analysis.Snapshot {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Regression)
	if err != nil {
		t.Fatal(err)
	}
	if spec, err = spec.WithDerived(derived...); err != nil {
		t.Fatal(err)
	}
	b := analysis.Batch{Rows: rows}
	for _, name := range spec.Names() {
		b.Columns = append(b.Columns, columns[name])
	}
	c := analysis.NewCollector(spec)
	if err := c.Add(&b); err != nil {
		t.Fatal(err)
	}
	s, err := c.Take()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func numbersOf(d string, op analysis.DerivedOp, of ...string) analysis.DerivedSpec {
	return analysis.DerivedSpec{Name: d, Op: op, Of: of, Sums: true}
}

func TestDerivedNumbers(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	columns := map[string]analysis.Column{
		"a": {Type: analysis.Float, Floats: []float64{3, 1, nan, 2, inf}, Valid: []bool{true, true, true, false, true}},
		"b": {Type: analysis.Int, Ints: []int64{1, 4, 1, 1, 1}},
		"s": {Type: analysis.Time, Ints: []int64{2_500_000, 0, math.MaxInt64, 0, 0}},
		"t": {Type: analysis.Time, Ints: []int64{1_000_000, 1, math.MinInt64, 0, 0}, Valid: []bool{true, true, true, true, false}},
	}
	ninety := numbersOf("pinball", analysis.Pinball, "a", "b")
	ninety.Q = 0.9
	s := derive(t, 5, columns,
		numbersOf("minus", analysis.Minus, "a", "b"), numbersOf("distance", analysis.Distance, "a", "b"),
		numbersOf("squared", analysis.Squared, "a", "b"), ninety,
		numbersOf("age", analysis.Minus, "s", "t"), numbersOf("twice", analysis.Minus, "minus", "b"))
	for name, want := range map[string]struct{ mean, null, n float64 }{
		"minus":    {(2 - 3) / 2.0, 1, 2},
		"distance": {(2 + 3) / 2.0, 1, 2},
		"squared":  {(4 + 9) / 2.0, 1, 2},
		"pinball":  {(0.9*2 + 0.1*3) / 2.0, 1, 2},
		"age":      {(1.5 - 1e-6 + (math.MaxInt64+0x1p63)/1e6) / 4, 1, 4},
		"twice":    {(1 - 7) / 2.0, 1, 2},
	} {
		h := s.Column(name).Histogram()
		m, err := h.Moments()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if math.Abs(m.Mean-want.mean) > 1e-12*math.Abs(want.mean) || float64(h.Excluded().Null) != want.null || float64(h.N()) != want.n {
			t.Errorf("%s: mean %v of %d, %d missing; want %+v", name, m.Mean, h.N(), h.Excluded().Null, want)
		}
	}
	if out := s.Column("minus").Histogram().Excluded(); out.NaN != 1 || out.PosInf != 1 {
		t.Errorf("not counted as NaN and infinity: %+v", out)
	}
}

func TestDerivedFlags(t *testing.T) {
	twice := analysis.Column{Type: analysis.String, Codes: []int32{0, 1, 2, 0}, Dict: &analysis.Dict{Values: []string{"x", "y", "x"}}}
	columns := map[string]analysis.Column{
		"p": twice,
		"q": {Type: analysis.String, Codes: []int32{1, 0, 0, 1}, Dict: &analysis.Dict{Values: []string{"z", "x"}}, Valid: []bool{true, true, true, false}},
		"n": floats(1, 2, math.NaN(), 4),
		"m": {Type: analysis.Int, Ints: []int64{1, 3, 3, 4}},
		"o": floats(2, 2, 2, 2),
	}
	s := derive(t, 4, columns,
		analysis.DerivedSpec{Name: "words", Op: analysis.Equal, Of: []string{"p", "q"}},
		analysis.DerivedSpec{Name: "back", Op: analysis.Equal, Of: []string{"q", "p"}},
		analysis.DerivedSpec{Name: "numbers", Op: analysis.Equal, Of: []string{"n", "m"}},
		analysis.DerivedSpec{Name: "in", Op: analysis.Within, Of: []string{"o", "n", "m"}})
	want := map[string]summary.Proportion{
		"words":   {True: 1, False: 2, Null: 1},
		"back":    {True: 1, False: 2, Null: 1},
		"numbers": {True: 2, False: 1, Null: 1},
		"in":      {True: 1, False: 2, Null: 1}, // 1<=2<=1 no, 2<=2<=3 yes, 4<=2 no
	}
	for name, p := range want {
		if diff := cmp.Diff(p, s.Column(name).Boolean); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestDerivedClasses(t *testing.T) {
	columns := map[string]analysis.Column{
		"label": words("cat", "dog", "cow", "cat"),
		"cat":   floats(0.5, 0.5, 0.2, 0),
		"dog":   floats(0.5, 0.3, 0.2, 1),
	}
	classes := []string{"cat", "dog"}
	s := derive(t, 4, columns,
		analysis.DerivedSpec{Name: "guess", Op: analysis.Largest, Of: classes, Classes: classes},
		numbersOf("sure", analysis.Max, "cat", "dog"),
		analysis.DerivedSpec{Name: "loss", Op: analysis.ClassLoss, Of: []string{"label", "cat", "dog"}, Classes: classes, Sums: true},
		analysis.DerivedSpec{Name: "brier", Op: analysis.ClassBrier, Of: []string{"label", "cat", "dog"}, Classes: classes, Sums: true},
		analysis.DerivedSpec{Name: "right", Op: analysis.Equal, Of: []string{"guess", "label"}},
		analysis.DerivedSpec{Name: "top", Op: analysis.Calibrated, Of: []string{"sure", "right"}, Cuts: []float64{0.5}})
	if n, _ := s.Column("guess").Category.N("cat"); n != 3 { // ties go to the first
		t.Errorf("cat is guessed %d times, want 3", n)
	}
	mean := func(name string) float64 {
		m, err := s.Column(name).Histogram().Moments()
		if err != nil {
			t.Fatal(err)
		}
		return m.Mean
	}
	want := map[string]float64{
		"sure": (0.5 + 0.5 + 0.2 + 1) / 4, // the cow has no column: only its losses are missing
		"loss": (-math.Log(0.5) - math.Log(0.3) + 52*math.Ln2) / 3, "brier": (0.5 + 0.25 + 0.49 + 2) / 3,
	}
	for name, w := range want {
		if got := mean(name); math.Abs(got-w) > 1e-12 {
			t.Errorf("mean of %s is %v, want %v", name, got, w)
		}
	}
	if h := s.Column("loss").Histogram(); h.Excluded().Null != 1 {
		t.Errorf("%d losses are missing, want that of the cow", h.Excluded().Null)
	}
	top := &s.Column("top").Scores
	if right, wrong := top.By(summary.Positive).N(), top.By(summary.Negative).N(); right != 1 || wrong != 3 {
		t.Errorf("%d right and %d wrong guesses with a probability, want 1 and 3", right, wrong)
	}
	if above, of, ok := top.AtLeast(0.5, summary.Negative); above != 2 || of != 3 || !ok {
		t.Errorf("wrong at 0.5 or more: %d of %d, %v", above, of, ok)
	}
}

// TestDerivedOfNumberedClasses compares classes that are integers in one column and
// texts in the other.
func TestDerivedOfNumberedClasses(t *testing.T) {
	columns := map[string]analysis.Column{
		"label": {Type: analysis.Int, Ints: []int64{0, 1, 2, 7}, Valid: []bool{true, true, true, false}},
		"zero":  floats(0.9, 0.6, 0.1, 1),
		"one":   floats(0.1, 0.4, 0.9, 0),
	}
	classes, of := []string{"0", "1"}, []string{"zero", "one"}
	s := derive(t, 4, columns,
		analysis.DerivedSpec{Name: "guess", Op: analysis.Largest, Of: of, Classes: classes},
		analysis.DerivedSpec{Name: "right", Op: analysis.Equal, Of: []string{"guess", "label"}},
		analysis.DerivedSpec{Name: "both", Op: analysis.Paired, Of: []string{"label", "guess"}},
		analysis.DerivedSpec{Name: "loss", Op: analysis.ClassLoss, Of: []string{"label", "zero", "one"}, Classes: classes, Sums: true})
	if diff := cmp.Diff(summary.Proportion{True: 1, False: 2, Null: 1}, s.Column("right").Boolean); diff != "" {
		t.Error(diff)
	}
	want := []summary.Count{{Name: `"0" "0"`, N: 1}, {Name: `"1" "0"`, N: 1}, {Name: `"2" "1"`, N: 1}}
	if diff := cmp.Diff(want, s.Column("both").Category.Counts()); diff != "" {
		t.Error(diff)
	}
	m, err := s.Column("loss").Histogram().Moments()
	if w := -(math.Log(0.9) + math.Log(0.4)) / 2; err != nil || m.N != 2 || math.Abs(m.Mean-w) > 1e-12 {
		t.Errorf("loss %+v (%v), want mean %v", m, err, w)
	}
}

func TestPairsOfTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		x, y, err := analysis.SplitPair(analysis.PairOf(a, b))
		if err != nil || x != a || y != b {
			t.Fatalf("%q and %q came back as %q and %q (%v)", a, b, x, y, err)
		}
	})
	for _, bad := range []string{"", "a b", `"a"`, `"a" b`, `"a"  "b"`, `"a" "b" `} {
		if _, _, err := analysis.SplitPair(bad); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestDerivedOfWrongTypes(t *testing.T) {
	columns := map[string]analysis.Column{"a": words("1", "2"), "b": floats(1, 2), "t": {Type: analysis.Time, Ints: []int64{1, 2}}}
	for _, d := range []analysis.DerivedSpec{
		numbersOf("d", analysis.Minus, "a", "b"), numbersOf("d", analysis.Squared, "t", "b"), numbersOf("d", analysis.Max, "b", "a"),
		numbersOf("d", analysis.Equal, "a", "t"), numbersOf("d", analysis.Within, "b", "b", "a"), numbersOf("d", analysis.Calibrated, "a", "b"),
		{Name: "d", Op: analysis.ClassLoss, Of: []string{"b", "b"}, Classes: []string{"x"}},
		numbersOf("d", analysis.Paired, "a", "b"),
		{Name: "d", Op: analysis.ClassLoss, Of: []string{"a", "a"}, Classes: []string{"x"}},
	} {
		c := derive(t, 2, columns, d).Column("d")
		if c.Type != analysis.String || c.Category.Null() != 2 || c.Histogram() != nil {
			t.Errorf("%v of %v: %v with %d missing", d.Op, d.Of, c.Type, c.Category.Null())
		}
		c = derive(t, 2, nil, d).Column("d")
		if all := c.AbsentRows; c.Type != analysis.Absent || all != 2 {
			t.Errorf("%v of absent columns: %v, %d rows without", d.Op, c.Type, all)
		}
	}
}

func TestWithDerivedRefuses(t *testing.T) {
	base, err := analysis.NewSpec(analysis.Regression, analysis.ColumnSpec{Name: "y", Role: analysis.Label}, analysis.ColumnSpec{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	ok := analysis.DerivedSpec{Name: "d", Op: analysis.Minus, Of: []string{"x", "y"}}
	with := func(change func(*analysis.DerivedSpec)) []analysis.DerivedSpec {
		d := ok
		change(&d)
		return []analysis.DerivedSpec{ok, d}
	}
	for want, ds := range map[string][]analysis.DerivedSpec{
		"derived in two ways":       with(func(d *analysis.DerivedSpec) { d.Op = analysis.Distance }),
		"no name":                   with(func(d *analysis.DerivedSpec) { d.Name = "" }),
		"is not known":              with(func(d *analysis.DerivedSpec) { d.Op = 99 }),
		"takes 2 to 2":              with(func(d *analysis.DerivedSpec) { d.Of = d.Of[:1] }),
		"from itself":               with(func(d *analysis.DerivedSpec) { d.Of = []string{"x", "d"} }),
		"column without a name":     with(func(d *analysis.DerivedSpec) { d.Of = []string{"x", ""} }),
		"column of that name is":    with(func(d *analysis.DerivedSpec) { d.Name = "y"; d.Of = []string{"x", "z"} }),
		"needs one between 0 and 1": with(func(d *analysis.DerivedSpec) { d.Op = analysis.Pinball; d.Name = "e" }),
		"classes for":               with(func(d *analysis.DerivedSpec) { d.Op = analysis.Largest; d.Name = "e" }),
		"class is named twice":      with(func(d *analysis.DerivedSpec) { d.Op, d.Name, d.Classes = analysis.Largest, "e", []string{"a", "a"} }),
		"not a finite number":       with(func(d *analysis.DerivedSpec) { d.Cuts = []float64{math.Inf(1)} }),
		"made from a column that":   {{Name: "e", Op: analysis.Max, Of: []string{"f"}}, {Name: "f", Op: analysis.Max, Of: []string{"e"}}},
	} {
		_, err := base.WithDerived(ds...)
		if !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestDerivedMerges cuts a log anywhere and reads it in parts of columns: the
// bytes are those of one pass, also when they were written and read back.
func TestDerivedMerges(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "y", Role: analysis.Label}, analysis.ColumnSpec{Name: "p", Role: analysis.Score}, analysis.ColumnSpec{Name: "abs", Sums: true, Cuts: []float64{0.5}})
	if err != nil {
		t.Fatal(err)
	}
	if spec, err = spec.WithDerived(analysis.DerivedSpec{Name: "abs", Op: analysis.Distance, Of: []string{"x", "z"}},
		analysis.DerivedSpec{Name: "same", Op: analysis.Equal, Of: []string{"c", "d"}}); err != nil {
		t.Fatal(err)
	}
	if spec, err = spec.WithSlices(analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "c"}}, Measures: []string{"abs", "same", "p"}},
		analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "same"}}}); err != nil {
		t.Fatal(err)
	}
	if got, want := spec.Names(), []string{"c", "d", "p", "x", "y", "z"}; !cmp.Equal(got, want) {
		t.Fatalf("columns of the log %v, want %v", got, want)
	}
	dict := &analysis.Dict{Values: []string{"a", "b", "c"}}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "rows")
		codes := func(name string) analysis.Column {
			return analysis.Column{Type: analysis.String, Dict: dict, Codes: rapid.SliceOfN(rapid.Int32Range(0, 2), n, n).Draw(t, name),
				Valid: rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, name+" there")}
		}
		reals := func(name string) analysis.Column {
			return analysis.Column{Type: analysis.Float, Floats: rapid.SliceOfN(rapid.Float64Range(0, 1), n, n).Draw(t, name)}
		}
		all := []analysis.Column{codes("c"), codes("d"), reals("p"), reals("x"), {Type: analysis.Bool, Bools: rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "y")}, reals("z")}
		collect := func(from, to int) *analysis.Snapshot {
			b := analysis.Batch{Rows: to - from}
			for _, c := range all {
				b.Columns = append(b.Columns, cutColumn(c, from, to))
			}
			c := analysis.NewCollector(spec)
			if err := c.Add(&b); err != nil {
				t.Fatal(err)
			}
			s, err := c.Take()
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		merged, err := analysis.MergeSnapshots(collect(cut, n), collect(0, cut))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := collect(0, n).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		got, err := merged.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(whole, got) {
			t.Fatal("merged parts are other bytes than one pass")
		}
		var back analysis.Snapshot
		if err := back.UnmarshalBinary(got); err != nil {
			t.Fatal(err)
		}
		text, err := back.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var again analysis.Snapshot
		if err := again.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		if b, err := again.MarshalBinary(); err != nil || !bytes.Equal(b, whole) {
			t.Fatalf("other bytes after a way through JSON (%v)", err)
		}
	})
}

func cutColumn(c analysis.Column, from, to int) analysis.Column {
	if c.Floats != nil {
		c.Floats = c.Floats[from:to]
	}
	if c.Bools != nil {
		c.Bools = c.Bools[from:to]
	}
	if c.Codes != nil {
		c.Codes = c.Codes[from:to]
	}
	if c.Valid != nil {
		c.Valid = c.Valid[from:to]
	}
	return c
}

const derivedPolicy = `version: 1
task: regression
looks: once
columns:
  score: predicted
  label: actual
  derived:
    - {name: error, distance: [actual, predicted]}
    - {name: age, minus: [ts, made]}
checks:
  - {check: guardrail, metric: mean, column: error, direction: lower, margin: 5%, severity: rollback}
  - {check: guardrail, metric: quantile, q: 0.9, column: age, direction: lower, bounds: {pause: 3600}}
`

func TestDerivedColumnsOfAPolicy(t *testing.T) {
	p, err := analysis.LoadPolicy("p.yaml", []byte(derivedPolicy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := spec.Names(), []string{"actual", "made", "predicted", "ts"}; !cmp.Equal(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
	if d := spec.Derived; len(d) != 2 || d[1].Name != "error" || !d[1].Sums {
		t.Errorf("derived %+v, want age, and error with sums", d)
	}
	bad := strings.NewReplacer("distance: [actual, predicted]", "distance: [actual]", "minus: [ts, made]", "mnius: [ts, made]").Replace(derivedPolicy)
	_, err = analysis.LoadPolicy("p.yaml", []byte(bad), checks.Builtin())
	for _, want := range []string{"p.yaml:8:7", "takes 2 to 2", "p.yaml:9:7", "mnius", "it is not said how age is made"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestCanonicalColumns: the canonical form of a policy with derived columns or classes
// is that policy.
func TestCanonicalColumns(t *testing.T) {
	const classes = "version: 1\ntask: multiclass\nlooks: once\ncolumns: {label: y, classes: {dog: p_dog, cat: p_cat}}\nchecks: [{check: guardrail, metric: macro_f1, margin: 2pp}]\n"
	for _, file := range []string{derivedPolicy, classes, strings.Replace(derivedPolicy, "minus: [ts, made]", "pinball: [ts, made], q: 0.5", 1)} {
		p, err := analysis.LoadPolicy("p.yaml", []byte(file), checks.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		canon, err := analysis.CanonicalPolicy("p.yaml", []byte(file), checks.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		again, err := analysis.LoadPolicy("canonical.json", canon, checks.Builtin())
		if err != nil || again.Digest != p.Digest {
			t.Errorf("%v\n%s", err, canon)
			continue
		}
		if diff := cmp.Diff(p.Columns, again.Columns); diff != "" {
			t.Error(diff)
		}
	}
}

// TestDerivedColumnsRestOnTheirSources: a check of a derived column waits when the
// source of what it is made from has failed, and for labels that are not ripe.
func TestDerivedColumnsRestOnTheirSources(t *testing.T) {
	p, err := analysis.LoadPolicy("p.yaml", []byte(derivedPolicy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Evaluate(analysis.Look{Problems: []analysis.SourceProblem{{Name: "made", Text: "no answer"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		if want := f.Column == "age"; f.Check == "guardrail" && (f.Outcome == analysis.ProviderError) != want {
			t.Errorf("%s is %v after the source of made failed", f.Column, f.Outcome)
		}
	}
}
