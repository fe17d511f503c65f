package sla_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
	"pgregory.net/rapid"
)

// wholeCounts draws samples on a grid of minutes, with gaps and idle ones.
func wholeCounts(t *rapid.T, minutes int) []sla.Sample {
	var out []sla.Sample
	for i := 1; i <= minutes; i++ {
		if rapid.IntRange(0, 4).Draw(t, "gap") == 0 {
			continue
		}
		total := rapid.IntRange(0, 20).Draw(t, "total")
		good := rapid.IntRange(0, total).Draw(t, "good")
		out = append(out, sla.Sample{At: start.Add(time.Duration(i) * time.Minute), Counts: of(float64(good), float64(total))})
	}
	return out
}

func drawObjective(t *rapid.T, minutes int) sla.Objective {
	o := sla.Objective{Name: "x", Target: rapid.SampledFrom([]float64{0.5, 0.9, 0.99, 1}).Draw(t, "target"), Window: sla.Rolling(time.Duration(minutes) * time.Minute)}
	o.Method = rapid.SampledFrom([]sla.Method{sla.Occurrences, sla.Timeslices, sla.RatioTimeslices}).Draw(t, "method")
	if o.Method != sla.Occurrences {
		o.Slice = time.Minute
		o.Missing = rapid.SampledFrom([]sla.MissingPolicy{sla.MissingIgnore, sla.MissingBad, sla.MissingGood, sla.MissingNoData}).Draw(t, "missing")
	}
	if o.Method == sla.Timeslices {
		o.SliceTarget = rapid.SampledFrom([]float64{0.5, 0.9, 1}).Draw(t, "slice target")
	}
	return o
}

var equate = cmp.Options{cmpopts.EquateNaNs(), cmp.Comparer(func(a, b stats.Float) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
})}

func TestOrderOfSamplesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := wholeCounts(t, 60)
		for i := range samples { // not whole, and from several sources at a moment
			samples[i].Good /= 3
			samples[i].Total /= 3
			samples[i].Source = fmt.Sprint(i % 3)
			samples[i].At = samples[i].At.Truncate(4 * time.Minute)
		}
		shuffled := slices.Clone(samples)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		o := drawObjective(t, 60)
		a, b := must(sla.Budget(o, samples, start.Add(time.Hour)))(t), must(sla.Budget(o, shuffled, start.Add(time.Hour)))(t)
		if len(a.Excluded) != len(b.Excluded) {
			t.Fatalf("%d and %d excluded", len(a.Excluded), len(b.Excluded))
		}
		skip := cmpopts.IgnoreFields(sla.BudgetStatus{}, "Excluded", "Warnings") // they hold indexes
		if d := cmp.Diff(a, b, equate, skip); d != "" {
			t.Fatal(d)
		}
	})
}

func TestBudgetIsAdditiveOverDisjointWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const minutes = 60
		cut := rapid.IntRange(1, minutes-1).Draw(t, "cut")
		samples := wholeCounts(t, minutes)
		o := drawObjective(t, minutes)
		o.Missing = sla.MissingIgnore // others speak about windows without samples
		burn := func(m int, end time.Duration) sla.Burn {
			return must(sla.BurnRate(o, samples, time.Duration(m)*time.Minute, start.Add(end*time.Minute)))(t)
		}
		whole, head, tail := burn(minutes, minutes), burn(cut, time.Duration(cut)), burn(minutes-cut, minutes)
		if whole.Total != head.Total+tail.Total || !statstest.IsNear(whole.Bad, head.Bad+tail.Bad, 1e-12, 0) {
			t.Fatalf("%v of %v, parts %v of %v and %v of %v", whole.Bad, whole.Total, head.Bad, head.Total, tail.Bad, tail.Total)
		}
		if o.Method != sla.RatioTimeslices && whole.Bad != head.Bad+tail.Bad {
			t.Fatal("whole numbers must add up exactly")
		}
	})
}

func TestRatioOfSumsDoesNotDependOnBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := wholeCounts(t, 60)
		step := time.Duration(rapid.SampledFrom([]int{2, 3, 5, 10, 60}).Draw(t, "bucket")) * time.Minute
		buckets := map[time.Time]sla.Counts{}
		for _, s := range samples {
			at := s.At.Add(step - time.Nanosecond).Truncate(step) // the end of its bucket
			c := buckets[at]
			buckets[at] = of(c.Good+s.Good, c.Total+s.Total)
		}
		var coarse []sla.Sample
		for at, c := range buckets {
			coarse = append(coarse, sla.Sample{At: at, Counts: c})
		}
		o := sla.Objective{Name: "x", Target: 0.9, Window: sla.Rolling(time.Hour)}
		a, b := must(sla.Budget(o, samples, start.Add(time.Hour)))(t), must(sla.Budget(o, coarse, start.Add(time.Hour)))(t)
		skip := cmpopts.IgnoreFields(sla.BudgetStatus{}, "Samples", "Warnings")
		if d := cmp.Diff(a, b, equate, skip); d != "" {
			t.Fatal(d)
		}
	})
}

func TestOccurrencesAreTimeslicesOfOneEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var samples []sla.Sample
		for i := 1; i <= 60; i++ {
			if good := rapid.IntRange(-1, 1).Draw(t, "good"); good >= 0 {
				samples = append(samples, sla.Sample{At: start.Add(time.Duration(i) * time.Minute), Counts: of(float64(good), 1)})
			}
		}
		var got []sla.BudgetStatus
		for _, m := range []sla.Method{sla.Occurrences, sla.Timeslices, sla.RatioTimeslices} {
			o := sla.Objective{Name: "x", Target: 0.9, Window: sla.Rolling(time.Hour), Method: m}
			if m != sla.Occurrences {
				o.Slice = time.Minute
			}
			if m == sla.Timeslices {
				o.SliceTarget = 1
			}
			got = append(got, must(sla.Budget(o, samples, start.Add(time.Hour)))(t))
		}
		for _, b := range got[1:] {
			if b.State != got[0].State || b.Bad != got[0].Bad || b.Total != got[0].Total || b.Met != got[0].Met {
				t.Fatalf("%+v and %+v", b, got[0])
			}
			if b.State != sla.NoData && b.Consumed != got[0].Consumed {
				t.Fatalf("consumed %v and %v", b.Consumed, got[0].Consumed)
			}
		}
	})
}

// Whatever the samples are, numbers are in range, slices add up, and a budget
// without data has no level.
func TestBudgetIsInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := wholeCounts(t, 60)
		for range rapid.IntRange(0, 5).Draw(t, "bad") {
			samples = append(samples, sla.Sample{
				At:     start.Add(time.Duration(rapid.Int64Range(-3600, 7200).Draw(t, "at")) * time.Second),
				Counts: of(rapid.Float64().Draw(t, "good"), rapid.Float64().Draw(t, "total")),
			})
		}
		o := drawObjective(t, 60)
		from := start.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "maintenance")) * time.Minute)
		o.Exclude = []sla.Exclusion{{From: from, To: from.Add(7 * time.Minute), Reason: "move"}}
		if rapid.Bool().Draw(t, "calendar") {
			o.Window = sla.Calendar(sla.Day, nil)
		}
		b := must(sla.Budget(o, samples, start.Add(time.Hour)))(t)
		n := b.Slices
		if n.Good+n.Bad+n.Missing+n.Idle+n.Excluded != n.Elapsed {
			t.Fatalf("slices %+v", n)
		}
		masked := 0
		for _, a := range b.Maintenance {
			masked += a.Samples
		}
		if b.Samples+masked+len(b.Excluded)+b.Outside.Before+b.Outside.Waiting+b.Outside.Future != len(samples) {
			t.Fatalf("%d samples, %+v", len(samples), b)
		}
		if (b.State == sla.NoData) != math.IsNaN(float64(b.Consumed)) || (b.State == sla.NoData) != b.SLI.IsZero() {
			t.Fatalf("%v: consumed %v, level %v", b.State, b.Consumed, b.SLI)
		}
		if b.State != sla.NoData && !(b.SLI.Lo <= b.SLI.Point && b.SLI.Point <= b.SLI.Hi && b.SLI.Lo >= 0 && b.SLI.Hi <= 1 && b.Consumed >= 0 && b.Clamped >= 0 && b.Clamped <= 1) {
			t.Fatalf("%+v", b)
		}
		text, err := json.Marshal(b)
		var back sla.BudgetStatus
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if d := cmp.Diff(b, back, equate, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Fatal(err, d)
		}
	})
}

// More errors never make a promotion possible that fewer forbid.
func TestMoreErrorsNeverHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := wholeCounts(t, 60)
		worse := slices.Clone(samples)
		for i := range worse {
			worse[i].Good = float64(rapid.IntRange(0, int(worse[i].Good)).Draw(t, "good"))
		}
		o := drawObjective(t, 60)
		alerts := []sla.Alert{{Name: "fast", Long: 10 * time.Minute, Short: 2 * time.Minute, Factor: 1.5}}
		decide := func(s []sla.Sample) sla.Decision {
			e := must(sla.Evaluate(o, alerts, s, start.Add(time.Hour), sla.EvaluateOptions{}))(t)
			return sla.Gate(sla.GatePolicy{}, sla.GateState{}, sla.GateRequest{}, start.Add(time.Hour), e).Decision
		}
		if a, b := decide(samples), decide(worse); b > a {
			t.Fatalf("%v with fewer errors, %v with more", a, b)
		}
	})
}
