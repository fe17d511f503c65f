package checks_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// forecasts are labels drawn from probabilities around a fifth, and the scores that a
// model makes of these.
func forecasts(seed uint64, n int, model func(p float64) float64) table {
	r := random(seed)
	scores, labels, country := make([]float64, n), make([]bool, n), make([]string, n)
	for i := range scores {
		p := 1 / (1 + math.Exp(1.6-1.2*r.NormFloat64()))
		labels[i] = r.Float64() < p
		scores[i] = min(1, max(0, model(p)))
		country[i] = []string{"DE", "DE", "DE", "FR", "FR", "JP"}[r.IntN(6)]
	}
	return table{"score": scores, "label": labels, "country": country}
}

func honest(p float64) float64 { return p }

// extreme doubles the log odds.
func extreme(p float64) float64 { return p * p / (p*p + (1-p)*(1-p)) }

// calibrationPolicy looks at the score with cuts and, if asked for, slices.
func calibrationPolicy(looks analysis.LooksKind, c checks.Calibration, sliced bool) *analysis.Policy {
	c.Column = "score"
	p := policy(looks, c)
	p.Columns = analysis.Columns{Score: "score", Label: "label"}
	p.Actions.Rules = []analysis.ActionRule{{Name: "block", AtLeast: 0.6}, {Name: "allow", AtLeast: math.Inf(-1)}}
	if sliced {
		p.Slices = []analysis.SliceSpec{{Columns: []analysis.SliceColumn{{Name: "country"}}}}
	}
	return p
}

// allLooks are the ways of looking.
var allLooks = []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous}

// TestCalibrationSound: a calibrated candidate passes with enough rows, in every way
// of looking, overall, around the cut and in the large slices.
func TestCalibrationSound(t *testing.T) {
	base, cand := forecasts(1, 2000, honest), forecasts(2, 160000, honest)
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		c := checks.Calibration{Planned: 200000, MinUnits: 1000}
		fs := run(t, calibrationPolicy(looks, c, true), base, cand)
		for _, f := range fs {
			if len(f.Slice) == 0 && f.Code != "calibration_band" {
				is(t, f, analysis.Pass)
			}
			if f.Outcome == analysis.Harm {
				t.Errorf("%v: %s", looks, f.Message)
			}
		}
		if f := only(t, fs, "calibration_band"); f.Outcome != analysis.Pass || !strings.Contains(f.Message, "rounded to cells") {
			t.Errorf("%v: band %v: %s", looks, f.Outcome, f.Message)
		}
	}
}

// TestCalibrationFinds: what is planted, and which finding tells of it.
func TestCalibrationFinds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		model func(p float64) float64
		codes []string
		says  string
	}{
		{"scores times 1.6", func(p float64) float64 { return 1.6 * p }, []string{"calibration_ratio", "calibration_error"}, "% too high: "},
		{"scores by half", func(p float64) float64 { return p / 2 }, []string{"calibration_ratio", "calibration_error"}, "% too low: "},
		{"twice the log odds", extreme, []string{"calibration_slope", "calibration_error"}, "Scores are too extreme"},
		{"half the log odds", func(p float64) float64 { return math.Sqrt(p) / (math.Sqrt(p) + math.Sqrt(1-p)) }, []string{"calibration_slope", "calibration_error"}, "Scores are too timid"},
		// O/E is 1 and the slope near it: only bins tell.
		{"a swap in the middle", func(p float64) float64 {
			switch {
			case p > 0.1 && p <= 0.2:
				return p + 0.1
			case p > 0.2 && p <= 0.3:
				return p - 0.1
			}
			return p
		}, []string{"calibration_error"}, "Scores miss the observed rates by "},
	} {
		cand := forecasts(4, 40000, tc.model)
		for _, looks := range allLooks {
			fs := run(t, calibrationPolicy(looks, checks.Calibration{}, false), nil, cand)
			text := ""
			for _, code := range tc.codes {
				f := only(t, fs, code)
				if f.Outcome != analysis.Harm {
					t.Errorf("%s, looks %v: %s is %v: %s", tc.name, looks, code, f.Outcome, f.Message)
				}
				text += f.Message
			}
			if !strings.Contains(text, tc.says) {
				t.Errorf("%s: %s", tc.name, text)
			}
		}
	}
}

// TestCalibrationAtTheCut: scores that are right but for those around the cut.
func TestCalibrationAtTheCut(t *testing.T) {
	cand := forecasts(5, 60000, func(p float64) float64 {
		if p > 0.40 && p < 0.56 {
			return p + 0.16
		}
		return p
	})
	for _, looks := range allLooks {
		fs := run(t, calibrationPolicy(looks, checks.Calibration{}, false), nil, cand)
		is(t, only(t, fs, "calibration_band"), analysis.Harm)
		if f := only(t, fs, "calibration_ratio"); f.Outcome == analysis.Harm {
			t.Error(f.Message)
		}
	}
}

// TestCalibrationInSlices: one slice is wrong, and said to be.
func TestCalibrationInSlices(t *testing.T) {
	base, cand := forecasts(6, 6000, honest), forecasts(7, 30000, honest)
	scores, country := cand["score"].([]float64), cand["country"].([]string)
	for i := range scores {
		if country[i] == "JP" {
			scores[i] = min(1, 1.8*scores[i])
		}
	}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		c := checks.Calibration{}
		fs := run(t, calibrationPolicy(looks, c, true), base, cand)
		for _, f := range fs {
			wrong := f.Slice["country"] == "JP"
			if len(f.Slice) > 0 && (f.Outcome == analysis.Harm) != wrong {
				t.Errorf("looks %v: %v %s is %v: %s", looks, f.Slice, f.Code, f.Outcome, f.Message)
			}
			if wrong && !strings.HasPrefix(f.Message, "Where country=JP: ") {
				t.Error(f.Message)
			}
		}
		// A slice too small is named, and not waited for.
		c.MinUnits = 1500
		fs = run(t, calibrationPolicy(looks, c, true), base, forecasts(7, 30000, honest))
		if f := only(t, fs[:1], "calibration_ratio"); !has(f, checks.WarnSmallSlices) || !strings.Contains(f.Warnings[len(f.Warnings)-1].Message, "country=JP") {
			t.Errorf("warnings %v", f.Warnings)
		}
		if slices.ContainsFunc(fs, func(f analysis.Finding) bool { return f.Slice["country"] == "JP" }) {
			t.Error("a slice that is not waited for has a finding")
		}
		// One that is named has to be there.
		c.Of, c.Values = []analysis.SliceColumn{{Name: "country"}}, [][]string{{"JP"}, {"XX"}}
		fs = run(t, calibrationPolicy(looks, c, true), base, cand)
		is(t, only(t, fs, "slice_missing"), analysis.NoData)
	}
}

// TestCalibrationBudget: the error of all findings together is what the evidence
// allots, and a Harm is found at that of its own.
func TestCalibrationBudget(t *testing.T) {
	for _, looks := range allLooks {
		for _, sliced := range []bool{false, true} {
			sum := 0.0
			for _, f := range run(t, calibrationPolicy(looks, checks.Calibration{MCB: 0.01}, sliced), forecasts(8, 1500, honest), forecasts(9, 1500, honest)) {
				sum += f.Alpha
			}
			if sum > 0.05+1e-12 || sum < 0.01 {
				t.Errorf("looks %v, sliced %v: the findings spend %v of 0.05", looks, sliced, sum)
			}
		}
	}
}

// TestCalibrationDegenerate: every kind of nothing is an outcome, never a pass.
func TestCalibrationDegenerate(t *testing.T) {
	base := forecasts(10, 500, honest)
	part := func(n int, score func(i int) float64, label func(i int) bool) table {
		return table{"score": draw(n, score), "label": draw(n, label), "country": repeat("DE", n)}
	}
	third := func(i int) bool { return i%3 == 0 }
	spread := func(i int) float64 { return float64(i%97+1) / 100 }
	for _, tc := range []struct {
		name string
		cand table
		code string
		want analysis.Outcome
	}{
		{"no rows", nil, "no_data", analysis.NoData},
		{"no labels", table{"score": draw(900, spread), "label": maybe{draw(900, third), repeat(false, 900)}, "country": repeat("DE", 900)}, "no_labels", analysis.NoData},
		{"no score", table{"label": draw(900, third), "country": repeat("DE", 900)}, "column_absent", analysis.Invalid},
		{"scores of text", table{"score": repeat("x", 900), "label": draw(900, third), "country": repeat("DE", 900)}, "type_unusable", analysis.Invalid},
		{"scores out of range", part(900, func(int) float64 { return 7 }, third), "no_labels", analysis.NoData},
		{"one class", part(900, spread, func(int) bool { return false }), "one_class", analysis.Insufficient},
		{"the other class", part(900, spread, func(int) bool { return true }), "one_class", analysis.Insufficient},
		{"one score", part(9000, func(int) float64 { return 0.5 }, third), "no_variation", analysis.Inconclusive},
		{"zeros", part(900, func(int) float64 { return 0 }, third), "no_value", analysis.Invalid},
		{"two rows", part(2, spread, third), "calibration_ratio", analysis.Insufficient},
		{"one row", part(1, spread, third), "calibration_error", analysis.Insufficient},
		{"separated", part(9700, spread, func(i int) bool { return spread(i) > 0.5 }), "separated", analysis.Insufficient},
	} {
		for _, looks := range allLooks {
			fs := run(t, calibrationPolicy(looks, checks.Calibration{}, false), base, tc.cand)
			f := only(t, fs, tc.code)
			if f.Outcome != tc.want {
				t.Errorf("%s, looks %v: %s is %v, want %v: %s", tc.name, looks, tc.code, f.Outcome, tc.want, f.Message)
			}
			if !slices.ContainsFunc(fs, func(f analysis.Finding) bool { return f.Outcome != analysis.Pass }) {
				t.Errorf("%s: everything passes", tc.name)
			}
		}
	}
	// Without a baseline the limits of the candidate hold all the same.
	for _, f := range run(t, calibrationPolicy(analysis.Once, checks.Calibration{MCB: 0.01}, false), nil, forecasts(11, 100000, honest)) {
		is(t, f, analysis.Pass)
	}
}

// TestCalibrationConstant: a constant score that is right has O/E 1 and no bins
// but one; a constant that is wrong is Harm without a slope.
func TestCalibrationConstant(t *testing.T) {
	for _, looks := range allLooks {
		for score, want := range map[float64]analysis.Outcome{0.25: analysis.Pass, 0.5: analysis.Harm, 0: analysis.Invalid, 1: analysis.Harm} {
			n := 60000
			cand := table{"score": repeat(score, n), "label": draw(n, func(i int) bool { return i%4 == 0 }), "country": repeat("DE", n)}
			fs := run(t, calibrationPolicy(looks, checks.Calibration{}, false), nil, cand)
			if fs[0].Outcome != want {
				t.Errorf("score %v, looks %v: %v: %s", score, looks, fs[0].Outcome, fs[0].Message)
			}
		}
	}
}

// TestCalibrationCoverage: labels lost in one arm make the findings untrusted.
func TestCalibrationCoverage(t *testing.T) {
	base, cand := forecasts(12, 5000, honest), forecasts(13, 5000, honest)
	cand["label"] = maybe{cand["label"], draw(5000, func(i int) bool { return i < 4000 })}
	fs := run(t, calibrationPolicy(analysis.Continuous, checks.Calibration{}, false), base, cand)
	f := only(t, fs, "label_coverage")
	is(t, f, analysis.Invalid)
	if f.Check != "calibration" || !f.Local {
		t.Errorf("%+v", f)
	}
	for _, f := range fs {
		if f.Code != "label_coverage" && !f.Untrusted {
			t.Errorf("%s is trusted", f.Code)
		}
	}
}

// TestCalibrationRepeats: rows of one unit do not count as independent.
func TestCalibrationRepeats(t *testing.T) {
	for _, looks := range allLooks {
		p := calibrationPolicy(looks, checks.Calibration{}, false)
		p.Columns.Unit = "id"
		cand := forecasts(14, 20000, honest)
		cand["id"] = ids(0, 20000)
		alone := run(t, p, nil, cand)
		cand["id"] = draw(20000, func(i int) int64 { return int64(i / 10) })
		joint := run(t, p, nil, cand)
		for i := range alone {
			a, j := alone[i].Estimate, joint[i].Estimate
			if !(j.Hi >= a.Hi && j.Lo <= a.Lo) && alone[i].Code != "calibration_error" {
				t.Errorf("looks %v: %s: %v with units apart, %v with ten rows a unit", looks, alone[i].Code, a, j)
			}
			if !has(joint[i], stats.WarnRepeatedUnits) || has(alone[i], stats.WarnRepeatedUnits) {
				t.Errorf("%s: warnings %v and %v", alone[i].Code, alone[i].Warnings, joint[i].Warnings)
			}
		}
	}
}

// TestCalibrationMerges: shards in any order give the same findings, to the byte.
func TestCalibrationMerges(t *testing.T) {
	p := calibrationPolicy(analysis.Continuous, checks.Calibration{}, true)
	base, cand := collect(t, p, forecasts(15, 3000, honest)), forecasts(16, 9000, extreme)
	cut := func(from, to int) table { return cand.pick(func(i int) bool { return i >= from && i < to }) }
	shards := []*analysis.Snapshot{collect(t, p, cut(0, 100)), collect(t, p, cut(100, 4000)), collect(t, p, cut(4000, 9000))}
	var first []byte
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}, {1, 2, 0}} {
		var parts []*analysis.Snapshot
		for _, i := range order {
			parts = append(parts, shards[i])
		}
		merged, err := analysis.MergeSnapshots(parts...)
		if err != nil {
			t.Fatal(err)
		}
		fs, err := p.Checks[0].Check.Run(evidence(p, base, merged))
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(fs)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		} else if !bytes.Equal(first, got) {
			t.Errorf("order %v: %s", order, cmp.Diff(string(first), string(got)))
		}
	}
	whole, err := p.Checks[0].Check.Run(evidence(p, base, collect(t, p, cand)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(whole); err != nil || !bytes.Equal(first, got) {
		t.Errorf("%v: in one pass: %s", err, cmp.Diff(string(first), string(got)))
	}
}

// TestCalibrationStages: stages add up for the candidate; arms are compared within.
func TestCalibrationStages(t *testing.T) {
	p := calibrationPolicy(analysis.Continuous, checks.Calibration{}, false)
	p.Stages = []analysis.Stage{{Name: "canary", Weight: 10}, {Name: "half", Weight: 50}}
	// Scores run 40% high at night, in both arms; the canary ran by day.
	night := func(p float64) float64 { return 1.4 * p }
	b1, c1 := forecasts(17, 20000, honest), forecasts(18, 2000, honest)
	b2, c2 := forecasts(19, 2000, night), forecasts(20, 20000, night)
	ev := evidence(p, collect(t, p, b2), collect(t, p, c2))
	ev.Stage = "half"
	ev.Strata = []analysis.Stratum{
		{Stage: "canary", Split: analysis.Split{Baseline: 0.9, Candidate: 0.1}, Baseline: collect(t, p, b1), Candidate: collect(t, p, c1)},
		{Stage: "half", Split: analysis.Split{Baseline: 0.1, Candidate: 0.9}, Baseline: ev.Baseline, Candidate: ev.Candidate},
	}
	fs, err := p.Checks[0].Check.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, fs)
	f := only(t, fs, "calibration_ratio")
	is(t, f, analysis.Harm)
	if f.N.Candidate != 22000 {
		t.Errorf("the candidate has %d rows, want those of both stages", f.N.Candidate)
	}
	i := slices.IndexFunc(f.Details, func(d analysis.Detail) bool { return d.Name == "ln O/E against the baseline" })
	if i < 0 || math.Abs(float64(f.Details[i].Value)) > 0.06 {
		t.Errorf("the arms, which do not differ within a stage, differ by %v", f.Details)
	}
}

// TestCalibrationMCB: the miscalibration against the baseline is judged when looks are
// counted.
func TestCalibrationMCB(t *testing.T) {
	base, sound, bent := forecasts(21, 8000, honest), forecasts(22, 8000, honest), forecasts(23, 8000, extreme)
	count := func(fs []analysis.Finding) int {
		n := 0
		for _, f := range fs {
			if f.Code == "calibration_mcb" {
				n++
			}
		}
		return n
	}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		counted := 1
		if looks == analysis.Continuous {
			counted = 0
		}
		fs := run(t, calibrationPolicy(looks, checks.Calibration{}, false), base, bent)
		if n := count(fs); n != counted {
			t.Fatalf("looks %v: %d findings about MCB", looks, n)
		}
		if counted == 0 {
			continue
		}
		is(t, only(t, fs, "calibration_mcb"), analysis.Harm)
		is(t, only(t, run(t, calibrationPolicy(looks, checks.Calibration{}, false), base, sound), "calibration_mcb"), analysis.Pass)
	}
}

// TestCalibrationRefuses: settings that make no sense, and tasks without a class.
func TestCalibrationRefuses(t *testing.T) {
	p := calibrationPolicy(analysis.Once, checks.Calibration{}, false)
	ev := evidence(p, nil, collect(t, p, forecasts(24, 100, honest)))
	for _, c := range []checks.Calibration{{Ratio: -1}, {Slope: math.NaN()}, {Error: math.Inf(1)}, {Band: 2}, {MCB: -0.1}, {Values: [][]string{{"DE"}}}} {
		if _, err := c.Run(ev); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	p.Task = analysis.Multiclass
	if _, err := (checks.Calibration{}).Run(ev); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("multiclass: %v", err)
	}
}

func TestBuildCalibration(t *testing.T) {
	for entry, want := range map[string]checks.Calibration{
		"{check: calibration, severity: pause}": {Column: "score"},
		"{check: calibration, slice: []}":       {Column: "score", Overall: true},
		"{check: calibration, ratio: 0.2, slope: 0.3, error: 0.05, mcb: 0.001, band: 10%, min_units: 100, band_units: 30, planned: 4000, small: wait}": {
			Column: "score", Ratio: 0.2, Slope: 0.3, Error: 0.05, MCB: 0.001, Band: 0.1, MinUnits: 100, BandUnits: 30, Planned: 4000, Wait: true},
	} {
		p, err := load(entry)
		if err != nil {
			t.Error(err)
			continue
		}
		if d := cmp.Diff(want, p.Checks[0].Check); d != "" || p.Checks[0].Severity != analysis.SeverityPause {
			t.Errorf("%s, %v (-want +got):\n%s", entry, p.Checks[0].Severity, d)
		}
	}
	for entry, want := range map[string]string{
		"{check: calibration, ratio: 0}":                              "ratio: 0 is not a limit above 0",
		"{check: calibration, error: 2}":                              "2 is not a limit above 0 and up to 1",
		"{check: calibration, band: 2x}":                              "2x is not a share between 0 and 1, such as 25%",
		"{check: calibration, column: amount}":                        "calibration is that of the score",
		"{check: calibration, slice: [country]}":                      "the policy declares no slices of country",
		"{check: calibration, values: [DE]}":                          "say of which slices these are values",
		"{check: calibration, slop: 1}":                               "unknown key slop; did you mean slope?",
		"{check: calibration}\ntask2: 1":                              "unknown key task2",
		"{check: calibration, small: never}":                          `unknown word "never"`,
		"{check: calibration, small: warn, min_units: -1}":            "min_units must be a whole number",
		"{check: calibration, slope: 0.1, error: 0.1, ratio: 10.5pp}": "ratio must be a plain number",
	} {
		if _, err := load(entry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
	const head = "version: 1\nmodel: {name: m, baseline: v1, candidate: v2}\nchecks:\n  - {check: calibration}\n"
	for rest, want := range map[string]string{
		"columns: {label: y}":                              "no score to look at",
		"columns: {score: s}":                              "calibration needs labels",
		"columns: {score: s, label: y}\ntask: regression":  "the task is regression: only probabilities can be calibrated",
		"columns: {score: s, label: y}\ntask: multiclass":  "a multiclass task needs columns.label and",
		"columns: {label: y, score: s}\nslices: [country]": "",
	} {
		_, err := analysis.LoadPolicy("p.yaml", []byte(head+rest+"\n"), checks.Builtin())
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rest, err, want)
		}
	}
}

// TestCalibrationLoadsTheSample: the sample policy of the documentation loads, and
// its slices are collected for this check.
func TestCalibrationLoadsTheSample(t *testing.T) {
	data, err := os.ReadFile("../testdata/policy/load/notbuilt.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := analysis.LoadPolicy("policy.yaml", data, checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	last := p.Checks[len(p.Checks)-1]
	if d := cmp.Diff(analysis.Check(checks.Calibration{Column: "score"}), last.Check); d != "" || last.Severity != analysis.SeverityPause || !last.Required {
		t.Errorf("%+v (-want +got):\n%s", last, d)
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	if len(spec.Slices) != 3 || !slices.Contains(spec.Slices[0].Measures, "score") {
		t.Errorf("slices %+v", spec.Slices)
	}
}
