package sqlquery

import (
	"fmt"
	"math"
	"strings"
)

// cellQuery says how a column of numbers is counted.
type cellQuery struct {
	probability bool      // in the cells of a probability, else in those of any number
	sums        bool      // with the sums of offsets within cells
	cuts        []float64 // at which counts are exact
}

// grid is how the cells of a layout lie: 2^bits in each octave from 2^first up to
// 2^end. Numbers outside are grouped by value.
type grid struct{ bits, first, end int }

func (q *cellQuery) grid() grid {
	if q.probability {
		return grid{9, -32, -1}
	}
	return grid{7, -64, 64}
}

// The classes of values, as they come in an answer. From classZero on values are
// finite; which of the classes a value is in follows from the value.
const (
	classOdd      = -1 // no number at all
	classNull     = 0
	classNaN      = 1
	classInf      = 2
	classNegInf   = 3
	classZero     = 4
	classBelow    = 5 // of a probability: below 0
	classAbove    = 6 // above 1
	classOne      = 7
	classMirrored = 8 // below 0, or of a probability from 1/2 up
	classPlain    = 9
)

// sumCount is the number of sums in an answer; see sums.
const sumCount = 9

// cellSQL writes the statement that groups numbers by cell. Every operation on them
// is exact: comparisons with literals, multiplication by powers of two, differences
// of neighbours, whole parts. So no database can round.
//
// A number z in [2^e, 2^(e+1)), with the power s = 2^-e, is in the cell
// t = floor(z s 2^bits) of its octave, at the offset d = z s 2^52 - t 2^(52-bits),
// an integer. Of a probability from 1/2 up, z is the distance to 1 less 2^-54, so
// that cells are closed below on that side, too.
//
// The sums of d and d^2 do not fit 64 bits: d is taken apart into three digits to
// the base 2^15, and the sums are those of the digits and of their products.
func (p *plan) cellSQL(q *cellQuery, x string, keys []alias) string {
	g, r := p.g, q.grid()
	pass := namesOf(keys)
	level := func(inner string, indent int, fence string, as ...alias) string {
		var all []alias
		for _, name := range pass {
			all = append(all, alias{name, name})
		}
		pad := strings.Repeat("  ", indent)
		return "SELECT " + selected(append(all, as...)) + "\n" + pad + "FROM (" + inner + fence + ") AS rg_q" + fmt.Sprint(indent)
	}
	keep := func(name string) alias { return alias{name, name} }

	sql := "SELECT " + selected(append(keys, alias{"rg_x", x})) + "\n        FROM " + p.from
	sql = level(sql, 7, g.fence, keep("rg_x"), alias{"rg_k", p.classes(q, "rg_x")})
	sql = level(sql, 6, "", keep("rg_k"), alias{"rg_v", fmt.Sprintf("CASE WHEN rg_k >= %d THEN rg_x ELSE %s END", classZero, g.number(0))})
	sql = level(sql, 5, "", keep("rg_k"), keep("rg_v"), alias{"rg_z", p.magnitude(q)})
	sql = level(sql, 4, g.fence, keep("rg_k"), keep("rg_v"), keep("rg_z"), alias{"rg_s", p.scale(r)})
	sql = level(sql, 3, g.fence, keep("rg_k"), keep("rg_v"), keep("rg_z"), keep("rg_s"),
		alias{"rg_t", g.whole("rg_z * rg_s * " + g.number(math.Ldexp(1, r.bits)))},
		alias{"rg_c", g.tree("rg_v", q.cuts, plainLeaf)},
		alias{"rg_w", fmt.Sprintf("CASE WHEN rg_k >= %d AND rg_s = %s THEN rg_v ELSE %s END", classMirrored, g.number(0), g.number(0))})
	group := []string{"rg_k", "rg_s", "rg_t", "rg_c", "rg_w"}
	out := []alias{keep("rg_k"), {"rg_n", "COUNT(*)"}, {"rg_lo", "MIN(rg_v)"}, {"rg_hi", "MAX(rg_v)"}}
	if q.sums {
		var pick []alias
		for _, name := range append([]string{"rg_v"}, group...) {
			pick = append(pick, keep(name))
		}
		power := func(e int) string { return g.number(math.Ldexp(1, e)) }
		sql = level(sql, 2, "", append(pick, alias{"rg_d", "rg_z * rg_s * " + power(52) + " - rg_t * " + power(52-r.bits)})...)
		sql = level(sql, 1, g.fence, append(pick, keep("rg_d"), alias{"rg_d1", g.whole("rg_d * " + power(-15))}, alias{"rg_d2", g.whole("rg_d * " + power(-30))})...)
		digit := func(high, low string) string {
			return fmt.Sprintf(g.integer, "rg_"+low+" - rg_"+high+" * "+power(15))
		}
		sql = level(sql, 0, g.fence, append(pick, alias{"rg_a", digit("d1", "d")}, alias{"rg_b", digit("d2", "d1")}, alias{"rg_e", fmt.Sprintf(g.integer, "rg_d2")})...)
		for i, product := range sumTerms {
			out = append(out, alias{fmt.Sprintf("rg_s%d", i), fmt.Sprintf(g.integer, "SUM("+product+")")})
		}
	}
	for i := len(keys) - 1; i >= 0; i-- {
		out = append([]alias{keep(keys[i].name)}, out...)
	}
	return "SELECT " + selected(out) + "\nFROM (" + sql + g.fence + ") AS rg_q\nGROUP BY " + strings.Join(append(pass, group...), ", ")
}

// sumTerms are the terms of the sums: digits from the lowest up, a, b, e, and their
// products.
var sumTerms = [sumCount]string{"rg_a", "rg_b", "rg_e", "rg_a * rg_a", "rg_a * rg_b", "rg_a * rg_e", "rg_b * rg_b", "rg_b * rg_e", "rg_e * rg_e"}

// whole is the whole part of a number that is not negative.
func (g *grammar) whole(x string) string { return fmt.Sprintf(g.floor, x) }

// classes tells values apart that need different treatment. NaN comes first: where it
// is not equal to itself it is in no comparison, elsewhere it is above all.
func (p *plan) classes(q *cellQuery, x string) string {
	g := p.g
	var b strings.Builder
	b.WriteString("CASE")
	when := func(condition string, class int) {
		if condition != "" {
			fmt.Fprintf(&b, " WHEN %s THEN %d", condition, class)
		}
	}
	zero, one := g.number(0), g.number(1)
	when(x+" IS NULL", classNull)
	if g.odd != "" {
		when(fmt.Sprintf(g.odd, x), classOdd)
	}
	if g.nan != "" {
		when(fmt.Sprintf(g.nan, x), classNaN)
	}
	when(g.isInf(x), classInf)
	when(g.isNegInf(x), classNegInf)
	when(x+" = "+zero, classZero)
	if q.probability {
		when(x+" < "+zero, classBelow)
		when(x+" > "+one, classAbove)
		when(x+" = "+one, classOne)
		when(x+" >= "+g.number(0.5), classMirrored)
	} else {
		when(x+" < "+zero, classMirrored)
	}
	fmt.Fprintf(&b, " ELSE %d END", classPlain)
	return b.String()
}

// magnitude is z of cellSQL, and 0 for what is in no cell.
func (p *plan) magnitude(q *cellQuery) string {
	g := p.g
	if !q.probability {
		return fmt.Sprintf("CASE WHEN rg_k >= %d THEN abs(rg_v) ELSE %s END", classMirrored, g.number(0))
	}
	return fmt.Sprintf("CASE WHEN rg_k = %d THEN rg_v WHEN rg_k = %d THEN (%s - rg_v) - %s ELSE %s END",
		classPlain, classMirrored, g.number(1), g.number(0x1p-54), g.number(0))
}

// scale is s of cellSQL, and 0 outside the grid.
func (p *plan) scale(r grid) string {
	g := p.g
	var edges []float64
	for e := r.first; e <= r.end; e++ {
		edges = append(edges, math.Ldexp(1, e))
	}
	return g.tree("rg_z", edges, func(i int) string {
		if i == 0 || i == len(edges) {
			return g.number(0)
		}
		return g.number(math.Ldexp(1, -(r.first + i - 1)))
	})
}
