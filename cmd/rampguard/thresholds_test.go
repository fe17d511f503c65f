package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// thresholds runs the command and returns what it printed, or its error.
func thresholds(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newThresholds(&out, &errs)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(context.Background())
	return out.String(), err
}

func onFlights(candidate string, more ...string) []string {
	return append([]string{"--policy", flights + "policy.yaml", "--baseline", flights + "baseline.parquet", "--candidate", flights + candidate + ".parquet"}, more...)
}

func thresholdsOf(t *testing.T, args ...string) thresholdsReport {
	t.Helper()
	out, err := thresholds(t, append(args, "--format", "json")...)
	if err != nil {
		t.Fatal(err)
	}
	var r thresholdsReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return r
}

// TestThresholdsReference: rates, thresholds of equal rate and outcomes on the real
// logs are those that pandas finds.
func TestThresholdsReference(t *testing.T) {
	ref := statstest.Load(t, "thresholds")
	const cell = 1.0 / 2048
	for _, candidate := range []string{"candidate", "candidate_broken"} {
		r := thresholdsOf(t, onFlights(candidate)...)
		bad := thresholdsOf(t, onFlights(candidate, "--keep", "bad-rate")...)
		for _, c := range ref.ByFunc(t, "threshold") {
			var name string
			if statstest.Decode(t, c.In, "candidate", &name); name != candidate {
				continue
			}
			want := func(key string) float64 { return statstest.Float(t, c.Want, key) }
			for i, x := range r.Thresholds {
				if x.AtLeast != statstest.Float(t, c.In, "at") {
					continue
				}
				statstest.Near(t, c.Name+" baseline", x.Baseline, want("baseline"), c.RTol, c.ATol)
				statstest.Near(t, c.Name+" candidate", x.Candidate, want("candidate"), c.RTol, c.ATol)
				statstest.Near(t, c.Name+" threshold", x.New, want("above"), 0, cell)
				if rate := want("rate"); !(x.Rate.Lo <= rate+1e-4 && rate-1e-4 <= x.Rate.Hi) || !(x.Below <= rate+1e-4 && rate-1e-4 <= x.Above) {
					t.Errorf("%s: rate %v is not within %+v, %v, %v", c.Name, rate, x.Rate, x.Below, x.Above)
				}
				if x.Difference.Lo > want("lo")+1e-4 || x.Difference.Hi < want("hi")-1e-4 {
					t.Errorf("%s: difference %v does not hold [%v, %v]", c.Name, x.Difference, want("lo"), want("hi"))
				}
				y := bad.Thresholds[i]
				statstest.Near(t, c.Name+" bad rate", y.BadRate.Point, want("bad_rate"), c.RTol, c.ATol)
				statstest.Near(t, c.Name+" threshold of equal bad rate", y.New, want("bad_cut"), 0, 2*cell)
				if y.NewBadRate.Point > y.BadRate.Point {
					t.Errorf("%s: bad rate %v is above %v", c.Name, y.NewBadRate.Point, y.BadRate.Point)
				}
			}
		}
		for _, c := range ref.ByFunc(t, "outcome") {
			var name, arm, action string
			statstest.Decode(t, c.In, "arm", &arm)
			statstest.Decode(t, c.In, "action", &action)
			if statstest.Decode(t, c.In, "candidate", &name); name != candidate {
				continue
			}
			for _, a := range r.Actions {
				o := map[string]outcome{"baseline": a.Baseline, "candidate": a.Candidate}[arm]
				if a.Action != action {
					continue
				}
				near := func(what string, got float64) {
					t.Helper()
					statstest.Near(t, c.Name+" "+what, got, statstest.Float(t, c.Want, what), c.RTol, c.ATol)
				}
				near("rows", float64(o.Labelled+o.Unlabelled))
				near("positive", float64(o.Positive))
				near("labelled", float64(o.Labelled))
				near("lo", o.Rate.Lo)
				near("hi", o.Rate.Hi)
			}
		}
	}
}

// TestThresholdsText: what a person reads. The numbers are those of
// TestThresholdsReference; this is about the words.
func TestThresholdsText(t *testing.T) {
	got, err := thresholds(t, onFlights("candidate")...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/thresholds.txt")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

// TestThresholdsOutput: the new policy differs in the thresholds and their version
// only, and loads.
func TestThresholdsOutput(t *testing.T) {
	out := filepath.Join(t.TempDir(), "new.yaml")
	text, err := thresholds(t, onFlights("candidate", "--output", out)...)
	if err != nil || !strings.Contains(text, out) {
		t.Fatalf("%v in %s", err, text)
	}
	r := thresholdsOf(t, onFlights("candidate")...)
	was, err := os.ReadFile(flights + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(`version: "2001-03"`, `version: "2001-03-equal-rate"`, "at_least: 0.25", "at_least: "+shortest(r.Thresholds[0].New), "at_least: 0.15", "at_least: "+shortest(r.Thresholds[1].New)).Replace(string(was))
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
	p, err := analysis.LoadPolicy(out, got, checks.Builtin())
	if err != nil || p.Actions.Rules[1].AtLeast != r.Thresholds[1].New {
		t.Errorf("%v, %+v", err, p)
	}
	if _, err := thresholds(t, onFlights("candidate", "--output", out)...); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a file that exists: %v", err)
	}
	if _, err := thresholds(t, onFlights("candidate", "--output", out, "--force", "--set-version", "2001-04")...); err != nil {
		t.Error(err)
	}
	if got, err = os.ReadFile(out); err != nil || !strings.Contains(string(got), `version: "2001-04"`) {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestThresholdsAgree: with the new thresholds the candidate acts on as many rows as
// the baseline, counted exactly by the check.
func TestThresholdsAgree(t *testing.T) {
	r := thresholdsOf(t, onFlights("candidate_broken")...)
	n, above := 0, map[int]int{}
	for _, row := range readFlights(t, "candidate_broken.parquet") {
		n++
		for i, x := range r.Thresholds {
			if row.Score >= x.New {
				above[i]++
			}
		}
	}
	for i, x := range r.Thresholds {
		if rate := float64(above[i]) / float64(n); !(x.Rate.Lo <= rate && rate <= x.Rate.Hi) || rate < x.Below || rate > x.Above {
			t.Errorf("%s: %v of the rows are at or above %v, said to be %+v", x.Action, rate, x.New, x.Rate)
		}
	}
}

// TestEditThresholds: comments, order, quotes and other numbers stay.
func TestEditThresholds(t *testing.T) {
	for name, tc := range map[string]struct {
		was, want   string
		ofCandidate bool
	}{
		"block style": {
			"# é at_least: 0.9\nactions:\n  rules:   # first\n  - name: block # why\n    at_least: 0.90   # until May\n  - {at_least: 5e-1, name: é}\n  - name: allow\n  version: 'v1' # at_least\nchecks: []\n",
			"# é at_least: 0.9\nactions:\n  rules:   # first\n  - name: block # why\n    at_least: 0.8   # until May\n  - {at_least: 0.25, name: é}\n  - name: allow\n  version: \"v2\" # at_least\nchecks: []\n", false},
		"JSON": {
			`{"actions": {"version": "v1", "rules": [{"name": "é", "at_least": 0.9}, {"name": "b", "at_least": 0.1}]}}`,
			`{"actions": {"version": "v2", "rules": [{"name": "é", "at_least": 0.8}, {"name": "b", "at_least": 0.25}]}}`, false},
		"the candidate's": {
			"actions: {version: v0, rules: [{name: a, at_least: 0.9}, {name: b, at_least: 0.1}], candidate: {version: v1, rules: [{name: a, at_least: 0.9}, {name: b, at_least: 0.1}]}}",
			"actions: {version: v0, rules: [{name: a, at_least: 0.9}, {name: b, at_least: 0.1}], candidate: {version: \"v2\", rules: [{name: a, at_least: 0.8}, {name: b, at_least: 0.25}]}}", true},
	} {
		got, err := editThresholds([]byte(tc.was), tc.ofCandidate, []float64{0.8, 0.25}, "v2")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(tc.want, string(got)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for was, want := range map[string]string{
		"":                                  "empty",
		"actions: {rules: [{at_least: 1}]}": "no version",
		"actions: {version: v1, rules: [{at_least: 1}]}":                          "1 thresholds",
		"actions: {version: \"v\\x31\", rules: [{at_least: 1}, {at_least: 0.5}]}": "line 1, column 20",
		"actions: {version: v1, rules: [{at_least: 1}, {at_least: 0.5}, {x: 1}]":  "",
	} {
		if _, err := editThresholds([]byte(was), false, []float64{0.8, 0.25}, "v2"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", was, err, want)
		}
	}
	if got := decimal(1e-9); got != "1e-09" {
		t.Error(got)
	}
}

func TestThresholdsErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const checked = "version: 1\nchecks: [{check: schema}]\n"
	with := func(policy string, more ...string) []string {
		return append([]string{"--policy", policy, "--baseline", flights + "baseline.parquet", "--candidate", flights + "candidate.parquet"}, more...)
	}
	plain := write("plain.yaml", checked+"columns: {score: score}\nactions: {rules: [{name: block, at_least: 0.25}, {name: allow}]}\n")
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"keep":          {onFlights("candidate", "--keep", "all"), "use rate or bad-rate"},
		"format":        {onFlights("candidate", "--format", "xml"), "--format"},
		"version alone": {onFlights("candidate", "--set-version", "v2"), "--output"},
		"same version":  {onFlights("candidate", "--set-version", "2001-03", "--output", filepath.Join(dir, "same.yaml")), "need another version"},
		"no policy":     {with(filepath.Join(dir, "none.yaml")), "none.yaml"},
		"over an input": {onFlights("candidate", "--output", flights+"policy.yaml", "--force"), "would replace an input"},
		"no folder":     {onFlights("candidate", "--output", filepath.Join(dir, "no", "x.yaml")), "there is no folder"},
		"time":          {onFlights("candidate", "--at", "noon"), "--at"},
		"no candidate":  {[]string{"--policy", flights + "policy.yaml", "--baseline", flights + "baseline.parquet"}, "no data for the candidate"},
		"no actions":    {with(write("bare.yaml", checked+"columns: {score: score}\n")), "no actions"},
		"no threshold":  {with(write("all.yaml", checked+"columns: {score: score}\nactions: {rules: [{name: allow}]}\n")), "takes every score"},
		"multiclass":    {with(write("multi.yaml", checked+"task: regression\ncolumns: {score: score}\nactions: {rules: [{name: a, at_least: 0.5}, {name: b}]}\n")), "binary"},
		"no labels":     {with(plain, "--keep", "bad-rate"), "columns.label"},
		"no score":      {with(write("absent.yaml", checked+"columns: {score: absent}\nactions: {rules: [{name: block, at_least: 0.25}, {name: allow}]}\n")), "no row has a score"},
		"no version":    {with(plain, "--output", filepath.Join(dir, "new.yaml"), "--set-version", "v2"), "no version to change"},
	} {
		out, err := thresholds(t, tc.args...)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
		if out != "" {
			t.Errorf("%s: printed %s", name, out)
		}
	}
}

// TestThresholdsWithoutVersion: thresholds that have no version get none.
func TestThresholdsWithoutVersion(t *testing.T) {
	dir := t.TempDir()
	was, out := filepath.Join(dir, "was.yaml"), filepath.Join(dir, "new.yaml")
	if err := os.WriteFile(was, []byte("version: 1\nchecks: [{check: schema}]\ncolumns: {score: score}\nactions: {rules: [{name: block, at_least: 0.25}, {name: allow}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := thresholds(t, "--policy", was, "--baseline", flights+"baseline.parquet", "--candidate", flights+"candidate.parquet", "--output", out); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil || strings.Contains(string(b), "equal-rate") || strings.Contains(string(b), "at_least: 0.25}") {
		t.Errorf("%v\n%s", err, b)
	}
}

// TestThresholdWords: the sentence about a threshold, at its edges.
func TestThresholdWords(t *testing.T) {
	for want, x := range map[string]threshold{
		"as many": {Baseline: 0.1, Candidate: 0.1}, "50% more": {Baseline: 0.1, Candidate: 0.15}, "3 times as many": {Baseline: 0.1, Candidate: 0.3},
		"50% fewer": {Baseline: 0.1, Candidate: 0.05}, "where the baseline has none": {Candidate: 0.1},
	} {
		if got := times(x); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := doubtful(located{0.1, 0.05, 0.2}); got != "10% (5% to 20%)" {
		t.Error(got)
	}
	r := thresholdsReport{HasOwn: true, Thresholds: []threshold{{BadRate: &stats.Interval{}, NewBadRate: &stats.Interval{}}}}
	if v := r.variants(actionOutcome{}); len(v) != 4 {
		t.Errorf("%d candidates", len(v))
	}
}
