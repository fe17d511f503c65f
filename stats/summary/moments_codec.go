package summary

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/bits"

	"github.com/rampguard/rampguard/stats"
)

const momentsWire = 1

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal states give equal
// bytes, however the values came in.
func (m *Moments) MarshalBinary() ([]byte, error) {
	var w writer
	w.u64(momentsWire)
	w.u64(m.n)
	w.excluded(m.excluded)
	if m.n == 0 {
		return w.b, nil
	}
	w.f64(m.min)
	w.f64(m.max)
	for _, d := range m.sums() {
		w.integer(toInt(d))
	}
	return w.b, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves m unchanged.
func (m *Moments) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	var out Moments
	r.version("moments", momentsWire)
	out.n = r.u64()
	out.excluded = r.excluded()
	r.noRange(out.excluded)
	if out.n > 0 {
		out.min, out.max = r.extremes()
		for k, d := range out.sums() {
			fromInt(d, r.integer((k+1)*valueBits+bits.Len64(out.n)))
		}
		out.check(&r)
	}
	if err := r.done(); err != nil {
		return err
	}
	*m = out
	return nil
}

// check reports as damage sums that no values between min and max can have.
func (m *Moments) check(r *reader) {
	c := m.central()
	if c.m2.Sign() < 0 || (c.m2.Sign() == 0) != (m.min == m.max) {
		r.fail("sums and range do not fit")
		return
	}
	var low, high Sum
	low.AddN(m.min, m.n)
	high.AddN(m.max, m.n)
	if c.sum.Cmp(toInt(low.digits[:])) < 0 || c.sum.Cmp(toInt(high.digits[:])) > 0 {
		r.fail("mean outside the range")
		return
	}
	// Pearson: kurtosis >= skewness^2 + 1, with equality for constant data
	// when the moments are not yet divided: m4 m2 >= m3^2 + m2^3.
	var left, right, t big.Int
	left.Mul(c.m4, c.m2)
	right.Mul(c.m3, c.m3)
	right.Add(&right, t.Mul(c.m2, t.Mul(c.m2, c.m2)))
	if left.Cmp(&right) < 0 || (c.m2.Sign() == 0 && c.m4.Sign() != 0) {
		r.fail("moments do not fit")
	}
}

type momentsJSON struct {
	N        uint64       `json:"n"`
	Min      *stats.Float `json:"min,omitempty"`
	Max      *stats.Float `json:"max,omitempty"`
	Excluded Excluded     `json:"excluded"`
	Sums     []string     `json:"sums,omitempty"`
}

// MarshalJSON implements [json.Marshaler]. The sums of the first to fourth powers
// are strings that hold their exact values; see [Sum.MarshalJSON].
func (m *Moments) MarshalJSON() ([]byte, error) {
	j := momentsJSON{N: m.n, Excluded: m.excluded}
	if m.n > 0 {
		mn, mx := stats.Float(m.min), stats.Float(m.max)
		j.Min, j.Max = &mn, &mx
		for k, d := range m.sums() {
			j.Sums = append(j.Sums, formatExact(toInt(d), -unit*(k+1)))
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves m unchanged.
func (m *Moments) UnmarshalJSON(b []byte) error {
	var j momentsJSON
	if err := readJSON("Moments", b, &j); err != nil {
		return err
	}
	full := j.Min != nil && j.Max != nil && len(j.Sums) == powers
	empty := j.Min == nil && j.Max == nil && len(j.Sums) == 0
	if (j.N > 0 && !full) || (j.N == 0 && !empty) {
		return fmt.Errorf("summary: Moments: %d values with %d sums: %w", j.N, len(j.Sums), stats.ErrMismatch)
	}
	var w writer
	w.u64(momentsWire)
	w.u64(j.N)
	w.excluded(j.Excluded)
	if j.N > 0 {
		w.f64(float64(*j.Min))
		w.f64(float64(*j.Max))
	}
	for k, s := range j.Sums {
		z, err := parseExact(s, -unit*(k+1), (k+1)*valueBits+countBits)
		if err != nil {
			return fmt.Errorf("summary: Moments: %w: %w", err, stats.ErrMismatch)
		}
		w.integer(z)
	}
	return m.UnmarshalBinary(w.b)
}
