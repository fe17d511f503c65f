package checks

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

const slicedPolicy = `version: 1
model: {name: m, baseline: a, candidate: b}
task: binary
columns: {score: score, label: label}
slices: [country, [device, country]]
checks:
  - `

func loadSliced(entry string) (*analysis.Policy, error) {
	registry := Builtin()
	registry["slices"] = buildSlices
	return analysis.LoadPolicy("p.yaml", []byte(slicedPolicy+entry), registry)
}

func TestBuildSlices(t *testing.T) {
	loss := Guardrail{Metric: LogLoss, Column: "score", Margin: &analysis.Quantity{Value: 0.05, Unit: analysis.Relative}, MinUnits: 500}
	lower := loss
	lower.Direction = stats.LowerIsBetter
	country := []analysis.SliceColumn{{Name: "country"}}
	both := []analysis.SliceColumn{{Name: "country"}, {Name: "device"}}
	for _, tt := range []struct {
		entry string
		want  Slices
	}{
		{"{check: slices, metric: log_loss, direction: lower, margin: 5%, min_units: 500, severity: pause}", Slices{Guardrail: lower}},
		{"{check: slices, metric: log_loss, margin: 5%, small: wait}", Slices{Guardrail: loss, Wait: true}},
		{"{check: slices, metric: log_loss, margin: 5%, slice: [country], values: [DE, 'null', a=b c=d]}",
			Slices{Guardrail: loss, Of: country, Values: [][]string{{"DE"}, {"null"}, {"a=b c=d"}}}},
		{"{check: slices, metric: log_loss, margin: 5%, slice: [device, country], values: [country=New York device=phone, country=null device=]}",
			Slices{Guardrail: loss, Of: both, Values: [][]string{{"New York", "phone"}, {"null", ""}}}},
	} {
		p, err := loadSliced(tt.entry)
		if err != nil {
			t.Errorf("%s: %v", tt.entry, err)
			continue
		}
		if d := cmp.Diff(tt.want, p.Checks[0].Check, cmp.AllowUnexported(analysis.Quantity{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.entry, d)
		}
		if p.Checks[0].Severity != analysis.SeverityPause {
			t.Errorf("%s: severity %v", tt.entry, p.Checks[0].Severity)
		}
		spec, err := p.Spec()
		if err != nil {
			t.Fatal(err)
		}
		if len(spec.Slices) != 2 || !cmp.Equal(spec.Slices[0].Measures, []string{"label", "score"}) {
			t.Errorf("%s: %+v are collected", tt.entry, spec.Slices)
		}
	}
}

func TestBuildSlicesRefuses(t *testing.T) {
	for entry, want := range map[string]string{
		"{check: slices, metric: log_loss}":                                                             "nothing to hold log_loss against",
		"{check: slices, margin: 5%}":                                                                   "needs a metric",
		"{check: slices, metric: log_loss, margin: 5%, slice: [city]}":                                  "the policy declares no slices of city",
		"{check: slices, metric: log_loss, margin: 5%, values: [DE]}":                                   "say of which slices these are values",
		"{check: slices, metric: log_loss, margin: 5%, slice: [country, device], values: [DE]}":         "does not give a value for each column",
		"{check: slices, metric: log_loss, margin: 5%, small: never}":                                   "small",
		"{check: slices, metric: ratio, of: errors, direction: lower, margin: 1pp}":                     "have no slices",
		"{check: slices, metric: log_loss, margin: 5%, sliced: [country]}":                              "unknown key sliced",
		"{check: slices, metric: log_loss, margin: 5%, slice: [device, country], values: [x device=y]}": "does not give a value for each column",
	} {
		if _, err := loadSliced(entry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", entry, err, want)
		}
	}
}

// TestSliceShares: however slices come to be seen, one after the other, their
// shares sum to no more than 1.
func TestSliceShares(t *testing.T) {
	for _, limit := range []int{1, 8, 64, 1024} {
		sum, before := 0.0, 1.0
		for j := 1; j <= 100_000; j++ {
			fam := sliceFamily{cap: limit, seen: float64(j), full: j > limit, members: make([]*member, min(j, limit))}
			share := fam.share()
			if share > before {
				t.Fatalf("cap %d: the share of %d slices is above that of fewer", limit, j)
			}
			before = share
			sum += share
		}
		if !(sum > 0.9 && sum <= 1+1e-12) {
			t.Errorf("cap %d: shares sum to %v", limit, sum)
		}
	}
}

// TestSlicesUnderPeeking: ten slices that are all the same in both arms, looked
// at again and again, are called harmed in few rollouts.
func TestSlicesUnderPeeking(t *testing.T) {
	const rollouts = 40
	c := Slices{Guardrail: Guardrail{Metric: Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: &analysis.Quantity{Unit: analysis.Points}, MinUnits: 50},
		Of: []analysis.SliceColumn{{Name: "x"}}}
	p := &analysis.Policy{Checks: []analysis.CheckEntry{{Check: c}}}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for seed := range uint64(rollouts) {
		r := rand.New(rand.NewPCG(seed, 3))
		var arms [2]*analysis.Collector
		for i := range arms {
			arms[i] = analysis.NewCollector(spec)
		}
		harmed := false
		for look := 0; look < 8 && !harmed; look++ {
			var snaps [2]*analysis.Snapshot
			for i := range arms {
				b := analysis.Batch{Rows: 400, Columns: []analysis.Column{{Type: analysis.Bool}, {Type: analysis.Int}}}
				for range b.Rows {
					b.Columns[0].Bools = append(b.Columns[0].Bools, r.Float64() < 0.2)
					b.Columns[1].Ints = append(b.Columns[1].Ints, r.Int64N(10))
				}
				if err := arms[i].Add(&b); err != nil {
					t.Fatal(err)
				}
				if snaps[i], err = arms[i].Snapshot(); err != nil {
					t.Fatal(err)
				}
			}
			fs, err := c.Run(&analysis.Evidence{Baseline: snaps[0], Candidate: snaps[1], Policy: p, Alpha: 0.1, NoHarmAlpha: 0.05})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fs {
				harmed = harmed || f.Outcome == analysis.Harm
			}
		}
		if harmed {
			wrong++
		}
	}
	if wrong > 8 {
		t.Errorf("%d of %d rollouts were called harmed, want about 10%% at most", wrong, rollouts)
	}
}
