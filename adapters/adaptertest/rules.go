package adaptertest

import (
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

// rule is something that every source has to hold to. The function broken returns
// how the source breaks it, or nothing.
type rule struct {
	name, asks string
	broken     func(t *trial) string
}

var rules = []rule{
	{"values", "each value counts as what it is: a cut and its neighbours, NaN, infinities, -0, the empty text and texts that look like something else; one that counts otherwise moves a threshold or a share",
		func(t *trial) string { return t.agrees(1, t.table) }},
	{"missing", "missing values are counted as missing, and not as zero, as the empty text or not at all; a feature that stops arriving shows in nothing else",
		missingRule},
	{"absent", "a table without a column counts its rows as absent in it; a column that got lost must not look like one whose values are missing now and then",
		absentRule},
	{"unasked", "columns that the spec does not name make no difference",
		func(t *trial) string {
			if len(t.table) < 2 {
				return ""
			}
			spec, err := t.makeSpec(t.table[:1])
			if err != nil {
				return err.Error()
			}
			t.spec = spec
			return t.agrees(1, t.table)
		}},
	{"spread", "the same rows in one table or in many give the same bytes; how a log was cut into files says nothing about a model",
		func(t *trial) string { return t.agrees(1, t.parts(5)...) }},
	{"order", "the same rows in another order give the same bytes, so that a verdict can be repeated",
		func(t *trial) string {
			t.table = t.table.shuffled()
			return t.spread(2, true, t.parts(5)...)
		}},
	{"workers", "any number of workers gives the same bytes, each time",
		workersRule},
	{"empty", "a table without rows changes nothing, be it alone or among others",
		emptyRule},
	{"slices", "columns that belong together are handed over together, so that a slice has the values of its rows; see Spec.Parts",
		slicesRule},
	{"types", "a column of numbers in one table and of texts in another is an error that names the column; a part of the rows must never be left out",
		typesRule},
	{"unknown", "a table that is not there is an error that names it",
		func(t *trial) string {
			names, err := t.store(t.table)
			if err != nil {
				return err.Error()
			}
			got, err := t.Collect(background, t.spec, t.options(1), names[0], names[0]+"-not-there")
			return t.refuses(got, err, names[0]+"-not-there")
		}},
	{"damage", "a damaged table is an error that names it, and gives no snapshot: part of the data can look like all of it",
		damageRule},
	{"cancel", "a cancelled context ends the call with its error, before the first row as well as in the middle",
		cancelRule},
	{"goroutines", "no goroutine outlives the call, however it ends; a gate runs for months",
		goroutinesRule},
	{"progress", "progress never goes back, is never reported twice at once, and ends with all rows and all tables",
		progressRule},
}

// missingRule makes a column that has no value at all beside one that has all.
func missingRule(t *trial) string {
	table := slices.Clone(t.table)
	for i, c := range table {
		values := slices.Clone(c.Values)
		for k := range values {
			if k%(i+2) != 0 {
				values[k] = nil
			}
		}
		table[i] = Column{c.Name, c.Type, values}
	}
	return t.agrees(1, table)
}

func absentRule(t *trial) string {
	for _, c := range t.table {
		parts := t.parts(3)
		parts[1] = parts[1].without(c.Name)
		if len(parts[1]) == 0 {
			continue
		}
		if got := t.agrees(1, parts...); got != "" {
			return fmt.Sprintf("without %q in one of three tables: %s", c.Name, got)
		}
		if got := t.agrees(1, t.table.without(c.Name)); got != "" {
			return fmt.Sprintf("without %q: %s", c.Name, got)
		}
	}
	return ""
}

func workersRule(t *trial) string {
	parts := t.parts(9)
	for _, workers := range []int{1, 2, 8, 2, 8} {
		if said := t.spread(workers, false, parts...); said != "" {
			return fmt.Sprintf("with %d workers: %s", workers, said)
		}
	}
	return ""
}

func emptyRule(t *trial) string {
	none := t.table.Slice(0, 0)
	if got := t.agrees(1, none, t.table, none); got != "" {
		return "among others: " + got
	}
	if got := t.agrees(1, none); got != "" {
		return "alone: " + got
	}
	return ""
}

func slicesRule(t *trial) string {
	cross := analysis.SliceSpec{}
	for _, name := range []string{"action", "flag"} {
		if t.table.has(name) {
			cross.Columns = append(cross.Columns, analysis.SliceColumn{Name: name})
		}
	}
	if len(cross.Columns) == 0 {
		return ""
	}
	for _, name := range []string{"amount", "label", "score"} {
		if t.table.has(name) {
			cross.Measures = append(cross.Measures, name)
		}
	}
	spec, err := t.spec.WithSlices(cross)
	if err != nil {
		return err.Error()
	}
	t.spec = spec
	return t.agrees(2, t.parts(3)...)
}

func typesRule(t *trial) string {
	i := slices.IndexFunc(t.table, func(c Column) bool { return c.Name == "amount" })
	if i < 0 || !t.table.has("name") {
		return ""
	}
	parts := t.parts(2)
	other := slices.Clone(parts[1])
	other[i] = Column{"amount", analysis.String, nil}
	for k := range parts[1].Rows() {
		other[i].Values = append(other[i].Values, fmt.Sprint("word ", k))
	}
	for _, workers := range []int{1, 2} {
		got, err := t.collect(workers, parts[0], other)
		if said := t.refuses(got, err, "amount"); said != "" {
			return fmt.Sprintf("with %d workers: %s", workers, said)
		}
	}
	return ""
}
