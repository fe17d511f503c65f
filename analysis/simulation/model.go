package simulation

import (
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"gonum.org/v1/gonum/mathext"
)

// model says how the values of a column come about: as in the baseline that was
// collected, else as the traffic says, else as what reads the column suggests.
func (w *world) model(spec *analysis.ColumnSpec) column {
	c := column{name: spec.Name, cell: -1}
	t := &w.scenario.Traffic
	var seen *analysis.ColumnSummary
	if t.Baseline != nil {
		seen = t.Baseline.Column(spec.Name)
	}
	switch spec.Role {
	case analysis.Clock:
		c.kind = clock
		return c
	case analysis.Unit:
		c.kind = unit
		return c
	case analysis.Score:
		if w.spec.Task == analysis.Binary {
			w.modelScore(&c, seen)
			return c
		}
	case analysis.Label:
		if w.spec.Task == analysis.Binary && w.spec.ByRole(analysis.Score) >= 0 {
			c.kind = label
			return c
		}
	case analysis.Action:
		if rules := w.policy.Actions.Rules; len(rules) > 0 && w.spec.Task == analysis.Binary && w.spec.ByRole(analysis.Score) >= 0 {
			c.kind = action
			for _, r := range rules {
				c.names = append(c.names, r.Name)
			}
			return c
		}
	case analysis.Feature:
	}
	if _, sliced := w.cells[0].values[spec.Name]; sliced {
		c.kind, c.cell = name, 0
		return c
	}
	w.modelFeature(&c, spec, seen)
	return c
}

// modelFeature models a column without a role.
func (w *world) modelFeature(c *column, spec *analysis.ColumnSpec, seen *analysis.ColumnSummary) {
	t := &w.scenario.Traffic
	rate, isFlag := t.BaseRates[c.name]
	moments, isNumber := t.Moments[c.name]
	_, isName := t.Shares[c.name]
	g := w.guardrailOf(c.name)
	switch {
	case isFlag:
		c.kind, c.rate = flag, rate
	case isNumber:
		c.kind = number
		c.spread(moments.Mean, moments.SD)
	case seen != nil && seen.Boolean.Trials() > 0:
		c.kind, c.rate = flag, float64(seen.Boolean.True)/float64(seen.Boolean.Trials())
	case seen != nil && seen.Numeric.N() > 0:
		c.kind = number
		c.copyOf(seen)
	case isName, seen != nil && seen.Category.Total() > 0:
		c.kind = name
		var p []float64
		c.names, p = w.namesOf(c.name)
		c.weight = newShares(p)
	case g != nil && (g.Metric == checks.Rate && g.Threshold == 0 || g.Metric == checks.Mean && shareLike(g)), spec.Role == analysis.Label:
		c.kind, c.rate = flag, 0.01
		w.assume("%s is yes in 1%% of the rows", c.name)
	default:
		c.kind = number
		c.spread(100, 50)
		w.assume("%s has a mean of 100 with a standard deviation of 50", c.name)
	}
}

// shareLike reports whether the limits of a mean are those of a share.
func shareLike(g *checks.Guardrail) bool {
	if g.Margin != nil && g.Margin.Unit == analysis.Points {
		return true
	}
	for _, q := range []*analysis.Quantity{g.Bounds.Pause, g.Bounds.Rollback} {
		if q != nil && (q.Unit == analysis.Relative || q.Unit == analysis.Points || q.Value <= 1) {
			return true
		}
	}
	return false
}

// edges are the probabilities between which a distribution is cut into values,
// finer in the upper tail, where quantiles are watched.
var edges = []float64{0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.92, 0.94, 0.96, 0.975, 0.985, 0.995, 0.999, 1}

// spread cuts a lognormal law, or a normal one where the mean is not positive, at
// the edges; each part is represented by its median, all shifted and scaled to the
// mean.
func (c *column) spread(mean, sd float64) {
	var weights []float64
	for i, hi := range edges[1:] {
		weights = append(weights, hi-edges[i])
		z := mathext.NormalQuantile((hi + edges[i]) / 2)
		x := mean + float64(sd*z)
		if mean > 0 {
			mu, sigma := logNormal(mean, sd)
			x = math.Exp(mu + float64(sigma*z))
		}
		c.values = append(c.values, x)
	}
	if sd == 0 {
		c.values, weights = []float64{mean}, []float64{1}
	}
	c.weight = newShares(weights)
}

// copyOf takes the quantiles of a column that was collected.
func (c *column) copyOf(seen *analysis.ColumnSummary) {
	var weights []float64
	for i, hi := range edges[1:] {
		if q, err := seen.Numeric.Quantile((hi + edges[i]) / 2); err == nil {
			c.values, weights = append(c.values, q.Value), append(weights, hi-edges[i])
		}
	}
	c.weight = newShares(weights)
}

// scorePoints is the number of scores that a score column takes.
const scorePoints = 15

// modelScore makes a score that is calibrated: of the rows with score p a share p
// is positive. Without a baseline the log odds are normal with a standard deviation
// of 1.5, about the share of positive labels.
func (w *world) modelScore(c *column, seen *analysis.ColumnSummary) {
	c.kind = score
	if seen != nil && seen.Scores.Total() > 0 {
		if c.scoresOf(seen); len(c.values) > 0 {
			return
		}
	}
	t := &w.scenario.Traffic
	positive, known := 0.0, false
	for _, name := range []string{w.policy.Columns.Label, string(checks.LabelRate)} {
		if p, ok := t.BaseRates[name]; ok && name != "" {
			positive, known = p, true
		}
	}
	if !known || !(positive > 0 && positive < 1) {
		positive = 0.2
		w.assume("20%% of the labels are positive")
	}
	at := func(mid float64) float64 {
		mean := 0.0
		c.values = c.values[:0]
		for i := range scorePoints {
			z := mathext.NormalQuantile((float64(i) + 0.5) / scorePoints)
			p := 1 / (1 + math.Exp(-mid-float64(1.5*z)))
			c.values = append(c.values, p)
			mean += p / scorePoints
		}
		return mean
	}
	lo, hi := -30.0, 30.0
	for range 60 {
		if mid := (lo + hi) / 2; at(mid) < positive {
			lo = mid
		} else {
			hi = mid
		}
	}
	c.truth = append([]float64{}, c.values...)
	weights := make([]float64, scorePoints)
	for i := range weights {
		weights[i] = 1
	}
	c.weight = newShares(weights)
}

// scoresOf takes the scores of a baseline, in groups of neighbours of about equal
// size, with their own share of positive labels; without labels the score is taken
// at its word.
func (c *column) scoresOf(seen *analysis.ColumnSummary) {
	bins := seen.Scores.Reliability()
	total := uint64(0)
	for _, b := range bins {
		total += b.N
	}
	if total == 0 {
		for i := range scorePoints {
			if q, err := seen.Scores.All().Quantile((float64(i) + 0.5) / scorePoints); err == nil {
				c.values, c.truth = append(c.values, q.Value), append(c.truth, q.Value)
			}
		}
		weights := make([]float64, len(c.values))
		for i := range weights {
			weights[i] = 1
		}
		c.weight = newShares(weights)
		return
	}
	var weights []float64
	n, positives, sum := uint64(0), uint64(0), 0.0
	for i, b := range bins {
		n, positives, sum = n+b.N, positives+b.Positives, sum+b.SumP
		if n*scorePoints >= total || i == len(bins)-1 {
			c.values = append(c.values, math.Min(1, sum/float64(n)))
			c.truth = append(c.truth, float64(positives)/float64(n))
			weights = append(weights, float64(n))
			n, positives, sum = 0, 0, 0
		}
	}
	c.weight = newShares(weights)
}

// dilution is how far the labels have to be mixed with labels that do not depend on
// the score for the log loss to rise by the relative amount x: log loss is linear in
// it.
func (c *column) dilution(x float64) float64 {
	now, then, positive := 0.0, 0.0, 0.0
	for i, w := range c.weight.p {
		positive += float64(w * c.truth[i])
	}
	for i, w := range c.weight.p {
		p := math.Min(math.Max(c.values[i], 1e-12), 1-1e-12)
		yes, no := -math.Log(p), -math.Log1p(-p)
		now += float64(w * (float64(c.truth[i]*yes) + float64((1-c.truth[i])*no)))
		then += float64(w * (float64(positive*yes) + float64((1-positive)*no)))
	}
	return x * now / (then - now)
}

// harmed is the column in the candidate while it does harm, in the rows that the
// harm hits.
func (c column) harmed(h Harm) column {
	switch {
	case c.kind == score && h.LogLoss > 0:
		k, positive := c.dilution(h.LogLoss), 0.0
		for i, w := range c.weight.p {
			positive += float64(w * c.truth[i])
		}
		truth := make([]float64, len(c.truth))
		for i, q := range c.truth {
			truth[i] = float64((1-k)*q) + float64(k*positive)
		}
		c.truth = truth
	case c.kind == score && h.Collapse:
		weights := make([]float64, len(c.values))
		weights[len(weights)/2] = 1
		truth := make([]float64, len(c.truth))
		for i, w := range c.weight.p {
			truth[len(truth)/2] += float64(w * c.truth[i])
		}
		c.weight, c.truth = newShares(weights), truth
	case c.name != h.Column:
	case c.kind == flag:
		c.rate = math.Min(1, c.rate*h.Factor)
	case c.kind == number:
		c.offset = len(c.weight.p)
	}
	return c
}

// widen gives a numeric column the values that it has under harm, too.
func (c *column) widen(h Harm) {
	if c.kind != number || c.name != h.Column {
		return
	}
	for _, x := range c.values[:len(c.weight.p)] {
		c.values = append(c.values, x*h.Factor)
	}
}
