package checks

import (
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

// strataOf lists the stages of the evidence; evidence without any is one.
func strataOf(ev *analysis.Evidence) []analysis.Stratum {
	if len(ev.Strata) > 0 {
		return ev.Strata
	}
	s := analysis.Stratum{Stage: ev.Stage, Split: ev.Split, Baseline: ev.Baseline, Candidate: ev.Candidate}
	if s.Split == (analysis.Split{}) && ev.Policy != nil {
		s.Split = ev.Policy.Split
	}
	return []analysis.Stratum{s}
}

// staged reports whether the evidence is, or may come to be, of more stages than
// one, so that bounds have to hold over all of them together.
func staged(ev *analysis.Evidence) bool {
	return ev.Compared == analysis.Concurrent &&
		(len(ev.Strata) > 1 || (ev.Policy != nil && len(ev.Policy.Stages) > 0 && ev.Stage != ""))
}

// rulerOf is the ruler for the evidence. Where the policy tells how much traffic
// its stages get, bounds over stages are tightest at half of their intrinsic time,
// if that is more than the minimum exposure.
func rulerOf(ev *analysis.Evidence, planned uint64) ruler {
	r := newRuler(ev.Policy, planned)
	if planned > 0 || ev.Policy == nil || !staged(ev) {
		return r
	}
	clock := 0.0
	for _, s := range ev.Policy.Stages {
		w := ev.Policy.SplitOf(s.Name)
		c := w.Candidate / (w.Baseline + w.Candidate)
		clock += float64(4 * c * (1 - c) * ev.Policy.Traffic * s.Duration.Seconds())
	}
	if clock/2 > r.planned && !math.IsInf(clock, 1) {
		r.planned = clock / 2
	}
	return r
}

// armPair is a metric in both arms of one stage; ok tells which arm has a value.
type armPair struct {
	base, cand     measure
	okBase, okCand bool
	split          analysis.Split
}

// newPair adds up the stages. Both arms are standardised to the weights
//
//	w_s = n_b n_c / (n_b + n_c)
//
// of Mantel and Haenszel, n being the independent rows of the arms in stage s
// (the exposure, for a rate): value = sum w_s value_s / sum w_s, with the variance
// sum w_s^2 v_s / (sum w_s)^2. They are the weights that make a difference most
// precise if it and the noise are the same in all stages, and the weighted
// difference has the variance of sum w_s differences of rows: sum w_s is the
// intrinsic time of the comparison, and 4 times that the number of units of both
// arms that would tell as much in equal arms. A stage without rows in one arm has
// weight 0.
//
// The second result is false when no stage has both arms.
func newPair(ev *analysis.Evidence, r ruler, arms []armPair) (pair, bool) {
	p := pair{r: r, staged: staged(ev), compared: ev.Compared}
	var both []armPair
	var alone, base []measure
	for _, a := range arms {
		if a.okBase && a.okCand { // the arm with more rows knows best
			a.base.skew = math.Max(math.Abs(a.base.skew), math.Abs(a.cand.skew))
			a.cand.skew = a.base.skew
		}
		if a.okCand {
			alone = append(alone, a.cand)
		}
		if a.okBase {
			base = append(base, a.base)
		}
		if a.okBase && a.okCand && a.weight() > 0 {
			both = append(both, a)
		}
	}
	if len(alone) > 0 {
		p.whole = pool(alone)
		p.cand = p.whole
	}
	if len(base) > 0 {
		p.base = pool(base)
	}
	if len(both) == 0 {
		return p, false
	}
	weights := make([]float64, len(both))
	bs, cs := make([]measure, len(both)), make([]measure, len(both))
	sum, squares, skew := 0.0, 0.0, 0.0
	for i, a := range both {
		weights[i], bs[i], cs[i] = a.weight(), a.base, a.cand
		sum += weights[i]
		if a.cand.kind == mean {
			squares += float64(weights[i] * weights[i] * (1/a.cand.size() - 1/a.base.size()))
		}
		skew += float64(weights[i] * a.base.skew)
		p.clock += float64(4 * weights[i] * a.intensity())
	}
	p.base, p.cand = standardise(bs, weights), standardise(cs, weights)
	switch {
	case p.cand.kind == rate:
	case !p.staged && ev.Compared == analysis.Concurrent:
		p.clock = 0 // the units of both arms, whose shares never change
	}
	if p.staged {
		p.skewed, p.skewness = true, float64(math.Abs(squares)/math.Pow(sum, 1.5))*(skew/sum)
	}
	if ev.Compared == analysis.Concurrent && r.anytime() && (p.cand.kind == rate || p.staged && p.cand.kind == proportion) {
		for _, a := range both {
			p.risk = append(p.risk, riskStage{a.base, a.cand, a.share()})
		}
	}
	return p, true
}

// weight is that of Mantel and Haenszel.
func (a armPair) weight() float64 {
	b, c := a.base.extent(), a.cand.extent()
	if !(b > 0) || !(c > 0) {
		return 0
	}
	return b / (b + c) * c
}

// intensity is what one unit of weight adds to the clock: the events that it
// brings, for a rate, whose exposure has a unit of its own.
func (a armPair) intensity() float64 {
	if a.cand.kind != rate {
		return 1
	}
	return (float64(a.base.value*a.base.exposure) + float64(a.cand.value*a.cand.exposure)) / (a.base.exposure + a.cand.exposure)
}

// share is the candidate's share of the units in a stage: the one of the split,
// unless the units refute it by three standard errors, as when values are missing
// from one arm, and of the exposure for a rate.
func (a armPair) share() float64 {
	b, c := a.base.extent(), a.cand.extent()
	n := b + c
	s := a.split.Candidate / (a.split.Baseline + a.split.Candidate)
	if a.cand.kind == rate || !(s > 0 && s < 1) || math.Abs(c-float64(n*s)) > 3*math.Sqrt(n*s*(1-s)) {
		return c / n
	}
	return s
}

// riskStage is what [sequential.BinomMix] needs of a stage.
type riskStage struct {
	base, cand measure
	share      float64
}

// relativeRisk bounds candidate/baseline of events, with error alpha on each
// side, by the arms that the events of all stages fell into. It is exact, at any
// number of looks and whatever the base rates of the stages, if units are assigned
// independently with the shares of the split, and for Poisson events if exposure
// passes in constant shares.
func (p pair) relativeRisk(alpha float64) span {
	out := span{0, math.Inf(1)}
	if !(alpha > 0) || alpha >= 0.5 {
		return out
	}
	if r, err := p.binomMix(1, alpha, stats.Greater); err == nil {
		out.lo = r.Estimate.Lo
	}
	if r, err := p.binomMix(1, alpha, stats.Less); err == nil {
		out.hi = r.Estimate.Hi
	}
	return out
}

// binomMix tests a relative risk. Counts that are no whole numbers are rounded
// against what is to be shown.
func (p pair) binomMix(null, alpha float64, alt stats.Alternative) (sequential.Result, error) {
	stages := make([]sequential.EventStage, len(p.risk))
	for i, s := range p.risk {
		bl, bh, _ := s.base.ends()
		cl, ch, _ := s.cand.ends()
		stages[i] = sequential.EventStage{Share: s.share, Baseline: bh, Candidate: cl}
		if alt == stats.Less {
			stages[i].Baseline, stages[i].Candidate = bl, ch
		}
	}
	return sequential.BinomMix(stages, sequential.BinomMixOptions{Alternative: alt, NullRR: null, Level: 1 - alpha})
}

// pool adds the rows of one arm up, whatever the stage. The AUC, which compares
// rows, is averaged over stages instead, with the rows as weights.
func pool(ms []measure) measure {
	if len(ms) == 1 {
		return ms[0]
	}
	out := total(ms)
	n := float64(out.n)
	switch out.kind {
	case proportion:
		out.value = (float64(out.x) + out.part) / n
	case rate:
		out.value = (float64(out.x) + out.part) / out.exposure
	case area:
		weights := make([]float64, len(ms))
		for i, m := range ms {
			weights[i] = m.size()
		}
		return standardise(ms, weights)
	case mean:
		out.value = 0
		for _, m := range ms {
			out.value += float64(m.value * (float64(m.n) / n))
		}
		sum, skew := 0.0, 0.0
		for _, m := range ms {
			d := m.value - out.value
			sum += float64(m.variance*(float64(m.n)-1)) + float64(d*d*float64(m.n))
			skew += float64(math.Abs(m.skew) * (float64(m.n) / n))
		}
		out.variance, out.skew = sum/math.Max(1, n-1), skew
	case quantile:
		out.cells, out.mass = stack(ms, func(m measure) float64 { return 1 })
		out.value = out.typical()
	}
	return out
}

// standardise averages the metric of one arm over stages. size becomes the number
// of rows that would tell as much in one stage (Kish 1965), 1/sum(w_s^2/n_s) for
// weights that add up to 1, but for a proportion and a rate no more than what its
// own variance says.
func standardise(ms []measure, weights []float64) measure {
	if len(ms) == 1 {
		return ms[0]
	}
	out := total(ms)
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	out.weighted, out.value, out.slack = true, 0, 0
	kish, positive, third := 0.0, 0.0, 0.0
	for i, m := range ms {
		w := weights[i] / sum
		v := m.squaredError()
		out.value += float64(w * m.value)
		out.slack += float64(w * m.slack)
		out.squared += float64(w * w * v)
		kish += float64(w * w / m.extent())
		if m.n > 0 {
			positive += float64(w * (float64(m.pos) / float64(m.n)))
		}
		if m.kind == mean {
			third += float64(w*w*w*m.skewOfMean()) * math.Pow(v, 1.5)
		}
	}
	out.effective = 1 / kish
	switch v := out.value; {
	case !(out.squared > 0):
	case out.kind == proportion:
		out.effective = math.Min(out.effective, v*(1-v)/out.squared)
	case out.kind == rate:
		out.effective = math.Min(out.effective, v/out.squared)
	case out.kind == mean:
		out.skew = third / math.Pow(out.squared, 1.5) * math.Sqrt(out.effective)
	}
	out.variance = out.squared * out.effective
	out.pos = uint64(positive * out.effective)
	if out.kind == quantile {
		i := -1
		out.cells, out.mass = stack(ms, func(m measure) float64 { i++; return weights[i] / sum / float64(m.n) })
		out.value = out.typical()
	}
	return out
}

// total is what the measures of an arm have in sum.
func total(ms []measure) measure {
	out := ms[0]
	independent, part := 0.0, 0.0
	out.n, out.x, out.exposure, out.excluded = 0, 0, 0, 0
	for _, m := range ms {
		out.n += m.n
		out.x += m.x
		part += m.part
		out.exposure += m.exposure
		out.excluded += m.excluded
		out.least, out.most = math.Min(out.least, m.least), math.Max(out.most, m.most)
		out.positive = out.positive && m.positive
		independent += float64(m.n) / math.Max(1, m.repeats)
	}
	out.x += uint64(part)
	out.part = part - math.Floor(part)
	if independent > 0 {
		out.repeats = math.Max(1, float64(out.n)/independent)
	}
	return out
}

// stack puts the cells of several histograms into one order, each with its mass.
func stack(ms []measure, each func(m measure) float64) ([]cell, []float64) {
	type weighted struct {
		c cell
		w float64
	}
	var all []weighted
	for _, m := range ms {
		scale := each(m)
		for i, c := range m.cells {
			all = append(all, weighted{c, m.massOf(i) * scale})
		}
	}
	slices.SortStableFunc(all, func(a, b weighted) int {
		switch {
		case cellBefore(a.c, b.c):
			return -1
		case cellBefore(b.c, a.c):
			return 1
		case a.c.Mean < b.c.Mean:
			return -1
		case a.c.Mean > b.c.Mean:
			return 1
		}
		return 0
	})
	cells, mass := make([]cell, 0, len(all)), make([]float64, 0, len(all))
	for i, c := range all {
		if k := len(cells) - 1; i > 0 && cells[k].Lo == c.c.Lo && cells[k].Hi == c.c.Hi && cells[k].Mean == c.c.Mean && cells[k].Var == c.c.Var {
			mass[k] += c.w
			continue
		}
		cells, mass = append(cells, c.c), append(mass, c.w)
	}
	return cells, mass
}
