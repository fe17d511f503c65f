package checks_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

func loadText(t *testing.T, format string, args ...any) *analysis.Policy {
	t.Helper()
	p, err := analysis.LoadPolicy("p.yaml", []byte(fmt.Sprintf(format, args...)), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestErrorsOfOneAreNoShare: errors of whole ratings are 0 and 1, and their root mean
// square is no share of rows. Nothing may be proven of a rise that is not there.
func TestErrorsOfOneAreNoShare(t *testing.T) {
	p := loadText(t, "version: 1\ntask: regression\nlooks: once\ncolumns: {score: p, label: y}\nchecks:\n  - {check: guardrail, metric: rmse, bounds: {pause: 0.2}}\n")
	rng := rand.New(rand.NewPCG(1, 9))
	log := func(n int, share float64) table {
		y := make([]float64, n)
		for i := range y {
			if rng.Float64() < share {
				y[i] = 1
			}
		}
		return table{"p": make([]float64, n), "y": y}
	}
	passed := 0
	for range 200 { // an RMSE of 0.25 against a bound of 0.2, from 100 rows
		f := only(t, run(t, p, nil, log(100, 0.25*0.25)), "pause_bound")
		if f.Outcome == analysis.Pass {
			passed++
		}
	}
	if passed > 18 { // 5% of 200, and 2.6 standard errors
		t.Errorf("%d of 200 pass, want about 10 at most", passed)
	}
	f := only(t, run(t, p, nil, log(20000, 0.25*0.25)), "pause_bound")
	is(t, f, analysis.Harm)
	if strings.Contains(f.Message, "25%") {
		t.Errorf("a root mean square is told as a share: %s", f.Message)
	}
}

// TestMacroF1WaitsForRareClasses: a class that one arm hardly has is no harm, and all
// right is no reason to wait for ever.
func TestMacroF1WaitsForRareClasses(t *testing.T) {
	p := loadText(t, "version: 1\ntask: multiclass\nlooks: once\ncolumns: {label: y, prediction: g}\nchecks:\n  - {check: guardrail, metric: macro_f1, margin: 2pp, severity: rollback}\n")
	perfect := func(n int, more ...string) table {
		y := draw(n, func(i int) string { return []string{"cat", "dog"}[i%2] })
		g := slices.Clone(y)
		for _, m := range more {
			y, g = append(y, m), append(g, "cat")
		}
		return table{"y": y, "g": g}
	}
	rare := only(t, run(t, p, perfect(3000), perfect(3000, "cow")), "rare_class")
	is(t, rare, analysis.Insufficient)
	if !strings.Contains(rare.Message, "class cow") {
		t.Error(rare.Message)
	}
	is(t, only(t, run(t, p, perfect(3000), perfect(3000)), "margin"), analysis.Pass)
	is(t, only(t, run(t, p, perfect(60), perfect(60)), "margin"), analysis.Inconclusive)
}

// TestLossOfUnknownClasses: rows of a class without a probability have no loss, and
// what is left is not all.
func TestLossOfUnknownClasses(t *testing.T) {
	const format = "version: 1\ntask: multiclass\nlooks: once\ncolumns: {label: y, classes: {cat: p, dog: q}}\nchecks: [{check: %s}]\n"
	log := table{
		"y": draw(3000, func(i int) string { return []string{"cat", "dog", "bird"}[i%3] }),
		"p": draw(3000, func(int) float64 { return 0.5 }), "q": draw(3000, func(int) float64 { return 0.5 }),
	}
	f := only(t, run(t, loadText(t, format, "guardrail, metric: log_loss, margin: 5%"), log, log), "unknown_class")
	is(t, f, analysis.Invalid)
	fs := run(t, loadText(t, format, "schema"), log, log)
	if len(fs) != 2 || fs[0].Code != "invalid_labels" || fs[1].Outcome != analysis.Invalid || !strings.Contains(fs[1].Message, "no class") {
		t.Errorf("%+v", fs)
	}
}

// TestActionsThatAreNotKnown: a cap on irreversible actions is not kept by rows of
// which nobody knows what was done.
func TestActionsThatAreNotKnown(t *testing.T) {
	const n = 1000
	known := make([]bool, n)
	for i := range 3 {
		known[i] = true
	}
	action := maybe{repeat("block", n), known}
	log := table{"score": repeat(0.9, n), "action": action, "label": yes(0, n), "id": draw(n, func(i int) int64 { return int64(i) })}
	p := threeRules(policy(analysis.Once, checks.Actions{MaxIrreversible: 5}))
	f := only(t, run(t, p, log, log), "blast_radius_count")
	is(t, f, analysis.Insufficient)
	if !strings.Contains(f.Message, "997 more rows") {
		t.Error(f.Message)
	}
}

// TestDiscoverNeverPassesUnseen: a search that found nothing is no proof.
func TestDiscoverNeverPassesUnseen(t *testing.T) {
	r := random(4)
	log := func() table {
		n := 4000
		return table{"score": draw(n, func(int) float64 { return math.Round(r.Float64()*100) / 100 }), "label": draw(n, func(int) bool { return r.Float64() < 0.5 }),
			"country": draw(n, func(i int) string { return []string{"DE", "FR", "IT"}[i%3] }), "id": draw(n, func(i int) int64 { return r.Int64() })}
	}
	for _, f := range run(t, policy(analysis.Once, checks.Discover{Of: over("country")}), log(), log()) {
		if f.Code == "no_weak_slice" && f.Outcome == analysis.Pass && strings.Contains(f.Message, "found no slice") {
			t.Errorf("passes: %s", f.Message)
		}
	}
	text := "version: 1\ncolumns: {score: s, label: y, unit: id}\nslices: [country]\nchecks: [{check: discover, severity: pause%s}]\n"
	if _, err := analysis.LoadPolicy("p.yaml", []byte(fmt.Sprintf(text, "")), checks.Builtin()); err == nil || !strings.Contains(err.Error(), "add required: false") {
		t.Errorf("a rollout that waits for discover: %v", err)
	}
	loadText(t, text, ", required: false")
}
