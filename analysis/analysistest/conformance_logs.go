package analysistest

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// defaultPolicy is a policy with the check alone.
func defaultPolicy(check analysis.Check) *analysis.Policy {
	return &analysis.Policy{
		Version: 1,
		Model:   analysis.Model{Name: "model", Baseline: "v1", Candidate: "v2"},
		Columns: analysis.Columns{Score: "score", Label: "label", Time: "ts", Unit: "id", Action: "action"},
		Range:   &[2]float64{0, 1},
		Split:   analysis.Split{Baseline: 0.5, Candidate: 0.5},
		Budget:  analysis.Budget{Rollback: 0.05, Pause: 0.10, SRM: 0.001},
		Checks:  []analysis.CheckEntry{{Check: check, Severity: analysis.SeverityRollback, Required: true}},
	}
}

// flavour is a kind of log that the suite makes.
type flavour int

const (
	plain    flavour = iota // sound values
	constant                // one value in all rows
	nulls                   // nothing but missing values
	wild                    // NaN, infinities, huge and negative numbers
	wordy                   // features are texts
	flags                   // features are yes or no
	absent                  // no file has the columns
	flavours                // their number
)

func (f flavour) String() string {
	return [...]string{"sound values", "one value in all rows", "nothing but missing values", "NaN, infinities and huge numbers",
		"features that are texts", "features that are yes or no", "columns that are absent"}[f]
}

// logRows is the size of an arm; its parts are of different sizes.
const logRows = 600

// logs runs the check on logs that the suite makes.
func (c *conformance) logs(spec *analysis.Spec) error {
	empty := analysis.NewSnapshot(spec)
	for _, e := range []struct {
		on                  string
		baseline, candidate *analysis.Snapshot
	}{{"two missing arms", nil, nil}, {"two empty arms", empty, empty}} {
		c.sound(e.on, c.look(e.baseline, e.candidate))
	}
	for f := range flavours {
		base, err := collect(spec, f, 1, 0, logRows)
		if err != nil {
			return err
		}
		cand, err := collect(spec, f, 2, 0, logRows)
		if err != nil {
			return err
		}
		on := "logs with " + f.String()
		whole, ok := c.sound(on, c.look(base, cand))
		c.sound(on+", without a baseline", c.look(nil, cand))
		c.sound(on+", without a candidate", c.look(base, nil))
		c.sound(on+", with an empty baseline", c.look(empty, cand))
		c.sound(on+", with an empty candidate", c.look(base, empty))
		if !ok {
			continue
		}
		if err := c.inParts(spec, f, whole); err != nil {
			return err
		}
	}
	return nil
}

// inParts holds that the findings are the same when the logs come in parts.
func (c *conformance) inParts(spec *analysis.Spec, f flavour, whole string) error {
	cuts := []int{0, 1, 100, 350, logRows}
	parts := make([][]*analysis.Snapshot, 2)
	for arm := range parts {
		for i := 1; i < len(cuts); i++ {
			s, err := collect(spec, f, uint64(arm+1), cuts[i-1], cuts[i])
			if err != nil {
				return err
			}
			parts[arm] = append(parts[arm], s)
		}
	}
	forward := func(ss []*analysis.Snapshot) (*analysis.Snapshot, error) { return analysis.MergeSnapshots(ss...) }
	for _, way := range []struct {
		name string
		join func([]*analysis.Snapshot) (*analysis.Snapshot, error)
	}{
		{"in four parts", forward},
		{"in four parts, the last one first", func(ss []*analysis.Snapshot) (*analysis.Snapshot, error) {
			ss = slices.Clone(ss)
			slices.Reverse(ss)
			return forward(ss)
		}},
		{"stored and read back", func(ss []*analysis.Snapshot) (*analysis.Snapshot, error) {
			s, err := forward(ss)
			if err != nil {
				return nil, err
			}
			b, err := s.MarshalBinary()
			if err != nil {
				return nil, err
			}
			out := new(analysis.Snapshot)
			return out, out.UnmarshalBinary(b)
		}},
	} {
		base, err := way.join(parts[0])
		if err != nil {
			return err
		}
		cand, err := way.join(parts[1])
		if err != nil {
			return err
		}
		on := "logs with " + f.String() + ", " + way.name
		if fs, ok := c.run(on, c.look(base, cand)); ok {
			if text := c.text(on, fs); text != whole {
				c.breaks(ruleMerge, on, "in one pass\n%s\n%s\n%s", whole, way.name, text)
			}
		}
	}
	return nil
}

// look is the evidence of two arms, as the engine hands it to the check.
func (c *conformance) look(baseline, candidate *analysis.Snapshot) *analysis.Evidence {
	return &analysis.Evidence{
		Baseline: baseline, Candidate: candidate, Split: c.policy.Split,
		Strata: []analysis.Stratum{{Split: c.policy.Split, Baseline: baseline, Candidate: candidate}},
		Policy: c.policy, Alpha: 0.025, PauseAlpha: 0.05, NoHarmAlpha: analysis.NoHarmAlpha,
	}
}

// collect makes the rows from first to last of an arm.
func collect(spec *analysis.Spec, f flavour, seed uint64, first, last int) (*analysis.Snapshot, error) {
	b := &analysis.Batch{Rows: last - first}
	for i, col := range spec.Columns {
		c := madeColumn(spec.Task, col, f, rand.New(rand.NewPCG(seed, uint64(i))))
		b.Columns = append(b.Columns, cut(c, first, last))
	}
	col := analysis.NewCollector(spec)
	if err := col.Add(b); err != nil {
		return nil, err
	}
	s, err := col.Snapshot()
	if err != nil {
		return nil, err
	}
	for _, m := range spec.Metrics {
		for at := 0; at < last; at += window {
			if at < first {
				continue
			}
			if err := s.AddMeasurement(measured(m, f, at)); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// madeColumn is a whole column of an arm.
func madeColumn(task analysis.Task, col analysis.ColumnSpec, f flavour, r *rand.Rand) analysis.Column {
	var c analysis.Column
	words := []string{"alpha", "beta", "gamma", ""}
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1e300, 1e300, 0, -1}
	for i := range logRows {
		x := r.Float64()
		k := int32(x * float64(len(words)))
		if f == constant {
			x, k = 0.25, 1
		}
		if f == wild && i%3 == 0 {
			x = odd[(i/3)%len(odd)]
		}
		c.Valid = append(c.Valid, f != nulls)
		c.Bools = append(c.Bools, x > 0.5)
		c.Codes = append(c.Codes, k)
		c.Floats = append(c.Floats, x)
		c.Ints = append(c.Ints, int64(r.Uint64()>>1))
	}
	switch {
	case f == absent:
		return analysis.Column{}
	case col.Role == analysis.Clock:
		for i := range c.Ints {
			c.Ints[i] = int64(i) * 1_000_000
		}
		return analysis.Column{Type: analysis.Time, Ints: c.Ints, Valid: c.Valid}
	case col.Role == analysis.Unit:
		return analysis.Column{Type: analysis.Int, Ints: c.Ints, Valid: c.Valid}
	case col.Role == analysis.Label && task == analysis.Binary, col.Role == analysis.Feature && f == flags:
		return analysis.Column{Type: analysis.Bool, Bools: c.Bools, Valid: c.Valid}
	case col.Role == analysis.Action, col.Role == analysis.Label && task == analysis.Multiclass, col.Role == analysis.Feature && f == wordy:
		return analysis.Column{Type: analysis.String, Codes: c.Codes, Dict: &analysis.Dict{Values: words}, Valid: c.Valid}
	}
	return analysis.Column{Type: analysis.Float, Floats: c.Floats, Valid: c.Valid}
}

// cut is a part of the rows of a column.
func cut(c analysis.Column, first, last int) analysis.Column {
	if c.Type == analysis.Absent {
		return c
	}
	out := analysis.Column{Type: c.Type, Dict: c.Dict, Valid: c.Valid[first:last]}
	switch c.Type {
	case analysis.Float:
		out.Floats = c.Floats[first:last]
	case analysis.Int, analysis.Time:
		out.Ints = c.Ints[first:last]
	case analysis.Bool:
		out.Bools = c.Bools[first:last]
	case analysis.String:
		out.Codes = c.Codes[first:last]
	case analysis.Absent:
	}
	return out
}

// window is how many seconds, and rows, a measurement stands for.
const window = 50

// measured is what a provider brings of a metric over one window.
func measured(m analysis.MetricSpec, f flavour, at int) analysis.Measurement {
	start := time.Unix(int64(at), 0).UTC()
	out := analysis.Measurement{Metric: m.Name, Start: start, End: start.Add(window * time.Second)}
	if f == nulls || f == absent {
		return out
	}
	count, total := 10.0*window, float64(at%200)
	if f == constant {
		total = window
	}
	if f == wild {
		total = []float64{math.NaN(), math.Inf(1), -1, 1}[at/window%4]
	}
	squares := 2 * total * total
	out.Count, out.Total, out.Squares = &count, &total, &squares
	if m.Kind == analysis.DistributionMetric {
		out.Edges = []float64{1, 10}
		out.Buckets = []uint64{uint64(at), window, 1}
	}
	return out
}
