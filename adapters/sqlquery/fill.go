package sqlquery

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats/summary"
)

func printable(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return "0x" + hex.EncodeToString([]byte(s))
}

// absent fills in what needs no statement: the types, and the columns that the
// source does not have or of which nothing but the type is known.
func (r *run) absent() {
	for i := range r.snap.Columns {
		r.typed(i, &r.snap.Columns[i], r.rows)
	}
}

// typed notes the type of column i of the spec in a summary of it, of that many
// rows.
func (r *run) typed(i int, c *analysis.ColumnSummary, rows uint64) {
	f := &r.fields[i]
	c.Type = f.typ
	if f.typ == analysis.Absent {
		c.AbsentRows += rows
	}
	if i == r.label && r.score >= 0 && !r.labelled() {
		c.Boolean.Null += rows
	}
}

// column fills in a column of all rows.
func (r *run) column(ctx context.Context, t *task, snap *analysis.Snapshot) error {
	c := r.target(t, snap)
	err := r.ask(ctx, t, c.add)
	if err != nil {
		return err
	}
	if err := r.same(t, c.rows); err != nil {
		return err
	}
	if err := c.finish(); err != nil {
		return wrong(t.Purpose, err)
	}
	return nil
}

// target is a column summary that groups of rows are added to.
type target struct {
	t      *task
	into   *analysis.ColumnSummary
	label  *analysis.ColumnSummary // that is counted beside a score; may be nil
	sliced bool
	labels [3]*cells // of a score, by label; of other numbers the first
	rows   uint64
}

// target returns the summary of the column of a task in a snapshot.
func (r *run) target(t *task, snap *analysis.Snapshot) *target {
	name := r.spec.Columns[t.column].Name
	out := &target{t: t, into: snap.Column(name), sliced: t.cross >= 0}
	if t.content == cellContent {
		for i := range out.labels {
			if i == 0 || t.cells.probability {
				out.labels[i] = newCells(t.cells)
			}
		}
		if t.column == r.score && t.labelled && t.cross < 0 {
			out.label = snap.ByRole(analysis.Label)
		}
	}
	return out
}

// invalidLabel is a label that is neither 0 nor 1.
const invalidLabel = 3

// add counts a row of the answer.
func (c *target) add(a *answer) error {
	switch c.t.content {
	case flagContent, labelContent:
		l := a.small(0, invalidLabel)
		n := a.count()
		c.rows += n
		c.addLabel(c.into, l, n)
	case nameContent:
		name, ok := a.text()
		n := a.count()
		c.rows += n
		if ok {
			c.into.Category.AddN(name, n)
		} else {
			c.into.Category.AddNull(n)
		}
	case unitContent:
		id, ok := a.text()
		n := a.count()
		c.rows += n
		if ok {
			c.into.Units.AddString(id, n)
		} else {
			c.into.Units.AddNull(n)
		}
	case clockContent:
		return c.addClock(a)
	case cellContent:
		return c.addGroup(a)
	case rowContent, countContent, idContent:
	}
	return nil
}

// addLabel counts labels or flags. In slices, labels that are invalid count as
// missing.
func (c *target) addLabel(into *analysis.ColumnSummary, l int, n uint64) {
	switch {
	case l == 1:
		into.Boolean.False += n
	case l == 2:
		into.Boolean.True += n
	case l == invalidLabel && !c.sliced:
		into.InvalidLabels += n
	default:
		into.Boolean.Null += n
	}
}

// addInt counts an id n times, for large n by doubling.
func addInt(units *summary.Distinct, id int64, n uint64) error {
	const few = 64
	if n <= few {
		var ids [few]int64
		for i := range n {
			ids[i] = id
		}
		return units.AddInts(ids[:n], nil)
	}
	var power summary.Distinct
	if err := power.AddInts([]int64{id}, nil); err != nil {
		return err
	}
	for ; n > 0; n /= 2 {
		if n%2 == 1 {
			if err := units.Merge(&power); err != nil {
				return err
			}
		}
		if err := power.Merge(&power); err != nil {
			return err
		}
	}
	return nil
}

func (c *target) addClock(a *answer) error {
	n, valued := a.count(), a.count()
	first, ok := a.integer()
	last, ok2 := a.integer()
	c.rows += n
	if valued > n || valued > 0 && (!ok || !ok2 || first > last) {
		return fmt.Errorf("%d of %d times, from %d to %d", valued, n, first, last)
	}
	c.into.Clock.Null = n - valued
	if valued > 0 {
		c.into.Clock.N, c.into.Clock.Min, c.into.Clock.Max = valued, first, last
	}
	return nil
}

// addGroup counts a group of numbers.
func (c *target) addGroup(a *answer) error {
	l := 0
	if c.t.labelled {
		l = a.small(0, invalidLabel)
	}
	var g group
	g.class = a.small(classOdd, classPlain)
	g.n = a.count()
	g.lo, _ = a.float()
	g.hi, _ = a.float()
	if c.t.cells.sums {
		for i := range g.digits {
			g.digits[i] = a.sum()
		}
	}
	if a.err != nil {
		return a.err
	}
	c.rows += g.n
	if c.label != nil {
		c.addLabel(c.label, l, g.n)
	}
	return c.labels[l%invalidLabel].add(&g) // an invalid label is none
}

// finish gives the numbers to the summary.
func (c *target) finish() error {
	if c.t.content != cellContent {
		return nil
	}
	if !c.t.cells.probability {
		h, err := c.labels[0].histogram()
		if err != nil {
			return err
		}
		if cuts := c.labels[0].cuts; cuts != nil {
			if err := c.into.Cuts.Merge(cuts); err != nil {
				return err
			}
		}
		return c.into.Numeric.Merge(h)
	}
	if c.rows == 0 {
		return nil
	}
	form := struct {
		Unlabelled *summary.Histogram   `json:"unlabelled"`
		Negative   *summary.Histogram   `json:"negative"`
		Positive   *summary.Histogram   `json:"positive"`
		Cuts       []*summary.Histogram `json:"cuts,omitempty"`
	}{}
	for i, part := range []**summary.Histogram{&form.Unlabelled, &form.Negative, &form.Positive} {
		h, err := c.labels[i].histogram()
		if err != nil {
			return err
		}
		*part = h
		if c.labels[i].cuts != nil {
			form.Cuts = append(form.Cuts, c.labels[i].cuts)
		}
	}
	b, err := json.Marshal(form)
	if err != nil {
		return err
	}
	var scores summary.Scores
	if err := json.Unmarshal(b, &scores); err != nil {
		return err
	}
	return c.into.Scores.Merge(&scores)
}
