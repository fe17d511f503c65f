package sequential_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

// TestErrorsOfParts gives looks, stages, ledgers and spending functions their
// impossible inputs.
func TestErrorsOfParts(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	var blocks sequential.Ledger[sequential.BlockLook]
	for _, tc := range []struct {
		name string
		err  error
		want error
	}{
		{"SumLook NaN", sequential.SumLook{N: 1, Sum: nan}.Validate(), stats.ErrDomain},
		{"SumLook Inf", sequential.SumLook{N: 1, Sum: 1, SumSq: inf}.Validate(), stats.ErrDomain},
		{"SumLook negative square", sequential.SumLook{N: 1, SumSq: -1}.Validate(), stats.ErrDomain},
		{"SumLook sum without values", sequential.SumLook{Sum: 1, SumSq: 1}.Validate(), stats.ErrDomain},
		{"SumLook sum beyond the squares", sequential.SumLook{N: 2, Sum: 3, SumSq: 1}.Validate(), stats.ErrDomain},
		{"PairLook baseline", sequential.PairLook{Baseline: sequential.SumLook{Sum: 1}}.Validate(), stats.ErrDomain},
		{"PairLook candidate", sequential.PairLook{Candidate: sequential.SumLook{SumSq: nan}}.Validate(), stats.ErrDomain},
		{"BlockLook baseline", sequential.BlockLook{NBaseline: 1, YBaseline: 2}.Validate(), stats.ErrDomain},
		{"BlockLook candidate", sequential.BlockLook{YCandidate: 1}.Validate(), stats.ErrDomain},
		{"Ledger look", blocks.Append(sequential.BlockLook{YCandidate: 1}), stats.ErrDomain},
		{"EventStage shares", (&sequential.EventStage{Share: 0.5}).Merge(&sequential.EventStage{Share: 0.1}), stats.ErrMismatch},
		{"ShareStage weights", (&sequential.ShareStage{Weights: []float64{1}, Counts: []uint64{1}}).Merge(&sequential.ShareStage{Weights: []float64{2}, Counts: []uint64{1}}), stats.ErrMismatch},
		{"CellStage cells", (&sequential.CellStage{Share: 0.5, Baseline: []uint64{1}}).Merge(&sequential.CellStage{Share: 0.5}), stats.ErrMismatch},
		{"Spend unknown", failing(sequential.Spending(0).Spend(0.05, 0.5, 0)), stats.ErrDomain},
		{"Spend alpha 0", failing(sequential.Pocock.Spend(0, 0.5, 0)), stats.ErrDomain},
		{"Spend NaN time", failing(sequential.Pocock.Spend(0.05, nan, 0)), stats.ErrDomain},
		{"Spend power 0", failing(sequential.Power.Spend(0.05, 0.5, 0)), stats.ErrDomain},
		{"Spend infinite shape", failing(sequential.HwangShihDeCani.Spend(0.05, 0.5, inf)), stats.ErrDomain},
	} {
		wantErr(t, tc.name, tc.err, tc.want)
	}
	if blocks.Len() != 0 {
		t.Error("a look that was refused is in the ledger")
	}
}
