package checks_test

import (
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// heavyUnits are 1,000 units of one row and 40 of 20 rows. Those alone have positive
// labels, and all rows of the first hit of them are above the threshold.
func heavyUnits(hit int) table {
	tab := table{}
	var id []int64
	var score []float64
	var label []bool
	var country []string
	for u := range 1040 {
		rows, s, c := 1, 0.1, "small"
		if u < 40 {
			rows, c = 20, "large"
			if u < hit {
				s = 0.9
			}
		}
		for range rows {
			id, score, label, country = append(id, int64(u)), append(score, s), append(label, u < 40), append(country, c)
		}
	}
	tab["id"], tab["score"], tab["label"], tab["country"] = id, score, label, country
	return tab
}

// 30 of 40 units against 20 of 40 prove nothing at an error of 0.5%, however many rows
// they have: Fisher's exact P is 1.9%. The 1,000 others say nothing about recall.
func TestPartsTakeTheLargestUnits(t *testing.T) {
	for name, entry := range map[string]string{
		"recall":             "{check: guardrail, metric: recall, threshold: 0.5, margin: 0.1pp}",
		"accuracy of slices": "{check: slices, metric: accuracy, threshold: 0.5, margin: 0.1pp}",
	} {
		text := "version: 1\nlooks: once\ncolumns: {score: score, label: label, unit: id}\nslices: [country]\nchecks:\n  - " + entry + "\n"
		p, err := analysis.LoadPolicy("p.yaml", []byte(text), checks.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		ev := evidence(p, collect(t, p, heavyUnits(30)), collect(t, p, heavyUnits(20)))
		ev.Alpha = 0.005
		fs, err := p.Checks[0].Check.Run(ev)
		if err != nil {
			t.Fatal(err)
		}
		judged := false
		for _, f := range fs {
			judged = judged || f.Outcome == analysis.Inconclusive
			if f.Outcome == analysis.Harm {
				t.Errorf("%s: %s", name, f.Message)
			}
		}
		if !judged {
			t.Errorf("%s: nothing was judged: %v", name, fs)
		}
	}
}

// The same of pairs in a slice: 16 units of 50 rows in which only the candidate is
// wrong and 5 in which only the baseline is have P = 1.3% by McNemar's exact test.
func TestPairedSlicesTakeTheLargestUnits(t *testing.T) {
	p := pairPolicy(t, "looks: once\ncolumns: {label: label, unit: id}\nslices: [market]", "{check: paired, margin: 0pp, slices: true}")
	var id []int64
	var a, b []float64
	var market []string
	for u := range 4040 {
		rows, x, y, m := 1, 0.2, 0.2, "small"
		if u < 40 {
			rows, m = 50, "large"
		}
		switch {
		case u < 16:
			y = 0.7
		case u < 21:
			x = 0.7
		}
		for range rows {
			id, a, b, market = append(id, int64(u)), append(a, x), append(b, y), append(market, m)
		}
	}
	s := pairsOf(t, p, table{"id": id, "champion_score": a, "challenger_score": b, "label": repeat(false, len(id)), "market": market})
	fs, err := p.Checks[0].Check.Run(&analysis.Evidence{Policy: p, Pairs: s, Alpha: 0.01, NoHarmAlpha: analysis.NoHarmAlpha})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if f.Slice["market"] == "large" && f.Outcome == analysis.Harm {
			t.Errorf("%v: %s", f.Outcome, f.Message)
		}
	}
}

// 19 of 40 units that should have a positive label in 30% of them are no proof of a
// bad calibration at an error of 0.5% on a side, whatever 10,000 units of one row say: the
// probability of as many is 1.5%.
func TestCalibrationTakesTheLargestUnits(t *testing.T) {
	var id []int64
	var score []float64
	var label []bool
	for u := range 10040 {
		rows, s, y := 1, 0.01, u%100 == 0
		if u < 40 {
			rows, s, y = 20, 0.3, u < 19
		}
		for range rows {
			id, score, label = append(id, int64(u)), append(score, s), append(label, y)
		}
	}
	p := calibrationPolicy(analysis.Once, checks.Calibration{Ratio: 1e-9}, false)
	p.Columns.Unit = "id"
	ev := evidence(p, nil, collect(t, p, table{"id": id, "score": score, "label": label}))
	ev.Alpha = 0.01
	fs, err := p.Checks[0].Check.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	if f := only(t, fs, "calibration_ratio"); f.Outcome != analysis.Inconclusive {
		t.Errorf("%v: %s", f.Outcome, f.Message)
	}
}

// In a search for weak slices, too: 60 units of 50 rows have a value of their own.
func TestDiscoverTakesTheLargestUnits(t *testing.T) {
	text := "version: 1\nlooks: once\ncolumns: {score: score, label: label, unit: id, features: [a]}\nchecks:\n  - {check: discover, columns: [a], metric: error, threshold: 0.5}\n"
	p, err := analysis.LoadPolicy("p.yaml", []byte(text), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	log := func(seed int64, wrong int) *analysis.Snapshot {
		var id []int64
		var a []string
		var label []bool
		for u := range 6000 {
			rows, v := 1, []string{"x", "y", "z"}[u%3]
			if u%100 == 0 {
				rows, v = 50, "bot"
			}
			for range rows {
				id, a, label = append(id, seed+int64(u)), append(a, v), append(label, u%10 == 1 || rows > 1 && u%1000 < wrong)
			}
		}
		return collect(t, p, table{"id": id, "a": a, "label": label, "score": repeat(0.1, len(id))})
	}
	ev := evidence(p, log(0, 300), log(1<<32, 600)) // 18 and 36 of 60 units
	ev.Alpha = 0.01
	fs, err := p.Checks[0].Check.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if f.Outcome == analysis.Harm {
			t.Errorf("%s", f.Message)
		}
	}
}
