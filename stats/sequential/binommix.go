package sequential

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// EventStage holds the events of one stage of a ramp, cumulative.
type EventStage struct {
	Share     float64 `json:"share"`     // candidate's share of the eligible units, in (0,1)
	Baseline  uint64  `json:"baseline"`  // units with the event in the baseline
	Candidate uint64  `json:"candidate"` // units with the event in the candidate
}

// Merge adds the events of o. It is exact and commutative; the zero EventStage is
// the identity; different shares give [stats.ErrMismatch]. o is unchanged.
func (s *EventStage) Merge(o *EventStage) error {
	switch {
	case *o == EventStage{}:
		return nil
	case *s == EventStage{}:
		s.Share = o.Share
	case s.Share != o.Share:
		return fmt.Errorf("sequential: EventStage.Merge: shares %v and %v: %w", s.Share, o.Share, stats.ErrMismatch)
	}
	s.Baseline += o.Baseline
	s.Candidate += o.Candidate
	return nil
}

// BinomMixOptions configures [BinomMix]. All fields but Level tune the process
// and must be frozen before the data.
type BinomMixOptions struct {
	// Alternative Greater tests H0: RR <= NullRR, the direction of harm for a
	// bad event; Less tests H0: RR >= NullRR; the default Different tests
	// H0: RR = NullRR. RR is the candidate's relative risk.
	Alternative stats.Alternative
	// NullRR is the relative risk at the edge of the null, > 0; default 1. A
	// guardrail with a margin of 10% has 1.10: Greater then proves material
	// harm, Less proves its absence.
	NullRR float64
	// Grid of factors > 1 on NullRR under the alternative; the reciprocals serve
	// the other direction. Default 1.1, 1.2, 1.35, 1.5, 2, 3, 5. Effects well
	// below the smallest factor are found slowly or not at all.
	Grid []float64
	// Weights of the grid, positive; they are divided by their sum. Default
	// equal.
	Weights []float64
	// Level of the confidence sequence of RR, in (0,1); default 0.95.
	Level float64
}

// BinomMix tests, at any number of looks, whether an event is relatively more
// frequent in the candidate, and gives a confidence sequence of the relative
// risk. It is the default for whatever can be counted: rare errors, actions,
// values beyond a limit, and, with share 1/2, discordant pairs (sequential
// McNemar).
//
// With r_s the candidate's share of the units of stage s, the arm of the next
// event is Bernoulli(theta_s(RR)), theta_s(RR) = r_s RR/(r_s RR + 1 - r_s), so
// the stages of a ramp and any common trend in the base rate cancel. With the
// grid RR_j beyond RR_0 and weights w_j
//
//	log E = log sum_j w_j exp( sum_s [ xB_s log(theta_s(RR_j)/theta_s(RR_0))
//	                                 + xA_s log((1-theta_s(RR_j))/(1-theta_s(RR_0))) ] )
//
// xA and xB being the events of baseline and candidate. Each likelihood ratio is
// monotone, hence the test is exact for the whole one-sided null, at any base
// rate, and stages add without a restart. Two-sided tests put half the weight on
// each side. The estimate is the maximum likelihood RR over all stages; the
// confidence sequence inverts the one-sided tests, each at half of 1-Level when
// two-sided. Its resolution is the smallest grid factor.
//
// Assumptions: units are assigned independently with the configured share, and a
// unit counts once. The test is then exact for Poisson and for binary events;
// with arms filled in fixed blocks it is conservative for common events. Above a
// base rate of about 0.3 it also loses power: count the complement (decided
// before the data) or use [Block].
//
// Special cases: no events give LogE = 0 and the interval [0, +Inf]; events only
// in the candidate give the estimate +Inf.
//
// Errors: [stats.ErrEmpty] without stages, [stats.ErrDomain] for a share outside
// (0,1) or impossible options, [stats.ErrMismatch] when Grid and Weights differ
// in length.
//
// Cost: O(stages * grid), times about 15 evaluations for each end.
//
// Reference: Lindon and Malek, "Anytime-valid inference for multinomial count
// data", NeurIPS 2022, section 4.
func BinomMix(stages []EventStage, o BinomMixOptions) (Result, error) {
	m, err := newRiskMix(stages, o)
	if err != nil {
		return Result{}, fmt.Errorf("sequential: BinomMix: %w", err)
	}
	r := Result{
		Method:     "binomial grid mixture, " + o.Alternative.String(),
		LogE:       m.logE(m.null, m.alt),
		NBaseline:  uint64(m.n - m.x),
		NCandidate: uint64(m.x),
		Estimate:   m.interval(),
	}
	return r, nil
}

// riskMix is the validated form of a BinomMix call: logarithmic relative risks,
// and the events of the stages.
type riskMix struct {
	alt     stats.Alternative
	null    float64   // log NullRR
	grid    []float64 // log factors > 0
	weights []float64 // log weights
	level   float64
	share   []float64 // per stage
	events  []float64 // per stage, both arms
	theta   []float64 // per stage, share of the events at the null in hand
	terms   []float64 // scratch of logE
	x, n    float64   // events of the candidate, of both arms
}

func newRiskMix(stages []EventStage, o BinomMixOptions) (riskMix, error) {
	m, err := o.mix()
	if err != nil {
		return m, err
	}
	if len(stages) == 0 {
		return m, fmt.Errorf("no stages: %w", stats.ErrEmpty)
	}
	for i, s := range stages {
		if !(s.Share > 0 && s.Share < 1) {
			return m, fmt.Errorf("stage %d: share %v: %w", i, s.Share, stats.ErrDomain)
		}
		n := float64(s.Baseline) + float64(s.Candidate)
		m.share = append(m.share, s.Share)
		m.events = append(m.events, n)
		m.x += float64(s.Candidate)
		m.n += n
	}
	return m, nil
}

func (o BinomMixOptions) mix() (riskMix, error) {
	m := riskMix{alt: o.Alternative, level: defaultTo(o.Level, 0.95)}
	rr := defaultTo(o.NullRR, 1)
	if !(rr > 0) || math.IsInf(rr, 0) || o.Alternative < stats.Less || o.Alternative > stats.Greater {
		return m, fmt.Errorf("null relative risk %v, alternative %v: %w", o.NullRR, o.Alternative, stats.ErrDomain)
	}
	m.null = math.Log(rr)
	if err := stats.CheckLevel(m.level); err != nil {
		return m, err
	}
	grid := o.Grid
	if len(grid) == 0 {
		grid = []float64{1.1, 1.2, 1.35, 1.5, 2, 3, 5}
	}
	weights := o.Weights
	if len(weights) == 0 {
		weights = slices.Repeat([]float64{1}, len(grid))
	}
	if len(weights) != len(grid) {
		return m, fmt.Errorf("%d weights for %d grid factors: %w", len(weights), len(grid), stats.ErrMismatch)
	}
	sum := 0.0
	for i, w := range weights {
		if !(grid[i] > 1) || math.IsInf(grid[i], 0) || !(w > 0) || math.IsInf(w, 0) {
			return m, fmt.Errorf("grid factor %v with weight %v: %w", grid[i], w, stats.ErrDomain)
		}
		sum += w
	}
	for i, w := range weights {
		m.grid = append(m.grid, math.Log(grid[i]))
		m.weights = append(m.weights, math.Log(w/sum))
	}
	return m, nil
}

// tilt is theta: the share r of traffic becomes the share of events when the
// log relative risk is d.
func tilt(r, d float64) float64 { return r / (r + float64((1-r)*math.Exp(-d))) }

// at sets the null for logLR.
func (m *riskMix) at(null float64) {
	m.theta = m.theta[:0]
	for _, r := range m.share {
		m.theta = append(m.theta, tilt(r, null))
	}
}

// logLR is the log-likelihood ratio of log relative risk null+g against null:
// x g - sum_s n_s log(1 + theta_s(null) (e^g - 1)).
func (m *riskMix) logLR(g float64) float64 {
	e := math.Expm1(g)
	l := float64(m.x * g)
	for s, th := range m.theta {
		l -= float64(m.events[s] * math.Log1p(th*e))
	}
	return l
}

func (m *riskMix) logE(null float64, alt stats.Alternative) float64 {
	if m.n == 0 {
		return 0
	}
	m.at(null)
	m.terms = m.terms[:0]
	for j, g := range m.grid {
		if alt != stats.Less {
			m.terms = append(m.terms, m.weights[j]+m.logLR(g))
		}
		if alt != stats.Greater {
			m.terms = append(m.terms, m.weights[j]+m.logLR(-g))
		}
	}
	if alt == stats.Different {
		return logSumExp(m.terms) - math.Ln2
	}
	return logSumExp(m.terms)
}

// interval inverts the one-sided tests. The lower end is where the test of
// H0: RR <= RR0 stops rejecting; its log E falls strictly in RR0.
func (m *riskMix) interval() stats.Interval {
	v := stats.Interval{Point: math.Exp(m.estimate()), Hi: math.Inf(1), Level: m.level}
	room := Threshold(1 - m.level)
	if m.alt == stats.Different {
		room += math.Ln2
	}
	if m.n == 0 {
		v.Point = 1
		return v
	}
	const far = 60 // log relative risks beyond e^60 are infinite for us
	if m.alt != stats.Less && m.logE(-far, stats.Greater) > room {
		v.Lo = math.Exp(zero(-far, far, func(d float64) float64 { return m.logE(d, stats.Greater) - room }))
	}
	if m.alt != stats.Greater && m.logE(far, stats.Less) > room {
		v.Hi = math.Exp(zero(-far, far, func(d float64) float64 { return m.logE(d, stats.Less) - room }))
	}
	return v
}

// estimate solves sum_s n_s theta_s(d) = x for the log relative risk d.
func (m *riskMix) estimate() float64 {
	if m.x == 0 {
		return math.Inf(-1)
	}
	if m.x == m.n {
		return math.Inf(1)
	}
	return zero(-100, 100, func(d float64) float64 {
		sum := -m.x
		for s, r := range m.share {
			sum += float64(m.events[s] * tilt(r, d))
		}
		return sum
	})
}

// BinomPlan says how many more events a decision is expected to need.
type BinomPlan struct {
	Events    float64 // more events in both arms together
	Candidate float64 // of these, events in the candidate
	Growth    float64 // expected growth of log E per event
}

// PlanBinomMix estimates how many events, beyond those already seen in stages,
// BinomMix needs to reach the threshold log(1/alpha) when the relative risk is
// rr and the candidate gets the given share from now on; alpha is the budget of
// this hypothesis. stages may be empty.
//
// Each grid point j grows by KL_j = th log(th_j/th_0) + (1-th) log((1-th_j)/(1-th_0))
// per event, th being the event share at rr. The answer is the smallest
// (log(1/alpha) - log w_j - l_j)/KL_j over the points that grow, l_j being their
// log-likelihood ratio so far: the expected path of the best grid point, so the
// actual number varies by about its square root. With no events, rr on the grid
// and G points it is (log(1/alpha) + log G)/KL.
//
// Special cases: Events is 0 when the threshold is reached already, and +Inf
// when no grid point grows at rr.
//
// Errors: [stats.ErrDomain] for a share outside (0,1), rr <= 0, alpha outside
// (0,1), and the errors of BinomMix.
func PlanBinomMix(stages []EventStage, share, rr, alpha float64, o BinomMixOptions) (BinomPlan, error) {
	if !(share > 0 && share < 1) || !(rr > 0) || math.IsInf(rr, 0) || stats.CheckLevel(alpha) != nil {
		return BinomPlan{}, fmt.Errorf("sequential: PlanBinomMix: share %v, relative risk %v, alpha %v: %w", share, rr, alpha, stats.ErrDomain)
	}
	m, err := newRiskMix(append(slices.Clone(stages), EventStage{Share: share}), o)
	if err != nil {
		return BinomPlan{}, fmt.Errorf("sequential: PlanBinomMix: %w", err)
	}
	if m.logE(m.null, m.alt) >= Threshold(alpha) {
		return BinomPlan{}, nil
	}
	th, th0 := tilt(share, math.Log(rr)), tilt(share, m.null)
	m.at(m.null)
	plan := BinomPlan{Events: math.Inf(1), Candidate: math.Inf(1)}
	try := func(g, need float64) {
		growth := float64(th*g) - math.Log1p(th0*math.Expm1(g))
		if growth <= 0 {
			return
		}
		if n := math.Max(0, need-m.logLR(g)) / growth; n < plan.Events {
			plan = BinomPlan{Events: n, Candidate: n * th, Growth: growth}
		}
	}
	for j, g := range m.grid {
		need := Threshold(alpha) - m.weights[j]
		if m.alt == stats.Different {
			need += math.Ln2
		}
		if m.alt != stats.Less {
			try(g, need)
		}
		if m.alt != stats.Greater {
			try(-g, need)
		}
	}
	return plan, nil
}
