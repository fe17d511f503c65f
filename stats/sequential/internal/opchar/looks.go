package main

import (
	"math"
	"math/rand/v2"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"gonum.org/v1/gonum/stat/distuv"
)

var rates = []float64{0.0005, 0.005, 0.05, 0.5}

// split gives the candidate's share of the units at each look.
type split struct {
	name  string
	share func(look int) float64
}

var splits = []split{
	{"50/50", func(int) float64 { return 0.5 }},
	{"90/10", func(int) float64 { return 0.1 }},
	{"ramp", func(look int) float64 { return []float64{0.01, 0.05, 0.1, 0.25, 0.5}[look/40] }},
}

const (
	lookCount = 200
	lookUnits = 2000
)

// look is what one look brings: new units and events, with the base rate moving
// by a quarter up and down.
type look struct {
	share          float64
	na, nb, ya, yb uint64
}

func drawLooks(r *rand.Rand, rate float64, s split) []look {
	out := make([]look, lookCount)
	for i := range out {
		l := look{share: s.share(i)}
		l.nb = binomial(r, lookUnits, l.share)
		l.na = lookUnits - l.nb
		now := rate * (1 + 0.25*math.Sin(2*math.Pi*float64(i)/24))
		l.ya, l.yb = binomial(r, l.na, now), binomial(r, l.nb, now)
		out[i] = l
	}
	return out
}

func binomial(r *rand.Rand, n uint64, p float64) uint64 {
	if n == 0 || p <= 0 {
		return 0
	}
	return uint64(distuv.Binomial{N: float64(n), P: p, Src: r}.Rand())
}

// source is an independent generator for each part and replication.
func source(seed uint64, part, replication int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(part)<<32|uint64(replication)))
}

// test looks at every prefix of the looks and says whether any look rejects at
// alpha 0.05.
type test struct {
	name    string
	rejects func(looks []look) (bool, error)
}

var tests = []test{
	{"BinomMix", binomMixRejects},
	{"Block", blockRejects},
	{"BernsteinDiff", bernsteinRejects},
	{"NormalStages", normalRejects},
	{"z per look", zRejects},
}

const alpha = 0.05

func falseAlarms(seed uint64, n int, rate float64, s split, t test) (int, error) {
	count := 0
	for i := range n {
		bad, err := t.rejects(drawLooks(source(seed, 1, i), rate, s))
		if err != nil {
			return 0, err
		}
		if bad {
			count++
		}
	}
	return count, nil
}

// addStage adds the events of l to the stage it belongs to.
func addStage(stages []sequential.EventStage, share float64, ya, yb uint64) []sequential.EventStage {
	if k := len(stages); k == 0 || stages[k-1].Share != share {
		stages = append(stages, sequential.EventStage{Share: share})
	}
	last := &stages[len(stages)-1]
	last.Baseline += ya
	last.Candidate += yb
	return stages
}

func binomMixRejects(looks []look) (bool, error) {
	var stages []sequential.EventStage
	for _, l := range looks {
		stages = addStage(stages, l.share, l.ya, l.yb)
		r, err := sequential.BinomMix(stages, sequential.BinomMixOptions{Alternative: stats.Greater})
		if err != nil || r.LogE >= sequential.Threshold(alpha) {
			return err == nil, err
		}
	}
	return false, nil
}

func blockRejects(looks []look) (bool, error) {
	var in []sequential.BlockLook
	for _, l := range looks {
		in = append(in, sequential.BlockLook{NBaseline: l.na, YBaseline: l.ya, NCandidate: l.nb, YCandidate: l.yb})
		r, err := sequential.Block(in, sequential.BlockOptions{Alternative: stats.Greater})
		if err != nil || r.LogE >= sequential.Threshold(alpha) {
			return err == nil, err
		}
	}
	return false, nil
}

func bernsteinRejects(looks []look) (bool, error) {
	var in []sequential.PairLook
	binary := func(n, y uint64) sequential.SumLook {
		return sequential.SumLook{N: n, Sum: float64(y), SumSq: float64(y)}
	}
	for i, l := range looks {
		in = append(in, sequential.PairLook{Baseline: binary(l.na, l.ya), Candidate: binary(l.nb, l.yb)})
		if (i+1)%10 != 0 { // every tenth look; the method is slow to recompute
			continue
		}
		r, err := sequential.BernsteinDiff(in, sequential.BoundedOptions{Alternative: stats.Greater})
		if err != nil || r.LogE >= sequential.Threshold(alpha) {
			return err == nil, err
		}
	}
	return false, nil
}

// normalRejects estimates the variance within stages from pooled rates and looks
// once NormalReady says so.
func normalRejects(looks []look) (bool, error) {
	var sums []look
	var total look
	for _, l := range looks {
		if k := len(sums); k == 0 || sums[k-1].share != l.share {
			sums = append(sums, look{share: l.share})
		}
		last := &sums[len(sums)-1]
		last.na, last.nb, last.ya, last.yb = last.na+l.na, last.nb+l.nb, last.ya+l.ya, last.yb+l.yb
		total.na, total.nb, total.ya, total.yb = total.na+l.na, total.nb+l.nb, total.ya+l.ya, total.yb+l.yb
		if !sequential.NormalReady(total.na, total.nb, total.ya, total.yb) {
			continue
		}
		var stages []sequential.DiffStage
		for _, s := range sums {
			if s.na == 0 || s.nb == 0 {
				continue
			}
			na, nb := float64(s.na), float64(s.nb)
			p := float64(s.ya+s.yb) / (na + nb)
			d := sequential.DiffStage{Diff: float64(s.yb)/nb - float64(s.ya)/na, Variance: p * (1 - p) * (1/na + 1/nb), NBaseline: s.na, NCandidate: s.nb}
			stages = append(stages, d)
		}
		// The intrinsic variance at the end of an even split at a rate of 1%.
		const planned = 4 * lookCount * lookUnits * 0.01
		r, err := sequential.NormalStages(stages, sequential.NormalOptions{Alternative: stats.Greater, Planned: planned})
		if err != nil || r.LogE >= sequential.Threshold(alpha) {
			return err == nil, err
		}
	}
	return false, nil
}

// zRejects is the one-sided pooled z test at every look.
func zRejects(looks []look) (bool, error) {
	var t look
	for _, l := range looks {
		t.na, t.nb, t.ya, t.yb = t.na+l.na, t.nb+l.nb, t.ya+l.ya, t.yb+l.yb
		if zScore(t.na, t.nb, t.ya, t.yb) >= distuv.UnitNormal.Quantile(1-alpha) {
			return true, nil
		}
	}
	return false, nil
}

// zScore is the pooled two-proportion z of the candidate, 0 without events.
func zScore(na, nb, ya, yb uint64) float64 {
	if na == 0 || nb == 0 || ya+yb == 0 {
		return 0
	}
	n, m := float64(na), float64(nb)
	p := float64(ya+yb) / (n + m)
	se := math.Sqrt(p * (1 - p) * (1/n + 1/m))
	if se == 0 {
		return 0
	}
	return (float64(yb)/m - float64(ya)/n) / se
}

// mismatch counts runs that ever rejected by the looks in srmLooks.
type mismatch struct {
	name string
	at   [3]int
}

var srmLooks = [3]int{14, 100, 336}

// falseMismatches looks at the split after every 1000 units, with SRM and with a
// chi-square test of the counts so far, at level 0.001.
func falseMismatches(seed uint64, n int) ([]mismatch, error) {
	out := []mismatch{{name: "SRM"}, {name: "chi-square per look"}}
	const critical = 10.827566170662733 // the 0.999 quantile of chi-square with 1 degree of freedom
	for i := range n {
		r := source(seed, 2, i)
		stage := sequential.ShareStage{Weights: []float64{1, 1}, Counts: []uint64{0, 0}}
		first := [2]int{math.MaxInt, math.MaxInt}
		for k := 1; k <= srmLooks[2]; k++ {
			b := binomial(r, 1000, 0.5)
			stage.Counts[0] += 1000 - b
			stage.Counts[1] += b
			res, err := sequential.SRM([]sequential.ShareStage{stage}, sequential.SRMOptions{})
			if err != nil {
				return nil, err
			}
			d := float64(stage.Counts[0]) - float64(stage.Counts[1])
			if res.LogE >= sequential.Threshold(0.001) {
				first[0] = min(first[0], k)
			}
			if d*d/float64(res.N) >= critical {
				first[1] = min(first[1], k)
			}
		}
		for j := range out {
			for c, limit := range srmLooks {
				if first[j] <= limit {
					out[j].at[c]++
				}
			}
		}
	}
	return out, nil
}
