package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"gonum.org/v1/gonum/stat/distuv"
)

// A rollout of 20,000 units per hour in five stages, watched by eight metrics on
// the whole arms and in six slices: 56 hypotheses, one look per hour.
var (
	metricRates = []float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05}
	sliceShares = []float64{0.40, 0.25, 0.15, 0.10, 0.07, 0.03}
	stageHours  = []int{12, 12, 24, 24, 48}
	stageShares = []float64{0.01, 0.05, 0.10, 0.25, 0.50}
)

const (
	hours     = 120
	hourUnits = 20000
)

// scenario is a daily swing of the base rates and the harm done: the relative
// risk of one metric in the candidate, in one slice or, with slice -1, in all.
type scenario struct {
	name   string
	swing  float64
	metric int
	slice  int
	rr     float64 // 0 for no harm
}

var harms = []scenario{
	{"RR 3 on 0.05%", 0.3, 0, -1, 3},
	{"RR 2 on 0.1%", 0.3, 1, -1, 2},
	{"RR 1.3 on 1%", 0.3, 4, -1, 1.3},
	{"RR 1.1 on 5%", 0.3, 7, -1, 1.1},
	{"RR 2 on 1% in a 10% slice", 0.3, 4, 3, 2},
	{"RR 2 on 1% in a 3% slice", 0.3, 4, 5, 2},
}

// The judges that see the same data.
const (
	budgeted   = iota // BinomMix and a rollback budget
	bonferroni        // z per look at 0.05/56, pooled over the stages
	floored           // the same once a hypothesis has 10 events
	mann              // Mann-Whitney on hourly rates of whole arms, 98% two-sided, one metric enough
	judges
)

var judgeNames = [judges]string{
	"BinomMix in a rollback budget of 5%",
	"z per look, Bonferroni over 56",
	"the same from 10 events on",
	"Mann-Whitney judge at 98%, 8 metrics",
}

// outcome counts rollbacks and keeps the hours of the first ones.
type outcome struct {
	count [judges]int
	hour  [judges][]int
}

func (o outcome) median(judge int) string {
	h := slices.Clone(o.hour[judge])
	if len(h) == 0 {
		return "-"
	}
	slices.Sort(h)
	return fmt.Sprintf("hour %d", h[len(h)/2])
}

func rollbacks(seed uint64, n int, s scenario) (outcome, error) {
	var o outcome
	for i := range n {
		first, err := rollout(source(seed, 3, i), s)
		if err != nil {
			return o, err
		}
		for j, h := range first {
			if h > 0 {
				o.count[j]++
				o.hour[j] = append(o.hour[j], h)
			}
		}
	}
	return o, nil
}

// stream is the data of one hypothesis.
type stream struct {
	name           string
	stages         []sequential.EventStage
	na, nb, ya, yb uint64
}

func (s *stream) add(share float64, l look) {
	s.stages = addStage(s.stages, share, l.ya, l.yb)
	s.na, s.nb, s.ya, s.yb = s.na+l.na, s.nb+l.nb, s.ya+l.ya, s.yb+l.yb
}

// rollout returns the hour at which each judge rolls back, 0 for never.
func rollout(r *rand.Rand, s scenario) ([judges]int, error) {
	var first [judges]int
	var overall, sliced []string
	for m := range metricRates {
		overall = append(overall, fmt.Sprint(m))
		for g := range sliceShares {
			sliced = append(sliced, fmt.Sprint(m, "/", g))
		}
	}
	budget, err := sequential.NewBudget(overall, sliced, sequential.BudgetOptions{})
	if err != nil {
		return first, err
	}
	streams := make([]stream, 0, len(overall)+len(sliced))
	for _, name := range slices.Concat(overall, sliced) {
		streams = append(streams, stream{name: name})
	}
	critical := distuv.UnitNormal.Quantile(1 - 0.05/float64(len(streams)))
	series := make([][2][]float64, len(metricRates))
	note := func(judge, hour int, yes bool) {
		if yes && first[judge] == 0 {
			first[judge] = hour
		}
	}
	stage, until := 0, stageHours[0]
	for h := range hours {
		if h == until {
			stage++
			until += stageHours[stage]
		}
		share := stageShares[stage]
		drawHour(r, s, h, share, streams, series)
		for i := range streams {
			st := &streams[i]
			if first[budgeted] == 0 {
				e, err := sequential.BinomMix(st.stages, sequential.BinomMixOptions{Alternative: stats.Greater})
				if err != nil {
					return first, err
				}
				state, err := budget.Observe(st.name, e.LogE)
				if err != nil {
					return first, err
				}
				note(budgeted, h+1, state.Crossed())
			}
			z := zScore(st.na, st.nb, st.ya, st.yb)
			note(bonferroni, h+1, z >= critical)
			note(floored, h+1, z >= critical && st.ya+st.yb >= 10)
		}
		for m := range series {
			note(mann, h+1, first[mann] == 0 && mannWhitneyHigh(series[m][0], series[m][1]))
		}
	}
	return first, nil
}

// drawHour adds one hour to all streams. Slices partition the units; the whole
// arms are their sums.
func drawHour(r *rand.Rand, s scenario, h int, share float64, streams []stream, series [][2][]float64) {
	day := 1 + s.swing*math.Sin(2*math.Pi*float64(h)/24)
	units := make([][2]uint64, len(sliceShares))
	for g, part := range sliceShares {
		n := poisson(r, hourUnits*part)
		units[g][1] = binomial(r, n, share)
		units[g][0] = n - units[g][1]
	}
	for m, rate := range metricRates {
		var all look
		for g := range sliceShares {
			rr := 1.0
			if s.rr > 0 && s.metric == m && (s.slice == g || s.slice < 0) {
				rr = s.rr
			}
			l := look{na: units[g][0], nb: units[g][1]}
			l.ya = binomial(r, l.na, rate*day)
			l.yb = binomial(r, l.nb, rate*day*rr)
			streams[len(metricRates)+m*len(sliceShares)+g].add(share, l)
			all.na, all.nb, all.ya, all.yb = all.na+l.na, all.nb+l.nb, all.ya+l.ya, all.yb+l.yb
		}
		streams[m].add(share, all)
		if all.na > 0 && all.nb > 0 {
			series[m][0] = append(series[m][0], float64(all.ya)/float64(all.na))
			series[m][1] = append(series[m][1], float64(all.yb)/float64(all.nb))
		}
	}
}

func poisson(r *rand.Rand, mean float64) uint64 {
	return uint64(distuv.Poisson{Lambda: mean, Src: r}.Rand())
}

// mannWhitneyHigh reports whether b is above a at two-sided 98%, by the normal
// approximation with ties and continuity correction.
func mannWhitneyHigh(a, b []float64) bool {
	type point struct {
		v float64
		b bool
	}
	all := make([]point, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, point{v, false})
	}
	for _, v := range b {
		all = append(all, point{v, true})
	}
	slices.SortFunc(all, func(x, y point) int {
		switch {
		case x.v < y.v:
			return -1
		case x.v > y.v:
			return 1
		}
		return 0
	})
	n, m := float64(len(a)), float64(len(b))
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		t := float64(j - i)
		ties += t * (t*t - 1)
		for k := i; k < j; k++ {
			if all[k].b {
				ranks += float64(i+j+1) / 2
			}
		}
		i = j
	}
	u := ranks - m*(m+1)/2 - n*m/2
	total := n + m
	sd := math.Sqrt(n * m / 12 * (total + 1 - ties/(total*(total-1))))
	return sd > 0 && (u-0.5)/sd >= 2.3263478740408408
}
