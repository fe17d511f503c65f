package labeldelay_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/analysis/labeldelay"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
	"pgregory.net/rapid"
)

func TestCurveIsThatOfSurvfit(t *testing.T) {
	for _, c := range statstest.Load(t, "labeldelay").ByFunc(t, "Curve") {
		var counts labeldelay.Counts
		events := statstest.Floats(t, c.In, "event")
		for i, x := range statstest.Floats(t, c.In, "time") {
			if events[i] == 1 {
				counts.Arrived(x)
			} else {
				counts.Waiting(x)
			}
		}
		got, err := counts.Curve(labeldelay.Options{Level: statstest.Float(t, c.In, "level")})
		if err != nil {
			t.Fatal(err)
		}
		times, risk, surv := statstest.Floats(t, c.Want, "time"), statstest.Floats(t, c.Want, "risk"), statstest.Floats(t, c.Want, "surv")
		lower, upper := statstest.Floats(t, c.Want, "lower"), statstest.Floats(t, c.Want, "upper")
		if len(got.Points) != len(times) {
			t.Fatalf("%s: %d points, want %d", c.Name, len(got.Points), len(times))
		}
		for i, p := range got.Points {
			statstest.Near(t, c.Name+" time", p.Time, times[i], c.RTol, c.ATol)
			statstest.Near(t, c.Name+" at risk", float64(p.AtRisk), risk[i], 0, 0)
			statstest.Near(t, c.Name+" survival", p.Survival.Point, surv[i], c.RTol, c.ATol)
			if surv[i] > 0 {
				statstest.Near(t, c.Name+" lower", p.Survival.Lo, lower[i], c.RTol, c.ATol)
				statstest.Near(t, c.Name+" upper", p.Survival.Hi, upper[i], c.RTol, c.ATol)
			}
		}
		q := statstest.Floats(t, c.Want, "q")
		qu := statstest.Floats(t, c.Want, "q_upper")
		for i, share := range []float64{0.25, 0.5, 0.75} {
			v, err := got.Quantile(share)
			if err != nil {
				t.Fatal(err)
			}
			statstest.Near(t, c.Name+" quantile", v.Estimate.Point, q[i], c.RTol, c.ATol)
			statstest.Near(t, c.Name+" quantile upper", v.Estimate.Hi, qu[i], c.RTol, c.ATol)
		}
	}
}

// TestCellsAgainstRows: on any delays the cells give the curve of the rows, to the
// width of a cell.
func TestCellsAgainstRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(rt, "n")
		var whole, a, b labeldelay.Counts
		var rows []stats.Observation
		for i := range n {
			x, event := rapid.Float64Range(0, 1e7).Draw(rt, "delay"), rapid.Bool().Draw(rt, "arrived")
			rows = append(rows, stats.Observation{Time: x, Event: event})
			part := &a
			if i%3 == 0 {
				part = &b
			}
			for _, c := range []*labeldelay.Counts{&whole, part} {
				if event {
					c.Arrived(x)
				} else {
					c.Waiting(x)
				}
			}
		}
		if err := a.Merge(&b); err != nil {
			rt.Fatal(err)
		}
		one, err := whole.Curve(labeldelay.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		two, err := a.Curve(labeldelay.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(one, two); d != "" {
			rt.Fatal(d)
		}
		exact, err := stats.KaplanMeier(rows, stats.SurvivalOptions{})
		if err != nil {
			rt.Fatal(err)
		}
		// A later age in the cells is no earlier in the rows, and the other way round.
		for _, p := range one.Points {
			lo, hi := exact.At(p.Time*(1+1.0/64)), exact.At(p.Time*(1-1.0/64))
			slack := 0.0 // rows of the ages near the point, which count as at risk or not
			for _, r := range rows {
				if !r.Event && math.Abs(r.Time-p.Time) <= p.Time/32 {
					slack++
				}
			}
			if slack > 0 {
				continue
			}
			if p.Survival.Point < lo.Survival.Point-0.05 || p.Survival.Point > hi.Survival.Point+0.05 {
				rt.Fatalf("at %v: %v, rows say %v to %v", p.Time, p.Survival.Point, lo.Survival.Point, hi.Survival.Point)
			}
		}
	})
}

func TestMaturity(t *testing.T) {
	var c labeldelay.Counts
	for i := range 5000 {
		switch {
		case i%10 == 0:
			c.Waiting(90 * 86400) // a tenth never gets a label
		default:
			c.Arrived(float64(i%100) * 3600)
		}
	}
	curve, err := c.Curve(labeldelay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !curve.Arrived.Contains(0.9) || math.Abs(curve.Arrived.Point-0.9) > 1e-9 {
		t.Errorf("share that arrives: %v", curve.Arrived)
	}
	m, err := curve.Maturity(0.5)
	if err != nil {
		t.Fatal(err)
	}
	// The middle of the labels that arrive at hours 1 to 99, but for full tens.
	if m.Age < 48*time.Hour || m.Age > 72*time.Hour || m.Age%(time.Hour) != 0 || len(m.Warnings) != 0 {
		t.Errorf("%+v", m)
	}
	if m, err = curve.Maturity(0.9999); err != nil || m.Age < 99*time.Hour || len(m.Warnings) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	// All of it came at the end: more may follow.
	var late labeldelay.Counts
	for range 50 {
		late.Arrived(3600)
		late.Waiting(3600)
	}
	curve, err = late.Curve(labeldelay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := curve.Maturity(0.99); err != nil || !has(m.Warnings, labeldelay.WarnRising) {
		t.Errorf("%+v, %v", m, err)
	}
}

func has(ws []stats.Warning, code string) bool {
	for _, w := range ws {
		if w.Code == code {
			return true
		}
	}
	return false
}

func TestDegenerate(t *testing.T) {
	var none, waiting labeldelay.Counts
	if _, err := none.Curve(labeldelay.Options{}); !errors.Is(err, stats.ErrEmpty) {
		t.Error(err)
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		if none.Arrived(bad) || none.Waiting(bad) {
			t.Errorf("%v was taken", bad)
		}
	}
	if rows, _, refused := none.N(); rows != 0 || refused != 6 {
		t.Errorf("%d rows, %d refused", rows, refused)
	}
	for range 20 {
		waiting.Waiting(100)
	}
	c, err := waiting.Curve(labeldelay.Options{})
	if err != nil || !has(c.Warnings, stats.WarnDegenerate) || c.Arrived.Point != 0 || c.Arrived.Hi != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := c.Maturity(0.99); !errors.Is(err, stats.ErrEmpty) {
		t.Error(err)
	}
	if _, err := c.Maturity(1); !errors.Is(err, stats.ErrDomain) {
		t.Error(err)
	}
	if _, err := waiting.Curve(labeldelay.Options{Level: 1}); !errors.Is(err, stats.ErrDomain) {
		t.Error(err)
	}
}
