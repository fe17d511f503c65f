package kayenta

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/rampguard/rampguard/stats"
)

// Class is the classification of a whole judgement.
type Class string

// The classes, in Kayenta's spelling.
const (
	ClassPass     Class = "Pass"     // the score reaches the pass threshold
	ClassMarginal Class = "Marginal" // it reaches the marginal threshold only
	ClassFail     Class = "Fail"     // it reaches neither
)

// Thresholds of the score, both from 0 to 100; nil means that none was given.
type Thresholds struct {
	Pass     *float64 `json:"pass,omitempty"`
	Marginal *float64 `json:"marginal,omitempty"`
}

// NewThresholds returns the two thresholds.
func NewThresholds(pass, marginal float64) Thresholds {
	return Thresholds{Pass: &pass, Marginal: &marginal}
}

func (t Thresholds) check() error {
	for _, v := range []struct {
		name string
		v    *float64
	}{{"pass", t.Pass}, {"marginal", t.Marginal}} {
		if v.v == nil || math.IsNaN(*v.v) {
			return fmt.Errorf("the %s threshold of the score is missing or NaN: %w", v.name, stats.ErrDomain)
		}
	}
	return nil
}

// Class classifies a score. A nil threshold is always reached.
func (t Thresholds) Class(score float64) Class {
	switch {
	case t.Pass == nil || score >= *t.Pass:
		return ClassPass
	case t.Marginal == nil || score >= *t.Marginal:
		return ClassMarginal
	}
	return ClassFail
}

// Run is the outcome of several judgements, one after the other.
type Run struct {
	Passed bool
	Judged int // judgements made before the run ended
	Reason string
}

// Run plays a run of judgements with these scores: the first score that is not
// above the marginal threshold ends it; otherwise the last score alone decides,
// and has to reach the pass threshold. A nil threshold does not bind. No score at
// all is a failed run.
//
// A score that equals the marginal threshold fails here and is Marginal in
// [Thresholds.Class]; so it is in Kayenta.
func (t Thresholds) Run(scores []float64) Run {
	if len(scores) == 0 {
		return Run{Reason: "no judgement was made"}
	}
	for i, s := range scores {
		if t.Marginal != nil && !(s > *t.Marginal) {
			return Run{Judged: i + 1, Reason: fmt.Sprintf("score %v of judgement %d is not above the marginal threshold %v", s, i+1, *t.Marginal)}
		}
	}
	r := Run{Judged: len(scores), Passed: true}
	last := scores[len(scores)-1]
	switch {
	case t.Pass == nil:
		r.Reason = fmt.Sprintf("score %v, and no threshold to reach", last)
	case last >= *t.Pass:
		r.Reason = fmt.Sprintf("score %v of the last judgement reaches the pass threshold %v", last, *t.Pass)
	default:
		r.Passed = false
		r.Reason = fmt.Sprintf("score %v of the last judgement is below the pass threshold %v", last, *t.Pass)
	}
	return r
}

// GroupScore is the score of one group of metrics.
type GroupScore struct {
	Name                 string  `json:"name"`
	Score                float64 `json:"score"`          // percentage of its counted metrics that pass; 0 when none counts
	Classification       string  `json:"classification"` // always empty, as in Kayenta
	ClassificationReason string  `json:"classificationReason"`

	counted int
}

// Score is the summary of a judgement.
type Score struct {
	Score                float64 `json:"score"` // 0 to 100 if the weights add up to 100
	Classification       Class   `json:"classification"`
	ClassificationReason string  `json:"classificationReason"`
}

// WeightedSum turns the results of metrics into group scores, by name, and the
// summary score, with the reason when it was set to 0.
//
// A group scores the percentage of Pass among its Pass, High, Low and
// NodataFailMetric; a group of which nothing counts weighs in with 100. Groups
// that are not in weights share what is left of 100 equally. The sum is rounded
// to two decimals, halves away from zero. It is 0 if any result is critical and
// not a Pass, or if at least half of the results are Nodata. Muted results are
// left out of everything.
func WeightedSum(results []MetricResult, weights map[string]float64) (groups []GroupScore, summary float64, reason string) {
	labels := map[string]map[Label]int{}
	unmuted, missing := 0, 0
	for _, r := range results {
		if r.Muted {
			continue
		}
		unmuted++
		if r.Classification == NoData {
			missing++
		}
		if r.failsCritically() && reason == "" {
			reason = fmt.Sprintf("critical metric %s: %s", r.Name, r.ClassificationReason)
		}
		for _, g := range r.Groups {
			if labels[g] == nil {
				labels[g] = map[Label]int{}
			}
			labels[g][r.Classification]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		n := labels[name]
		g := GroupScore{Name: name, counted: n[Pass] + n[High] + n[Low] + n[NoDataFail]}
		if g.counted > 0 {
			g.Score = float64(n[Pass]) / float64(g.counted) * 100
		}
		groups = append(groups, g)
	}
	switch {
	case reason != "":
	case tooManyMissing(missing, unmuted):
		reason = fmt.Sprintf("%d of %d metrics have no data", missing, unmuted)
	default:
		summary = weigh(groups, weights)
	}
	return groups, summary, reason
}

func tooManyMissing(missing, of int) bool { return missing > 0 && 2*missing >= of }

func (r *MetricResult) failsCritically() bool { return r.Critical && r.Classification != Pass }

func weigh(groups []GroupScore, weights map[string]float64) float64 {
	left, unweighted := 100.0, 0.0
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		left -= weights[name]
	}
	for _, g := range groups {
		if _, ok := weights[g.Name]; !ok {
			unweighted++
		}
	}
	sum := 0.0
	for _, g := range groups {
		score := g.Score
		if g.counted == 0 {
			score = 100
		}
		w, ok := weights[g.Name]
		if !ok {
			w = left / unweighted
		}
		sum += float64(score * (w / 100))
	}
	return roundHalfUp(sum)
}

// roundHalfUp rounds the shortest decimal form of v, not its binary value, to two
// places, halves away from zero; a value that is not finite stays.
func roundHalfUp(v float64) float64 {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(math.Abs(v), 'g', -1, 64))
	if !ok {
		return v
	}
	r.Mul(r, big.NewRat(100, 1)).Add(r, big.NewRat(1, 2))
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	out, _ := new(big.Rat).SetFrac(whole, big.NewInt(100)).Float64()
	return math.Copysign(out, v)
}
