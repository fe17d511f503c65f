package sqlquery

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats/summary"
)

// Of the ids of a column, a [summary.Distinct] keeps those with the smallest hashes.
// For ids that are integers the database computes the upper half of the hash, and
// only ids below a bound travel, which is set so that more than are kept do.

const (
	sampledIDs = 8192   // that are kept
	soughtIDs  = 12_288 // to travel: so many more that chance leaves no fewer
	allIDs     = 1<<32 - 1
)

// mixer writes the statement that computes hashes: a query around a query for each
// step, with numbers below 2^53 in float64, so that every step is exact.
type mixer struct {
	g     *grammar
	sql   string
	named int
}

// step computes expressions, each from names given before, and returns their names.
func (m *mixer) step(exprs ...string) []string {
	names, as := []string{}, []alias{{"rg_k", "rg_k"}}
	for _, e := range exprs {
		m.named++
		names = append(names, fmt.Sprintf("rg_u%d", m.named))
		as = append(as, alias{names[len(names)-1], e})
	}
	m.sql = "SELECT " + selected(as) + "\nFROM (" + m.sql + m.g.fence + ") AS rg_q" + fmt.Sprint(m.named)
	return names
}

func (m *mixer) power(e int) string { return m.g.number(math.Ldexp(1, e)) }

// above is x without its lower bits, divided by 2^bits; below is these bits.
func (m *mixer) above(x string, bits int) string { return m.g.whole(x + " * " + m.power(-bits)) }

func (m *mixer) below(x string, bits int) string {
	return "(" + x + " - " + m.above(x, bits) + " * " + m.power(bits) + ")"
}

// carry brings both halves below 2^32.
func (m *mixer) carry(hi, lo string) (string, string) {
	s := m.step(hi+" + "+m.above(lo, 32), m.below(lo, 32))
	s = m.step(m.below(s[0], 32), s[1])
	return s[0], s[1]
}

// add is x + c.
func (m *mixer) add(hi, lo string, c uint64) (string, string) {
	s := m.step(hi+" + "+m.g.number(float64(c>>32)), lo+" + "+m.g.number(float64(c&math.MaxUint32)))
	return m.carry(s[0], s[1])
}

// shifted is x ^ x>>bits.
func (m *mixer) shifted(hi, lo string, bits int) (string, string) {
	xor := func(a, b string) string {
		whole := func(x string) string { return fmt.Sprintf(m.g.integer, x) }
		return fmt.Sprintf(m.g.float, fmt.Sprintf(m.g.xor, whole(a), whole(b)))
	}
	s := m.step(hi, lo, m.above(hi, bits), m.above(lo, bits)+" + "+m.below(hi, bits)+" * "+m.power(32-bits))
	s = m.step(xor(s[0], s[2]), xor(s[1], s[3]))
	return s[0], s[1]
}

// times is x * c.
func (m *mixer) times(hi, lo string, c uint64) (string, string) {
	digit := func(i int) string { return m.g.number(float64(c >> (16 * i) & math.MaxUint16)) }
	s := m.step(lo+" * "+digit(0), lo+" * "+digit(1), lo+" * "+digit(2), lo+" * "+digit(3), hi+" * "+digit(0), hi+" * "+digit(1))
	up := " * " + m.power(16)
	s = m.step(
		strings.Join([]string{m.above(s[1], 16), m.below(s[2], 32), m.below(s[3], 16) + up, m.below(s[4], 32), m.below(s[5], 16) + up}, " + "),
		s[0]+" + "+m.below(s[1], 16)+up)
	return m.carry(s[0], s[1])
}

// The constants of the hash: see mix.
const (
	mixAdd   = 0x9e3779b97f4a7c15
	mixOne   = 0xbf58476d1ce4e5b9
	mixOther = 0x94d049bb133111eb
)

// mix is the hash of an integer id (the finaliser of SplitMix64; Steele, Lea and
// Flood 2014), the one by which [summary.Distinct] chooses.
func mix(x uint64) uint64 {
	x += mixAdd
	x = (x ^ x>>30) * mixOne
	x = (x ^ x>>27) * mixOther
	return x ^ x>>31
}

// idSQL groups rows by those ids whose hash has an upper half of at most the bound.
func (p *plan) idSQL(id string, bound uint64, limit int) string {
	g := p.g
	m := &mixer{g: g, sql: "SELECT " + id + " AS rg_k FROM " + p.from}
	s := m.step(fmt.Sprintf(g.modulo, "rg_k"))
	s = m.step(fmt.Sprintf(g.integer, "CASE WHEN "+s[0]+" < 0 THEN "+s[0]+" + 4294967296 ELSE "+s[0]+" END"))
	s = m.step(fmt.Sprintf(g.float, s[0]), fmt.Sprintf(g.float, "(rg_k - "+s[0]+")")+" * "+m.power(-32))
	s = m.step("CASE WHEN "+s[1]+" < "+g.number(0)+" THEN "+s[1]+" + "+m.power(32)+" ELSE "+s[1]+" END", s[0])
	hi, lo := m.add(s[0], s[1], mixAdd)
	hi, lo = m.shifted(hi, lo, 30)
	hi, lo = m.times(hi, lo, mixOne)
	hi, lo = m.shifted(hi, lo, 27)
	hi, lo = m.times(hi, lo, mixOther)
	hi, _ = m.shifted(hi, lo, 31)
	return p.limited("SELECT rg_k, COUNT(*) AS rg_n\nFROM ("+m.sql+") AS rg_q\nWHERE "+hi+" <= "+g.number(float64(bound))+"\nGROUP BY rg_k", limit)
}

// idTasks are the statements about a unit that is an integer: how many ids there are,
// and those that may be kept.
func (p *plan) idTasks(column int) []*task {
	f := &p.fields[column]
	counts := &task{content: countContent, column: column, cross: -1}
	id := p.integer(f)
	counts.Statement = Statement{"numbers of " + p.purpose(counts), "SELECT COUNT(*) AS rg_n, COUNT(rg_k) AS rg_v, COUNT(DISTINCT rg_k) AS rg_d\nFROM (SELECT " +
		id + " AS rg_k FROM " + p.from + ") AS rg_q" + p.g.settings}
	ids := &task{content: idContent, column: column, cross: -1, limit: p.o.maxUnits()}
	ids.Statement = Statement{"sample of " + p.purpose(ids), p.idSQL(id, allIDs, ids.limit)}
	return []*task{counts, ids}
}

// ids fills in a unit that is an integer. The bound of the second statement depends
// on the answer to the first.
func (r *run) ids(ctx context.Context, counts, ids *task, snap *analysis.Snapshot) error {
	var rows, valued, distinct uint64
	if err := r.ask(ctx, counts, func(a *answer) error {
		rows, valued, distinct = a.count(), a.count(), a.count()
		return nil
	}); err != nil {
		return err
	}
	if err := r.same(counts, rows); err != nil {
		return err
	}
	if valued > rows || distinct > valued || (distinct == 0) != (valued == 0) {
		return fault(counts.Purpose, ErrInconsistent, "%d ids, %d of them different, in %d rows", valued, distinct, rows)
	}
	bound, share := uint64(allIDs), 1.0
	if distinct > 2*soughtIDs {
		share = soughtIDs / float64(distinct)
		bound = uint64(share * (allIDs + 1))
		bounded := *ids
		bounded.SQL = r.idSQL(r.integer(&r.fields[ids.column]), bound, ids.limit)
		ids = &bounded
	}
	var units summary.Distinct
	got, seen := uint64(0), uint64(0)
	if err := r.ask(ctx, ids, func(a *answer) error {
		id, ok := a.integer()
		n := a.count()
		if a.err != nil || !ok || n == 0 || mix(uint64(id))>>32 > bound {
			return fmt.Errorf("%d rows with id %d, whose hash is above %#x", n, id, bound)
		}
		got, seen = got+1, seen+n
		return addInt(&units, id, n)
	}); err != nil {
		return err
	}
	// Hashes are uniform: 12,288 ids are expected below the bound, with a standard
	// deviation of 111.
	switch {
	case share == 1 && (got != distinct || seen != valued):
		return fault(ids.Purpose, ErrChanged, "%d ids in %d rows, then %d in %d", distinct, valued, got, seen)
	case share < 1 && math.Abs(float64(got)-soughtIDs) > 1000, seen > valued:
		return fault(ids.Purpose, ErrInconsistent, "%d of %d ids in %d rows have a hash below %#x", got, distinct, seen, bound)
	}
	return complete(&snap.ByRole(analysis.Unit).Units, &units, valued, rows-valued)
}

// complete gives to dst the sample of units, which are those below some hash of that
// many ids.
func complete(dst, units *summary.Distinct, total, null uint64) error {
	b, err := json.Marshal(units)
	if err != nil {
		return err
	}
	var form struct {
		Total  uint64     `json:"total"`
		Null   uint64     `json:"null,omitempty"`
		Bound  uint64     `json:"bound,omitempty"`
		Sample [][]uint64 `json:"sample"`
	}
	if err := json.Unmarshal(b, &form); err != nil {
		return err
	}
	form.Total, form.Null = total, null
	if b, err = json.Marshal(form); err != nil {
		return err
	}
	return json.Unmarshal(b, dst)
}
