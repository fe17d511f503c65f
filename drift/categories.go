package drift

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Categories makes Cells of a column of names.
//
// A name keeps a cell of its own while MinExpected rows with it are expected in
// the smaller sample, by the pooled share; it is an UnseenCell when the reference
// does not have it. The other names are together in the cell "rare". Names
// beyond the cap of the summaries are compared by the 64 hash cells in which
// they were counted, after both sides were brought to one set of kept names; the
// warning other_category then tells their share. Null has a cell of its own.
//
// As the choice of cells rests on pooled counts only, it cannot favour either
// side: a column of ids, in which most names are new in every sample, does not
// drift by itself. What is new is measured by [Unseen].
//
// Errors: [stats.ErrMismatch] when the caps differ, [stats.ErrEmpty] when a side
// has no rows, [stats.ErrDomain] for options out of range or more than 2^62
// rows. Cost: linear in the names kept, with a sort.
func Categories(ref, cur *summary.Categorical, o Options) (Cells, error) {
	const fn = "Categories"
	o, err := o.complete(fn)
	if err != nil {
		return Cells{}, err
	}
	both, sides, err := oneCap(ref, cur)
	if err != nil {
		return Cells{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	n, m := float64(ref.Total()+ref.Null()), float64(cur.Total()+cur.Null())
	var c Cells
	var rareRef, rareCur uint64
	rare := 0
	add := func(i CellInfo, r, q uint64) bool {
		if r == 0 && q == 0 {
			return false
		}
		if expected(r, q, n, m) < o.MinExpected {
			rareRef, rareCur = rareRef+r, rareCur+q
			rare++
			return false
		}
		c.add(i, r, q)
		return true
	}
	named := 0
	lone := ""
	for _, e := range both.Counts() {
		r, q := sides[0].named[e.Name], sides[1].named[e.Name]
		kind := CategoryCell
		if r == 0 {
			kind = UnseenCell
		}
		if add(CellInfo{Name: e.Name, Kind: kind}, r, q) {
			named++
		} else {
			lone = e.Name
		}
	}
	var unnamed uint64
	for i := range sides[0].other {
		r, q := sides[0].other[i], sides[1].other[i]
		add(CellInfo{Name: fmt.Sprintf("unnamed %02d", i), Kind: OtherCell}, r, q)
		unnamed += r + q
	}
	name := fmt.Sprintf("rare (%s)", plural(rare, "cell"))
	if rare == 1 && lone != "" {
		name = fmt.Sprintf("rare (%s)", lone)
	}
	c.addUsed(CellInfo{Name: name, Kind: OtherCell}, rareRef, rareCur)
	c.addUsed(CellInfo{Name: "null", Kind: MissingCell}, ref.Null(), cur.Null())

	c.Method = fmt.Sprintf("%s + %d rare ones as one", plural(named, "name"), rare)
	if unnamed > 0 {
		c.Method += " + hash cells for names beyond the cap"
		c.warn(stats.WarnOther, "%.3g%% of the rows hold names beyond the cap of %d; they are compared by hash cell", 100*float64(unnamed)/(n+m), both.Cap())
	}
	return c.total(fn)
}

// side is one sample under a set of kept names common to both.
type side struct {
	named map[string]uint64
	other [64]uint64
}

// oneCap brings two summaries to the kept names of their union. Adding the union
// to a side leaves the side's counts under the union's names, plus the union's.
func oneCap(ref, cur *summary.Categorical) (*summary.Categorical, [2]side, error) {
	var sides [2]side
	both := new(summary.Categorical)
	for _, c := range []*summary.Categorical{ref, cur} {
		if err := both.Merge(c); err != nil {
			return nil, sides, err
		}
	}
	counts, other := both.Counts(), both.Other()
	for i, c := range []*summary.Categorical{ref, cur} {
		sum := new(summary.Categorical)
		for _, o := range []*summary.Categorical{c, both} {
			if err := sum.Merge(o); err != nil {
				return nil, sides, err
			}
		}
		sides[i].named = make(map[string]uint64, len(counts))
		for _, e := range counts {
			n, _ := sum.N(e.Name)
			sides[i].named[e.Name] = n - e.N
		}
		sides[i].other = sum.Other()
		for j := range other {
			sides[i].other[j] -= other[j]
		}
	}
	return both, sides, nil
}
