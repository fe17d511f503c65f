package stats

import (
	"encoding/json"
	"fmt"
	"math"
)

// BootstrapOptions configures a [Bootstrap]. Two accumulators can be merged or
// compared only when their options are equal.
type BootstrapOptions struct {
	Replicates int    // 0 means 1000; from 2 to 100000
	Seed       uint64 // any number; another seed gives another, equally good, set of weights
}

// Bootstrap accumulates a ratio of sums, or a mean, under Poisson resampling of
// units. In replicate b every row of a unit counts PoissonWeight(seed, unit, b)
// times, which depends on nothing else: no random state is kept, shards can work
// apart and merge, and rows of one unit stay together wherever they are.
//
// Merge adds sums. It is commutative, and associative up to the rounding of the
// sums (exactly so for whole numbers below 2^53): merge shards in a fixed order
// to get the same bits. The zero Bootstrap is empty and is the identity of
// Merge; a row added to it gives it the default options.
type Bootstrap struct {
	options  BootstrapOptions
	rows     uint64
	excluded uint64
	num, den float64   // sums over the rows
	nums     []float64 // weighted sums, per replicate
	dens     []float64
}

// NewBootstrap returns an empty accumulator.
//
// Errors: [ErrDomain] for a number of replicates that is neither 0 nor from 2 to
// 100000.
func NewBootstrap(o BootstrapOptions) (*Bootstrap, error) {
	if o.Replicates == 0 {
		o.Replicates = defaultReplicates
	}
	if o.Replicates < 2 || o.Replicates > 100000 {
		return nil, fmt.Errorf("stats: NewBootstrap: %d replicates: %w", o.Replicates, ErrDomain)
	}
	b := new(Bootstrap)
	b.configure(o)
	return b, nil
}

const defaultReplicates = 1000

// configure sets the options of an empty accumulator.
func (b *Bootstrap) configure(o BootstrapOptions) {
	b.options = o
	b.nums, b.dens = make([]float64, o.Replicates), make([]float64, o.Replicates)
}

// PoissonWeight returns how often a unit counts in a replicate: a Poisson(1)
// number that is a pure function of the arguments. The unit's FNV-1a hash and
// the seed start a SplitMix64 stream; its replicate-th output, as a number in
// [0,1), is turned into a count by inversion.
//
// References: Chamandy, Muralidharan, Najmi and Naidu, Estimating uncertainty
// for massive data streams, Google technical report (2012). Steele, Lea and
// Flood, Fast splittable pseudorandom number generators, OOPSLA (2014).
func PoissonWeight(seed uint64, unit string, replicate int) int {
	return poissonFrom(unitKey(seed, unit), replicate)
}

// Add adds one row of a unit. For a mean let den be 1. A row with a value that is
// not finite is counted apart and left out, with the warning "excluded_values".
//
// Cost: one weight per replicate, about 3 microseconds for 1000.
func (b *Bootstrap) Add(unit string, num, den float64) {
	if b.options.Replicates == 0 {
		b.configure(BootstrapOptions{Replicates: defaultReplicates})
	}
	if s := num + den; math.IsNaN(s) || math.IsInf(s, 0) {
		b.excluded++
		return
	}
	b.rows++
	b.num += num
	b.den += den
	key := unitKey(b.options.Seed, unit)
	for i := range b.nums {
		if w := float64(poissonFrom(key, i)); w > 0 {
			b.nums[i] += float64(w * num)
			b.dens[i] += float64(w * den)
		}
	}
}

// Merge adds the rows of o, which is unchanged.
//
// Errors: [ErrMismatch] when both are configured, and not alike.
func (b *Bootstrap) Merge(o *Bootstrap) error {
	if o.options.Replicates == 0 {
		return nil
	}
	if b.options.Replicates == 0 {
		b.configure(o.options)
	}
	if b.options != o.options {
		return fmt.Errorf("stats: Bootstrap.Merge: options %+v and %+v: %w", b.options, o.options, ErrMismatch)
	}
	b.rows += o.rows
	b.excluded += o.excluded
	b.num += o.num
	b.den += o.den
	for i := range b.nums {
		b.nums[i] += o.nums[i]
		b.dens[i] += o.dens[i]
	}
	return nil
}

// BootstrapMethod names how replicates become an interval.
type BootstrapMethod int8

// The methods.
const (
	BootstrapPercentile BootstrapMethod = iota // quantiles of the replicates
	BootstrapBasic                             // the same, mirrored at the estimate
)

// BootstrapResult is an estimate with its bootstrap interval.
type BootstrapResult struct {
	Estimate   Interval
	SE         float64 // standard deviation of the replicates
	Replicates int     // that could be computed
	N, M       uint64  // rows of x and, in a comparison, of y
	Method     string
	Warnings   []Warning // excluded_values, degenerate
}

// Interval returns sum(num)/sum(den) with an interval from the replicates.
//
// The interval holds the quantiles (type 7) of the replicates at (1±level)/2, or
// with BootstrapBasic 2*estimate minus those at (1∓level)/2. Both need tens of
// units to be near their level; neither knows of dependence between units.
//
// Special cases are: a replicate whose denominator is 0 is left out, with the
// warning "degenerate".
//
// Errors: [ErrEmpty] without rows, with a denominator of 0, or with fewer than 2
// replicates left; [ErrDomain] for a level outside (0,1) or an unknown method.
//
// Reference: Davison and Hinkley, Bootstrap Methods and their Application
// (1997), chapter 5.
func (b *Bootstrap) Interval(level float64, method BootstrapMethod) (BootstrapResult, error) {
	const name = "Bootstrap.Interval"
	point, reps, err := b.ratios(name)
	if err != nil {
		return BootstrapResult{}, err
	}
	r := BootstrapResult{N: b.rows, Method: "Poisson bootstrap of a ratio"}
	return r.finish(name, point, reps, b.excluded, level, method)
}

// BootstrapDifference returns the ratio of x minus that of y, with an interval
// from the differences replicate by replicate.
//
// A unit found on both sides has the same weight on both, so what it contributes
// to both moves together: that is the paired bootstrap, right for two models on
// the same units. Units of separate arms must have separate names, and are then
// independent.
//
// Special cases and errors are those of [Bootstrap.Interval]; [ErrMismatch] when
// x and y are not configured alike.
//
// Reference: Davison and Hinkley, Bootstrap Methods and their Application
// (1997), chapters 3 and 5.
func BootstrapDifference(x, y *Bootstrap, level float64, method BootstrapMethod) (BootstrapResult, error) {
	const name = "BootstrapDifference"
	if x.options != y.options {
		return BootstrapResult{}, fmt.Errorf("stats: %s: options %+v and %+v: %w", name, x.options, y.options, ErrMismatch)
	}
	px, rx, err := x.ratios(name + ": x")
	if err != nil {
		return BootstrapResult{}, err
	}
	py, ry, err := y.ratios(name + ": y")
	if err != nil {
		return BootstrapResult{}, err
	}
	for i := range rx {
		rx[i] -= ry[i]
	}
	r := BootstrapResult{N: x.rows, M: y.rows, Method: "Poisson bootstrap of a difference of ratios"}
	return r.finish(name, px-py, rx, x.excluded+y.excluded, level, method)
}

// ratios returns the estimate and its replicates, NaN where there is none.
func (b *Bootstrap) ratios(name string) (float64, []float64, error) {
	if b.rows == 0 || b.den == 0 {
		return 0, nil, fmt.Errorf("stats: %s: %d rows with a denominator of %v: %w", name, b.rows, b.den, ErrEmpty)
	}
	reps := make([]float64, len(b.nums))
	for i := range reps {
		if reps[i] = math.NaN(); b.dens[i] != 0 {
			reps[i] = b.nums[i] / b.dens[i]
		}
	}
	return b.num / b.den, reps, nil
}

// finish turns replicates into an interval.
func (r BootstrapResult) finish(name string, point float64, reps []float64, excluded uint64, level float64, method BootstrapMethod) (BootstrapResult, error) {
	if err := CheckLevel(level); err != nil {
		return BootstrapResult{}, fmt.Errorf("stats: %s: %w", name, err)
	}
	kept := reps[:0]
	for _, v := range reps {
		if !math.IsNaN(v) {
			kept = append(kept, v)
		}
	}
	if lost := len(reps) - len(kept); lost > 0 {
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, fmt.Sprintf("%d of %d replicates have a denominator of 0", lost, len(reps))})
	}
	if len(kept) < 2 {
		return BootstrapResult{}, fmt.Errorf("stats: %s: %d replicates left: %w", name, len(kept), ErrEmpty)
	}
	if excluded > 0 {
		r.Warnings = append(r.Warnings, Warning{WarnExcluded, fmt.Sprintf("%d rows with a value that is not finite were left out", excluded)})
	}
	r.Replicates = len(kept)
	m, err := MomentsOf(kept)
	if err != nil {
		return BootstrapResult{}, fmt.Errorf("stats: %s: replicates: %w", name, err)
	}
	r.SE = math.Sqrt(m.Variance)
	ends, err := Quantiles(kept, []float64{(1 - level) / 2, (1 + level) / 2}, Type7)
	if err != nil {
		return BootstrapResult{}, fmt.Errorf("stats: %s: replicates: %w", name, err)
	}
	switch method {
	case BootstrapPercentile:
		r.Method += ", percentile"
	case BootstrapBasic:
		r.Method += ", basic"
		ends[0], ends[1] = 2*point-ends[1], 2*point-ends[0]
	default:
		return BootstrapResult{}, fmt.Errorf("stats: %s: method %d: %w", name, method, ErrDomain)
	}
	r.Estimate = Interval{point, ends[0], ends[1], level}
	return r, nil
}

type bootstrapJSON struct {
	Replicates int       `json:"replicates"`
	Seed       uint64    `json:"seed,string"`
	Rows       uint64    `json:"rows"`
	Excluded   uint64    `json:"excluded"`
	Num        float64   `json:"num"`
	Den        float64   `json:"den"`
	Nums       []float64 `json:"nums"`
	Dens       []float64 `json:"dens"`
}

// MarshalJSON implements [json.Marshaler], so that a shard can send its state.
func (b *Bootstrap) MarshalJSON() ([]byte, error) {
	return json.Marshal(bootstrapJSON{b.options.Replicates, b.options.Seed, b.rows, b.excluded, b.num, b.den, b.nums, b.dens})
}

// UnmarshalJSON implements [json.Unmarshaler]. State whose replicates do not
// number as stated is an error that wraps [ErrMismatch].
func (b *Bootstrap) UnmarshalJSON(data []byte) error {
	var j bootstrapJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	if len(j.Nums) != j.Replicates || len(j.Dens) != j.Replicates {
		return fmt.Errorf("stats: Bootstrap: %d replicates with %d and %d sums: %w", j.Replicates, len(j.Nums), len(j.Dens), ErrMismatch)
	}
	*b = Bootstrap{BootstrapOptions{j.Replicates, j.Seed}, j.Rows, j.Excluded, j.Num, j.Den, j.Nums, j.Dens}
	return nil
}

// unitKey is where a unit's stream of weights starts.
func unitKey(seed uint64, unit string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(unit) {
		h = (h ^ uint64(unit[i])) * 1099511628211
	}
	return splitMix(h ^ splitMix(seed))
}

// splitMix is the output function of SplitMix64.
func splitMix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// poissonFrom is output number replicate of the stream, by inversion: the count
// is the number of cumulative probabilities at or below it.
func poissonFrom(key uint64, replicate int) int {
	u := float64(splitMix(key+uint64(replicate+1)*0x9e3779b97f4a7c15)>>11) * 0x1p-53
	const mostLikely = 18 // P(more) < 2^-53
	p := 1 / math.E
	k := 0
	for below := p; u >= below && k < mostLikely; below += p {
		k++
		p /= float64(k)
	}
	return k
}
