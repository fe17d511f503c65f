package calibration_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestCellsWithinBounds compares the sums and losses from cells with those from rows.
func TestCellsWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Crowded rows share cells, spread rows do not.
		var p []float64
		var y []bool
		for range rapid.IntRange(1, 4).Draw(t, "crowds") {
			at := anyScore().Draw(t, "at")
			for _, r := range rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 12).Draw(t, "around") {
				width := 4e-4 * min(1, 4*min(at, 1-at))
				p = append(p, min(1, max(0, at+width*(r-0.5))))
				y = append(y, rapid.Bool().Draw(t, "y"))
			}
		}
		d, cells := must[calibration.Data](t)(calibration.FromRows(p, y)), binned(t, p, y)
		if msg := outside(d.Sums(), cells.Sums()); msg != "" {
			t.Fatal(msg)
		}
		for _, f := range []func(calibration.Data, float64) (calibration.LossResult, error){calibration.Brier, calibration.LogLoss} {
			a, b := must[calibration.LossResult](t)(f(d, 0.95)), must[calibration.LossResult](t)(f(cells, 0.95))
			agree(t, a.Method, b.Mean.Point, a.Mean.Point, 1e-14, b.Bound+1e-15)
		}
	})
}

// outside says which sum from cells differs from that of rows by more than it may.
func outside(rows, cells calibration.Sums) string {
	for _, s := range []struct {
		name             string
		got, want, bound float64
	}{
		{"N", float64(cells.N), float64(rows.N), 0},
		{"Y", float64(cells.Y), float64(rows.Y), 0},
		{"clipped", float64(cells.Clipped), float64(rows.Clipped), 0},
		{"P1", cells.P1, rows.P1, 0},
		{"P2", cells.P2, rows.P2, 0},
		{"P3", cells.P3, rows.P3, cells.Err.P3},
		{"P4", cells.P4, rows.P4, cells.Err.P4},
		{"PY", cells.PY, rows.PY, 0},
		{"W0", cells.W0, rows.W0, 0},
		{"W1", cells.W1, rows.W1, cells.Err.W1},
		{"W2", cells.W2, rows.W2, cells.Err.W2},
		{"G1", cells.G1, rows.G1, cells.Err.G1},
	} {
		if rounding := 1e-10 * float64(rows.N); !statstest.IsNear(s.got, s.want, 1e-13, s.bound+rounding) {
			return fmt.Sprintf("%s = %v, rows have %v, bound %v", s.name, s.got, s.want, s.bound)
		}
	}
	return ""
}

// flights reads the labelled scores of a real log.
func flights(t *testing.T, name string) (p []float64, y []bool) {
	t.Helper()
	type flight struct {
		Label *bool   `parquet:"label,optional"`
		Score float64 `parquet:"score"`
	}
	log, err := parquet.ReadFile[flight](filepath.Join(statstest.Root(t), "testdata", "flights", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range log {
		if f.Label != nil {
			p, y = append(p, f.Score), append(y, *f.Label)
		}
	}
	return p, y
}

func TestFlights(t *testing.T) {
	p, y := flights(t, "baseline.parquet")
	d, cells := must[calibration.Data](t)(calibration.FromRows(p, y)), binned(t, p, y)
	n := float64(d.N())
	if n < 50000 || cells.N() != d.N() {
		t.Fatalf("%v rows, %d in cells", n, cells.N())
	}
	s := cells.Sums()
	if msg := outside(d.Sums(), s); msg != "" {
		t.Error(msg)
	}
	if worst := max(s.Err.P3, s.Err.P4, s.Err.W1, s.Err.W2, s.Err.G1) / n; !(worst > 0 && worst < 2e-9) {
		t.Errorf("error bound %v for each row", worst)
	}
	near := func(what string, got, want, rtol, atol float64) {
		t.Helper()
		statstest.Near(t, what, got, want, rtol, atol)
	}
	// Statistics of sums: as good as the sums.
	a, b := must[calibration.ScoreTestResult](t)(calibration.ScoreTest(d.Sums(), 0.95)), must[calibration.ScoreTestResult](t)(calibration.ScoreTest(s, 0.95))
	near("score test", b.ChiSq, a.ChiSq, 1e-6, 1e-6)
	near("one-step slope", b.Slope.Point, a.Slope.Point, 1e-7, 0)
	za, zb := must[calibration.ZResult](t)(calibration.Spiegelhalter(d.Sums())), must[calibration.ZResult](t)(calibration.Spiegelhalter(s))
	near("Spiegelhalter", zb.Z, za.Z, 1e-7, 1e-7)
	for _, f := range []func(calibration.Data, float64) (calibration.LossResult, error){calibration.Brier, calibration.LogLoss} {
		la, lb := must[calibration.LossResult](t)(f(d, 0.95)), must[calibration.LossResult](t)(f(cells, 0.95))
		near(la.Method, lb.Mean.Point, la.Mean.Point, 1e-14, lb.Bound)
		near("its error", lb.SE, la.SE, 1e-6, 0)
		if lb.Bound > 1e-9 {
			t.Errorf("%s: bound %v", lb.Method, lb.Bound)
		}
	}
	// The fit: what the spread of log odds within cells is worth.
	ca, cb := must[calibration.CoxResult](t)(calibration.Cox(d, 0.95)), must[calibration.CoxResult](t)(calibration.Cox(cells, 0.95))
	near("slope", cb.Slope.Point, ca.Slope.Point, 0, 3e-6)
	near("intercept", cb.Intercept.Point, ca.Intercept.Point, 0, 3e-6)
	near("intercept at slope 1", cb.InTheLarge.Point, ca.InTheLarge.Point, 0, 3e-6)
	near("U", cb.U, ca.U, 1e-5, 1e-4)
	// Bins whose ends are ends of cells: the same bins.
	for _, bins := range []calibration.Binning{{Method: calibration.EqualWidth, Bins: 16}, {Method: calibration.EqualWidth, Bins: 2048}} {
		ea, eb := ece(t, d, bins), ece(t, cells, bins)
		near(bins.String()+" ECE", eb.ECE, ea.ECE, 1e-12, 1e-14)
		near(bins.String()+" null", eb.NullECE, ea.NullECE, 1e-12, 1e-14)
		da, db := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, bins, 0.95)), must[calibration.DebiasedResult](t)(calibration.DebiasedError(cells, bins, 0.95))
		near(bins.String()+" debiased", db.Squared.Point, da.Squared.Point, 1e-10, 1e-14)
		near(bins.String()+" null error", db.NullSE, da.NullSE, 1e-7, 0)
	}
	// Other bins move by a cell, in which about one row in 500 is.
	near("ECE of equal mass", ece(t, cells, calibration.Binning{}).ECE, ece(t, d, calibration.Binning{}).ECE, 0.05, 0)
	da, db := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, calibration.Binning{}, 0.95)), must[calibration.DebiasedResult](t)(calibration.DebiasedError(cells, calibration.Binning{}, 0.95))
	near("debiased error of equal mass", db.Squared.Point, da.Squared.Point, 0, 0.2*da.SE)
	// Isotonic regression cannot order rows within a cell.
	for _, rule := range []calibration.Rule{calibration.Quadratic, calibration.Logarithmic} {
		ra, rb := must[calibration.CORPResult](t)(calibration.CORP(d, rule)), must[calibration.CORPResult](t)(calibration.CORP(cells, rule))
		near(rule.String()+" score", rb.Score+rb.Within, ra.Score, 1e-9, 0)
		near(rule.String()+" MCB", rb.MCB, ra.MCB, 0.1, 0)
		near(rule.String()+" DSC", rb.DSC, ra.DSC, 0.02, 0)
		if rb.MCB > ra.MCB+math.Abs(rb.Within) {
			t.Errorf("%v MCB %v from cells, %v from rows", rule, rb.MCB, ra.MCB)
		}
	}
	ia, ib := must[calibration.IndexResult](t)(calibration.ICI(d)), must[calibration.IndexResult](t)(calibration.ICI(cells))
	near("ICI", ib.ICI, ia.ICI, 0.05, 0)
	cutA, cutB := must[calibration.CutResult](t)(calibration.AtCut(d, 0.25, calibration.CutOptions{})), must[calibration.CutResult](t)(calibration.AtCut(cells, 0.25, calibration.CutOptions{}))
	if cutA.Above != cutB.Above { // 1/4 is the end of a cell
		t.Errorf("%d rows above the cut, %d in cells", cutA.Above, cutB.Above)
	}
	near("O/E at the cut", cutB.InBand.Ratio.Point, cutA.InBand.Ratio.Point, 0.01, 0)
	if !carries(cutB.Warnings, stats.WarnBinned) || carries(cutA.Warnings, stats.WarnBinned) {
		t.Errorf("warnings %v from cells and %v from rows", cutB.Warnings, cutA.Warnings)
	}
}

// TestFlightsCandidate is the story of the package on real data: the challenger is
// as well calibrated as the champion, the broken one is not.
func TestFlightsCandidate(t *testing.T) {
	read := func(name string) calibration.Data {
		p, y := flights(t, name)
		return binned(t, p, y)
	}
	base := read("baseline.parquet")
	ratio := func(d calibration.Data) calibration.RatioResult {
		return must[calibration.RatioResult](t)(calibration.ObservedExpected(d.Sums(), 0.95))
	}
	for name, broken := range map[string]bool{"candidate.parquet": false, "candidate_broken.parquet": true} {
		d := read(name)
		r := must[calibration.Difference](t)(calibration.CompareRatio(ratio(d), ratio(base), 0.999))
		if got := !r.Estimate.Contains(0) && math.Abs(r.Estimate.Point) > 0.1; got != broken {
			t.Errorf("%s: log O/E against the baseline %v", name, r.Estimate)
		}
		mcb := must[calibration.Difference](t)(calibration.CompareMCB(d, base, calibration.ResampleOptions{Replicates: 100, Level: 0.999}))
		if got := mcb.Estimate.Lo > 0; got != broken {
			t.Errorf("%s: MCB against the baseline %v", name, mcb.Estimate)
		}
	}
}
