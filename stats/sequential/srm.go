package sequential

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// ShareStage holds what the sample ratio test needs of one stretch of a rollout
// during which the intended split did not change. Start a new stage only when
// the weights change.
type ShareStage struct {
	Weights []float64 `json:"weights"` // intended traffic of each arm, relative; 0 says that the arm must get nothing
	Counts  []uint64  `json:"counts"`  // units seen in each arm, cumulative
}

// Merge adds the counts of o. It is exact and commutative; the zero ShareStage
// is the identity; different weights give [stats.ErrMismatch] and leave s as it
// was. o is unchanged.
func (s *ShareStage) Merge(o *ShareStage) error {
	if len(o.Weights) == 0 && len(o.Counts) == 0 {
		return nil
	}
	if len(s.Weights) == 0 && len(s.Counts) == 0 {
		s.Weights, s.Counts = slices.Clone(o.Weights), slices.Clone(o.Counts)
		return nil
	}
	if !slices.Equal(s.Weights, o.Weights) || len(s.Counts) != len(o.Counts) {
		return fmt.Errorf("sequential: ShareStage.Merge: weights %v and %v: %w", s.Weights, o.Weights, stats.ErrMismatch)
	}
	for i, n := range o.Counts {
		s.Counts[i] += n
	}
	return nil
}

// SRMOptions configures [SRM]. The zero value is the recommended test.
type SRMOptions struct {
	// Concentrations k of the Dirichlet priors k*share that are mixed with
	// equal weights; default 100, 1e4, 1e6, which sees a split off by 5 points
	// after about 2000 units and one off by 0.5 points after about 170,000.
	// Where arms stay below some 100 units, add a small one such as 1.
	Concentrations []float64
	// Level of the confidence sequences of the shares, in (0,1); default 0.999.
	Level float64
	// Floor is the relative deviation |observed-expected|/expected of a share
	// below which a mismatch is real but immaterial; default 0.005. Negative
	// switches the floor off.
	Floor float64
	// LeakUnits and LeakShare bound what an arm of weight 0 may get before it
	// counts as a leak: more than max(LeakUnits, LeakShare * n) units. Defaults
	// 5 and 1e-4.
	LeakUnits uint64
	LeakShare float64
}

// certain is log(1e6): from this log e-value on [SRMResult.Material] no longer
// asks for a minimum deviation.
const certain = 13.815510557964274

// SRMResult is the answer of [SRM].
type SRMResult struct {
	Method   string
	LogE     float64    // sum over stages: evidence against the intended split
	N        uint64     // units in arms of positive weight
	Stages   []SRMStage // in the order given
	Deviates float64    // largest |observed-expected|/expected of the stage with the most evidence
	Floor    float64    // the effect floor in force
	Leaks    []Leak     // arms of weight 0 that got more than the tolerance
	Warnings []stats.Warning
}

// SRMStage is the answer of one stage. A zero-weight arm has a zero interval.
type SRMStage struct {
	LogE   float64
	N      uint64           // units in arms of positive weight
	Shares []stats.Interval // observed share of each arm with its confidence sequence
	Expect []float64        // intended share of each arm
}

// Leak is traffic in an arm that should get none.
type Leak struct {
	Stage, Arm int
	Units      uint64
	Limit      float64
}

// Material reports whether the deviation reaches the effect floor, or the
// evidence is so strong (E >= 1e6) that its size no longer matters. It does not
// test: a mismatch is detected when the running maximum of LogE reaches its
// threshold, and Material says whether to act on it.
func (r SRMResult) Material() bool { return r.Deviates >= r.Floor || r.LogE >= certain }

// SRM tests, at any number of looks, whether units arrive in the arms in the
// intended proportions (sample ratio mismatch).
//
// With counts n_i, expected shares t_i, n = sum n_i and prior a_i = k t_i, the
// e-value of a stage is the ratio of the Dirichlet-multinomial to the
// multinomial likelihood
//
//	log E_k = lgamma(k) - lgamma(k+n) + sum_i [lgamma(k t_i + n_i) - lgamma(k t_i) - n_i log t_i]
//
// averaged over the concentrations k. A stage depends on cumulative counts
// only, so shards and hours may be added in any order. Stages multiply: each has
// its own prior, and log E is the sum. Sums of log-gammas are rearranged into a
// Kullback-Leibler term and corrections, which stays accurate at n = 1e12.
//
// The confidence sequence of a share holds every value that some share vector
// not rejected at 1-Level has in that place; it is valid at all looks of its
// stage together and assumes nothing about the intended split.
//
// Assumptions: within a stage each unit is assigned independently with the same
// probabilities. Units must be counted once; events of one unit are not units.
//
// Special cases: arms of weight 0 take no part in the test and are checked for
// leaks; no units at all gives LogE = 0; a single arm of positive weight gives
// LogE = 0; units too few to reach 1-Level even if all came to the smallest arm
// give the warning small_sample.
//
// Errors: [stats.ErrEmpty] without stages or arms, [stats.ErrMismatch] when
// weights and counts differ in length, [stats.ErrDomain] for weights that are
// negative, not finite or all 0, and for impossible options.
//
// Cost: O(stages * arms * concentrations), plus about 15 evaluations for
// each share.
//
// Reference: Lindon and Malek, "Anytime-valid inference for multinomial count
// data", NeurIPS 2022.
func SRM(stages []ShareStage, o SRMOptions) (SRMResult, error) {
	o, err := o.withDefaults()
	if err != nil {
		return SRMResult{}, err
	}
	if len(stages) == 0 {
		return SRMResult{}, fmt.Errorf("sequential: SRM: no stages: %w", stats.ErrEmpty)
	}
	r := SRMResult{Method: "Dirichlet-multinomial mixture", Floor: o.Floor, Stages: make([]SRMStage, 0, len(stages))}
	best, most := math.Inf(-1), 0.0
	for i, s := range stages {
		shares, err := normalised(s)
		if err != nil {
			return SRMResult{}, fmt.Errorf("sequential: SRM: stage %d: %w", i, err)
		}
		st := srmStage(s.Counts, shares, o)
		r.Leaks = append(r.Leaks, leaks(i, s.Counts, shares, o)...)
		r.Stages = append(r.Stages, st)
		r.N += st.N
		r.LogE += st.LogE
		most += mixedLogE(extreme(st, shares), shares, o)
		if st.LogE > best {
			best, r.Deviates = st.LogE, deviation(st)
		}
	}
	if most < Threshold(1-o.Level) {
		r.Warnings = append(r.Warnings, stats.Warning{Code: stats.WarnSmallSample,
			Message: fmt.Sprintf("%d units can not show a mismatch at level %v, whatever the split", r.N, o.Level)})
	}
	return r, nil
}

// extreme are the counts of st if all units had gone to the smallest arm.
func extreme(st SRMStage, shares []float64) []float64 {
	smallest := -1
	for i, t := range shares {
		if t > 0 && (smallest < 0 || t < shares[smallest]) {
			smallest = i
		}
	}
	counts := make([]float64, len(shares))
	counts[smallest] = float64(st.N)
	return counts
}

// mixedLogE is log E of a stage, averaged over the concentrations.
func mixedLogE(counts, shares []float64, o SRMOptions) float64 {
	prior := make([]float64, len(shares))
	logE := make([]float64, len(o.Concentrations))
	for j, k := range o.Concentrations {
		for i, t := range shares {
			prior[i] = float64(k * t)
		}
		logE[j] = dirichletLogE(counts, shares, prior)
	}
	return logSumExp(logE) - math.Log(float64(len(logE)))
}

func (o SRMOptions) withDefaults() (SRMOptions, error) {
	if len(o.Concentrations) == 0 {
		o.Concentrations = []float64{100, 1e4, 1e6}
	}
	for _, k := range o.Concentrations {
		if !(k > 0) || math.IsInf(k, 0) {
			return o, fmt.Errorf("sequential: SRM: concentration %v: %w", k, stats.ErrDomain)
		}
	}
	o.Level = defaultTo(o.Level, 0.999)
	if err := stats.CheckLevel(o.Level); err != nil {
		return o, fmt.Errorf("sequential: SRM: %w", err)
	}
	o.Floor = defaultTo(o.Floor, 0.005)
	o.LeakShare = defaultTo(o.LeakShare, 1e-4)
	if badNumber(o.Floor, o.LeakShare) || o.LeakShare < 0 {
		return o, fmt.Errorf("sequential: SRM: floor %v, leak share %v: %w", o.Floor, o.LeakShare, stats.ErrDomain)
	}
	if o.LeakUnits == 0 {
		o.LeakUnits = 5
	}
	return o, nil
}

// normalised returns the intended shares of s, which sum to 1.
func normalised(s ShareStage) ([]float64, error) {
	if len(s.Weights) == 0 {
		return nil, fmt.Errorf("no arms: %w", stats.ErrEmpty)
	}
	if len(s.Weights) != len(s.Counts) {
		return nil, fmt.Errorf("%d weights and %d counts: %w", len(s.Weights), len(s.Counts), stats.ErrMismatch)
	}
	sum := 0.0
	for _, w := range s.Weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("weight %v: %w", w, stats.ErrDomain)
		}
		sum += w
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("weights sum to %v: %w", sum, stats.ErrDomain)
	}
	shares := make([]float64, len(s.Weights))
	for i, w := range s.Weights {
		shares[i] = w / sum
	}
	return shares, nil
}

func srmStage(counts []uint64, shares []float64, o SRMOptions) SRMStage {
	st := SRMStage{Shares: make([]stats.Interval, len(shares)), Expect: shares}
	for i, t := range shares {
		if t > 0 {
			st.N += counts[i]
		}
	}
	if st.N > 0 { // else exactly 0, whatever the rounding of the mixture
		st.LogE = mixedLogE(asFloats(counts), shares, o)
	}
	for i, t := range shares {
		if t > 0 {
			st.Shares[i] = shareInterval(i, counts, shares, st, o.Level)
		}
	}
	return st
}

// shareInterval inverts the test for the share of arm i. The likelihood of a
// hypothetical share x is largest when the other arms keep their observed
// proportions, so the ends are the two roots of
//
//	D(x) = n KL((n_i/n, 1-n_i/n) || (x, 1-x)) = log(1/(1-level)) - logE(at the observed shares).
func shareInterval(i int, counts []uint64, shares []float64, st SRMStage, level float64) stats.Interval {
	v := stats.Interval{Lo: 0, Hi: 1, Level: level, Point: shares[i]}
	if st.N == 0 {
		return v
	}
	n, ni := float64(st.N), float64(counts[i])
	v.Point = ni / n
	// Moving the null from the intended to the observed shares lowers log E by
	// the log-likelihood ratio between the two.
	room := Threshold(1-level) - st.LogE
	for j, t := range shares {
		if t > 0 && counts[j] > 0 {
			c := float64(counts[j])
			room += float64(c * math.Log(c/float64(n*t)))
		}
	}
	if len(shares) == 1 || shares[i] == 1 {
		v.Lo = 1
		return v
	}
	d := func(x float64) float64 {
		s := 0.0
		if ni > 0 {
			s += float64(ni * math.Log(v.Point/x))
		}
		if ni < n {
			s += float64((n - ni) * math.Log((1-v.Point)/(1-x)))
		}
		return s - room
	}
	if ni > 0 {
		v.Lo = zero(0, v.Point, d)
	}
	if ni < n {
		v.Hi = zero(v.Point, 1, d)
	}
	return v
}

func deviation(st SRMStage) float64 {
	worst := 0.0
	for i, t := range st.Expect {
		if t > 0 && st.N > 0 {
			worst = math.Max(worst, math.Abs(st.Shares[i].Point-t)/t)
		}
	}
	return worst
}

func leaks(stage int, counts []uint64, shares []float64, o SRMOptions) []Leak {
	var n uint64
	for _, c := range counts {
		n += c
	}
	limit := math.Max(float64(o.LeakUnits), float64(o.LeakShare*float64(n)))
	var out []Leak
	for i, t := range shares {
		if t == 0 && float64(counts[i]) > limit {
			out = append(out, Leak{Stage: stage, Arm: i, Units: counts[i], Limit: limit})
		}
	}
	return out
}
