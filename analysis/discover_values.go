package analysis

import (
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/rampguard/rampguard/stats/summary"
)

// crossColumn turns the values of a column into codes of a [summary.CrossTable]. In
// between each value has a small number: that of its [coder], or for numbers without
// cuts one that is computed.
type crossColumn struct {
	coder
	plain  bool     // numbers without cuts
	seen   int      // the epoch of the coder that known is for
	kindOf Type     // of the column
	known  []uint32 // by number of a value: one more than its code; 0 when not asked for yet
}

func newCrossColumn(column int, cuts []float64) *crossColumn {
	k := &crossColumn{coder: coder{column: column, cuts: cuts}}
	if len(cuts) > 0 {
		k.buckets = bucketNames(cuts)
	}
	return k
}

// begin takes over the column of a batch.
func (k *crossColumn) begin(col *Column) {
	k.plain = len(k.cuts) == 0 && (col.Type == Float || col.Type == Int || col.Type == Time)
	if k.plain {
		k.col, k.ints = col, col.Type != Float
	} else {
		k.coder.begin(col)
	}
	if k.seen != k.epoch || k.kindOf != col.Type {
		k.seen, k.kindOf, k.known = k.epoch, col.Type, k.known[:0]
	}
}

// fill finds the numbers of the values in the rows from, ..., to-1 of the batch.
func (k *crossColumn) fill(from, to int) error {
	if !k.plain {
		return k.coder.fill(from, to)
	}
	k.codes = grow(k.codes, to-from)
	for i := range k.codes {
		row := from + i
		switch {
		case k.col.Valid != nil && !k.col.Valid[row]:
			k.codes[i] = 0
		case k.ints:
			k.codes[i] = wholeCode(k.col.Ints[row])
		default:
			k.codes[i] = floatCode(k.col.Floats[row])
		}
	}
	return nil
}

// code is the code in the table of the value with a number.
func (k *crossColumn) code(t *summary.CrossTable, column int, value uint32) uint32 {
	if value == 0 {
		return 0
	}
	if n := int(value) + 1 - len(k.known); n > 0 {
		if !k.plain {
			n = max(n, k.size()-len(k.known)) // all there are, at once
		}
		k.known = slices.Grow(k.known, n)[:len(k.known)+n]
		clear(k.known[len(k.known)-n:])
	}
	if k.known[value] == 0 {
		k.known[value] = 1 + t.Code(column, k.text(value))
	}
	return k.known[value] - 1
}

// text is the value with a number.
func (k *crossColumn) text(value uint32) string {
	switch {
	case !k.plain:
		return k.name(value)
	case k.ints:
		return wholeName(value)
	}
	return floatName(value)
}

// smallWhole is the largest whole number that is taken by value.
const smallWhole = 255

// wholeCode numbers whole numbers from 1 on: small ones one by one, the others by
// their sign and number of bits.
func wholeCode(v int64) uint32 {
	if v >= -smallWhole && v <= smallWhole {
		return uint32(v + smallWhole + 1)
	}
	negative, size := uint32(0), uint64(v)
	if v < 0 {
		negative, size = 1, -size
	}
	return 2*smallWhole + 2 + 2*uint32(bits.Len64(size)) + negative
}

func wholeName(code uint32) string {
	if code <= 2*smallWhole+1 {
		return strconv.Itoa(int(code) - smallWhole - 1)
	}
	code -= 2*smallWhole + 2
	return powerName(int(code/2), code%2 == 1)
}

// Exponents of numbers as math.Frexp gives them lie in [-1073, 1024].
const (
	lowExponent  = -1100
	highExponent = 1100 // stands for infinity
)

// floatCode numbers numbers by sign and power of two; 0 stands for NaN, 1 for 0.
func floatCode(x float64) uint32 {
	if x != x {
		return 0
	}
	if x == 0 {
		return 1
	}
	_, e := math.Frexp(x)
	if math.IsInf(x, 0) {
		e = highExponent
	}
	return 2 + 2*uint32(e-lowExponent) + uint32(math.Float64bits(x)>>63)
}

func floatName(code uint32) string {
	if code == 1 {
		return "0"
	}
	code -= 2
	return powerName(int(code/2)+lowExponent, code%2 == 1)
}

// powerName is the interval of the numbers from 2^(e-1) up to 2^e.
func powerName(e int, negative bool) string {
	if e == highExponent {
		if negative {
			return "-Inf"
		}
		return "+Inf"
	}
	text := func(e int) string {
		if e > 1023 {
			return "+Inf"
		}
		return strconv.FormatFloat(math.Ldexp(1, e), 'g', -1, 64)
	}
	lo, hi := text(e-1), text(e)
	if !negative {
		return "[" + lo + "," + hi + ")"
	}
	if hi == "+Inf" {
		return "(-Inf,-" + lo + "]"
	}
	return "(-" + hi + ",-" + lo + "]"
}
