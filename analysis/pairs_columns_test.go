package analysis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// A log that lacks a column of the spec says so, and slices keep to their memory.
func TestPairsWithoutColumns(t *testing.T) {
	b := pairBatch(randomPairs(6, 50))
	b.Columns[5], b.Columns[4] = analysis.Column{}, analysis.Column{}
	s := pairsOf(t, pairSpec(t, analysis.Binary), time.Time{}, b, pairBatch(randomPairs(7, 20)))
	if got := [3]uint64{s.NoLabel, s.NoUnit, s.NoTime}; got != [3]uint64{50, 0, 50} {
		t.Errorf("rows without label, unit and time: %v", got)
	}
	var again analysis.PairSnapshot
	if err := again.UnmarshalBinary(pairBytes(t, s)); err != nil || again.NoLabel != 50 || again.NoTime != 50 {
		t.Errorf("read back: %v", err)
	}
}

func TestPairSlicesFitIntoMemory(t *testing.T) {
	spec := *pairSpec(t, analysis.Binary)
	for _, tc := range []struct{ cuts, cap, want int }{{1, 64, 64}, {1, 300, 300}, {1, 1024, 383}, {200, 64, 56}, {1024, 2, 2}, {1024, 0, 3}} {
		spec.BaselineCuts, spec.CandidateCuts = nil, nil
		for i := range tc.cuts {
			spec.BaselineCuts = append(spec.BaselineCuts, float64(i+1)/2000)
		}
		spec.CandidateCuts = spec.BaselineCuts
		spec.Slices = []analysis.SliceSpec{{Columns: spec.Slices[0].Columns, Cap: tc.cap}}
		s, err := analysis.NewPairSpec(spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Slices[0].Limit(); got != tc.want {
			t.Errorf("%d cuts: %d slices, want %d", tc.cuts, got, tc.want)
		}
		if again, err := analysis.NewPairSpec(*s); err != nil || again.Fingerprint() != s.Fingerprint() {
			t.Errorf("%d cuts: another form the second time: %v", tc.cuts, err)
		}
	}
}

// Checks of arms that may never come are named when the policy is loaded.
func TestPairsAloneWarn(t *testing.T) {
	for text, want := range map[string]bool{
		"columns: {label: y}\nchecks: [{check: schema}, {check: srm}, {check: paired, margin: 1pp}]\n":               true,
		"columns: {label: y}\nchecks: [{check: paired, margin: 1pp}]\n":                                              false,
		"columns: {label: y}\nchecks: [{check: schema, required: false}, {check: paired, margin: 1pp}]\n":            false,
		"columns: {label: y, score: score}\nchecks: [{check: schema}, {check: srm}, {check: paired, margin: 1pp}]\n": false,
	} {
		p := pairedPolicy(t, "version: 1\npairs: {baseline: a, candidate: b}\n"+text)
		got := false
		for _, w := range p.Warnings {
			got = got || strings.Contains(w, "pairs: schema, srm: these checks look at the logs of two arms")
		}
		if got != want {
			t.Errorf("%s: warnings %q", text, p.Warnings)
		}
	}
}
