package sqlquery

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"

	"github.com/rampguard/rampguard/stats"
)

// answer is a row of an answer. Its values are taken off one after another; the
// first that is not what it should be makes err.
type answer struct {
	values []any
	into   []any
	at     int
	err    error
}

func newAnswer(columns int) *answer {
	a := &answer{values: make([]any, columns), into: make([]any, columns)}
	for i := range a.values {
		a.into[i] = &a.values[i]
	}
	return a
}

// wrong reports an answer that cannot be.
func wrong(where string, err error) error {
	var mine *providerError
	if errors.As(err, &mine) || errors.Is(err, stats.ErrDomain) {
		return err
	}
	return fault(where, ErrInconsistent, "%s", cleaned(err.Error()))
}

// next takes a value off. Drivers give values behind pointers where a column can
// have none.
func (a *answer) next() any {
	if a.at >= len(a.values) {
		a.fail("%d columns", len(a.values))
		return nil
	}
	v := a.values[a.at]
	a.at++
	for {
		r := reflect.ValueOf(v)
		if r.Kind() != reflect.Pointer {
			return v
		}
		if _, big := v.(*big.Int); big {
			return v
		}
		if r.IsNil() {
			return nil
		}
		v = r.Elem().Interface()
	}
}

func (a *answer) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, args...)
	}
}

// integer takes an integer off; ok is false for a missing one.
func (a *answer) integer() (x int64, ok bool) {
	z, ok := a.whole()
	if !ok {
		return 0, false
	}
	if z.IsUint64() && !z.IsInt64() { // of an unsigned id
		return int64(z.Uint64()), true
	}
	if !z.IsInt64() {
		a.fail("%v is not an integer of 64 bits", z)
		return 0, false
	}
	return z.Int64(), true
}

// whole takes an integer off.
func (a *answer) whole() (z *big.Int, ok bool) {
	switch v := a.next().(type) {
	case nil:
		return nil, false
	case *big.Int:
		return v, v != nil
	case bool:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			a.fail("%v is not an integer", v)
			return nil, false
		}
		return big.NewInt(int64(v)), true
	case []byte:
		return a.parsed(string(v))
	case string:
		return a.parsed(v)
	default:
		switch r := reflect.ValueOf(v); {
		case r.CanInt():
			return big.NewInt(r.Int()), true
		case r.CanUint():
			return new(big.Int).SetUint64(r.Uint()), true
		}
		a.fail("a %T is not an integer", v)
		return nil, false
	}
}

func (a *answer) parsed(text string) (*big.Int, bool) {
	z, ok := new(big.Int).SetString(text, 10)
	if !ok || len(text) > 40 {
		a.fail("%.40q is not an integer", text)
		return nil, false
	}
	return z, true
}

// sum takes off a sum, which is no less than 0.
func (a *answer) sum() *big.Int {
	z, ok := a.whole()
	if !ok || z.Sign() < 0 {
		a.fail("%v is not a sum", z)
		return new(big.Int)
	}
	return z
}

// count takes a number of rows off.
func (a *answer) count() uint64 {
	z, ok := a.whole()
	if !ok || z.Sign() < 0 || z.BitLen() > 46 {
		a.fail("%v is not a number of rows", z)
		return 0
	}
	return z.Uint64()
}

// small takes off a number from low to high.
func (a *answer) small(low, high int) int {
	x, ok := a.integer()
	if !ok || x < int64(low) || x > int64(high) {
		a.fail("%d is none of %d to %d", x, low, high)
		return low
	}
	return int(x)
}

// float takes a number off; ok is false for a missing one.
func (a *answer) float() (x float64, ok bool) {
	switch v := a.next().(type) {
	case nil:
		return 0, false
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case []byte:
		return a.float64(string(v))
	case string:
		return a.float64(v)
	default:
		if r := reflect.ValueOf(v); r.CanInt() && r.Int() == int64(float64(r.Int())) {
			return float64(r.Int()), true
		}
		a.fail("a %T is not a number", v)
		return 0, false
	}
}

func (a *answer) float64(text string) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		a.fail("%.40q is not a number", text)
		return 0, false
	}
	return x, true
}

// text takes a text off; ok is false for a missing one. Bytes that are not UTF-8
// become 0x and hexadecimal digits.
func (a *answer) text() (s string, ok bool) {
	switch v := a.next().(type) {
	case nil:
		return "", false
	case []byte:
		return printable(string(v)), true
	case string:
		return printable(v), true
	default:
		a.fail("a %T is not a text", v)
		return "", false
	}
}
