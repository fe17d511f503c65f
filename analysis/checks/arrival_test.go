package checks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// TestLabelsArrive: arms that differ in how many of their rows have labels.
func TestLabelsArrive(t *testing.T) {
	const n = 4000
	base := scored(1, n, 0)
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
		p := policy(looks, checks.Labels{})
		for from, want := range map[int]analysis.Outcome{n: analysis.Pass, n * 99 / 100: analysis.Pass, n * 95 / 100: analysis.Inconclusive, n * 4 / 5: analysis.Harm} {
			is(t, only(t, run(t, p, base, unlabelled(scored(2, n, 0), from)), "label_arrival"), want)
			is(t, only(t, run(t, p, unlabelled(base, from), scored(2, n, 0)), "label_arrival"), want) // in either arm
		}
		// Labels that are late in both arms alike are no difference.
		is(t, only(t, run(t, p, unlabelled(base, n/2), unlabelled(scored(2, n, 0), n/2)), "label_arrival"), analysis.Pass)
	}
	p := policy(analysis.Once, checks.Labels{})
	is(t, only(t, run(t, p, unlabelled(base, 0), unlabelled(base, 0)), "no_labels"), analysis.NoData)
	is(t, only(t, run(t, p, table{"score": base["score"]}, table{"score": base["score"]}), "no_labels"), analysis.NoData)
	is(t, only(t, run(t, p, base, unlabelled(base, 0)), "label_arrival"), analysis.Harm)
	for _, arms := range [][2]table{{nil, nil}, {base, nil}, {nil, base}} {
		is(t, only(t, run(t, p, arms[0], arms[1]), "no_data"), analysis.NoData)
	}
	old := evidence(p, collect(t, p, base), collect(t, p, base))
	old.Compared = analysis.FixedReference
	fs, err := p.Checks[0].Check.Run(old)
	if err != nil {
		t.Fatal(err)
	}
	is(t, only(t, fs, "not_concurrent"), analysis.Invalid)
	p.Columns.Label = ""
	is(t, only(t, run(t, p, base, base), "no_column"), analysis.NoData)
}

// TestLabelsOnFlights: the candidate's labels of the last fifth of the month are
// taken away. That is what is found, and nothing else.
func TestLabelsOnFlights(t *testing.T) {
	p := policy(analysis.Once, checks.Labels{})
	p.Columns = analysis.Columns{Score: "score", Label: "label"}
	p.Checks = append(p.Checks, analysis.CheckEntry{Check: checks.Expected{Column: "score", Threshold: 0.25}},
		analysis.CheckEntry{Check: checks.Collapse{}})
	base, cand := flights(t, "baseline"), flights(t, "candidate")
	labels := cand["label"].(maybe)
	n := rowsOf(t, cand)
	cut := with(cand, "label", maybe{labels.values, draw(n, func(i int) bool {
		return i < n*4/5 && (labels.valid == nil || labels.valid[i])
	})})
	for name, c := range map[string]table{"sound": cand, "cut": cut} {
		b, k := collect(t, p, base), collect(t, p, c)
		for _, e := range p.Checks {
			fs, err := e.Check.Run(evidence(p, b, k))
			if err != nil {
				t.Fatal(err)
			}
			sound(t, fs)
			for _, f := range fs {
				if want := f.Code == "label_arrival" && name == "cut"; (f.Outcome == analysis.Harm) != want || !want && f.Outcome != analysis.Pass {
					t.Errorf("%s: %s is %v: %s", name, f.Code, f.Outcome, f.Message)
				}
			}
		}
	}
	f := only(t, run(t, p, base, flights(t, "candidate_broken")), "label_arrival")
	is(t, f, analysis.Harm)
	if !strings.Contains(f.Message, "late or lost") {
		t.Error(f.Message)
	}
}

const cappedPolicy = `version: 1
columns: {score: score, label: label, time: ts, unit: id}
labels: {maturity: 10d}
stages:
  - {name: small, weight: 5}
  - {name: large, weight: 20}
checks:
  - {check: labels, max_weight: 20, min_mature: 300}
`

// TestLabelsCap: a rollout goes as far as the cap, waits there for labels with the
// time at which they ripen, and goes on when they are there.
func TestLabelsCap(t *testing.T) {
	p, err := analysis.LoadPolicy("policy.yaml", []byte(cappedPolicy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	day := func(d float64) time.Time { return time.UnixMicro(int64(d * 24 * 3600e6)).UTC() }
	look := func(stage string, now float64, from, to float64) (analysis.Verdict, []analysis.Finding) {
		cutoff := p.MatureBefore(day(now))
		b := lateArm(t, 1, p, from, to, 20000, cutoff)
		c := lateArm(t, 2, p, from, to, 5000, cutoff)
		v, err := p.Evaluate(analysis.Look{Stage: stage, Now: day(now), Evidence: []analysis.StageEvidence{{Stage: stage, Baseline: b, Candidate: c}}})
		if err != nil {
			t.Fatal(err)
		}
		return v, v.Findings
	}
	capped := func(fs []analysis.Finding) bool {
		for _, f := range fs {
			if f.Code == "label_cap" {
				return true
			}
		}
		return false
	}
	if _, fs := look("small", 22, 0, 11); capped(fs) {
		t.Error("the cap holds in a stage below it")
	}
	v, fs := look("large", 22, 13, 14) // the first label is ripe on day 23
	f := only(t, fs, "label_cap")
	is(t, f, analysis.Insufficient)
	if v.Decision != analysis.Pause || v.Resume != analysis.Auto || !strings.Contains(f.Message, "the first ones will be on 1970-01-24") || !strings.Contains(f.Message, "goes no further than a stage of 20%") {
		t.Errorf("%v %v: %s", v.Decision, v.Resume, f.Message)
	}
	_, fs = look("large", 22, 11.95, 13) // some are ripe
	f = only(t, fs, "label_cap")
	is(t, f, analysis.Insufficient)
	if f.UnitsNeeded == 0 || !strings.Contains(f.Message, "old enough on 1970-01-2") {
		t.Error(f.Message)
	}
	_, fs = look("large", 22, 0, 11)
	is(t, only(t, fs, "label_cap"), analysis.Pass)
	is(t, only(t, fs, "label_arrival"), analysis.Pass)
}
