package analysis_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// slicedSpec is the spec of the small log with slices of the action.
func slicedSpec(t testing.TB) *analysis.Spec {
	t.Helper()
	spec, err := logSpec(t).WithSlices(analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "action"}}, Measures: []string{"score", "amount"}})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// collectMature collects blocks of the small log with a cutoff.
func collectMature(t testing.TB, before time.Time, blocks ...rows) *analysis.Snapshot {
	t.Helper()
	c := analysis.NewCollector(slicedSpec(t))
	if err := c.MatureBefore(before); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if err := c.Add(b.batch(actionDict())); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Take()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// second is a time of the small log, which has a row a second.
func second(n int) time.Time { return time.Unix(int64(n), 0).UTC() }

// unlabel takes the labels from row k on away.
func (r rows) unlabel(k int) rows {
	r.known = slices.Clone(r.known)
	for i := range r.known {
		r.known[i] = r.known[i] && i < k
	}
	return r
}

// withoutAge is the JSON form without what only a cutoff brings.
func withoutAge(t testing.TB, s *analysis.Snapshot) any {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "immature_labels")
			delete(v, "mature_before")
			for _, x := range v {
				strip(x)
			}
		case []any:
			for _, x := range v {
				strip(x)
			}
		}
	}
	strip(v)
	return v
}

func TestCutoffIsLikeRelabelling(t *testing.T) {
	const n = 300
	all := randomRows(21, n)
	for _, k := range []int{0, 1, 133, n - 1, n, 2 * n} {
		got := collectMature(t, second(k), all)
		want := collectMature(t, time.Time{}, all.unlabel(k))
		if w, g := withoutAge(t, want), withoutAge(t, got); !reflect.DeepEqual(w, g) {
			t.Errorf("cutoff at row %d (-relabelled +cut):\n%s", k, cmp.Diff(w, g))
		}
		young := uint64(max(0, n-k))
		if l := got.ByRole(analysis.Label); l.ImmatureLabels != young || got.MatureRows() != n-young {
			t.Errorf("cutoff at row %d: %d immature labels, %d mature rows", k, l.ImmatureLabels, got.MatureRows())
		}
		sum := uint64(0)
		table := &got.Slices[0]
		for _, v := range table.Values() {
			sum += got.Slice(table.Spec(), v).ByRole(analysis.Label).ImmatureLabels
		}
		if sum != young {
			t.Errorf("cutoff at row %d: %d immature labels in slices, want %d", k, sum, young)
		}
	}
}

// TestLabelsOfEveryTypeAreCut: rows without a time are too young, and labels that
// are no labels are not looked at before their time.
func TestLabelsOfEveryTypeAreCut(t *testing.T) {
	clock := analysis.Column{Type: analysis.Time, Ints: []int64{1, 5, 9, 1, 9, 1}, Valid: []bool{true, true, true, true, true, false}}
	for _, tt := range []struct {
		task           analysis.Task
		label          analysis.Column
		clock          analysis.Column
		there, invalid uint64
		young          uint64
	}{
		{analysis.Binary, analysis.Column{Type: analysis.Int, Ints: []int64{0, 1, 7, 7, 1, 1}}, clock, 2, 1, 3},
		{analysis.Binary, analysis.Column{Type: analysis.Float, Floats: []float64{0, 1, 7, 7, 1, 1}, Valid: []bool{false, true, true, true, true, true}}, clock, 1, 1, 3},
		{analysis.Binary, analysis.Column{Type: analysis.Bool, Bools: make([]bool, 6)}, clock, 3, 0, 3},
		{analysis.Binary, analysis.Column{}, clock, 0, 0, 3},
		{analysis.Binary, analysis.Column{Type: analysis.Bool, Bools: make([]bool, 6)}, analysis.Column{}, 0, 0, 6},
		{analysis.Binary, analysis.Column{Type: analysis.Bool, Bools: make([]bool, 6)}, analysis.Column{Type: analysis.Int, Ints: make([]int64, 6)}, 0, 0, 6},
		{analysis.Regression, analysis.Column{Type: analysis.Float, Floats: make([]float64, 6)}, clock, 3, 0, 3},
		{analysis.Multiclass, analysis.Column{Type: analysis.String, Codes: make([]int32, 6), Dict: actionDict()}, clock, 3, 0, 3},
	} {
		spec, err := analysis.NewSpec(tt.task, analysis.ColumnSpec{Name: "a", Role: analysis.Label},
			analysis.ColumnSpec{Name: "b", Role: analysis.Clock}, analysis.ColumnSpec{Name: "c", Role: analysis.Score})
		if err != nil {
			t.Fatal(err)
		}
		c := analysis.NewCollector(spec)
		if err := c.MatureBefore(time.UnixMicro(9)); err != nil {
			t.Fatal(err)
		}
		if err := c.Add(&analysis.Batch{Rows: 6, Columns: []analysis.Column{tt.label, tt.clock, {Type: analysis.Float, Floats: make([]float64, 6)}}}); err != nil {
			t.Fatal(err)
		}
		s, err := c.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		l := s.Column("a")
		there := l.Boolean.Trials() + l.Numeric.N() + l.Category.Total()
		if there != tt.there || l.InvalidLabels != tt.invalid || l.ImmatureLabels != tt.young {
			t.Errorf("%v %v label, %v clock: %d labels, %d invalid, %d immature; want %d, %d, %d", tt.task, tt.label.Type, tt.clock.Type,
				there, l.InvalidLabels, l.ImmatureLabels, tt.there, tt.invalid, tt.young)
		}
	}
}

func TestCutoffsMerge(t *testing.T) {
	all := randomRows(22, 600)
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.SliceOfN(rapid.IntRange(0, 600), 1, 5).Draw(rt, "cuts")
		at = append(at, 0, 600)
		slices.Sort(at)
		same := rapid.Bool().Draw(rt, "one cutoff")
		cutoffs := []time.Time{{}, second(100), second(300), second(500)}
		var parts []*analysis.Snapshot
		for i := 1; i < len(at); i++ {
			before := second(300)
			if !same {
				before = rapid.SampledFrom(cutoffs).Draw(rt, "cutoff")
			}
			parts = append(parts, collectMature(t, before, all.cut(at[i-1], at[i])))
		}
		var bytes []string
		for range 2 {
			ps := rapid.Permutation(parts).Draw(rt, "order")
			k := rapid.IntRange(1, len(ps)).Draw(rt, "in the first group")
			sum, err := analysis.MergeSnapshots(ps[:k]...)
			if err != nil {
				rt.Fatal(err)
			}
			if k < len(ps) {
				rest, err := analysis.MergeSnapshots(ps[k:]...)
				if err != nil {
					rt.Fatal(err)
				}
				if err := sum.Merge(rest); err != nil {
					rt.Fatal(err)
				}
			}
			bytes = append(bytes, bytesOf(t, sum))
		}
		if bytes[0] != bytes[1] {
			rt.Fatal("the order of the merge shows")
		}
		if same && bytes[0] != bytesOf(t, collectMature(t, second(300), all)) {
			rt.Fatal("the cut shows")
		}
	})
}

// readBack fails unless a snapshot survives both of its forms.
func readBack(t rapid.TB, s *analysis.Snapshot) {
	t.Helper()
	want, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var b, j analysis.Snapshot
	if err := errors.Join(b.UnmarshalBinary(want), json.Unmarshal(text, &j)); err != nil {
		t.Fatal(err)
	}
	for form, r := range map[string]*analysis.Snapshot{"binary": &b, "JSON": &j} {
		got, err := r.MarshalBinary()
		if err != nil || string(got) != string(want) {
			t.Fatalf("the %s form does not read back: %v", form, err)
		}
		if !r.MatureBefore.Equal(s.MatureBefore) {
			t.Fatalf("%s: cutoffs %v, want %v", form, r.MatureBefore, s.MatureBefore)
		}
	}
}

func TestCutoffsOfParts(t *testing.T) {
	all := randomRows(23, 40)
	cut := func(s int) *analysis.Snapshot { return collectMature(t, second(s), all) }
	uncut, empty := collectMature(t, time.Time{}, all), collectMature(t, time.Time{})
	for _, tt := range []struct {
		want  string
		parts []*analysis.Snapshot
	}{
		{"none", []*analysis.Snapshot{uncut, empty, uncut}},
		{"1970-01-01T00:00:10Z", []*analysis.Snapshot{empty, cut(10), empty, cut(10)}},
		{"1970-01-01T00:00:10Z to 1970-01-01T00:00:30Z", []*analysis.Snapshot{cut(20), cut(30), cut(10)}},
		{"1970-01-01T00:00:10Z and none", []*analysis.Snapshot{cut(20), uncut, cut(10)}},
	} {
		s, err := analysis.MergeSnapshots(tt.parts...)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.MatureBefore.String(); got != tt.want {
			t.Errorf("cutoffs %s, want %s", got, tt.want)
		}
		readBack(t, s)
	}
	if s := cut(20); s.MatureBefore.By(second(19)) || !s.MatureBefore.By(second(20)) || uncut.MatureBefore.By(second(1e9)) {
		t.Error("By is wrong about the cutoff")
	}
}

func TestCutoffIsRefused(t *testing.T) {
	label := analysis.ColumnSpec{Name: "label", Role: analysis.Label}
	clock := analysis.ColumnSpec{Name: "ts", Role: analysis.Clock}
	of := func(columns ...analysis.ColumnSpec) *analysis.Collector {
		spec, err := analysis.NewSpec(analysis.Binary, columns...)
		if err != nil {
			t.Fatal(err)
		}
		return analysis.NewCollector(spec)
	}
	if err := of(label).MatureBefore(second(1)); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("labels without a time: %v", err)
	}
	if err := of(clock).MatureBefore(second(1)); err != nil {
		t.Errorf("no labels, nothing to cut: %v", err)
	}
	if err := of(label, clock).MatureBefore(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("the year 10000: %v", err)
	}
	c := of(label, clock)
	if err := c.MatureBefore(second(1)); err != nil {
		t.Fatal(err)
	}
	one := &analysis.Batch{Rows: 1, Columns: []analysis.Column{{Type: analysis.Bool, Bools: []bool{true}}}}
	if err := c.AddColumns(one, []int{0}); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("a label without its time is added: %v", err)
	}
	if err := c.MatureBefore(time.Time{}); err != nil {
		t.Fatal(err)
	}
	c = of(label, clock)
	if err := c.AddColumns(one, []int{0}); err != nil {
		t.Errorf("without a cutoff a label needs a time: %v", err)
	}
	if err := c.MatureBefore(second(1)); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("a cutoff after the first row: %v", err)
	}
}

func TestMatureSnapshotDamaged(t *testing.T) {
	good := []byte(bytesOf(t, collectMature(t, second(20), randomRows(24, 50))))
	rapid.Check(t, func(rt *rapid.T) {
		bad := slices.Clone(good)
		at := len(bad) - 33 - rapid.IntRange(0, 40).Draw(rt, "from the end")
		bad[at] = rapid.Byte().Draw(rt, "byte")
		var s analysis.Snapshot
		if s.UnmarshalBinary(analysis.Reseal(bad)) == nil {
			readBack(rt, &s)
		}
	})
	for _, change := range [][2]string{
		{`"immature_labels":30`, `"immature_labels":51`},
		{`"mature_before":{"first":"1970-01-01T00:00:20Z","last":"1970-01-01T00:00:20Z"}`, `"mature_before":{"first":"1970-01-01T00:00:20Z","last":"1970-01-01T00:00:19Z"}`},
		{`"mature_before":{"first":"1970-01-01T00:00:20Z","last":"1970-01-01T00:00:20Z"}`, `"mature_before":{"first":"1970-01-01T00:00:20.0000001Z"}`},
		{`,"mature_before":{"first":"1970-01-01T00:00:20Z","last":"1970-01-01T00:00:20Z"}`, ``},
		{`{"name":"amount","type"`, `{"name":"amount","immature_labels":1,"type"`},
	} {
		var s analysis.Snapshot
		if err := s.UnmarshalBinary(good); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		bad := strings.Replace(string(text), change[0], change[1], 1)
		if bad == string(text) {
			t.Fatalf("%s is not in\n%s", change[0], text)
		}
		if err := json.Unmarshal([]byte(bad), &s); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%s is read: %v", change[1], err)
		}
	}
}

// labelCheck rests on labels and says what it is told.
type labelCheck struct{ fakeCheck }

func (c labelCheck) UsesLabels() bool { return true }

// maturePolicy requires two checks, one of which rests on labels, which mature in
// a minute.
func maturePolicy(outcome analysis.Outcome, code string) *analysis.Policy {
	f := finding("quality", outcome, analysis.SeverityRollback)
	f.Code = code
	p := policyOf("errors")
	p.Checks[0].Check = fakeCheck{name: "errors", findings: []analysis.Finding{finding("errors", analysis.Pass, analysis.SeverityRollback)}}
	p.Checks = append(p.Checks, analysis.CheckEntry{Check: labelCheck{fakeCheck{name: "quality", findings: []analysis.Finding{f}}}, Severity: analysis.SeverityRollback, Required: true})
	p.Columns = analysis.Columns{Score: "score", Label: "label", Time: "ts", Unit: "id"}
	p.Labels.Maturity = time.Minute
	return p
}

func TestMaturityInVerdicts(t *testing.T) {
	base, cand := randomRows(25, 100), randomRows(26, 100)
	late := cand
	late.ts = slices.Clone(cand.ts)
	for i := range late.ts {
		late.ts[i] += 80e6
	}
	day := 24 * time.Hour
	cut := func(s int) (b, c *analysis.Snapshot) {
		return collectMature(t, second(s), base), collectMature(t, second(s), late)
	}
	look := func(p *analysis.Policy, b, c *analysis.Snapshot, now time.Time) (analysis.Verdict, map[string]analysis.Finding) {
		v, err := analysis.Evaluate(p, b, c, nil, now)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]analysis.Finding{}
		for _, f := range v.Findings {
			by[f.Check+"/"+f.Code] = f
		}
		return v, by
	}

	// The candidate has been served from second 80 on, so that its first label
	// counts at second 140.
	p := maturePolicy(analysis.NoData, "no_labels")
	b, c := cut(70)
	v, fs := look(p, b, c, second(130))
	f := fs["quality/no_labels"]
	if f.Outcome != analysis.Insufficient || !strings.HasSuffix(f.Message, "No row is older than the 1m that labels take to mature; the first ones will be on 1970-01-01T00:02:20Z.") {
		t.Errorf("no label is mature: %v, %s", f.Outcome, f.Message)
	}
	if v.Decision != analysis.Pause || v.Resume != analysis.Auto || v.CheckAfter != 5*time.Minute {
		t.Errorf("%v %v, look again after %v", v.Decision, v.Resume, v.CheckAfter)
	}
	p.Labels.Maturity = 14 * day
	v, fs = look(p, collectMature(t, second(80).Add(-14*day), base), collectMature(t, second(80).Add(-14*day), late), second(180))
	if want := 14*day - 100*time.Second; v.CheckAfter != want {
		t.Errorf("look again after %v, want %v when the candidate's first label is mature: %s", v.CheckAfter, want, fs["quality/no_labels"].Message)
	}
	p.Labels.Maturity = time.Minute

	// Evidence that was collected long ago stays as it was.
	_, fs = look(p, b, c, second(10000))
	if f := fs["quality/no_labels"]; !strings.Contains(f.Message, "when the evidence was collected") {
		t.Errorf("old evidence: %s", f.Message)
	}

	// An outage is an outage whatever the age of labels.
	_, fs = look(maturePolicy(analysis.NoData, "column_absent"), b, c, second(130))
	if f := fs["quality/column_absent"]; f.Outcome != analysis.NoData {
		t.Errorf("an absent column: %v", f.Outcome)
	}

	// With mature labels nothing is said, and the findings stand.
	b, c = cut(120)
	v, fs = look(maturePolicy(analysis.Pass, "margin"), b, c, second(180))
	if v.Decision != analysis.Continue || len(fs) != 2 {
		t.Errorf("%v with findings %v", v.Decision, fs)
	}

	// Arms that were cut at different times are not compared, but for what does not
	// rest on labels.
	other := collectMature(t, second(100), base)
	v, fs = look(maturePolicy(analysis.Harm, "margin"), other, c, second(180))
	if f := fs["evidence/label_maturity"]; f.Outcome != analysis.Invalid || !f.Local || v.Decision != analysis.Pause || v.Resume != analysis.Manual {
		t.Errorf("cut differently: %v, %v %v", f.Outcome, v.Decision, v.Resume)
	}
	if !fs["quality/margin"].Untrusted || fs["errors/code"].Untrusted {
		t.Error("what rests on labels is to be untrusted, and nothing else")
	}
	if p := maturePolicy(analysis.Pass, "margin"); true {
		p.Checks = p.Checks[:1]
		if v, _ := look(p, other, c, second(180)); v.Decision != analysis.Continue {
			t.Errorf("no check rests on labels: %v", v.Decision)
		}
	}

	// Labels that are younger than the policy wants are a warning.
	for _, arms := range [][2]*analysis.Snapshot{{b, c}, {collectMature(t, time.Time{}, base), collectMature(t, time.Time{}, late)}} {
		v, fs = look(maturePolicy(analysis.Pass, "margin"), arms[0], arms[1], second(179))
		if f := fs["evidence/labels_not_cut"]; f.Outcome != analysis.Warn || v.Decision != analysis.Continue {
			t.Errorf("younger labels: %v, %v", f.Outcome, v.Decision)
		}
	}
	if p := maturePolicy(analysis.Pass, "margin"); !p.MatureBefore(second(180)).Equal(second(120)) {
		t.Error("the cutoff is not the time of the look less the maturity")
	}
}
