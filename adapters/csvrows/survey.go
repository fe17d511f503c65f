package csvrows

import (
	"context"
	"fmt"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
)

// plan is how the columns of the spec are read.
type plan struct {
	o     *Options
	names []string
	nulls map[string]bool
	types []analysis.Type // by column; Absent when no file has a value in it
	has   [][]bool        // by file and column: whether the file has the column
}

// sample is what the first rows of a file show.
type sample struct {
	has   []bool
	looks []seen
}

// survey looks at the first rows of all files.
func survey(ctx context.Context, spec *analysis.Spec, o *Options, set *rowfiles.Set) (*plan, error) {
	p := newPlan(spec, o)
	samples := make([]sample, set.Len())
	err := set.Each(ctx, func(ctx context.Context, _ int, f *rowfiles.File) (err error) {
		samples[f.Index], err = p.look(ctx, f, p.columns(spec))
		return err
	})
	if err != nil {
		return nil, err
	}
	p.settle(spec, samples)
	return p, nil
}

func newPlan(spec *analysis.Spec, o *Options) *plan {
	p := &plan{o: o, names: spec.Names(), types: make([]analysis.Type, len(spec.Columns))}
	if o.Nulls != nil {
		p.nulls = map[string]bool{}
		for _, word := range o.Nulls {
			p.nulls[word] = true
		}
	}
	for i, name := range p.names {
		p.types[i] = o.Types[name]
	}
	return p
}

// columns returns columns whose types are not known yet.
func (p *plan) columns(spec *analysis.Spec) []column {
	out := make([]column, len(p.names))
	for i, c := range spec.Columns {
		out[i].name = c.Name
		out[i].values = values{unit: c.Role == analysis.Unit, nulls: p.nulls, epoch: int64(p.o.EpochUnit)}
	}
	return out
}

// look looks at the first rows of a file, if there is anything to be learnt.
func (p *plan) look(ctx context.Context, f *rowfiles.File, columns []column) (sample, error) {
	s := sample{make([]bool, len(columns)), make([]seen, len(columns))}
	r, err := openRows(f, p.o, p.names)
	if err != nil {
		return s, err
	}
	defer r.close()
	open := r.json != nil
	for i, place := range r.places {
		s.has[i] = place >= 0
		open = open || s.has[i] && p.types[i] == analysis.Absent
	}
	for n := 0; open && (p.o.Sample < 0 || n < p.o.Sample); n++ {
		if n&1023 == 0 && ctx.Err() != nil {
			return s, context.Cause(ctx)
		}
		wrong, err := r.next()
		if isEnd(err) {
			break
		}
		if err != nil {
			return s, err
		}
		if wrong != nil {
			continue // it is reported when it is read for good
		}
		for i, t := range r.tokens {
			if t.kind == none {
				continue
			}
			s.has[i] = true
			if p.types[i] == analysis.Absent {
				s.looks[i] |= columns[i].look(t)
			}
		}
	}
	return s, nil
}

// settle draws the conclusions from all samples.
func (p *plan) settle(spec *analysis.Spec, samples []sample) {
	for i, c := range spec.Columns {
		if p.types[i] != analysis.Absent {
			continue
		}
		all := seen(0)
		for _, s := range samples {
			all |= s.looks[i]
		}
		p.types[i] = all.typeOf(c.Role == analysis.Clock && p.o.EpochUnit > 0)
	}
	for _, s := range samples {
		p.has = append(p.has, s.has)
	}
}

// open begins to read a file for good.
func (p *plan) open(f *rowfiles.File, columns []column) (*scanner, error) {
	r, err := openRows(f, p.o, p.names)
	if err != nil {
		return nil, err
	}
	for i := range columns {
		c := &columns[i]
		switch c.typ = p.types[i]; {
		case !p.has[f.Index][i]:
			c.typ, c.why = analysis.Absent, fmt.Sprintf("but the first %d rows do not have the column: raise Options.Sample", p.o.Sample)
		case c.typ == analysis.Absent:
			c.why = fmt.Sprintf("but the first %d rows have no value: state the type of the column", p.o.Sample)
		}
		c.prepare(p.o.BatchRows)
	}
	return &scanner{path: f.Path, o: p.o, rows: r, columns: columns}, nil
}
