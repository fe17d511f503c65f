package simulation

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// world is what the rows of both arms look like, made from what the policy reads.
// Rows fall into cells, one for each combination of the values by which slices are
// told apart; within a cell the columns are independent of each other.
type world struct {
	policy   *analysis.Policy
	spec     *analysis.Spec
	scenario Scenario
	rate     float64 // units a second
	columns  []column
	metrics  []metric
	cells    []cell
	split    shares // of the rows among the cells
	views    []view
	width    int // counts of one cell
	assumed  []string
}

// kind is how the values of a column are drawn and counted.
type kind int8

const (
	flag   kind = iota // no, yes
	number             // one of a list of values
	name               // one of a list of names
	score              // one of a list of scores, by label
	label              // follows the score
	action             // follows the score, or one of a list of names
	clock
	unit
)

// column is the model of one column of the spec.
type column struct {
	name   string
	kind   kind
	at     int // place of its counts in those of a cell
	rate   float64
	values []float64 // number, score
	truth  []float64 // score: the share of positive labels at a score
	names  []string
	weight shares
	offset int // number: of the values that are drawn among all of them
	cell   int // name: 0 when the cell says which, else -1
}

// counts is the number of counts of the column in a cell.
func (c *column) counts() int {
	switch c.kind {
	case flag:
		return 2
	case number:
		return len(c.values)
	case name:
		if c.cell < 0 {
			return len(c.names)
		}
	case score:
		return 3 * len(c.values)
	case action:
		return len(c.names)
	case label, clock, unit:
	}
	return 0
}

// cell is one combination of the values that slices are made of.
type cell struct {
	values map[string]string
	harmed bool
}

// view is a set of cells that is summarised together: all of them, or a slice.
type view struct {
	cross  *analysis.SliceSpec // nil for all
	values []string
	cells  []int
}

// metric is the model of a provider's metric.
type metric struct {
	analysis.MetricSpec
	mean, sd float64 // of a unit, or of a window of a gauge
}

// maxCells bounds the combinations of slices.
const maxCells = 256

func newWorld(p *analysis.Policy, s Scenario) (*world, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	spec, err := p.Spec()
	if err != nil {
		return nil, err
	}
	w := &world{policy: p, spec: spec, scenario: s, rate: s.Traffic.Rate(p)}
	if !(w.rate > 0) {
		return nil, fmt.Errorf("simulation: how much traffic? neither the scenario nor the policy says: %w", stats.ErrDomain)
	}
	if err := w.makeCells(); err != nil {
		return nil, err
	}
	for i := range spec.Columns {
		c := w.model(&spec.Columns[i])
		c.widen(s.Harm)
		c.at = w.width
		w.width += c.counts()
		w.columns = append(w.columns, c)
	}
	for _, m := range spec.Metrics {
		w.metrics = append(w.metrics, w.modelMetric(m))
	}
	return w, w.checkHarm()
}

// makeCells crosses the values of all columns that slices are made of.
func (w *world) makeCells() error {
	values := map[string][]string{}
	weights := map[string][]float64{}
	for _, cross := range w.spec.Slices {
		for _, c := range cross.Columns {
			if len(c.Cuts) > 0 {
				return fmt.Errorf("simulation: slices of %s by buckets are not simulated: %w", c.Name, stats.ErrDomain)
			}
			values[c.Name], weights[c.Name] = w.namesOf(c.Name)
		}
	}
	w.cells = []cell{{values: map[string]string{}}}
	probs := []float64{1}
	for _, col := range sortedKeys(values) {
		if len(w.cells)*len(values[col]) > maxCells {
			return fmt.Errorf("simulation: the slices have more than %d combinations of values: %w", maxCells, stats.ErrDomain)
		}
		var next []cell
		var p []float64
		for i, c := range w.cells {
			for k, v := range values[col] {
				m := maps.Clone(c.values)
				m[col] = v
				next, p = append(next, cell{values: m}), append(p, probs[i]*weights[col][k])
			}
		}
		w.cells, probs = next, p
	}
	w.split = newShares(probs)
	all := view{}
	for i := range w.cells {
		c := &w.cells[i]
		c.harmed = !slices.ContainsFunc(sortedKeys(w.scenario.Harm.Slice), func(col string) bool { return c.values[col] != w.scenario.Harm.Slice[col] })
		all.cells = append(all.cells, i)
	}
	w.views = []view{all}
	for k := range w.spec.Slices {
		w.viewsOf(&w.spec.Slices[k])
	}
	return nil
}

// viewsOf adds a view for every slice of a cross.
func (w *world) viewsOf(cross *analysis.SliceSpec) {
	first := len(w.views)
	for i := range w.cells {
		var values []string
		for _, c := range cross.Columns {
			values = append(values, w.cells[i].values[c.Name])
		}
		k := slices.IndexFunc(w.views[first:], func(v view) bool { return slices.Equal(v.values, values) })
		if k < 0 {
			k = len(w.views) - first
			w.views = append(w.views, view{cross: cross, values: values})
		}
		v := &w.views[first+k]
		v.cells = append(v.cells, i)
	}
}

// checkHarm makes sure that the harm has something to act on.
func (w *world) checkHarm() error {
	h := w.scenario.Harm
	bad := func(format string, args ...any) error {
		return fmt.Errorf("simulation: harm %v: %s: %w", h, fmt.Sprintf(format, args...), stats.ErrDomain)
	}
	if h.Column != "" {
		known := slices.ContainsFunc(w.metrics, func(m metric) bool { return m.Name == h.Column })
		for _, c := range w.columns {
			known = known || c.name == h.Column && (c.kind == flag || c.kind == number)
		}
		if !known {
			return bad("the policy reads no yes-or-no column, numeric column or metric of that name")
		}
	}
	if (h.LogLoss > 0 || h.Collapse) && !slices.ContainsFunc(w.columns, func(c column) bool { return c.kind == score }) {
		return bad("the policy reads no score of a binary task")
	}
	if h.LogLoss > 0 {
		for i := range w.columns {
			if c := &w.columns[i]; c.kind == score && !(c.dilution(h.LogLoss) <= 1) {
				return bad("scores that tell nothing lose less")
			}
		}
	}
	if len(h.Slice) > 0 && !slices.ContainsFunc(w.cells, func(c cell) bool { return c.harmed }) {
		return bad("no row is in that slice")
	}
	return nil
}

// namesOf lists the values of a column of names with their shares.
func (w *world) namesOf(col string) ([]string, []float64) {
	given := w.scenario.Traffic.Shares[col]
	if b := w.scenario.Traffic.Baseline; len(given) == 0 && b != nil {
		if c := b.Column(col); c != nil && c.Category.Total() > 0 {
			given = map[string]float64{}
			for _, n := range c.Category.Counts() {
				given[n.Name] = float64(n.N)
			}
		}
	}
	if len(given) == 0 {
		w.assume("%s takes the values a, b, c and d in 40, 30, 20 and 10%% of the rows", col)
		given = map[string]float64{"a": 40, "b": 30, "c": 20, "d": 10}
	}
	var names []string
	var weights []float64
	for _, v := range sortedKeys(given) {
		names, weights = append(names, v), append(weights, given[v])
	}
	return names, newShares(weights).p
}

func (w *world) assume(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.assumed, text) {
		w.assumed = append(w.assumed, text)
	}
}

// guardrailOf finds a guardrail on a column, for what it says about its type.
func (w *world) guardrailOf(col string) *checks.Guardrail {
	for _, e := range w.policy.Checks {
		if g, ok := e.Check.(checks.Guardrail); ok && (g.Column == col || g.Of == col) {
			return &g
		}
	}
	return nil
}

// modelMetric says what a provider brings.
func (w *world) modelMetric(m analysis.MetricSpec) metric {
	out := metric{MetricSpec: m, mean: 0.01}
	t := &w.scenario.Traffic
	given, known := t.Moments[m.Name]
	rate, share := t.BaseRates[m.Name]
	switch {
	case known:
		out.mean, out.sd = given.Mean, given.SD
	case share:
		out.mean = rate
	case m.Kind == analysis.GaugeMetric:
		out.mean, out.sd = 1, 0.1
		w.assume("the gauge %s has a mean of 1 with a standard deviation of 0.1 a minute", m.Name)
	case m.Kind == analysis.AverageMetric || m.Kind == analysis.DistributionMetric:
		out.mean, out.sd = 100, 50
		w.assume("%s has a mean of 100 with a standard deviation of 50", m.Name)
	default:
		w.assume("%s has an event in 1%% of the units", m.Name)
	}
	return out
}

// logNormal gives the parameters of the lognormal law with this mean and standard
// deviation.
func logNormal(mean, sd float64) (mu, sigma float64) {
	v := math.Log1p(sd / mean * (sd / mean))
	return math.Log(mean) - v/2, math.Sqrt(v)
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
