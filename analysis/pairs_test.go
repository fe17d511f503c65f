package analysis_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// pairRow is a request that both models scored.
type pairRow struct {
	champion, challenger float64
	label                summary.Label
	country              string // empty when missing
	id                   int64
	second               int64
}

func pairSpec(t testing.TB, task analysis.Task) *analysis.PairSpec {
	t.Helper()
	s, err := analysis.NewPairSpec(analysis.PairSpec{Task: task, Baseline: "champion", Candidate: "challenger", Label: "y", Unit: "id", Time: "ts",
		BaselineCuts: []float64{0.5, 0.3}, CandidateCuts: []float64{0.45},
		Slices: []analysis.SliceSpec{{Columns: []analysis.SliceColumn{{Name: "country"}}, Values: [][]string{{"FR"}}, Cap: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func randomPairs(seed uint64, n int) []pairRow {
	r := rand.New(rand.NewPCG(seed, 7))
	out := make([]pairRow, n)
	for i := range out {
		a := r.Float64()
		out[i] = pairRow{a, min(1, max(0, a+r.NormFloat64()/5)), summary.Label(r.IntN(3)), []string{"DE", "FR", "IT", "US", "JP", ""}[r.IntN(6)], int64(r.IntN(5 * n)), int64(i)}
	}
	return out
}

// pairBatch lays rows out in the columns of the spec: challenger, champion, country,
// id, ts, y.
func pairBatch(rows []pairRow) *analysis.Batch {
	b := &analysis.Batch{Rows: len(rows), Columns: []analysis.Column{
		{Type: analysis.Float}, {Type: analysis.Float}, {Type: analysis.String, Dict: &analysis.Dict{}, Valid: []bool{}},
		{Type: analysis.Int}, {Type: analysis.Time}, {Type: analysis.Bool, Valid: []bool{}}}}
	codes := map[string]int32{}
	for _, r := range rows {
		c := b.Columns
		c[0].Floats, c[1].Floats = append(c[0].Floats, r.challenger), append(c[1].Floats, r.champion)
		if _, ok := codes[r.country]; !ok {
			codes[r.country] = int32(len(codes))
			c[2].Dict.Values = append(c[2].Dict.Values, r.country)
		}
		c[2].Codes, c[2].Valid = append(c[2].Codes, codes[r.country]), append(c[2].Valid, r.country != "")
		c[3].Ints, c[4].Ints = append(c[3].Ints, r.id), append(c[4].Ints, r.second*1e6)
		c[5].Bools, c[5].Valid = append(c[5].Bools, r.label == summary.Positive), append(c[5].Valid, r.label != summary.Unlabelled)
	}
	return b
}

func pairsOf(t testing.TB, spec *analysis.PairSpec, cutoff time.Time, batches ...*analysis.Batch) *analysis.PairSnapshot {
	t.Helper()
	c, err := analysis.NewPairCollector(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MatureBefore(cutoff); err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
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

func pairBytes(t testing.TB, s *analysis.PairSnapshot) []byte {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPairSpecForm(t *testing.T) {
	s := pairSpec(t, analysis.Binary)
	if d := cmp.Diff([]string{"challenger", "champion", "country", "id", "ts", "y"}, s.Spec().Names()); d != "" {
		t.Errorf("columns (-want +got):\n%s", d)
	}
	if d := cmp.Diff([][]int{{0, 1, 2, 3, 4, 5}}, s.Spec().Parts()); d != "" {
		t.Errorf("parts (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]float64{0.3, 0.5}, s.BaselineCuts); d != "" {
		t.Errorf("cuts (-want +got):\n%s", d)
	}
	good := *s
	for name, spoil := range map[string]func(*analysis.PairSpec){
		"no score":         func(s *analysis.PairSpec) { s.Candidate = "" },
		"one column twice": func(s *analysis.PairSpec) { s.Candidate = s.Baseline },
		"label is a score": func(s *analysis.PairSpec) { s.Label = s.Baseline },
		"multiclass":       func(s *analysis.PairSpec) { s.Task = analysis.Multiclass },
		"cut not finite":   func(s *analysis.PairSpec) { s.CandidateCuts = []float64{1 / zero} },
		"measures": func(s *analysis.PairSpec) {
			s.Slices = []analysis.SliceSpec{{Columns: s.Slices[0].Columns, Measures: []string{"y"}}}
		},
		"cross of nothing": func(s *analysis.PairSpec) { s.Slices = []analysis.SliceSpec{{}} },
		"more than a grid": func(s *analysis.PairSpec) {
			s.BaselineCuts = make([]float64, 2000)
			for i := range 2000 {
				s.BaselineCuts[i] = float64(i)
			}
		},
	} {
		bad := good
		spoil(&bad)
		if _, err := analysis.NewPairSpec(bad); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := analysis.NewPairCollector(&bad); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%s: the collector takes it: %v", name, err)
		}
	}
}

var zero float64

// The counts are those of a loop over the rows, overall and by slice.
func TestPairCollectorCounts(t *testing.T) {
	rows := randomPairs(1, 3000)
	s := pairsOf(t, pairSpec(t, analysis.Binary), time.Time{}, pairBatch(rows[:1000]), pairBatch(rows[1000:]))
	count := func(l summary.Label, in func(pairRow) bool) (d summary.PairDecisions) {
		for _, r := range rows {
			if r.label != l || !in(r) {
				continue
			}
			switch a, b := r.champion >= 0.5, r.challenger >= 0.45; {
			case a && b:
				d.Both++
			case a:
				d.OnlyBaseline++
			case b:
				d.OnlyCandidate++
			default:
				d.Neither++
			}
		}
		return d
	}
	table := s.Table(&s.Spec.Slices[0])
	kept := map[string]bool{}
	for _, v := range table.Values() {
		kept[v[0]] = true
	}
	if len(kept) != 3 || !kept["FR"] || table.Other() == nil {
		t.Fatalf("kept %v", kept)
	}
	name := func(r pairRow) string {
		if r.country == "" {
			return "null"
		}
		return r.country
	}
	for _, l := range []summary.Label{summary.Unlabelled, summary.Negative, summary.Positive} {
		check := func(what string, p *analysis.PairSummary, in func(pairRow) bool) {
			got, ok := p.Grid.Decisions(0.5, 0.45, l)
			if d := cmp.Diff(count(l, in), got); !ok || d != "" {
				t.Errorf("%s, label %d (-want +got):\n%s", what, l, d)
			}
		}
		check("all", &s.PairSummary, func(pairRow) bool { return true })
		check("other", table.Other(), func(r pairRow) bool { return !kept[name(r)] })
		for v := range kept {
			check(v, table.Slice([]string{v}), func(r pairRow) bool { return name(r) == v })
		}
	}
	if s.RowCount != 3000 || s.Units.Total() != 3000 || s.Clock.Max != 2999e6 {
		t.Errorf("%d rows, %d units, clock %+v", s.RowCount, s.Units.Total(), s.Clock)
	}
}

func TestPairSnapshotsMergeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec := pairSpec(t, analysis.Binary)
		rows := randomPairs(rapid.Uint64().Draw(rt, "seed"), 200)
		one := pairsOf(t, spec, time.Time{}, pairBatch(rows))
		one.OnlyBaseline, one.DuplicateCandidate, one.LabelConflicts = 3, 2, min(4, uint64(len(rows)))
		cut := rapid.IntRange(0, 200).Draw(rt, "cut")
		end := rapid.IntRange(cut, 200).Draw(rt, "end")
		parts := []*analysis.PairSnapshot{pairsOf(t, spec, time.Time{}, pairBatch(rows[:cut])), pairsOf(t, spec, time.Time{}, pairBatch(rows[cut:end])), pairsOf(t, spec, time.Time{}, pairBatch(rows[end:]))}
		parts[0].OnlyBaseline, parts[2].DuplicateCandidate, parts[1].LabelConflicts = 3, 2, 4
		all, err := analysis.MergePairSnapshots(rapid.Permutation(parts).Draw(rt, "order")...)
		if err != nil {
			rt.Fatal(err)
		}
		want := pairBytes(t, one)
		if !bytes.Equal(want, pairBytes(t, all)) {
			rt.Fatal("shards do not add up to the bytes of one pass")
		}
		var again analysis.PairSnapshot
		if err := again.UnmarshalBinary(want); err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(want, pairBytes(t, &again)) {
			rt.Fatal("it does not read back as itself")
		}
	})
}

func TestPairSnapshotsOfOtherSpecs(t *testing.T) {
	a := pairsOf(t, pairSpec(t, analysis.Binary), time.Time{})
	spec := *a.Spec
	spec.CandidateCuts = []float64{0.4}
	b := pairsOf(t, &spec, time.Time{}, pairBatch(randomPairs(1, 10)))
	if err := a.Merge(b); !errors.Is(err, stats.ErrMismatch) || a.RowCount != 0 {
		t.Errorf("%v, %d rows", err, a.RowCount)
	}
	if _, err := analysis.MergePairSnapshots(); !errors.Is(err, stats.ErrEmpty) {
		t.Errorf("nothing to merge: %v", err)
	}
}

// Labels of requests that are too young do not count, in slices neither.
func TestPairsMature(t *testing.T) {
	rows := randomPairs(3, 500)
	s := pairsOf(t, pairSpec(t, analysis.Binary), time.Unix(300, 0), pairBatch(rows))
	var old []pairRow
	for _, r := range rows {
		if r.second >= 300 {
			r.label = summary.Unlabelled
		}
		old = append(old, r)
	}
	want := pairsOf(t, pairSpec(t, analysis.Binary), time.Time{}, pairBatch(old))
	if s.ImmatureLabels != 200 || s.MatureBefore.First.Unix() != 300 {
		t.Errorf("%d immature labels before %v", s.ImmatureLabels, s.MatureBefore)
	}
	s.ImmatureLabels, s.MatureBefore = 0, analysis.Cutoffs{}
	if !bytes.Equal(pairBytes(t, want), pairBytes(t, s)) {
		t.Error("not as if the labels had not arrived")
	}
	c, err := analysis.NewPairCollector(&analysis.PairSpec{Baseline: "a", Candidate: "b", Label: "y"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MatureBefore(time.Unix(300, 0)); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("without times: %v", err)
	}
}

func TestPairErrors(t *testing.T) {
	spec, err := analysis.NewPairSpec(analysis.PairSpec{Task: analysis.Regression, Baseline: "a", Candidate: "b", Label: "y"})
	if err != nil {
		t.Fatal(err)
	}
	nan := zero / zero
	b := &analysis.Batch{Rows: 5, Columns: []analysis.Column{
		{Type: analysis.Int, Ints: []int64{10, 12, 5, 5, 1}},
		{Type: analysis.Float, Floats: []float64{9.5, 14, 5, nan, 1e308}},
		{Type: analysis.Float, Floats: []float64{10, 12.5, nan, 5, -1e308}}}}
	s := pairsOf(t, spec, time.Time{}, b)
	e := s.Errors
	shape, err := e.Difference.Shape()
	if err != nil {
		t.Fatal(err)
	}
	if shape.N != 2 || shape.Mean != 0.75 || e.Baseline.Float64() != 0.5 || e.Candidate.Float64() != 2 || e.Unlabelled != 1 || e.Unusable != 2 || s.InvalidLabels != 1 {
		t.Errorf("%+v, baseline %v, candidate %v, %d without label, %d unusable, %d invalid", shape, e.Baseline.Float64(), e.Candidate.Float64(), e.Unlabelled, e.Unusable, s.InvalidLabels)
	}
	var again analysis.PairSnapshot
	if err := again.UnmarshalBinary(pairBytes(t, s)); err != nil {
		t.Error(err)
	}
}

func TestPairCollectorRefuses(t *testing.T) {
	good := func() *analysis.Batch { return pairBatch(randomPairs(1, 3)) }
	for name, spoil := range map[string]func([]analysis.Column){
		"champion": func(c []analysis.Column) { c[1] = analysis.Column{Type: analysis.Bool, Bools: make([]bool, 3)} },
		"y":        func(c []analysis.Column) { c[5] = analysis.Column{Type: analysis.Time, Ints: make([]int64, 3)} },
		"ts":       func(c []analysis.Column) { c[4].Type = analysis.Int },
		"id":       func(c []analysis.Column) { c[3] = analysis.Column{Type: analysis.Float, Floats: make([]float64, 3)} },
		"country":  func(c []analysis.Column) { c[2] = analysis.Column{Type: analysis.Bool, Bools: make([]bool, 3)} },
	} {
		c, err := analysis.NewPairCollector(pairSpec(t, analysis.Binary))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Add(good()); err != nil {
			t.Fatal(err)
		}
		b := good()
		spoil(b.Columns)
		if err := c.Add(b); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Snapshot(); err == nil {
			t.Errorf("%s: a snapshot of part of the data", name)
		}
	}
}

func TestPairCollectorAllocatesNothing(t *testing.T) {
	c, err := analysis.NewPairCollector(pairSpec(t, analysis.Binary))
	if err != nil {
		t.Fatal(err)
	}
	b := pairBatch(randomPairs(5, 5000))
	add := func() {
		if err := c.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		add()
	}
	if n := testing.AllocsPerRun(5, add); n > 10 {
		t.Errorf("%v allocations for 5000 rows", n)
	}
}

func TestPairSnapshotDamage(t *testing.T) {
	b := pairBytes(t, pairsOf(t, pairSpec(t, analysis.Binary), time.Unix(50, 0), pairBatch(randomPairs(2, 60))))
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x20
		var s analysis.PairSnapshot
		if err := s.UnmarshalBinary(bad); !errors.Is(err, stats.ErrMismatch) || s.Spec != nil {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

// FuzzPairSnapshot reads anything that has the right checksum.
func FuzzPairSnapshot(f *testing.F) {
	for _, n := range []int{0, 5, 60} {
		b := pairBytes(f, pairsOf(f, pairSpec(f, analysis.Binary), time.Unix(10, 0), pairBatch(randomPairs(2, n))))
		f.Add(b[:len(b)-sha256.Size])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		b := append(bytes.Clone(body), sum[:]...)
		var s analysis.PairSnapshot
		if err := s.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, stats.ErrMismatch) {
				t.Fatal(err)
			}
			return
		}
		once := pairBytes(t, &s)
		var again analysis.PairSnapshot
		if err := again.UnmarshalBinary(once); err != nil || !bytes.Equal(once, pairBytes(t, &again)) {
			t.Fatalf("its own form reads back otherwise: %v", err)
		}
		if err := again.Merge(&s); err != nil {
			t.Fatal(err)
		}
	})
}

const pairPolicy = `version: 1
looks: once
columns: {score: score, label: y, unit: id, time: ts}
actions: {rules: [{name: block, at_least: 0.5}, {name: allow}]}
slices: [country]
pairs: {baseline: champion, candidate: challenger}
checks:
  - {check: paired, metric: accuracy, margin: 5pp}
`

func pairedPolicy(t testing.TB, text string) *analysis.Policy {
	t.Helper()
	p, err := analysis.LoadPolicy("p.yaml", []byte(text), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A verdict that rests on pairs says so in its record, and can be repeated from it.
func TestReplayOfPairs(t *testing.T) {
	p := pairedPolicy(t, pairPolicy)
	spec, err := p.PairSpec()
	if err != nil {
		t.Fatal(err)
	}
	pairs := pairsOf(t, spec, time.Time{}, pairBatch(randomPairs(4, 4000)))
	v, err := p.Evaluate(analysis.Look{Evidence: []analysis.StageEvidence{{Pairs: pairs}}})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := pairs.Digest()
	if err != nil {
		t.Fatal(err)
	}
	want := []analysis.Input{{Arm: "baseline"}, {Arm: "candidate"}, {Arm: "pairs", Digest: digest, Rows: 4000}}
	if d := cmp.Diff(want, v.Record.Inputs); d != "" {
		t.Errorf("inputs (-want +got):\n%s", d)
	}
	if len(v.Findings) != 1 || v.Findings[0].Outcome != analysis.Pass {
		t.Errorf("findings %+v", v.Findings)
	}
	archive := analysis.Archive{
		Snapshot: func(string) (*analysis.Snapshot, error) { t.Error("an arm is asked for"); return nil, nil },
		Pairs: func(have string) (*analysis.PairSnapshot, error) {
			if have != digest {
				t.Errorf("digest %s", have)
			}
			return pairs, nil
		},
	}
	if _, err := analysis.ReplayFrom(&v, p, archive); err != nil {
		t.Error(err)
	}
	if _, err := analysis.Replay(&v, p, archive.Snapshot); !errors.Is(err, analysis.ErrReplay) {
		t.Errorf("without the pairs: %v", err)
	}
	other := pairsOf(t, spec, time.Time{}, pairBatch(randomPairs(5, 10)))
	archive.Pairs = func(string) (*analysis.PairSnapshot, error) { return other, nil }
	if _, err := analysis.ReplayFrom(&v, p, archive); !errors.Is(err, analysis.ErrReplay) {
		t.Errorf("with other pairs: %v", err)
	}
}

func TestEvaluateRefusesPairs(t *testing.T) {
	p := pairedPolicy(t, pairPolicy)
	pairs := pairsOf(t, pairSpec(t, analysis.Binary), time.Time{})
	look := analysis.Look{Evidence: []analysis.StageEvidence{{Pairs: pairs}}}
	if _, err := p.Evaluate(look); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), "threshold 0.5") {
		t.Errorf("other thresholds: %v", err)
	}
	bare := pairedPolicy(t, "version: 1\nchecks: [{check: schema}]\n")
	if _, err := bare.Evaluate(look); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), "no section pairs") {
		t.Errorf("without the section: %v", err)
	}
}

func TestPairsSection(t *testing.T) {
	p := pairedPolicy(t, pairPolicy)
	spec, err := p.PairSpec()
	if err != nil {
		t.Fatal(err)
	}
	want := &analysis.PairSpec{Task: analysis.Binary, Baseline: "champion", Candidate: "challenger", Label: "y", Unit: "id", Time: "ts",
		BaselineCuts: []float64{0.5}, CandidateCuts: []float64{0.5}, Slices: []analysis.SliceSpec{{Columns: []analysis.SliceColumn{{Name: "country"}}}}}
	if d := cmp.Diff(want, spec); d != "" {
		t.Errorf("spec (-want +got):\n%s", d)
	}
	canon, err := analysis.CanonicalPolicy("p.yaml", []byte(pairPolicy), checks.Builtin())
	if err != nil || !strings.Contains(string(canon), `"pairs":{"baseline":"champion","candidate":"challenger"}`) {
		t.Errorf("%v: %s", err, canon)
	}
	if again, err := analysis.LoadPolicy("p.json", canon, checks.Builtin()); err != nil || again.Digest != p.Digest {
		t.Errorf("the canonical form is another policy: %v", err)
	}
	for section, fault := range map[string]string{
		"pairs: {baseline: a}":                                 "candidate is missing",
		"pairs: {baseline: a, candidate: a}":                   "both scores are in column a",
		"pairs: {baseline: a, candidate: y}":                   "column y is no score",
		"pairs: {baseline: a, candidate: b, c: d}":             "unknown key",
		"task: multiclass\npairs: {baseline: a, candidate: b}": "no scores to pair",
	} {
		_, err := analysis.LoadPolicy("p.yaml", []byte("version: 1\ncolumns: {label: y}\n"+section+"\n"), checks.Builtin())
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want %q", section, err, fault)
		}
	}
}
