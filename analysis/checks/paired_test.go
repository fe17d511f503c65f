package checks_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// pairPolicy is a policy with one paired check.
func pairPolicy(t testing.TB, head, entry string) *analysis.Policy {
	t.Helper()
	text := "version: 1\n" + head + "\npairs: {baseline: champion_score, candidate: challenger_score}\nchecks:\n  - " + entry + "\n"
	p, err := analysis.LoadPolicy("p.yaml", []byte(text), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	binaryHead = "columns: {label: label}\nactions: {rules: [{name: block, at_least: 0.25}, {name: review, at_least: 0.15}, {name: allow}]}\n"
	onceHead   = "looks: once\n" + binaryHead
)

// pairsOf collects pairs for the policy from columns.
func pairsOf(t testing.TB, p *analysis.Policy, tab table) *analysis.PairSnapshot {
	t.Helper()
	spec, err := p.PairSpec()
	if err != nil {
		t.Fatal(err)
	}
	c, err := analysis.NewPairCollector(spec)
	if err != nil {
		t.Fatal(err)
	}
	b := &analysis.Batch{Rows: rowsOf(t, tab)}
	for _, name := range spec.Spec().Names() {
		b.Columns = append(b.Columns, column(t, tab[name]))
	}
	if err := c.Add(b); err != nil {
		t.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shadow is the log of testdata in which both models scored the same flights.
func shadow(t testing.TB) table {
	t.Helper()
	type flight struct {
		Origin     string  `parquet:"origin"`
		Champion   float64 `parquet:"champion_score"`
		Challenger float64 `parquet:"challenger_score"`
		Label      *bool   `parquet:"label,optional"`
	}
	rows, err := parquet.ReadFile[flight](filepath.Join(statstest.Root(t), "testdata", "flights", "shadow.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	var origin []string
	var a, b []float64
	var y maybe
	labels := make([]bool, len(rows))
	for i, r := range rows {
		origin, a, b = append(origin, r.Origin), append(a, r.Champion), append(b, r.Challenger)
		y.valid = append(y.valid, r.Label != nil)
		labels[i] = r.Label != nil && *r.Label
	}
	y.values = labels
	return table{"origin": origin, "champion_score": a, "challenger_score": b, "label": y}
}

// found runs the check of the policy on pairs.
func found(t testing.TB, p *analysis.Policy, stages ...*analysis.PairSnapshot) []analysis.Finding {
	t.Helper()
	ev := &analysis.Evidence{Policy: p, Alpha: 0.05, NoHarmAlpha: 0.05}
	for _, s := range stages {
		ev.Strata = append(ev.Strata, analysis.Stratum{Pairs: s})
		ev.Pairs = s
	}
	fs, err := p.Checks[0].Check.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

func detailsOf(f analysis.Finding) map[string]float64 {
	out := map[string]float64{}
	for _, d := range f.Details {
		out[d.Name] = float64(d.Value)
	}
	return out
}

func TestPairedReference(t *testing.T) {
	ref, log := statstest.Load(t, "pairs"), shadow(t)
	near := func(c statstest.Case, key string, got float64) {
		t.Helper()
		statstest.Near(t, c.Name+": "+key, got, statstest.Float(t, c.Want, key), max(c.RTol, 1e-12), c.ATol)
	}

	for _, c := range ref.ByFunc(t, "accuracy") {
		threshold := statstest.Float(t, c.In, "threshold")
		p := pairPolicy(t, onceHead, fmt.Sprintf("{check: paired, margin: 0.5pp, at: [%v]}", threshold))
		f := found(t, p, pairsOf(t, p, log))[0]
		d := detailsOf(f)
		near(c, "b", d["regressions"])
		near(c, "c", d["fixes"])
		near(c, "n", float64(f.N.Candidate))
		near(c, "greater", float64(f.P))
		near(c, "tpr", -d["tpr_change"])
		near(c, "fpr", -d["fpr_change"])
		var neg, pos []float64
		statstest.Decode(t, c.Want, "negative", &neg)
		statstest.Decode(t, c.Want, "positive", &pos)
		for i, name := range []string{"above_both", "above_only_baseline", "above_only_candidate", "above_neither"} {
			if got := [2]float64{d[name], d[name+"_positive_rate"]}; got != [2]float64{neg[i] + pos[i], pos[i] / (neg[i] + pos[i])} {
				t.Errorf("%s: %s: %v", c.Name, name, got)
			}
		}
		// The interval of a finding at 5% on each side is that of level 90%.
		v, err := stats.Tango(uint64(d["regressions"]), uint64(d["fixes"]), f.N.Candidate, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(v.Estimate.Hi, f.Estimate.Hi); d != "" {
			t.Errorf("%s: upper end (-want +got):\n%s", c.Name, d)
		}
		q := pairPolicy(t, binaryHead, fmt.Sprintf("{check: paired, margin: 0.5pp, at: [%v]}", threshold))
		near(c, "log_e", float64(found(t, q, pairsOf(t, q, log))[0].LogE))
	}

	p := pairPolicy(t, onceHead, "{check: paired, metric: auc, margin: 0.5pp}")
	f := found(t, p, pairsOf(t, p, log))[0]
	for _, c := range ref.ByFunc(t, "auc") {
		d := detailsOf(f)
		near(c, "positives", d["positives"])
		nearRaw(t, c, f)
	}
	for _, c := range ref.ByFunc(t, "auc_near_zero") {
		y := statstest.Floats(t, c.In, "label")
		labels := make([]bool, len(y))
		for i := range y {
			labels[i] = y[i] == 1
		}
		nearRaw(t, c, found(t, p, pairsOf(t, p, table{"label": labels, "champion_score": statstest.Floats(t, c.In, "baseline"), "challenger_score": statstest.Floats(t, c.In, "candidate")}))[0])
	}

	p = pairPolicy(t, onceHead, "{check: paired, metric: churn, margin: 20%}")
	f = found(t, p, pairsOf(t, p, log))[0]
	for _, c := range ref.ByFunc(t, "churn") {
		near(c, "churn", f.Estimate.Point)
		near(c, "stuart_maxwell", detailsOf(f)["stuart_maxwell"])
	}

	p = pairPolicy(t, onceHead+"slices: [{columns: [origin], cap: 500}]\n", "{check: paired, margin: 0.5pp, at: [0.25], slices: true}")
	bySlice := map[string]analysis.Finding{}
	for _, f := range found(t, p, pairsOf(t, p, log)) {
		bySlice[f.Slice["origin"]] = f
	}
	for _, c := range ref.ByFunc(t, "slice") {
		var origin string
		statstest.Decode(t, c.In, "origin", &origin)
		f, ok := bySlice[origin]
		if !ok {
			t.Fatalf("no finding about %s", origin)
		}
		near(c, "b", detailsOf(f)["regressions"])
		near(c, "c", detailsOf(f)["fixes"])
		near(c, "n", float64(f.N.Candidate))
	}

	for _, c := range ref.ByFunc(t, "abs_error") {
		p := pairPolicy(t, "looks: once\ntask: regression\ncolumns: {label: label}", "{check: paired, metric: abs_error, margin: 1, min_units: 50}")
		f := found(t, p, pairsOf(t, p, table{"label": statstest.Floats(t, c.In, "label"), "champion_score": statstest.Floats(t, c.In, "baseline"), "challenger_score": statstest.Floats(t, c.In, "candidate")}))[0]
		near(c, "mean", f.Estimate.Point)
		near(c, "lo", f.Estimate.Lo)
		near(c, "hi", f.Estimate.Hi)
		near(c, "baseline", detailsOf(f)["baseline_mean"])
		near(c, "candidate", detailsOf(f)["candidate_mean"])
	}
}

// nearRaw holds a comparison of AUCs against DeLong's on the scores themselves.
func nearRaw(t *testing.T, c statstest.Case, f analysis.Finding) {
	t.Helper()
	d := detailsOf(f)
	for key, got := range map[string]float64{"difference": f.Estimate.Point, "auc_a": d["auc_baseline"], "auc_b": d["auc_candidate"]} {
		if want := statstest.Float(t, c.Want, key); math.Abs(got-want) > d["cells_hide"] {
			t.Errorf("%s: %s: %v, want %v give or take the %v that the cells may hide", c.Name, key, got, want, d["cells_hide"])
		}
	}
	if se := statstest.Float(t, c.Want, "se"); d["se"] < 0.98*se || d["se"] > 1.03*se || d["cells_hide"] > 0.08*se {
		t.Errorf("%s: SE %v of %v, and the cells hide %v", c.Name, d["se"], se, d["cells_hide"])
	}
}

// synthetic are pairs with so many regressions, fixes and other rows at threshold
// 0.5, of which the last have no label.
func synthetic(regressions, fixes, agree, unlabelled int) table {
	n := regressions + fixes + agree + unlabelled
	a, b, y, known, market := make([]float64, n), make([]float64, n), make([]bool, n), make([]bool, n), make([]string, n)
	for i := range n {
		a[i], b[i], known[i] = 0.2, 0.2, i < n-unlabelled
		switch {
		case i < regressions: // a negative that the candidate alone calls positive
			b[i] = 0.7
		case i < regressions+fixes:
			a[i] = 0.7
		}
		market[i] = []string{"DE", "FR"}[i%2]
	}
	return table{"champion_score": a, "challenger_score": b, "label": maybe{y, known}, "market": market}
}

const halfHead = "columns: {label: label}\nslices: [market]"

func TestPairedOutcomes(t *testing.T) {
	for _, tc := range []struct {
		name, looks, entry string
		tab                table
		want               analysis.Outcome
		text               string
	}{
		{"harm", "continuous", "{check: paired, margin: 1pp}", synthetic(300, 40, 2000, 0), analysis.Harm,
			"300 are regressions (the baseline is right, the candidate wrong) and 40 are fixes; 0 more pairs have no label"},
		{"harm, once", "once", "{check: paired, margin: 1pp}", synthetic(90, 40, 1000, 50), analysis.Harm, "50 more pairs have no label and do not count. Net regressions: 4.42 pp"},
		{"pass", "continuous", "{check: paired, margin: 2pp}", synthetic(20, 25, 8000, 0), analysis.Pass, "limit 2 pp."},
		{"pass, once", "once", "{check: paired, margin: 1pp}", synthetic(10, 12, 2000, 0), analysis.Pass, "limit 1 pp."},
		{"undecided", "once", "{check: paired, margin: 1pp}", synthetic(20, 12, 800, 0), analysis.Inconclusive, "more would settle it"},
		{"few", "once", "{check: paired, margin: 40pp}", synthetic(0, 1, 30, 0), analysis.Insufficient, "too few to pass; 19 more"},
		{"no labels", "once", "{check: paired, margin: 1pp}", synthetic(0, 0, 0, 500), analysis.NoData, "None of the 500 pairs has a label"},
		{"churn", "once", "{check: paired, metric: churn, margin: 5%}", synthetic(100, 100, 800, 100), analysis.Harm, "Of 1,100 pairs, labelled or not, 100 get a higher action from the candidate and 100 a lower one"},
		{"churn passes", "continuous", "{check: paired, metric: churn, margin: 5%}", synthetic(30, 30, 5000, 0), analysis.Pass, "limit 5%."},
		{"auc of one class", "once", "{check: paired, metric: auc, margin: 1pp}", synthetic(10, 10, 100, 0), analysis.Insufficient, "0 positive and 120 negative"},
	} {
		p := pairPolicy(t, "looks: "+tc.looks+"\n"+halfHead, tc.entry)
		f := found(t, p, pairsOf(t, p, tc.tab))[0]
		if f.Outcome != tc.want || !strings.Contains(f.Message, tc.text) {
			t.Errorf("%s: %v: %s", tc.name, f.Outcome, f.Message)
		}
	}
}

// A margin on few regressions is not called exceeded on the word of an
// approximation: the exact test has to agree.
func TestPairedNeedsTheExactTest(t *testing.T) {
	p := pairPolicy(t, "looks: once\n"+halfHead, "{check: paired, margin: 0pp}")
	f := found(t, p, pairsOf(t, p, synthetic(4, 0, 100, 0)))[0] // P = 1/16, and Tango's end is above 0
	if v, err := stats.Tango(4, 0, 104, 0.9); err != nil || v.Estimate.Lo <= 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	if f.Outcome == analysis.Harm || float64(f.P) != 1.0/16 {
		t.Errorf("%v at p = %v: %s", f.Outcome, f.P, f.Message)
	}
}

// Pairs of stages add up: both models see each request, so that no share of the
// traffic is in them.
func TestPairedAddsStages(t *testing.T) {
	p := pairPolicy(t, halfHead, "{check: paired, margin: 1pp}")
	whole := found(t, p, pairsOf(t, p, synthetic(60, 20, 1000, 4)))
	parts := found(t, p, pairsOf(t, p, synthetic(50, 5, 100, 4)), pairsOf(t, p, synthetic(10, 15, 900, 0)))
	if d := cmp.Diff(jsonOf(t, whole), jsonOf(t, parts)); d != "" {
		t.Errorf("(-one stage +two):\n%s", d)
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPairedUnsound(t *testing.T) {
	p := pairPolicy(t, halfHead, "{check: paired, margin: 1pp}")
	lost := synthetic(10, 10, 980, 0)
	lost["champion_score"] = maybe{lost["champion_score"], append(repeat(false, 50), repeat(true, 950)...)}
	for name, tc := range map[string]struct {
		tab   table
		spoil func(*analysis.PairSnapshot)
		code  string
		want  analysis.Outcome
		text  string
	}{
		"one side":      {synthetic(10, 10, 980, 0), func(s *analysis.PairSnapshot) { s.OnlyBaseline = 15 }, "unpaired_ids", analysis.Invalid, "15 of 1,015 ids were scored by one model only (15 by the baseline, 0 by the candidate), which is 1.48%; at most 1% may be"},
		"duplicates":    {synthetic(10, 10, 980, 0), func(s *analysis.PairSnapshot) { s.DuplicateCandidate = 30 }, "duplicate_ids", analysis.Invalid, "30 rows repeat an id"},
		"within limits": {synthetic(10, 10, 980, 0), func(s *analysis.PairSnapshot) { s.OnlyBaseline, s.DuplicateCandidate = 5, 5 }, "net_regressions", analysis.Inconclusive, "Net regressions"},
		"no scores":     {lost, func(*analysis.PairSnapshot) {}, "unusable_scores", analysis.Invalid, "50 of 1,000 pairs lack a usable score (50 of the baseline, 0 of the candidate), which is 5%"},
		"no rows":       {synthetic(0, 0, 0, 0), func(*analysis.PairSnapshot) {}, "no_pairs", analysis.NoData, "has no rows"},
	} {
		s := pairsOf(t, p, tc.tab)
		tc.spoil(s)
		f := found(t, p, s)[0]
		if f.Code != tc.code || f.Outcome != tc.want || !strings.Contains(f.Message, tc.text) {
			t.Errorf("%s: %s %v: %s", name, f.Code, f.Outcome, f.Message)
		}
	}
	if f := found(t, p)[0]; f.Outcome != analysis.NoData || f.Code != "no_pairs" {
		t.Errorf("no pairs: %v: %s", f.Outcome, f.Message)
	}
}

// Requests without a label are never counted as good ones.
func TestPairedShowsUnlabelled(t *testing.T) {
	p := pairPolicy(t, "looks: once\n"+halfHead, "{check: paired, margin: 1pp}")
	tab := synthetic(0, 0, 100, 10)
	for i := 100; i < 110; i++ {
		tab["challenger_score"].([]float64)[i] = 0.9
	}
	f := found(t, p, pairsOf(t, p, tab))[0]
	text := map[string]string{}
	for _, d := range f.Details {
		text[d.Name] = d.Text
	}
	if d := detailsOf(f); d["above_only_candidate"] != 10 || d["above_only_candidate_labelled"] != 0 || text["above_only_candidate_positive_rate"] != "unlabelled" || d["unlabelled"] != 10 {
		t.Errorf("%v, rate %q", d, text["above_only_candidate_positive_rate"])
	}
}

func TestPairedSlices(t *testing.T) {
	p := pairPolicy(t, "looks: once\n"+halfHead, "{check: paired, margin: 1pp, slices: true}")
	fs := found(t, p, pairsOf(t, p, synthetic(300, 40, 2000, 0)))
	if len(fs) != 2 || fs[0].Slice["market"] != "DE" || fs[0].Outcome != analysis.Harm || float64(fs[0].Alpha) != 0.025 || !strings.Contains(fs[1].Message, "In market=FR: ") {
		t.Errorf("%s", jsonOf(t, fs))
	}
	fs = found(t, p, pairsOf(t, p, synthetic(5, 3, 100, 0)))
	if len(fs) != 1 || fs[0].Outcome != analysis.Insufficient || len(fs[0].Warnings) != 1 {
		t.Errorf("%s", jsonOf(t, fs))
	}
}

// At any number of looks, equal models are seldom called worse.
func TestPairedKeepsItsError(t *testing.T) {
	p := pairPolicy(t, halfHead, "{check: paired, margin: 0pp}")
	r := rand.New(rand.NewPCG(11, 1))
	alarms := 0
	const runs = 60
	for range runs {
		b, c, n := 0, 0, 0
		for range 12 {
			for range 100 {
				n++
				switch x := r.Float64(); {
				case x < 0.05:
					b++
				case x < 0.10:
					c++
				}
			}
			if found(t, p, pairsOf(t, p, synthetic(b, c, n-b-c, 0)))[0].Outcome == analysis.Harm {
				alarms++
				break
			}
		}
	}
	if alarms > 6 { // P(Bin(60, 0.05) > 6) is below 3%
		t.Errorf("%d of %d equal models were called worse", alarms, runs)
	}
}

func TestPairedBuilderRefuses(t *testing.T) {
	for entry, want := range map[string]string{
		"{check: paired}":                                      "margin is missing",
		"{check: paired, margin: 2x}":                          "2x is not a difference of shares",
		"{check: paired, margin: 5%}":                          "5% is not a difference of shares",
		"{check: paired, metric: abs_error, margin: 1}":        "abs_error is for a regression task",
		"{check: paired, metric: loss, margin: 1pp}":           `unknown word "loss"`,
		"{check: paired, margin: 1pp, at: [0]}":                "the threshold 0 is not above 0",
		"{check: paired, margin: 1pp, at: []}":                 "no threshold is given",
		"{check: paired, margin: 1pp, baseline: reference}":    "pairs hold both models already",
		"{check: paired, margin: 1pp, max_unpaired: 2x}":       "2x is not a share",
		"{check: paired, metric: auc, margin: 1pp, at: [0.5]}": "unknown key at",
		"{check: paired, margin: 1pp, slices: true}":           "the policy declares no slices",
	} {
		text := "version: 1\ncolumns: {label: label}\npairs: {baseline: a, candidate: b}\nchecks:\n  - " + entry + "\n"
		if _, err := analysis.LoadPolicy("p.yaml", []byte(text), checks.Builtin()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
	_, err := analysis.LoadPolicy("p.yaml", []byte("version: 1\nchecks: [{check: paired, metric: churn, margin: 5%}]\n"), checks.Builtin())
	if err == nil || !strings.Contains(err.Error(), "add pairs: {baseline: champion, candidate: challenger}") {
		t.Errorf("without the section: %v", err)
	}
}
