package sqlquery

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats/summary"
)

// unquote reads a quoted text as a database does: the rest after the closing quote
// has to be empty.
func unquote(s string, quote byte, doubled, backslash bool) (text string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && backslash:
			i++
			if i == len(s) {
				return "", false
			}
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			default:
				b.WriteByte(s[i])
			}
		case c == quote && doubled && i+1 < len(s) && s[i+1] == quote:
			i++
			b.WriteByte(c)
		case c == quote:
			return b.String(), i == len(s)-1
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// FuzzQuoting holds that no name and no value gets out of its quotes, in any dialect.
func FuzzQuoting(f *testing.F) {
	for _, s := range []string{"a", `"`, "`", `'`, `\`, `\'`, `\"`, "'; DROP TABLE x; --", "a\nb", "日本", "\xff", "\x00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sound := utf8.ValidString(s) && !strings.Contains(s, "\x00")
		for d, g := range grammars {
			q, err := g.identifier(s)
			if (err == nil) != (sound && s != "") {
				t.Fatalf("%v: identifier %q: %v", d, s, err)
			}
			if err == nil {
				if q[:1] != g.quote {
					t.Fatalf("%v: identifier %q is %s", d, s, q)
				}
				if got, ok := unquote(q, g.quote[0], g.doubled, !g.doubled); !ok || got != s {
					t.Errorf("%v: identifier %q is %s", d, s, q)
				}
			}
			v, err := g.literal(s)
			if (err == nil) != sound {
				t.Fatalf("%v: value %q: %v", d, s, err)
			}
			if err != nil {
				continue
			}
			escapes := g.backslash
			if rest, found := strings.CutPrefix(v, "E"); found {
				v, escapes = rest, true
			}
			if got, ok := unquote(v, '\'', !g.backslash, escapes); !ok || got != s {
				t.Errorf("%v: value %q is %s", d, s, v)
			}
		}
	})
}

// TestLiterals holds that numbers read back as they are: those with an exponent by
// strconv, the others by exact steps.
func TestLiterals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1, 0.5, 5e-324, math.MaxFloat64, -math.MaxFloat64, 0x1p-1022, 0.1})).Draw(t, "x")
		x += 0
		if y, err := strconv.ParseFloat(exponential(x), 64); err != nil || y != x || !strings.Contains(exponential(x), "e") {
			t.Errorf("%v is %s", x, exponential(x))
		}
		text := strings.Trim(arithmetic(x), "()")
		var y float64
		op := ""
		for _, word := range strings.Fields(text) {
			if word == "*" || word == "/" {
				op = word
				continue
			}
			z, ok := new(big.Float).SetString(word)
			if !ok {
				t.Fatalf("%v is %s", x, text)
			}
			v, acc := z.Float64()
			if acc != big.Exact || len(word) > 20 {
				t.Errorf("%v is %s, with %s", x, text, word)
			}
			was := y
			switch op {
			case "":
				y = v
			case "*":
				y *= v
			case "/":
				y /= v
			}
			if op == "/" && y*v != was {
				t.Errorf("%v is %s, which rounds", x, text)
			}
		}
		if y != x {
			t.Errorf("%v is %s, which is %v", x, text, y)
		}
	})
}

// row is what cellSQL computes of one value.
type sqlRow struct {
	class   int
	s, t, w float64
	cut     int
}

// answerOf computes the answer of the statement of cellSQL, as a database does, with
// the operations of the statement.
func answerOf(q *cellQuery, values []float64) []*group {
	r := q.grid()
	groups := map[sqlRow]*group{}
	var order []*group
	for _, x := range values {
		var g group
		switch {
		case math.IsNaN(x):
			g.class = classNaN
		case math.IsInf(x, 1):
			g.class = classInf
		case math.IsInf(x, -1):
			g.class = classNegInf
		case x == 0:
			g.class = classZero
		case q.probability && x < 0:
			g.class = classBelow
		case q.probability && x > 1:
			g.class = classAbove
		case q.probability && x == 1:
			g.class = classOne
		case q.probability && x >= 0.5, !q.probability && x < 0:
			g.class = classMirrored
		default:
			g.class = classPlain
		}
		v, z, s := 0.0, 0.0, 0.0
		if g.class >= classZero {
			v = x
		}
		switch {
		case q.probability && g.class == classPlain:
			z = v
		case q.probability && g.class == classMirrored:
			z = (1 - v) - 0x1p-54
		case !q.probability && g.class >= classMirrored:
			z = math.Abs(v)
		}
		for e := r.first; e < r.end; e++ {
			if z >= math.Ldexp(1, e) && z < math.Ldexp(1, e+1) {
				s = math.Ldexp(1, -e)
			}
		}
		t := math.Floor(z * s * math.Ldexp(1, r.bits))
		d := z*s*0x1p52 - t*math.Ldexp(1, 52-r.bits)
		d1, d2 := math.Floor(d*0x1p-15), math.Floor(d*0x1p-30)
		digit := [3]int64{int64(d - d1*0x1p15), int64(d1 - d2*0x1p15), int64(d2)}
		key := sqlRow{class: g.class, s: s, t: t}
		for _, c := range q.cuts {
			if v >= c {
				key.cut++
			}
		}
		if g.class >= classMirrored && s == 0 {
			key.w = v
		}
		in := groups[key]
		if in == nil {
			in = &group{class: g.class, lo: v, hi: v}
			for i := range in.digits {
				in.digits[i] = new(big.Int)
			}
			groups[key] = in
			order = append(order, in)
		}
		in.n++
		in.lo, in.hi = math.Min(in.lo, v), math.Max(in.hi, v)
		for i, p := range [sumCount]int64{digit[0], digit[1], digit[2], digit[0] * digit[0], digit[0] * digit[1], digit[0] * digit[2], digit[1] * digit[1], digit[1] * digit[2], digit[2] * digit[2]} {
			in.digits[i].Add(in.digits[i], big.NewInt(p))
		}
	}
	return order
}

// TestArithmetic holds that the arithmetic of the statements gives the histogram of
// the values, byte for byte, for values of all sizes and next to all edges.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := &cellQuery{probability: rapid.Bool().Draw(t, "probability")}
		q.sums = q.probability || rapid.Bool().Draw(t, "sums")
		if rapid.Bool().Draw(t, "with cuts") {
			q.cuts = []float64{-1, 0.1, 0.7, 1000}
		}
		near := rapid.Custom(func(t *rapid.T) float64 {
			x := math.Ldexp(float64(rapid.IntRange(1, 4096).Draw(t, "m")), rapid.IntRange(-80, 60).Draw(t, "e"))
			for range rapid.IntRange(0, 2).Draw(t, "ulps") {
				x = math.Nextafter(x, 0)
			}
			if rapid.Bool().Draw(t, "from one") {
				x = 1 - x
			}
			return x
		})
		crowd := rapid.Float64Range(0.9, 0.9003) // many in one cell
		special := rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, math.NaN(), math.Inf(1), math.Inf(-1), -0.5, 1.5, 5e-324, 1 - 0x1p-53, math.MaxFloat64})
		values := rapid.SliceOfN(rapid.OneOf(near, crowd, crowd, special, rapid.Float64Range(0, 1), rapid.Float64()), 0, 60).Draw(t, "values")
		c := newCells(q)
		want := newCells(q)
		want.hist.AddSlice(values)
		if want.cuts != nil {
			want.cuts.AddSlice(values)
		}
		for _, g := range answerOf(q, values) {
			if err := c.add(g); err != nil {
				t.Fatal(err)
			}
		}
		h, err := c.histogram()
		if err != nil {
			t.Fatal(err)
		}
		equal(t, h, want.hist)
		if want.cuts != nil {
			equal(t, c.cuts, want.cuts)
		}
	})
}

func equal(t *rapid.T, got, want *summary.Histogram) {
	a, err := got.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		x, _ := got.MarshalJSON()
		y, _ := want.MarshalJSON()
		t.Errorf("got %s\nwant %s", x, y)
	}
}

// TestScale reads the octaves of the statements back: every octave of the grid has
// its power of two.
func TestScale(t *testing.T) {
	for _, q := range []*cellQuery{{}, {probability: true}} {
		p, r := &plan{g: grammars[DuckDB]}, q.grid()
		text := p.scale(r)
		for e := r.first - 2; e <= r.end+1; e++ {
			want := 0.0
			if e >= r.first && e < r.end {
				want = math.Ldexp(1, -e)
			}
			for _, z := range []float64{math.Ldexp(1, e), math.Nextafter(math.Ldexp(1, e+1), 0)} {
				if got := evaluate(t, text, z); got != want {
					t.Errorf("octave of %v: scale %v, want %v", z, got, want)
				}
			}
		}
	}
}

// evaluate computes nested CASEs that compare rg_z.
func evaluate(t *testing.T, text string, z float64) float64 {
	t.Helper()
	words := strings.Fields(text)
	at := 0
	number := func() float64 {
		x, err := strconv.ParseFloat(words[at], 64)
		if err != nil {
			t.Fatal(err)
		}
		at++
		return x
	}
	var expression func() float64
	expression = func() float64 {
		if words[at] != "CASE" {
			return number()
		}
		at += 4 // CASE WHEN rg_z <
		less := z < number()
		at++ // THEN
		yes := expression()
		at++ // ELSE
		no := expression()
		at++ // END
		if less {
			return yes
		}
		return no
	}
	return expression()
}

// TestMix holds that ids are chosen by the hash that a summary has.
func TestMix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int64().Draw(t, "id")
		var d summary.Distinct
		if err := addInt(&d, id, 1000); err != nil {
			t.Fatal(err)
		}
		b, err := d.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var form struct{ Sample [][2]uint64 }
		if err := json.Unmarshal(b, &form); err != nil {
			t.Fatal(err)
		}
		if len(form.Sample) != 1 || form.Sample[0] != [2]uint64{mix(uint64(id)), 1000} {
			t.Errorf("id %d: sample %v, want the hash %d, 1000 times", id, form.Sample, mix(uint64(id)))
		}
	})
}
