package sqlquery

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rampguard/rampguard/analysis"
)

// slicing holds the slices of one cross while they are filled.
//
// A table of slices keeps as many as its cap, those with the smallest hashes, and
// the rows of the others together. Which slices are kept is known once all are; the
// others are then summed in one of them, which the table puts where the rows of
// those that it does not keep belong.
type slicing struct {
	cross   *analysis.SliceSpec
	kinds   []key
	buckets [][]string
	parts   []*analysis.Snapshot // to be merged: those that are kept, then the others
	slices  map[string]*slice
}

// slice is one slice that is kept, or all that are not.
type slice struct {
	snap *analysis.Snapshot
	rows uint64
	into *target // of the column that is being measured
}

// counted is a slice as the first answer has it.
type counted struct {
	values []string
	rows   uint64
}

// slices finds the slices of a cross and their rows.
func (r *run) slices(ctx context.Context, t *task) (*slicing, error) {
	c := &r.spec.Slices[t.cross]
	s := &slicing{cross: c, slices: map[string]*slice{}}
	for _, col := range c.Columns {
		s.kinds = append(s.kinds, keyKind(r.fields[r.spec.Index(col.Name)].typ, col.Cuts))
		s.buckets = append(s.buckets, bucketNames(col.Cuts))
	}
	var all []counted
	places := map[string]int{}
	rows := uint64(0)
	if err := r.ask(ctx, t, func(a *answer) error {
		values := s.values(a)
		n := a.count()
		if a.err != nil || n == 0 {
			return a.err
		}
		rows += n
		id := identity(values)
		i, ok := places[id]
		if !ok {
			i = len(all)
			places[id] = i
			all = append(all, counted{values: values})
		}
		all[i].rows += n
		return nil
	}); err != nil {
		return nil, err
	}
	if err := r.same(t, rows); err != nil {
		return nil, err
	}
	if err := r.place(s, all); err != nil {
		return nil, fmt.Errorf("sqlquery: %s: %w", t.Purpose, err)
	}
	for _, name := range c.Measures {
		i, done := r.spec.Index(name), map[*slice]bool{}
		for _, x := range s.slices {
			if !done[x] {
				done[x] = true
				r.typed(i, x.snap.Column(name), x.rows)
			}
		}
	}
	return s, nil
}

// place decides which slices are kept.
func (r *run) place(s *slicing, all []counted) error {
	limit := s.cross.Limit()
	table := analysis.NewSnapshot(r.spec)
	for i := 0; i < len(all) && len(all) > limit; i += limit {
		part := analysis.NewSnapshot(r.spec)
		for _, c := range all[i:min(i+limit, len(all))] {
			snap, err := part.FillSlice(s.cross, c.values)
			if err != nil {
				return err
			}
			snap.RowCount += c.rows
		}
		if err := table.Merge(part); err != nil {
			return err
		}
	}
	kept := analysis.NewSnapshot(r.spec)
	s.parts = append(s.parts, kept)
	var others *slice
	for _, c := range all {
		if len(all) > limit {
			if n, _ := table.SliceTable(s.cross).Rows(c.values); n == 0 {
				if others == nil {
					rest := analysis.NewSnapshot(r.spec)
					s.parts = append(s.parts, rest)
					snap, err := rest.FillSlice(s.cross, c.values)
					if err != nil {
						return err
					}
					others = &slice{snap: snap}
				}
				others.add(s, c)
				continue
			}
		}
		snap, err := kept.FillSlice(s.cross, c.values)
		if err != nil {
			return err
		}
		(&slice{snap: snap}).add(s, c)
	}
	return nil
}

func (x *slice) add(s *slicing, c counted) {
	x.rows += c.rows
	x.snap.RowCount += c.rows
	s.slices[identity(c.values)] = x
}

// inSlices fills in a column of the slices.
func (r *run) inSlices(ctx context.Context, t *task, s *slicing) error {
	var order []*slice
	if err := r.ask(ctx, t, func(a *answer) error {
		values := s.values(a)
		if a.err != nil {
			return a.err
		}
		x := s.slices[identity(values)]
		if x == nil {
			return fault(t.Purpose, ErrChanged, "a new slice %q", values)
		}
		if x.into == nil {
			x.into = r.target(t, x.snap)
			order = append(order, x)
		}
		return x.into.add(a)
	}); err != nil {
		return err
	}
	rows := uint64(0)
	for _, x := range order {
		if x.into.rows != x.rows {
			return fault(t.Purpose, ErrChanged, "%d rows of a slice, then %d", x.rows, x.into.rows)
		}
		rows += x.rows
		if err := x.into.finish(); err != nil {
			return wrong(t.Purpose, err)
		}
		x.into = nil
	}
	return r.same(t, rows)
}

// finish gives the slices to the snapshot.
func (s *slicing) finish(snap *analysis.Snapshot) error {
	if s == nil {
		return nil
	}
	for _, part := range s.parts {
		if err := snap.Merge(part); err != nil {
			return fmt.Errorf("sqlquery: %w", err)
		}
	}
	return nil
}

// values takes the values of a slice off an answer, in the form that a policy has
// them.
func (s *slicing) values(a *answer) []string {
	out := make([]string, len(s.kinds))
	for i, kind := range s.kinds {
		text, ok := "", false
		switch kind {
		case noKey:
		case textKey:
			text, ok = a.text()
		case flagKey:
			l := a.small(0, 2)
			text, ok = strconv.FormatBool(l == 2), l > 0
		case bucketKey:
			if b := a.small(-1, len(s.buckets[i])-1); b >= 0 {
				text, ok = s.buckets[i][b], true
			}
		case integerKey:
			var x int64
			x, ok = a.integer()
			text = strconv.FormatInt(x, 10)
		case floatKey:
			var x float64
			x, ok = a.float()
			ok = ok && !math.IsNaN(x)
			text = formatted(x + 0) // -0 becomes 0
		}
		out[i] = quotedValue(text, ok)
	}
	return out
}

func formatted(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// quotedValue writes a value as [analysis.SliceSpec] says.
func quotedValue(text string, ok bool) string {
	switch {
	case !ok:
		return "null"
	case text == "null", strings.HasPrefix(text, `"`), !utf8.ValidString(text):
		return strconv.Quote(text)
	}
	return text
}

// bucketNames are the values of a column with cuts, as [analysis.SliceSpec] says.
func bucketNames(cuts []float64) []string {
	if len(cuts) == 0 {
		return nil
	}
	out := []string{"<" + formatted(cuts[0])}
	for i := 1; i < len(cuts); i++ {
		out = append(out, "["+formatted(cuts[i-1])+","+formatted(cuts[i])+")")
	}
	return append(out, ">="+formatted(cuts[len(cuts)-1]))
}

// identity tells slices apart.
func identity(values []string) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteString(strconv.Itoa(len(v)) + ":" + v)
	}
	return b.String()
}
