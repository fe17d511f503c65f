package planning

import (
	"math"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Stage is what one stage of the policy brings if it lasts as long as is planned.
type Stage struct {
	Name    string  `json:"name"`
	Weight  float64 `json:"weight,omitempty"` // the candidate's percentage of the traffic
	Seconds float64 `json:"seconds"`
	// Units of each arm in this stage, and up to its end.
	Units     Units `json:"units"`
	Cumulated Units `json:"cumulated"`
	// Lasts is how long the stage is expected to last with a sound candidate: until
	// every required check has passed with the larger of the powers. +Inf when some
	// never does.
	Lasts  stats.Float `json:"lasts_seconds"`
	HeldBy string      `json:"held_by,omitempty"` // what makes it last longer than planned
}

// Units are expected numbers of units.
type Units struct {
	Baseline  float64 `json:"baseline"`
	Candidate float64 `json:"candidate"`
}

// traffic is the expected traffic of one stage, or of a part of it.
type traffic struct {
	b, c  float64 // units of the arms
	share float64 // of the candidate
}

func (t traffic) times(f float64) traffic { return traffic{t.b * f, t.c * f, t.share} }

// weight is that by which stages are added up (Mantel and Haenszel).
func (t traffic) weight() float64 {
	if !(t.b > 0) || !(t.c > 0) {
		return 0
	}
	return t.b / (t.b + t.c) * t.c
}

// stagesOf lists the stages with what they bring. A policy without stages has one.
func stagesOf(p *analysis.Policy, rate float64) ([]Stage, []traffic) {
	list := p.Stages
	if len(list) == 0 {
		list = []analysis.Stage{{Duration: p.Exposure.MinDuration}}
	}
	var out []Stage
	var perSecond []traffic
	sum := Units{}
	for _, s := range list {
		split := p.SplitOf(s.Name)
		share := split.Candidate / (split.Baseline + split.Candidate)
		if math.IsNaN(share) {
			share = 0
		}
		lasts := max(s.Duration, p.ExposureOf(s.Name).MinDuration).Seconds()
		u := Units{rate * (1 - share) * lasts, rate * share * lasts}
		sum.Baseline, sum.Candidate = sum.Baseline+u.Baseline, sum.Candidate+u.Candidate
		out = append(out, Stage{Name: s.Name, Weight: s.Weight, Seconds: lasts, Units: u, Cumulated: sum})
		perSecond = append(perSecond, traffic{rate * (1 - share), rate * share, share})
	}
	return out, perSecond
}

// longest is the longest time that a plan looks ahead: a year.
const longest = 366 * 24 * time.Hour

// timeTo finds the number of seconds from which on enough holds; +Inf when it does
// not within a year.
func timeTo(enough func(seconds float64) bool) float64 {
	if enough(0) {
		return 0
	}
	lo, hi := 0.0, 60.0
	for !enough(hi) {
		if lo, hi = hi, 2*hi; lo > longest.Seconds() {
			return math.Inf(1)
		}
	}
	for range 40 {
		if mid := (lo + hi) / 2; enough(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}
