package drift_test

import (
	"testing"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

func TestCollapseSignalsReference(t *testing.T) {
	ref := statstest.Load(t, "drift_collapse")
	for _, name := range []string{"spike", "saturation", "spread", "entropy"} {
		for _, c := range ref.ByFunc(t, name) {
			values := statstest.Floats(t, c.In, "values")
			side := func(key string) *summary.Histogram {
				h := new(summary.Histogram)
				for i, n := range statstest.Uints(t, c.In, key) {
					h.AddN(values[i], n)
				}
				return h
			}
			r, err := drift.Collapse(side("ref"), side("cur"), drift.CollapseOptions{RangeLo: 1, RangeHi: 9})
			if err != nil {
				t.Fatal(err)
			}
			s := signal(t, r, name)
			got := map[string]float64{"ref": s.Ref, "cur": s.Cur, "point": s.Effect.Point, "lo": s.Effect.Lo, "hi": s.Effect.Hi}
			for key := range c.Want {
				statstest.Near(t, name+"("+c.Name+") "+key, got[key], statstest.Float(t, c.Want, key), c.RTol, c.ATol)
			}
		}
	}
}

func TestMissingReference(t *testing.T) {
	for _, c := range statstest.Load(t, "drift_collapse").ByFunc(t, "Missing") {
		side := func(key string) *summary.Proportion {
			var p summary.Proportion
			for i, n := range statstest.Uints(t, c.In, key) {
				if i == 0 {
					p.Null = n
				} else {
					p.False += n
				}
			}
			return &p
		}
		cells, err := drift.Booleans(side("ref"), side("cur"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := drift.Missing(cells, drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{"ref": r.Ref.Point, "cur": r.Cur.Point, "lo": r.Increase.Lo, "hi": r.Increase.Hi}
		for key := range c.Want {
			statstest.Near(t, "Missing("+c.Name+") "+key, got[key], statstest.Float(t, c.Want, key), c.RTol, c.ATol)
		}
	}
}
