package pairjoin_test

import (
	"io"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/adapters/pairjoin"
	"github.com/rampguard/rampguard/analysis"
)

// row is a row of a log in memory, by column; what is not there is missing.
type row map[string]any

// table is a stream of rows in batches. A column of which no row of a batch has a
// value is absent from it; typed says which integers are times.
type table struct {
	spec  *analysis.Spec
	rows  []row
	batch int
	typed map[string]analysis.Type
	known map[string]analysis.Type // of columns that are never absent
}

func (t *table) Next(b *analysis.Batch) error {
	n := min(len(t.rows), max(1, t.batch))
	if n == 0 {
		return io.EOF
	}
	*b = analysis.Batch{Rows: n}
	for _, c := range t.spec.Columns {
		col := columnOf(c.Name, t.rows[:n], t.typed[c.Name])
		if typ := t.known[c.Name]; col.Type == analysis.Absent && typ != analysis.Absent {
			col = missing(typ, n)
		}
		b.Columns = append(b.Columns, col)
	}
	t.rows = t.rows[n:]
	return nil
}

// missing is a column of a type without values.
func missing(typ analysis.Type, n int) analysis.Column {
	return analysis.Column{Type: typ, Floats: make([]float64, n), Ints: make([]int64, n), Bools: make([]bool, n),
		Codes: make([]int32, n), Dict: &analysis.Dict{}, Valid: make([]bool, n)}
}

func columnOf(name string, rows []row, whole analysis.Type) analysis.Column {
	typ := analysis.Absent
	for _, r := range rows {
		switch r[name].(type) {
		case float64:
			typ = analysis.Float
		case int64:
			typ = max(whole, analysis.Int)
		case bool:
			typ = analysis.Bool
		case string:
			typ = analysis.String
		}
	}
	c := analysis.Column{Type: typ, Valid: make([]bool, len(rows))}
	switch typ {
	case analysis.Absent:
		c.Valid = nil
	case analysis.Float:
		c.Floats = make([]float64, len(rows))
	case analysis.Int, analysis.Time:
		c.Ints = make([]int64, len(rows))
	case analysis.Bool:
		c.Bools = make([]bool, len(rows))
	case analysis.String:
		c.Codes, c.Dict = make([]int32, len(rows)), &analysis.Dict{}
	}
	for i, r := range rows {
		v := r[name]
		if c.Valid != nil {
			c.Valid[i] = v != nil
		}
		switch v := v.(type) {
		case float64:
			c.Floats[i] = v
		case int64:
			c.Ints[i] = v
		case bool:
			c.Bools[i] = v
		case string:
			c.Codes[i] = int32(len(c.Dict.Values))
			c.Dict.Values = append(c.Dict.Values, v)
		}
	}
	return c
}

// shadow is the spec of most tests: a binary task with a label, a unit, a time and
// slices by segment.
func shadow(t testing.TB) *analysis.PairSpec {
	t.Helper()
	s, err := analysis.NewPairSpec(analysis.PairSpec{Task: analysis.Binary, Baseline: "champion", Candidate: "challenger",
		Label: "label", Unit: "id", Time: "ts", BaselineCuts: []float64{0.5}, CandidateCuts: []float64{0.25, 0.5},
		Slices: []analysis.SliceSpec{{Columns: []analysis.SliceColumn{{Name: "segment"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var times = map[string]analysis.Type{"ts": analysis.Time}

// logs makes the two streams.
func logs(t testing.TB, spec *analysis.PairSpec, id string, batch int, baseline, candidate []row) (a, b pairjoin.Log) {
	t.Helper()
	s, err := pairjoin.LogSpec(spec, "score", id)
	if err != nil {
		t.Fatal(err)
	}
	return pairjoin.Log{Spec: s, Rows: &table{spec: s, rows: baseline, batch: batch, typed: times}},
		pairjoin.Log{Spec: s, Rows: &table{spec: s, rows: candidate, batch: batch, typed: times}}
}

// want is the join as one would write it down: by a map of ids, with all rows in
// memory.
func want(t testing.TB, spec *analysis.PairSpec, id string, baseline, candidate []row) pairjoin.Result {
	t.Helper()
	byID := [2]map[any][]row{{}, {}}
	out := pairjoin.Result{}
	for side, rows := range [][]row{baseline, candidate} {
		s := []*pairjoin.Side{&out.Baseline, &out.Candidate}[side]
		for _, r := range rows {
			s.Rows++
			if r[id] == nil {
				s.NoID++
				continue
			}
			byID[side][r[id]] = append(byID[side][r[id]], r)
		}
	}
	has := map[string]bool{} // columns that the baseline's log has
	known := map[string]analysis.Type{}
	for i, r := range slices.Concat(baseline, candidate) {
		for name, v := range r {
			has[name] = has[name] || i < len(baseline)
			known[name] = columnOf(name, []row{{name: v}}, times[name]).Type
		}
	}
	var pairs []row
	for side := range byID {
		s := []*pairjoin.Side{&out.Baseline, &out.Candidate}[side]
		for key, mine := range byID[side] {
			theirs := byID[1-side][key]
			switch {
			case len(mine) > 1 || len(theirs) > 1:
				s.Duplicate += uint64(len(mine))
			case len(theirs) == 0:
				s.Only++
			case side == 0:
				pair := row{}
				for name, v := range theirs[0] {
					if !has[name] {
						pair[name] = v
					}
				}
				for name, v := range mine[0] {
					pair[name] = v
				}
				a, b := mine[0]["label"], theirs[0]["label"]
				switch {
				case a == nil:
					pair["label"] = b
				case b != nil && a != b:
					out.LabelConflicts++
					pair["label"] = nil
				}
				pair[spec.Baseline], pair[spec.Candidate] = mine[0]["score"], theirs[0]["score"]
				pairs = append(pairs, pair)
			}
		}
	}
	s, err := pairjoin.Collect(t.Context(), spec, &table{spec: spec.Spec(), rows: pairs, batch: 1000, typed: times, known: known}, pairjoin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.LabelConflicts = out.LabelConflicts
	s.OnlyBaseline, s.OnlyCandidate = out.Baseline.Only+out.Baseline.NoID, out.Candidate.Only+out.Candidate.NoID
	s.DuplicateBaseline, s.DuplicateCandidate = out.Baseline.Duplicate, out.Candidate.Duplicate
	out.Pairs = s
	return out
}
