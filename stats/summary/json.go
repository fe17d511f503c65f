package summary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// readJSON decodes one JSON object into v. Unknown members and null are errors:
// a summary that was not stored must not read as an empty one.
func readJSON(what string, b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	switch {
	case err != nil:
	case string(bytes.TrimSpace(b)) == "null":
		err = fmt.Errorf("null")
	default:
		if _, extra := d.Token(); extra != io.EOF {
			err = fmt.Errorf("data after the object")
		}
	}
	if err != nil {
		return fmt.Errorf("summary: %s: %w: %w", what, err, stats.ErrMismatch)
	}
	return nil
}

// formatExact writes z * 2^exp as a C99 hexadecimal floating-point number with
// an odd integer before the p, such as -0x1b3p-57, or 0x0p+0.
func formatExact(z *big.Int, exp int) string {
	if z.Sign() == 0 {
		return "0x0p+0"
	}
	sign := ""
	if z.Sign() < 0 {
		sign = "-"
	}
	zeros := z.TrailingZeroBits()
	odd := new(big.Int).Rsh(new(big.Int).Abs(z), zeros)
	return fmt.Sprintf("%s0x%sp%+d", sign, odd.Text(16), exp+int(zeros))
}

// parseExact is the inverse of formatExact, for numbers below 2^bits times the
// unit 2^exp. It accepts no other spelling.
func parseExact(s string, exp, bits int) (*big.Int, error) {
	digits, power, _ := strings.Cut(strings.TrimPrefix(s, "-"), "p")
	z, ok := new(big.Int).SetString(strings.TrimPrefix(digits, "0x"), 16)
	shift, err := strconv.Atoi(power)
	shift -= exp
	if !ok || err != nil || len(digits) > bits/4+3 {
		return nil, fmt.Errorf("bad number %q", s)
	}
	if z.Sign() == 0 {
		shift = 0
	}
	if shift < 0 || shift > bits || z.BitLen()+shift > bits {
		return nil, fmt.Errorf("number %q out of range", s)
	}
	z.Lsh(z, uint(shift))
	if strings.HasPrefix(s, "-") {
		z.Neg(z)
	}
	if formatExact(z, exp) != s {
		return nil, fmt.Errorf("bad number %q", s)
	}
	return z, nil
}
