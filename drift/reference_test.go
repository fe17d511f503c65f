package drift_test

import (
	"testing"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestDivergenceReference(t *testing.T) {
	ref := statstest.Load(t, "drift")
	for _, m := range metrics {
		for _, c := range ref.ByFunc(t, m.name) {
			cells, err := drift.Counts(statstest.Uints(t, c.In, "ref"), statstest.Uints(t, c.In, "cur"))
			if err != nil {
				t.Fatal(err)
			}
			d, err := m.of(cells, drift.Options{})
			if err != nil {
				t.Errorf("%s(%s): %v", m.name, c.Name, err)
				continue
			}
			got := map[string]float64{
				"value": d.Value, "corrected": d.Corrected, "null95": d.Null95,
				"logp": d.LogP, "lo": d.Interval.Lo, "hi": d.Interval.Hi,
			}
			for key := range c.Want {
				statstest.Near(t, m.name+"("+c.Name+") "+key, got[key], statstest.Float(t, c.Want, key), c.RTol, c.ATol)
			}
			if d.Interval.Point != d.Corrected || d.Interval.Level != drift.DefaultLevel {
				t.Errorf("%s(%s).Interval = %v, want point %v", m.name, c.Name, d.Interval, d.Corrected)
			}
		}
	}
}

func TestKSReference(t *testing.T) {
	for _, c := range statstest.Load(t, "drift").ByFunc(t, "KS") {
		x, y := statstest.Floats(t, c.In, "ref"), statstest.Floats(t, c.In, "cur")
		d, err := drift.KS(histogram(x...), histogram(y...), drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, eps := statstest.Float(t, c.Want, "d"), statstest.Float(t, c.Want, "eps")
		missed := d.Interval.Hi - d.Value - eps
		if statstest.Float(t, c.Want, "exact") == 1 {
			statstest.Near(t, c.Name+" D", d.Value, want, c.RTol, c.ATol)
			statstest.Near(t, c.Name+" P", d.P, statstest.Float(t, c.Want, "p"), c.RTol, c.ATol)
			statstest.Near(t, c.Name+" Hi", d.Interval.Hi, want+eps, c.RTol, c.ATol)
		} else if d.Value > want+1e-12 || want > d.Value+missed+1e-12 {
			t.Errorf("%s: D = %v, at most %v more; raw %v", c.Name, d.Value, missed, want)
		}
		statstest.Near(t, c.Name+" Null95", d.Null95, statstest.Float(t, c.Want, "null95"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" Lo", d.Interval.Lo, max(0, d.Value-eps), c.RTol, c.ATol)
	}
}

func TestWasserstein1Reference(t *testing.T) {
	ref := statstest.Load(t, "drift")
	for _, c := range ref.ByFunc(t, "Wasserstein1") {
		x, y := statstest.Floats(t, c.In, "ref"), statstest.Floats(t, c.In, "cur")
		w, err := drift.Wasserstein1(histogram(x...), histogram(y...), drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := statstest.Float(t, c.Want, "value")
		if slack := 1e-12 * want; w.Value > want+slack || want > w.Value+w.Bound+slack {
			t.Errorf("%s: W1 in [%v, %v], raw %v", c.Name, w.Value, w.Value+w.Bound, want)
		}
		if statstest.Float(t, c.Want, "exact") == 1 && w.Bound != 0 {
			t.Errorf("%s: bound %v for whole numbers", c.Name, w.Bound)
		}
		statstest.Near(t, c.Name+" sd", w.RefSD, statstest.Float(t, c.Want, "sd"), 1e-9, 0)
		statstest.Near(t, c.Name+" Hi", w.Interval.Hi, statstest.Float(t, c.Want, "hi"), 1e-9, 1.01*w.Bound)
		statstest.Near(t, c.Name+" InRefSD", w.InRefSD.Hi, w.Interval.Hi/w.RefSD, 1e-15, 0)
	}
	for _, c := range ref.ByFunc(t, "Wasserstein1Noise") {
		x, y := statstest.Floats(t, c.In, "ref"), statstest.Floats(t, c.In, "cur")
		w, err := drift.Wasserstein1(histogram(x...), histogram(y...), drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for key, got := range map[string]float64{"corrected": w.Corrected, "null95": w.Null95, "logp": w.LogP} {
			statstest.Near(t, c.Name+" "+key, got, statstest.Float(t, c.Want, key), c.RTol, c.ATol)
		}
	}
}

func TestCollapseReference(t *testing.T) {
	ref := statstest.Load(t, "drift")
	for _, name := range []string{"repetition", "variance"} {
		for _, c := range ref.ByFunc(t, name) {
			x, y := statstest.Floats(t, c.In, "ref"), statstest.Floats(t, c.In, "cur")
			r, err := drift.Collapse(histogram(x...), histogram(y...), drift.CollapseOptions{})
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

func TestRowsReference(t *testing.T) {
	ref := statstest.Load(t, "drift")
	for _, c := range ref.ByFunc(t, "RowsNeeded") {
		limit, truth := statstest.Float(t, c.In, "limit"), statstest.Float(t, c.In, "truth")
		cells := int(statstest.Float(t, c.In, "cells"))
		for key, o := range map[string]drift.RowsOptions{"rows": {}, "fixed": {RefN: 10000}} {
			got, err := drift.RowsNeeded(limit, truth, cells, o)
			if err != nil {
				t.Fatal(err)
			}
			statstest.Near(t, c.Name+" "+key, float64(got), statstest.Float(t, c.Want, key), c.RTol, c.ATol)
		}
	}
	for _, c := range ref.ByFunc(t, "Detectable") {
		n, m := statstest.Float(t, c.In, "n"), statstest.Float(t, c.In, "m")
		got, err := drift.Detectable(uint64(n), uint64(m), int(statstest.Float(t, c.In, "cells")), drift.RowsOptions{})
		if err != nil {
			t.Fatal(err)
		}
		statstest.Near(t, c.Name, got, statstest.Float(t, c.Want, "psi"), c.RTol, c.ATol)
	}
}

// Figures that are quoted to users: rows needed with 10 and 20 cells at 95%
// one-sided and 80% power, published values rounded.
func TestRowsQuoted(t *testing.T) {
	for _, c := range []struct {
		limit, truth float64
		cells        int
		want         uint64
	}{{0.1, 0, 10, 332}, {0.25, 0, 10, 133}, {0.1, 0.25, 10, 409}, {0.1, 0, 20, 432}, {0.1, 0.25, 20, 453}} {
		got, err := drift.RowsNeeded(c.limit, c.truth, c.cells, drift.RowsOptions{})
		if err != nil || got < c.want || got > c.want+1 {
			t.Errorf("RowsNeeded(%v, %v, %d) = %d, %v, want %d", c.limit, c.truth, c.cells, got, err, c.want)
		}
	}
}

func signal(t testing.TB, r drift.CollapseReport, name string) drift.Signal {
	t.Helper()
	for _, s := range r.Signals {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no signal %s in %+v", name, r)
	return drift.Signal{}
}
