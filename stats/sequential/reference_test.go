package sequential_test

import (
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/statstest"
)

// refCase reads one reference case with the tolerance it carries.
type refCase struct {
	*testing.T
	ref statstest.Case
}

func (c refCase) num(key string) float64    { return statstest.Float(c.T, c.ref.In, key) }
func (c refCase) nums(key string) []float64 { return statstest.Floats(c.T, c.ref.In, key) }
func (c refCase) uints(key string) []uint64 { return statstest.Uints(c.T, c.ref.In, key) }
func (c refCase) decode(key string, v any)  { statstest.Decode(c.T, c.ref.In, key, v) }
func (c refCase) side() stats.Alternative   { return stats.Alternative(c.num("side")) }
func (c refCase) wants(key string) bool     { _, ok := c.ref.Want[key]; return ok }
func (c refCase) want(key string, got float64) {
	c.Helper()
	statstest.Near(c.T, c.ref.Name+" "+key, got, statstest.Float(c.T, c.ref.Want, key), c.ref.RTol, c.ref.ATol)
}

func (c refCase) wantList(key string, got []float64) {
	c.Helper()
	want := statstest.Floats(c.T, c.ref.Want, key)
	if len(got) != len(want) {
		c.Fatalf("%s %s = %v, want %v", c.ref.Name, key, got, want)
	}
	for i := range want {
		statstest.Near(c.T, c.ref.Name+" "+key, got[i], want[i], c.ref.RTol, c.ref.ATol)
	}
}

func (c refCase) ok(err error) {
	c.Helper()
	if err != nil {
		c.Fatalf("%s: %v", c.ref.Name, err)
	}
}

func TestReference(t *testing.T) {
	ref := statstest.Load(t, "sequential")
	for name, test := range map[string]func(c refCase){
		"DirichletLogE":   refDirichlet,
		"SRM":             refSRM,
		"normalLogE":      refNormal,
		"NormalBound":     refNormalBound,
		"BinomMix":        refBinomMix,
		"PlanBinomMix":    refPlan,
		"Block":           refBlock,
		"Bernstein":       refBernstein,
		"BernsteinDiff":   refBernsteinDiff,
		"Hedged":          refHedged,
		"Bernoulli":       refBernoulli,
		"DKWRadius":       refDKW,
		"KS":              refKS,
		"Quantile":        refQuantile,
		"TwoSample":       refTwoSample,
		"GroupSequential": refGroup,
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range ref.ByFunc(t, name) {
				test(refCase{t, c})
			}
		})
	}
}

func refDirichlet(c refCase) {
	got, err := sequential.DirichletLogE(c.uints("counts"), c.nums("probs"), c.nums("prior"))
	c.ok(err)
	c.want("log_e", got)
}

func refSRM(c refCase) {
	r, err := sequential.SRM([]sequential.ShareStage{{Weights: c.nums("weights"), Counts: c.uints("counts")}},
		sequential.SRMOptions{Level: c.num("level")})
	c.ok(err)
	var lo, hi []float64
	for _, v := range r.Stages[0].Shares {
		lo, hi = append(lo, v.Lo), append(hi, v.Hi)
	}
	c.want("log_e", r.LogE)
	c.wantList("lo", lo)
	c.wantList("hi", hi)
}

func refNormal(c refCase) {
	const n = 1 << 20
	r, err := sequential.Normal(c.num("z"), 1, n/2, n/2, sequential.NormalOptions{Scale: n / c.num("q"), Alternative: c.side()})
	c.ok(err)
	c.want("log_e", r.LogE)
}

func refNormalBound(c refCase) {
	b, err := sequential.NormalBound(c.num("v"), c.num("scale"), c.num("alpha"), c.side())
	c.ok(err)
	c.want("bound", b)
}

func refBinomMix(c refCase) {
	var stages []sequential.EventStage
	share, a, b := c.nums("share"), c.uints("baseline"), c.uints("candidate")
	for i := range share {
		stages = append(stages, sequential.EventStage{Share: share[i], Baseline: a[i], Candidate: b[i]})
	}
	r, err := sequential.BinomMix(stages, sequential.BinomMixOptions{NullRR: c.num("null_rr"), Alternative: c.side(), Level: c.num("level")})
	c.ok(err)
	c.want("log_e", r.LogE)
	c.want("point", r.Estimate.Point)
	if c.wants("lo") {
		c.want("lo", r.Estimate.Lo)
	}
	if c.wants("hi") {
		c.want("hi", r.Estimate.Hi)
	}
}

func refPlan(c refCase) {
	p, err := sequential.PlanBinomMix(nil, c.num("share"), c.num("rr"), c.num("alpha"), sequential.BinomMixOptions{Alternative: stats.Greater})
	c.ok(err)
	c.want("growth", p.Growth)
	c.want("events", p.Events)
}

func refBlock(c refCase) {
	var rows [][4]uint64
	c.decode("looks", &rows)
	var looks []sequential.BlockLook
	for _, r := range rows {
		looks = append(looks, sequential.BlockLook{NBaseline: r[0], YBaseline: r[1], NCandidate: r[2], YCandidate: r[3]})
	}
	r, err := sequential.Block(looks, sequential.BlockOptions{Alternative: c.side()})
	c.ok(err)
	c.want("log_e", r.LogE)
}

// refBounded runs a bounded-mean method with all three alternatives.
func refBounded(c refCase, run func(o sequential.BoundedOptions) (sequential.Result, error)) {
	o := sequential.BoundedOptions{Null: c.num("null")}
	if _, ok := c.ref.In["min"]; ok {
		o.Min, o.Max, o.Level = c.num("min"), c.num("max"), c.num("level")
	}
	for key, alt := range map[string]stats.Alternative{"greater": stats.Greater, "less": stats.Less, "different": stats.Different} {
		o.Alternative = alt
		r, err := run(o)
		c.ok(err)
		c.want(key, r.LogE)
		for end, v := range map[string]float64{"lo": r.Estimate.Lo, "hi": r.Estimate.Hi} {
			if suffix := end + "2"; alt == stats.Different && c.wants(suffix) {
				c.want(suffix, v)
			}
			if alt == stats.Different && c.wants(end) {
				c.want(end, v)
			}
		}
		if alt == stats.Greater && c.wants("lo1") {
			c.want("lo1", r.Estimate.Lo)
		}
		if alt == stats.Less && c.wants("hi1") {
			c.want("hi1", r.Estimate.Hi)
		}
	}
}

func refBernstein(c refCase) {
	var looks []sequential.SumLook
	c.decode("looks", &looks)
	refBounded(c, func(o sequential.BoundedOptions) (sequential.Result, error) { return sequential.Bernstein(looks, o) })
}

func refBernsteinDiff(c refCase) {
	var looks []sequential.PairLook
	c.decode("looks", &looks)
	refBounded(c, func(o sequential.BoundedOptions) (sequential.Result, error) {
		return sequential.BernsteinDiff(looks, o)
	})
}

// values are the numbers under x, or the runs of equal ones under x_runs.
func (c refCase) values() []float64 {
	if _, ok := c.ref.In["x"]; ok {
		return c.nums("x")
	}
	var runs [][2]float64
	c.decode("x_runs", &runs)
	var x []float64
	for _, r := range runs {
		for range int(r[1]) {
			x = append(x, r[0])
		}
	}
	return x
}

func refHedged(c refCase) {
	x := c.values()
	refBounded(c, func(o sequential.BoundedOptions) (sequential.Result, error) { return sequential.Hedged(x, o) })
}

func refBernoulli(c refCase) {
	r, err := sequential.Bernoulli(uint64(c.num("x")), uint64(c.num("n")),
		sequential.BernoulliOptions{Null: c.num("null"), Planned: c.num("planned"), Alternative: c.side(), Level: c.num("level")})
	c.ok(err)
	c.want("log_e", r.LogE)
	if c.wants("lo") {
		c.want("lo", r.Estimate.Lo)
	}
	if c.wants("hi") {
		c.want("hi", r.Estimate.Hi)
	}
}

func refDKW(c refCase) {
	r, err := sequential.DKWRadius(uint64(c.num("n")), sequential.DKWOptions{Level: c.num("level"), From: c.num("from"), Slope: c.num("slope")})
	c.ok(err)
	c.want("radius", r)
}

func refKS(c refCase) {
	r, err := sequential.KS(c.uints("baseline"), c.uints("candidate"), sequential.DKWOptions{})
	c.ok(err)
	c.want("d", r.Distance.Point)
	c.want("lo", r.Distance.Lo)
	c.want("hi", r.Distance.Hi)
	c.want("log_p", r.LogP)
}

func refQuantile(c refCase) {
	r, err := sequential.Quantile(c.uints("baseline"), c.uints("candidate"), c.num("q"), sequential.QuantileOptions{Alternative: c.side()})
	c.ok(err)
	c.want("log_e", r.LogE)
}

func refTwoSample(c refCase) {
	var stages []sequential.CellStage
	c.decode("stages", &stages)
	r, err := sequential.TwoSample(stages, sequential.TwoSampleOptions{})
	c.ok(err)
	c.want("log_e", r.LogE)
}

func refGroup(c refCase) {
	o := sequential.GroupOptions{Alpha: c.num("alpha"), Shape: c.num("shape"), Planned: c.num("planned"), Alternative: stats.Greater}
	var two bool
	c.decode("two", &two)
	c.decode("spending", &o.Spending)
	if two {
		o.Alternative = stats.Different
	}
	bs, err := sequential.GroupSequential(c.nums("information"), o)
	c.ok(err)
	var z []float64
	for _, b := range bs {
		z = append(z, b.Z)
	}
	c.wantList("z", z)
}
