package stats_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/stats/statstest"
)

// Why one of the situations does not apply to a function.
const (
	counts     = "no: counts have no order to tie"
	numbers    = "no: takes parameters, not a sample"
	names      = "no: takes names"
	noP        = "no: an estimate or an interval, without a probability"
	moments    = "no: works on moments, whose sizes are those of MomentsOf"
	units      = "no: a unit adds to the same sums, however many there are"
	drawn      = "no: drawn at random, so P is 1/(1+replicates) or more"
	byBinomial = "no: a BinomialTest of the counts"
	byTango    = "no: Tango's interval and McNemar's test of the counts"
	byStuart   = "no: shares of counts and the StuartMaxwell test"
)

// situations names, for each function that returns numbers, the reference case with
// ties; with a tiny n, one or two units where that can be computed; with a huge n, a
// million counts or rows beyond every change of method; and far in a tail, compared by
// the log of p or by log E. A level or alpha close to 0 is the tail of a plan.
var situations = []struct{ of, ties, tiny, huge, tail string }{
	{"stats/AUC", "AUC 60000 rows in four ties", "AUC two of each class", "AUC 60000 rows in four ties", noP},
	{"stats/AUCBinned", counts, "AUCBinned-4", "AUCBinned-5", noP},
	{"stats/AgrestiCaffo", counts, "AgrestiCaffo-9", "AgrestiCaffo-13", noP},
	{"stats/AndersonDarling", "ties", "two each", "AndersonDarling 0", "AndersonDarling 0"},
	{"stats/BenjaminiHochberg", "BenjaminiHochberg 20000 in four ties", "BenjaminiHochberg-3", "BenjaminiHochberg 20000 in four ties", noP},
	{"stats/BenjaminiYekutieli", "BenjaminiYekutieli 20000 in four ties", "BenjaminiYekutieli-3", "BenjaminiYekutieli 20000 in four ties", noP},
	{"stats/BinomialTest", counts, "BinomialTest-43", "BinomialTest-66", "BinomialTest-56"},
	{"stats/Bonferroni", "Bonferroni 20000 in four ties", "Bonferroni-5", "Bonferroni 20000 in four ties", noP},
	{"stats/Bootstrap.Interval", "equal values", units, units, noP},
	{"stats/BootstrapDifference", "equal values", units, units, noP},
	{"stats/Bowker", counts, "Bowker one pair", "Bowker 3e9 pairs", "Bowker tail"},
	{"stats/CellEffect", numbers, "half and half", numbers, noP},
	{"stats/ChiSquareQuantile", numbers, "ChiSquareQuantile 6", "ChiSquareQuantile 34", "ChiSquareQuantile 34"},
	{"stats/ChiSquareTail", numbers, "ChiSquareTail-1", "ChiSquareTail-43", "ChiSquareTail-31"},
	{"stats/ClopperPearson", counts, "ClopperPearson-1", "ClopperPearson-24", noP},
	{"stats/ClusteredQuantile", "ties", "two users", units, noP},
	{"stats/CompareAUC", "CompareAUC 60000 rows in ties", "CompareAUC four rows each", "CompareAUC 60000 rows in ties", "CompareAUC 0"},
	{"stats/ConditionalOddsRatio", counts, "ConditionalOddsRatio-6", "R-ConditionalOddsRatio-7", noP},
	{"stats/ContingencyTable", counts, "ContingencyTable-10", "ContingencyTable-22", "ContingencyTable-14"},
	{"stats/CramerVonMises", "exact with ties", "two each", "disjoint 700 by 650", "disjoint 700 by 650"},
	{"stats/DetectableEffect", numbers, "DetectableEffect 10 of each", "DetectableEffect 1e9 of each", "DetectableEffect alpha 1e-12"},
	{"stats/EBH", "ties", "one", "many", "huge"},
	{"stats/EnergyDistance", "ties", "one each", "cell counts", noP},
	{"stats/Equivalence", numbers, numbers, numbers, "Equivalence-6"},
	{"stats/FisherExact", counts, "FisherExact-31", "FisherExact 400 and 300 of 1e+09", "FisherExact 30000 and 10000 of 1e+06"},
	{"stats/GoodnessOfFit", counts, "GoodnessOfFit-13", "GoodnessOfFit-16", "GoodnessOfFit-11"},
	{"stats/HodgesLehmann", "HodgesLehmann 1500 each in ties", "HodgesLehmann one each", "HodgesLehmann 1500 each in ties", noP},
	{"stats/Holm", "Holm 20000 in four ties", "Holm-3", "Holm 20000 in four ties", noP},
	{"stats/Homogeneity", counts, "small, X2", "huge, G", "extreme tail, G"},
	{"stats/Jeffreys", counts, "Jeffreys-1", "Jeffreys-24", noP},
	{"stats/KSBinned", "equal", "equal", "huge", "far apart"},
	{"stats/KSTail", counts, "exact d=0.333 2x3", "limit d=0.1 1000000000x100000", "limit d=1 1000000x1000000"},
	{"stats/KaplanMeier", "KaplanMeier 100000 subjects in ties", "one observation log", "KaplanMeier 100000 subjects in ties", noP},
	{"stats/KolmogorovSmirnov", "ties two-sided", "one each", "30000 by 30000", "21000 far apart"},
	{"stats/LogChiSquareTail", numbers, "LogChiSquareTail-1", "LogChiSquareTail-54", "LogChiSquareTail-9"},
	{"stats/LogNormalTail", numbers, numbers, numbers, "LogNormalTail-17"},
	{"stats/LogRank", "LogRank 100000 subjects in ties", "two observations", "LogRank 100000 subjects in ties", "LogRank tail in ties"},
	{"stats/MacroF1", "ties: all cells the same", "tiny: three rows", "huge", noP},
	{"stats/MannKendall", "tied values", "two points", "monotone 1200", "monotone 1200"},
	{"stats/MannWhitney", "ties, no continuity", "one each", "800000 each", "tail"},
	{"stats/McNemar", counts, "McNemar-29", "McNemar 8.0001e+09 discordant pairs", "McNemar-38"},
	{"stats/MomentsOf", "ties", "one value", "300,000 whole numbers", noP},
	{"stats/MultinomialExact", counts, "MultinomialExact one unit", "MultinomialExact 0", "MultinomialExact 0"},
	{"stats/NewBootstrap", "counts with ties", units, units, noP},
	{"stats/Newcombe", counts, "Newcombe-9", "Newcombe-13", noP},
	{"stats/NonCentralChiSquareCDF", numbers, "NonCentralChiSquareCDF df=0.3 ncp=0.001 z=-20", "NonCentralChiSquareCDF df=9 ncp=1e+15 z=-30", "NonCentralChiSquareCDF df=200 ncp=1000 z=-20"},
	{"stats/NonCentralChiSquareTail", numbers, "NonCentralChiSquareTail df=0.3 ncp=0.001 z=-5", "NonCentralChiSquareTail df=9 ncp=1e+15 z=30", "NonCentralChiSquareTail df=200 ncp=1e+06 z=42"},
	{"stats/NonCentralityInterval", numbers, "NonCentralityInterval tiny df", "NonCentralityInterval huge", noP},
	{"stats/NonInferiority", numbers, numbers, numbers, "NonInferiority-12"},
	{"stats/PairedAUC", "PairedAUC 60000 rows in ties", "PairedAUC-1", "PairedAUC 60000 rows in ties", "PairedAUC 60000 rows in ties"},
	{"stats/PairedAUCBinned", "PairedAUCBinned 4e9 rows", "PairedAUCBinned two of each class", "PairedAUCBinned 4e9 rows", "PairedAUCBinned tail"},
	{"stats/PairedAUCMargins", "PairedAUCMargins 4e9 rows", "PairedAUCMargins two of each class", "PairedAUCMargins 4e9 rows", "PairedAUCMargins tail"},
	{"stats/PairedDecisions", counts, byTango, byTango, byTango},
	{"stats/PairedT", "PairedT 100000 pairs in ties", "PairedT-1", "PairedT 100000 pairs in ties", "PairedT tail in ties"},
	{"stats/PoissonRate", counts, "R-PoissonRate-1", "R-PoissonRate-14", noP},
	{"stats/PoissonWeight", numbers, numbers, numbers, noP},
	{"stats/Power", numbers, "Power 5 of each", "Power 1e9 of each", "Power alpha 1e-100"},
	{"stats/Quantile", "ties", "one value", "p50 of 100001", noP},
	{"stats/Quantiles", "ties", "one value", "2001 in order", noP},
	{"stats/RateRatio", counts, "R-RateRatio-3", byBinomial, "RateRatio 1"},
	{"stats/Ratio", "ties", "two units", moments, noP},
	{"stats/RatioDifference", "ties", "two units", moments, "far apart"},
	{"stats/RatioMomentsOf", "ties", "two units", moments, noP},
	{"stats/RelativeDifference", "ties", "two units", moments, "far apart"},
	{"stats/RiskRatio", counts, "RiskRatio-2", "RiskRatio-6", noP},
	{"stats/SampleSize", numbers, "SampleSize a few", "SampleSize billions", "SampleSize alpha 1e-12"},
	{"stats/ScoreDifference", counts, "ScoreDifference-17", "ScoreDifference-26", noP},
	{"stats/ScoreDifferenceTest", counts, "ScoreDifferenceTest-49", "ScoreDifferenceTest-78", "ScoreDifferenceTest-64"},
	{"stats/ScoreRatio", counts, "ScoreRatio-13", "ScoreRatio-22", noP},
	{"stats/ScoreRatioTest", counts, "ScoreRatioTest-13", "ScoreRatioTest-22", "ScoreRatioTest-22"},
	{"stats/StuartMaxwell", counts, "StuartMaxwell one pair", "StuartMaxwell 3e9 pairs", "StuartMaxwell tail"},
	{"stats/StudentT", "ties, 90000 each", "two each", "ties, 90000 each", "far apart"},
	{"stats/StudentTQuantile", numbers, "StudentTQuantile 5", "StudentTQuantile 68", "StudentTQuantile 68"},
	{"stats/SurvivalCurve.At", "KaplanMeier 100000 subjects in ties", "one observation log", "KaplanMeier 100000 subjects in ties", noP},
	{"stats/SurvivalCurve.Quantile", "KaplanMeier 100000 subjects in ties", "one observation log", "KaplanMeier 100000 subjects in ties", noP},
	{"stats/SurvivalCurve.RestrictedMean", "KaplanMeier 100000 subjects in ties", "one observation log", "KaplanMeier 100000 subjects in ties", noP},
	{"stats/SwapSet", counts, units, units, noP},
	{"stats/Tango", counts, "Tango-3", "Tango-8", noP},
	{"stats/TheilSen", "tied values", "TheilSen two points", "TheilSen 1500 points in ties", noP},
	{"stats/Transitions", counts, byStuart, byStuart, byStuart},
	{"stats/Wasserstein", "ties", "one each", "cell counts", noP},
	{"stats/WelchT", "ties, 90000 each", "two each", "ties, 90000 each", "far apart"},
	{"stats/Wilson", counts, "Wilson-1", "Wilson-24", noP},
	{"stats/sequential/Bernoulli", counts, "Bernoulli no success in one", "Bernoulli 1e12 trials", "Bernoulli tail"},
	{"stats/sequential/BernoulliLogE", counts, "Bernoulli no success in one", "Bernoulli 1e12 trials", "Bernoulli tail"},
	{"stats/sequential/Bernstein", "Bernstein equal values", "Bernstein one value", "Bernstein 1e12 values", "Bernstein tail"},
	{"stats/sequential/BernsteinDiff", "BernsteinDiff equal values", "BernsteinDiff one value each", "BernsteinDiff 1e9 values", "BernsteinDiff tail"},
	{"stats/sequential/BinomMix", counts, "BinomMix one event", "BinomMix 2e10 events", "BinomMix tail"},
	{"stats/sequential/Block", counts, "Block 0", "Block 1", "Block 4"},
	{"stats/sequential/Budget.Add", names, "NewBudget 1", "NewBudget 4", "NewBudget 0"},
	{"stats/sequential/Budget.Alpha", names, "NewBudget 1", "NewBudget 4", "NewBudget 0"},
	{"stats/sequential/Budget.Hypotheses", names, "NewBudget 1", "NewBudget 4", "NewBudget 0"},
	{"stats/sequential/Budget.Observe", names, "NewBudget 1", "NewBudget 4", "NewBudget 0"},
	{"stats/sequential/DKWRadius", numbers, "DKWRadius one unit", "DKWRadius 1e18 units", "DKWRadius level of 1e-15"},
	{"stats/sequential/DirichletLogE", "DirichletLogE equal arms", "DirichletLogE one unit", "DirichletLogE 1e12 units", "DirichletLogE tail, four arms"},
	{"stats/sequential/GroupSequential", numbers, "GroupSequential 0", "GroupSequential 1e12 units", "GroupSequential alpha 1e-12"},
	{"stats/sequential/Hedged", "Hedged ties", "Hedged one value", "Hedged 100000 values", "Hedged tail"},
	{"stats/sequential/Hypothesis.P", names, "NewBudget 1", "NewBudget 4", "NewBudget 0"},
	{"stats/sequential/KS", "KS all in one cell", "KS one unit each", "KS 1e12 units", "KS tail"},
	{"stats/sequential/MSPRT", numbers, "MSPRT 2", "MSPRT 4", "MSPRT 5"},
	{"stats/sequential/NewBudget", names, "NewBudget 1", "NewBudget 4", "NewBudget 0"},
	{"stats/sequential/NewBudgets", names, "NewBudgets 1", "NewBudgets 4", numbers},
	{"stats/sequential/Normal", numbers, "Normal 4", "Normal 6", "Normal 5"},
	{"stats/sequential/NormalBound", numbers, "NormalBound 6", "NormalBound 4", "NormalBound 5"},
	{"stats/sequential/NormalReady", counts, "NormalReady 5", "NormalReady 6", noP},
	{"stats/sequential/NormalScale", numbers, "NormalScale 4", "NormalScale 5", "NormalScale 6"},
	{"stats/sequential/NormalStages", numbers, "NormalStages one unit each", "NormalStages 1e12 units", "NormalStages tail"},
	{"stats/sequential/PValue", numbers, numbers, numbers, "PValue 8"},
	{"stats/sequential/PlanBinomMix", numbers, numbers, numbers, "PlanBinomMix share 0.01, ratio 2, alpha 1e-300"},
	{"stats/sequential/Quantile", "Quantile all in one cell", "Quantile one unit each", "Quantile 1e9 units, two-sided", "Quantile tail"},
	{"stats/sequential/Result.P", numbers, "Normal 4", "Normal 6", "Normal 5"},
	{"stats/sequential/Running.P", numbers, numbers, numbers, "Running.P 2"},
	{"stats/sequential/SRM", "SRM equal arms", "SRM one unit", "SRM 1e12 units", "SRM tail"},
	{"stats/sequential/Spending.Spend", numbers, numbers, numbers, "Spending.Spend 7"},
	{"stats/sequential/Threshold", numbers, numbers, numbers, "Threshold 5"},
	{"stats/sequential/TwoSample", "TwoSample one cell holds all", "TwoSample one unit", "TwoSample 1e10 units", "TwoSample tail"},
	{"stats/calibration/AtCut", "AtCut all tied", "AtCut one row", "AtCut 6e9 rows", noP},
	{"stats/calibration/Brier", "Brier-7", "Brier-9", "Brier-12", noP},
	{"stats/calibration/CORP", "CORP-13", "CORP-17", "CORP-24", noP},
	{"stats/calibration/CompareLoss", "CompareLoss two rows and nine tied", "CompareLoss two rows and three", "CompareLoss tail of 6e9 rows", "CompareLoss tail of 6e9 rows"},
	{"stats/calibration/CompareMCB", "CompareMCB 5", "CompareMCB 5", drawn, drawn},
	{"stats/calibration/CompareRatio", "CompareRatio two rows and nine tied", "CompareRatio two rows and three", "CompareRatio-5", "CompareRatio 4"},
	{"stats/calibration/Cox", "Cox-7", "Cox-1", "Cox 6e9 rows", "Cox 6e9 rows"},
	{"stats/calibration/Data.Between", "Data.Between 3e9 rows", "Data.Between one row of 3e9", "Data.Between 3e9 rows", noP},
	{"stats/calibration/Data.N", "Sums-7", "Sums-9", "Sums-12", noP},
	{"stats/calibration/Data.Sums", "Sums-7", "Sums-9", "Sums-12", noP},
	{"stats/calibration/DebiasedError", "DebiasedError-27", "DebiasedError-1", "DebiasedError 6e9 rows", "DebiasedError 6e9 rows"},
	{"stats/calibration/ECE", "ECE-31", "ECE-41", "ECE-60", noP},
	{"stats/calibration/FromRows", "Sums-7", "Sums-9", "Sums-12", noP},
	{"stats/calibration/FromScores", "FromScores 6e9 rows", "FromScores one row", "FromScores 6e9 rows", noP},
	{"stats/calibration/HosmerLemeshow", "HosmerLemeshow-31", "HosmerLemeshow-38", "HosmerLemeshow 6e9 rows", "HosmerLemeshow 6e9 rows"},
	{"stats/calibration/ICI", "ICI-7", "ICI-9", "ICI 200000 rows in ties", noP},
	{"stats/calibration/Isotonic", "Isotonic 5000 values in ties", "Isotonic-1", "Isotonic 5000 values in ties", noP},
	{"stats/calibration/LogLoss", "LogLoss-7", "LogLoss-9", "LogLoss-12", noP},
	{"stats/calibration/MCBTest", "MCBTest 4", "MCBTest 3", "MCBTest 10", drawn},
	{"stats/calibration/Murphy", "Murphy-31", "Murphy-41", "Murphy-60", noP},
	{"stats/calibration/ObservedExpected", "ObservedExpected-7", "ObservedExpected-9", "ObservedExpected 6e9 rows", "ObservedExpected 6e9 rows"},
	{"stats/calibration/Reliability", "Reliability-26", "Reliability-36", "Reliability-55", noP},
	{"stats/calibration/ScoreTest", "ScoreTest-7", "ScoreTest-9", "ScoreTest 6e9 rows", "ScoreTest 6e9 rows"},
	{"stats/calibration/Spiegelhalter", "Spiegelhalter-7", "Spiegelhalter-9", "Spiegelhalter 6e9 rows", "Spiegelhalter 6e9 rows"},
	{"stats/calibration/Sweep", "Sweep-7", "Sweep one row", "Sweep 6e9 rows", noP},
}

// TestReferenceExtremes asks that the cases exist under the function, or under the one
// that holds it, and that no function is missing.
func TestReferenceExtremes(t *testing.T) {
	listed := map[string]bool{}
	cases := map[string]bool{} // "stats/AUC: name"
	for _, dir := range statistics {
		for _, path := range glob(t, "testdata/reference", filepath.Base(dir)+"*.json") {
			for _, c := range statstest.Load(t, strings.TrimSuffix(filepath.Base(path), ".json")).Cases {
				cases[dir+"/"+c.Func+": "+c.Name] = true
			}
		}
	}
	for _, s := range situations {
		if listed[s.of] {
			t.Errorf("%s is listed twice", s.of)
		}
		listed[s.of] = true
		under := s.of
		if h, ok := heldBy[s.of]; ok {
			under = s.of[:strings.LastIndex(s.of, "/")+1] + h.cases
		}
		for what, name := range map[string]string{"ties": s.ties, "tiny n": s.tiny, "huge n": s.huge, "tail": s.tail} {
			if !strings.HasPrefix(name, "no: ") && !cases[under+": "+name] {
				t.Errorf("%s, %s: no reference case %q", s.of, what, name)
			}
		}
	}
	for _, dir := range statistics {
		funcs, _, _ := surface(t, dir)
		for _, f := range funcs {
			switch want := f.number && noReference[f.name] == ""; {
			case want && !listed[f.name]:
				t.Errorf("%s is missing from situations", f.name)
			case !want && listed[f.name]:
				t.Errorf("%s returns no estimate", f.name)
			}
			delete(listed, f.name)
		}
	}
	for name := range listed {
		t.Errorf("%s does not exist", name)
	}
}
