package parquetrows

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFromBigEndian(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "bytes")
		x := new(big.Int).SetBytes(b)
		if b[0]>>7 != 0 {
			x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		want, _ := new(big.Float).SetInt(x).Float64()
		got := fromBigEndian(b)
		if tolerance := math.Abs(want) * 0x1p-51; math.Abs(got-want) > tolerance || (x.BitLen() <= 53 && got != want) {
			t.Fatalf("fromBigEndian(%x) = %v, want %v", b, got, want)
		}
	})
	if got := fromBigEndian(nil); got != 0 {
		t.Errorf("fromBigEndian(nil) = %v", got)
	}
}

func TestFromHalf(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0x0000: 0, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14, 0x3555: 1365 * 0x1p-12,
		0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		if got := fromHalf(bits); got != want {
			t.Errorf("fromHalf(%#x) = %v, want %v", bits, got, want)
		}
	}
	if got := fromHalf(0x8000); got != 0 || !math.Signbit(got) {
		t.Errorf("fromHalf(0x8000) = %v, want -0", got)
	}
	if got := fromHalf(0x7e00); got == got {
		t.Errorf("fromHalf(0x7e00) = %v, want NaN", got)
	}
}

func TestSaturate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Int64().Draw(t, "x")
		unit := rapid.SampledFrom([]int64{1, 1000, microsPerDay}).Draw(t, "unit")
		rest := rapid.Int64Range(-1<<54, 1<<54).Draw(t, "rest")
		want := new(big.Int).Mul(big.NewInt(x), big.NewInt(unit))
		if want.IsInt64() {
			want.Add(want, big.NewInt(rest))
		}
		clip := want.Int64()
		if !want.IsInt64() {
			clip = math.MaxInt64
			if want.Sign() < 0 {
				clip = math.MinInt64
			}
		}
		if got := saturate(x, unit, rest); got != clip {
			t.Fatalf("saturate(%d, %d, %d) = %d, want %d", x, unit, rest, got, clip)
		}
	})
}

func TestFloorMicros(t *testing.T) {
	for nanos, want := range map[int64]int64{0: 0, 999: 0, 1000: 1, -1: -1, -1000: -1, -1001: -2, math.MinInt64: -9223372036854776} {
		if got := floorMicros(nanos); got != want {
			t.Errorf("floorMicros(%d) = %d, want %d", nanos, got, want)
		}
	}
}

// TestRuns writes numbers in random runs, as the format describes them, and reads
// them back in random steps.
func TestRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 32).Draw(t, "width")
		number := rapid.Uint32Range(0, uint32(1<<width-1))
		var src []byte
		var want []int32
		for range rapid.IntRange(0, 6).Draw(t, "runs") {
			if rapid.Bool().Draw(t, "packed") {
				xs := rapid.SliceOfN(number, 8, 80).Draw(t, "values")
				xs = xs[:len(xs)/8*8]
				src = append(binary.AppendUvarint(src, uint64(len(xs)/8<<1|1)), pack(xs, width)...)
				for _, x := range xs {
					want = append(want, int32(x))
				}
				continue
			}
			n, x := rapid.IntRange(0, 50).Draw(t, "n"), number.Draw(t, "value")
			src = binary.AppendUvarint(src, uint64(n<<1))
			src = append(src, binary.LittleEndian.AppendUint32(nil, x)[:(width+7)/8]...)
			want = append(want, slices.Repeat([]int32{int32(x)}, n)...)
		}
		src = append(src, make([]byte, padding)...)
		src = src[:len(src)-padding]
		r := newRuns(src, uint(width))
		got := make([]int32, len(want))
		for from := 0; from < len(got); {
			n := rapid.IntRange(1, len(got)-from).Draw(t, "step")
			if err := r.codes(got[from : from+n]); err != nil {
				t.Fatal(err)
			}
			from += n
		}
		if diff := cmp.Diff(want, got); len(want) > 0 && diff != "" {
			t.Fatal(diff)
		}
		if err := r.codes(make([]int32, 1)); err == nil {
			t.Fatal("a value was read after the last")
		}
		if width > 1 {
			return
		}
		r = newRuns(src, 1)
		bits := make([]byte, len(want))
		if err := r.bits(bits); err != nil {
			t.Fatal(err)
		}
		for i, b := range bits {
			if int32(b) != want[i] {
				t.Fatalf("bit %d is %d, want %d", i, b, want[i])
			}
		}
	})
}

func pack(xs []uint32, width int) []byte {
	b := make([]byte, len(xs)*width/8)
	for i, x := range xs {
		for k := range width {
			bit := i*width + k
			b[bit/8] |= byte(x>>k&1) << (bit % 8)
		}
	}
	return b
}

func TestExpand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.SliceOf(rapid.ByteRange(0, 1)).Draw(t, "levels")
		vals, valid, k := make([]int, len(levels)), make([]bool, len(levels)), 0
		for _, l := range levels {
			if l == 1 {
				vals[k] = k + 1
				k++
			}
		}
		expand(vals, valid, levels, k)
		next := 1
		for i, l := range levels {
			if valid[i] != (l == 1) || (valid[i] && vals[i] != next) {
				t.Fatalf("row %d is %v, %d", i, valid[i], vals[i])
			}
			next += int(l)
		}
	})
}

func TestFirstBad(t *testing.T) {
	for _, tt := range []struct {
		codes []int32
		size  int
		want  int
	}{
		{nil, 0, -1}, {[]int32{0, 2, 1}, 3, -1}, {[]int32{0, 3, 1}, 3, 1}, {[]int32{0, 1, -1}, 3, 2},
		{[]int32{0}, 0, 0}, {[]int32{math.MinInt32}, 1, 0}, {[]int32{math.MaxInt32}, 1, 0}, {[]int32{math.MaxInt32 - 1}, math.MaxInt32, -1},
	} {
		if got := firstBad(tt.codes, tt.size); got != tt.want {
			t.Errorf("firstBad(%v, %d) = %d, want %d", tt.codes, tt.size, got, tt.want)
		}
	}
}
