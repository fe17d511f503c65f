package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/kayenta"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/analysis/simulation"
)

func main() {
	file := flag.String("policy", "examples/policies/fraud.yaml", "the example policy")
	s := sizes{every: time.Minute}
	flag.IntVar(&s.sound, "rollouts", 2000, "rollouts without harm")
	flag.IntVar(&s.harmed, "harmed", 400, "rollouts with each of the harms")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the generators")
	flag.Parse()
	if _, err := report(os.Stdout, *file, s); err != nil {
		fmt.Fprintln(os.Stderr, "acceptance:", err)
		os.Exit(1)
	}
}

// sizes say how much is simulated.
type sizes struct {
	sound, harmed int
	seed          uint64
	every         time.Duration
}

// served is the traffic that the example policy is written for.
func served() planning.Traffic {
	return planning.Traffic{
		BaseRates: map[string]float64{"fraud": 0.35, "error": 0.001},
		Moments: map[string]planning.Moments{
			"latency_ms": {Mean: 50, SD: 30}, "amount": {Mean: 80, SD: 120}, "cpu": {Mean: 0.5, SD: 0.05},
		},
		Shares: map[string]map[string]float64{"country": {"DE": 0.4, "FR": 0.3, "IT": 0.2, "ES": 0.1}},
	}
}

// row is one scenario of the table.
type row struct {
	name     string
	part     int // of the rollouts
	scenario simulation.Scenario
}

func scenarios() []row {
	with := func(name string, h simulation.Harm) row {
		return row{name, 1, simulation.Scenario{Traffic: served(), Harm: h}}
	}
	noisy := row{"none, AR(1) noise of 0.8", 2, simulation.Scenario{Traffic: served(), Noise: simulation.Noise{Rho: 0.8, Swing: 0.2}}}
	failing := row{"none, outages, labels 30m late", 4, simulation.Scenario{Traffic: served(), LabelDelay: 30 * time.Minute, Outages: []simulation.Outage{
		{Every: time.Hour, Lasts: 5 * time.Minute},
		{Source: "cpu", Every: 30 * time.Minute, Lasts: 3 * time.Minute, Silent: true},
	}}}
	return []row{
		with("none", simulation.Harm{}),
		noisy,
		failing,
		with("errors 0.1% to 0.2%", simulation.Harm{Column: "error", Factor: 2}),
		with("log loss 2% worse", simulation.Harm{LogLoss: 0.02}),
		with("errors x5 in a slice of 10%", simulation.Harm{Column: "error", Factor: 5, Slice: map[string]string{"country": "ES"}}),
		with("latency x2", simulation.Harm{Column: "latency_ms", Factor: 2}),
		with("scores collapse after 30m", simulation.Harm{Collapse: true, After: 30 * time.Minute}),
		with("gauge x2", simulation.Harm{Column: "cpu", Factor: 2}),
	}
}

// outcome is what the report found, for the test.
type outcome struct {
	sound, harmed []simulation.Result
	judge         [2]int // runs in which the rank test called the series high: once at the end, at any of 12 looks
}

func report(w io.Writer, file string, s sizes) (outcome, error) {
	var out outcome
	data, err := os.ReadFile(file)
	if err != nil {
		return out, err
	}
	p, err := analysis.LoadPolicy(file, data, checks.Builtin())
	if err != nil {
		return out, err
	}
	if _, err := fmt.Fprintf(w, "A look every %v, seed %d\n%-32s %8s %12s %12s %10s %10s  %s\n", s.every, s.seed,
		"harm", "rollouts", "rolled back", "paused", "median", "90% in", "caught, or false alarms"); err != nil {
		return out, err
	}
	for _, r := range scenarios() {
		n := max(1, s.sound/r.part)
		if !r.scenario.Harm.None() {
			n = s.harmed
		}
		o := simulation.Options{Rollouts: n, Seed: s.seed, LookEvery: s.every, Horizon: 5 * time.Hour}
		var seen series
		if r.scenario.Noise.Rho > 0 {
			seen = newSeries(n)
			o.Observe = seen.observe
		}
		got, err := simulation.Run(context.Background(), p, r.scenario, o)
		if err != nil {
			return out, err
		}
		if r.scenario.Harm.None() {
			out.sound = append(out.sound, got)
		} else {
			out.harmed = append(out.harmed, got)
		}
		if _, err := fmt.Fprintf(w, "%-32s %8d %12d %12d %10s %10s  %v\n", r.name, got.Rollouts, got.RolledBack.N, got.Paused.N,
			minutes(got.Time.N, float64(got.Time.Median)), minutes(got.Time.N, float64(got.Time.P90)), got.Alarms); err != nil {
			return out, err
		}
		if seen == nil {
			continue
		}
		if out.judge, err = seen.judge(); err != nil {
			return out, err
		}
		if _, err := fmt.Fprintf(w, "  a Mann-Whitney judge of the same gauge, at 98%%: high in %.1f%% of them at the end, in %.1f%% at one of 12 looks\n",
			percent(out.judge[0], n), percent(out.judge[1], n)); err != nil {
			return out, err
		}
	}
	return out, nil
}

func percent(k, n int) float64 { return 100 * float64(k) / float64(n) }

func minutes(n uint64, seconds float64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0fm", seconds/60)
}

// series are the values of the gauge in both arms, by rollout, at each look.
type series [][2][]float64

func newSeries(n int) series { return make(series, n) }

// observe may be called from several goroutines, for different rollouts.
func (s series) observe(rollout int, l analysis.Look, _ analysis.Verdict) {
	e := l.Evidence[len(l.Evidence)-1]
	for k, arm := range []*analysis.Snapshot{e.Baseline, e.Candidate} {
		if arm == nil {
			continue
		}
		if m := arm.Metric("cpu"); m != nil && m.Window.N > 0 {
			s[rollout][k] = append(s[rollout][k], m.Gauge.Value)
		}
	}
}

// judge counts the rollouts whose series the rank test of package kayenta calls high:
// at the end, and at any of twelve looks at a growing window.
func (s series) judge() (out [2]int, err error) {
	const looks = 12
	up := kayenta.Canary{Direction: "increase"}
	for _, arms := range s {
		n := min(len(arms[0]), len(arms[1]))
		ever := false
		for k := 1; k <= looks; k++ {
			m := n * k / looks
			if m < 2 {
				continue
			}
			c, err := kayenta.Classify(arms[0][:m], arms[1][:m], up, kayenta.Options{})
			if err != nil {
				return out, err
			}
			high := c.Label == kayenta.High
			ever = ever || high
			if high && k == looks {
				out[0]++
			}
		}
		if ever {
			out[1]++
		}
	}
	return out, nil
}
