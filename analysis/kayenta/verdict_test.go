package kayenta_test

import (
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/kayenta"
)

func TestVerdict(t *testing.T) {
	good, worse, none := pair(around(10, 30), around(10, 29)), pair(around(10, 30), around(20, 30)), pair(around(10, 30), nil)
	broken := pair([]float64{1}, []float64{2})
	four := func(first kayenta.Canary) kayenta.Config {
		c := one(first)
		for _, name := range []string{"n", "o", "p"} {
			m := c.Metrics[0]
			m.Name, m.Analysis = name, kayenta.Analysis{}
			c.Metrics = append(c.Metrics, m)
		}
		return c
	}
	for _, c := range []struct {
		name     string
		first    kayenta.Canary
		pairs    [4]kayenta.Pair
		th       kayenta.Thresholds
		class    kayenta.Class
		decision analysis.Decision
		resume   analysis.Resume
		outcome  analysis.Outcome
	}{
		{"all well", kayenta.Canary{}, [4]kayenta.Pair{good, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassPass, analysis.Continue, analysis.Auto, analysis.Pass},
		{"one worse", kayenta.Canary{}, [4]kayenta.Pair{worse, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassMarginal, analysis.Pause, analysis.Manual, analysis.Harm},
		{"two worse", kayenta.Canary{}, [4]kayenta.Pair{worse, worse, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassFail, analysis.Rollback, analysis.Manual, analysis.Harm},
		{"critical worse", kayenta.Canary{Critical: true}, [4]kayenta.Pair{worse, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassFail, analysis.Rollback, analysis.Manual, analysis.Harm},
		{"critical worse, rest missing", kayenta.Canary{Critical: true}, [4]kayenta.Pair{worse, none, none, none}, kayenta.NewThresholds(95, 75), kayenta.ClassFail, analysis.Rollback, analysis.Manual, analysis.Harm},
		{"critical missing", kayenta.Canary{Critical: true}, [4]kayenta.Pair{none, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassFail, analysis.Pause, analysis.Auto, analysis.NoData},
		{"half missing", kayenta.Canary{}, [4]kayenta.Pair{none, none, worse, good}, kayenta.NewThresholds(95, 75), kayenta.ClassFail, analysis.Pause, analysis.Auto, analysis.NoData},
		{"required missing", kayenta.Canary{MustHaveData: true}, [4]kayenta.Pair{none, good, good, good}, kayenta.NewThresholds(95, 80), kayenta.ClassFail, analysis.Pause, analysis.Auto, analysis.NoData},
		{"required missing, marginal", kayenta.Canary{MustHaveData: true}, [4]kayenta.Pair{none, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassMarginal, analysis.Pause, analysis.Auto, analysis.NoData},
		{"one missing", kayenta.Canary{}, [4]kayenta.Pair{none, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassPass, analysis.Continue, analysis.Auto, analysis.Pass},
		{"one in error", kayenta.Canary{}, [4]kayenta.Pair{broken, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassPass, analysis.Pause, analysis.Manual, analysis.Invalid},
		{"all in error", kayenta.Canary{}, [4]kayenta.Pair{broken, broken, broken, broken}, kayenta.NewThresholds(95, 75), kayenta.ClassPass, analysis.Pause, analysis.Manual, analysis.Invalid},
		{"error and harm", kayenta.Canary{}, [4]kayenta.Pair{broken, worse, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassFail, analysis.Rollback, analysis.Manual, analysis.Harm},
		{"muted worse", kayenta.Canary{Muted: true}, [4]kayenta.Pair{worse, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassPass, analysis.Continue, analysis.Auto, analysis.Pass},
		{"muted in error", kayenta.Canary{Muted: true}, [4]kayenta.Pair{broken, good, good, good}, kayenta.NewThresholds(95, 75), kayenta.ClassPass, analysis.Continue, analysis.Auto, analysis.Pass},
		{"thresholds that pass nothing at all", kayenta.Canary{}, [4]kayenta.Pair{none, none, none, none}, kayenta.NewThresholds(0, 0), kayenta.ClassPass, analysis.Pause, analysis.Auto, analysis.NoData},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, name := range []string{"m", "n", "o", "p"} {
				c.pairs[i].Name = name
			}
			r, err := kayenta.Judge(four(c.first), c.pairs[:], c.th)
			if err != nil {
				t.Fatal(err)
			}
			a := kayenta.Verdict(r)
			if r.Score.Classification != c.class || a.Decision != c.decision || a.Resume != c.resume || a.Findings[0].Outcome != c.outcome {
				t.Errorf("%s, %v %v, %v: %s\nwant %s, %v %v, %v", r.Score.Classification, a.Decision, a.Resume, a.Findings[0].Outcome, a.Reason.Text, c.class, c.decision, c.resume, c.outcome)
			}
			if a.Reason.Code == "" || a.Reason.Text == "" || len(a.Findings) != 5 {
				t.Errorf("reason %+v, %d findings", a.Reason, len(a.Findings))
			}
			agreesWithTable(t, a)
		})
	}
}

// agreesWithTable holds the decision against that of package analysis for the
// same findings.
func agreesWithTable(t *testing.T, a kayenta.Answer) {
	t.Helper()
	decision, resume := analysis.Continue, analysis.Auto
	for _, f := range a.Findings {
		for _, r := range analysis.DefaultTable() {
			if r.Outcome == f.Outcome && r.Severity == f.Severity && r.Required == f.Required {
				if r.Decision > decision || r.Decision == decision && r.Resume > resume {
					decision, resume = r.Decision, r.Resume
				}
			}
		}
	}
	if a.Decision != decision || a.Decision == analysis.Pause && a.Resume != resume {
		t.Errorf("%v %v, but the table says %v %v", a.Decision, a.Resume, decision, resume)
	}
}

func TestVerdictOfOtherJudges(t *testing.T) {
	if a := kayenta.Verdict(kayenta.Result{}); a.Decision != analysis.Pause || a.Resume != analysis.Manual {
		t.Errorf("no judgement: %v %v", a.Decision, a.Resume)
	}
	r := kayenta.Result{Score: kayenta.Score{Score: 100, Classification: kayenta.ClassPass}, Results: []kayenta.MetricResult{{Name: "m", Classification: "Great"}}}
	if a := kayenta.Verdict(r); a.Decision != analysis.Pause || a.Findings[1].Outcome != analysis.Invalid {
		t.Errorf("unknown label: %v %v", a.Decision, a.Findings[1].Outcome)
	}
}

func TestFindingsPointToTheWorse(t *testing.T) {
	up, down := around(20, 30), around(10, 30)
	for _, c := range []struct {
		name, direction  string
		control, canary  []float64
		outcome          analysis.Outcome
		least, most, lim float64
	}{
		{"increase", "increase", down, up, analysis.Harm, 8, 12, 2.5},
		{"decrease", "decrease", up, down, analysis.Harm, 8, 12, 2.5},
		{"either, low", "either", up, down, analysis.Harm, 8, 12, 2.5},
		{"better", "decrease", down, up, analysis.Pass, -12, -8, 2.5},
	} {
		r, err := kayenta.Judge(one(kayenta.Canary{Direction: c.direction}), []kayenta.Pair{pair(c.control, c.canary)}, kayenta.Thresholds{})
		if err != nil {
			t.Fatal(err)
		}
		f := kayenta.Verdict(r).Findings[1]
		e := f.Estimate
		if f.Outcome != c.outcome || e.Point < c.least || e.Point > c.most || e.Lo > e.Point || e.Hi < e.Point || float64(f.Limit) < c.lim-0.1 || float64(f.Limit) > c.lim+0.1 {
			t.Errorf("%s: %v, %v against %v", c.name, f.Outcome, e, f.Limit)
		}
		if f.N != (analysis.Counts{Baseline: 30, Candidate: 30}) {
			t.Errorf("%s: %+v", c.name, f.N)
		}
	}
}
