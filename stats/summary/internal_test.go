package summary

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
)

// edgeSets are edges with and without a table, near and far apart.
func edgeSets() map[string][]float64 {
	r := rand.New(rand.NewPCG(1, 2))
	sets := map[string][]float64{
		"one":        {0},
		"ulps":       {1, math.Nextafter(1, 2), math.Nextafter(math.Nextafter(1, 2), 2)},
		"zero":       {-math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64},
		"everywhere": {-math.MaxFloat64, -1, -1e-300, 0, 1e-300, 1, math.Nextafter(1, 2), math.MaxFloat64},
		"percent":    nil,
		"normal":     nil,
		"wide":       nil,
	}
	for i := range 101 {
		sets["percent"] = append(sets["percent"], float64(i)/100)
	}
	for range 1023 {
		sets["normal"] = append(sets["normal"], r.NormFloat64())
		sets["wide"] = append(sets["wide"], r.NormFloat64()*math.Pow(10, 300*r.NormFloat64()))
	}
	for k, es := range sets {
		es = slices.DeleteFunc(es, func(x float64) bool { return math.IsInf(x, 0) })
		slices.Sort(es)
		sets[k] = slices.Compact(es)
	}
	return sets
}

func TestEdgeTableAgainstSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	tables := 0
	for name, es := range edgeSets() {
		table := newEdgeTable(es)
		if table.below != nil {
			tables++
		}
		xs := []float64{math.Copysign(0, -1), -math.MaxFloat64, math.MaxFloat64}
		for _, e := range es {
			xs = append(xs, e, math.Nextafter(e, -math.MaxFloat64), math.Nextafter(e, math.MaxFloat64))
		}
		for range 2000 {
			if x := math.Float64frombits(r.Uint64()); x-x == 0 {
				xs = append(xs, x)
			}
			xs = append(xs, r.NormFloat64())
		}
		for _, x := range xs {
			want := sort.Search(len(es), func(i int) bool { return es[i] > x })
			if got := table.cell(x); got != want {
				t.Fatalf("%s: cell(%v) = %d, want %d", name, x, got, want)
			}
		}
	}
	if tables < 3 || tables == len(edgeSets()) {
		t.Errorf("%d of %d edge sets have a table: both ways must be tested", tables, len(edgeSets()))
	}
}

// The cells of one page, and of neighbouring pages and octaves, follow each
// other without a gap.
func TestKeysAreContiguous(t *testing.T) {
	for _, k := range []Kind{LogLinear, Probability} {
		g := k.grid()
		for _, m := range []uint64{g.first << g.bits, (g.first+1)<<g.bits - 1, (g.first+g.octaves)<<g.bits - 1} {
			for _, mirrored := range []bool{false, true} {
				id := k.keyOf(mirrored, m)
				lo, hi := k.bounds(k.span(id))
				if at, _ := k.locate(k.member(k.span(id))); at != id {
					t.Errorf("%v: key %d is located at %d", k, id, at)
				}
				next := hi
				if k == LogLinear && mirrored {
					next = math.Nextafter(hi, math.Inf(1)) // closed above
				}
				if at, _ := k.locate(next); at != id+1 && at != id+1<<(g.bits-coarseBits) && next != 0.5 {
					t.Errorf("%v: cell %d is [%v, %v), but %v is in cell %d", k, id, lo, hi, next, at)
				}
			}
		}
	}
}

// The loops that add one offset and the general addition of n agree, carries
// included.
func TestCellAdd(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	full := cell{n: 5, sLo: math.MaxUint64 - 3, qLo: math.MaxUint64 - 1, qHi: math.MaxUint64, sHi: 7, qTop: 9}
	for range 1000 {
		a, b := full, full
		if r.IntN(2) == 0 {
			a.qHi = r.Uint64()
			a.qLo = r.Uint64()
			a.sLo = r.Uint64()
			b = a
		}
		x := r.Uint64N(1 << (1 + r.IntN(49)))
		a.add(x)
		b.addN(x, 1)
		if a != b {
			t.Fatalf("add(%d) gives %+v, addN %+v", x, a, b)
		}
	}
	var c cell
	x, n := uint64(1<<49-1), uint64(1<<47-1)
	c.addN(x, n)
	want := new(big.Int).SetUint64(x)
	want.Mul(want, want)
	want.Mul(want, new(big.Int).SetUint64(n))
	if got := c.sumRR(new(big.Int)); got.Cmp(want) != 0 {
		t.Errorf("sum of squares %v, want %v", got, want)
	}
	if got, ok := c.constant(); !ok || got != x {
		t.Errorf("constant() = %d, %v, want %d", got, ok, x)
	}
}

func TestQuotient(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		num, den := randomInt(r), randomInt(r)
		den.Add(den, big.NewInt(1))
		if r.IntN(2) == 0 {
			num.Neg(num)
		}
		exp := r.IntN(2400) - 1200
		want := new(big.Rat).SetFrac(num, den)
		scale := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(max(exp, -exp))))
		if exp < 0 {
			scale.Inv(scale)
		}
		if f, _ := want.Mul(want, scale).Float64(); quotient(num, den, exp) != f {
			t.Fatalf("quotient(%v, %v, %d) = %v, want %v", num, den, exp, quotient(num, den, exp), f)
		}
		num.Abs(num)
		root := new(big.Float).SetPrec(400).Quo(new(big.Float).SetPrec(400).SetInt(num), new(big.Float).SetPrec(400).SetInt(den))
		if f, _ := root.Sqrt(root).Float64(); rootQuotient(num, den) != f {
			t.Fatalf("rootQuotient(%v, %v) = %v, want %v", num, den, rootQuotient(num, den), f)
		}
	}
	// Halfway cases and squares, where a lost remainder would show.
	half := new(big.Int).Lsh(big.NewInt(1), 53)
	half.Add(half, big.NewInt(1)) // 2^53+1: halfway, rounds to even
	huge := new(big.Int).Lsh(big.NewInt(1), 500)
	above := new(big.Int).Add(new(big.Int).Mul(half, huge), big.NewInt(1))
	if got := quotient(half, big.NewInt(1), 0); got != 0x1p53 {
		t.Errorf("2^53+1 rounds to %v", got)
	}
	if got := quotient(above, huge, 0); got != 0x1p53+2 {
		t.Errorf("2^53+1+2^-500 rounds to %v", got)
	}
	if got := rootQuotient(big.NewInt(49), big.NewInt(4)); got != 3.5 {
		t.Errorf("sqrt(49/4) = %v", got)
	}
}

// randomInt returns a number of 1 to 300 bits.
func randomInt(r *rand.Rand) *big.Int {
	b := make([]byte, 1+r.IntN(38))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return new(big.Int).SetBytes(b)
}
