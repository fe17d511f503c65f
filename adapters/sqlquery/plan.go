package sqlquery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Statement is one SELECT and what it is for.
type Statement struct {
	Purpose string // such as: column "amount"
	SQL     string
}

// Statements returns what [Collect] runs to summarise the rows of the source, in
// order, beside a first statement that finds the types of the columns; these have to
// be in Source.Types.
//
// A dialect that is not known, a source that is incomplete, and a name or value that
// cannot be quoted are errors wrapping [stats.ErrDomain] or [stats.ErrMismatch]; a
// unit that is neither integer nor string wraps [ErrUnsupported].
func Statements(d Dialect, spec *analysis.Spec, src Source, o Options) ([]Statement, error) {
	p, err := newPlan(d, spec, src, o)
	if err != nil {
		return nil, err
	}
	if err := p.resolve(nil); err != nil {
		return nil, err
	}
	var out []Statement
	for _, t := range p.tasks() {
		out = append(out, t.Statement)
	}
	return out, nil
}

// plan turns a spec into statements.
type plan struct {
	d      Dialect
	g      *grammar
	spec   *analysis.Spec
	src    Source
	o      Options
	from   string
	fields []field // of the columns of spec
	score  int     // index of the score of a binary task, or -1
	label  int     // index of the label, or -1
}

func newPlan(d Dialect, spec *analysis.Spec, src Source, o Options) (*plan, error) {
	p := &plan{d: d, g: grammars[d], spec: spec, src: src, o: o, score: -1, label: spec.ByRole(analysis.Label)}
	if p.g == nil {
		return nil, fmt.Errorf("sqlquery: %v: %w", d, stats.ErrDomain)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if len(spec.Derived) > 0 {
		return nil, fmt.Errorf("sqlquery: column %q is derived from others, which happens while rows are read; compute it in the query and take it out of columns.derived: %w", spec.Derived[0].Name, stats.ErrMismatch)
	}
	if spec.Task == analysis.Binary {
		p.score = spec.ByRole(analysis.Score)
	}
	if err := src.check(spec); err != nil {
		return nil, err
	}
	var err error
	p.from, err = src.from(p.g)
	return p, err
}

// task is a statement and how its rows are read: the keys of a slice, if cross is
// not negative, then what content says.
type task struct {
	Statement
	content content
	column  int // in the spec; -1 for counts of rows
	cross   int // in the spec, or -1 for all rows
	limit   int // rows of the answer beyond which there are too many; 0 means one row

	cells    *cellQuery // of cellContent
	labelled bool       // of cellContent: whether the first column is a label
}

// content is what a row of an answer holds, beside the keys of a slice.
type content int8

const (
	rowContent   content = iota // the number of rows
	flagContent                 // 0, 1, 2 for missing, false, true; rows
	labelContent                // a label; rows
	nameContent                 // a text; rows
	unitContent                 // a text that is an id; rows
	countContent                // rows, ids, different ids
	idContent                   // an integer that is an id; rows
	clockContent                // rows, values, first, last
	cellContent                 // [label,] class, rows, least, greatest [, nine sums]
)

// numeric reports whether values of a column are numbers.
func numeric(t analysis.Type) bool { return t == analysis.Float || t == analysis.Int }

// labelled reports whether the labels of the rows can be told.
func (p *plan) labelled() bool {
	return p.label >= 0 && (numeric(p.fields[p.label].typ) || p.fields[p.label].typ == analysis.Bool)
}

func (p *plan) tasks() []*task {
	out := []*task{{Statement: Statement{"rows", "SELECT COUNT(*) AS rg_n FROM " + p.from + p.g.settings}, content: rowContent, column: -1, cross: -1}}
	for i := range p.spec.Columns {
		if f := &p.fields[i]; p.spec.Columns[i].Role == analysis.Unit && (f.typ == analysis.Int || f.typ == analysis.Time) {
			out = append(out, p.idTasks(i)...)
		} else if t := p.measure(i, -1); t != nil {
			out = append(out, t)
		}
	}
	for k := range p.spec.Slices {
		out = append(out, p.grouped(&task{content: rowContent, column: -1, cross: k}))
		for _, name := range p.spec.Slices[k].Measures {
			if t := p.measure(p.spec.Index(name), k); t != nil {
				out = append(out, t)
			}
		}
	}
	return out
}

// measure is the task of a column, of all rows or of the slices of a cross; nil when
// its type says all there is.
func (p *plan) measure(i, cross int) *task {
	t, f, role := &task{column: i, cross: cross}, &p.fields[i], p.spec.Columns[i].Role
	switch {
	case f.typ == analysis.Absent:
		return nil
	case i == p.label && p.score >= 0:
		if !p.labelled() || cross < 0 && numeric(p.fields[p.score].typ) {
			return nil // counted together with the score
		}
		t.content = labelContent
	case i == p.score:
		if !numeric(f.typ) {
			return nil
		}
		t.content, t.labelled = cellContent, p.labelled()
	case role == analysis.Unit && cross < 0:
		t.content = unitContent
	case f.typ == analysis.Bool:
		t.content = flagContent
	case numeric(f.typ):
		t.content = cellContent
	case cross >= 0:
		return nil // neither texts nor times are measured in slices
	case f.typ == analysis.Time:
		t.content = clockContent
		t.Statement = Statement{p.purpose(t), "SELECT COUNT(*) AS rg_n, COUNT(" + f.name + ") AS rg_v, " + p.micros(f, "MIN("+f.name+")") + " AS rg_lo, " +
			p.micros(f, "MAX("+f.name+")") + " AS rg_hi\nFROM " + p.from + p.g.settings}
		return t
	case f.typ == analysis.String:
		t.content = nameContent
	}
	return p.grouped(t)
}

func (p *plan) purpose(t *task) string {
	s := "rows"
	if t.column >= 0 {
		s = fmt.Sprintf("column %q", p.spec.Columns[t.column].Name)
		if t.labelled {
			s += fmt.Sprintf(" with label %q", p.spec.Columns[p.label].Name)
		}
	}
	if t.cross >= 0 {
		s += fmt.Sprintf(" in slices of %q", p.spec.Slices[t.cross].Names())
	}
	return s
}

// alias is an expression with its name in the statement. No column of a log is
// likely to be called so.
type alias struct{ name, expr string }

// grouped writes the statement of a task that counts rows by groups.
func (p *plan) grouped(t *task) *task {
	t.Purpose = p.purpose(t)
	t.limit = p.o.maxGroups()
	var keys []alias
	if t.cross >= 0 {
		keys = p.sliceKeys(t.cross)
	}
	if t.content == cellContent {
		if t.labelled {
			keys = append(keys, alias{"rg_l", p.labels()})
		}
		t.cells = p.cellQuery(t.column)
		t.SQL = p.limited(p.cellSQL(t.cells, p.float(&p.fields[t.column]), keys), t.limit)
		return t
	}
	switch f := p.fieldOf(t.column); t.content {
	case flagContent:
		keys = append(keys, alias{"rg_k", p.truth(f)})
	case labelContent:
		keys = append(keys, alias{"rg_k", p.labels()})
	case nameContent:
		keys = append(keys, alias{"rg_k", fmt.Sprintf(p.g.text, f.name)})
	case unitContent:
		t.limit = p.o.maxUnits()
		keys = append(keys, alias{"rg_k", fmt.Sprintf(p.g.text, f.name)})
	case rowContent, clockContent, cellContent, countContent, idContent:
	}
	t.SQL = p.limited(p.groupSQL(keys), t.limit)
	return t
}

func (p *plan) fieldOf(column int) *field {
	if column < 0 {
		return nil
	}
	return &p.fields[column]
}

func (p *plan) labels() string { return p.labelOf(&p.fields[p.label]) }

// limited bounds the rows of the answer; one more than the bound tells that there
// are more.
func (p *plan) limited(sql string, limit int) string {
	return fmt.Sprintf("%s\nLIMIT %d%s", sql, limit+1, p.g.settings)
}

// groupSQL counts rows by keys.
func (p *plan) groupSQL(keys []alias) string {
	if len(keys) == 0 {
		return "SELECT COUNT(*) AS rg_n FROM " + p.from
	}
	names := strings.Join(namesOf(keys), ", ")
	return "SELECT " + names + ", COUNT(*) AS rg_n\nFROM (SELECT " + selected(keys) + "\n  FROM " + p.from + ") AS rg_q\nGROUP BY " + names
}

func namesOf(as []alias) []string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = a.name
	}
	return out
}

func selected(as []alias) string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = a.expr
		if a.expr != a.name {
			out[i] += " AS " + a.name
		}
	}
	return strings.Join(out, ", ")
}

// sliceKeys are the expressions that tell the slices of a cross apart, one for each
// column of the cross that the rows have.
func (p *plan) sliceKeys(cross int) []alias {
	var out []alias
	for i, c := range p.spec.Slices[cross].Columns {
		f := &p.fields[p.spec.Index(c.Name)]
		name, expr := fmt.Sprintf("rg_g%d", i), ""
		switch kind := keyKind(f.typ, c.Cuts); kind {
		case noKey:
			continue
		case textKey:
			expr = fmt.Sprintf(p.g.text, f.name)
		case flagKey:
			expr = p.truth(f)
		case bucketKey:
			x := p.float(f)
			if f.typ == analysis.Time {
				x = fmt.Sprintf(p.g.float, p.integer(f))
			}
			expr = "CASE WHEN " + f.name + " IS NULL THEN -1" + p.whenNaN(f, x, "-1") + " ELSE " + p.g.tree(x, c.Cuts, plainLeaf) + " END"
		case integerKey:
			expr = p.integer(f)
		case floatKey:
			expr = p.float(f)
			if when := p.whenNaN(f, expr, "NULL"); when != "" {
				expr = "CASE" + when + " ELSE " + expr + " END"
			}
		}
		out = append(out, alias{name, expr})
	}
	return out
}

func plainLeaf(i int) string { return fmt.Sprint(i) }

// whenNaN is a branch for NaN, where there can be one.
func (p *plan) whenNaN(f *field, x, then string) string {
	if p.g.nan == "" || f.typ != analysis.Float {
		return ""
	}
	return " WHEN " + fmt.Sprintf(p.g.nan, x) + " THEN " + then
}

// key says how the value of a column of a cross comes in an answer.
type key int8

const (
	noKey key = iota // not at all: no row has the column
	textKey
	flagKey // 0, 1, 2
	bucketKey
	integerKey
	floatKey
)

func keyKind(t analysis.Type, cuts []float64) key {
	switch {
	case t == analysis.Absent:
		return noKey
	case t == analysis.String:
		return textKey
	case t == analysis.Bool:
		return flagKey
	case len(cuts) > 0:
		return bucketKey
	case t == analysis.Float:
		return floatKey
	}
	return integerKey
}

// cellQuery is what a column of numbers is counted in.
func (p *plan) cellQuery(column int) *cellQuery {
	c := p.spec.Columns[column]
	q := &cellQuery{cuts: slices.Clone(c.Cuts), sums: c.Sums || c.Role == analysis.Score}
	if column == p.score {
		q.probability = true
	}
	return q
}
