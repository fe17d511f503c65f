package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// service stands for the two deployments behind a router: it serves users and
// collects what happened to them.
type service struct {
	spec      *analysis.Spec
	rng       *rand.Rand
	weight    float64 // the candidate's percentage of the users
	next      int64   // user
	errorRate map[string]float64
	arms      map[string]*analysis.Collector
}

func newService(spec *analysis.Spec, seed uint64, errorRate map[string]float64) *service {
	s := &service{spec: spec, rng: rand.New(rand.NewPCG(seed, 1)), errorRate: errorRate}
	s.begin()
	return s
}

// begin starts the evidence of a stage.
func (s *service) begin() {
	s.arms = map[string]*analysis.Collector{"baseline": analysis.NewCollector(s.spec), "candidate": analysis.NewCollector(s.spec)}
}

// serve lets users come for a minute.
func (s *service) serve(at time.Time, users int) error {
	share := map[string]float64{"baseline": 1 - s.weight/100, "candidate": s.weight / 100}
	for _, arm := range []string{"baseline", "candidate"} {
		n := int(math.Round(float64(users) * share[arm]))
		failed, latency, when, who := make([]bool, n), make([]float64, n), make([]int64, n), make([]int64, n)
		for i := range n {
			s.next++
			failed[i] = s.rng.Float64() < s.errorRate[arm]
			latency[i] = 40 * math.Exp(0.3*s.rng.NormFloat64())
			when[i], who[i] = at.Add(time.Duration(i)*time.Millisecond).UnixMicro(), s.next
		}
		batch := &analysis.Batch{Rows: n, Columns: make([]analysis.Column, len(s.spec.Columns))}
		for i, c := range s.spec.Columns {
			switch c.Name {
			case "error":
				batch.Columns[i] = analysis.Column{Type: analysis.Bool, Bools: failed}
			case "latency_ms":
				batch.Columns[i] = analysis.Column{Type: analysis.Float, Floats: latency}
			case "ts":
				batch.Columns[i] = analysis.Column{Type: analysis.Time, Ints: when}
			case "user":
				batch.Columns[i] = analysis.Column{Type: analysis.Int, Ints: who}
			}
		}
		if err := s.arms[arm].Add(batch); err != nil {
			return err
		}
	}
	return nil
}

// evidence is what both arms have shown in the present stage.
func (s *service) evidence() (baseline, candidate *analysis.Snapshot, err error) {
	if baseline, err = s.arms["baseline"].Snapshot(); err != nil {
		return nil, nil, err
	}
	candidate, err = s.arms["candidate"].Snapshot()
	return baseline, candidate, err
}
