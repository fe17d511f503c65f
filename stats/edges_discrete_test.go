package stats_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rampguard/rampguard/stats"
)

// TestDiscreteErrors gives every function on counts each of its impossible inputs.
func TestDiscreteErrors(t *testing.T) {
	const huge = math.MaxUint64
	one, two := []uint64{1}, []uint64{1, 2}
	w := []float64{1, 1}
	yes := []bool{true, false}
	s := []float64{1, 2}
	means := stats.TwoMeans{SD: 1}
	chi := stats.ChiSquareOptions{}
	exact := stats.ExactOptions{}
	power := stats.PowerOptions{}
	for name, c := range map[string]struct{ got, want error }{
		"ChiSquareTail NaN":           {second(stats.ChiSquareTail(nan, 1)), stats.ErrDomain},
		"ChiSquareTail df 0":          {second(stats.ChiSquareTail(1, 0)), stats.ErrDomain},
		"LogChiSquareTail df Inf":     {second(stats.LogChiSquareTail(1, inf)), stats.ErrDomain},
		"ChiSquareQuantile p 2":       {second(stats.ChiSquareQuantile(2, 1)), stats.ErrDomain},
		"ChiSquareQuantile p NaN":     {second(stats.ChiSquareQuantile(nan, 1)), stats.ErrDomain},
		"ChiSquareQuantile df -1":     {second(stats.ChiSquareQuantile(0.5, -1)), stats.ErrDomain},
		"NonCentral ncp -1":           {second(stats.NonCentralChiSquareCDF(1, 1, -1)), stats.ErrDomain},
		"NonCentral ncp Inf":          {second(stats.NonCentralChiSquareTail(1, 1, inf)), stats.ErrDomain},
		"NonCentrality negative":      {second(stats.NonCentralityInterval(-1, 1, 0.9)), stats.ErrDomain},
		"NonCentrality Inf":           {second(stats.NonCentralityInterval(inf, 1, 0.9)), stats.ErrDomain},
		"NonCentrality df":            {second(stats.NonCentralityInterval(1, 0, 0.9)), stats.ErrDomain},
		"NonCentrality level":         {second(stats.NonCentralityInterval(1, 1, 1)), stats.ErrDomain},
		"GoodnessOfFit lengths":       {second(stats.GoodnessOfFit(one, w, chi)), stats.ErrMismatch},
		"GoodnessOfFit zeros":         {second(stats.GoodnessOfFit([]uint64{0, 0}, w, chi)), stats.ErrEmpty},
		"GoodnessOfFit none":          {second(stats.GoodnessOfFit(nil, nil, chi)), stats.ErrDomain},
		"GoodnessOfFit weight":        {second(stats.GoodnessOfFit(two, []float64{1, -1}, chi)), stats.ErrDomain},
		"GoodnessOfFit weights 0":     {second(stats.GoodnessOfFit(two, []float64{0, 0}, chi)), stats.ErrDomain},
		"GoodnessOfFit overflow":      {second(stats.GoodnessOfFit([]uint64{huge, 1}, w, chi)), stats.ErrDomain},
		"GoodnessOfFit Yates":         {second(stats.GoodnessOfFit([]uint64{1, 2, 3}, []float64{1, 1, 1}, stats.ChiSquareOptions{Yates: true})), stats.ErrDomain},
		"GoodnessOfFit Yates of G":    {second(stats.GoodnessOfFit(two, w, stats.ChiSquareOptions{Yates: true, LikelihoodRatio: true})), stats.ErrDomain},
		"Homogeneity lengths":         {second(stats.Homogeneity(one, two, chi)), stats.ErrMismatch},
		"Homogeneity empty":           {second(stats.Homogeneity([]uint64{0, 0}, two, chi)), stats.ErrEmpty},
		"ContingencyTable none":       {second(stats.ContingencyTable(nil, chi)), stats.ErrEmpty},
		"ContingencyTable overflow":   {second(stats.ContingencyTable([][]uint64{{huge}, {1}}, chi)), stats.ErrDomain},
		"ContingencyTable row":        {second(stats.ContingencyTable([][]uint64{{huge, 1}, {1, 1}}, chi)), stats.ErrDomain},
		"ContingencyTable Yates":      {second(stats.ContingencyTable([][]uint64{{1, 2, 3}, {3, 2, 1}}, stats.ChiSquareOptions{Yates: true})), stats.ErrDomain},
		"Wilson n 0":                  {second(stats.Wilson(0, 0, 0.9)), stats.ErrEmpty},
		"Wilson x > n":                {second(stats.Wilson(2, 1, 0.9)), stats.ErrDomain},
		"Wilson level":                {second(stats.Wilson(1, 2, nan)), stats.ErrDomain},
		"ClopperPearson n 0":          {second(stats.ClopperPearson(0, 0, 0.9)), stats.ErrEmpty},
		"Jeffreys x > n":              {second(stats.Jeffreys(2, 1, 0.9)), stats.ErrDomain},
		"Newcombe n 0":                {second(stats.Newcombe(1, 2, 0, 0, 0.9)), stats.ErrEmpty},
		"Newcombe x > n":              {second(stats.Newcombe(12, 10, 0, 5, 0.9)), stats.ErrDomain},
		"AgrestiCaffo level":          {second(stats.AgrestiCaffo(1, 2, 1, 2, 0)), stats.ErrDomain},
		"RiskRatio no event":          {second(stats.RiskRatio(0, 2, 1, 2, 0.9)), stats.ErrEmpty},
		"RiskRatio x > n":             {second(stats.RiskRatio(3, 2, 1, 2, 0.9)), stats.ErrDomain},
		"ScoreDifference n 0":         {second(stats.ScoreDifference(0, 0, 1, 2, 0.9, stats.ScoreOptions{})), stats.ErrEmpty},
		"ScoreRatio no event":         {second(stats.ScoreRatio(0, 5, 0, 7, 0.9, stats.ScoreOptions{})), stats.ErrEmpty},
		"ScoreRatio level":            {second(stats.ScoreRatio(1, 5, 1, 7, 2, stats.ScoreOptions{})), stats.ErrDomain},
		"ScoreDifferenceTest null":    {second(stats.ScoreDifferenceTest(1, 5, 1, 7, 1, stats.Greater, stats.ScoreOptions{})), stats.ErrDomain},
		"ScoreDifferenceTest n":       {second(stats.ScoreDifferenceTest(0, 0, 1, 7, 0, stats.Greater, stats.ScoreOptions{})), stats.ErrEmpty},
		"ScoreDifferenceTest side":    {second(stats.ScoreDifferenceTest(1, 5, 1, 7, 0, 7, stats.ScoreOptions{})), stats.ErrDomain},
		"ScoreRatioTest null":         {second(stats.ScoreRatioTest(1, 5, 1, 7, 0, stats.Greater, stats.ScoreOptions{})), stats.ErrDomain},
		"ScoreRatioTest n":            {second(stats.ScoreRatioTest(1, 0, 1, 7, 1, stats.Greater, stats.ScoreOptions{})), stats.ErrEmpty},
		"ScoreRatioTest side":         {second(stats.ScoreRatioTest(1, 5, 1, 7, 1, 7, stats.ScoreOptions{})), stats.ErrDomain},
		"PoissonRate exposure":        {second(stats.PoissonRate(1, 0, 0.9)), stats.ErrDomain},
		"PoissonRate level":           {second(stats.PoissonRate(1, 1, 0)), stats.ErrDomain},
		"RateRatio exposure":          {second(stats.RateRatio(1, 1, 1, inf, 0.9)), stats.ErrDomain},
		"RateRatio no event":          {second(stats.RateRatio(0, 1, 0, 1, 0.9)), stats.ErrEmpty},
		"RateRatio overflow":          {second(stats.RateRatio(huge, 1, 1, 1, 0.9)), stats.ErrDomain},
		"RateRatio too many":          {second(stats.RateRatio(1<<60, 1, 1, 1, 0.9)), stats.ErrDomain},
		"RateRatio level":             {second(stats.RateRatio(1, 1, 1, 1, 7)), stats.ErrDomain},
		"FisherExact zeros":           {second(stats.FisherExact(0, 0, 0, 0, exact)), stats.ErrEmpty},
		"FisherExact overflow":        {second(stats.FisherExact(huge, 1, 0, 0, exact)), stats.ErrDomain},
		"FisherExact too many":        {second(stats.FisherExact(1<<60, 1, 1, 1, exact)), stats.ErrDomain},
		"FisherExact side":            {second(stats.FisherExact(1, 1, 1, 1, stats.ExactOptions{Alternative: 3})), stats.ErrDomain},
		"BinomialTest n 0":            {second(stats.BinomialTest(0, 0, 0.5, exact)), stats.ErrEmpty},
		"BinomialTest x > n":          {second(stats.BinomialTest(2, 1, 0.5, exact)), stats.ErrDomain},
		"BinomialTest p":              {second(stats.BinomialTest(1, 2, 1.5, exact)), stats.ErrDomain},
		"BinomialTest too many":       {second(stats.BinomialTest(1, 1<<60, 0.5, exact)), stats.ErrDomain},
		"BinomialTest side":           {second(stats.BinomialTest(1, 2, 0.5, stats.ExactOptions{Alternative: 3})), stats.ErrDomain},
		"ConditionalOddsRatio row":    {second(stats.ConditionalOddsRatio(0, 0, 1, 2, 0.9)), stats.ErrEmpty},
		"ConditionalOddsRatio many":   {second(stats.ConditionalOddsRatio(1<<60, 1, 1, 2, 0.9)), stats.ErrDomain},
		"ConditionalOddsRatio level":  {second(stats.ConditionalOddsRatio(1, 1, 1, 2, 1)), stats.ErrDomain},
		"MultinomialExact tables":     {second(stats.MultinomialExact([]uint64{500, 500, 500, 500}, []float64{1, 1, 1, 1}, stats.MultinomialOptions{})), stats.ErrDomain},
		"MultinomialExact limit":      {second(stats.MultinomialExact([]uint64{5, 5}, w, stats.MultinomialOptions{MaxTables: 10})), stats.ErrDomain},
		"MultinomialExact lengths":    {second(stats.MultinomialExact(one, w, stats.MultinomialOptions{})), stats.ErrMismatch},
		"McNemar overflow":            {second(stats.McNemar(huge, 1, stats.McNemarOptions{})), stats.ErrDomain},
		"McNemar method":              {second(stats.McNemar(1, 1, stats.McNemarOptions{Method: 9})), stats.ErrDomain},
		"McNemar side":                {second(stats.McNemar(1, 1, stats.McNemarOptions{Alternative: 9})), stats.ErrDomain},
		"Tango n 0":                   {second(stats.Tango(0, 0, 0, 0.9)), stats.ErrEmpty},
		"Tango b+c > n":               {second(stats.Tango(3, 3, 5, 0.9)), stats.ErrDomain},
		"Tango level":                 {second(stats.Tango(1, 1, 5, 0)), stats.ErrDomain},
		"PairedT lengths":             {second(stats.PairedT(s, nil, stats.TOptions{})), stats.ErrMismatch},
		"PairedT none":                {second(stats.PairedT(nil, nil, stats.TOptions{})), stats.ErrEmpty},
		"PairedT one":                 {second(stats.PairedT(s[:1], s[:1], stats.TOptions{})), stats.ErrDomain},
		"PairedT NaN":                 {second(stats.PairedT([]float64{nan, 1}, s, stats.TOptions{})), stats.ErrDomain},
		"PairedT level":               {second(stats.PairedT(s, s, stats.TOptions{Level: 2})), stats.ErrDomain},
		"StuartMaxwell square":        {second(stats.StuartMaxwell([][]uint64{two})), stats.ErrMismatch},
		"StuartMaxwell zeros":         {second(stats.StuartMaxwell([][]uint64{{0}})), stats.ErrEmpty},
		"Bowker none":                 {second(stats.Bowker(nil)), stats.ErrEmpty},
		"Bowker ragged":               {second(stats.Bowker([][]uint64{two, one})), stats.ErrMismatch},
		"AUC lengths":                 {second(stats.AUC(s, yes[:1], 0.9)), stats.ErrMismatch},
		"AUC one class":               {second(stats.AUC(s, []bool{true, true}, 0.9)), stats.ErrEmpty},
		"AUC NaN":                     {second(stats.AUC([]float64{nan, 1}, yes, 0.9)), stats.ErrDomain},
		"AUC level":                   {second(stats.AUC(s, yes, 0)), stats.ErrDomain},
		"PairedAUC lengths":           {second(stats.PairedAUC(s, s[:1], yes, 0.9)), stats.ErrMismatch},
		"CompareAUC nothing":          {second(stats.CompareAUC(stats.AUCResult{}, stats.AUCResult{}, 0.9)), stats.ErrEmpty},
		"CompareAUC level":            {second(stats.CompareAUC(stats.AUCResult{Negatives: 1, Positives: 1}, stats.AUCResult{Negatives: 1, Positives: 1}, 0)), stats.ErrDomain},
		"AUCBinned lengths":           {second(stats.AUCBinned(one, two, 0.9)), stats.ErrMismatch},
		"AUCBinned one class":         {second(stats.AUCBinned(two, []uint64{0, 0}, 0.9)), stats.ErrEmpty},
		"AUCBinned overflow":          {second(stats.AUCBinned([]uint64{huge, 1}, two, 0.9)), stats.ErrDomain},
		"AUCBinned overflow 2":        {second(stats.AUCBinned(two, []uint64{huge, 1}, 0.9)), stats.ErrDomain},
		"AUCBinned level":             {second(stats.AUCBinned(two, two, 0)), stats.ErrDomain},
		"NonInferiority direction":    {second(stats.NonInferiority(0, 1, 1, 0, 0.05)), stats.ErrDomain},
		"NonInferiority margin":       {second(stats.NonInferiority(0, 1, -1, stats.HigherIsBetter, 0.05)), stats.ErrDomain},
		"NonInferiority effect":       {second(stats.NonInferiority(nan, 1, 1, stats.HigherIsBetter, 0.05)), stats.ErrDomain},
		"NonInferiority se":           {second(stats.NonInferiority(0, inf, 1, stats.HigherIsBetter, 0.05)), stats.ErrDomain},
		"NonInferiority alpha":        {second(stats.NonInferiority(0, 1, 1, stats.HigherIsBetter, 0)), stats.ErrDomain},
		"Equivalence margin 0":        {second(stats.Equivalence(0, 1, 0, 0.05)), stats.ErrDomain},
		"Equivalence se":              {second(stats.Equivalence(0, -1, 1, 0.05)), stats.ErrDomain},
		"Within direction":            {second(stats.Interval{Level: 0.9}.Within(1, 0)), stats.ErrDomain},
		"Within margin":               {second(stats.Interval{Level: 0.9}.Within(nan, stats.LowerIsBetter)), stats.ErrDomain},
		"Within no level":             {second(stats.Interval{}.Within(1, stats.LowerIsBetter)), stats.ErrDomain},
		"Bonferroni p":                {second(stats.Bonferroni([]float64{nan}, nil)), stats.ErrDomain},
		"Bonferroni lengths":          {second(stats.Bonferroni([]float64{0.1}, w)), stats.ErrMismatch},
		"Bonferroni weight":           {second(stats.Bonferroni([]float64{0.1}, []float64{-1})), stats.ErrDomain},
		"Bonferroni weights 0":        {second(stats.Bonferroni([]float64{0.1}, []float64{0})), stats.ErrDomain},
		"Holm p":                      {second(stats.Holm([]float64{1.1})), stats.ErrDomain},
		"BenjaminiHochberg p":         {second(stats.BenjaminiHochberg([]float64{-0.1})), stats.ErrDomain},
		"BenjaminiYekutieli p":        {second(stats.BenjaminiYekutieli([]float64{nan})), stats.ErrDomain},
		"EBH NaN":                     {second(stats.EBH([]float64{nan}, 0.1)), stats.ErrDomain},
		"EBH alpha":                   {second(stats.EBH(nil, 1)), stats.ErrDomain},
		"CellEffect lengths":          {second(stats.CellEffect(w, s[:1])), stats.ErrMismatch},
		"CellEffect none":             {second(stats.CellEffect(nil, nil)), stats.ErrEmpty},
		"CellEffect planned 0":        {second(stats.CellEffect(w, []float64{1, 0})), stats.ErrDomain},
		"CellEffect actual 0":         {second(stats.CellEffect([]float64{0, 0}, w)), stats.ErrDomain},
		"Power no design":             {second(stats.Power(nil, 1, 1, power)), stats.ErrDomain},
		"Power n 0":                   {second(stats.Power(means, 1, 0, power)), stats.ErrEmpty},
		"Power effect":                {second(stats.Power(stats.OneProportion{Null: 0.5}, 0.6, 10, power)), stats.ErrDomain},
		"Power effect NaN":            {second(stats.Power(means, nan, 10, power)), stats.ErrDomain},
		"Power alpha":                 {second(stats.Power(means, 1, 10, stats.PowerOptions{Alpha: 1})), stats.ErrDomain},
		"Power side":                  {second(stats.Power(means, 1, 10, stats.PowerOptions{Alternative: 4})), stats.ErrDomain},
		"Power SD":                    {second(stats.Power(stats.TwoMeans{}, 1, 10, power)), stats.ErrDomain},
		"Power ratio":                 {second(stats.Power(stats.TwoMeans{SD: 1, Ratio: inf}, 1, 10, power)), stats.ErrDomain},
		"Power base":                  {second(stats.Power(stats.TwoProportions{}, 0, 10, power)), stats.ErrDomain},
		"Power null":                  {second(stats.Power(stats.OneProportion{}, 0, 10, power)), stats.ErrDomain},
		"Power discordant":            {second(stats.Power(stats.PairedProportions{}, 0, 10, power)), stats.ErrDomain},
		"Power cells":                 {second(stats.Power(stats.CellShares{Cells: 1}, 0, 10, power)), stats.ErrDomain},
		"Power cells side":            {second(stats.Power(stats.CellShares{Cells: 2}, 0, 10, stats.PowerOptions{Alternative: stats.Less})), stats.ErrDomain},
		"Power PSI cells":             {second(stats.Power(stats.PSIDesign{}, 0, 10, power)), stats.ErrDomain},
		"Power PSI margin":            {second(stats.Power(stats.PSIDesign{Cells: 9, Margin: -1}, 0, 10, power)), stats.ErrDomain},
		"Power PSI less":              {second(stats.Power(stats.PSIDesign{Cells: 9}, 0, 10, stats.PowerOptions{Alternative: stats.Less})), stats.ErrDomain},
		"Power PSI different":         {second(stats.Power(stats.PSIDesign{Cells: 9, Margin: 0.1}, 0, 10, power)), stats.ErrDomain},
		"SampleSize effect 0":         {second(stats.SampleSize(means, 0, 0.8, power)), stats.ErrDomain},
		"SampleSize power":            {second(stats.SampleSize(means, 1, 0.04, power)), stats.ErrDomain},
		"SampleSize effect":           {second(stats.SampleSize(stats.TwoProportions{Base: 0.5}, 2, 0.8, power)), stats.ErrDomain},
		"SampleSize wrong side":       {second(stats.SampleSize(means, 1, 0.8, stats.PowerOptions{Alternative: stats.Less})), stats.ErrDomain},
		"SampleSize beyond":           {second(stats.SampleSize(means, 1e-12, 0.8, power)), stats.ErrNoConvergence},
		"SampleSize within margin":    {second(stats.SampleSize(stats.PSIDesign{Cells: 9, Margin: 0.1}, 0.1, 0.8, stats.PowerOptions{Alternative: stats.Greater})), stats.ErrDomain},
		"DetectableEffect n 0":        {second(stats.DetectableEffect(means, 0, 0.8, power)), stats.ErrEmpty},
		"DetectableEffect power":      {second(stats.DetectableEffect(means, 9, 1, power)), stats.ErrDomain},
		"DetectableEffect too few":    {second(stats.DetectableEffect(stats.PSIDesign{Cells: 9, Margin: 0.1}, 9, 0.8, stats.PowerOptions{Alternative: stats.Less})), stats.ErrDomain},
		"DetectableEffect proportion": {second(stats.DetectableEffect(stats.TwoProportions{Base: 0.9}, 9, 0.8, power)), stats.ErrDomain},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: error %v, want %v", name, c.got, c.want)
		}
	}
}

// special is a special case of a doc comment: what it says, and what we do.
type special struct{ got, want any }

func codes(ws []stats.Warning) (out []string) {
	for _, w := range ws {
		out = append(out, w.Code)
	}
	return out
}

// TestDiscreteSpecialCases checks the special cases that the doc comments list.
func TestDiscreteSpecialCases(t *testing.T) {
	at := func(v stats.Interval, err error) [3]float64 { return [3]float64{v.Point, v.Lo, v.Hi} }
	num := func(v float64, err error) float64 {
		if err != nil {
			t.Error(err)
		}
		return v
	}
	impossible := must(stats.GoodnessOfFit([]uint64{5, 1}, []float64{1, 0}, stats.ChiSquareOptions{}))(t)
	lonely := must(stats.GoodnessOfFit([]uint64{5, 0}, []float64{1, 0}, stats.ChiSquareOptions{}))(t)
	column := must(stats.Homogeneity([]uint64{5, 0}, []uint64{7, 0}, stats.ChiSquareOptions{}))(t)
	small := must(stats.Homogeneity([]uint64{5, 1}, []uint64{7, 3}, stats.ChiSquareOptions{}))(t)
	fisher := must(stats.FisherExact(3, 0, 4, 0, stats.ExactOptions{}))(t)
	split := must(stats.FisherExact(3, 0, 0, 4, stats.ExactOptions{}))(t)
	mcnemar := must(stats.McNemar(0, 0, stats.McNemarOptions{Method: stats.McNemarMidP}))(t)
	few := must(stats.McNemar(3, 1, stats.McNemarOptions{Method: stats.McNemarChiSquare}))(t)
	constant := must(stats.PairedT([]float64{1.1, 2.1, 3.1}, []float64{1, 2, 3}, stats.TOptions{}))(t)
	same := must(stats.PairedT([]float64{1, 2}, []float64{1, 2}, stats.TOptions{}))(t)
	agree := must(stats.StuartMaxwell([][]uint64{{4, 0}, {0, 5}}))(t)
	symmetric := must(stats.Bowker([][]uint64{{4, 0}, {0, 5}}))(t)
	perfect := must(stats.AUC([]float64{1, 2, 3, 4}, []bool{false, false, true, true}, 0.95))(t)
	single := must(stats.AUC([]float64{1, 2, 3}, []bool{true, false, false}, 0.95))(t)
	flat := must(stats.AUCBinned([]uint64{4}, []uint64{5}, 0.95))(t)
	clipped := must(stats.AUC([]float64{1, 2, 3, 4, 5, 6}, []bool{false, false, true, false, true, true}, 0.95))(t)
	duel := must(stats.PairedAUC([]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, []bool{false, false, true, true}, 0.95))(t)
	lone := must(stats.PairedAUC([]float64{1, 2, 3}, []float64{3, 2, 1}, []bool{false, false, true}, 0.95))(t)
	exactly := must(stats.NonInferiority(-1, 0, 1, stats.HigherIsBetter, 0.05))(t)
	beyond := must(stats.NonInferiority(-0.5, 0, 1, stats.HigherIsBetter, 0.05))(t)
	superior := must(stats.NonInferiority(-3, 1, 0, stats.LowerIsBetter, 0.05))(t)
	atEdge := must(stats.Interval{Lo: -1, Hi: 2, Level: 0.9}.Within(1, stats.HigherIsBetter))(t)
	lower := must(stats.Interval{Lo: -7, Hi: 0.5, Level: 0.9}.Within(1, stats.LowerIsBetter))(t)
	widest := must(stats.AgrestiCaffo(0, 1, 1, 1, 0.99))(t)

	for name, c := range map[string]special{
		"ChiSquareTail below 0":           {num(stats.ChiSquareTail(-1, 3)), 1.0},
		"ChiSquareTail +Inf":              {num(stats.ChiSquareTail(inf, 3)), 0.0},
		"LogChiSquareTail +Inf":           {num(stats.LogChiSquareTail(inf, 3)), -inf},
		"LogChiSquareTail 0":              {num(stats.LogChiSquareTail(0, 3)), 0.0},
		"ChiSquareQuantile 1":             {num(stats.ChiSquareQuantile(1, 3)), 0.0},
		"ChiSquareQuantile 0":             {num(stats.ChiSquareQuantile(0, 3)), inf},
		"LogNormalTail":                   {[]float64{stats.LogNormalTail(nan), stats.LogNormalTail(inf), stats.LogNormalTail(-inf)}, []float64{nan, -inf, 0}},
		"NonCentralCDF 0":                 {num(stats.NonCentralChiSquareCDF(0, 3, 4)), 0.0},
		"NonCentralCDF +Inf":              {num(stats.NonCentralChiSquareCDF(inf, 3, 4)), 1.0},
		"NonCentralCDF smallest x":        {num(stats.NonCentralChiSquareCDF(5e-324, 3, 4)), 0.0},
		"NonCentralTail 0":                {num(stats.NonCentralChiSquareTail(0, 3, 4)), 1.0},
		"NonCentralTail +Inf":             {num(stats.NonCentralChiSquareTail(inf, 3, 4)), 0.0},
		"NonCentralTail far away":         {num(stats.NonCentralChiSquareTail(1e300, 3, 4)), 0.0},
		"NonCentralTail far below":        {num(stats.NonCentralChiSquareTail(4, 3, 1e300)), 1.0},
		"NonCentralCDF far above":         {num(stats.NonCentralChiSquareCDF(1e300, 3, 4)), 1.0},
		"NonCentralCDF far below":         {num(stats.NonCentralChiSquareCDF(4, 3, 1e300)), 0.0},
		"NonCentrality of nothing":        {at(stats.NonCentralityInterval(0, 9, 0.95)), [3]float64{0, 0, 0}},
		"NonCentrality too good":          {at(stats.NonCentralityInterval(0.1, 9, 0.95)), [3]float64{0, 0, 0}},
		"GoodnessOfFit impossible":        {[]float64{impossible.Statistic, impossible.P, impossible.LogP}, []float64{inf, 0, -inf}},
		"GoodnessOfFit one cell":          {[]any{lonely.DF, lonely.P, lonely.Dropped, codes(lonely.Warnings)}, []any{0, 1.0, 1, []string{"degenerate"}}},
		"Homogeneity one column":          {[]any{column.DF, column.P, column.Dropped, codes(column.Warnings)}, []any{0, 1.0, 1, []string{"degenerate"}}},
		"Homogeneity small":               {codes(small.Warnings), []string{"expected_below_5"}},
		"Homogeneity sides":               {[]uint64{small.N, small.M}, []uint64{6, 10}},
		"Wilson 0":                        {num(stats.Interval.Width(must(stats.Wilson(0, 5, 0.5))(t)), nil) > 0.05, true},
		"ClopperPearson 0":                {must(stats.ClopperPearson(0, 5, 0.95))(t).Lo, 0.0},
		"ClopperPearson n":                {must(stats.ClopperPearson(5, 5, 0.95))(t).Hi, 1.0},
		"Jeffreys 0":                      {must(stats.Jeffreys(0, 5, 0.95))(t).Lo, 0.0},
		"Jeffreys n":                      {must(stats.Jeffreys(5, 5, 0.95))(t).Hi, 1.0},
		"AgrestiCaffo clipped":            {[]any{widest.Estimate.Lo, codes(widest.Warnings)}, []any{-1.0, []string{"clipped"}}},
		"ScoreDifference best":            {must(stats.ScoreDifference(4, 4, 0, 4, 0.95, stats.ScoreOptions{}))(t).Estimate.Hi, 1.0},
		"ScoreDifference worst":           {must(stats.ScoreDifference(0, 4, 4, 4, 0.95, stats.ScoreOptions{}))(t).Estimate.Lo, -1.0},
		"ScoreDifferenceTest at the null": {must(stats.ScoreDifferenceTest(0, 4, 0, 9, 0, stats.Different, stats.ScoreOptions{}))(t).Z, 0.0},
		"ScoreRatioTest no event":         {must(stats.ScoreRatioTest(0, 4, 0, 9, 1, stats.Different, stats.ScoreOptions{}))(t).Z, 0.0},
		"ScoreRatio 0":                    {must(stats.ScoreRatio(0, 4, 2, 4, 0.95, stats.ScoreOptions{}))(t).Estimate.Lo, 0.0},
		"ScoreRatio Inf":                  {must(stats.ScoreRatio(2, 4, 0, 4, 0.95, stats.ScoreOptions{}))(t).Estimate.Hi, inf},
		"PoissonRate 0":                   {must(stats.PoissonRate(0, 4, 0.95))(t).Lo, 0.0},
		"RateRatio 0":                     {must(stats.RateRatio(0, 4, 3, 1, 0.95))(t).Estimate.Lo, 0.0},
		"RateRatio Inf":                   {must(stats.RateRatio(3, 4, 0, 1, 0.95))(t).Estimate.Hi, inf},
		"FisherExact one table":           {[]any{fisher.P, fisher.Estimate, codes(fisher.Warnings)}, []any{1.0, 1.0, []string{"degenerate"}}},
		"FisherExact infinite odds":       {split.Estimate, inf},
		"BinomialTest p 0":                {must(stats.BinomialTest(1, 9, 0, stats.ExactOptions{}))(t).P, 0.0},
		"BinomialTest p 0, x 0":           {must(stats.BinomialTest(0, 9, 0, stats.ExactOptions{}))(t).P, 1.0},
		"BinomialTest p 1 greater":        {must(stats.BinomialTest(8, 9, 1, stats.ExactOptions{Alternative: stats.Greater}))(t).P, 1.0},
		"BinomialTest p 1 less":           {must(stats.BinomialTest(8, 9, 1, stats.ExactOptions{Alternative: stats.Less}))(t).P, 0.0},
		"ConditionalOddsRatio 0":          {at(stats.ConditionalOddsRatio(0, 3, 3, 0, 0.95))[1], 0.0},
		"ConditionalOddsRatio Inf":        {at(stats.ConditionalOddsRatio(3, 0, 0, 3, 0.95))[2], inf},
		"MultinomialExact impossible":     {must(stats.MultinomialExact([]uint64{5, 1}, []float64{1, 0}, stats.MultinomialOptions{}))(t).P, 0.0},
		"MultinomialExact one cell":       {must(stats.MultinomialExact([]uint64{5, 0}, []float64{1, 0}, stats.MultinomialOptions{}))(t).P, 1.0},
		"McNemar no discordance":          {[]any{mcnemar.P, codes(mcnemar.Warnings)}, []any{1.0, []string{"degenerate"}}},
		"McNemar few":                     {codes(few.Warnings), []string{"small_sample"}},
		"McNemar corrected to 0":          {must(stats.McNemar(4, 3, stats.McNemarOptions{Method: stats.McNemarCorrected}))(t).P, 1.0},
		"Tango all":                       {must(stats.Tango(4, 0, 4, 0.95))(t).Estimate.Hi, 1.0},
		"Tango none":                      {must(stats.Tango(0, 4, 4, 0.95))(t).Estimate.Lo, -1.0},
		"PairedT equal":                   {[]any{same.P, same.T, codes(same.Warnings)}, []any{1.0, 0.0, []string{"degenerate"}}},
		"PairedT constant":                {[]any{constant.T, constant.P, codes(constant.Warnings)}, []any{inf, 0.0, []string{"degenerate"}}},
		"StuartMaxwell agreement":         {[]any{agree.DF, agree.P, agree.Dropped, codes(agree.Warnings)}, []any{0, 1.0, 2, []string{"degenerate"}}},
		"Bowker agreement":                {[]any{symmetric.DF, symmetric.P, symmetric.Dropped, codes(symmetric.Warnings)}, []any{0, 1.0, 1, []string{"degenerate"}}},
		"AUC perfect":                     {[]any{perfect.Estimate.Point, perfect.SE, codes(perfect.Warnings)}, []any{1.0, 0.0, []string{"degenerate"}}},
		"AUC one positive":                {[]any{single.Estimate, single.SE, codes(single.Warnings)}, []any{stats.Interval{Point: 0, Lo: 0, Hi: 1, Level: 0.95}, inf, []string{"small_sample"}}},
		"AUC one cell":                    {[]any{flat.Estimate.Point, flat.Resolved, codes(flat.Warnings)}, []any{0.5, 0.5, []string{"degenerate", "binned"}}},
		"AUC clipped":                     {[]any{clipped.Estimate.Hi, codes(clipped.Warnings)}, []any{1.0, []string{"clipped"}}},
		"PairedAUC both perfect":          {[]any{duel.Statistic, duel.P, codes(duel.Warnings)}, []any{inf, 0.0, []string{"degenerate"}}},
		"PairedAUC one positive":          {[]any{lone.P, lone.Estimate.Lo, lone.Estimate.Hi, codes(lone.Warnings)}, []any{1.0, -1.0, 1.0, []string{"small_sample"}}},
		"CompareAUC both perfect":         {must(stats.CompareAUC(perfect, perfect, 0.95))(t).P, 1.0},
		"CompareAUC one positive":         {must(stats.CompareAUC(perfect, single, 0.95))(t).P, 1.0},
		"NonInferiority at the margin":    {[]any{exactly.Shown, exactly.P}, []any{false, 1.0}},
		"NonInferiority without noise":    {[]any{beyond.Shown, beyond.P, beyond.Z}, []any{true, 0.0, inf}},
		"NonInferiority margin 0":         {[]any{superior.Shown, superior.Method}, []any{true, "superiority, normal"}},
		"Within at the margin":            {atEdge, false},
		"Within lower":                    {lower, true},
		"Direction":                       {[]string{stats.LowerIsBetter.String(), stats.HigherIsBetter.String(), stats.Direction(0).String(), stats.Direction(5).String()}, []string{"lower", "higher", "unset", "Direction(5)"}},
		"Bonferroni weight 0":             {must(stats.Bonferroni([]float64{0.01, 0.01}, []float64{1, 0}))(t), []float64{0.01, 1}},
		"Holm of nothing":                 {must(stats.Holm(nil))(t), []float64{}},
		"EBH infinite":                    {must(stats.EBH([]float64{-inf, inf, 0}, 0.1))(t), []bool{false, true, false}},
		"Power without effect":            {math.Abs(must(stats.Power(stats.CellShares{Cells: 5}, 0, 9, stats.PowerOptions{}))(t).Power-0.05) < 1e-12, true},
		"Power fixed reference":           {must(stats.Power(stats.PSIDesign{Cells: 5, Ratio: inf}, 0.1, 9, stats.PowerOptions{}))(t).M, uint64(0)},
		"DetectableEffect less":           {must(stats.DetectableEffect(stats.TwoMeans{SD: 1}, 50, 0.8, stats.PowerOptions{Alternative: stats.Less}))(t).Effect < 0, true},
	} {
		if diff := cmp.Diff(c.want, c.got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
