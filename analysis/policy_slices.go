package analysis

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const slicesForm = "a list of columns, crosses of columns, and mappings such as [country, [country, device], {column: amount, cuts: [10, 100]}]"

// readSlices reads the declared slices: country, [country, device], {column:
// amount, cuts: [10, 100]}, {columns: [country, {column: amount, cuts: [10]}], cap:
// 128}.
func readSlices(top *Params) []SliceSpec {
	f, items := top.list("slices", slicesForm)
	var out []SliceSpec
	for _, n := range items {
		c, ok := readCross(top, n)
		switch {
		case !ok:
			continue
		case len(c.Columns) == 0:
			top.r.fault(n, "slices: a cross without columns; remove it")
			continue
		}
		fit, err := c.canonical()
		if err != nil {
			top.r.fault(n, "slices: %s", strings.TrimPrefix(err.Error(), "analysis: WithSlices: "))
			continue
		}
		if slices.ContainsFunc(out, func(o SliceSpec) bool {
			have, err := o.canonical()
			return err == nil && have.Same(&fit)
		}) {
			top.r.fault(n, "slices: %s is given twice; keep one", strings.Join(c.Names(), " x "))
			continue
		}
		out = append(out, c)
	}
	if f != nil {
		f.used = true
	}
	return out
}

// readCross reads one declared cross.
func readCross(top *Params, n *yaml.Node) (SliceSpec, bool) {
	var c SliceSpec
	parts := []*yaml.Node{n}
	switch n.Kind {
	case yaml.SequenceNode:
		parts = n.Content
	case yaml.MappingNode:
		p := top.r.newParams(n, "slices: ")
		if !p.Has("columns") {
			break // a single column with cuts
		}
		_, parts = p.list("columns", "a list of columns such as [country, {column: amount, cuts: [10, 100]}]")
		c.Cap = int(p.Uint("cap", 0))
		if c.Cap > maxSliceCap {
			p.Errorf("cap", "%d slices of one cross; keep at most %d, and name others in the values of the check", c.Cap, maxSliceCap)
			c.Cap = 0
		}
		p.unused()
	}
	ok := true
	for _, part := range parts {
		col, good := readSliceColumn(top, part)
		if good && slices.Contains(c.Names(), col.Name) {
			top.r.fault(part, "slices: column %q is twice in one cross; keep one", shorten(col.Name))
			good = false
		}
		c.Columns, ok = append(c.Columns, col), ok && good
	}
	return c, ok
}

// readSliceColumn reads a column of a cross: its name, or {column: name, cuts: []}.
func readSliceColumn(top *Params, n *yaml.Node) (SliceColumn, bool) {
	if n.Kind != yaml.MappingNode {
		name, ok := top.text(n, "slices")
		return SliceColumn{Name: name}, ok
	}
	p := top.r.newParams(n, "slices: ")
	before := len(top.r.faults)
	col := SliceColumn{Name: p.Str("column", ""), Cuts: p.Floats("cuts")}
	if !p.Has("column") {
		p.Errorf("", "the column is missing; write {column: amount, cuts: [10, 100]}")
	}
	if !slices.IsSorted(col.Cuts) {
		p.Errorf("cuts", "%v are not in ascending order", col.Cuts)
	}
	p.unused()
	return col, len(top.r.faults) == before
}

// canonicalForm is the shortest form in which a policy may write the cross.
func (c *SliceSpec) canonicalForm() any {
	var columns []any
	plain := c.Cap == 0
	for _, col := range c.Columns {
		if len(col.Cuts) == 0 {
			columns = append(columns, col.Name)
			continue
		}
		columns = append(columns, map[string]any{"column": col.Name, "cuts": col.Cuts})
	}
	if plain {
		return columns
	}
	return map[string]any{"columns": columns, "cap": c.Cap}
}
