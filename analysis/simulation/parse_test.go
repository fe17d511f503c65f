package simulation_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/analysis/simulation"
	"github.com/rampguard/rampguard/stats"
)

func TestParseHarm(t *testing.T) {
	for text, want := range map[string]simulation.Harm{
		"none":        {},
		"error*2":     {Column: "error", Factor: 2},
		"a*b * 0.5":   {Column: "a*b", Factor: 0.5},
		"log_loss+2%": {LogLoss: 0.02},
		"collapse":    {Collapse: true},
	} {
		got, err := simulation.ParseHarm(text)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, d)
		}
	}
	for _, text := range []string{"", "error", "*2", "error*", "error*-1", "error*NaN", "error*Inf", "log_loss+", "log_loss+0.02", "log_loss+-2%"} {
		if h, err := simulation.ParseHarm(text); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%q: %v, %v", text, h, err)
		}
	}
}

func ExampleParseHarm() {
	h, err := simulation.ParseHarm("log_loss+2%")
	fmt.Println(h, err)
	// Output: log loss +2% <nil>
}
