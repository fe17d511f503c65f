package sequential_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"pgregory.net/rapid"
)

// TestBernoulliLogEIsThatOfBernoulli holds the short form against the whole.
func TestBernoulliLogEIsThatOfBernoulli(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(0, 100000).Draw(t, "n")
		x := rapid.Uint64Range(0, n).Draw(t, "x")
		o := sequential.BernoulliOptions{
			Null:        rapid.SampledFrom([]float64{0, 0.001, 0.3, 0.99}).Draw(t, "null"),
			Alternative: stats.Alternative(rapid.IntRange(-1, 1).Draw(t, "alternative")),
			Planned:     rapid.Float64Range(1, 1e6).Draw(t, "planned"),
		}
		r, err := sequential.Bernoulli(x, n, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sequential.BernoulliLogE(x, n, o)
		if err != nil || got != r.LogE {
			t.Errorf("%d of %d: %v, %v; Bernoulli has %v", x, n, got, err, r.LogE)
		}
	})
	if _, err := sequential.BernoulliLogE(2, 1, sequential.BernoulliOptions{}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("more successes than trials: %v, want ErrDomain", err)
	}
}

func ExampleBernoulliLogE() {
	logE, err := sequential.BernoulliLogE(30, 1000, sequential.BernoulliOptions{Null: 0.01, Alternative: stats.Greater})
	fmt.Printf("%.2f %v\n", logE, err)
	// Output: 11.25 <nil>
}
