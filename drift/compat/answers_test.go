package compat_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/drift/compat"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

type answer = func(*testing.T, published) ([]float64, error)

// answers says, for each kind of published case, which function speaks about it.
var answers = map[string]answer{
	"psi_counts":                 psiCounts,
	"psi_threshold_chi2":         psiThreshold,
	"psi_threshold_normal":       psiThresholdNormal,
	"hellinger_counts":           hellingerCounts,
	"hellinger_values":           hellingerValues,
	"bhattacharyya_counts":       onCounts(compat.GonumBhattacharyya),
	"js_distance_counts":         jsDistance,
	"js_divergence_counts":       onCells(drift.JSDivergenceNats, 1/math.Ln2),
	"js_divergence_histograms":   jsHistograms,
	"tvd_counts":                 onCells(drift.TotalVariation, 1),
	"linf_counts":                onMaps(compat.TFDVLInfinity),
	"linf_robust_counts":         linfRobust,
	"normalized_abs_difference":  onMaps(compat.TFDVNormalizedDifference),
	"kl_counts":                  relativeEntropy,
	"entropy_counts":             entropyOf,
	"chi2_statistic":             chiStatistic,
	"chi2_gof_p":                 goodnessOfFit(stats.ChiSquareOptions{}),
	"g_test_gof_p":               goodnessOfFit(stats.ChiSquareOptions{LikelihoodRatio: true}),
	"chi2_gof_regrouped_stat":    deequChi(func(statistic, _ float64) float64 { return statistic }),
	"chi2_gof_regrouped_p":       deequChi(func(_, p float64) float64 { return p }),
	"chi2_contingency":           contingency,
	"cramers_v_bias_corrected":   onCounts(compat.DeepchecksCramersV),
	"fisher_exact_2x2":           fisher,
	"ks_2samp":                   ks,
	"ks_stat":                    ksStatistic,
	"ks_stat_population":         ksPopulation,
	"cvm_2samp":                  cvm(func(r stats.DistributionResult) []float64 { return []float64{r.Statistic, r.P} }),
	"cvm_2samp_stat":             cvm(func(r stats.DistributionResult) []float64 { return []float64{r.Statistic} }),
	"cvm_2samp_exact_p_from_U":   cvmFromU,
	"energy_distance":            onPoints(stats.EnergyDistance),
	"wasserstein1":               onPoints(stats.Wasserstein),
	"wasserstein1_minmax_scaled": earthMover,
	"mannwhitney_u":              mannWhitney(func(r stats.MannWhitneyResult) []float64 { return []float64{r.U, r.P} }),
	"mannwhitney_u_p":            mannWhitney(func(r stats.MannWhitneyResult) []float64 { return []float64{r.P} }),
	"student_t_p":                tTest(stats.StudentT, func(r stats.TResult) []float64 { return []float64{r.P} }),
	"welch_t":                    tTest(stats.WelchT, func(r stats.TResult) []float64 { return []float64{r.T, r.P} }),
	"benjamini_hochberg_any":     benjaminiHochberg,
	"stddev_threshold":           threshold,
	"accuracy_standard_error":    accuracy,
}

func one(v float64, err error) ([]float64, error) { return []float64{v}, err }

func onCounts(f func(ref, cur []float64) (float64, error)) answer {
	return func(t *testing.T, c published) ([]float64, error) { return one(f(c.list(t, "ref"), c.list(t, "cur"))) }
}

func onMaps(f func(ref, cur map[string]float64) (float64, error)) answer {
	return func(t *testing.T, c published) ([]float64, error) {
		return one(f(c.counts(t, "ref"), c.counts(t, "cur")))
	}
}

func onPoints(f func(x, y stats.Points) (stats.Distance, error)) answer {
	return func(t *testing.T, c published) ([]float64, error) {
		d, err := f(c.points(t, "ref"), c.points(t, "cur"))
		return one(d.Value, err)
	}
}

// onCells asks package drift itself. Shares are taken as thousandths.
func onCells(f func(drift.Cells, drift.Options) (drift.Divergence, error), unit float64) answer {
	return func(t *testing.T, c published) ([]float64, error) {
		cells, err := drift.Counts(c.whole(t))
		if err != nil {
			return nil, err
		}
		d, err := f(cells, drift.Options{})
		return one(unit*d.Value, err)
	}
}

// whole reads both sides as whole counts.
func (c published) whole(t *testing.T) (ref, cur []uint64) {
	t.Helper()
	var p, q []float64
	if c.isMap("ref") {
		r, s := c.counts(t, "ref"), c.counts(t, "cur")
		for _, k := range slices.Sorted(keysOf(r, s)) {
			p, q = append(p, r[k]), append(q, s[k])
		}
	} else {
		p, q = c.list(t, "ref"), c.list(t, "cur")
	}
	unit := 1.0
	for _, v := range slices.Concat(p, q) {
		if v != math.Trunc(v) {
			unit = 1000
		}
	}
	for i := range p {
		ref = append(ref, uint64(math.Round(unit*p[i])))
		cur = append(cur, uint64(math.Round(unit*q[i])))
	}
	return ref, cur
}

func keysOf(a, b map[string]float64) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range a {
			if !yield(k) {
				return
			}
		}
		for k := range b {
			if _, both := a[k]; !both && !yield(k) {
				return
			}
		}
	}
}

func psiCounts(t *testing.T, c published) ([]float64, error) {
	if strings.Contains(c.ID, "deequ") {
		return one(compat.DeequPSI(c.list(t, "ref"), c.list(t, "cur")))
	}
	return one(compat.FrourosPSI(c.list(t, "ref"), c.list(t, "cur")))
}

func psiThreshold(t *testing.T, c published) ([]float64, error) {
	n, m, bins := c.number(t, "refN"), c.number(t, "curN"), int(c.number(t, "bins"))
	if math.IsInf(n, 1) {
		return one(compat.ScouterPSIThreshold(m, bins, c.number(t, "alpha")))
	}
	ref, cur := make([]uint64, bins), make([]uint64, bins)
	for i := range ref {
		ref[i], cur[i] = uint64(n)/uint64(bins), uint64(m)/uint64(bins)
	}
	cells, err := drift.Counts(ref, cur)
	if err != nil {
		return nil, err
	}
	d, err := drift.PSI(cells, drift.Options{})
	return one(d.Null95, err)
}

func psiThresholdNormal(t *testing.T, c published) ([]float64, error) {
	return one(compat.ScouterPSINormalThreshold(c.number(t, "curN"), int(c.number(t, "bins")), c.number(t, "alpha")))
}

func hellingerCounts(t *testing.T, c published) ([]float64, error) {
	if c.isMap("ref") {
		return one(compat.NannyMLHellinger(c.counts(t, "ref"), c.counts(t, "cur")))
	}
	return onCells(drift.Hellinger, 1)(t, c)
}

func hellingerValues(t *testing.T, c published) ([]float64, error) {
	var sides [2]summary.Histogram
	sides[0].AddSlice(c.list(t, "ref"))
	sides[1].AddSlice(c.list(t, "cur"))
	cells, err := drift.Numeric(&sides[0], &sides[1], drift.Options{})
	if err != nil {
		return nil, err
	}
	d, err := drift.Hellinger(cells, drift.Options{})
	return one(d.Value, err)
}

func jsDistance(t *testing.T, c published) ([]float64, error) {
	if c.isMap("ref") {
		return one(compat.NannyMLJensenShannon(c.counts(t, "ref"), c.counts(t, "cur")))
	}
	return one(compat.SciPyJensenShannon(c.list(t, "ref"), c.list(t, "cur"), c.param("base")))
}

func jsHistograms(t *testing.T, c published) ([]float64, error) {
	var sides [2]compat.TFDVHistogram
	for i, key := range []string{"a", "b"} {
		var in struct {
			Buckets [][]json.RawMessage `json:"buckets"`
			NaN     float64             `json:"nan"`
		}
		if err := json.Unmarshal(c.Inputs[key], &in); err != nil {
			t.Fatal(err)
		}
		sides[i].NaN = in.NaN
		for _, b := range in.Buckets {
			sides[i].Buckets = append(sides[i].Buckets, compat.TFDVBucket{Low: number(t, b[0]), High: number(t, b[1]), Count: number(t, b[2])})
		}
	}
	return one(compat.TFDVJensenShannon(sides[0], sides[1]))
}

func linfRobust(t *testing.T, c published) ([]float64, error) {
	return one(compat.DeequLInfinity(c.counts(t, "ref"), c.counts(t, "cur"), c.param("alpha")))
}

func relativeEntropy(t *testing.T, c published) ([]float64, error) {
	return one(compat.SciPyEntropy(c.list(t, "p"), c.list(t, "q")))
}

func entropyOf(t *testing.T, c published) ([]float64, error) {
	return one(compat.DeequEntropy(c.list(t, "counts")))
}

func chiStatistic(t *testing.T, c published) ([]float64, error) {
	return one(compat.GonumChiSquare(c.list(t, "observed"), c.list(t, "expected")))
}

func goodnessOfFit(o stats.ChiSquareOptions) answer {
	return func(t *testing.T, c published) ([]float64, error) {
		_, cur := c.whole(t)
		r, err := stats.GoodnessOfFit(cur, c.list(t, "ref"), o)
		return one(r.P, err)
	}
}

func deequChi(pick func(statistic, p float64) float64) answer {
	return func(t *testing.T, c published) ([]float64, error) {
		s, p, err := compat.DeequChiSquare(c.counts(t, "ref"), c.counts(t, "cur"))
		return one(pick(s, p), err)
	}
}

func contingency(t *testing.T, c published) ([]float64, error) {
	cells, err := drift.Counts(c.whole(t))
	if err != nil {
		return nil, err
	}
	d, err := drift.ChiSquare(cells, drift.Options{})
	return []float64{d.Value, d.P}, err
}

func fisher(t *testing.T, c published) ([]float64, error) {
	var table [2][2]uint64
	if err := json.Unmarshal(c.Inputs["table"], &table); err != nil {
		t.Fatal(err)
	}
	r, err := stats.FisherExact(table[0][0], table[0][1], table[1][0], table[1][1], stats.ExactOptions{})
	return one(r.P, err)
}

func ks(t *testing.T, c published) ([]float64, error) {
	r, err := stats.KolmogorovSmirnov(c.sample(t, "ref"), c.sample(t, "cur"), stats.KSOptions{Alternative: c.alternative()})
	return []float64{r.D, r.P}, err
}

// ksStatistic takes weights as counts, in halves.
func ksStatistic(t *testing.T, c published) ([]float64, error) {
	if c.Inputs["refWeights"] == nil {
		r, err := stats.KolmogorovSmirnov(c.sample(t, "ref"), c.sample(t, "cur"), stats.KSOptions{})
		return one(r.D, err)
	}
	x, y := c.points(t, "ref"), c.points(t, "cur")
	values := slices.Compact(slices.Sorted(slices.Values(slices.Concat(x.Values, y.Values))))
	count := func(p stats.Points) []uint64 {
		out := make([]uint64, len(values))
		for i, v := range p.Values {
			out[slices.Index(values, v)] += uint64(2 * p.Weights[i])
		}
		return out
	}
	r, err := stats.KSBinned(count(x), count(y))
	return one(r.D, err)
}

// ksPopulation puts the quantiles of the two populations into histograms.
func ksPopulation(*testing.T, published) ([]float64, error) {
	const n = 20000
	var sides [2]summary.Histogram
	for i := range n {
		x := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/n-1)
		sides[0].Add(x)
		sides[1].Add(x + 1)
	}
	d, err := drift.KS(&sides[0], &sides[1], drift.Options{})
	return one(d.Value, err)
}

func cvm(pick func(stats.DistributionResult) []float64) answer {
	return func(t *testing.T, c published) ([]float64, error) {
		r, err := stats.CramerVonMises(c.sample(t, "ref"), c.sample(t, "cur"))
		return pick(r), err
	}
}

// cvmFromU looks for an ordering of n and m values with the statistic
// U = n sum (r_i - i)^2 + m sum (s_j - j)^2, r and s being ranks.
func cvmFromU(t *testing.T, c published) ([]float64, error) {
	n, m, u := int(c.number(t, "n")), int(c.number(t, "m")), int(c.number(t, "U"))
	for set := range 1 << (n + m) {
		var x, y []float64
		got := 0
		for rank := range n + m {
			if set>>rank&1 == 1 {
				d := rank - len(x)
				got += n * d * d
				x = append(x, float64(rank))
			} else {
				d := rank - len(y)
				got += m * d * d
				y = append(y, float64(rank))
			}
		}
		if len(x) == n && got == u {
			r, err := stats.CramerVonMises(x, y)
			return one(r.P, err)
		}
	}
	t.Fatalf("no ordering of %d and %d values has U = %d", n, m, u)
	return nil, nil
}

func earthMover(t *testing.T, c published) ([]float64, error) {
	return one(compat.DeepchecksEarthMover(c.sample(t, "ref"), c.sample(t, "cur"), c.param("trim")))
}

func mannWhitney(pick func(stats.MannWhitneyResult) []float64) answer {
	return func(t *testing.T, c published) ([]float64, error) {
		r, err := stats.MannWhitney(c.sample(t, "ref"), c.sample(t, "cur"), stats.MannWhitneyOptions{Alternative: c.alternative(), Asymptotic: true})
		return pick(r), err
	}
}

func tTest(f func(x, y stats.Moments, o stats.TOptions) (stats.TResult, error), pick func(stats.TResult) []float64) answer {
	return func(t *testing.T, c published) ([]float64, error) {
		x, err := stats.MomentsOf(c.sample(t, "ref"))
		if err != nil {
			return nil, err
		}
		y, err := stats.MomentsOf(c.sample(t, "cur"))
		if err != nil {
			return nil, err
		}
		r, err := f(x, y, stats.TOptions{})
		return pick(r), err
	}
}

func benjaminiHochberg(t *testing.T, c published) ([]float64, error) {
	p := make([]float64, int(c.number(t, "count")))
	for i := range p {
		p[i] = c.number(t, "pConstant")
	}
	adjusted, err := stats.BenjaminiHochberg(p)
	if err != nil {
		return nil, err
	}
	return one(indicator(slices.Min(adjusted) < c.number(t, "q")), nil)
}

func threshold(t *testing.T, c published) ([]float64, error) {
	center := map[any]compat.Center{"mean": compat.Mean, "median": compat.Median, "min": compat.Minimum}[c.Params["center"]]
	lo, hi, err := compat.NannyMLThreshold(c.list(t, "values"), c.param("lowerMultiplier"), c.param("upperMultiplier"), center)
	return []float64{lo, hi}, err
}

func accuracy(t *testing.T, c published) ([]float64, error) {
	return one(compat.NannyMLAccuracyError(uint64(c.number(t, "refCorrect")), uint64(c.number(t, "refN")), uint64(c.number(t, "curN"))))
}
