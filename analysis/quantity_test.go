package analysis_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

func TestParseQuantity(t *testing.T) {
	for _, c := range []struct {
		in   string
		want analysis.Quantity
		out  string
	}{
		{"0.1", analysis.Quantity{Value: 0.1}, "0.1"},
		{"-3", analysis.Quantity{Value: -3}, "-3"},
		{"2%", analysis.Quantity{Value: 0.02, Unit: analysis.Relative}, "2%"},
		{"7%", analysis.Quantity{Value: 0.07, Unit: analysis.Relative}, "7%"},
		{" 0.1 % ", analysis.Quantity{Value: 0.001, Unit: analysis.Relative}, "0.1%"},
		{"1e2%", analysis.Quantity{Value: 1, Unit: analysis.Relative}, "100%"},
		{"250%", analysis.Quantity{Value: 2.5, Unit: analysis.Relative}, "250%"},
		{"5pp", analysis.Quantity{Value: 0.05, Unit: analysis.Points}, "5pp"},
		{"-0.5pp", analysis.Quantity{Value: -0.005, Unit: analysis.Points}, "-0.5pp"},
		{"2x", analysis.Quantity{Value: 2, Unit: analysis.Ratio}, "2x"},
		{"1.25x", analysis.Quantity{Value: 1.25, Unit: analysis.Ratio}, "1.25x"},
		{"0%", analysis.Quantity{Unit: analysis.Relative}, "0%"},
		{"1e-9%", analysis.Quantity{Value: 1e-11, Unit: analysis.Relative}, "1e-9%"},
	} {
		got, err := analysis.ParseQuantity(c.in)
		if err != nil {
			t.Errorf("ParseQuantity(%q): %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("ParseQuantity(%q) (-want +got):\n%s", c.in, d)
		}
		if got.String() != c.out {
			t.Errorf("ParseQuantity(%q).String() = %q, want %q", c.in, got, c.out)
		}
	}
	for _, in := range []string{"", "%", "x", "pp", "2 percent", "NaN", "Inf", "0x10", "1_000", "1e999", "1e99999%", "2%%", "--1", "1e", "1.2.3", "２%"} {
		if got, err := analysis.ParseQuantity(in); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("ParseQuantity(%q) = %v, %v, want ErrDomain", in, got, err)
		}
	}
}

// TestQuantityReadsBack: String loses nothing.
func TestQuantityReadsBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := analysis.Quantity{
			// beyond 1e300 a percentage of it is no float64
			Value: rapid.Float64Range(-1e300, 1e300).Draw(rt, "value") + 0,
			Unit:  analysis.QuantityUnit(rapid.IntRange(0, 3).Draw(rt, "unit")),
		}
		got, err := analysis.ParseQuantity(want.String())
		if err != nil {
			rt.Fatal(err)
		}
		if got != want {
			rt.Errorf("ParseQuantity(%q) = %v, want %v", want, got, want)
		}
	})
}
