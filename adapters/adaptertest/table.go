package adaptertest

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

// cut is a decision threshold of the suite.
const cut = 0.7

// edges are values at which counting goes wrong most easily.
var edges = []any{
	cut, math.Nextafter(cut, 0), math.Nextafter(cut, 1), 0.0, math.Copysign(0, -1), 1.0, -1.0,
	math.NaN(), math.Inf(1), math.Inf(-1), nil, math.MaxFloat64, math.SmallestNonzeroFloat64, -math.MaxFloat64,
	0.1, 1.0 / 3, 1e21, 1e-7, 123456789.125, math.Nextafter(1, 0), math.Nextafter(1, 2),
}

// texts are names that quoting and encoding may hurt.
var texts = []any{
	"plain", "", "with, comma", "with \"quotes\"", "two\nlines", "tab\there", " spaces ", "naïve – 東京", "NaN", "null", "NULL",
	"true", "1", "0x1f", nil, "\\", "'", "a\r\nb", "-", "é",
}

// Fixture is the table that the suite begins with: every type, missing values,
// and the values at which counting goes wrong most easily.
func Fixture() Table {
	const rows = 840
	t := Table{
		{"action", analysis.String, nil}, {"amount", analysis.Float, nil}, {"count", analysis.Int, nil},
		{"flag", analysis.Bool, nil}, {"id", analysis.Int, nil}, {"label", analysis.Bool, nil},
		{"name", analysis.String, nil}, {"score", analysis.Float, nil}, {"ts", analysis.Time, nil},
	}
	missing := func(i, in int, v any) any {
		if mix(i)%uint64(in) == 0 {
			return nil
		}
		return v
	}
	for i := range rows {
		r := mix(i + 1<<20)
		score := any(float64(r%1000) / 999)
		if i%4 == 0 {
			score = edges[i/4%len(edges)]
		}
		row := []any{
			[]string{"allow", "review", "block"}[r%3],
			edges[i%len(edges)],
			missing(i, 7, []int64{0, 1, -1, 70, 69, 71, math.MaxInt64, math.MinInt64, int64(r % 100)}[i%9]),
			missing(i, 5, r%2 == 0),
			int64(i)*7919 + 1,
			missing(i, 3, r%4 == 0),
			texts[i%len(texts)],
			score,
			missing(i, 11, 1_760_000_000_000_000+int64(r%86_400_000)*1000+int64(i)),
		}
		for k := range t {
			t[k].Values = append(t[k].Values, row[k])
		}
	}
	return t
}

// mix spreads the bits of i.
func mix(i int) uint64 {
	x := uint64(i) * 0x9e3779b97f4a7c15
	x ^= x >> 31
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>29
}

// rowSpec is what is collected of the fixture.
func rowSpec(t Table) (*analysis.Spec, error) {
	columns := map[string]analysis.ColumnSpec{
		"action": {Role: analysis.Action},
		"amount": {Sums: true, Cuts: []float64{cut}},
		"count":  {Cuts: []float64{70}},
		"id":     {Role: analysis.Unit},
		"label":  {Role: analysis.Label},
		"score":  {Role: analysis.Score, Cuts: []float64{cut}},
		"ts":     {Role: analysis.Clock},
	}
	var list []analysis.ColumnSpec
	for _, c := range t {
		s := columns[c.Name]
		s.Name = c.Name
		list = append(list, s)
	}
	return analysis.NewSpec(analysis.Binary, list...)
}

// countSpec is rowSpec with counts only.
func countSpec(t Table) (*analysis.Spec, error) {
	spec, err := rowSpec(t)
	if err != nil {
		return nil, err
	}
	var list []analysis.ColumnSpec
	for _, c := range spec.Columns {
		if c.Role == analysis.Score {
			c.Role = analysis.Feature
		}
		c.Sums = false
		list = append(list, c)
	}
	return analysis.NewSpec(analysis.Binary, list...)
}

// keep returns the columns of some types.
func (t Table) keep(types []analysis.Type) Table {
	if types == nil {
		return t
	}
	return slices.DeleteFunc(slices.Clone(t), func(c Column) bool { return !slices.Contains(types, c.Type) })
}

// without returns the table without a column.
func (t Table) without(name string) Table {
	return slices.DeleteFunc(slices.Clone(t), func(c Column) bool { return c.Name == name })
}

// has reports whether there is a column.
func (t Table) has(name string) bool {
	return slices.ContainsFunc(t, func(c Column) bool { return c.Name == name })
}

// shuffled returns the rows in another order.
func (t Table) shuffled() Table {
	order := make([]int, t.Rows())
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := mix(a+1<<30), mix(b+1<<30)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	out := make(Table, len(t))
	for i, c := range t {
		out[i] = Column{Name: c.Name, Type: c.Type}
		for _, k := range order {
			out[i].Values = append(out[i].Values, c.Values[k])
		}
	}
	return out
}

// Reference collects tables as a source should: it is what the suite compares
// with.
func Reference(spec *analysis.Spec, tables ...Table) (*analysis.Snapshot, error) {
	into := analysis.NewCollector(spec)
	for _, t := range tables {
		if t.Rows() == 0 {
			continue
		}
		b := analysis.Batch{Rows: t.Rows(), Columns: make([]analysis.Column, len(spec.Columns))}
		for i, c := range spec.Columns {
			for _, column := range t {
				if column.Name == c.Name {
					b.Columns[i] = column.batch()
				}
			}
		}
		if err := into.Add(&b); err != nil {
			return nil, fmt.Errorf("adaptertest: Reference: %w", err)
		}
	}
	return into.Take()
}

// batch is the column as it is handed to a collector.
func (c Column) batch() analysis.Column {
	n := len(c.Values)
	out := analysis.Column{Type: c.Type, Valid: make([]bool, n)}
	switch c.Type {
	case analysis.Float:
		out.Floats = make([]float64, n)
	case analysis.Int, analysis.Time:
		out.Ints = make([]int64, n)
	case analysis.Bool:
		out.Bools = make([]bool, n)
	case analysis.String:
		out.Codes, out.Dict = make([]int32, n), &analysis.Dict{}
	case analysis.Absent:
		return analysis.Column{}
	}
	codes := map[string]int32{}
	for i, v := range c.Values {
		out.Valid[i] = v != nil
		switch v := v.(type) {
		case float64:
			out.Floats[i] = v
		case int64:
			out.Ints[i] = v
		case bool:
			out.Bools[i] = v
		case string:
			code, ok := codes[v]
			if !ok {
				code = int32(len(out.Dict.Values))
				codes[v] = code
				out.Dict.Values = append(out.Dict.Values, v)
			}
			out.Codes[i] = code
		}
	}
	return out
}
