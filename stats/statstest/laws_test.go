package statstest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// counter is an accumulator that breaks the law named in its broken field.
type counter struct {
	n      uint64
	broken string
}

func (c *counter) Merge(o *counter) error {
	c.n += o.n
	c.broken = cmp.Or(c.broken, o.broken)
	switch c.broken {
	case "identity":
		c.n++
	case "argument":
		o.n++
	}
	return nil
}

func (c *counter) MarshalBinary() ([]byte, error) { return c.MarshalJSON() }

func (c *counter) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{c.broken: fmt.Sprint(c.n)})
}

func (c *counter) UnmarshalBinary(b []byte) error {
	if c.broken == "receiver" {
		c.n = 77
	}
	return c.UnmarshalJSON(b)
}

func (c *counter) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("%w: %w", err, stats.ErrMismatch)
	}
	for broken, n := range m {
		v, err := strconv.ParseUint(n, 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %w", err, stats.ErrMismatch)
		}
		if broken == "round trip" {
			v++
		}
		*c = counter{v, broken}
		return nil
	}
	return stats.ErrMismatch
}

// failure stops the check and keeps what it said.
type failure string

type recorder struct{}

func (recorder) Helper() {}

func (recorder) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// violation returns what CheckLaws says of a counter that is broken in the given
// way.
func violation(broken string) (message string) {
	defer func() {
		if f, ok := recover().(failure); ok {
			message = string(f)
		}
	}()
	l := statstest.Laws[counter, int]{
		New: func() *counter { return &counter{broken: broken} },
		Add: func(c *counter, v int) {
			switch {
			case broken == "order":
				c.n = 3*c.n + uint64(v)
			default:
				c.n += uint64(v)
			}
		},
	}
	if broken == "bulk" {
		l.Bulk = func(c *counter, vs []int) { c.n = uint64(len(vs)) }
	}
	if broken == "mismatch" {
		l.Other = func() *counter { return &counter{n: 5, broken: broken} }
	}
	statstest.CheckLaws(recorder{}, l, []int{1, 2}, []int{4}, nil)
	return ""
}

func TestCheckLawsFindsViolations(t *testing.T) {
	for broken, want := range map[string]string{
		"identity":   "merged",
		"argument":   "Merge changed its argument",
		"order":      "backwards",
		"bulk":       "in bulk",
		"round trip": "",
		"receiver":   "receiver changed",
		"mismatch":   "another configuration",
	} {
		got := violation(broken)
		if got == "" || !strings.Contains(got, want) {
			t.Errorf("a counter broken in its %s: %q, want a complaint with %q", broken, got, want)
		}
	}
}
