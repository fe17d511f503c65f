package statstest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// Failer is the part of testing.TB that [CheckLaws] needs, so that it can run
// inside a property-testing library too.
type Failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Accumulator is the method set of a mergeable summary T, all of it on *T.
type Accumulator[T any] interface {
	*T
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
	json.Marshaler
	json.Unmarshaler
	Merge(o *T) error
}

// Laws describes an accumulator T of values V to [CheckLaws].
type Laws[T, V any] struct {
	New   func() *T          // an empty T with the configuration under test
	Add   func(t *T, v V)    // adds one value
	Other func() *T          // a T configured differently, which must not merge; nil if there is none
	Bulk  func(t *T, vs []V) // adds many values at once; nil means by Add
}

// CheckLaws fails the test unless the accumulator obeys the merge laws on the
// given values, which come in parts as shards would hold them:
//
//   - identity: merging with an empty T, zero or configured, on either side,
//     changes nothing;
//   - commutativity and associativity: any two parts, and any bracketing, merge
//     to the same state;
//   - split: adding all values to one T, in order, backwards, or in bulk, gives
//     the state of the merged parts;
//   - a T merged with itself is the T of all values twice;
//   - Merge leaves its argument as it was;
//   - equal states have equal bytes, in binary and in JSON, and decoding either
//     form gives the state back, which behaves like the original;
//   - each strict prefix of either form is refused, and so is merging with
//     Other, by an error wrapping stats.ErrMismatch, with the receiver unchanged.
func CheckLaws[T, V any, P Accumulator[T]](t Failer, l Laws[T, V], parts ...[]V) {
	t.Helper()
	c := checker[T, V, P]{t, l}
	var all []V
	var shards []*T
	for _, p := range parts {
		all = append(all, p...)
		shards = append(shards, c.of(p))
	}
	whole := c.of(all)

	backwards := l.New()
	for i := range all {
		l.Add(backwards, all[len(all)-1-i])
	}
	c.same("values added backwards", backwards, whole)
	if l.Bulk != nil {
		bulk := l.New()
		l.Bulk(bulk, all)
		c.same("values added in bulk", bulk, whole)
	}

	c.same("parts merged from the left", c.merge(append([]*T{l.New()}, shards...)...), whole)
	right := l.New()
	for i := range shards {
		right = c.merge(shards[len(shards)-1-i], right)
	}
	c.same("parts merged from the right", right, whole)
	for i := range shards {
		a, b := shards[i], shards[(i+1)%len(shards)]
		c.same("two parts in either order", c.merge(a, b), c.merge(b, a))
	}

	c.same("zero merged with all", c.merge(new(T), whole), whole)
	c.same("all merged with zero", c.merge(whole, new(T)), whole)
	c.same("empty merged with all", c.merge(l.New(), whole), whole)
	c.same("all merged with empty", c.merge(whole, l.New()), whole)

	double := c.copy(whole)
	c.must(P(double).Merge(double))
	c.same("all merged with itself", double, c.of(append(all, all...)))

	c.codecs(whole)
	if l.Other != nil && !bytes.Equal(c.binary(whole), c.binary(new(T))) { // the zero T takes over any configuration
		c.refused("merging with another configuration", whole, func(p P) error { return p.Merge(l.Other()) })
		c.refused("merging into another configuration", l.Other(), func(p P) error { return p.Merge(whole) })
	}
}

type checker[T, V any, P Accumulator[T]] struct {
	t Failer
	l Laws[T, V]
}

func (c checker[T, V, P]) of(vs []V) *T {
	x := c.l.New()
	for _, v := range vs {
		c.l.Add(x, v)
	}
	return x
}

func (c checker[T, V, P]) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("laws: %v", err)
	}
}

// binary and text encode x.
func (c checker[T, V, P]) binary(x *T) []byte {
	c.t.Helper()
	b, err := P(x).MarshalBinary()
	c.must(err)
	return b
}

func (c checker[T, V, P]) text(x *T) []byte {
	c.t.Helper()
	b, err := P(x).MarshalJSON()
	c.must(err)
	return b
}

// copy returns x by way of its binary form, so that no memory is shared.
func (c checker[T, V, P]) copy(x *T) *T {
	c.t.Helper()
	y := new(T)
	c.must(P(y).UnmarshalBinary(c.binary(x)))
	return y
}

// merge returns the first x merged with the others in turn; it changes none.
func (c checker[T, V, P]) merge(xs ...*T) *T {
	c.t.Helper()
	sum := c.copy(xs[0])
	for _, x := range xs[1:] {
		before := c.binary(x)
		c.must(P(sum).Merge(x))
		if !bytes.Equal(before, c.binary(x)) {
			c.t.Fatalf("laws: Merge changed its argument")
		}
	}
	return sum
}

func (c checker[T, V, P]) same(what string, got, want *T) {
	c.t.Helper()
	if !bytes.Equal(c.binary(got), c.binary(want)) {
		c.t.Fatalf("laws: %s: binary forms differ:\n got %s\nwant %s", what, c.text(got), c.text(want))
	}
	if !bytes.Equal(c.text(got), c.text(want)) {
		c.t.Fatalf("laws: %s: JSON forms differ:\n got %s\nwant %s", what, c.text(got), c.text(want))
	}
}

func (c checker[T, V, P]) codecs(x *T) {
	c.t.Helper()
	b, j := c.binary(x), c.text(x)
	back, fromJSON := new(T), new(T)
	if c.l.Other != nil {
		back = c.l.Other() // decoding replaces whatever was there
	}
	c.must(P(back).UnmarshalBinary(b))
	c.same("decoded from binary", back, x)
	c.must(P(fromJSON).UnmarshalJSON(j))
	c.same("decoded from JSON", fromJSON, x)
	c.same("decoded from binary, then merged", c.merge(back, x), c.merge(x, x))
	c.same("decoded from JSON, then merged", c.merge(fromJSON, x), c.merge(x, x))

	for _, k := range cuts(len(b)) {
		c.refused(fmt.Sprintf("the first %d of %d bytes", k, len(b)), x, func(p P) error { return p.UnmarshalBinary(b[:k]) })
	}
	for _, k := range cuts(len(j)) {
		c.refused(fmt.Sprintf("the first %d of %d bytes of JSON", k, len(j)), x, func(p P) error { return p.UnmarshalJSON(j[:k]) })
	}
	more := append(bytes.Clone(b), 0)
	c.refused("a byte too many", x, func(p P) error { return p.UnmarshalBinary(more) })
	c.refused("JSON null", x, func(p P) error { return p.UnmarshalJSON([]byte("null")) })
	c.refused("an unknown member", x, func(p P) error { return p.UnmarshalJSON([]byte(`{"no such member":1}`)) })
}

// cuts returns some lengths below n: the smallest, the largest, and others
// spread evenly.
func cuts(n int) []int {
	step := n/6 + 1
	var ks []int
	for k := 0; k < n; k += step {
		ks = append(ks, k)
	}
	return append(ks, n-1)
}

// refused checks that do returns an error wrapping stats.ErrMismatch and leaves
// its argument, a copy of x, unchanged.
func (c checker[T, V, P]) refused(what string, x *T, do func(P) error) {
	c.t.Helper()
	y := c.copy(x)
	err := do(P(y))
	if !errors.Is(err, stats.ErrMismatch) {
		c.t.Fatalf("laws: %s: error %v, want one wrapping %v", what, err, stats.ErrMismatch)
	}
	if !bytes.Equal(c.binary(y), c.binary(x)) {
		c.t.Fatalf("laws: %s: the receiver changed:\nfrom %s\n  to %s", what, c.text(x), c.text(y))
	}
}
